"""The simulated Adyen refuses what Adyen refuses, executes a key once and reports late."""

import json
from typing import Any

import httpx
import pytest

from adapters.adyen.simulator import AdyenSimulator

NOW = 1_767_225_600.0
ORIGIN = "https://checkout-test.adyen.com/v71"
BODY: dict[str, Any] = {
    "merchantAccount": "SimulatedECOM",
    "amount": {"value": 1999, "currency": "EUR"},
    "reference": "pay-1",
    "returnUrl": "https://shop.example/back",
    "paymentMethod": {"type": "scheme", "storedPaymentMethodId": "M5N7TQ4TG5PFWR50"},
    "shopperReference": "shopper-1",
    "shopperInteraction": "ContAuth",
    "recurringProcessingModel": "CardOnFile",
}


def post(
    simulator: AdyenSimulator, path: str, body: Any, *, now: float = NOW, **headers: str
) -> httpx.Response:
    given = {"x-api-key": "AQE_simulated", **headers}
    return simulator.handle(httpx.Request("POST", ORIGIN + path, json=body, headers=given), now=now)


def paid(simulator: AdyenSimulator, **changes: Any) -> str:
    return str(post(simulator, "/payments", BODY | changes).json()["pspReference"])


def held(simulator: AdyenSimulator) -> str:
    return paid(simulator, additionalData={"manualCapture": "true"})


def without(name: str) -> dict[str, Any]:
    return {field: value for field, value in BODY.items() if field != name}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (BODY | {"colour": "red"}, 400, "702"),
        (BODY | {"paymentMethod": {"type": "scheme", "number": "4111"}}, 400, "702"),
        (BODY | {"amount": {"value": "1999", "currency": "EUR"}}, 400, "702"),
        (BODY | {"amount": {"value": True, "currency": "EUR"}}, 400, "702"),
        (BODY | {"amount": 1999}, 400, "702"),
        ([], 400, "702"),
        (without("merchantAccount"), 403, "901"),
        (BODY | {"merchantAccount": "Other"}, 403, "901"),
        (without("amount"), 422, "100"),
        (BODY | {"amount": {"currency": "EUR"}}, 422, "100"),
        (BODY | {"amount": {"value": 0, "currency": "EUR"}}, 422, "137"),
        (BODY | {"amount": {"value": 1, "currency": "AFN"}}, 422, "138"),
        (without("reference"), 422, "130"),
        (BODY | {"reference": "r" * 81}, 422, "174"),
        (without("returnUrl"), 422, "14_030"),
        (without("paymentMethod"), 422, "158"),
        (BODY | {"paymentMethod": {"type": "cowrie_shells"}}, 422, "14_006"),
        (BODY | {"paymentMethod": {"type": "scheme"}}, 422, "101"),
        (BODY | {"paymentMethod": {"type": "swish"}}, 500, "905_1"),
        (
            BODY
            | {"paymentMethod": {"type": "ideal"}, "additionalData": {"manualCapture": "true"}},
            422,
            "14_0411",
        ),
        (BODY | {"shopperReference": "shopper-2"}, 422, "800"),
        (without("recurringProcessingModel"), 422, "168"),
        (
            BODY | {"paymentMethod": {"type": "scheme", "storedPaymentMethodId": "X"}},
            422,
            "800",
        ),
    ],
)
def test_what_adyen_refuses_is_refused(body: Any, status: int, code: str) -> None:
    """With its own code, and without an effect."""
    simulator = AdyenSimulator()
    response = post(simulator, "/payments", body)

    assert (status, code) == (response.status_code, response.json()["errorCode"])
    assert {} == simulator.effects()["charge"]


def test_only_the_key_of_the_account_is_let_in() -> None:
    """Whatever else is right."""
    simulator = AdyenSimulator()

    assert 401 == post(simulator, "/payments", BODY, **{"x-api-key": "AQE_other"}).status_code
    assert 400 == post(simulator, "/payments", BODY, **{"idempotency-key": "k" * 65}).status_code
    assert 404 == post(simulator, "/somewhere", BODY).status_code
    request = httpx.Request("POST", f"{ORIGIN}/payments", content=b"{", headers={
        "x-api-key": "AQE_simulated", "content-type": "application/json"})  # fmt: skip
    assert 400 == simulator.handle(request, now=NOW).status_code
    form = httpx.Request("POST", f"{ORIGIN}/payments", data={"a": "b"}, headers={
        "x-api-key": "AQE_simulated"})  # fmt: skip
    assert 415 == simulator.handle(form, now=NOW).status_code


def test_key_is_executed_once_in_seven_days() -> None:
    """The answer is the stored one; a forgotten key is a new payment; a refusal is not stored."""
    simulator = AdyenSimulator()
    key = {"idempotency-key": "k"}
    assert 422 == post(simulator, "/payments", without("reference"), **key).status_code
    first = post(simulator, "/payments", BODY, **key)
    again = post(simulator, "/payments", BODY, now=NOW + 6 * 86_400, **key)
    late = post(simulator, "/payments", BODY, now=NOW + 7 * 86_400, **key)

    assert first.content == again.content != late.content
    assert "k" == again.headers["idempotency-key"]
    assert {"pay-1": 2} == simulator.effects()["charge"]


def test_every_answer_has_a_date() -> None:
    """By which callers know how old a key is."""
    body = {"merchantAccount": "SimulatedECOM"}
    response = post(AdyenSimulator(), "/paymentMethods", body)

    assert "Thu, 01 Jan 2026 00:00:00 GMT" == response.headers["date"]


@pytest.mark.parametrize(
    ("captures", "expected"),
    [([1999], ["true"]), ([500, 500], ["true", "false"]), ([2000], ["false"])],
)
def test_captures_are_received_and_then_decided(captures: list[int], expected: list[str]) -> None:
    """One capture unless several are switched on, and never more than was authorised."""
    simulator = AdyenSimulator()
    psp = held(simulator)
    for value in captures:
        body = {"merchantAccount": "SimulatedECOM", "amount": {"value": value, "currency": "EUR"}}
        response = post(simulator, f"/payments/{psp}/captures", body)
        assert (201, "received") == (response.status_code, response.json()["status"])

    told = [one["success"] for one in simulator.notified() if one["eventCode"] == "CAPTURE"]
    assert expected == told


def test_capture_in_another_currency_is_not_executed() -> None:
    """The currency has to be that of the payment."""
    simulator = AdyenSimulator()
    body = {"merchantAccount": "SimulatedECOM", "amount": {"value": 1, "currency": "USD"}}
    post(simulator, f"/payments/{held(simulator)}/captures", body)

    assert {} == simulator.effects()["charge"]


def test_no_more_is_refunded_than_was_collected() -> None:
    """Also in parts."""
    simulator = AdyenSimulator()
    psp = paid(simulator)
    for number, value in enumerate((1500, 500, 499)):
        body = {
            "merchantAccount": "SimulatedECOM",
            "amount": {"value": value, "currency": "EUR"},
            "reference": f"refund-{number}",
        }
        post(simulator, f"/payments/{psp}/refunds", body)

    told = [one for one in simulator.notified() if one["eventCode"] == "REFUND"]
    assert ["true", "false", "true"] == [one["success"] for one in told]
    assert {"refund-0": 1, "refund-2": 1} == simulator.effects()["refund"]
    assert "refund-0" == told[0]["merchantReference"]


def test_what_is_collected_cannot_be_cancelled() -> None:
    """Neither by Adyen's reference nor by ours, nor what does not exist."""
    simulator = AdyenSimulator()
    body = {"merchantAccount": "SimulatedECOM"}
    post(simulator, f"/payments/{paid(simulator)}/cancels", body)
    post(simulator, "/cancels", body | {"paymentReference": "pay-1"})
    assert 201 == post(simulator, "/cancels", body | {"paymentReference": "x"}).status_code

    told = [(one["eventCode"], one["success"]) for one in simulator.notified()[1:]]
    assert [("CANCELLATION", "false"), ("TECHNICAL_CANCEL", "false")] == told
    assert 422 == post(simulator, "/cancels", body).status_code
    assert 422 == post(simulator, "/payments/NOWHERE/cancels", body).status_code


def test_notifications_come_twice_late_and_shuffled() -> None:
    """As the plan says, and the same way for the same seed."""
    plan = {"duplicate_share": 1.0, "delay_s": 5.0, "late_share": 0.5, "late_s": 60.0, "seed": 3}
    bodies = []
    for _ in range(2):
        simulator = AdyenSimulator(webhook_url="http://hub.test/", shuffle=True, **plan)
        for number in range(5):
            paid(simulator, reference=f"pay-{number}")
        assert [] == simulator.due(now=NOW + 4)
        early, late = simulator.due(now=NOW + 5), simulator.due(now=NOW + 65)
        assert early
        assert 10 == len(early) + len(late)
        items = [json.loads(one.read())["notificationItems"][0] for one in (*early, *late)]
        bodies.append([one["NotificationRequestItem"]["merchantReference"] for one in items])

    assert bodies[0] == bodies[1]
    assert sorted(bodies[0]) != bodies[0]


def test_nobody_is_asked_twice() -> None:
    """A payer who did what was asked, or never came, does nothing more."""
    simulator = AdyenSimulator()
    post(simulator, "/payments", BODY | {"paymentMethod": {"type": "ideal"}})
    simulator.complete("pay-1", succeeds=True, now=NOW)

    with pytest.raises(ValueError, match="nothing is asked"):
        simulator.abandon("pay-1", now=NOW)
