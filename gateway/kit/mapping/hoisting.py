"""Which paths deserve a local variable, as a good engineer would see it."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from gateway.kit.mapping import ir
from gateway.kit.mapping.scope import key_of


def children(value: ir.Expr) -> Iterator[ir.Expr]:
    """The expressions inside an expression."""
    for name in _PARTS.get(type(value), ()):
        part = getattr(value, name)
        if isinstance(part, tuple):
            yield from part
        elif part is not None:
            yield part


_PARTS: Final[dict[type[ir.Expr], tuple[str, ...]]] = {
    ir.Get: ("operand",),
    ir.Convert: ("operand", "arguments"),
    ir.Lookup: ("operand", "default", "first"),
    ir.Template: ("parts",),
    ir.Arithmetic: ("operands",),
    ir.Compare: ("left", "right"),
    ir.Among: ("operand",),
    ir.Logic: ("parts",),
    ir.Not: ("operand",),
    ir.Has: ("operand",),
    ir.Choice: ("condition", "then", "other"),
    ir.Fold: ("items", "condition", "body"),
}


def within(fields: tuple[ir.Field, ...]) -> Iterator[tuple[ir.Expr, int]]:
    """The expressions of fields and of what is nested in them, with how many loops are around."""
    for field in fields:
        if isinstance(field, ir.Rule):
            yield field.value, 0
            if field.condition is not None:
                yield field.condition, 0
            continue
        for block in field.blocks:
            yield from _of_block(block)


def _of_block(block: ir.Block) -> Iterator[tuple[ir.Expr, int]]:
    loops = int(block.items is not None)
    if block.items is not None:
        yield block.items, 0
    for _, key in block.keys:
        yield key, 1
    for total in block.totals:
        if total.body is not None:
            yield total.body, 1
    if block.condition is not None:
        yield block.condition, loops
    for value, depth in within(block.fields):
        yield value, depth + loops


def worth(
    values: Iterator[tuple[ir.Expr, int]], roots: frozenset[str], known: frozenset[str]
) -> list[ir.Get]:
    """Paths that are read twice, or in a loop, and can be read at this place; prefixes first.

    Args:
        values: Expressions with the number of loops around them.
        roots: Names that exist at this place.
        known: Paths that are not null from here on.
    """
    counts: Counter[str] = Counter()
    found: dict[str, ir.Get] = {}
    for value, loops in values:
        for get in _gets(value):
            counts[get.key] += 2 if loops else 1
            found.setdefault(get.key, get)
    chosen = [
        get
        for key, get in found.items()
        if counts[key] > 1 and _root(get) in roots and _readable(get.operand, known)
    ]
    return sorted(chosen, key=lambda get: get.key.count("."))


def _gets(value: ir.Expr) -> Iterator[ir.Get]:
    if isinstance(value, ir.Get):
        yield value
    for part in children(value):
        yield from _gets(part)


def _root(value: ir.Expr) -> str:
    while isinstance(value, ir.Get):
        value = value.operand
    return value.name if isinstance(value, ir.Name) else ""


def _readable(value: ir.Expr, known: frozenset[str]) -> bool:
    """The object is there, without a condition that is checked further inside."""
    while isinstance(value, ir.Get | ir.Name):
        if value.type.nullable or (value.narrowed and key_of(value) not in known):
            return False
        if isinstance(value, ir.Name):
            return True
        value = value.operand
    return False
