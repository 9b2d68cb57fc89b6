"""Requests, answers and notifications against Adyen's own documents, where they are at hand."""

import json
import re
from pathlib import Path
from typing import Any, Final

import httpx
import jsonschema
import msgspec
import pytest

from adapters.adyen import ADAPTER
from gateway.errors import Rejected
from gateway.model.capability import Capability
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, PaymentState
from gateway.model.split import PLATFORM, Split, SplitKind
from gateway.policy import adjusting
from tests.adapters.adyen import conformance
from tests.conformance import samples

FOLDER: Final = Path("payments/adyen")
MANUAL: Final = CaptureMethod.MANUAL
# The least and more than enough, none and three decimals, and Adyen's own units.
AMOUNTS: Final = (
    Money(1, "EUR"),
    Money(99_999_999_999, "USD"),
    Money(500, "JPY"),
    Money(5_120, "KWD"),
    Money(700, "ISK"),
    Money(70_000, "IDR"),
)
OTHER: Final = "BA00000000000000000000002"
ENDED: Final = {PaymentState.FAILED, PaymentState.CANCELLED}


def document(contracts: Path, name: str) -> dict[str, Any]:
    """One of Adyen's documents."""
    path = contracts / FOLDER / name
    if not path.is_file():
        pytest.skip("contracts not found")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def checkout(contracts: Path) -> dict[str, Any]:
    """Checkout v71."""
    return document(contracts, "CheckoutService-v71.json")


@pytest.fixture(scope="module")
def webhooks(contracts: Path) -> dict[str, Any]:
    """Webhooks v1."""
    return document(contracts, "Webhooks-v1.json")


def operation(spec: dict[str, Any], request: httpx.Request) -> dict[str, Any]:
    """The operation that the request names; a literal path wins over a template."""
    for path in sorted(spec["paths"], key=lambda path: path.count("{")):
        pattern = "/v71" + re.sub(r"\{[^}]+\}", "[^/]+", path)
        if re.fullmatch(pattern, request.url.path):
            found: dict[str, Any] = spec["paths"][path][request.method.lower()]
            return found
    raise AssertionError(f"Adyen has no {request.method} {request.url.path}")


def held_against(spec: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """What the document holds against a value."""
    validator = jsonschema.Draft202012Validator({**schema, "components": spec["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def complaints(spec: dict[str, Any], request: httpx.Request) -> list[str]:
    """What Adyen's document holds against a request."""
    content = operation(spec, request)["requestBody"]["content"]["application/json"]
    return held_against(spec, content["schema"], json.loads(request.read()))


def drive(account: Any, payment: Any) -> None:
    """Every capability with every verb, both capture methods, whole and divided, at the edges."""
    number = 0
    for row in ADAPTER.capabilities:
        listed = [Money(minor, each) for each in row.currencies for minor in (3, 99_999_999_999)]
        for amount in listed or AMOUNTS:
            for capture in (CaptureMethod.AUTOMATIC, MANUAL):
                for shared in sorted({False, row.splits > 0 and amount.minor >= 1_000}):
                    number += 1
                    ours = payment(
                        amount,
                        key=f"k{number}",
                        payment_id=f"p{number}",
                        method_code=row.method,
                        capture_method=capture,
                        return_url="https://shop.example/orders/1" if row.redirect else "",
                        splits=divided(amount) if shared else (),
                        adjustable=capture is MANUAL and "update_payment" in row.verbs,
                        **asked(row, amount),
                    )
                    one_payment(account, ours, row, f"k{number}")
    for token in ("REFUSED000000002", "ERROR00000000004", "CANCELLED0000016"):
        ours = payment(key=token, payment_id=token, token=f"shopper-1_{token}")
        made = account.run(account.payments.create_payment(ours, key=token))
        assert made.state in ENDED


def asked(row: Capability, amount: Money) -> dict[str, Any]:
    """A token where the method has one; who pays for what, where it asks for that."""
    accepted = conformance.TOKENS.get(row.method, conformance.CARD)
    found: dict[str, Any] = {"token": accepted if row.token else ""}
    if row.payer:
        found["payer"] = samples.payer(row.countries[0] if row.countries else "DE")
        found["items"] = samples.basket(amount)
    return found


def divided(amount: Money) -> tuple[Split, ...]:
    """Every kind that Adyen books, of two members and of ours."""
    part = Money(amount.minor // 1_000 * 100, amount.currency)
    kinds = [
        (conformance.MEMBER, SplitKind.PRINCIPAL),
        (conformance.MEMBER, SplitKind.VAT),
        (conformance.MEMBER, SplitKind.TIP),
        (PLATFORM, SplitKind.COMMISSION),
        (PLATFORM, SplitKind.VAT),
        (PLATFORM, SplitKind.TIP),
    ]
    named = (Split(party=party, kind=kind, amount=part) for party, kind in kinds)
    return (*named, Split(party=OTHER, kind=SplitKind.REMAINDER))


def one_payment(account: Any, ours: Any, row: Capability, key: str) -> None:
    port = account.payments
    if ours.capture_method is MANUAL and "capture_payment" not in row.verbs:
        with pytest.raises(Rejected):
            account.run(port.create_payment(ours, key=key))
        return
    account.run(port.create_payment(ours, key=key))
    account.run(port.find_payment(ours))
    if row.redirect:
        account.run(port.cancel_payment(ours, key=f"{key}a"))
        reference = ours.payment_id + ("-hold" if ours.capture_method is MANUAL else "")
        result = account.simulator.come_back(reference, succeeds=True, now=account.now)
        details = {"redirectResult": result, "paymentData": "Ab02b4c0!"}
        account.run(account.port("confirmations").confirm_payment(ours, details, key=f"{key}d"))
    account.now += 10
    ours = account.hear(ours)
    unit = Money({"ISK": 1, "IDR": 100}.get(ours.amount.currency, 1), ours.amount.currency)
    if ours.adjustable and not ours.splits:
        more = Money(ours.amount.minor + unit.minor, ours.amount.currency)
        ours, wish = adjusting.request(ours, more, at="2026-01-01T00:00:00Z")
        said = account.run(account.port("adjustments").update_payment(ours, more, key=f"{key}u"))
        ours = account.hear(adjusting.answered(ours, wish, said))
        assert more == ours.ceiling
    if ours.state is PaymentState.AUTHORISED:
        account.run(port.capture_payment(ours, unit, key=f"{key}c"))
        ours = account.hear(ours)
    assert ours.state is PaymentState.CAPTURED, (row.method, ours.state)
    account.run(port.cancel_payment(ours, key=f"{key}x"))
    account.run(port.refund_payment(ours, f"r{key}", unit, key=f"{key}r"))
    assert unit == account.hear(ours).refunded


def test_every_request_validates(checkout: dict[str, Any], account: Any, payment: Any) -> None:
    """Adyen's own document has nothing against any request that the adapter can send."""
    drive(account, payment)

    seen = {re.sub(r"/payments/\w+/", "/payments/{}/", one.url.path) for one in account.requests}
    found = [each for one in account.requests for each in complaints(checkout, one)]
    print(f"\n{len(account.requests)} requests validated")

    assert [] == found
    assert {
        "/v71/payments",
        "/v71/paymentMethods",
        "/v71/payments/details",
        "/v71/payments/{}/amountUpdates",
        "/v71/payments/{}/captures",
        "/v71/payments/{}/cancels",
        "/v71/payments/{}/refunds",
        "/v71/cancels",
    } == seen
    writes = [one for one in account.requests if one.url.path != "/v71/paymentMethods"]
    assert all(36 == len(one.headers["idempotency-key"]) for one in writes)
    assert len(account.requests) > 1_000


@pytest.mark.parametrize(
    "change",
    [
        {"amount": {"currency": "EUR"}},
        {"amount": {"value": 19.99, "currency": "EUR"}},
        {"amount": {"value": 1, "currency": "EURO"}},
        {"colour": "red"},
        {"paymentMethod": {"type": "cowrie_shells"}},
        {"paymentMethod": {"type": "applepay"}},
        {"shopperInteraction": "Later"},
        {"captureDelayHours": "0"},
        {"reference": None},
        {"splits": [{"account": "BA1"}]},
        {"lineItems": [{"amountIncludingTax": 6.66}]},
        {"billingAddress": {"city": "Berlin"}},
    ],
)
def test_the_check_can_fail(
    checkout: dict[str, Any], account: Any, payment: Any, change: dict[str, Any]
) -> None:
    """A wrong type, a missing or unknown field and a wrong code are all noticed."""
    account.run(account.payments.create_payment(payment(), key="k"))
    body = json.loads(account.requests[-1].read()) | change
    url = "https://checkout-test.adyen.com/v71/payments"

    assert complaints(checkout, httpx.Request("POST", url, json=body))


def test_every_answer_of_the_simulator_validates(
    checkout: dict[str, Any], account: Any, payment: Any
) -> None:
    """Answers and errors have the documented shape, and a documented status."""
    drive(account, payment)
    broken = msgspec.structs.replace(payment(payment_id="b", key="b"), provider_ref="NOWHERE")
    for exchange in (
        account.payments.capture_payment(broken, broken.amount, key="b"),
        account.payments.create_payment(payment(token="shopper-1_UNKNOWN"), key="c"),
    ):
        with pytest.raises(Rejected):
            account.run(exchange)

    found = []
    for request, response in zip(account.requests, account.responses, strict=True):
        answers = operation(checkout, request)["responses"]
        schema = answers[str(response.status_code)]["content"]["application/json"]["schema"]
        found += held_against(checkout, schema, response.json())

    assert [] == found


def test_every_notification_of_the_simulator_validates(
    webhooks: dict[str, Any], account: Any, payment: Any
) -> None:
    """Each in the shape of its own event code."""
    drive(account, payment)
    account.run(account.payments.create_payment(payment(payment_id="d", key="d"), key="d"))
    for code in (
        "CAPTURE_FAILED REFUND_FAILED REFUNDED_REVERSED NOTIFICATION_OF_CHARGEBACK CHARGEBACK"
        " CHARGEBACK_REVERSED SECOND_CHARGEBACK EXPIRE"
    ).split():
        account.simulator.report(code, "d", 100, now=account.now)
    ideal = payment(payment_id="o", key="o", method_code="ideal", return_url="https://a.example/")
    account.run(account.payments.create_payment(ideal, key="o"))
    account.simulator.abandon("o", now=account.now)

    items = account.simulator.notified()
    found = []
    for item in items:
        path = webhooks["paths" if "paths" in webhooks else "webhooks"][f"/{item['eventCode']}"]
        content = path["post"]["requestBody"]["content"]["application/json"]
        body = {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
        found += held_against(webhooks, content["schema"], body)

    # One schema of theirs forgets what its own example has.
    assert [] == [one for one in found if "'hmacSignature' was unexpected" not in one]
    assert 1 >= len(found)
    assert 15 == len({item["eventCode"] for item in items})
