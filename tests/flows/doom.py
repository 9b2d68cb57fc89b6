"""Death at a chosen point: before or after a commit, before or after a request."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, cast

import httpx

from gateway.app import Parts
from tests.flows.stage import Life, Stage

_evidence: ContextVar[bool] = ContextVar("evidence", default=False)


class Died(BaseException):
    """The process is gone; nothing catches this."""


class Doom:
    """Counts the points that a worker passes, and ends its life at one of them.

    Args:
        at: The point to die at, from 1; 0 for a whole life.
    """

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.points: list[str] = []
        self.died = asyncio.Event()

    def reach(self, name: str) -> None:
        """Pass a point, or die there. The dead pass nothing: neither commit nor request."""
        if self.died.is_set():
            raise Died
        self.points.append(name)
        if len(self.points) == self.at:
            self.died.set()
            raise Died

    def watch(self, parts: Parts) -> None:
        """Count the commits of these parts; evidence is written beside the flow and not counted."""
        database, journal = cast("Any", parts.database), cast("Any", parts.journal)
        transaction = database.transaction

        @asynccontextmanager
        async def doomed() -> AsyncIterator[Any]:
            async with transaction() as connection:
                yield connection
                if not _evidence.get():
                    self.reach("before a commit")
            if not _evidence.get():
                self.reach("after a commit")

        database.transaction = doomed
        journal._evidence._write = _beside(journal._evidence._write)


def _beside(
    write: Callable[[Sequence[Any]], Awaitable[Any]],
) -> Callable[[Sequence[Any]], Awaitable[Any]]:
    async def quietly(batch: Sequence[Any]) -> Any:
        _evidence.set(True)
        return await write(batch)

    return quietly


class DoomedWire(httpx.AsyncBaseTransport):
    """The stage's wire with a point on each side of every request."""

    def __init__(self, wire: httpx.AsyncBaseTransport, doom: Doom) -> None:
        self._wire = wire
        self._doom = doom

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, unless the worker dies before; answer, unless it dies after."""
        what = f"{request.method} {request.url.host}"
        self._doom.reach(f"before {what}")
        try:
            return await self._wire.handle_async_request(request)
        finally:
            self._doom.reach(f"after {what}")


class Mortal:
    """A worker under a doom; when it dies another one takes over after the lease."""

    def __init__(
        self, stage: Stage, doom: Doom, *, wire: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._stage = stage
        self._doom = doom
        self._wire = wire or stage.wire
        self.life: Life

    async def begin(self) -> None:
        """Start the worker."""
        parts = self._stage.parts(wire=DoomedWire(self._wire, self._doom))
        self._doom.watch(parts)
        await parts.database.open()
        parts.journal.start()
        self.life = Life(parts, self._stage.flows)
        self.life.claimed = lambda: self._doom.reach("after a claim")

    async def do(self, act: Callable[[Life], Awaitable[None]]) -> bool:
        """Do something with the worker; whether it lived to the end."""
        acting = asyncio.ensure_future(act(self.life))
        dying = asyncio.create_task(self._doom.died.wait())
        await asyncio.wait({acting, dying}, return_when=asyncio.FIRST_COMPLETED)
        for task in (acting, dying):
            task.cancel()
        ended, _ = await asyncio.gather(acting, dying, return_exceptions=True)
        await self.life.abandon()
        self.life.parts.telemetry.close()
        if self._doom.died.is_set():
            return False
        if isinstance(ended, BaseException):
            raise ended
        return True
