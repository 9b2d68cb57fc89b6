"""Adjusting: to what an authorisation may be raised, and what became of the wish.

Only raised, never lowered: what may be collected is a maximum like every other fact of a payment
(ADR 0023), so it does not matter in which order it is heard. Whoever wants less collects less.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import (
    AmountUpdate,
    Payment,
    PaymentFailure,
    ProviderPayment,
    WishState,
)
from gateway.policy import wishing

_KIND: Final = MovementKind.AUTHORISATION
_STATE_OF: Final = {
    MovementState.PENDING: WishState.PENDING,
    MovementState.DONE: WishState.DONE,
    MovementState.UNDONE: WishState.FAILED,
}


def told(payment: Payment, said: ProviderPayment) -> Iterator[Movement]:
    """The raised amount of an answer that has no name for it."""
    if said.amount.minor > payment.amount.minor:
        yield Movement(kind=_KIND, ref="", state=MovementState.DONE, amount=said.amount)


def authorised(payment: Payment, movements: Sequence[Movement]) -> Money | None:
    """All that may be collected; None where it was never raised."""
    done = (one for one in movements if one.kind is _KIND and one.state is MovementState.DONE)
    highest = max((one.amount.minor for one in done), default=0)
    return Money(highest, payment.amount.currency) if highest > payment.amount.minor else None


def is_open(payment: Payment) -> bool:
    """Whether it is not decided to what it is raised; of two at once the lower might win."""
    undecided = {WishState.CREATED, WishState.PENDING}
    return any(one.state in undecided for one in payment.amount_updates)


def request(payment: Payment, amount: Money, *, at: str) -> tuple[Payment, AmountUpdate]:
    """The payment with another wish to raise it, to be committed before anything is sent.

    Args:
        amount: Above what may be collected now.
        at: ISO 8601 in UTC.
    """
    update = AmountUpdate(
        update_id=wishing.next_id(payment.payment_id, "amount", payment.amount_updates),
        amount=amount,
        requested_at=at,
    )
    updates = (*payment.amount_updates, update)
    return msgspec.structs.replace(payment, amount_updates=updates), update


def payment_of(update_id: str) -> str:
    """Id of the payment that was to be raised."""
    return wishing.owner_of(update_id, "amount")


def find(payment: Payment, update_id: str) -> AmountUpdate:
    """The wish of this id.

    Raises:
        LookupError: There is none.
    """
    return wishing.find(payment.amount_updates, "update_id", update_id)


def answered(payment: Payment, update: AmountUpdate, said: ProviderPayment) -> Payment:
    """The payment of which the provider has taken the wish; ``collecting`` does the rest."""
    ref = next((one.ref for one in said.movements if one.kind is _KIND), "")
    state = WishState.PENDING if ref else WishState.DONE
    return _with(payment, update, state=state, provider_ref=ref)


def refused(payment: Payment, update: AmountUpdate, failure: PaymentFailure) -> Payment:
    """The payment that its provider will not raise."""
    return _with(payment, update, state=WishState.FAILED, failure=failure)


def after(payment: Payment) -> tuple[AmountUpdate, ...]:
    """The wishes, each as the movement with its reference has it."""
    said = {one.ref: one for one in payment.movements if one.ref and one.kind is _KIND}
    return tuple(_update(one, said.get(one.provider_ref)) for one in payment.amount_updates)


def refusals(payment: Payment) -> int:
    """How many wishes came to nothing."""
    return sum(one.state is WishState.FAILED for one in payment.amount_updates)


def _update(update: AmountUpdate, said: Movement | None) -> AmountUpdate:
    if said is None:
        return update
    failed = said.state is MovementState.UNDONE
    failure = PaymentFailure(code="amount_update_refused", provider_code=said.reason_code)
    return msgspec.structs.replace(
        update, state=_STATE_OF[said.state], failure=failure if failed else None
    )


def _with(payment: Payment, update: AmountUpdate, **changes: object) -> Payment:
    updates = wishing.change(payment.amount_updates, "update_id", update.update_id, **changes)
    return msgspec.structs.replace(payment, amount_updates=updates)
