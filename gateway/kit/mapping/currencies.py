"""Amounts of money: which currency they are in, and whether in its units (cents) or not.

An amount is the field of that name in an object with one currency beside it: ``amount`` and
``currency`` of our Money, ``amount_received`` and ``currency`` of Stripe, or what a schema itself
calls its unit. Whole numbers count the smallest unit of the currency, decimals do not.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from gateway.kit.mapping import ir
from gateway.kit.mapping.findings import Found
from gateway.kit.mapping.types import Kind, Shape, Type

_NUMBERS: Final = frozenset({Kind.INTEGER, Kind.DECIMAL})
_SAME: Final = frozenset({"upper", "lower", "required"})  # change the spelling, not the currency


def beside(shape: Shape | None, name: str) -> str:
    """The field with the currency of an amount; empty if it is no amount, or that is not clear."""
    if shape is None or shape.fields[name].type.kind not in _NUMBERS:
        return ""
    unit = shape.fields[name].unit
    if unit:
        return unit if "currency" in unit.lower() else ""
    found = [
        each.name
        for each in shape.fields.values()
        if each.type.kind is Kind.TEXT and "currency" in each.name.lower()
    ]
    lone = name == "value" and len(shape.fields) == len(found) + 1
    return found[0] if len(found) == 1 and ("amount" in name.lower() or lone) else ""


def of(owner: Type, name: str, key: str) -> frozenset[ir.Currency]:
    """What a field is counted in, if it is an amount."""
    if owner.kind is not Kind.OBJECT or owner.shape is None:
        return frozenset()
    found = beside(owner.shape, name)
    cents = owner.shape.fields[name].type.kind is Kind.INTEGER
    return frozenset({ir.Currency(key.removesuffix(name) + found, cents)} if found else ())


def is_money(owner: Type, name: str) -> bool:
    """An object of amount and currency and nothing else, whatever it is called."""
    return (
        name == "amount"
        and owner.shape is not None
        and owner.shape.fields.keys() == {"amount", "currency"}
    )


def key(value: ir.Expr, named: Callable[[str], ir.Expr | None]) -> str:
    """The field of the source that a currency is read from, as it is written; empty for others.

    Args:
        named: What a name stands for.
    """
    found = ""
    while isinstance(value, ir.Convert) and value.converter in _SAME:
        value = value.operand
    if isinstance(value, ir.Get):
        found = value.key
    elif isinstance(value, ir.Name):
        behind = named(value.name)
        found = value.name if behind is None else key(behind, named)
    return "" if found.startswith("needs.") else found


def refuse_mixed(left: ir.Expr, right: ir.Expr, *, multiply: bool) -> None:
    """Stop arithmetic and comparisons of amounts that do not have one currency and one unit.

    Raises:
        Found: E31.
    """
    if not left.currencies or not right.currencies:
        return
    if multiply:
        raise Found("E31", "two amounts of money cannot be multiplied")
    several = left.currencies | right.currencies
    if len({each.field for each in several}) > 1:
        names = " and ".join(_fields(several))
        raise Found("E31", f"{names} may be different currencies: compare them in Python first")
    if len(several) > 1:
        raise Found("E31", "one amount counts cents, the other does not: add | major or | minor")


def _fields(found: frozenset[ir.Currency]) -> list[str]:
    return sorted({each.field for each in found})


def refuse_other(converter: str, amount: ir.Expr, currency: str) -> None:
    """Stop ``| major(cur)`` and ``| minor(cur)`` with a currency that is not that of the amount.

    Raises:
        Found: E31.
    """
    fields = _fields(amount.currencies)
    if currency and fields and fields != [currency]:
        theirs = " or ".join(fields)
        raise Found("E31", f"{converter}({currency}): the currency of this amount is {theirs}")


def converted(converter: str, amount: ir.Expr) -> frozenset[ir.Currency]:
    """What an amount is counted in after a converter."""
    if converter in {"major", "minor"}:
        cents = converter == "minor"
        return frozenset(ir.Currency(each.field, cents) for each in amount.currencies)
    return amount.currencies if converter in {"round", "amount"} else frozenset()


def wrong_unit(value: ir.Expr, target: Kind) -> str:
    """Why an amount cannot be written into a number; empty if it can."""
    cents = {each.cents for each in value.currencies}
    if target is Kind.DECIMAL and True in cents:
        return "the amount counts cents: add | major(CURRENCY)"
    if target is Kind.INTEGER and False in cents:
        return "the amount does not count cents, whole numbers of money do: add | minor(CURRENCY)"
    return ""


def strange(
    fields: Iterable[ir.Field], shape: Shape, key_in: Callable[[ir.Expr], str]
) -> Iterator[tuple[ir.Place, str]]:
    """Amounts of an object that are written beside the currency of another amount.

    Args:
        key_in: The field that a currency is read from.
    """
    rules = {rule.target: rule for rule in fields if isinstance(rule, ir.Rule)}
    for rule in rules.values():
        other = rules.get(beside(shape, rule.target))
        found = key_in(other.value) if other is not None else ""
        known = _fields(rule.value.currencies)
        if found and known and found not in known:
            theirs = " or ".join(known)
            yield rule.place, f"the amount is in {theirs}, {found} is written beside it"
