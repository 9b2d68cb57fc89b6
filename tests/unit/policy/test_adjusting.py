"""Adjusting: what may be collected is the most that was confirmed, whatever came first."""

import itertools

import pytest

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
    WishState,
)
from gateway.policy import adjusting, capturing, collecting

_NOTHING = Money(0, "EUR")
_AT = "2026-11-22T00:00:00+00:00"
_S = PaymentState
_M = MovementState


def _said(
    state: PaymentState = _S.AUTHORISED, minor: int = 2000, captured: int = 0, *moved: Movement
) -> ProviderPayment:
    return ProviderPayment(
        provider_ref="pi_1",
        state=state,
        amount=Money(minor, "EUR"),
        captured=Money(captured, "EUR"),
        refunded=_NOTHING,
        movements=moved,
    )


def _more(state: MovementState, minor: int = 3000, ref: str = "adj_1") -> Movement:
    amount = Money(minor, "EUR")
    return Movement(kind=MovementKind.AUTHORISATION, ref=ref, state=state, amount=amount)


def _held() -> Payment:
    """20.00 EUR, authorised."""
    payment = Payment(
        payment_id="p1",
        amount=Money(2000, "EUR"),
        method_code="card",
        capture_method=CaptureMethod.MANUAL,
        adjustable=True,
        provider="stripe",
        requested_at=_AT,
        captured=_NOTHING,
        refunded=_NOTHING,
        returned=_NOTHING,
        disputed=_NOTHING,
        attempts=(PaymentAttempt(attempt_id="p1-1", key="k", state=AttemptState.PREPARED),),
    )
    return collecting.apply(payment, _said())[0]


def _wished(minor: int = 3000) -> Payment:
    return adjusting.request(_held(), Money(minor, "EUR"), at=_AT)[0]


def test_wish_is_numbered_and_found() -> None:
    """Its id says of which payment it is."""
    payment, first = adjusting.request(_held(), Money(3000, "EUR"), at=_AT)
    payment, second = adjusting.request(payment, Money(4000, "EUR"), at=_AT)

    assert ("p1-amount-1", "p1-amount-2") == (first.update_id, second.update_id)
    assert "p1" == adjusting.payment_of(second.update_id)
    assert second == adjusting.find(payment, second.update_id)
    with pytest.raises(LookupError):
        adjusting.find(payment, "p1-amount-3")


def test_wish_alone_raises_nothing() -> None:
    """Until the provider has said so, only what was held before can be collected."""
    payment = _wished()

    assert (None, 2000) == (payment.authorised, capturing.left(payment).minor)
    assert adjusting.is_open(payment)
    assert capturing.is_open(payment)


def test_word_about_the_amount_raises_it() -> None:
    """The provider that knows no reference of it says the new amount."""
    payment, wish = _wished(), _wished().amount_updates[0]
    said = _said(minor=3000)
    payment, events = collecting.apply(adjusting.answered(payment, wish, said), said)

    assert (WishState.DONE, 3000) == (payment.amount_updates[0].state, payment.ceiling.minor)
    assert 3000 == capturing.left(payment).minor
    assert ["headrace.payment.amount_updated.v1"] == [one.type for one in events]
    assert not adjusting.is_open(payment)


@pytest.mark.parametrize(
    ("state", "expected", "word"),
    [
        (_M.PENDING, WishState.PENDING, []),
        (_M.DONE, WishState.DONE, ["headrace.payment.amount_updated.v1"]),
        (_M.UNDONE, WishState.FAILED, ["headrace.payment.amount_update_failed.v1"]),
    ],
)
def test_movement_says_what_became_of_it(
    state: MovementState, expected: WishState, word: list[str]
) -> None:
    """Also where it is heard before the answer that names it."""
    payment, early = collecting.apply(_wished(), movements=(_more(state),))
    wish, said = payment.amount_updates[0], _said(_S.PENDING, 2000, 0, _more(_M.PENDING))
    payment, events = collecting.apply(adjusting.answered(payment, wish, said), said)

    assert expected is payment.amount_updates[0].state
    assert word == [one.type for one in (*early, *events)]
    assert (3000 if state is _M.DONE else 2000) == payment.ceiling.minor


def test_refusal_is_kept_and_nothing_else_changes() -> None:
    """The payment has not failed."""
    payment = _wished()
    failure = PaymentFailure(code="declined")
    refused = adjusting.refused(payment, payment.amount_updates[0], failure)

    assert (WishState.FAILED, failure) == (
        refused.amount_updates[0].state,
        refused.amount_updates[0].failure,
    )
    assert (_S.AUTHORISED, 2000) == (refused.state, refused.ceiling.minor)
    assert not capturing.is_open(refused)
    assert 1 == adjusting.refusals(refused)


def test_every_order_of_words_ends_alike() -> None:
    """Two raises, a late first word, a capture: with any of them once more."""
    words: list[ProviderPayment | Movement] = [
        _said(),
        _said(minor=3000),
        _more(_M.PENDING, 4000, "adj_2"),
        _more(_M.DONE, 4000, "adj_2"),
        _said(_S.CAPTURED, 4000, 3500),
    ]
    payment, _ = adjusting.request(_wished(), Money(4000, "EUR"), at=_AT)
    ends = set()
    for twice in words:
        for order in itertools.permutations([*words, twice]):
            now = payment
            for word in order:
                if isinstance(word, Movement):
                    now, _ = collecting.apply(now, movements=(word,))
                else:
                    now, _ = collecting.apply(now, word)
            ends.add((now.state, now.authorised, now.captured, now.movements))

    assert 1 == len(ends)
    assert (_S.CAPTURED, Money(4000, "EUR")) == next(iter(ends))[:2]


def test_highest_of_several_counts() -> None:
    """Whatever they are called."""
    moved = (_more(_M.DONE, 3000, "z"), _more(_M.DONE, 4000, "m"), _more(_M.DONE, 2500, "a"))
    payment, _ = collecting.apply(_held(), movements=moved)

    assert 4000 == payment.ceiling.minor


def test_undone_raise_is_none_in_any_order() -> None:
    """What was confirmed and then taken back does not count, whichever was heard first."""
    words = [_more(_M.DONE), _more(_M.UNDONE)]
    ends = []
    for order in itertools.permutations(words):
        now = _wished()
        for word in order:
            now, _ = collecting.apply(now, movements=(word,))
        ends.append((now.authorised, now.movements))

    assert ends[0] == ends[1]
    assert ends[0][0] is None


def test_what_was_asked_for_may_be_said() -> None:
    """The first amount and those of wishes, and no other."""
    assert {Money(2000, "EUR"), Money(3000, "EUR")} == _wished().amounts
