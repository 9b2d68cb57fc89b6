"""What is known about values: types made, and whether a value fits into a field."""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from math import inf
from typing import Final

import msgspec

from gateway.kit.mapping import ir
from gateway.kit.mapping.document import Node
from gateway.kit.mapping.types import Field, Kind, Type, Wire, least, most, widened

# A list whose schema names no limit; the compiled mapping refuses longer ones where a sum or a
# position relies on it.
LIST_ITEMS: Final = 9_999
DIGITS: Final = 28  # of Decimal's own arithmetic

# Of decimals whose schema states no digits: those of gateway.model.money, checked when they run.
WHOLE_DIGITS: Final = 13
SCALE: Final = 4

INT64: Final = 2**63
OPEN_TEXT: Final = 10_000  # what a text without stated length counts in a template
LONGEST_TEXT: Final = 1_000_000

_SHOWN: Final = 8  # values in a message
_DOUBLE: Final = 2**53
_MOMENT: Final = 27  # characters of 2026-03-29T01:30:00.123456Z

# A pattern that is made of the characters it takes, and of ranges of letters and digits.
_NAMED: Final = re.compile(
    r"\^(?:\(\?:)?(?:\[(?:A-Z|a-z|0-9|[A-Za-z0-9])+\]|[A-Za-z0-9]|\{[0-9,]+\})+\)?\\Z"
)

# Values that are decoded as they are written.
_AS_THEY_ARE: Final = frozenset({Kind.TEXT, Kind.INTEGER, Kind.BOOLEAN})

# Characters of what has no length of its own in a schema, where it has a width in a file.
_LONGEST: Final = {
    Kind.DATE: 10, Kind.TIME: 8, Kind.INSTANT: _MOMENT, Kind.BOOLEAN: 5, Kind.DECIMAL: DIGITS,
}  # fmt: skip
_LAST: Final = dt.datetime(2026, 12, 31, 23, 59, 59, 999_999, dt.UTC)

BOOLEAN: Final = Type(kind=Kind.BOOLEAN)
Complaint = tuple[str, str]


def of_text(*values: str, nullable: bool = False) -> Type:
    """Text that is one of some values."""
    return Type(
        kind=Kind.TEXT,
        nullable=nullable,
        min_length=min(map(len, values), default=0),
        max_length=max(map(len, values), default=0),
        values=values,
        upper=all(value == value.upper() for value in values),
    )


def of_integer(minimum: int | None, maximum: int | None, *, nullable: bool = False) -> Type:
    """A whole number in a range."""
    numbers = (minimum,) if minimum is not None and minimum == maximum else None
    return Type(
        kind=Kind.INTEGER, nullable=nullable, minimum=minimum, maximum=maximum, numbers=numbers
    )


def of_decimal(precision: int | None, scale: int | None, *, nullable: bool = False) -> Type:
    """A decimal with at most so many digits."""
    return Type(kind=Kind.DECIMAL, nullable=nullable, precision=precision, scale=scale)


def between(kind: Type, minimum: int | None, maximum: int | None) -> Type:
    """The number in a range."""
    made: Type = msgspec.structs.replace(kind, minimum=minimum, maximum=maximum)
    return made


def amount_like(kind: Type) -> Type:
    """A decimal without stated digits with those of an amount of money."""
    scale = SCALE if kind.scale is None else kind.scale
    made: Type = msgspec.structs.replace(kind, precision=WHOLE_DIGITS + scale, scale=scale)
    return made


def non_null(kind: Type) -> Type:
    """The type without null."""
    return msgspec.structs.replace(kind, nullable=False) if kind.nullable else kind


def nullable(kind: Type) -> Type:
    """The type with null."""
    return kind if kind.nullable else msgspec.structs.replace(kind, nullable=True)


def names_characters(kind: Type) -> bool:
    """Its pattern takes nothing but letters from A to Z and digits."""
    return _NAMED.fullmatch(kind.regex) is not None


def is_single(kind: Type | None) -> bool:
    """One value such as a text or a number, not made of others."""
    made_of_others = {Kind.OBJECT, Kind.LIST, Kind.MAP, Kind.ANY}
    return kind is not None and kind.kind not in made_of_others


def digits(kind: Type) -> tuple[int | None, int | None]:
    """Digits before and after the point of a number; None where nothing is known."""
    if kind.kind is Kind.INTEGER:
        if kind.minimum is None or kind.maximum is None:
            return None, 0
        return len(str(max(abs(kind.minimum), abs(kind.maximum)))), 0
    if kind.precision is None:
        return None, kind.scale
    return kind.precision - (kind.scale or 0), kind.scale or 0


def describe(kind: Type) -> str:
    """A type in words: ``text(40)``, ``decimal(15, 2)``, ``list``."""
    if kind.kind is Kind.TEXT and kind.max_length is not None:
        return f"text({kind.max_length})"
    if kind.kind is Kind.DECIMAL and kind.precision is not None:
        return f"decimal({kind.precision}, {kind.scale or 0})"
    return kind.kind.value


def join(first: Type, second: Type) -> Type | None:
    """The type of a value that is of one or the other; None where there is no such type."""
    if first.kind is not second.kind:
        numbers = {Kind.INTEGER, Kind.DECIMAL}
        if {first.kind, second.kind} != numbers:
            return None
        return _join_numbers(first, second)
    if first.kind is Kind.DECIMAL:
        return _join_numbers(first, second)
    if first.kind in {Kind.OBJECT, Kind.LIST, Kind.MAP} and first.shape is not second.shape:
        return None
    return widened(first, second)


def _join_numbers(first: Type, second: Type) -> Type:
    (whole, scale), (other_whole, other_scale) = digits(first), digits(second)
    before, after = most(whole, other_whole), most(scale, other_scale)
    known = before is not None and after is not None
    made = of_decimal(
        before + after if known and before is not None and after is not None else None,
        after,
        nullable=first.nullable or second.nullable,
    )
    return between(made, least(first.minimum, second.minimum), most(first.maximum, second.maximum))


# Into a field --------------------------------------------------------------------------------


def misfits(value: ir.Expr, target: Type) -> Iterator[Complaint]:
    """Why values of an expression cannot all be written into a field, null aside."""
    source = value.type
    if (source.kind is Kind.LIST) != (target.kind is Kind.LIST) and target.kind is not Kind.ANY:
        yield "E14", _list_or_not(source, target)
        return
    check = _CHECKS.get((source.kind, target.kind))
    if check is not None:
        yield from check(value, target)
        yield from _wider(value, target)
    elif target.kind is Kind.ANY:
        inner = source.item if source.kind in {Kind.LIST, Kind.MAP} else source
        if not is_single(inner) and (inner is None or inner.kind is not Kind.ANY):
            # Only the fields that a rule reads are decoded.
            yield "E04", f"{describe(source)} cannot be passed on whole: write its fields"
    else:
        yield "E04", f"the field takes {describe(target)}, this is {_hint(source, target)}"


def _wider(value: ir.Expr, target: Type) -> Iterator[Complaint]:
    """A column of a file has a width, also for what is no text."""
    limit, longest = target.max_length, _LONGEST.get(target.kind, 0)
    if limit is None or not longest:
        return
    if target.kind is Kind.DECIMAL:
        whole, scale = digits(value.type)
        signed = value.type.minimum is None or value.type.minimum < 0
        longest = (whole or 1) + signed + (scale + 1 if scale else 0)
    elif target.wire is Wire.PATTERN:
        longest = len(_LAST.strftime(target.pattern))
    if longest > limit:
        yield "E06", f"the column has {limit} characters, this may have {longest}"


def unclearable(mark: object, value: ir.Expr, target: Type) -> Iterator[Complaint]:
    """Why ``clear:`` cannot write null into a field, or never would."""
    if mark is not True:
        yield "E16", "write clear: true, or leave it out"
    elif not target.nullable:
        yield "E05", "the field takes no null: clear: true cannot empty it"
    elif not value.type.nullable:
        yield "W26", "clear without effect: the value is never null; remove it"


def unomittable(mark: Node | None, field: Field) -> Iterator[Complaint]:
    """Why ``omit:`` cannot leave a list out."""
    if mark is None:
        return
    if mark.value is not True:
        yield "E16", "write omit: true, or leave it out"
    elif field.required:
        yield "E05", "the list is required: omit: true cannot leave it out"


def _list_or_not(source: Type, target: Type) -> str:
    if source.kind is Kind.LIST:
        return f"the field takes one {describe(target)}, this is a list: use first(… for …) or join"
    return "the field is a list: write each:, group: or a list of blocks"


def _hint(source: Type, target: Type) -> str:
    hints = {
        (Kind.INTEGER, Kind.TEXT): "an integer: add | text",
        (Kind.DECIMAL, Kind.TEXT): "a decimal: add | amount",
        (Kind.DATE, Kind.TEXT): "a date: add | isodate",
        (Kind.TEXT, Kind.DATE): "text: add | isodate",
        (Kind.INTEGER, Kind.INSTANT): "an integer: add | epoch if it counts seconds",
        (Kind.OBJECT, Kind.OBJECT): "an object: write fields:",
    }
    return hints.get((source.kind, target.kind), describe(source))


def _text(value: ir.Expr, target: Type) -> Iterator[Complaint]:
    if value.type.values is not None:
        yield from _known_texts(value, value.type.values, target)
        return
    source = value.type
    if target.values is not None:
        yield "E09", f"the field takes only {_some(target.values)}, this is any text: add | code"
    if target.max_length is not None and (
        source.max_length is None or source.max_length > target.max_length
    ):
        length = "any length" if source.max_length is None else f"up to {source.max_length}"
        yield (
            "E06",
            (
                f"the field takes {target.max_length} characters, this has {length}: "
                f"add | cut({target.max_length}) or | fit({target.max_length})"
            ),
        )
    if target.upper and not source.upper:
        yield "E20", "the field keeps upper case only: add | upper"
    if (source.min_length or 0) < (target.min_length or 0):
        yield "W28", f"the field needs {target.min_length} characters, this may be shorter"


def _known_texts(value: ir.Expr, texts: tuple[str, ...], target: Type) -> Iterator[Complaint]:
    fixed = is_fixed(value)
    limit = target.max_length
    for text in texts:
        if target.values is not None and text not in target.values:
            yield "E09", f"{text[:40]!r} is not one of {_some(target.values)}"
        if limit is not None and len(text) > limit:
            yield (
                "E17" if fixed else "E06",
                f"{text[:40]!r} has {len(text)} characters, the field takes {limit}",
            )
        if target.upper and text != text.upper():
            yield "E20", f"the field keeps upper case only, {text[:40]!r} is not: add | upper"
        elif fixed and not re.search(target.regex, text):
            yield "E09", f"{text[:40]!r} does not match the pattern of the field"
        if len(text) < (target.min_length or 0):
            yield "W28", f"{text[:40]!r} is shorter than {target.min_length} characters"


def _some(values: tuple[str, ...]) -> str:
    shown = ", ".join(values[:_SHOWN])
    return shown + (", …" if len(values) > _SHOWN else "")


def _integer(value: ir.Expr, target: Type) -> Iterator[Complaint]:
    source = value.type
    low = target.minimum is not None and (source.minimum is None or source.minimum < target.minimum)
    high = target.maximum is not None and (
        source.maximum is None or source.maximum > target.maximum
    )
    if low or high:
        yield (
            "E06",
            (
                f"the field takes {target.minimum} to {target.maximum}, "
                f"this is {_bound(source.minimum)} to {_bound(source.maximum)}"
            ),
        )

    if target.numbers is not None and not set(source.numbers or ("any",)) <= set(target.numbers):
        yield "E09", f"the field takes only {_some(tuple(map(str, target.numbers)))}"
    elif source.step % target.step and any(each % target.step for each in source.numbers or (1,)):
        yield "E09", f"the field takes multiples of {target.step}"


def _flag(value: ir.Expr, target: Type) -> Iterator[Complaint]:
    if target.numbers is not None and not _flags(value) <= set(target.numbers):
        yield "E09", f"the field is always {'true' if 1 in target.numbers else 'false'}"


def _flags(value: ir.Expr) -> set[object]:
    if isinstance(value, ir.Choice):
        return _flags(value.then) | _flags(value.other)
    return {value.value} if isinstance(value, ir.Const) else {True, False}


def _bound(number: int | None) -> str:
    return "any" if number is None else str(number)


def _number(value: ir.Expr, target: Type) -> Iterator[Complaint]:
    whole, scale = digits(value.type)
    if target.precision is not None:
        room = target.precision - (target.scale or 0)
        if whole is None or whole > room:
            known = "any number of" if whole is None else str(whole)
            yield "E06", f"the field has {room} digits before the point, this {known}"
            return
    if target.scale is not None and (scale is None or scale > target.scale):
        known = "any number of" if scale is None else str(scale)
        yield (
            "E07",
            (f"the field has {target.scale} decimals, this {known}: add | round({target.scale})"),
        )
    yield from _range(value, target)


def _range(value: ir.Expr, target: Type) -> Iterator[Complaint]:
    """Bounds of decimals are whole numbers at or outside those of the schema."""
    whole, _ = digits(value.type)
    least, most = value.type.minimum, value.type.maximum
    if isinstance(value, ir.Const) and isinstance(value.value, Decimal):
        low, high = value.value, value.value
    else:
        edge = Decimal("Infinity") if whole is None else Decimal(10) ** whole
        low = -edge if least is None else Decimal(least)
        high = edge if most is None else Decimal(most)
    below = target.minimum is not None and low < target.minimum
    if below or (target.maximum is not None and high > target.maximum):
        yield (
            "E06",
            (
                f"the field takes {_bound(target.minimum)} to {_bound(target.maximum)}, "
                f"this is {_bound(least)} to {_bound(most)}"
            ),
        )


def _whole(value: ir.Expr, target: Type) -> Iterator[Complaint]:
    if value.type.scale != 0:
        yield "E07", "the field takes whole numbers: add | round(0)"
        return
    whole, _ = digits(value.type)
    edges = [abs(edge) for edge in (target.minimum, target.maximum) if edge is not None]
    if edges and (whole is None or 10**whole - 1 > min(edges)):
        yield "E06", f"the field takes {target.minimum} to {target.maximum}"


def _as_double(value: ir.Expr, _: Type) -> Iterator[Complaint]:
    least, most = value.type.minimum, value.type.maximum
    if least is None or most is None or max(-least, most) > _DOUBLE:
        yield "E07", f"floating point keeps whole numbers up to {_DOUBLE} only"


def _floating(_: ir.Expr, target: Type) -> Iterator[Complaint]:
    yield "E07", f"floating point does not keep decimals: {describe(target)} needs a decimal"


def _zone(value: ir.Expr, target: Type) -> Iterator[Complaint]:
    if value.type.zoned != target.zoned and not is_utc(value):
        which = "has no zone" if value.type.zoned else "needs a zone"
        yield "E07", f"the field {which}: add | utc"
    if target.wire is Wire.EPOCH and not counts_seconds(value):
        yield "E07", "the field counts whole seconds, this may have a fraction: add | unix | epoch"


def _day_of(_: ir.Expr, __: Type) -> Iterator[Complaint]:
    yield "E07", 'the field is a day, this a moment: add | date("Europe/Berlin") with your zone'


def _midnight(_: ir.Expr, target: Type) -> Iterator[Complaint]:
    if target.zoned:
        yield "E04", "the field is a moment, this a day"


def _moment_as_text(value: ir.Expr, target: Type) -> Iterator[Complaint]:
    if not is_utc(value):
        yield "E04", "the field takes text, this is a moment: add | utc"
    elif target.values is not None:
        yield "E09", f"the field takes only {_some(target.values)}, this is a moment"
    elif target.max_length is not None and target.max_length < _MOMENT:
        yield "E06", f"the field takes {target.max_length} characters, a moment has up to 27"


def is_fixed(value: ir.Expr) -> bool:
    """Its texts stand in the mapping or the configuration, not in the source."""
    if isinstance(value, ir.Name):
        return value.fixed
    return isinstance(value, ir.Const | ir.Lookup | ir.Setting)


def is_utc(value: ir.Expr) -> bool:
    """The moment was put into UTC in so many words."""
    return isinstance(value, ir.Convert) and value.converter in {"utc", "epoch"}


def counts_seconds(value: ir.Expr) -> bool:
    """A moment without fraction of a second."""
    if isinstance(value, ir.Convert) and value.converter == "utc":
        return counts_seconds(value.operand)
    return value.type.wire is Wire.EPOCH


def miscounts(blocks: list[ir.Block], target: Type) -> Iterator[Complaint]:
    """Why the items of some blocks may be too many for a list, or too few."""
    least, most = 0, 0.0
    for block in blocks:
        over = Type(kind=Kind.LIST, min_items=1, max_items=1)
        over = over if block.items is None else block.items.type
        fewest = over.min_items or 0
        least += 0 if block.condition is not None else min(fewest, 1) if block.keys else fewest
        most += inf if over.max_items is None else over.max_items
    yield from _count(least, most, target)


def _count(least: int, most: float, target: Type) -> Iterator[Complaint]:
    if target.max_items is not None and most > target.max_items:
        known = "any number" if most == inf else f"up to {most}"
        yield "E06", f"the field takes {target.max_items} elements, this may have {known}"
    if least < (target.min_items or 0):
        yield "W28", f"the field needs {target.min_items} elements, this may have fewer"


def _elements(value: ir.Expr, target: Type) -> Iterator[Complaint]:
    item, wanted = value.type.item, target.item
    if item is None or wanted is None:
        yield "E04", "the schema does not say what the elements are"
        return
    if item.kind not in _AS_THEY_ARE or item.wire is not wanted.wire:
        how = "fields:" if item.kind in {Kind.OBJECT, Kind.LIST} else "value:"
        yield "E04", f"{describe(item)} cannot be passed on as it is: write each: and {how}"
        return
    if item.nullable and not wanted.nullable:
        yield "E05", "an element may be null: write each: with when: has(…)"
    yield from misfits(ir.Name(type=item, name=""), wanted)
    most = inf if value.type.max_items is None else value.type.max_items
    yield from _count(value.type.min_items or 0, most, target)


def _binary(value: ir.Expr, target: Type) -> Iterator[Complaint]:
    if value.type.wire is not target.wire:
        yield "E04", "one is in base64, the other in hexadecimal digits"
    yield from _text(value, target)


def _fits(_: ir.Expr, __: Type) -> Iterator[Complaint]:
    return iter(())


_CHECKS: Final = {
    (Kind.TEXT, Kind.TEXT): _text,
    (Kind.INTEGER, Kind.INTEGER): _integer,
    (Kind.INTEGER, Kind.DECIMAL): _number,
    (Kind.DECIMAL, Kind.DECIMAL): _number,
    (Kind.DECIMAL, Kind.INTEGER): _whole,
    (Kind.FLOAT, Kind.FLOAT): _fits,
    (Kind.INTEGER, Kind.FLOAT): _as_double,
    (Kind.FLOAT, Kind.DECIMAL): _floating,
    (Kind.FLOAT, Kind.INTEGER): _floating,
    (Kind.DECIMAL, Kind.FLOAT): _floating,
    (Kind.BOOLEAN, Kind.BOOLEAN): _flag,
    (Kind.DATE, Kind.DATE): _fits,
    (Kind.DATE, Kind.INSTANT): _midnight,
    (Kind.INSTANT, Kind.DATE): _day_of,
    (Kind.INSTANT, Kind.INSTANT): _zone,
    (Kind.INSTANT, Kind.TEXT): _moment_as_text,
    (Kind.TIME, Kind.TIME): _fits,
    (Kind.BINARY, Kind.BINARY): _binary,
    (Kind.MAP, Kind.MAP): _elements,
    (Kind.LIST, Kind.LIST): _elements,
}
