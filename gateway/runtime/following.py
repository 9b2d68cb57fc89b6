"""Following: what a change of a payment's money starts for others, in the same transaction."""

from typing import TYPE_CHECKING, Final

from gateway.model.identifiers import new_id
from gateway.model.payment import Payment
from gateway.policy import sharing
from gateway.runtime import engine

if TYPE_CHECKING:
    from gateway.runtime.documents import Unit

DISTRIBUTE: Final = "distribute_payment"
QUEUE: Final = "interactive"


async def follow(unit: "Unit", before: Payment | None, now: Payment) -> None:
    """Start what brings the parts of the payment to what they are now.

    Args:
        before: The payment as this transaction found it; None where nobody looked.
    """
    if sharing.is_due(before, now):
        await distribute(unit, now)


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
