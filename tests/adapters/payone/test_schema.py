"""Requests and answers against PAYONE's own API definition, where it is at hand."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

import httpx
import jsonschema
import msgspec
import pytest
import yaml

from adapters.payone import ADAPTER
from gateway.errors import Rejected
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, PaymentState
from tests.adapters.payone.conformance import SUBJECT
from tests.conformance import samples
from tests.conformance.subject import pages

SPEC: Final = Path("payments/payone/api-definition.yaml")
BACK: Final = "https://shop.example/back"
# The least and the most that PAYONE takes, none and three decimals, and one that is too fine.
AMOUNTS: Final = (
    Money(1, "EUR"),
    Money(999_999_999_999, "EUR"),
    Money(1999, "USD"),
    Money(500, "JPY"),
    Money(5_120, "KWD"),
    Money(5_125, "KWD"),
)


class _Loader(yaml.CSafeLoader):
    """Without dates: some of the document's examples are none."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as yaml declares it
        first: [(tag, form) for tag, form in forms if tag != "tag:yaml.org,2002:timestamp"]
        for first, forms in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


@pytest.fixture(scope="module")
def spec(contracts: Path) -> dict[str, Any]:
    """PAYONE's document, parsed once, without what is known to be wrong in it."""
    if not (contracts / SPEC).is_file():
        pytest.skip("contracts not found")
    with (contracts / SPEC).open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.load(file, Loader=_Loader)  # noqa: S506 - a safe loader
    # It forbids all fields beside none, and so the two that its parts allow.
    wrong = loaded["components"]["schemas"]["PaymentReferencesForRefund"]
    del wrong["additionalProperties"], wrong["allOf"][0]
    wrong["unevaluatedProperties"] = False
    wrong["allOf"].append(
        {"properties": {"merchantReference": {"type": "string", "maxLength": 20}}}
    )
    # The same mistake: an item of a cart would have no field but one.
    item = loaded["components"]["schemas"]["CartItemInput"]
    del item["additionalProperties"]
    item["unevaluatedProperties"] = False
    return loaded


def operation(spec: dict[str, Any], request: httpx.Request) -> dict[str, Any]:
    """The operation that the request names."""
    for path, verbs in spec["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", path)
        if re.fullmatch(pattern, request.url.path) and request.method.lower() in verbs:
            found: dict[str, Any] = verbs[request.method.lower()]
            return found
    raise AssertionError(f"PAYONE has no {request.method} {request.url.path}")


def held_against(spec: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """What the document holds against a value."""
    strict = {"allOf": [schema], "unevaluatedProperties": False, "components": spec["components"]}
    errors = jsonschema.Draft202012Validator(strict).iter_errors(value)
    return [f"{error.json_path}: {error.message}"[:300] for error in errors]


def asked(spec: dict[str, Any], request: httpx.Request) -> list[str]:
    """What the document holds against a request."""
    found = operation(spec, request)
    named = [one["$ref"].rpartition("/")[2] for one in found["parameters"]]
    known = [spec["components"]["parameters"][one] for one in named]
    query = {one["name"]: one["schema"] for one in known if one["in"] == "query"}
    wrong = [f"query {name}" for name in request.url.params if name not in query]
    for name, text in request.url.params.items():
        value = int(text) if query.get(name, {}).get("type") == "integer" else text
        wrong += held_against(spec, query.get(name, {}), value)
    if request.method == "POST":
        schema = found["requestBody"]["content"]["application/json"]["schema"]
        wrong += held_against(spec, schema, json.loads(request.read()))
    return wrong


def answered(spec: dict[str, Any], request: httpx.Request, response: httpx.Response) -> list[str]:
    """What the document holds against an answer; what has no status there has the error's shape."""
    responses = {str(k): v for k, v in operation(spec, request)["responses"].items()}
    plain = {"$ref": "#/components/schemas/ErrorResponse"}
    given = responses.get(str(response.status_code))
    schema = given["content"]["application/json"]["schema"] if given else plain
    return held_against(spec, schema, response.json())


def drive(account: Any, payment: Any) -> int:
    """Every capability with every verb, both capture methods and the edges; how many refused."""
    refused = number = 0
    for row in ADAPTER.capabilities:
        for amount in AMOUNTS:
            for capture in CaptureMethod:
                number += 1
                known = row.payer and amount.currency == "EUR"
                basket = samples.basket(amount) if known else ()
                ours = payment(
                    amount,
                    payer=samples.payer(organisation=bool(number % 2)) if known else None,
                    items=basket,
                    bank_account=samples.bank_account() if row.bank_account else None,
                    payment_id=f"p{number}",
                    method_code=row.method,
                    token=SUBJECT.tokens.get(row.method, "1_token-accepted"),
                    capture_method=capture,
                    return_url=BACK if row.redirect or number % 2 else "",
                )
                before = len(account.requests)
                try:
                    one_payment(account, ours, f"k{number}")
                except Rejected:
                    refused += 1
                    assert before == len(account.requests)
    return refused


def one_payment(account: Any, ours: Any, key: str) -> None:
    port = account.payments
    ours = account.create(ours, key)
    found = account.run(port.find_payment(msgspec.structs.replace(ours, provider_ref="")))
    if found.state is PaymentState.REQUIRES_ACTION:
        account.simulator.complete(ours.payment_id, succeeds=True, now=account.now)
    account.now += 10
    part = Money(10 if ours.amount.currency == "KWD" else 1, ours.amount.currency)
    if account.run(port.find_payment(ours)).state is PaymentState.AUTHORISED:
        account.run(port.capture_payment(ours, part, key=f"{key}c"))
    account.run(port.refund_payment(ours, f"r{key}", part, key=f"{key}r"))
    account.run(port.find_refund(ours, f"r{key}"))
    assert account.run(port.find_payment(ours)).refunded == part


def extras(account: Any, payment: Any) -> None:
    """Cancelled, declined, repeated, unknown and not found."""
    held = account.create(payment(payment_id="held", capture_method=CaptureMethod.MANUAL), "h")
    for _ in range(2):
        account.run(account.payments.cancel_payment(held, key="hx"))
    for token in ("token-declined", "token-unknown"):
        ours = payment(payment_id=token, token=token)
        try:
            account.run(account.payments.create_payment(ours, key=token))
        except Rejected:
            assert token == "token-unknown"
    again = payment(payment_id="again")
    assert account.create(again) == account.create(again)
    lost = payment(payment_id="lost", provider_ref="a.b.c")
    assert account.run(account.payments.find_payment(lost)) is None
    port = ADAPTER.port("reports", account.settings)
    assert 1 < len(list(pages(account.run, port, account.now - 86_400)))


def test_every_request_validates(spec: dict[str, Any], account: Any, payment: Any) -> None:
    """PAYONE's own document has nothing against any request that the adapter can send."""
    refused = drive(account, payment)
    extras(account, payment)

    named = [re.sub("[0-9a-f]{8}-[0-9a-f-]{27}", "{}", one.url.path) for one in account.requests]
    seen = Counter((one.method, path) for one, path in zip(account.requests, named, strict=True))
    found = [each for one in account.requests for each in asked(spec, one)]

    assert [] == found[:5]
    execution = "/v1/P1/commerce-cases/{}/checkouts/{}/payment-executions/{}"
    assert {
        ("POST", "/v1/P1/commerce-cases"),
        ("POST", f"{execution}/capture"),
        ("POST", f"{execution}/cancel"),
        ("POST", f"{execution}/refund"),
        ("GET", "/v1/P1/checkouts"),
        ("GET", "/v1/P1/commerce-cases/{}/checkouts/{}"),
    } <= set(seen)
    writes = sum(count for (method, _), count in seen.items() if method == "POST")
    print(f"\npayone: {seen.total()} requests validate, {writes} of them writes;")
    print(f"        {refused} amounts were refused before anything was sent")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("merchantReference", "x" * 41),
        ("colour", "red"),
        ("checkout.amountOfMoney.amount", 19.99),
        ("checkout.amountOfMoney.currencyCode", "EURO"),
        ("checkout.orderRequest.orderType", "HALF"),
        ("checkout.orderRequest.orderReferences.merchantReference", "x" * 21),
    ],
)
def test_the_check_can_fail(
    spec: dict[str, Any], account: Any, payment: Any, path: str, value: Any
) -> None:
    """A wrong type, code or length and an unknown field are all noticed."""
    account.create(payment())
    body = json.loads(account.requests[0].read())
    *inner, last = path.split(".")
    at = body
    for name in inner:
        at = at[name]
    at[last] = value

    assert asked(spec, httpx.Request("POST", account.requests[0].url, json=body))


def test_every_answer_of_the_simulator_validates(
    spec: dict[str, Any], account: Any, payment: Any
) -> None:
    """Cases, captures, refunds, look-ups, errors, and the objects in webhooks."""
    drive(account, payment)
    extras(account, payment)
    taken = account.create(payment(payment_id="cb"), "cb")
    account.simulator.charge_back("cb", 100, now=account.now)
    account.simulator.reverse("cb", now=account.now)
    account.run(account.payments.find_payment(taken))

    pairs = zip(account.requests, account.responses, strict=True)
    wrong = [each for request, response in pairs for each in answered(spec, request, response)]
    events = [json.loads(one.read()) for one in account.simulator.due(now=account.now)]
    for event in events:
        name = "payment" if "payment" in event else "refund"
        shape = "PaymentResponse" if name == "payment" else "RefundPaymentResponse"
        wrong += held_against(spec, {"$ref": f"#/components/schemas/{shape}"}, event[name])

    assert [] == wrong[:5]
    assert {200, 201, 202, 402, 404} <= {one.status_code for one in account.responses}
    print(f"\npayone: {len(account.responses)} answers, {len(events)} events validate")
