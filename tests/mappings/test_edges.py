"""Edges of what a target takes: counts, ranges, patterns, and words of a file that mean nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.kit import mapping
from tests.mappings.ends import applied, check, ends, errors

TEXT = {"type": "string", "maxLength": 9}
DECIMAL = {"type": "number", "format": "decimal", "x-precision": 9, "x-scale": 2}
WIDE = {**DECIMAL, "x-precision": 12}
ITEM = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9999, "minimum": 0}}}


def many(item: dict[str, Any] = TEXT, **limits: int) -> dict[str, Any]:
    return {"type": "array", "items": item, **limits}


def codes(result: mapping.Result) -> list[str]:
    return [finding.code for finding in result.findings]


@pytest.mark.parametrize(
    ("overlay", "expected"),
    [
        ("[{id: Tax, fields: {n: b}}]", ["E18"]),  # a misspelt id is no new block
        ("[{id: fee, fields: {n: b}}]", []),
        ("[{id: tax1, fields: {n: b}}]", []),  # the next of a series
        ("[{id: tax, fields: {n: b}}, {id: tax, fields: {n: a}}]", ["E18"]),
    ],
)
@pytest.mark.parametrize("lone", [False, True])
def test_ids_of_overlays(*, lone: bool, overlay: str, expected: list[str], tmp_path: Path) -> None:
    """Blocks are found by id, also a lone one; what only looks like one is refused."""
    known = ends(
        tmp_path, {"a": ITEM["properties"]["n"], "b": ITEM["properties"]["n"]}, {"L": many(ITEM)}
    )
    block = "{id: tax, fields: {n: a}}"
    base = f"fields: {{L: {block if lone else f'[{block}]'}}}\nunused: [a, b]"

    assert expected == errors(check(base, known, f"fields: {{L: {overlay}}}"))


def test_a_lone_block_is_merged(tmp_path: Path) -> None:
    """The other fields of a block that an overlay names by its id stay."""
    item = {"type": "object", "properties": {"n": TEXT, "k": TEXT}}
    known = ends(tmp_path, {"a": TEXT, "b": TEXT}, {"L": many(item)})
    base = "fields: {L: {id: x, fields: {n: a, k: a}}}"

    result = check(base, known, "fields: {L: [{id: x, fields: {k: b}}]}")

    assert {"L": [{"n": "1", "k": "2"}]} == applied(result, '{"a": "1", "b": "2"}')


@pytest.mark.parametrize(
    "section",
    [
        "needs: text", "unused: a", "unused: {a: b}", "unused: [[a]]", "reversible: yes",
        "reversible: null", "needs: [a]", "let: [a]", "config: a",
    ],
)  # fmt: skip
def test_sections_of_another_kind(section: str, tmp_path: Path) -> None:
    """E16: nothing that was written is ignored."""
    known = ends(tmp_path, {"a": TEXT}, {"R": TEXT})

    assert ["E16"] == errors(check(f"fields: {{R: a}}\n{section}", known))


def test_allow_of_another_kind(tmp_path: Path) -> None:
    """E16: a map accepts nothing."""
    known = ends(tmp_path, {"a": TEXT}, {"R": TEXT})

    assert ["E16"] == errors(check("fields: {R: {value: a, allow: {E06: yes}}}", known))


@pytest.mark.parametrize(
    ("source", "target", "rule", "expected"),
    [
        ({}, {"maxItems": 2}, "{each: l as x, fields: {n: x.n}}", ["E06"]),
        ({"maxItems": 2}, {"maxItems": 2}, "{each: l as x, fields: {n: x.n}}", []),
        ({"maxItems": 2}, {"maxItems": 2}, "[{fields: {n: '1'}}, {each: l as x, fields: {n: x.n}}]",
         ["E06"]),
        ({}, {"minItems": 1}, "{each: l as x, fields: {n: x.n}}", ["W28"]),
        ({"minItems": 1}, {"minItems": 1}, "{each: l as x, fields: {n: x.n}}", []),
        ({"minItems": 1}, {"minItems": 1}, "{group: l by n as x, fields: {n: x.n}}", []),
        ({"minItems": 1}, {"minItems": 1}, "{each: l as x, when: x.n > 1, fields: {n: x.n}}",
         ["W28"]),
        ({}, {"minItems": 1, "maxItems": 1}, "{fields: {n: '1'}}", []),
        ({}, {"maxItems": 2}, "{each: l as x, allow: [E06], fields: {n: x.n}}", []),
    ],
)  # fmt: skip
def test_items_of_a_target(
    source: dict[str, int], target: dict[str, int], rule: str, expected: list[str], tmp_path: Path
) -> None:
    """E06 where there may be more than the target takes, W28 where there may be fewer."""
    item = {**ITEM, "required": ["n"]}
    known = ends(tmp_path, {"l": many(item, **source)}, {"L": many(ITEM, **target)})

    assert expected == [
        code for code in codes(check(f"fields: {{L: {rule}}}", known)) if code != "W22"
    ]


def test_fewer_elements_than_a_target_needs(tmp_path: Path) -> None:
    """Also of a list that is passed on."""
    known = ends(tmp_path, {"l": many()}, {"L": many(minItems=1)})

    assert ["W28"] == codes(check("fields: {L: l}", known))


@pytest.mark.parametrize("after", [False, True])
def test_positions_stay_in_their_range(*, after: bool, tmp_path: Path) -> None:
    """A position has up to four digits, wherever the counting began."""
    known = ends(
        tmp_path, {"l": many({"type": "object"}), "m": many({"type": "object"})},
        {"L": many(ITEM), "M": many(ITEM)},
    )  # fmt: skip
    one = "{each: l as x, fields: {n: position}}"
    two = f"{{each: m as x, {'after: L, ' if after else ''}fields: {{n: position}}}}"
    result = check(
        f"fields: {{L: {one}, M: {two}}}" if after else f"fields: {{L: [{one}, {two}]}}", known
    )
    full = ", ".join(["{}"] * 6_000)

    assert 1 == applied(result, '{"l": [{}], "m": []}')["L"][0]["n"]
    with pytest.raises(mapping.MappingFailure, match="12000 elements"):
        applied(result, f'{{"l": [{full}], "m": [{full}]}}')


@pytest.mark.parametrize(
    ("source", "target", "value", "expected"),
    [
        (DECIMAL, {**DECIMAL, "minimum": 0}, "a", ["E06"]),
        (DECIMAL, {**DECIMAL, "maximum": 10}, "a", ["E06"]),
        ({**DECIMAL, "minimum": 0}, {**DECIMAL, "minimum": 0}, "a", []),
        ({**DECIMAL, "minimum": 0}, {**WIDE, "minimum": 0}, "a | round(1)", []),
        ({**DECIMAL, "minimum": 0}, {**DECIMAL, "minimum": 0}, "a | default(0)", ["W26"]),
        ({**DECIMAL, "minimum": 0}, {**WIDE, "minimum": 0}, "a + a", []),
        ({**DECIMAL, "minimum": 0}, {**WIDE, "minimum": 0}, "a - a", ["E06"]),
        ({**DECIMAL, "minimum": 0, "maximum": 9}, {**DECIMAL, "maximum": 10}, "a", []),
        (DECIMAL, {**DECIMAL, "minimum": -10000000, "maximum": 10000000}, "a", []),
        (DECIMAL, {**DECIMAL, "minimum": 1}, 'dec("0.50")', ["E06", "W22"]),
        (DECIMAL, {**DECIMAL, "minimum": 1}, 'dec("1.50")', ["W22"]),
        ({"type": "integer", "minimum": 0, "maximum": 9}, {**DECIMAL, "minimum": 0}, "a", []),
        ({"type": "integer", "minimum": -1, "maximum": 9}, {**DECIMAL, "minimum": 0}, "a", ["E06"]),
    ],
)  # fmt: skip
def test_ranges_of_decimals(
    source: dict[str, Any], target: dict[str, Any], value: str, expected: list[str], tmp_path: Path
) -> None:
    """E06 where a decimal may be less or more than the target takes."""
    known = ends(tmp_path, {"a": source}, {"R": target})
    found = codes(check(f"fields: {{R: '{value}'}}", known))

    assert expected == [code for code in found if "E06" not in expected or code != "W22"] or (
        "E06" in expected and found == ["E06"]
    )


@pytest.mark.parametrize(("body", "fits"), [("0.5", True), ("-0.5", False), ("9.5", False)])
def test_ranges_of_decimals_are_held(*, body: str, fits: bool, tmp_path: Path) -> None:
    """What the checker relied on is looked at when a value is read."""
    known = ends(tmp_path, {"a": {**DECIMAL, "minimum": 0, "maximum": 9}}, {"R": DECIMAL})
    result = check("fields: {R: a}", known)

    if fits:
        assert "0.5" == str(applied(result, f'{{"a": {body}}}')["R"])
    else:
        with pytest.raises(mapping.MappingFailure):
            applied(result, f'{{"a": {body}}}')


@pytest.mark.parametrize(
    ("target", "value", "expected"),
    [
        ({"type": "integer", "enum": [1, 5]}, "i", ["E09"]),
        ({"type": "integer", "enum": [1, 5]}, "5", []),
        ({"type": "integer", "enum": [1, 5]}, "3", ["E09"]),
        ({"type": "integer", "enum": [1, 5]}, "5 if i > 1 else 1", []),
        ({"type": "integer", "multipleOf": 10, "minimum": 0, "maximum": 99}, "i", ["E09"]),
        ({"type": "integer", "multipleOf": 10, "minimum": 0, "maximum": 99}, "30", []),
        ({"type": "boolean", "const": True}, "i > 1", ["E09"]),
        ({"type": "boolean", "const": True}, "True", []),
    ],
)
def test_numbers_that_a_target_names(
    target: dict[str, Any], value: str, expected: list[str], tmp_path: Path
) -> None:
    """E09 for another number of an enumeration, another step, another constant."""
    integer = {"type": "integer", "minimum": 1, "maximum": 5}
    known = ends(tmp_path, {"i": integer}, {"R": target})

    assert expected == errors(check(f"fields: {{R: '{value}'}}\nunused: [i]", known))


def test_what_an_answer_always_has(tmp_path: Path) -> None:
    """Required and read-only: left out of what is sent, there in what is read."""
    known = ends(tmp_path, {"a": {**TEXT, "readOnly": True}}, {"R": TEXT})
    result = check("fields: {R: a}", known)

    assert {"R": "x"} == applied(result, '{"a": "x"}')
    with pytest.raises(mapping.MappingFailure):
        applied(result, "{}")


MOMENT = {"type": "string", "format": "date-time"}
SECONDS = {"type": "integer", "format": "unix-time"}


def test_seconds_have_no_fraction(tmp_path: Path) -> None:
    """E07 unless it is written that the fraction goes, and then there is no way back."""
    known = ends(tmp_path, {"m": MOMENT}, {"R": SECONDS, "I": {"type": "integer"}})

    assert ["E07"] == errors(check("fields: {R: m}", known))
    assert [] == errors(check("fields: {R: m | unix | epoch}", known))
    assert ["E24"] == errors(check("fields: {R: m | unix | epoch}\nreversible: true", known))
    result = check("fields: {R: m | unix | epoch}", known)
    assert {"R": -1} == applied(result, '{"m": "1969-12-31T23:59:59.5Z"}')


@pytest.mark.parametrize(
    ("value", "expected"), [('"12"', ["E09"]), ('"AB"', []), ("k | code(c)", ["E09"])]
)
def test_constants_match_the_pattern(value: str, expected: list[str], tmp_path: Path) -> None:
    """E09 for a text of the mapping that the pattern of the target does not take."""
    known = ends(tmp_path, {"k": {"enum": ["a", "b"]}}, {"R": {**TEXT, "pattern": "^[A-Z]{2}$"}})
    text = f"fields: {{R: '{value}'}}\ncodes: {{c: {{a: XX, b: '1'}}}}\nunused: [k]"

    assert expected == errors(check(text, known))


def test_braces_are_no_end_of_a_text(tmp_path: Path) -> None:
    """Two braces in a template are a brace, not the beginning of code."""
    known = ends(tmp_path, {"a": TEXT, "b": TEXT}, {"R": {"type": "string"}})

    assert ["E16"] == errors(check("""fields: {R: 'b if f"{{" == ａ else ""'}""", known))
    assert ["E16"] == errors(check("""fields: {R: 'b if f"{{" == a else "" # x'}""", known))
    result = check("""fields: {R: 'f"{{ü}} {a}"'}\nunused: [b]""", known)
    assert {"R": "{ü} x"} == applied(result, '{"a": "x", "b": ""}')


def test_numbers_of_any_type_keep_their_digits(tmp_path: Path) -> None:
    """A number without schema is not read as binary floating point."""
    known = ends(tmp_path, {"a": {}}, {"R": {}})
    result = check("fields: {R: a}", known)

    assert '{"R":{"x":1.10}}' == mapping.encode(applied(result, '{"a": {"x": 1.10}}')).decode()


def test_integers_that_floating_point_does_not_know(tmp_path: Path) -> None:
    """E07: 9007199254740993 is 9007199254740992 as a double."""
    known = ends(
        tmp_path,
        {"i": {"type": "integer"}, "s": {"type": "integer", "minimum": 0, "maximum": 9}},
        {"R": {"type": "number"}},
    )

    assert ["E07"] == errors(check("fields: {R: i}\nunused: [s]", known))
    assert [] == errors(check("fields: {R: s}\nunused: [i]", known))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "default": "x"},
        {"type": "string", "maxLength": 2, "default": "long"},
        {"type": "string", "format": "decimal", "default": "abc"},
        {"enum": ["a"], "default": "b"},
        {"type": "boolean", "default": 1},
        {"type": "integer", "maximum": 3, "default": 4},
    ],
)
def test_defaults_of_another_type(schema: dict[str, Any], tmp_path: Path) -> None:
    """A default that its own schema does not take is none."""
    known = ends(tmp_path, {"b": TEXT}, {"R": {}})
    whole = json.loads((tmp_path / "Source.schema.json").read_text())
    whole["properties"]["a"] = schema
    (tmp_path / "Source.schema.json").write_text(json.dumps(whole))
    result = check("fields: {R: a}\nunused: [b]", known)

    assert {} == applied(result, '{"b": ""}')


def test_failures_do_not_say_the_value(tmp_path: Path) -> None:
    """A failure is logged; the value may be of a person."""
    known = ends(
        tmp_path,
        {"a": {"enum": ["x"]}, "d": {"type": "string", "format": "date"}},
        {"R": {"type": "string", "format": "odata-date"}, "A": TEXT},
    )
    result = check("fields: {R: d, A: a}", known)

    for body in (
        '{"a": "Miller", "d": "2026-01-01"}',
        '{"a": "x", "d": "Miller"}',
        '{"a": "x", "d": "Miller\'s"}',
        '{"a": "Miller\'s", "d": "2026-01-01"}',
    ):
        with pytest.raises(mapping.MappingFailure) as caught:
            applied(result, body)
        assert "Miller" not in f"{caught.value.message} {caught.value.detail}"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("{A: a, B: a}", ["E12"]),
        ("{A: a, C: a}", []),
        ("{A: a, B: {value: a, when: a == 'x'}}", []),
        ("{B: a, N: {fields: {X: a}}, C: a}", ["E12"]),
        ("{B: a, Z: a, C: a}", []),
    ],
)
def test_alternatives(fields: str, expected: list[str], tmp_path: Path) -> None:
    """E12 where two branches of a choice are always written."""
    (tmp_path / "y.xsd").write_text("""
      <xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
        <xs:element name="R"><xs:complexType><xs:sequence>
          <xs:choice>
            <xs:sequence><xs:element name="A" type="xs:string"/></xs:sequence>
            <xs:element name="B" type="xs:string"/>
            <xs:element name="N"><xs:complexType><xs:sequence>
              <xs:element name="X" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
          </xs:choice>
          <xs:choice maxOccurs="2">
            <xs:element name="Y" type="xs:string"/><xs:element name="Z" type="xs:string"/>
          </xs:choice>
          <xs:element name="C" type="xs:string"/>
        </xs:sequence></xs:complexType></xs:element>
      </xs:schema>""".strip())  # fmt: skip
    known = ends(tmp_path, {"a": TEXT}, {})
    text = "mapping: a\nversion: 1.0.0\nfrom: schema:Source\nto: xsd:y#R\n"
    found = mapping.check(mapping.parse(f"{text}fields: {fields}", file="a"), known)

    assert expected == [code for code in errors(found) if code not in {"E03", "E14"}]


def test_bytes_in_two_notations(tmp_path: Path) -> None:
    """E04: base64 is no hexadecimal."""
    (tmp_path / "y.xsd").write_text("""
      <xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
        <xs:element name="R"><xs:complexType><xs:sequence>
          <xs:element name="H" type="xs:hexBinary"/><xs:element name="B" type="xs:base64Binary"/>
        </xs:sequence></xs:complexType></xs:element>
      </xs:schema>""".strip())  # fmt: skip
    known = ends(tmp_path, {"a": {"type": "string", "format": "byte"}}, {})
    text = "mapping: a\nversion: 1.0.0\nfrom: schema:Source\nto: xsd:y#R\n"
    found = mapping.check(mapping.parse(f"{text}fields: {{H: a, B: a}}", file="a"), known)

    assert [("E04", "/H")] == [(each.code, each.place) for each in found.findings]


@pytest.mark.parametrize("zone", ["localtime", "Factory", "posixrules", "No/Such", "../etc"])
def test_zones_of_the_host(zone: str, tmp_path: Path) -> None:
    """E15: what a zone means does not depend on where the hub runs."""
    known = ends(tmp_path, {"m": MOMENT}, {"R": {"type": "string", "format": "date"}})

    assert ["E15"] == errors(check(f"fields: {{R: 'm | date(\"{zone}\")'}}", known))
    assert [] == errors(check("fields: {R: 'm | date(\"Europe/Berlin\")'}", known))


def test_floating_point_as_text(tmp_path: Path) -> None:
    """OData V2 writes doubles as text."""
    (tmp_path / "v2.edmx").write_text(
        '<edmx:Edmx Version="1.0" xmlns:edmx="http://x"><edmx:DataServices><Schema Namespace="N">'
        '<EntityType Name="E"><Property Name="D" Type="Edm.Double" Nullable="false"/></EntityType>'
        "</Schema></edmx:DataServices></edmx:Edmx>"
    )
    known = ends(tmp_path, {"a": {"type": "number"}}, {"R": {"type": "number"}})
    there, back = (
        mapping.check(mapping.parse(f"mapping: a\nversion: 1.0.0\n{text}", file="a"), known)
        for text in (
            "from: schema:Source\nto: edmx:v2#E\nfields: {D: a}",
            "from: edmx:v2#E\nto: schema:Target\nfields: {R: D}",
        )
    )

    assert {"D": "1.5"} == applied(there, '{"a": 1.5}')
    assert {"R": 1.5} == applied(back, '{"D": "1.5"}')
    with pytest.raises(mapping.MappingFailure):
        applied(back, '{"D": "x"}')


def test_list_without_items_is_left_out_where_that_is_meant(tmp_path: Path) -> None:
    """Some systems take an empty list for a wish; else it is written."""
    known = ends(tmp_path, {"a": many(ITEM)}, {"L": many(ITEM)})
    block = "{each: a as x, when: has(x.n) and x.n > 1, omit: true, fields: {n: x.n}}"
    omitting = check(f"fields: {{L: {block}}}", known)
    plain = check(f"fields: {{L: {block.replace('omit: true, ', '')}}}", known)

    assert {} == applied(omitting, '{"a": [{"n": 1}]}')
    assert {"L": [{"n": 2}]} == applied(omitting, '{"a": [{"n": 2}]}')
    assert {"L": []} == applied(plain, '{"a": [{"n": 1}]}')


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ("{L: {each: a as x, omit: 1, fields: {n: x.n}}}", "E16"),
        ("{R: {each: a as x, omit: true, fields: {n: x.n}}}", "E05"),
        ("{O: {omit: true, fields: {n: 1}}}", "E14"),
    ],
)
def test_only_a_list_that_may_be_missing_is_left_out(
    fields: str, code: str, tmp_path: Path
) -> None:
    """And only by the word."""
    lists = {"R": many(ITEM)} if "R:" in fields else {"L": many(ITEM)}
    known = ends(tmp_path, {"a": many(ITEM)}, {**lists, "O": ITEM})

    assert code in errors(check(f"fields: {fields}\nunused: [a]", known))
