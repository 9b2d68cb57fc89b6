"""The tenant's configuration: what a mapping declares and what a tenant gives."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from gateway.kit.mapping import facets
from gateway.kit.mapping.codes import ENTRIES
from gateway.kit.mapping.document import Node
from gateway.kit.mapping.findings import did_you_mean
from gateway.kit.mapping.types import Kind, Type

Note = Callable[[str, str, int, str], None]

_FORM: Final = re.compile(r"(str|decimal|enum|int|bool|map)(?:\(([^()]*)\))?")
_DIGITS: Final = 4  # of a length
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def declared(section: Node, note: Note) -> dict[str, Type]:
    """The types of ``config:``, E16 for those that are none."""
    kinds: dict[str, Type] = {}
    content = section.value if isinstance(section.value, dict) else {}
    for name, node in content.items():
        kind = _kind(str(node.value)) if _NAME.fullmatch(name) else None
        if kind is None:
            form = "str(n), int, bool, decimal(p,s), enum(a,b) or map"
            note("E16", f"config/{name}", section.keys[name], f"{name}: a type is {form}")
        else:
            kinds[name] = kind
    return kinds


def _kind(text: str) -> Type | None:  # noqa: PLR0911 - one return for each form
    match = _FORM.fullmatch(text.strip())
    if match is None:
        return None
    form, arguments = (
        match[1],
        [each.strip() for each in (match[2] or "").split(",") if each.strip()],
    )
    if form == "enum" and arguments:
        return facets.of_text(*arguments[:1_000])
    numbers = [int(each) for each in arguments if each.isdecimal() and len(each) <= _DIGITS]
    if len(numbers) != len(arguments):
        return None
    if form == "str" and len(numbers) == 1:
        # No value is known yet, so none can be wrong: each tenant is checked with its own.
        return Type(kind=Kind.TEXT, min_length=0, max_length=numbers[0], values=(), upper=True)
    if form == "decimal" and len(numbers) == 2 and numbers[0] >= numbers[1]:  # noqa: PLR2004 - precision and scale
        return facets.of_decimal(*numbers)
    if numbers:
        return None
    plain = {
        "int": facets.of_integer(None, None),
        "bool": facets.BOOLEAN,
        "map": Type(kind=Kind.MAP, item=Type(kind=Kind.TEXT)),
    }
    return plain.get(form)


def settled(
    kinds: Mapping[str, Type], config: Mapping[str, Any] | None, note: Note
) -> tuple[dict[str, Type], dict[str, Any]]:
    """What is known of each setting with the tenant's values, and the values; E25 if one is wrong.

    Args:
        kinds: As declared.
        config: The tenant's; None for a check without tenant.
    """
    types = dict(kinds)
    if config is None:
        return types, {}
    values: dict[str, Any] = {}
    for name in config:
        if name not in kinds:
            guess = did_you_mean(str(name), kinds)
            note(
                "E25", f"config/{str(name)[:100]}", 0, f"the mapping declares no such value{guess}"
            )
    for name, kind in kinds.items():
        problem, values[name] = _value(kind, config.get(name))
        if problem:
            note("E25", f"config/{name}", 0, f"{name} {problem}")
        elif kind.kind is Kind.TEXT:
            types[name] = facets.of_text(values[name])
        elif kind.kind is Kind.INTEGER:
            types[name] = facets.of_integer(values[name], values[name])
    return types, values


def _value(kind: Type, value: Any) -> tuple[str, Any]:  # noqa: PLR0911 - one return a kind
    """What is wrong with a value, and the value as the mapping uses it."""
    if value is None:
        return "is missing in the tenant's configuration", None
    if kind.kind is Kind.TEXT:
        return _text(kind, value), value
    if kind.kind is Kind.MAP:
        return _map(value), value
    if kind.kind is Kind.BOOLEAN:
        return ("" if isinstance(value, bool) else "is true or false"), value
    if isinstance(value, bool):
        return "is a number", value
    if kind.kind is Kind.INTEGER:
        fits = isinstance(value, int) and abs(value) <= 10**15
        return ("" if fits else "is a whole number"), value
    return _decimal(kind, value)


def _text(kind: Type, value: Any) -> str:
    if not isinstance(value, str) or not _encodable(value):
        return "is a text, in quotes"
    if kind.values and value not in kind.values:
        return f"is one of {', '.join(kind.values[:8])}"
    if len(value) > (kind.max_length or 0):
        return f"has {len(value)} characters, {kind.max_length} are allowed"
    return ""


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _map(value: Any) -> str:
    if not isinstance(value, dict) or len(value) > ENTRIES:
        return f"is a map of at most {ENTRIES} texts"
    for key, each in value.items():
        if not isinstance(key, str) or not isinstance(each, str):
            return f"has an entry that is not a text: {str(key)[:40]}"
        if not _encodable(key + each) or len(key) + len(each) > 1_000:  # noqa: PLR2004 - characters
            return f"has an entry that is too long or not Unicode: {key[:40]!a}"
    return ""


def _decimal(kind: Type, value: Any) -> tuple[str, Any]:
    try:
        number = Decimal(value) if isinstance(value, str | int) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or len(str(value)) > 40:  # noqa: PLR2004 - characters
        return 'is a decimal in quotes, such as "0.19"', None
    whole = (kind.precision or 0) - (kind.scale or 0)
    if -exponent > (kind.scale or 0) or number.adjusted() >= max(whole, 1):
        return f"has at most {kind.precision} digits, {kind.scale} after the point", None
    return "", number
