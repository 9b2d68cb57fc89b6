"""Decoding rows without the limits of their fields, which are then checked for many rows at once.

msgspec takes 90 ns for the length of a text and 450 ns for a pattern; in the row function the
length takes 30, and a pattern over a column 60 for each of its texts.
"""

import ast
import re
from collections.abc import Iterable
from operator import attrgetter
from typing import Any, Final

import msgspec

from gateway.kit.mapping import facets, projection
from gateway.kit.mapping.scope import SOURCE
from gateway.kit.mapping.trees import Trees
from gateway.kit.mapping.types import Field, Kind, Shape, Type, Wire

# Characters of a code, such as that of a currency; many rows have few different ones.
_CODE: Final = 3
_ANY_TEXT: Final = Type(kind=Kind.TEXT)
# A pattern whose classes name what they take, none of it a line end; ^ is an anchor only.
_WITHIN_LINES: Final = re.compile(r"(?:\[[A-Za-z0-9_ -]+\]|[\w (){},:|?*+^-]|\\Z)*", re.ASCII)


class Loose:
    """How rows are decoded, and what has to hold for them then.

    Only the fields of the row itself are taken loosely; what is nested keeps its limits.
    """

    def __init__(self, source: Type, reads: Iterable[str]) -> None:
        known = source.shape.fields if source.shape is not None else {}
        self._reads = frozenset(reads)
        top = {read.partition(".")[0] for read in self._reads}
        self._read = [field for name, field in known.items() if name in top]
        self._source = source
        self._columns = [
            (
                attrgetter(field.name),
                field.type.nullable or not field.required,
                (field.type.max_length or _CODE + 1) <= _CODE,
                re.compile(rf"(?:{pattern}\n)*+").fullmatch,
            )
            for field in self._read
            if (pattern := _pattern(field.type))
        ]

    def decoder(self) -> msgspec.json.Decoder[Any]:
        """JSON to Structs of what is read."""
        shape = self._source.shape
        fields = {field.name: _loosened(field) for field in self._read}
        name = shape.name if shape is not None else ""
        kind = msgspec.structs.replace(self._source, shape=Shape(name, lambda: fields))
        return projection.decoder(projection.of(kind, self._reads))

    def fits(self, sources: list[Any]) -> bool:
        """The texts of the rows match their patterns; False too where only one by one can say."""
        for column, nullable, is_code, matches in self._columns:
            having = [row for row in sources if column(row) is not None] if nullable else sources
            texts = set(map(column, having)) if is_code else [*map(column, having)]
            whole = "\n".join(texts)
            if texts and (whole.count("\n") >= len(texts) or not matches(whole + "\n")):
                return False
        return True

    def checks(self, trees: Trees) -> list[ast.expr]:
        """The conditions that a row has to meet."""
        tests: list[ast.expr] = []
        for field in self._read:
            value = trees.attribute(trees.name(SOURCE), field.name)
            test = _length(trees, field.type, value)
            if test is None:
                continue
            if field.type.nullable or not field.required:
                test = trees.logic("or", [trees.is_none(value), test])
            tests.append(test)
        return tests


def _length(trees: Trees, kind: Type, code: ast.expr) -> ast.expr | None:
    if not _is_limited_text(kind) or (kind.max_length is None and not kind.min_length):
        return None
    length = trees.call("len", code)
    if kind.min_length == kind.max_length:
        return trees.compare(length, "==", trees.constant(kind.max_length))
    if not kind.min_length:
        return trees.compare(length, "<=", trees.constant(kind.max_length))
    made = trees.compare(trees.constant(kind.min_length), "<=", length)
    if kind.max_length is not None:
        made.ops.append(ast.LtE())
        made.comparators.append(trees.constant(kind.max_length))
    return made


def _loosened(field: Field) -> Field:
    if not _is_decimal_text(field.type) and not _is_limited_text(field.type):
        return field
    kind = facets.nullable(_ANY_TEXT) if field.type.nullable else _ANY_TEXT
    made: Field = msgspec.structs.replace(field, type=kind)
    return made


def _is_limited_text(kind: Type) -> bool:
    """A text whose limits can be checked here."""
    if kind.kind is not Kind.TEXT or kind.values is not None:
        return False
    pattern = projection.text_pattern(kind)
    if pattern:
        return _WITHIN_LINES.fullmatch(pattern) is not None
    return kind.max_length is not None or bool(kind.min_length)


def _is_decimal_text(kind: Type) -> bool:
    return kind.kind is Kind.DECIMAL and kind.wire in {Wire.TEXT, Wire.DECIMAL_COMMA}


def _pattern(kind: Type) -> str:
    """Of one line; the whole line has to match."""
    if _is_decimal_text(kind):
        return projection.decimal_pattern(kind)
    if not _is_limited_text(kind):
        return ""
    whole = projection.text_pattern(kind).replace(r"\Z", "").replace("^", "")
    return f"(?:{whole})" if whole else ""
