"""Our own Structs as types of a mapping: constraints, money, defaults, enumerations."""

import datetime as dt
import uuid
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from gateway.kit.mapping.schemas import SchemaError, Schemas
from gateway.kit.mapping.types import Field, Kind, Type, Wire
from gateway.model.money import Money
from gateway.model.order import Order


class Colour(StrEnum):
    """Two colours."""

    RED = "red"
    BLUE = "blue"


class Level(Enum):
    """Numbers as values."""

    LOW = 3
    HIGH = 7


class Part(msgspec.Struct, frozen=True):
    """A part that may have parts."""

    code: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    parts: list["Part"] = []


class Bolt(msgspec.Struct, frozen=True, tag="bolt"):
    """One of two kinds."""

    length: int


class Nut(msgspec.Struct, frozen=True, tag="nut"):
    """The other."""

    width: int
    length: int = 0


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """Each kind of field once."""

    name: Annotated[str, Meta(min_length=1, max_length=40)]
    code: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    count: Annotated[int, Meta(ge=1, lt=100)] = 1
    price: Money
    rate: Annotated[Decimal, Meta(extra_json_schema={"x-precision": 15, "x-scale": 2})]
    since: Annotated[int, Meta(extra_json_schema={"format": "unix-time"})]
    day: dt.date | None = None
    moment: Annotated[dt.datetime, Meta(tz=True)]
    naive: Annotated[dt.datetime, Meta(tz=False)]
    clock: dt.time
    colour: Colour = Colour.RED
    level: Level
    kind: Literal["a", "b"] | None
    tags: dict[str, str] = {}
    parts: Annotated[list[Part], Meta(max_length=5)] = []
    ids: tuple[uuid.UUID, ...] = ()
    pair: tuple[int, int]
    raw: Any = None
    ratio: float
    blob: bytes
    fastener: Bolt | Nut


def field(name: str) -> Field:
    """A field of ``Thing``."""
    shape = Schemas(model=(Thing,)).resolve("canonical.Thing").shape
    assert shape is not None
    return shape.fields[name]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("name", Type(kind=Kind.TEXT, min_length=1, max_length=40)),
        (
            "code",
            Type(kind=Kind.TEXT, min_length=2, max_length=2, upper=True, regex=r"^[A-Z]{2}\Z"),
        ),
        ("count", Type(kind=Kind.INTEGER, minimum=1, maximum=99)),
        ("rate", Type(kind=Kind.DECIMAL, precision=15, scale=2, wire=Wire.TEXT)),
        ("since", Type(kind=Kind.INSTANT, wire=Wire.EPOCH)),
        ("day", Type(kind=Kind.DATE, nullable=True)),
        ("moment", Type(kind=Kind.INSTANT)),
        ("naive", Type(kind=Kind.INSTANT, zoned=False)),
        ("clock", Type(kind=Kind.TIME)),
        ("colour", Type(kind=Kind.TEXT, values=("red", "blue"))),
        ("level", Type(kind=Kind.INTEGER, minimum=3, maximum=7)),
        ("kind", Type(kind=Kind.TEXT, values=("a", "b"), nullable=True)),
        ("tags", Type(kind=Kind.MAP, item=Type(kind=Kind.TEXT))),
        ("ids", Type(kind=Kind.LIST, item=Type(kind=Kind.TEXT, min_length=36, max_length=36))),
        (
            "pair",
            Type(kind=Kind.LIST, item=Type(kind=Kind.INTEGER), min_items=2, max_items=2),
        ),
        ("raw", Type(kind=Kind.ANY, nullable=True)),
        ("ratio", Type(kind=Kind.FLOAT)),
        ("blob", Type(kind=Kind.BINARY)),
    ],
)
def test_a_field_has_the_type_of_its_annotation(name: str, expected: Type) -> None:
    """Constraints, enumerations and the form in JSON are those that msgspec checks."""
    assert expected == field(name).type


def test_money_is_an_amount_and_its_currency() -> None:
    """``price.amount`` is a decimal written as text, in the currency beside it."""
    price = field("price").type
    shape = price.shape
    assert shape is not None
    amount = shape.fields["amount"]

    assert (Kind.OBJECT, "Money") == (price.kind, shape.name)
    assert ["amount", "currency"] == list(shape.fields)
    assert (Kind.DECIMAL, Wire.TEXT, 4, "currency") == (
        amount.type.kind,
        amount.type.wire,
        amount.type.scale,
        amount.unit,
    )
    assert Type(kind=Kind.TEXT, min_length=3, max_length=3, upper=True) == (
        shape.fields["currency"].type
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("name", (True, msgspec.UNSET)),
        ("kind", (True, msgspec.UNSET)),
        ("count", (False, 1)),
        ("colour", (False, "red")),
        ("day", (False, msgspec.UNSET)),
        ("parts", (False, ())),
        ("ids", (False, ())),
    ],
)
def test_defaults_are_what_json_would_hold(name: str, expected: tuple[bool, Any]) -> None:
    """A field without default is required; an enumeration's default is its value."""
    found = field(name)

    assert expected == (found.required, found.default)


def test_a_struct_may_hold_itself() -> None:
    """The shape of a part's parts is the part's shape."""
    item = field("parts").type.item
    assert item is not None
    assert item.shape is not None
    inner = item.shape.fields["parts"].type.item
    assert inner is not None

    assert item.shape is inner.shape


def test_one_of_two_structs_has_the_fields_of_both() -> None:
    """The tag tells them apart; a field that only one has is not always there."""
    shape = field("fastener").type.shape
    assert shape is not None
    fields = shape.fields

    assert ("bolt", "nut") == fields["type"].type.values
    assert {"type": True, "length": False, "width": False} == {
        name: fields[name].required for name in fields
    }


def test_the_hubs_own_order_is_readable() -> None:
    """``order.total.amount`` leads to a decimal."""
    shape = Schemas(model=(Order,)).resolve("canonical.Order").shape
    assert shape is not None
    item = shape.fields["items"].type.item
    assert item is not None
    assert item.shape is not None
    price = item.shape.fields["unit_price"].type.shape
    assert price is not None

    assert Kind.DECIMAL is price.fields["amount"].type.kind


def test_a_field_with_two_names_is_refused() -> None:
    """A mapping has one name for a field, in Python and in JSON."""

    class Renamed(msgspec.Struct, rename="camel"):
        order_id: str

    shape = Schemas(model=(Renamed,)).resolve("canonical.Renamed").shape
    assert shape is not None

    with pytest.raises(SchemaError, match=r"Renamed\.order_id is called orderId in JSON"):
        _ = shape.fields
