"""Braintree's signatures: pairs of public key and HMAC-SHA1 under a hashed private key.

SHA-1 is the provider's choice; as an HMAC it still stands.

Source: braintree 4.48.0 (``webhook_notification_gateway.py``, ``util/crypto.py``), read 2026-11.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from typing import Final

from gateway.errors import Rejected
from gateway.kit.signatures import require_match

_PAYLOAD: Final = re.compile(r"[A-Za-z0-9+=/\n]+")


def sign(private_key: str, text: str) -> str:
    """The signature of a payload or of a challenge, in lower-case hexadecimal."""
    key = hashlib.sha1(private_key.encode()).digest()  # noqa: S324 - Braintree's algorithm
    return hmac.new(key, text.encode(), hashlib.sha1).hexdigest()


def verify(public_key: str, private_keys: Iterable[str], *, signature: str, payload: str) -> None:
    """Accept the payload or raise.

    Args:
        signature: ``public_key|hex``, several joined by ``&``; only pairs of our key count.
        payload: Base64 in lines. Decoding a form may have cost it its last newline, so it is
            tried with one as well.

    Raises:
        Rejected: It is not Base64, no pair is for our key, or none matches.
    """
    if not _PAYLOAD.fullmatch(payload):
        raise Rejected("The payload has illegal characters.", code="signature_invalid")
    given = _for_key(public_key, signature)
    expected = [sign(key, text) for key in private_keys for text in (payload, payload + "\n")]
    require_match(expected, given)


def _for_key(public_key: str, signature: str) -> Sequence[str]:
    pairs = [one.partition("|") for one in signature.split("&")]
    given = [value for key, bar, value in pairs if bar and key == public_key]
    if not given:
        raise Rejected("No signature is for our public key.", code="signature_missing")
    return given
