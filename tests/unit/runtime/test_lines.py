"""Log lines: together where a loop runs, at once where something is wrong, and never lost."""

import asyncio
import io
import json

import structlog

from gateway.runtime.lines import Lines, stamp


class _File(io.BytesIO):
    """Counts how often somebody writes."""

    writes = 0

    def write(self, line: object) -> int:
        self.writes += 1
        return super().write(line)  # type: ignore[arg-type] # bytes

    def events(self) -> list[str]:
        """What the lines are about."""
        return [json.loads(line)["event"] for line in self.getvalue().splitlines()]


def _event(name: str) -> dict[str, object]:
    return {"event": name, "level": "info", "timestamp": 1.5}


async def _written(file: _File, lines: int) -> None:
    async with asyncio.timeout(10):
        while len(file.events()) < lines:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.001)


async def test_lines_of_one_moment_are_written_together() -> None:
    """In their order, when the moment is over; and the next ones in the next."""
    file = _File()
    lines = Lines(file)
    lines.info(_event("one"))
    lines.debug(_event("two"))
    assert 0 == file.writes

    await _written(file, 2)
    assert (1, ["one", "two"]) == (file.writes, file.events())

    lines.info(_event("three"))
    await _written(file, 3)
    assert (2, ["one", "two", "three"]) == (file.writes, file.events())


async def test_what_warns_is_written_at_once() -> None:
    """With what came before it; the moment's end writes nothing more."""
    file = _File()
    lines = Lines(file)
    lines.info(_event("one"))
    lines.error(_event("two"))
    assert ["one", "two"] == file.events()

    await asyncio.sleep(0.05)
    assert 1 == file.writes


def test_without_a_loop_nothing_waits() -> None:
    """Commands and threads have none."""
    file = _File()
    Lines(file).info(_event("one"))

    assert ["one"] == file.events()


def test_line_of_a_loop_that_ended_is_written_by_the_next() -> None:
    """It was said in the last moment of a loop, and the process goes on."""
    file = _File()
    lines = Lines(file)

    async def say(name: str) -> None:
        lines.info(_event(name))

    async def say_and_wait(name: str) -> None:
        await say(name)
        await _written(file, 2)

    ended = asyncio.new_event_loop()
    ended.run_until_complete(say("one"))
    ended.close()
    asyncio.run(say_and_wait("two"))

    assert ["one", "two"] == file.events()


def test_line_that_cannot_be_written_takes_no_other_along() -> None:
    """Half a character is no UTF-8; what is left of its line says so, and nobody fails by it."""
    file = _File()
    lines = Lines(file)
    structlog.configure(processors=[stamp], logger_factory=lambda *_: lines)
    try:
        log = structlog.get_logger()

        async def say() -> None:
            log.info("one")
            log.info("two", text="\ud800")
            log.warning("three")

        asyncio.run(say())
    finally:
        structlog.reset_defaults()

    assert ["one", "two", "three"] == file.events()
    assert ("info", "UnicodeEncodeError") == tuple(
        json.loads(file.getvalue().splitlines()[1])[name] for name in ("level", "log.error")
    )
