"""What Stripe can do through us, by the mappings; and the families of events that it knows.

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

# What stands before the first point of a type. Source: docs.stripe.com/api/events/types.
FAMILIES: Final = frozenset(
    """
    account application_fee balance balance_settings billing billing_portal capability cash_balance
    charge checkout climate coupon credit_note customer customer_cash_balance_transaction
    entitlements file financial_connections identity invoice invoice_payment invoiceitem
    issuing_authorization issuing_card issuing_cardholder issuing_dispute
    issuing_personalization_design issuing_token issuing_transaction mandate order payment_intent
    payment_link payment_method payout person plan price product promotion_code quote radar
    recipient refund reporting review setup_intent sigma sku source subscription_schedule tax
    tax_rate terminal test_helpers topup transfer treasury
    """.split()
)
