"""Deliveries that are signed: by Standard Webhooks, as GitHub does, by Braintree, by TrueLayer.

Every event is a hint, because nobody here knows what its type means.
"""

import base64
import re
from typing import Final

from lxml import etree

from adapters.webhook.settings import Settings
from adapters.webhook.unsigned import fields_in, hint
from gateway.errors import Misconfigured, Rejected
from gateway.kit.signatures import (
    braintree,
    digest,
    hex_sha256,
    jws,
    require_match,
    secrets_of,
    standard,
)
from gateway.kit.signatures.origins import document_in, read_document
from gateway.model.event import ProviderEvent
from gateway.ports.exchange import Exchange
from gateway.ports.notification import Answer, Keys, Notification, Trust

TRUELAYER: Final = ("https://webhooks.truelayer.com", "https://webhooks.truelayer-sandbox.com")
_KEY_SET: Final = "/.well-known/jwks"
_QUARTER_S: Final = 900.0
_CHALLENGE: Final = re.compile(r"[a-f0-9]{20,32}")  # as braintree 4.48.0 has it


def verify_standard(settings: Settings, notification: Notification, now: float) -> Trust:
    """By three headers."""
    secrets = settings.webhook_secrets
    standard.verify(notification, secrets, now=now, tolerance_s=settings.tolerance_s)
    return Trust.SIGNED


def read_standard(notification: Notification) -> ProviderEvent:
    """The id is the header's, the type the body's, where it has one."""
    return hint(notification.header("webhook-id"), fields_in(notification.body).get("type", ""))


def verify_github(settings: Settings, notification: Notification, _now: float) -> Trust:
    """By the HMAC of the body; the older header with SHA-1 proves nothing.

    Source: docs.github.com on validating webhook deliveries, read 2026-11.
    """
    scheme, _, given = notification.header("x-hub-signature-256").partition("=")
    secrets = secrets_of(settings.webhook_secrets)
    expected = [hex_sha256(one.encode(), notification.body) for one in secrets]
    require_match(expected, [given] if scheme == "sha256" else [])
    return Trust.SIGNED


def read_github(notification: Notification) -> ProviderEvent:
    """Nobody signed the headers, so the body decides about repetitions."""
    return hint(digest(notification.body), notification.header("x-github-event"))


def verify_braintree(settings: Settings, notification: Notification, _now: float) -> Trust:
    """By the pair for our public key."""
    keys, form = _private_keys(settings), notification.form()
    signature, payload = form.get("bt_signature", ""), form.get("bt_payload", "")
    braintree.verify(settings.public_key, keys, signature=signature, payload=payload)
    return Trust.SIGNED


def answer_braintree(settings: Settings, notification: Notification) -> Answer | None:
    """Our signature of the question."""
    if notification.method != "GET":
        return None
    challenge = notification.query().get("bt_challenge", "")
    if not _CHALLENGE.fullmatch(challenge):
        return Answer(status=400)
    signed = f"{settings.public_key}|{braintree.sign(_private_keys(settings)[0], challenge)}"
    return Answer(headers=(("content-type", "text/plain"),), body=signed.encode())


def read_braintree(notification: Notification) -> ProviderEvent:
    """An event has no id of its own; its payload stands for it."""
    payload = notification.form().get("bt_payload", "").strip()
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(base64.b64decode(payload).strip(), parser)
    except (ValueError, etree.XMLSyntaxError) as error:
        raise Rejected("The payload is no XML.", code="unreadable") from error
    return hint(digest(payload.encode()), str(root.findtext("kind", "")))


def _private_keys(settings: Settings) -> tuple[str, ...]:
    if not settings.public_key:
        raise Misconfigured("No public key is configured.", code="webhook_secret_missing")
    return secrets_of(settings.webhook_secrets)


def truelayer_origins(settings: Settings) -> tuple[str, ...]:
    """Where TrueLayer's keys are: both worlds, as a test's events are signed like real ones."""
    return (settings.key_origin,) if settings.key_origin else TRUELAYER


def fetch_truelayer(settings: Settings, notification: Notification) -> Exchange[Keys]:
    """The key set that the signature names, or else the usual one."""
    origins = truelayer_origins(settings)
    head = jws.head_of(notification.header("tl-signature"))
    response = yield read_document(head.jku or origins[0] + _KEY_SET, origins)
    return Keys(document=document_in(response), expires_in_s=_QUARTER_S)


def verify_truelayer(settings: Settings, notification: Notification, _now: float) -> Trust:
    """By a key of TrueLayer's."""
    path = settings.public_path or notification.target.partition("?")[0]
    signature = notification.header("tl-signature")
    jws.verify(notification, signature, notification.keys, path=path)
    return Trust.SIGNED


def read_truelayer(notification: Notification) -> ProviderEvent:
    """The payment, payout or refund that it is about."""
    fields = fields_in(notification.body)
    ids = ("payment_id", "payout_id", "refund_id", "mandate_id")
    about = next((fields[one] for one in ids if one in fields), "")
    return hint(fields.get("event_id") or digest(notification.body), fields.get("type", ""), about)
