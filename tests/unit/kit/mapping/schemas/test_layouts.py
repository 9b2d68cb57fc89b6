"""Rows of files: what a layout says, and what is wrong with one."""

from pathlib import Path

import pytest

from gateway.kit.mapping.schemas import SchemaError, Schemas
from gateway.kit.mapping.types import Kind, Type, Wire
from tests.unit.kit.mapping.schemas.little import ORDER, shape, write

LAYOUT = """
layout: receivables
form: fixed
encoding: cp1252
line_end: crlf
decimal: ","
date: "%d.%m.%Y"
columns:
  - {name: BUKRS, width: 4, required: true, upper: true}
  - {name: COUNT, type: integer, width: 3, align: right, fill: "0"}
  - {name: BLDAT, type: date, width: 10, start: 9}
  - {name: CPUDT, type: date, width: 8, pattern: "%Y%m%d"}
  - {name: WRBTR, type: decimal, width: 17, scale: 2, align: right}
  - {name: SHKZG, width: 1, values: [S, H], label: Debit or credit}
"""


def test_a_layout_is_a_row(tmp_path: Path) -> None:
    """Columns with their width and form."""
    write(tmp_path, "r.yaml", LAYOUT)
    schemas = Schemas(folders=[tmp_path])
    fields = shape(schemas, "fixed:r").fields

    assert Type(kind=Kind.TEXT, max_length=4, upper=True) == fields["BUKRS"].type
    assert (-99, 999) == (fields["COUNT"].type.minimum, fields["COUNT"].type.maximum)
    assert [(Wire.PATTERN, "%d.%m.%Y"), (Wire.PATTERN, "%Y%m%d")] == [
        (fields[name].type.wire, fields[name].type.pattern) for name in ("BLDAT", "CPUDT")
    ]
    assert (Wire.DECIMAL_COMMA, 15, 2) == (
        fields["WRBTR"].type.wire,
        fields["WRBTR"].type.precision,
        fields["WRBTR"].type.scale,
    )
    assert (("S", "H"), "Debit or credit") == (fields["SHKZG"].type.values, fields["SHKZG"].label)
    assert [True, False] == [fields[name].required for name in ("BUKRS", "COUNT")]


def test_a_layout_tells_how_rows_are_written(tmp_path: Path) -> None:
    """The writer gets encoding, line end, alignment and fill."""
    write(tmp_path, "r.yaml", LAYOUT)
    layout = Schemas(folders=[tmp_path]).layout("fixed:r")

    assert ("cp1252", "crlf") == (layout.encoding, layout.line_end)
    assert ("right", "0") == (layout.columns[1].align, layout.columns[1].fill)


def test_csv_columns_have_no_place(tmp_path: Path) -> None:
    """Width limits a text; without a decimal comma numbers are plain."""
    text = LAYOUT.replace("fixed", "csv").replace('decimal: ","', 'decimal: "."')
    write(tmp_path, "r.yaml", text)
    fields = shape(Schemas(folders=[tmp_path]), "csv:r").fields

    assert (4, Wire.PLAIN) == (fields["BUKRS"].type.max_length, fields["WRBTR"].type.wire)


@pytest.mark.parametrize(
    ("find", "replace", "message"),
    [
        ("form: fixed", "form: csv", r"r\.yaml:3: is csv, not fixed"),
        ("name: COUNT", "name: BUKRS", r"r\.yaml:10: BUKRS stands there twice"),
        ("start: 9", "start: 6", r"r\.yaml:11: BLDAT begins inside"),
        ("name: COUNT, type: integer, width: 3", "name: COUNT", r"r\.yaml:10: COUNT needs a width"),
        ("width: 4", "widht: 4", r"r\.yaml:9: .*unknown field `widht`"),
        ("type: decimal", "type: money", r"r\.yaml:13: columns\.4\.type: Invalid enum value"),
        ("cp1252", "cp12520", r"r\.yaml:4: encoding is not known"),
    ],
)
def test_a_wrong_layout_names_its_line(
    tmp_path: Path, find: str, replace: str, message: str
) -> None:
    """Typing mistakes, overlaps and missing widths are found when the layout is read."""
    write(tmp_path, "r.yaml", LAYOUT.replace(find, replace))

    with pytest.raises(SchemaError, match=message):
        _ = shape(Schemas(folders=[tmp_path]), "fixed:r").fields


def test_only_layouts_have_one(tmp_path: Path) -> None:
    """A reference to another kind of schema is told apart; a layout has no parts."""
    write(tmp_path, "r.yaml", LAYOUT)
    path = write(tmp_path, "o.json", ORDER)
    schemas = Schemas({"schema:o": path}, folders=[tmp_path])

    with pytest.raises(SchemaError, match="schema:o is no layout"):
        schemas.layout("schema:o")
    assert [""] == schemas.names("fixed:r")
    assert schemas.digest("fixed:r") == schemas.digest("fixed:r")
    with pytest.raises(SchemaError, match="leave #x out"):
        schemas.resolve("fixed:r#x")
