"""The words of a bank: what a line of its files says of a payment.

A collection is one movement under its end-to-end id, however often and in whatever document the
bank tells of it: announced, booked, refused. What comes back is another one under the same id.
A payout is known by its end-to-end id alone; nobody can be asked for it, so its state is told.
"""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from adapters.sepa_bank import references
from gateway.errors import Rejected
from gateway.kit.sepa import reasons
from gateway.model import codec
from gateway.model.bank import BankLine, Direction, Entry, PaymentStatus
from gateway.model.event import About, ProviderEvent
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import PaymentFailure, PaymentState, ProviderPayment
from gateway.model.payout import PayeeMatch, PayoutState, ProviderPayout
from gateway.model.reference import EntityKind

# Source: ISO 20022 external code set ExternalPaymentTransactionStatus1Code, 2Q2026.
_ACCEPTED: Final = frozenset(
    {"ACCP", "ACTC", "ACSP", "ACWC", "ACSC", "ACCC", "ACFC", "PDNG", "RCVD", "RVNC"}
)
# Of a file or a group: its payments are told of one by one.
# Source: ISO 20022 external code set ExternalPaymentGroupStatus1Code, 2Q2026.
_SUMMARIES: Final = frozenset({"PART", "RVCM"})
_REFUSED: Final = frozenset({"RJCT", "CANC"})
_FAILURE_OF: Final = {
    PayoutState.FAILED: "payout_failed",
    PayoutState.RETURNED: "payout_returned",
}
_NOBODY: Final = {"account_iban": "", "remittance": "", "counterparty": "", "counterparty_iban": ""}
# Answers to a verification of payees say nothing of the money.
_VERIFIED: Final = frozenset(PayeeMatch)


def counted(lines: Iterable[BankLine]) -> Iterator[BankLine]:
    """The lines as they are kept: without their place, the second of two equal ones as such.

    Whose payment it is stands in our own record; names are only kept where somebody has to look.
    """
    seen: Counter[bytes] = Counter()
    for line in lines:
        entry, status = line.entry, line.status
        if entry is not None:
            entry = msgspec.structs.replace(entry, position=0)
            if entry.end_to_end_id:
                entry = msgspec.structs.replace(entry, **_NOBODY)
        elif status is not None:
            status = msgspec.structs.replace(status, counterparty="", texts=())
        placed = BankLine(entry=entry, status=status)
        digest = hashlib.sha256(codec.encode(placed)).digest()[:12]
        yield msgspec.structs.replace(placed, nth=seen[digest])
        seen[digest] += 1


def read(line: BankLine) -> tuple[ProviderEvent, ...]:
    """What a line says; nothing where it says nothing of money.

    Raises:
        Rejected: It cannot be read, or is about nothing that we asked for; a person looks at it.
    """
    if line.entry is not None:
        return _entry(line.entry)
    return () if line.status is None else _status(line.status)


def _entry(entry: Entry) -> tuple[ProviderEvent, ...]:
    if entry.problems or entry.amount is None or entry.direction is None:
        raise Rejected("The line cannot be read.", code="line_unreadable")
    if not entry.end_to_end_id:
        raise Rejected("The line names no payment of ours.", code="entry_unmatched")
    credit = entry.direction is Direction.CREDIT
    given_back = references.refunded(entry.end_to_end_id)
    # A bank that keeps its fee of what comes back names the payment's own amount beside it.
    amount = entry.original_amount or entry.amount
    reason, came_back = entry.reason_code, bool(entry.reason_code) or entry.is_reversal
    at = _seconds(entry.value_date or entry.booking_date)
    if references.is_payout(entry.end_to_end_id):
        return _payout_entry(entry, amount, at)
    if given_back:
        state = MovementState.UNDONE if credit else _state(entry)
        moved = _moved(MovementKind.REFUND, entry.end_to_end_id, state, amount, reason)
        return (_event("entry.refund", given_back, moved, at=at),)
    if not credit:
        moved = _moved(MovementKind.RETURN, entry.end_to_end_id, _state(entry), amount, reason)
        return (_event("entry.return", entry.end_to_end_id, moved, at=at),)
    if came_back:
        moved = _moved(
            MovementKind.RETURN, entry.end_to_end_id, MovementState.UNDONE, amount, reason
        )
        return (_event("entry.return_reversed", entry.end_to_end_id, moved, at=at),)
    moved = _moved(MovementKind.CAPTURE, entry.end_to_end_id, _state(entry), amount, "")
    said = _booked(entry.end_to_end_id, amount) if entry.is_booked else None
    return (_event("entry.collection", entry.end_to_end_id, moved, at=at, said=said),)


def _payout_entry(entry: Entry, amount: Money, at: float) -> tuple[ProviderEvent, ...]:
    """Money that left, or came back, whether or not the bank says why."""
    if entry.direction is Direction.DEBIT and (entry.is_reversal or entry.reason_code):
        # What came back has gone again: that is nothing that a payout can tell.
        raise Rejected("The line takes back what came back.", code="return_reversed")
    if entry.direction is Direction.DEBIT:
        state = PayoutState.PAID if entry.is_booked else PayoutState.SENT
        return (_payout(entry.end_to_end_id, state, amount, "", at=at),)
    if not entry.is_booked:
        return ()
    return (_payout(entry.end_to_end_id, PayoutState.RETURNED, amount, entry.reason_code, at=at),)


def _payout_status(status: PaymentStatus) -> tuple[ProviderEvent, ...]:
    reference, reason = status.end_to_end_id, status.reason_code
    if status.status in _VERIFIED:
        # Of whatever file it is, and however much: the name is what was looked at.
        said = PayeeMatch(status.status)
        return (_about_payout("status.verified", reference, verified=said),)
    if status.problems or status.status not in _ACCEPTED | _REFUSED:
        raise Rejected("The status cannot be read.", code="status_unknown")
    if status.amount is None:
        raise Rejected("The status is about no file of ours.", code="status_unmatched")
    if status.status in _ACCEPTED:
        return (_payout(reference, PayoutState.SENT, status.amount, ""),)
    if reason in reasons.DUPLICATE:
        # The first one counts: the money is on its way, and must not be sent anew.
        raise Rejected("The bank has the payout already.", code="already_submitted")
    return (_payout(reference, PayoutState.FAILED, status.amount, reason),)


def _payout(
    reference: str, state: PayoutState, amount: Money, reason: str, *, at: float = 0.0
) -> ProviderEvent:
    code = _FAILURE_OF.get(state)
    failure = PaymentFailure(code=code, provider_code=reason) if code else None
    said = ProviderPayout(provider_ref=reference, state=state, amount=amount, failure=failure)
    return _about_payout(f"payout.{state.value.lower()}", reference, said=said, at=at)


def _about_payout(
    word: str,
    reference: str,
    *,
    said: ProviderPayout | None = None,
    verified: PayeeMatch | None = None,
    at: float = 0.0,
) -> ProviderEvent:
    return ProviderEvent(
        event_id=f"{word}:{reference}",
        event_type=word,
        about=About(entity=EntityKind.PAYOUT, external_id=reference),
        payout=said,
        verified=verified,
        occurred_at=at,
    )


def _status(status: PaymentStatus) -> tuple[ProviderEvent, ...]:
    if references.is_payout(status.end_to_end_id):
        return _payout_status(status)
    said_of_many = not status.end_to_end_id and status.status in _ACCEPTED | _SUMMARIES
    if status.status in _VERIFIED or said_of_many:
        return ()
    if status.problems or status.status not in _ACCEPTED | _REFUSED:
        raise Rejected("The status cannot be read.", code="status_unknown")
    if not status.end_to_end_id or status.amount is None:
        # Of files of ours the hub adds what the bank leaves out.
        raise Rejected("The status is about no file of ours.", code="status_unmatched")
    refused = status.status in _REFUSED
    given_back = references.refunded(status.end_to_end_id)
    moved = _moved(
        MovementKind.REFUND if given_back else MovementKind.CAPTURE,
        status.end_to_end_id,
        MovementState.UNDONE if refused else MovementState.PENDING,
        status.amount,
        status.reason_code if refused else "",
    )
    word = "status.refused" if refused else "status.accepted"
    return (_event(word, given_back or status.end_to_end_id, moved, at=0.0),)


def _event(
    word: str,
    provider_ref: str,
    moved: Movement,
    *,
    at: float,
    said: ProviderPayment | None = None,
) -> ProviderEvent:
    return ProviderEvent(
        event_id=f"{word}:{moved.ref}",
        event_type=word,
        provider_ref=provider_ref,
        payment=said,
        movements=(moved,),
        occurred_at=at,
    )


def _booked(end_to_end_id: str, amount: Money) -> ProviderPayment:
    """Booked at a bank is settled; whether it stays is another matter."""
    return ProviderPayment(
        provider_ref=end_to_end_id,
        state=PaymentState.SETTLED,
        amount=amount,
        captured=Money(0, amount.currency),
        refunded=Money(0, amount.currency),
    )


def _moved(
    kind: MovementKind, ref: str, state: MovementState, amount: Money, reason: str
) -> Movement:
    return Movement(kind=kind, ref=ref, state=state, amount=amount, reason_code=reason)


def _state(entry: Entry) -> MovementState:
    return MovementState.DONE if entry.is_booked else MovementState.PENDING


def _seconds(day: dt.date | None) -> float:
    """The beginning of a bank's day as a moment; zero for none."""
    if day is None:
        return 0.0
    return dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()
