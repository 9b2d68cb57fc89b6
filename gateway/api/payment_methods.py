"""Payment methods: keeping instruments by their tokens, and paying with them."""

from datetime import UTC, datetime
from typing import Any, Final

from litestar import Request, Response, delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from opentelemetry import trace

from gateway.api import hot, taking
from gateway.api.facade import Facade
from gateway.api.listing import require
from gateway.api.showing import find, lock, made, shown
from gateway.model import codec
from gateway.model.identifiers import new_id
from gateway.model.instruction import PaymentInstruction
from gateway.model.payment_method import PaymentMethod
from gateway.policy import storing
from gateway.runtime import telemetry
from gateway.runtime.answers import Answer
from gateway.runtime.database import Connection
from gateway.runtime.documents import Unit, read

KIND: Final = "payment_method"
_ADD: Final = "POST /v1/payment-methods"
_MOST: Final = 100


async def add_payment_method(facade: Facade, request: hot.Request) -> Answer:
    """Keep an instrument of a customer."""
    asked = await taking.read(facade, request, _ADD)
    now = datetime.now(UTC)
    new = storing.read_method(asked.body, systems=asked.tenant.choice.systems, now=now)
    method, event = storing.add(new, payment_method_id=new_id(), at=now.isoformat())
    key = method.payment_method_id
    answer = made(method, f"/v1/payment-methods/{key}")

    async def begin(unit: Unit) -> Answer:
        await unit.insert(KIND, key, method.state.value, method, [event])
        return answer

    return await taking.take(facade, asked, business_id=key, answer=answer, begin=begin)


@get("/v1/payment-methods/{payment_method_id:str}")
async def get_payment_method(
    request: Request[Any, Any, Any],
    payment_method_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Show a payment method as it is now."""
    caller = facade.caller(request)
    method = await find(
        facade, caller.tenant, kind=KIND, key=payment_method_id, returns=PaymentMethod
    )
    return shown(storing.as_of(method, datetime.now(UTC)))


@get("/v1/payment-methods")
async def list_payment_methods(
    request: Request[Any, Any, Any],
    facade: NamedDependency[Facade],
    customer_id: FromQuery[str] = "",
) -> Response[bytes]:
    """Show the payment methods of one customer, the newest first."""
    caller = facade.caller(request)
    require("customer_id", customer_id)
    async with facade.database.connection() as connection:
        found = await connection.execute(
            "select body::text from headrace.document where tenant = %s"
            " and kind = 'payment_method' and body->>'customer_id' = %s order by id desc limit %s",
            (caller.tenant, customer_id, _MOST),
        )
        rows = await found.fetchall()
    now = datetime.now(UTC)
    return shown([storing.as_of(codec.decode(row[0], PaymentMethod), now) for row in rows])


@delete("/v1/payment-methods/{payment_method_id:str}", status_code=200)
async def revoke_payment_method(
    request: Request[Any, Any, Any],
    payment_method_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Pay with it no more; doing it again changes nothing."""
    caller = facade.caller(request)
    async with facade.database.transaction() as connection:
        unit = Unit(
            connection,
            tenant=caller.tenant,
            business_id=payment_method_id,
            traceparent=telemetry.traceparent(trace.get_current_span().get_span_context()),
            causation_id=str(request.scope.get("headrace_request_id", "")),
        )
        method = await lock(unit, kind=KIND, key=payment_method_id, returns=PaymentMethod)
        revoked, events = storing.revoke(method)
        if events:
            await unit.save(KIND, payment_method_id, revoked.state.value, revoked, events)
    return shown(revoked)


async def pay_with(
    connection: Connection, tenant: str, instruction: PaymentInstruction, *, customer_id: str
) -> PaymentInstruction:
    """The instruction with provider and token of the payment method that it names.

    Args:
        customer_id: Who pays; empty where nobody is known.

    Raises:
        Invalid: Nothing can be paid with it.
    """
    key = instruction.payment_method_id
    method = await read(connection, tenant, KIND, key, PaymentMethod)
    return storing.pay_with(instruction, method, customer_id=customer_id, now=datetime.now(UTC))
