"""JSON of the model, in and out: one decoder per type, money as decimal strings.

The journal, the facade and the evidence all use these two functions, so that a value looks the
same wherever a person meets it.
"""

from typing import Any, TypeVar

import msgspec

from gateway.model.money import Money

T = TypeVar("T")


def _encode_custom(value: Any) -> Any:
    if isinstance(value, Money):
        return {"amount": value.amount, "currency": value.currency}
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")  # msgspec's protocol


def _decode_custom(kind: type, value: Any) -> Any:
    if kind is not Money:
        raise NotImplementedError(f"{kind.__name__} has no JSON form")  # msgspec's protocol
    if not isinstance(value, dict):
        raise TypeError("Expected `object` with `amount` and `currency`")
    amount, currency = value.get("amount"), value.get("currency")
    if not isinstance(amount, str) or not isinstance(currency, str):
        raise TypeError("`amount` must be a decimal string, `currency` an ISO 4217 code")
    if len(value) > 2:  # noqa: PLR2004 - both are there, so that a third is a stranger
        raise ValueError("Object contains a field other than `amount` and `currency`")
    return Money.parse(amount, currency)


def _schema_custom(kind: type) -> dict[str, Any]:
    if kind is not Money:
        raise NotImplementedError(f"{kind.__name__} has no JSON schema")  # msgspec's protocol
    return {
        "type": "object",
        "title": "Money",
        "description": "An amount of money, in the decimals of its currency.",
        "properties": {
            "amount": {
                "type": "string",
                "pattern": r"^-?[0-9]{1,13}(\.[0-9]{1,4})?$",
                "maxLength": 19,
                "examples": ["123.45"],
            },
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]},
        },
        "required": ["amount", "currency"],
        "additionalProperties": False,
    }


_ENCODER = msgspec.json.Encoder(enc_hook=_encode_custom)


_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}


def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.json.Decoder(kind, dec_hook=_decode_custom)
    return decoder


def encode(value: Any) -> bytes:
    """The value as JSON."""
    return _ENCODER.encode(value)


def decode(body: bytes | str, kind: type[T]) -> T:
    """Read JSON as the given type.

    Raises:
        msgspec.ValidationError: The first difference, with its path (``$.items[0].quantity``).
        msgspec.DecodeError: Not JSON.
    """
    value: T = _decoder(kind).decode(body)
    return value


def convert(value: Any, kind: type[T]) -> T:
    """Read what JSON decoding left (dictionaries, lists, strings) as the given type.

    Raises:
        msgspec.ValidationError: The first difference, with its path.
    """
    return msgspec.convert(value, kind, dec_hook=_decode_custom)


def to_builtins(value: Any) -> Any:
    """The value as dictionaries, lists and strings, ready for JSON."""
    return msgspec.to_builtins(value, enc_hook=_encode_custom)


def schema(kind: Any) -> dict[str, Any]:
    """JSON Schema (2020-12) of a type; components stand under ``$defs``."""
    return msgspec.json.schema(kind, schema_hook=_schema_custom)


def schemas(kinds: tuple[Any, ...], ref: str) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    """JSON Schemas of several types with shared components.

    Args:
        kinds: The types.
        ref: Template of a reference, such as ``#/components/schemas/{name}``.
    """
    return msgspec.json.schema_components(kinds, schema_hook=_schema_custom, ref_template=ref)
