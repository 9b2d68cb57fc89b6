"""Primitive types of the Entity Data Model, as V2 and V4 write them in JSON.

Source: OData 2.0 "JSON Format" (numbers beyond 32 bits and decimals are texts, moments are
``/Date(ms)/``); OData JSON Format 4.01 §7.1.
"""

from typing import Final

from gateway.kit.mapping.schemas.xml import Element
from gateway.kit.mapping.types import Kind, Type, Wire

_UUID: Final = 36
_BYTE, _INT16, _INT32, _INT64 = 8, 15, 31, 63
_INTEGERS: Final = {
    "Edm.Byte": (0, 2**_BYTE - 1),
    "Edm.SByte": (-(2**7), 2**7 - 1),
    "Edm.Int16": (-(2**_INT16), 2**_INT16 - 1),
    "Edm.Int32": (-(2**_INT32), 2**_INT32 - 1),
    "Edm.Int64": (-(2**_INT64), 2**_INT64 - 1),
}
_SAME: Final = {
    "Edm.Boolean": Type(kind=Kind.BOOLEAN),
    "Edm.Guid": Type(kind=Kind.TEXT, min_length=_UUID, max_length=_UUID),
    "Edm.Binary": Type(kind=Kind.BINARY),
    "Edm.Stream": Type(kind=Kind.BINARY),
    "Edm.Duration": Type(kind=Kind.TEXT),
    "Edm.Date": Type(kind=Kind.DATE),
    "Edm.TimeOfDay": Type(kind=Kind.TIME),
    "Edm.Time": Type(kind=Kind.TIME, wire=Wire.ODATA_TIME),
    **{
        name: Type(kind=Kind.INTEGER, minimum=least, maximum=most)
        for name, (least, most) in _INTEGERS.items()
    },
}
_OF_V4: Final = {
    "Edm.Double": Type(kind=Kind.FLOAT),
    "Edm.Single": Type(kind=Kind.FLOAT),
    "Edm.DateTimeOffset": Type(kind=Kind.INSTANT),
}
_OF_V2: Final = {
    "Edm.Int64": Type(
        kind=Kind.INTEGER, minimum=-(2**_INT64), maximum=2**_INT64 - 1, wire=Wire.TEXT
    ),
    "Edm.Double": Type(kind=Kind.FLOAT, wire=Wire.TEXT),
    "Edm.Single": Type(kind=Kind.FLOAT, wire=Wire.TEXT),
    "Edm.DateTimeOffset": Type(kind=Kind.INSTANT, wire=Wire.ODATA_DATE),
}
# Abstract types, places on earth and paths: passed on, never made.
_NO_VALUES: Final = (
    "Edm.Untyped", "Edm.PrimitiveType", "Edm.ComplexType", "Edm.EntityType", "Edm.Geo",
    "Edm.AnyPropertyPath", "Edm.PropertyPath",
)  # fmt: skip
_SAP: Final = "{http://www.sap.com/Protocols/SAPData}"


def read(name: str, part: Element, *, v4: bool) -> Type | None:
    """The type of a property with its facets; None for a name that EDM does not have."""
    if name.startswith(_NO_VALUES):
        return Type(kind=Kind.ANY)
    match name:
        case "Edm.String":
            return Type(kind=Kind.TEXT, max_length=_number(part, "MaxLength"))
        case "Edm.Decimal":
            return _decimal(part, Wire.PLAIN if v4 else Wire.TEXT)
        case "Edm.DateTime":
            return _day_or_moment(part)
        case _:
            return (_OF_V4 if v4 else _OF_V2).get(name) or _SAME.get(name)


def _day_or_moment(part: Element) -> Type:
    """V2 has one type for both; SAP says which it is."""
    day = part.get(f"{_SAP}display-format") == "Date"
    return Type(kind=Kind.DATE if day else Kind.INSTANT, zoned=day, wire=Wire.ODATA_DATE)


def _decimal(part: Element, wire: Wire) -> Type:
    precision = _number(part, "Precision")
    scale = _number(part, "Scale")
    if precision is not None and part.get("Scale") is None:
        scale = 0  # both versions: not given is none, unlike "variable"
    return Type(kind=Kind.DECIMAL, precision=precision, scale=scale, wire=wire)


def _number(part: Element, facet: str) -> int | None:
    """A facet's number; ``max``, ``variable`` and ``floating`` set no limit."""
    given = part.get(facet, "")
    return int(given) if given.isdecimal() else None
