"""What a flow sees: calls that happen once, waits that survive, and an undo for each.

A flow is plain async Python that may be run again from its beginning at any time, in any process.
Finished steps are not repeated: their values come from the journal. A step that may have begun in
an earlier run is looked up in the other system before it is sent again.
"""

import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import psycopg
import structlog
from opentelemetry.trace import SpanContext

from gateway.errors import HeadraceError, InDoubt, Rejected, Unavailable
from gateway.model import codec
from gateway.ports.exchange import Exchange
from gateway.runtime import engine, telemetry
from gateway.runtime.database import OUTAGES, Database
from gateway.runtime.documents import Unit
from gateway.runtime.engine import Checkpoint, Claim, LostRun
from gateway.runtime.hub import Hub, System, Tenant
from gateway.runtime.journal import Journal, Statement
from gateway.runtime.parking import Parking, Suspended
from gateway.runtime.progress import Lease, Progress
from gateway.runtime.turns import Turns

T = TypeVar("T")
P = TypeVar("P")

_log = structlog.get_logger()
_UNKNOWN: Final = object()
# Longer than any step it guards; a dead worker's flow takes its own turn again.
_TURN_LEASES: Final = 10
# So many pauses in doubt pass before it is believed that nothing happened: what a provider's search
# does not show within minutes did not happen.
_SURE_AFTER: Final = 3


class CancelRequested(Exception):  # noqa: N818 - an operator's decision, not an error
    """An operator wants the flow undone."""


@dataclass(frozen=True, kw_only=True)
class _Undo:
    step: str
    system: System[Any]
    verb: Callable[[Any, str], Exchange[Any]]
    find: Callable[[Any], Exchange[Any]] | None


class Story:
    """One run of one flow.

    Attributes:
        tenant: Whose flow, with its systems.
        hub: Knows who is well now; what it says is kept in a record.
        flow_id: The same in every run.
        business_id: What the flow is about, such as an order's id.
        steps: What is finished, by name.
        at: The step that the flow came to last.
        decided: How often a person has decided something about the flow.
        heeds_cancel: Whether an operator may still cancel; not once that is being done, nor when
            the order is complete.
    """

    def __init__(
        self,
        *,
        run: Claim,
        tenant: Tenant,
        hub: Hub,
        database: Database,
        journal: Journal,
        lease: Lease,
        progress: Progress,
    ) -> None:
        self.tenant = tenant
        self.flow_id = run.input.flow_id
        self.business_id = run.input.business_id
        self._subject = run.input.subject or run.input.business_id
        self.steps = dict(progress.steps)
        self.heeds_cancel = True
        self.at = progress.step
        self.decided = len(progress.decisions)
        self._run = run
        self.hub = hub
        self._database = database
        self._journal = journal
        self._lease = lease
        self._progress = progress
        self._turns = Turns(
            journal, tenant=tenant.name, holder=self.flow_id, seconds=lease.seconds * _TURN_LEASES
        )
        self._parking = Parking(run, journal, progress, tenant.patience)
        self._undos: list[_Undo] = []
        # Whether the next step that is not finished may have been begun by an earlier run.
        self._doubtful = run.attempt > 1 or bool(progress.reason)
        # Whether that step may have had its effect: an earlier run died at it, or nobody knew.
        self._may_have_happened = run.attempt > 1 or progress.reason not in {"", "unavailable"}
        # What an operator has repeated may have happened long ago, when keys are forgotten.
        self._repeated = any(action == "retry" for _, action, _ in progress.decisions)
        parent = telemetry.parse_traceparent(run.input.traceparent)
        self._parent = parent or telemetry.span_context(1, 1, sampled=False)
        self._flow_span = flow_span(self._parent, self.flow_id)

    async def call(
        self,
        step: str,
        system: System[P],
        verb: Callable[[P, str], Exchange[T]],
        *,
        returns: Any,
        find: Callable[[P], Exchange[T | None]] | None = None,
        doubted: Callable[[Unit], Awaitable[object]] | None = None,
        pauses: bool = True,
    ) -> T:
        """Do something in another system, once.

        Args:
            step: Unique in the flow, and for ever: the journal knows it by this name.
            verb: Makes the exchange from the port and the idempotency key of the step.
            returns: What the verb returns.
            find: Tells what became of an earlier attempt; None where repeating has no effect.
            doubted: Changes the model while nobody knows what happened; may be done again.
            pauses: Whether the flow waits for a system that is away.

        Raises:
            Rejected: The system said no.
            Unavailable: It is away and surely did nothing; only where the flow does not pause.
            CancelRequested: An operator wants the flow undone.
        """
        known = self._known(step, returns)
        if known is not _UNKNOWN:
            return known  # type: ignore[no-any-return] # converted to what the caller named
        began = time.time()
        key = f"{self.business_id}:{step}"
        span = telemetry.child_context(self._flow_span, telemetry.fixed_span_id(self.flow_id, step))

        async def held(exchange: Exchange[Any]) -> Any:
            return await self.hub.call(
                system,
                exchange,
                business_id=self._subject,
                step=step,
                key=key,
                may_send=self._lease.valid,
            )

        with telemetry.current(span):
            try:
                value, outcome = await self._once(system.port, verb, find, held, key)
            except Unavailable as error:
                if error.code == "lease_lost":
                    raise LostRun from error
                if find is None or not self._may_have_happened:
                    if not pauses:
                        raise
                    await self._parking.pause(step, "unavailable", error)
                await self._doubt(step, error, doubted)
            except Rejected as error:
                # What is refused now may have been done before.
                if find is None or not self._may_have_happened:
                    raise
                asked_again = InDoubt(error.message, code=error.code, system=error.system)
                await self._doubt(step, asked_again, doubted)
            except InDoubt as error:
                await self._doubt(step, error, doubted)
        await self._keep(step, value, outcome, began)
        return value  # type: ignore[no-any-return] # the verb's own value

    async def _doubt(
        self,
        step: str,
        error: Unavailable | InDoubt,
        doubted: Callable[[Unit], Awaitable[object]] | None,
    ) -> None:
        """Stop where nobody knows what happened, and say so in the model."""
        if doubted is not None:
            await self._change(step, doubted)
        await self._parking.pause(step, "in_doubt", error)

    async def _once(
        self,
        port: P,
        verb: Callable[[P, str], Exchange[T]],
        find: Callable[[P], Exchange[T | None]] | None,
        held: Callable[[Exchange[Any]], Awaitable[Any]],
        key: str,
    ) -> tuple[Any, str]:
        """Find what an earlier run may have done, else do it; look again when in doubt."""
        if (self._doubtful or self._repeated) and find is not None:
            before = self._may_have_happened
            self._may_have_happened = before or self._repeated
            found = await held(find(port))
            if found is not None:
                return found, "found"
            self._may_have_happened = before
            self._look_again()
        # Only now: what has happened must be known before it can be undone.
        self._heed_cancel()
        try:
            return await held(verb(port, key)), "done"
        except InDoubt:
            self._may_have_happened = True
            if find is None:
                raise
            found = await held(find(port))
            if found is None:
                # It may appear late; the pause and the next look-up decide.
                raise
            return found, "found"

    async def ask(
        self,
        step: str,
        system: System[P],
        verb: Callable[[P, str], Exchange[T]],
        *,
        returns: Any,
        find: Callable[[P], Exchange[T | None]] | None = None,
    ) -> T | None:
        """As ``call``, where a refusal is an answer: None, and None again whenever it is run."""
        done = self.steps.get(step)
        if done is not None and done.outcome == "refused":
            return None
        began = time.time()
        try:
            return await self.call(step, system, verb, returns=returns, find=find)
        except Rejected:
            await self._keep(step, None, "refused", began)
            return None

    async def attempt(
        self,
        step: str,
        system: System[P],
        verb: Callable[[P, str], Exchange[T]],
        *,
        returns: Any,
        find: Callable[[P], Exchange[T | None]],
        doubted: Callable[[Unit], Awaitable[object]],
        moves_on: bool,
    ) -> T | None:
        """As ``call``, where a system that surely did nothing is left: None, and always None.

        Args:
            moves_on: Whether there is somebody else to ask; otherwise the flow waits.
        """
        done = self.steps.get(step)
        if done is not None and done.outcome == "not_executed":
            return None
        began = time.time()
        try:
            return await self.call(
                step,
                system,
                verb,
                returns=returns,
                find=find,
                doubted=doubted,
                pauses=not moves_on,
            )
        except Unavailable:
            await self._keep(step, None, "not_executed", began)
            return None

    async def record(self, step: str, change: Callable[[Unit], Awaitable[T]], *, returns: Any) -> T:
        """Change the model, once, together with its events and the journal."""
        known = self._known(step, returns)
        if known is not _UNKNOWN:
            return known  # type: ignore[no-any-return] # converted to what the caller named
        self._heed_cancel()
        began = time.time()

        async def keep(unit: Unit) -> tuple[T, Checkpoint]:
            value = await change(unit)
            checkpoint = _checkpoint(value, "done", began)
            for statement in self._finish(step, checkpoint):
                await unit.connection.execute(statement.sql, statement.params)
            return value, checkpoint

        value, checkpoint = await self._change(step, keep)
        self._finished(step, checkpoint)
        return value

    async def _change(self, step: str, change: Callable[[Unit], Awaitable[T]]) -> T:
        """Change the model in one transaction, as long as the run is ours."""
        asked_at = time.monotonic()
        span = telemetry.fixed_span_id(self.flow_id, step)
        unit_span = telemetry.child_context(self._flow_span, span)
        with _while_ours():
            async with self._database.transaction() as connection:
                # Whoever takes the run over waits until this is committed, or comes first.
                ours = engine.prolong(self._run, lease_s=self._lease.seconds)
                await connection.execute(ours.sql, ours.params)
                unit = Unit(
                    connection,
                    tenant=self.tenant.name,
                    business_id=self._subject,
                    traceparent=telemetry.traceparent(unit_span),
                    causation_id=f"{self.flow_id}:{step}",
                    mapping_set=self.tenant.mapping_set,
                )
                value = await change(unit)
        self._lease.renewed(asked_at)
        return value

    async def look(self, step: str, read: Callable[[Unit], Awaitable[T]]) -> T:
        """The model as it is now. Nothing may be decided by it but to stop: it is not kept."""
        return await self._change(step, read)

    async def wait(self, step: str, event: str, timeout_s: float) -> Any | None:
        """Suspend until the event, or until the time is over.

        Returns:
            The event's payload; None where it did not come in time.
        """
        self.at = step
        if step in self._progress.signals:
            return self._progress.signals[step].value
        if step in self.steps:
            return None
        self._heed_cancel()
        began, asked_at = time.time(), time.monotonic()
        expired = _checkpoint(None, "timeout", began)
        statement = engine.wait(self._run, f"{step}.signal", event, max(1, math.ceil(timeout_s)))
        with _while_ours():
            async with self._database.transaction() as connection:
                answer = await connection.execute(statement.sql, statement.params)
                suspended, payload = await answer.fetchone() or (True, None)
                notes: Sequence[Statement] = ()
                if suspended:
                    notes = (self._waiting(step),)
                elif payload is None:
                    # The engine says only once that the time is over; the journal keeps it.
                    notes = self._finish(step, expired)
                for note in notes:
                    await connection.execute(note.sql, note.params)
        if suspended:
            raise Suspended
        if payload is None:
            self._lease.renewed(asked_at)
            self._finished(step, expired)
            return None
        self._progress.signals[step] = Checkpoint(
            value=payload, outcome="done", began=began, ended=began
        )
        return payload

    def _waiting(self, step: str) -> Statement:
        return Statement(
            "update headrace.flow set state = 'WAITING', step = %s, reason = '' where flow_id = %s",
            (step, self.flow_id),
        )

    async def sleep(self, step: str, seconds: float) -> None:
        """Suspend for so long, counted from the first time the flow comes here."""
        if step not in self.steps:
            self._heed_cancel()
            await self._keep(step, time.time() + seconds, "done", time.time())
        wake_at = float(self.steps[step].value)
        if wake_at > time.time():
            self._heed_cancel()
            await self._parking.suspend(datetime.fromtimestamp(wake_at, UTC), "WAITING", step)

    @asynccontextmanager
    async def turn(self, step: str, name: str) -> AsyncIterator[None]:
        """Let only one flow at a time do the step for the same thing, such as one customer.

        Two orders of a new customer would otherwise both look him up, both find nobody and both
        make him. Whoever comes second waits; the turn of a dead worker ends with its lease.
        """
        if step in self.steps:
            if self._run.attempt > 1:
                # The run that finished the step may have died before it gave the turn back.
                await self._turns.give(name)
            yield
            return
        if not await self._turns.take(name):
            later = datetime.fromtimestamp(time.time() + 1.0, UTC)
            await self._parking.suspend(later, "WAITING", step)
        try:
            yield
        except Exception:
            await self._turns.give(name)
            raise
        await self._turns.give(name)

    def undo(
        self,
        step: str,
        system: System[P],
        verb: Callable[[P, str], Exchange[Any]],
        *,
        find: Callable[[P], Exchange[Any]] | None = None,
    ) -> None:
        """Say how the step before is undone, should the flow be cancelled later."""
        self._undos.append(_Undo(step=step, system=system, verb=verb, find=find))

    def answers(self, *steps: str, returns: Any) -> list[Any]:
        """What finished steps returned whose names begin so, without those that found nothing."""
        values = [done.value for step, done in self.steps.items() if step.startswith(steps)]
        return [codec.convert(value, returns) for value in values if value is not None]

    async def compensate(self) -> None:
        """Undo what was done, in reverse order; each undo is a step of its own."""
        self.heeds_cancel = False
        for undo in reversed(self._undos):
            await self.call(undo.step, undo.system, undo.verb, find=undo.find, returns=Any)

    async def park(
        self, step: str, reason: str, error: HeadraceError, *, for_s: float | None = None
    ) -> None:
        """Stop until a person decides, or for so long."""
        await self._parking.park(step, reason, error, for_s=for_s)

    def _known(self, step: str, returns: Any) -> Any:
        self.at = step
        done = self.steps.get(step)
        if done is not None:
            return codec.convert(done.value, returns)
        for about, action, payload in self._progress.decisions:
            if action == "skip" and about == step:
                now = time.time()
                self.steps[step] = Checkpoint(
                    value=payload, outcome="skipped", began=now, ended=now
                )
                return codec.convert(payload, returns)
        return _UNKNOWN

    def _heed_cancel(self) -> None:
        if self._is_cancelled():
            raise CancelRequested

    def _is_cancelled(self) -> bool:
        return self.heeds_cancel and any(one[1] == "cancel" for one in self._progress.decisions)

    def _look_again(self) -> None:
        """Not found yet is no proof: before anything else is done it must have had time to show."""
        sure_after = min(_SURE_AFTER, len(self.tenant.patience.in_doubt_s))
        if self._progress.pauses >= sure_after:
            self._may_have_happened = False
        if self._is_cancelled() and self._may_have_happened:
            raise InDoubt("Cancelled as soon as it is sure what happened.", code="cancel_in_doubt")

    async def _keep(self, step: str, value: Any, outcome: str, began: float) -> None:
        checkpoint = _checkpoint(value, outcome, began)
        asked_at = time.monotonic()
        with _while_ours():
            await self._journal.write(*self._finish(step, checkpoint))
        self._lease.renewed(asked_at)
        self._finished(step, checkpoint)

    def _finish(self, step: str, checkpoint: Checkpoint) -> Sequence[Statement]:
        kept = engine.keep(self._run, step, checkpoint, lease_s=self._lease.seconds)
        if not self._progress.reason:
            return kept
        cleared = Statement(
            "update headrace.flow set state = 'RUNNING', reason = '', code = '', message = '',"
            " pauses = 0, paused_at = null, resume_at = null where flow_id = %s",
            (self.flow_id,),
        )
        return (*kept, cleared)

    def _finished(self, step: str, checkpoint: Checkpoint) -> None:
        self.steps[step] = checkpoint
        self._progress.reason = ""
        self._progress.pauses = 0
        self._doubtful = self._may_have_happened = False


@contextmanager
def _while_ours() -> Iterator[None]:
    """An outage suspends the flow: whether it was committed shows when the flow is run again."""
    try:
        yield
    except (*OUTAGES, Unavailable) as error:
        raise Suspended from error
    except psycopg.Error as error:
        if engine.refused(error):
            raise LostRun from error
        raise


def flow_span(parent: SpanContext, flow_id: str) -> SpanContext:
    """The span of a flow; the same in every process."""
    return telemetry.child_context(parent, telemetry.fixed_span_id(flow_id))


def _checkpoint(value: Any, outcome: str, began: float) -> Checkpoint:
    return Checkpoint(
        value=codec.to_builtins(value), outcome=outcome, began=began, ended=time.time()
    )
