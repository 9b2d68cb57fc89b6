"""Expiry: what is over by the calendar says so, without anybody asking.

Payment methods whose last day is over, and mandates that were not used for 36 months.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import structlog

from gateway.kit.sepa.mandates import LAPSE_MONTHS
from gateway.model import codec
from gateway.model.event import Event
from gateway.model.mandate import Mandate
from gateway.model.payment_method import PaymentMethod, PaymentMethodState
from gateway.policy import mandating, storing
from gateway.runtime.chores import repeat
from gateway.runtime.database import Database
from gateway.runtime.documents import Unit

_log = structlog.get_logger()
_BATCH: Final = 200
_YEARS: Final = LAPSE_MONTHS // 12
# What another worker has in hand it finishes.
_METHODS: Final = """
select tenant, body::text from headrace.document
where kind = 'payment_method' and state = 'ACTIVE' and body->>'expires' <> ''
 and body->>'expires' < %s order by body->>'expires' limit %s for no key update skip locked"""
# Only mandates of our own bank accounts: what a provider holds it expires itself.
_MANDATES: Final = """
select tenant, body::text from headrace.document
where kind = 'mandate' and state in ('PENDING', 'ACTIVE', 'SUSPENDED') and body->>'account' <> ''
 and coalesce(body->>'last_used_at', body->>'signed_at') < %s
order by id limit %s for no key update skip locked"""


class _Over(NamedTuple):
    """A thing whose time is over."""

    kind: str
    key: str
    thing: PaymentMethod | Mandate
    told: Sequence[Event]


_Judge = Callable[[str, datetime], _Over | None]


async def expire(database: Database, *, now: datetime) -> int:
    """Expire what is due, batch by batch; how many there were."""
    today = now.date()
    # Compared as text, so that 36 months before the end of a month need not be a day.
    unused = f"{today.year - _YEARS}-{today:%m-%d}"
    methods = await _expire_all(database, _METHODS, today.isoformat(), _method, now)
    return methods + await _expire_all(database, _MANDATES, unused, _mandate, now)


async def _expire_all(
    database: Database, due: str, before: str, judge: _Judge, now: datetime
) -> int:
    total = 0
    while True:
        count = await _expire_batch(database, due, before, judge, now)
        total += count
        if count < _BATCH:
            return total


async def _expire_batch(
    database: Database, due: str, before: str, judge: _Judge, now: datetime
) -> int:
    count = 0
    async with database.transaction() as connection:
        found = await connection.execute(due.encode(), (before, _BATCH))
        for tenant, body in await found.fetchall():
            over = judge(body, now)
            if over is None:
                continue
            unit = Unit(
                connection, tenant=tenant, business_id=over.key, traceparent="", causation_id=""
            )
            state = over.thing.state.value
            await unit.save(over.kind, over.key, state, over.thing, over.told)
            count += 1
    return count


def _method(body: str, now: datetime) -> _Over | None:
    method = codec.decode(body, PaymentMethod)
    if storing.as_of(method, now).state is not PaymentMethodState.EXPIRED:
        return None
    expired, told = storing.expire(method)
    return _Over("payment_method", expired.payment_method_id, expired, told)


def _mandate(body: str, now: datetime) -> _Over:
    mandate = codec.decode(body, Mandate)
    lapsed = mandating.as_of(mandate, now.date())
    return _Over("mandate", lapsed.mandate_id, lapsed, mandating.news(mandate, lapsed))


async def expire_for_ever(database: Database, stop: asyncio.Event, every_s: float = 3_600) -> None:
    """Expire until told to stop."""
    await repeat("expiry.broke", lambda: expire(database, now=datetime.now(UTC)), stop, every_s)
