"""Receive events: what providers report changes payments, many in one transaction.

A consumer, not a flow: it changes the model and wakes the flows that wait, and nothing outside.
"""

import time
from collections.abc import Sequence
from typing import Any

import msgspec
from opentelemetry.trace import SpanKind

from gateway.errors import HeadraceError
from gateway.model import codec
from gateway.model.event import Event, ProviderEvent
from gateway.model.identifiers import new_id
from gateway.model.payment import Payment
from gateway.policy import collecting
from gateway.runtime import engine, telemetry
from gateway.runtime.database import Connection
from gateway.runtime.hub import Hub
from gateway.runtime.inbox import Row, Verdict
from gateway.runtime.story import flow_span
from gateway.runtime.telemetry import Telemetry

_QUEUE = "interactive"

# A webhook may overtake the answer to our own call; after these pauses a person has to look.
_PATIENCE_S = (1.0, 5.0, 30.0, 120.0, 600.0)


class _Known(msgspec.Struct):
    """A payment as this transaction has it, and where it belongs in the trace."""

    tenant: str
    payment: Payment
    sequence: int
    flow_id: str
    traceparent: str
    changed: bool = False


class EventReceiver:
    """Applies batches of the inbox.

    Args:
        hub: Knows who reads the deliveries of which system.
    """

    def __init__(self, hub: Hub, tracing: Telemetry) -> None:
        self._hub = hub
        self._telemetry = tracing

    async def apply(self, connection: Connection, rows: Sequence[Row]) -> list[Verdict]:
        """Change the payments that the rows are about, and say what became of each row."""
        read = [(row, *self._read(row)) for row in rows]
        known = await _load(connection, [(row, event) for row, event, _ in read if event])
        outbox: list[tuple[Any, ...]] = []
        verdicts = []
        for row, event, verdict in read:
            verdicts.append(verdict or self._apply(row, event, known, outbox))
        await _store(connection, known, outbox)
        return verdicts

    def _read(self, row: Row) -> tuple[ProviderEvent | None, Verdict | None]:
        try:
            receiver = self._hub.tenant(row.tenant).receivers[row.system]
            events = receiver.read(row.body)
        except KeyError:
            return None, Verdict(seq=row.seq, state="PARKED", reason="no_such_system")
        except HeadraceError as error:
            return None, Verdict(seq=row.seq, state="PARKED", reason=error.code)
        event = events[0] if events else None
        if event is None or event.payment is None:
            return None, Verdict(seq=row.seq, state="IGNORED", reason="no_meaning_here")
        return event, None

    def _apply(
        self,
        row: Row,
        event: ProviderEvent | None,
        known: dict[tuple[str, str], _Known],
        outbox: list[tuple[Any, ...]],
    ) -> Verdict:
        found = known.get((row.tenant, event.payment_id)) if event else None
        if found is None and event is not None:
            found = known.get((row.tenant, event.provider_ref))
        if event is None or event.payment is None or found is None:
            return _later(row)
        if event.payment.amount.currency != found.payment.amount.currency:
            return Verdict(seq=row.seq, state="PARKED", reason="integrity_mismatch")
        began = time.time()
        changed, events = collecting.apply(found.payment, event.payment)
        found.changed = found.changed or changed != found.payment
        found.payment = changed
        for one in events:
            found.sequence += 1
            outbox.append(_outbox_row(found, one, event))
        self._span(row, event, found, began)
        return Verdict(
            seq=row.seq, state="APPLIED", reason=event.event_type, business_id=changed.order_id
        )

    def _span(self, row: Row, event: ProviderEvent, found: _Known, began: float) -> None:
        """One span in the trace of the order, linked to the request that brought the webhook."""
        parent = telemetry.parse_traceparent(found.traceparent)
        if parent is None or not parent.trace_flags.sampled:
            return
        receipt = telemetry.parse_traceparent(row.traceparent)
        self._telemetry.emit(
            "receive_event",
            parent=flow_span(parent, found.flow_id),
            span_id=telemetry.fixed_span_id(found.flow_id, event.event_id),
            started=began,
            ended=time.time(),
            kind=SpanKind.CONSUMER,
            attributes={"headrace.system": row.system, "headrace.event_type": event.event_type},
            links=[receipt] if receipt else [],
        )


def _later(row: Row) -> Verdict:
    if row.tries >= len(_PATIENCE_S):
        return Verdict(seq=row.seq, state="PARKED", reason="unknown_object")
    return Verdict(
        seq=row.seq, state="NEW", reason="unknown_object", again_in_s=_PATIENCE_S[row.tries]
    )


async def _load(
    connection: Connection, pairs: Sequence[tuple[Row, ProviderEvent]]
) -> dict[tuple[str, str], _Known]:
    """The payments by our id and by the provider's, locked in the order of their ids."""
    if not pairs:
        return {}
    found = await connection.execute(
        "select d.tenant, d.body::text, d.sequence, f.flow_id, f.traceparent"
        " from headrace.document d join headrace.flow f on f.tenant = d.tenant"
        " and f.kind = 'place_order' and f.business_id = d.body->>'order_id'"
        " where (d.tenant, d.kind, d.id) in ("
        "  select t, 'payment', p from unnest(%s::text[], %s::text[]) as e (t, p)"
        "  union select r.tenant, 'payment', r.entity_id from headrace.reference r"
        "  join unnest(%s::text[], %s::text[], %s::text[]) as e (t, s, x)"
        "  on r.tenant = t and r.system = s and r.external_id = x and r.entity = 'PAYMENT')"
        " order by d.tenant, d.id for no key update of d",
        (
            [row.tenant for row, _ in pairs],
            [event.payment_id for _, event in pairs],
            [row.tenant for row, _ in pairs],
            [row.system for row, _ in pairs],
            [event.provider_ref for _, event in pairs],
        ),
    )
    known: dict[tuple[str, str], _Known] = {}
    for tenant, body, sequence, flow_id, traceparent in await found.fetchall():
        payment = codec.decode(body, Payment)
        one = _Known(
            tenant=tenant,
            payment=payment,
            sequence=sequence,
            flow_id=flow_id,
            traceparent=traceparent,
        )
        known[(tenant, payment.payment_id)] = one
        if payment.provider_ref:
            known[(tenant, payment.provider_ref)] = one
    return known


def _outbox_row(found: _Known, event: Event, cause: ProviderEvent) -> tuple[Any, ...]:
    return (
        found.tenant,
        new_id(),
        event.type,
        event.aggregate,
        event.aggregate_id,
        found.sequence,
        found.payment.order_id,
        codec.encode(event.data).decode(),
        found.traceparent,
        cause.event_id,
    )


async def _store(
    connection: Connection, known: dict[tuple[str, str], _Known], outbox: list[tuple[Any, ...]]
) -> None:
    payments = {(one.tenant, one.payment.payment_id): one for one in known.values()}
    changed = [one for key, one in sorted(payments.items()) if one.changed]
    async with connection.cursor() as cursor:
        if changed:
            await cursor.executemany(
                "update headrace.document set state = %s, body = %s, sequence = %s,"
                " updated_at = now() where tenant = %s and kind = 'payment' and id = %s",
                [
                    (
                        one.payment.state.value,
                        codec.encode(one.payment).decode(),
                        one.sequence,
                        one.tenant,
                        one.payment.payment_id,
                    )
                    for one in changed
                ],
            )
        if outbox:
            await cursor.executemany(
                "insert into headrace.outbox (tenant, event_id, type, aggregate, aggregate_id,"
                " sequence, business_id, data, traceparent, causation_id)"
                " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                outbox,
            )
    # In the order of the ids, as every other transaction that wakes flows.
    for one in sorted(payments.values(), key=lambda one: one.payment.payment_id):
        await _wake(connection, one.payment)


async def _wake(connection: Connection, payment: Payment) -> None:
    """Tell the flow that waits; telling it again changes nothing."""
    for word, states in (("authorised", collecting.AUTHORISED), ("ended", collecting.ENDED)):
        if payment.state in states or payment.state in collecting.ENDED:
            await engine.emit(
                connection,
                queue=_QUEUE,
                event=f"payment:{payment.payment_id}:{word}",
                payload={"state": payment.state.value},
            )
