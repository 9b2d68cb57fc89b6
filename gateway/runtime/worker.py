"""The worker: leases runs of flows, runs them, and outlives the database's absences."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import structlog

from gateway.errors import HeadraceError, Misconfigured, Unavailable
from gateway.runtime import engine, mapping_sets, metrics
from gateway.runtime.database import OUTAGES, Database
from gateway.runtime.engine import Checkpoint, Claim, LostRun
from gateway.runtime.hub import Hub
from gateway.runtime.journal import Journal, Statement
from gateway.runtime.parking import Suspended, reason_of
from gateway.runtime.pins import Pins
from gateway.runtime.progress import Lease, Progress
from gateway.runtime.story import Story
from gateway.runtime.telemetry import Telemetry
from gateway.runtime.tracing import FlowTracer
from gateway.settings import WorkerSettings

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A story that the worker can run.

    Attributes:
        kind: Verb and object, such as ``place_order``.
        queue: Where its runs wait.
        run: The story itself; returns the state that the flow ends in.
    """

    kind: str
    queue: str
    run: Callable[[Story], Awaitable[str]]


class Worker:
    """Runs flows until it is told to stop.

    Args:
        flows: Kind to flow. Runs of other kinds are put back, so that a rolling deployment is safe.
    """

    def __init__(
        self,
        *,
        database: Database,
        journal: Journal,
        hub: Hub,
        telemetry: Telemetry,
        flows: Mapping[str, Flow],
        settings: WorkerSettings,
    ) -> None:
        self._database = database
        self._journal = journal
        self._hub = hub
        self.tracer = FlowTracer(database, telemetry)
        self._flows = flows
        self._settings = settings
        self._pins = Pins(database)
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._running: dict[str, tuple[asyncio.Task[None], Claim, Lease]] = {}
        self.beat = time.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Claim and run; when told to stop, finish what has begun and give back the rest."""
        beating = asyncio.create_task(self._beat_for_ever())
        away = False
        while not stop.is_set():
            # Before the claim: an absent database is no reason to end this process.
            self.beat = time.monotonic()
            try:
                claimed = await self._claim()
            except OUTAGES:
                if not away:
                    _log.warning("database.unavailable")
                away = True
                await asyncio.sleep(0.2)
                continue
            if away:
                _log.info("database.available")
                away = False
            if not claimed:
                await _pause(stop, self._settings.poll_s)
        await self._drain()
        beating.cancel()

    async def _claim(self) -> int:
        """Lease what is due, the queue of people first; returns how much there was."""
        total = 0
        for queue in engine.QUEUES:
            free = self._settings.concurrency - len(self._running)
            if free <= 0:
                await self._any_finished()
                return 1
            asked_at = time.monotonic()
            async with self._database.connection() as connection:
                claims = await engine.claim(
                    connection,
                    queue=queue,
                    worker=self._name,
                    lease_s=self._settings.lease_s,
                    limit=free,
                )
            for one in claims:
                self._begin(one, asked_at)
            total += len(claims)
        return total

    def _begin(self, run: Claim, asked_at: float) -> None:
        lease = Lease(self._settings.lease_s, asked_at + self._settings.lease_s)
        task = asyncio.create_task(self._execute(run, lease))
        self._running[run.run_id] = (task, run, lease)
        task.add_done_callback(lambda ended: self._forget(run, ended))

    def _forget(self, run: Claim, ended: asyncio.Task[None]) -> None:
        """A flow that slept and woke at once may run again under the same id: that one stays."""
        held = self._running.get(run.run_id)
        if held is not None and held[0] is ended:
            del self._running[run.run_id]

    async def _any_finished(self) -> None:
        tasks = [task for task, _, _ in self._running.values()]
        await asyncio.wait(tasks, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)

    async def _execute(self, run: Claim, lease: Lease) -> None:
        try:
            story = await self._open(run, lease)
            await self._tell(story, run)
        except (Suspended, LostRun):
            pass
        except OUTAGES:
            _log.info("flow.released", flow_id=run.input.flow_id)
        except psycopg.Error as error:
            if not engine.refused(error):
                _log.error("flow.stopped", flow_id=run.input.flow_id, exc_info=error)
        except Exception as error:  # noqa: BLE001 - a worker outlives every flow
            await self._set_aside(run, error)

    async def _set_aside(self, run: Claim, error: Exception) -> None:
        """A flow that could not even begin is shown as parked and tried again by itself."""
        _log.error("flow.stopped", flow_id=run.input.flow_id, exc_info=error)
        reason, known = reason_of(error)
        until = datetime.fromtimestamp(time.time() + max(60, self._settings.lease_s), UTC)
        shown = Statement(
            "update headrace.flow set state = 'PARKED', reason = %s, code = %s, message = %s,"
            " resume_at = %s, paused_at = coalesce(paused_at, now()) where flow_id = %s",
            (reason, known.code, known.message, until, run.input.flow_id),
        )
        try:
            await self._journal.write(shown, engine.suspend(run, until), repeat=False)
        except (psycopg.Error, Unavailable):
            # The lease runs out and somebody tries again.
            return

    async def _open(self, run: Claim, lease: Lease) -> Story:
        progress = await self._progress(run)
        story = Story(
            run=run,
            tenant=self._hub.tenant(run.input.tenant),
            hub=self._hub,
            database=self._database,
            journal=self._journal,
            lease=lease,
            progress=progress,
        )
        if progress.mapping_set != story.tenant.mapping_set:
            await self._pin(story, run, progress)
        return story

    async def _pin(self, story: Story, run: Claim, progress: Progress) -> None:
        """Let the flow translate as it began, or as we do now where that was withdrawn."""
        if progress.is_withdrawn or not progress.mapping_set:
            moved = mapping_sets.moved(
                story.flow_id, progress.mapping_set, story.tenant.mapping_set
            )
            # Whoever has lost the run is refused before anything changes.
            ours = engine.prolong(run, lease_s=self._settings.lease_s)
            try:
                await self._journal.write(ours, moved)
            except Unavailable as error:
                raise Suspended from error
            _log.warning(
                "flow.mappings_moved",
                flow_id=story.flow_id,
                old=progress.mapping_set,
                new=story.tenant.mapping_set,
            )
            return
        try:
            story.tenant = await self._pins.tenant(story.tenant, progress.mapping_set)
        except Misconfigured as error:
            # Another release may know it, so it is put back; nothing is lost by waiting.
            await story.park(story.at, "mappings", error, for_s=self._settings.lease_s)

    async def _progress(self, run: Claim) -> Progress:
        async with self._database.connection() as connection, connection.pipeline():
            kept = await connection.execute(*engine.kept(run))
            flow = await connection.execute(
                "select step, reason, pauses,"
                " coalesce(extract(epoch from now() - paused_at), 0)::float8, mapping_set,"
                " exists (select from headrace.mapping_set s where s.tenant = f.tenant"
                " and s.identity = f.mapping_set and s.withdrawn_at is not null)"
                " from headrace.flow f where flow_id = %s",
                (run.input.flow_id,),
            )
            decided = await connection.execute(
                "select step, action, payload from headrace.decision where flow_id = %s"
                " order by decided_at",
                (run.input.flow_id,),
            )
        progress = Progress(decisions=[(a, b, c) for a, b, c in await decided.fetchall()])
        for name, state, updated in await kept.fetchall():
            _remember(progress, name, state, updated)
        row = await flow.fetchone()
        if row is not None:
            progress.step, progress.reason, progress.pauses, progress.paused_for_s, *pinned = row
            progress.mapping_set, progress.is_withdrawn = pinned
        return progress

    async def _tell(self, story: Story, run: Claim) -> None:
        flow = self._flows.get(run.kind)
        if flow is None:
            unknown = Misconfigured("This version does not know the flow.", code="unknown_flow")
            # Put back for a newer version; this one may claim it again only after a while.
            await story.park("", "unknown_flow", unknown, for_s=self._settings.lease_s)
            return
        if run.attempt > self._settings.attempts * (1 + story.decided):
            killer = Misconfigured(
                f"The flow has cost {run.attempt - 1} workers their lease.",
                code="too_many_attempts",
            )
            await story.park(story.at, "defect", killer)
        try:
            outcome = await flow.run(story)
        except (Suspended, LostRun, *OUTAGES):
            raise
        except psycopg.Error as error:
            if engine.refused(error):
                raise
            await self._stopped(story, error)
        except Unavailable as error:
            _log.info("flow.released", flow_id=story.flow_id, code=error.code)
        except Exception as error:  # noqa: BLE001 - a defect parks its flow, nothing else
            await self._stopped(story, error)
        else:
            await self._end(story, run, outcome)

    async def _stopped(self, story: Story, error: Exception) -> None:
        reason, known = reason_of(error)
        if not isinstance(error, HeadraceError):
            _log.error("flow.defect", flow_id=story.flow_id, exc_info=error)
        await story.park(story.at, reason, known)

    async def _end(self, story: Story, run: Claim, outcome: str) -> None:
        self.tracer.write(
            flow_id=story.flow_id,
            kind=run.kind,
            traceparent=run.input.traceparent,
            mapping_set=story.tenant.mapping_set,
            steps=story.steps,
            outcome=outcome,
            ended=time.time(),
        )
        ended = Statement(
            "update headrace.flow set state = %s, step = '', reason = '', resume_at = null,"
            " ended_at = now() where flow_id = %s",
            (outcome, story.flow_id),
        )
        await self._journal.write(ended, engine.complete(run))
        metrics.flows_ended.add(1, {"headrace.flow": run.kind, "headrace.outcome": outcome})
        _log.info("flow.ended", flow_id=story.flow_id, kind=run.kind, outcome=outcome)

    async def _beat_for_ever(self) -> None:
        """Prolong the leases; from this loop, so that a blocked loop loses them."""
        while True:
            await asyncio.sleep(self._settings.lease_s / 3)
            try:
                await self._prolong()
            except (*OUTAGES, Unavailable):
                continue

    async def _prolong(self) -> None:
        running = list(self._running.values())
        asked_at = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for task, run, lease in running:
                group.create_task(self._prolong_one(task, run, lease, asked_at))

    async def _prolong_one(
        self, task: asyncio.Task[None], run: Claim, lease: Lease, asked_at: float
    ) -> None:
        try:
            await self._journal.write(engine.prolong(run, lease_s=lease.seconds))
        except psycopg.Error as error:
            # Refused: another worker has it. Anything else: it has just ended by itself.
            if engine.refused(error):
                task.cancel()
        except Unavailable:
            return
        else:
            lease.renewed(asked_at)

    async def _drain(self) -> None:
        tasks = [task for task, _, _ in self._running.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=self._settings.drain_s)
        for task in tasks:
            task.cancel()


def _remember(progress: Progress, name: str, state: object, updated: float) -> None:
    step, dot, kind = name.rpartition(".")
    if dot and kind == "signal":
        progress.signals[step] = Checkpoint(
            value=state, outcome="done", began=updated, ended=updated
        )
    elif isinstance(state, dict):
        progress.steps[name] = Checkpoint(**state)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
