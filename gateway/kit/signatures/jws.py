"""Detached JWS with ES512: TrueLayer's signature over method, path, headers and body.

Source: RFC 7515 appendix F, RFC 7518 §3.4, and truelayer-signing 0.4.0, read 2026-11.
"""

import base64
import binascii
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA512

from gateway.errors import Rejected
from gateway.ports.notification import Notification

_BYTES: Final = 66  # of one number on the curve P-521


class Head(msgspec.Struct, frozen=True):
    """The protected header.

    Attributes:
        kid: Which key.
        tl_headers: Names of the signed headers, in their order, joined by commas.
        jku: Where the key set is said to be; not to be followed unchecked.
    """

    alg: str
    kid: str
    tl_version: str = ""
    tl_headers: str = ""
    jku: str = ""


class _Key(msgspec.Struct, frozen=True):
    kid: str = ""
    kty: str = ""
    crv: str = ""
    x: str = ""
    y: str = ""


class _KeySet(msgspec.Struct, frozen=True):
    keys: tuple[_Key, ...]


_HEAD: Final = msgspec.json.Decoder(Head)
_KEY_SET: Final = msgspec.json.Decoder(_KeySet)


def head_of(signature: str) -> Head:
    """The header of a detached JWS; nothing in it is proven yet.

    Raises:
        Rejected: It is not one, or of another algorithm.
    """
    try:
        protected, detached, _ = signature.split(".")
        head = _HEAD.decode(_bytes(protected))
    except (ValueError, msgspec.DecodeError) as error:
        raise Rejected("The signature cannot be read.", code="signature_missing") from error
    if detached or head.alg != "ES512" or head.tl_version != "2":
        raise Rejected("The signature is of another kind.", code="signature_invalid")
    return head


def verify(notification: Notification, signature: str, key_set: bytes, *, path: str) -> None:
    """Accept the delivery or raise.

    Args:
        key_set: JSON Web Key Set with the vendor's public keys.
        path: As the vendor called it; a proxy may have changed it on the way.

    Raises:
        Rejected: The key is not in the set, or the signature is not of it. A path with and one
            without a slash at its end count as the same, as in the vendor's own client.
    """
    head = head_of(signature)
    protected, _, signed = signature.split(".")
    key = _key(key_set, head.kid)
    lines = "".join(f"{name}: {notification.header(name.lower())}\n" for name in _names(head))
    twin = path[:-1] if path.endswith("/") else f"{path}/"
    for one in (path, twin):
        payload = f"{notification.method} {one}\n{lines}".encode() + notification.body
        if _matches(key, protected.encode() + b"." + _text(payload), signed):
            return
    raise Rejected("No signature matches.", code="signature_invalid")


def _names(head: Head) -> list[str]:
    return [name for name in head.tl_headers.split(",") if name]


def _matches(key: ec.EllipticCurvePublicKey, message: bytes, signed: str) -> bool:
    try:
        raw = _bytes(signed)
        if len(raw) != 2 * _BYTES:
            return False
        pair = int.from_bytes(raw[:_BYTES]), int.from_bytes(raw[_BYTES:])
        key.verify(encode_dss_signature(*pair), message, ec.ECDSA(SHA512()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _key(key_set: bytes, kid: str) -> ec.EllipticCurvePublicKey:
    try:
        for one in _KEY_SET.decode(key_set).keys:
            if (one.kid, one.kty, one.crv) == (kid, "EC", "P-521"):
                x, y = int.from_bytes(_bytes(one.x)), int.from_bytes(_bytes(one.y))
                return ec.EllipticCurvePublicNumbers(x, y, ec.SECP521R1()).public_key()
    except (ValueError, msgspec.DecodeError) as error:
        raise Rejected("The key set cannot be read.", code="key_unreadable") from error
    raise Rejected("The key is not in the vendor's set.", code="key_unknown")


def _bytes(text: str) -> bytes:
    if "=" in text:
        raise binascii.Error("padded")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _text(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
