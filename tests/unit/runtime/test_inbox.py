"""The inbox: every delivery one row, and no row stops another."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import psycopg
import pytest

from gateway.errors import Unavailable
from gateway.runtime.database import Connection, Database
from gateway.runtime.inbox import Delivery, Inbox, Row, Verdict, drain

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


async def test_row_that_breaks_its_batch_is_parked_alone(database: Database, inbox: Inbox) -> None:
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
