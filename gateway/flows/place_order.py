"""Place an order: risk, CRM, ERP, payment, the provider's confirmation; or undo all of it."""

from collections.abc import Awaitable, Callable

from gateway.flows.attempt_payment import load_payment
from gateway.flows.collect_payment import collect_payment, give_back, release_payment
from gateway.model.order import Order, OrderState
from gateway.model.payment import Payment
from gateway.model.reference import ExternalReference
from gateway.model.risk import RiskAssessment
from gateway.policy import collecting, ordering
from gateway.runtime.documents import Unit
from gateway.runtime.story import CancelRequested, Story

KIND = "place_order"
QUEUE = "interactive"

# A person gets so long to decide a review before the order is cancelled.
_REVIEW_S = 7 * 86_400.0


async def place_order(story: Story) -> str:
    """Bring one submitted order to COMPLETED, REJECTED or CANCELLED."""
    try:
        order = await _assess(story)
        if order.state is OrderState.REJECTED:
            return "COMPLETED"
        order = await _tell_crm(story, order)
        order = await _tell_erp(story, order)
        payment = await collect_payment(story, order, _start_fulfilment)
    except CancelRequested:
        return await _cancel(story, "cancelled_by_operator")
    if payment.state not in collecting.CAPTURED:
        return await _cancel(story, payment.failure.code if payment.failure else "payment_ended")
    story.heeds_cancel = False
    order = await story.record(
        "order.complete", lambda unit: _advance(unit, OrderState.COMPLETED), returns=Order
    )
    await _close_opportunity(story, order, "crm.win_opportunity")
    return "COMPLETED"


async def _assess(story: Story) -> Order:
    order = await story.record("order.read", _load, returns=Order)
    assessment = await story.call(
        "risk.assess",
        story.tenant.risk,
        lambda port, key: port.assess(order, key=key),
        returns=RiskAssessment,
    )

    async def decide(unit: Unit) -> Order:
        order = await _load(unit)
        if order.state is not OrderState.SUBMITTED:
            return order
        await unit.insert(
            "risk_assessment",
            assessment.assessment_id,
            assessment.decision.value,
            assessment,
            [ordering.assessed(assessment)],
        )
        decided, events = ordering.decide(order, assessment)
        await unit.save("order", decided.order_id, decided.state.value, decided, events)
        return decided

    order = await story.record("order.decide", decide, returns=Order)
    return await _review(story, order) if order.state is OrderState.RISK_REVIEW else order


async def _review(story: Story, order: Order) -> Order:
    """Wait for a person; an order that nobody looks at is refused, not forgotten."""
    answer = await story.wait("risk.review", f"order:{order.order_id}:review", _REVIEW_S)
    accepted = answer is not None and answer.get("decision") == "ACCEPTED"
    state = OrderState.ACCEPTED if accepted else OrderState.REJECTED
    reason = None if accepted else "review_refused" if answer else "review_expired"
    return await story.record(
        "order.reviewed", lambda unit: _advance(unit, state, reason), returns=Order
    )


async def _tell_crm(story: Story, order: Order) -> Order:
    crm = story.tenant.crm
    account = await story.call(
        "crm.upsert_account",
        crm,
        lambda port, key: port.upsert_account(order.party, key=key),
        find=lambda port: port.find_account(order.party.party_id),
        returns=ExternalReference,
    )
    opportunity = await story.call(
        "crm.upsert_opportunity",
        crm,
        lambda port, key: port.upsert_opportunity(order, account.external_id, key=key),
        find=lambda port: port.find_opportunity(order.order_id),
        returns=ExternalReference,
    )
    return await story.record("order.in_crm", _referring(account, opportunity), returns=Order)


async def _tell_erp(story: Story, order: Order) -> Order:
    erp = story.tenant.erp
    async with story.turn("erp.upsert_business_partner", f"party:{order.party.party_id}"):
        partner = await story.call(
            "erp.upsert_business_partner",
            erp,
            lambda port, key: port.upsert_business_partner(order.party, key=key),
            find=lambda port: port.find_business_partner(order.party.party_id),
            returns=ExternalReference,
        )
    sales_order = await story.call(
        "erp.create_sales_order",
        erp,
        lambda port, key: port.create_sales_order(order, partner.external_id, key=key),
        find=lambda port: port.find_sales_order(order.order_id),
        returns=ExternalReference,
    )
    story.undo(
        "erp.cancel_sales_order",
        erp,
        lambda port, key: port.cancel_sales_order(order.order_id, sales_order.external_id, key=key),
    )
    return await story.record("order.in_erp", _referring(partner, sales_order), returns=Order)


async def _cancel(story: Story, reason: str) -> str:
    story.heeds_cancel = False
    order = await story.record("order.cancelling", _load, returns=Order)
    await release_payment(story, order)
    await story.compensate()
    order = await story.record("order.cancel", _unless_charged(story, reason), returns=Order)
    if order.state is not OrderState.CANCELLED:
        payment = await story.record(
            "payment.charged_late",
            lambda unit: load_payment(unit, order.payment_id),
            returns=Payment,
        )
        await give_back(story, payment)
        order = await story.record(
            "order.cancel.refunded",
            lambda unit: _advance(unit, OrderState.CANCELLED, reason),
            returns=Order,
        )
    if "crm.upsert_opportunity" in story.steps:
        await _close_opportunity(story, order, "crm.lose_opportunity")
    return "CANCELLED"


def _unless_charged(story: Story, reason: str) -> Callable[[Unit], Awaitable[Order]]:
    """Cancel the order, unless money came in the meantime; then it stays for once more."""

    async def change(unit: Unit) -> Order:
        order = await _load(unit)
        payment = await unit.load("payment", order.payment_id, Payment)
        charged = payment is not None and collecting.kept(payment) > 0
        if charged and "payments.refund_payment" not in story.steps:
            return order
        return await _advance(unit, OrderState.CANCELLED, reason)

    return change


async def _close_opportunity(story: Story, order: Order, step: str) -> None:
    account = next(one for one in order.external_refs if one.entity == "ACCOUNT")
    await story.call(
        step,
        story.tenant.crm,
        lambda port, key: port.upsert_opportunity(order, account.external_id, key=key),
        returns=ExternalReference,
    )


async def _load(unit: Unit) -> Order:
    order = await unit.load("order", unit.business_id, Order)
    if order is None:
        raise LookupError("the order is gone")
    return order


async def _start_fulfilment(unit: Unit) -> None:
    await _advance(unit, OrderState.IN_FULFILMENT)


async def _advance(unit: Unit, state: OrderState, reason: str | None = None) -> Order:
    """The order in this state; one that is there already stays, for a step done once more."""
    order = await _load(unit)
    if order.state is state:
        return order
    order, event = ordering.advance(order, state, reason=reason)
    await unit.save("order", order.order_id, order.state.value, order, [event])
    return order


def _referring(*references: ExternalReference) -> Callable[[Unit], Awaitable[Order]]:
    async def change(unit: Unit) -> Order:
        order = ordering.refer(await _load(unit), references)
        await unit.save("order", order.order_id, order.state.value, order)
        await unit.refer(references)
        return order

    return change
