"""What Stripe can do through us, by the mappings; and the families of events that it knows.

Source: docs.stripe.com/payments/payment-methods/payment-method-support, read 2026-11.
"""

from typing import Any, Final

from gateway.model.capability import SEPA, Capability

_COLLECT: Final = ("create_payment", "cancel_payment", "refund_payment")
_HOLD: Final = (*_COLLECT, "capture_payment")
# Raising is for cards. Source: docs.stripe.com/payments/incremental-authorization, read 2026-11.
_RAISE: Final = (*_HOLD, "update_payment")

# Cards, wallets on cards and Link, paid by the customer. Source:
# docs.stripe.com/payments/place-a-hold-on-a-payment-method, read 2026-11.
_CARD_DAYS: Final = 7
# As long as Klarna itself holds; for PayPal no page of Stripe's was found that says it.
_KLARNA_DAYS: Final = 28
# A member and the platform's commission by the payment itself; more by transfers after it.
_DIVIDED: Final[dict[str, Any]] = {"splits": 2, "split_members": 1, "splits_after": 50}


def _card(method: str, *, verbs: tuple[str, ...] = _RAISE) -> Capability:
    """A card, or what the front-end turns into a PaymentMethod that is held like one."""
    return Capability(method=method, verbs=verbs, token=True, **_DIVIDED, hold_days=_CARD_DAYS)


def _page(method: str, countries: str, currencies: str, *, payer: bool = False) -> Capability:
    """A method whose payer is sent to a page; lists are parted by spaces."""
    return Capability(
        method=method,
        countries=tuple(countries.split()),
        currencies=tuple(currencies.split()),
        verbs=_COLLECT,
        redirect=True,
        payer=payer,
        **_DIVIDED,
    )


CAPABILITIES: Final = (
    _card("card"),
    _card("apple_pay"),
    _card("google_pay"),
    _card("link", verbs=_HOLD),
    _card("card_on_file"),
    Capability(
        method="sepa_debit",
        countries=SEPA,
        currencies=("EUR",),
        verbs=_COLLECT,
        token=True,
        **_DIVIDED,
    ),
    Capability(
        method="bacs_debit",
        countries=("GB",),
        currencies=("GBP",),
        verbs=_COLLECT,
        token=True,
        **_DIVIDED,
    ),
    Capability(
        method="klarna",
        countries=tuple(
            "AT AU BE CA CH CZ DE DK ES FI FR GB GR IE IT NL NO NZ PL PT SE US".split()
        ),
        currencies=tuple("EUR AUD CAD CHF CZK DKK GBP NOK NZD PLN SEK USD".split()),
        verbs=_HOLD,
        redirect=True,
        payer=True,
        **_DIVIDED,
        hold_days=_KLARNA_DAYS,
    ),
    Capability(
        method="paypal",
        currencies=tuple("EUR AUD CAD CHF CZK DKK GBP HKD NOK NZD PLN SEK SGD USD".split()),
        verbs=_HOLD,
        redirect=True,
        **_DIVIDED,
    ),
    _page("alipay", "", "AUD CAD CNY EUR GBP HKD JPY MYR NZD SGD USD"),
    _page("wechat_pay", "", "AUD CAD CHF CNY DKK EUR GBP HKD JPY NOK SEK SGD USD"),
    _page("ideal", "NL", "EUR"),
    _page("bancontact", "BE", "EUR", payer=True),
    _page("eps", "AT", "EUR", payer=True),
    _page("przelewy24", "PL", "PLN EUR", payer=True),
    Capability(
        method="blik",
        countries=("PL",),
        currencies=("PLN",),
        verbs=_COLLECT,
        token=True,
        redirect=True,
        **_DIVIDED,
    ),
    # The token is a Customer, whose balance the transfer goes to; it cannot be divided, because
    # the money has come before there is a charge.
    Capability(
        method="bank_transfer",
        countries=SEPA,
        currencies=("EUR",),
        verbs=(*_COLLECT, "cancel_refund"),
        token=True,
        redirect=True,
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
