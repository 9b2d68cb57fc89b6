"""What Adyen can do through us: the methods that mappings/adyen/payment_create.yaml knows.

Source: docs.adyen.com/payment-methods, a page for each method, read 2026-11. ``redirect`` also
stands where the payer is shown a code or a voucher: Adyen wants a return URL with every payment.
"""

from typing import Final

from gateway.model.capability import Capability

_COLLECT: Final = ("create_payment", "cancel_payment", "refund_payment")
# Pages and issuers give the payer something that has to be handed over.
_LEAD: Final = (*_COLLECT, "confirm_payment")
_HOLD: Final = (*_LEAD, "capture_payment")
# Source: docs.adyen.com/online-payments/adjust-authorisation; for cards, read 2026-11.
_RAISE: Final = (*_HOLD, "update_payment")

# "28 days from the day the payment is authorised, for all major global card networks, except Cartes
# Bancaires". Source: adyen.help, article 115001179684, read 2026-11.
_CARD_DAYS: Final = 28
# As long as PayPal and Klarna themselves hold. Source: developer.paypal.com/docs/checkout/standard/
# customize/authorization-honor; Klarna's 28 days by documents of several partners, read 2026-11.
_PAYPAL_DAYS: Final = 29
_KLARNA_DAYS: Final = 28
# Adyen names no limit; ours is that of a payment.
_PARTS: Final = 50
# Source: docs.adyen.com/payment-methods/ratepay/api-only; a debit is not available in Switzerland.
_RATEPAY: Final = tuple("DE AT NL".split())


def _token(
    method: str, *, hold_days: int = _CARD_DAYS, verbs: tuple[str, ...] = _HOLD
) -> Capability:
    """A wallet or a card whose token the front-end has."""
    return Capability(method=method, verbs=verbs, token=True, splits=_PARTS, hold_days=hold_days)


def _page(
    method: str,
    country: str,
    currency: str,
    *,
    hold: bool = False,
    hold_days: int = 0,
    token: bool = False,
    payer: bool = False,
) -> Capability:
    """A method that sends the payer somewhere; lists are parted by spaces."""
    return Capability(
        method=method,
        countries=tuple(country.split()),
        currencies=tuple(currency.split()),
        verbs=_HOLD if hold else _LEAD,
        redirect=True,
        token=token,
        payer=payer,
        splits=_PARTS,
        hold_days=hold_days,
    )


CAPABILITIES: Final = (
    _token("card", verbs=_RAISE),
    _token("card_on_file", verbs=_RAISE),
    _token("network_token", verbs=_RAISE),
    _token("click_to_pay", verbs=_RAISE),
    _token("apple_pay", verbs=_RAISE),
    _token("google_pay", verbs=_RAISE),
    _token("samsung_pay"),
    _token("amazon_pay", hold_days=0),
    _page("paypal", "", "", hold=True, hold_days=_PAYPAL_DAYS),
    _page("alipay", "CN", "AUD CAD CHF CNY DKK EUR GBP HKD JPY NOK NZD SEK SGD USD"),
    _page("wechat_pay", "CN", "AUD CAD CHF CNY EUR GBP HKD JPY NZD SGD USD"),
    _page("mobilepay", "DK FI", "DKK EUR", hold=True),
    _page("vipps", "NO", "NOK", hold=True, payer=True),
    _page("swish", "SE", "SEK"),
    _page("twint", "CH", "CHF", hold=True),
    _page("bizum", "ES", "EUR"),
    _page("mb_way", "PT", "EUR", payer=True),
    _page("wero", "BE DE FR", "EUR"),
    _page("ideal", "NL", "EUR"),
    _page("bancontact", "BE", "EUR"),
    _page("eps", "AT", "EUR", token=True),
    _page("przelewy24", "PL", "PLN EUR", token=True),
    _page("blik", "PL", "PLN", token=True),
    _page("trustly", "DE DK EE ES FI GB LT LV NL NO PL SE", "EUR DKK GBP NOK PLN SEK"),
    _page(
        "pay_by_bank",
        "DE AT DK EE ES FI FR GB IE IT LT LV NL NO PL PT SE",
        "EUR DKK GBP NOK PLN SEK",
    ),
    _page("multibanco", "PT", "EUR"),
    _page("paysafecard", "", "EUR CHF GBP NOK PLN RON SEK USD"),
    _page("bank_transfer", "", "EUR", payer=True),
    Capability(
        method="bacs_debit",
        countries=("GB",),
        currencies=("GBP",),
        verbs=_COLLECT,
        token=True,
        splits=_PARTS,
    ),
    # Stored value is not divided: what is paid with it was paid before.
    Capability(method="gift_card", verbs=_COLLECT, token=True),
    _page(
        "klarna",
        "DE AT BE CH CZ DK ES FI FR GB GR IE IT NL NO PL PT RO SE US",
        "EUR CHF CZK DKK GBP NOK PLN RON SEK USD",
        hold=True,
        hold_days=_KLARNA_DAYS,
        payer=True,
    ),
    _page("riverty", "DE AT CH", "EUR CHF", hold=True, payer=True),
    _page("alma", "FR AT BE DE ES IE IT LU NL PT", "EUR", payer=True),
    Capability(
        method="ratepay_invoice",
        countries=(*_RATEPAY, "CH"),
        currencies=("EUR", "CHF"),
        verbs=_HOLD,
        token=True,
        payer=True,
        splits=_PARTS,
    ),
    Capability(
        method="ratepay_debit",
        countries=_RATEPAY,
        currencies=("EUR",),
        verbs=_HOLD,
        token=True,
        payer=True,
        splits=_PARTS,
    ),
)
