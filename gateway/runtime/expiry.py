"""Expiry: payment methods whose last day is over say so, without anybody asking."""

import asyncio
from datetime import UTC, datetime
from typing import Final

import psycopg
import structlog

from gateway.model import codec
from gateway.model.payment_method import PaymentMethod, PaymentMethodState
from gateway.policy import storing
from gateway.runtime.database import OUTAGES, Database
from gateway.runtime.documents import Unit

_log = structlog.get_logger()
_BATCH: Final = 200
# What another worker has in hand it finishes.
_DUE: Final = """
select tenant, body::text from headrace.document
where kind = 'payment_method' and state = 'ACTIVE' and body->>'expires' <> ''
 and body->>'expires' < %s order by body->>'expires' limit %s for no key update skip locked"""


async def expire(database: Database, *, now: datetime) -> int:
    """Expire what is due, batch by batch; how many there were."""
    total = 0
    while True:
        count = await _expire_batch(database, now)
        total += count
        if count < _BATCH:
            return total


async def _expire_batch(database: Database, now: datetime) -> int:
    count = 0
    async with database.transaction() as connection:
        found = await connection.execute(_DUE, (now.date().isoformat(), _BATCH))
        for tenant, body in await found.fetchall():
            method = codec.decode(body, PaymentMethod)
            if storing.as_of(method, now).state is not PaymentMethodState.EXPIRED:
                continue
            expired, events = storing.expire(method)
            key = expired.payment_method_id
            unit = Unit(connection, tenant=tenant, business_id=key, traceparent="", causation_id="")
            await unit.save("payment_method", key, expired.state.value, expired, events)
            count += 1
    return count


async def expire_for_ever(database: Database, stop: asyncio.Event, every_s: float = 3_600) -> None:
    """Expire until told to stop. Nothing that goes wrong here may end the worker."""
    while not stop.is_set():
        try:
            await expire(database, now=datetime.now(UTC))
        except OUTAGES:
            pass  # the next time finds the same ones
        except psycopg.Error as error:
            _log.error("expiry.broke", error=type(error).__name__, code=error.sqlstate)
        try:
            await asyncio.wait_for(stop.wait(), every_s)
        except TimeoutError:
            continue
