"""The simulated GoCardless: as strict as the real one where money is concerned."""

import json
from typing import Any

import httpx
import pytest

from adapters.gocardless.simulator_resources import SCENARIOS
from gateway.kit.signatures import hex_sha256
from tests.adapters.gocardless.conftest import SECRET

PAYMENT = {
    "amount": 1999,
    "currency": "EUR",
    "links": {"mandate": "MD00SEPA"},
    "metadata": {"payment_id": "p1"},
}


def create(account: Any, key: str = "", **fields: Any) -> tuple[int, dict[str, Any]]:
    return sent(account, "POST", "/payments", {"payments": {**PAYMENT, **fields}}, key=key)


def sent(
    account: Any, method: str, path: str, body: Any = None, *, key: str = ""
) -> tuple[int, dict[str, Any]]:
    headers = {"Idempotency_Key": key} if key else {}
    response = account.call(method, path, body, **headers)
    return response.status_code, json.loads(response.content)


def reason(answer: dict[str, Any]) -> str:
    first = answer["error"]["errors"][0]
    return str(first.get("reason") or first["request_pointer"])


def refund(account: Any, payment_id: str, amount: int, total: int, key: str = "") -> Any:
    given = {
        "amount": amount,
        "total_amount_confirmation": total,
        "links": {"payment": payment_id},
        "metadata": {"refund_id": "r1"},
    }
    return sent(account, "POST", "/refunds", {"refunds": given}, key=key)


# Who may come in.


@pytest.mark.parametrize(
    ("headers", "status", "why"),
    [
        ({"Authorization": "Bearer other"}, 401, "unauthorized"),
        ({"Authorization": ""}, 401, "unauthorized"),
        ({"GoCardless_Version": ""}, 400, "missing_version_header"),
        ({"GoCardless_Version": "2014-01-01"}, 400, "version_not_found"),
        ({"Content_Type": "text/plain"}, 415, "invalid_content_type"),
        ({"Idempotency_Key": "k" * 129}, 400, "idempotency_key_too_long"),
    ],
)
def test_headers(account: Any, headers: dict[str, str], status: int, why: str) -> None:
    """Token, version, content and the length of a key are looked at."""
    response = account.call("POST", "/payments", {"payments": PAYMENT}, **headers)

    assert (status, why) == (response.status_code, reason(json.loads(response.content)))
    assert {} == account.simulator.effects()["payment"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"amount": 0}, "/payments/amount"),
        ({"amount": -1}, "/payments/amount"),
        ({"amount": 19.99}, "/payments/amount"),
        ({"amount": True}, "/payments/amount"),
        ({"amount": "19.99"}, "/payments/amount"),
        ({"amount": 100_000_001}, "/payments/amount"),
        ({"currency": "CHF"}, "/payments/currency"),
        ({"currency": "GBP"}, "/payments/currency"),
        ({"links": {}}, "/links/mandate"),
        ({"links": {"mandate": "MD00NOWHERE"}}, "/payments/links/mandate"),
        ({"links": {"mandate": "MD00CANCELLED"}}, "mandate_is_inactive"),
        ({"metadata": dict.fromkeys("abcd", "x")}, "//metadata"),
        ({"metadata": {"k" * 51: "x"}}, "//metadata"),
        ({"metadata": {"k": "x" * 501}}, "//metadata"),
        ({"metadata": {"k": 1}}, "//metadata"),
        ({"colour": "red"}, "//colour"),
    ],
)
def test_payments_that_cannot_be(account: Any, fields: dict[str, Any], why: str) -> None:
    """Refused with the field or the state; a refused key is still free."""
    status, answer = create(account, key="k", **fields)

    assert (422, why) == (status, reason(answer))
    assert {} == account.simulator.effects()["payment"]
    assert 201 == create(account, key="k")[0]


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"null", b"{}", b'{"payment":{}}', b'{"payments":[]}']
)
def test_bodies_that_are_no_envelope(account: Any, body: bytes) -> None:
    """The document has one object under the name of the resource."""
    status, answer = sent(account, "POST", "/payments", body)

    assert (400, "invalid_document_structure") == (status, reason(answer))


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=x", "colour=red", "after=PM00NOWHERE"],
)
def test_filters_that_are_none(account: Any, query: str) -> None:
    """An unknown filter is refused, not left out."""
    status, answer = sent(account, "GET", f"/payments?{query}")

    assert (400, "invalid_filters") == (status, reason(answer))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/payments/PM00NOWHERE"),
        ("POST", "/payments/PM00NOWHERE/actions/cancel"),
        ("GET", "/refunds/RF00NOWHERE"),
        ("GET", "/events/EV00NOWHERE"),
        ("GET", "/mandates/MD00NOWHERE"),
        ("GET", "/castles"),
        ("DELETE", "/payments"),
    ],
)
def test_what_is_not_there(account: Any, method: str, path: str) -> None:
    """404 with GoCardless's own word."""
    status, answer = sent(account, method, path)

    assert (404, "resource_not_found") == (status, reason(answer))


# Idempotency.


def test_same_key_names_what_it_made(account: Any) -> None:
    """409 with the id, whatever the body; other keys, no key and other resources are free."""
    _, made = create(account, key="k")
    status, answer = create(account, key="k", amount=5)

    assert (409, "idempotent_creation_conflict") == (status, reason(answer))
    links = answer["error"]["errors"][0]["links"]
    assert {"conflicting_resource_id": made["payments"]["id"]} == links
    assert 201 == create(account, key="other")[0]
    assert 201 == create(account)[0]
    account.now += 6
    assert 201 == refund(account, made["payments"]["id"], 1, 1, key="k")[0]
    account.now += 31 * 86_400
    assert 201 == create(account, key="k")[0]


# Lives.


def test_times_of_a_payment(account: Any) -> None:
    """Submitted, confirmed, paid out; the charge date is a working day."""
    _, made = create(account)
    payment = made["payments"]
    states = []
    for _ in range(4):
        states.append(sent(account, "GET", f"/payments/{payment['id']}")[1]["payments"]["status"])
        account.now += 3.5

    assert ["pending_submission", "submitted", "confirmed", "paid_out"] == states
    assert ("2026-01-05", "2026-01-01T00:00:00.000Z") == (
        payment["charge_date"],
        payment["created_at"],
    )


def test_cancel_and_retry(account: Any) -> None:
    """Only what waits is cancelled, only what failed is tried again, three times at most."""
    _, made = create(account)
    path = f"/payments/{made['payments']['id']}/actions"
    assert "retry_failed" == reason(sent(account, "POST", f"{path}/retry")[1])
    account.now += 3
    assert "cancellation_failed" == reason(sent(account, "POST", f"{path}/cancel")[1])
    for number in range(4):
        account.simulator._step(made["payments"]["id"], "submit", account.now)
        account.simulator._step(made["payments"]["id"], "fail", account.now)
        status, answer = sent(account, "POST", f"{path}/retry", {"data": {}})
        assert (200 if number < 3 else 422) == status
    assert "retry_failed" == reason(answer)


def test_retried_payment_is_collected(account: Any) -> None:
    """It goes the same way again."""
    _, made = create(account, links={"mandate": "MD00FUNDS"})
    account.now += 6
    path = f"/payments/{made['payments']['id']}"
    assert "failed" == sent(account, "GET", path)[1]["payments"]["status"]
    assert {} == account.simulator.effects()["payment"]
    sent(account, "POST", f"{path}/actions/retry")
    account.now += 6

    assert "confirmed" == sent(account, "GET", path)[1]["payments"]["status"]
    assert {"p1": 1} == account.simulator.effects()["payment"]


@pytest.mark.parametrize(
    ("mandate", "actions"),
    [
        ("MD00SEPA", ["created", "submitted", "confirmed", "paid_out"]),
        ("MD00FUNDS", ["created", "submitted", "failed"]),
        ("MD00LATE", ["created", "submitted", "confirmed", "failed"]),
        (
            "MD00LATEPAID",
            ["created", "submitted", "confirmed", "paid_out", "failed", "late_failure_settled"],
        ),
        ("MD00DISPUTED", ["created", "submitted", "confirmed", "paid_out", "charged_back"]),
        ("MD00APPROVAL", ["created"]),
    ],
)
def test_events_of_a_life(account: Any, mandate: str, actions: list[str]) -> None:
    """In their order, with the metadata of the payment, found by payment and action."""
    _, made = create(account, links={"mandate": mandate})
    account.now += 60
    _, listed = sent(account, "GET", f"/events?payment={made['payments']['id']}")
    _, first = sent(account, "GET", f"/events/{listed['events'][-1]['id']}")

    assert actions == [one["action"] for one in reversed(listed["events"])]
    assert "created" == first["events"]["action"]
    assert all(one["resource_metadata"] == {"payment_id": "p1"} for one in listed["events"])
    _, some = sent(account, "GET", f"/events?action={actions[-1]}&resource_type=payments")
    assert [actions[-1]] == [one["action"] for one in some["events"]]


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios(account: Any, name: str) -> None:
    """Each leads where its name says, from its first state only."""
    _, made = create(account)
    reference = made["payments"]["id"]
    if name.startswith("refund"):
        account.now += 6
        reference = refund(account, reference, 100, 100)[1]["refunds"]["id"]
    account.scenario(name, reference)
    data = {"data": {"links": {"resource": reference}}}
    kind = "refunds" if name.startswith("refund") else "payments"
    status = sent(account, "GET", f"/{kind}/{reference}")[1][kind]["status"]

    words = {"late_failure": "failed", "late_failure_settled": "failed", "settled": "paid"}
    words |= {"chargeback_settled": "charged_back", "returned": "funds_returned"}
    word = name.partition("_")[2]
    assert words.get(word, word) == status
    assert 422 == sent(account, "POST", f"/scenario_simulators/{name}/actions/run", data)[0]


def test_lists_are_filtered_and_paged(account: Any) -> None:
    """Newest first, by mandate, status, currency and time, with a cursor to the next page."""
    for number in range(5):
        create(account, metadata={"payment_id": f"p{number}"})
        account.now += 1
    create(account, currency="GBP", links={"mandate": "MD00BACS"})

    def listed(query: str) -> tuple[list[str], str | None]:
        _, found = sent(account, "GET", f"/payments?{query}")
        ids = [one["metadata"]["payment_id"] for one in found["payments"]]
        return ids, found["meta"]["cursors"]["after"]

    first, after = listed("mandate=MD00SEPA&limit=3")
    assert (["p4", "p3", "p2"], (["p1", "p0"], None)) == (
        first,
        listed(f"mandate=MD00SEPA&limit=3&after={after}"),
    )
    assert ["p1"] == listed("currency=GBP")[0]
    assert ["p1"] == listed("status=pending_submission&mandate=MD00BACS")[0]
    moment = "2026-01-01T00:00:02.000Z"
    assert ["p4", "p3", "p2"] == listed(f"mandate=MD00SEPA&created_at[gte]={moment}")[0]
    assert ["p4", "p3"] == listed(f"mandate=MD00SEPA&created_at[gt]={moment}")[0]
    assert ["p1", "p0"] == listed(f"mandate=MD00SEPA&created_at[lt]={moment}")[0]
    assert ["p2", "p1", "p0"] == listed(f"mandate=MD00SEPA&created_at[lte]={moment}")[0]


# Refunds.


def test_refunds(account: Any) -> None:
    """Of what was collected, with the right total, five at most; what bounces frees its amount."""
    _, made = create(account)
    reference = made["payments"]["id"]
    assert "refund_payment_invalid_state" == reason(refund(account, reference, 1, 1)[1])
    account.now += 6
    assert "total_amount_confirmation_invalid" == reason(refund(account, reference, 1, 2)[1])
    assert "/refunds/amount" == reason(refund(account, reference, 2000, 2000)[1])
    assert "/refunds/links/payment" == reason(refund(account, "PM00NOWHERE", 1, 1)[1])
    first = refund(account, reference, 500, 500)[1]["refunds"]
    account.scenario("refund_bounced", first["id"])
    assert {} == account.simulator.effects()["refund"]
    for total in range(1, 5):
        assert 201 == refund(account, reference, 1, total)[0]
    assert "number_of_refunds_exceeded" == reason(refund(account, reference, 1, 5)[1])

    _, listed = sent(account, "GET", f"/refunds?payment={reference}&mandate=MD00SEPA")
    payment = sent(account, "GET", f"/payments/{reference}")[1]["payments"]
    assert (5, 4) == (len(listed["refunds"]), payment["amount_refunded"])


# Webhooks.


def deliveries(account: Any) -> list[httpx.Request]:
    found: list[httpx.Request] = account.simulator.due(now=account.now)
    return found


def test_deliveries_are_signed_and_given_once(account: Any) -> None:
    """Many events in one body, of which the signature is."""
    create(account)
    account.now += 20
    (delivery,) = deliveries(account)

    body = delivery.read()
    assert hex_sha256(SECRET.encode(), body) == delivery.headers["webhook-signature"]
    assert 4 == len(json.loads(body)["events"])
    assert [] == deliveries(account)


@pytest.mark.parametrize(
    ("plan", "now", "sizes"),
    [
        ({"together": 3}, 20.0, [3, 1]),
        ({"duplicate_share": 1.0}, 20.0, [8]),
        ({"delay_s": 15.0}, 20.0, [3]),
        ({"late_share": 1.0, "late_s": 100.0}, 20.0, []),
        ({"late_share": 1.0, "late_s": 100.0}, 200.0, [4]),
    ],
)
def test_plan_of_deliveries(
    connect: Any, plan: dict[str, Any], now: float, sizes: list[int]
) -> None:
    """Split, doubled, delayed and late."""
    account = connect(**plan)
    create(account)
    account.now += now

    assert sizes == [len(json.loads(one.read())["events"]) for one in deliveries(account)]


def test_shuffled_deliveries_repeat_with_their_seed(connect: Any) -> None:
    """Another order than it happened in, and the same for the same seed."""

    def actions(seed: int) -> list[str]:
        account = connect(shuffle=True, seed=seed)
        create(account)
        account.now += 20
        (delivery,) = deliveries(account)
        return [one["action"] for one in json.loads(delivery.read())["events"]]

    assert actions(7) == actions(7)
    assert {tuple(sorted(actions(seed))) for seed in range(5)} == {tuple(sorted(actions(7)))}
    assert 1 < len({tuple(actions(seed)) for seed in range(5)})


def test_nothing_is_delivered_to_nowhere(connect: Any) -> None:
    """Without an address the events are kept all the same."""
    account = connect()
    account.simulator._webhooks._url = ""
    create(account)

    assert [] == deliveries(account)
    assert 1 == len(sent(account, "GET", "/events")[1]["events"])
