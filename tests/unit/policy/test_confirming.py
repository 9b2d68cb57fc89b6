"""Confirming: what lets a payment go on, and what of it is kept."""

import msgspec
import pytest

from gateway.model.confirmation import NewConfirmation, PayerDetails
from gateway.model.money import Money
from gateway.model.payment import (
    CaptureMethod,
    Payment,
    PaymentFailure,
    PaymentState,
    WishState,
)
from gateway.policy import confirming
from gateway.policy.validation import Invalid

_NOTHING = Money(0, "EUR")
_AT = "2026-11-22T00:00:00+00:00"


def _payment(state: PaymentState = PaymentState.REQUIRES_ACTION) -> Payment:
    return Payment(
        payment_id="p1",
        amount=Money(2000, "EUR"),
        method_code="card",
        capture_method=CaptureMethod.AUTOMATIC,
        provider="adyen",
        requested_at=_AT,
        state=state,
        captured=_NOTHING,
        refunded=_NOTHING,
        returned=_NOTHING,
        disputed=_NOTHING,
    )


@pytest.mark.parametrize("state", list(PaymentState))
def test_only_who_was_asked_can_answer(state: PaymentState) -> None:
    """In every other state there is nothing to go on with."""
    assert (state is PaymentState.REQUIRES_ACTION) == confirming.may_go_on(_payment(state))


def test_one_answer_at_a_time() -> None:
    """A second one waits until it is known what became of the first."""
    payment, wish = confirming.request(_payment(), at=_AT)
    failure = PaymentFailure(code="refused")

    assert ("p1-confirm-1", "p1") == (
        wish.confirmation_id,
        confirming.payment_of(wish.confirmation_id),
    )
    assert not confirming.may_go_on(payment)
    refused = confirming.ended(payment, wish.confirmation_id, failure)
    assert (WishState.FAILED, failure) == (
        refused.confirmations[0].state,
        refused.confirmations[0].failure,
    )
    assert confirming.may_go_on(refused)
    assert WishState.DONE is confirming.ended(payment, wish.confirmation_id).confirmations[0].state


@pytest.mark.parametrize(
    ("new", "needed", "expected"),
    [
        ({"details": {"a": "b"}}, True, []),
        ({}, False, []),
        ({}, True, [("/details", "details_missing")]),
        ({"token": "t"}, False, [("/token", "not_awaited")]),
        (
            {"return_url": "https://a.example/", "payment_method_id": "m"},
            True,
            [
                ("/payment_method_id", "not_awaited"),
                ("/return_url", "not_awaited"),
                ("/details", "details_missing"),
            ],
        ),
    ],
)
def test_what_cannot_be_used_is_named(
    new: dict[str, object], expected: list[tuple[str, str]], *, needed: bool
) -> None:
    """Each with its field."""
    found: tuple[tuple[str, str], ...] = ()
    try:
        confirming.check_details(msgspec.convert(new, NewConfirmation), needed=needed)
    except Invalid as error:
        found = tuple((one.pointer, one.code) for one in error.errors)

    assert expected == list(found)


def test_details_are_not_shown() -> None:
    """In whatever text Python makes of them."""
    shown = repr(PayerDetails(details={"redirectResult": "secret"}))
    shown += repr(NewConfirmation(token="tok_secret", details={"a": "secret"}))

    assert "secret" not in shown


def test_payment_that_nobody_began_is_given_up() -> None:
    """It says so."""
    waiting = msgspec.structs.replace(_payment(PaymentState.CREATED), unconfirmed=True)
    changed, events = confirming.given_up(waiting)

    assert (PaymentState.CANCELLED, False) == (changed.state, changed.unconfirmed)
    assert ["headrace.payment.cancelled.v1"] == [one.type for one in events]
