"""Collecting: a provider's words in any order, however often, end in the same payment."""

import itertools
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.event import Event
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import (
    PAYMENT_STATES,
    ActionKind,
    AttemptState,
    CaptureMethod,
    NextAction,
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
    returned=_NOTHING,
    disputed=_NOTHING,
    attempts=(PaymentAttempt(attempt_id="p1-1", key="k", state=AttemptState.PREPARED),),
)
_DECLINED: Final = PaymentFailure(code="declined", provider_code="card_declined")
_ASKED: Final = NextAction(kind=ActionKind.REDIRECT, url="a")
_TRANSFER: Final = NextAction(kind=ActionKind.TRANSFER, details={"iban": "DE…"})

# What a provider says in the life of one payment, oldest first.
_LIVES: Final = {
    "sale": [_S.CREATED, _S.CAPTURED],
    "challenge": [_S.CREATED, _S.REQUIRES_ACTION, _S.PENDING, _S.CAPTURED],
    "manual": [_S.CREATED, _S.AUTHORISED, _S.CAPTURED, _S.SETTLED],
    "debit": [_S.CREATED, _S.PENDING, _S.CAPTURED, _S.SETTLED],
    "decline": [_S.CREATED, _S.PENDING, _S.FAILED],
    "given up": [_S.CREATED, _S.REQUIRES_ACTION, _S.CANCELLED],
    "released": [_S.CREATED, _S.AUTHORISED, _S.CANCELLED],
    "second thoughts": [_S.CREATED, _S.FAILED, _S.CAPTURED],
    "refused, then ended": [_S.CREATED, _S.PENDING, _S.FAILED, _S.CANCELLED],
    "paid after the end": [_S.CREATED, _S.REQUIRES_ACTION, _S.CANCELLED, _S.CAPTURED],
}


def _said(state: PaymentState) -> ProviderPayment:
    return ProviderPayment(
        provider_ref="pi_1",
        state=state,
        amount=_ALL,
        captured=_ALL if state in {_S.CAPTURED, _S.SETTLED} else _NOTHING,
        refunded=_NOTHING,
        failure=_DECLINED if state is _S.FAILED else None,
    )


def _heard(payment: Payment, word: ProviderPayment | Movement) -> tuple[Payment, tuple[Event, ...]]:
    if isinstance(word, Movement):
        return collecting.apply(payment, movements=[word])
    return collecting.apply(payment, word)


def _after(words: tuple[ProviderPayment | Movement, ...]) -> Payment:
    payment = _PAYMENT
    for word in words:
        payment, _ = _heard(payment, word)
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


_WORDS: Final = st.one_of(
    st.builds(
        ProviderPayment,
        provider_ref=st.just("pi_1"),
        state=st.sampled_from([one for one in _S if one not in {_S.RETURNED, _S.DISPUTED}]),
        amount=st.just(_ALL),
        captured=st.sampled_from([0, 500, 2000]).map(lambda minor: Money(minor, "EUR")),
        refunded=st.sampled_from([0, 500, 2000]).map(lambda minor: Money(minor, "EUR")),
        failure=st.sampled_from(
            [None, _DECLINED, PaymentFailure(code="insufficient_funds", provider_code="51")]
        ),
        next_action=st.sampled_from(
            [None, _ASKED, msgspec.structs.replace(_ASKED, url="b"), _TRANSFER]
        ),
    ),
    st.builds(
        Movement,
        kind=st.sampled_from([*MovementKind]),
        ref=st.sampled_from(["a", "b"]),
        state=st.sampled_from([*MovementState]),
        amount=st.sampled_from([500, 2000]).map(lambda minor: Money(minor, "EUR")),
        reason_code=st.sampled_from(["", "AM04"]),
    ),
)


@given(st.data())
def test_any_words_in_any_order_end_alike(data: st.DataObject) -> None:
    """Also such as no provider would say of one payment, some of them twice."""
    words = data.draw(st.lists(_WORDS, max_size=6))
    again = data.draw(st.lists(st.sampled_from(words), max_size=3)) if words else []

    assert _after(tuple(words)) == _after(tuple(data.draw(st.permutations([*words, *again]))))


@given(st.lists(_WORDS, max_size=6))
def test_states_follow_the_table(words: list[ProviderPayment | Movement]) -> None:
    """Whatever is said, the diagram in the documentation is true."""
    payment = _PAYMENT
    for word in words:
        changed = _heard(payment, word)[0]
        stays = changed.state == payment.state
        assert stays or PAYMENT_STATES.reaches(payment.state, changed.state)
        payment = changed


def _moved(
    kind: MovementKind, state: MovementState = MovementState.DONE, ref: str = "a", minor: int = 500
) -> Movement:
    return Movement(kind=kind, ref=ref, state=state, amount=Money(minor, "EUR"), reason_code="x")


_M, _D = MovementState, MovementKind.DISPUTE
_CASES: Final = {
    "nothing": ((), _S.CAPTURED, 0, 0, 0),
    "a claim": ((_moved(_D, _M.PENDING),), _S.DISPUTED, 0, 0, 500),
    "a claim that was lost": ((_moved(_D, _M.PENDING), _moved(_D)), _S.CAPTURED, 0, 500, 0),
    "a claim that was won": ((_moved(_D), _moved(_D, _M.UNDONE)), _S.CAPTURED, 0, 0, 0),
    "two claims": ((_moved(_D), _moved(_D, _M.PENDING, "b")), _S.DISPUTED, 0, 500, 500),
    "all came back": ((_moved(MovementKind.RETURN, minor=2000),), _S.RETURNED, 0, 2000, 0),
    "the rest came back": (
        (_moved(MovementKind.REFUND), _moved(MovementKind.RETURN, minor=1500)),
        _S.RETURNED,
        500,
        1500,
        0,
    ),
    "all came back, and was taken back": (
        (
            _moved(MovementKind.RETURN, minor=2000),
            _moved(MovementKind.RETURN, _M.UNDONE, minor=2000),
        ),
        _S.CAPTURED,
        0,
        0,
        0,
    ),
    "a refund that failed": (
        (_moved(MovementKind.REFUND), _moved(MovementKind.REFUND, _M.UNDONE)),
        _S.CAPTURED,
        0,
        0,
        0,
    ),
    "a refund in a total": (
        (_moved(MovementKind.REFUND, ref="", minor=700), _moved(MovementKind.REFUND)),
        _S.CAPTURED,
        700,
        0,
        0,
    ),
    "a refund in a total that failed": (
        (_moved(MovementKind.REFUND, ref="", minor=700), _moved(MovementKind.REFUND, _M.UNDONE)),
        _S.CAPTURED,
        200,
        0,
        0,
    ),
}


@pytest.mark.parametrize("case", _CASES)
def test_facets_are_what_moved_and_stayed(case: str) -> None:
    """In every order of the movements."""
    movements, state, *expected = _CASES[case]

    for order in itertools.permutations([_said(_S.CAPTURED), *movements]):
        end = _after(order)
        found = [one.minor for one in (end.captured, end.refunded, end.returned, end.disputed)]
        assert (state, [2000, *expected]) == (end.state, found)


def test_what_was_never_collected_cannot_come_back() -> None:
    """A failed debit stays one; it is a return once the collection is heard of, in any order."""
    back, failed = _moved(MovementKind.RETURN, minor=2000), _said(_S.FAILED)
    collected = _moved(MovementKind.CAPTURE, minor=2000)

    never = _after((back, failed))
    assert (_S.FAILED, 0) == (never.state, never.returned.minor)
    for order in itertools.permutations([back, failed, collected]):
        end = _after(order)
        assert (_S.RETURNED, 2000) == (end.state, end.returned.minor)


def test_capture_that_was_taken_back_is_a_failure() -> None:
    """Some providers say that they collected, and days later that they did not."""
    taken = _moved(MovementKind.CAPTURE, minor=2000)
    back = _moved(MovementKind.CAPTURE, _M.UNDONE, minor=2000)

    captured, told = collecting.apply(_after((_said(_S.AUTHORISED),)), movements=[taken])
    failed, events = collecting.apply(captured, movements=[back])

    assert (_S.CAPTURED, ["headrace.payment.captured.v1"]) == (captured.state, _types(told))
    assert (_S.FAILED, ["headrace.payment.failed.v1"]) == (failed.state, _types(events))
    assert PaymentFailure(code="capture_failed", provider_code="x") == failed.failure


def test_what_becomes_of_the_money_is_reported_once_each() -> None:
    """A claim, its loss, and the reversal of a return."""
    words = (
        _said(_S.CAPTURED),
        _moved(_D, _M.PENDING),
        _moved(_D, _M.PENDING),
        _moved(_D),
        _moved(_D, _M.UNDONE),
    )
    payment, told = _PAYMENT, list[str]()
    for word in words:
        payment, events = _heard(payment, word)
        told += [one.removeprefix("headrace.").removesuffix(".v1") for one in _types(events)]

    assert [
        *("payment.captured", "payment.disputed", "dispute.opened", "payment.returned"),
        *("dispute.lost", "payment.return_reversed", "dispute.won"),
    ] == told


def test_what_the_payer_has_to_do_is_known_until_it_is_done() -> None:
    """The page is shown while it is waited for, and no longer."""
    asked = _after((msgspec.structs.replace(_said(_S.REQUIRES_ACTION), next_action=_ASKED),))

    assert _ASKED == asked.next_action
    assert collecting.apply(asked, _said(_S.CAPTURED))[0].next_action is None


def test_where_to_transfer_is_shown_while_the_money_is_awaited() -> None:
    """A page is of no use any more by then, and nothing is once the money is there."""
    waits = msgspec.structs.replace(_said(_S.PENDING), next_action=_TRANSFER)
    page = msgspec.structs.replace(_said(_S.PENDING), next_action=_ASKED)

    assert _TRANSFER == _after((waits,)).next_action
    assert _after((page,)).next_action is None
    assert _after((waits, _said(_S.CAPTURED))).next_action is None


def test_where_to_transfer_is_not_lost_behind_a_page() -> None:
    """Whichever of the two was said first, and whenever the payment became PENDING."""
    asks = _said(_S.REQUIRES_ACTION)
    words = [
        msgspec.structs.replace(asks, next_action=_TRANSFER),
        msgspec.structs.replace(asks, next_action=_ASKED),
        _said(_S.PENDING),
    ]

    ends = [_after(order).next_action for order in itertools.permutations(words)]

    assert [_TRANSFER] * 6 == ends


def _types(events: tuple[Event, ...]) -> list[str]:
    return [one.type for one in events]


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
