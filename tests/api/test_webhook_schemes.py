"""The receiver as other providers meet it: their answers, their questions, and their hints."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import pytest
import yaml
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from structlog.testing import LogCapture

from gateway import configuring
from gateway.ports.notification import Notification
from tests.adapters.paypal import authority
from tests.adapters.webhook.conformance import question
from tests.api.front import Front, configured, problem_of
from tests.api.test_webhooks import counted

_KEY: Final = "5FAF1C66E0022591EEFE896B8E3D62138D79C90CB642A116B8D730D29220B718"
_CERTIFICATE: Final = "/v1/notifications/certs/CERT-1"
_EVENT: Final = b'{"id":"WH-1","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"id":"2GG"}}'


class _Certificates:
    """Serves PayPal's certificate, and nothing else."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.status = 200

    def handle(self, request: httpx.Request, *, now: float) -> httpx.Response:  # noqa: ARG002 - named by the protocol
        """Chain in PEM, as the address names it."""
        self.asked.append(request)
        if request.url.path != _CERTIFICATE:
            return httpx.Response(404)
        chain = (authority.signer(authority.NAME, authority.between()), authority.between())
        away = {"Location": "http://evil.example/"}
        pem = b"".join(one.pem for one in chain)
        return httpx.Response(self.status, headers=away, content=pem)

    def refuse(self, request: httpx.Request, status: int) -> httpx.Response:  # noqa: ARG002 - named by the protocol
        """A status alone."""
        return httpx.Response(status)

    def due(self, *, now: float) -> Sequence[httpx.Request]:  # noqa: ARG002 - named by the protocol
        """Nothing."""
        return ()

    def effects(self) -> dict[str, dict[str, int]]:
        """None."""
        return {}


def many_events(number: int, kind: str = "payments", action: str = "confirmed") -> bytes:
    """A delivery of GoCardless with so many events."""
    events = [
        {
            "id": f"EV{one:05}",
            "resource_type": kind,
            "action": action,
            "links": {kind.removesuffix("s"): f"PM{one}"},
            "details": {"origin": "gocardless", "cause": "payment_confirmed"},
        }
        for one in range(number)
    ]
    return json.dumps({"events": events}, separators=(",", ":")).encode()


def _systems(folder: Path) -> list[dict[str, Any]]:
    """One system for each way to be a provider."""
    roots = folder / "roots.pem"
    roots.write_bytes(authority.root().pem)
    key = {"webhook_secrets": ["env:HOOK_SECRET"]}
    return [
        {
            "name": "gc",
            "adapter": "gocardless",
            "settings": {"access_token": "env:HOOK_SECRET", **key},
        },
        {
            "name": "ady",
            "adapter": "adyen",
            "settings": {
                "api_key": "env:HOOK_SECRET",
                "merchant_account": "Acme",
                "webhook_secrets": ["env:HOOK_KEY"],
            },
        },
        {"name": "mollie", "adapter": "mollie", "settings": {"api_key": "env:HOOK_SECRET"}},
        {
            "name": "payone",
            "adapter": "payone",
            "settings": {
                "merchant_id": "P1",
                "api_key_id": "k",
                "api_secret": "env:HOOK_SECRET",
                "webhook_key_ids": ["k1"],
                **key,
            },
        },
        {
            "name": "paypal",
            "adapter": "paypal",
            "policy": {"attempts": 1},
            "settings": {
                "client_id": "c",
                "client_secret": "env:HOOK_SECRET",
                "webhook_id": "WID",
                "key_origin": "http://certs",
                "trusted_roots": f"file:{roots}",
            },
        },
        {
            "name": "bt",
            "adapter": "webhook",
            "settings": {"scheme": "braintree", "public_key": "pub", **key},
        },
        {"name": "mango", "adapter": "webhook", "settings": {"scheme": "mangopay"}},
        {"name": "klarna", "adapter": "webhook", "settings": {"scheme": "klarna"}},
        {"name": "hub", "adapter": "webhook", "settings": {"scheme": "github", **key}},
    ]


@pytest.fixture
def certificates() -> _Certificates:
    return _Certificates()


@pytest.fixture
async def front(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, certificates: _Certificates
) -> AsyncIterator[Front]:
    """A facade whose tenant has all these systems."""
    monkeypatch.setenv("HOOK_SECRET", "shared-secret")
    monkeypatch.setenv("HOOK_KEY", _KEY)
    stage = configured(tmp_path, url)
    file = tmp_path / "tenants" / "acme.yaml"
    tenant = yaml.safe_load(file.read_text())
    tenant["systems"] += _systems(tmp_path)
    file.write_text(yaml.safe_dump(tenant))
    stage.configuration = configuring.configure(tmp_path / "headrace.yaml")
    stage.wire._simulators["certs"] = certificates
    stage.wire.faults["certs"] = type(stage.wire.faults["stripe"])()
    async with Front(stage).open() as front:
        yield front


async def post(
    front: Front, system: str, body: bytes, headers: Sequence[tuple[str, str]] = ()
) -> httpx.Response:
    """One delivery."""
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return await front.api.post(f"/webhooks/acme/{system}", content=body, headers=pairs)


async def rows(front: Front, columns: str = "dedupe_key, state, reason") -> list[Any]:
    """The inbox."""
    return await front.stage.rows(f"select {columns} from headrace.inbox order by seq")  # noqa: S608 - our own names


async def apply(front: Front) -> None:
    """Let a worker look at what is there."""
    async with front.stage.life() as life:
        await life.apply()


def mac(body: bytes, secret: bytes = b"shared-secret") -> "hmac.HMAC":
    return hmac.new(secret, body, hashlib.sha256)


def items(*codes: str, key: str = _KEY) -> bytes:
    """A standard delivery of Adyen's with an item for each code."""
    found = []
    for number, code in enumerate(codes):
        text = f"PSP{number}::Acme:HR-{number}:1999:EUR:{code}:true"
        signature = base64.b64encode(mac(text.encode(), bytes.fromhex(key)).digest()).decode()
        item = {
            "additionalData": {"hmacSignature": signature},
            "amount": {"currency": "EUR", "value": 1999},
            "eventCode": code,
            "merchantAccountCode": "Acme",
            "merchantReference": f"HR-{number}",
            "pspReference": f"PSP{number}",
            "success": "true",
        }
        found.append({"NotificationRequestItem": item})
    return json.dumps({"live": "false", "notificationItems": found}).encode()


async def test_gocardless_is_answered_as_it_asks(
    front: Front, measured: InMemoryMetricReader
) -> None:
    """204, and 498 for a wrong signature; 250 events are 250 rows with one event each."""
    body, before = many_events(250), counted(measured, "refused")
    good = [("webhook-signature", mac(body).hexdigest())]

    assert 498 == (await post(front, "gc", body, [("webhook-signature", "0" * 64)])).status_code
    assert 498 == (await post(front, "gc", body, good * 2)).status_code
    assert [] == await rows(front)
    assert before + 2 == counted(measured, "refused")
    for _ in range(2):
        answer = await post(front, "gc", body, good)
        assert (204, b"") == (answer.status_code, answer.content)

    kept = await rows(front, "dedupe_key, octet_length(body)")
    assert {f"EV{number:05}" for number in range(250)} == {key for key, _ in kept}
    assert 200 > max(size for _, size in kept)
    await apply(front)
    assert {("NEW", "unknown_object")} == set(await rows(front, "state, reason"))


async def test_every_item_of_adyen_is_verified_and_kept(front: Front) -> None:
    """202 for three good ones; one false item, wherever it stands, and nothing is kept."""
    body = items("AUTHORISATION", "CAPTURE", "REFUND")
    for number in range(3):
        touched = body.replace(b"HR-%d" % number, b"HR-9")
        assert 401 == (await post(front, "ady", touched)).status_code
    assert [] == await rows(front)

    assert 202 == (await post(front, "ady", body)).status_code
    assert 202 == (await post(front, "ady", items("AUTHORISATION"))).status_code

    assert ["AUTHORISATION:PSP0:true", "CAPTURE:PSP1:true", "REFUND:PSP2:true"] == sorted(
        key for (key,) in await rows(front, "dedupe_key")
    )


async def test_unknown_types_are_kept_and_reported(
    front: Front, measured: InMemoryMetricReader, logs: LogCapture
) -> None:
    """A type that nobody here has heard of is counted, logged and left to a person."""
    body = many_events(1, "something_news", "happened")

    assert (
        204
        == (
            await post(front, "gc", body, [("webhook-signature", mac(body).hexdigest())])
        ).status_code
    )

    (told,) = [one for one in logs.entries if one["event"] == "webhook.type_unknown"]
    assert ("gc", "something_news.happened") == (told["system"], told["event_type"])
    assert "headrace.webhooks.unknown" in str(measured.get_metrics_data())
    await apply(front)
    assert [("EV00000", "PARKED", "type_unknown")] == await rows(front)


async def test_hints_about_one_object_are_one_row_that_becomes_new_again(front: Front) -> None:
    """Every hint has the object looked at once more, and a storm of hints is still one row."""
    body = b"id=tr_d0b0E3EA3v"
    for _ in range(3):
        assert 200 == (await post(front, "mollie", body)).status_code
        assert [("hint:tr_d0b0E3EA3v", "NEW", "")] == await rows(front)
        await apply(front)
        assert [("hint:tr_d0b0E3EA3v", "NEW", "unknown_object")] == await rows(front)

    storm = await asyncio.gather(*(post(front, "mollie", body) for _ in range(50)))

    assert {200} == {answer.status_code for answer in storm}
    assert [("hint:tr_d0b0E3EA3v", "NEW", "")] == await rows(front)


async def test_a_hint_is_not_put_off_by_further_hints(front: Front) -> None:
    """It stays due when it was due: whoever hints all the time does not delay the first."""
    await post(front, "mollie", b"id=tr_d0b0E3EA3v")
    before = await rows(front, "due_at")
    await post(front, "mollie", b"id=tr_d0b0E3EA3v")

    assert before == await rows(front, "due_at")


async def test_hint_that_comes_while_the_row_is_applied_is_not_lost(front: Front) -> None:
    """It waits for the worker's transaction, and then the row is new again."""
    await post(front, "mollie", b"id=tr_d0b0E3EA3v")
    async with front.parts.database.transaction() as connection:
        await connection.execute("select 1 from headrace.inbox for update")
        late = asyncio.create_task(post(front, "mollie", b"id=tr_d0b0E3EA3v"))
        await asyncio.sleep(0.2)
        assert not late.done()
        await connection.execute("update headrace.inbox set state = 'PARKED', reason = 'x'")

    assert 200 == (await late).status_code
    assert [("hint:tr_d0b0E3EA3v", "NEW", "")] == await rows(front)


async def test_a_hint_cannot_take_the_place_of_what_is_signed(front: Front) -> None:
    """A stranger who guesses the id of an event stops nothing."""
    await post(front, "mollie", b"id=tr_1a")
    await front.stage.rows(
        "insert into headrace.inbox (tenant, system, dedupe_key, body, traceparent)"
        " values ('acme', 'mollie', 'tr_1a', '', '')"
    )

    assert [("hint:tr_1a", True), ("tr_1a", False)] == await rows(front, "dedupe_key, hint")


@pytest.mark.parametrize("body", [b"", b"id=", b"id=%00", b"id=../x", b'{"id":"tr_1"}', b"x=tr_1a"])
async def test_what_names_nothing_is_no_hint(front: Front, body: bytes) -> None:
    """Nobody signed it, so it is refused like a wrong signature."""
    answer = await post(front, "mollie", body)

    assert (401, "signature") == (answer.status_code, problem_of(answer).code)
    assert [] == await rows(front)


async def test_what_stands_in_the_query_is_kept(front: Front) -> None:
    """A push without a body can be read again from what is kept; headers stay outside."""
    hidden = {"Authorization": "Basic c2VjcmV0", "X-Name": "Ada"}
    pushed = await front.api.post("/webhooks/acme/klarna?klarna_order_id=f3392f8b", headers=hidden)
    query = "EventType=PAYIN_NORMAL_SUCCEEDED&RessourceId=wt_1&Date=1"
    got = await front.api.get(f"/webhooks/acme/mango?{query}")

    assert [200, 200] == [pushed.status_code, got.status_code]
    klarna, mango = [msgspec.json.decode(one) for (one,) in await rows(front, "envelope")]
    assert ["POST", "/webhooks/acme/klarna?klarna_order_id=f3392f8b", []] == klarna
    assert ["GET", f"/webhooks/acme/mango?{query}", []] == mango
    assert ["hint:order:f3392f8b", "hint:PAYIN_NORMAL_SUCCEEDED:wt_1"] == [
        key for (key,) in await rows(front, "dedupe_key")
    ]
    await apply(front)
    assert {("NEW", "unknown_object")} == set(await rows(front, "state, reason"))


async def test_named_headers_are_kept_and_no_other(front: Front) -> None:
    """What ``read`` looks at is there later; the signature and whatever else came is not."""
    body = b"Hello, World!"
    signature = "sha256=" + mac(body).hexdigest()
    headers = [("x-hub-signature-256", signature), ("x-github-event", "push"), ("cookie", "Ada")]

    assert 200 == (await post(front, "hub", body, headers)).status_code

    ((envelope, kind),) = await rows(front, "envelope, event_type")
    assert [["x-github-event", "push"]] == msgspec.json.decode(envelope)[2]
    assert "push" == kind


@pytest.mark.parametrize("system", ["stripe", "gc", "ady", "mollie", "paypal", "hub", "klarna"])
async def test_get_is_for_those_who_say_so(front: Front, system: str) -> None:
    """405 for everybody else, with what is allowed."""
    answer = await front.api.get(f"/webhooks/acme/{system}")

    assert (405, "POST") == (answer.status_code, answer.headers["allow"])


async def test_questions_are_answered(front: Front) -> None:
    """Braintree gets its signature and Worldline its own text; nothing is kept."""
    settings = front.stage.configuration.systems["acme"]["bt"][1]
    asked, due = question(settings)
    query = asked.target.partition("?")[2]
    signed = await front.api.get(f"/webhooks/acme/bt?{query}")
    header = {"X-GCS-Webhooks-Endpoint-Verification": "a3f1-7c9"}
    echoed = await front.api.get("/webhooks/acme/payone", headers=header)

    assert (200, due) == (signed.status_code, signed.content)
    assert (200, b"a3f1-7c9") == (echoed.status_code, echoed.content)
    assert [True] * 2 == [
        one.headers["content-type"].startswith("text/plain") for one in (signed, echoed)
    ]
    assert 400 == (await front.api.get("/webhooks/acme/payone")).status_code
    assert 400 == (await front.api.get("/webhooks/acme/bt?bt_challenge=x")).status_code
    assert [] == await rows(front)


def _paypal(address: str = f"http://certs{_CERTIFICATE}", body: bytes = _EVENT) -> Notification:
    return authority.delivery("WID", body, address=address)


def _take_time(front: Front) -> None:
    """Let every answer from outside come a moment later, so that others come in between."""
    wire, at_once = front.stage.wire, front.stage.wire.handle_async_request

    async def later(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.05)
        return await at_once(request)

    wire.handle_async_request = later  # type: ignore[method-assign] # a slower wire


async def test_a_certificate_is_fetched_once(front: Front, certificates: _Certificates) -> None:
    """Through the hub, without credentials, and with evidence; many deliveries at once need one."""
    _take_time(front)
    bodies = [_EVENT.replace(b"WH-1", b"WH-%d" % number) for number in range(20)]
    given = [_paypal(body=body) for body in bodies]

    answers = await asyncio.gather(*(post(front, "paypal", n.body, n.headers) for n in given))

    assert {200} == {answer.status_code for answer in answers}
    assert 20 == len(await rows(front))
    (asked,) = certificates.asked
    assert "authorization" not in asked.headers
    await front.parts.journal.stop()
    front.parts.journal.start()
    ((verb, status),) = await front.stage.rows("select verb, status from headrace.evidence")
    assert ("fetch_keys", 200) == (verb, status)


@pytest.mark.parametrize(
    "address",
    [
        "https://api.paypal.com/v1/notifications/certs/CERT-1",
        "http://169.254.169.254/latest/meta-data",
        "http://certs@evil.example/v1/notifications/certs/CERT-1",
        "http://certs:80/v1/notifications/certs/CERT-1",
        "http://certs./v1/notifications/certs/CERT-1",
        "http://stripe/v1/notifications/certs/CERT-1",
        "http://certs/other",
        "http://certs/v1/notifications/certs/../../x",
        "",
    ],
)
async def test_no_other_place_is_asked(
    front: Front, certificates: _Certificates, address: str
) -> None:
    """Not a single request leaves for an address that is not on the list."""
    forged = _paypal(address)

    assert 401 == (await post(front, "paypal", forged.body, forged.headers)).status_code
    assert [] == certificates.asked
    assert [] == front.stage.wire.requests
    assert [] == await rows(front)


async def test_a_certificate_that_cannot_be_had(front: Front, certificates: _Certificates) -> None:
    """Missing is a refusal, remembered; after a bad moment the provider comes again."""
    missing = _paypal(f"http://certs{_CERTIFICATE}0")
    for _ in range(3):
        assert 401 == (await post(front, "paypal", missing.body, missing.headers)).status_code
    assert 1 == len(certificates.asked)

    good = _paypal()
    for status in (302, 503):
        certificates.status = status
        answer = await post(front, "paypal", good.body, good.headers)
        assert (503, "unavailable") == (answer.status_code, problem_of(answer).code)
    certificates.status = 200
    assert 200 == (await post(front, "paypal", good.body, good.headers)).status_code
    assert {"certs"} == {request.url.host for request in front.stage.wire.requests}


async def test_strangers_cannot_have_us_ask_without_end(
    front: Front, certificates: _Certificates
) -> None:
    """After thirty addresses in a minute the vendor is left alone; what is known still works."""
    good = _paypal()
    await post(front, "paypal", good.body, good.headers)
    for number in range(100):
        forged = _paypal(f"http://certs{_CERTIFICATE}{number:03}")
        answer = await post(front, "paypal", forged.body, forged.headers)
        assert (401 if number < 29 else 503) == answer.status_code

    assert 30 == len(certificates.asked)
    known = _paypal(body=_EVENT.replace(b"WH-1", b"WH-2"))
    assert 200 == (await post(front, "paypal", known.body, known.headers)).status_code


async def test_a_delivery_with_too_many_events_is_kept_whole(front: Front) -> None:
    """It is signed, so it is not refused; but a thousand rows are enough, and a person looks."""
    body = many_events(1_001)

    assert (
        204
        == (
            await post(front, "gc", body, [("webhook-signature", mac(body).hexdigest())])
        ).status_code
    )

    assert [(body, "unreadable")] == await rows(front, "body, event_type")


async def test_no_secret_is_logged(front: Front, logs: LogCapture) -> None:
    """Neither ours nor what a stranger sent as a signature."""
    guess = "f00d" * 16
    await post(front, "gc", b"{}", [("webhook-signature", guess)])
    await post(front, "mollie", b"id=x", [("authorization", guess)])

    told = str(logs.entries)
    assert "webhook.refused" in told
    assert not any(secret in told for secret in (guess, "shared-secret", _KEY))
