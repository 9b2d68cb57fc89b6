"""The spans of flows: written from the journal, and again where their writer died with them.

Whoever ends a flow hands its spans to the exporters and, once these have taken them, marks the
flow as traced. A worker that is killed in between leaves the mark open; any other writes the same
spans again, under the same identifiers.
"""

import asyncio
import time
from collections.abc import Mapping

import structlog

from gateway.runtime import engine, telemetry
from gateway.runtime.database import OUTAGES, Database
from gateway.runtime.engine import Checkpoint
from gateway.runtime.story import flow_span
from gateway.runtime.telemetry import Telemetry

_log = structlog.get_logger()
_EVERY_S = 1.0
# A flow that has ended for so long without its mark has lost its writer.
_LOST_AFTER_S = 60


class FlowTracer:
    """Writes the spans of ended flows of one process, and those that others have lost."""

    def __init__(self, database: Database, tracing: Telemetry) -> None:
        self._database = database
        self._telemetry = tracing
        self._fresh: list[str] = []

    def write(
        self,
        *,
        flow_id: str,
        kind: str,
        traceparent: str,
        mapping_set: str,
        steps: Mapping[str, Checkpoint],
        outcome: str,
        ended: float,
    ) -> None:
        """Hand the spans of a flow to the exporters.

        Args:
            ended: Seconds since the epoch.
        """
        self._fresh.append(flow_id)
        parent = telemetry.parse_traceparent(traceparent)
        if parent is None or not parent.trace_flags.sampled or not steps:
            return
        span = flow_span(parent, flow_id)
        for step, done in steps.items():
            self._telemetry.emit(
                f"{kind}.{step}",
                parent=span,
                span_id=telemetry.fixed_span_id(flow_id, step),
                started=done.began,
                ended=done.ended,
                attributes={"headrace.step": step, "headrace.outcome": done.outcome},
            )
        self._telemetry.emit(
            kind,
            parent=parent,
            span_id=span.span_id,
            started=min(done.began for done in steps.values()),
            ended=ended,
            attributes={
                "headrace.flow_id": flow_id,
                "headrace.outcome": outcome,
                "headrace.mapping_set": mapping_set,
            },
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Mark what was exported, and now and then look for what was lost, until told to stop."""
        swept = time.monotonic()
        while not stop.is_set():
            try:
                await self.mark()
                if time.monotonic() - swept > _LOST_AFTER_S / 2:
                    swept = time.monotonic()
                    await self.find_lost()
            except OUTAGES:
                _log.info("tracing.postponed")
            try:
                await asyncio.wait_for(stop.wait(), _EVERY_S)
            except TimeoutError:
                continue

    async def mark(self) -> None:
        """Flush, then mark the flows whose spans were flushed."""
        if not self._fresh:
            return
        flushed, self._fresh = self._fresh, []
        try:
            await asyncio.to_thread(self._telemetry.flush)
            async with self._database.connection() as connection:
                await connection.execute(
                    "update headrace.flow set traced = true where flow_id = any(%s)", (flushed,)
                )
        except OUTAGES:
            self._fresh = [*flushed, *self._fresh]
            raise

    async def find_lost(self, *, after_s: float = _LOST_AFTER_S) -> int:
        """Write the spans of flows whose writer died before its exporters had them."""
        async with self._database.connection() as connection:
            found = await connection.execute(
                "select flow_id, kind, queue, task_id::text, traceparent, mapping_set, state,"
                " extract(epoch from ended_at)::float8 from headrace.flow"
                " where not traced and ended_at < now() - make_interval(secs => %s) limit 100",
                (after_s,),
            )
            lost = await found.fetchall()
            for flow_id, kind, queue, task_id, traceparent, mapping_set, state, ended in lost:
                kept = await connection.execute(*engine.steps_of(queue, task_id))
                rows = await kept.fetchall()
                self.write(
                    flow_id=flow_id,
                    kind=kind,
                    traceparent=traceparent,
                    mapping_set=mapping_set,
                    steps={
                        name: Checkpoint(**value)
                        for name, value, _ in rows
                        if not name.endswith(".signal")
                    },
                    outcome=state,
                    ended=ended,
                )
        return len(lost)
