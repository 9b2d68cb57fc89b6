"""The inbox: webhooks are rows before they are anything else.

A delivery is answered with success only after its row is committed, and a delivery that comes
twice is one row. What the rows mean is decided later, in batches, by ``drain``.
"""

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

import msgspec
import psycopg
import structlog

from gateway.errors import HeadraceError
from gateway.model.event import ProviderEvent
from gateway.ports.notification import Notification, Terms, Trust
from gateway.ports.webhooks import Webhooks
from gateway.runtime import metrics
from gateway.runtime.batch import Batcher
from gateway.runtime.database import OUTAGES, Connection, Database

_log = structlog.get_logger()
_BATCH = 500
_MOST_EVENTS: Final = 1_000  # of one delivery; GoCardless sends 250 at most
# The type of what could not be read.
UNREADABLE: Final = "unreadable"
_PLAIN: Final = re.compile(r"[\x20-\x7e]{1,255}")
_ENVELOPE: Final = msgspec.json.Decoder(tuple[str, str, tuple[tuple[str, str], ...]])
_INSERT: Final = (
    b"insert into headrace.inbox"
    b" (tenant, system, dedupe_key, body, traceparent, event_type, envelope, hint, filled)"
    b" select * from unnest(%s::text[], %s::text[], %s::text[], %s::bytea[],"
    b" %s::text[], %s::text[], %s::text[], %s::boolean[], %s::boolean[])"
    b" on conflict (tenant, system, dedupe_key) do "
)
_ONCE: Final = _INSERT + b"nothing returning tenant, system, dedupe_key"
# Whoever works on the row holds its lock, so a hint is never lost between reading and marking.
_AGAIN: Final = (
    _INSERT + b"update set state = 'NEW', reason = '', tries = 0, applied_at = null,"
    b" due_at = least(inbox.due_at, now()), received_at = now(), body = excluded.body,"
    b" envelope = excluded.envelope, traceparent = excluded.traceparent where inbox.hint"
    b" returning tenant, system, dedupe_key"
)


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a genuine webhook delivery.

    Attributes:
        dedupe_key: The same for every repetition; the provider's event id where there is one.
        body: As received.
        traceparent: Of the request that brought it.
        envelope: What else is needed to read it; see ``envelope_of``.
        hint: Whether nobody signed it. One row stands for all hints about one object, and each
            new hint makes the row new again: what it is about has to be read once more.
        filled: Whether no webhook brought it, and it was found in the provider's list.
    """

    tenant: str
    system: str
    dedupe_key: str
    body: bytes
    traceparent: str
    event_type: str = ""
    envelope: str = ""
    hint: bool = False
    filled: bool = False

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes two of them one row."""
        return self.tenant, self.system, self.dedupe_key


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a delivery in the inbox.

    Attributes:
        dedupe_key: Which of the events in the body it is.
        tries: How often its object was not known yet.
        envelope: What else is needed to read it.
        hint: Whether nobody signed it.
    """

    seq: int
    tenant: str
    system: str
    dedupe_key: str
    body: bytes
    traceparent: str
    tries: int
    envelope: str = ""
    hint: bool = False

    def notification(self) -> Notification:
        """The delivery as far as it was kept."""
        if not self.envelope:
            return Notification(body=self.body)
        method, target, headers = _ENVELOPE.decode(self.envelope)
        return Notification(method=method, target=target, headers=headers, body=self.body)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a row.

    Attributes:
        state: APPLIED, IGNORED (means nothing to us), PARKED (a person has to look) or NEW (later).
        again_in_s: For NEW, when to look again.
    """

    seq: int
    state: str
    reason: str = ""
    business_id: str = ""
    again_in_s: float = 0.0


def envelope_of(notification: Notification, terms: Terms) -> str:
    """What of a delivery is needed beside its body; empty for a plain POST.

    Headers only by the names in the terms: a signature is of no use any more, and a header that
    nobody reads may hold anything.
    """
    query = "?" in notification.target
    headers = tuple(pair for pair in notification.headers if pair[0] in terms.headers)
    if not headers and not query and notification.method == "POST":
        return ""
    return msgspec.json.encode((notification.method, notification.target, headers)).decode()


def dedupe_key(event_id: str) -> str:
    """The provider's id, or its hash where PostgreSQL could not keep or index the id."""
    if _PLAIN.fullmatch(event_id):
        return event_id
    return hashlib.sha256(event_id.encode()).hexdigest()


def events_of(receiver: Webhooks, notification: Notification) -> tuple[ProviderEvent, ...]:
    """The events of a delivery that was let in; what cannot be read is kept, for a person."""
    try:
        events = receiver.read(notification)
    except HeadraceError:
        events = ()
    if 1 <= len(events) <= _MOST_EVENTS:
        return events
    whole = hashlib.sha256(notification.target.encode() + b"\n" + notification.body)
    return (ProviderEvent(event_id=whole.hexdigest(), event_type=UNREADABLE),)


def delivery_of(
    event: ProviderEvent,
    notification: Notification,
    *,
    tenant: str,
    system: str,
    terms: Terms,
    trust: Trust = Trust.SIGNED,
    traceparent: str = "",
) -> Delivery:
    """What is kept of one event of a delivery."""
    hint = trust is Trust.UNSIGNED
    return Delivery(
        tenant=tenant,
        system=system,
        # What nobody signed must not take the place of what somebody will sign.
        dedupe_key=dedupe_key(f"hint:{event.event_id}" if hint else event.event_id),
        body=event.alone or notification.body,
        traceparent=traceparent,
        event_type=plain(event.event_type),
        envelope=envelope_of(notification, terms),
        hint=hint,
    )


def plain(event_type: str) -> str:
    """The provider's word for an event, where it can be kept and shown; else nothing."""
    return event_type if _PLAIN.fullmatch(event_type) else ""


async def insert(
    connection: Connection, deliveries: Iterable[Delivery]
) -> set[tuple[str, str, str]]:
    """Keep the deliveries; the identities of those that are new."""
    # Every process locks the same keys in the same order, so none waits in a circle.
    by_identity = {one.identity: one for one in deliveries}
    in_order = [by_identity[identity] for identity in sorted(by_identity)]
    signed = [one for one in in_order if not one.hint]
    hints = [one for one in in_order if one.hint]
    new: set[tuple[str, str, str]] = set()
    for sql, some in ((_ONCE, signed), (_AGAIN, hints)):
        if some:
            found = await connection.execute(sql, _columns(some))
            new.update(await found.fetchall())
    return new


Apply = Callable[[Connection, Sequence[Row]], Awaitable[Sequence[Verdict]]]


class Inbox:
    """Takes deliveries in; many share one commit.

    Args:
        queue: Deliveries that may wait for their commit; one more is refused.
    """

    def __init__(self, database: Database, *, queue: int) -> None:
        self._database = database
        self._batcher: Batcher[Delivery, bool] = Batcher(self._insert, queue=queue, writers=2)

    def start(self) -> None:
        """Begin to write."""
        self._batcher.start()

    async def stop(self) -> None:
        """Write what waits, then end."""
        await self._batcher.stop()

    async def put(self, delivery: Delivery) -> bool:
        """Commit the delivery; False where it was there already.

        Raises:
            Unavailable: Too many wait already.
            psycopg.OperationalError: PostgreSQL is away; the provider shall come again.
        """
        return await self._batcher.put(delivery)

    async def _insert(self, batch: Sequence[Delivery]) -> list[bool | Exception]:
        try:
            return await self._insert_all(batch)
        except psycopg.errors.DeadlockDetected:
            # PostgreSQL undid this side so that the other could commit; nothing is broken.
            return await self._insert_all(batch)
        except OUTAGES:
            raise
        except psycopg.Error as error:
            if len(batch) == 1:
                return [error]
        return [(await self._insert([one]))[0] for one in batch]

    async def _insert_all(self, batch: Sequence[Delivery]) -> list[bool | Exception]:
        async with self._database.transaction() as connection:
            new = await insert(connection, batch)
        return [one.identity in new for one in batch]


def _columns(deliveries: Sequence[Delivery]) -> tuple[list[object], ...]:
    """The values of each column, in the order of ``_INSERT``."""
    names = ("tenant", "system", "dedupe_key", "body", "traceparent", "event_type")
    named = (*names, "envelope", "hint", "filled")
    return tuple([getattr(one, name) for one in deliveries] for name in named)


async def drain(database: Database, apply: Apply) -> int:
    """Apply one batch of new rows in one transaction; returns how many there were.

    A row that breaks the batch is parked alone.
    """
    try:
        return await _drain(database, apply)
    except OUTAGES:
        raise
    except Exception as error:  # noqa: BLE001 - one row must not stop the others
        _log.warning("inbox.batch_broke", exc_info=error)
    done = 0
    while done < _BATCH and await _drain_one(database, apply):
        done += 1
    return done


async def _drain(database: Database, apply: Apply) -> int:
    async with database.transaction() as connection:
        rows = await _take(connection, _BATCH)
        verdicts = await apply(connection, rows) if rows else ()
        if verdicts:
            await _mark(connection, verdicts)
    _count(verdicts)
    return len(rows)


async def _drain_one(database: Database, apply: Apply) -> int:
    """Apply the first row that is due; one that cannot be applied is parked, and no other."""
    rows: list[Row] = []
    try:
        async with database.transaction() as connection:
            rows = await _take(connection, 1)
            verdicts = await apply(connection, rows) if rows else ()
            if verdicts:
                await _mark(connection, verdicts)
    except OUTAGES:
        raise
    except Exception as error:
        if not rows:
            raise
        verdicts = await _park(database, rows[0], type(error).__name__)
    _count(verdicts)
    return len(rows)


async def _park(database: Database, row: Row, error: str) -> Sequence[Verdict]:
    """Park the row, unless another worker could apply it in the meantime."""
    verdict = Verdict(seq=row.seq, state="PARKED", reason=f"defect: {error}")
    async with database.transaction() as connection:
        done = await connection.execute(
            "update headrace.inbox set state = %s, reason = %s, tries = tries + 1,"
            " applied_at = now() where seq = %s and state = 'NEW'",
            (verdict.state, verdict.reason, verdict.seq),
        )
    if not done.rowcount:
        return ()
    _log.warning("inbox.parked", seq=row.seq, error=error)
    return (verdict,)


async def _take(connection: Connection, limit: int) -> list[Row]:
    """Rows that are due, locked until the transaction ends; others pass over them."""
    found = await connection.execute(
        "select seq, tenant, system, dedupe_key, body, traceparent, tries, envelope, hint"
        " from headrace.inbox"
        " where state = 'NEW' and due_at <= now() order by due_at, seq"
        " limit %s for update skip locked",
        (limit,),
    )
    return [
        Row(
            seq=a,
            tenant=b,
            system=c,
            dedupe_key=d,
            body=bytes(e),
            traceparent=f,
            tries=g,
            envelope=h,
            hint=i,
        )
        for a, b, c, d, e, f, g, h, i in await found.fetchall()
    ]


def _count(verdicts: Sequence[Verdict]) -> None:
    for state, number in Counter(one.state for one in verdicts).items():
        metrics.inbox_applied.add(number, {"headrace.verdict": state})


async def _mark(connection: Connection, verdicts: Sequence[Verdict]) -> None:
    await connection.execute(
        "update headrace.inbox i set state = v.state, reason = v.reason,"
        " business_id = v.business_id, tries = i.tries + 1,"
        " due_at = now() + make_interval(secs => v.again_in_s),"
        " applied_at = case when v.state = 'NEW' then null else now() end"
        " from unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::float8[])"
        " as v (seq, state, reason, business_id, again_in_s) where i.seq = v.seq",
        (
            [one.seq for one in verdicts],
            [one.state for one in verdicts],
            [one.reason for one in verdicts],
            [one.business_id for one in verdicts],
            [one.again_in_s for one in verdicts],
        ),
    )


async def drain_for_ever(
    database: Database, apply: Apply, stop: asyncio.Event, *, poll_s: float
) -> None:
    """Apply batches until told to stop; outages are waited for."""
    while not stop.is_set():
        try:
            done = await drain(database, apply)
        except OUTAGES:
            done = 0
        if done < _BATCH:
            try:
                await asyncio.wait_for(stop.wait(), poll_s)
            except TimeoutError:
                continue
