"""What Mollie can do through us: the methods that mappings/mollie/payment_create.yaml knows.

Source: a page of docs.mollie.com/docs for each method ("Key information"), /docs/multicurrency,
/docs/place-a-hold-for-a-payment and /docs/upfront-routing, read 2026-11; README.md says for which
no page was found.
"""

from typing import Any, Final

from gateway.model.capability import SEPA, Capability

_PAGE: Final = ("create_payment", "refund_payment", "cancel_refund")
_COLLECT: Final = (*_PAGE, "cancel_payment")
# How many days a card is held depends on its scheme, so nothing is said of that. Those of the other
# methods are Mollie's as docs.payreque.st ("How long can a security deposit hold last?") and the
# Vendure plugin quote them, read 2026-11; that part of Mollie's own page could not be had.
_HOLD: Final = (*_COLLECT, "capture_payment")

_CARD: Final = tuple(
    """
    EUR AED AUD CAD CHF CZK DKK GBP HKD HUF ILS ISK JPY NOK NZD PLN RON SEK SGD USD ZAR
    """.split()
)
_PAYPAL: Final = tuple(
    """
    EUR AUD BRL CAD CHF CZK DKK GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD
    """.split()
)
_SATISPAY: Final = tuple(
    "AT BG CH CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
)
_PAYSAFECARD: Final = tuple(
    """
    AT AU BE BG CA CH CY CZ DE DK ES FI FR GB GE GI GR HR HU IE IT LI LT LU MT MX NL NO NZ PE PL PT
    RO SE SI SK UY
    """.split()
)
# EU, EEA, and those with bilateral agreements; Mollie lists neither Switzerland nor the United
# Kingdom, which SEPA reaches as well.
_SEPA: Final = tuple(
    country
    for country in SEPA
    if country not in {"AL", "CH", "GB", "GG", "GI", "IM", "JE", "MD", "ME", "MK", "RS"}
)
# "There is no limit on how many routes you can create for a single payment": ours is the model's.
# Source: docs.mollie.com/docs/connect-route-and-split-payments, read 2026-11.
_PARTS: Final = 50


def _page(method: str, countries: str, currencies: str, **more: Any) -> Capability:
    """A method whose payer is sent to a page; what is paid in euros can be divided."""
    values: dict[str, Any] = {
        "method": method,
        "countries": tuple(countries.split()),
        "currencies": tuple(currencies.split()),
        "verbs": _PAGE,
        "redirect": True,
        "splits": _PARTS if "EUR" in currencies else 0,
    }
    return Capability(**values | more)


def _credit(method: str, countries: str, currencies: str, **more: Any) -> Capability:
    """A method whose owner lends to the payer and so wants to know him; it is not divided."""
    return _page(method, countries, currencies, **{"payer": True, "splits": 0} | more)


CAPABILITIES: Final = (
    Capability(method="card", currencies=_CARD, verbs=_HOLD, token=True, splits=_PARTS),
    Capability(method="card_on_file", currencies=_CARD, verbs=_PAGE, token=True, splits=_PARTS),
    Capability(method="apple_pay", currencies=_CARD, verbs=_PAGE, redirect=True, splits=_PARTS),
    Capability(method="google_pay", currencies=_CARD, verbs=_HOLD, token=True, splits=_PARTS),
    Capability(method="paypal", currencies=_PAYPAL, verbs=_PAGE, redirect=True),
    Capability(method="paypal_vault", currencies=_PAYPAL, verbs=_PAGE, token=True),
    _page("ideal", "NL", "EUR"),
    _page("bancontact", "BE", "EUR"),
    _page("kbc", "BE", "EUR"),
    _page("belfius", "BE", "EUR"),
    _page("eps", "AT", "EUR"),
    _page("przelewy24", "PL", "EUR PLN"),
    _page("blik", "PL", "PLN"),
    _page("mybank", "IT", "EUR"),
    _page("multibanco", "PT", "EUR"),
    _page("bizum", "ES", "EUR"),
    _page("mobilepay", "DK FI", "EUR DKK", verbs=_HOLD, hold_days=14),
    _page("vipps", "NO", "NOK", verbs=_HOLD, hold_days=180),
    _page("swish", "SE", "SEK"),
    _page("twint", "CH", "CHF"),
    _page("satispay", " ".join(_SATISPAY), "EUR"),
    _page("mb_way", "PT", "EUR"),
    _page(
        "pay_by_bank",
        "AT BE CY DE EE ES FI FR GB GR IE IT LT LU LV MT NL PT SI SK",
        "EUR GBP",
    ),
    _page("trustly", "AT DE DK EE FI GB LT LV NL NO SE", "EUR DKK GBP NOK SEK", payer=True),
    _credit(
        "klarna",
        "AT BE CH CZ DE DK ES FI FR GB GR HU IE IT NL NO PL PT RO SE SK",
        "EUR CHF CZK DKK GBP HUF NOK PLN RON SEK",
        verbs=_HOLD,
        hold_days=28,
    ),
    _credit(
        "billie",
        "AT CH DE DK ES FI FR GB IT NL NO SE",
        "EUR CHF DKK GBP NOK SEK",
        verbs=_HOLD,
        hold_days=28,
    ),
    _credit("riverty", "AT BE DE NL", "EUR", verbs=_HOLD, held=True, hold_days=30),
    _credit("in3", "NL", "EUR"),
    _credit("alma", "BE FR", "EUR"),
    Capability(
        method="paysafecard",
        countries=_PAYSAFECARD,
        currencies=("EUR", "CHF", "GBP", "NOK", "PLN", "RON", "SEK"),
        verbs=_PAGE,
        redirect=True,
    ),
    Capability(
        method="gift_card",
        countries=("NL",),
        currencies=("EUR",),
        verbs=("create_payment",),
        redirect=True,
    ),
    Capability(
        method="bank_transfer",
        countries=_SEPA,
        currencies=("EUR",),
        verbs=_COLLECT,
        redirect=True,
        splits=_PARTS,
    ),
    Capability(
        method="sepa_debit",
        countries=_SEPA,
        currencies=("EUR",),
        verbs=_COLLECT,
        token=True,
        splits=_PARTS,
    ),
    Capability(
        method="bacs_debit", countries=("GB",), currencies=("GBP",), verbs=_COLLECT, token=True
    ),
)
