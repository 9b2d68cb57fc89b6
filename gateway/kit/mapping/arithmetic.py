"""Types of results of arithmetic, and comparisons that have only one outcome."""

import re
from decimal import Decimal
from typing import Final

from gateway.kit.mapping import facets, ir
from gateway.kit.mapping.document import Node
from gateway.kit.mapping.expressions import ARGUMENT
from gateway.kit.mapping.findings import Found, did_you_mean
from gateway.kit.mapping.types import Kind, Type

_DECIMAL: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


def combined(symbol: str, left: Type, right: Type) -> Type:
    """The type of ``left symbol right``."""
    if left.kind is Kind.INTEGER and right.kind is Kind.INTEGER:
        return _integers(symbol, left, right)
    (whole, scale), (other_whole, other_scale) = facets.digits(left), facets.digits(right)
    if None in (whole, scale, other_whole, other_scale):
        return facets.of_decimal(None, None)
    whole, scale = whole or 0, scale or 0
    other_whole, other_scale = other_whole or 0, other_scale or 0
    if symbol == "*":
        after = scale + other_scale
        made = facets.of_decimal(whole + other_whole + after, after)
    else:
        after = max(scale, other_scale)
        made = facets.of_decimal(max(whole, other_whole) + 1 + after, after)
    return made if symbol == "-" else facets.between(made, _unsigned(left, right), None)


def _unsigned(*kinds: Type) -> int | None:
    """The least result of a sum or product of what is never negative."""
    return 0 if all(kind.minimum is not None and kind.minimum >= 0 for kind in kinds) else None


def _integers(symbol: str, left: Type, right: Type) -> Type:
    (a, b), (c, d) = bounds(left), bounds(right)
    if symbol == "+":
        return facets.of_integer(a + c, b + d)
    if symbol == "-":
        return facets.of_integer(a - d, b - c)
    products = (a * c, a * d, b * c, b * d)
    return facets.of_integer(min(products), max(products))


def bounds(kind: Type) -> tuple[int, int]:
    """The least and the greatest; without limits in the schema what 64 bits hold."""
    edge = facets.INT64
    return (
        -edge if kind.minimum is None else kind.minimum,
        edge if kind.maximum is None else kind.maximum,
    )


def times(kind: Type, count: int) -> Type:
    """The type of a sum of so many."""
    if kind.kind is Kind.INTEGER:
        low, high = bounds(kind)
        return facets.of_integer(min(low * count, 0), max(high * count, 0))
    if kind.precision is None:
        return facets.of_decimal(None, kind.scale)
    made = facets.of_decimal(kind.precision + len(str(count)), kind.scale)
    return facets.between(made, _unsigned(kind), None)


def one_sided(symbol: str, left: Type, right: Type) -> str:
    """Why a comparison has only one outcome; empty if it has both."""
    if symbol not in {"==", "!="}:
        return _by_range(symbol, left, right)
    outcome = "never" if symbol == "==" else "always"
    for one, two in ((left, right), (right, left)):
        if one.values is None or two.values is None or not two.values:
            continue
        if one.values and not set(one.values) & set(two.values):
            value = two.values[0]
            guess = did_you_mean(value, one.values)
            return f"{outcome} true: {value!r} is not among {', '.join(one.values[:8])}{guess}"
    for one, two in ((left, right), (right, left)):
        limit = one.max_length
        if two.values and limit is not None and all(len(value) > limit for value in two.values):
            return f"{outcome} true: the value has at most {limit} characters"
    if _apart(left, right) or _apart(right, left):
        return f"{outcome} true: the numbers are never equal"
    return ""


def _apart(low: Type, high: Type) -> bool:
    return low.maximum is not None and high.minimum is not None and low.maximum < high.minimum


def _by_range(symbol: str, left: Type, right: Type) -> str:
    if symbol in {">", ">="}:
        left, right = right, left
    strict = symbol in {"<", ">"}
    top, bottom = left.maximum, right.minimum
    if top is not None and bottom is not None and (top < bottom or (not strict and top <= bottom)):
        return "always true: by their ranges in the schema"
    low, high = left.minimum, right.maximum
    if low is not None and high is not None and (low > high or (strict and low >= high)):
        return "never true: by their ranges in the schema"
    return ""


def constant(text: object) -> ir.Const:
    """The decimal that a text stands for.

    Raises:
        Found: E15.
    """
    if not isinstance(text, str) or len(text) > facets.DIGITS or not _DECIMAL.fullmatch(text):
        raise Found("E15", 'write dec("1.50")')
    number = Decimal(text) + 0  # no -0.00
    _, figures, exponent = number.as_tuple()
    scale = -int(exponent)
    return ir.Const(type=facets.of_decimal(max(len(figures), scale), scale), value=number)


def written(node: Node) -> ir.Const:
    """What stands behind ``const:``.

    Raises:
        Found: E16.
    """
    value = node.value
    if isinstance(value, bool):
        return ir.Const(type=facets.BOOLEAN, value=value)
    if isinstance(value, int):
        return ir.Const(type=facets.of_integer(value, value), value=value)
    if isinstance(value, str) and len(value) <= ARGUMENT:
        return ir.Const(type=facets.of_text(value), value=value)
    raise Found("E16", "const: is a text, a whole number, true or false")
