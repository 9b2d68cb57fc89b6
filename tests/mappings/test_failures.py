"""A message that does not fit stops at its rule, and says where that is."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import Rejected
from gateway.kit import mapping
from tests.mappings import small

WEIGHT = {
    "type": "object",
    "properties": {
        "number": {"type": "string", "maxLength": 10},
        "weight": {"type": "string", "format": "decimal"},
    },
    "required": ["number", "weight"],
}
BASE = "fields:\n  Number: number\n"


def failure(text: str, folder: Path, value: dict[str, Any]) -> mapping.MappingFailure:
    """What a source raises."""
    result = small.check(text, small.schemas(folder), config={}, tenant="lynk-de")
    assert result.mapping is not None, [str(each) for each in result.findings]
    with pytest.raises(mapping.MappingFailure) as raised:
        result.mapping.apply_json(json.dumps({**small.VALUE, **value}))
    assert isinstance(raised.value, Rejected)
    return raised.value


def test_unknown_code(tmp_path: Path) -> None:
    """List, key, file, line, target path and tenant."""
    text = (
        "codes: {a: {x: y}, k: {'12': N}}\nlet: {z: kind | upper}\n" + BASE + "  Short: z\n"
        "  Text: {value: number | code(k), allow: [E30]}\n  Long: 'number | code(a, \"abc\")'\n"
    )
    raised = failure(text.replace("  Short: z\n", ""), tmp_path, {"number": "13"})

    assert ("small.yaml", 9, "/Text") == (raised.file, raised.line, raised.path)
    assert ("lynk-de", "13") == (raised.tenant, raised.detail)
    assert "code list k" in raised.message
    assert "13" not in raised.message


def test_required_value_is_missing(tmp_path: Path) -> None:
    """``required`` met null, inside a list."""
    text = BASE + "  Items:\n    each: lines as l\n    fields:\n      Sku: l.sku\n"
    text += "      Text: note | required | cut(40)\n"
    raised = failure(text.replace(" | cut(40)", ""), tmp_path, {"note": None})

    assert ("/Items[]/Text", 11) == (raised.path, raised.line)
    assert "requires" in raised.message


def test_upper_case_that_is_longer(tmp_path: Path) -> None:
    """ß becomes SS: what no longer fits is not cut."""
    raised = failure("fields: {Number: number | upper}\n", tmp_path, {"number": "ß" * 10})

    assert "/Number" == raised.path
    assert "20 characters" in raised.message


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"number": "1" * 11}, "$.number"),
        ({"number": None}, "$.number"),
        ({"kind": "old"}, "$.kind"),
        ({"lines": [{"sku": "a", "quantity": 100}]}, "$.lines[0].quantity"),
        ({"total": {"amount": "1E+30", "currency": "EUR"}}, "$.total.amount"),
        ({"total": {"amount": "NaN", "currency": "EUR"}}, "$.total.amount"),
        ({"placed": "2026-03-29T00:30:00"}, "$.placed"),
    ],
    ids=str,
)
def test_source_is_not_of_its_schema(value: Any, path: str, tmp_path: Path) -> None:
    """What the checker relied on is checked while decoding."""
    text = BASE + (
        "  Text: kind\n  Moment: placed\n  Amount: total.amount\n  Currency: total.currency\n"
        "  Items: {each: lines as l, fields: {No: l.quantity}}\n"
    )

    assert path == failure(text, tmp_path, value).path


def test_day_that_is_none(tmp_path: Path) -> None:
    """A date is parsed where it is written."""
    raised = failure(BASE + "  Day: on\n", tmp_path, {"on": "2026-02-30"})

    assert ("/Day", 7) == (raised.path, raised.line)


def test_list_longer_than_the_checker_assumed(tmp_path: Path) -> None:
    """Positions rely on lists of at most 9,999 elements."""
    text = BASE + "  Items: {each: lines as l, fields: {No: position}}\n"
    line = small.VALUE["lines"][1]

    assert "9999" in failure(text, tmp_path, {"lines": [line] * 10_000}).message


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1E+999999999", "1E-999999999"])
def test_decimal_that_no_ledger_knows(number: str, tmp_path: Path) -> None:
    """Objects of the model are not decoded here, so numbers are looked at when written."""
    result = small.check(BASE + "  Text: weight | amount\n  Amount: weight\n",
                         small.schemas(tmp_path, Source=WEIGHT))  # fmt: skip
    assert result.mapping is not None
    source = type("Source", (), {"number": "1", "weight": Decimal(number)})()

    with pytest.raises(mapping.MappingFailure):
        result.mapping.apply(source)


def test_overlay_is_named(tmp_path: Path) -> None:
    """A rule of the tenant fails in the tenant's file."""
    base = mapping.parse(small.HEAD + BASE, file="base.yaml")
    overlay = mapping.parse(
        "extends: small.test@1\nfields:\n  Text: note | required\n", file="tenant.yaml"
    )
    mapped = mapping.load(base, small.schemas(tmp_path), overlays=[overlay])
    with pytest.raises(mapping.MappingFailure) as raised:
        mapped.apply_json(json.dumps(small.VALUE))

    assert ("tenant.yaml", 3, "/Text") == (raised.value.file, raised.value.line, raised.value.path)
