"""Types of both ends of a mapping, whatever language their schema was written in.

A reader of schemas (``gateway.kit.mapping.schemas``) turns EDMX, OpenAPI, JSON Schema, XSD, layouts
of files and our own Structs into these; the checker compares them, the compiler reads from them how
a value looks on the wire.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cached_property
from math import gcd

import msgspec


class Kind(StrEnum):
    """What a value is."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"  # read only: no arithmetic, no money
    BOOLEAN = "boolean"
    DATE = "date"  # a day, without zone
    INSTANT = "instant"  # a moment in time, with zone
    TIME = "time"  # of day, without zone
    BINARY = "binary"
    OBJECT = "object"
    LIST = "list"
    MAP = "map"  # text to text, keys not known
    ANY = "any"  # the schema does not say; can be passed on only as it is


class Wire(StrEnum):
    """How a value is written where its kind alone does not say."""

    PLAIN = "plain"  # as JSON or text has it: numbers as numbers, days in ISO 8601
    TEXT = "text"  # a number or boolean as text: "12.50"
    ODATA_DATE = "odata_date"  # /Date(ms)/
    ODATA_TIME = "odata_time"  # PT11H00M00S
    ODATA_RESULTS = "odata_results"  # a list in {"results": […]}
    HEX = "hex"  # bytes as hexadecimal digits; else they are in base64
    EPOCH = "epoch"  # an instant as seconds since 1970
    PATTERN = "pattern"  # a day or an instant in ``Type.pattern``
    DECIMAL_COMMA = "decimal_comma"  # 12,50


class Type(msgspec.Struct, frozen=True, kw_only=True):
    """A type and all that its schema says about values of it; None where it says nothing.

    Attributes:
        nullable: Null may stand there, or nothing.
        min_length: Of text, in characters; so is ``max_length``.
        minimum: Of a number; so is ``maximum``.
        precision: All digits of a decimal, ``scale`` of them after the point.
        values: The only texts allowed.
        numbers: The only whole numbers allowed; 0 and 1 stand for false and true.
        step: A whole number is a multiple of it.
        upper: Upper case only: the system changes or refuses other text.
        regex: What a text of the source has to match, for ``re.search``; empty where the schema
            has no pattern, or one that is not safe to run.
        zoned: An instant carries its zone; False where the schema has date and time without one.
        item: Of a list or map.
        shape: Of an object.
        min_items: Of a list; so is ``max_items``.
        wire: How it is written.
        pattern: ``strptime`` format, for ``Wire.PATTERN``.
    """

    kind: Kind
    nullable: bool = False
    min_length: int | None = None
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    precision: int | None = None
    scale: int | None = None
    values: tuple[str, ...] | None = None
    numbers: tuple[int, ...] | None = None
    step: int = 1
    upper: bool = False
    regex: str = ""
    zoned: bool = True
    item: "Type | None" = None
    shape: "Shape | None" = None
    min_items: int | None = None
    max_items: int | None = None
    wire: Wire = Wire.PLAIN
    pattern: str = ""


def least(a: int | None, b: int | None) -> int | None:
    """The lower of two limits of which one holds; None is no limit."""
    return None if a is None or b is None else min(a, b)


def most(a: int | None, b: int | None) -> int | None:
    """The higher of two limits of which one holds; None is no limit."""
    return None if a is None or b is None else max(a, b)


def widened(a: Type, b: Type) -> Type:
    """The type of values that are of one of two types of a kind; items and shape are those of a."""
    values = None if a.values is None or b.values is None else a.values + b.values
    numbers = None if a.numbers is None or b.numbers is None else a.numbers + b.numbers
    made: Type = msgspec.structs.replace(
        a,
        nullable=a.nullable or b.nullable,
        min_length=least(a.min_length, b.min_length),
        max_length=most(a.max_length, b.max_length),
        minimum=least(a.minimum, b.minimum),
        maximum=most(a.maximum, b.maximum),
        precision=most(a.precision, b.precision),
        scale=most(a.scale, b.scale),
        values=None if values is None else tuple(dict.fromkeys(values)),
        numbers=None if numbers is None else tuple(dict.fromkeys(numbers)),
        step=gcd(a.step, b.step),
        upper=a.upper and b.upper,
        regex=a.regex if a.regex == b.regex else "",
        zoned=a.zoned and b.zoned,
        min_items=least(a.min_items, b.min_items),
        max_items=most(a.max_items, b.max_items),
    )
    return made


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of an object.

    Attributes:
        required: A target without it is refused; a source always has it.
        present: A source always has it, though a target may leave it out (a key that the system
            assigns).
        writable: False where the system refuses or ignores what is sent (``sap:creatable=false``).
        label: What people of the product call it.
        unit: The field beside it that holds its currency or unit of measure.
        default: JSON value that stands for an absent source field; ``()`` is an empty list.
        attribute: An XML attribute, not an element.
        text: The text of the XML element itself, beside its attributes.
        namespace: Of the XML element or attribute; empty where it is written without one.
        branches: Numbers of the alternatives (``xs:choice``) that it is part of, each with the
            number of its branch; of two branches only one may stand there.
    """

    name: str
    type: Type
    required: bool = False
    present: bool = False
    writable: bool = True
    label: str = ""
    unit: str = ""
    default: str | int | bool | tuple[()] | msgspec.UnsetType | None = msgspec.UNSET
    attribute: bool = False
    text: bool = False
    namespace: str = ""
    branches: tuple[tuple[int, int], ...] = ()


class Shape:
    """The fields of an object type, read when asked for: schemas refer to themselves.

    Attributes:
        name: Of the type in its schema, such as ``A_BusinessPartnerType``.
        namespace: Of XML; empty elsewhere.
    """

    def __init__(
        self, name: str, fields: Callable[[], Mapping[str, Field]], *, namespace: str = ""
    ) -> None:
        self.name = name
        self.namespace = namespace
        self._read = fields

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """Name to field, in the order of the schema."""
        return self._read()

    def __repr__(self) -> str:
        return f"Shape({self.name!r})"
