"""Types of both ends of a mapping, whatever language their schema was written in.

A reader of schemas (``gateway.kit.mapping.schemas``) turns EDMX, OpenAPI, JSON Schema, XSD, layouts
of files and our own Structs into these; the checker compares them, the compiler reads from them how
a value looks on the wire.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cached_property

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
    upper: bool = False
    regex: str = ""
    zoned: bool = True
    item: "Type | None" = None
    shape: "Shape | None" = None
    min_items: int | None = None
    max_items: int | None = None
    wire: Wire = Wire.PLAIN
    pattern: str = ""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of an object.

    Attributes:
        required: A target without it is refused; a source always has it.
        present: A source always has it, though a target may leave it out (a key that the system
            assigns).
        writable: False where the system refuses or ignores what is sent (``sap:creatable=false``).
        changeable: False where only a create may set it (``sap:updatable=false``, Core.Immutable).
        label: What people of the product call it.
        unit: The field beside it that holds its currency or unit of measure.
        default: JSON value that stands for an absent source field; ``()`` is an empty list.
        attribute: An XML attribute, not an element.
        text: The text of the XML element itself, beside its attributes.
        namespace: Of the XML element or attribute; empty where it is written without one.
        column: Position of a fixed-width field, from 0; its width is ``type.max_length``.
    """

    name: str
    type: Type
    required: bool = False
    present: bool = False
    writable: bool = True
    changeable: bool = True
    label: str = ""
    unit: str = ""
    default: str | int | bool | tuple[()] | msgspec.UnsetType | None = msgspec.UNSET
    attribute: bool = False
    text: bool = False
    namespace: str = ""
    column: int | None = None


class Shape:
    """The fields of an object type, read when asked for: schemas refer to themselves.

    Attributes:
        name: Of the type in its schema, such as ``A_BusinessPartnerType``.
        namespace: Of XML; empty elsewhere.
        closed: No other fields may stand there.
    """

    def __init__(
        self,
        name: str,
        fields: Callable[[], Mapping[str, Field]],
        *,
        namespace: str = "",
        closed: bool = True,
    ) -> None:
        self.name = name
        self.namespace = namespace
        self.closed = closed
        self._read = fields

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """Name to field, in the order of the schema."""
        return self._read()

    def __repr__(self) -> str:
        return f"Shape({self.name!r})"
