"""What PAYONE can do through us: the methods that mappings/payone/payment_create.yaml knows.

Source: the platform's API definition 1.61.0 (product ids, inputs, amounts); of countries it says
nothing, so those of Wero are where its operator (EPI) offers it, and those of the secured invoice
and the secured debit
where they are recalled to be sold, read 2026-11.
"""

from typing import Final

from gateway.model.capability import SEPA, Capability

_COLLECT: Final = ("create_payment", "cancel_payment", "refund_payment")
_HOLD: Final = (*_COLLECT, "capture_payment")

CAPABILITIES: Final = (
    Capability(method="card", verbs=_HOLD, token=True),
    Capability(method="apple_pay", verbs=_HOLD, token=True),
    Capability(method="click_to_pay", verbs=_HOLD, token=True),
    Capability(method="paypal", verbs=_HOLD, redirect=True),
    # The token is that of the payer's device.
    Capability(
        method="secured_invoice",
        countries=("DE", "AT"),
        currencies=("EUR",),
        verbs=_HOLD,
        token=True,
        payer=True,
    ),
    # Collected from the account that the payer names; the token is the same.
    Capability(
        method="secured_debit",
        countries=("DE", "AT"),
        currencies=("EUR",),
        verbs=_HOLD,
        token=True,
        payer=True,
        bank_account=True,
    ),
    Capability(
        method="wero",
        countries=("BE", "DE", "FR"),
        currencies=("EUR",),
        verbs=_COLLECT,
        redirect=True,
    ),
    Capability(
        method="sepa_debit", countries=SEPA, currencies=("EUR",), verbs=_COLLECT, token=True
    ),
)
