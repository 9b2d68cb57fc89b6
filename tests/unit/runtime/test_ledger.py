"""The ledger: entries sum to zero and stay; what is booked again changes nothing."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import msgspec
import psycopg
import pytest

from gateway.model import codec
from gateway.model.member import Member
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, Payment
from gateway.model.split import PLATFORM, Split, SplitKind, SplitMode
from gateway.model.wallet import Account, Owner
from gateway.runtime import ledger, releases
from gateway.runtime.database import Database
from gateway.runtime.documents import Unit

_TENANT = "acme"
_EARLY = date(2026, 1, 2)
_FINAL = datetime(2026, 5, 1, tzinfo=UTC)


def _eur(minor: int) -> Money:
    return Money(minor, "EUR")


def _payment(number: int = 1, captured: int = 1_000, refunded: int = 0) -> Payment:
    return Payment(
        payment_id=f"pay-{number}",
        amount=_eur(1_000),
        method_code="card",
        capture_method=CaptureMethod.AUTOMATIC,
        requested_at="2026-01-01T00:00:00+00:00",
        provider="paypal",
        captured=_eur(captured),
        refunded=_eur(refunded),
        returned=_eur(0),
        disputed=_eur(0),
        final_at="2026-05-01",
        split_mode=SplitMode.WALLET,
        wallet_splits=(
            Split(party="M-1", amount=_eur(900)),
            Split(party=PLATFORM, kind=SplitKind.REMAINDER),
        ),
    )


async def _book(database: Database, payment: Payment, today: date = _EARLY) -> None:
    async with database.transaction() as connection:
        await ledger.book_payment(connection, _TENANT, payment, today=today)


async def _has(database: Database, member: str = "M-1") -> list[tuple[int, int, int, int]]:
    async with database.connection() as connection:
        found = await ledger.wallet(connection, _TENANT, member)
    return [
        (one.available.minor, one.pending.minor, one.reserved.minor, one.debt.minor)
        for one in found.balances
    ]


async def _count(database: Database, table: str) -> int:
    sql = f"select count(*) from headrace.{table}"  # noqa: S608 - names of ours
    async with database.connection() as connection:
        found = await connection.execute(sql)  # type: ignore[arg-type] # names of ours
        row = await found.fetchone()
    return int(row[0]) if row else 0


async def test_booking_again_changes_nothing(database: Database) -> None:
    """One entry for what is new; another tenant and another member have nothing."""
    for _ in range(2):
        await _book(database, _payment())
    await _book(database, _payment(refunded=500))

    assert [(0, 450, 0, 0)] == await _has(database)
    assert 2 == await _count(database, "ledger_entry")
    assert [] == await _has(database, "M-2")


async def test_entry_that_does_not_sum_to_zero_is_refused(database: Database) -> None:
    """By PostgreSQL, whoever writes it; per currency."""
    account = Account(Owner.PLATFORM.value, "", "", "EUR")
    yen = msgspec.structs.replace(account, currency="JPY")
    for target in ({account: 5}, {account: 5, yen: -5}):
        with pytest.raises(psycopg.errors.CheckViolation):
            async with database.transaction() as connection:
                await ledger.book(connection, _TENANT, "payment", "x", target)

    assert 0 == await _count(database, "ledger_entry")


@pytest.mark.parametrize(
    "sql",
    [
        "update headrace.ledger_posting set minor = minor * 2",
        "delete from headrace.ledger_posting",
        "update headrace.ledger_entry set id = 'other'",
    ],
)
async def test_entries_stay(database: Database, sql: str) -> None:
    """A wrong one is followed by another."""
    await _book(database, _payment())
    with pytest.raises(psycopg.errors.RestrictViolation):
        async with database.transaction() as connection:
            await connection.execute(sql)  # type: ignore[arg-type] # literals

    assert [(0, 900, 0, 0)] == await _has(database)


async def test_money_is_released_on_its_day_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches; what was given back meanwhile is gone."""
    monkeypatch.setattr(releases, "_BATCH", 2)
    for number in range(3):
        payment = _payment(number)
        async with database.transaction() as connection:
            unit = Unit(
                connection, tenant=_TENANT, business_id="x", traceparent="", causation_id=""
            )
            await unit.insert("payment", payment.payment_id, payment.state.value, payment)
        await _book(database, payment)
    await _book(database, _payment(2, refunded=1_000))

    early = await releases.release(database, now=datetime(2026, 4, 30, 23, 59, tzinfo=UTC))
    before = await _has(database)
    count = await releases.release(database, now=_FINAL)
    again = await releases.release(database, now=_FINAL)

    assert (0, 2, 0) == (early, count, again)
    assert ([(0, 1_800, 0, 0)], [(1_800, 0, 0, 0)]) == (before, await _has(database))
    assert 0 == await _count(database, "ledger_hold")


async def test_worker_releases_until_it_is_stopped(database: Database) -> None:
    """At once when it starts."""
    payment = _payment()
    async with database.transaction() as connection:
        unit = Unit(connection, tenant=_TENANT, business_id="x", traceparent="", causation_id="")
        await unit.insert("payment", payment.payment_id, payment.state.value, payment)
        before = _EARLY - timedelta(days=1)
        early = msgspec.structs.replace(payment, release_on=_EARLY.isoformat())
        await ledger.book_payment(connection, _TENANT, early, today=before)
        await unit.connection.execute(
            "update headrace.document set body = %s", (codec.encode(early).decode(),)
        )
    stop = asyncio.Event()
    running = asyncio.create_task(releases.release_for_ever(database, stop, every_s=0.001))

    async with asyncio.timeout(20):
        while await _has(database) != [(900, 0, 0, 0)]:  # noqa: ASYNC110 - rows of PostgreSQL tell nobody
            await asyncio.sleep(0.01)
    stop.set()
    await running


async def test_entries_are_listed_by_pages(database: Database) -> None:
    """The newest first, each with what it changed."""
    for refunded in (0, 100, 200):
        await _book(database, _payment(refunded=refunded))
    async with database.connection() as connection:
        first = await ledger.entries(connection, _TENANT, "M-1", before=0, limit=2)
        before = int(first[-1].entry_id)
        rest = await ledger.entries(connection, _TENANT, "M-1", before=before, limit=2)

    assert [-90, -90, 900] == [one.pending.minor for one in (*first, *rest)]
    assert {("payment", "pay-1")} == {(one.kind, one.id) for one in (*first, *rest)}


async def test_wallet_of_a_member_without_money_is_empty(database: Database) -> None:
    """There is nothing to be shown, in no currency."""
    async with database.connection() as connection:
        found = await ledger.wallet(connection, _TENANT, Member(member_id="M-9").member_id)

    assert ("M-9", ()) == (found.member_id, found.balances)
