"""PayPal in the conformance suite, under a certificate authority of our own."""

import msgspec

from adapters.paypal import ADAPTER, Settings
from adapters.paypal.webhooks import PayPalWebhooks
from gateway.ports.notification import Notification
from tests.adapters.paypal import authority
from tests.conformance.subject import Subject

BODY = (
    b'{"id":"WH-1","event_type":"PAYMENT.CAPTURE.COMPLETED","resource_type":"capture",'
    b'"resource":{"id":"2GG279541U471931P","amount":{"value":"1999"}}}'
)


def _connect(number: int) -> tuple[Settings, None]:
    settings = Settings(
        client_id="client",
        client_secret=f"secret_{number}_9fb1",
        webhook_id=f"8PT597110X687430LKGECAT{number}",
        trusted_roots=authority.root().pem.decode(),
    )
    return settings, None


def _naming(address: str) -> tuple[PayPalWebhooks, Notification]:
    port = PayPalWebhooks(Settings(client_id="c", client_secret="s", webhook_id="w"))
    return port, Notification(headers=(("paypal-cert-url", address),), body=BODY)


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=_connect,
    secrets=lambda settings: (settings.client_secret,),
    notices=lambda settings: [authority.delivery(settings.webhook_id, BODY)],
    unguarded=lambda settings: msgspec.structs.replace(settings, webhook_id=" "),
    dated=False,
    naming=_naming,
)
