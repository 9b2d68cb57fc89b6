"""Receiving: what a person says has come is taken as it is, once."""

import itertools
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pytest

from gateway.model.money import Money
from gateway.model.payment import (
    AttemptState,
    Payment,
    PaymentAttempt,
    PaymentState,
    RefundState,
)
from gateway.model.receipt import NewReceipt
from gateway.policy import receiving, refunding
from gateway.policy.validation import Invalid
from tests.conformance import samples

_AT: Final = datetime(2026, 11, 22, 9, tzinfo=UTC)
_ALL: Final = Money(2_000, "EUR")


def waiting(**fields: Any) -> Payment:
    """A payment that was asked for."""
    made = samples.payment(1, token="", method="prepayment", amount=_ALL)
    attempt = PaymentAttempt(attempt_id="a", key="k", state=AttemptState.PENDING)
    state = PaymentState.PENDING
    values = {"provider_ref": "p1", "attempts": (attempt,), "state": state, "progress": state}
    return msgspec.structs.replace(made, **values | fields)


def came(minor: int, reference: str, currency: str = "EUR") -> NewReceipt:
    return NewReceipt(amount=Money(minor, currency), reference=reference)


def after(payment: Payment, *receipts: NewReceipt) -> Payment:
    for one in receipts:
        payment, _ = receiving.receive(payment, one, at=_AT)
    return payment


@pytest.mark.parametrize(
    ("receipts", "captured"),
    [
        ([came(2_000, "a")], 2_000),
        ([came(1_500, "a")], 1_500),
        ([came(1_500, "a"), came(500, "b")], 2_000),
        ([came(2_500, "a")], 2_500),
        ([came(2_000, "a"), came(2_000, "a")], 2_000),
    ],
    ids=["all", "less", "in parts", "more", "told twice"],
)
def test_money_is_taken_as_it_came(receipts: list[NewReceipt], captured: int) -> None:
    """The facet says how much; the state, that money came. In any order it is the same payment."""
    paid = after(waiting(), *receipts)

    assert (PaymentState.CAPTURED, captured) == (paid.state, paid.captured.minor)
    assert "2026-11-22T09:00:00+00:00" == paid.captured_at
    assert {paid} == {after(waiting(), *order) for order in itertools.permutations(receipts)}


def test_same_reference_tells_once() -> None:
    """The second time nothing has happened, so nothing is reported."""
    paid, first = receiving.receive(waiting(), came(2_000, "a"), at=_AT)
    again, second = receiving.receive(paid, came(2_000, "a"), at=_AT)

    assert ["headrace.payment.captured.v1"] == [one.type for one in first]
    assert () == second
    assert paid == again


@pytest.mark.parametrize(
    ("new", "pointer", "code"),
    [
        (came(1_999, "a"), "/reference", "reference_used"),
        (came(2_000, "b", "USD"), "/amount/currency", "mixed_currency"),
    ],
)
def test_what_cannot_be_is_refused(new: NewReceipt, pointer: str, code: str) -> None:
    """A typing error shall not become money."""
    paid = after(waiting(), came(2_000, "a"))

    with pytest.raises(Invalid) as refused:
        receiving.receive(paid, new, at=_AT)

    assert [(pointer, code)] == [(one.pointer, one.code) for one in refused.value.errors]


def test_reference_of_a_refund_is_no_receipt() -> None:
    """Nor if the amount is the same."""
    paid = after(waiting(), came(2_000, "a"))
    asked, refund = refunding.request(paid, _ALL, reason="", at=_AT.isoformat())
    named = msgspec.structs.replace(refund, provider_ref="r1")
    gone, _ = receiving.settle(msgspec.structs.replace(asked, refunds=(named,)), named)

    with pytest.raises(Invalid):
        receiving.receive(gone, came(2_000, "r1"), at=_AT)


def test_amount_has_to_be_positive() -> None:
    """What goes back is a refund."""
    body = b'{"amount": {"amount": "0.00", "currency": "EUR"}, "reference": "a"}'

    with pytest.raises(Invalid) as refused:
        receiving.read_receipt(body)

    assert ["not_positive"] == [one.code for one in refused.value.errors]


@pytest.mark.parametrize(
    "state", [PaymentState.PENDING, PaymentState.CANCELLED, PaymentState.CAPTURED]
)
def test_money_comes_for_what_was_asked_for(state: PaymentState) -> None:
    """After a cancellation too."""
    assert receiving.may_receive(waiting(state=state))


@pytest.mark.parametrize("fields", [{"state": PaymentState.CREATED}, {"provider_ref": ""}])
def test_no_money_comes_for_what_was_not_asked_for(fields: dict[str, Any]) -> None:
    """Nobody knows of it yet."""
    assert not receiving.may_receive(waiting(**fields))


def test_money_after_a_cancellation_counts() -> None:
    """Money that moved has the last word."""
    ended = waiting(state=PaymentState.CANCELLED, progress=PaymentState.CANCELLED)

    assert PaymentState.CAPTURED is after(ended, came(2_000, "a")).state


def test_refund_is_settled_once() -> None:
    """What is too much can be given back; the second time nothing has happened."""
    paid = after(waiting(), came(2_500, "a"))
    assert 2_500 == refunding.left(paid).minor
    asked, refund = refunding.request(paid, Money(500, "EUR"), reason="", at=_AT.isoformat())
    assert not receiving.may_settle(refund)
    named = msgspec.structs.replace(refund, provider_ref="r1", state=RefundState.PENDING)
    asked = msgspec.structs.replace(asked, refunds=(named,))

    settled, events = receiving.settle(asked, named)
    (now,) = settled.refunds

    assert (RefundState.SETTLED, 500) == (now.state, settled.refunded.minor)
    assert ["headrace.refund.settled.v1"] == [one.type for one in events]
    assert receiving.may_settle(now)
    assert (settled, ()) == receiving.settle(settled, now)
    assert not receiving.may_settle(msgspec.structs.replace(now, state=RefundState.FAILED))
