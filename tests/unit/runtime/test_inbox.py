"""The inbox: every delivery one row, and no row stops another."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import psycopg
import pytest
from structlog.testing import LogCapture

from gateway.errors import Unavailable
from gateway.runtime.database import Connection, Database
from gateway.runtime.inbox import Delivery, Inbox, Row, Verdict, dedupe_key, drain

_DELIVERY = Delivery(
    tenant="acme", system="stripe", dedupe_key="evt_1", body=b"{}", traceparent="", event_type="x"
)


@pytest.fixture
async def inbox(database: Database) -> AsyncIterator[Inbox]:
    """An inbox that writes."""
    inbox = Inbox(database, queue=100)
    inbox.start()
    yield inbox
    await inbox.stop()


def _with(key: str, body: bytes = b"{}") -> Delivery:
    return msgspec.structs.replace(_DELIVERY, dedupe_key=key, body=body)


async def _rows(database: Database, sql: str) -> list[Any]:
    async with database.connection() as connection:
        found = await connection.execute(sql)  # type: ignore[arg-type] # literals
        return await found.fetchall()


async def _apply(_connection: Connection, rows: Sequence[Row]) -> list[Verdict]:
    if any(row.body == b"poison" for row in rows):
        raise ZeroDivisionError
    return [Verdict(seq=row.seq, state="APPLIED", reason="fine") for row in rows]


async def test_fifty_copies_at_once_are_one_row(database: Database, inbox: Inbox) -> None:
    """All are answered, exactly one of them is new."""
    new = await asyncio.gather(*(inbox.put(_DELIVERY) for _ in range(50)))

    assert [(1,)] == await _rows(database, "select count(*) from headrace.inbox")
    assert 50 == len(new)
    # Copies in one batch are one row and share its novelty; in later batches none is new.
    assert new[0]
    assert not await inbox.put(_DELIVERY)


async def test_same_key_of_another_system_is_another_row(database: Database, inbox: Inbox) -> None:
    """Two providers may use the same number."""
    other = msgspec.structs.replace(_DELIVERY, system="adyen")

    assert [True, True] == list(await asyncio.gather(inbox.put(_DELIVERY), inbox.put(other)))

    assert [(2,)] == await _rows(database, "select count(*) from headrace.inbox")


async def test_delivery_that_cannot_be_stored_fails_alone(database: Database, inbox: Inbox) -> None:
    """A NUL in a key is nothing PostgreSQL takes; its neighbours are taken."""
    results = await asyncio.gather(
        inbox.put(_with("a")),
        inbox.put(_with("b\x00")),
        inbox.put(_with("c")),
        return_exceptions=True,
    )

    assert [bool, psycopg.DataError, bool] == [type(one) for one in results]
    assert [("a",), ("c",)] == await _rows(
        database, "select dedupe_key from headrace.inbox order by 1"
    )


async def test_full_queue_is_unavailable(database: Database) -> None:
    """The provider is told to come again; nothing is dropped in silence."""
    inbox = Inbox(database, queue=1)
    waiting = asyncio.ensure_future(inbox.put(_with("a")))
    await asyncio.sleep(0)

    with pytest.raises(Unavailable) as full:
        await inbox.put(_with("b"))

    assert "queue_full" == full.value.code
    inbox.start()
    assert await waiting
    await inbox.stop()


async def test_row_that_breaks_its_batch_is_parked_alone(
    database: Database, inbox: Inbox, logs: LogCapture
) -> None:
    """One delivery that nobody can apply does not stop those before and behind it."""
    for key, body in (("a", b"{}"), ("b", b"poison"), ("c", b"{}")):
        await inbox.put(_with(key, body))

    assert 3 == await drain(database, _apply)

    assert [
        ("a", "APPLIED", "fine"),
        ("b", "PARKED", "defect: ZeroDivisionError"),
        ("c", "APPLIED", "fine"),
    ] == await _rows(database, "select dedupe_key, state, reason from headrace.inbox order by 1")
    assert 0 == await drain(database, _apply)
    ((seq,),) = await _rows(database, "select seq from headrace.inbox where dedupe_key = 'b'")
    assert [(seq, "ZeroDivisionError")] == [
        (entry["seq"], entry["error"]) for entry in logs.entries if entry["event"] == "inbox.parked"
    ]


async def test_row_that_is_too_large_is_no_outage(database: Database, inbox: Inbox) -> None:
    """PostgreSQL files it under the errors that pass; the consumer would try it for ever."""

    async def apply(connection: Connection, rows: Sequence[Row]) -> list[Verdict]:
        await connection.execute(b"select repeat('x', 2000000000)")
        return await _apply(connection, rows)

    await inbox.put(_DELIVERY)
    assert 1 == await drain(database, apply)

    assert [("PARKED", "defect: DataError")] == await _rows(
        database, "select state, reason from headrace.inbox"
    )


async def test_row_that_another_worker_could_apply_is_not_parked(
    database: Database, inbox: Inbox, logs: LogCapture
) -> None:
    """After its failure a row is anybody's; whoever applies it is right, and no other is parked."""
    broke: list[int] = []
    begin = database.transaction

    async def apply(connection: Connection, rows: Sequence[Row]) -> list[Verdict]:
        broke.extend(row.seq for row in rows if len(rows) == 1 and row.body == b"poison")
        return await _apply(connection, rows)

    @asynccontextmanager
    async def overtaken() -> AsyncIterator[Connection]:
        if broke:
            sql = "update headrace.inbox set state = 'IGNORED' where body = 'poison' returning 1"
            await _rows(database, sql)
        async with begin() as connection:
            yield connection

    for key, body in (("a", b"poison"), ("b", b"{}")):
        await inbox.put(_with(key, body))
    database.transaction = overtaken  # type: ignore[method-assign] # an interleaving
    await drain(database, apply)

    assert [("a", "IGNORED"), ("b", "APPLIED")] == await _rows(
        database, "select dedupe_key, state from headrace.inbox order by 1"
    )
    assert 1 == len(broke)
    assert "inbox.parked" not in {entry["event"] for entry in logs.entries}


async def _until_blocked(database: Database) -> None:
    """Return when some connection waits for a row of another."""
    sql = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while [(0,)] == await _rows(database, sql):
            pass


async def test_keys_are_locked_in_the_same_order_everywhere(url: str, database: Database) -> None:
    """A batch that waits for a key holds none that comes later; so no two wait in a circle."""
    inbox = Inbox(database, queue=10)
    putting = [asyncio.ensure_future(inbox.put(_with(key))) for key in ("c", "b", "a")]
    insert = (
        "insert into headrace.inbox (tenant, system, dedupe_key, body, traceparent)"
        " values ('acme', 'stripe', %s, '', '')"
    )
    other = await psycopg.AsyncConnection.connect(url)
    async with other:
        await other.execute("set lock_timeout = '500ms'")
        await other.execute(insert, ("b",))
        await asyncio.sleep(0)
        inbox.start()
        await _until_blocked(database)

        await other.execute(insert, ("c",))

    assert [False, False, True] == [await one for one in putting]
    await inbox.stop()


async def test_deadlock_is_tried_once_more(url: str, database: Database) -> None:
    """Whom PostgreSQL picks as the victim of a deadlock writes again, and nobody hears of it."""
    inbox = Inbox(database, queue=10)
    putting = [asyncio.ensure_future(inbox.put(_with(key))) for key in ("a", "b")]
    insert = (
        "insert into headrace.inbox (tenant, system, dedupe_key, body, traceparent)"
        " values ('acme', 'stripe', %s, '', '') on conflict do nothing"
    )
    other = await psycopg.AsyncConnection.connect(url)
    async with other:
        await other.execute("set deadlock_timeout = '1min'")
        await other.execute(insert, ("b",))
        await asyncio.sleep(0)
        inbox.start()
        await _until_blocked(database)
        await other.execute(insert, ("a",))

    assert [False, False] == [await one for one in putting]
    await inbox.stop()


async def test_row_knows_its_key(database: Database, inbox: Inbox) -> None:
    """Events that share a body are told apart by it."""
    seen: list[str] = []

    async def apply(connection: Connection, rows: Sequence[Row]) -> list[Verdict]:
        seen.extend(row.dedupe_key for row in rows)
        return await _apply(connection, rows)

    await asyncio.gather(*(inbox.put(_with(key, b"both")) for key in ("a", "b")))
    await drain(database, apply)

    assert ["a", "b"] == sorted(seen)


@pytest.mark.parametrize("event_id", ["", "evt_\x00", "evt_é", "e" * 256])
def test_id_that_postgresql_could_not_keep_is_hashed(event_id: str) -> None:
    """Nobody chooses a key that cannot be stored or indexed; a plain one stays readable."""
    assert "evt_1" == dedupe_key("evt_1")
    assert 64 == len(dedupe_key(event_id))
    assert dedupe_key(event_id).isalnum()


async def test_row_that_is_to_wait_is_not_due(database: Database, inbox: Inbox) -> None:
    """Later is later, and counted."""

    async def later(_connection: Connection, rows: Sequence[Row]) -> list[Verdict]:
        return [Verdict(seq=row.seq, state="NEW", again_in_s=3600.0) for row in rows]

    await inbox.put(_DELIVERY)

    assert [1, 0] == [await drain(database, later), await drain(database, later)]
    assert [("NEW", 1)] == await _rows(database, "select state, tries from headrace.inbox")


async def test_two_drains_share_the_rows(database: Database, inbox: Inbox) -> None:
    """What one consumer holds the other passes over."""
    for number in range(4):
        await inbox.put(_with(str(number)))
    seen: list[int] = []

    async def nested(connection: Connection, rows: Sequence[Row]) -> list[Verdict]:
        seen.append(await drain(database, _apply))
        return await _apply(connection, rows)

    assert 4 == await drain(database, nested)
    assert [0] == seen


async def test_outage_is_the_consumers_to_wait_for(database: Database, inbox: Inbox) -> None:
    """PostgreSQL going away parks no row."""

    async def away(_connection: Connection, _rows: Sequence[Row]) -> list[Verdict]:
        raise psycopg.OperationalError("gone")

    await inbox.put(_DELIVERY)
    with pytest.raises(psycopg.OperationalError):
        await drain(database, away)

    assert [("NEW", 0)] == await _rows(database, "select state, tries from headrace.inbox")
