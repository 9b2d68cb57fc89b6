"""Reading: orders, operations and timelines, and what is answered where there is nothing."""

import json
from collections import Counter
from typing import Any

import httpx
import pytest

from gateway.api import contract
from gateway.kit.simulator import FaultKind
from tests.api.front import Front, new_order, problem_of
from tests.conftest import ROOT
from tests.flows.stage import Life


@pytest.fixture
async def life(front: Front) -> Any:
    """One worker."""
    async with front.stage.life() as life:
        yield life


async def submitted(front: Front, name: str, **changes: Any) -> httpx.Response:
    """The answer to an order that was taken."""
    answer = await front.post(new_order(name, **changes), key=name)
    assert 202 == answer.status_code
    return answer


async def test_location_leads_to_the_operation(front: Front) -> None:
    """What 202 promised is found there, and links on to order and timeline."""
    taken = await submitted(front, "links")

    operation = await front.api.get(taken.headers["location"])

    assert taken.json() == operation.json()
    links = operation.json()["links"]
    assert taken.headers["location"] == links["self"]
    assert (await front.api.get(links["order"])).json()["order_id"] == taken.json()["order_id"]
    assert 200 == (await front.api.get(links["timeline"])).status_code


async def test_order_is_shown_as_it_was_sent(front: Front) -> None:
    """Each field of the request comes back, with money as decimal strings."""
    sent = new_order("shown")
    taken = await submitted(front, "shown")

    shown = (await front.api.get(f"/v1/orders/{taken.json()['order_id']}")).json()

    assert "SUBMITTED" == shown["state"]
    for name, value in sent.items():
        assert value == _without_defaults(shown[name], value)


def _without_defaults(shown: Any, sent: Any) -> Any:
    """What is shown, without the fields that were not sent."""
    if isinstance(sent, dict):
        return {name: _without_defaults(shown[name], value) for name, value in sent.items()}
    if isinstance(sent, list):
        return [_without_defaults(a, b) for a, b in zip(shown, sent, strict=True)]
    return shown


async def test_payment_is_shown_to_its_tenant(front: Front, life: Life) -> None:
    """As the order's; the version that the client has is not sent again."""
    taken = await submitted(front, "payment")
    await life.work()
    order = (await front.api.get(f"/v1/orders/{taken.json()['order_id']}")).json()
    path = f"/v1/payments/{order['payment_id']}"

    shown = await front.api.get(path)

    assert (order["order_id"], order["total"]) == (shown.json()["order_id"], shown.json()["amount"])
    assert "stripe" == shown.json()["provider"]
    again = await front.api.get(path, headers={"If-None-Match": shown.headers["etag"]})
    assert (304, b"") == (again.status_code, again.content)


async def test_capabilities_are_those_of_the_systems(front: Front) -> None:
    """What a front-end can offer, by system; money that none takes is not among it."""
    shown = (await front.api.get("/v1/capabilities")).json()

    assert ["stripe", "stripe_fr"] == [one["system"] for one in shown]
    assert {"stripe"} == {one["provider"] for one in shown}
    (debit,) = [one for one in shown[0]["capabilities"] if one["method"] == "sepa_debit"]
    assert (["EUR"], True) == (debit["currencies"], "DE" in debit["countries"])
    assert ["create_payment", "cancel_payment", "refund_payment"] == debit["verbs"]


async def test_parked_operation_says_why(front: Front, life: Life) -> None:
    """Step, reason and our sentence; not the words of the system behind."""
    taken = await submitted(front, "parked", product_id="UNKNOWN-1")
    await life.work()

    shown = (await front.api.get(taken.headers["location"])).json()

    assert ("PARKED", "rejected") == (shown["state"], shown["reason"])
    assert ("erp.create_sales_order", "", "SAP refused the document.") == (
        shown["step"],
        shown["resume_at"],
        shown["message"],
    )


async def test_known_version_is_not_sent_again(front: Front, life: Life) -> None:
    """304 without a body while nothing changed; 200 with another tag when something did."""
    taken = await submitted(front, "etag")
    path = f"/v1/orders/{taken.json()['order_id']}"
    tag = (await front.api.get(path)).headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = await front.api.get(path, headers={"If-None-Match": known})
        assert (304, b"", tag) == (answer.status_code, answer.content, answer.headers["etag"])
        assert "private, no-cache" == answer.headers["cache-control"]

    await front.stage.finish(life, await front.stage.order(taken.json()["order_id"]))
    answer = await front.api.get(path, headers={"If-None-Match": tag})

    assert (200, "COMPLETED") == (answer.status_code, answer.json()["state"])
    assert tag != answer.headers["etag"]


async def test_change_without_an_event_changes_the_tag(front: Front) -> None:
    """The tag is of the content: an event less or an equal length hides nothing."""
    taken = await submitted(front, "content")
    path = f"/v1/orders/{taken.json()['order_id']}"
    tag = (await front.api.get(path)).headers["etag"]

    await front.stage.rows(
        "update headrace.document set body = jsonb_set(body, '{reference}', '\"R-c0ntent\"')"
    )

    assert 200 == (await front.api.get(path, headers={"If-None-Match": tag})).status_code


@pytest.mark.parametrize(
    "path",
    [
        "/v1/payments/nobody",
        "/v1/orders/01938c5e-7a10-7c4b-9d7e-0f6b2a4c8e11",
        "/v1/orders/x",
        "/v1/orders/%ff",
        "/v1/orders/'",
        "/v1/orders/" + "x" * 5_000,
        "/v1/orders/x/timeline",
        "/v1/operations/x",
        "/problems/x",
        "/v1/orders/a%2Fb",
        "/v1",
        "/",
        "/v2/orders",
        "/favicon.ico",
    ],
)
async def test_what_is_not_there_is_not_found(front: Front, path: str) -> None:
    """404 with a problem document, on routes of ours and on paths that are none."""
    answer = await front.api.get(path)

    assert (404, "not_found") == (answer.status_code, problem_of(answer).code)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/orders", {"POST", "OPTIONS"}),
        ("/v1/orders/x", {"GET", "HEAD", "OPTIONS"}),
        ("/v1/orders/x/timeline", {"GET", "HEAD", "OPTIONS"}),
        ("/v1/operations/x", {"GET", "HEAD", "OPTIONS"}),
        ("/webhooks/acme/stripe", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("/livez", {"GET", "HEAD", "OPTIONS"}),
        ("/readyz", {"GET", "HEAD", "OPTIONS"}),
        ("/problems/invalid", {"GET", "HEAD", "OPTIONS"}),
        ("/openapi.yaml", {"GET", "HEAD", "OPTIONS"}),
    ],
)
async def test_method_that_is_not_taken_is_answered_with_those_that_are(
    front: Front, path: str, allowed: set[str]
) -> None:
    """405 with Allow for every other method, and OPTIONS says the same."""
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - allowed:
        answer = await front.api.request(method, path)
        assert 405 == answer.status_code
        assert allowed == set(answer.headers["allow"].split(", "))
        if method != "HEAD":
            assert "method_not_allowed" == problem_of(answer).code
    asked = await front.api.options(path)
    assert (204, b"") == (asked.status_code, asked.content)
    assert allowed == set(asked.headers["allow"].split(", "))


async def test_head_is_get_without_the_body(front: Front) -> None:
    """Status and headers are those of GET (RFC 9110 §9.3.2)."""
    taken = await submitted(front, "head")
    for path in (f"/v1/orders/{taken.json()['order_id']}", "/livez", "/v1/orders/x"):
        got, head = await front.api.get(path), await front.api.head(path)
        assert (got.status_code, b"") == (head.status_code, head.content)
        for name in ("content-type", "content-length", "etag", "cache-control"):
            assert got.headers.get(name) == head.headers.get(name)


async def test_health_tells_the_process_from_the_database(front: Front) -> None:
    """Alive means that the loop turns; ready that PostgreSQL answers."""
    assert (200, "ok") == (await _status(front, "/livez"))
    assert (200, "ready") == (await _status(front, "/readyz"))
    async with front.outage():
        assert (200, "ok") == (await _status(front, "/livez"))
        answer = await front.api.get("/readyz")
        assert (503, "unavailable") == (answer.status_code, problem_of(answer).code)
    assert (200, "ready") == (await _status(front, "/readyz"))


async def _status(front: Front, path: str) -> tuple[int, str]:
    answer = await front.api.get(path)
    return answer.status_code, answer.text


async def test_contract_is_that_of_the_repository(front: Front) -> None:
    """Whoever asks first, nothing of the request that made it stands in it."""
    contract._text.cache_clear()
    for _ in range(2):
        answer = await front.api.get("/openapi.yaml")
        assert (ROOT / "openapi" / "headrace.yaml").read_bytes() == answer.content


async def test_timeline_tells_all_in_order(front: Front, life: Life) -> None:
    """Events, steps, attempts, webhooks and documents, oldest first, all in one trace."""
    taken = await submitted(front, "timeline")
    order = await front.stage.order(taken.json()["order_id"])
    await front.stage.finish(life, order)
    await life.parts.journal.stop()
    life.parts.journal.start()

    shown = (await front.api.get(taken.json()["links"]["timeline"])).json()

    entries = shown["entries"]
    assert order.order_id == shown["order_id"]
    assert sorted(entry["at"] for entry in entries) == [entry["at"] for entry in entries]
    assert {"event", "mappings", "step", "attempt", "webhook", "document"} == {
        entry["what"] for entry in entries
    }
    assert {"ACCOUNT", "OPPORTUNITY", "BUSINESS_PARTNER", "SALES_ORDER", "PAYMENT"} == {
        entry["name"] for entry in entries if entry["what"] == "document"
    }
    events = [entry["name"] for entry in entries if entry["what"] == "event"]
    assert "headrace.order.submitted.v1" == events[0]
    assert "headrace.order.completed.v1" == events[-1]
    kinds = Counter(entry["what"] for entry in entries)
    assert len(front.stage.wire.requests) == kinds["attempt"]
    assert [(kinds["webhook"],)] == await front.stage.rows(
        "select count(*) from headrace.inbox where business_id = %s", order.order_id
    )
    traced = {
        entry["trace_id"] for entry in entries if entry["what"] in {"step", "attempt", "event"}
    }
    assert 1 == len(traced)
    assert "Müller" not in json.dumps(shown, ensure_ascii=False)


async def test_timeline_shows_each_attempt(front: Front, life: Life) -> None:
    """A request that failed and the one that did not stand beside each other."""
    front.stage.lay("salesforce", FaultKind.STATUS, method="PATCH", status=503, retry_after_s=0)
    taken = await submitted(front, "attempts")
    await front.stage.finish(life, await front.stage.order(taken.json()["order_id"]))
    await life.parts.journal.stop()
    life.parts.journal.start()

    entries = (await front.api.get(taken.json()["links"]["timeline"])).json()["entries"]

    found = [
        (entry["outcome"], entry["detail"]["status"], entry["detail"]["attempt"])
        for entry in entries
        if entry["name"] == "salesforce.upsert_account"
    ]
    assert [("refused", 503, 1), ("ok", 201, 2)] == found
