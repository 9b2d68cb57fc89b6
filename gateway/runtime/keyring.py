"""The key ring: public keys that deliveries name, fetched once and kept for a while.

Whoever sends a delivery is unknown until it is verified, and verifying it may need a document
from the vendor. So nothing is asked but the vendor's own hosts, without credentials, seldom, and
what was found or not found is remembered.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import httpx
import msgspec

from gateway.errors import Rejected, Unavailable
from gateway.ports.notification import Notification
from gateway.ports.webhook_keys import WebhookKeys
from gateway.runtime.hub import Hub, System

_KEPT: Final = 64  # documents; a vendor has one or two at a time
_MISSING_S: Final = 60.0  # what was not there is not asked for again so soon
_PER_MINUTE: Final = 30  # fetches of one system, whatever strangers send
_MINUTE_S: Final = 60.0


@dataclass
class _Slot:
    """One document; None for one that does not exist."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    document: bytes | None = None
    until: float = 0.0


class KeyRing:
    """Keys of all systems.

    Args:
        hub: Sends, with time-outs and evidence like any call.
        clock: Monotonic seconds.
    """

    def __init__(self, hub: Hub, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._hub = hub
        self._clock = clock
        self._slots: OrderedDict[tuple[str, str, str], _Slot] = OrderedDict()
        self._fetches: dict[tuple[str, str], deque[float]] = {}

    async def complete(
        self, source: System[WebhookKeys], notification: Notification
    ) -> Notification:
        """The delivery with the keys that it names.

        Raises:
            Rejected: The keys are not the vendor's, or there are none at the address.
            Unavailable: The vendor does not answer, or was asked too often.
        """
        request = next(source.port.fetch_keys(notification), None)
        if request is None:
            return notification
        require_vendor(request.url, source.port.origins)
        slot = self._slot((source.tenant, source.name, str(request.url)))
        async with slot.lock:  # however many deliveries name the document, it is fetched once
            if self._clock() >= slot.until:
                await self._fetch(source, notification, slot)
        if slot.document is None:
            raise Rejected("The key that the delivery names does not exist.", code="key_unknown")
        return msgspec.structs.replace(notification, keys=slot.document)

    def _slot(self, key: tuple[str, str, str]) -> _Slot:
        slot = self._slots.get(key)
        if slot is None:
            self._make_room()
            slot = self._slots[key] = _Slot()
        self._slots.move_to_end(key)
        return slot

    def _make_room(self) -> None:
        """Forget what nobody needs; first what does not exist, so that no stranger evicts a key."""
        if len(self._slots) < _KEPT:
            return
        empty = (key for key, slot in self._slots.items() if slot.document is None)
        del self._slots[next(empty, next(iter(self._slots)))]

    async def _fetch(
        self, source: System[WebhookKeys], notification: Notification, slot: _Slot
    ) -> None:
        self._spend(source)
        try:
            keys = await self._hub.call(
                source, source.port.fetch_keys(notification), anonymous=True
            )
        except Rejected:
            slot.document, slot.until = None, self._clock() + _MISSING_S
            return
        slot.document, slot.until = keys.document, self._clock() + keys.expires_in_s

    def _spend(self, source: System[WebhookKeys]) -> None:
        """Count one fetch."""
        now = self._clock()
        past = self._fetches.setdefault((source.tenant, source.name), deque(maxlen=_PER_MINUTE))
        if len(past) == _PER_MINUTE and past[0] > now - _MINUTE_S:
            raise Unavailable(
                "Too many different keys were asked for.",
                code="keys_overloaded",
                retry_after_s=past[0] + _MINUTE_S - now,
            )
        past.append(now)


def require_vendor(url: httpx.URL, origins: frozenset[str]) -> None:
    """Accept what is to be connected to, as it will be, whatever an adapter overlooked."""
    origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
    if url.userinfo or origin not in origins:
        raise Rejected(
            "The delivery names an address that is not the vendor's.", code="url_refused"
        )
