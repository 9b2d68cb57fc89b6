"""Following: what a change of money means for members, in the same transaction."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from gateway.model.identifiers import new_id
from gateway.model.payment import Payment
from gateway.model.payout import Payout
from gateway.model.split import SplitMode
from gateway.model.transfer import MemberTransfer
from gateway.model.wallet import WALLETS
from gateway.policy import booking, sharing
from gateway.runtime import engine, ledger

if TYPE_CHECKING:
    from gateway.runtime.documents import Unit

DISTRIBUTE: Final = "distribute_payment"
QUEUE: Final = "interactive"


async def follow(unit: "Unit", before: object, now: object) -> None:
    """Bring what members have of a payment, payout or transfer to what it is now.

    Args:
        before: The thing as this transaction found it; None where nobody looked.
    """
    if isinstance(now, Payment):
        if sharing.is_due(before if isinstance(before, Payment) else None, now):
            await distribute(unit, now)
        if now.split_mode is SplitMode.WALLET:
            today = datetime.now(UTC).date()
            await ledger.book_payment(unit.connection, unit.tenant, now, today=today)
    elif isinstance(now, Payout) and now.wallet:
        books = booking.of_payout(now)
        await ledger.book(unit.connection, unit.tenant, "payout", now.payout_id, books)
    elif isinstance(now, MemberTransfer) and now.provider == WALLETS:
        books = booking.of_transfer(now)
        await ledger.book(unit.connection, unit.tenant, "transfer", now.transfer_id, books)


async def distribute(unit: "Unit", payment: Payment) -> None:
    """Start the flow that makes the transfers of the parts; starting it again changes nothing."""
    await engine.start(
        unit.connection,
        kind=DISTRIBUTE,
        queue=QUEUE,
        tenant=unit.tenant,
        business_id=f"{payment.payment_id}:{new_id()}",
        subject=payment.business_id,
        mapping_set=unit.mapping_set,
        traceparent=unit.traceparent,
    )
