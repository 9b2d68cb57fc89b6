"""Orders: taking them, showing them, and telling everything that happened to them."""

from datetime import UTC, datetime
from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.api import hot, mandated, taking
from gateway.api.facade import Facade
from gateway.api.operations import Links, Operation, operation_of
from gateway.api.showing import show
from gateway.flows import place_order
from gateway.model import codec
from gateway.model.identifiers import derived_id, new_id
from gateway.model.order import Order
from gateway.policy import ordering, requests
from gateway.policy.validation import read_order
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit

_OPERATION: Final = "POST /v1/orders"


async def submit_order(facade: Facade, request: hot.Request) -> Answer:
    """Take an order: stored and its flow started in one transaction, answered after the commit."""
    asked = await taking.read(facade, request, _OPERATION)
    tenant = asked.tenant
    new = read_order(asked.body, currencies=tenant.settings.currencies, choice=tenant.choice)
    order_id, payment_id, at = new_id(), new_id(), datetime.now(UTC).isoformat()
    answer = _accepted(tenant.name, order_id)

    async def begin(unit: Unit) -> Answer:
        paid = new
        if new.payment.is_stored:
            instruction = await mandated.pay_with(
                unit.connection, tenant, new.payment, customer_id=new.party.party_id
            )
            paid = requests.pay_order_with(new, instruction, tenant.choice)
        order, event = ordering.submit(paid, order_id=order_id, payment_id=payment_id, at=at)
        await unit.insert("order", order_id, order.state.value, order, [event])
        await asked.start(unit, place_order.KIND, place_order.QUEUE, order_id)
        return answer

    return await taking.take(
        facade,
        asked,
        business_id=order_id,
        answer=answer,
        begin=begin,
        later=lambda order_id: _operation(facade, tenant.name, order_id, asked.wait_s),
    )


@get("/v1/orders/{order_id:str}")
async def get_order(
    request: Request[Any, Any, Any],
    order_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Show an order as it stands now."""
    return await show(request, facade, kind="order", key=order_id, returns=Order)


def _accepted(tenant: str, order_id: str) -> Answer:
    operation_id = derived_id("flow", tenant, place_order.KIND, order_id)
    operation = Operation(
        operation_id=operation_id,
        kind=place_order.KIND,
        state="RUNNING",
        order_id=order_id,
        links=Links.of(operation_id, order_id),
    )
    return Answer(
        status=202,
        headers={"Location": f"/v1/operations/{operation_id}"},
        body=codec.encode(operation),
    )


async def _operation(
    facade: Facade, tenant: str, order_id: str, wait_s: int
) -> tuple[Answer, bool]:
    """The operation as it stands, and whether it has ended."""
    operation_id = derived_id("flow", tenant, place_order.KIND, order_id)
    async with facade.database.connection() as connection:
        operation = await operation_of(connection, tenant, operation_id)
    headers = {"Location": f"/v1/operations/{operation_id}"}
    if wait_s:
        headers["Preference-Applied"] = f"wait={wait_s}"
    status = 200 if operation.ended else 202
    return Answer(status=status, headers=headers, body=codec.encode(operation)), operation.ended
