"""Capturing: what may be collected of an authorisation, and what became of it."""

from datetime import UTC, datetime, timedelta

import msgspec

from gateway.model.event import Event
from gateway.model.money import Money
from gateway.model.movement import MovementKind, MovementState
from gateway.model.payment import Capture, Payment, PaymentFailure, WishState
from gateway.policy import collecting, wishing


def left(payment: Payment) -> Money:
    """What can still be collected, by what the provider said and by what it was asked."""
    taken = max(payment.captured.minor, _asked(payment) - _undone(payment))
    return Money(max(payment.ceiling.minor - taken, 0), payment.amount.currency)


def target(payment: Payment, capture: Capture) -> int:
    """Minor units that are collected in all once this capture is; others are not under way."""
    before = _asked(payment) - capture.amount.minor - _undone(payment)
    return max(payment.captured.minor, before) + capture.amount.minor


def is_open(payment: Payment) -> bool:
    """Whether nobody knows yet what came of a wish to collect it, raise it, or give it up."""
    states = [one.state for one in payment.captures]
    states += [one.state for one in payment.amount_updates]
    states += [one.state for one in payment.cancellations]
    return WishState.CREATED in states


def _asked(payment: Payment) -> int:
    """Minor units that were to be collected, without what was refused."""
    asked = (one for one in payment.captures if one.state is not WishState.FAILED)
    return sum(one.amount.minor for one in asked)


def _undone(payment: Payment) -> int:
    """Minor units that the provider took back after it had collected them."""
    captures = (one for one in payment.movements if one.kind is MovementKind.CAPTURE)
    return sum(one.amount.minor for one in captures if one.state is MovementState.UNDONE)


def has_expired(payment: Payment, *, hold_days: int, now: datetime) -> bool:
    """Whether the provider has let go of the authorisation by now.

    Args:
        hold_days: How long it holds it; 0 where nobody says.
    """
    if not hold_days or not payment.authorised_at:
        return False
    until = datetime.fromisoformat(payment.authorised_at).astimezone(UTC) + timedelta(hold_days)
    return now > until


def request(payment: Payment, amount: Money, *, at: str) -> tuple[Payment, Capture]:
    """The payment with another capture, to be committed before anything is sent.

    Args:
        amount: At most what is ``left``.
        at: ISO 8601 in UTC.
    """
    capture = Capture(
        capture_id=wishing.next_id(payment.payment_id, "capture", payment.captures),
        amount=amount,
        requested_at=at,
    )
    return msgspec.structs.replace(payment, captures=(*payment.captures, capture)), capture


def payment_of(capture_id: str) -> str:
    """Id of the payment that a capture is of."""
    return wishing.owner_of(capture_id, "capture")


def find(payment: Payment, capture_id: str) -> Capture:
    """The capture of this id.

    Raises:
        LookupError: There is none.
    """
    return wishing.find(payment.captures, "capture_id", capture_id)


def done(payment: Payment, capture: Capture) -> Payment:
    """The payment of which the provider has taken the order to collect."""
    return _with(payment, capture, WishState.DONE, None)


def refused(
    payment: Payment, capture: Capture, failure: PaymentFailure
) -> tuple[Payment, tuple[Event, ...]]:
    """The payment of which the provider will not collect this."""
    changed = _with(payment, capture, WishState.FAILED, failure)
    return changed, (collecting.event(changed, "capture_failed"),)


def _with(
    payment: Payment, capture: Capture, state: WishState, failure: PaymentFailure | None
) -> Payment:
    captures = wishing.change(
        payment.captures, "capture_id", capture.capture_id, state=state, failure=failure
    )
    return msgspec.structs.replace(payment, captures=captures)
