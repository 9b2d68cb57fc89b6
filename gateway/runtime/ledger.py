"""The ledger: what of the money at providers is whose, in entries that sum to zero.

It mirrors what lies at providers and holds nothing itself. Whoever books has the thing locked that
is booked for, so what was booked for it before is known for sure.
"""

from collections.abc import Sequence
from datetime import UTC, date

from gateway.model.money import Money
from gateway.model.payment import Payment
from gateway.model.wallet import Account, Bucket, Owner, Wallet, WalletEntry
from gateway.policy import booking
from gateway.policy.booking import Books
from gateway.runtime.database import Connection


async def book(connection: Connection, tenant: str, kind: str, key: str, target: Books) -> None:
    """Bring the books of a thing to what it comes to now.

    Args:
        kind: ``payment``, ``payout`` or ``transfer``.
        key: Its id.
    """
    found = await connection.execute(
        "select p.owner, p.name, p.bucket, p.currency, sum(p.minor)::bigint"
        " from headrace.ledger_entry e join headrace.ledger_posting p using (entry_id)"
        " where e.tenant = %s and e.kind = %s and e.id = %s group by 1, 2, 3, 4",
        (tenant, kind, key),
    )
    booked = {Account(*names): minor for *names, minor in await found.fetchall()}
    missing = booking.difference(target, booked)
    if not missing:
        return
    rows = [(one.owner, one.name, one.bucket, one.currency, missing[one]) for one in missing]
    owners, names, buckets, currencies, minors = (list(each) for each in zip(*rows, strict=True))
    await connection.execute(
        "with entry as (insert into headrace.ledger_entry (tenant, kind, id)"
        " values (%s, %s, %s) returning entry_id)"
        " insert into headrace.ledger_posting"
        " (entry_id, tenant, owner, name, bucket, currency, minor)"
        " select entry_id, %s, o, n, b, c, m from entry, unnest(%s::text[], %s::text[],"
        " %s::text[], %s::text[], %s::bigint[]) as p (o, n, b, c, m)",
        (tenant, kind, key, tenant, owners, names, buckets, currencies, minors),
    )


async def book_payment(
    connection: Connection, tenant: str, payment: Payment, *, today: date
) -> None:
    """Book a payment, and remember when its parts become available."""
    target = booking.of_payment(payment, today=today)
    await book(connection, tenant, "payment", payment.payment_id, target)
    if any(one.bucket == Bucket.PENDING for one in target):
        await connection.execute(
            "insert into headrace.ledger_hold (tenant, payment_id, releases_on)"
            " values (%s, %s, %s) on conflict (tenant, payment_id)"
            " do update set releases_on = excluded.releases_on",
            (tenant, payment.payment_id, booking.releases_on(payment)),
        )
    else:
        await connection.execute(
            "delete from headrace.ledger_hold where tenant = %s and payment_id = %s",
            (tenant, payment.payment_id),
        )


async def wallet(connection: Connection, tenant: str, member_id: str) -> Wallet:
    """What a member has."""
    found = await connection.execute(
        "select bucket, currency, sum(minor)::bigint from headrace.ledger_posting"
        " where tenant = %s and owner = %s and name = %s group by 1, 2",
        (tenant, Owner.MEMBER.value, member_id),
    )
    books = {
        Account(Owner.MEMBER.value, member_id, bucket, currency): minor
        for bucket, currency, minor in await found.fetchall()
    }
    return booking.wallet(member_id, books)


async def entries(
    connection: Connection, tenant: str, member_id: str, *, before: int, limit: int
) -> Sequence[WalletEntry]:
    """How a wallet came to what it is, the newest first.

    Args:
        before: Only entries with a smaller number; zero for all.
    """
    found = await connection.execute(
        "select e.entry_id, e.kind, e.id, e.booked_at, p.currency, p.available::bigint,"
        " p.pending::bigint, p.reserved::bigint from ("
        "  select entry_id, currency,"
        "   coalesce(sum(minor) filter (where bucket = 'AVAILABLE'), 0) as available,"
        "   coalesce(sum(minor) filter (where bucket = 'PENDING'), 0) as pending,"
        "   coalesce(sum(minor) filter (where bucket = 'RESERVED'), 0) as reserved"
        "  from headrace.ledger_posting where tenant = %s and owner = %s and name = %s"
        "   and (%s = 0 or entry_id < %s) group by 1, 2 order by 1 desc limit %s"
        " ) p join headrace.ledger_entry e using (entry_id) order by 1 desc",
        (tenant, Owner.MEMBER.value, member_id, before, before, limit),
    )
    return [
        WalletEntry(
            entry_id=str(entry_id),
            kind=kind,
            id=key,
            booked_at=booked_at.astimezone(UTC).isoformat(),
            available=Money(available, currency),
            pending=Money(pending, currency),
            reserved=Money(reserved, currency),
        )
        for entry_id, kind, key, booked_at, currency, available, pending, reserved in (
            await found.fetchall()
        )
    ]
