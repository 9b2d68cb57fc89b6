"""Lists of texts and numbers, null that is written on purpose, and the element that came first."""

import json
from pathlib import Path

import pytest

from gateway.kit import mapping
from gateway.kit.mapping.schemas import Schemas

SOURCE = """
type: object
required: [number, names, people]
properties:
  number: {type: string, maxLength: 10}
  note: {anyOf: [{type: string, maxLength: 20}, {type: "null"}], default: null}
  names: {type: array, minItems: 1, maxItems: 3, items: {type: string, minLength: 2, maxLength: 5}}
  people:
    type: array
    items:
      type: object
      required: [name]
      properties:
        name: {type: string, maxLength: 9}
        mail: {anyOf: [{type: string, maxLength: 30}, {type: "null"}], default: null}
        home:
          type: object
          required: [city]
          properties: {city: {type: string, maxLength: 9}}
"""
TARGET = """
type: object
properties:
  Tags: {type: array, items: {type: string, maxLength: 30}}
  Codes: {type: array, items: {enum: [a, b]}}
  Counts: {type: array, items: {type: integer}}
  Text: {anyOf: [{type: string, maxLength: 20}, {type: "null"}]}
  Firm: {type: string, maxLength: 20}
  Long: {type: string, minLength: 2, maxLength: 20}
  Lines: {type: array, items: {type: object, properties: {Sku: {type: string}}}}
"""
INPUT = {
    "number": "12",
    "names": ["ab", "cd"],
    "people": [{"name": "Ann", "mail": "a@x"}, {"name": "Bob", "home": {"city": "Bonn"}}],
}


@pytest.fixture
def schemas(tmp_path: Path) -> Schemas:
    """Both ends."""
    for name, text in (("source", SOURCE), ("target", TARGET)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return Schemas(folders=(tmp_path,))


def checked(fields: str, schemas: Schemas) -> mapping.Result:
    text = (
        "mapping: t\nversion: 1.0.0\nfrom: schema:source\nto: schema:target\n"
        "codes: {kinds: {12: a}}\n" + fields + "\nunused: [number, note, names, people]\n"
    )
    return mapping.check(mapping.parse(text, file="t.yaml"), schemas)


def made(fields: str, schemas: Schemas, **changes: object) -> object:
    result = checked(fields, schemas)
    assert result.mapping is not None, result.findings
    return result.mapping.apply_json(json.dumps(INPUT | changes))


def codes(fields: str, schemas: Schemas) -> list[str]:
    """What was found, but for what these small mappings leave unused."""
    found = [finding.code for finding in checked(fields, schemas).findings]
    return [code for code in found if code not in {"W11", "W29"}]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Tags: [{value: number}, {const: end}]", ["12", "end"]),
        ("Tags: [{const: end, when: has(note)}, {value: number}]", ["12"]),
        ("Tags: {each: people as p, value: p.name}", ["Ann", "Bob"]),
        ("Tags: {each: people as p, when: has(p.mail), value: p.mail}", ["a@x"]),
        ("Tags: [{const: all}, {each: people as p, value: p.name | upper}]", ["all", "ANN", "BOB"]),
        ("Tags: [{value: note | default(number)}]", ["12"]),
        ("Tags: names", ["ab", "cd"]),
        ("Codes: [{value: number | code(kinds), allow: [E30]}]", ["a"]),
        ("Counts: {each: people as p, value: position}", [1, 2]),
        ("Counts: [{value: count(people)}, {const: 7}]", [2, 7]),
    ],
)
def test_items_that_are_single_values(field: str, expected: list[object], schemas: Schemas) -> None:
    """A block with ``value:`` or ``const:`` makes one text or number, or one per element."""
    name = field.partition(":")[0]

    assert {name: expected} == made(f"fields:\n  {field}", schemas)


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("Tags: [{value: note}]", "E05"),
        ("Tags: [{value: missing}]", "E02"),
        ("Tags: [{const: 7}]", "E04"),
        ("Tags: [{value: number, const: a}]", "E16"),
        ("Tags: [{value: number, clear: true}]", "E16"),
        ("Tags: [{fields: {Sku: number}}]", "E14"),
        ("Tags: {each: number as n, value: n}", "E14"),
        ("Tags: {each: people as p, value: p}", "E04"),
        ("Codes: [{const: c}]", "E09"),
        ("Lines: [{value: number}]", "E16"),
    ],
)
def test_items_that_do_not_fit(field: str, code: str, schemas: Schemas) -> None:
    """An item is checked like a field, and is never null."""
    assert code in codes(f"fields:\n  {field}", schemas)
    assert checked(f"fields:\n  {field}", schemas).mapping is None


@pytest.mark.parametrize(
    ("field", "note", "expected"),
    [
        ("Text: {value: note, clear: true}", None, {"Text": None}),
        ("Text: {value: note, clear: true}", "x", {"Text": "x"}),
        ("Text: {value: note, when: has(people), clear: true}", None, {"Text": None}),
        ("Text: {value: note, when: not has(people), clear: true}", None, {}),
        ("Text: {value: note | upper, clear: true}", None, {"Text": None}),
        ("Text: {value: 'number if note == \"x\" else None', clear: true}", "y", {"Text": None}),
        ("Text: {value: 'number if note == \"x\" else None', clear: true}", "x", {"Text": "12"}),
        ("Text: note", None, {}),
    ],
)
def test_null_is_written_where_the_rule_says_so(
    field: str, note: str | None, expected: dict[str, object], schemas: Schemas
) -> None:
    """``clear: true`` empties the field in the system; without it null is left out."""
    assert expected == made(f"fields:\n  {field}", schemas, note=note)


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("Firm: {value: note, clear: true}", "E05"),
        ("Text: {value: number, clear: true}", "W26"),
        ("Text: {value: note, clear: 1}", "E16"),
    ],
)
def test_null_that_cannot_be_written(field: str, code: str, schemas: Schemas) -> None:
    """A field that takes no null is not emptied, and a value that is never null needs no mark."""
    assert [code] == codes(f"fields:\n  {field}", schemas)


def test_fields_of_the_first_element_are_read(schemas: Schemas) -> None:
    """A let that names an element knows its path: it is decoded, and stands in the lineage."""
    text = (
        "let:\n  one: first(p for p in people) | required\n"
        "  home: first(p.home for p in people if has(p.home))\n"
        "fields:\n  Text: one.name\n  Firm: home.city"
    )
    result = checked(text, schemas)

    assert {"Text": "Ann", "Firm": "Bonn"} == made(text, schemas)
    assert result.mapping is not None
    sources = {line.target: line.sources for line in result.mapping.lineage()}
    assert "people.name" in sources["/Text"]
    assert "people.home.city" in sources["/Firm"]


def test_joined_texts_are_as_long_as_their_parts(schemas: Schemas) -> None:
    """At least one name of two characters makes at least two."""
    assert [] == codes('fields:\n  Long: names | join("-")', schemas)
    assert ["W28"] == codes('fields:\n  Long: note | default("") | strip', schemas)
