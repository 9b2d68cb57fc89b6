"""What lines mean that the suite of the port does not show: refunds, statuses, what is kept."""

from typing import Any

import msgspec
import pytest

from adapters.sepa_bank import references, words
from gateway.errors import Rejected
from gateway.model import codec
from gateway.model.bank import BankLine, Direction, Entry, PaymentStatus
from gateway.model.event import About
from gateway.model.identifiers import derived_id
from gateway.model.money import Money
from gateway.model.movement import MovementKind, MovementState
from gateway.model.payout import PayeeMatch, PayoutState
from gateway.model.reference import EntityKind

REF = "0195000000007000900000000000000a"
EURO = Money(100, "EUR")


def entry(**fields: Any) -> BankLine:
    known: dict[str, Any] = {
        "position": 1,
        "end_to_end_id": REF,
        "amount": EURO,
        "direction": Direction.CREDIT,
    }
    return BankLine(entry=Entry(**{**known, **fields}))


def status(**fields: Any) -> BankLine:
    known = {"message_id": "M", "end_to_end_id": REF, "amount": EURO, "status": "ACCP"}
    return BankLine(status=PaymentStatus(**{**known, **fields}))


@pytest.mark.parametrize(
    ("line", "state"),
    [
        (entry(end_to_end_id=f"{REF}R1", direction=Direction.DEBIT), MovementState.DONE),
        (
            entry(end_to_end_id=f"{REF}R1", direction=Direction.DEBIT, is_booked=False),
            MovementState.PENDING,
        ),
        (entry(end_to_end_id=f"{REF}R1", reason_code="AC04"), MovementState.UNDONE),
        (status(end_to_end_id=f"{REF}R1", status="RJCT", reason_code="AC04"), MovementState.UNDONE),
        (status(end_to_end_id=f"{REF}R1"), MovementState.PENDING),
    ],
)
def test_transfers_are_refunds(line: BankLine, state: MovementState) -> None:
    """Of the payment whose reference stands before the R."""
    (event,) = words.read(line)

    (moved,) = event.movements
    assert (REF, f"{REF}R1") == (event.provider_ref, moved.ref)
    assert (MovementKind.REFUND, state) == (moved.kind, moved.state)


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        ("ACCP", MovementState.PENDING, ""),
        ("ACSC", MovementState.PENDING, ""),
        ("RJCT", MovementState.UNDONE, "AM04"),
        ("CANC", MovementState.UNDONE, "AM04"),
    ],
)
def test_status_of_a_collection(code: str, state: MovementState, reason: str) -> None:
    """Accepted is not collected: only a booking says that."""
    (event,) = words.read(status(status=code, reason_code="AM04"))

    (moved,) = event.movements
    assert (MovementKind.CAPTURE, state, reason) == (moved.kind, moved.state, moved.reason_code)
    assert event.payment is None


@pytest.mark.parametrize(
    "line",
    [
        status(end_to_end_id=""),
        status(end_to_end_id="", status="PART"),
        status(end_to_end_id="", status="RVCM"),
        status(end_to_end_id="", status="RVNM"),
        status(status="RCVC"),
        status(status="RVNM"),
        BankLine(),
    ],
)
def test_what_says_nothing_of_money(line: BankLine) -> None:
    """The file was taken, or a payee was verified."""
    assert () == words.read(line)


@pytest.mark.parametrize(
    "line",
    [
        status(status="PART"),
        status(status=""),
        status(status="RJCT", end_to_end_id=""),
        status(amount=None),
        entry(amount=None),
        entry(end_to_end_id=""),
    ],
)
def test_what_is_for_a_person(line: BankLine) -> None:
    """Refused with a code, without what stands in the line."""
    with pytest.raises(Rejected) as refused:
        words.read(line)

    assert REF not in str(refused.value)


def test_equal_lines_are_two() -> None:
    """Two payments of one day may be alike; the same file read again is not."""
    lines = [entry(position=1), entry(position=2), entry(position=3, amount=Money(1, "EUR"))]

    first, second = (list(words.counted(lines)) for _ in range(2))

    assert [0, 1, 0] == [one.nth for one in first]
    assert first == second
    assert 3 == len({codec.encode(one) for one in first})


def test_nobody_is_named_where_we_know_who_it_is() -> None:
    """A line without our reference keeps what a person needs to find out."""
    said = {"counterparty": "Erika", "counterparty_iban": "DE89", "remittance": "Rent"}
    ours, foreign = words.counted([entry(**said), entry(end_to_end_id="", **said)])

    assert not any(text.encode() in codec.encode(ours) for text in said.values())
    assert all(text.encode() in codec.encode(foreign) for text in said.values())


# --- payouts ---------------------------------------------------------------------------------

PAYOUT = references.of_payout(derived_id("payout"))
_P = PayoutState


def about(line: BankLine, reference: str) -> BankLine:
    """The line, about something else."""
    entry, status = (
        one and msgspec.structs.replace(one, end_to_end_id=reference)
        for one in (line.entry, line.status)
    )
    return BankLine(entry=entry, status=status)


@pytest.mark.parametrize(
    ("line", "state", "reason"),
    [
        (entry(direction=Direction.DEBIT), _P.PAID, None),
        (entry(direction=Direction.DEBIT, is_booked=False), _P.SENT, None),
        (entry(), _P.RETURNED, ""),
        (entry(reason_code="AC04"), _P.RETURNED, "AC04"),
        (entry(is_reversal=True), _P.RETURNED, ""),
        (status(), _P.SENT, None),
        (status(status="PDNG"), _P.SENT, None),
        (status(status="RVNC"), _P.SENT, None),
        (status(status="RJCT", reason_code="AC01"), _P.FAILED, "AC01"),
        (status(status="CANC", reason_code="DS02"), _P.FAILED, "DS02"),
    ],
)
def test_what_becomes_of_a_payout(line: BankLine, state: PayoutState, reason: str | None) -> None:
    """Told by itself, under the reference that the file gave."""
    (event,) = words.read(about(line, PAYOUT))

    assert event.payout is not None
    assert (PAYOUT, state, EURO) == (
        event.payout.provider_ref,
        event.payout.state,
        event.payout.amount,
    )
    failure = event.payout.failure
    assert reason == (failure.provider_code if failure else None)
    assert About(entity=EntityKind.PAYOUT, external_id=PAYOUT) == event.about
    assert (None, ()) == (event.payment, event.movements)


@pytest.mark.parametrize("match", PayeeMatch)
def test_verification_of_a_payee(match: PayeeMatch) -> None:
    """Of a payout it says something, and nothing of the money."""
    (event,) = words.read(about(status(status=match.value), PAYOUT))

    assert (match, None) == (event.verified, event.payout)


@pytest.mark.parametrize(
    "line",
    [
        entry(direction=Direction.DEBIT, is_reversal=True),
        entry(direction=Direction.DEBIT, reason_code="AC04"),
        status(status="RJCT", reason_code="AM05"),
        status(status="RVCM"),
        status(status="WHAT"),
        status(amount=None),
    ],
)
def test_what_of_a_payout_is_for_a_person(line: BankLine) -> None:
    """Nothing may be concluded of it: neither that the money stayed, nor that it left twice."""
    with pytest.raises(Rejected):
        words.read(about(line, PAYOUT))


def test_return_that_is_announced_says_nothing() -> None:
    """The money is not back yet."""
    assert () == words.read(about(entry(is_booked=False), PAYOUT))


def test_references_are_told_apart() -> None:
    """Collections, refunds and payouts, of whatever id."""
    payment_id = derived_id("payment")
    others = (
        references.of_payment(payment_id),
        references.of_refund(payment_id, f"{payment_id}-refund-1"),
    )

    for odd in ("po-1", "x" * 64, derived_id("p")):
        reference = references.of_payout(odd)
        assert references.is_payout(reference)
        assert "" == references.refunded(reference)
        assert reference == references.of_payout(odd)
    assert [False, False] == [references.is_payout(one) for one in others]
