"""Layouts of CSV and fixed-width files, written down in YAML.

    layout: receivables
    form: csv                # or fixed
    encoding: utf-8
    line_end: crlf           # or lf
    separator: ";"           # of csv; so are quote and header
    quote: '"'
    header: true
    decimal: ","             # or "."
    date: "%d.%m.%Y"         # strptime's directives; ISO 8601 where nothing is said
    columns:
      - {name: BUKRS, type: text, width: 4, required: true}
      - {name: WRBTR, type: decimal, width: 17, precision: 15, scale: 2, align: right}

``width`` is the longest text of a csv column and the exact width of a fixed one. Fixed columns
follow each other; ``start``, from 0, leaves a gap.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from gateway.kit.mapping.schemas.documents import Document
from gateway.kit.mapping.types import Field, Kind, Shape, Type, Wire

_Character = Annotated[str, Meta(min_length=1, max_length=1)]
_Count = Annotated[int, Meta(ge=1, le=100_000)]
_DIRECTIVES: Final = tuple("dmyYHMSfjz")
_PLACE: Final = re.compile(r"\.([A-Za-z_]+)|\[([0-9]+)\]")
_NUMBERS: Final = {"integer", "decimal"}
_MOMENTS: Final = {"date", "instant", "time"}


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One column; ``pattern`` replaces the layout's ``date`` for it.

    Attributes:
        fill: What a fixed column is filled up with, at the side that ``align`` leaves free; zeros
            of a number stand behind its sign. Where there is no value, the column is spaces.
    """

    name: Annotated[str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
    type: Literal["text", "integer", "decimal", "boolean", "date", "instant", "time"] = "text"
    width: _Count | None = None
    start: Annotated[int, Meta(ge=0)] | None = None
    align: Literal["left", "right"] = "left"
    fill: _Character = " "
    precision: _Count | None = None
    scale: Annotated[int, Meta(ge=0, le=30)] | None = None
    pattern: str = ""
    values: tuple[str, ...] | None = None
    upper: bool = False
    required: bool = False
    label: str = ""


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A layout as it is written; the words are explained at the head of this module."""

    layout: str
    form: Literal["csv", "fixed"]
    encoding: str = "utf-8"
    line_end: Literal["lf", "crlf"] = "lf"
    separator: _Character = ";"
    quote: _Character | None = '"'
    header: bool = False
    decimal: Literal[".", ","] = "."
    date: str = ""
    columns: Annotated[tuple[Column, ...], Meta(min_length=1)]


class LayoutFile:
    """The layout of one file.

    Args:
        document: The file.
        form: What the reference calls it.
    """

    def __init__(self, document: Document, form: str) -> None:
        self._document = document
        self.layout = self._read()
        if self.layout.form != form:
            raise document.error(f"is {self.layout.form}, not {form}", ("form",))
        self._check()
        self._fields = {field.name: field for field in self._columns()}

    def type_of(self, name: str) -> Type:
        """A row.

        Raises:
            SchemaError: A part of a layout is asked for.
        """
        if name:
            raise self._document.error(f"a layout has one kind of row; leave #{name} out")
        return Type(kind=Kind.OBJECT, shape=Shape(self.layout.layout, lambda: self._fields))

    def names(self) -> list[str]:
        """Nothing but the row."""
        return [""]

    def files(self) -> list[Path]:
        """The file."""
        return [self._document.path]

    def _read(self) -> Layout:
        try:
            return msgspec.convert(self._document.root, Layout)
        except msgspec.ValidationError as error:
            reason, _, place = str(error).partition(" - at `")
            tokens = tuple(name or index for name, index in _PLACE.findall(place))
            raise self._document.error(f"{'.'.join(tokens)}: {reason}", tokens) from error

    def _check(self) -> None:
        try:
            "".encode(self.layout.encoding)
        except (LookupError, ValueError) as error:
            raise self._document.error("encoding is not known", ("encoding",)) from error
        marks = [self.layout.separator, *([self.layout.quote] if self.layout.quote else [])]
        if len({*marks, "\r", "\n"}) < len(marks) + 2:
            message = "separator and quote are two characters, and none is a line end"
            raise self._document.error(message, ("separator",))
        self._check_pattern(self.layout.date, ("date",))
        seen: set[str] = set()
        for index, column in enumerate(self.layout.columns):
            place = ("columns", str(index))
            if column.name in seen:
                raise self._document.error(f"{column.name} stands there twice", place)
            seen.add(column.name)
            self._check_pattern(column.pattern, place)
            if column.type == "time" and column.pattern:
                raise self._document.error("a time is written as 23:59:59, without pattern", place)
            if self.layout.form == "fixed" and column.width is None:
                raise self._document.error(f"{column.name} needs a width", place)
            padded = column.type in _NUMBERS and column.fill.isdigit()
            if padded and (column.fill, column.align) != ("0", "right"):
                message = f"{column.name} would be another number: fill is 0, align is right"
                raise self._document.error(message, place)

    def _check_pattern(self, pattern: str, place: tuple[str, ...]) -> None:
        """Directives that write digits and an offset: others write words, or line ends."""
        for directive in re.findall("%.?", pattern, re.DOTALL):
            if directive[1:] not in _DIRECTIVES:
                raise self._document.error(f"{directive} cannot stand in a pattern", place)

    def _columns(self) -> Iterator[Field]:
        end = 0
        for index, column in enumerate(self.layout.columns):
            start = end if column.start is None else column.start
            if start < end:
                place = ("columns", str(index), "start")
                raise self._document.error(f"{column.name} begins inside the one before", place)
            end = start + (column.width or 0)
            yield Field(
                name=column.name,
                type=_type(column, self.layout),
                required=column.required,
                label=column.label,
            )


def _type(column: Column, layout: Layout) -> Type:
    found = Type(
        kind=Kind(column.type),
        nullable=not column.required,
        max_length=column.width,
        values=column.values,
        upper=column.upper,
    )
    if column.type == "integer":
        return _whole(found)
    if column.type == "decimal":
        comma = layout.decimal == ","
        return msgspec.structs.replace(
            found,
            precision=column.precision or _digits(column),
            scale=column.scale,
            wire=Wire.DECIMAL_COMMA if comma else Wire.PLAIN,
        )
    pattern = column.pattern or (layout.date if column.type == "date" else "")
    if column.type in _MOMENTS and pattern:
        zoned = column.type != "instant" or "%z" in pattern
        return msgspec.structs.replace(found, wire=Wire.PATTERN, pattern=pattern, zoned=zoned)
    return found


def _digits(column: Column) -> int | None:
    """Digits that always fit: the sign and the point take a character each."""
    if column.width is None or column.scale is None:
        return None
    return max(1, column.width - 1 - (1 if column.scale else 0))


def _whole(found: Type) -> Type:
    if found.max_length is None:
        return found
    least, most = 1 - 10 ** (found.max_length - 1), 10**found.max_length - 1
    return msgspec.structs.replace(found, minimum=least, maximum=most)
