"""Adyen in the conformance suite: deliveries of a platform, which are signed as a whole."""

import base64
import hashlib
import hmac
import json

import msgspec

from adapters.adyen import ADAPTER, Settings
from gateway.ports.notification import Notification
from tests.conformance.subject import Subject


def _connect(number: int) -> tuple[Settings, None]:
    key = hashlib.sha256(b"adyen %d" % number).hexdigest().upper()
    secrets = (f"{number:064x}", key)
    return Settings(api_key=f"AQE_{number}", merchant_account="Acme", webhook_secrets=secrets), None


def notices(settings: Settings) -> list[Notification]:
    """Two transfers, signed with the last key."""
    found = []
    for number in (1, 2):
        amount = {"value": 1999, "currency": "EUR"}
        event = {
            "type": "balancePlatform.transfer.updated",
            "data": {"id": f"TR{number}", "amount": amount},
        }
        body = json.dumps(event, separators=(",", ":")).encode()
        key = bytes.fromhex(settings.webhook_secrets[-1])
        signature = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
        headers = (("hmacsignature", signature), ("protocol", "HmacSHA256"))
        found.append(Notification(headers=headers, body=body))
    return found


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=_connect,
    secrets=lambda settings: (settings.api_key, settings.webhook_secrets[1]),
    notices=notices,
    unguarded=lambda settings: msgspec.structs.replace(settings, webhook_secrets=()),
    dated=False,
)
