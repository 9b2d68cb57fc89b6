"""GoCardless in the conformance suite."""

import hashlib
import hmac
import json
from typing import cast

import msgspec

from adapters.gocardless import ADAPTER, Settings
from adapters.gocardless.simulator import GoCardlessSimulator
from gateway.model.held_mandate import HeldMandate
from gateway.model.money import Money
from gateway.ports.notification import Notification
from tests.conformance.subject import Account, Subject


def _connect(number: int) -> tuple[Settings, GoCardlessSimulator]:
    secrets = (f"old_{number}", f"secret_{number}_9fb1")
    token = f"sandbox_{number}_77ac"
    simulator = GoCardlessSimulator(
        webhook_url="http://hub/webhooks", webhook_secret=secrets[1], access_token=token
    )
    return Settings(access_token=token, webhook_secrets=secrets), simulator


def signed(secret: str, body: bytes) -> Notification:
    """A delivery as GoCardless signs it."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Notification(headers=(("webhook-signature", digest),), body=body)


def delivery(number: int, kind: str = "payments", action: str = "confirmed") -> bytes:
    """So many events of resources that somebody else has made."""
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


def _sign(account: Account, mandate: HeldMandate) -> None:
    simulator = cast("GoCardlessSimulator", account.simulator)
    simulator.sign(mandate.request_ref, now=account.now)


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=_connect,
    secrets=lambda settings: (settings.access_token, *settings.webhook_secrets),
    effects={
        "create_payment": "payment",
        "capture_payment": "payment",
        "refund_payment": "refund",
        "create_mandate": "mandate",
    },
    sign=_sign,
    tokens={
        "accepted": "MD00SEPA",
        "declined": "MD00FUNDS",
        "bacs_debit": "MD00BACS",
        "ach_debit": "MD00ACH",
        "becs_debit": "MD00BECS",
        "becs_nz_debit": "MD00BECSNZ",
        "autogiro_debit": "MD00AUTOGIRO",
        "betalingsservice_debit": "MD00BETALING",
        "pad_debit": "MD00PAD",
    },
    method="sepa_debit",
    amounts=(Money(1_999, "EUR"), Money(1, "EUR"), Money(99_999_99, "EUR")),
    tokens_are_ids=True,
    settles_s=5.0,
    unguarded=lambda settings: msgspec.structs.replace(settings, webhook_secrets=()),
    dated=False,
)
