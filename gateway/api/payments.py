"""Payments: showing them, and what can be paid with."""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.api.facade import Facade
from gateway.api.showing import show
from gateway.model import codec
from gateway.model.capability import Capability
from gateway.model.payment import Payment


class SystemCapabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What one system of the tenant can do.

    Attributes:
        system: As routing calls it.
        provider: Its product.
    """

    system: str
    provider: str
    capabilities: tuple[Capability, ...]


@get("/v1/payments/{payment_id:str}")
async def get_payment(
    request: Request[Any, Any, Any],
    payment_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Show a payment as it stands now, with what the payer has to do."""
    return await show(request, facade, kind="payment", key=payment_id, returns=Payment)


@get("/v1/capabilities")
async def list_capabilities(
    request: Request[Any, Any, Any], facade: NamedDependency[Facade]
) -> Response[bytes]:
    """Show what the tenant's payment systems can do: methods, countries, currencies, verbs."""
    collectors = facade.hub.tenant(facade.caller(request).tenant).collectors
    found = [
        SystemCapabilities(
            system=name, provider=one.adapter.product, capabilities=one.adapter.capabilities
        )
        for name, one in sorted(collectors.items())
    ]
    return Response(
        codec.encode(found),
        media_type="application/json",
        headers={"Cache-Control": "private, no-cache"},
    )
