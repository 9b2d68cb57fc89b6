"""What may become of a payment: how a provider's word changes it, whatever the order of words."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from gateway.kit.sepa import reasons
from gateway.model.event import Event
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import (
    ActionKind,
    AttemptState,
    NextAction,
    Payment,
    PaymentAttempt,
    PaymentFailure,
    PaymentState,
    ProviderPayment,
)
from gateway.model.reference import EntityKind, ExternalReference
from gateway.policy import adjusting, disputing, finality, moving, refunding

_S = PaymentState
AUTHORISED: Final = frozenset({_S.AUTHORISED, _S.CAPTURED, _S.SETTLED})
CAPTURED: Final = frozenset({_S.CAPTURED, _S.SETTLED})
_AWAITED: Final = frozenset({_S.REQUIRES_ACTION, _S.PENDING})
# Money that did not move, and will not.
RELEASED: Final = frozenset({_S.CANCELLED, _S.FAILED})
ENDED: Final = frozenset({*CAPTURED, _S.FAILED, _S.CANCELLED, _S.RETURNED, _S.DISPUTED})
# How far a collection can have come: whatever is heard, the furthest counts. Money that moved has
# the last word; a cancellation ends what was refused before.
_PROGRESS: Final = (
    _S.CREATED,
    _S.REQUIRES_ACTION,
    _S.PENDING,
    _S.AUTHORISED,
    _S.FAILED,
    _S.CANCELLED,
    _S.CAPTURED,
    _S.SETTLED,
)
_ATTEMPT_OF: Final = {
    _S.CREATED: AttemptState.PREPARED,
    _S.FAILED: AttemptState.DECLINED,
    _S.CANCELLED: AttemptState.CANCELLED,
    _S.PENDING: AttemptState.PENDING,
    _S.REQUIRES_ACTION: AttemptState.PENDING,
    _S.AUTHORISED: AttemptState.SUCCEEDED,
    _S.CAPTURED: AttemptState.SUCCEEDED,
    _S.SETTLED: AttemptState.SUCCEEDED,
    _S.RETURNED: AttemptState.SUCCEEDED,
    _S.DISPUTED: AttemptState.SUCCEEDED,
}
_EVENT_OF: Final = {
    _S.REQUIRES_ACTION: "action_required",
    _S.AUTHORISED: "authorised",
    _S.CAPTURED: "captured",
    _S.SETTLED: "settled",
    _S.FAILED: "failed",
}


def apply(
    payment: Payment,
    said: ProviderPayment | None = None,
    movements: Sequence[Movement] = (),
    *,
    at: float = 0.0,
) -> tuple[Payment, tuple[Event, ...]]:
    """The payment after its provider's word.

    Of every word the furthest counts, and under each reference the latest state of a movement; so
    the same words in any order, however often, end in the same payment.

    Args:
        said: The payment as the provider has it.
        movements: What else was said of its money.
        at: When it was said, seconds since the epoch; zero where nobody knows.
    """
    known = moving.join(payment.movements, (*movements, *_told(payment, said)))
    # That it surely did nothing was our word; the provider's own begins anew.
    so_far = _S.CREATED if said and _is_not_executed(payment) else payment.progress
    progress = max(so_far, said.state, key=_PROGRESS.index) if said else so_far
    currency = payment.amount.currency
    captured = moving.done(known, MovementKind.CAPTURE, currency)
    refunded = moving.done(known, MovementKind.REFUND, currency)
    taken_back = moving.done(known, MovementKind.RETURN, currency)
    lost = moving.done(known, MovementKind.DISPUTE, currency)
    claimed = moving.pending(known, MovementKind.DISPUTE, currency)
    changed = msgspec.structs.replace(
        payment,
        progress=progress,
        provider_ref=payment.provider_ref or (said.provider_ref if said else ""),
        captured=captured,
        refunded=refunded,
        # Some providers say the same of a debit that was never paid and of one that came back:
        # what was not collected cannot be taken back, nor claimed.
        returned=Money(min((taken_back + lost).minor, captured.minor), currency),
        disputed=Money(min(claimed.minor, captured.minor), currency),
        movements=known,
        authorised=adjusting.authorised(payment, known),
        next_action=_next_action(payment, said, progress),
    )
    changed = msgspec.structs.replace(changed, state=_state(changed))
    changed = msgspec.structs.replace(
        changed,
        failure=_failure(changed, said),
        refunds=refunding.after(changed),
        amount_updates=adjusting.after(changed),
        disputes=disputing.after(changed),
        **_dates(changed, said, movements, at),
    )
    changed = msgspec.structs.replace(changed, attempts=_attempts(changed))
    told = [_told_of(payment, changed, word) for word in _news(payment, changed)]
    return changed, (*told, *refunding.news(payment, changed), *disputing.news(payment, changed))


def kept(payment: Payment) -> int:
    """Minor units that were collected and have stayed."""
    return payment.captured.minor - payment.refunded.minor - payment.returned.minor


def is_submitted(payment: Payment) -> bool:
    """Whether the payment itself is on its way to a bank, in a file that nobody takes back."""
    return any(
        one.kind is MovementKind.CAPTURE
        and one.state is MovementState.PENDING
        and one.ref == payment.provider_ref
        for one in payment.movements
    )


def references(payment: Payment) -> tuple[ExternalReference, ...]:
    """What the provider calls the payment, once it is known."""
    if not payment.provider_ref:
        return ()
    return (
        ExternalReference(
            entity=EntityKind.PAYMENT,
            entity_id=payment.payment_id,
            system=payment.provider,
            external_id=payment.provider_ref,
        ),
    )


def _dates(
    payment: Payment, said: ProviderPayment | None, movements: Sequence[Movement], at: float
) -> dict[str, str]:
    """The earliest words of what happened; the earliest stays, whichever is heard first."""
    if not at:
        return {}
    heard = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    told: dict[str, str] = {}
    if said is not None and said.state is _S.AUTHORISED:
        told["authorised_at"] = min(payment.authorised_at or heard, heard)
    collected = said is not None and (said.state in CAPTURED or said.captured.minor)
    moved = any(
        one.kind is MovementKind.CAPTURE and one.state is MovementState.DONE for one in movements
    )
    if collected or moved:
        told["captured_at"] = min(payment.captured_at or heard, heard)
        told["final_at"] = finality.final_on(payment.method_code, told["captured_at"])
    return told


def _attempts(payment: Payment) -> tuple[PaymentAttempt, ...]:
    """The attempts, the last as the payment has it now; so it does not matter who spoke last."""
    *earlier, last = payment.attempts
    now = msgspec.structs.replace(
        last,
        state=_ATTEMPT_OF[payment.state],
        provider_ref=payment.provider_ref,
        failure=payment.failure,
    )
    return (*earlier, now)


def _told(payment: Payment, said: ProviderPayment | None) -> Iterator[Movement]:
    """The movements of an answer, and what the provider counts as movements without a name."""
    if said is None:
        return
    yield from said.movements
    yield from adjusting.told(payment, said)
    for kind, amount in (
        (MovementKind.CAPTURE, said.captured),
        (MovementKind.REFUND, said.refunded),
    ):
        if amount.minor:
            yield Movement(kind=kind, ref="", state=MovementState.DONE, amount=amount)


def _is_not_executed(payment: Payment) -> bool:
    return bool(payment.attempts) and payment.attempts[-1].state is AttemptState.NOT_EXECUTED


def _is_unknown(payment: Payment) -> bool:
    return bool(payment.attempts) and payment.attempts[-1].state is AttemptState.UNKNOWN


def _collected(payment: Payment) -> PaymentState:
    """How far the collection is, by the words and by the money."""
    if payment.captured.minor:
        return max(payment.progress, _S.CAPTURED, key=_PROGRESS.index)
    if payment.progress is _S.CANCELLED and is_submitted(payment):
        return _S.PENDING  # whoever gave it up did not know of the file
    return payment.progress if _taken_back(payment) is None else _S.FAILED


def _taken_back(payment: Payment) -> str | None:
    """Why no capture is left, where the provider undid them; None where it did not."""
    undone = (one for one in payment.movements if one.state is MovementState.UNDONE)
    reasons = [one.reason_code for one in undone if one.kind is MovementKind.CAPTURE]
    return None if payment.captured.minor or not reasons else reasons[0]


def _state(payment: Payment) -> PaymentState:
    """Where the payment stands, once what became of the money is added."""
    if payment.returned.minor and kept(payment) <= 0:
        return _S.RETURNED
    return _S.DISPUTED if payment.disputed.minor else _collected(payment)


def _failure(payment: Payment, said: ProviderPayment | None) -> PaymentFailure | None:
    """Why no money moved; of two reasons always the same one, whichever was heard first."""
    if payment.state is not _S.FAILED:
        return None
    reason = _taken_back(payment)
    if reason is not None:
        known = reasons.REASONS.get(reason)
        again = known is not None and known.retries > 0
        return PaymentFailure(code="capture_failed", provider_code=reason, retryable=again)
    given = [one for one in (payment.failure, said.failure if said else None) if one]
    return max(given, key=lambda one: (one.code, one.provider_code), default=None)


def _next_action(
    payment: Payment, said: ProviderPayment | None, progress: PaymentState
) -> NextAction | None:
    """What the payer has to do; while the money is awaited only where to transfer it to.

    Of several a transfer counts, so that it is still there once the payment is PENDING. What is
    said along with another state would be kept or lost by the order of the words.
    """
    asked = said.next_action if said and said.state in _AWAITED else None
    given = [one for one in (payment.next_action, asked) if one]
    if progress is not _S.REQUIRES_ACTION:
        given = [one for one in given if _is_transfer(one) and progress is _S.PENDING]
    return max(given, key=lambda one: (_is_transfer(one), one.expires_at, one.url), default=None)


def _is_transfer(action: NextAction) -> bool:
    return action.kind is ActionKind.TRANSFER


def _news(before: Payment, after: Payment) -> Iterator[str]:
    """What happened, as events call it."""
    if _is_unknown(before) and not _is_unknown(after):
        yield "resolved"
    collected = _collected(after)
    if collected is not _collected(before) and collected in _EVENT_OF:
        yield _EVENT_OF[collected]
    if after.ceiling.minor > before.ceiling.minor:
        yield "amount_updated"
    if adjusting.refusals(after) > adjusting.refusals(before):
        yield "amount_update_failed"
    if after.disputed.minor > before.disputed.minor:
        yield "disputed"
    if after.returned.minor > before.returned.minor:
        yield "returned"
    if after.returned.minor < before.returned.minor:
        yield "return_reversed"


def _told_of(before: Payment, after: Payment, word: str) -> Event:
    """The event of a change; a return says why, and what kind of reason it is."""
    told = event(after, word)
    if word != "returned":
        return told
    reported = {MovementKind.RETURN, MovementKind.DISPUTE}
    new = (one for one in after.movements if one.kind in reported and one not in before.movements)
    code = next((one.reason_code for one in new if one.reason_code), "")
    known = reasons.REASONS.get(code)
    why = {"reason": code or None, "reason_class": known.kind.value if known else None}
    return msgspec.structs.replace(told, data={**told.data, **why})


def event(payment: Payment, word: str) -> Event:
    """The event of a payment."""
    return Event(
        type=f"headrace.payment.{word}.v1",
        aggregate="payment",
        aggregate_id=payment.payment_id,
        data={
            "order_id": payment.order_id or None,
            "state": payment.state.value,
            "amount": payment.amount.amount,
            "currency": payment.amount.currency,
            "authorised": payment.authorised.amount if payment.authorised else None,
            "captured": payment.captured.amount,
            "returned": payment.returned.amount,
            "disputed": payment.disputed.amount,
            "failure": payment.failure.code if payment.failure else None,
        },
    )
