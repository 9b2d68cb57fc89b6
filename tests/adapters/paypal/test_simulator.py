"""The simulator says no where PayPal does, keeps keys as it does, and signs what it reports."""

import json
from typing import Any

import httpx
import msgspec
import pytest

from adapters.paypal import ADAPTER, Settings
from adapters.paypal.simulator import PayPalSimulator
from adapters.paypal.simulator_webhooks import CERTIFICATE, ROOT
from adapters.paypal.webhooks import PayPalWebhooks
from gateway.errors import Misconfigured, Rejected, Unavailable
from gateway.kit.blocking import run
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, PaymentState
from gateway.ports.notification import Trust
from tests.adapters.paypal.conftest import APP, NOW, refer


def ask(account: Any, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    """A request that the adapter would not make."""
    given = {"PayPal-Request-Id": "odd", "Content-Type": "application/json", **headers}
    content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    url = f"https://api-m.paypal.com{path}"
    response: httpx.Response = account.send(
        httpx.Request(method, url, headers=given, content=content)
    )
    return response


def order(**changes: Any) -> dict[str, Any]:
    amount = {"currency_code": "EUR", "value": "19.99"}
    return {
        "intent": "CAPTURE",
        "purchase_units": [{"custom_id": "p", "amount": amount}],
        "payment_source": {"card": {"vault_id": "vault-card-accepted"}},
        **changes,
    }


@pytest.mark.parametrize(
    ("body", "issue"),
    [
        (b"{", "MALFORMED_REQUEST_JSON"),
        (b"[]", "MALFORMED_REQUEST_JSON"),
        (order(intent="BUY"), "INVALID_PARAMETER_VALUE"),
        (order(intents="CAPTURE"), "NOT_SUPPORTED"),
        (order(purchase_units=[]), "INVALID_ARRAY_MIN_ITEMS"),
        (order(purchase_units=[{"custom_id": "p"}]), "MISSING_REQUIRED_PARAMETER"),
        (order(payment_source={}), "ONE_OF_PARAMETERS_REQUIRED"),
        (order(payment_source={"card": {}}), "ONE_OF_PARAMETERS_REQUIRED"),
        (order(payment_source={"paypal": {}}), "MISSING_REQUIRED_PARAMETER"),
        (
            order(payment_source={"paypal": {"vault_id": "vault-card-accepted"}}),
            "MISMATCHED_VAULT_ID_TO_PAYMENT_SOURCE",
        ),
    ],
)
def test_bodies_that_are_no_order(account: Any, body: Any, issue: str) -> None:
    """In PayPal's shape of an error, with the issue."""
    response = ask(account, "POST", "/v2/checkout/orders", body)

    assert response.status_code in {400, 422}
    assert issue == response.json()["details"][0]["issue"]


@pytest.mark.parametrize(
    ("currency", "value", "issue"),
    [
        ("EUR", "10,00", "INVALID_PARAMETER_SYNTAX"),
        ("EUR", "10.001", "INVALID_PARAMETER_SYNTAX"),
        ("EUR", "0.00", "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ("EUR", 10, "INVALID_PARAMETER_SYNTAX"),
        ("HUF", "10.00", "DECIMAL_PRECISION"),
        ("JPY", "10.0", "DECIMAL_PRECISION"),
        ("KWD", "10.00", "INVALID_CURRENCY_CODE"),
    ],
)
def test_amounts_that_paypal_does_not_take(
    account: Any, currency: str, value: Any, issue: str
) -> None:
    """Among them decimals of a currency that has none there."""
    unit = {"amount": {"currency_code": currency, "value": value}}
    response = ask(account, "POST", "/v2/checkout/orders", order(purchase_units=[unit]))

    assert issue == response.json()["details"][0]["issue"]


def test_an_order_is_completed_by_its_intent_and_after_approval(account: Any, payment: Any) -> None:
    """Not before, not otherwise, not twice."""
    ours = payment(method_code="paypal", token="")
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k")))
    path = f"/v2/checkout/orders/{ours.provider_ref}"
    found = [ask(account, "POST", f"{path}/capture"), ask(account, "POST", f"{path}/authorize")]
    account.simulator.approve(ours.provider_ref, now=account.now)
    with pytest.raises(ValueError, match="nothing is asked"):
        account.simulator.approve(ours.provider_ref, now=account.now)
    ids = ("one", "one", "two")
    found += [ask(account, "POST", f"{path}/capture", **{"PayPal-Request-Id": i}) for i in ids]

    said = [one.json().get("details", [{"issue": one.status_code}])[0]["issue"] for one in found]
    wanted = ["ORDER_NOT_APPROVED", "ACTION_DOES_NOT_MATCH_INTENT", 201, 200]
    assert [*wanted, "ORDER_ALREADY_CAPTURED"] == said


def test_nobody_comes_in_without_a_token(account: Any, payment: Any) -> None:
    """Neither without one, nor with an old one, nor with another secret."""
    request = httpx.Request("GET", "https://api-m.paypal.com/v1/notifications/webhooks")
    assert 401 == account.simulator.handle(request, now=NOW).status_code
    account.run(account.payments.create_payment(payment(), key="k"))
    account.now += 40_000

    with pytest.raises(Misconfigured) as old:
        account.run(account.payments.find_payment(payment(provider_ref="X")))
    assert "access_refused" == old.value.code
    assert ADAPTER.refused(account.responses[-1])
    account.settings = msgspec.structs.replace(account.settings, client_secret="other")
    account.session = None
    with pytest.raises(Misconfigured) as refused:
        account.run(account.payments.find_payment(payment(provider_ref="X")))
    assert "credentials_refused" == refused.value.code


def test_a_login_that_is_not_available_is_asked_again() -> None:
    """And rubbish is no token."""
    assert ADAPTER.login is not None
    for response in (httpx.Response(503), httpx.Response(429), httpx.Response(200, json={})):
        with pytest.raises(Unavailable):
            run(ADAPTER.login(Settings(**APP)), lambda _, it=response: it)


def test_what_was_given_back_is_not_there_twice(account: Any, payment: Any) -> None:
    """The simulator counts, whatever the adapter asks."""
    ours = payment()
    account.run(account.payments.create_payment(ours, key="k"))
    capture = account.responses[-1].json()["purchase_units"][0]["payments"]["captures"][0]["id"]
    path = f"/v2/payments/captures/{capture}/refund"
    asked = [
        {"amount": {"currency_code": "EUR", "value": "20.00"}},
        {"amount": {"currency_code": "USD", "value": "2.00"}},
        {},
        {},
    ]
    found = [
        ask(account, "POST", path, body, **{"PayPal-Request-Id": str(number)})
        for number, body in enumerate(asked)
    ]

    said = [one.json().get("details", [{"issue": one.status_code}])[0]["issue"] for one in found]
    wanted = ["REFUND_AMOUNT_EXCEEDED", "REFUND_CAPTURE_CURRENCY_MISMATCH", 201]
    assert [*wanted, "CAPTURE_FULLY_REFUNDED"] == said


def test_events_are_signed_and_lead_to_the_payment(connect: Any, payment: Any) -> None:
    """A whole life: every event is genuine, a hint, and names our payment or its order."""
    account = connect(refund_pending=True, duplicate_share=1.0, shuffle=True, seed=3)
    held = payment(method_code="paypal", token="", capture_method=CaptureMethod.MANUAL)
    held = refer(held, account.run(account.payments.create_payment(held, key="k")))
    account.simulator.approve(held.provider_ref, now=account.now)
    account.run(account.payments.find_payment(held))
    account.run(account.payments.capture_payment(held, held.amount, key="c"))
    made = account.run(account.payments.refund_payment(held, "r", Money(500, "EUR"), key="r"))
    assert PaymentState.PENDING is made.state
    account.now += 60

    port = PayPalWebhooks(
        msgspec.structs.replace(account.settings, trusted_roots=served(account.simulator, ROOT))
    )
    events = []
    for one in account.notifications():
        fetched = port.fetch_keys(one)
        asked = next(fetched)
        assert CERTIFICATE == asked.url.path
        pem = served(account.simulator, asked.url.path).encode()
        whole = msgspec.structs.replace(one, keys=pem)
        assert Trust.SIGNED is port.verify(whole, now=account.now)
        with pytest.raises(Rejected):
            port.verify(msgspec.structs.replace(whole, body=one.body + b" "), now=account.now)
        events += port.read(whole)

    assert {
        "CHECKOUT.ORDER.APPROVED": 2,
        "PAYMENT.CAPTURE.COMPLETED": 2,
        "PAYMENT.CAPTURE.REFUNDED": 2,
    } == {
        kind: [e.event_type for e in events].count(kind) for kind in {e.event_type for e in events}
    }
    assert {held.payment_id} == {event.payment_id for event in events}
    assert all(event.hint and event.known for event in events)
    assert 3 == len({event.event_id for event in events})


def served(simulator: PayPalSimulator, path: str) -> str:
    request = httpx.Request("GET", f"https://api.sandbox.paypal.com{path}")
    return simulator.handle(request, now=NOW).text


def test_the_page_agrees_for_the_payer(account: Any, payment: Any) -> None:
    """Posting to it leads back to the shop; looking at it does nothing."""
    ours = payment(method_code="paypal", token="")
    made = account.run(account.payments.create_payment(ours, key="k"))

    looked, agreed, late = (
        account.simulator.handle(httpx.Request(method, made.next_action.url), now=NOW)
        for method in ("GET", "POST", "POST")
    )

    assert [422, 303, 422] == [one.status_code for one in (looked, agreed, late)]
    assert ours.return_url == agreed.headers["location"]
    found = account.run(account.payments.find_payment(refer(ours, made)))
    assert PaymentState.CAPTURED is found.state
