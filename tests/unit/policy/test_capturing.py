"""Capturing: what is left of an authorisation, and until when."""

from datetime import UTC, datetime

import msgspec
import pytest

from gateway.model.instruction import NewCapture
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import CaptureMethod, Payment, PaymentFailure, PaymentState
from gateway.policy import cancelling, capturing, requests
from gateway.policy.validation import Invalid

_NOTHING = Money(0, "EUR")
_AT = "2026-11-22T00:00:00+00:00"
_HELD = Payment(
    payment_id="p1",
    amount=Money(2000, "EUR"),
    method_code="card",
    capture_method=CaptureMethod.MANUAL,
    requested_at=_AT,
    state=PaymentState.AUTHORISED,
    progress=PaymentState.AUTHORISED,
    authorised_at=_AT,
    captured=_NOTHING,
    refunded=_NOTHING,
    returned=_NOTHING,
    disputed=_NOTHING,
)


def test_what_was_asked_for_is_not_asked_for_again() -> None:
    """Before the provider has said anything; what it refused can be asked for once more."""
    payment, capture = capturing.request(_HELD, Money(1500, "EUR"), at=_AT)
    refused, events = capturing.refused(payment, capture, PaymentFailure(code="expired"))

    assert Money(500, "EUR") == capturing.left(payment)
    assert Money(2000, "EUR") == capturing.left(refused)
    assert ["headrace.payment.capture_failed.v1"] == [one.type for one in events]


@pytest.mark.parametrize(
    ("asked", "pointer", "code"),
    [
        (Money(2001, "EUR"), "/amount/amount", "above_authorised"),
        (Money(2000, "USD"), "/amount/currency", "mixed_currency"),
    ],
)
def test_more_than_is_held_is_refused(asked: Money, pointer: str, code: str) -> None:
    """With the field and the rule."""
    now = datetime.fromisoformat(_AT)
    with pytest.raises(Invalid) as refused:
        requests.amount_to_capture(_HELD, NewCapture(amount=asked), hold_days=7, now=now)

    assert [(pointer, code)] == [(one.pointer, one.code) for one in refused.value.errors]


@pytest.mark.parametrize(
    ("day", "hold_days", "expired"),
    [(28, 7, False), (30, 7, True), (30, 0, False)],
)
def test_authorisation_ends(day: int, hold_days: int, *, expired: bool) -> None:
    """After as many days as the provider holds it; where nobody says, the provider decides."""
    now = datetime(2026, 11, day, tzinfo=UTC)

    assert expired is capturing.has_expired(_HELD, hold_days=hold_days, now=now)
    if expired:
        with pytest.raises(Invalid) as refused:
            requests.amount_to_capture(_HELD, NewCapture(), hold_days=hold_days, now=now)
        assert "authorisation_expired" == refused.value.errors[0].code


def test_one_wish_at_a_time() -> None:
    """While nobody knows what came of one, no other is taken: they could not be told apart."""
    collecting_, capture = capturing.request(_HELD, Money(500, "EUR"), at=_AT)
    cancelling_, _ = cancelling.request(_HELD, at=_AT)

    assert not requests.may_capture(collecting_)
    assert not requests.may_capture(cancelling_)
    assert not requests.may_cancel(cancelling_)
    assert requests.may_capture(capturing.done(collecting_, capture))
    assert 500 == capturing.target(collecting_, capture)


def test_what_the_provider_took_back_is_left_again() -> None:
    """It said yes, and days later no."""
    payment, capture = capturing.request(_HELD, Money(2000, "EUR"), at=_AT)
    undone = Movement(
        kind=MovementKind.CAPTURE, ref="c", state=MovementState.UNDONE, amount=Money(2000, "EUR")
    )
    done = msgspec.structs.replace(capturing.done(payment, capture), movements=(undone,))

    assert Money(2000, "EUR") == capturing.left(done)


def test_nothing_left_is_nothing_to_collect() -> None:
    """Neither by this call nor by an earlier one."""
    payment, _ = capturing.request(_HELD, Money(2000, "EUR"), at=_AT)

    assert not requests.may_capture(payment)
    assert requests.may_capture(_HELD)
    assert not requests.may_capture(msgspec.structs.replace(_HELD, state=PaymentState.CANCELLED))
