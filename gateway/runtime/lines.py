"""Log lines of one turn of the event loop, written together.

A write of its own costs a request about as much as reading its body does, and many requests end in
the same turn (docs/reference/performance.md). What warns is written at once, with all before it; so
a killed process loses what it did in its last turn, and nothing else.
"""

import asyncio
import atexit
import threading
from typing import BinaryIO


class Lines:
    """What structlog writes to; all loggers of a process have the same one, so that order stays.

    Args:
        file: Where they go; flushed with each write.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        # Whose next turn writes what waits; a loop that ended before it is of no use.
        self._loop: asyncio.AbstractEventLoop | None = None
        atexit.register(self.write)

    def debug(self, line: bytes) -> None:
        """Keep a line until the turn ends; without a loop, or in another thread, write it."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.warning(line)
            return
        with self._lock:
            self._waiting.append(line)
            is_due = self._loop is not loop
            self._loop = loop
        if is_due:
            loop.call_soon(self.write)

    info = debug

    def warning(self, line: bytes) -> None:
        """Write a line at once, with all that wait."""
        with self._lock:
            self._waiting.append(line)
        self.write()

    error = critical = warning

    def write(self) -> None:
        """Write what waits."""
        with self._lock:
            waiting, self._waiting, self._loop = self._waiting, [], None
            if waiting:
                self._file.write(b"\n".join(waiting) + b"\n")
                self._file.flush()
