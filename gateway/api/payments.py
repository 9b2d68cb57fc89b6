"""Payments: taking them, changing them, showing them, and what can be paid with."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.api import hot, mandated, taking
from gateway.api.facade import Facade
from gateway.api.listing import Links, listed
from gateway.api.showing import find, lock, made, show, shown, wrong_state
from gateway.errors import Rejected
from gateway.flows import change_payment, take_payment
from gateway.flows import sync_payment as flows_sync
from gateway.model.capability import Capability
from gateway.model.identifiers import new_id
from gateway.model.instruction import NewPayment
from gateway.model.payment import Payment, PaymentState
from gateway.policy import attempting, cancelling, capturing, confirming, debiting, requests
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit
from gateway.runtime.hub import Tenant

_TAKE: Final = "POST /v1/payments"
_CAPTURE: Final = "POST /v1/payments/{payment_id}/capture"
_SYNC: Final = "POST /v1/payments/{payment_id}/sync"
_CANCEL: Final = "POST /v1/payments/{payment_id}/cancel"


class SystemCapabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What one system of the tenant can do.

    Attributes:
        system: As routing calls it.
        provider: Its product.
    """

    system: str
    provider: str
    capabilities: tuple[Capability, ...]


class Payments(msgspec.Struct, frozen=True, kw_only=True):
    """A page of payments, the newest first."""

    items: tuple[Payment, ...]
    links: Links


async def submit_payment(facade: Facade, request: hot.Request) -> Answer:
    """Take a payment: stored and its flow started in one transaction."""
    asked = await taking.read(facade, request, _TAKE)
    tenant = asked.tenant
    new = requests.read_payment(
        asked.body, currencies=tenant.settings.currencies, choice=tenant.choice
    )
    payment_id, at = new_id(), datetime.now(UTC).isoformat()
    stored = new.payment.is_stored
    needed = tenant.needs_payer(new.payment.method_code)

    def intended(one: NewPayment) -> Payment:
        made = attempting.of_request(one, payment_id=payment_id, at=at, needs_payer=needed)
        return debiting.shown(made)

    payment = intended(new)

    async def begin(unit: Unit) -> Answer:
        taken = payment
        if stored:
            instruction = await mandated.pay_with(
                unit.connection, tenant, new.payment, customer_id=requests.customer_of(new)
            )
            paid = requests.pay_with(new, instruction, tenant.choice)
            taken = intended(paid)
        if new.bank_account is not None:
            await unit.insert(debiting.KIND, payment_id, "HELD", new.bank_account)
        told = [attempting.created(taken)]
        await unit.insert("payment", payment_id, taken.state.value, taken, told)
        if new.confirm:
            await asked.start(unit, take_payment.KIND, take_payment.QUEUE, payment_id)
        return made(taken, f"/v1/payments/{payment_id}")

    async def later(payment_id: str) -> tuple[Answer, bool]:
        now = await find(facade, tenant.name, kind="payment", key=payment_id, returns=Payment)
        answer = made(now, f"/v1/payments/{payment_id}")
        if asked.wait_s:
            headers = {**answer.headers, "Preference-Applied": f"wait={asked.wait_s}"}
            answer = msgspec.structs.replace(answer, headers=headers)
        return answer, now.unconfirmed or now.state is not PaymentState.CREATED

    # With a stored method or a mandate only the transaction knows what is taken.
    answer = None if stored else made(payment, f"/v1/payments/{payment_id}")
    return await taking.take(
        facade, asked, business_id=payment_id, answer=answer, begin=begin, later=later
    )


async def capture_payment(facade: Facade, request: hot.Request) -> Answer:
    """Collect an authorised payment, or a part of it."""
    payment_id = request.parameter("payment_id")
    asked = await taking.read(facade, request, _CAPTURE.format(payment_id=payment_id))
    new = requests.read_capture(asked.body)

    async def begin(unit: Unit) -> Answer:
        payment = await of_its_own(unit, payment_id)
        if not requests.may_capture(payment):
            raise wrong_state("payment", payment.state.value)
        now = datetime.now(UTC)
        hold_days = days_held(asked.tenant, payment)
        amount = requests.amount_to_capture(payment, new, hold_days=hold_days, now=now)
        changed, capture = capturing.request(payment, amount, at=now.isoformat())
        await unit.save("payment", payment_id, changed.state.value, changed)
        kind, queue = change_payment.CAPTURE, change_payment.QUEUE
        await asked.start(unit, kind, queue, capture.capture_id, subject=payment_id)
        return made(changed, f"/v1/payments/{payment_id}", status=202)

    return await taking.take(facade, asked, business_id=payment_id, begin=begin)


async def cancel_payment(facade: Facade, request: hot.Request) -> Answer:
    """Give up a payment that was not collected."""
    payment_id = request.parameter("payment_id")
    asked = await taking.read(facade, request, _CANCEL.format(payment_id=payment_id))
    requests.read_nothing(asked.body)

    async def begin(unit: Unit) -> Answer:
        payment = await of_its_own(unit, payment_id)
        if payment.unconfirmed:
            ended, events = confirming.given_up(payment)
            await unit.save("payment", payment_id, ended.state.value, ended, events)
            return made(ended, f"/v1/payments/{payment_id}", status=202)
        if not requests.may_cancel(payment):
            raise wrong_state("payment", payment.state.value)
        changed, wish = cancelling.request(payment, at=datetime.now(UTC).isoformat())
        await unit.save("payment", payment_id, changed.state.value, changed)
        kind, queue = change_payment.CANCEL, change_payment.QUEUE
        await asked.start(unit, kind, queue, wish.cancellation_id, subject=payment_id)
        return made(changed, f"/v1/payments/{payment_id}", status=202)

    return await taking.take(facade, asked, business_id=payment_id, begin=begin)


async def sync_payment(facade: Facade, request: hot.Request) -> Answer:
    """Ask the provider how a payment stands, whatever was heard of it."""
    payment_id = request.parameter("payment_id")
    asked = await taking.read(facade, request, _SYNC.format(payment_id=payment_id))
    requests.read_nothing(asked.body)

    async def begin(unit: Unit) -> Answer:
        payment = await lock(unit, kind="payment", key=payment_id, returns=Payment)
        if not payment.attempts:
            raise wrong_state("payment", payment.state.value)
        kind, queue = flows_sync.KIND, flows_sync.QUEUE
        business_id = f"{payment_id}:{new_id()}"
        await asked.start(unit, kind, queue, business_id, subject=payment.business_id)
        return made(payment, f"/v1/payments/{payment_id}", status=202)

    return await taking.take(facade, asked, business_id=payment_id, begin=begin)


@get("/v1/payments")
async def list_payments(
    request: Request[Any, Any, Any], facade: NamedDependency[Facade]
) -> Response[bytes]:
    """List payments, the newest first."""
    filters = ("state", "customer_id", "order_id", "reference", "provider")
    items, links = await listed(request, facade, kind="payment", returns=Payment, filters=filters)
    return shown(Payments(items=items, links=links))


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
    return shown(found)


async def of_its_own(unit: Unit, payment_id: str) -> Payment:
    """The payment, if no order's flow decides about it.

    Raises:
        Rejected: It does (code ``wrong_state``), or there is no payment (``not_found``).
    """
    payment = await lock(unit, kind="payment", key=payment_id, returns=Payment)
    if payment.order_id:
        raise Rejected("The payment belongs to an order, whose flow does this.", code="wrong_state")
    return payment


def days_held(tenant: Tenant, payment: Payment) -> int:
    """How long the provider holds an authorisation; 0 where nobody says."""
    system = tenant.collectors.get(payment.provider)
    rows = system.adapter.capabilities if system else ()
    rows = tuple(row for row in rows if row.method == payment.method_code)
    return max((row.hold_days for row in rows), default=0)
