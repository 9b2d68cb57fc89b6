"""Identifiers: what is refused, and that the verdicts are those of other libraries."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649
from stdnum.eu import at_02

from gateway.kit.sepa import identifiers
from gateway.model.identifiers import id_at


def vectors(contracts: Path, name: str) -> list[dict[str, Any]]:
    file = contracts / "payments" / "sepa" / "vectors" / name
    if not file.is_file():
        pytest.skip("contracts not found")
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["cases"]
    return found


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("DE89370400440532013000", ""),
        ("de89 3704 0044 0532 0130 00", ""),
        ("BE68539007547034", ""),
        ("DE90370400440532013000", "iban_checksum"),
        ("DE8937040044053201300", "iban_length"),
        ("QQ89370400440532013000", "iban_country"),
        ("DE89-3704", "iban_structure"),
        ("DE8937040044053201300Ö", "iban_structure"),
        ("", "iban_structure"),
    ],
)
def test_iban(text: str, fault: str) -> None:
    """Each rule has a name; blanks and case do not matter."""
    assert fault == identifiers.iban_fault(text)


def test_iban_outside_the_zone() -> None:
    """A valid account that no SEPA file reaches."""
    brazil = "BR1800360305000010009795493C1"

    assert not identifiers.iban_fault(brazil)
    assert "iban_not_sepa" == identifiers.payable_fault(brazil)
    assert "iban_length" == identifiers.payable_fault(brazil[:-1])
    assert not identifiers.payable_fault("CH9300762011623852957")


def test_iban_vectors(contracts: Path) -> None:
    """Validity and parts as schwifty says; a wrong national check only warns."""
    for case in vectors(contracts, "iban.json"):
        fault = identifiers.iban_fault(case["iban"])
        assert (case["schwifty"] == "valid") is (not fault), case
        if fault or "bank_code" not in case:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = identifiers.iban(case["iban"])
        assert case["country"] == found.country
        assert case["bank_code"] == found.bank_code
        assert case["account"] == found.account
        assert (case["schwifty_bban"] == "valid") is found.has_national_check


def test_creditor_vectors(contracts: Path) -> None:
    """The verdicts of python-stdnum."""
    assert [] == [
        case
        for case in vectors(contracts, "creditor_ids.json")
        if (case["expect"] == "valid") is bool(identifiers.creditor_fault(case["id"]))
    ]


def test_rf_vectors(contracts: Path) -> None:
    """The verdicts of python-stdnum."""
    assert [] == [
        case
        for case in vectors(contracts, "rf_references.json")
        if (case["expect"] == "valid") is bool(identifiers.rf_fault(case["ref"]))
    ]


@given(st.from_regex(r"(AT|NL|FR|IT)[0-9]{2}[A-Z]{3}[A-Z0-9]{2,12}", fullmatch=True))
def test_creditor_as_stdnum(number: str) -> None:
    """Any number of the form gets stdnum's verdict, with its own and with the right digits."""
    digits = at_02.calc_check_digits(number)
    for each in (number, number[:2] + digits + number[4:]):
        assert at_02.is_valid(each) is (not identifiers.creditor_fault(each))
    assert not identifiers.creditor_fault(number[:2] + digits + number[4:])


@given(st.from_regex(r"RF[0-9]{2}[A-Z0-9]{1,21}", fullmatch=True))
def test_rf_as_stdnum(number: str) -> None:
    """Any reference of the form gets stdnum's verdict."""
    assert iso11649.is_valid(number) is (not identifiers.rf_fault(number))


def test_business_code_is_not_the_creditor() -> None:
    """Another business code is valid and means the same creditor; a German one has 18 places."""
    one, other = "DE98ZZZ09999999999", "DE98XYZ09999999999"

    assert "" == identifiers.creditor_fault(other)
    assert identifiers.same_creditor(one, other)
    assert not identifiers.same_creditor(one, "AT92ZZZ00000012345")
    assert "creditor_id_length" == identifiers.creditor_fault("DE98ZZZ0999999999")
    assert "creditor_id_checksum" == identifiers.creditor_fault("DE97ZZZ09999999999")
    assert "creditor_id_structure" == identifiers.creditor_fault("NL08ßZZ502057730000")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("A-1/2 (x)", ""),
        ("x" * 35, ""),
        ("x" * 36, "reference_length"),
        ("", "reference_empty"),
        ("  ", "reference_empty"),
        ("Ä1", "reference_characters"),
        ("a_b", "reference_characters"),
        ("a\n", "reference_characters"),
        ("/a", "reference_slash"),
        ("a/", "reference_slash"),
        ("a//b", "reference_slash"),
    ],
)
def test_reference(text: str, fault: str) -> None:
    """A reference is refused, never mended."""
    assert fault == identifiers.reference_fault(text)


@pytest.mark.parametrize("bic", ["COBADEFF", "COBADEFFXXX", "INGBNL2A"])
def test_bic(bic: str) -> None:
    """Eight or eleven places; lower case and other lengths are refused."""
    assert not identifiers.bic_fault(bic)
    for wrong in (bic.lower(), bic[:-1], f"{bic}X", f" {bic}"):
        assert "bic_structure" == identifiers.bic_fault(wrong)


@given(st.text(max_size=60))
def test_message_ids_fit(batch_id: str) -> None:
    """Any batch has one message id that a file takes, with room for a number behind it."""
    made = identifiers.message_id(batch_id)

    assert made == identifiers.message_id(batch_id)
    assert "" == identifiers.reference_fault(f"{made}-99999")
    assert "" == identifiers.reference_fault(identifiers.end_to_end_id(batch_id))


def test_message_ids_differ() -> None:
    """A batch that can be read in the bank's records stays readable; two never share an id."""
    first, second = (id_at(1, bytes(9) + bytes([number])) for number in (1, 2))

    assert "RUN-2026-11" == identifiers.message_id("RUN-2026-11")
    assert identifiers.message_id(first) != identifiers.message_id(second)
    assert first.replace("-", "") == identifiers.end_to_end_id(first)


def test_national_check_digits_only_warn() -> None:
    """A German account that fails its bank's own check is still valid, and it is said."""
    wrong = "DE46370400440532000000"

    assert "" == identifiers.iban_fault(wrong)
    assert not identifiers.iban(wrong).has_national_check


@pytest.mark.parametrize("number", ["", "RF", "RF18", "RF18539007547034539007547034X"])
def test_rf_structure(number: str) -> None:
    """Too short, too long, or none."""
    assert "rf_structure" == identifiers.rf_fault(number)
