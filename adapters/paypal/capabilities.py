"""What PayPal can do through us: the methods that mappings/paypal/order_create.yaml knows.

Source: developer.paypal.com/api/rest/reference/currency-codes (``paypal``; without CNY, which only
accounts in China have), /docs/checkout/advanced ("supported currencies", cards) and
/docs/checkout/apm, a page for each bank method, read 2026-11.
"""

from typing import Final

from gateway.model.capability import Capability

WALLET: Final = tuple(
    """
    EUR AUD BRL CAD CHF CZK DKK GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD
    """.split()
)
CARD: Final = tuple("EUR AUD CAD CHF CZK DKK GBP HKD HUF JPY NOK NZD PLN SEK SGD USD".split())
_VERBS: Final = ("create_payment", "refund_payment", "cancel_payment", "capture_payment")
_COLLECT: Final = ("create_payment", "refund_payment", "cancel_payment")

# "An authorization places a hold on the funds and is valid for 29 days", three of them guaranteed.
# Source: developer.paypal.com/docs/checkout/standard/customize/authorization-honor, read 2026-11.
_DAYS: Final = 29
# A member and the platform's fee.
_PARTS: Final = 2


def _held(method: str, currencies: tuple[str, ...], *, redirect: bool = False) -> Capability:
    """Something saved, or the wallet on its page."""
    return Capability(
        method=method,
        currencies=currencies,
        verbs=_VERBS,
        redirect=redirect,
        token=not redirect,
        splits=_PARTS,
        split_members=1,
        hold_days=_DAYS,
    )


def _bank(method: str, countries: str, currencies: str) -> Capability:
    """A method of banks, whose payer is named and sent to a page; lists are parted by spaces."""
    return Capability(
        method=method,
        countries=tuple(countries.split()),
        currencies=tuple(currencies.split()),
        verbs=_COLLECT,
        redirect=True,
        payer=True,
        splits=_PARTS,
        split_members=1,
    )


CAPABILITIES: Final = (
    _held("paypal", WALLET, redirect=True),
    _held("paypal_vault", WALLET),
    _held("card", CARD),
    _held("card_on_file", CARD),
    _held("apple_pay", CARD),
    _bank("ideal", "NL", "EUR"),
    _bank("bancontact", "BE", "EUR"),
    _bank("eps", "AT", "EUR"),
    _bank("przelewy24", "PL", "PLN EUR"),
    _bank("blik", "PL", "PLN"),
    _bank("mybank", "IT", "EUR"),
    _bank("trustly", "AT DE DK EE ES FI GB LT LV NL NO SE", "EUR DKK GBP NOK SEK"),
)
