"""What lines mean that the suite of the port does not show: refunds, statuses, what is kept."""

from typing import Any

import pytest

from adapters.sepa_bank import words
from gateway.errors import Rejected
from gateway.model import codec
from gateway.model.bank import BankLine, Direction, Entry, PaymentStatus
from gateway.model.money import Money
from gateway.model.movement import MovementKind, MovementState

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
    "line", [status(end_to_end_id=""), status(status="RCVC"), status(status="RVNM"), BankLine()]
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
