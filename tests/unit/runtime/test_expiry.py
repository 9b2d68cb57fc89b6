"""Expiry: what is over says so once, and nothing else does."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway.model import codec
from gateway.model.mandate import Mandate, MandateState
from gateway.model.payment_method import PaymentMethod
from gateway.policy import storing
from gateway.runtime import expiry
from gateway.runtime.database import Database
from gateway.runtime.documents import Unit

_NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def _keep(database: Database, key: str, expires: str, *, revoked: bool = False) -> None:
    method = PaymentMethod(
        payment_method_id=key,
        provider="stripe",
        method_code="card",
        token="pm_1",
        customer_id="C-1",
        expires=expires,
        added_at="2026-01-01T00:00:00+00:00",
    )
    if revoked:
        method, _ = storing.revoke(method)
    async with database.transaction() as connection:
        unit = Unit(connection, tenant="acme", business_id=key, traceparent="", causation_id="")
        await unit.insert("payment_method", key, method.state.value, method)


async def _ended(database: Database) -> list[str]:
    async with database.connection() as connection:
        found = await connection.execute(
            "select body::text from headrace.document where state = 'EXPIRED' order by id"
        )
        methods = [codec.decode(row[0], PaymentMethod) for row in await found.fetchall()]
    assert {"EXPIRED"} >= {one.state.value for one in methods}
    return [one.payment_method_id for one in methods]


async def test_what_is_over_expires_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches, with one event each; what was revoked stays so."""
    monkeypatch.setattr(expiry, "_BATCH", 2)
    for number in range(5):
        await _keep(database, f"over-{number}", "2026-11-22")
    await _keep(database, "later", "2026-11-23")
    await _keep(database, "never", "")
    await _keep(database, "revoked", "2026-01-01", revoked=True)

    early = datetime(2026, 11, 23, 11, 59, tzinfo=UTC)
    counts = [await expiry.expire(database, now=now) for now in (early, _NOW, _NOW)]

    assert [0, 5, 0] == counts
    assert [f"over-{number}" for number in range(5)] == await _ended(database)
    async with database.connection() as connection:
        found = await connection.execute("select type, count(*) from headrace.outbox group by 1")
        assert [("headrace.payment_method.expired.v1", 5)] == await found.fetchall()


async def _sign(database: Database, key: str, **fields: Any) -> None:
    known: dict[str, Any] = {
        "mandate_id": key,
        "account": "main",
        "creditor_id": "DE98ZZZ09999999999",
        "debtor_name": "Erika Mustermann",
        "iban": "DE89370400440532013000",
        "signed_at": date(2023, 11, 22),
        "signature_type": "paper",
        "state": MandateState.ACTIVE,
    }
    mandate = Mandate(**known | fields)
    async with database.transaction() as connection:
        unit = Unit(connection, tenant="acme", business_id=key, traceparent="", causation_id="")
        await unit.insert("mandate", key, mandate.state.value, mandate)


async def test_mandates_that_nobody_used_expire_once(database: Database) -> None:
    """36 months after the last collection, else the signature; each is told once."""
    before = date(2023, 11, 22)
    await _sign(database, "unused")
    await _sign(database, "long-ago", signed_at=date(2010, 1, 1), last_used_at=before)
    await _sign(database, "suspended", state=MandateState.SUSPENDED)
    await _sign(database, "to-the-day", signed_at=date(2023, 11, 23))
    await _sign(database, "used", last_used_at=date(2026, 1, 1))
    await _sign(database, "revoked", state=MandateState.REVOKED)
    await _sign(database, "elsewhere", account="")

    counts = [await expiry.expire(database, now=_NOW) for _ in range(2)]

    assert [3, 0] == counts
    async with database.connection() as connection:
        found = await connection.execute(
            "select id, body->>'state' from headrace.document where state = 'EXPIRED' order by id"
        )
        expired = await found.fetchall()
        told = await connection.execute("select type, aggregate_id from headrace.outbox order by 2")
        events = await told.fetchall()
    over = ["long-ago", "suspended", "unused"]
    assert [(key, "EXPIRED") for key in over] == expired
    assert [("headrace.mandate.expired.v1", key) for key in over] == events


async def test_last_day_of_february(database: Database) -> None:
    """36 months after it is the 28th, and the day after it the mandate is over."""
    await _sign(database, "leap", signed_at=date(2024, 2, 29))
    counts = [
        await expiry.expire(database, now=datetime(2027, month, day, 12, tzinfo=UTC))
        for month, day in ((2, 28), (3, 1))
    ]

    assert [0, 1] == counts


async def test_worker_expires_until_it_is_stopped(database: Database) -> None:
    """At once when it starts, and no outage ends it."""
    await _keep(database, "over", "2020-01-01")
    stop = asyncio.Event()
    running = asyncio.create_task(expiry.expire_for_ever(database, stop, every_s=0.001))

    async with asyncio.timeout(20):
        while not await _ended(database):  # noqa: ASYNC110 - rows of PostgreSQL tell nobody
            await asyncio.sleep(0.01)
    stop.set()
    await running
