"""Texts, numbers and booleans of JSON Schema.

Source: JSON Schema 2020-12 validation §6 and §7; OpenAPI's format registry; ``decimal`` is what
msgspec writes for Decimal, ``x-precision``, ``x-scale`` and ``x-upper`` (the system keeps capitals
only) are ours, so is ``odata-date`` for a day as OData V2 writes it; ``unix-time`` is what Stripe
writes for seconds since 1970.
"""

import math
from decimal import Decimal
from typing import Any, Final, TypeGuard

import msgspec

from gateway.kit.mapping.schemas import patterns, regexes
from gateway.kit.mapping.schemas.algebra import largest, smallest
from gateway.kit.mapping.schemas.nodes import Node
from gateway.kit.mapping.types import Kind, Type, Wire

UUID_LENGTH: Final = 36
INT32: Final = Type(kind=Kind.INTEGER, minimum=-(2**31), maximum=2**31 - 1)
INT64: Final = Type(kind=Kind.INTEGER, minimum=-(2**63), maximum=2**63 - 1)
FORMATS: Final = {
    "date": Type(kind=Kind.DATE),
    "odata-date": Type(kind=Kind.DATE, wire=Wire.ODATA_DATE),
    "date-time": Type(kind=Kind.INSTANT),
    "time": Type(kind=Kind.TIME),
    "decimal": Type(kind=Kind.DECIMAL, wire=Wire.TEXT),
    "int32": msgspec.structs.replace(INT32, wire=Wire.TEXT),
    "int64": msgspec.structs.replace(INT64, wire=Wire.TEXT),
    "byte": Type(kind=Kind.BINARY),
    "binary": Type(kind=Kind.BINARY),
    "uuid": Type(kind=Kind.TEXT, min_length=UUID_LENGTH, max_length=UUID_LENGTH),
}
_INTEGERS: Final = {"int32": INT32, "int64": INT64}


def read(kind: str, node: Node) -> Type:
    """The type of a schema of one JSON type."""
    if kind == "string":
        return _text(node)
    if kind == "integer":
        return _integer(node)
    if kind == "number":
        return _number(node)
    if kind == "boolean":
        return Type(kind=Kind.BOOLEAN, numbers=_numbers(node, bool))
    raise node.error(f"type {kind} is not one of JSON Schema's", "type")


def kinds_of_values(node: Node) -> list[str]:
    """The JSON types of ``enum`` and ``const``."""
    return list(dict.fromkeys(_kind_of(value) for value in _values(node) or ()))


def _values(node: Node) -> list[Any] | None:
    if "const" in node.schema:
        return [node.schema["const"]]
    found: list[Any] | None = node.word("enum", list)
    return found


def _kind_of(value: Any) -> str:
    kinds = {type(None): "null", bool: "boolean", int: "integer", float: "number"}
    return {**kinds, list: "array", dict: "object"}.get(type(value), "string")


def _text(node: Node) -> Type:
    found = FORMATS.get(str(node.schema.get("format")), Type(kind=Kind.TEXT))
    if node.schema.get("contentEncoding") == "base64":
        return Type(kind=Kind.BINARY)
    if found.kind is Kind.DECIMAL:
        return _digits(found, node)
    if found.kind is not Kind.TEXT:
        return found
    found = msgspec.structs.replace(
        found,
        min_length=largest(found.min_length, node.word("minLength", int)),
        max_length=smallest(found.max_length, node.word("maxLength", int)),
        values=_texts(node),
        upper=bool(node.word("x-upper", bool)),
    )
    return with_pattern(found, node.word("pattern", str))


def _digits(found: Type, node: Node) -> Type:
    return msgspec.structs.replace(
        found, precision=node.word("x-precision", int), scale=node.word("x-scale", int)
    )


def _texts(node: Node) -> tuple[str, ...] | None:
    values = _values(node)
    if values is None:
        return None
    # YAML reads an unquoted 2023 as a number, though the schema says text.
    kept = [str(value) for value in values if _kind_of(value) in {"string", "integer", "number"}]
    return tuple(dict.fromkeys(kept))


def with_pattern(found: Type, pattern: str | None) -> Type:
    """A text type with its pattern, and what that proves about its length and case."""
    facts = patterns.facts(pattern) if pattern else None
    if facts is None or pattern is None:
        return found
    return msgspec.structs.replace(
        found,
        min_length=largest(found.min_length, facts.shortest or None),
        max_length=smallest(found.max_length, facts.longest),
        upper=found.upper or facts.upper,
        regex=regexes.translated(pattern),
    )


def _integer(node: Node) -> Type:
    form = node.schema.get("format")
    if form == "unix-time":
        return Type(kind=Kind.INSTANT, wire=Wire.EPOCH)
    found = _bounded(_INTEGERS.get(str(form), Type(kind=Kind.INTEGER)), node, step=1)
    step = node.schema.get("multipleOf")
    whole = isinstance(step, int) and step > 0
    return msgspec.structs.replace(found, numbers=_numbers(node, int), step=step if whole else 1)


def _numbers(node: Node, kind: type[int]) -> tuple[int, ...] | None:
    """What ``enum`` or ``const`` names."""
    values = _values(node)
    return None if values is None else tuple(each for each in values if type(each) is kind)


def _number(node: Node) -> Type:
    multiple = node.schema.get("multipleOf")
    if isinstance(multiple, int | float) and multiple > 0:
        exponent = Decimal(str(multiple)).normalize().as_tuple().exponent
        scale = max(0, -exponent) if isinstance(exponent, int) else 0
        return _bounded(Type(kind=Kind.DECIMAL, scale=scale), node, step=0)
    if node.schema.get("format") == "decimal":
        return _bounded(_digits(Type(kind=Kind.DECIMAL), node), node, step=0)
    return _bounded(Type(kind=Kind.FLOAT), node, step=0)


def _bounded(found: Type, node: Node, *, step: int) -> Type:
    """With the range of the schema and of its enumeration, in whole numbers.

    Args:
        step: 1 where the values are whole, so that an excluded bound moves by one; else 0, and a
            bound such as 0.01 becomes the next whole number outside.
    """
    least, most = found.minimum, found.maximum
    for bound, excluded in _bounds(node, "minimum", "exclusiveMinimum"):
        low = math.floor(bound)
        least = largest(least, low + step if excluded or low < bound else low)
    for bound, excluded in _bounds(node, "maximum", "exclusiveMaximum"):
        high = math.ceil(bound)
        most = smallest(most, high - step if excluded or high > bound else high)
    values = [value for value in _values(node) or () if _is_number(value)]
    if values:
        least, most = (
            largest(least, math.floor(min(values))),
            smallest(most, math.ceil(max(values))),
        )
    return msgspec.structs.replace(found, minimum=least, maximum=most)


def _bounds(node: Node, word: str, exclusive: str) -> list[tuple[float, bool]]:
    """The bounds of one side, each with whether it is excluded: 3.0 marks it, 3.1 moves it."""
    limit, further = node.schema.get(word), node.schema.get(exclusive)
    found = [(limit, further is True)] if _is_number(limit) else []
    return [*found, (further, True)] if _is_number(further) else found


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
