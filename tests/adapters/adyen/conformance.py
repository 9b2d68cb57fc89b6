"""Adyen in the conformance suite."""

import base64
import hashlib
import hmac
import json

import msgspec

from adapters.adyen import ADAPTER, Settings
from adapters.adyen.simulator import AdyenSimulator
from gateway.model.payment import Payment
from gateway.ports.notification import Notification
from tests.conformance.subject import Account, Subject

CARD = "shopper-1_M5N7TQ4TG5PFWR50"
MEMBER = "BA00000000000000000000001"
TOKENS = {
    "accepted": CARD,
    "declined": "shopper-1_REFUSED000000012",
    "blik": "777123",
    "bacs_debit": "shopper-1_BACSDEBIT0000001",
    "network_token": "shopper-1_NETWORKTOKEN0001",
    "ratepay_debit": "shopper-1_RATEPAYDEBIT0001",
    "ratepay_invoice": "fingerprint-of-a-device-0001",
    "gift_card": "svs:eyJhbGciOiJSU0EtT0FFUCJ9.number:eyJhbGciOiJSU0EtT0FFUCJ9.code",
    "click_to_pay": "mc:34f4a04b.5ae6b3e0:yZXVhZ2UtY2FyZC1pZA",
    "eps": "bawag-effektiv-1",
    "przelewy24": "154",
}


def _connect(number: int) -> tuple[Settings, AdyenSimulator]:
    key = hashlib.sha256(b"adyen %d" % number).hexdigest().upper()
    api_key, account = f"AQE_{number}_4f9a1c", "AcmeECOM"
    settings = Settings(
        api_key=api_key,
        merchant_account=account,
        return_url="https://shop.example/back",
        webhook_secrets=(f"{number:064x}", key),
    )
    simulator = AdyenSimulator(
        webhook_url="http://hub/webhooks",
        webhook_key=key,
        api_key=api_key,
        merchant_account=account,
    )
    return settings, simulator


def notices(settings: Settings) -> list[Notification]:
    """Two transfers of a platform, which are signed as a whole, with the last key."""
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


def _come_back(account: Account, payment: Payment, succeeds: bool) -> dict[str, str]:  # noqa: FBT001 - as the subject has it
    simulator = account.simulator
    assert isinstance(simulator, AdyenSimulator)
    result = simulator.come_back(payment.payment_id, succeeds=succeeds, now=account.now)
    return {"redirectResult": result}


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=_connect,
    secrets=lambda settings: (settings.api_key, *settings.webhook_secrets),
    effects={
        "create_payment": "charge",
        "capture_payment": "charge",
        "refund_payment": "refund",
        "update_payment": "increment",
        "authorise": "authorisation",
        "accept_dispute": "acceptance",
        "submit_evidence": "evidence",
    },
    tokens=TOKENS,
    member=MEMBER,
    come_back=_come_back,
    notices=notices,
    unguarded=lambda settings: msgspec.structs.replace(settings, webhook_secrets=()),
    dated=False,
    repeats=True,
    blind=True,
)
