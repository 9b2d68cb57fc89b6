"""Receipts: a person says that money came or went back, where no provider can say it."""

from datetime import UTC, datetime
from typing import Final

from gateway.api import hot, taking
from gateway.api.facade import Facade
from gateway.api.showing import lock, made, not_there
from gateway.errors import Rejected
from gateway.flows.attempt_payment import wake
from gateway.model.event import Event
from gateway.model.payment import Payment
from gateway.policy import receiving, refunding, requests
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit

_RECEIVED: Final = "POST /v1/payments/{payment_id}/received"
_SETTLED: Final = "POST /v1/refunds/{refund_id}/settled"


async def receive_payment(facade: Facade, request: hot.Request) -> Answer:
    """Record money that came for a payment; the same reference is the same money."""
    payment_id = request.parameter("payment_id")
    asked = await taking.read(facade, request, _RECEIVED.format(payment_id=payment_id))
    new = receiving.read_receipt(asked.body)

    async def begin(unit: Unit) -> Answer:
        payment = await _by_hand(asked, unit, payment_id)
        if not receiving.may_receive(payment):
            raise _wrong_state(f"No money is awaited while it is {payment.state.value}.")
        changed, events = receiving.receive(payment, new, at=datetime.now(UTC))
        await _keep(unit, changed, events)
        return made(changed, f"/v1/payments/{payment_id}", status=200)

    return await taking.take(facade, asked, business_id=payment_id, begin=begin)


async def settle_refund(facade: Facade, request: hot.Request) -> Answer:
    """Record that a refund was given back."""
    refund_id = request.parameter("refund_id")
    asked = await taking.read(facade, request, _SETTLED.format(refund_id=refund_id))
    requests.read_nothing(asked.body)
    payment_id = refunding.payment_of(refund_id)

    async def begin(unit: Unit) -> Answer:
        try:
            payment = await _by_hand(asked, unit, payment_id)
            refund = refunding.find(payment, refund_id)
        except LookupError as error:
            raise not_there("refund") from error
        if not receiving.may_settle(refund):
            raise _wrong_state(f"It cannot be settled while it is {refund.state.value}.")
        changed, events = receiving.settle(payment, refund)
        await _keep(unit, changed, events)
        settled = refunding.find(changed, refund_id)
        return made(settled, f"/v1/refunds/{refund_id}", status=200)

    return await taking.take(facade, asked, business_id=payment_id, begin=begin)


async def _by_hand(asked: taking.Asked, unit: Unit, payment_id: str) -> Payment:
    """The payment, if nobody but a person knows what becomes of its money."""
    payment = await lock(unit, kind="payment", key=payment_id, returns=Payment)
    unit.business_id = payment.business_id
    system = asked.tenant.collectors.get(payment.provider)
    if system is None or not system.adapter.by_hand:
        raise _wrong_state("Its provider says what becomes of the money.")
    return payment


async def _keep(unit: Unit, payment: Payment, events: tuple[Event, ...]) -> None:
    await unit.save("payment", payment.payment_id, payment.state.value, payment, events)
    await wake(unit.connection, payment)


def _wrong_state(message: str) -> Rejected:
    return Rejected(message, code="wrong_state")
