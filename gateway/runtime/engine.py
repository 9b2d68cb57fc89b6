"""The flow engine: Absurd's functions in PostgreSQL, spoken directly.

The engine is a set of SQL functions (package ``absurdctl``, exact pin, its schema version is
checked at start). Its own Python worker ends when PostgreSQL goes away and waits for a whole
batch, so the hub has its own (``runtime.worker``); see docs/adr. This module is the only one that
knows the engine's names; ``runtime.story`` is what flows see.

Source: absurd 0.5.1, sql/absurd.sql.
"""

from datetime import datetime
from typing import Any, Final

import msgspec
import psycopg

from gateway.errors import Rejected
from gateway.model.identifiers import derived_id, new_id
from gateway.runtime import mapping_sets
from gateway.runtime.database import Connection, Database
from gateway.runtime.journal import Statement
from gateway.runtime.mapping_sets import MappingSet

QUEUES: Final = ("interactive", "webhook", "batch")


class FlowInput(msgspec.Struct, frozen=True, kw_only=True):
    """What a flow is started with; everything else it reads from the model.

    Attributes:
        business_id: What makes the flow one of its kind; in the keys of its effects.
        subject: In whose timeline the flow's calls and events stand; empty for the business id.
    """

    flow_id: str
    tenant: str
    business_id: str
    traceparent: str
    subject: str = ""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one flow, leased to this worker.

    Attributes:
        attempt: Above one when an earlier run died.
    """

    queue: str
    run_id: str
    task_id: str
    attempt: int
    kind: str
    input: FlowInput


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a finished step.

    Attributes:
        value: What the step returned, as JSON has it.
        outcome: ``done``, ``found`` (an earlier attempt had done it), ``skipped`` or ``timeout``.
        began: Seconds since the epoch; so is ``ended``.
    """

    value: Any
    outcome: str
    began: float
    ended: float


class LostRun(Exception):  # noqa: N818 - the opposite of an error: somebody else goes on
    """Another worker has the run, or an operator ended it."""


def refused(error: psycopg.Error) -> bool:
    """Whether the engine says that the run is not ours any more (AB001, AB002)."""
    return error.sqlstate in {"AB001", "AB002"}


async def start(
    connection: Connection,
    *,
    kind: str,
    queue: str,
    tenant: str,
    business_id: str,
    mapping_set: str,
    traceparent: str,
    subject: str = "",
) -> str:
    """Start a flow inside the caller's transaction; the same business id starts it once.

    Args:
        mapping_set: Identity of the mappings that it keeps until it ends.
        subject: See ``FlowInput``.

    Returns:
        The flow's id.
    """
    flow_id = derived_id("flow", tenant, kind, business_id)
    given = FlowInput(
        flow_id=flow_id,
        tenant=tenant,
        business_id=business_id,
        traceparent=traceparent,
        subject=subject,
    )
    await connection.execute(
        "with spawned as (select task_id from absurd.spawn_task(%s, %s, %s, %s))"
        " insert into headrace.flow"
        " (flow_id, tenant, kind, business_id, queue, task_id, state, mapping_set, traceparent)"
        " select %s, %s, %s, %s, %s, task_id, 'RUNNING', %s, %s from spawned"
        " on conflict do nothing",
        (
            queue,
            kind,
            msgspec.json.encode(given).decode(),
            msgspec.json.encode({"idempotency_key": flow_id}).decode(),
            flow_id,
            tenant,
            kind,
            business_id,
            queue,
            mapping_set,
            traceparent,
        ),
    )
    return flow_id


async def emit(connection: Connection, *, queue: str, event: str, payload: Any) -> None:
    """Wake the flows that wait for the event, now or later; the first payload stays."""
    await connection.execute(
        "select absurd.emit_event(%s, %s, %s)",
        (queue, event, msgspec.json.encode(payload).decode()),
    )


async def claim(
    connection: Connection, *, queue: str, worker: str, lease_s: int, limit: int
) -> list[Claim]:
    """Lease runs that are due, those of dead workers among them."""
    found = await connection.execute(
        "select run_id::text, task_id::text, attempt, task_name, params::text"
        " from absurd.claim_task(%s, %s, %s, %s)",
        (queue, worker, lease_s, limit),
    )
    return [
        Claim(
            queue=queue,
            run_id=run_id,
            task_id=task_id,
            attempt=attempt,
            kind=kind,
            input=msgspec.json.decode(params, type=FlowInput),
        )
        for run_id, task_id, attempt, kind, params in await found.fetchall()
    ]


def keep(
    run: Claim, name: str, checkpoint: Checkpoint, *, lease_s: int
) -> tuple[Statement, Statement]:
    """Keep a finished step and prolong the lease; refused where the run is lost.

    The lease comes first, because it locks the run: the engine's own check of a checkpoint does
    not, and would let it pass while another worker takes the run over.
    """
    kept = Statement(
        "select absurd.set_task_checkpoint_state(%s, %s, %s, %s, %s)",
        (run.queue, run.task_id, name, _json(checkpoint), run.run_id),
    )
    return prolong(run, lease_s=lease_s), kept


def complete(run: Claim) -> Statement:
    """End the run for good."""
    return Statement("select absurd.complete_run(%s, %s, 'null')", (run.queue, run.run_id))


def suspend(run: Claim, until: datetime | None) -> Statement:
    """Give the run back until a moment, or until a person resumes it."""
    return Statement(
        "select absurd.schedule_run(%s, %s, coalesce(%s, 'infinity'::timestamptz))",
        (run.queue, run.run_id, until),
    )


def prolong(run: Claim, *, lease_s: int) -> Statement:
    """Prolong the lease; refused where the run is lost."""
    return Statement("select absurd.extend_claim(%s, %s, %s)", (run.queue, run.run_id, lease_s))


def wait(run: Claim, name: str, event: str, timeout_s: int) -> Statement:
    """Suspend until the event; the row says whether to suspend, and the payload if not."""
    return Statement(
        "select should_suspend, payload from absurd.await_event(%s, %s, %s, %s, %s, %s)",
        (run.queue, run.task_id, run.run_id, name, event, timeout_s),
    )


def kept(run: Claim) -> Statement:
    """The steps that are finished."""
    return Statement(
        "select checkpoint_name, state, extract(epoch from updated_at)::float8"
        " from absurd.get_task_checkpoint_states(%s, %s, %s)",
        (run.queue, run.task_id, run.run_id),
    )


def steps_of(queue: str, task_id: str) -> Statement:
    """The finished steps of a flow in the order they ended, for people."""
    return Statement(
        "select checkpoint_name, state, extract(epoch from updated_at)::float8"  # noqa: S608 - queue is checked
        f" from absurd.c_{_queue(queue)} where task_id = %s order by updated_at",
        (task_id,),
    )


def _queue(name: str) -> str:
    if name not in QUEUES:
        raise ValueError("no such queue")
    return name


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


class Operator:
    """What a person may do with a parked flow; every act is a row with a name and a reason.

    Args:
        database: Where the flows are.
        tenant: Whose flows.
        actor: Who acts, as the audit shall have it.
    """

    def __init__(self, database: Database, *, tenant: str, actor: str) -> None:
        self._database = database
        self.tenant = tenant
        self._actor = actor

    async def resume(
        self, flow_id: str, *, reason: str, mapping_set: MappingSet | None = None
    ) -> None:
        """Go on now, with the step that stopped.

        Args:
            mapping_set: To translate by from now on; None for what the flow began with.
        """
        if mapping_set is not None:
            await mapping_sets.record(self._database, [mapping_set])
        identity = mapping_set.identity if mapping_set is not None else ""
        await self._act(flow_id, "", "resume", None, reason, identity)

    async def retry_from(self, flow_id: str, step: str, *, reason: str) -> None:
        """Forget the step and all after it, and go on from there.

        The effects of those steps are not undone; they are found again or repeated under the
        same keys.
        """
        await self._act(flow_id, step, "retry", None, reason)

    async def skip(self, flow_id: str, step: str, value: Any, *, reason: str) -> None:
        """Take the step as done by hand, with the value it would have returned."""
        await self._act(flow_id, step, "skip", value, reason)

    async def cancel(self, flow_id: str, *, reason: str) -> None:
        """Undo what was done, in reverse order, and end."""
        await self._act(flow_id, "", "cancel", None, reason)

    async def _act(
        self,
        flow_id: str,
        step: str,
        action: str,
        payload: Any,
        reason: str,
        mapping_set: str = "",
    ) -> None:
        async with self._database.transaction() as connection:
            found = await connection.execute(
                "select queue, task_id::text, state, mapping_set from headrace.flow"
                " where tenant = %s and flow_id = %s for update",
                (self.tenant, flow_id),
            )
            row = await found.fetchone()
            if row is None:
                raise Rejected("There is no such flow.", code="not_found")
            queue, task_id, state = _queue(row[0]), row[1], row[2]
            if state not in {"PARKED", "WAITING"}:
                raise Rejected(f"The flow is {state}, not parked.", code="not_parked")
            if mapping_set:
                payload = {"from": row[3], "to": mapping_set}
            await connection.execute(
                "insert into headrace.decision"
                " (decision_id, flow_id, step, action, payload, actor, reason)"
                " values (%s, %s, %s, %s, %s, %s, %s)",
                (new_id(), flow_id, step, action, _json(payload), self._actor, reason),
            )
            if action == "retry":
                await _forget(connection, queue, task_id, step)
            await _wake(connection, queue, task_id)
            await connection.execute(
                "update headrace.flow set state = 'RUNNING', resume_at = null, pauses = 0,"
                " mapping_set = coalesce(nullif(%s, ''), mapping_set) where flow_id = %s",
                (mapping_set, flow_id),
            )


async def _forget(connection: Connection, queue: str, task_id: str, step: str) -> None:
    table = f"absurd.c_{queue}"
    done = await connection.execute(
        f"delete from {table} where task_id = %s and updated_at >="  # noqa: S608 - queue is checked
        f" (select updated_at from {table} where task_id = %s and checkpoint_name = %s)",
        (task_id, task_id, step),
    )
    if not done.rowcount:
        raise Rejected(f"The flow has not finished a step {step!r}.", code="no_such_step")


async def _wake(connection: Connection, queue: str, task_id: str) -> None:
    """Make the sleeping run due. The engine has no function for it; its version is pinned."""
    done = await connection.execute(
        f"update absurd.r_{queue} set available_at = absurd.current_time(),"  # noqa: S608 - queue is checked
        " wake_event = null where task_id = %s and state = 'sleeping'",
        (task_id,),
    )
    if not done.rowcount:
        raise Rejected("The flow is not asleep; it is at work right now.", code="not_parked")
    # It waits anew where it still has to; a wait that is left would look like one that timed out.
    await connection.execute(
        f"delete from absurd.w_{queue} where task_id = %s",  # noqa: S608 - queue is checked
        (task_id,),
    )
