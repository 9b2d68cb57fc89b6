"""Amounts: having more authorised than was asked for at first."""

from datetime import UTC, datetime
from typing import Final

from gateway.api import hot, taking
from gateway.api.facade import Facade
from gateway.api.payments import days_held, of_its_own
from gateway.api.showing import made, wrong_state
from gateway.flows import change_payment
from gateway.policy import adjusting, raising
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit

_UPDATE: Final = "POST /v1/payments/{payment_id}/amount"


async def update_amount(facade: Facade, request: hot.Request) -> Answer:
    """Raise what is authorised, before it is collected."""
    payment_id = request.parameter("payment_id")
    asked = await taking.read(facade, request, _UPDATE.format(payment_id=payment_id))
    new = raising.read_amount(asked.body)

    async def begin(unit: Unit) -> Answer:
        payment = await of_its_own(unit, payment_id)
        if not raising.may_raise(payment):
            raise wrong_state("payment", payment.state.value)
        now = datetime.now(UTC)
        hold_days = days_held(asked.tenant, payment)
        amount = raising.amount_of(payment, new, hold_days=hold_days, now=now)
        changed, update = adjusting.request(payment, amount, at=now.isoformat())
        await unit.save("payment", payment_id, changed.state.value, changed)
        kind, queue = change_payment.UPDATE, change_payment.QUEUE
        await asked.start(unit, kind, queue, update.update_id, subject=payment_id)
        return made(changed, f"/v1/payments/{payment_id}", status=202)

    return await taking.take(facade, asked, business_id=payment_id, begin=begin)
