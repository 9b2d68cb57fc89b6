"""What the payments port of Mollie believes, and what leaves it in doubt: answers by hand."""

from typing import Any

import httpx
import msgspec
import pytest

from adapters.mollie import ADAPTER, Settings
from gateway.errors import InDoubt, Misconfigured, Rejected, Unavailable
from gateway.kit.blocking import run
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, PaymentState
from tests.adapters.mollie.conftest import REF, adapter, answer, refer, theirs
from tests.redacting import redact_body

S = PaymentState
MANUAL = CaptureMethod.MANUAL


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": "thawing"}, "status_unknown"),
        ({"amount": {"currency": "EUR", "value": "19.98"}}, "integrity_mismatch"),
        ({"amount": {"currency": "USD", "value": "19.99"}}, "integrity_mismatch"),
        ({"amount": {"currency": "EUR", "value": "19.990"}}, "unreadable"),
        ({"amount": {"currency": "EUR", "value": 19.99}}, "unreadable"),
        ({"amount": {"currency": "XXX", "value": "19.99"}}, "unreadable"),
        ({"amountRefunded": {"currency": "USD", "value": "1.00"}}, "unreadable"),
        ({"metadata": {"payment_id": "another"}}, "integrity_mismatch"),
        ({"metadata": {"payment_id": 7}}, "integrity_mismatch"),
        ({"metadata": "text"}, "integrity_mismatch"),
        ({"metadata": None}, "integrity_mismatch"),
        ({"status": None}, "unreadable"),
    ],
)
def test_answers_that_are_not_believed(payment: Any, fields: dict[str, Any], code: str) -> None:
    """An answer with another amount, currency, id or status leaves the payment in doubt."""
    with pytest.raises(InDoubt) as doubt:
        answer(adapter().create_payment(payment(), key="k"), 201, theirs(payment(), **fields))

    assert code == doubt.value.code


@pytest.mark.parametrize("verb", ["find_payment", "cancel_payment"])
def test_answer_about_another_payment(payment: Any, verb: str) -> None:
    """Another id than the one that was asked for is in doubt, even if its fields fit."""
    ours, port = payment(provider_ref="tr_other"), adapter()
    finding = verb == "find_payment"
    exchange = port.find_payment(ours) if finding else port.cancel_payment(ours, key="k")

    with pytest.raises(InDoubt) as doubt:
        answer(exchange, 200, theirs(ours, status="canceled"))
    assert "integrity_mismatch" == doubt.value.code


@pytest.mark.parametrize(
    "fields",
    [
        {"paymentId": "tr_other"},
        {"amount": {"currency": "EUR", "value": "4.99"}},
        {"amount": {"currency": "EUR", "value": "x"}},
    ],
)
def test_capture_answers_that_are_not_believed(payment: Any, fields: dict[str, Any]) -> None:
    """A capture of another payment, or of another amount, is in doubt."""
    ours = payment(provider_ref=REF)
    capture = {
        "id": "cpt_1",
        "paymentId": REF,
        "amount": {"currency": "EUR", "value": "5.00"},
        "status": "succeeded",
        **fields,
    }

    with pytest.raises(InDoubt) as doubt:
        answer(adapter().capture_payment(ours, Money(500, "EUR"), key="k"), 201, capture)
    assert "integrity_mismatch" == doubt.value.code


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_capture_whose_payment_cannot_be_read_is_in_doubt(
    account: Any, payment: Any, status: int
) -> None:
    """It was made, so no refusal of the look afterwards may say that nothing happened."""
    ours = payment(capture_method=MANUAL)
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k1")))

    def send(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return account.simulator.refuse(request, status)
        return account.send(request)

    with pytest.raises(InDoubt) as doubt:
        run(account.payments.capture_payment(ours, ours.amount, key="k2"), send)
    assert "unconfirmed" == doubt.value.code
    assert 1 == account.simulator.effects()["charge"][ours.payment_id]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": {"currency": "EUR", "value": "0.99"}}, "integrity_mismatch"),
        ({"metadata": {"refund_id": "r2"}}, "integrity_mismatch"),
        ({"paymentId": "tr_other"}, "integrity_mismatch"),
        ({"status": "gone"}, "status_unknown"),
        ({"status": None}, "status_unknown"),
    ],
)
def test_refund_answers_that_are_not_believed(
    payment: Any, fields: dict[str, Any], code: str
) -> None:
    """An answer about another refund leaves ours in doubt."""
    ours = payment(provider_ref=REF)
    refund = {
        "id": "re_1",
        "paymentId": REF,
        "amount": {"currency": "EUR", "value": "1.00"},
        "status": "pending",
        "metadata": {"refund_id": "r1"},
    }
    exchange = adapter().refund_payment(ours, "r1", Money(100, "EUR"), key="k")

    with pytest.raises(InDoubt) as doubt:
        answer(exchange, 201, {**refund, **fields})
    assert code == doubt.value.code


def test_refund_that_failed_is_found_as_such(account: Any, payment: Any) -> None:
    """The bank sends it back: a result, with Mollie's word; the payment counts less refunded."""
    ours = refer(payment(), account.run(account.payments.create_payment(payment(), key="k1")))
    made = account.run(account.payments.refund_payment(ours, "r1", Money(100, "EUR"), key="k2"))
    counted = account.run(account.payments.find_payment(ours)).refunded
    account.simulator.fail_refund(ours.provider_ref, made.provider_ref, now=account.now)

    found = account.run(account.payments.find_refund(ours, "r1"))
    later = account.run(account.payments.find_payment(ours)).refunded

    assert (S.PENDING, S.FAILED, "failed") == (
        made.state,
        found.state,
        found.failure and found.failure.provider_code,
    )
    assert (Money(100, "EUR"), Money(0, "EUR")) == (counted, later)


@pytest.mark.parametrize(
    ("status", "content", "kind", "code"),
    [
        (404, b"<html>", Misconfigured, "foreign_answer"),
        (302, b"", Misconfigured, "foreign_answer"),
        (408, b"", InDoubt, "server_error"),
        (422, {"status": 422, "title": "Unprocessable Entity", "field": "a"}, Rejected, "refused"),
        (409, {"status": 409, "title": "Conflict"}, Unavailable, "locked"),
        (503, {"status": 503, "title": "Service Unavailable"}, InDoubt, "server_error"),
    ],
)
def test_errors(payment: Any, status: int, content: Any, kind: type, code: str) -> None:
    """Each says what the caller does next; 503 says nothing about what a supplier did."""
    with pytest.raises(kind) as error:
        answer(adapter().create_payment(payment(), key="k"), status, content)

    assert code == error.value.code


def test_list_that_points_elsewhere_is_not_followed(account: Any, payment: Any) -> None:
    """Of the link to the next page only its id is taken, so no other host is ever asked."""
    asked = []

    def send(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        following = None if len(asked) > 1 else {"href": "http://169.254.169.254/x?from=tr_2"}
        page = {"_embedded": {"payments": []}, "_links": {"next": following}}
        return httpx.Response(200, json=page)

    assert run(adapter().find_payment(payment()), send) is None
    assert ["api.mollie.com", "api.mollie.com"] == [url.host for url in asked]
    assert "tr_2" == asked[1].params["from"]


def test_settings_show_no_secret() -> None:
    """Neither key nor signing secret; and what is no setting is refused."""
    settings = Settings(api_key="live_abc", webhook_secrets=("hush",))

    assert "live_abc" not in repr(settings)
    assert "hush" not in repr(settings)
    for wrong in (
        {"base_url": "ftp://x", "api_key": "k"},
        {"api_key": "k\r\nx: y"},
        {"api_key": "k", "redirect_url": "javascript:alert(1)"},
        {"api_key": "k", "x": 1},
        {},
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, Settings)


def test_evidence_shows_nothing_of_the_payer() -> None:
    """Of an answer stay states, amounts and ids; names, accounts, cards and tokens do not."""
    hidden = {
        "description": "Ada Lovelace",
        "redirectUrl": "https://shop.example/ada",
        "customerId": "cst_8wmqcHMN4U",
        "cardToken": "tkn_secret",
        "details": {
            "consumerName": "Ada Lovelace",
            "consumerAccount": "NL55INGB0000000000",
            "cardHolder": "Ada Lovelace",
            "cardNumber": "6787",
            "bankReason": "Lovelace has no money",
            "shippingAddress": {"title": "Countess", "streetAndNumber": "Lindenallee 77a"},
        },
        "_links": {"checkout": {"href": "https://www.mollie.com/checkout/x?token=3.abc"}},
    }
    shown = {"id": REF, "status": "paid", "amountCaptured": {"value": "19.99"}, "mode": "live"}
    body = msgspec.json.encode({**shown, **hidden})

    evidence = redact_body("application/hal+json", body, ADAPTER.readable)

    for one in (REF, "paid", "19.99", "live"):
        assert one in evidence
    for one in ("Ada", "Lovelace", "INGB", "6787", "cst_", "tkn_", "Countess", "Linden", "3.abc"):
        assert one not in evidence
