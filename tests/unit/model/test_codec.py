"""JSON of the model: what goes out comes in again, and mistakes are named by their path."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import codec
from gateway.model.event import Event
from gateway.model.money import Money
from gateway.model.order import NewOrder, Order
from gateway.model.payment import (
    AttemptState,
    CaptureMethod,
    Payment,
    PaymentAttempt,
    PaymentFailure,
    PaymentState,
)
from tests.unit.model.samples import new_order, order, plain_order

EUROS = Money(1990, "EUR")


class Holder(msgspec.Struct, frozen=True):
    """A value with money in it."""

    price: Money
    prices: tuple[Money, ...] = ()


def test_orders_come_back_whole() -> None:
    """Nothing of an order is lost between two processes."""
    assert order() == codec.decode(codec.encode(order()), Order)
    assert new_order() == codec.decode(codec.encode(new_order()), NewOrder)


def test_payments_come_back_whole() -> None:
    """Attempts and failures survive with their order."""
    failure = PaymentFailure(code="declined", provider_code="card_declined", retryable=True)
    attempts = (
        PaymentAttempt(attempt_id="a1", key="k", state=AttemptState.DECLINED, failure=failure),
        PaymentAttempt(attempt_id="a2", key="k", state=AttemptState.PREPARED),
    )
    payment = Payment(
        payment_id="p",
        order_id="o",
        amount=EUROS,
        method_code="card",
        token="pm_1",
        capture_method=CaptureMethod.MANUAL,
        provider="stripe_de",
        requested_at="2026-11-21T00:00:00Z",
        state=PaymentState.PENDING,
        captured=Money(0, "EUR"),
        refunded=Money(0, "EUR"),
        returned=Money(0, "EUR"),
        disputed=Money(0, "EUR"),
        attempts=attempts,
    )

    assert payment == codec.decode(codec.encode(payment), Payment)


@given(
    st.dictionaries(
        st.text(max_size=8), st.none() | st.booleans() | st.text() | st.integers(-(2**53), 2**53)
    )
)
def test_event_data_comes_back_whole(data: dict[str, str | int | bool | None]) -> None:
    """A truth value stays one, and so does a number that could pass for it."""
    event = Event(type="headrace.order.accepted.v1", aggregate="order", aggregate_id="1", data=data)
    found = codec.decode(codec.encode(event), Event)

    assert event == found
    assert [type(value) for value in data.values()] == [type(v) for v in found.data.values()]


def test_money_is_a_decimal_string() -> None:
    """No number that a float could spoil is on the wire."""
    assert b'{"price":{"amount":"19.90","currency":"EUR"},"prices":[]}' == codec.encode(
        Holder(EUROS)
    )
    assert {"amount": "19.90", "currency": "EUR"} == codec.to_builtins(EUROS)
    assert EUROS == codec.convert({"amount": "19.9", "currency": "EUR"}, Money)


@pytest.mark.parametrize(
    ("price", "message"),
    [
        (
            '"19.90"',
            "Expected `object` with `amount` and `currency` - at `$.price`",
        ),
        (
            '{"amount":19.9,"currency":"EUR"}',
            "`amount` must be a decimal string, `currency` an ISO 4217 code - at `$.price`",
        ),
        (
            '{"amount":"19.90"}',
            "`amount` must be a decimal string, `currency` an ISO 4217 code - at `$.price`",
        ),
        (
            '{"amount":"19.901","currency":"EUR"}',
            "EUR has 2 decimals, got 3 - at `$.price`",
        ),
        (
            '{"amount":"1","currency":"EUR","scale":2}',
            "Object contains a field other than `amount` and `currency` - at `$.price`",
        ),
    ],
)
def test_wrong_money_is_named_by_its_path(price: str, message: str) -> None:
    """The field is named; the value that was sent is not."""
    with pytest.raises(msgspec.ValidationError) as caught:
        codec.decode(f'{{"price":{price}}}', Holder)

    assert message == str(caught.value)


def test_the_path_leads_into_lists() -> None:
    """The second of three prices is the wrong one."""
    euro, yen = '{"amount":"1","currency":"EUR"}', '{"amount":"1.5","currency":"JPY"}'

    with pytest.raises(msgspec.ValidationError, match=r"JPY has 0 decimals.*\$\.prices\[1\]"):
        codec.decode(f'{{"price":{euro},"prices":[{euro},{yen},{euro}]}}', Holder)


def test_unknown_fields_are_refused_in_requests() -> None:
    """A misspelt field is a mistake of the caller, not a wish to ignore."""
    body = plain_order()
    body["items"][0]["colour"] = "red"

    with pytest.raises(
        msgspec.ValidationError, match=r"unknown field `colour` - at `\$\.items\[0\]`"
    ):
        codec.convert(body, NewOrder)


def test_what_is_no_json_is_said_to_be_none() -> None:
    """Half a body is a decode error, not a validation error."""
    with pytest.raises(msgspec.DecodeError) as caught:
        codec.decode(b'{"price":', Holder)

    assert msgspec.DecodeError is type(caught.value)


def test_types_without_json_form_are_refused() -> None:
    """Only what has one form everywhere is written or read; complex numbers have none."""
    with pytest.raises(NotImplementedError, match="complex has no JSON form"):
        codec.encode(1j)
    with pytest.raises(NotImplementedError, match="complex has no JSON form"):
        codec.convert("1j", complex)
    with pytest.raises(TypeError, match="complex'> is not supported"):
        codec.schema(complex)


def test_schema_of_money() -> None:
    """The schema refuses what the decoder refuses: other fields, numbers, missing parts."""
    found: dict[str, Any] = codec.schema(Money)

    assert ["amount", "currency"] == found["required"]
    assert found["additionalProperties"] is False
    assert {"amount": "string", "currency": "string"} == {
        name: part["type"] for name, part in found["properties"].items()
    }


def test_schemas_share_their_components() -> None:
    """Two types that hold the same part refer to one component of it."""
    found, components = codec.schemas((Order, NewOrder), "#/components/schemas/{name}")

    assert (
        {"$ref": "#/components/schemas/Order"},
        {"$ref": "#/components/schemas/NewOrder"},
    ) == found
    assert {"Order", "NewOrder", "Party", "Address", "OrderItem"} <= set(components)
    assert components["Order"]["properties"]["party"] == {"$ref": "#/components/schemas/Party"}
