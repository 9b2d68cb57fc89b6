"""Take a payment that belongs to no order, until it is authorised, collected or refused."""

from typing import Final

from gateway.errors import Rejected
from gateway.flows.attempt_payment import (
    attempt_payment,
    await_payment,
    end_payment,
    forget_account,
    load_payment,
    provider_of,
    routed,
)
from gateway.model.payment import CaptureMethod, Payment, PaymentFailure
from gateway.policy import attempting, collecting
from gateway.runtime.documents import Unit
from gateway.runtime.story import CancelRequested, Story

KIND: Final = "take_payment"
QUEUE: Final = "interactive"


async def take_payment(story: Story) -> str:
    """Bring one payment as far as its provider brings it; what follows are flows of their own."""
    try:
        await _take(story)
    except Rejected as error:
        await _refuse(story, error.code)
    except CancelRequested:
        return await _give_up(story)
    return "COMPLETED"


async def _take(story: Story) -> None:
    async def prepare(unit: Unit) -> Payment:
        intended = await load_payment(unit, story.business_id)
        prepared = await routed(story, unit, intended)
        await unit.save("payment", prepared.payment_id, prepared.state.value, prepared)
        return prepared

    payment = await story.record("payment.prepare", prepare, returns=Payment)
    payment = await attempt_payment(story, payment)
    if provider_of(story, payment).adapter.by_hand:
        return  # whoever receives the money says so; it may take months
    if payment.capture_method is CaptureMethod.MANUAL:
        await await_payment(story, payment, "authorised", collecting.AUTHORISED)
    else:
        await await_payment(story, payment, "ended", collecting.ENDED)


async def _give_up(story: Story) -> str:
    """End a payment that an operator does not want any more, unless it was collected."""
    story.heeds_cancel = False
    payment = await story.record(
        "payment.cancelling", lambda unit: load_payment(unit, story.business_id), returns=Payment
    )
    number = len(payment.attempts)
    if not number or attempting.step_of(number) not in story.steps:
        await _refuse(story, "cancelled_by_operator")
        return "CANCELLED"
    if payment.state in collecting.ENDED:
        return "COMPLETED"
    payment = await end_payment(story, payment, "cancelled_by_operator")
    return "COMPLETED" if payment.state in collecting.CAPTURED else "CANCELLED"


async def _refuse(story: Story, code: str) -> None:
    """Record that nobody takes the payment, or that its provider refused to."""

    async def change(unit: Unit) -> None:
        payment = await load_payment(unit, story.business_id)
        changed, events = attempting.not_executed(payment, PaymentFailure(code=code))
        await unit.save("payment", changed.payment_id, changed.state.value, changed, events)
        await forget_account(unit, changed)

    await story.record("payment.refused", change, returns=None)
