"""Log lines: together where a loop turns, at once where something is wrong, and never lost."""

import asyncio
import io

from gateway.runtime.lines import Lines


class _File(io.BytesIO):
    """Counts how often somebody writes."""

    writes = 0

    def write(self, line: object) -> int:
        self.writes += 1
        return super().write(line)  # type: ignore[arg-type] # bytes


async def test_lines_of_one_turn_are_written_together() -> None:
    """In their order, when the turn is over."""
    file = _File()
    lines = Lines(file)
    lines.info(b"one")
    lines.debug(b"two")
    assert 0 == file.writes

    await asyncio.sleep(0)
    assert (1, b"one\ntwo\n") == (file.writes, file.getvalue())

    lines.info(b"three")
    await asyncio.sleep(0)
    assert (2, b"one\ntwo\nthree\n") == (file.writes, file.getvalue())


async def test_what_warns_is_written_at_once() -> None:
    """With what came before it; the turn's end writes nothing more."""
    file = _File()
    lines = Lines(file)
    lines.info(b"one")
    lines.error(b"two")
    assert b"one\ntwo\n" == file.getvalue()

    await asyncio.sleep(0)
    assert 1 == file.writes


def test_without_a_loop_nothing_waits() -> None:
    """Commands and threads have none."""
    file = _File()
    Lines(file).info(b"one")

    assert b"one\n" == file.getvalue()


def test_line_of_a_loop_that_ended_is_written_by_the_next() -> None:
    """It was said in the last turn of a loop, and the process goes on."""
    file = _File()
    lines = Lines(file)

    async def say(line: bytes) -> None:
        lines.info(line)

    ended = asyncio.new_event_loop()
    task = ended.create_task(say(b"one"))
    ended.call_soon(ended.stop)
    ended.run_forever()
    assert task.done()
    ended.close()
    asyncio.run(_twice(lines))

    assert b"one\ntwo\n" == file.getvalue()


async def _twice(lines: Lines) -> None:
    lines.info(b"two")
    await asyncio.sleep(0)
