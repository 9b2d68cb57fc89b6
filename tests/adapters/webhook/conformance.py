"""The receiver of other products in the conformance suite: Standard Webhooks stands for all."""

import base64
import hashlib
import hmac
import json

import msgspec

from adapters.webhook import ADAPTER, Settings
from adapters.webhook.webhooks import WebhookReceiver
from gateway.ports.notification import Notification
from tests.conformance.subject import NOW, Subject

BODY = b'{"type":"payment.succeeded","data":{"id":"pay_1","amount":1999}}'


def _secret(text: str) -> str:
    return "whsec_" + base64.b64encode(text.encode()).decode()


def _connect(number: int) -> tuple[Settings, None]:
    secrets = (_secret(f"old {number}"), _secret(f"new {number}"))
    return Settings(scheme="standard_webhooks", webhook_secrets=secrets), None


def signed(
    secret: str, body: bytes = BODY, at: float = NOW, identity: str = "msg_1"
) -> Notification:
    """A delivery as the standard has it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{identity}.{at:.0f}.".encode() + body
    digest = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    headers = (
        ("webhook-id", identity),
        ("webhook-timestamp", f"{at:.0f}"),
        ("webhook-signature", f"v1,{digest}"),
    )
    return Notification(headers=headers, body=body)


def detached(**head: str) -> str:
    """The first part of a signature of TrueLayer's, with this head."""
    full = {"alg": "ES512", "kid": "k", "tl_version": "2", **head}
    return base64.urlsafe_b64encode(json.dumps(full).encode()).rstrip(b"=").decode()


def _naming(address: str) -> tuple[WebhookReceiver, Notification]:
    headers = (("tl-signature", f"{detached(jku=address or ' ')}..AAAA"),)
    return WebhookReceiver(Settings(scheme="truelayer")), Notification(headers=headers)


def braintree() -> Settings:
    """An endpoint of Braintree's."""
    return Settings(scheme="braintree", public_key="pub", webhook_secrets=("private", "old"))


def question(settings: Settings) -> tuple[Notification, bytes]:
    """Braintree's question, and its answer: a signature of it."""
    challenge = "253059638269d599200f"
    key = hashlib.sha1(settings.webhook_secrets[0].encode()).digest()  # noqa: S324 - Braintree's
    digest = hmac.new(key, challenge.encode(), hashlib.sha1).hexdigest()
    target = f"/webhooks/a/braintree?bt_challenge={challenge}"
    return Notification(method="GET", target=target), f"pub|{digest}".encode()


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=_connect,
    secrets=lambda settings: settings.webhook_secrets,
    notices=lambda settings: [signed(settings.webhook_secrets[-1])],
    unguarded=lambda settings: msgspec.structs.replace(settings, webhook_secrets=()),
    naming=_naming,
    asking=lambda: (WebhookReceiver(braintree()), *question(braintree())),
)
