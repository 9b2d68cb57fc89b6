"""The port ``bank_files``: what is written comes back, and the same batch has the same bytes."""

import datetime as dt
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.errors import Rejected
from gateway.kit.sepa import calendar
from gateway.model import codec
from gateway.model.bank import BankLine, Direction, Entry
from gateway.model.mandate import Mandate, MandateState, Scheme, SequenceType
from gateway.model.money import Money
from gateway.model.movement import MovementKind, MovementState
from gateway.model.payment import Payment, PaymentState
from gateway.ports.notification import Notification
from tests.conformance import samples
from tests.conformance.subject import Account, Subject, fulfilling

NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)  # a Monday, nine in Berlin


@pytest.fixture(params=fulfilling("bank_files"), ids=lambda one: one.adapter.product)
def account(request: pytest.FixtureRequest) -> Account:
    subject: Subject = request.param
    return subject.account("bank_files")


def mandate(whose: Account, **fields: Any) -> Mandate:
    known: dict[str, Any] = {
        "system": "provider",
        "mandate_id": "M-1",
        "account": whose.port.default_account,
        "creditor_id": "DE98ZZZ09999999999",
        "debtor_name": "Jörg Müßig",
        "iban": "DE89370400440532013000",
        "signed_at": dt.date(2026, 1, 31),
        "signature_type": "electronic",
        "state": MandateState.ACTIVE,
    }
    return Mandate(**{**known, **fields})


def promised(account: Account, number: int = 1, **fields: Any) -> Payment:
    """A payment with the reference that the bank will know it by."""
    port = account.subject.adapter.ports["payments"](account.settings)
    payment = samples.payment(number, token="", method="sepa_debit")
    payment = msgspec.structs.replace(payment, mandate_id="M-1", **fields)
    made = account.run(port.create_payment(payment, key="k"))
    assert PaymentState.PENDING is made.state
    return msgspec.structs.replace(payment, provider_ref=made.provider_ref)


def read(account: Account, entry: Entry) -> Any:
    body = codec.encode(BankLine(entry=entry))
    (event,) = account.port.read(Notification(body=body))
    return event


def booked(payment: Payment, **fields: Any) -> Entry:
    known = {
        "position": 1,
        "end_to_end_id": payment.provider_ref,
        "amount": payment.amount,
        "direction": Direction.CREDIT,
        "value_date": NOW.date(),
    }
    return Entry(**{**known, **fields})  # type: ignore[arg-type] # as a test needs them


@pytest.mark.parametrize("due", ["", "2026-11-01", "2026-11-25", "2026-11-28"])
def test_due_on_the_first_day_that_can_be(account: Account, due: str) -> None:
    """As wanted where that can still be reached, on an open day of TARGET, never before."""
    row = account.port.collection(promised(account, due=due), mandate(account), at=NOW)

    deadline = account.port.accounts[row.account].deadline
    earliest = calendar.earliest_due(NOW, deadline)
    wanted = dt.date.fromisoformat(due) if due else earliest
    assert max(calendar.next_open(wanted), earliest) == row.due
    assert calendar.is_open(row.due)


@pytest.mark.parametrize(
    ("payment", "given", "rule"),
    [
        ({}, {"system": "another"}, "mandate_provider"),
        ({}, {"state": MandateState.REVOKED}, "mandate_revoked"),
        ({}, {"signed_at": dt.date(2020, 1, 31)}, "mandate_lapsed"),
        ({}, {"scheme": Scheme.B2B}, "mandate_scheme"),
        ({}, {"account": "elsewhere"}, "account_unknown"),
        ({}, {"iban": "DE00370400440532013000"}, "iban_checksum"),
        ({"due": "2026-12-31"}, {}, "due_late"),
        (
            {},
            {"sequence_type": SequenceType.OOFF, "last_used_at": dt.date(2026, 2, 1)},
            "mandate_used_up",
        ),
    ],
)
def test_rules_forbid_a_collection(
    account: Account, payment: dict[str, Any], given: dict[str, Any], rule: str
) -> None:
    """Each by its name, without the value that breaks it."""
    with pytest.raises(Rejected) as refused:
        account.port.collection(promised(account, **payment), mandate(account, **given), at=NOW)

    assert rule == refused.value.code
    assert "DE00" not in str(refused.value)


def test_same_batch_has_the_same_bytes(account: Account, tmp_path: Path) -> None:
    """And the same message id, by which a bank notices that it has the file already."""
    rows = [
        account.port.collection(promised(account, number), mandate(account), at=NOW)
        for number in (1, 2)
    ]
    files = [tmp_path / "a.xml", tmp_path / "b.xml"]

    made = [
        account.port.write_collections(iter(rows), file, batch_id="B", at=NOW) for file in files
    ]

    assert made[0] == made[1]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert (2, rows[0].amount.minor * 2) == (made[0].count, int(made[0].total * 100))


def test_booking_settles_the_payment(account: Account) -> None:
    """By the reference that we gave."""
    payment = promised(account)

    event = read(account, booked(payment))

    assert payment.provider_ref == event.provider_ref
    assert (PaymentState.SETTLED, payment.amount) == (event.payment.state, event.payment.amount)
    assert [(MovementKind.CAPTURE, MovementState.DONE)] == [
        (one.kind, one.state) for one in event.movements
    ]


@pytest.mark.parametrize(
    ("fields", "kind", "state"),
    [
        ({"is_booked": False}, MovementKind.CAPTURE, MovementState.PENDING),
        (
            {"direction": Direction.DEBIT, "reason_code": "AM04"},
            MovementKind.RETURN,
            MovementState.DONE,
        ),
        (
            {"direction": Direction.DEBIT, "is_reversal": True},
            MovementKind.RETURN,
            MovementState.DONE,
        ),
        ({"is_reversal": True}, MovementKind.RETURN, MovementState.UNDONE),
    ],
    ids=["announced", "returned", "taken back", "return taken back"],
)
def test_what_else_a_line_says(
    account: Account, fields: dict[str, Any], kind: MovementKind, state: MovementState
) -> None:
    """One movement under the reference of the collection."""
    payment = promised(account)

    event = read(account, booked(payment, **fields))

    (moved,) = event.movements
    assert (kind, state, payment.provider_ref) == (moved.kind, moved.state, moved.ref)
    assert event.payment is None


def test_fee_of_a_return_is_not_the_payment(account: Account) -> None:
    """The bank keeps three euros; what came back is what had been collected."""
    payment = promised(account)

    event = read(
        account,
        booked(
            payment,
            direction=Direction.DEBIT,
            reason_code="AM04",
            amount=payment.amount + Money(300, "EUR"),
            original_amount=payment.amount,
        ),
    )

    assert payment.amount == event.movements[0].amount


@pytest.mark.parametrize(
    "fields", [{"end_to_end_id": ""}, {"amount": None}, {"direction": None}], ids=str
)
def test_what_fits_nothing_is_for_a_person(account: Account, fields: dict[str, Any]) -> None:
    """Refused, so that it is parked."""
    with pytest.raises(Rejected):
        read(account, booked(promised(account), **fields))


def test_other_documents_are_refused(account: Account) -> None:
    """Neither XML nor MT940, or XML of something else."""
    for body in (b"", b"hello", b"<Document xmlns='x'><Other/></Document>"):
        with pytest.raises(Rejected):
            list(account.port.lines(io.BytesIO(body)))
