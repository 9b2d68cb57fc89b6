"""Offline payments: the port's promises, kept without asking anybody."""

from typing import Any, TypeVar

import httpx
import msgspec
import pytest

from adapters.offline import ADAPTER, Settings
from adapters.offline.payments import OfflinePayments
from gateway.errors import Rejected
from gateway.kit.blocking import run
from gateway.model import codec
from gateway.model.money import Money
from gateway.model.payment import (
    ActionKind,
    AttemptState,
    CaptureMethod,
    Payment,
    PaymentAttempt,
    PaymentState,
    Refund,
)
from gateway.ports.exchange import Exchange
from tests.conformance import samples

T = TypeVar("T")

IBAN = "DE89 3704 0044 0532 0130 00"
SETTINGS = Settings(account_holder="Acme GmbH", iban=IBAN, bic="COBADEFFXXX")


def held(exchange: Exchange[T]) -> T:
    """The end of an exchange that may send nothing."""

    def send(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"{request.method} {request.url} was sent")

    return run(exchange, send)


def payment(method: str = "prepayment", **fields: Any) -> Payment:
    made = samples.payment(1, token="", method=method)
    return msgspec.structs.replace(made, provider="offline", **fields)


def known(method: str = "prepayment", **fields: Any) -> Payment:
    """A payment that was asked for."""
    attempt = PaymentAttempt(attempt_id="a", key="k", state=AttemptState.PREPARED)
    return payment(method, attempts=(attempt,), **fields)


@pytest.fixture
def port() -> OfflinePayments:
    made: OfflinePayments = ADAPTER.port("payments", SETTINGS)
    return made


@pytest.mark.parametrize("row", ADAPTER.capabilities, ids=lambda row: row.method)
def test_money_is_awaited(port: OfflinePayments, row: Any) -> None:
    """PENDING under our own id, whatever the method, the same with the same key and when found."""
    ours = payment(row.method)

    made = [held(port.create_payment(ours, key="k")) for _ in range(2)]
    found = held(port.find_payment(known(row.method)))

    assert PaymentState.PENDING is made[0].state
    assert (ours.payment_id, ours.amount) == (made[0].provider_ref, made[0].amount)
    assert made[0] == made[1] == found


def test_payer_is_told_where_to_transfer(port: OfflinePayments) -> None:
    """Our account and what to write; the front-end's number where there is one."""
    ours = payment(reference="WEB-4712", due="2026-12-01")

    action = held(port.create_payment(ours, key="k")).next_action
    unnamed = held(port.create_payment(payment(), key="k")).next_action

    assert action is not None
    assert unnamed is not None
    assert (ActionKind.TRANSFER, "2026-12-01") == (action.kind, action.expires_at)
    assert {
        "account_holder": "Acme GmbH",
        "iban": "DE89370400440532013000",
        "bic": "COBADEFFXXX",
        "reference": "WEB-4712",
    } == action.details
    assert payment().payment_id == unnamed.details["reference"]


@pytest.mark.parametrize("method", ["open_invoice", "cash"])
def test_others_are_told_nothing(port: OfflinePayments, method: str) -> None:
    """An invoice has its own text, and cash is paid where it is."""
    assert held(port.create_payment(payment(method), key="k")).next_action is None


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("method_unsupported", {"method_code": "card"}),
        ("currency_unsupported", {"amount": Money(500, "JPY")}),
        ("capture_method_unsupported", {"capture_method": CaptureMethod.MANUAL}),
    ],
)
def test_what_cannot_be_is_refused(port: OfflinePayments, code: str, fields: Any) -> None:
    """With the rule that is broken."""
    with pytest.raises(Rejected) as refused:
        held(port.create_payment(payment(**fields), key="k"))

    assert code == refused.value.code


def test_cash_is_of_any_currency(port: OfflinePayments) -> None:
    """As are invoices: only a transfer needs an account in it."""
    made = held(port.create_payment(payment("cash", amount=Money(500, "JPY")), key="k"))

    assert Money(500, "JPY") == made.amount


def test_what_was_never_asked_for_is_not_found(port: OfflinePayments) -> None:
    """Neither payment nor refund."""
    assert held(port.find_payment(payment())) is None
    assert held(port.find_refund(known(), "r1")) is None


def test_payment_is_given_up_until_money_came(port: OfflinePayments) -> None:
    """Any number of times; what came is given back by a refund."""
    cancelled = [held(port.cancel_payment(known(), key="k")) for _ in range(2)]

    with pytest.raises(Rejected) as refused:
        held(port.cancel_payment(known(captured=Money(1, "EUR")), key="k"))

    assert PaymentState.CANCELLED is cancelled[0].state
    assert cancelled[0] == cancelled[1]
    assert cancelled[0].next_action is None
    assert "not_cancellable" == refused.value.code


def test_nothing_is_captured(port: OfflinePayments) -> None:
    """Nobody holds anything."""
    with pytest.raises(Rejected):
        held(port.capture_payment(known(), Money(1, "EUR"), key="k"))


def test_refund_waits_for_a_person(port: OfflinePayments) -> None:
    """PENDING, under our own id, and found as it was asked for."""
    amount = Money(500, "EUR")
    refund = Refund(refund_id="r1", payment_id="p", amount=amount, requested_at="")

    made = held(port.refund_payment(known(), "r1", amount, key="k"))

    assert ("r1", PaymentState.PENDING, amount) == (made.provider_ref, made.state, made.amount)
    assert made == held(port.find_refund(known(refunds=(refund,)), "r1"))


def test_account_number_is_checked_and_not_shown() -> None:
    """Neither by repr nor by the message of a refusal."""
    wrong = {"account_holder": "Acme GmbH", "iban": "DE88370400440532013000"}
    with pytest.raises(msgspec.ValidationError) as refused:
        codec.convert(wrong, Settings)

    assert "iban_checksum" in str(refused.value)
    assert "3704" not in str(refused.value)
    assert "3704" not in repr(SETTINGS)
