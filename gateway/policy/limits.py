"""Limits: how many requests are under way at once, and who is next.

Counting only; who waits, and for how long, is decided by the caller.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

W = TypeVar("W")


class Bulkhead(Generic[W]):
    """A number of places and a queue: first come, first served.

    A place that becomes free goes to the first in the queue without becoming free in between, so
    that nobody overtakes.

    Args:
        places: How many may be inside at once.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._inside = 0
        self._queue: OrderedDict[W, None] = OrderedDict()

    @property
    def inside(self) -> int:
        """How many places are taken."""
        return self._inside

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    def enter(self) -> bool:
        """Take a free place, if there is one."""
        if self._inside >= self._places:
            return False
        self._inside += 1
        return True

    def queue(self, who: W) -> None:
        """Wait behind those already there."""
        self._queue[who] = None

    def leave(self) -> W | None:
        """Give the place back; returns who has it now, None for nobody."""
        if self._queue:
            who, _ = self._queue.popitem(last=False)
            return who
        self._inside -= 1
        return None

    def give_up(self, who: W) -> bool:
        """Stop waiting; False where the place was already handed over and has to be left."""
        if who in self._queue:
            del self._queue[who]
            return True
        return False
