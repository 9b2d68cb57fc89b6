"""Log lines: together where a loop runs, at once where something is wrong, and never lost."""

import asyncio
import io
import json

import pytest
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


async def _over() -> None:
    """The moment of those that wait for no time at all."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_lines_of_one_moment_are_written_together() -> None:
    """In their order, when the moment is over; and the next ones in the next."""
    file = _File()
    lines = Lines(file, gather_s=0)
    lines.info(_event("one"))
    lines.debug(_event("two"))
    assert 0 == file.writes

    await _over()
    assert (1, ["one", "two"]) == (file.writes, file.events())

    lines.info(_event("three"))
    await _over()
    assert (2, ["one", "two", "three"]) == (file.writes, file.events())


async def test_what_warns_is_written_at_once() -> None:
    """With what came before it; the moment's end writes nothing more."""
    file = _File()
    lines = Lines(file, gather_s=0)
    lines.info(_event("one"))
    lines.error(_event("two"))
    assert ["one", "two"] == file.events()

    await _over()
    assert 1 == file.writes


def test_without_a_loop_nothing_waits() -> None:
    """Commands and threads have none."""
    file = _File()
    Lines(file).info(_event("one"))

    assert ["one"] == file.events()


def test_line_of_a_loop_that_ended_is_written_by_the_next() -> None:
    """It was said in the last moment of a loop, and the process goes on."""
    file = _File()
    lines = Lines(file, gather_s=0)

    async def say(name: str) -> None:
        lines.info(_event(name))

    async def say_and_wait(name: str) -> None:
        await say(name)
        await _over()

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


@pytest.mark.parametrize(
    ("event", "shown"),
    [({"event": "half\ud800"}, "half\\ud800"), ({"event": "undated"}, "undated")],
)
def test_event_without_a_name_or_a_time_is_a_line_all_the_same(
    event: dict[str, object], shown: str
) -> None:
    """Whatever somebody hands over, the lines before it are written."""
    file = _File()
    lines = Lines(file)

    async def say() -> None:
        lines.info(_event("one"))
        lines.info(event)

    asyncio.run(say())
    lines.write()

    assert ["one", shown] == file.events()


def test_value_that_logs_while_it_is_written_stops_nobody() -> None:
    """Its own line comes first."""
    file = _File()
    lines = Lines(file)

    class Talkative:
        def __str__(self) -> str:
            lines.warning(_event("inner"))
            return "said"

    lines.warning(_event("outer") | {"value": Talkative()})

    assert ["inner", "outer"] == file.events()


def test_closed_file_is_no_reason_to_fail() -> None:
    """Standard error may be gone before the last lines are."""
    file = _File()
    lines = Lines(file)
    file.close()

    lines.warning(_event("late"))

    assert 0 == file.writes
