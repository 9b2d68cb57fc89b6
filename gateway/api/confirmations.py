"""Confirmations: payments that begin later, and payments whose payer has come back."""

from datetime import UTC, datetime
from typing import Final

from gateway.api import hot, payment_methods, taking
from gateway.api.facade import Facade
from gateway.api.showing import lock, made, wrong_state
from gateway.flows import confirm_payment, sync_payment, take_payment
from gateway.model.confirmation import NewConfirmation, PayerDetails
from gateway.model.identifiers import new_id
from gateway.model.payment import Payment
from gateway.policy import confirming
from gateway.policy.validation import Invalid
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit

_CONFIRM: Final = "POST /v1/payments/{payment_id}/confirm"


async def confirm(facade: Facade, request: hot.Request) -> Answer:
    """Begin a payment that waited for it, or go on with what the payer brought back."""
    payment_id = request.parameter("payment_id")
    asked = await taking.read(facade, request, _CONFIRM.format(payment_id=payment_id))
    new = confirming.read_confirmation(asked.body)

    async def begin(unit: Unit) -> Answer:
        payment = await lock(unit, kind="payment", key=payment_id, returns=Payment)
        unit.business_id = payment.business_id
        if payment.unconfirmed:
            changed = await _begin(unit, asked, payment, new)
        elif confirming.may_go_on(payment):
            changed = await _go_on(unit, asked, payment, new)
        else:
            raise wrong_state("payment", payment.state.value)
        return made(changed, f"/v1/payments/{payment_id}", status=202)

    return await taking.take(facade, asked, business_id=payment_id, begin=begin)


async def _begin(
    unit: Unit, asked: taking.Asked, payment: Payment, new: NewConfirmation
) -> Payment:
    paid = confirming.instruction_of(payment, new)
    if paid.payment_method_id:
        try:
            paid = await payment_methods.pay_with(
                unit.connection, asked.tenant.name, paid, customer_id=payment.customer_id
            )
        except Invalid as error:
            raise Invalid(confirming.ours(error.errors)) from error
    at = datetime.now(UTC).isoformat()
    changed = confirming.begun(payment, new, paid, asked.tenant.choice, at=at)
    await unit.save("payment", payment.payment_id, changed.state.value, changed)
    await asked.start(unit, take_payment.KIND, take_payment.QUEUE, payment.payment_id)
    return changed


async def _go_on(
    unit: Unit, asked: taking.Asked, payment: Payment, new: NewConfirmation
) -> Payment:
    """Tell the provider, or look where it knows by itself what its page was told."""
    needed = payment.provider in asked.tenant.confirmers
    confirming.check_details(new, needed=needed)
    subject = payment.business_id
    if not needed:
        business_id = f"{payment.payment_id}:{new_id()}"
        await asked.start(unit, sync_payment.KIND, sync_payment.QUEUE, business_id, subject=subject)
        return payment
    changed, wish = confirming.request(payment, at=datetime.now(UTC).isoformat())
    brought = PayerDetails(details=new.details)
    await unit.save("payment", payment.payment_id, changed.state.value, changed)
    await unit.insert(confirm_payment.DETAILS, wish.confirmation_id, "CREATED", brought)
    await asked.start(
        unit, confirm_payment.KIND, confirm_payment.QUEUE, wish.confirmation_id, subject=subject
    )
    return changed
