"""The converters: what they take, what they make of a type, and what turns them round.

How each is compiled stands in ``emit``; here is only what is known before anything runs.
"""

from collections.abc import Callable
from functools import cache
from typing import Final
from zoneinfo import available_timezones

import msgspec

from gateway.kit.mapping import currencies, facets, ir
from gateway.kit.mapping.findings import Found, did_you_mean
from gateway.kit.mapping.runtime import fold, oneline, unzfill, zfill
from gateway.kit.mapping.types import Kind, Type, Wire

_REMEMBERED: Final = 1_000  # values of a closed set that are followed through a converter

_LARGEST: Final = 1_000  # of an argument
_SEPARATOR: Final = 20  # characters
_LINES: Final = 9  # that a text is folded over
_RESIZING: Final = {"upper", "lower"}

Change = Callable[[Type, tuple[ir.Expr, ...]], Type]
Idle = Callable[[Type, tuple[ir.Expr, ...]], str]


class Converter(msgspec.Struct, frozen=True, kw_only=True):
    """One converter.

    Attributes:
        kinds: What it takes.
        parameters: ``int``, ``text``, ``zone``, ``currency`` for each argument.
        change: The type that comes out, given the type without null and the arguments.
        exact: For text: the result for one known text, so that closed sets stay closed.
        inverse: The converter that turns it round; empty for none.
        idle: Why it does nothing for this type (W26); empty if it does something.
        shortens: Proves a length by itself, whatever upper case did before.
    """

    kinds: frozenset[Kind]
    parameters: tuple[str, ...] = ()
    change: Change
    exact: Callable[..., str] | None = None
    inverse: str = ""
    idle: Idle | None = None
    shortens: bool = False


def convert(name: str, operand: ir.Expr, arguments: tuple[ir.Expr, ...]) -> ir.Convert:
    """The converter applied to an expression.

    Raises:
        Found: E15 for an unknown name or wrong arguments, E04 for a value it cannot take.
    """
    converter = CONVERTERS.get(name)
    if converter is None:
        raise Found("E15", f"there is no converter {name}{did_you_mean(name, NAMES)}")
    _check_arguments(name, converter, arguments)
    given = facets.non_null(operand.type)
    if given.kind not in converter.kinds:
        takes = " or ".join(sorted(kind.value for kind in converter.kinds))
        raise Found("E04", f"{name} takes {takes}, this is {facets.describe(given)}")
    made = _followed(converter, given, arguments) or converter.change(given, arguments)
    if operand.type.nullable:
        made = facets.nullable(made)
    return ir.Convert(
        type=made,
        converter=name,
        operand=operand,
        arguments=arguments,
        assumed=(operand.assumed or (name in _RESIZING and not _keeps_length(given)))
        and not converter.shortens,
        currencies=currencies.converted(name, operand),
    )


def _keeps_length(kind: Type) -> bool:
    """Other case does not change the number of characters, as it does in ß and İ."""
    return kind.values is not None or facets.names_characters(kind)


def idle(name: str, operand: ir.Expr, arguments: tuple[ir.Expr, ...]) -> str:
    """Why the converter has no effect on the operand; empty if it has one."""
    check = CONVERTERS[name].idle
    return check(facets.non_null(operand.type), arguments) if check else ""


def _followed(converter: Converter, given: Type, arguments: tuple[ir.Expr, ...]) -> Type | None:
    if given.values is None or converter.exact is None or len(given.values) > _REMEMBERED:
        return None
    constants = [argument.value for argument in arguments if isinstance(argument, ir.Const)]
    made = dict.fromkeys(converter.exact(value, *constants) for value in given.values)
    return facets.of_text(*made)


def _check_arguments(name: str, converter: Converter, arguments: tuple[ir.Expr, ...]) -> None:
    wanted = converter.parameters
    if len(arguments) != len(wanted):
        form = f"{name}({', '.join(wanted)})" if wanted else name
        raise Found("E15", f"write {form}: {len(wanted)} arguments, not {len(arguments)}")
    for parameter, argument in zip(wanted, arguments, strict=True):
        problem = _PARAMETERS[parameter](argument)
        if problem:
            raise Found("E15", f"{name}: {problem}")


def _size(argument: ir.Expr) -> str:
    value = argument.value if isinstance(argument, ir.Const) else None
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST
    return "" if fits else "the argument is a whole number from 0 to 1000"


def widths(argument: ir.Expr) -> tuple[int, ...]:
    """Widths of lines, from a text such as "60 40 40"; none if it is no such text."""
    text = argument.value if isinstance(argument, ir.Const) else None
    parts = text.split(" ") if isinstance(text, str) else []
    if len(parts) > _LINES or not all(each.isdecimal() and len(each) < _LINES for each in parts):
        return ()
    found = tuple(int(each) for each in parts)
    return found if all(0 < each <= _LARGEST for each in found) else ()


def _widths(argument: ir.Expr) -> str:
    return "" if widths(argument) else 'the first argument is the widths of lines, such as "40 40"'


def _fixed_text(argument: ir.Expr) -> str:
    value = argument.value if isinstance(argument, ir.Const) else None
    return "" if isinstance(value, str) and value else "the argument is a text in quotes"


def _separator(argument: ir.Expr) -> str:
    value = argument.value if isinstance(argument, ir.Const) else None
    return (
        ""
        if isinstance(value, str) and len(value) <= _SEPARATOR
        else "the argument is a short text"
    )


def _zone(argument: ir.Expr) -> str:
    value = argument.value if isinstance(argument, ir.Const) else None
    if value in _zones():
        return ""
    return f'{str(value)[:40]!r} is not a time zone such as "Europe/Berlin"'


@cache
def _zones() -> frozenset[str]:
    """Those that mean the same on every host; a text of a tenant is not searched among files."""
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def _currency(argument: ir.Expr) -> str:
    if argument.type.kind is not Kind.TEXT:
        return "the argument is a currency code"
    return "the currency may be null: add | required" if argument.type.nullable else ""


_PARAMETERS: Final = {
    "int": _size, "text": _fixed_text, "separator": _separator, "zone": _zone,
    "currency": _currency, "widths": _widths,
}  # fmt: skip


def _number(argument: ir.Expr) -> int:
    value = argument.value if isinstance(argument, ir.Const) else 0
    return value if isinstance(value, int) else 0


# What they make of types ---------------------------------------------------------------------


def _replace(kind: Type, **changes: object) -> Type:
    made: Type = msgspec.structs.replace(kind, values=None, regex="", **changes)
    return made


def _at_most(limit: int | None, length: int) -> int:
    return length if limit is None else min(limit, length)


def _upper(kind: Type, _: tuple[ir.Expr, ...]) -> Type:
    return _replace(kind, upper=True)


def _lower(kind: Type, _: tuple[ir.Expr, ...]) -> Type:
    return _replace(kind, upper=False)


def _shorter(kind: Type, _: tuple[ir.Expr, ...]) -> Type:
    return _replace(kind, min_length=0)


def _cut(kind: Type, arguments: tuple[ir.Expr, ...]) -> Type:
    size = _number(arguments[0])
    return _replace(
        kind,
        min_length=min(kind.min_length or 0, size),
        max_length=_at_most(kind.max_length, size),
    )


def _part(kind: Type, arguments: tuple[ir.Expr, ...]) -> Type:
    start, end = _number(arguments[0]), _number(arguments[1])
    longest = end if kind.max_length is None else min(kind.max_length, end)
    return _replace(
        kind,
        min_length=max(min(kind.min_length or 0, end) - start, 0),
        max_length=max(longest - start, 0),
    )


def _fold(kind: Type, arguments: tuple[ir.Expr, ...]) -> Type:
    lines, number = widths(arguments[0]), _number(arguments[1])
    if number >= len(lines):
        raise Found("E15", f"fold: there is no line {number}, lines are counted from 0")
    longest = _at_most(kind.max_length, lines[number])
    return _replace(kind, min_length=0, max_length=longest)


def _zfill(kind: Type, arguments: tuple[ir.Expr, ...]) -> Type:
    size = _number(arguments[0])
    return _replace(
        kind,
        min_length=min(kind.min_length or 0, size),  # what is not digits stays as short as it was
        max_length=None if kind.max_length is None else max(kind.max_length, size),
    )


def _as_text(kind: Type, _: tuple[ir.Expr, ...]) -> Type:
    low, high = kind.minimum, kind.maximum
    length = None if low is None or high is None else max(len(str(low)), len(str(high)))
    return Type(kind=Kind.TEXT, min_length=1, max_length=length, upper=True)


def _plain(kind: Type, _: tuple[ir.Expr, ...]) -> Type:
    whole, scale = facets.digits(kind)
    length = None
    if whole is not None and scale is not None:
        length = max(whole, 1) + (scale + 1 if scale else 0) + 1  # and a sign
    return Type(kind=Kind.TEXT, min_length=1, max_length=length, upper=True)


def _round(kind: Type, arguments: tuple[ir.Expr, ...]) -> Type:
    whole, _ = facets.digits(kind)
    scale = _number(arguments[0])
    # 9.99 becomes 10.0: rounding may carry into one more digit.
    carry = 1 if kind.scale is None or kind.scale > scale else 0
    made = facets.of_decimal(None if whole is None else whole + carry + scale, scale)
    return facets.between(made, kind.minimum, kind.maximum)  # whole numbers, so they hold


def _minor(kind: Type, _: tuple[ir.Expr, ...]) -> Type:
    whole, _scale = facets.digits(kind)
    edge = None if whole is None else 10 ** (whole + 4) - 1  # currencies have up to 4 decimals
    signed = kind.minimum is None or kind.minimum < 0
    return facets.of_integer((None if edge is None else -edge) if signed else 0, edge)


def _major(kind: Type, _: tuple[ir.Expr, ...]) -> Type:
    whole, _scale = facets.digits(kind)
    made = facets.of_decimal(None if whole is None else whole + 4, 4)
    unsigned = kind.minimum is not None and kind.minimum >= 0
    return facets.between(made, 0 if unsigned else None, None)


def _epoch(kind: Type, _: tuple[ir.Expr, ...]) -> Type:
    whole = kind.kind is Kind.INTEGER or kind.wire is Wire.EPOCH
    return Type(kind=Kind.INSTANT, wire=Wire.EPOCH if whole else Wire.PLAIN)


def _unix(_: Type, __: tuple[ir.Expr, ...]) -> Type:
    return facets.of_integer(-62_135_596_800, 253_402_300_799)


def _isodate(kind: Type, _: tuple[ir.Expr, ...]) -> Type:
    if kind.kind is Kind.TEXT:
        return Type(kind=Kind.DATE)
    return Type(kind=Kind.TEXT, min_length=10, max_length=10, upper=True)


def _date(_: Type, __: tuple[ir.Expr, ...]) -> Type:
    return Type(kind=Kind.DATE)


def _utc(_: Type, __: tuple[ir.Expr, ...]) -> Type:
    return Type(kind=Kind.INSTANT)


def _nonempty(kind: Type, _: tuple[ir.Expr, ...]) -> Type:
    # Nullable whatever the values are: tenants with other values share the function.
    if kind.values is not None:
        return facets.of_text(*filter(None, kind.values), nullable=True)
    return _replace(kind, min_length=max(kind.min_length or 0, 1), nullable=True)


def _join(kind: Type, arguments: tuple[ir.Expr, ...]) -> Type:
    item = kind.item
    if item is None or item.kind is not Kind.TEXT or item.nullable:
        raise Found("E04", "join takes a list of texts that are not null")
    length = None
    separator = arguments[0].type.max_length or 0
    least = kind.min_items or 0
    if item.max_length is not None and kind.max_items is not None:
        length = kind.max_items * item.max_length + max(kind.max_items - 1, 0) * separator
    return Type(
        kind=Kind.TEXT,
        min_length=least * (item.min_length or 0) + max(least - 1, 0) * separator,
        max_length=length,
        upper=item.upper and arguments[0].type.upper,
    )


# What they do to a type that needs them not --------------------------------------------------


def _no_cut(kind: Type, arguments: tuple[ir.Expr, ...]) -> str:
    if kind.max_length is None or kind.max_length > _number(arguments[-1]):
        return ""
    return f"never cuts: the text has at most {kind.max_length} characters; remove it"


def _no_part(kind: Type, arguments: tuple[ir.Expr, ...]) -> str:
    start, end = _number(arguments[0]), _number(arguments[1])
    if start >= end or (kind.max_length is not None and start >= kind.max_length):
        return f"is always empty: nothing stands from {start} up to {end}"
    return "" if start else _no_cut(kind, arguments)


def _never_empty(kind: Type, _: tuple[ir.Expr, ...]) -> str:
    return "the text is never empty; remove it" if (kind.min_length or 0) > 0 else ""


_TEXT: Final = frozenset({Kind.TEXT})
_NUMBERS: Final = frozenset({Kind.INTEGER, Kind.DECIMAL})


CONVERTERS: Final[dict[str, Converter]] = {
    "upper": Converter(kinds=_TEXT, change=_upper, exact=str.upper),
    "lower": Converter(kinds=_TEXT, change=_lower, exact=str.lower),
    "strip": Converter(kinds=_TEXT, change=_shorter, exact=str.strip),
    "cut": Converter(
        kinds=_TEXT, parameters=("int",), change=_cut, idle=_no_cut, shortens=True,
        exact=lambda text, size: text[:size],
    ),
    "part": Converter(
        kinds=_TEXT, parameters=("int", "int"), change=_part, idle=_no_part, shortens=True,
        exact=lambda text, start, end: text[start:end],
    ),
    "fit": Converter(
        kinds=_TEXT, parameters=("int",), change=_cut, idle=_no_cut, shortens=True, inverse="fit",
    ),
    "oneline": Converter(kinds=_TEXT, change=_shorter, exact=oneline),
    "fold": Converter(
        kinds=_TEXT, parameters=("widths", "int"), change=_fold, shortens=True,
        exact=lambda text, lines, number: fold(text, tuple(map(int, lines.split())), number),
    ),
    "remove": Converter(
        kinds=_TEXT, parameters=("text",), change=_shorter,
        exact=lambda text, gone: text.replace(gone, ""),
    ),
    "zfill": Converter(
        kinds=_TEXT, parameters=("int",), change=_zfill, exact=zfill, inverse="unzfill",
    ),
    "unzfill": Converter(kinds=_TEXT, change=_shorter, exact=unzfill),
    "text": Converter(kinds=frozenset({Kind.INTEGER}), change=_as_text),
    "amount": Converter(kinds=_NUMBERS, change=_plain),
    "round": Converter(kinds=_NUMBERS, parameters=("int",), change=_round),
    "minor": Converter(kinds=_NUMBERS, parameters=("currency",), change=_minor, inverse="major"),
    "major": Converter(
        kinds=frozenset({Kind.INTEGER}), parameters=("currency",), change=_major, inverse="minor",
    ),
    "epoch": Converter(
        kinds=frozenset({Kind.INTEGER, Kind.INSTANT}), change=_epoch, inverse="unix",
    ),
    "unix": Converter(kinds=frozenset({Kind.INSTANT}), change=_unix, inverse="epoch"),
    "isodate": Converter(
        kinds=frozenset({Kind.TEXT, Kind.DATE}), change=_isodate, inverse="isodate",
    ),
    "date": Converter(
        kinds=frozenset({Kind.INSTANT}), parameters=("zone",), change=_date,
    ),
    "utc": Converter(kinds=frozenset({Kind.INSTANT}), change=_utc, inverse="utc"),
    "nonempty": Converter(kinds=_TEXT, change=_nonempty, idle=_never_empty),
    "join": Converter(kinds=frozenset({Kind.LIST}), parameters=("separator",), change=_join),
}  # fmt: skip

# These three read more than a value and a constant; inference knows them itself.
NAMES: Final = (*CONVERTERS, "default", "required", "code")
