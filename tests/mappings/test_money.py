"""E31: amounts keep their currency, and whether they count cents."""

from pathlib import Path
from typing import Any

import pytest

from tests.mappings.ends import applied, check, ends, errors

CURRENCY = {"type": "string", "pattern": "^[A-Z]{3}$"}
CENTS = {"type": "integer", "minimum": 0, "maximum": 9_999_999}
DECIMAL = {"type": "string", "format": "decimal"}


def _object(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields)}


SOURCE = {
    # As Stripe has it: the smallest unit of the currency beside it.
    "amount": CENTS,
    "amount_received": CENTS,
    "currency": CURRENCY,
    "fee": _object(value=CENTS, currency=CURRENCY),
    "a": _object(amount=DECIMAL, currency=CURRENCY),
    "b": _object(amount=DECIMAL, currency=CURRENCY),
    "refunds": {"type": "array", "items": _object(amount=CENTS, currency=CURRENCY)},
    "flag": {"type": "boolean"},
    "count": CENTS,
}
TARGET = {
    "Amount": DECIMAL,
    "Fee": DECIMAL,
    "Cents": CENTS,
    "Currency": {"type": "string"},
    "Other": {"type": "string"},
    "Flag": {"type": "boolean"},
    "Money": _object(value=DECIMAL, currency=CURRENCY),
}
BOTH = (
    "Currency: currency, Other: b.currency, "
    "Money: {fields: {value: a.amount, currency: a.currency}}"
)
RULES = [
    # Cents into a field of decimals, and the other way round.
    ("Amount: amount, Currency: currency", ["E31"]),
    ("Amount: amount_received | round(2), Currency: currency", ["E31"]),
    ("Amount: fee.value, Currency: fee.currency", ["E31"]),
    ("Amount: amount | major(currency), Currency: currency", []),
    ("Amount: fee.value | major(fee.currency), Currency: fee.currency", []),
    ("Amount: count", []),
    ("Cents: amount, Currency: currency", []),
    ("Cents: {value: a.amount | round(0), allow: [E06]}, Currency: a.currency", ["E31"]),
    ("Cents: {value: a.amount | minor(a.currency), allow: [E06]}, Currency: a.currency", []),
    # The currency of another amount.
    ("Amount: amount | major(a.currency), Currency: currency", ["E31"]),
    ("Cents: {value: a.amount | minor(b.currency), allow: [E06]}, Currency: a.currency", ["E31"]),
    ("Money: {fields: {value: a.amount, currency: b.currency}}, Other: a.currency", ["E31"]),
    ("Money: {fields: {value: a.amount, currency: a.currency}}", []),
    # An amount whose currency is nowhere.
    ("Cents: amount", ["E31"]),
    # Amounts of two currencies.
    (f"Amount: a.amount + b.amount, {BOTH}", ["E31"]),
    (f"Amount: (a.amount if flag else b.amount) + b.amount, {BOTH}", ["E31"]),
    (f"Amount: a.amount + (fee.value | major(fee.currency)), {BOTH}", ["E31"]),
    (f"Flag: a.amount > b.amount, {BOTH}", ["E31"]),
    ("Cents: amount + amount_received, Currency: currency", []),
    ("Cents: sum(r.amount for r in refunds), Currency: currency", ["E31"]),
    ("Flag: amount > (amount_received | major(currency))", ["E31"]),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "expected"), RULES)
def test_amounts(rules: str, expected: list[str], tmp_path: Path) -> None:
    """One finding for each mistake; none for amounts that are written as they should be."""
    result = check(f"fields: {{{rules}}}", ends(tmp_path, SOURCE, TARGET))

    assert expected == [code for code in errors(result) if code != "E06"]


def test_through_let(tmp_path: Path) -> None:
    """A name for the currency, in capitals, is the currency."""
    text = "let: {unit: currency | upper}\nfields: {Amount: amount | major(unit), Currency: unit}"
    result = check(text, ends(tmp_path, {"amount": CENTS, "currency": CURRENCY}, TARGET))

    assert {"Amount": "1.50", "Currency": "EUR"} == applied(
        result, '{"amount": 150, "currency": "EUR"}'
    )
