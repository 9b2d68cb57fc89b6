"""Everything that happened to one order or payment, from every table that knows a part of it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.runtime import engine, telemetry
from gateway.runtime.database import Connection


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened.

    Attributes:
        at: Seconds since the epoch.
        what: ``event`` (ours), ``step``, ``attempt`` (one request to a system), ``webhook``,
            ``document`` (a number in another system), ``decision`` (a person's), ``mappings``
            (the set that a flow began with) or ``parked``.
        name: Type of the event, name of the step, verb, and so on.
        outcome: How it ended.
        trace_id, span_id: Where it stands in the trace of the order.
    """

    at: float
    what: str
    name: str
    outcome: str = ""
    system: str = ""
    duration_ms: float = 0.0
    trace_id: str = ""
    span_id: str = ""
    detail: Mapping[str, Any] = {}


async def of(connection: Connection, *, tenant: str, business_id: str) -> list[Entry]:
    """The entries of an order or a payment, oldest first; empty where there is none.

    Args:
        business_id: Of the order, or of a payment that belongs to none.
    """
    async with connection.transaction():
        entries = await _events(connection, tenant, business_id)
        if not entries:
            return []
        entries += await _flows(connection, tenant, business_id)
        entries += await _attempts(connection, tenant, business_id)
        entries += await _webhooks(connection, tenant, business_id)
        entries += await _documents(connection, tenant, business_id)
    return sorted(entries, key=lambda entry: entry.at)


async def _events(connection: Connection, tenant: str, business_id: str) -> list[Entry]:
    found = await connection.execute(
        "select extract(epoch from occurred_at)::float8, type, aggregate_id, sequence, data,"
        " traceparent from headrace.outbox where tenant = %s and business_id = %s order by seq",
        (tenant, business_id),
    )
    return [
        Entry(
            at=at,
            what="event",
            name=kind,
            outcome=str(data.get("state") or data.get("decision") or ""),
            **_traced(traceparent),
            detail={"aggregate_id": aggregate_id, "sequence": sequence, **data},
        )
        for at, kind, aggregate_id, sequence, data, traceparent in await found.fetchall()
    ]


async def _flows(connection: Connection, tenant: str, business_id: str) -> list[Entry]:
    """Of the flow itself, and of the wishes about its payment."""
    found = await connection.execute(
        "with payment as (select p.body from headrace.document p where p.tenant = %(tenant)s"
        " and p.kind = 'payment' and p.id = coalesce((select o.body->>'payment_id'"
        "  from headrace.document o where o.tenant = %(tenant)s and o.kind = 'order'"
        "  and o.id = %(id)s), %(id)s))"
        " select flow_id, queue, task_id::text, state, step, reason, code, message,"
        " extract(epoch from paused_at)::float8, traceparent, mapping_set,"
        " extract(epoch from started_at)::float8"
        " from headrace.flow where tenant = %(tenant)s and business_id in (select %(id)s"
        "  union all select jsonb_path_query(body, '$.refunds[*].refund_id') #>> '{}'"
        "   from payment"
        "  union all select jsonb_path_query(body, '$.captures[*].capture_id') #>> '{}'"
        "   from payment"
        "  union all select jsonb_path_query(body, '$.cancellations[*].cancellation_id') #>> '{}'"
        "   from payment)",
        {"tenant": tenant, "id": business_id},
    )
    entries: list[Entry] = []
    for (
        flow_id,
        queue,
        task_id,
        state,
        step,
        reason,
        code,
        message,
        at,
        parent,
        mapping_set,
        started_at,
    ) in await found.fetchall():
        entries += await _steps(connection, flow_id, queue, task_id, parent)
        decisions = await _decisions(connection, flow_id, parent)
        entries += decisions
        moves = [one.detail["from"] for one in decisions if "from" in one.detail]
        began_with = moves[0] if moves else mapping_set
        if began_with:
            entries.append(
                Entry(at=started_at, what="mappings", name=began_with, **_traced(parent))
            )
        if state == "PARKED":
            detail = {"code": code, "message": message}
            entries.append(Entry(at=at, what="parked", name=step, outcome=reason, detail=detail))
    return entries


async def _steps(
    connection: Connection, flow_id: str, queue: str, task_id: str, parent: str
) -> list[Entry]:
    found = await connection.execute(*engine.steps_of(queue, task_id))
    entries = []
    for name, state, updated in await found.fetchall():
        waited = name.endswith(".signal")
        step = name.removesuffix(".signal")
        ended = updated if waited else state["ended"]
        entries.append(
            Entry(
                at=ended,
                what="step",
                name=step,
                outcome="confirmed" if waited else state["outcome"],
                duration_ms=0.0 if waited else round((ended - state["began"]) * 1000, 1),
                **_traced(parent, telemetry.fixed_span_id(flow_id, step)),
            )
        )
    return entries


async def _decisions(connection: Connection, flow_id: str, parent: str) -> list[Entry]:
    found = await connection.execute(
        "select extract(epoch from decided_at)::float8, action, step, actor, reason,"
        " case when action in ('mappings', 'resume') then payload end"
        " from headrace.decision where flow_id = %s order by decided_at",
        (flow_id,),
    )
    return [
        Entry(
            at=at,
            what="decision",
            name=action,
            outcome=step,
            **_traced(parent),
            detail={"actor": actor, "reason": reason, **(move or {})},
        )
        for at, action, step, actor, reason, move in await found.fetchall()
    ]


async def _attempts(connection: Connection, tenant: str, business_id: str) -> list[Entry]:
    found = await connection.execute(
        "select extract(epoch from at)::float8, product, verb, system, outcome, status, attempt,"
        " duration_ms, error, step, trace_id, span_id, evidence_id"
        " from headrace.evidence where tenant = %s and business_id = %s",
        (tenant, business_id),
    )
    return [
        Entry(
            at=at,
            what="attempt",
            name=f"{product}.{verb}",
            outcome=outcome,
            system=system,
            duration_ms=round(duration_ms, 1),
            trace_id=trace_id,
            span_id=span_id,
            detail={
                "status": status,
                "attempt": attempt,
                "error": error,
                "step": step,
                "evidence_id": evidence_id,
            },
        )
        for (
            at,
            product,
            verb,
            system,
            outcome,
            status,
            attempt,
            duration_ms,
            error,
            step,
            trace_id,
            span_id,
            evidence_id,
        ) in await found.fetchall()
    ]


async def _webhooks(connection: Connection, tenant: str, business_id: str) -> list[Entry]:
    found = await connection.execute(
        "select extract(epoch from received_at)::float8, system, state, reason, dedupe_key,"
        " traceparent from headrace.inbox where tenant = %s and business_id = %s",
        (tenant, business_id),
    )
    return [
        Entry(
            at=at,
            what="webhook",
            name=reason,
            outcome=state,
            system=system,
            **_traced(traceparent),
            detail={"event_id": dedupe_key},
        )
        for at, system, state, reason, dedupe_key, traceparent in await found.fetchall()
    ]


async def _documents(connection: Connection, tenant: str, business_id: str) -> list[Entry]:
    found = await connection.execute(
        "select extract(epoch from r.synced_at)::float8, r.entity, r.system, r.external_id"
        " from headrace.reference r join headrace.document d"
        " on d.tenant = r.tenant and d.kind in ('order', 'payment') and d.id = %s"
        " where r.tenant = %s and r.entity_id in (d.id, d.body->>'payment_id',"
        " d.body->'party'->>'party_id')",
        (business_id, tenant),
    )
    return [
        Entry(at=at, what="document", name=entity, outcome=external_id, system=system)
        for at, entity, system, external_id in await found.fetchall()
    ]


def _traced(traceparent: str, span_id: int | None = None) -> dict[str, Any]:
    context = telemetry.parse_traceparent(traceparent)
    if context is None:
        return {}
    return {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{span_id or context.span_id:016x}",
    }
