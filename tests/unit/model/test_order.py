"""New orders: what a front-end may send, field by field."""

from typing import Any

import msgspec
import pytest

from gateway.model import codec
from gateway.model.instruction import PaymentInstruction
from gateway.model.item import OrderItem
from gateway.model.money import Money
from gateway.model.order import Channel, NewOrder, OrderKind
from gateway.model.payment import CaptureMethod
from tests.unit.model.samples import plain_order

REFUSED = [
    ("channel", "b2c"),
    ("channel", None),
    ("kind", "GIFT"),
    ("items", []),
    ("items", {}),
    ("total", {"amount": 19.9, "currency": "EUR"}),
    ("total", {"amount": "19.90", "currency": "eur"}),
    ("total", {"amount": "19.90"}),
    ("reference", "x" * 65),
    ("reference", "a b"),
    ("note", ""),
    ("note", "x" * 201),
    ("note", "two\nlines"),
    ("discount", "10%"),
]
REFUSED_ITEMS = [
    ("product_id", ""),
    ("product_id", "x" * 41),
    ("product_id", "TG 11"),
    ("description", "x" * 201),
    ("quantity", 0),
    ("quantity", -1),
    ("quantity", 100_000),
    ("quantity", 1.5),
    ("quantity", "2"),
    ("unit_price", "9.95"),
    ("unit_price", {"amount": "9.955", "currency": "EUR"}),
    ("tax", "19%"),
]
REFUSED_PAYMENTS = [
    ("method_code", "c"),
    ("method_code", "Card"),
    ("method_code", "x" * 41),
    ("token", "x" * 8193),
    ("token", "4242 4242 4242 4242"),
    ("capture_method", "later"),
    ("iban", "DE00"),
]


@pytest.mark.parametrize(("field", "value"), REFUSED)
def test_wrong_orders_are_refused(field: str, value: Any) -> None:
    """The mistake is named by its field."""
    with pytest.raises(msgspec.ValidationError, match=rf"[`.]{field}"):
        codec.convert(plain_order() | {field: value}, NewOrder)


@pytest.mark.parametrize(("field", "value"), REFUSED_ITEMS)
def test_wrong_lines_are_refused(field: str, value: Any) -> None:
    """The path leads to the line and its field."""
    body = plain_order()
    body["items"].append(body["items"][0] | {field: value})

    with pytest.raises(msgspec.ValidationError, match=r"\$\.items\[1\]") as caught:
        codec.convert(body, NewOrder)

    assert field in str(caught.value)


@pytest.mark.parametrize(("field", "value"), REFUSED_PAYMENTS)
def test_wrong_payments_are_refused(field: str, value: Any) -> None:
    """Neither a card number nor an unknown way to collect gets in."""
    body = plain_order()
    body["payment"][field] = value

    with pytest.raises(msgspec.ValidationError, match=r"\$\.payment|`iban`"):
        codec.convert(body, NewOrder)


@pytest.mark.parametrize("field", ["channel", "party", "items", "total", "payment"])
def test_fields_that_nobody_can_do_without(field: str) -> None:
    """An order without one of them is no order."""
    body = plain_order()
    del body[field]

    with pytest.raises(msgspec.ValidationError, match=f"missing required field `{field}`"):
        codec.convert(body, NewOrder)


def test_what_may_be_left_out() -> None:
    """A purchase, collected at once, without a reference or a note."""
    found = codec.convert(plain_order(), NewOrder)

    assert Channel.B2C is found.channel
    assert OrderKind.PURCHASE is found.kind
    assert PaymentInstruction(method_code="card", token="pm_card_visa") == found.payment
    assert CaptureMethod.AUTOMATIC is found.payment.capture_method
    assert ("", None) == (found.reference, found.note)


def test_two_hundred_lines_are_the_limit() -> None:
    """The two hundred and first is refused."""
    body = plain_order()
    line = body["items"][0]

    assert 200 == len(codec.convert(body | {"items": [line] * 200}, NewOrder).items)
    with pytest.raises(msgspec.ValidationError, match="items"):
        codec.convert(body | {"items": [line] * 201}, NewOrder)


def test_largest_line() -> None:
    """Limits themselves are allowed: 99,999 units of a product with 40 characters."""
    price = {"amount": "9999999999999.99", "currency": "EUR"}
    line = {"product_id": "A" * 40, "quantity": 99_999, "unit_price": price}

    assert (
        OrderItem(
            product_id="A" * 40, quantity=99_999, unit_price=Money(999_999_999_999_999, "EUR")
        )
        == codec.convert(plain_order() | {"items": [line]}, NewOrder).items[0]
    )


def test_orders_do_not_change() -> None:
    """What was received stays as it was received."""
    found = codec.convert(plain_order(), NewOrder)

    with pytest.raises(AttributeError, match="immutable"):
        found.note = "changed"  # type: ignore[misc]  # the mistake under test
