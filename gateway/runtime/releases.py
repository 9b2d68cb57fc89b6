"""Releases: members' money becomes available on its day, without anybody asking."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from gateway.model.payment import Payment
from gateway.runtime import ledger
from gateway.runtime.chores import repeat
from gateway.runtime.database import Database
from gateway.runtime.documents import Unit

_BATCH: Final = 100
# Locked in the order in which everybody locks payments.
_DUE: Final = """
select tenant, payment_id from (
 select h.tenant, h.payment_id from headrace.ledger_hold h join headrace.document d
  on d.tenant = h.tenant and d.kind = 'payment' and d.id = h.payment_id
 where h.releases_on <= %s order by h.releases_on limit %s) due order by tenant, payment_id"""


async def release(database: Database, *, now: datetime) -> int:
    """Release what is due, batch by batch; how many payments there were."""
    total = 0
    while True:
        count = await _release_batch(database, now)
        total += count
        if count < _BATCH:
            return total


async def _release_batch(database: Database, now: datetime) -> int:
    async with database.transaction() as connection:
        found = await connection.execute(_DUE, (now.date(), _BATCH))
        due = await found.fetchall()
        for tenant, key in due:
            unit = Unit(connection, tenant=tenant, business_id=key, traceparent="", causation_id="")
            payment = await unit.load("payment", key, Payment)
            if payment is not None:
                # Another worker may have come first: then there is nothing left to be booked.
                await ledger.book_payment(connection, tenant, payment, today=now.date())
    return len(due)


async def release_for_ever(database: Database, stop: asyncio.Event, every_s: float = 3_600) -> None:
    """Release until told to stop."""
    await repeat("release.broke", lambda: release(database, now=datetime.now(UTC)), stop, every_s)
