"""PAYONE in the conformance suite."""

import base64
import hashlib
import hmac

import msgspec

from adapters.payone import ADAPTER, Settings
from adapters.payone.simulator import PayoneSimulator
from adapters.payone.translation_objects import short
from adapters.payone.webhooks import PayoneWebhooks
from gateway.ports.notification import Notification
from tests.conformance.subject import Subject

BODY = (
    b'{"apiVersion":"v1","id":"34b8a607","merchantId":"1341","type":"payment.captured",'
    b'"payment":{"id":"3066_0","paymentOutput":{"amountOfMoney":{"amount":1999}}}}'
)

APPLE = base64.b64encode(
    b'{"paymentData":{"version":"EC_v1","data":"d==","signature":"s=","header":{"publicKeyHash":'
    b'"h=","ephemeralPublicKey":"e=","transactionId":"t1"}},"paymentMethod":{"displayName":'
    b'"Visa 0492","network":"Visa","type":"debit"},"transactionIdentifier":"T1"}'
).decode()
CLICK = '{"network":"MASTERCARD","srcDpaId":"dpa-1","paymentCheckoutData":"eyJ.x.y"}'


def _connect(number: int) -> tuple[Settings, PayoneSimulator]:
    settings = Settings(
        merchant_id="P1",
        api_key_id="key",
        api_secret=f"api_{number}",
        webhook_key_ids=("old", "new"),
        webhook_secrets=(f"old_{number}", f"secret_{number}_9fb1"),
    )
    simulator = PayoneSimulator(
        webhook_url="http://hub/webhooks",
        webhook_key_id="new",
        webhook_secret=settings.webhook_secrets[-1],
        merchant_id="P1",
        api_key_id="key",
        api_secret=settings.api_secret,
    )
    return settings, simulator


def _counted(_settings: Settings, verb: str, our_id: str) -> str:
    """A refund is known by a reference that is made of our id."""
    return short(our_id) if verb == "refund_payment" else our_id


def signed(secret: str, body: bytes = BODY, key: str = "new") -> Notification:
    """A delivery as PAYONE signs it."""
    digest = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    headers = (("x-gcs-signature", digest), ("x-gcs-keyid", key))
    return Notification(headers=headers, body=body)


def _asking() -> tuple[PayoneWebhooks, Notification, bytes]:
    """The question, which comes back as it is."""
    header = ("x-gcs-webhooks-endpoint-verification", "a3f1-7c.9_x~")
    asked = Notification(method="GET", target="/webhooks/a/payone", headers=(header,))
    return PayoneWebhooks(_connect(1)[0]), asked, b"a3f1-7c.9_x~"


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=_connect,
    secrets=lambda settings: (settings.api_secret, *settings.webhook_secrets),
    effects={
        "create_payment": "charge",
        "capture_payment": "charge",
        "refund_payment": "refund",
        "authorise": "authorisation",
    },
    counted_as=_counted,
    tokens={
        "accepted": "1_token-accepted",
        "declined": "token-declined",
        "sepa_debit": "MANDATE-ACCEPTED",
        "apple_pay": APPLE,
        "click_to_pay": CLICK,
        "secured_invoice": "partner_merchant_session",
        "secured_debit": "partner_merchant_session",
    },
    unguarded=lambda settings: msgspec.structs.replace(settings, webhook_secrets=()),
    dated=False,
    asking=_asking,
)
