"""Cancelling: the wish to give up a payment that was not collected, and what came of it."""

import msgspec

from gateway.model.event import Event
from gateway.model.payment import (
    Cancellation,
    Payment,
    PaymentFailure,
    WishState,
)
from gateway.policy import collecting, wishing


def request(payment: Payment, *, at: str) -> tuple[Payment, Cancellation]:
    """The payment with another wish to give it up, committed before anything is sent.

    Args:
        at: ISO 8601 in UTC.
    """
    wish = Cancellation(
        cancellation_id=wishing.next_id(payment.payment_id, "cancel", payment.cancellations),
        requested_at=at,
    )
    changed = msgspec.structs.replace(payment, cancellations=(*payment.cancellations, wish))
    return changed, wish


def payment_of(cancellation_id: str) -> str:
    """Id of the payment that was to be given up."""
    return wishing.owner_of(cancellation_id, "cancel")


def ended(payment: Payment, cancellation_id: str) -> tuple[Payment, tuple[Event, ...]]:
    """The payment after its provider was asked: given up, or not."""
    is_released = payment.state in collecting.RELEASED
    state = WishState.DONE if is_released else WishState.FAILED
    failure = None if is_released else PaymentFailure(code="cancel_refused")
    wishes = wishing.change(
        payment.cancellations, "cancellation_id", cancellation_id, state=state, failure=failure
    )
    changed = msgspec.structs.replace(payment, cancellations=wishes)
    return changed, () if is_released else (collecting.event(changed, "cancel_failed"),)
