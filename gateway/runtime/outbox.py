"""The outbox: our own events as rows, written in the transaction of the change they report."""

from typing import Any, Final

from gateway.model import codec
from gateway.model.event import Event
from gateway.model.identifiers import new_id

_COLUMNS: Final = (
    "tenant, event_id, type, aggregate, aggregate_id, sequence, business_id, data, traceparent,"
    " causation_id"
)
_INSERT: Final = (
    f"insert into headrace.outbox ({_COLUMNS})"  # noqa: S608 - names of ours
    " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_INSERT_COUNTED: Final = f"""
with one ({_COLUMNS}) as (values (%s, %s, %s, %s, %s, %s::integer, %s, %s::jsonb, %s, %s)),
counted as (insert into headrace.event_count as c (tenant, aggregate, aggregate_id, events)
 select tenant, aggregate, aggregate_id, 1 from one
 on conflict (tenant, aggregate, aggregate_id) do update set events = c.events + 1
 returning events)
insert into headrace.outbox ({_COLUMNS})
select tenant, event_id, type, aggregate, aggregate_id, events, business_id, data, traceparent,
 causation_id from one, counted"""  # noqa: S608 - names of ours
_SEQUENCE: Final = 5  # its place in a row


def insert(row: tuple[Any, ...]) -> str:
    """The statement that takes the row."""
    return _INSERT_COUNTED if row[_SEQUENCE] is None else _INSERT


def row(
    event: Event,
    *,
    tenant: str,
    sequence: int | None,
    business_id: str,
    traceparent: str,
    causation_id: str,
) -> tuple[Any, ...]:
    """What is kept of one event; ``insert`` says how.

    Args:
        sequence: Of the thing's events, without gaps; None for a part of another thing, which has
            no row that counts them: they are counted here.
    """
    return (
        tenant,
        new_id(),
        event.type,
        event.aggregate,
        event.aggregate_id,
        sequence,
        business_id,
        codec.encode(event.data).decode(),
        traceparent,
        causation_id,
    )
