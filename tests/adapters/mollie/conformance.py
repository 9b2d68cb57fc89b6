"""Mollie in the conformance suite: webhooks of the next generation; classic ones prove nothing."""

import hashlib
import hmac

import msgspec

from adapters.mollie import ADAPTER, Settings
from gateway.ports.notification import Notification
from tests.conformance.subject import Subject

BODY = (
    b'{"resource":"event","id":"event_1","type":"payment-link.paid","entityId":"pl_1",'
    b'"createdAt":"2026-01-01T00:00:00.0Z","amount":1999}'
)


def _connect(number: int) -> tuple[Settings, None]:
    secrets = (f"old_{number}", f"secret_{number}_9fb1")
    return Settings(api_key=f"test_{number}", webhook_secrets=secrets), None


def signed(secret: str, body: bytes = BODY, prefix: str = "sha256=") -> Notification:
    """A delivery as Mollie signs it."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Notification(headers=(("x-mollie-signature", prefix + digest),), body=body)


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=_connect,
    secrets=lambda settings: (settings.api_key, *settings.webhook_secrets),
    notices=lambda settings: [signed(settings.webhook_secrets[-1])],
    unguarded=lambda settings: msgspec.structs.replace(settings, webhook_secrets=()),
    dated=False,
)
