"""Requests and answers against Mollie's own OpenAPI document, where it is at hand."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import msgspec
import pytest
import yaml

from adapters.mollie import ADAPTER, Settings
from adapters.mollie.capabilities import CAPABILITIES
from gateway.errors import Rejected
from gateway.model.held_mandate import DebtorAccount, HeldMandate
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, PaymentState, Refund
from gateway.model.split import PLATFORM, Split, SplitKind
from gateway.policy import holding
from tests.adapters.mollie.conformance import SUBJECT
from tests.adapters.mollie.conftest import KEY, known
from tests.conformance.subject import pages

SPEC = Path("payments/mollie/openapi.yaml")
# One unit, a usual amount, and the largest that Money reads back from eleven digits.
EDGES = (1, 1999, 99_999_999_999)


class _Loader(yaml.CSafeLoader):
    """Without dates: one of the document's examples is none."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as yaml declares it
        first: [(tag, form) for tag, form in forms if tag != "tag:yaml.org,2002:timestamp"]
        for first, forms in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


@pytest.fixture(scope="module")
def spec(contracts: Path) -> dict[str, Any]:
    """Mollie's document, parsed once, without what is known to be wrong in it."""
    if not (contracts / SPEC).is_file():
        pytest.skip("contracts not found")
    with (contracts / SPEC).open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.load(file, Loader=_Loader)  # noqa: S506 - a safe loader
    # An empty list has a count of 0, which the document does not foresee.
    del loaded["components"]["schemas"]["list-count"]["minimum"]
    return loaded


def sendable(node: Any, schemas: dict[str, Any]) -> Any:
    """A schema of a request: fields that only Mollie writes are not demanded."""
    if isinstance(node, list):
        return [sendable(item, schemas) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {name: sendable(value, schemas) for name, value in node.items()}
    if isinstance(plain.get("required"), list):
        fields = plain.get("properties", {})
        plain["required"] = [
            name for name in plain["required"] if not _only_read(fields.get(name, {}), schemas)
        ]
    return plain


def _only_read(field: dict[str, Any], schemas: dict[str, Any]) -> bool:
    named = schemas.get(field.get("$ref", "").rpartition("/")[2], {})
    return bool(field.get("readOnly") or named.get("readOnly"))


class Document:
    """The document's verdicts, with each validator made once."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self._components = spec["components"]
        self._schemas = self._components["schemas"]
        self._to_send = sendable(self._components, self._schemas)
        self._made: dict[str, jsonschema.Draft202012Validator] = {}

    def operation(self, request: httpx.Request) -> dict[str, Any]:
        """The operation that the request names."""
        for path, verbs in self.spec["paths"].items():
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", path)
            if re.fullmatch(pattern, request.url.path) and request.method.lower() in verbs:
                found: dict[str, Any] = verbs[request.method.lower()]
                return found
        raise AssertionError(f"Mollie has no {request.method} {request.url.path}")

    def asked(self, request: httpx.Request) -> list[str]:
        """What it holds against a request."""
        found = self.operation(request)
        given = [self._resolved(one) for one in found.get("parameters", [])]
        query = {one["name"]: one["schema"] for one in given if one["in"] == "query"}
        wrong = [f"query {name}" for name in request.url.params if name not in query]
        for name, value in request.url.params.items():
            # The document knows one embed at a time; their own client joins several by commas.
            for one in value.split(",") if name == "embed" else [value]:
                typed = int(one) if one.isdigit() else one
                schema = query.get(name, {})
                asked = f"{found['operationId']} query {name}"
                wrong += self._complaints(asked, schema, typed, self._to_send)
        if request.method != "GET" and "idempotency-key" not in request.headers:
            wrong.append("no key")
        body = request.read()
        if body:
            schema = found["requestBody"]["content"]["application/json"]["schema"]
            strict = {"allOf": [sendable(schema, self._schemas)], "unevaluatedProperties": False}
            wrong += self._complaints(found["operationId"], strict, json.loads(body), self._to_send)
        return wrong

    def answered(self, request: httpx.Request, response: httpx.Response) -> list[str]:
        """What it holds against an answer; undocumented errors have the shape of the others."""
        given = self.operation(request)["responses"].get(str(response.status_code))
        if given is None:
            return self.shaped("error-response", response.json())
        content = self._resolved(given).get("content")
        if content is None:
            return ["a body"] if response.content else []
        schema = content["application/hal+json"]["schema"]
        name = f"{self.operation(request)['operationId']} {response.status_code}"
        return self._complaints(name, schema, response.json(), self._components)

    def shaped(self, name: str, value: Any) -> list[str]:
        """What it holds against an object of this name."""
        schema = {"$ref": f"#/components/schemas/{name}"}
        return self._complaints(name, schema, value, self._components)

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        found: Any = self.spec
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return {**found, **{name: value for name, value in node.items() if name != "$ref"}}

    def _complaints(
        self, name: str, schema: dict[str, Any], value: Any, components: Any
    ) -> list[str]:
        if name not in self._made:
            whole = {**schema, "components": components}
            self._made[name] = jsonschema.Draft202012Validator(whole)
        errors = self._made[name].iter_errors(value)
        return [f"{name} {error.json_path}: {error.message}"[:300] for error in errors]


@pytest.fixture(scope="module")
def document(spec: dict[str, Any]) -> Document:
    return Document(spec)


def whole(_amount: Money) -> dict[str, Any]:
    """Nobody's but ours."""
    return {}


def divided(amount: Money) -> dict[str, Any]:
    """Half for a member, something for another one, the rest for us."""
    parts = {"org_1": amount.minor // 2, "org_2": amount.minor // 10}
    members = [Split(party=p, amount=Money(m, amount.currency)) for p, m in parts.items() if m]
    return {"splits": (*members, Split(party=PLATFORM, kind=SplitKind.REMAINDER))}


def every(payment: Any) -> Iterator[Any]:
    """Every method, with every currency and every edge of amounts; also held, and divided."""
    number = 0
    for row in CAPABILITIES:
        token = SUBJECT.tokens.get(row.method, "tkn_accepted" if row.token else "")
        later = [CaptureMethod.MANUAL] if "capture_payment" in row.verbs else []
        captures = later if row.held else [CaptureMethod.AUTOMATIC, *later]
        shared = [divided] if row.splits else []
        for currency in row.currencies:
            for amount in (Money(minor, currency) for minor in EDGES):
                for capture, split in itertools.product(captures, [whole, *shared]):
                    number += 1
                    values = known(row.method, amount) | {"capture_method": capture, "token": token}
                    yield payment(amount, payment_id=f"p{number}", **values, **split(amount))


def drive(account: Any, payment: Any, step: int = 1) -> int:
    """Every verb on every payment, or every so many of them; how many could not be sent."""
    refused = 0
    for ours in itertools.islice(every(payment), 0, None, step):
        account.now += 1
        before = len(account.requests)
        try:
            one_payment(account, ours)
        except Rejected:
            refused += 1
            if before != len(account.requests):
                raise
    return refused


def one_payment(account: Any, ours: Any) -> None:
    key, part = ours.payment_id, Money((ours.amount.minor + 1) // 2, ours.amount.currency)
    part = ours.amount if ours.splits else part
    made = account.run(account.payments.create_payment(ours, key=key))
    ours = msgspec.structs.replace(ours, provider_ref=made.provider_ref)
    if made.state is PaymentState.AUTHORISED:
        account.run(account.payments.capture_payment(ours, part, key=f"{key}c"))
    elif made.state is PaymentState.REQUIRES_ACTION:
        account.simulator.pay(made.provider_ref, "paid", now=account.now)
    elif made.state is PaymentState.PENDING:
        account.run(account.payments.cancel_payment(ours, key=f"{key}x"))
    state = account.run(account.payments.find_payment(ours)).state
    if state is PaymentState.CAPTURED and ours.method_code != "gift_card":
        account.run(account.payments.refund_payment(ours, f"r{key}", part, key=f"{key}r"))
        account.run(account.payments.find_refund(ours, f"r{key}"))
        if ours.method_code == "card" and not ours.splits:
            cancel_refund(account, ours, f"r{key}", part)


def cancel_refund(account: Any, ours: Any, refund_id: str, part: Money) -> None:
    """While it has not gone."""
    found = account.run(account.payments.find_refund(ours, refund_id))
    at = "2026-01-01T00:00:00Z"
    refund = Refund(
        refund_id=refund_id,
        payment_id=ours.payment_id,
        amount=part,
        requested_at=at,
        provider_ref=found.provider_ref,
    )
    port = account.port("refund_cancellations")
    if found.state is PaymentState.PENDING:
        account.run(port.cancel_refund(ours, refund, key=f"{refund_id}d"))


def _list(account: Any) -> None:
    port = ADAPTER.port("reports", Settings(api_key=KEY))
    assert 2 < len(list(pages(account.run, port, account.now - 86_400)))


def test_every_request_validates(document: Document, connect: Any, payment: Any) -> None:
    """Mollie's own document has nothing against any request that the adapter can send."""
    account = connect(settings={"webhook_url": "https://hub.example/webhooks/mollie"})
    refused = drive(account, payment)
    held = payment(payment_id="held", capture_method=CaptureMethod.MANUAL)
    found = account.run(account.payments.create_payment(held, key="held"))
    held = msgspec.structs.replace(held, provider_ref=found.provider_ref)
    account.run(account.payments.cancel_payment(held, key="heldx"))
    account.run(account.payments.find_payment(payment(payment_id="never")))
    _list(account)

    seen = Counter(
        (r.method, re.sub("(tr|re)_[0-9a-f]+", "{}", r.url.path)) for r in account.requests
    )
    held_against = [c for request in account.requests for c in document.asked(request)]

    assert [] == held_against[:5]
    one = "/v2/payments/{}"
    assert {
        ("POST", "/v2/payments"),
        ("GET", "/v2/payments"),
        ("GET", one),
        ("DELETE", one),
        ("POST", f"{one}/release-authorization"),
        ("POST", f"{one}/captures"),
        ("POST", f"{one}/refunds"),
        ("GET", f"{one}/refunds"),
        ("DELETE", f"{one}/refunds/{{}}"),
        ("GET", "/v2/refunds"),
        ("GET", "/v2/chargebacks"),
    } == set(seen)
    writes = sum(count for (method, _), count in seen.items() if method != "GET")
    print(f"mollie: {seen.total()} requests validate, {writes} of them writes, with a key each;")
    print(f"        {refused} amounts were refused before anything was sent")


@pytest.mark.parametrize(
    "body",
    [
        {"description": "x", "redirectUrl": "https://a.example"},
        {"amount": {"currency": "EUR"}, "description": "x", "redirectUrl": "https://a.example"},
        {"amount": {"currency": "EUR", "value": 1}, "description": "x", "redirectUrl": None},
        {
            "amount": {"currency": "EUR", "value": "1.00"},
            "description": "x",
            "redirectUrl": "https://a.example",
            "method": "sofort",
        },
        {
            "amount": {"currency": "EUR", "value": "1.00"},
            "description": "x",
            "redirectUrl": "https://a.example",
            "colour": "red",
        },
    ],
)
def test_the_check_can_fail(document: Document, body: dict[str, Any]) -> None:
    """A missing or unknown field, a wrong type and a wrong code are all noticed."""
    request = httpx.Request(
        "POST", "https://api.mollie.com/v2/payments", json=body, headers={"Idempotency-Key": "k"}
    )

    assert document.asked(request)


def test_every_answer_of_the_simulator_validates(
    document: Document, connect: Any, payment: Any
) -> None:
    """Payments, captures, refunds, lists, errors and events have the documented shape."""
    account = connect()
    answers: list[tuple[httpx.Request, httpx.Response]] = []
    handle = account.simulator.handle

    def listening(request: httpx.Request, *, now: float) -> httpx.Response:
        answers.append((request, handle(request, now=now)))
        return answers[-1][1]

    account.simulator.handle = listening
    drive(account, payment, step=7)
    account.run(account.payments.find_payment(payment()))
    account.run(account.payments.find_payment(payment(provider_ref="tr_unknown")))
    for token in ("tkn_declined", "tkn_challenge", "tkn_unknown"):
        ours = payment(payment_id=token, token=token)
        try:
            account.run(account.payments.create_payment(ours, key=token))
        except Rejected:
            assert token == "tkn_unknown"
    taken = account.run(account.payments.create_payment(payment(payment_id="cb"), key="cb"))
    one = account.simulator.charge_back(taken.provider_ref, 100, now=account.now, reason="AM04")
    account.simulator.reverse(taken.provider_ref, one, now=account.now)
    account.now += 3600
    _list(account)

    wrong = [c for request, response in answers for c in document.answered(request, response)]
    events = [json.loads(one.read()) for one in account.simulator.due(now=account.now)]
    for event in events:
        # Chargebacks have a page of their own; the document's list of types is older.
        known = {**event, "type": event["type"].replace("chargeback.", "payout.")}
        if event["type"].startswith("chargeback."):
            wrong += document.shaped("entity-chargeback", event["_embedded"]["entity"])
        else:
            wrong += document.shaped("entity-webhook-event", known)

    assert [] == wrong[:5]
    assert {200, 201, 404, 422} <= {response.status_code for _, response in answers}
    assert {"payment.paid", "refund.refunded", "chargeback.reversed"} <= {
        event["type"] for event in events
    }
    assert len(answers) > 100
    print(f"mollie: {len(answers)} answers and {len(events)} events of the simulator validate")


def test_mandates_validate_both_ways(document: Document, connect: Any) -> None:
    """A mandate that is made, lost and found, looked at, taken away, and looked for again."""
    account, answers = connect(), list[tuple[httpx.Request, httpx.Response]]()
    handle = account.simulator.handle

    def listening(request: httpx.Request, *, now: float) -> httpx.Response:
        answers.append((request, handle(request, now=now)))
        return answers[-1][1]

    account.simulator.handle = listening
    port = ADAPTER.port("mandates", Settings(api_key=KEY))
    asked = HeldMandate(
        mandate_id="m-1",
        system="mollie",
        method_code="sepa_debit",
        customer_id="C-1",
        account=DebtorAccount(debtor_name="Erika Mustermann", iban="DE89370400440532013000"),
        requested_at="2026-01-01T00:00:00Z",
    )
    made, _ = holding.apply(asked, account.run(port.create_mandate(asked, key="k")))
    found = [account.run(port.find_mandate(one)) for one in (asked, made)]
    account.run(port.revoke_mandate(made, key="r"))
    gone = account.run(port.find_mandate(made))

    assert ["ACTIVE", "ACTIVE", "REVOKED"] == [one.state for one in (*found, gone)]
    assert [] == [c for request, _ in answers for c in document.asked(request)]
    assert [] == [c for request, one in answers for c in document.answered(request, one)]
    print(f"mollie: {len(answers)} requests about mandates and their answers validate")
