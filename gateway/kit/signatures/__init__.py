"""Signatures of webhooks: comparisons that do not leak, and clocks that agree.

Here is what every family of HMACs shares; the families that need more have a module each.
Whoever compares, compares all: which of several secrets matched cannot be told from the time.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from gateway.errors import Misconfigured, Rejected

T = TypeVar("T")


def hex_sha256(secret: bytes, message: bytes) -> str:
    """HMAC-SHA256 in lower-case hexadecimal."""
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


def base64_sha256(secret: bytes, message: bytes) -> str:
    """HMAC-SHA256 in Base64."""
    return base64.b64encode(hmac.digest(secret, message, "sha256")).decode("ascii")


def equal(expected: str, given: str) -> bool:
    """Whether two signatures are the same, in constant time."""
    return hmac.compare_digest(expected.encode("utf-8"), given.encode("utf-8"))


def require_match(expected: Iterable[str], given: Sequence[str]) -> None:
    """Accept when any signature of ours is among those given.

    Raises:
        Rejected: None is.
    """
    matches = [equal(ours, theirs) for ours in expected for theirs in given]
    if not any(matches):
        raise Rejected("No signature matches.", code="signature_invalid")


def require_recent(signed_at: float, now: float, *, past_s: float, ahead_s: float) -> None:
    """Accept what was signed in a window around now; a tolerance of 0 accepts any.

    Raises:
        Rejected: It is too old, or from the future.
    """
    if past_s and signed_at < now - past_s:
        raise Rejected("The signature is too old.", code="signature_stale")
    if ahead_s and signed_at > now + ahead_s:
        raise Rejected("The signature is from the future.", code="signature_stale")


def secrets_of(typed: Iterable[str]) -> tuple[str, ...]:
    """The secrets that an operator typed, without those that are only blanks.

    Raises:
        Misconfigured: None is left, so nothing can be accepted.
    """
    found = tuple(one for one in typed if one.strip())
    if not found:
        raise Misconfigured(
            "No webhook secret is configured, so nothing can be accepted.",
            code="webhook_secret_missing",
        )
    return found


def hex_keys(typed: Iterable[str]) -> tuple[bytes, ...]:
    """Secrets that an operator typed in hexadecimal.

    Raises:
        Misconfigured: There is none, or one is not hexadecimal.
    """
    try:
        return tuple(bytes.fromhex(one) for one in secrets_of(typed))
    except ValueError as error:
        raise Misconfigured(
            "A webhook secret is not hexadecimal.", code="webhook_secret_invalid"
        ) from error


def digest(*parts: bytes) -> str:
    """An id for what has none: the same for the same bytes."""
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def decode_event(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The event in a body.

    Raises:
        Rejected: The body is not what the product documents.
    """
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Rejected("The body is no event.", code="event_unexpected") from error
