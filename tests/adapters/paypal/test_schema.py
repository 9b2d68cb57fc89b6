"""Requests and answers against PayPal's own OpenAPI documents, where they are at hand."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import msgspec
import pytest

from adapters.paypal import ADAPTER
from adapters.paypal.capabilities import CAPABILITIES
from gateway.errors import Rejected
from gateway.model.held_mandate import HeldMandate
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, PaymentState
from gateway.model.split import PLATFORM, Split, SplitKind
from gateway.policy import holding
from tests.adapters.paypal.conformance import SUBJECT
from tests.conformance import samples
from tests.conformance.subject import pages

SPECS = (
    Path("payments/paypal/checkout_orders_v2.json"),
    Path("payments/paypal/payments_payment_v2.json"),
    Path("payments/paypal/notifications_webhooks_v1.json"),
    Path("payments/paypal/payments_payouts_batch_v1.json"),
    Path("payments/paypal/vault_payment_tokens_v3.json"),
)
# One unit, one that is whole everywhere, a usual amount, and a large one.
PLACE = {"move_to", "index_time", "index_id"}
EDGES = (1, 500, 1999, 99_999_999_900)


@pytest.fixture(scope="module")
def documents(contracts: Path) -> "Documents":
    """PayPal's documents, parsed once."""
    missing = [one for one in SPECS if not (contracts / one).is_file()]
    if missing:
        pytest.skip("contracts not found")
    specs = [json.loads((contracts / one).read_bytes()) for one in SPECS]
    # The document's own text says "SETUP_TOKEN" where its list has BILLING_AGREEMENT only; a list
    # of an unknown customer is missing, as one token is.
    kind = specs[-1]["components"]["schemas"]["token_id_request"]["properties"]["type"]
    kind["enum"].append("SETUP_TOKEN")
    tokens = specs[-1]["paths"]["/v3/vault/payment-tokens"]["get"]["responses"]
    tokens["404"] = tokens["403"]
    return Documents(specs)


class Documents:
    """The documents' verdicts, with each validator made once."""

    def __init__(self, specs: list[dict[str, Any]]) -> None:
        self._specs = specs
        self._made: dict[tuple[int, str], jsonschema.Draft202012Validator] = {}

    def operation(self, request: httpx.Request) -> tuple[int, dict[str, Any]]:
        """The document and the operation that the request names."""
        for number, spec in enumerate(self._specs):
            for path, verbs in spec["paths"].items():
                pattern = re.sub(r"\{[^}]+\}", "[^/]+", path)
                if re.fullmatch(pattern, request.url.path) and request.method.lower() in verbs:
                    return number, verbs[request.method.lower()]
        raise AssertionError(f"PayPal has no {request.method} {request.url.path}")

    def asked(self, request: httpx.Request) -> list[str]:
        """What they hold against a request."""
        number, found = self.operation(request)
        given = [self._resolved(number, one) for one in found.get("parameters", [])]
        known = {one["name"] for one in given if one["in"] == "query"}
        # The place of a page stands in links only; see the README.
        known |= PLACE if "start_time" in known else set()
        wrong = [f"query {name}" for name in request.url.params if name not in known]
        if request.method == "GET":
            return wrong
        if not 1 <= len(request.headers.get("paypal-request-id", "")) <= 108:
            wrong.append("no key")
        if "requestBody" in found:
            schema = found["requestBody"]["content"]["application/json"]["schema"]
            named = schema["$ref"].rpartition("/")[2]
            body = json.loads(request.read())
            wrong += self._complaints(number, f"{found['operationId']} asked", schema, body)
            wrong += self._unknown(number, named, body)
        elif request.read() != (b"" if request.method == "DELETE" else b"{}"):
            wrong.append("a body")
        return wrong

    def answered(self, request: httpx.Request, response: httpx.Response) -> list[str]:
        """What they hold against an answer; undocumented ones are refused."""
        number, found = self.operation(request)
        responses = found["responses"]
        status = str(response.status_code)
        if status not in responses:
            return [f"{found['operationId']} never answers {status}"]
        content = self._resolved(number, responses[status]).get("content")
        if content is None:
            return ["a body"] if response.content else []
        schema = content["application/json"]["schema"]
        name = f"{found['operationId']} {status}"
        return self._complaints(number, name, schema, response.json())

    def _resolved(self, number: int, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        found: Any = self._specs[number]
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        resolved: dict[str, Any] = found
        return resolved

    def _unknown(self, number: int, named: str, body: Any, at: str = "$") -> list[str]:
        """Fields of ours that a schema does not name."""
        schema = self._specs[number]["components"]["schemas"][named]
        return list(self._unnamed(number, schema, body, at))

    def _unnamed(self, number: int, schema: Any, value: Any, at: str) -> Iterator[str]:
        if isinstance(value, list):
            items = self._resolved(number, schema).get("items", {})
            for one in value:
                yield from self._unnamed(number, items, one, f"{at}[]")
        if not isinstance(value, dict):
            return
        known = dict(self._fields(number, schema))
        for name, one in value.items():
            if name not in known:
                yield f"{at}.{name} is no field"
            else:
                yield from self._unnamed(number, known[name], one, f"{at}.{name}")

    def _fields(self, number: int, schema: Any) -> Iterator[tuple[str, Any]]:
        plain = self._resolved(number, schema)
        yield from plain.get("properties", {}).items()
        for part in plain.get("allOf", []):
            yield from self._fields(number, part)

    def _complaints(self, number: int, name: str, schema: dict[str, Any], value: Any) -> list[str]:
        if (number, name) not in self._made:
            whole = {**schema, "components": self._specs[number]["components"]}
            self._made[number, name] = jsonschema.Draft202012Validator(whole)
        errors = self._made[number, name].iter_errors(value)
        return [f"{name} {error.json_path}: {error.message}"[:300] for error in errors]


def every(payment: Any) -> Iterator[Any]:
    """Every method, with every currency it takes and every edge of amounts, also held."""
    number = 0
    for row in CAPABILITIES:
        token = SUBJECT.tokens.get(row.method, SUBJECT.tokens["accepted"]) if row.token else ""
        for currency in row.currencies:
            for minor in EDGES:
                for capture in CaptureMethod:
                    for shared in (False, True)[: 1 + (minor == EDGES[-1])]:
                        number += 1
                        amount = Money(minor, currency)
                        yield payment(
                            amount,
                            key=f"p{number}",
                            payment_id=f"p{number}",
                            method_code=row.method,
                            token=token,
                            capture_method=capture,
                            splits=divided(amount) if shared else (),
                            payer=samples.payer(row.countries[0]) if row.payer else None,
                            items=samples.basket(amount) if row.payer else (),
                        )


def divided(amount: Money) -> tuple[Split, ...]:
    """All is a member's but for a tenth, where that is not nothing."""
    theirs = Split(party=SUBJECT.member, kind=SplitKind.REMAINDER)
    tenth = Money(amount.minor // 1_000 * 100, amount.currency)
    if not tenth.minor:
        return (theirs,)
    return (theirs, Split(party=PLATFORM, kind=SplitKind.COMMISSION, amount=tenth))


def one_payment(account: Any, ours: Any) -> None:
    key, port = ours.payment_id, account.payments
    made = account.run(port.create_payment(ours, key=key))
    ours = msgspec.structs.replace(ours, provider_ref=made.provider_ref)
    if made.state is PaymentState.REQUIRES_ACTION:
        account.simulator.approve(made.provider_ref, now=account.now)
    state = account.run(port.find_payment(ours)).state
    if state is PaymentState.AUTHORISED and ours.amount.minor % 2:
        account.run(port.cancel_payment(ours, key=f"{key}x"))
        return
    if state is PaymentState.AUTHORISED:
        account.run(port.capture_payment(ours, ours.amount, key=f"{key}c"))
    account.run(port.refund_payment(ours, f"r{key}", ours.amount, key=f"{key}r"))
    assert account.run(port.find_refund(ours, f"r{key}"))


def drive(account: Any, payment: Any) -> int:
    """Every verb on every payment; how many could not be sent."""
    refused = 0
    for ours in every(payment):
        before = len(account.requests)
        try:
            one_payment(account, ours)
        except Rejected:
            refused += 1
            if before != len(account.requests):
                raise
    return refused


def test_every_request_and_answer_validates(
    documents: Documents, account: Any, payment: Any
) -> None:
    """PayPal's own documents have nothing against what is sent, nor against the simulator."""
    refused = drive(account, payment)
    account.run(account.payments.find_payment(payment(payment_id="never", key="never")))
    for token in ("vault-card-declined", "vault-card-expired", "vault-card-challenge", "unknown"):
        ours = payment(payment_id=token, token=token)
        with suppress(Rejected):
            account.run(account.payments.create_payment(ours, key=token))
    port = ADAPTER.port("reports", account.settings)
    assert 1 < len(list(pages(account.run, port, account.now - 86_400)))

    seen = Counter((r.method, re.sub("/[0-9A-F]{17}", "/{}", r.url.path)) for r in account.requests)
    pairs = list(zip(account.requests, account.responses, strict=True))
    asked = [wrong for request, _ in pairs for wrong in documents.asked(request)]
    answered = [wrong for pair in pairs for wrong in documents.answered(*pair)]

    assert ([], []) == (asked[:5], answered[:5])
    order, held = "/v2/checkout/orders/{}", "/v2/payments/authorizations/{}"
    assert {
        ("POST", "/v2/checkout/orders"),
        ("GET", order),
        ("POST", f"{order}/confirm-payment-source"),
        ("POST", f"{order}/capture"),
        ("POST", f"{order}/authorize"),
        ("POST", f"{held}/capture"),
        ("POST", f"{held}/void"),
        ("POST", "/v2/payments/captures/{}/refund"),
        ("GET", "/v1/notifications/webhooks"),
        ("GET", "/v1/notifications/webhooks-events"),
    } == set(seen)
    writes = sum(count for (method, _), count in seen.items() if method != "GET")
    print(f"paypal: {seen.total()} requests validate, {writes} of them writes, with a key each,")
    print(f"        and as many answers; {refused} amounts were refused before anything was sent")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.update(intent="BUY"),
        lambda body: body.pop("purchase_units"),
        lambda body: body.update(purchase_units=[]),
        lambda body: body["purchase_units"][0]["amount"].update(value="10,00"),
        lambda body: body["purchase_units"][0]["amount"].update(value=10),
        lambda body: body["purchase_units"][0].update(metadata={}),
        lambda body: body["purchase_units"][0].update(payee={"merchant_id": "member"}),
        lambda body: body["purchase_units"][0].update(
            payment_instruction={"platform_fees": [{"amount": 1}]}
        ),
        lambda body: body["payment_source"]["card"].update(vault_id="a b"),
        lambda body: body["payment_source"]["card"]["stored_credential"].update(usage="OFTEN"),
    ],
)
def test_the_documents_see_what_is_wrong(
    documents: Documents, account: Any, payment: Any, spoil: Any
) -> None:
    """Else their silence would say nothing."""
    account.run(account.payments.create_payment(payment(), key="k"))
    body = json.loads(account.requests[0].read())
    spoil(body)
    request = account.requests[0]

    wrong = documents.asked(
        httpx.Request(request.method, request.url, headers=request.headers, json=body)
    )

    assert wrong


def test_agreements_validate_both_ways(documents: Documents, account: Any) -> None:
    """Asked for, asked for again, completed, listed and deleted."""
    port = ADAPTER.port("mandates", account.settings)
    asked = HeldMandate(
        mandate_id="01950000-0000-7000-9200-000000000001",
        system="paypal",
        method_code="paypal_vault",
        customer_id="C-1",
        return_url="https://shop.example/back",
        requested_at="2026-01-01T00:00:00Z",
    )
    account.run(port.create_mandate(asked, key="k"))
    made, _ = holding.apply(asked, account.run(port.find_mandate(asked)))
    account.run(port.find_mandate(made))
    account.simulator.vault.approve(made.request_ref)
    made, _ = holding.apply(made, account.run(port.find_mandate(made)))
    account.run(port.find_mandate(made))
    account.run(port.revoke_mandate(made, key="r"))
    gone = account.run(port.find_mandate(made))

    pairs = list(zip(account.requests, account.responses, strict=True))
    held = [wrong for request, _ in pairs for wrong in documents.asked(request)]
    held += [wrong for pair in pairs for wrong in documents.answered(*pair)]
    assert [] == held
    assert ("ACTIVE", "REVOKED") == (made.state, gone.state)
    print(f"paypal: {len(pairs)} requests about agreements and their answers validate")
