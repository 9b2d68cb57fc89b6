"""What may become of a payment: how a provider's word changes it, whatever the order of words."""

from typing import Final

import msgspec

from gateway.model.event import Event
from gateway.model.money import Money
from gateway.model.order import Order
from gateway.model.payment import (
    PAYMENT_STATES,
    AttemptState,
    Payment,
    PaymentAttempt,
    PaymentState,
    ProviderPayment,
)
from gateway.model.reference import EntityKind, ExternalReference

_S = PaymentState
AUTHORISED: Final = frozenset({_S.AUTHORISED, _S.CAPTURED, _S.SETTLED})
CAPTURED: Final = frozenset({_S.CAPTURED, _S.SETTLED})
ENDED: Final = frozenset({*CAPTURED, _S.FAILED, _S.CANCELLED, _S.RETURNED, _S.DISPUTED})
_ATTEMPT_OF: Final = {
    _S.CREATED: AttemptState.PREPARED,
    _S.FAILED: AttemptState.DECLINED,
    _S.CANCELLED: AttemptState.CANCELLED,
    _S.PENDING: AttemptState.PENDING,
    _S.REQUIRES_ACTION: AttemptState.PENDING,
    _S.AUTHORISED: AttemptState.SUCCEEDED,
    _S.CAPTURED: AttemptState.SUCCEEDED,
    _S.SETTLED: AttemptState.SUCCEEDED,
    _S.RETURNED: AttemptState.SUCCEEDED,
    _S.DISPUTED: AttemptState.SUCCEEDED,
}
_EVENT_OF: Final = {
    _S.REQUIRES_ACTION: "action_required",
    _S.AUTHORISED: "authorised",
    _S.CAPTURED: "captured",
    _S.SETTLED: "settled",
    _S.FAILED: "failed",
    _S.RETURNED: "returned",
    _S.DISPUTED: "disputed",
}


def prepare(order: Order, *, provider: str, key: str, at: str) -> tuple[Payment, Event]:
    """The payment of an order with its first attempt, to be committed before anything is sent."""
    nothing = Money(0, order.total.currency)
    payment = Payment(
        payment_id=order.payment_id,
        order_id=order.order_id,
        amount=order.total,
        method_code=order.payment.method_code,
        token=order.payment.token,
        capture_method=order.payment.capture_method,
        provider=provider,
        requested_at=at,
        captured=nothing,
        refunded=nothing,
        attempts=(
            PaymentAttempt(
                attempt_id=f"{order.payment_id}-1", key=key, state=AttemptState.PREPARED
            ),
        ),
    )
    return payment, _event(payment, "created")


def apply(payment: Payment, said: ProviderPayment) -> tuple[Payment, tuple[Event, ...]]:
    """The payment after its provider's word.

    Words that would go backwards change nothing; amounts only grow. So the same words in any
    order, however often, end in the same payment.
    """
    forward = PAYMENT_STATES.reaches(payment.state, said.state)
    state = said.state if forward else payment.state
    failed = state is _S.FAILED
    changed = msgspec.structs.replace(
        payment,
        state=state,
        provider_ref=payment.provider_ref or said.provider_ref,
        captured=_larger(payment.captured, said.captured),
        refunded=_larger(payment.refunded, said.refunded),
        failure=(said.failure if forward else payment.failure) if failed else None,
    )
    changed = msgspec.structs.replace(changed, attempts=_attempts(changed))
    word = _EVENT_OF.get(state) if forward else None
    return changed, ((_event(changed, word),) if word else ())


def references(payment: Payment) -> tuple[ExternalReference, ...]:
    """What the provider calls the payment, once it is known."""
    if not payment.provider_ref:
        return ()
    return (
        ExternalReference(
            entity=EntityKind.PAYMENT,
            entity_id=payment.payment_id,
            system=payment.provider,
            external_id=payment.provider_ref,
        ),
    )


def _attempts(payment: Payment) -> tuple[PaymentAttempt, ...]:
    """The attempts, the last as the payment has it now; so it does not matter who spoke last."""
    *earlier, last = payment.attempts
    now = msgspec.structs.replace(
        last,
        state=_ATTEMPT_OF[payment.state],
        provider_ref=payment.provider_ref,
        failure=payment.failure,
    )
    return (*earlier, now)


def _larger(known: Money, said: Money) -> Money:
    return said if said.minor > known.minor else known


def _event(payment: Payment, word: str) -> Event:
    return Event(
        type=f"headrace.payment.{word}.v1",
        aggregate="payment",
        aggregate_id=payment.payment_id,
        data={
            "order_id": payment.order_id,
            "state": payment.state.value,
            "amount": payment.amount.amount,
            "currency": payment.amount.currency,
            "captured": payment.captured.amount,
            "failure": payment.failure.code if payment.failure else None,
        },
    )
