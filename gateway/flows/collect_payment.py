"""Collect the payment of an order, or release it again; a chapter of ``place_order``."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from gateway.errors import InDoubt, Rejected
from gateway.flows.attempt_payment import (
    apply_answers,
    attempt_payment,
    await_payment,
    end_payment,
    find_or_repeat,
    find_payment_in,
    load_payment,
    provider_of,
    record_answers,
    routed,
    wake,
)
from gateway.model.order import Order
from gateway.model.payment import (
    CaptureMethod,
    Payment,
    PaymentState,
    ProviderPayment,
    ProviderRefund,
    Refund,
)
from gateway.policy import attempting, collecting, refunding
from gateway.runtime.documents import Unit
from gateway.runtime.story import Story

# Tries to end a payment that its provider neither ends nor collects; a day each.
_ROUNDS: Final = 20
# The steps after the attempts in which the provider says how the payment stands.
_SAYING: Final = (
    "payments.capture_payment",
    "payments.find_payment.",
    "payments.cancel_payment.",
)


async def collect_payment(
    story: Story, order: Order, begin: Callable[[Unit], Awaitable[None]]
) -> Payment:
    """Collect the money of the order.

    Args:
        begin: Changes the order in the transaction that prepares the payment.

    Raises:
        InDoubt: The provider says pending for too long, or has another amount than was asked for.
        Rejected: No provider can take it (code ``no_provider``).
    """

    async def prepare(unit: Unit) -> Payment:
        await begin(unit)
        intended = attempting.of_order(order, at=datetime.now(UTC).isoformat())
        prepared = await routed(story, unit, intended)
        told = [attempting.created(prepared)]
        await unit.insert("payment", prepared.payment_id, prepared.state.value, prepared, told)
        return await load_payment(unit, order.payment_id)

    payment = await story.record("payment.prepare", prepare, returns=Payment)
    payment = await attempt_payment(story, payment)
    if payment.capture_method is CaptureMethod.MANUAL:
        payment = await await_payment(story, payment, "authorised", collecting.AUTHORISED)
        if payment.state is PaymentState.AUTHORISED:
            payment = await _capture(story, payment)
    payment = await await_payment(story, payment, "ended", collecting.ENDED)
    if payment.state in collecting.CAPTURED and payment.captured != payment.amount:
        raise InDoubt("The provider collected another amount.", code="integrity_mismatch")
    return payment


async def release_payment(story: Story, order: Order) -> None:
    """Give the money back, or end the attempt; whichever, by how far the provider has come.

    Raises:
        Rejected: The provider could not give the money back; a person has to.
        InDoubt: The provider neither ends the attempt nor collects, for too long.
    """
    if attempting.step_of(1) not in story.steps:
        return

    async def catch_up(unit: Unit) -> Payment:
        """The flow may have stopped between an answer and the record of it."""
        payment = await load_payment(unit, order.payment_id)
        steps = (attempting.step_of(len(payment.attempts)), *_SAYING)
        said = story.answers(*steps, returns=ProviderPayment)
        return await apply_answers(unit, order.payment_id, *said)

    payment = await story.record("payment.cancelling", catch_up, returns=Payment)
    if attempting.step_of(len(payment.attempts)) not in story.steps:
        return  # nothing was sent to the last one, and nothing came of those before
    for number in range(1, _ROUNDS + 1):
        if payment.state in collecting.CAPTURED:
            await give_back(story, payment)
            return
        if payment.state in collecting.ENDED:
            return
        payment = await end_payment(story, payment, f"release.{number}")
        if payment.state not in collecting.ENDED:
            await story.wait(
                f"payment.release.{number}",
                f"payment:{payment.payment_id}:ended",
                story.tenant.patience.payment_pending_s,
            )
            payment = await record_answers(story, f"payment.release.{number}.read", payment)
    raise InDoubt("The provider does not let go of the payment.", code="payment_not_released")


async def give_back(story: Story, payment: Payment) -> None:
    """Refund what was collected and has stayed.

    Raises:
        Rejected: The provider could not; a person has to.
    """

    async def wish(unit: Unit) -> Payment:
        known = await load_payment(unit, payment.payment_id)
        left = refunding.left(known)
        if not left.minor:
            return known
        at = datetime.now(UTC).isoformat()
        wished, refund = refunding.request(known, left, reason="order ended", at=at)
        told = [refunding.event(refund, "requested")]
        await unit.save("payment", wished.payment_id, wished.state.value, wished, told)
        return wished

    wished = await story.record("payment.refund", wish, returns=Payment)
    refund = next((one for one in reversed(wished.refunds) if one.reason == "order ended"), None)
    if refund is None:
        return
    collector = provider_of(story, wished)
    said = await story.call(
        "payments.refund_payment",
        collector,
        lambda port, key: port.refund_payment(wished, refund.refund_id, refund.amount, key=key),
        find=lambda port: find_or_repeat(
            collector, refund.requested_at, port.find_refund(wished, refund.refund_id)
        ),
        returns=ProviderRefund,
    )
    await record_refund(story, refund, said)
    if said.state is PaymentState.FAILED:
        raise Rejected("The provider could not give the money back.", code="refund_failed")


async def record_refund(story: Story, refund: Refund, said: ProviderRefund) -> None:
    """The payment after its provider's answer to a refund."""

    async def change(unit: Unit) -> None:
        known = refunding.answered(await load_payment(unit, refund.payment_id), refund, said)
        changed, events = collecting.apply(known, movements=[said.movement], at=time.time())
        await unit.save("payment", refund.payment_id, changed.state.value, changed, events)
        await wake(unit.connection, changed)

    await story.record("payment.refund_answered", change, returns=None)


async def _capture(story: Story, payment: Payment) -> Payment:
    answer = await story.call(
        "payments.capture_payment",
        provider_of(story, payment),
        lambda port, key: port.capture_payment(payment, payment.amount, key=key),
        find=lambda port: find_payment_in(port, payment, collecting.CAPTURED),
        returns=ProviderPayment,
    )
    return await record_answers(story, "payment.capture_answered", payment, answer)
