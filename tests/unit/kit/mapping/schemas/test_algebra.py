"""Types that hold together and types of which one holds, facet by facet."""

from typing import Any

import pytest

from gateway.kit.mapping.schemas.algebra import ANY, Algebra
from gateway.kit.mapping.types import Field, Kind, Shape, Type, Wire

WIDE = {
    "min_length": 1,
    "max_length": 9,
    "minimum": 1,
    "maximum": 9,
    "precision": 9,
    "scale": 4,
    "min_items": 1,
    "max_items": 9,
}
NARROW = {
    "min_length": 2,
    "max_length": 5,
    "minimum": 3,
    "maximum": 6,
    "precision": 7,
    "scale": 2,
    "min_items": 3,
    "max_items": 4,
}


def text(**facets: Any) -> Type:
    """A text type."""
    return Type(kind=Kind.TEXT, **facets)


def thing(name: str, *fields: Field) -> Type:
    """An object type with these fields."""
    found = {field.name: field for field in fields}
    return Type(kind=Kind.OBJECT, shape=Shape(name, lambda: found))


def shape(found: Type) -> Shape:
    """Its shape, which it has."""
    assert found.shape is not None
    return found.shape


@pytest.mark.parametrize("facet", WIDE)
def test_each_facet_is_tightened_or_widened(facet: str) -> None:
    """Of two limits both keeps the narrower, either the wider, and none is no limit."""
    wide, narrow, free = text(**{facet: WIDE[facet]}), text(**{facet: NARROW[facet]}), text()
    algebra = Algebra()

    assert narrow == algebra.both(wide, narrow) == algebra.both(narrow, wide)
    assert wide == algebra.either([wide, narrow]) == algebra.either([narrow, wide])
    assert wide == algebra.both(wide, free) == algebra.both(free, wide)
    assert free == algebra.either([wide, free]) == algebra.either([free, wide])


def test_values_meet_and_come_together() -> None:
    """Both has the shared values in the first one's order, either has all, once."""
    one, two, free = text(values=("a", "b")), text(values=("b", "c")), text()
    algebra = Algebra()

    assert ("b",) == algebra.both(one, two).values
    assert ("a", "b", "c") == algebra.either([one, two]).values
    assert ("a", "b") == algebra.both(free, one).values == algebra.both(one, free).values
    assert algebra.either([one, free]).values is None


def test_case_null_and_zone() -> None:
    """Both is upper if one is, null if both may be; either is the other way about."""
    upper, null = text(upper=True), text(nullable=True)
    zoned, naive = Type(kind=Kind.INSTANT), Type(kind=Kind.INSTANT, zoned=False)
    algebra = Algebra()

    assert text(upper=True) == algebra.both(upper, null)
    assert text(nullable=True) == algebra.either([upper, null])
    assert not algebra.either([zoned, naive]).zoned


@pytest.mark.parametrize(
    ("kinds", "both", "either"),
    [
        ((Kind.TEXT, Kind.OBJECT), Kind.TEXT, Kind.OBJECT),
        ((Kind.TEXT, Kind.INTEGER), Kind.TEXT, Kind.INTEGER),
        ((Kind.FLOAT, Kind.INTEGER), Kind.INTEGER, Kind.FLOAT),
        ((Kind.INTEGER, Kind.DECIMAL), Kind.INTEGER, Kind.INTEGER),
        ((Kind.MAP, Kind.OBJECT), Kind.OBJECT, Kind.OBJECT),
        ((Kind.LIST, Kind.MAP), Kind.LIST, Kind.LIST),
        ((Kind.ANY, Kind.DATE), Kind.DATE, Kind.DATE),
    ],
)
def test_kinds_that_differ(kinds: tuple[Kind, Kind], both: Kind, either: Kind) -> None:
    """An object wins over its id, the narrower number over the wider, all over nothing."""
    one, two = (
        thing("a") if kind is Kind.OBJECT else Type(kind=kind, wire=Wire.PLAIN) for kind in kinds
    )

    assert both is Algebra().both(one, two).kind
    assert either is Algebra().either([one, two]).kind


def test_null_of_what_says_nothing() -> None:
    """``ANY`` leaves the other as it is; one of several that may be null makes all so."""
    algebra = Algebra()

    assert text() == algebra.both(ANY, text())
    assert ANY == algebra.either([])
    assert algebra.either([ANY, text()]).nullable


def test_a_field_that_both_describe() -> None:
    """Required if one says so, writable if both do, with the label and default there is."""
    a = Field(name="f", type=text(), required=True, writable=False, default="x")
    b = Field(name="f", type=text(), present=True, label="F")
    algebra = Algebra()
    found = shape(algebra.both(thing("a", a), thing("b", b))).fields["f"]
    turned = shape(algebra.both(thing("b", b), thing("a", a))).fields["f"]

    assert Field(
        name="f",
        type=text(),
        required=True,
        present=True,
        writable=False,
        label="F",
        default="x",
    ) == (found)
    assert found == turned


def test_a_field_of_one_of_two() -> None:
    """Always there only if both have it; writable if it can be in one of them."""
    a = Field(name="f", type=text(), required=True, writable=False)
    b = Field(name="f", type=text(), present=True)
    g = Field(name="g", type=text(), required=True, present=True)
    fields = shape(Algebra().either([thing("a", a), thing("b", b, g)])).fields

    assert Field(name="f", type=text(), present=True) == fields["f"]
    assert Field(name="g", type=text()) == fields["g"]


def test_an_object_or_a_map_is_an_object() -> None:
    """The fields that are known can be read."""
    a = thing("a", Field(name="f", type=text()))
    found = shape(Algebra().either([a, Type(kind=Kind.MAP)]))

    assert ["f"] == list(found.fields)


def test_the_same_shapes_give_the_same_shape() -> None:
    """Whatever the order and the steps; otherwise walks through cycles would not end."""
    a, b, c = thing("a"), thing("b"), thing("c")
    algebra = Algebra()
    direct = algebra.either([a, b, c]).shape

    assert direct is algebra.either([c, algebra.either([b, a])]).shape
    assert a.shape is algebra.either([a, a]).shape is algebra.both(a, a).shape
    assert direct is not algebra.either([a, b]).shape
    assert "a|b|c" == shape(algebra.either([a, b, c])).name


def test_items_are_combined_as_well() -> None:
    """Of lists and maps the items."""
    short, long = (Type(kind=Kind.LIST, item=text(max_length=length)) for length in (3, 5))
    algebra = Algebra()

    assert short == algebra.both(short, long)
    assert long == algebra.either([short, long])
    assert short == algebra.both(Type(kind=Kind.LIST), short)
