"""A value that does not fit is told under our name of it, with its place in a list."""

from pathlib import Path

import msgspec
import pytest

from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.mapping.pointing import refusal, refusing
from gateway.kit.mapping.schemas import Schemas

MAPPING = """\
mapping: shop.order
version: 1.0.0
from: canonical.Order
to: schema:order
needs: {customer: "schema:order#Number"}
fields:
  Customer: needs.customer | fit(5)
  Day: day | isodate
  Lines:
    each: lines as l
    fields:
      Text: f"{l.head} {l.tail}" | fit(10)
"""
SCHEMA = """\
$defs: {Number: {type: string}}
type: object
properties:
  Customer: {type: string, maxLength: 5}
  Day: {type: string, format: date}
  Lines:
    type: array
    items: {type: object, properties: {Text: {type: string, maxLength: 10}}}
"""


class Line(msgspec.Struct):
    """Two texts that become one."""

    head: str
    tail: str


class Order(msgspec.Struct):
    """What the mapping takes."""

    day: str
    lines: list[Line]


def loaded(folder: Path) -> mapping.Mapping:
    (folder / "order.yaml").write_text(SCHEMA)
    document = mapping.parse(MAPPING, file="order.yaml")
    return mapping.load(document, Schemas(folders=(folder,), model=(Order,)))


def refused(folder: Path, order: Order, customer: str = "C") -> Rejected:
    made = loaded(folder)
    with pytest.raises(mapping.MappingFailure) as caught:
        made.apply(order, {"customer": customer})
    return refusal(caught.value, made, order)


def test_too_long_in_a_list(tmp_path: Path) -> None:
    """The item that is too long is named, not the ones before it."""
    lines = [Line("a", "b"), Line("a", "b" * 11)]

    told = refused(tmp_path, Order("2026-01-01", lines))

    assert "field_too_long" == told.code
    assert "lines[1].tail is longer than 10 characters, which Text takes." == told.message
    assert "order.yaml:12 /Lines[]/Text" in told.detail
    assert "bbb" not in told.message + told.detail


def test_too_long_only_together(tmp_path: Path) -> None:
    """Where no field is too long by itself, the target's field is named."""
    told = refused(tmp_path, Order("2026-01-01", [Line("aaaaaa", "bbbbbb")]))

    assert "field_too_long" == told.code
    assert "Text is longer than 10 characters." == told.message


def test_need_that_is_too_long(tmp_path: Path) -> None:
    """What was looked up or computed is named as the mapping names it."""
    told = refused(tmp_path, Order("2026-01-01", []), customer="123456")

    assert "customer is longer than 5 characters, which Customer takes." == told.message


def test_value_that_cannot_be_converted(tmp_path: Path) -> None:
    """A day outside the calendar is a mistake of the field that it stands in."""
    told = refused(tmp_path, Order("2026-02-31", []))

    assert ("field_invalid", "day is nothing that Day takes.") == (told.code, told.message)


def test_failure_of_which_more_is_known(tmp_path: Path) -> None:
    """The adapter says what it means; all others are told by the field."""
    made, order = loaded(tmp_path), Order("2026-02-31", [])
    for known, code in (
        ({"/Day": ("No such day.", "day_unknown")}, "day_unknown"),
        ({}, "field_invalid"),
    ):
        with pytest.raises(Rejected) as told, refusing(made, order, known):
            made.apply(order, {"customer": "C"})
        assert code == told.value.code
        assert isinstance(told.value.__cause__, mapping.MappingFailure)
