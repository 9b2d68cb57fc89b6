"""Expiry: what is over says so once, and nothing else does."""

import asyncio
from datetime import UTC, datetime

import pytest

from gateway.model import codec
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
