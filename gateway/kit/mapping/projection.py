"""Decoding only what a mapping reads, with the limits that the checker relied on."""

import datetime as dt
import keyword
import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from gateway.kit.mapping import facets
from gateway.kit.mapping.types import Field, Kind, Shape, Type, Wire

Paths = dict[str, "Paths"]

_SHORT: Final = 3  # characters
_INTEGERS: Final = facets.INT64
_MAY_BE_LOWER: Final = re.compile(r"[a-z]|\[\^|[^ -~]|[!-@]-")
_ISO_TIME: Final = (
    r"^(?:[01][0-9]|2[0-4]):[0-5][0-9](?::[0-6][0-9](?:\.[0-9]{1,12})?)?"
    r"(?:Z|[+-][0-2][0-9]:[0-5][0-9])?\Z"
)
_ODATA_TIME: Final = r"^PT(?:[0-9]{1,2}H)?(?:[0-9]{1,2}M)?(?:[0-9]{1,2}(?:\.[0-9]{1,9})?S)?\Z"
_BASE64: Final = r"^[A-Za-z0-9+/_-]*={0,2}\Z"
_HEX: Final = r"^(?:[0-9A-Fa-f]{2})*\Z"
_DOUBLE: Final = r"^-?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[Ee][+-]?[0-9]{1,3})?\Z"
_LAST_LOWER: Final = 0x2000  # Latin, Greek, Cyrillic, Armenian, Georgian …
_WIDE_LOWER: Final = range(0xFF41, 0xFF5B)


def of(source: Type, reads: Iterable[str]) -> type[msgspec.Struct]:
    """A Struct with the paths that are read; other fields are skipped."""
    paths: Paths = {}
    for read in reads:
        inner = paths
        for name in filter(None, read.split(".")):
            inner = inner.setdefault(name, {})
    return _struct(source, paths)


def decoder(kind: type[msgspec.Struct]) -> msgspec.json.Decoder[Any]:
    """Of one message; what no schema describes keeps its decimals."""
    return msgspec.json.Decoder(kind, float_hook=Decimal)


def without_short_patterns(source: Type, reads: frozenset[str]) -> tuple[Type, list[str]]:
    """The source with its currencies, countries and the like as any text; and which they are.

    A pattern takes msgspec 350 ns. There are few such texts, so those that matched can be kept.
    """
    known = source.shape.fields if source.shape is not None else {}
    short = [
        name
        for name, field in known.items()
        if name in reads and field.type.regex and (field.type.max_length or _SHORT + 1) <= _SHORT
    ]
    if source.shape is None or not short:
        return source, []
    bare = {name: _without_pattern(known[name]) for name in short}
    shape = Shape(source.shape.name, lambda: {**known, **bare})
    return msgspec.structs.replace(source, shape=shape), short


def _without_pattern(field: Field) -> Field:
    kind = msgspec.structs.replace(field.type, regex="", upper=False)
    return msgspec.structs.replace(field, type=kind)


def takes(kind: Type, value: Any) -> bool:
    """Whether a decoder takes a JSON value for a single one of this type."""
    try:
        msgspec.convert(value, _kind(kind, {}))
    except msgspec.ValidationError:
        return False
    return True


def _struct(kind: Type, paths: Paths) -> type[msgspec.Struct]:
    known = kind.shape.fields if kind.shape is not None else {}
    # The decoder looks for the next field first: in the order of the schema it finds it at once.
    fields = [_field(known[name], paths[name]) for name in known if name in paths]
    name = kind.shape.name if kind.shape is not None else "Projection"
    return msgspec.defstruct(
        name if name.isidentifier() and not keyword.iskeyword(name) else "Projection",
        fields,
        kw_only=True,
        gc=False,
    )


def _field(field: Field, paths: Paths) -> tuple[Any, ...]:
    kind = _kind(field.type, paths)
    if field.required or field.present:
        return (field.name, kind | None if field.type.nullable else kind)
    if field.default == ():
        return (field.name, kind, msgspec.field(default_factory=list))
    if field.default is not msgspec.UNSET and field.default is not None:
        nullable = kind | None if field.type.nullable else kind
        return (field.name, nullable, field.default)
    return (field.name, kind | None, None)


def _kind(kind: Type, paths: Paths) -> Any:
    if kind.kind is Kind.LIST and kind.item is not None:
        if kind.wire is Wire.ODATA_RESULTS:
            return _results(kind, paths)
        limits = _meta(min_length=kind.min_items, max_length=kind.max_items)
        item = _kind(kind.item, paths)
        return _with(list[item | None if kind.item.nullable else item], limits)  # type: ignore[misc] # made at run time
    if kind.kind is Kind.OBJECT:
        return _struct(kind, paths)
    if kind.kind is Kind.MAP and kind.item is not None:
        return dict[str, _kind(kind.item, _united(paths.values()))]  # type: ignore[misc] # so
    return _SCALARS.get(kind.kind, _anything)(kind)


def _united(several: Iterable[Paths]) -> Paths:
    """What is read of any entry of a map."""
    found: Paths = {}
    for paths in several:
        for name, inner in paths.items():
            found[name] = _united([found.get(name, {}), inner])
    return found


def _results(kind: Type, paths: Paths) -> Any:
    inner = msgspec.structs.replace(kind, wire=Wire.PLAIN)
    return msgspec.defstruct("Results", [("results", _kind(inner, paths))])


def _meta(**limits: Any) -> dict[str, Any]:
    return {name: value for name, value in limits.items() if value is not None}


def _with(kind: Any, limits: dict[str, Any]) -> Any:
    return Annotated[kind, Meta(**limits)] if limits else kind


def _text(kind: Type) -> Any:
    if kind.values:
        return Literal[kind.values]
    limits = _meta(min_length=kind.min_length, max_length=kind.max_length)
    if pattern := text_pattern(kind):
        limits["pattern"] = pattern
    return _with(str, limits)


def text_pattern(kind: Type) -> str:
    """What a text is searched for; empty for any text."""
    if not kind.upper or (kind.regex and not _MAY_BE_LOWER.search(kind.regex)):
        return kind.regex
    capitals = rf"^[^{_lower_case()}]*\Z"
    return rf"(?={capitals})(?:{kind.regex})" if kind.regex else capitals


@cache
def _lower_case() -> str:
    """Ranges of the letters that have an upper case, for a class of a pattern."""
    found: list[list[str]] = []
    for number in (*range(_LAST_LOWER), *_WIDE_LOWER):
        if chr(number) == chr(number).upper():
            continue
        if found and ord(found[-1][-1]) == number - 1:
            found[-1][1:] = [chr(number)]
        else:
            found.append([chr(number)])
    return "".join("-".join(ends) for ends in found)


def _integer(kind: Type) -> Any:
    if kind.wire is Wire.TEXT:
        return Annotated[str, Meta(pattern=integer_pattern(kind))]
    if kind.numbers is not None:
        return Literal[kind.numbers]
    low, high = kind.minimum, kind.maximum
    return _with(
        int,
        _meta(
            ge=-_INTEGERS if low is None else max(low, -_INTEGERS),
            le=_INTEGERS - 1 if high is None else min(high, _INTEGERS - 1),
        ),
    )


def integer_pattern(kind: Type) -> str:
    """What the whole text of an integer looks like, that is not too large for its type."""
    low = -_INTEGERS if kind.minimum is None else max(kind.minimum, -_INTEGERS)
    high = _INTEGERS - 1 if kind.maximum is None else min(kind.maximum, _INTEGERS - 1)
    signed = f"-{_up_to(-low)}|" if low < 0 else ""
    return rf"^(?:{signed}{_up_to(max(high, 0))})\Z"


def _up_to(largest: int) -> str:
    """Digits of a number that is not larger: 32 as ``(?:[0-9]{1,1}|[0-2][0-9]{1}|3[0-2])``."""
    digits, before = str(largest), ""
    ways = [f"[0-9]{{1,{len(digits) - 1}}}"] if len(digits) > 1 else []
    for place, digit in enumerate(digits, 1):
        if digit != "0":
            ways.append(f"{before}[0-{int(digit) - 1}][0-9]{{{len(digits) - place}}}")
        before += digit
    return f"(?:{'|'.join([*ways, digits])})"


def _decimal(kind: Type) -> Any:
    if kind.wire is Wire.PLAIN:
        return Decimal
    return Annotated[str, Meta(pattern=rf"^{decimal_pattern(kind)}\Z")]


def decimal_pattern(kind: Type) -> str:
    """What the whole text of a decimal looks like."""
    whole, scale = facets.digits(facets.amount_like(kind) if kind.precision is None else kind)
    point = "," if kind.wire is Wire.DECIMAL_COMMA else r"\."
    fraction = f"(?:{point}[0-9]{{1,{scale}}})?" if scale else ""
    return f"-?[0-9]{{1,{max(whole or 1, 1)}}}{fraction}"


def _moment(kind: Type) -> Any:
    if kind.wire is Wire.EPOCH:
        return Annotated[int, Meta(ge=-62_135_596_800, le=253_402_300_799)]
    if kind.wire is not Wire.PLAIN:
        return str
    return Annotated[dt.datetime, Meta(tz=kind.zoned)]


def _day(_: Type) -> Any:
    return str  # read where it is needed


def _time(kind: Type) -> Any:
    pattern = _ODATA_TIME if kind.wire is Wire.ODATA_TIME else _ISO_TIME
    return Annotated[str, Meta(pattern=pattern)]


def _binary(kind: Type) -> Any:
    pattern = _HEX if kind.wire is Wire.HEX else _BASE64
    return Annotated[str, Meta(pattern=pattern, **_meta(max_length=kind.max_length))]


def _float(kind: Type) -> Any:
    return Annotated[str, Meta(pattern=_DOUBLE)] if kind.wire is Wire.TEXT else float


def _boolean(kind: Type) -> Any:
    return Literal["true", "false"] if kind.wire is Wire.TEXT else bool


def _anything(_: Type) -> Any:
    return Any


_SCALARS: Final = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.FLOAT: _float,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _day,
    Kind.INSTANT: _moment,
    Kind.TIME: _time,
    Kind.BINARY: _binary,
}
