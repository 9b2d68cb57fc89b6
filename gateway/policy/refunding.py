"""Refunding: what may be given back of a payment, and what became of it."""

from collections.abc import Iterator
from typing import Final

import msgspec

from gateway.model.event import Event
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import (
    Cancellation,
    Payment,
    PaymentFailure,
    ProviderRefund,
    Refund,
    RefundState,
    WishState,
)
from gateway.policy import moving, wishing

_STATE_OF: Final = {
    MovementState.PENDING: RefundState.PENDING,
    MovementState.DONE: RefundState.SETTLED,
    MovementState.UNDONE: RefundState.FAILED,
}
_EVENT_OF: Final = {
    RefundState.SETTLED: "settled",
    RefundState.FAILED: "failed",
    RefundState.CANCELLED: "cancelled",
}


def left(payment: Payment) -> Money:
    """What can still be given back: collected, not taken back, not on its way back already."""
    named = {one.provider_ref for one in payment.refunds if one.provider_ref}
    others = (
        one.amount.minor
        for one in payment.movements
        if one.kind is MovementKind.REFUND
        and one.state is MovementState.PENDING
        and one.ref not in named
    )
    open_here = (
        one.amount.minor
        for one in payment.refunds
        if one.state in {RefundState.CREATED, RefundState.PENDING}
    )
    coming_back = moving.pending(payment.movements, MovementKind.RETURN, payment.amount.currency)
    taken = payment.returned.minor + payment.disputed.minor + payment.refunded.minor
    taken += coming_back.minor
    minor = payment.captured.minor - taken - sum(others) - sum(open_here)
    return Money(max(minor, 0), payment.amount.currency)


def request(payment: Payment, amount: Money, *, reason: str, at: str) -> tuple[Payment, Refund]:
    """The payment with another refund, to be committed before anything is sent.

    Args:
        amount: At most what is ``left``.
        at: ISO 8601 in UTC.
    """
    refund = Refund(
        refund_id=wishing.next_id(payment.payment_id, "refund", payment.refunds),
        payment_id=payment.payment_id,
        amount=amount,
        reason=reason,
        requested_at=at,
    )
    return msgspec.structs.replace(payment, refunds=(*payment.refunds, refund)), refund


def payment_of(refund_id: str) -> str:
    """Id of the payment that a refund is of."""
    return wishing.owner_of(refund_id, "refund")


def find(payment: Payment, refund_id: str) -> Refund:
    """The refund of this id.

    Raises:
        LookupError: There is none.
    """
    return wishing.find(payment.refunds, "refund_id", refund_id)


def answered(payment: Payment, refund: Refund, said: ProviderRefund) -> Payment:
    """The payment in which a refund has its provider's reference; ``collecting`` does the rest."""
    return _with(payment, refund, provider_ref=said.provider_ref)


def refused(
    payment: Payment, refund: Refund, failure: PaymentFailure
) -> tuple[Payment, tuple[Event, ...]]:
    """The payment of which the provider will not give this back."""
    changed = _with(payment, refund, state=RefundState.FAILED, failure=failure)
    return changed, tuple(news(payment, changed))


def may_cancel(refund: Refund) -> bool:
    """Whether it is known where the refund is, it has not gone, and nobody is stopping it."""
    is_open = any(one.state is WishState.CREATED for one in refund.cancellations)
    return refund.state is RefundState.PENDING and bool(refund.provider_ref) and not is_open


def request_cancel(payment: Payment, refund: Refund, *, at: str) -> tuple[Payment, Cancellation]:
    """The payment with the wish not to give it back, to be committed before anything is sent.

    Args:
        at: ISO 8601 in UTC.
    """
    wish = Cancellation(
        cancellation_id=wishing.next_id(refund.refund_id, "cancel", refund.cancellations),
        requested_at=at,
    )
    return _with(payment, refund, cancellations=(*refund.cancellations, wish)), wish


def refund_of(cancellation_id: str) -> str:
    """Id of the refund that was not wanted any more."""
    return wishing.owner_of(cancellation_id, "cancel")


def cancelled(payment: Payment, cancellation_id: str) -> tuple[Payment, Movement]:
    """The payment of which this stays, and the movement that never was."""
    refund = find(payment, refund_of(cancellation_id))
    gone = Movement(
        kind=MovementKind.REFUND,
        ref=refund.provider_ref,
        state=MovementState.UNDONE,
        amount=refund.amount,
    )
    return _cancellation(payment, refund, cancellation_id, state=WishState.DONE), gone


def not_cancelled(
    payment: Payment, cancellation_id: str, failure: PaymentFailure
) -> tuple[Payment, tuple[Event, ...]]:
    """The payment whose provider does not let go of the refund."""
    refund = find(payment, refund_of(cancellation_id))
    changed = _cancellation(
        payment, refund, cancellation_id, state=WishState.FAILED, failure=failure
    )
    return changed, (event(find(changed, refund.refund_id), "cancel_failed"),)


def event(refund: Refund, word: str) -> Event:
    """The event of a refund."""
    return Event(
        type=f"headrace.refund.{word}.v1",
        aggregate="refund",
        aggregate_id=refund.refund_id,
        data={
            "payment_id": refund.payment_id,
            "state": refund.state.value,
            "amount": refund.amount.amount,
            "currency": refund.amount.currency,
            "failure": refund.failure.code if refund.failure else None,
        },
    )


def _with(payment: Payment, refund: Refund, **changes: object) -> Payment:
    refunds = wishing.change(payment.refunds, "refund_id", refund.refund_id, **changes)
    return msgspec.structs.replace(payment, refunds=refunds)


def _cancellation(
    payment: Payment, refund: Refund, cancellation_id: str, **changes: object
) -> Payment:
    wishes = wishing.change(refund.cancellations, "cancellation_id", cancellation_id, **changes)
    return _with(payment, refund, cancellations=wishes)


def after(payment: Payment) -> tuple[Refund, ...]:
    """The refunds, each as the movement with its reference has it."""
    if not payment.refunds:
        return ()
    kind = MovementKind.REFUND
    said = {one.ref: one for one in payment.movements if one.ref and one.kind is kind}
    return tuple(_refund(one, said.get(one.provider_ref)) for one in payment.refunds)


def _refund(refund: Refund, said: Movement | None) -> Refund:
    if said is None:
        return refund
    failed = said.state is MovementState.UNDONE
    if failed and any(one.state is WishState.DONE for one in refund.cancellations):
        return msgspec.structs.replace(refund, state=RefundState.CANCELLED, failure=None)
    failure = PaymentFailure(code="refund_failed", provider_code=said.reason_code)
    return msgspec.structs.replace(
        refund, state=_STATE_OF[said.state], failure=failure if failed else None
    )


def news(before: Payment, now: Payment) -> Iterator[Event]:
    """What became of refunds, as events call it."""
    known = {one.refund_id: one.state for one in before.refunds}
    for one in now.refunds:
        if one.state is not known.get(one.refund_id) and one.state in _EVENT_OF:
            yield event(one, _EVENT_OF[one.state])
