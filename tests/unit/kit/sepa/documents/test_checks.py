"""Rules of payments: each is named with row and field, nothing is written, no value is repeated."""

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.kit.sepa.documents.writing import PAIN_001_09, PAIN_008_08, FileRefused
from gateway.model.bank import Deadline
from gateway.model.mandate import Amendment
from gateway.model.money import Money
from tests.unit.kit.sepa.documents.samples import ACCOUNTS, collection, transfer, write


def faults(form: Any, *payments: Any, target: Path, **options: Any) -> list[tuple[int, str, str]]:
    """Row, field and rule of everything that is wrong."""
    target.write_bytes(b"before")
    with pytest.raises(FileRefused) as refusal:
        write(form, payments, target, **options)
    assert b"before" == target.read_bytes()
    assert [target] == list(target.parent.iterdir())
    assert "Erika" not in str(refusal.value) + repr(refusal.value.problems)
    return [(each.row, each.field, each.rule) for each in refusal.value.problems]


@pytest.mark.parametrize(
    ("fields", "field", "rule"),
    [
        ({"debtor_iban": "DE90370400440532013000"}, "debtor_iban", "iban_checksum"),
        ({"debtor_iban": "BR1800360305000010009795493C1"}, "debtor_iban", "iban_not_sepa"),
        ({"debtor_bic": "COBADEF"}, "debtor_bic", "bic_structure"),
        ({"debtor_name": "結衣"}, "debtor_name", "characters"),
        ({"debtor_name": "Erika " * 12}, "debtor_name", "length"),
        ({"debtor_name": ""}, "debtor_name", "empty"),
        ({"remittance": "x" * 141}, "remittance", "length"),
        ({"amount": Money(0, "EUR")}, "amount", "amount_range"),
        ({"amount": Money(-1, "EUR")}, "amount", "amount_range"),
        ({"amount": Money(100_000_000_000, "EUR")}, "amount", "amount_range"),
        ({"amount": Money(1, "CHF")}, "amount", "amount_currency"),
        ({"end_to_end_id": "E" * 36}, "end_to_end_id", "reference_length"),
        ({"end_to_end_id": "E_1"}, "end_to_end_id", "reference_characters"),
        ({"mandate_id": ""}, "mandate_id", "reference_empty"),
        ({"mandate_id": "M//1"}, "mandate_id", "reference_slash"),
        ({"signed_on": dt.date(2026, 11, 24)}, "signed_on", "signed_later"),
        ({"due": dt.date(2026, 11, 28)}, "due", "due_closed"),
        ({"due": dt.date(2026, 11, 23)}, "due", "due_early"),
        ({"due": dt.date(2026, 12, 8)}, "due", "due_late"),
        ({"account": "other"}, "account", "account_unknown"),
        ({"amendment": Amendment(mandate_id="Ä")}, "amendment.mandate_id", "reference_characters"),
        (
            {"amendment": Amendment(creditor_id="DE97ZZZ09999999999")},
            "amendment.creditor_id",
            "creditor_id_checksum",
        ),
        (
            {"amendment": Amendment(creditor_name="x" * 71)},
            "amendment.creditor_name",
            "length",
        ),
    ],
)
def test_collections(fields: dict[str, Any], field: str, rule: str, tmp_path: Path) -> None:
    """Each rule by itself, in the second of three rows."""
    rows = [collection(), collection(**{"end_to_end_id": "E-2", **fields})]
    last = collection(end_to_end_id="E-3")

    found = faults(PAIN_008_08, *rows, last, target=tmp_path / "out.xml")

    assert [(2, field, rule)] == found


@pytest.mark.parametrize(
    ("fields", "field", "rule"),
    [
        ({"creditor_iban": "DE8937040044053201300"}, "creditor_iban", "iban_length"),
        ({"creditor_name": "🎉"}, "creditor_name", "characters"),
        ({"due": dt.date(2026, 12, 25)}, "due", "due_closed"),
        ({"due": dt.date(2026, 11, 20)}, "due", "due_early"),
        ({"amount": Money(100_000_000_000, "EUR")}, "amount", "amount_range"),
    ],
)
def test_transfers(fields: dict[str, Any], field: str, rule: str, tmp_path: Path) -> None:
    """The same rules, with the days of transfers."""
    found = faults(PAIN_001_09, transfer(**fields), target=tmp_path / "out.xml")

    assert [(1, field, rule)] == found


def test_edges_are_allowed(tmp_path: Path) -> None:
    """The least and the largest amount, today's signature, the first and the last day."""
    rows = [
        collection(amount=Money(1, "EUR"), due=dt.date(2026, 11, 24)),
        collection(end_to_end_id="E-2", amount=Money(99_999_999_999, "EUR")),
        collection(end_to_end_id="E-3", signed_on=dt.date(2026, 11, 23)),
        collection(end_to_end_id="E" * 35, mandate_id="M" * 35, due=dt.date(2026, 12, 7)),
    ]

    assert 4 == write(PAIN_008_08, rows, tmp_path / "out.xml").count


def test_a_transfer_of_today(tmp_path: Path) -> None:
    """Until its own cut-off a transfer is for today, or for next year; an instant one for any."""
    rows = [
        transfer(due=dt.date(2026, 11, 23)),
        transfer(end_to_end_id="E-3", due=dt.date(2027, 11, 23)),
        transfer(end_to_end_id="E-2", is_instant=True, due=dt.date(2026, 11, 28)),
    ]

    assert 3 == write(PAIN_001_09, rows, tmp_path / "out.xml").count


def test_after_the_cut_off(tmp_path: Path) -> None:
    """What is fine at nine is too late at ten; another bank, another hour."""
    rows, due = [collection(due=dt.date(2026, 11, 24))], dt.date(2026, 11, 24)
    late = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
    target = tmp_path / "out.xml"

    assert [(1, "due", "due_early")] == faults(PAIN_008_08, *rows, target=target, now=late)

    generous = msgspec.structs.replace(ACCOUNTS["main"], deadline=Deadline(cut_off=dt.time(15)))
    assert due == rows[0].due
    assert 1 == write(PAIN_008_08, rows, target, now=late, accounts={"main": generous}).count


def test_references_twice(tmp_path: Path) -> None:
    """Each row whose reference stood in an earlier one, wherever in the file."""
    rows = [collection(end_to_end_id=f"E-{number % 900}") for number in range(902)]

    found = faults(PAIN_008_08, *rows, target=tmp_path / "out.xml")

    assert [
        (901, "end_to_end_id", "reference_twice"),
        (902, "end_to_end_id", "reference_twice"),
    ] == (found)


def test_all_problems_at_once_but_not_endlessly(tmp_path: Path) -> None:
    """A row names each of its problems; after a hundred nothing more is looked for."""
    rows = [collection(debtor_iban="x", amount=Money(0, "EUR"))] * 1000

    found = faults(PAIN_008_08, *rows, target=tmp_path / "out.xml")

    assert [(1, "amount", "amount_range"), (1, "debtor_iban", "iban_structure")] == found[:2]
    assert 100 <= len(found) < 300


@pytest.mark.parametrize(
    ("fields", "field", "rule"),
    [
        ({"iban": "DE76512108001245126199"}, "accounts.main.iban", "iban_checksum"),
        ({"bic": "X"}, "accounts.main.bic", "bic_structure"),
        ({"creditor_id": ""}, "accounts.main.creditor_id", "creditor_id_structure"),
        ({"name": "結衣"}, "accounts.main.name", "characters"),
    ],
)
def test_accounts(fields: dict[str, Any], field: str, rule: str, tmp_path: Path) -> None:
    """Our own account is looked at too; its problems belong to no row."""
    account = msgspec.structs.replace(ACCOUNTS["main"], **fields)
    target = tmp_path / "out.xml"

    assert [(0, field, rule)] == faults(
        PAIN_008_08, collection(), target=target, accounts={"main": account}
    )


def test_no_creditor_identifier_for_transfers(tmp_path: Path) -> None:
    """An account that only pays needs none."""
    account = msgspec.structs.replace(ACCOUNTS["main"], creditor_id="")

    assert (
        1
        == write(PAIN_001_09, [transfer()], tmp_path / "out.xml", accounts={"main": account}).count
    )


def test_nothing_to_write(tmp_path: Path) -> None:
    """A file without payments is refused: banks refuse it too."""
    assert [(0, "payments", "empty")] == faults(PAIN_008_08, target=tmp_path / "out.xml")
