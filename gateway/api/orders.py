"""Orders: taking them, showing them, and telling everything that happened to them."""

import asyncio
import re
import time
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from opentelemetry import trace

from gateway.api import hot
from gateway.api.facade import Facade, require_json
from gateway.api.operations import Links, Operation, operation_of
from gateway.api.showing import show
from gateway.errors import Rejected
from gateway.flows import place_order
from gateway.model import codec
from gateway.model.identifiers import derived_id, new_id
from gateway.model.order import Order
from gateway.policy import ordering
from gateway.policy.access import Caller
from gateway.policy.validation import read_order
from gateway.runtime import answers, engine, telemetry, timeline
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit
from gateway.runtime.timeline import Entry

_OPERATION: Final = "POST /v1/orders"
_KEY: Final = re.compile(r'(?P<quote>"?)(?P<key>[\x21\x23-\x7e]{1,255})(?P=quote)')
_WAIT: Final = re.compile(r'(?:^|[;,\s])wait\s*=\s*"?(\d{1,9})"?(?:$|[;,\s])', re.IGNORECASE)
_WAIT_MOST_S: Final = 30


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that happened to an order, oldest first."""

    order_id: str
    entries: tuple[Entry, ...]


async def submit_order(facade: Facade, request: hot.Request) -> Answer:
    """Take an order: stored and its flow started in one transaction, answered after the commit."""
    caller = facade.caller(request)
    require_json(request.headers.get("content-type", ""))
    key_value = _idempotency_key(request.all("idempotency-key"))
    body = await request.body()
    tenant = facade.hub.tenant(caller.tenant)
    new = read_order(body, currencies=tenant.settings.currencies, methods=tenant.methods)
    key = answers.Key.of(
        tenant=caller.tenant,
        client=caller.client,
        operation=_OPERATION,
        value=key_value,
        body=body,
    )
    order, event = ordering.submit(
        new, order_id=new_id(), payment_id=new_id(), at=datetime.now(UTC).isoformat()
    )
    wait_s = _wait(request.headers.get("prefer", ""))
    answer = _accepted(caller, order.order_id)
    async with facade.database.transaction() as connection:
        known = await answers.seize(
            connection,
            key,
            business_id=order.order_id,
            days=facade.settings.idempotency_days,
            answer=None if wait_s else answer,
        )
        if known is None:
            traceparent = telemetry.traceparent(trace.get_current_span().get_span_context())
            unit = Unit(
                connection,
                tenant=caller.tenant,
                business_id=order.order_id,
                traceparent=traceparent,
                causation_id=str(request.scope.get("headrace_request_id", "")),
            )
            await unit.insert("order", order.order_id, order.state.value, order, [event])
            await engine.start(
                connection,
                kind=place_order.KIND,
                queue=place_order.QUEUE,
                tenant=caller.tenant,
                business_id=order.order_id,
                mapping_set=tenant.mapping_set,
                traceparent=traceparent,
            )
    if known is not None and known.answer is not None:
        return _replayed(known.answer)
    order_id = known.business_id if known else order.order_id
    if wait_s or known is not None:
        answer = await _wait_for(facade, caller, order_id, wait_s)
        async with facade.database.transaction() as connection:
            await answers.keep(connection, key, answer)
    return answer if known is None else _replayed(answer)


@get("/v1/orders/{order_id:str}")
async def get_order(
    request: Request[Any, Any, Any],
    order_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Show an order as it stands now."""
    return await show(request, facade, kind="order", key=order_id, returns=Order)


@get("/v1/orders/{order_id:str}/timeline")
async def get_timeline(
    request: Request[Any, Any, Any],
    order_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Tell everything that happened to an order: steps, attempts, webhooks, document numbers."""
    caller = facade.caller(request)
    async with facade.database.connection() as connection:
        entries = await timeline.of_order(connection, tenant=caller.tenant, order_id=order_id)
    if not entries:
        raise Rejected("There is no order with this id.", code="not_found")
    body = codec.encode(Timeline(order_id=order_id, entries=tuple(entries)))
    return Response(
        body, media_type="application/json", headers={"Cache-Control": "private, no-cache"}
    )


def _idempotency_key(headers: list[str]) -> str:
    """The only key, quoted as the draft says or bare as others do."""
    match = _KEY.fullmatch(headers[0].strip()) if len(headers) == 1 else None
    if match is None:
        raise Rejected(
            "Send one Idempotency-Key with 1 to 255 printable characters.", code="key_missing"
        )
    return match.group("key")


def _wait(prefer: str) -> int:
    """Seconds the client prefers to wait, RFC 7240."""
    match = _WAIT.search(prefer)
    return min(int(match.group(1)), _WAIT_MOST_S) if match else 0


def _accepted(caller: Caller, order_id: str) -> Answer:
    operation_id = derived_id("flow", caller.tenant, place_order.KIND, order_id)
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


async def _wait_for(facade: Facade, caller: Caller, order_id: str, wait_s: int) -> Answer:
    """The operation once it has ended, or as it stands when the client has waited enough."""
    until = time.monotonic() + wait_s
    operation_id = derived_id("flow", caller.tenant, place_order.KIND, order_id)
    while True:
        async with facade.database.connection() as connection:
            operation = await operation_of(connection, caller.tenant, operation_id)
        if operation.ended or time.monotonic() >= until:
            break
        await asyncio.sleep(0.1)
    headers = {"Location": f"/v1/operations/{operation_id}"}
    if wait_s:
        headers["Preference-Applied"] = f"wait={wait_s}"
    status = 200 if operation.ended else 202
    return Answer(status=status, headers=headers, body=codec.encode(operation))


def _replayed(answer: Answer) -> Answer:
    headers = {**answer.headers, "Idempotency-Replayed": "true"}
    return msgspec.structs.replace(answer, headers=headers)
