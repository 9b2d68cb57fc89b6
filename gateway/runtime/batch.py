"""Group commit: what queues while the last commit runs is written by the next one.

An idle system writes at once, a busy one writes hundreds in a transaction. No timer and no added
wait, except for what nobody waits for: that may gather for a moment, because each commit costs as
much as several requests. Measured in benchmarks/webhooks.py and benchmarks/facade.py.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from gateway.errors import Unavailable

I = TypeVar("I")  # noqa: E741 - what is put in
R = TypeVar("R")  # what becomes of it


class Batcher(Generic[I, R]):
    """A bounded queue in front of a function that writes many items at once.

    Args:
        write: Writes a batch in one transaction; returns one result for each item, in order. A
            result that is an exception is raised to the one who put the item.
        queue: Items that may wait; one more is refused.
        limit: Items of one batch.
        writers: Batches under way at once.
        gather_s: How long the first item of a batch waits for others.
    """

    def __init__(
        self,
        write: Callable[[Sequence[I]], Awaitable[Sequence[R | Exception]]],
        *,
        queue: int = 10_000,
        limit: int = 500,
        writers: int = 1,
        gather_s: float = 0.0,
    ) -> None:
        self._write = write
        self._limit = limit
        self._gather_s = gather_s
        self._queue: asyncio.Queue[tuple[I, asyncio.Future[R] | None]] = asyncio.Queue(queue)
        self._writers = writers
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to write."""
        self._tasks = [asyncio.create_task(self._run()) for _ in range(self._writers)]

    async def stop(self) -> None:
        """Write what waits, then end."""
        self._stopping = True
        await self._queue.join()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def submit(self, item: I) -> asyncio.Future[R]:
        """Queue an item; the future says what became of it.

        Raises:
            Unavailable: The queue is full.
        """
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._add(item, future)
        return future

    def post(self, item: I) -> None:
        """Queue an item of which nobody wants to hear; what goes wrong is for ``write`` to say.

        Raises:
            Unavailable: The queue is full.
        """
        self._add(item, None)

    def _add(self, item: I, future: asyncio.Future[R] | None) -> None:
        try:
            self._queue.put_nowait((item, future))
        except asyncio.QueueFull:
            raise Unavailable(
                "Too much waits to be written.", code="queue_full", retry_after_s=1.0
            ) from None

    async def put(self, item: I) -> R:
        """Queue an item and wait until it is committed."""
        return await self.submit(item)

    async def _run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            if self._gather_s and not self._stopping:
                await asyncio.sleep(self._gather_s)
            while len(batch) < self._limit and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._settle(batch)

    async def _settle(self, batch: list[tuple[I, "asyncio.Future[R] | None"]]) -> None:
        try:
            results: Sequence[R | Exception] = await self._write([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - whoever waits gets it, the writer lives on
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            self._queue.task_done()
            if future is None or future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
