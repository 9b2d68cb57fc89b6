"""What Adyen can do through us: the methods that mappings/adyen/payment_create.yaml knows.

Source: docs.adyen.com/payment-methods, a page for each method, read 2026-11. ``redirect`` also
stands where the payer is shown a code or a voucher: Adyen wants a return URL with every payment.
"""

from typing import Final

from gateway.model.capability import Capability

_COLLECT: Final = ("create_payment", "cancel_payment", "refund_payment")
_HOLD: Final = (*_COLLECT, "capture_payment")


def _wallet(method: str) -> Capability:
    """A wallet whose token the front-end has."""
    return Capability(method=method, verbs=_HOLD, token=True)


def _page(method: str, country: str, currency: str, *, hold: bool = False) -> Capability:
    """A method that sends the payer somewhere; lists are parted by spaces."""
    return Capability(
        method=method,
        countries=tuple(country.split()),
        currencies=tuple(currency.split()),
        verbs=_HOLD if hold else _COLLECT,
        redirect=True,
    )


CAPABILITIES: Final = (
    Capability(method="card", verbs=_HOLD, token=True),
    _wallet("apple_pay"),
    _wallet("google_pay"),
    _wallet("samsung_pay"),
    _wallet("amazon_pay"),
    _page("paypal", "", "", hold=True),
    _page("alipay", "CN", "AUD CAD CHF CNY DKK EUR GBP HKD JPY NOK NZD SEK SGD USD"),
    _page("wechat_pay", "CN", "AUD CAD CHF CNY EUR GBP HKD JPY NZD SGD USD"),
    _page("mobilepay", "DK FI", "DKK EUR", hold=True),
    _page("swish", "SE", "SEK"),
    _page("twint", "CH", "CHF", hold=True),
    _page("bizum", "ES", "EUR"),
    _page("wero", "BE DE FR", "EUR"),
    _page("ideal", "NL", "EUR"),
    _page("bancontact", "BE", "EUR"),
    Capability(
        method="blik",
        countries=("PL",),
        currencies=("PLN",),
        verbs=_COLLECT,
        token=True,
        redirect=True,
    ),
    _page("multibanco", "PT", "EUR"),
    Capability(
        method="bacs_debit", countries=("GB",), currencies=("GBP",), verbs=_COLLECT, token=True
    ),
)
