"""GoCardless in the conformance suite."""

import hashlib
import hmac
import json

import msgspec

from adapters.gocardless import ADAPTER, Settings
from gateway.ports.notification import Notification
from tests.conformance.subject import Subject


def _connect(number: int) -> tuple[Settings, None]:
    secrets = (f"old_{number}", f"secret_{number}_9fb1")
    return Settings(access_token=f"sandbox_{number}", webhook_secrets=secrets), None


def signed(secret: str, body: bytes) -> Notification:
    """A delivery as GoCardless signs it."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Notification(headers=(("webhook-signature", digest),), body=body)


def delivery(number: int, kind: str = "payments", action: str = "confirmed") -> bytes:
    """So many events."""
    events = [
        {
            "id": f"EV{one:05}",
            "resource_type": kind,
            "action": action,
            "links": {kind.removesuffix("s"): f"PM{one}"},
            "details": {"amount": 1999},
        }
        for one in range(number)
    ]
    return json.dumps({"events": events}, separators=(",", ":")).encode()


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=_connect,
    secrets=lambda settings: (settings.access_token, *settings.webhook_secrets),
    notices=lambda settings: [
        signed(settings.webhook_secrets[-1], delivery(number)) for number in (1, 250)
    ],
    unguarded=lambda settings: msgspec.structs.replace(settings, webhook_secrets=()),
    dated=False,
)
