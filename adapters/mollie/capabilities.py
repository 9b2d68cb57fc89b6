"""What Mollie can do through us: the methods that mappings/mollie/payment_create.yaml knows.

Methods that need the payer's name, address, phone or basket are missing; README.md lists them.

Source: a page of docs.mollie.com/docs for each method ("Key information"), /docs/multicurrency and
/docs/place-a-hold-for-a-payment, read 2026-11; README.md says for which no page was found.
"""

from typing import Final

from gateway.model.capability import SEPA, Capability

_PAGE: Final = ("create_payment", "refund_payment")
_COLLECT: Final = (*_PAGE, "cancel_payment")
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


def _page(method: str, countries: str, currencies: str) -> Capability:
    """A method whose payer is sent to a page."""
    return Capability(
        method=method,
        countries=tuple(countries.split()),
        currencies=tuple(currencies.split()),
        verbs=_PAGE,
        redirect=True,
    )


CAPABILITIES: Final = (
    Capability(method="card", currencies=_CARD, verbs=_HOLD, token=True),
    Capability(method="card_on_file", currencies=_CARD, verbs=_PAGE, token=True),
    Capability(method="apple_pay", currencies=_CARD, verbs=_PAGE, redirect=True),
    Capability(method="paypal", currencies=_PAYPAL, verbs=_PAGE, redirect=True),
    Capability(method="paypal_vault", currencies=_PAYPAL, verbs=_PAGE, token=True),
    _page("ideal", "NL", "EUR"),
    _page("bancontact", "BE", "EUR"),
    _page("kbc", "BE", "EUR"),
    _page("belfius", "BE", "EUR"),
    _page("eps", "AT", "EUR"),
    _page("przelewy24", "PL", "PLN EUR"),
    _page("blik", "PL", "PLN"),
    _page("mybank", "IT", "EUR"),
    _page("multibanco", "PT", "EUR"),
    _page("bizum", "ES", "EUR"),
    _page("mobilepay", "DK FI", "DKK EUR"),
    _page("vipps", "NO", "NOK"),
    _page("swish", "SE", "SEK"),
    _page("twint", "CH", "CHF"),
    Capability(
        method="satispay", countries=_SATISPAY, currencies=("EUR",), verbs=_PAGE, redirect=True
    ),
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
        method="bank_transfer", countries=_SEPA, currencies=("EUR",), verbs=_COLLECT, redirect=True
    ),
    Capability(
        method="sepa_debit", countries=_SEPA, currencies=("EUR",), verbs=_COLLECT, token=True
    ),
    Capability(
        method="bacs_debit", countries=("GB",), currencies=("GBP",), verbs=_COLLECT, token=True
    ),
)
