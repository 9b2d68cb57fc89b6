"""Our own Structs, as msgspec reads them; Money as its amount and currency.

What msgspec has no constraint for stands in ``Meta(extra_json_schema={…})``: ``x-precision`` and
``x-scale`` of a decimal, ``"format": "unix-time"`` of a whole number of seconds, ``title``.
"""

import uuid
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

import msgspec
from msgspec import inspect

from gateway.kit.mapping.schemas import algebra
from gateway.kit.mapping.schemas.errors import SchemaError
from gateway.kit.mapping.schemas.notes import Adjust
from gateway.kit.mapping.schemas.scalars import UUID_LENGTH, with_pattern
from gateway.kit.mapping.types import Field, Kind, Shape, Type, Wire
from gateway.model.money import Money

_MONEY_FIELDS: Final = {
    "amount": Field(
        name="amount",
        type=Type(kind=Kind.DECIMAL, precision=17, scale=4, wire=Wire.TEXT),
        required=True,
        unit="currency",
    ),
    "currency": Field(
        name="currency",
        type=Type(kind=Kind.TEXT, min_length=3, max_length=3, upper=True),
        required=True,
    ),
}
MONEY: Final = Type(kind=Kind.OBJECT, shape=Shape("Money", lambda: _MONEY_FIELDS))

_Objects = (inspect.StructType, inspect.DataclassType, inspect.TypedDictType)
_Lists = (
    inspect.ListType,
    inspect.SetType,
    inspect.FrozenSetType,
    inspect.VarTupleType,
    inspect.CollectionType,
)


class Structs:
    """Types of Struct classes.

    Args:
        adjust: Adds what the side file knows.
    """

    def __init__(self, adjust: Adjust) -> None:
        self._adjust = adjust
        self._algebra = algebra.Algebra()
        self._shapes: dict[type, Shape] = {}
        self._readers: dict[type, Callable[[Any], Type]] = {
            inspect.AnyType: lambda _: algebra.ANY,
            inspect.RawType: lambda _: algebra.ANY,
            inspect.NoneType: lambda _: algebra.ANY,
            inspect.BoolType: lambda _: Type(kind=Kind.BOOLEAN),
            inspect.IntType: _integer,
            inspect.FloatType: lambda _: Type(kind=Kind.FLOAT),
            inspect.DecimalType: lambda _: Type(kind=Kind.DECIMAL, wire=Wire.TEXT),
            inspect.StrType: _text,
            inspect.BytesType: lambda _: Type(kind=Kind.BINARY),
            inspect.ByteArrayType: lambda _: Type(kind=Kind.BINARY),
            inspect.MemoryViewType: lambda _: Type(kind=Kind.BINARY),
            inspect.DateTimeType: lambda found: Type(
                kind=Kind.INSTANT, zoned=found.tz is not False
            ),
            inspect.DateType: lambda _: Type(kind=Kind.DATE),
            inspect.TimeType: lambda _: Type(kind=Kind.TIME),
            inspect.TimeDeltaType: lambda _: Type(kind=Kind.TEXT),
            inspect.UUIDType: lambda _: Type(
                kind=Kind.TEXT, min_length=UUID_LENGTH, max_length=UUID_LENGTH
            ),
            inspect.EnumType: lambda found: _values([member.value for member in found.cls]),
            inspect.LiteralType: lambda found: _values(found.values),
            inspect.CustomType: _custom,
            inspect.UnionType: self._union,
            inspect.DictType: lambda found: Type(kind=Kind.MAP, item=self._read(found.value_type)),
            inspect.TupleType: lambda found: Type(
                kind=Kind.LIST,
                item=self._algebra.either([self._read(each) for each in found.item_types]),
                min_items=len(found.item_types),
                max_items=len(found.item_types),
            ),
            inspect.Metadata: self._metadata,
            **dict.fromkeys(_Lists, self._list),
            **dict.fromkeys(_Objects, self._object),
        }

    def type_of(self, kind: type) -> Type:
        """The type of a Struct class.

        Raises:
            SchemaError: It holds something that no mapping can write or read.
        """
        return self._read(inspect.type_info(kind))

    def _read(self, found: inspect.Type) -> Type:
        reader = self._readers.get(type(found))
        if reader is None:
            raise SchemaError(f"{type(found).__name__} has no place in a mapping")
        return reader(found)

    def _union(self, found: inspect.UnionType) -> Type:
        types = [self._read(each) for each in found.types if type(each) is not inspect.NoneType]
        chosen = self._algebra.either(types)
        return msgspec.structs.replace(chosen, nullable=found.includes_none or chosen.nullable)

    def _list(self, found: Any) -> Type:
        return Type(
            kind=Kind.LIST,
            item=self._read(found.item_type),
            min_items=found.min_length,
            max_items=found.max_length,
        )

    def _metadata(self, found: inspect.Metadata) -> Type:
        inner = self._read(found.type)
        extra = found.extra_json_schema or {}
        if inner.kind is Kind.INTEGER and extra.get("format") == "unix-time":
            return Type(kind=Kind.INSTANT, wire=Wire.EPOCH)
        if inner.kind is Kind.DECIMAL:
            digits = {"precision": extra.get("x-precision"), "scale": extra.get("x-scale")}
            return msgspec.structs.replace(inner, **digits)
        return inner

    def _object(self, found: Any) -> Type:
        kind = found.cls
        if kind not in self._shapes:
            name = kind.__name__
            self._shapes[kind] = Shape(name, lambda: self._adjust(name, self._fields(found)))
        return Type(kind=Kind.OBJECT, shape=self._shapes[kind])

    def _fields(self, found: Any) -> dict[str, Field]:
        fields = {}
        tag = getattr(found, "tag_field", None)
        if tag:
            fields[tag] = Field(name=tag, type=_values([found.tag]), required=True)
        for each in found.fields:
            if each.encode_name != each.name:
                raise SchemaError(
                    f"{found.cls.__name__}.{each.name} is called {each.encode_name} in JSON; "
                    "a mapping needs one name for both"
                )
            fields[each.name] = Field(
                name=each.name,
                type=self._read(each.type),
                required=each.required,
                writable=not _extra(each.type).get("readOnly"),
                label=str(_extra(each.type).get("title", "")),
                default=_default(each),
            )
        return fields


def _text(found: inspect.StrType) -> Type:
    text = Type(kind=Kind.TEXT, min_length=found.min_length, max_length=found.max_length)
    return with_pattern(text, found.pattern)


def _integer(found: inspect.IntType) -> Type:
    least = found.ge if found.gt is None else found.gt + 1
    most = found.le if found.lt is None else found.lt - 1
    return Type(kind=Kind.INTEGER, minimum=least, maximum=most)


def _values(values: Any) -> Type:
    if all(isinstance(value, str) for value in values):
        return Type(kind=Kind.TEXT, values=tuple(values))
    if all(isinstance(value, int) for value in values):
        return Type(kind=Kind.INTEGER, minimum=min(values), maximum=max(values))
    return algebra.ANY


def _custom(found: inspect.CustomType) -> Type:
    return MONEY if found.cls is Money else algebra.ANY


def _extra(found: inspect.Type) -> Mapping[str, Any]:
    """What the annotation adds to the JSON Schema of the field."""
    return getattr(found, "extra_json_schema", None) or {}


def _default(field: Any) -> str | int | bool | tuple[()] | msgspec.UnsetType:
    if field.default_factory is not msgspec.NODEFAULT:
        return () if field.default_factory in {list, tuple, set, frozenset} else msgspec.UNSET
    value = field.default.value if isinstance(field.default, Enum) else field.default
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, tuple | list) and not value:
        return ()
    return value if isinstance(value, str | int | bool) else msgspec.UNSET
