"""The inbox: webhooks are rows before they are anything else.

A delivery is answered with success only after its row is committed, and a delivery that comes
twice is one row. What the rows mean is decided later, in batches, by ``drain``.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import psycopg
import structlog

from gateway.runtime import metrics
from gateway.runtime.batch import Batcher
from gateway.runtime.database import OUTAGES, Connection, Database

_log = structlog.get_logger()
_BATCH = 500


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a genuine webhook delivery.

    Attributes:
        dedupe_key: The same for every repetition; the provider's event id where there is one.
        body: As received.
        traceparent: Of the request that brought it.
    """

    tenant: str
    system: str
    dedupe_key: str
    body: bytes
    traceparent: str
    event_type: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery in the inbox.

    Attributes:
        tries: How often its object was not known yet.
    """

    seq: int
    tenant: str
    system: str
    body: bytes
    traceparent: str
    tries: int


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
        except OUTAGES:
            raise
        except psycopg.Error as error:
            if len(batch) == 1:
                return [error]
        return [(await self._insert([one]))[0] for one in batch]

    async def _insert_all(self, batch: Sequence[Delivery]) -> list[bool | Exception]:
        async with self._database.transaction() as connection:
            found = await connection.execute(
                "insert into headrace.inbox"
                " (tenant, system, dedupe_key, body, traceparent, event_type)"
                " select * from unnest(%s::text[], %s::text[], %s::text[], %s::bytea[],"
                " %s::text[], %s::text[]) on conflict (tenant, system, dedupe_key) do nothing"
                " returning tenant, system, dedupe_key",
                (
                    [one.tenant for one in batch],
                    [one.system for one in batch],
                    [one.dedupe_key for one in batch],
                    [one.body for one in batch],
                    [one.traceparent for one in batch],
                    [one.event_type for one in batch],
                ),
            )
            new = set(await found.fetchall())
        return [(one.tenant, one.system, one.dedupe_key) in new for one in batch]


async def drain(database: Database, apply: Apply) -> int:
    """Apply one batch of new rows in one transaction; returns how many there were.

    A row that breaks the batch is parked alone.
    """
    try:
        return await _drain(database, apply, limit=_BATCH)
    except OUTAGES:
        raise
    except Exception as error:  # noqa: BLE001 - one row must not stop the others
        _log.warning("inbox.batch_broke", exc_info=error)
    done = 0
    for _ in range(_BATCH):
        try:
            one = await _drain(database, apply, limit=1)
        except OUTAGES:
            raise
        except Exception as error:  # noqa: BLE001 - one row must not stop the others
            await _park_first(database, type(error).__name__)
            one = 1
        if not one:
            break
        done += one
    return done


async def _drain(database: Database, apply: Apply, *, limit: int) -> int:
    async with database.transaction() as connection:
        found = await connection.execute(
            "select seq, tenant, system, body, traceparent, tries from headrace.inbox"
            " where state = 'NEW' and due_at <= now() order by due_at, seq"
            " limit %s for update skip locked",
            (limit,),
        )
        rows = [
            Row(seq=a, tenant=b, system=c, body=bytes(d), traceparent=e, tries=f)
            for a, b, c, d, e, f in await found.fetchall()
        ]
        verdicts = await apply(connection, rows) if rows else ()
        if verdicts:
            await _mark(connection, verdicts)
    for state, number in Counter(one.state for one in verdicts).items():
        metrics.inbox_applied.add(number, {"headrace.verdict": state})
    return len(rows)


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


async def _park_first(database: Database, reason: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            "update headrace.inbox set state = 'PARKED', reason = %s, applied_at = now()"
            " where seq = (select seq from headrace.inbox where state = 'NEW' and due_at <= now()"
            " order by due_at, seq limit 1 for update skip locked)",
            (f"defect: {reason}",),
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
