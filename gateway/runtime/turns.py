"""Turns: one flow at a time does what two must not do at once, such as making a customer."""

import asyncio
from typing import Final

from gateway.runtime.journal import Journal, Statement

# A turn takes a fraction of a second; whoever waits for longer sleeps in the journal.
_TRIES: Final = 10
_PAUSE_S: Final = 0.1


class Turns:
    """The turns of one flow.

    Args:
        holder: The flow. It takes its own turn again after a death.
        seconds: Longer than any step that a turn guards; then a turn that nobody gave back ends.
    """

    def __init__(self, journal: Journal, *, tenant: str, holder: str, seconds: int) -> None:
        self._journal = journal
        self._tenant = tenant
        self._holder = holder
        self._seconds = seconds

    async def take(self, name: str) -> bool:
        """Take the turn; False where another flow has had it for a second."""
        for _ in range(_TRIES):
            taken = await self._journal.write(
                Statement(
                    "insert into headrace.turn as t (tenant, name, holder, until)"
                    " values (%s, %s, %s, now() + make_interval(secs => %s))"
                    " on conflict (tenant, name) do update"
                    " set holder = excluded.holder, until = excluded.until"
                    " where t.holder = excluded.holder or t.until < now() returning 1",
                    (self._tenant, name, self._holder, self._seconds),
                )
            )
            if taken is not None:
                return True
            await asyncio.sleep(_PAUSE_S)
        return False

    async def give(self, name: str) -> None:
        """Give the turn back."""
        await self._journal.write(
            Statement(
                "delete from headrace.turn where tenant = %s and name = %s and holder = %s",
                (self._tenant, name, self._holder),
            )
        )
