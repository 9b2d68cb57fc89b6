"""Identifiers: UUIDv7 (RFC 9562), opaque to everybody but sorted by creation."""

import os
import time
import uuid


def new_id() -> str:
    """A new UUIDv7 as text."""
    return id_at(time.time_ns() // 1_000_000, os.urandom(10))


def id_at(now_ms: int, randomness: bytes) -> str:
    """A UUIDv7 of the given moment.

    Args:
        now_ms: Milliseconds since the epoch.
        randomness: Ten bytes.

    Source: RFC 9562 §5.7.
    """
    value = bytearray(now_ms.to_bytes(6, "big") + randomness)
    value[6] = 0x70 | (value[6] & 0x0F)
    value[8] = 0x80 | (value[8] & 0x3F)
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def derived_id(*parts: str) -> str:
    """The same identifier for the same parts, for effects that must not double (UUIDv5)."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


_NAMESPACE = uuid.UUID("6f0a4b52-9d2e-5c1b-8a77-3d1f0c0e4a11")
