"""What can be done with files of a bank: direct debits by mandates of our own.

Source: EPC016-06 and EPC222-07, the rulebooks of SEPA direct debit, at second hand (README.md).
"""

from typing import Final

from gateway.model.capability import SEPA, Capability
from gateway.model.mandate import Scheme

_COLLECT: Final = ("create_payment", "cancel_payment", "refund_payment")

SCHEMES: Final = {"sepa_debit": Scheme.CORE, "sepa_debit_b2b": Scheme.B2B}
CAPABILITIES: Final = tuple(
    Capability(method=method, countries=SEPA, currencies=("EUR",), verbs=_COLLECT, mandate=True)
    for method in SCHEMES
)
