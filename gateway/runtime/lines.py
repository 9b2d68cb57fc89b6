"""Log lines: JSON, made and written many together.

A line of its own costs a request about as much as reading its body does, so what waits for nobody
gathers for a moment (docs/reference/performance.md). What warns is written at once, with all before
it. So a killed process loses what it said in its last moment, or in the moment before its loop
stood still, and nothing else.
"""

import asyncio
import atexit
import threading
import time
import traceback
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any, BinaryIO, Final, TypeAlias

import msgspec

Event: TypeAlias = MutableMapping[str, Any]

_GATHER_S: Final = 0.02
_encode = msgspec.json.Encoder(enc_hook=str).encode_lines


class Lines:
    """What structlog writes to; all loggers of a process have the same one, so that order stays.

    Args:
        file: Where they go; flushed with each write.
        gather_s: How long the first of those that wait does so.
    """

    def __init__(self, file: BinaryIO, *, gather_s: float = _GATHER_S) -> None:
        self._file = file
        self._gather_s = gather_s
        self._lock = threading.RLock()  # a value that logs while it is written would stop us all
        self._waiting: list[Event] = []
        # Where a write of what waits is due; a loop that ended before it is of no use.
        self._loop: asyncio.AbstractEventLoop | None = None
        atexit.register(self.write)

    def debug(self, event: Event) -> None:
        """Keep an event for a moment; without a loop, or in another thread, write it.

        Its values are read when it is written, so they must not change any more.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.warning(event)
            return
        with self._lock:
            self._waiting.append(event)
            is_due = self._loop is not loop
            self._loop = loop
        if is_due:
            loop.call_later(self._gather_s, self.write)

    info = debug

    def warning(self, event: Event) -> None:
        """Write an event at once, with all that wait."""
        with self._lock:
            self._waiting.append(event)
        self.write()

    error = critical = warning

    def write(self) -> None:
        """Write what waits."""
        with self._lock:
            waiting, self._waiting, self._loop = self._waiting, [], None
            if waiting and not self._file.closed:  # at the end of a process it may be
                self._file.write(_rendered(waiting))
                self._file.flush()


def stamp(_logger: Any, method: str, event: Event) -> tuple[tuple[Event], dict[str, Any]]:
    """What structlog hands to ``Lines``: the event with its level and its time.

    One processor for all, because each costs as much as what it does.
    """
    if "exc_info" in event:
        _say_where(event)
    event["level"] = method
    event["timestamp"] = time.time()
    return (event,), {}


def _say_where(event: Event) -> None:
    """Replace an exception by its type and places: its text may quote a customer's data."""
    error = event.pop("exc_info")
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        event["error.type"] = type(error).__name__
        event["error.at"] = [f"{frame.filename}:{frame.lineno}" for frame in frames]


def _rendered(events: Sequence[Event]) -> bytes:
    try:
        return _encode([_dated(event) for event in events])
    except Exception:  # noqa: BLE001 - such as half a character; the others' lines are whole
        return b"".join(_rendered_alone(event) for event in events)


def _rendered_alone(event: Event) -> bytes:
    try:
        return _encode([_dated(event)])
    except Exception as error:  # noqa: BLE001 - whoever logs must not fail by it
        name = ascii(event.get("event", "")).strip("'")
        lost = {"event": name, "level": event.get("level", ""), "timestamp": time.time()}
        return _encode([_dated(lost | {"log.error": type(error).__name__})])


def _dated(event: Event) -> Event:
    """The event with its time as people read it."""
    at = event["timestamp"]
    return {**event, "timestamp": f"{_second(int(at))}.{int(at % 1 * 1_000_000):06}Z"}


@lru_cache(maxsize=2)
def _second(epoch_s: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(epoch_s))
