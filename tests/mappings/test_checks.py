"""Each check has a smallest mapping that it refuses, and a place where it says so."""

from pathlib import Path
from typing import Any

import pytest

from gateway.kit import mapping
from tests.mappings import small

BASE = "fields:\n  Number: number\n"
CASES = [
    ("E01", "/Nmber", "fields: {Number: number, Nmber: number}"),
    ("E02", "/Text", BASE + "  Text: nubmer"),
    ("E02", "/Text", BASE + "  Text: owner.nam"),
    ("E02", "/Text", BASE + "  Text: cfg.missing"),
    ("E02", "/Text", BASE + "  Text: needs.missing.x"),
    ("E02", "/Text", BASE + "  Text: position | text"),
    ("E02", "codes/a", "codes: {a: '@missing'}\n" + BASE),
    ("E03", "/Number", "fields: {Text: number}"),
    ("E04", "/Text", BASE + "  Text: on"),
    ("E04", "/Text", BASE + "  Text: '1 if kind == \"new\" else number'"),
    ("E04", "/Flag", BASE + "  Flag: number"),
    ("E04", "/Text", BASE + '  Text: "number + 1 | text"'),
    ("E05", "/Number", "fields: {Number: code}"),
    ("E05", "/Text", BASE + "  Text: 'f\"{note}\"'"),
    ("E05", "/Items[]", BASE + "  Items: [{when: express, fields: {Sku: number}}]"),
    ("E06", "/Short", BASE + "  Short: number"),
    ("E06", "/Whole", BASE + "  Whole: sum(l.quantity for l in lines)"),
    (
        "E06",
        "/Twenty",
        BASE + "  Twenty: sum(l.weight | default(dec('0')) for l in lines) | amount",
    ),
    ("E07", "/Day", BASE + "  Day: placed"),
    ("E07", "/Amount", BASE + "  Amount: ratio"),
    ("E08", "/Kind", "codes: {k: {new: N}}\n" + BASE + "  Kind: kind | code(k)"),
    ("E09", "/Kind", "codes: {k: {new: N, used: X}}\n" + BASE + "  Kind: kind | code(k)"),
    ("E09", "/Text", "codes: {k: {new: 1, used: '2'}}\n" + BASE + "  Text: kind | code(k)"),
    ("E12", "fields/Number", "fields:\n  Number: number\n  Number: kind"),
    ("E13", "/Stamp", BASE + "  Stamp: number"),
    ("E14", "/Text", BASE + "  Text: lines"),
    ("E14", "/Items[]", BASE + "  Items: {each: owner as o, fields: {Sku: number}}"),
    ("E14", "/Owner", BASE + "  Owner: [{fields: {Name: number}}]"),
    ("E15", "/Text", BASE + "  Text: number | uper"),
    ("E15", "/Text", BASE + "  Text: number | cut"),
    ("E15", "/Text", BASE + "  Text: number | cut(-1)"),
    ("E15", "/Day", BASE + "  Day: placed | date('Berlin')"),
    ("E16", "/Text", BASE + "  Text: number | upper |"),
    ("E16", "/Text", BASE + "  Text: number[0]"),
    ("E16", "/Text", BASE + "  Text: {const: null}"),
    ("E16", "/Text", BASE + "  Text: 'None'"),
    ("E16", "let/number", "let: {number: kind}\n" + BASE),
    ("E16", "felds", "felds: {}\n" + BASE),
    ("E17", "/Short", BASE + "  Short: '\"ABCD\"'"),
    ("E17", "/Short", "let: {a: '\"ABCD\"'}\n" + BASE + "  Short: a"),
    ("E19", "/Items[]", BASE + "  Items: [{when: number, fields: {Sku: number}}]"),
    ("E20", "/Country", BASE + "  Country: '\"de\"'"),
    (
        "E21",
        "/Items[]/No",
        BASE + "  Items: {each: lines as l, fields: {No: sum(o.quantity for o in others)}}",
    ),
    ("E24", "/Text", "reversible: true\n" + BASE + "  Text: note | cut(5)"),
    ("E25", "config/c", "config: {c: str(3)}\nfields: {Number: cfg.c}"),
    ("E27", "/Flag", BASE + '  Flag: kind == "nwe"'),
    ("E27", "/Flag", BASE + '  Flag: kind in ("new", "usd")'),
    ("E30", "/Text", "codes: {k: {a: b}}\n" + BASE + "  Text: number | code(k)"),
    ("E31", "/Amount", BASE + "  Amount: total.amount + fee.amount\n  Currency: total.currency"),
    ("E31", "/Amount", BASE + "  Amount: total.amount"),
    ("E31", "/Amount", BASE + "  Amount: sum(l.price.amount for l in lines)"),
    ("W10", "/Kind", "codes: {k: {new: N, used: U, old: N}}\n" + BASE + "  Kind: kind | code(k)"),
    ("W11", "let/a", "let: {a: number}\n" + BASE),
    ("W11", "codes/k", "codes: {k: {a: b}}\n" + BASE),
    ("W26", "/Text", BASE + "  Text: number | cut(10)"),
    ("W26", "/Text", BASE + "  Text: number | part(5, 1)"),
    ("W26", "/Text", BASE + "  Text: number | default(kind)"),
    ("W26", "/Text", BASE + "  Text: number | required"),
    ("W26", "/Flag", BASE + "  Flag: has(number)"),
    ("W28", "/Long", BASE + "  Long: number"),
    ("W29", "/Text", BASE + "  Text: {value: number, allow: [E06]}"),
    ("W29", "unused/nothing", BASE + "unused: [nothing]"),
]


@pytest.mark.parametrize(("code", "place", "text"), CASES, ids=lambda part: part[:40])
def test_smallest_mistake(code: str, place: str, text: str, tmp_path: Path) -> None:
    """One finding, with this code, at this place."""
    config: dict[str, Any] = {}
    result = small.check(text, small.schemas(tmp_path), config=config)

    assert [(code, place)] == small.found(result)


def test_source_that_nothing_reads(tmp_path: Path) -> None:
    """W22 names the uppermost field of each branch."""
    result = small.check(BASE + "  Owner: {when: has(owner), fields: {Name: owner.name}}",
                         small.schemas(tmp_path))  # fmt: skip
    places = [finding.place for finding in result.findings if finding.code == "W22"]

    assert "owner.alias" in places
    assert "lines" in places
    assert not any(place.startswith("lines.") for place in places)


def test_consequences_are_hidden(tmp_path: Path) -> None:
    """While a let is wrong, neither its readers nor what it would have read are reported."""
    text = "let: {a: nubmer | upper}\n" + BASE + "  Text: a"

    assert [("E02", "let/a")] == small.found(small.check(text, small.schemas(tmp_path)))


def test_cost_of_nested_lists(tmp_path: Path) -> None:
    """E23: lists without a limit count as 1,000, so three in each other are too many."""
    part = {
        "type": "object",
        "properties": {"tags": {"type": "array", "items": {"type": "string"}}},
    }
    parts = {"type": "array", "items": part}
    line = {**small.LINE, "properties": {**small.LINE["properties"], "parts": parts}}
    lines = {"type": "array", "items": line}
    source = {**small.SOURCE, "properties": {**small.SOURCE["properties"], "lines": lines}}
    text = (
        "fields:\n  Number: number\n  Items:\n    each: lines as l\n    fields:\n"
        "      Parts: {each: l.parts as p, fields: {Tag: first(t for t in p.tags) | cut(5)}}\n"
    )

    assert [("E23", "fields")] == small.found(
        small.check(text, small.schemas(tmp_path, Source=source))
    )


def test_drift_names_the_newer_schema(tmp_path: Path) -> None:
    """E32: a field that the next release shortens."""
    text = small.HEAD + BASE + "  Currency: total.currency"
    shorter = {"type": "string", "maxLength": 2}
    newer = {**small.TARGET, "properties": {**small.TARGET["properties"], "Currency": shorter}}
    document = mapping.parse(text, file="small.yaml")
    known, then = small.schemas(tmp_path), small.schemas(tmp_path, Target=newer)
    [finding] = mapping.drift(document, known, then)

    assert ("E32", "/Currency") == (finding.code, finding.place)
    assert "E06" in finding.message


def test_message_says_what_to_do(tmp_path: Path) -> None:
    """A typo gets its correction, a length its converter."""
    messages = [
        finding.message
        for text in ("  Txt: number", "  Short: number")
        for finding in small.check(BASE + text, small.schemas(tmp_path)).findings
        if finding.code.startswith("E")
    ]

    assert "did you mean Text?" in messages[0]
    assert "cut(3)" in messages[1]


def test_refusal_carries_the_findings(tmp_path: Path) -> None:
    """Loading raises with all of them."""
    document = mapping.parse(small.HEAD + "fields: {Text: nubmer}", file="small.yaml")
    with pytest.raises(mapping.Refused) as refused:
        mapping.load(document, small.schemas(tmp_path))

    assert {"E02", "E03"} == {finding.code for finding in refused.value.findings}
    assert "small.yaml:5: E02 /Text" in refused.value.message
