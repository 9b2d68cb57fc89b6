"""Everything that is wrong with a request, all at once, each with its JSON pointer.

The quick way is msgspec, which stops at the first difference. Only where it found one, the slow
way looks for all of them. No text here repeats what was sent: it may be personal.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import jsonschema
import msgspec

from gateway.model import codec
from gateway.model.money import Money, scale
from gateway.model.order import NewOrder

MAX_DEPTH: Final = 64
_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BRACKETS: Final = re.compile(rb"[\[{\]}]")
_CARD: Final = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")


class FieldError(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        pointer: RFC 6901, ``/items/0/quantity``; empty for the whole body.
        code: Stable name of the rule.
        detail: What to do, in a sentence.
        header: The header that is wrong, where it is not the body.
    """

    pointer: str
    code: str
    detail: str
    header: str = ""


class Invalid(Exception):  # noqa: N818 - the request is, not the program
    """The request is wrong; nothing was stored."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("The request is wrong.")
        self.errors = errors


def read_order(body: bytes, *, currencies: tuple[str, ...]) -> NewOrder:
    """The order that a front-end sent.

    Raises:
        Invalid: With everything that is wrong.
    """
    _check_text(body)
    try:
        order = codec.decode(body, NewOrder)
    except msgspec.DecodeError as error:
        raise Invalid(_all_errors(body, error)) from error
    errors = tuple(_order_errors(order, currencies))
    if errors:
        raise Invalid(errors)
    return order


def _check_text(body: bytes) -> None:
    """Refuse what decoders disagree about: deep nesting and names that stand twice."""
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(body) > MAX_DEPTH:
        raise Invalid((FieldError("", "too_deep", f"Nest at most {MAX_DEPTH} levels."),))
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> None:
        names = {name for name, _ in items}
        if len(names) != len(items):
            seen: set[str] = set()
            twice.extend(name for name, _ in items if name in seen or seen.add(name))  # type: ignore[func-returns-value] # set.add in a filter

    try:
        json.loads(body, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return  # msgspec says what is wrong with it
    if twice:
        raise Invalid(
            tuple(
                FieldError(f"/{_escape(name)}", "duplicate_key", "Send each name once.")
                for name in sorted(set(twice))
            )
        )


def _depth(body: bytes) -> int:
    deepest = depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _all_errors(body: bytes, first: msgspec.DecodeError) -> tuple[FieldError, ...]:
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return (FieldError("", "not_json", "Send one JSON object in UTF-8."),)
    found = [*_schema_errors(data), *_money_errors(data, "")]
    if not found:
        found.append(_first_error(first))
    unique = {(one.pointer, one.code): one for one in found}
    return tuple(sorted(unique.values(), key=lambda one: one.pointer))


def _first_error(error: msgspec.DecodeError) -> FieldError:
    reason, _, path = str(error).partition(" - at `$")
    pointer = re.sub(r"\[(\d+|\.\.\.)\]|\.", lambda m: f"/{m.group(1) or ''}", path.rstrip("`"))
    return FieldError(pointer.replace("//", "/"), "invalid", reason)


_VALIDATOR: Final = jsonschema.Draft202012Validator(codec.schema(NewOrder))


def _schema_errors(data: Any) -> Iterator[FieldError]:
    for error in _VALIDATOR.iter_errors(data):
        yield from _explain(error)


def _explain(error: jsonschema.ValidationError) -> Iterator[FieldError]:
    pointer = "".join(f"/{_escape(str(part))}" for part in error.absolute_path)
    keyword, value = error.validator, error.validator_value
    if keyword == "required":
        for name in value:
            if isinstance(error.instance, dict) and name not in error.instance:
                yield FieldError(f"{pointer}/{_escape(name)}", "missing", "Give this field.")
    elif keyword == "additionalProperties":
        known = set(_properties(error.schema))
        for name in sorted(set(error.instance) - known):
            yield FieldError(f"{pointer}/{_escape(name)}", "unknown_field", _unknown(name, known))
    elif keyword in {"anyOf", "oneOf"} and error.context:
        relevant = [one for one in error.context if one.validator_value != "null"]
        for one in relevant:
            yield from _explain(one)
    else:
        yield FieldError(pointer, _CODES.get(str(keyword), "invalid"), _advice(keyword, value))


def _properties(schema: Any) -> tuple[str, ...]:
    return tuple(schema.get("properties", ())) if isinstance(schema, dict) else ()


_CODES: Final = {
    "type": "wrong_type",
    "enum": "not_allowed",
    "pattern": "wrong_format",
    "minLength": "too_short",
    "maxLength": "too_long",
    "minItems": "too_few",
    "maxItems": "too_many",
    "minimum": "too_small",
    "maximum": "too_large",
}
_ADVICE: Final = {
    "type": "Send a value of type {}.",
    "enum": "Send one of {}.",
    "pattern": "Match the pattern {}.",
    "minLength": "Send at least {} characters.",
    "maxLength": "Send at most {} characters.",
    "minItems": "Send at least {} entries.",
    "maxItems": "Send at most {} entries.",
    "minimum": "Send at least {}.",
    "maximum": "Send at most {}.",
}


def _advice(keyword: Any, value: Any) -> str:
    shown = ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)
    return _ADVICE.get(str(keyword), "Correct this field.").format(shown)


def _unknown(name: str, known: set[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, n=1)
    return (
        f"There is no such field; did you mean {close[0]}?"
        if close
        else ("There is no such field; leave it out.")
    )


def _money_errors(data: Any, pointer: str) -> Iterator[FieldError]:
    """What the schema cannot say of amounts: decimals and currencies."""
    if isinstance(data, list):
        for index, item in enumerate(data):
            yield from _money_errors(item, f"{pointer}/{index}")
    elif isinstance(data, dict):
        amount, currency = data.get("amount"), data.get("currency")
        if isinstance(amount, str) and isinstance(currency, str):
            yield from _amount_errors(amount, currency, pointer)
        for name, value in data.items():
            yield from _money_errors(value, f"{pointer}/{_escape(name)}")


def _amount_errors(amount: str, currency: str, pointer: str) -> Iterator[FieldError]:
    try:
        decimals = scale(currency)
    except ValueError:
        yield FieldError(f"{pointer}/currency", "unknown_currency", "Send an ISO 4217 code.")
        return
    try:
        Money.parse(amount, currency)
    except ValueError:
        detail = f"Send a decimal string with at most {decimals} decimals."
        yield FieldError(f"{pointer}/amount", "wrong_amount", detail)


def _order_errors(order: NewOrder, currencies: tuple[str, ...]) -> Iterator[FieldError]:
    """What only the whole order shows."""
    currency = order.total.currency
    if currency not in currencies:
        detail = f"Send one of {', '.join(currencies)}."
        yield FieldError("/total/currency", "currency_not_sold", detail)
    total = Money(0, currency)
    for index, item in enumerate(order.items):
        here = f"/items/{index}/unit_price"
        if item.unit_price.currency != currency:
            yield FieldError(f"{here}/currency", "mixed_currency", f"Send {currency} as in /total.")
            continue
        if item.unit_price.minor < 0:
            yield FieldError(f"{here}/amount", "negative", "Send an amount of zero or more.")
        total += item.unit_price * item.quantity
    if order.total.minor <= 0:
        yield FieldError("/total/amount", "not_positive", "Send an amount above zero.")
    if total.minor != order.total.minor:
        detail = f"The items add up to {total.amount} {currency}."
        yield FieldError("/total/amount", "total_differs", detail)
    yield from _card_errors(order)


def _card_errors(order: NewOrder) -> Iterator[FieldError]:
    """Card numbers are refused wherever text is free; tokens only."""
    free = {
        "/payment/token": order.payment.token,
        "/reference": order.reference,
        "/note": order.note or "",
    }
    free |= {f"/items/{n}/description": item.description for n, item in enumerate(order.items)}
    for pointer, text in free.items():
        if any(_luhn(match) for match in _CARD.findall(text)):
            yield FieldError(
                pointer, "card_number", "Send the payment provider's token, never a card number."
            )


def _luhn(text: str) -> bool:
    digits = [int(one) for one in text if one.isdigit()]
    doubled = [sum(divmod(digit * 2, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _escape(name: str) -> str:
    return name[:100].replace("~", "~0").replace("/", "~1")
