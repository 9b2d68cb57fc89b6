"""Webhooks: kept when genuine, refused when not, and never lost because of us."""

import asyncio
import hashlib
import hmac
import json
import random
import time

import httpx
import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from tests.api.front import Front, problem_of

_PATH = "/webhooks/acme/stripe"
# No index takes a text like this.
_LONG = "evt_" + "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=50_000))


def signed(
    body: bytes, *, at: float | None = None, secret: bytes = b"whsec_stage"
) -> dict[str, str]:
    """The header with which Stripe signs a delivery."""
    moment = int(at or time.time())
    digest = hmac.new(secret, b"%d.%s" % (moment, body), hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={moment},v1={digest}"}


def event(number: int = 1, kind: str = "payment_intent.succeeded") -> bytes:
    """A delivery about a payment that nobody here knows."""
    intent = {
        "id": f"pi_{number}",
        "object": "payment_intent",
        "amount": 100,
        "amount_received": 100,
        "amount_capturable": 0,
        "currency": "eur",
        "status": "succeeded",
        "created": 1,
        "metadata": {"payment_id": f"p-{number}"},
    }
    whole = {
        "id": f"evt_{number}",
        "object": "event",
        "type": kind,
        "created": 1,
        "data": {"object": intent},
    }
    return json.dumps(whole).encode()


async def deliver(front: Front, body: bytes, **headers: str) -> httpx.Response:
    """One delivery, genuine unless another signature is given."""
    return await front.api.post(_PATH, content=body, headers=headers or signed(body))


def counted(measured: InMemoryMetricReader, outcome: str) -> int:
    """How many deliveries ended so, since this process began."""
    data = measured.get_metrics_data()
    return sum(
        int(point.value)  # type: ignore[union-attr] # a counter has values
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "headrace.webhooks.received"
        for point in metric.data.data_points
        if (point.attributes or {}).get("headrace.outcome") == outcome
    )


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "t=1,v1=00",
        "t=,v1=",
        "v1=00",
        "nonsense",
        "t=1e400,v1=00",
        f"t={'9' * 5_000},v1=00",
        "t=²,v1=é",
    ],
)
async def test_bad_signature_is_refused_and_counted(
    front: Front, measured: InMemoryMetricReader, signature: str
) -> None:
    """401, a metric, and not a row: anybody could have sent it."""
    before = counted(measured, "refused")
    headers = {"Stripe-Signature": signature.encode("latin-1")}

    answer = await front.api.post(_PATH, content=event(), headers=headers)

    assert (401, "signature") == (answer.status_code, problem_of(answer).code)
    assert before + 1 == counted(measured, "refused")
    assert 0 == (await front.stored())["inbox"]


@pytest.mark.parametrize("secret", [b"", b"whsec_other"])
async def test_other_secret_or_old_delivery_is_refused(front: Front, secret: bytes) -> None:
    """So is a genuine one that was kept for an hour, or one whose body was touched."""
    body = event()
    for headers, sent in (
        (signed(body, secret=secret), body),
        (signed(body, at=time.time() - 3_600), body),
        (signed(body), body + b" "),
    ):
        assert 401 == (await deliver(front, sent, **headers)).status_code
    assert 0 == (await front.stored())["inbox"]


async def test_genuine_delivery_is_kept_as_it_came(
    front: Front, measured: InMemoryMetricReader
) -> None:
    """Success is answered after the commit; the bytes are the provider's own."""
    before = counted(measured, "new")

    assert 200 == (await deliver(front, event())).status_code

    assert [("evt_1", "payment_intent.succeeded", event(), "NEW")] == await front.stage.rows(
        "select dedupe_key, event_type, body, state from headrace.inbox"
    )
    assert before + 1 == counted(measured, "new")


async def test_repetitions_are_one_row(front: Front, measured: InMemoryMetricReader) -> None:
    """Twenty at once, from two processes, are all answered with success; so is a late one."""
    async with front.another() as api:
        answers = await asyncio.gather(
            *(
                (front.api, api)[number % 2].post(_PATH, content=event(), headers=signed(event()))
                for number in range(20)
            )
        )

    assert [200] * 20 == [answer.status_code for answer in answers]
    before = counted(measured, "repeated")
    assert 200 == (await deliver(front, event())).status_code
    assert 1 == (await front.stored())["inbox"]
    assert before + 1 == counted(measured, "repeated")


async def test_storm_is_kept_whole(front: Front) -> None:
    """Five hundred different ones at once are five hundred rows."""
    answers = await asyncio.gather(*(deliver(front, event(number)) for number in range(500)))

    assert {200} == {answer.status_code for answer in answers}
    assert 500 == (await front.stored())["inbox"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"id": 7}',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"id": _LONG, "type": "x", "created": 1, "data": {"object": {}}}).encode(),
        json.dumps({"id": "", "type": "x", "created": 1, "data": {"object": {}}}).encode(),
        event().replace(b"evt_1", b"evt_\\u0000"),
        event().replace(b"payment_intent.succeeded", b"a\\u0000"),
        event().replace(b"p-1", b"p-\\u0000"),
        event().replace(b"pi_1", b"pi_\\u0000"),
    ],
    ids=lambda body: repr(body[:40]),
)
async def test_genuine_nonsense_is_kept_for_a_person(front: Front, body: bytes) -> None:
    """It is signed, so it is the provider's: never an error, one row, and a person looks at it."""
    assert 200 == (await deliver(front, body)).status_code
    assert 200 == (await deliver(front, body)).status_code

    assert [(body,)] == await front.stage.rows("select body from headrace.inbox")
    async with front.stage.life() as life:
        while await life.apply():
            await front.stage.pass_time()
    assert {("PARKED",), ("IGNORED",)} > set(
        await front.stage.rows("select state from headrace.inbox")
    )


async def test_unknown_object_is_tried_again_and_parked(front: Front) -> None:
    """It may have overtaken our own record; after the last pause it is a person's."""
    await deliver(front, event())
    tries = 0
    async with front.stage.life() as life:
        while await life.apply():
            tries += 1
            await front.stage.pass_time()

    assert 6 == tries
    assert [("PARKED", "unknown_object")] == await front.stage.rows(
        "select state, reason from headrace.inbox"
    )


@pytest.mark.parametrize("path", ["/webhooks/acme/sap", "/webhooks/acme/x", "/webhooks/x/stripe"])
async def test_endpoint_that_is_none_is_not_found(front: Front, path: str) -> None:
    """An unknown tenant, an unknown system, and one that reports nothing."""
    answer = await front.api.post(path, content=event(), headers=signed(event()))

    assert (404, "not_found") == (answer.status_code, problem_of(answer).code)


async def test_body_above_the_limit_is_refused(front: Front) -> None:
    """413 before anything is computed over it."""
    answer = await deliver(front, b" " * (1_048_576 + 1))

    assert (413, "too_large") == (answer.status_code, problem_of(answer).code)


async def test_outage_is_answered_so_that_the_provider_comes_again(front: Front) -> None:
    """503 with Retry-After and never success; afterwards the same delivery is kept."""
    body = event()
    async with front.outage():
        for _ in range(3):
            answer = await deliver(front, body)
            assert (503, "unavailable") == (answer.status_code, problem_of(answer).code)
            assert 1 <= int(answer.headers["retry-after"])

    assert 200 == (await deliver(front, body)).status_code
    assert 1 == (await front.stored())["inbox"]
