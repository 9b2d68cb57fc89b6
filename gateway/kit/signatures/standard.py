"""Standard Webhooks: three headers, HMAC-SHA256 over id, time and body.

Source: the specification at standard-webhooks/standard-webhooks and standardwebhooks 1.1.0,
read 2026-11.
"""

import base64
import binascii
from collections.abc import Iterable
from typing import Final

from gateway.errors import Misconfigured, Rejected
from gateway.kit.signatures import base64_sha256, require_match, require_recent, secrets_of
from gateway.ports.notification import Notification

_PREFIX: Final = "whsec_"
_VERSION: Final = "v1"


def verify(
    notification: Notification, secrets: Iterable[str], *, now: float, tolerance_s: float
) -> None:
    """Accept the delivery or raise; versions other than v1 are passed over.

    Args:
        secrets: In Base64, with or without ``whsec_``.
        tolerance_s: Of the clocks, into the past and into the future.

    Raises:
        Rejected: A header is missing or doubled, no signature matches, or the time is off.
        Misconfigured: No secret, or one that is not Base64.
    """
    keys = [_key(one) for one in secrets_of(secrets)]
    identity = notification.header("webhook-id")
    time = notification.header("webhook-timestamp")
    signed = notification.header("webhook-signature")
    if not identity or not signed or not (time.isascii() and time.isdecimal() and len(time) <= 12):  # noqa: PLR2004 - digits until the year 33658
        raise Rejected("A signature header is missing.", code="signature_missing")
    message = b"%s.%s.%s" % (identity.encode(), time.encode(), notification.body)
    versions = [one.partition(",") for one in signed.split(" ")]
    given = [value for version, _, value in versions if version == _VERSION]
    require_match([base64_sha256(key, message) for key in keys], given)
    require_recent(float(time), now, past_s=tolerance_s, ahead_s=tolerance_s)


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.strip().removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise Misconfigured(
            "A webhook secret is not Base64.", code="webhook_secret_invalid"
        ) from error
