"""Refunding: never more than is left, and the provider's last word decides."""

import itertools

import pytest

from gateway.model import codec
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import (
    AttemptState,
    CaptureMethod,
    Payment,
    PaymentAttempt,
    PaymentFailure,
    PaymentState,
    ProviderPayment,
    ProviderRefund,
    RefundState,
)
from gateway.policy import collecting, refunding

_NOTHING = Money(0, "EUR")
_AT = "2026-11-22T00:00:00+00:00"


def _collected() -> Payment:
    """20.00 EUR, collected."""
    payment = Payment(
        payment_id="p1",
        amount=Money(2000, "EUR"),
        method_code="card",
        capture_method=CaptureMethod.AUTOMATIC,
        provider="stripe",
        requested_at=_AT,
        captured=_NOTHING,
        refunded=_NOTHING,
        returned=_NOTHING,
        disputed=_NOTHING,
        attempts=(PaymentAttempt(attempt_id="p1-1", key="k", state=AttemptState.PREPARED),),
    )
    return collecting.apply(payment, _whole(0))[0]


def _whole(refunded: int) -> ProviderPayment:
    return ProviderPayment(
        provider_ref="pi_1",
        state=PaymentState.CAPTURED,
        amount=Money(2000, "EUR"),
        captured=Money(2000, "EUR"),
        refunded=Money(refunded, "EUR"),
    )


def _moved(state: MovementState, minor: int = 500, ref: str = "re_1") -> Movement:
    amount = Money(minor, "EUR")
    return Movement(kind=MovementKind.REFUND, ref=ref, state=state, amount=amount)


def _said(state: PaymentState) -> ProviderRefund:
    return ProviderRefund(provider_ref="re_1", state=state, amount=Money(500, "EUR"))


def test_what_is_on_its_way_is_not_given_back_again() -> None:
    """Asked for, on its way, or done: each is counted once."""
    payment, refund = refunding.request(_collected(), Money(500, "EUR"), reason="", at=_AT)
    assert Money(1500, "EUR") == refunding.left(payment)

    answered = refunding.answered(payment, refund, _said(PaymentState.PENDING))
    pending, _ = collecting.apply(answered, movements=[_moved(MovementState.PENDING)])
    assert Money(1500, "EUR") == refunding.left(pending)

    done, _ = collecting.apply(pending, movements=[_moved(MovementState.DONE)])
    assert Money(1500, "EUR") == refunding.left(done)


def test_refund_that_somebody_else_made_counts() -> None:
    """By hand at the provider: what is left is less."""
    payment, _ = collecting.apply(_collected(), movements=[_moved(MovementState.PENDING, 700)])

    assert Money(1300, "EUR") == refunding.left(payment)


def test_failed_refund_is_left_again() -> None:
    """The bank sent it back."""
    payment, refund = refunding.request(_collected(), Money(500, "EUR"), reason="", at=_AT)
    failure = PaymentFailure(code="refused")
    refused, events = refunding.refused(payment, refund, failure)

    assert Money(2000, "EUR") == refunding.left(refused)
    assert ["headrace.refund.failed.v1"] == [one.type for one in events]
    assert failure == refused.refunds[0].failure


def test_each_refund_has_an_id_of_its_own() -> None:
    """From which the payment can be told."""
    payment, first = refunding.request(_collected(), Money(500, "EUR"), reason="", at=_AT)
    _, second = refunding.request(payment, Money(500, "EUR"), reason="", at=_AT)

    assert ["p1-refund-1", "p1-refund-2"] == [first.refund_id, second.refund_id]
    assert {"p1"} == {refunding.payment_of(one.refund_id) for one in (first, second)}


@pytest.mark.parametrize("last", [MovementState.DONE, MovementState.UNDONE])
def test_any_order_of_words_ends_alike(last: MovementState) -> None:
    """The answer to our call and its webhooks, in every order, with one repeated."""
    asked, refund = refunding.request(_collected(), Money(500, "EUR"), reason="", at=_AT)
    words = [MovementState.PENDING, MovementState.DONE, last]
    ends = set()
    for order in itertools.permutations([*words, "answer", "answer"]):
        payment = asked
        for word in order:
            if isinstance(word, MovementState):
                payment, _ = collecting.apply(payment, movements=[_moved(word)])
            else:
                payment = refunding.answered(payment, refund, _said(PaymentState.PENDING))
                payment, _ = collecting.apply(
                    payment, movements=[_said(PaymentState.PENDING).movement]
                )
        ends.add(codec.encode(payment.refunds))
        state = RefundState.SETTLED if last is MovementState.DONE else RefundState.FAILED
        assert state is payment.refunds[0].state
    assert 1 == len(ends)
