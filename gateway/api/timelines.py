"""Timelines: everything that happened to an order, or to a payment of its own."""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.api.facade import Facade
from gateway.api.showing import not_there, shown
from gateway.runtime import timeline
from gateway.runtime.timeline import Entry


class Timeline(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that happened, oldest first.

    Attributes:
        order_id, payment_id: To what; one of the two.
    """

    order_id: str = ""
    payment_id: str = ""
    entries: tuple[Entry, ...]


@get("/v1/orders/{order_id:str}/timeline")
async def get_order_timeline(
    request: Request[Any, Any, Any],
    order_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Tell everything that happened to an order: steps, attempts, webhooks, document numbers."""
    entries = await _entries(request, facade, order_id, "order")
    return shown(Timeline(order_id=order_id, entries=entries))


@get("/v1/payments/{payment_id:str}/timeline")
async def get_payment_timeline(
    request: Request[Any, Any, Any],
    payment_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Tell everything that happened to a payment of its own; an order's stands with the order."""
    entries = await _entries(request, facade, payment_id, "payment")
    return shown(Timeline(payment_id=payment_id, entries=entries))


async def _entries(
    request: Request[Any, Any, Any], facade: Facade, business_id: str, kind: str
) -> tuple[Entry, ...]:
    caller = facade.caller(request)
    async with facade.database.connection() as connection:
        found = await timeline.of(connection, tenant=caller.tenant, business_id=business_id)
    if not found:
        raise not_there(kind)
    return tuple(found)
