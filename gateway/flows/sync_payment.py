"""Read a payment back: a provider said that something changed, and nobody vouches for what.

Such a hint is taken for nothing but a reason to look (ADR 0024).
"""

from gateway.errors import InDoubt
from gateway.flows.attempt_payment import apply_answers, load_payment, provider_of, wake
from gateway.flows.resolve_dispute import read_disputes
from gateway.model.order import Order
from gateway.model.payment import Payment, ProviderPayment
from gateway.model.split import SplitMode
from gateway.policy import collecting, ordering
from gateway.runtime import following
from gateway.runtime.documents import Unit
from gateway.runtime.story import Story

KIND = "sync_payment"
QUEUE = "webhook"


async def sync_payment(story: Story) -> str:
    """Bring a payment to what its provider says of it now.

    Raises:
        InDoubt: Money came for an order that had ended; a person has to give it back.
    """
    payment_id, _, _ = story.business_id.partition(":")
    # As it is now, however often this is run: more may have been authorised since.
    before = await story.look("payment.read", lambda unit: load_payment(unit, payment_id))
    found = await story.call(
        "payments.find_payment",
        provider_of(story, before),
        lambda port, _key: port.find_payment(before),
        returns=ProviderPayment | None,
    )
    if found is None:
        return "COMPLETED"

    async def change(unit: Unit) -> bool:
        known = await load_payment(unit, payment_id)
        payment = await apply_answers(unit, payment_id, found)
        await wake(unit.connection, payment)
        order = await unit.load("order", payment.order_id, Order) if payment.order_id else None
        ended = order is not None and order.state in ordering.GIVEN_UP
        return ended and collecting.kept(payment) > collecting.kept(known)

    if await story.record("payment.found", change, returns=bool):
        raise InDoubt("Money came after the order had ended.", code="charged_after_end")
    after = await story.record(
        "payment.read.after", lambda unit: load_payment(unit, payment_id), returns=Payment
    )
    await read_disputes(story, after)
    if after.split_mode is SplitMode.AFTER_PAYMENT:
        # What was refused once may be possible now.
        await story.record(
            "payment.shared", lambda unit: following.distribute(unit, after), returns=None
        )
    return "COMPLETED"
