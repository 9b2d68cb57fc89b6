"""Signatures with their time in one header: ``t=…,v1=…``, HMAC-SHA256 over time and body.

Source: docs.stripe.com/webhooks/signature and stripe-python 16.1.0, read 2026-11.
"""

from collections.abc import Iterable
from typing import Final

from gateway.errors import Rejected
from gateway.kit.signatures import hex_sha256, require_match, require_recent, secrets_of

_SCHEME: Final = "v1"


def verify(
    header: str, body: bytes, secrets: Iterable[str], *, now: float, tolerance_s: float
) -> None:
    """Accept the delivery or raise; only age is checked, so a time in the future passes.

    Args:
        tolerance_s: 0 accepts any age.

    Raises:
        Rejected: No signature of the first version matches, or it is too old.
        Misconfigured: There is no secret.
    """
    keys = [secret.encode() for secret in secrets_of(secrets)]
    signed_at, signatures = _parse(header)
    message = b"%d.%s" % (signed_at, body)
    require_match([hex_sha256(key, message) for key in keys], signatures)
    require_recent(signed_at, now, past_s=tolerance_s, ahead_s=0)


def _parse(header: str) -> tuple[int, list[str]]:
    """Time and signatures of the header, which is taken apart as it is: no space is stripped."""
    parts = [item.split("=") for item in header.split(",")]
    try:
        signed_at = int(next(part[1] for part in parts if part[0] == "t"))
        signatures = [part[1] for part in parts if part[0] == _SCHEME]
    except (StopIteration, IndexError, ValueError) as error:
        raise Rejected("The signature header cannot be read.", code="signature_missing") from error
    return signed_at, signatures
