"""Every kind into every kind, through every converter: what the checker lets pass, and its value.

``matrix.txt`` was read line by line once; print a new one with
``python -m tests.mappings.test_matrix > tests/mappings/matrix.txt`` and read what changed.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from gateway.kit import mapping
from gateway.kit.mapping.schemas import Schemas

TABLE: Final = Path(__file__).with_name("matrix.txt")
SOURCE: Final[dict[str, tuple[dict[str, Any], Any]]] = {
    "text": ({"type": "string", "maxLength": 10}, "2026-05-01"),
    "integer": ({"type": "integer", "minimum": -99, "maximum": 99}, 7),
    "integer_text": ({"type": "string", "format": "int32"}, "7"),
    "float": ({"type": "number"}, 1.5),
    "decimal": ({"type": "number", "format": "decimal", "x-precision": 5, "x-scale": 2}, -1.5),
    "decimal_text": (
        {"type": "string", "format": "decimal", "x-precision": 5, "x-scale": 2}, "1.50",
    ),
    "boolean": ({"type": "boolean"}, True),
    "date": ({"type": "string", "format": "date"}, "2026-03-29"),
    "odata_date": ({"type": "string", "format": "odata-date"}, "/Date(1774742400000)/"),
    "time": ({"type": "string", "format": "time"}, "11:22:33"),
    "instant": ({"type": "string", "format": "date-time"}, "2026-03-29T01:30:00+05:00"),
    "seconds": ({"type": "integer", "format": "unix-time"}, 1_774_746_000),
    "bytes": ({"type": "string", "format": "byte"}, "YWI="),
    "list": ({"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 4}}, ["a"]),
    "map": ({"type": "object", "additionalProperties": {"type": "string"}}, {"a": "b"}),
    "any": ({}, {"a": 1.10}),
}  # fmt: skip
CONVERTERS: Final = (
    "", "utc", "epoch", "isodate", "text", "amount", 'date("Europe/Berlin")', "unix",
    "unix | epoch", "round(0)", "round(2)", "upper", "upper | cut(5)", "zfill(4)", 'join("-")',
)  # fmt: skip
_EDM: Final = {
    "String": 'Edm.String" MaxLength="40', "Boolean": "Edm.Boolean", "Int32": "Edm.Int32",
    "Int64": "Edm.Int64", "Double": "Edm.Double", "Binary": "Edm.Binary",
    "Decimal": 'Edm.Decimal" Precision="30" Scale="4', "DateTimeOffset": "Edm.DateTimeOffset",
}  # fmt: skip
_V2: Final = {
    "DateTime": "Edm.DateTime", "Day": 'Edm.DateTime" sap:display-format="Date', "Time": "Edm.Time",
}  # fmt: skip
_V4: Final = {"Date": "Edm.Date", "TimeOfDay": "Edm.TimeOfDay"}
_XSD: Final = (
    "string", "int", "decimal", "boolean", "date", "dateTime", "time", "base64Binary", "hexBinary",
    "double",
)  # fmt: skip
_COLUMNS: Final[list[dict[str, Any]]] = [
    {"name": "text", "width": 40},
    {"name": "integer", "type": "integer"},
    {"name": "decimal", "type": "decimal", "precision": 30, "scale": 4},
    {"name": "boolean", "type": "boolean"},
    {"name": "date", "type": "date", "pattern": "%d.%m.%Y"},
    {"name": "instant", "type": "instant"},
    {"name": "instant_zone", "type": "instant", "pattern": "%d.%m.%Y %H:%M:%S%z"},
    {"name": "instant_plain", "type": "instant", "pattern": "%Y%m%d%H%M"},
    {"name": "time", "type": "time"},
]
TARGETS: Final = ("schema:Target", "edmx:v2#E", "edmx:v4#E", "csv:rows", "xsd:y#R")


def _edmx(version: str, kinds: dict[str, str]) -> str:
    fields = "".join(f'<Property Name="{name}" Type="{kind}"/>' for name, kind in kinds.items())
    return (
        f'<edmx:Edmx Version="{version}" xmlns:edmx="http://x" '
        'xmlns:sap="http://www.sap.com/Protocols/SAPData"><edmx:DataServices>'
        f'<Schema Namespace="N"><EntityType Name="E">{fields}</EntityType></Schema>'
        "</edmx:DataServices></edmx:Edmx>"
    )


def _schemas(folder: Path) -> Schemas:
    properties = {name: schema for name, (schema, _) in SOURCE.items()}
    source = {"type": "object", "properties": properties, "required": list(properties)}
    elements = "".join(
        f'<xs:element name="{each}" type="xs:{each}" minOccurs="0"/>' for each in _XSD
    )
    files = {
        "Source.schema.json": json.dumps(source),
        "Target.schema.json": json.dumps({"type": "object", "properties": properties}),
        "v2.edmx": _edmx("1.0", _EDM | _V2),
        "v4.edmx": _edmx("4.0", _EDM | _V4),
        "rows.yaml": json.dumps(
            {"layout": "rows", "form": "csv", "decimal": ",", "columns": _COLUMNS}
        ),
        "y.xsd": '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="R">'
        f"<xs:complexType><xs:sequence>{elements}</xs:sequence></xs:complexType></xs:element>"
        "</xs:schema>",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Schemas(folders=[folder])


def _lines(target: str, known: Schemas) -> Iterator[str]:
    """``target field: expression = value`` for all that the checker lets pass."""
    shape = known.resolve(target).shape
    assert shape is not None
    body = json.dumps({name: value for name, (_, value) in SOURCE.items()})
    for source in SOURCE:
        for converter in CONVERTERS:
            value = f"{source} | {converter}" if converter else source
            fields = list(shape.fields)
            found = _checked(target, known, dict.fromkeys(fields, value))
            wrong = {each.place[1:] for each in found.findings if each.code.startswith("E")}
            passing = [name for name in fields if name not in wrong]
            if not passing:
                continue
            made = _checked(target, known, dict.fromkeys(passing, value)).mapping
            assert made is not None, (target, passing, value)
            for name, written in made.apply_json(body).items():
                yield f"{target} {name}: {value} = {mapping.encode(written).decode()}"


def _checked(target: str, known: Schemas, fields: dict[str, str]) -> mapping.Result:
    head = f"mapping: a\nversion: 1.0.0\nfrom: schema:Source\nto: {target}\n"
    text = f"{head}fields: {json.dumps(fields)}\n"
    return mapping.check(mapping.parse(text, file="matrix.yaml"), known)


@pytest.mark.parametrize("target", TARGETS)
def test_kinds_wires_converters(target: str, tmp_path: Path) -> None:
    """What passes the check can be written, and is written as the table says."""
    table = TABLE.read_text(encoding="utf-8").splitlines()
    expected = [line for line in table if line.startswith(f"{target} ")]

    assert expected == list(_lines(target, _schemas(tmp_path)))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        schemas = _schemas(Path(folder))
        for each in TARGETS:
            print(*_lines(each, schemas), sep="\n")
