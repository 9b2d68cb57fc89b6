"""Refunds: giving back what was collected."""

from datetime import UTC, datetime
from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.api import hot, taking
from gateway.api.facade import Facade
from gateway.api.showing import find, lock, made, not_there, shown
from gateway.errors import Rejected
from gateway.flows import change_payment
from gateway.model.payment import Payment
from gateway.policy import refunding, requests
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit

_REFUND: Final = "POST /v1/refunds"


async def submit_refund(facade: Facade, request: hot.Request) -> Answer:
    """Give back a part of a payment, or what is left of it."""
    asked = await taking.read(facade, request, _REFUND)
    new = requests.read_refund(asked.body)

    async def begin(unit: Unit) -> Answer:
        payment = await lock(unit, kind="payment", key=new.payment_id, returns=Payment)
        unit.business_id = payment.business_id
        amount = requests.amount_to_refund(payment, new)
        at = datetime.now(UTC).isoformat()
        changed, refund = refunding.request(payment, amount, reason=new.reason, at=at)
        told = [refunding.event(refund, "requested")]
        await unit.save("payment", payment.payment_id, changed.state.value, changed, told)
        await asked.start(
            unit,
            change_payment.REFUND,
            change_payment.QUEUE,
            refund.refund_id,
            subject=payment.business_id,
        )
        return made(refund, f"/v1/refunds/{refund.refund_id}")

    return await taking.take(facade, asked, business_id=new.payment_id, begin=begin)


@get("/v1/refunds/{refund_id:str}")
async def get_refund(
    request: Request[Any, Any, Any],
    refund_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Show a refund as it stands now."""
    caller = facade.caller(request)
    try:
        key = refunding.payment_of(refund_id)
        payment = await find(facade, caller.tenant, kind="payment", key=key, returns=Payment)
        return shown(refunding.find(payment, refund_id))
    except (LookupError, Rejected) as error:
        raise not_there("refund") from error
