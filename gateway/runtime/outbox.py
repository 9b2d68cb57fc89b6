"""The outbox: our own events as rows, written in the transaction of the change they report."""

from typing import Any, Final

from gateway.model import codec
from gateway.model.event import Event
from gateway.model.identifiers import new_id

INSERT: Final = (
    "insert into headrace.outbox (tenant, event_id, type, aggregate, aggregate_id,"
    " sequence, business_id, data, traceparent, causation_id)"
    " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


def row(
    event: Event,
    *,
    tenant: str,
    sequence: int,
    business_id: str,
    traceparent: str,
    causation_id: str,
) -> tuple[Any, ...]:
    """What ``INSERT`` takes for one event.

    Args:
        sequence: Of the thing's events, without gaps.
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
