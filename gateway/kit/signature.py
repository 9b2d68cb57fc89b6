"""Signatures of webhooks: the comparisons that must not leak and the clocks that must agree."""

import hashlib
import hmac


def hex_sha256(secret: bytes, message: bytes) -> str:
    """HMAC-SHA256 in lower-case hexadecimal."""
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


def equal(expected: str, given: str) -> bool:
    """Whether two signatures are the same, in constant time."""
    return hmac.compare_digest(expected.encode("utf-8"), given.encode("utf-8"))
