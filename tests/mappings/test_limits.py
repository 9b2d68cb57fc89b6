"""What is read is of its schema and what is written is whole: nothing lost, nothing cut."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import Misconfigured
from gateway.kit import mapping
from gateway.kit.mapping.checking import Checker
from gateway.kit.mapping.findings import Hidden
from gateway.kit.mapping.schemas import Schemas
from tests.mappings.ends import HEAD, applied, check, ends, errors

TEXT = {"type": "string", "maxLength": 9}
DECIMAL = {"type": "string", "format": "decimal", "x-precision": 9, "x-scale": 2}
NUMBER = {"type": "number", "format": "decimal", "x-precision": 5, "x-scale": 2}


@pytest.mark.parametrize(("value", "code"), [("nothing", "E02"), ("a |", "E16")])
def test_what_has_no_value_cannot_be_accepted(value: str, code: str, tmp_path: Path) -> None:
    """``allow:`` does not make a required field go missing."""
    known = ends(tmp_path, {"a": TEXT}, {"R": TEXT})

    assert [code] == errors(check(f"fields: {{R: {{value: '{value}', allow: [{code}]}}}}", known))


def test_a_decision_is_about_one_value(tmp_path: Path) -> None:
    """An overlay with another value has to decide again; one with a condition has not."""
    known = ends(tmp_path, {"a": TEXT}, {"R": TEXT, "S": {**TEXT, "maxLength": 5}})
    base = "fields: {R: a, S: {value: a, allow: [E06]}}"

    assert [] == errors(check(base, known, "fields: {S: {when: has(a)}}"))
    assert ["E06"] == errors(check(base, known, "fields: {S: {value: 'f\"{a}{a}\"'}}"))


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ({"c": {"type": "object", "properties": {"n": TEXT}}}, "A: c"),
        ({"c": {"type": "array", "items": {"type": "object", "properties": {"n": TEXT}}}}, "A: c"),
    ],
)
def test_objects_are_not_passed_on_whole(
    source: dict[str, Any], fields: str, tmp_path: Path
) -> None:
    """E04: of an object only the fields that rules read are there."""
    assert ["E04"] == errors(check(f"fields: {{{fields}}}", ends(tmp_path, source, {"A": {}})))


def test_a_map_is_whole_though_one_key_is_read(tmp_path: Path) -> None:
    """The others are still there."""
    kind = {"type": "object", "additionalProperties": TEXT}
    known = ends(tmp_path, {"m": kind}, {"A": kind, "O": TEXT})
    result = check("fields: {A: m, O: m.order}", known)

    assert {"A": {"order": "1", "x": "2"}, "O": "1"} == applied(
        result, '{"m": {"order": "1", "x": "2"}}'
    )


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (DECIMAL, ['"12.50"'], ['"12.50\\n"', '"1.234"', '"12345678901234567890"']),
        (NUMBER, ["12.5", "-0.010"], ["1234567.00", "0.123456", "1e3"]),
        ({"type": "string", "format": "int32"}, ['"2147483647"', '"-2147483648"'],
         ['"2147483648"', '"-2147483649"', '"5\\n"', '"9999999999"']),
        ({"type": "string", "format": "time"}, ['"11:00:00"', '"23:59"'], ['"x;y"', '"11:00\\n"']),
        ({"type": "string", "format": "byte"}, ['"QUJD"', '"QQ=="'], ['"<a>&"', '"QQ==\\n"']),
    ],
)  # fmt: skip
def test_limits_of_the_source_hold(
    kind: dict[str, Any], good: list[str], bad: list[str], tmp_path: Path
) -> None:
    """What is not of its schema does not come out."""
    result = check("fields: {A: a}", ends(tmp_path, {"a": kind}, {"A": kind}))

    for text in good:
        assert "A" in applied(result, f'{{"a": {text}}}')
    for text in bad:
        with pytest.raises(mapping.MappingFailure):
            applied(result, f'{{"a": {text}}}')


def test_tenants_do_not_share_what_is_empty(tmp_path: Path) -> None:
    """An empty entry of the second tenant is left out, though none of the first was empty."""
    known = ends(tmp_path, {"a": TEXT}, {"A": TEXT})
    document = mapping.parse(
        f"{HEAD}config: {{m: map}}\n"
        "fields: {A: {value: 'a | code(cfg.m) | nonempty', allow: [E30]}}",
        file="base.yaml",
    )
    results = [mapping.check(document, known, config={"m": {"x": entry}}) for entry in ("1", "")]

    assert [{"A": "1"}, {}] == [applied(each, '{"a": "x"}') for each in results]


def test_no_negative_zero(tmp_path: Path) -> None:
    """-0.001 is rounded to 0.00."""
    known = ends(tmp_path, {"a": {**DECIMAL, "x-scale": 4}}, {"A": DECIMAL})

    assert {"A": "0.00"} == applied(check("fields: {A: a | round(2)}", known), '{"a": "-0.001"}')


@pytest.mark.parametrize("day", ["2026-W01-1", "20260101", "20260101  ", "2026-1-01"])
def test_days_are_written_one_way(day: str, tmp_path: Path) -> None:
    """Weeks and days without hyphens are refused."""
    kind = {"type": "string", "format": "date"}
    result = check("fields: {A: a}", ends(tmp_path, {"a": kind}, {"A": kind}))

    with pytest.raises(mapping.MappingFailure):
        applied(result, json.dumps({"a": day}))


def test_case_may_change_the_length(tmp_path: Path) -> None:
    """İ has two characters in lower case; it is not cut, and not written."""
    known = ends(tmp_path, {"a": {**TEXT, "maxLength": 1}}, {"A": {**TEXT, "maxLength": 1}})
    result = check("fields: {A: a | lower}", known)

    assert {"A": "a"} == applied(result, '{"a": "A"}')
    with pytest.raises(mapping.MappingFailure):
        applied(result, '{"a": "İ"}')


def test_two_keys_are_not_joined(tmp_path: Path) -> None:
    """The entry A.B.v is for A, not for a text A.B that a message may bring."""
    codes = "codes: {k: {'A.B.v': X, '*.v': Y}}\n"
    fields = "fields: {A: {value: 'f\"{a}.{b}\" | code(k)', allow: [E30]}}"
    known = ends(tmp_path, {"a": TEXT, "b": TEXT}, {"A": TEXT})
    result = check(codes + fields, known)

    assert ["X", "Y", "Y"] == [
        applied(result, json.dumps({"a": first, "b": second}))["A"]
        for first, second in (("A", "B.v"), ("A.B", "v"), ("C", "v"))
    ]


def test_a_moment_is_none_of_some_values(tmp_path: Path) -> None:
    """E09, as for any text."""
    source = {"a": {"type": "string", "format": "date-time"}}
    known = ends(tmp_path, source, {"A": {"enum": ["x", "y"]}})

    assert ["E09"] == errors(check("fields: {A: a | utc}", known))


def test_no_directives(tmp_path: Path) -> None:
    """They take quadratic time."""
    document = mapping.parse("%TAG !a! tag:a\n" * 9 + HEAD, file="base.yaml")

    assert ["E16"] == [finding.code for finding in document.findings]


def test_a_let_does_not_read_itself(tmp_path: Path) -> None:
    """E02, and the required field that needs it is not just missing."""
    known = ends(tmp_path, {"a": TEXT}, {"R": TEXT})

    assert ["E02"] == errors(check("let: {x: x | upper}\nfields: {R: x}", known))


@pytest.mark.parametrize("after", ["nope", "R", "L", "M"])
def test_positions_go_on_behind_a_list_above(after: str, tmp_path: Path) -> None:
    """E14 for a text, itself, a list below and what is not there."""
    rows = {"type": "array", "items": {"type": "object", "properties": {"n": TEXT}}}
    known = ends(tmp_path, {"a": TEXT, "l": rows}, {"R": TEXT, "L": rows, "M": rows})
    block = "each: l as x, fields: {n: x.n}"
    text = f"fields: {{R: a, L: {{{block}, after: {after}}}, M: {{{block.replace('x', 'y')}}}}}"

    assert ["E14"] == errors(check(text, known))


def test_keys_of_a_group_have_names_of_their_own(tmp_path: Path) -> None:
    """E12: of two with one name only the last would count."""
    part = {"type": "object", "properties": {"n": TEXT}, "required": ["n"]}
    row = {"type": "object", "properties": {"u": part, "v": part}, "required": ["u", "v"]}
    rows = {"type": "array", "items": row}
    target = {"L": {"type": "array", "items": {"type": "object", "properties": {"n": TEXT}}}}
    text = "fields: {L: {group: 'l by u.n, v.n as g', fields: {n: g.n}}}"

    assert ["E12"] == errors(check(text, ends(tmp_path, {"l": rows}, target)))


def test_seconds_in_a_text(tmp_path: Path) -> None:
    """An integer that is written as text counts seconds too."""
    known = ends(
        tmp_path,
        {"a": {"type": "string", "format": "int32"}},
        {"A": {"type": "string", "format": "date-time"}},
    )

    assert {"A": "1970-01-01T00:01:00Z"} == applied(
        check("fields: {A: a | epoch}", known), '{"a": "60"}'
    )


@pytest.mark.parametrize("moment", ["2026-01-01T04:05:06Z", "2026-01-01T06:05:06+02:00"])
def test_moments_in_a_pattern(moment: str, tmp_path: Path) -> None:
    """In UTC, as ``| utc`` says."""
    (tmp_path / "rows.yaml").write_text(
        "layout: rows\nform: csv\ncolumns: [{name: A, type: instant, pattern: '%d.%m.%Y %H:%M'}]\n"
    )
    known = ends(tmp_path, {"a": {"type": "string", "format": "date-time"}}, {})
    text = HEAD.replace("schema:Target", "csv:rows") + "fields: {A: a | utc}"
    result = mapping.check(mapping.parse(text, file="x.yaml"), known)

    assert {"A": "01.01.2026 04:05"} == applied(result, json.dumps({"a": moment}))


def test_times_have_no_pattern(tmp_path: Path) -> None:
    """A layout that has one is refused: it would not be followed."""
    (tmp_path / "rows.yaml").write_text(
        "layout: rows\nform: csv\ncolumns: [{name: A, type: time, pattern: '%H%M'}]\n"
    )

    with pytest.raises(Misconfigured, match="without pattern"):
        Schemas(folders=[tmp_path]).resolve("csv:rows")


@pytest.mark.parametrize(
    ("item", "wanted", "expected"),
    [
        (TEXT, TEXT, []),
        ({"type": ["string", "null"], "maxLength": 9}, TEXT, ["E05"]),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}, ["E04"]),
        ({"type": "integer"}, TEXT, ["E04"]),
        (TEXT, {**TEXT, "maxLength": 3}, ["E06"]),
    ],
)
@pytest.mark.parametrize("word", ["items", "additionalProperties"])
def test_elements_that_are_passed_on(
    word: str, item: Any, wanted: Any, expected: list[str], tmp_path: Path
) -> None:
    """Elements of lists and maps are compared like fields."""
    kind = {"type": "array" if word == "items" else "object"}
    known = ends(tmp_path, {"a": {**kind, word: item}}, {"A": {**kind, word: wanted}})

    assert expected == errors(check("fields: {A: a}", known))


@pytest.mark.parametrize("text", ["1_0", " 1.5 ", ".5", "1.", "1e3", "٣", "NaN", "--1"])
def test_decimals_are_written_one_way(text: str, tmp_path: Path) -> None:
    """E15 for what only Python takes for a number."""
    known = ends(tmp_path, {"a": TEXT}, {"A": DECIMAL})

    assert ["E15"] == errors(check(f"fields: {{A: 'dec(\"{text}\")'}}", known))


def test_names_of_schemas_are_short(tmp_path: Path) -> None:
    """A long one is unknown, not an error of the file system."""
    known = ends(tmp_path, {"a": TEXT}, {"A": TEXT})

    assert ["E02"] == errors(check(f"needs: {{n: 'schema:{'x' * 5000}'}}\nfields: {{A: a}}", known))


def test_half_a_character(tmp_path: Path) -> None:
    """A lone surrogate cannot be sent; it fails like other data."""
    result = check("fields: {A: a}", ends(tmp_path, {"a": TEXT}, {"A": TEXT}))
    assert result.mapping is not None

    with pytest.raises(mapping.MappingFailure):
        result.mapping.to_json(type("Source", (), {"a": "\ud800"})())


@pytest.mark.parametrize("method", ["_target_field", "_block", "_parts"])
def test_nothing_goes_missing_in_silence(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A net under the checker: a rule that comes to nothing without a finding is one."""
    item = {"type": "object", "properties": {"n": TEXT}}
    known = ends(tmp_path, {"a": TEXT}, {"B": TEXT, "L": {"type": "array", "items": item}})
    text = "fields: {B: a, L: {fields: {n: a}}}"

    def hidden(*_: object, **__: object) -> None:
        raise Hidden

    assert [] == errors(check(text, known))
    monkeypatch.setattr(Checker, method, hidden)
    assert ["E16"] == errors(check(text, known))
