"""What the compiler asks of an expression."""

from typing import TypeGuard

from gateway.kit.mapping import ir
from gateway.kit.mapping.hoisting import children
from gateway.kit.mapping.types import Wire


def unproven(value: ir.Expr) -> bool:
    """The length rests on an assumption; so does that of amounts, whose digits no Struct limits."""
    return value.assumed or (isinstance(value, ir.Convert) and value.converter == "amount")


def needs_no_statement(value: ir.Expr) -> bool:
    """It is one expression, without a loop before it."""
    if isinstance(value, ir.Fold) and value.variable:
        return False
    return all(needs_no_statement(each) for each in children(value))


def passes_null(value: ir.Expr) -> TypeGuard[ir.Convert | ir.Lookup]:
    """Null in, null out, and nothing else to do."""
    if isinstance(value, ir.Convert):
        return value.converter not in {"default", "required", "epoch", "utc"}
    return isinstance(value, ir.Lookup) and value.first is None


def makes_null(value: ir.Expr) -> bool:
    """Null may come out though none goes in."""
    if isinstance(value, ir.Lookup):
        return value.holes
    return isinstance(value, ir.Convert) and value.converter == "nonempty"


def major_as_text(field: ir.Rule) -> ir.Convert | None:
    """The converter, if units of a currency are written as text."""
    value = field.value
    if not isinstance(value, ir.Convert) or value.converter != "major":
        return None
    direct = field.type.wire is Wire.TEXT and not value.operand.type.nullable
    return value if direct else None
