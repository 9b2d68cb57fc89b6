"""Everything that is wrong with a request, all at once, each with its JSON pointer.

The quick way is msgspec, which stops at the first difference. Only where it found one, the slow
way looks for all of them. No text here repeats what was sent: it may be personal.
"""

import difflib
import functools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final, TypeVar

import jsonschema
import msgspec

from gateway.model import codec
from gateway.model.capability import Capability
from gateway.model.money import Money, scale
from gateway.model.order import NewOrder
from gateway.policy import routing
from gateway.policy.cards import holds_card_number
from gateway.policy.routing import Wanted

T = TypeVar("T")
MAX_DEPTH: Final = 64
_LONGEST: Final = 200  # entries of the longest list of an order
# Enough to correct by; a hostile body would otherwise be answered with megabytes.
MAX_ERRORS: Final = 100
# Possessive, or a body of quotes and backslashes would keep the process busy for hours.
_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKETS: Final = re.compile(rb"[\[{\]}]")
# Characters that could stand for a control character; most bodies have none of them.
_MAYBE_CONTROL: Final = re.compile(rb"\x7f|\\(?:[bfnrt]|u00[01]|u007[fF])")
# A colon in disguise, which would be counted in one spelling only.
_DISGUISED: Final = re.compile(rb"\\u003[aA]")
# Fourteen digits in one text, whatever stands between them; an article number has thirteen.
_MAYBE_CARD: Final = b"0" * 14
_DIGITS_ALIKE: Final = bytes.maketrans(b"123456789", b"0" * 9)
_NEITHER_DIGIT_NOR_QUOTE: Final = bytes(set(range(256)) - set(b'0123456789"'))
_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")
_decode_any = msgspec.json.Decoder().decode
_encode_any = msgspec.json.Encoder().encode


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


def read_order(
    body: bytes,
    *,
    currencies: tuple[str, ...],
    choice: routing.Choice | None = None,
) -> NewOrder:
    """The order that a front-end sent.

    Args:
        choice: Who may collect the payment; None where anybody will do.

    Raises:
        Invalid: With everything that is wrong.
    """

    def rules(order: NewOrder) -> Iterator[FieldError]:
        yield from _rule_errors(_Parts.of(order), currencies)
        if choice is not None and not order.payment.is_stored:
            yield from route_errors(routing.of_order(order), choice, amount="/total")

    def salvaged(data: Any) -> Iterator[FieldError]:
        return _rule_errors(_Parts.salvaged(data), currencies)

    return read(body, NewOrder, rules, salvaged)


def read(
    body: bytes,
    kind: type[T],
    rules: Callable[[T], Iterable[FieldError]],
    salvaged: Callable[[Any], Iterable[FieldError]] = lambda _: (),
) -> T:
    """What a front-end sent, if it is of the kind and keeps the rules.

    Args:
        rules: What no schema says.
        salvaged: The same of JSON that is not of the kind, as far as it can be read.

    Raises:
        Invalid: With everything that is wrong.
    """
    data = _read_json(body)
    found = _text_errors(body, data)
    try:
        value = codec.convert(data, kind)
    except msgspec.ValidationError as error:
        data = _shortened(data)
        wrong = chain(found, _schema_errors(data, kind), _money_errors(data, ""), salvaged(data))
        raise Invalid(_bounded(wrong) or (_first_error(error),)) from error
    errors = _bounded(chain(found, rules(value)))
    if errors:
        raise Invalid(errors)
    return value


def not_positive(amount: Money | None, pointer: str = "/amount") -> Iterator[FieldError]:
    """The rule that an amount of nothing, or less, breaks; one that was left out breaks none."""
    if amount is not None and amount.minor <= 0:
        yield FieldError(f"{pointer}/amount", "not_positive", "Send an amount above zero.")


def not_sold(
    amount: Money, currencies: tuple[str, ...], pointer: str = "/amount"
) -> Iterator[FieldError]:
    """The rule that an amount in a currency breaks in which the tenant does not trade."""
    if amount.currency not in currencies:
        detail = f"Send one of {', '.join(currencies)}."
        yield FieldError(f"{pointer}/currency", "currency_not_sold", detail)


def _bounded(found: Iterable[FieldError]) -> tuple[FieldError, ...]:
    """Each once and in order; too many end with a note."""
    unique: dict[tuple[str, str], FieldError] = {}
    for one in found:
        if len(unique) == MAX_ERRORS and (one.pointer, one.code) not in unique:
            unique["~", "more"] = FieldError("", "more", "There is more; correct these first.")
            break
        unique[one.pointer, one.code] = one
    return tuple(unique[key] for key in sorted(unique))


class _Twice(dict[str, Any]):
    """A JSON object in which names stood twice, with these names."""

    names: tuple[str, ...] = ()


def _read_json(body: bytes) -> Any:
    """What the body says, if it is JSON and may be walked through."""
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(body) > MAX_DEPTH:
        raise Invalid((FieldError("", "too_deep", f"Nest at most {MAX_DEPTH} levels."),))
    try:
        return _decode_any(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid((FieldError("", "not_json", "Send one JSON object in UTF-8."),)) from error


def _text_errors(body: bytes, data: Any) -> list[FieldError]:
    """What decoders disagree about or accept in silence: names twice, control characters."""
    found: Iterator[FieldError] = iter(())
    if _may_have_names_twice(body, data):
        found = _names_twice(_with_names_twice(body))
    if (b"\\" in body or b"\x7f" in body) and _MAYBE_CONTROL.search(body):
        found = chain(found, control_characters(data))
    if _MAYBE_CARD in body.translate(_DIGITS_ALIKE, _NEITHER_DIGIT_NOR_QUOTE):
        found = chain(found, _card_numbers(data))
    return list(islice(found, 2 * MAX_ERRORS))


def _may_have_names_twice(body: bytes, data: Any) -> bool:
    """Whether more colons stand in the body than in what a decoder made of it.

    A colon follows each name; those in strings stand in both. A decoder keeps one of two equal
    names, and with the other at least that name's own colon is gone.
    """
    if b"\\u00" in body and _DISGUISED.search(body):
        return True
    return body.count(b":") != _encode_any(data).count(b":")


def _with_names_twice(body: bytes) -> Any:
    """The body, with marks on its objects in which names stand twice."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(items)
        if len(made) == len(items):
            return made
        twice = _Twice(made)
        counts = Counter(name for name, _ in items)
        twice.names = tuple(name for name, count in counts.items() if count > 1)
        return twice

    try:
        return json.loads(body, object_pairs_hook=pairs)
    except (ValueError, RecursionError):  # such as a number of five thousand digits
        return None  # whoever decodes it into an order says what is wrong with it


def _names_twice(data: Any) -> Iterator[FieldError]:
    for pointer, value in _walk(data, ""):
        for name in value.names if isinstance(value, _Twice) else ():
            yield FieldError(_join(pointer, name), "duplicate_key", "Send each name once.")


def control_characters(data: Any) -> Iterator[FieldError]:
    """Those of any JSON: PostgreSQL refuses U+0000, and a pattern's `$` lets a line break pass."""
    for pointer, value in _walk(data, ""):
        if isinstance(value, str) and _CONTROL.search(value):
            yield FieldError(pointer, "control_character", "Send text without control characters.")


def _card_numbers(data: Any) -> Iterator[FieldError]:
    """Whatever a field is meant for, a card number could stand in it."""
    for pointer, value in _walk(data, ""):
        if isinstance(value, str) and holds_card_number(value):
            detail = "Send the payment provider's token, never a card number."
            yield FieldError(pointer, "card_number", detail)


def _walk(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Every value with its pointer, outer ones first."""
    yield pointer, value
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for name, one in inner:
        yield from _walk(one, _join(pointer, str(name)))


def _depth(body: bytes) -> int:
    """How deep brackets nest, outside of strings; counted no further than it matters."""
    deepest = depth = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub(b"", body)):
        depth += 1 if bracket.group() in b"[{" else -1
        deepest = max(deepest, depth)
        if deepest > MAX_DEPTH:
            break
    return deepest


def _shortened(value: Any) -> Any:
    """Without the entries of lists that are too long anyway: a megabyte would hold the loop."""
    if isinstance(value, list):
        return [_shortened(one) for one in value[: _LONGEST + 1]]
    if isinstance(value, dict):
        return {name: _shortened(one) for name, one in value.items()}
    return value


def _first_error(error: Exception) -> FieldError:
    """Where the decoder stopped. Not its words: they may quote the value."""
    _, _, path = str(error).partition(" - at `$")
    pointer = re.sub(r"\[(\d+|\.\.\.)\]|\.", lambda m: f"/{m.group(1) or ''}", path.rstrip("`"))
    return FieldError(pointer.replace("//", "/"), "invalid", "Correct this field.")


def _is_integer(_checker: Any, value: Any) -> bool:
    """JSON Schema takes 2.0 for an integer; the decoder does not."""
    return isinstance(value, int) and not isinstance(value, bool)


_Validator: Final = jsonschema.validators.extend(  # type: ignore[no-untyped-call] # as it comes
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


_VALIDATORS: Final[dict[type[Any], Any]] = {}


def _validator(kind: type[Any]) -> Any:
    found = _VALIDATORS.get(kind)
    if found is None:
        found = _VALIDATORS[kind] = _Validator(codec.schema(kind))
    return found


def _schema_errors(data: Any, kind: type[Any]) -> Iterator[FieldError]:
    for error in _validator(kind).iter_errors(data):
        yield from _explain(error)


def _explain(error: jsonschema.ValidationError) -> Iterator[FieldError]:
    pointer = functools.reduce(_join, map(str, error.absolute_path), "")
    keyword, value = error.validator, error.validator_value
    if keyword == "required":
        for name in value:
            if isinstance(error.instance, dict) and name not in error.instance:
                yield FieldError(_join(pointer, name), "missing", "Give this field.")
    elif keyword == "additionalProperties":
        known = set(_properties(error.schema))
        for name in sorted(set(error.instance) - known):
            yield FieldError(_join(pointer, name), "unknown_field", _unknown(name, known))
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
            yield from _money_errors(value, _join(pointer, name))


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


class _Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules look at; of a body that is no order, what can be read.

    Attributes:
        lines: Unit price and quantity of each item; None for what is not readable.
    """

    total: Money | None
    lines: tuple[tuple[Money | None, int | None], ...]

    @classmethod
    def of(cls, order: NewOrder) -> "_Parts":
        """The parts of an order."""
        lines = tuple((item.unit_price, item.quantity) for item in order.items)
        return cls(total=order.total, lines=lines)

    @classmethod
    def salvaged(cls, data: Any) -> "_Parts":
        """The readable parts of any JSON."""
        body = data if isinstance(data, dict) else {}
        given = body.get("items")
        given = given if isinstance(given, list) and len(given) <= _LONGEST else []
        items = [one if isinstance(one, dict) else {} for one in given]
        return cls(
            total=_read(body.get("total"), Money),
            lines=tuple(
                (_read(one.get("unit_price"), Money), _read(one.get("quantity"), int))
                for one in items
            ),
        )


def _read(value: Any, kind: type[T]) -> T | None:
    try:
        return codec.convert(value, kind)
    except msgspec.ValidationError:
        return None


def _rule_errors(parts: _Parts, currencies: tuple[str, ...]) -> Iterator[FieldError]:
    """What no schema says: signs, currencies, sums, and card numbers."""
    if parts.total is not None:
        yield from not_sold(parts.total, currencies, "/total")
        yield from not_positive(parts.total, "/total")
    for index, (price, _) in enumerate(parts.lines):
        here = f"/items/{index}/unit_price"
        if price is not None and price.minor < 0:
            yield FieldError(f"{here}/amount", "negative", "Send an amount of zero or more.")
        if price and parts.total and price.currency != parts.total.currency:
            yield FieldError(f"{here}/currency", "mixed_currency", "Send the currency of /total.")
    if _sum_differs(parts):
        detail = "Send the sum of quantity times unit_price over all items."
        yield FieldError("/total/amount", "total_differs", detail)


def route_errors(wanted: Wanted, choice: routing.Choice, *, amount: str) -> Iterator[FieldError]:
    """Whether nobody can take the payment; who does is decided by routing.

    Args:
        amount: Pointer to the amount of the payment.
    """
    code, systems = routing.gap(wanted, choice), choice.systems
    if not code:
        return
    asked = [systems[wanted.pinned]] if wanted.pinned in systems else systems.values()
    rows = [row for one in asked for row in one.capabilities]
    known = {
        "not_configured": systems,
        "method_unsupported": {row.method for row in rows},
        "currency_unsupported": _codes(rows, wanted, "currencies"),
        "country_unsupported": _codes(rows, wanted, "countries"),
    }
    place, rule, advice = routing.ADVICE[code]
    detail = advice.format(", ".join(sorted(known.get(code, ()))))
    yield FieldError(place.format(amount=amount), rule, detail)


def _codes(rows: Sequence[Capability], wanted: Wanted, name: str) -> set[str]:
    return {code for row in rows if row.method == wanted.method for code in getattr(row, name)}


def _sum_differs(parts: _Parts) -> bool:
    """Whether the total is wrong; False where a part of the sum is not known."""
    if parts.total is None or not parts.lines:
        return False
    total = 0
    for price, quantity in parts.lines:
        if price is None or quantity is None or price.currency != parts.total.currency:
            return False
        total += price.minor * quantity
    return total != parts.total.minor


def _join(pointer: str, name: str) -> str:
    """One step further; a name of any length was given to us by anybody."""
    return f"{pointer}/{name[:100].replace('~', '~0').replace('/', '~1')}"
