"""Requests and answers against the vendor's own fixtures, where they are at hand.

There is no public OpenAPI document. The fixtures have, for every operation of the official client,
its method, its path and an answer with all of its fields.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import pytest

from adapters.gocardless import ADAPTER, Settings
from adapters.gocardless.capabilities import CAPABILITIES
from gateway.errors import Rejected
from gateway.model.held_mandate import HeldMandate
from gateway.model.money import Money
from gateway.policy import holding
from tests.adapters.gocardless.conftest import TOKEN
from tests.conformance.subject import pages

FOLDER = Path("payments/gocardless/fixtures")
TOKENS: Final = {
    "sepa_debit": "MD00SEPA",
    "bacs_debit": "MD00BACS",
    "ach_debit": "MD00ACH",
    "becs_debit": "MD00BECS",
    "becs_nz_debit": "MD00BECSNZ",
    "autogiro_debit": "MD00AUTOGIRO",
    "betalingsservice_debit": "MD00BETALING",
    "pad_debit": "MD00PAD",
}
# What is only written, or only asked for. Source: docstrings of the services of gocardless_pro
# 3.22.0 and their parameters in gocardless-nodejs, read 2026-11.
WRITTEN: Final = {
    "payments": set(),
    "refunds": {"total_amount_confirmation"},
    "billing_requests": set(),
    "billing_request_flows": set(),
}
ASKED: Final = {
    "/billing_requests": {"created_at[gte]", "limit", "after"},
    "/payments": {"mandate", "created_at[gte]", "limit", "after"},
    "/refunds": {"payment", "limit", "after"},
    "/events": {"payment", "action", "created_at[gte]", "limit", "after"},
}
# Fields that fixtures have as one type and the reference as another, or as null.
NULLABLE: Final = {"description", "reference", "before", "after"}
NUMBERS_AS_TEXT: Final = {"estimated_exchange_rate", "exchange_rate", "fx_amount"}
Fixtures = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def fixtures(contracts: Path) -> Fixtures:
    """The fixtures by the name of their file."""
    files = sorted((contracts / FOLDER).glob("*.json"))
    if not files:
        pytest.skip("contracts not found")
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def operation(fixtures: Fixtures, request: httpx.Request) -> tuple[str, str, dict[str, Any]]:
    """Resource, name and fixture of the operation that the request names."""
    for resource, operations in fixtures.items():
        for name, one in operations.items():
            if not isinstance(one, dict) or "path_template" not in one:
                continue
            pattern = re.sub(r":\w+", "[^/]+", one["path_template"])
            if one["method"] == request.method and re.fullmatch(pattern, request.url.path):
                return resource, name, one
    raise AssertionError(f"GoCardless has no {request.method} {request.url.path}")


def complaints(fixtures: Fixtures, request: httpx.Request) -> Iterator[str]:
    """What the vendor's fixtures hold against the request."""
    resource, name, one = operation(fixtures, request)
    asked = set(request.url.params) - ASKED.get(one["path_template"], set())
    if asked:
        yield f"{one['path_template']} is not asked for {asked}"
    if request.method == "GET":
        return
    # Of a request there may be any number of pages, so they have no keys.
    key = "" if resource == "billing_request_flows" else ".+"
    for header, wanted in (("content-type", "application/json"), ("idempotency-key", key)):
        if not re.fullmatch(wanted, request.headers.get(header, "")):
            yield f"{header} is not {wanted}"
    body = json.loads(request.read())
    if set(body) != (set() if name == "cancel" else {resource}):
        yield f"envelope {set(body)}"
        return
    for field, value in body.get(resource, {}).items():
        yield from _wrong(f"{resource}.{field}", value, one["body"][resource], WRITTEN[resource])


def _wrong(at: str, value: Any, shown: dict[str, Any], written: set[str]) -> Iterator[str]:
    field = at.rpartition(".")[2]
    if field not in {*shown, *written}:
        yield f"{at} is no field"
        return
    known = shown.get(field, 0)
    if type(known) is not type(value):
        yield f"{at} is {type(value).__name__}"
    if isinstance(value, int) and value < 1:
        yield f"{at} is {value}"
    if field == "links" and set(value) - set(known):
        yield f"{at} has {set(value)}"
    if field == "metadata":
        yield from _too_much(value)


def _too_much(metadata: dict[str, str]) -> Iterator[str]:
    if len(metadata) > 3:
        yield "more than three keys"
    for name, value in metadata.items():
        if len(name) > 50 or len(value) > 500:
            yield f"metadata.{name} is too long"


def unlike(answer: Any, fixture: Any, path: str = "$") -> Iterator[str]:
    """Where an answer has another shape than the vendor's."""
    name = path.rpartition(".")[2]
    if answer is None and (name in NULLABLE or name in NUMBERS_AS_TEXT):
        return
    if type(answer) is not type(fixture):
        yield f"{path}: {type(answer).__name__} in place of {type(fixture).__name__}"
    elif isinstance(answer, dict) and name not in {"metadata", "resource_metadata"}:
        for key, value in answer.items():
            if key in fixture:
                yield from unlike(value, fixture[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}: no such field"
    elif isinstance(answer, list):
        for value in answer:
            yield from unlike(value, fixture[0], f"{path}[]")


def drive(account: Any, payment: Any) -> None:
    """Every verb with every method and kind of amount that the adapter can send."""
    number = 0
    for row in CAPABILITIES:
        for minor in (1, 500, 5120, 99_999_999):
            number += 1
            amount = Money(minor, row.currencies[0])
            ours = payment(
                amount, method_code=row.method, token=TOKENS[row.method], payment_id=f"p{number}"
            )
            one_payment(account, ours, f"k{number}")


def one_payment(account: Any, ours: Any, key: str) -> None:
    port = account.payments
    early = msgspec.structs.replace(ours, payment_id=f"{ours.payment_id}-early")
    early = account.create(early, key=f"{key}e")
    account.run(port.cancel_payment(early, key=f"{key}x"))
    account.run(port.find_payment(ours))
    ours = account.create(ours, key=key, after_s=5)
    account.run(port.find_payment(ours))
    account.run(port.find_payment(msgspec.structs.replace(ours, provider_ref="")))
    for part in {1, ours.amount.minor - 1} - {0}:
        back = Money(part, ours.amount.currency)
        account.run(port.refund_payment(ours, f"r{key}{part}", back, key=f"{key}r{part}"))
        account.run(port.find_refund(ours, f"r{key}{part}"))
    failed = msgspec.structs.replace(ours, payment_id=f"{ours.payment_id}-failed", provider_ref="")
    failed = account.create(failed, key=f"{key}f")
    account.scenario("payment_failed", failed.provider_ref)
    account.run(port.find_payment(failed))


def drive_mandates(account: Any) -> None:
    """A mandate for every method: asked for, lost and found, agreed to, taken back."""
    port = ADAPTER.port("mandates", Settings(access_token=TOKEN))
    for number, row in enumerate(CAPABILITIES):
        asked = HeldMandate(
            mandate_id=f"m-{number}",
            system="gc",
            method_code=row.method,
            customer_id="C-1",
            return_url="https://shop.example/back",
            requested_at="2026-01-01T00:00:00Z",
        )
        early = msgspec.structs.replace(asked, mandate_id=f"{asked.mandate_id}-early")
        for one in (early, asked):
            said = account.run(port.create_mandate(one, key=f"k{one.mandate_id}"))
            made, _ = holding.apply(one, said)
            account.run(port.find_mandate(one))
            account.run(port.find_mandate(made))
            if one is asked:
                account.simulator.sign(made.request_ref, now=account.now)
                made, _ = holding.apply(made, account.run(port.find_mandate(made)))
                account.run(port.find_mandate(made))
            account.run(port.revoke_mandate(made, key=f"r{one.mandate_id}"))


def _list(account: Any) -> None:
    port = ADAPTER.port("reports", Settings(access_token=TOKEN))
    assert list(pages(account.run, port, account.now - 86_400))


def test_every_request_has_the_vendors_shape(
    fixtures: Fixtures, account: Any, payment: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Method, path, envelope, fields, types, keys and filters of each request that is sent."""
    drive(account, payment)
    drive_mandates(account)
    _list(account)

    held_against = [c for request in account.requests for c in complaints(fixtures, request)]
    seen = {operation(fixtures, request)[:2] for request in account.requests}
    with capsys.disabled():
        print(f"\ngocardless: {len(account.requests)} requests against 56 fixtures")

    assert 56 == len(fixtures)
    assert [] == held_against
    assert {
        ("payments", "create"),
        ("payments", "cancel"),
        ("payments", "get"),
        ("payments", "list"),
        ("refunds", "create"),
        ("refunds", "list"),
        ("events", "list"),
        ("billing_requests", "create"),
        ("billing_requests", "list"),
        ("billing_requests", "get"),
        ("billing_requests", "cancel"),
        ("billing_request_flows", "create"),
        ("mandates", "get"),
        ("mandates", "cancel"),
    } == seen


def test_amounts_and_currencies_that_are_never_sent(account: Any, payment: Any) -> None:
    """No scheme has the yen, the dinar or the franc."""
    for amount in (Money(500, "JPY"), Money(5120, "KWD"), Money(100, "CHF")):
        for method in TOKENS:
            with pytest.raises(Rejected):
                account.create(payment(amount, method_code=method, token=TOKENS[method]))
    assert [] == account.requests


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/payments", {"payment": {}}, "envelope"),
        ("/payments", {"payments": {"amount": "19.99"}}, "is str"),
        ("/payments", {"payments": {"amount": 0}}, "is 0"),
        ("/payments", {"payments": {"colour": "red"}}, "is no field"),
        ("/payments", {"payments": {"links": {"payer": "x"}}}, "links"),
        ("/payments", {"payments": {"metadata": dict.fromkeys("abcd", "")}}, "three keys"),
        ("/payments", {"payments": {"metadata": {"a": "x" * 501}}}, "too long"),
        ("/payments?mandates=1", {"payments": {}}, "not asked"),
        ("/payment", {"payments": {}}, "has no"),
    ],
)
def test_the_check_can_fail(fixtures: Fixtures, path: str, body: Any, said: str) -> None:
    """A wrong envelope, type, field, link, filter or path is noticed."""
    headers = {"content-type": "application/json", "idempotency-key": "k"}
    request = httpx.Request("POST", f"https://gc.test{path}", json=body, headers=headers)

    try:
        found = list(complaints(fixtures, request))
    except AssertionError as error:
        found = [str(error)]
    assert [one for one in found if said in one]


def test_every_answer_of_the_simulator_has_the_vendors_shape(
    fixtures: Fixtures, account: Any, payment: Any
) -> None:
    """Payments, refunds, lists, events, mandates, errors and deliveries."""
    drive(account, payment)
    drive_mandates(account)
    for path in ("/events?limit=500", "/mandates/MD00SEPA", "/payments?limit=2", "/refunds"):
        account.answers.append(account.call("GET", path))
        account.requests.append(httpx.Request("GET", f"https://gc.test{path}"))
    _list(account)

    found, checked = [], 0
    for request, response in zip(account.requests, account.answers, strict=True):
        _, _, one = operation(fixtures, request)
        answer = json.loads(response.content)
        expected = fixtures["invalid_state_error"] if "error" in answer else one["body"]
        found += list(unlike(answer, expected))
        checked += 1
    event = fixtures["events"]["list"]["body"]["events"][0]
    for delivery in account.simulator.due(now=account.now):
        for told in json.loads(delivery.content)["events"]:
            found += list(unlike(told, event))
            checked += 1

    assert [] == found
    assert checked > 500


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("unauthorized_error", 401),
        ("insufficient_permission", 403),
        ("rate_limit_exceeded", 429),
        ("gocardless_error", 500),
        ("validation_failed_duplicate_bank_account_error", 409),
    ],
)
def test_refusals_are_the_vendors(fixtures: Fixtures, account: Any, name: str, status: int) -> None:
    """Status, type and reason of the simulator's refusals are those of the fixtures."""
    request = httpx.Request("GET", "https://gc.test/payments")
    response = account.simulator.refuse(request, status)
    mine, theirs = json.loads(response.content)["error"], fixtures[name]["error"]

    reasons = [[one.get("reason") for one in each.get("errors", [])] for each in (mine, theirs)]
    assert (status, mine["type"], mine["code"]) == (
        response.status_code,
        theirs["type"],
        theirs["code"],
    )
    assert not reasons[1] or reasons[0] == reasons[1]
