"""Refund cancellations: keeping what was to be given back."""

from datetime import UTC, datetime
from typing import Final

from gateway.api import hot, taking
from gateway.api.facade import Facade
from gateway.api.showing import lock, made, not_there, wrong_state
from gateway.errors import Rejected
from gateway.flows import cancel_refund as flow
from gateway.model.payment import Payment, Refund
from gateway.policy import refunding, requests
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit
from gateway.runtime.hub import Tenant

_CANCEL: Final = "POST /v1/refunds/{refund_id}/cancel"


async def cancel_refund(facade: Facade, request: hot.Request) -> Answer:
    """Not give it back, where nobody has been told yet or the provider lets go of it."""
    refund_id = request.parameter("refund_id")
    asked = await taking.read(facade, request, _CANCEL.format(refund_id=refund_id))
    requests.read_nothing(asked.body)
    payment_id = refunding.payment_of(refund_id)

    async def begin(unit: Unit) -> Answer:
        payment, refund = await _lock(unit, payment_id, refund_id)
        unit.business_id = payment.business_id
        if not refunding.may_cancel(refund):
            raise wrong_state("refund", refund.state.value)
        at = datetime.now(UTC).isoformat()
        changed, wish = refunding.request_cancel(payment, refund, at=at)
        is_ours = await _is_ours(unit, asked.tenant, payment, refund)
        await unit.save("payment", payment_id, changed.state.value, changed)
        if is_ours:
            changed = await flow.record_cancelled(unit, wish.cancellation_id)
        else:
            subject = payment.business_id
            await asked.start(unit, flow.KIND, flow.QUEUE, wish.cancellation_id, subject=subject)
        return made(refunding.find(changed, refund_id), f"/v1/refunds/{refund_id}", status=202)

    return await taking.take(facade, asked, business_id=payment_id, begin=begin)


async def _is_ours(unit: Unit, tenant: Tenant, payment: Payment, refund: Refund) -> bool:
    """Whether nobody was told of the refund, so that nobody has to be asked.

    Raises:
        Rejected: It cannot be taken back (code ``wrong_state``).
    """
    if payment.provider in tenant.refund_cancellers:
        return False
    collector = tenant.collectors.get(payment.provider)
    if collector is not None and collector.adapter.by_hand:
        return True
    if payment.provider not in tenant.banks:
        raise _too_late("Its provider does not let go of refunds.")
    if await _is_told(unit, payment.provider, refund.provider_ref):
        raise _too_late("It stands in a file, which no bank gives back.")
    return True


async def _is_told(unit: Unit, system: str, reference: str) -> bool:
    """Whether a file for the bank has it; whoever makes one locks the payment first, as we do."""
    found = await unit.connection.execute(
        "select 1 from headrace.reference where tenant = %s and system = %s"
        " and entity = 'BANK_ORDER' and entity_id = %s",
        (unit.tenant, system, reference),
    )
    return await found.fetchone() is not None


async def _lock(unit: Unit, payment_id: str, refund_id: str) -> tuple[Payment, Refund]:
    try:
        payment = await lock(unit, kind="payment", key=payment_id, returns=Payment)
        return payment, refunding.find(payment, refund_id)
    except (LookupError, Rejected) as error:
        raise not_there("refund") from error


def _too_late(message: str) -> Rejected:
    return Rejected(message, code="wrong_state")
