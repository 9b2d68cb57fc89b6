"""Identifiers: UUIDv7 (RFC 9562), opaque to everybody but sorted by creation."""

import os
import time
import uuid
from collections import deque
from typing import Final

# Drawn in advance: the system call costs more than all the rest of an identifier.
_drawn: Final[deque[bytes]] = deque()
if hasattr(os, "register_at_fork"):  # or two processes would go on with the same ones
    os.register_at_fork(after_in_child=_drawn.clear)


def new_id() -> str:
    """A new UUIDv7 as text."""
    try:
        randomness = _drawn.pop()
    except IndexError:
        pool = os.urandom(1280)
        _drawn.extend(pool[start : start + 10] for start in range(10, len(pool), 10))
        randomness = pool[:10]
    return id_at(time.time_ns() // 1_000_000, randomness)


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
