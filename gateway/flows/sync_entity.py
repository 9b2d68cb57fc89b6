"""Reading back what is no payment: a webhook names it, and its provider is asked (ADR 0024)."""

from typing import Final

from gateway.flows import create_mandate, send_payout, transfer_funds
from gateway.model.event import About
from gateway.model.reference import EntityKind
from gateway.runtime import engine
from gateway.runtime.database import Connection
from gateway.runtime.hub import Hub
from gateway.runtime.inbox import Row, Verdict

# What is stored of the kind, and the flow that asks for it.
_MANDATE: Final = (create_mandate.DOCUMENT, create_mandate.SYNC, create_mandate.SYNC_QUEUE)
_FLOWS: Final = {
    EntityKind.PAYOUT: ("payout", send_payout.SYNC, send_payout.SYNC_QUEUE),
    EntityKind.TRANSFER: ("transfer", transfer_funds.SYNC, transfer_funds.SYNC_QUEUE),
    EntityKind.MANDATE: _MANDATE,
    EntityKind.MANDATE_REQUEST: _MANDATE,
}


async def read_back(
    connection: Connection, hub: Hub, row: Row, about: About, event_id: str
) -> Verdict | None:
    """Start the flow that asks the provider; None where the thing is not known yet.

    What was not sent yet is not asked for: the webhook may have overtaken the answer to our call.
    """
    kind, flow, queue = _FLOWS[about.entity]
    found = await connection.execute(
        "select d.id, coalesce(d.body->>'provider', d.body->>'system'),"
        " array_remove("
        "  array[coalesce(d.body->>'provider_ref', ''), coalesce(d.body->>'request_ref', '')], '')"
        " from headrace.document d where d.tenant = %s and d.kind = %s and d.id in ("
        "  select %s union select r.entity_id from headrace.reference r where r.tenant = %s"
        "  and r.system = %s and r.external_id = %s and r.entity = %s)",
        (
            row.tenant,
            kind,
            about.entity_id,
            row.tenant,
            row.system,
            about.external_id,
            about.entity.value,
        ),
    )
    known = await found.fetchone()
    if known is None or not known[2]:
        return None
    entity_id, provider, references = known
    if provider != row.system or about.external_id not in {"", *references}:
        return Verdict(
            seq=row.seq, state="PARKED", reason="integrity_mismatch", business_id=entity_id
        )
    await engine.start(
        connection,
        kind=flow,
        queue=queue,
        tenant=row.tenant,
        business_id=f"{entity_id}:{event_id}",
        subject=entity_id,
        mapping_set=hub.tenant(row.tenant).mapping_set,
        traceparent=row.traceparent,
    )
    return Verdict(seq=row.seq, state="APPLIED", reason="read_back", business_id=entity_id)
