"""Payments of PAYONE: what is refused before it is sent, taken over after it, and read back."""

import json
from typing import Any

import httpx
import msgspec
import pytest

from adapters.payone.translation_objects import place_of, short
from gateway.errors import InDoubt, Rejected
from gateway.kit.blocking import run
from gateway.model.money import Money
from gateway.model.movement import MovementKind, MovementState
from gateway.model.payment import ActionKind, CaptureMethod, PaymentState
from gateway.model.split import Split

BACK = "https://shop.example/back"
HELD = CaptureMethod.MANUAL


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": Money(5_125, "KWD")}, "amount_too_fine"),
        ({"amount": Money(0, "EUR")}, "amount_invalid"),
        ({"amount": Money(10**12, "EUR")}, "amount_invalid"),
        ({"token": "tok en"}, "token_invalid"),
        ({"token": ""}, "token_invalid"),
        ({"method_code": "paypal"}, "return_url_missing"),
        ({"method_code": "wero", "return_url": BACK, "capture_method": HELD}, None),
        ({"method_code": "sepa_debit", "token": "M 1"}, "token_invalid"),
        ({"method_code": "sepa_debit", "amount": Money(1, "CHF")}, "currency_unsupported"),
        ({"method_code": "ideal"}, "method_unsupported"),
        ({"method_code": "apple_pay", "token": ""}, "token_invalid"),
        ({"method_code": "apple_pay", "token": "{}"}, "token_invalid"),
        ({"method_code": "apple_pay", "token": "!"}, "token_invalid"),
        ({"method_code": "click_to_pay", "token": "{" * 2000}, "token_invalid"),
        ({"splits": (Split(party="m1", amount=Money(1999, "EUR")),)}, "splits_unsupported"),
        ({"payment_id": "p" * 41}, "field_too_long"),
        ({"return_url": "https://shop.example/" + "x" * 200}, "field_too_long"),
    ],
)
def test_refused_before_anything_is_sent(
    account: Any, payment: Any, fields: dict[str, Any], code: str | None
) -> None:
    """With a code and the name of the field."""
    with pytest.raises(Rejected) as refused:
        account.run(account.payments.create_payment(payment(**fields), key="k"))

    assert (code or "capture_method_unsupported") == refused.value.code
    assert any(each in refused.value.message for each in (*fields, "token", "return_url"))
    assert [] == account.requests


@pytest.mark.parametrize(
    ("amount", "units"),
    [(Money(1, "EUR"), 1), (Money(500, "JPY"), 50_000), (Money(5_120, "KWD"), 512)],
)
def test_two_decimals_in_every_currency(
    account: Any, payment: Any, amount: Money, units: int
) -> None:
    """There and back."""
    ours = account.create(payment(amount))

    sent = json.loads(account.requests[0].read())["checkout"]["amountOfMoney"]
    assert {"amount": units, "currencyCode": amount.currency} == sent
    assert amount == account.run(account.payments.find_payment(ours)).captured


def test_references_are_ours(account: Any, payment: Any) -> None:
    """The whole id where 40 characters fit, 20 made of it where they do not, and both come back."""
    ours = account.create(payment())
    body = json.loads(account.requests[0].read())
    order = body["checkout"]["orderRequest"]["orderReferences"]

    assert ours.payment_id == body["merchantReference"]
    assert ours.payment_id == body["checkout"]["references"]["merchantReference"]
    assert (20, short(ours.payment_id)) == (
        len(order["merchantReference"]),
        order["merchantReference"],
    )
    assert short("a") != short("b")
    assert place_of(ours) is not None


def test_redirect_waits_for_the_payer(account: Any, payment: Any) -> None:
    """With the page, and authorised once the payer has been there."""
    ours = payment(method_code="paypal", token="", return_url=BACK, capture_method=HELD)
    made = account.run(account.payments.create_payment(ours, key="k"))
    account.simulator.complete(ours.payment_id, succeeds=True, now=account.now)
    found = account.run(account.payments.find_payment(ours))

    assert (PaymentState.REQUIRES_ACTION, ActionKind.REDIRECT) == (
        made.state,
        made.next_action.kind,
    )
    assert made.next_action.url.startswith("https://")
    assert PaymentState.AUTHORISED is found.state


def test_debit_is_decided_later_and_can_be_returned(account: Any, payment: Any) -> None:
    """Pending, collected, returned by the bank, and given back after all."""
    ours = account.create(payment(method_code="sepa_debit", token="MANDATE-ACCEPTED"))
    states = [account.run(account.payments.find_payment(ours)).state]
    account.now += 10
    states.append(account.run(account.payments.find_payment(ours)).state)
    account.simulator.charge_back(ours.payment_id, 1999, now=account.now)
    taken = account.run(account.payments.find_payment(ours))
    account.now += 1
    account.simulator.reverse(ours.payment_id, now=account.now)
    again = account.run(account.payments.find_payment(ours))

    assert [PaymentState.PENDING, PaymentState.CAPTURED] == states
    (one,) = taken.movements
    assert (MovementKind.RETURN, MovementState.DONE, "AC04") == (
        one.kind,
        one.state,
        one.reason_code,
    )
    assert ours.amount == taken.captured == again.captured
    assert {one.ref} == {each.ref for each in again.movements}
    assert MovementState.UNDONE in {each.state for each in again.movements}


def test_debit_that_the_bank_refuses_has_failed(account: Any, payment: Any) -> None:
    """It was pending first."""
    ours = account.create(payment(method_code="sepa_debit", token="MANDATE-RETURNED"))
    account.now += 10

    assert PaymentState.FAILED is account.run(account.payments.find_payment(ours)).state


def test_used_reference_is_taken_over(account: Any, payment: Any) -> None:
    """A repetition is refused by PAYONE, and what was paid before is the answer."""
    first = account.run(account.payments.create_payment(payment(), key="k"))
    second = account.run(account.payments.create_payment(payment(), key="k"))

    assert first == second
    assert [201, 202, 200] == [one.status_code for one in account.responses]


def test_declined_payment_may_be_paid_afterwards(account: Any, payment: Any) -> None:
    """The reference of what failed is free again; the new one counts."""
    declined = account.run(
        account.payments.create_payment(payment(token="token-declined"), key="a")
    )
    made = account.run(account.payments.create_payment(payment(), key="b"))
    found = account.run(account.payments.find_payment(payment()))

    assert (PaymentState.FAILED, "30591001") == (declined.state, declined.failure.provider_code)
    assert (PaymentState.CAPTURED, made) == (made.state, found)


def test_unknown_token_is_refused(account: Any, payment: Any) -> None:
    """That is no decline: the card was never asked."""
    with pytest.raises(Rejected) as refused:
        account.run(account.payments.create_payment(payment(token="token-unknown"), key="k"))

    assert "50001130" == refused.value.detail


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": 500}, "server_error"),
        ({"amount": 1}, "integrity_mismatch"),
        ({"currencyCode": "USD"}, "integrity_mismatch"),
        ({"currencyCode": "ZZZ"}, "unreadable"),
        ({"reference": "another"}, "integrity_mismatch"),
        ({"own": "another"}, "integrity_mismatch"),
        ({"word": "SHIPPED"}, "status_unknown"),
        ({"nothing": True}, "unconfirmed"),
    ],
)
def test_doubt(account: Any, payment: Any, change: dict[str, Any], code: str) -> None:
    """Whatever does not fit to the request, or cannot be read."""

    def send(request: httpx.Request) -> httpx.Response:
        checkout = {
            "checkoutId": "c",
            "amountOfMoney": {
                "amount": change.get("amount", 1999),
                "currencyCode": change.get("currencyCode", "EUR"),
            },
            "references": {"merchantReference": change.get("reference", payment().payment_id)},
        }
        own = change.get("own", short(payment().payment_id))
        output = {
            "amountOfMoney": checkout["amountOfMoney"],
            "references": {"merchantReference": own},
        }
        paid = {"status": change.get("word", "CAPTURED"), "paymentOutput": output}
        if "status" in change:
            errors = [{"errorCode": "1", "httpStatusCode": change["status"]}]
            checkout["errorResponse"] = {"errors": errors}
        elif "nothing" not in change:
            checkout["paymentResponse"] = {"payment": paid, "paymentExecutionId": "e"}
        content = {"commerceCaseId": "a", "checkout": checkout}
        return httpx.Response(201, content=msgspec.json.encode(content), request=request)

    with pytest.raises(InDoubt) as doubt:
        run(account.payments.create_payment(payment(), key="k"), send)

    assert code == doubt.value.code


def test_parts_are_captured_and_the_rest_is_given_up(account: Any, payment: Any) -> None:
    """Two captures with a key each, one of them twice, and a cancellation."""
    ours = account.create(payment(capture_method=HELD))
    for key, minor in (("a", 500), ("b", 300), ("a", 500)):
        made = account.run(account.payments.capture_payment(ours, Money(minor, "EUR"), key=key))

    assert Money(800, "EUR") == made.captured
    with pytest.raises(Rejected):
        account.run(account.payments.capture_payment(ours, Money(1200, "EUR"), key="c"))
    assert 2 == account.simulator.effects()["charge"][ours.payment_id]


def test_refunds_are_told_apart(account: Any, payment: Any) -> None:
    """Each by its own id, and never more than there is."""
    ours = account.create(payment())
    for refund_id, minor in (("r1", 500), ("r2", 300)):
        account.run(account.payments.refund_payment(ours, refund_id, Money(minor, "EUR"), key="k"))

    found = account.run(account.payments.find_payment(ours))
    assert (Money(800, "EUR"), ours.amount) == (found.refunded, found.captured)
    assert Money(300, "EUR") == account.run(account.payments.find_refund(ours, "r2")).amount
    with pytest.raises(Rejected):
        account.run(account.payments.refund_payment(ours, "r3", Money(1200, "EUR"), key="k"))
    with pytest.raises(Rejected):
        account.run(account.payments.refund_payment(ours, "r1", Money(400, "EUR"), key="k"))


def test_two_that_are_alive_are_for_a_person(account: Any, payment: Any) -> None:
    """Nobody guesses which one is meant."""
    account.create(payment())
    account.simulator._used.clear()
    account.create(payment())

    with pytest.raises(InDoubt) as doubt:
        account.run(account.payments.find_payment(payment()))
    assert "found_twice" == doubt.value.code
