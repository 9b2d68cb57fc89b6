"""What can be paid without a provider.

Source: European Payments Council, EPC125-05 (SEPA credit transfer: euro only), read 2026-11.
"""

from typing import Final

from gateway.model.capability import SEPA, Capability

_VERBS: Final = ("create_payment", "cancel_payment", "refund_payment")

CAPABILITIES: Final = (
    Capability(method="prepayment", countries=SEPA, currencies=("EUR",), verbs=_VERBS),
    Capability(method="open_invoice", verbs=_VERBS),
    Capability(method="cash", verbs=_VERBS),
)
