"""Place an order: risk, CRM, ERP, payment, the provider's confirmation; or undo all of it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from gateway.errors import InDoubt, Rejected
from gateway.model.event import Event
from gateway.model.order import Order, OrderState
from gateway.model.payment import CaptureMethod, Payment, PaymentState, ProviderPayment
from gateway.model.reference import ExternalReference
from gateway.model.risk import RiskAssessment
from gateway.policy import collecting, ordering
from gateway.ports.exchange import Exchange
from gateway.ports.payments import Payments
from gateway.runtime.documents import Unit
from gateway.runtime.story import CancelRequested, Story

KIND = "place_order"
QUEUE = "interactive"

# A person gets so long to decide a review before the order is cancelled.
_REVIEW_S = 7 * 86_400.0
# Waits for a provider that says "pending", before a person is asked; a day each.
_ROUNDS = 20
# The steps in which the provider says how the payment stands.
_SAYING = (
    "payments.create_payment",
    "payments.capture_payment",
    "payments.find_payment.",
    "payments.cancel_payment.",
)


async def place_order(story: Story) -> str:
    """Bring one submitted order to COMPLETED, REJECTED or CANCELLED."""
    try:
        order = await _assess(story)
        if order.state is OrderState.REJECTED:
            return "COMPLETED"
        order = await _tell_crm(story, order)
        order = await _tell_erp(story, order)
        payment = await _collect(story, order)
    except CancelRequested:
        return await _cancel(story, "cancelled_by_operator")
    if payment.state not in collecting.CAPTURED:
        return await _cancel(story, payment.failure.code if payment.failure else "payment_ended")
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


async def _collect(story: Story, order: Order) -> Payment:
    """Collect the money; the provider's webhook has the last word, a look-up if none comes."""
    payments = story.tenant.payments

    async def prepare(unit: Unit) -> Payment:
        await _advance(unit, OrderState.IN_FULFILMENT)
        prepared, created = collecting.prepare(
            order,
            provider=payments.name,
            key=f"{order.order_id}:payments.create_payment",
            at=datetime.now(UTC).isoformat(),
        )
        await unit.insert("payment", prepared.payment_id, prepared.state.value, prepared, [created])
        return await _payment(unit)

    payment = await story.record("payment.prepare", prepare, returns=Payment)
    answer = await story.call(
        "payments.create_payment",
        payments,
        lambda port, key: port.create_payment(payment, key=key),
        find=lambda port: port.find_payment(payment),
        returns=ProviderPayment,
    )
    payment = await story.record("payment.answered", _applying(answer), returns=Payment)
    _give_back_on_undo(story, payment)
    if payment.capture_method is CaptureMethod.MANUAL:
        payment = await _until(story, payment, "authorised", collecting.AUTHORISED)
        if payment.state is PaymentState.AUTHORISED:
            payment = await _capture(story, payment)
    return await _until(story, payment, "ended", collecting.ENDED)


async def _capture(story: Story, payment: Payment) -> Payment:
    answer = await story.call(
        "payments.capture_payment",
        story.tenant.payments,
        lambda port, key: port.capture_payment(payment, payment.amount, key=key),
        find=lambda port: find_payment_in(port, payment, collecting.CAPTURED),
        returns=ProviderPayment,
    )
    return await story.record("payment.capture_answered", _applying(answer), returns=Payment)


async def _until(
    story: Story, payment: Payment, word: str, wanted: frozenset[PaymentState]
) -> Payment:
    """Wait until the payment is where it is wanted, or has ended otherwise.

    Money that moved is confirmed by the provider's webhook; a refusal needs no confirmation.
    """
    if payment.state in {PaymentState.FAILED, PaymentState.CANCELLED}:
        return payment
    event = f"payment:{payment.payment_id}:{word}"
    patience = story.tenant.patience
    for number in range(1, _ROUNDS + 1):
        pending = payment.state is PaymentState.PENDING
        wait_s = patience.payment_pending_s if pending else patience.payment_confirmation_s
        confirmed = await story.wait(f"payment.{word}.{number}", event, wait_s)
        if confirmed is None:
            await _look_up(story, payment, f"{word}.{number}")
        payment = await story.record(f"payment.{word}.{number}.read", _payment, returns=Payment)
        if payment.state in wanted or payment.state in collecting.ENDED:
            return payment
        if confirmed is None and payment.state is PaymentState.REQUIRES_ACTION:
            return await _give_up(story, payment, word)
    raise InDoubt("The provider has said pending for too long.", code="payment_pending")


async def _look_up(story: Story, payment: Payment, name: str) -> None:
    """Ask the provider, because its webhook did not come."""
    found = await story.call(
        f"payments.find_payment.{name}",
        story.tenant.payments,
        lambda port, _key: port.find_payment(payment),
        returns=ProviderPayment | None,
    )
    if found is not None:
        await story.record(f"payment.{name}.found", _applying(found), returns=Payment)


async def _give_up(story: Story, payment: Payment, word: str) -> Payment:
    """The customer did not act in time: end the attempt before anybody else can use it."""
    try:
        said: ProviderPayment = await story.call(
            f"payments.cancel_payment.{word}",
            story.tenant.payments,
            lambda port, key: port.cancel_payment(payment, key=key),
            find=lambda port: find_payment_in(port, payment, collecting.ENDED),
            returns=ProviderPayment,
        )
    except Rejected:
        # He acted in the last moment; what came of it decides.
        await _look_up(story, payment, f"{word}.given_up")
        return await story.record(f"payment.{word}.not_given_up", _payment, returns=Payment)
    return await story.record(f"payment.{word}.given_up", _applying(said), returns=Payment)


def _give_back_on_undo(story: Story, payment: Payment) -> None:
    """What undoes the payment depends on how far it got: refund, cancel, or nothing at all."""
    payments = story.tenant.payments
    refund_id = f"{payment.payment_id}-refund"
    if payment.state in collecting.CAPTURED:
        story.undo(
            "payments.refund_payment",
            payments,
            lambda port, key: port.refund_payment(payment, refund_id, payment.captured, key=key),
            find=lambda port: port.find_refund(payment, refund_id),
        )
    elif payment.state not in collecting.ENDED:
        story.undo(
            "payments.cancel_payment",
            payments,
            lambda port, key: port.cancel_payment(payment, key=key),
            find=lambda port: find_payment_in(port, payment, collecting.ENDED),
        )


def find_payment_in(
    port: Payments, payment: Payment, wanted: frozenset[PaymentState]
) -> Exchange[ProviderPayment | None]:
    """The provider's payment if it has come so far; None where the effect is still missing."""
    found = yield from port.find_payment(payment)
    return found if found is not None and found.state in wanted else None


async def _cancel(story: Story, reason: str) -> str:
    story.compensating = True
    order = await story.record("order.cancelling", _load, returns=Order)
    if "payments.create_payment" in story.steps:
        # The flow may have stopped between an answer and the record of it.
        said = story.answers(*_SAYING, returns=ProviderPayment)
        payment = await story.record("payment.cancelling", _applying(*said), returns=Payment)
        story.forget_undo("payments.refund_payment", "payments.cancel_payment")
        _give_back_on_undo(story, payment)
    await story.compensate()
    order = await story.record(
        "order.cancel",
        lambda unit: _advance(unit, OrderState.CANCELLED, reason),
        returns=Order,
    )
    if "crm.upsert_opportunity" in story.steps:
        await _close_opportunity(story, order, "crm.lose_opportunity")
    return "CANCELLED"


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


async def _payment(unit: Unit) -> Payment:
    order = await _load(unit)
    payment = await unit.load("payment", order.payment_id, Payment)
    if payment is None:
        raise LookupError("the payment is gone")
    return payment


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


def _applying(*answers: ProviderPayment) -> Callable[[Unit], Awaitable[Payment]]:
    async def change(unit: Unit) -> Payment:
        payment, events = await _payment(unit), list[Event]()
        for said in answers:
            payment, reported = collecting.apply(payment, said)
            events += reported
        await unit.save("payment", payment.payment_id, payment.state.value, payment, events)
        await unit.refer(collecting.references(payment))
        return payment

    return change
