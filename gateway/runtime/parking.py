"""Parking: how a flow stops, for a while or until a person decides."""

import random
import time
from datetime import UTC, datetime

import psycopg
import structlog

from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable
from gateway.policy.patience import Stop, pause_s
from gateway.runtime import engine, metrics
from gateway.runtime.engine import Claim
from gateway.runtime.journal import Journal, Statement
from gateway.runtime.progress import Progress
from gateway.settings import Patience

_log = structlog.get_logger()


class Suspended(Exception):  # noqa: N818 - not an error: the flow sleeps and will be run again
    """The flow gave its place back; somebody will run it again."""


class Parking:
    """Where one run of one flow stops."""

    def __init__(
        self, run: Claim, journal: Journal, progress: Progress, patience: Patience
    ) -> None:
        self._run = run
        self._journal = journal
        self._progress = progress
        self._patience = patience

    async def park(
        self, step: str, reason: str, error: HeadraceError, *, for_s: float | None = None
    ) -> None:
        """Stop until a person decides, or for so long."""
        until = None if for_s is None else datetime.fromtimestamp(time.time() + for_s, UTC)
        last = self._last_stop(step)
        await self._stop(step, reason, error, until, pauses=last.pauses, first=not last.reason)

    async def pause(self, step: str, reason: str, error: Unavailable | InDoubt) -> None:
        """Stop at a step that is to be tried again; ask a person when it has been too long."""
        last = self._last_stop(step)
        delay_s = pause_s(
            self._patience,
            last,
            reason,
            asked_s=error.retry_after_s if isinstance(error, Unavailable) else None,
            jitter=random.uniform(0.9, 1.1),  # noqa: S311 - jitter
        )
        until = None if delay_s is None else datetime.fromtimestamp(time.time() + delay_s, UTC)
        pauses = last.pauses if last.reason == reason else 0
        await self._stop(step, reason, error, until, pauses=pauses + 1, first=not last.reason)

    def _last_stop(self, step: str) -> Stop:
        known = self._progress
        if known.step != step:
            return Stop()
        return Stop(reason=known.reason, pauses=known.pauses, for_s=known.paused_for_s)

    async def _stop(
        self,
        step: str,
        reason: str,
        error: HeadraceError,
        until: datetime | None,
        *,
        pauses: int,
        first: bool,
    ) -> None:
        (_log.warning if first else _log.info)(
            "flow.parked",
            flow_id=self._run.input.flow_id,
            step=step,
            reason=reason,
            code=error.code,
            system=error.system,
            until=until,
        )
        kind = self._run.kind
        metrics.flows_parked.add(1, {"headrace.flow": kind, "headrace.reason": reason})
        note = Statement(
            "update headrace.flow set step = %s, reason = %s, code = %s, message = %s,"
            " pauses = %s, paused_at = case when %s then now() else coalesce(paused_at, now()) end"
            " where flow_id = %s",
            (step, reason, error.code, error.message, pauses, first, self._run.input.flow_id),
        )
        await self.suspend(until, "PARKED", step, note)

    async def suspend(
        self, until: datetime | None, state: str, step: str, *notes: Statement
    ) -> None:
        """Give the place back until then, or until somebody resumes the flow.

        Raises:
            Suspended: Always.
        """
        mark = Statement(
            "update headrace.flow set state = %s, step = %s, resume_at = %s where flow_id = %s",
            (state, step, until, self._run.input.flow_id),
        )
        try:
            await self._journal.write(*notes, mark, engine.suspend(self._run, until), repeat=False)
        except (psycopg.Error, Unavailable) as error:
            # Lost, or away: the lease runs out and the step is looked at again. It must not be
            # repeated: once it is committed, the same run may be somebody else's.
            raise Suspended from error
        raise Suspended


def reason_of(error: Exception) -> tuple[str, HeadraceError]:
    """Why a flow stops on an error that it does not handle itself."""
    if isinstance(error, Rejected):
        return "rejected", error
    if isinstance(error, Misconfigured):
        return "misconfigured", error
    if isinstance(error, HeadraceError):
        return "in_doubt", error
    defect = Misconfigured(
        f"The flow stopped on an unexpected {type(error).__name__}.", code="defect"
    )
    return "defect", defect
