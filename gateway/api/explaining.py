"""Explaining: what would become of a payment; nothing is stored and nothing leaves the process."""

from datetime import UTC, datetime

import msgspec

from gateway.api import hot, mandated
from gateway.api.facade import Facade, require_json
from gateway.model import codec
from gateway.model.identifiers import new_id
from gateway.model.route import Route
from gateway.policy import attempting, dividing, requests, routing
from gateway.runtime.answers import Answer
from gateway.runtime.sealed import SealedWire, WouldSend, would_send


class PaymentExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of a payment.

    Attributes:
        route: Who would be asked, why, and why not the others.
        requests: What would be sent first, redacted as in evidence.
        sent: Requests that left; none ever does, for the wire they are given to leads nowhere.
        mapping_set: Identity of the mappings that the flow would keep.
    """

    route: Route
    requests: tuple[WouldSend, ...] = ()
    sent: int = 0
    mapping_set: str = ""


async def explain_payment(facade: Facade, request: hot.Request) -> Answer:
    """Say where a payment would go and what would be sent, without sending it."""
    caller = facade.caller(request)
    require_json(request.headers.get("content-type", ""))
    tenant = facade.hub.tenant(caller.tenant)
    new = requests.read_payment(
        await request.body(), currencies=tenant.settings.currencies, choice=tenant.choice
    )
    async with facade.database.connection() as connection:
        if new.payment.is_stored:
            paid = await mandated.pay_with(
                connection, tenant, new.payment, customer_id=requests.customer_of(new)
            )
            new = requests.pay_with(new, paid, tenant.choice)
    at = datetime.now(UTC).isoformat()
    intended = attempting.of_request(new, payment_id=new_id(), at=at)
    route = facade.hub.route(tenant, routing.of_payment(intended))
    needs_payer = tenant.needs_payer(intended.method_code)
    payment = attempting.attempt(intended, route, needs_payer=needs_payer)
    provider, sealed = tenant.collectors[route.system], SealedWire()
    payment = dividing.divided(
        payment, provider.adapter.capabilities, wallets=tenant.settings.wallets.enabled
    )
    exchange = provider.port.create_payment(payment, key=payment.attempts[-1].key)
    would = await would_send(provider, exchange, sealed)
    explanation = PaymentExplanation(
        route=route, requests=tuple(would), mapping_set=tenant.mapping_set
    )
    return Answer(status=200, headers={"Cache-Control": "no-store"}, body=codec.encode(explanation))
