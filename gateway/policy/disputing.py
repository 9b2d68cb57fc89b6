"""Disputing: what a claim is, what may be answered to it, and what became of it."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from gateway.model.dispute import (
    AnswerKind,
    AnswerState,
    Dispute,
    DisputeAnswer,
    DisputeState,
    NewEvidence,
    ProviderDispute,
)
from gateway.model.event import Event
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import Payment
from gateway.policy import wishing

_S = DisputeState
_RANK: Final = {state: rank for rank, state in enumerate(DisputeState)}
OUTCOMES: Final = frozenset({_S.LOST, _S.WON, _S.WITHDRAWN})
_STATE_OF: Final = {
    MovementState.PENDING: _S.OPEN,
    MovementState.DONE: _S.LOST,
    MovementState.UNDONE: _S.WON,
}
_EVENT_OF: Final = {
    _S.ACCEPTED: "accepted",
    _S.LOST: "lost",
    _S.WON: "won",
    _S.WITHDRAWN: "withdrawn",
}


def dispute_id(payment_id: str, provider_ref: str) -> str:
    """Our id of a claim: the same whichever report of it comes first."""
    digest = hashlib.sha256(provider_ref.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{payment_id}-dispute-{digest[:16]}"


def payment_of(name: str) -> str:
    """Id of the payment that a dispute, or an answer to it, is about."""
    return wishing.owner_of(name, "dispute")


def dispute_of(answer_id: str) -> str:
    """Id of the dispute that an answer is to."""
    return wishing.owner_of(answer_id, "answer")


def find(payment: Payment, dispute_id: str) -> Dispute:
    """The dispute of this id.

    Raises:
        LookupError: There is none.
    """
    return wishing.find(payment.disputes, "dispute_id", dispute_id)


def find_answer(dispute: Dispute, answer_id: str) -> DisputeAnswer:
    """The answer of this id.

    Raises:
        LookupError: There is none.
    """
    return wishing.find(dispute.answers, "answer_id", answer_id)


def is_beyond(state: DisputeState, other: DisputeState) -> bool:
    """Whether a dispute has come further than this."""
    return _RANK[state] > _RANK[other]


def may_answer(dispute: Dispute, kind: AnswerKind, *, taken_first: bool = False) -> bool:
    """Whether the answer makes sense now: one at a time, and evidence before it is looked at.

    Args:
        taken_first: Whether the money of a claim is taken before anybody can contest it, so that
            it is lost only once the provider has said more than that.
    """
    if any(one.state is AnswerState.CREATED for one in dispute.answers):
        return False
    if taken_first and dispute.state is _S.LOST and dispute.progress is _S.OPEN:
        return True
    if kind is AnswerKind.EVIDENCE:
        return dispute.state is _S.OPEN
    return dispute.state in {_S.OPEN, _S.UNDER_REVIEW}


def answer(
    payment: Payment, dispute: Dispute, kind: AnswerKind, *, new: NewEvidence | None = None, at: str
) -> tuple[Payment, DisputeAnswer]:
    """The payment with another answer to a dispute, to be committed before anything is sent.

    Args:
        at: ISO 8601 in UTC.
    """
    given = DisputeAnswer(
        answer_id=wishing.next_id(dispute.dispute_id, "answer", dispute.answers),
        kind=kind,
        text=new.text if new else "",
        files=new.files if new else (),
        reason=new.reason if new else "",
        requested_at=at,
    )
    return _with(payment, dispute, answers=(*dispute.answers, given)), given


def said(payment: Payment, found: ProviderDispute) -> tuple[Payment, tuple[Movement, ...]]:
    """The payment after its provider's word about a dispute, and what that says of the money.

    Where the word has a movement, the movement says how the dispute ended: it may be reported
    again, and end otherwise.
    """
    movements = (found.movement,) if found.movement else ()
    key = dispute_id(payment.payment_id, found.provider_ref)
    dispute = next((one for one in payment.disputes if one.dispute_id == key), None)
    if dispute is None:
        return payment, movements
    counts = found.movement is None or found.state not in OUTCOMES
    changed = _with(
        payment,
        dispute,
        progress=_later(dispute.progress, found.state) if counts else dispute.progress,
        reason_said=max(dispute.reason_said, found.reason_code),
        due_by=max(dispute.due_by, found.due_by),
    )
    return changed, movements


def heard(payment: Payment, claims: Sequence[ProviderDispute]) -> Payment:
    """The payment after what a provider reports of claims beside the money."""
    for one in claims:
        payment, _ = said(payment, one)
    return payment


def sent(payment: Payment, answer_id: str) -> tuple[Payment, tuple[Event, ...]]:
    """The payment of whose dispute the provider has our answer."""
    changed = _answered(payment, answer_id, AnswerState.SENT, "")
    dispute = find(changed, dispute_of(answer_id))
    is_evidence = find_answer(dispute, answer_id).kind is AnswerKind.EVIDENCE
    return changed, (event(dispute, "evidence_submitted"),) if is_evidence else ()


def refused(payment: Payment, answer_id: str, code: str) -> tuple[Payment, tuple[Event, ...]]:
    """The payment of whose dispute the provider will not take our answer."""
    changed = _answered(payment, answer_id, AnswerState.REFUSED, code)
    return changed, (event(find(changed, dispute_of(answer_id)), "answer_refused"),)


def after(payment: Payment) -> tuple[Dispute, ...]:
    """The disputes, one for each claim among the movements, each as far as it is known."""
    known = {one.provider_ref: one for one in payment.disputes}
    claims = (one for one in payment.movements if one.kind is MovementKind.DISPUTE and one.ref)
    return tuple(_after(payment, one, known.get(one.ref)) for one in claims)


def news(before: Payment, now: Payment) -> Iterator[Event]:
    """What became of disputes, as events call it."""
    known = {one.dispute_id: one for one in before.disputes}
    for one in now.disputes:
        earlier = known.get(one.dispute_id)
        if earlier is None:
            yield event(one, "opened")
        state = earlier.state if earlier else _S.OPEN
        if one.state is not state and one.state in _EVENT_OF:
            yield event(one, _EVENT_OF[one.state])


def event(dispute: Dispute, word: str) -> Event:
    """The event of a dispute; what we answered does not stand in it."""
    return Event(
        type=f"headrace.dispute.{word}.v1",
        aggregate="dispute",
        aggregate_id=dispute.dispute_id,
        data={
            "payment_id": dispute.payment_id,
            "state": dispute.state.value,
            "amount": dispute.amount.amount,
            "currency": dispute.amount.currency,
            "reason_code": dispute.reason_code or None,
            "due_by": dispute.due_by or None,
        },
    )


def _after(payment: Payment, claim: Movement, known: Dispute | None) -> Dispute:
    dispute = known or Dispute(
        dispute_id=dispute_id(payment.payment_id, claim.ref),
        payment_id=payment.payment_id,
        provider_ref=claim.ref,
        amount=claim.amount,
    )
    # How it ended by the provider's own word about it counts more than where the money is now.
    ended = dispute.progress in OUTCOMES
    state = dispute.progress if ended else _later(dispute.progress, _STATE_OF[claim.state])
    return msgspec.structs.replace(
        dispute,
        state=state,
        amount=claim.amount,
        reason_code=max(dispute.reason_said, claim.reason_code),
    )


def _later(one: DisputeState, other: DisputeState) -> DisputeState:
    return max(one, other, key=lambda state: _RANK[state])


def _answered(payment: Payment, answer_id: str, state: AnswerState, code: str) -> Payment:
    dispute = find(payment, dispute_of(answer_id))
    answers = wishing.change(
        dispute.answers, "answer_id", answer_id, state=state, failure_code=code
    )
    return _with(payment, dispute, answers=answers)


def _with(payment: Payment, dispute: Dispute, **changes: object) -> Payment:
    disputes = wishing.change(payment.disputes, "dispute_id", dispute.dispute_id, **changes)
    return msgspec.structs.replace(payment, disputes=disputes)
