"""Adyen's platform in the conformance suite."""

import base64
import hashlib
import hmac
import json

import msgspec

from adapters.adyen_platform import ADAPTER, Settings
from adapters.adyen_platform.simulator import AdyenPlatformSimulator
from gateway.ports.notification import Notification
from tests.conformance.subject import Subject

PLATFORM = "BA00000000000000000000001"


def connect(number: int) -> tuple[Settings, AdyenPlatformSimulator]:
    """The platform of this number."""
    key = hashlib.sha256(b"adyen platform %d" % number).hexdigest().upper()
    settings = Settings(
        api_key=f"AQE_{number}_7c1e2d",
        balance_account=PLATFORM,
        webhook_secrets=(f"{number:064x}", key),
    )
    simulator = AdyenPlatformSimulator(
        webhook_url="http://hub/webhooks", webhook_key=key, api_key=settings.api_key
    )
    return settings, simulator


def notices(settings: Settings) -> list[Notification]:
    """A payout and a transfer, signed as a whole with the last key."""
    found = []
    for number, category in enumerate(("bank", "internal")):
        data = {
            "id": f"TR{number}",
            "category": category,
            "reference": f"01950000-0000-7000-9100-{number:012}",
            "amount": {"value": 1999, "currency": "EUR"},
        }
        event = {"type": "balancePlatform.transfer.updated", "data": data}
        body = json.dumps(event, separators=(",", ":")).encode()
        key = bytes.fromhex(settings.webhook_secrets[-1])
        signature = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
        headers = (("hmacsignature", signature), ("protocol", "HmacSHA256"))
        found.append(Notification(headers=headers, body=body))
    return found


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=connect,
    secrets=lambda settings: (settings.api_key, *settings.webhook_secrets),
    effects={
        "create_payout": "payout",
        "create_transfer": "transfer",
        "reverse_transfer": "reversal",
    },
    notices=notices,
    unguarded=lambda settings: msgspec.structs.replace(settings, webhook_secrets=()),
    dated=False,
    reversals_apart=True,
)
