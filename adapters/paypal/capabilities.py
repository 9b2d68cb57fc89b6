"""What PayPal can do through us: the methods that mappings/paypal/order_create.yaml knows.

Methods that need the payer's name and country are missing; README.md lists them.

Source: developer.paypal.com/api/rest/reference/currency-codes (``paypal``; without CNY, which only
accounts in China have) and /docs/checkout/advanced ("supported currencies", cards), read 2026-11.
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

CAPABILITIES: Final = (
    Capability(method="paypal", currencies=WALLET, verbs=_VERBS, redirect=True),
    Capability(method="paypal_vault", currencies=WALLET, verbs=_VERBS, token=True),
    Capability(method="card", currencies=CARD, verbs=_VERBS, token=True),
    Capability(method="card_on_file", currencies=CARD, verbs=_VERBS, token=True),
)
