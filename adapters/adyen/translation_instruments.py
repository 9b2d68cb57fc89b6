"""Instruments: what a token of the front-end says, where it names more than one thing.

Source: docs.adyen.com/online-payments/tokenization, /payment-methods/gift-cards; Click to Pay in
Adyen's own client for browsers (``createCheckoutPayloadBasedOnScheme``), read 2026-11.
"""

import re
from typing import Any, Final

import msgspec

from gateway.errors import Rejected
from gateway.model.payment import Payment

# A stored instrument is of use only with the shopper whom it belongs to, so a token names both.
_STORED: Final = re.compile(r"(?P<shopper>.{3,256})_(?P<stored>[A-Za-z0-9]{1,64})", re.ASCII)
# A gift card as Adyen's client encrypts it: brand, number and code.
_GIFT: Final = re.compile(
    r"(?P<brand>[a-z0-9_]{1,40}):(?P<number>[^:]{20,15000}):(?P<code>[^:]{20,15000})", re.ASCII
)
_CLICK: Final = re.compile(
    r"(?P<scheme>mc|visa):(?P<correlation>[^:]{1,200}):(?P<card>[^:]{1,200})", re.ASCII
)


class GiftCard(msgspec.Struct, frozen=True):
    """A gift card, number and code encrypted."""

    brand: str
    number: str
    code: str


class ClickToPay(msgspec.Struct, frozen=True):
    """A card that a network keeps for the payer; Visa names a token, Mastercard a digital card."""

    scheme: str
    correlation: str
    card: str


def needs(payment: Payment) -> dict[str, Any]:
    """What the mapping of a payment needs of its token.

    Raises:
        Rejected: A token of several parts has others.
    """
    stored = _STORED.fullmatch(payment.token)
    gift = click = None
    if payment.method_code == "gift_card":
        wanted = "the brand, and number and code as Adyen's client encrypts them"
        gift = GiftCard(**_parts(_GIFT, payment.token, wanted))
    if payment.method_code == "click_to_pay":
        wanted = "mc or visa, the correlation id and the id of the card"
        click = ClickToPay(**_parts(_CLICK, payment.token, wanted))
    return {
        "shopper": stored["shopper"] if stored else None,
        "stored": stored["stored"] if stored else None,
        "gift": gift,
        "click": click,
    }


def _parts(shape: re.Pattern[str], token: str, wanted: str) -> dict[str, str]:
    found = shape.fullmatch(token)
    if found is None:
        message = f"token: expected {wanted}, parted by colons."
        raise Rejected(message, code="token_invalid")
    return found.groupdict()
