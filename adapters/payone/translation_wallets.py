"""What wallets give to the shop, taken apart into the fields that PAYONE asks for.

Our token is one text, theirs are objects: Apple's payment token as it comes, and what Click to Pay
gave as an object of three fields; both in JSON, or that in base64.

Source: API definition 1.61.0 (PaymentProduct302SpecificInput, PaymentProduct5002SpecificInput);
developer.apple.com, "Payment token format reference", read 2026-11.
"""

import base64
import binascii
from typing import Any, Final, Literal, TypeVar

import msgspec

from gateway.errors import Rejected
from gateway.model.payment import Payment

T = TypeVar("T")


class _Header(msgspec.Struct, frozen=True, rename="camel"):
    public_key_hash: str
    ephemeral_public_key: str
    transaction_id: str
    application_data: str | None = None


class _Data(msgspec.Struct, frozen=True):
    version: Literal["EC_v1"]  # RSA, as in China, is not taken
    data: str
    signature: str
    header: _Header


class _Card(msgspec.Struct, frozen=True):
    network: str


class _Apple(msgspec.Struct, frozen=True, rename="camel"):
    payment_data: _Data
    payment_method: _Card


class Click(msgspec.Struct, frozen=True, rename="camel"):
    """What Click to Pay gave; the network is spelt as PAYONE spells it."""

    network: str
    src_dpa_id: str
    payment_checkout_data: str


class Apple(msgspec.Struct, frozen=True, kw_only=True):
    """Apple's token, as the mapping writes it; the network in capitals."""

    network: str
    data: str
    key_hash: str
    ephemeral_key: str
    signature: str
    transaction: str
    application: str | None


_APPLE: Final = msgspec.json.Decoder(_Apple)
_CLICK: Final = msgspec.json.Decoder(Click)


def apple_of(payment: Payment) -> Apple | None:
    """The token of Apple Pay; None where it is paid otherwise.

    Raises:
        Rejected: It is not what the wallet gives.
    """
    if payment.method_code != "apple_pay":
        return None
    token = _read(_APPLE, payment.token)
    paid, header = token.payment_data, token.payment_data.header
    return Apple(
        network=token.payment_method.network.upper(),
        data=paid.data,
        key_hash=header.public_key_hash,
        ephemeral_key=header.ephemeral_public_key,
        signature=paid.signature,
        transaction=header.transaction_id,
        application=header.application_data,
    )


def click_of(payment: Payment) -> Click | None:
    """The same of Click to Pay.

    Raises:
        Rejected: It is not what the wallet gives.
    """
    return _read(_CLICK, payment.token) if payment.method_code == "click_to_pay" else None


def _read(decoder: "msgspec.json.Decoder[T]", token: str) -> T:
    try:
        plain: Any = token if token.startswith("{") else base64.b64decode(token, validate=True)
        return decoder.decode(plain)
    except (msgspec.DecodeError, binascii.Error, UnicodeError, RecursionError) as error:
        # The token says what was paid with: nothing of it stands in the message.
        message = "token: expected what the wallet gave, as JSON or in base64."
        raise Rejected(message, code="token_invalid") from error
