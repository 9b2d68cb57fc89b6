"""Receive events: what providers report changes payments, many in one transaction.

A consumer, not a flow: it changes the model and wakes the flows that wait, and nothing outside.
"""

import itertools
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import structlog
from opentelemetry.trace import SpanKind

from gateway.errors import HeadraceError
from gateway.flows import cancel_mandate, receive_payout, sync_payment
from gateway.flows.attempt_payment import wake
from gateway.flows.sync_entity import read_back
from gateway.model import codec
from gateway.model.event import About, Event, ProviderEvent
from gateway.model.identifiers import new_id
from gateway.model.payment import Payment, PaymentState
from gateway.model.reference import EntityKind
from gateway.policy import collecting, disputing, mandating, ordering
from gateway.runtime import engine, following, outbox, telemetry
from gateway.runtime.database import Connection
from gateway.runtime.documents import Unit
from gateway.runtime.hub import Hub
from gateway.runtime.inbox import Row, Verdict, dedupe_key
from gateway.runtime.story import flow_span
from gateway.runtime.telemetry import Telemetry

_log = structlog.get_logger()

# What everybody knows of an attempt after which another provider was asked.
_KNOWN: Final = frozenset({PaymentState.FAILED, PaymentState.CANCELLED})
# A webhook may overtake the answer to our own call; after these pauses a person has to look.
_PATIENCE_S = (1.0, 5.0, 30.0, 120.0, 600.0)


class _Known(msgspec.Struct, eq=False):
    """A payment as this transaction has it, and where it belongs in the trace.

    Attributes:
        given_up: Its order is cancelled or refused, or the order's flow has ended so.
        doubted: Somebody said that it has changed, and it has to be read at its provider.
        refusals: Codes with which a bank has refused or taken back its collection by a mandate.
    """

    tenant: str
    payment: Payment
    sequence: int
    flow_id: str
    traceparent: str
    given_up: bool
    before: Payment
    changed: bool = False
    doubted: bool = False
    refusals: list[str] = []


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
        paid = [(row, event) for row, event, _ in read if event and event.about is None]
        known = await _load(connection, paid)
        reports: list[tuple[Any, ...]] = []
        verdicts = []
        payouts: list[tuple[Row, ProviderEvent]] = []
        for row, event, verdict in read:
            if event is not None and receive_payout.is_said(event):
                payouts.append((row, event))
            elif event is not None and event.about is not None:
                found = await read_back(connection, self._hub, row, event.about, event.event_id)
                verdicts.append(found or _named_later(row, event.about))
            else:
                verdicts.append(verdict or self._apply(row, event, known, reports))
        await _store(connection, known, reports)
        about = _distinct(known)
        refused = [(one.tenant, one.payment, code) for one in about for code in one.refusals]
        await cancel_mandate.apply(connection, refused)
        said = await receive_payout.receive_payouts(connection, self._hub, payouts)
        verdicts += [one or _later(row) for (row, _), one in zip(payouts, said, strict=True)]
        for one in about:
            if one.doubted:
                await self._read_back(connection, one)
            if one.changed:
                await self._follow(connection, one)
        return verdicts

    async def _follow(self, connection: Connection, known: "_Known") -> None:
        """Let follow what follows from the money of a payment, as where it is saved alone."""
        unit = Unit(
            connection,
            tenant=known.tenant,
            business_id=known.payment.business_id,
            traceparent=known.traceparent,
            causation_id="",
            mapping_set=self._hub.tenant(known.tenant).mapping_set,
        )
        await following.follow(unit, known.before, known.payment)

    async def _read_back(self, connection: Connection, known: "_Known") -> None:
        """Start the flow that asks the provider, once for all hints of this batch."""
        await engine.start(
            connection,
            kind=sync_payment.KIND,
            queue=sync_payment.QUEUE,
            tenant=known.tenant,
            business_id=f"{known.payment.payment_id}:{new_id()}",
            subject=known.payment.business_id,
            mapping_set=self._hub.tenant(known.tenant).mapping_set,
            traceparent=known.traceparent,
        )

    def _read(self, row: Row) -> tuple[ProviderEvent | None, Verdict | None]:
        try:
            reader = self._hub.tenant(row.tenant).reader(row.system)
            events = reader.read(row.notification())
        except KeyError:
            return None, Verdict(seq=row.seq, state="PARKED", reason="no_such_system")
        except HeadraceError as error:
            return None, Verdict(seq=row.seq, state="PARKED", reason=error.code)
        event = _event_of(row, events)
        verdict = _without_payment(row, event, found=bool(events))
        return (None, verdict) if verdict else (event, None)

    def _apply(
        self,
        row: Row,
        event: ProviderEvent | None,
        known: dict[tuple[str, ...], _Known],
        reports: list[tuple[Any, ...]],
    ) -> Verdict:
        found = _find(row, event, known) if event else None
        if event is None or found is None:
            return _later(row)
        about, charged = found.payment.business_id, collecting.kept(found.payment)
        verdict = _without_change(row, event, found)
        if verdict is not None:
            return verdict
        began = time.time()
        changed, events = collecting.apply(
            found.payment, event.payment, event.movements, at=event.occurred_at
        )
        if event.claims:
            # The money has made the dispute, whichever of the two words came first.
            changed, more = collecting.apply(disputing.heard(changed, event.claims))
            events = (*events, *more)
        found.changed = found.changed or changed != found.payment
        if changed.mandate_id:
            found.refusals += mandating.refusals(found.payment, changed)
        found.payment = changed
        if any(one.aggregate == "dispute" for one in events):
            # Until when it can be answered stands in no event of the money.
            found.doubted |= changed.provider in self._hub.tenant(row.tenant).disputes
        for one in events:
            found.sequence += one.aggregate_id == changed.payment_id
            reports.append(_outbox_row(found, one, event))
        self._span(row, event, found, began)
        if found.given_up and collecting.kept(changed) > charged:
            _log.error(
                "payment.charged_after_end",
                tenant=row.tenant,
                business_id=about,
                payment_id=changed.payment_id,
                seq=row.seq,
            )
            return _parked(row, "charged_after_end", about)
        return Verdict(seq=row.seq, state="APPLIED", reason=event.event_type, business_id=about)

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


def _distinct(known: dict[tuple[str, ...], _Known]) -> list[_Known]:
    """Each payment once, in the order of their ids."""
    return sorted(set(known.values()), key=lambda one: one.payment.payment_id)


def _without_payment(row: Row, event: ProviderEvent | None, *, found: bool) -> Verdict | None:
    """What becomes of a row that changes no payment; None where it may change one.

    Args:
        found: Whether there are any events in the row.
    """
    if event is None:
        state, reason = ("PARKED", "event_not_found") if found else ("IGNORED", "no_meaning_here")
    elif not event.known:
        state, reason = "PARKED", "type_unknown"
    elif not (event.payment or event.movements or row.hint or event.hint or event.about):
        state, reason = "IGNORED", "no_meaning_here"
    else:
        return None
    return Verdict(seq=row.seq, state=state, reason=reason)


def _event_of(row: Row, events: Sequence[ProviderEvent]) -> ProviderEvent | None:
    """The event that the row stands for; several may share a body, each with a row of its own.

    The only event of a body is meant under any key: a body that could not be read when it came
    is kept under a key of ours and may be read later.
    """
    if len(events) == 1:
        return events[0]
    return next((one for one in events if dedupe_key(one.event_id) == row.dedupe_key), None)


def _find(row: Row, event: ProviderEvent, known: dict[tuple[str, ...], _Known]) -> _Known | None:
    ours = known.get((row.tenant, event.payment_id))
    return ours or known.get((row.tenant, row.system, event.provider_ref))


def _matches(payment: Payment, system: str, event: ProviderEvent) -> bool:
    """Whether the word can be about this payment: same account, same reference, same money."""
    refs = {event.payment.provider_ref if event.payment else "", event.provider_ref} - {""}
    if system != payment.provider or (payment.provider_ref and refs - {payment.provider_ref}):
        return False
    if event.payment and event.payment.amount not in payment.amounts:
        return False
    moved = [one.amount for one in event.movements]
    most = max(one.minor for one in payment.amounts)
    return all(one.currency == payment.amount.currency and one.minor <= most for one in moved)


def _without_change(row: Row, event: ProviderEvent, found: _Known) -> Verdict | None:
    """What becomes of a row that says nothing of the payment itself; None where it does."""
    payment = found.payment
    if row.system in {one.provider for one in payment.attempts[:-1]}:
        return _about_earlier(row, event, payment.business_id)
    if row.hint or event.hint:
        if row.system != payment.provider:
            return _parked(row, "integrity_mismatch", payment.business_id)
        found.doubted = True
        return Verdict(
            seq=row.seq, state="APPLIED", reason="read_back", business_id=payment.business_id
        )
    if not _matches(payment, row.system, event):
        return _parked(row, "integrity_mismatch", payment.business_id)
    return None


def _about_earlier(row: Row, event: ProviderEvent, about: str) -> Verdict:
    """What becomes of a word about an attempt after which another provider was asked.

    That it failed is known; everything else is for a person: it may be the second time.
    """
    if row.hint or event.hint:
        return _parked(row, "earlier_attempt_hint", about)
    said = event.payment
    if said and said.state in _KNOWN and not said.captured.minor and not event.movements:
        return Verdict(seq=row.seq, state="IGNORED", reason="earlier_attempt", business_id=about)
    _log.error("payment.earlier_attempt_lives", tenant=row.tenant, business_id=about, seq=row.seq)
    return _parked(row, "earlier_attempt_lives", about)


def _parked(row: Row, reason: str, about: str) -> Verdict:
    return Verdict(seq=row.seq, state="PARKED", reason=reason, business_id=about)


def _named_later(row: Row, about: About) -> Verdict:
    """As ``_later``; a mandate that only its provider names may be one of others."""
    verdict = _later(row)
    theirs = about.entity is EntityKind.MANDATE and not about.entity_id
    if theirs and verdict.state == "PARKED":
        return Verdict(seq=row.seq, state="IGNORED", reason="unknown_object")
    return verdict


def _later(row: Row) -> Verdict:
    if row.tries >= len(_PATIENCE_S):
        return Verdict(seq=row.seq, state="PARKED", reason="unknown_object")
    return Verdict(
        seq=row.seq, state="NEW", reason="unknown_object", again_in_s=_PATIENCE_S[row.tries]
    )


async def _load(
    connection: Connection, pairs: Sequence[tuple[Row, ProviderEvent]]
) -> dict[tuple[str, ...], _Known]:
    """The payments by our id and by the provider's, locked in the order of their ids."""
    if not pairs:
        return {}
    found = await connection.execute(
        "select d.tenant, d.body::text, d.sequence, f.flow_id, f.traceparent,"
        " o.id is not null and (f.state = 'CANCELLED' or o.state = any(%s))"
        " from headrace.document d join headrace.flow f on f.tenant = d.tenant"
        " and f.kind in ('place_order', 'take_payment')"
        " and f.business_id = coalesce(nullif(d.body->>'order_id', ''), d.id)"
        " left join headrace.document o on o.tenant = d.tenant and o.kind = 'order'"
        " and o.id = f.business_id"
        " where (d.tenant, d.kind, d.id) in ("
        "  select t, 'payment', p from unnest(%s::text[], %s::text[]) as e (t, p)"
        "  union select r.tenant, 'payment', r.entity_id from headrace.reference r"
        "  join unnest(%s::text[], %s::text[], %s::text[]) as e (t, s, x)"
        "  on r.tenant = t and r.system = s and r.external_id = x and r.entity = 'PAYMENT')"
        " order by d.tenant, d.id for no key update of d",
        (
            [state.value for state in ordering.GIVEN_UP],
            [row.tenant for row, _ in pairs],
            [event.payment_id for _, event in pairs],
            [row.tenant for row, _ in pairs],
            [row.system for row, _ in pairs],
            [event.provider_ref for _, event in pairs],
        ),
    )
    known: dict[tuple[str, ...], _Known] = {}
    for tenant, body, sequence, flow_id, traceparent, given_up in await found.fetchall():
        payment = codec.decode(body, Payment)
        one = _Known(
            tenant=tenant,
            payment=payment,
            before=payment,
            sequence=sequence,
            flow_id=flow_id,
            traceparent=traceparent,
            given_up=given_up,
        )
        known[(tenant, payment.payment_id)] = one
        refs = [(each.provider, each.provider_ref) for each in payment.attempts]
        for system, ref in (*refs, (payment.provider, payment.provider_ref)):
            if ref:
                known[(tenant, system, ref)] = one
    return known


def _outbox_row(found: _Known, event: Event, cause: ProviderEvent) -> tuple[Any, ...]:
    return outbox.row(
        event,
        tenant=found.tenant,
        sequence=found.sequence if event.aggregate_id == found.payment.payment_id else None,
        business_id=found.payment.business_id,
        traceparent=found.traceparent,
        causation_id=cause.event_id,
    )


async def _store(
    connection: Connection, known: dict[tuple[str, ...], _Known], reports: list[tuple[Any, ...]]
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
        for statement, rows in itertools.groupby(reports, outbox.insert):
            await cursor.executemany(statement.encode(), [*rows])
    # In the order of the ids, as every other transaction that wakes flows.
    async with connection.pipeline():
        for one in sorted(payments.values(), key=lambda one: one.payment.payment_id):
            await wake(connection, one.payment)
