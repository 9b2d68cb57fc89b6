"""The schemes: what each lets in, what each refuses, and what it makes of it."""

import base64
import hashlib
import hmac
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest

from adapters.webhook import Settings
from adapters.webhook.webhooks import WebhookReceiver
from gateway.errors import HeadraceError, Misconfigured, Rejected
from gateway.model.event import ProviderEvent
from gateway.ports.notification import Notification, Trust
from tests.adapters.webhook.conformance import braintree, detached

_XML = b"<notification><kind>dispute_opened</kind><subject/></notification>"
_PAYLOAD = base64.encodebytes(_XML).decode()


def judge(settings: Settings, notification: Notification) -> str:
    """Trust, or the code with which the delivery is refused."""
    try:
        return WebhookReceiver(settings).verify(notification, now=0)
    except Rejected as error:
        return error.code


def read(settings: Settings, notification: Notification) -> ProviderEvent:
    (event,) = WebhookReceiver(settings).read(notification)
    assert event.hint
    return event


def form(payload: str = _PAYLOAD, signature: str | None = None, **more: str) -> Notification:
    """A delivery of Braintree's."""
    key = hashlib.sha1(b"private").digest()  # noqa: S324 - Braintree's algorithm
    made = "pub|" + hmac.new(key, payload.encode(), hashlib.sha1).hexdigest()
    fields = {"bt_signature": made if signature is None else signature, "bt_payload": payload}
    return Notification(body=urlencode(fields | more).encode())


# --- braintree -------------------------------------------------------------------------------


def test_braintree() -> None:
    """Our pair among several; with the last newline or without it."""
    digest = form().form()["bt_signature"]

    assert Trust.SIGNED == judge(braintree(), form())
    assert Trust.SIGNED == judge(braintree(), form(_PAYLOAD.rstrip("\n"), digest))
    assert Trust.SIGNED == judge(braintree(), form(signature=f"other|00&{digest}"))
    for wrong in ("", "pub", "pub|", f"other{digest[3:]}", digest.replace("|", ""), digest.upper()):
        assert judge(braintree(), form(signature=wrong)).startswith("signature_")
    for wrong in ("", "!", _PAYLOAD + "\n\n", _PAYLOAD[1:], "\u00e9"):
        assert judge(braintree(), form(wrong, digest)).startswith("signature_")


def test_braintree_needs_both_keys() -> None:
    """Nothing is accepted, and no question answered, while one is missing."""
    for half in (
        Settings(scheme="braintree", public_key="pub"),
        Settings(scheme="braintree", webhook_secrets=("private",)),
    ):
        receiver = WebhookReceiver(half)
        asked = Notification(method="GET", target="/x?bt_challenge=253059638269d599200f")
        with pytest.raises(Misconfigured):
            receiver.verify(form(), now=0)
        with pytest.raises(Misconfigured):
            receiver.answer_challenge(asked)


def test_braintree_is_read_by_its_payload() -> None:
    """Its kind is the type; entities of foreign XML are not followed."""
    assert "dispute_opened" == read(braintree(), form()).event_type
    assert read(braintree(), form()).event_id == read(braintree(), form(_PAYLOAD + "\n")).event_id
    evil = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><kind>&x;</kind></a>'
    assert "root" not in read(braintree(), form(base64.b64encode(evil).decode())).event_type
    for broken in ("", "AAAA", "!", base64.b64encode(b"<a>").decode()):
        with pytest.raises(Rejected):
            WebhookReceiver(braintree()).read(form(broken))


# --- github ----------------------------------------------------------------------------------


def test_github() -> None:
    """SHA-256 under its prefix only, by the vector that GitHub publishes."""
    settings = Settings(scheme="github", webhook_secrets=("x", "It's a Secret to Everybody"))
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    def given(*values: str, name: str = "x-hub-signature-256") -> Notification:
        pairs = tuple((name, value) for value in values)
        return Notification(headers=pairs, body=b"Hello, World!")

    assert Trust.SIGNED == judge(settings, given(f"sha256={digest}"))
    for wrong in (digest, f"sha1={digest}", f"sha256={digest.upper()}", f"SHA256={digest}", ""):
        assert "signature_invalid" == judge(settings, given(wrong))
    assert "header_doubled" == judge(settings, given(f"sha256={digest}", f"sha256={digest}"))
    assert "signature_invalid" == judge(settings, given(f"sha256={digest}", name="x-hub-signature"))


# --- truelayer -------------------------------------------------------------------------------


def test_truelayer_asks_for_the_usual_keys_where_none_are_named() -> None:
    """At its own host, or where a test serves them."""
    signed = Notification(headers=(("tl-signature", f"{detached()}..AA"),))
    for origin, expected in (
        ("", "https://webhooks.truelayer.com/.well-known/jwks"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/.well-known/jwks"),
    ):
        receiver = WebhookReceiver(Settings(scheme="truelayer", key_origin=origin))
        assert expected == str(next(receiver.fetch_keys(signed)).url)


def test_truelayer_is_read_by_its_event() -> None:
    """Id, type, and the thing that it is about."""
    body = b'{"type":"payment_executed","event_id":"b8d4","payment_id":"60c6"}'
    event = read(Settings(scheme="truelayer"), Notification(body=body))

    assert ("b8d4", "payment_executed", "60c6") == (
        event.event_id,
        event.event_type,
        event.provider_ref,
    )


def test_other_schemes_ask_for_no_keys() -> None:
    """And have no questions."""
    receiver = WebhookReceiver(Settings(scheme="klarna"))

    assert [] == list(receiver.fetch_keys(Notification()))
    assert None is receiver.answer_challenge(Notification(method="GET"))


# --- what nobody signs -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "fields", "expected"),
    [
        ("klarna", {"target": "/k?klarna_order_id=f33"}, ("order:f33", "push", "f33")),
        ("klarna", {"target": "/k?sid=0b1"}, ("session:0b1", "status_update", "0b1")),
        (
            "mangopay",
            {"method": "GET", "target": "/m?EventType=KYC_FAILED&RessourceId=w%201&Date=1"},
            ("KYC_FAILED:w 1", "KYC_FAILED", "w 1"),
        ),
        (
            "unzer",
            {"body": b'{"event":"charge","retrieveUrl":"https://api.unzer.com/v1/p/1"}'},
            ("charge:https://api.unzer.com/v1/p/1", "charge", "https://api.unzer.com/v1/p/1"),
        ),
    ],
)
def test_hints(scheme: Any, fields: dict[str, Any], expected: tuple[str, ...]) -> None:
    """Let in as hints, with the object that has to be read."""
    settings, notification = Settings(scheme=scheme), Notification(**fields)

    assert Trust.UNSIGNED == judge(settings, notification)
    event = read(settings, notification)
    assert expected == (event.event_id, event.event_type, event.provider_ref)


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://api.unzer.com/v1/p/1",
        "https://api.unzer.com.evil.example/v1/p/1",
        "https://api.unzer.com@evil.example/v1/p/1",
        "https://evil.example/https://api.unzer.com/v1/p/1",
        "https://[::1]/v1/p/1",
        "https://api.unzer.com./v1/p/1",
        "https://api.unzer.com:444/v1/p/1",
        "https://xn--pi-7ka.unzer.com/v1/p/1",
        "",
    ],
)
def test_unzer_elsewhere(address: str) -> None:
    """An address that is not Unzer's refuses the delivery; nothing is ever fetched from it."""
    body = b'{"event":"charge","retrieveUrl":"%s","paymentId":"1"}' % address.encode()

    assert judge(Settings(scheme="unzer"), Notification(body=body)) in {
        "url_refused",
        "signature_missing",
    }


@pytest.mark.parametrize(
    ("scheme", "fields"),
    [
        ("klarna", {"target": "/k"}),
        ("klarna", {"target": "/k?klarna_order_id="}),
        ("mangopay", {"target": "/m?EventType=KYC_FAILED"}),
        ("mangopay", {"target": "/m?RessourceId=1"}),
        ("unzer", {"body": b"[]"}),
        ("unzer", {"body": b'{"event":"charge","retrieveUrl":7}'}),
        ("unzer", {"body": b"\xff"}),
    ],
)
def test_what_names_nothing_is_refused(scheme: Any, fields: dict[str, Any]) -> None:
    """A hint without an object is none."""
    assert "signature_missing" == judge(Settings(scheme=scheme), Notification(**fields))


def test_every_scheme_survives_any_request() -> None:
    """Nothing but the four errors leaves a scheme, whatever comes."""
    strange = (b"", b"\x00", b"\xff\xfe", b"{" * 500, b"a=%ff&b", b'{"a":' * 200)
    for scheme in Settings.__annotations__["scheme"].__args__:
        settings = Settings(scheme=scheme, webhook_secrets=("c2VjcmV0",), public_key="pub")
        receiver = WebhookReceiver(settings)
        for body in strange:
            notification = Notification(target="/?" + body.decode("latin-1"), body=body)
            with suppress(HeadraceError):
                receiver.verify(notification, now=0)
            with suppress(HeadraceError):
                assert receiver.read(notification)
