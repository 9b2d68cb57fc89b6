"""What Stripe can do through us: the methods that mappings/stripe/payment_create.yaml knows.

Source: docs.stripe.com/payments/payment-methods/payment-method-support, read 2026-11.
"""

from typing import Final

from gateway.model.capability import SEPA, Capability

_COLLECT: Final = ("create_payment", "cancel_payment", "refund_payment")
_HOLD: Final = (*_COLLECT, "capture_payment")

CAPABILITIES: Final = (
    Capability(method="card", verbs=_HOLD, token=True),
    Capability(method="apple_pay", verbs=_HOLD, token=True),
    Capability(method="google_pay", verbs=_HOLD, token=True),
    Capability(
        method="sepa_debit", countries=SEPA, currencies=("EUR",), verbs=_COLLECT, token=True
    ),
)
