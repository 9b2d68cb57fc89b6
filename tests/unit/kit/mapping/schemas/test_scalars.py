"""Texts, numbers and booleans of JSON Schema."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.kit.mapping.schemas import Schemas
from gateway.kit.mapping.types import Kind, Type, Wire

INTEGER = Type(kind=Kind.INTEGER)


def type_of(folder: Path, schema: dict[str, Any]) -> Type:
    """The type of a property."""
    whole = {"type": "object", "properties": {"f": schema}}
    (folder / "x.json").write_text(json.dumps(whole), encoding="utf-8")
    shape = Schemas(folders=[folder]).resolve("schema:x").shape
    assert shape is not None
    return shape.fields["f"].type


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 5}, {"min_length": 1, "max_length": 5}),
        (
            {"type": "string", "pattern": "^[A-Z]{2}$", "maxLength": 9},
            {"min_length": 2, "max_length": 2, "upper": True, "regex": r"^[A-Z]{2}\Z"},
        ),
        ({"type": "string", "pattern": "[A-Z]"}, {}),
        ({"type": "string", "format": "uuid"}, {"min_length": 36, "max_length": 36}),
        ({"type": "string", "format": "email"}, {}),
        ({"type": "string", "enum": ["a", "b", "a"]}, {"values": ("a", "b")}),
        ({"enum": ["a", None]}, {"values": ("a",), "nullable": True}),
        ({"const": "a"}, {"values": ("a",)}),
        ({"type": ["string", "null"]}, {"nullable": True}),
        ({"type": "string", "nullable": True}, {"nullable": True}),
        ({"maxLength": 3}, {"max_length": 3}),
        ({"type": "string", "x-upper": True}, {"upper": True}),
    ],
)
def test_texts(tmp_path: Path, schema: dict[str, Any], expected: dict[str, Any]) -> None:
    """Length, case, values and null of a text."""
    assert Type(kind=Kind.TEXT, **expected) == type_of(tmp_path, schema)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "format": "date"}, Type(kind=Kind.DATE)),
        ({"type": "string", "format": "date-time"}, Type(kind=Kind.INSTANT)),
        ({"type": "string", "format": "time"}, Type(kind=Kind.TIME)),
        ({"type": "string", "format": "byte"}, Type(kind=Kind.BINARY)),
        ({"type": "string", "contentEncoding": "base64"}, Type(kind=Kind.BINARY)),
        ({"type": "integer", "format": "unix-time"}, Type(kind=Kind.INSTANT, wire=Wire.EPOCH)),
        (
            {"type": "string", "format": "decimal", "x-precision": 15, "x-scale": 2},
            Type(kind=Kind.DECIMAL, wire=Wire.TEXT, precision=15, scale=2),
        ),
        (
            {"type": "string", "format": "int32"},
            Type(kind=Kind.INTEGER, wire=Wire.TEXT, minimum=-(2**31), maximum=2**31 - 1),
        ),
        (
            {"type": "string", "format": "int64"},
            Type(kind=Kind.INTEGER, wire=Wire.TEXT, minimum=-(2**63), maximum=2**63 - 1),
        ),
        (
            {"type": "integer", "format": "int64"},
            Type(kind=Kind.INTEGER, minimum=-(2**63), maximum=2**63 - 1),
        ),
        ({"type": "number"}, Type(kind=Kind.FLOAT)),
        ({"type": "number", "multipleOf": 0.01}, Type(kind=Kind.DECIMAL, scale=2)),
        ({"type": "number", "format": "decimal"}, Type(kind=Kind.DECIMAL)),
        ({"type": "boolean"}, Type(kind=Kind.BOOLEAN)),
        ({}, Type(kind=Kind.ANY, nullable=True)),
        ({"type": ["string", "integer"]}, INTEGER),
    ],
)
def test_kinds(tmp_path: Path, schema: dict[str, Any], expected: Type) -> None:
    """Each type and format has one kind and one form in JSON."""
    assert expected == type_of(tmp_path, schema)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"minimum": 1, "maximum": 9}, (1, 9)),
        ({"exclusiveMinimum": 0, "exclusiveMaximum": 10}, (1, 9)),
        ({"minimum": 0, "exclusiveMinimum": True, "maximum": 9}, (1, 9)),
        ({"minimum": 0.5, "maximum": 9.5}, (1, 9)),
        ({"format": "int32", "minimum": 0}, (0, 2**31 - 1)),
        ({"enum": [3, 1, 2]}, (1, 3)),
    ],
)
def test_whole_numbers_have_a_range(
    tmp_path: Path, schema: dict[str, Any], expected: tuple[int, int]
) -> None:
    """Excluded bounds of 3.0 and 3.1, formats and enumerations end in one range."""
    found = type_of(tmp_path, {"type": "integer", **schema})

    assert expected == (found.minimum, found.maximum)


def test_a_fractions_bound_lies_outside(tmp_path: Path) -> None:
    """A bound that is no whole number never cuts a value off."""
    schema = {"type": "number", "format": "decimal", "minimum": 0.01, "maximum": 9.99}
    found = type_of(tmp_path, schema)

    assert (0, 10) == (found.minimum, found.maximum)
