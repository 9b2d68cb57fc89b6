"""What a bank says of a whole file or group, told of each payment."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from gateway.kit.sepa import batches
from gateway.model.bank import BankLine, Collection, Direction, Entry, PaymentStatus
from gateway.model.money import Money
from tests.unit.kit.sepa.documents.samples import collection, transfer

ROWS: list[Any] = [
    collection(end_to_end_id="E-1", amount=Money(100, "EUR")),
    collection(end_to_end_id="E-2", amount=Money(250, "EUR")),
    collection(end_to_end_id="E-3", due=dt.date(2026, 12, 2), amount=Money(7, "EUR")),
]


def booked(amount: int, group: str = "MSG-1", **fields: Any) -> BankLine:
    known = {"position": 1, "group_id": group, "direction": Direction.CREDIT, "batch_count": 2}
    return BankLine(entry=Entry(amount=Money(amount, "EUR"), **{**known, **fields}))


def said(**fields: Any) -> BankLine:
    return BankLine(status=PaymentStatus(**{"message_id": "MSG", "status": "RJCT", **fields}))


def meant(line: BankLine, rows: list[Collection] = ROWS) -> list[tuple[str, Any]]:
    found = []
    for one in batches.exploded(line, rows, "MSG"):
        about = one.entry or one.status
        assert about is not None
        found.append((about.end_to_end_id, about.amount and about.amount.minor))
    return found


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (booked(1), "MSG"),
        (booked(1, "", message_id="MSG"), "MSG"),
        (booked(1, "MSG"), "MSG"),
        (booked(1, ""), ""),
        (booked(1, end_to_end_id="E-1"), ""),
        (said(), "MSG"),
        (said(status="ACCP"), ""),
        (said(end_to_end_id="E-1"), "MSG"),
        (said(end_to_end_id="E-1", amount=Money(1, "EUR")), ""),
        (BankLine(), ""),
    ],
)
def test_which_file_is_meant(line: BankLine, named: str) -> None:
    """Only where its payments are meant and not named, or not wholly."""
    assert named == batches.named(line)


def test_group_is_its_payments() -> None:
    """Groups are numbered as the file numbers them: by the due date here."""
    assert [("E-1", 100), ("E-2", 250)] == meant(booked(350))
    assert [("E-3", 7)] == meant(booked(7, "MSG-2"))
    for whole in ("", "MSG"):
        assert [("E-1", 100), ("E-2", 250), ("E-3", 7)] == meant(booked(357, whole))


@pytest.mark.parametrize("line", [booked(351), booked(350, "MSG-3"), booked(350, "OTHER-1")])
def test_another_sum_or_group_stays_whole(line: BankLine) -> None:
    """For a person."""
    assert [line] == list(batches.exploded(line, ROWS, "MSG"))


def test_refusals_are_told_of_each_payment() -> None:
    """Of a file, of a group, and of a payment whose amount the bank leaves out."""
    assert [("E-1", 100), ("E-2", 250), ("E-3", 7)] == meant(said())
    assert [("E-3", 7)] == meant(said(group_id="MSG-2"))
    assert [("E-2", 250)] == meant(said(end_to_end_id="E-2"))


def test_foreign_files_stay_as_they_are() -> None:
    """We have no record of them."""
    assert [("", None)] == meant(said(), [])


def test_transfers_are_grouped_too() -> None:
    """By account, kind and day."""
    rows: list[Any] = [transfer(end_to_end_id="T-1"), transfer(end_to_end_id="T-2")]
    total = sum(Decimal(one.amount.minor) for one in rows)

    assert ["T-1", "T-2"] == [one for one, _ in meant(booked(int(total)), rows)]
