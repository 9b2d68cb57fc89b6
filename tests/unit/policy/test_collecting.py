"""Collecting: a provider's words in any order, however often, end in the same payment."""

import itertools
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.money import Money
from gateway.model.payment import (
    PAYMENT_STATES,
    AttemptState,
    CaptureMethod,
    Payment,
    PaymentAttempt,
    PaymentFailure,
    PaymentState,
    ProviderPayment,
)
from gateway.policy import collecting

_S = PaymentState
_NOTHING: Final = Money(0, "EUR")
_ALL: Final = Money(2000, "EUR")
_PAYMENT: Final = Payment(
    payment_id="p1",
    order_id="o1",
    amount=_ALL,
    method_code="card",
    token="pm_1",
    capture_method=CaptureMethod.AUTOMATIC,
    provider="stripe",
    requested_at="2026-11-22T00:00:00+00:00",
    captured=_NOTHING,
    refunded=_NOTHING,
    attempts=(PaymentAttempt(attempt_id="p1-1", key="k", state=AttemptState.PREPARED),),
)
_DECLINED: Final = PaymentFailure(code="declined", provider_code="card_declined")

# What a provider says in the life of one payment, oldest first.
_LIVES: Final = {
    "sale": [_S.CREATED, _S.CAPTURED],
    "challenge": [_S.CREATED, _S.REQUIRES_ACTION, _S.PENDING, _S.CAPTURED],
    "manual": [_S.CREATED, _S.AUTHORISED, _S.CAPTURED, _S.SETTLED],
    "debit": [_S.CREATED, _S.PENDING, _S.CAPTURED, _S.SETTLED],
    "returned debit": [_S.CREATED, _S.PENDING, _S.CAPTURED, _S.SETTLED, _S.RETURNED],
    "decline": [_S.CREATED, _S.PENDING, _S.FAILED],
    "given up": [_S.CREATED, _S.REQUIRES_ACTION, _S.CANCELLED],
    "released": [_S.CREATED, _S.AUTHORISED, _S.CANCELLED],
    "second thoughts": [_S.CREATED, _S.FAILED, _S.CAPTURED],
}


def _said(state: PaymentState) -> ProviderPayment:
    return ProviderPayment(
        provider_ref="pi_1",
        state=state,
        amount=_ALL,
        captured=_ALL if state in {_S.CAPTURED, _S.SETTLED, _S.RETURNED} else _NOTHING,
        refunded=_ALL if state is _S.RETURNED else _NOTHING,
        failure=_DECLINED if state is _S.FAILED else None,
    )


def _after(words: tuple[ProviderPayment, ...]) -> Payment:
    payment = _PAYMENT
    for word in words:
        payment, _ = collecting.apply(payment, word)
    return payment


@pytest.mark.parametrize("life", _LIVES)
def test_every_order_of_words_ends_alike(life: str) -> None:
    """All permutations of a life's words, up to five: one payment."""
    words = [_said(state) for state in _LIVES[life]]
    expected = _after(tuple(words))
    assert _LIVES[life][-1] == expected.state

    ends = {order: _after(order) for order in itertools.permutations(words)}

    assert {} == {
        tuple(one.state for one in order): end
        for order, end in ends.items()
        if _without_attempts(end) != _without_attempts(expected)
    }


@pytest.mark.parametrize("life", _LIVES)
def test_every_order_of_words_leaves_the_same_attempt(life: str) -> None:
    """What is known of the attempt does not depend on which word came last."""
    words = [_said(state) for state in _LIVES[life]]

    ends = {_after(order).attempts for order in itertools.permutations(words)}

    assert {_after(tuple(words)).attempts} == ends


def _without_attempts(payment: Payment) -> Payment:
    return msgspec.structs.replace(payment, attempts=())


@given(st.data())
def test_repetitions_change_nothing(data: st.DataObject) -> None:
    """Any words of a life, any number of times, with all of them among: the same end."""
    life = [_said(state) for state in data.draw(st.sampled_from([*_LIVES.values()]))]
    again = data.draw(st.lists(st.sampled_from(life), max_size=5))
    words = data.draw(st.permutations([*life, *again]))

    assert _without_attempts(_after(tuple(life))) == _without_attempts(_after(tuple(words)))


@given(
    st.lists(
        st.builds(
            ProviderPayment,
            provider_ref=st.just("pi_1"),
            state=st.sampled_from([*PaymentState]),
            amount=st.just(_ALL),
            captured=st.integers(0, 2000).map(lambda minor: Money(minor, "EUR")),
            refunded=st.integers(0, 2000).map(lambda minor: Money(minor, "EUR")),
        ),
        max_size=5,
    )
)
def test_amounts_never_shrink_and_states_follow_the_table(words: list[ProviderPayment]) -> None:
    """Whatever is said: money that was collected stays collected, no state is gone back to."""
    payment = _PAYMENT
    for word in words:
        changed, _ = collecting.apply(payment, word)
        assert changed.captured.minor == max(payment.captured.minor, word.captured.minor)
        assert changed.refunded.minor == max(payment.refunded.minor, word.refunded.minor)
        stays = changed.state == payment.state
        assert stays or PAYMENT_STATES.reaches(payment.state, changed.state)
        payment = changed


def test_change_of_state_is_reported_once() -> None:
    """The first word makes an event, its repetition none."""
    captured, events = collecting.apply(_PAYMENT, _said(_S.CAPTURED))
    again, none = collecting.apply(captured, _said(_S.CAPTURED))

    assert ["headrace.payment.captured.v1"] == [event.type for event in events]
    assert () == none
    assert captured == again


def test_refusal_keeps_our_word_and_theirs() -> None:
    """The payment and its attempt both say why."""
    failed, events = collecting.apply(_PAYMENT, _said(_S.FAILED))

    assert (_DECLINED, _DECLINED) == (failed.failure, failed.attempts[0].failure)
    assert AttemptState.DECLINED == failed.attempts[0].state
    assert "declined" == events[0].data["failure"]


def test_late_refusal_does_not_undo_a_success() -> None:
    """An old failure that arrives after the charge leaves no trace of itself."""
    captured = _after((_said(_S.CAPTURED),))

    assert captured == _after((_said(_S.CAPTURED), _said(_S.FAILED)))


def test_payment_nobody_has_named_yet_has_no_reference() -> None:
    """The provider's id is a reference as soon as it is known."""
    assert () == collecting.references(_PAYMENT)
    assert ["pi_1"] == [
        one.external_id for one in collecting.references(_after((_said(_S.PENDING),)))
    ]


def test_event_tells_nothing_of_the_instrument() -> None:
    """Neither token nor key leaves with an event."""
    _, events = collecting.apply(_PAYMENT, _said(_S.CAPTURED))

    assert "pm_1" not in msgspec.json.encode(events).decode()
