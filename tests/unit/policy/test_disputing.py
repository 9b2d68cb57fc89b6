"""Disputing: claims are as their movements and their provider say, whatever comes first."""

import itertools
from typing import Final

import msgspec
import pytest

from gateway.model.dispute import (
    DISPUTE_STATES,
    AnswerKind,
    AnswerState,
    Dispute,
    DisputeState,
    NewEvidence,
    ProviderDispute,
)
from gateway.model.event import Event
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import (
    AttemptState,
    Payment,
    PaymentAttempt,
    PaymentState,
    ProviderPayment,
)
from gateway.policy import collecting, disputing, requests
from gateway.policy.validation import Invalid
from tests.conformance import samples

_S = DisputeState
_M = MovementState
_ALL: Final = Money(2_000, "EUR")
_PART: Final = Money(500, "EUR")
_NOTHING: Final = Money(0, "EUR")
_COLLECTED: Final = ProviderPayment(
    provider_ref="pi_1", state=PaymentState.CAPTURED, amount=_ALL, captured=_ALL, refunded=_NOTHING
)


def paid() -> Payment:
    """A payment that was collected."""
    attempt = PaymentAttempt(attempt_id="a", key="k", state=AttemptState.PREPARED)
    made = samples.payment(1, token="t", amount=_ALL)
    made = msgspec.structs.replace(made, payment_id="p1", attempts=(attempt,))
    return collecting.apply(made, _COLLECTED)[0]


def claim(state: MovementState, ref: str = "dp_1", reason: str = "") -> Movement:
    return Movement(
        kind=MovementKind.DISPUTE, ref=ref, state=state, amount=_PART, reason_code=reason
    )


def word(
    state: DisputeState, *, money: Movement | None = None, due_by: str = "", reason: str = ""
) -> ProviderDispute:
    return ProviderDispute(
        provider_ref="dp_1",
        state=state,
        amount=_PART,
        due_by=due_by,
        movement=money,
        reason_code=reason,
    )


def after(payment: Payment, *words: Movement | ProviderDispute) -> tuple[Payment, list[Event]]:
    told: list[Event] = []
    for one in words:
        movements = (one,) if isinstance(one, Movement) else ()
        if isinstance(one, ProviderDispute):
            payment, movements = disputing.said(payment, one)
        payment, events = collecting.apply(payment, movements=movements)
        told += [each for each in events if each.aggregate == "dispute"]
    return payment, told


def disputed() -> tuple[Payment, Dispute]:
    payment, _ = after(paid(), claim(_M.PENDING))
    return payment, payment.disputes[0]


@pytest.mark.parametrize(
    ("movement", "state", "words"),
    [
        (_M.PENDING, _S.OPEN, ["opened"]),
        (_M.DONE, _S.LOST, ["opened", "lost"]),
        (_M.UNDONE, _S.WON, ["opened", "won"]),
    ],
)
def test_movement_makes_the_dispute(
    movement: MovementState, state: DisputeState, words: list[str]
) -> None:
    """Under an id that is the same wherever it is made; repeating it says nothing."""
    payment, told = after(paid(), claim(movement), claim(movement))

    (dispute,) = payment.disputes
    assert (state, _PART, "dp_1") == (dispute.state, dispute.amount, dispute.provider_ref)
    assert disputing.dispute_id("p1", "dp_1") == dispute.dispute_id
    assert [f"headrace.dispute.{one}.v1" for one in words] == [one.type for one in told]
    assert "p1" == disputing.payment_of(dispute.dispute_id)


def test_two_claims_are_two_disputes() -> None:
    """With an id of its own each; a return of the bank is none."""
    bank = Movement(kind=MovementKind.RETURN, ref="r", state=_M.DONE, amount=_PART)
    payment, _ = after(paid(), claim(_M.PENDING, "dp_2"), bank, claim(_M.DONE, "dp_1"))

    assert [("dp_1", _S.LOST), ("dp_2", _S.OPEN)] == [
        (one.provider_ref, one.state) for one in payment.disputes
    ]
    assert 2 == len({one.dispute_id for one in payment.disputes})


_LIVES: Final[dict[str, list[Movement | ProviderDispute]]] = {
    "lost after review": [
        word(_S.OPEN, money=claim(_M.PENDING), due_by="2026-12-01"),
        word(_S.UNDER_REVIEW, money=claim(_M.PENDING), reason="fraudulent"),
        claim(_M.DONE, reason="4853"),
    ],
    "lost, then won": [claim(_M.PENDING), claim(_M.DONE), claim(_M.UNDONE)],
    "read as lost, then won": [
        claim(_M.PENDING),
        word(_S.LOST, money=claim(_M.DONE)),
        claim(_M.UNDONE),
    ],
    "money elsewhere": [claim(_M.PENDING), word(_S.LOST), claim(_M.UNDONE)],
    "taken back": [claim(_M.PENDING), word(_S.WITHDRAWN), claim(_M.UNDONE)],
}
_ENDS: Final = {
    "lost after review": _S.LOST,
    "lost, then won": _S.WON,
    "read as lost, then won": _S.WON,
    "money elsewhere": _S.LOST,
    "taken back": _S.WITHDRAWN,
}


@pytest.mark.parametrize("life", _LIVES)
def test_every_order_of_words_ends_alike(life: str) -> None:
    """Once the claim is known, in any order and some of it twice."""
    opened, _ = disputed()
    expected, _ = after(opened, *_LIVES[life])
    assert _ENDS[life] is expected.disputes[0].state

    for order in itertools.permutations(_LIVES[life]):
        for again in order:
            assert expected == after(opened, *order, again)[0]


@pytest.mark.parametrize("life", _LIVES)
def test_changes_are_those_of_the_table(life: str) -> None:
    """Whatever comes, no dispute goes a way that the table does not have."""
    for order in itertools.permutations(_LIVES[life]):
        payment, dispute = disputed()
        for one in order:
            payment, _ = after(payment, one)
            now = payment.disputes[0].state
            assert now is dispute.state or DISPUTE_STATES.reaches(dispute.state, now)
            dispute = payment.disputes[0]


def test_word_about_a_claim_that_nobody_knows_makes_it() -> None:
    """By what it says of the money."""
    payment, _ = after(paid(), word(_S.OPEN, money=claim(_M.PENDING)))
    nothing, _ = after(paid(), word(_S.OPEN))

    assert ["dp_1"] == [one.provider_ref for one in payment.disputes]
    assert () == nothing.disputes


@pytest.mark.parametrize(
    ("state", "acceptable", "contestable"),
    [
        (_S.OPEN, True, True),
        (_S.UNDER_REVIEW, True, False),
        (_S.ACCEPTED, False, False),
        (_S.LOST, False, False),
        (_S.WON, False, False),
        (_S.WITHDRAWN, False, False),
    ],
)
def test_what_may_be_answered(state: DisputeState, *, acceptable: bool, contestable: bool) -> None:
    """Nothing once it is decided; evidence once."""
    _, dispute = disputed()
    dispute = msgspec.structs.replace(dispute, state=state)

    assert acceptable == disputing.may_answer(dispute, AnswerKind.ACCEPTANCE)
    assert contestable == disputing.may_answer(dispute, AnswerKind.EVIDENCE)


def test_one_answer_at_a_time() -> None:
    """The next one when the provider has the first, or has refused it."""
    payment, dispute = disputed()
    new = NewEvidence(text="It was delivered.", files=("file_1",))
    asked, given = disputing.answer(payment, dispute, AnswerKind.EVIDENCE, new=new, at="now")
    waiting = asked.disputes[0]

    refused, events = disputing.refused(asked, given.answer_id, "too_late")
    sent, news = disputing.sent(asked, given.answer_id)

    assert ("It was delivered.", ("file_1",)) == (given.text, given.files)
    assert dispute.dispute_id == disputing.dispute_of(given.answer_id)
    assert not disputing.may_answer(waiting, AnswerKind.ACCEPTANCE)
    answer = disputing.find_answer(refused.disputes[0], given.answer_id)
    assert (AnswerState.REFUSED, "too_late") == (answer.state, answer.failure_code)
    assert disputing.may_answer(refused.disputes[0], AnswerKind.EVIDENCE)
    assert AnswerState.SENT is sent.disputes[0].answers[0].state
    assert ["headrace.dispute.answer_refused.v1"] == [one.type for one in events]
    assert ["headrace.dispute.evidence_submitted.v1"] == [one.type for one in news]
    assert "delivered" not in repr((events, news))


def test_words_of_the_provider_keep_our_answers() -> None:
    """They are ours, and nobody reports them."""
    payment, dispute = disputed()
    asked, _ = disputing.answer(payment, dispute, AnswerKind.ACCEPTANCE, at="now")

    now, told = after(asked, word(_S.ACCEPTED), claim(_M.DONE))

    assert asked.disputes[0].answers == now.disputes[0].answers
    assert ["headrace.dispute.accepted.v1", "headrace.dispute.lost.v1"] == [
        one.type for one in told
    ]


def test_what_is_not_there_is_not_found() -> None:
    """Neither a dispute nor an answer."""
    payment, dispute = disputed()
    for find in (
        lambda: disputing.find(payment, "nothing"),
        lambda: disputing.find_answer(dispute, "nothing"),
    ):
        with pytest.raises(LookupError):
            find()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", "evidence_missing"),
        (b'{"text": "  "}', "evidence_missing"),
        (b'{"files": ["not a name"]}', "wrong_format"),
        (b'{"text": "4242424242424242"}', "card_number"),
    ],
)
def test_evidence_says_something(body: bytes, code: str) -> None:
    """And no card number."""
    with pytest.raises(Invalid) as refused:
        requests.read_evidence(body)

    assert code in [one.code for one in refused.value.errors]


def test_a_reason_does_not_depend_on_what_was_heard_first() -> None:
    """That of a claim which a larger one has overtaken is not kept, whether it was seen or not."""
    overtaken = claim(_M.PENDING, reason="AM04")
    larger = msgspec.structs.replace(claim(_M.PENDING), amount=_ALL)

    ends = {
        after(paid(), *order)[0].disputes for order in itertools.permutations((overtaken, larger))
    }

    assert 1 == len(ends)
    assert "" == next(iter(ends))[0].reason_code
