"""Typed expressions: what inference makes of a tree and the compiler reads.

Every node knows the type of its value; ``None`` comes out only where the type is nullable.
"""

from typing import TypeAlias

import msgspec

from gateway.kit.mapping.types import Type


class Currency(msgspec.Struct, frozen=True, order=True):
    """What an amount is counted in.

    Attributes:
        field: With the currency, as written.
        cents: Its smallest unit is counted.
    """

    field: str
    cents: bool


class Expr(msgspec.Struct, frozen=True, kw_only=True):
    """A typed expression.

    Attributes:
        type: Of the value, with what is known about it.
        assumed: The length or digits of ``type`` hold only if upper case is not longer than lower
            case (ß is) and decimals without stated digits are amounts; the compiler adds a check.
        currencies: Of an amount of money; empty for other numbers.
    """

    type: Type
    assumed: bool = False
    currencies: frozenset[Currency] = frozenset()


class Const(Expr, frozen=True, kw_only=True):
    """A text, whole number, decimal, truth value or None."""

    value: object


class Name(Expr, frozen=True, kw_only=True):
    """A variable: the source itself, a let, the element of a loop, a key of a group.

    Attributes:
        narrowed: It may be null elsewhere, not where it stands.
        fixed: It stands for a constant, a code list's value or a setting.
        money: It stands for the amount of a Money, which holds it as text.
    """

    name: str
    narrowed: bool = False
    fixed: bool = False
    money: bool = False


class Get(Expr, frozen=True, kw_only=True):
    """A field of an object; null if the object is.

    Attributes:
        key: The whole path as written, such as ``customer.email``.
        narrowed: It may be null elsewhere, not where it stands.
        money: It is the amount of a Money, which holds it as text.
    """

    operand: "Expr"
    field: str
    key: str
    narrowed: bool = False
    money: bool = False


class Setting(Expr, frozen=True, kw_only=True):
    """A value of the tenant's configuration."""

    name: str


class Convert(Expr, frozen=True, kw_only=True):
    """A converter applied to a value; null stays null."""

    converter: str
    operand: "Expr"
    arguments: tuple["Expr", ...] = ()


class Lookup(Expr, frozen=True, kw_only=True):
    """A code list applied to a value.

    Attributes:
        table: Name of the list; ``cfg.NAME`` for one of the configuration.
        default: Used for keys that the list has not; None fails for them.
        first: For two-key lists: ``first.operand``, then ``*.operand``.
        holes: Some of the list's values are null.
    """

    table: str
    operand: "Expr"
    default: "Expr | None" = None
    first: "Expr | None" = None
    holes: bool = False


class Template(Expr, frozen=True, kw_only=True):
    """Texts joined."""

    parts: tuple["Expr", ...]


class Arithmetic(Expr, frozen=True, kw_only=True):
    """``+ - *``; with one operand the negative."""

    symbol: str
    operands: tuple["Expr", ...]


class Compare(Expr, frozen=True, kw_only=True):
    """Two values compared."""

    symbol: str
    left: "Expr"
    right: "Expr"


class Among(Expr, frozen=True, kw_only=True):
    """A value is one of some constants, or is not."""

    operand: "Expr"
    values: tuple[object, ...]
    negated: bool


class Logic(Expr, frozen=True, kw_only=True):
    """Conditions joined by ``and`` or ``or``."""

    symbol: str
    parts: tuple["Expr", ...]


class Not(Expr, frozen=True, kw_only=True):
    """A condition turned round."""

    operand: "Expr"


class Has(Expr, frozen=True, kw_only=True):
    """A value is there; a list has an element."""

    operand: "Expr"


class Choice(Expr, frozen=True, kw_only=True):
    """One of two values."""

    condition: "Expr"
    then: "Expr"
    other: "Expr"


class Fold(Expr, frozen=True, kw_only=True):
    """``sum``, ``first``, ``any`` or ``count`` over the elements of a list.

    Attributes:
        variable: The element, in ``condition`` and ``body``.
    """

    function: str
    variable: str
    items: "Expr"
    condition: "Expr | None"
    body: "Expr"


class Slot(Expr, frozen=True, kw_only=True):
    """A sum or count of the group that is being written, by its number."""

    index: int


class Position(Expr, frozen=True, kw_only=True):
    """Number of the item in its target list, from 1."""


class Total(msgspec.Struct, frozen=True):
    """What a group adds up while it is gathered: ``body`` of each element, or 1."""

    body: Expr | None


# Rules ---------------------------------------------------------------------------------------


class Place(msgspec.Struct, frozen=True):
    """Where a rule stands.

    Attributes:
        path: In the target, such as ``/to_Customer/to_CustomerCompany[]/CompanyCode``.
    """

    path: str
    file: str
    line: int


class Let(msgspec.Struct, frozen=True):
    """A named value, computed once."""

    name: str
    value: Expr
    place: Place


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the target that is a single value.

    Attributes:
        clears: Null is written, not left out: it empties the field in the system.
    """

    target: str
    type: Type
    value: Expr
    condition: Expr | None
    place: Place
    clears: bool = False


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Fields that become one object, or one per element or group.

    Attributes:
        items: The list it runs over; None for one fixed item.
        variable: Name of the element or group.
        keys: Of a group: field name and expression over the element.
        totals: Of a group, in the order of ``Slot.index``.
        counted: ``position`` is used in it.
        bare: Its one field is no field but the item itself: a text or a number.
    """

    fields: tuple["Rule | Nested", ...]
    condition: Expr | None
    place: Place
    items: Expr | None = None
    variable: str = ""
    keys: tuple[tuple[str, Expr], ...] = ()
    totals: tuple[Total, ...] = ()
    counted: bool = False
    bare: bool = False


class Nested(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the target that is an object or a list.

    Attributes:
        single: The one block is the object itself; otherwise blocks make the items of a list.
        after: The list of the same object whose positions are continued.
        omits: A list without items is left out; else it is written.
    """

    target: str
    type: Type
    blocks: tuple[Block, ...]
    single: bool
    place: Place
    after: str = ""
    omits: bool = False


Field: TypeAlias = Rule | Nested


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A checked mapping, ready to be compiled.

    Attributes:
        tables: Name of a code list to its entries; ``cfg.NAME`` for maps of the configuration.
        settings: The tenant's configuration.
    """

    name: str
    version: str
    source: Type
    target: Type
    lets: tuple[Let, ...]
    fields: tuple[Field, ...]
    tables: dict[str, dict[str, str | None]]
    settings: dict[str, object]
    place: Place
