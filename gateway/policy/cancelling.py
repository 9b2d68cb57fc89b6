"""Cancelling: the wish to give up a payment that was not collected, and what came of it."""

import msgspec

from gateway.model.event import Event
from gateway.model.payment import (
    Cancellation,
    Payment,
    PaymentFailure,
    PaymentState,
    WishState,
)
from gateway.policy import collecting

_RELEASED = frozenset({PaymentState.CANCELLED, PaymentState.FAILED})


def request(payment: Payment, *, at: str) -> tuple[Payment, Cancellation]:
    """The payment with another wish to give it up, committed before anything is sent.

    Args:
        at: ISO 8601 in UTC.
    """
    wish = Cancellation(
        cancellation_id=f"{payment.payment_id}-cancel-{len(payment.cancellations) + 1}",
        requested_at=at,
    )
    changed = msgspec.structs.replace(payment, cancellations=(*payment.cancellations, wish))
    return changed, wish


def payment_of(cancellation_id: str) -> str:
    """Id of the payment that was to be given up."""
    return cancellation_id.partition("-cancel-")[0]


def ended(payment: Payment, cancellation_id: str) -> tuple[Payment, tuple[Event, ...]]:
    """The payment after its provider was asked: given up, or not."""
    is_released = payment.state in _RELEASED
    state = WishState.DONE if is_released else WishState.FAILED
    failure = None if is_released else PaymentFailure(code="cancel_refused")
    wishes = (
        msgspec.structs.replace(one, state=state, failure=failure)
        if one.cancellation_id == cancellation_id
        else one
        for one in payment.cancellations
    )
    changed = msgspec.structs.replace(payment, cancellations=tuple(wishes))
    return changed, () if is_released else (collecting.event(changed, "cancel_failed"),)
