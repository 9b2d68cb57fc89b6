"""Collect the payment of an order, or release it again; a chapter of ``place_order``.

The provider's webhook has the last word, and a look-up if none comes. Whatever is decided here is
decided from what the journal kept, so that a flow that is run again decides the same.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from gateway.errors import InDoubt, Misconfigured, Rejected
from gateway.model.event import Event
from gateway.model.order import Order
from gateway.model.payment import (
    CaptureMethod,
    Payment,
    PaymentState,
    ProviderPayment,
    ProviderRefund,
)
from gateway.model.route import Route
from gateway.policy import collecting, routing
from gateway.ports.exchange import Exchange
from gateway.ports.payments import Payments
from gateway.runtime import engine
from gateway.runtime.database import Connection
from gateway.runtime.documents import Unit
from gateway.runtime.hub import System
from gateway.runtime.story import Story

# Where the flows run that wait for a payment.
_WAITING_QUEUE: Final = "interactive"
# Waits for a provider that says "pending", before a person is asked; a day each.
_ROUNDS: Final = 20
# Money that did not move, and will not.
_RELEASED: Final = frozenset({PaymentState.CANCELLED, PaymentState.FAILED})
# The steps in which the provider says how the payment stands.
_SAYING: Final = (
    "payments.create_payment",
    "payments.capture_payment",
    "payments.find_payment.",
    "payments.cancel_payment.",
)


async def collect_payment(
    story: Story, order: Order, begin: Callable[[Unit], Awaitable[None]]
) -> Payment:
    """Collect the money of the order.

    Args:
        begin: Changes the order in the transaction that prepares the payment.

    Raises:
        InDoubt: The provider says pending for too long, or has another amount than was asked for.
        Rejected: No provider can take it (code ``no_provider``).
    """

    async def prepare(unit: Unit) -> Payment:
        await begin(unit)
        prepared, created = collecting.prepare(
            order,
            route=_route(story, order),
            key=f"{order.order_id}:payments.create_payment",
            at=datetime.now(UTC).isoformat(),
        )
        await unit.insert("payment", prepared.payment_id, prepared.state.value, prepared, [created])
        return await load_payment(unit, order.payment_id)

    payment = await story.record("payment.prepare", prepare, returns=Payment)
    answer = await story.call(
        "payments.create_payment",
        provider_of(story, payment),
        lambda port, key: port.create_payment(payment, key=key),
        find=lambda port: port.find_payment(payment),
        returns=ProviderPayment,
    )
    payment = await _record(story, "payment.answered", payment, answer)
    if payment.capture_method is CaptureMethod.MANUAL:
        payment = await _until(story, payment, "authorised", collecting.AUTHORISED)
        if payment.state is PaymentState.AUTHORISED:
            payment = await _capture(story, payment)
    payment = await _until(story, payment, "ended", collecting.ENDED)
    if payment.state in collecting.CAPTURED and payment.captured != payment.amount:
        raise InDoubt("The provider collected another amount.", code="integrity_mismatch")
    return payment


async def release_payment(story: Story, order: Order) -> None:
    """Give the money back, or end the attempt; whichever, by how far the provider has come.

    Raises:
        Rejected: The provider could not give the money back; a person has to.
        InDoubt: The provider neither ends the attempt nor collects, for too long.
    """
    if "payments.create_payment" not in story.steps:
        return
    # The flow may have stopped between an answer and the record of it.
    said = story.answers(*_SAYING, returns=ProviderPayment)
    payment = await story.record(
        "payment.cancelling", _applying(order.payment_id, *said), returns=Payment
    )
    for number in range(1, _ROUNDS + 1):
        if payment.state in collecting.CAPTURED:
            await give_back(story, payment)
            return
        if payment.state in collecting.ENDED:
            return
        payment = await _end(story, payment, f"release.{number}")
        if payment.state not in collecting.ENDED:
            await story.wait(
                f"payment.release.{number}",
                f"payment:{payment.payment_id}:ended",
                story.tenant.patience.payment_pending_s,
            )
            payment = await _record(story, f"payment.release.{number}.read", payment)
    raise InDoubt("The provider does not let go of the payment.", code="payment_not_released")


async def give_back(story: Story, payment: Payment) -> None:
    """Refund what was collected.

    Raises:
        Rejected: The provider could not; a person has to.
    """
    refund_id = f"{payment.payment_id}-refund"
    refund = await story.call(
        "payments.refund_payment",
        provider_of(story, payment),
        lambda port, key: port.refund_payment(payment, refund_id, payment.captured, key=key),
        find=lambda port: port.find_refund(payment, refund_id),
        returns=ProviderRefund,
    )
    if refund.state is PaymentState.FAILED:
        raise Rejected("The provider could not give the money back.", code="refund_failed")


def _route(story: Story, order: Order) -> Route:
    found = story.hub.route(story.tenant, routing.of_order(order))
    if not found.system:
        told = ", ".join(f"{one.system}: {one.code}" for one in found.reasons)
        raise Rejected("No provider can take this payment.", code="no_provider", detail=told)
    return found


def provider_of(story: Story, payment: Payment) -> System[Payments]:
    """The system that was chosen for the payment.

    Raises:
        Misconfigured: It is not configured any more.
    """
    try:
        return story.tenant.collectors[payment.provider]
    except KeyError:
        message = f"The payment is at {payment.provider}, which collects no payments here any more."
        raise Misconfigured(message, code="provider_gone") from None


async def _capture(story: Story, payment: Payment) -> Payment:
    answer = await story.call(
        "payments.capture_payment",
        provider_of(story, payment),
        lambda port, key: port.capture_payment(payment, payment.amount, key=key),
        find=lambda port: find_payment_in(port, payment, collecting.CAPTURED),
        returns=ProviderPayment,
    )
    return await _record(story, "payment.capture_answered", payment, answer)


async def _until(
    story: Story, payment: Payment, word: str, wanted: frozenset[PaymentState]
) -> Payment:
    """Wait until the payment is where it is wanted, or has ended otherwise.

    Money that moved is confirmed by the provider's webhook; a refusal needs no confirmation.
    """
    if payment.state in _RELEASED:
        return payment
    event = f"payment:{payment.payment_id}:{word}"
    patience = story.tenant.patience
    for number in range(1, _ROUNDS + 1):
        pending = payment.state is PaymentState.PENDING
        wait_s = patience.payment_pending_s if pending else patience.payment_confirmation_s
        confirmed = await story.wait(f"payment.{word}.{number}", event, wait_s)
        if confirmed is None:
            await _look_up(story, payment, f"{word}.{number}")
        payment = await _record(story, f"payment.{word}.{number}.read", payment)
        if confirmed is None and payment.state is PaymentState.REQUIRES_ACTION:
            # The customer did not act in time; nobody else shall.
            payment = await _end(story, payment, f"{word}.{number}")
        if payment.state in wanted or payment.state in collecting.ENDED:
            return payment
    raise InDoubt("The provider has said pending for too long.", code="payment_pending")


async def _look_up(story: Story, payment: Payment, name: str) -> None:
    """Ask the provider, because its webhook did not come."""
    found = await story.call(
        f"payments.find_payment.{name}",
        provider_of(story, payment),
        lambda port, _key: port.find_payment(payment),
        returns=ProviderPayment | None,
    )
    if found is not None:
        await _record(story, f"payment.{name}.found", payment, found)


async def _end(story: Story, payment: Payment, name: str) -> Payment:
    """End the attempt; where the provider refuses, what came of it meanwhile decides."""
    ended = await story.ask(
        f"payments.cancel_payment.{name}",
        provider_of(story, payment),
        lambda port, key: port.cancel_payment(payment, key=key),
        find=lambda port: find_payment_in(port, payment, _RELEASED),
        returns=ProviderPayment,
    )
    if ended is not None:
        return await _record(story, f"payment.{name}.cancelled", payment, ended)
    await _look_up(story, payment, f"{name}.refused")
    return await _record(story, f"payment.{name}.refused.read", payment)


def find_payment_in(
    port: Payments, payment: Payment, wanted: frozenset[PaymentState]
) -> Exchange[ProviderPayment | None]:
    """The provider's payment if it has come so far; None where the effect is still missing."""
    found = yield from port.find_payment(payment)
    return found if found is not None and found.state in wanted else None


async def load_payment(unit: Unit, payment_id: str) -> Payment:
    """The payment as it stands, locked until the transaction ends."""
    payment = await unit.load("payment", payment_id, Payment)
    if payment is None:
        raise LookupError("the payment is gone")
    return payment


async def _record(story: Story, step: str, payment: Payment, *said: ProviderPayment) -> Payment:
    """The payment as it stands now, after what the provider said."""
    return await story.record(step, _applying(payment.payment_id, *said), returns=Payment)


def _applying(payment_id: str, *answers: ProviderPayment) -> Callable[[Unit], Awaitable[Payment]]:
    return lambda unit: apply_answers(unit, payment_id, *answers)


async def apply_answers(unit: Unit, payment_id: str, *answers: ProviderPayment) -> Payment:
    """The payment after what its provider said, stored with the events of the change."""
    payment, events = await load_payment(unit, payment_id), list[Event]()
    for said in answers:
        payment, reported = collecting.apply(payment, said)
        events += reported
    if answers:
        await unit.save("payment", payment.payment_id, payment.state.value, payment, events)
        await unit.refer(collecting.references(payment))
    return payment


async def wake(connection: Connection, payment: Payment) -> None:
    """Tell the flow that waits; telling it again changes nothing."""
    for word, states in (("authorised", collecting.AUTHORISED), ("ended", collecting.ENDED)):
        if payment.state in states or payment.state in collecting.ENDED:
            await engine.emit(
                connection,
                queue=_WAITING_QUEUE,
                event=f"payment:{payment.payment_id}:{word}",
                payload={"state": payment.state.value},
            )
