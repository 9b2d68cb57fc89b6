"""Take a payment that belongs to no order, until it is authorised, collected or refused."""

from gateway.errors import Rejected
from gateway.flows.attempt_payment import (
    attempt_payment,
    await_payment,
    load_payment,
    routed,
)
from gateway.model.payment import CaptureMethod, Payment, PaymentFailure
from gateway.policy import attempting, collecting
from gateway.runtime.documents import Unit
from gateway.runtime.story import Story

KIND = "take_payment"
QUEUE = "interactive"


async def take_payment(story: Story) -> str:
    """Bring one payment as far as its provider brings it; what follows are flows of their own."""

    async def prepare(unit: Unit) -> Payment:
        intended = await load_payment(unit, story.business_id)
        if intended.attempts:
            return intended
        prepared = routed(story, intended)
        await unit.save("payment", prepared.payment_id, prepared.state.value, prepared)
        return prepared

    try:
        payment = await story.record("payment.prepare", prepare, returns=Payment)
        payment = await attempt_payment(story, payment)
    except Rejected as error:
        failure = PaymentFailure(code=error.code)
        await story.record("payment.refused", lambda unit: _refuse(unit, failure), returns=Payment)
        return "COMPLETED"
    if payment.capture_method is CaptureMethod.MANUAL:
        await await_payment(story, payment, "authorised", collecting.AUTHORISED)
    else:
        await await_payment(story, payment, "ended", collecting.ENDED)
    return "COMPLETED"


async def _refuse(unit: Unit, failure: PaymentFailure) -> Payment:
    """The payment that nobody takes, or whose provider refused to do what it was asked."""
    payment = await load_payment(unit, unit.business_id)
    changed, events = attempting.not_executed(payment, failure)
    await unit.save("payment", changed.payment_id, changed.state.value, changed, events)
    return changed
