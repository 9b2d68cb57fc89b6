"""Group commit: what waits together is written together, and fails alone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from gateway.errors import Unavailable
from gateway.runtime.batch import Batcher


class Writer:
    """Writes when it is let; remembers what came together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()

    async def write(self, items: Sequence[int]) -> list[int | Exception]:
        """Twice each item; 13 breaks its batch, a negative one only itself."""
        self.batches.append([*items])
        await self.open.wait()
        if 13 in items:
            raise ValueError("thirteen")
        return [KeyError(item) if item < 0 else item * 2 for item in items]


@asynccontextmanager
async def started(writer: Writer, **options: float) -> AsyncIterator[Batcher[int, int]]:
    batcher: Batcher[int, int] = Batcher(writer.write, **options)
    batcher.start()
    yield batcher
    writer.open.set()
    await batcher.stop()


async def until(true: Callable[[], bool]) -> None:
    """Let the others run until something is true."""
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never became true")


async def test_items_that_queue_during_a_commit_share_the_next() -> None:
    """The first goes at once; what comes meanwhile goes together."""
    writer = Writer()
    async with started(writer) as batcher:
        first = batcher.submit(1)
        await until(lambda: bool(writer.batches))
        others = [batcher.submit(item) for item in (2, 3, 4)]
        writer.open.set()

        assert [2, 4, 6, 8] == list(await asyncio.gather(first, *others))
    assert [[1], [2, 3, 4]] == writer.batches


async def test_what_nobody_waits_for_is_written_all_the_same() -> None:
    """In its order with the others; that it broke is for ``write`` to say, and ends nothing."""
    writer = Writer()
    async with started(writer) as batcher:
        writer.open.set()
        for item in (13, 1):
            batcher.post(item)
            await batcher._queue.join()
        batcher.post(2)

        assert 6 == await batcher.put(3)
    assert [[13], [1], [2, 3]] == writer.batches


async def test_batch_has_a_limit() -> None:
    """One transaction takes so many items and no more."""
    writer = Writer()
    async with started(writer, limit=2) as batcher:
        futures = [batcher.submit(item) for item in range(5)]
        writer.open.set()
        await asyncio.gather(*futures)
    assert [[0, 1], [2, 3], [4]] == writer.batches


async def test_full_queue_is_unavailable() -> None:
    """One item too many is refused with a moment to come again; the others are written."""
    writer = Writer()
    async with started(writer, queue=2) as batcher:
        first = batcher.submit(0)
        await until(lambda: bool(writer.batches))
        others = [batcher.submit(item) for item in (1, 2)]
        with pytest.raises(Unavailable) as refused:
            batcher.submit(3)
        writer.open.set()

        assert ("queue_full", 1.0) == (refused.value.code, refused.value.retry_after_s)
        assert [0, 2, 4] == list(await asyncio.gather(first, *others))


async def test_error_of_one_item_is_raised_to_its_owner_only() -> None:
    """The neighbours in the batch have their results."""
    writer = Writer()
    writer.open.set()
    async with started(writer) as batcher:
        good, bad = batcher.submit(1), batcher.submit(-1)

        assert 2 == await good
        with pytest.raises(KeyError):
            await bad


async def test_writer_outlives_a_batch_that_failed() -> None:
    """Whoever waited is told; the next batch is written."""
    writer = Writer()
    writer.open.set()
    async with started(writer) as batcher:
        with pytest.raises(ValueError, match="thirteen"):
            await batcher.put(13)

        assert 2 == await batcher.put(1)


async def test_owner_who_gave_up_holds_nobody_up() -> None:
    """A cancelled wait is written all the same and told to nobody."""
    writer = Writer()
    async with started(writer) as batcher:
        gone, here = batcher.submit(1), batcher.submit(2)
        gone.cancel()
        writer.open.set()

        assert 4 == await here
    assert [[1, 2]] == writer.batches


async def test_stop_writes_what_waits() -> None:
    """Nothing that was taken in is dropped by an orderly end."""
    writer = Writer()
    writer.open.set()
    async with started(writer, limit=1) as batcher:
        futures = [batcher.submit(item) for item in range(3)]
    assert [True] * 3 == [future.done() for future in futures]
    assert [[0], [1], [2]] == writer.batches


async def test_first_item_waits_for_others_where_nobody_waits_for_it() -> None:
    """What comes within the moment shares its commit; the end does not wait again."""
    writer = Writer()
    writer.open.set()
    async with started(writer, gather_s=0.01) as batcher:
        first = batcher.submit(1)
        await asyncio.sleep(0)
        second = batcher.submit(2)

        assert [2, 4] == list(await asyncio.gather(first, second))
    assert [[1, 2]] == writer.batches
