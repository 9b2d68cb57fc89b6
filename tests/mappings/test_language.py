"""What each part of the language does, on the smallest example."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.kit import mapping
from tests.mappings import small

BASE = "fields:\n  Number: number\n"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("Text: {const: a}", {"Text": "a"}),
        ("Whole: {const: 7}", {"Whole": 7}),
        ("Flag: {const: true}", {"Flag": True}),
        ("Flag: true", {"Flag": True}),
        ("Text: note", {}),
        ("Text: {value: number, when: has(note)}", {}),
        ("Text: {value: number, when: not has(note)}", {"Text": "12"}),
        ("Text: note | default(number)", {"Text": "12"}),
        ("Text: owner.alias | default(number) | upper", {"Text": "12"}),
        ("Text: number | nonempty | zfill(5) | unzfill", {"Text": "12"}),
        ("Text: 'f\"{kind}-{count(lines)}\"'", {"Text": "new-3"}),
        ('Text: tags | join(", ")', {"Text": "a, b"}),
        ('Day: placed | date("Europe/Berlin")', {"Day": "2026-03-29"}),
        ('Day: placed | date("America/New_York")', {"Day": "2026-03-28"}),
        ("Moment: placed | utc", {"Moment": "2026-03-28T23:30:00Z"}),
        ("Text: placed | utc", {"Text": "2026-03-28T23:30:00Z"}),
        ("Whole: {value: count(lines), allow: [E06]}", {"Whole": 3}),
        ("Whole: {value: sum(lines.quantity), allow: [E06]}", {"Whole": 10}),
        ("Text: first(l.sku for l in lines if l.quantity > 2)", {"Text": "b"}),
        ("Twenty: first(l.weight for l in lines) | amount", {}),
        ("Text: 'f\"{note if has(note) else kind}\"'", {"Text": "new"}),
        ("Text: 'f\"{kind if not has(note) else note}\"'", {"Text": "new"}),
        ("Flag: any(l.quantity == 5 for l in lines)", {"Flag": True}),
        ("Text: 'kind if express | default(False) else number'", {"Text": "12"}),
        ('Flag: kind in ("new", "used")', {"Flag": True}),
        ("Text: 'dec(\"1.50\") * 2 | amount'", {"Text": "3.00"}),
        ("Text: 'dec(\"1.255\") | round(2) | amount'", {"Text": "1.26"}),
        ("Owner: {when: has(owner), fields: {Name: owner.name}}", {}),
        ("Items: {when: has(note), fields: {Sku: number}}", {}),
        ("Items: {each: others as o, fields: {Sku: o.sku}}", {"Items": []}),
    ],
)  # fmt: skip
def test_rule(rule: str, expected: dict[str, Any], tmp_path: Path) -> None:
    """The field is written, or left out where the value is null."""
    value = {"tags": ["a", "b"]}
    target = small.target(f"{BASE}  {rule}\n", small.schemas(tmp_path), value)

    assert {"Number": "12", **expected} == target


def test_money_with_its_currency(tmp_path: Path) -> None:
    """The amount of a money is a decimal, its units by the currency are whole."""
    text = BASE + "  Amount: total.amount\n  Currency: total.currency\n"

    expected = {"Number": "12", "Amount": "12.50", "Currency": "EUR"}
    assert expected == small.target(text, small.schemas(tmp_path))


def test_blocks_are_joined_and_numbered(tmp_path: Path) -> None:
    """Positions run over all blocks of a list, and on into the list behind ``after``."""
    text = BASE + (
        "  Items:\n"
        "    - fields: {Sku: number, No: position}\n"
        "    - {each: lines as l, when: l.quantity > 2, fields: {Sku: l.sku, No: position}}\n"
        "  More: {after: Items, each: lines as l, fields: {Sku: l.sku, No: position}}\n"
    )
    target = small.target(text, small.schemas(tmp_path))

    assert [("12", 1), ("b", 2), ("a", 3)] == [(i["Sku"], i["No"]) for i in target["Items"]]
    assert [("a", 4), ("b", 5), ("a", 6)] == [(i["Sku"], i["No"]) for i in target["More"]]


def test_groups_keep_their_order(tmp_path: Path) -> None:
    """One item per key, as they first occur; sums and counts are of the group."""
    text = BASE + (
        "  Items:\n    group: lines by sku as g\n    when: sum(g.quantity) > 2\n    fields:\n"
        "      Sku: g.sku\n      No: sum(g.quantity)\n"
        "      Text: 'f\"{count(g)} x {sum(l.quantity * 2 for l in g)}\"'\n"
    )
    target = small.target(text, small.schemas(tmp_path))

    expected = [{"Sku": "a", "No": 7, "Text": "2 x 14"}, {"Sku": "b", "No": 3, "Text": "1 x 6"}]
    assert expected == target["Items"]


def test_lists_in_lists(tmp_path: Path) -> None:
    """An inner list hangs on the element of the outer one; none is an empty one."""
    text = BASE + (
        "  Items: {each: lines as l, fields: {Parts: {each: l.tags as t, fields: {Tag: t}}}}\n"
    )
    target = small.target(text, small.schemas(tmp_path))

    assert [[{"Tag": "x"}], [], []] == [item["Parts"] for item in target["Items"]]


@pytest.mark.parametrize(
    ("country", "code", "expected"),
    [("DE", "vat", "D"), ("FR", "vat", "V"), ("DE", "national", "N")],
)
def test_list_of_two_keys(country: str, code: str, expected: str, tmp_path: Path) -> None:
    """The pair, or the second key for any first."""
    text = (
        "codes: {tax: {DE.vat: D, '*.vat': V, '*.national': N}}\n"
        'let: {c: code | default("vat")}\n' + BASE + "  Text: 'f\"{country}.{c}\" | code(tax)'\n"
    )
    target = small.target(text, small.schemas(tmp_path), {"country": country, "code": code})

    assert expected == target["Text"]


def test_list_of_two_keys_has_to_cover(tmp_path: Path) -> None:
    """Without a rule for any country the list is not total."""
    text = (
        "codes: {tax: {DE.vat: D, '*.national': N}}\n"
        'let: {c: code | default("vat")}\n' + BASE + "  Text: 'f\"{country}.{c}\" | code(tax)'\n"
    )

    assert [("E08", "/Text")] == small.found(small.check(text, small.schemas(tmp_path)))


def test_long_list_of_a_file(tmp_path: Path) -> None:
    """``@name`` is a list that the loader brings."""
    text = "codes: {k: '@kinds'}\n" + BASE + "  Text: kind | code(k)\n"
    lists = {"kinds": {"new": "N", "used": "U"}}

    assert "N" == small.target(text, small.schemas(tmp_path), lists=lists)["Text"]


def test_look_ups_come_with_the_source(tmp_path: Path) -> None:
    """``needs`` are typed like the source and given beside it."""
    text = "needs: {other: schema:Source}\n" + BASE + "  Text: needs.other.number\n"
    result = small.check(text, small.schemas(tmp_path))
    assert result.mapping is not None
    other = type("Other", (), {"number": "99"})

    target = result.mapping.apply_json(json.dumps(small.VALUE), {"other": other})
    assert "99" == target["Text"]


def test_tenants_share_the_code(tmp_path: Path) -> None:
    """One function is compiled; each tenant has its own constants and identity."""
    text = "config: {prefix: str(5)}\nfields: {Number: cfg.prefix}\n"
    document = mapping.parse(small.HEAD + text, file="small.yaml")
    known = small.schemas(tmp_path)
    one, two = (mapping.load(document, known, config={"prefix": each}) for each in ("A", "B"))
    source = type("Source", (), {})()

    assert [{"Number": "A"}, {"Number": "B"}] == [one.apply(source), two.apply(source)]
    assert one.apply.__code__ is two.apply.__code__
    assert one.identity != two.identity


def test_lineage_names_source_rule_and_line(tmp_path: Path) -> None:
    """Through a let to the fields of the source."""
    text = "let: {shown: note | default(kind)}\n" + BASE + "  Text: shown | upper\n"
    result = small.check(text, small.schemas(tmp_path))
    assert result.mapping is not None
    [_, lineage] = result.mapping.lineage()

    assert ("/Text", ("kind", "note")) == (lineage.target, lineage.sources)
    assert ("shown | upper", "1.0.0", 8) == (lineage.rule, lineage.version, lineage.line)


def test_objects_of_the_model(tmp_path: Path) -> None:
    """Dates are dates there, and written as their field wants them."""
    result = small.check(BASE + "  Day: on\n", small.schemas(tmp_path))
    assert result.mapping is not None
    source = type("Source", (), {"number": "1", "on": dt.date(2024, 2, 29)})()

    assert {"Number": "1", "Day": "2024-02-29"} == result.mapping.apply(source)
