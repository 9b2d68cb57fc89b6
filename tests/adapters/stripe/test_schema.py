"""Requests and answers against Stripe's own OpenAPI document, where it is at hand."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jsonschema
import msgspec
import pytest
import yaml

from adapters.stripe import ADAPTER, Settings
from gateway.errors import Rejected
from gateway.model.capability import Capability
from gateway.model.held_mandate import DebtorAccount, HeldMandate
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, Refund
from gateway.model.split import PLATFORM, Split, SplitKind, SplitMode
from gateway.policy import adjusting, holding
from tests.adapters.stripe.conformance import SUBJECT
from tests.adapters.stripe.conftest import KEY
from tests.conformance import samples
from tests.conformance.subject import pages

SPEC = Path("payments/stripe/spec3.2023-08-16.yaml")
MANUAL = CaptureMethod.MANUAL
# Usual, the most, none and three decimals.
AMOUNTS = (
    Money(1999, "EUR"),
    Money(99_999_999, "USD"),
    Money(500, "JPY"),
    Money(5120, "KWD"),
)


@pytest.fixture(scope="module")
def spec(contracts: Path) -> dict[str, Any]:
    """Stripe's document, parsed once: it has four megabytes."""
    if not (contracts / SPEC).is_file():
        pytest.skip("contracts not found")
    with (contracts / SPEC).open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.load(file, Loader=yaml.CSafeLoader)
    return nullable(loaded)


def nullable(node: Any) -> Any:
    """OpenAPI 3.0 says ``nullable``, JSON Schema says null in a choice."""
    if isinstance(node, list):
        return [nullable(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {name: nullable(value) for name, value in node.items() if name != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain


def operation(spec: dict[str, Any], request: httpx.Request) -> dict[str, Any]:
    """The operation that the request names; a literal path wins over a template."""
    for path in sorted(spec["paths"], key=lambda path: path.count("{")):
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", path)
        verb = request.method.lower()
        if re.fullmatch(pattern, request.url.path) and verb in spec["paths"][path]:
            found: dict[str, Any] = spec["paths"][path][verb]
            return found
    raise AssertionError(f"Stripe has no {request.method} {request.url.path}")


def tree(encoded: str) -> dict[str, Any]:
    """A form with brackets as nested dictionaries; ``[]`` counts up."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True, strict_parsing=bool(encoded)):
        top, *rest = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        place, steps = root, [top, *rest]
        for step in steps[:-1]:
            place = place.setdefault(step, {})
        place[steps[-1] or str(len(place))] = value
    return root


def typed(value: Any, schema: dict[str, Any]) -> Any:
    """The texts of a form as the schema's types, where they can be read as such."""
    for choice in schema.get("anyOf", []):
        if (choice.get("type") == "object") == isinstance(value, dict):
            return typed(value, choice)
    kind = schema.get("type")
    if kind == "array" and isinstance(value, dict):
        return [typed(item, schema.get("items", {})) for item in value.values()]
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties") or {}
        return {k: typed(v, known.get(k, others)) for k, v in value.items()}
    if kind == "integer" and re.fullmatch(r"-?\d+", value):
        return int(value)
    return {"true": True, "false": False}.get(value, value) if kind == "boolean" else value


def complaints(spec: dict[str, Any], request: httpx.Request) -> list[str]:
    """What Stripe's document holds against the request."""
    found = operation(spec, request)
    if request.method == "GET":
        given = [p for p in found.get("parameters", []) if p["in"] == "query"]
        schema: dict[str, Any] = {
            "properties": {p["name"]: p["schema"] for p in given},
            "required": [p["name"] for p in given if p.get("required")],
            "additionalProperties": False,
        }
        encoded = request.url.query.decode()
    else:
        content = found["requestBody"]["content"]["application/x-www-form-urlencoded"]
        schema, encoded = content["schema"], request.read().decode()
    value = typed(tree(encoded), schema)
    validator = jsonschema.Draft202012Validator({**schema, "components": spec["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def drive(account: Any, payment: Any) -> None:
    """Every capability with every verb, both capture methods, whole and divided, at the edges."""
    number = 0
    for row in ADAPTER.capabilities:
        amounts = [Money(5120, one) for one in row.currencies] or AMOUNTS
        for amount in amounts:
            for capture in (CaptureMethod.AUTOMATIC, MANUAL):
                number += 1
                ours = of_row(payment, row, amount, payment_id=f"p{number}", capture_method=capture)
                if capture is MANUAL and "capture_payment" not in row.verbs:
                    with pytest.raises(Rejected):
                        account.run(account.payments.create_payment(ours, key="never"))
                    continue
                if capture is MANUAL and "update_payment" in row.verbs:
                    ours = msgspec.structs.replace(ours, adjustable=True)
                one_payment(account, ours, f"k{number}")
                if row.splits:
                    ours = msgspec.structs.replace(ours, payment_id=f"s{number}", adjustable=False)
                    one_payment(account, divided(ours), f"s{number}")
                    ours = msgspec.structs.replace(ours, payment_id=f"t{number}")
                    one_payment(account, followed(ours), f"t{number}")
    for token in ("pm_card_chargeDeclined", "pm_card_authenticationRequired"):
        one_payment(account, payment(payment_id=token, token=token), token)


def of_row(payment: Any, row: Capability, amount: Money, **fields: Any) -> Any:
    """A payment with all that the method needs."""
    needed: dict[str, Any] = {"token": SUBJECT.tokens.get(row.method, "pm_card_visa")}
    if not row.token:
        needed["token"] = ""
    if row.redirect:
        needed["return_url"] = "https://shop.example/back"
    if row.payer:
        needed["payer"] = samples.payer(row.countries[0])
        needed["items"] = samples.basket(amount)
    return payment(amount, method_code=row.method, **needed | fields)


def divided(payment: Any) -> Any:
    """The payment, of which a member has all but a tenth."""
    tenth = Money(payment.amount.minor // 100 * 10, payment.amount.currency)
    ours = Split(party=PLATFORM, kind=SplitKind.COMMISSION, amount=tenth)
    theirs = Split(party=SUBJECT.member, kind=SplitKind.REMAINDER)
    return msgspec.structs.replace(payment, splits=(theirs, ours))


def followed(payment: Any) -> Any:
    """The payment, of which several members get their parts by transfers afterwards."""
    first, ours = divided(payment).splits
    parts = (first, ours, msgspec.structs.replace(ours, party="acct_2"))
    return msgspec.structs.replace(payment, splits=parts, split_mode=SplitMode.AFTER_PAYMENT)


def one_payment(account: Any, ours: Any, key: str) -> None:
    part = Money(ours.amount.minor // 20 * 10, ours.amount.currency)
    created = account.run(account.payments.create_payment(ours, key=key))
    account.run(account.payments.find_payment(ours))
    ours = msgspec.structs.replace(ours, provider_ref=created.provider_ref)
    account.now += 60
    if ours.adjustable:
        more = Money(ours.amount.minor + 10, ours.amount.currency)
        if more.minor <= 99_999_999:
            ours, _ = adjusting.request(ours, more, at="2026-01-01T00:00:00Z")
            account.run(account.adjustments.update_payment(ours, more, key=f"{key}u"))
    if created.state == "AUTHORISED":
        account.run(account.payments.capture_payment(ours, part, key=f"{key}c"))
    if created.state == "REQUIRES_ACTION" and ours.token.startswith("pm_card"):
        account.run(account.payments.cancel_payment(ours, key=f"{key}x"))
    elif created.state == "REQUIRES_ACTION":
        account.simulator.authenticate(created.provider_ref, succeeds=True, now=account.now)
        if ours.capture_method is MANUAL:
            account.run(account.payments.capture_payment(ours, part, key=f"{key}c"))
    if account.run(account.payments.find_payment(ours)).state == "CAPTURED":
        account.run(account.payments.refund_payment(ours, f"r{key}", part, key=f"{key}r"))
    found = account.run(account.payments.find_refund(ours, f"r{key}"))
    if found is not None and ours.method_code == "bank_transfer":
        at = "2026-01-01T00:00:00Z"
        refund = Refund(
            refund_id=f"r{key}",
            payment_id=ours.payment_id,
            amount=part,
            requested_at=at,
            provider_ref=found.provider_ref,
        )
        port = ADAPTER.port("refund_cancellations", Settings(secret_key=KEY))
        account.run(port.cancel_refund(ours, refund, key=f"{key}rx"))


def _list(account: Any) -> None:
    port = ADAPTER.port("reports", Settings(secret_key=KEY))
    assert list(pages(account.run, port, account.now - 86_400))


@pytest.mark.parametrize("find_by", ["search", "list"])
def test_every_request_validates(
    spec: dict[str, Any], connect: Any, payment: Any, find_by: str
) -> None:
    """Stripe's own document has nothing against any request that the adapter sends."""
    account = connect(find_by=find_by)
    drive(account, payment)
    _list(account)

    seen = {(r.method, re.sub(r"(pi|re)_\w+", "{}", r.url.path)) for r in account.requests}
    held_against = [c for request in account.requests for c in complaints(spec, request)]
    print(f"\n{len(account.requests)} requests validated")

    assert [] == held_against
    assert {
        ("POST", "/v1/payment_intents"),
        ("POST", "/v1/payment_intents/{}/capture"),
        ("POST", "/v1/payment_intents/{}/cancel"),
        ("POST", "/v1/payment_intents/{}/increment_authorization"),
        ("POST", "/v1/refunds"),
        ("POST", "/v1/refunds/{}/cancel"),
        ("GET", "/v1/payment_intents/{}"),
        ("GET", "/v1/refunds"),
        ("GET", "/v1/events"),
        ("GET", "/v1/payment_intents" + ("/search" if find_by == "search" else "")),
    } == seen
    writes = [one for one in account.requests if one.method == "POST"]
    assert all(one.headers["idempotency-key"] for one in writes)
    assert len(account.requests) > 500


@pytest.mark.parametrize(
    "body",
    [
        b"amount=19.99&currency=eur",
        b"currency=eur",
        b"amount=1&currency=eur&colour=red",
        b"amount=1&currency=eur&capture_method=later",
        b"amount=1&currency=eur&mandate_data[customer_acceptance][type]=oral",
        b"amount=1&currency=eur&payment_method_data[type]=cowrie_shells",
        b"amount=1&currency=eur&transfer_data[amount]=1",
    ],
)
def test_the_check_can_fail(spec: dict[str, Any], body: bytes) -> None:
    """A wrong type, a missing or unknown field and a wrong code are all noticed."""
    request = httpx.Request("POST", "https://api.stripe.com/v1/payment_intents", content=body)

    assert complaints(spec, request)


def test_every_answer_of_the_simulator_validates(
    spec: dict[str, Any], connect: Any, payment: Any
) -> None:
    """The simulator's payments, refunds, charges and events have the documented shape."""
    account = connect()
    answers: list[dict[str, Any]] = []
    handle = account.simulator.handle

    def listening(request: httpx.Request, *, now: float) -> httpx.Response:
        response = handle(request, now=now)
        answers.append(json.loads(response.content))
        return response

    account.simulator.handle = listening
    drive(account, payment)
    _list(account)

    checked = 0
    for answer in answers:
        shape = answer.get("object", "error")
        objects = answer["data"] if shape in {"list", "search_result"} else [answer]
        for thing in objects:
            name = thing.get("object", "error")
            schema = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
            jsonschema.Draft202012Validator(schema).validate(thing)
            checked += 1
            if name == "event":
                inner = thing["data"]["object"]
                schema["$ref"] = f"#/components/schemas/{inner['object']}"
                jsonschema.Draft202012Validator(schema).validate(inner)

    assert checked > 100


def test_mandates_validate_both_ways(spec: dict[str, Any], connect: Any) -> None:
    """By a page and by an account: asked for, lost and found, agreed to, taken back."""
    account, answers = connect(), list[tuple[httpx.Request, httpx.Response]]()
    handle = account.simulator.handle

    def listening(request: httpx.Request, *, now: float) -> httpx.Response:
        answers.append((request, handle(request, now=now)))
        return answers[-1][1]

    account.simulator.handle = listening
    port = ADAPTER.port("mandates", Settings(secret_key=KEY))
    owner = DebtorAccount(
        debtor_name="Erika Mustermann", iban="DE89370400440532013000", email="erika@example.com"
    )
    for number, method in enumerate(sorted(port.signing)):
        asked = HeldMandate(
            mandate_id=f"m-{number}",
            system="stripe",
            method_code=method,
            customer_id="C-1",
            return_url="https://shop.example/back",
            account=owner if method == "sepa_debit" else None,
            requested_at="2026-01-01T00:00:00Z",
        )
        for one in (asked, msgspec.structs.replace(asked, mandate_id=f"m-{number}-early")):
            made, _ = holding.apply(
                one, account.run(port.create_mandate(one, key=f"k{one.mandate_id}"))
            )
            account.run(port.find_mandate(one))
            if one is asked and made.next_action:
                account.simulator.setups.sign(made.request_ref, now=account.now)
                made, _ = holding.apply(made, account.run(port.find_mandate(made)))
            account.run(port.revoke_mandate(made, key=f"r{one.mandate_id}"))
            gone = account.run(port.find_mandate(made))
            assert gone.state in {"REVOKED", "EXPIRED"}

    wrong = [c for request, _ in answers for c in complaints(spec, request)]
    for request, response in answers:
        schema = operation(spec, request)["responses"]["200"]["content"]["application/json"]
        whole = {**schema["schema"], "components": spec["components"]}
        errors = jsonschema.Draft202012Validator(whole).iter_errors(response.json())
        wrong += [f"{request.url.path} {one.json_path}: {one.message}"[:200] for one in errors]
    assert [] == wrong
    print(f"\n{len(answers)} requests about mandates and their answers validated")
