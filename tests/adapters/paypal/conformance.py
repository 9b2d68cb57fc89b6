"""PayPal in the conformance suite, under a certificate authority of our own."""

import msgspec

from adapters.paypal import ADAPTER, Settings
from adapters.paypal.mandates import customer_of
from adapters.paypal.simulator import PayPalSimulator
from adapters.paypal.webhooks import PayPalWebhooks
from gateway.model.held_mandate import HeldMandate
from gateway.model.payment import Payment
from gateway.ports.notification import Notification
from tests.adapters.paypal import authority
from tests.conformance.subject import Account, Subject

BODY = (
    b'{"id":"WH-1","event_type":"PAYMENT.CAPTURE.COMPLETED","resource_type":"capture",'
    b'"resource":{"id":"2GG279541U471931P","amount":{"value":"1999"}}}'
)


TOKENS = {
    "accepted": "vault-card-accepted",
    "declined": "vault-card-declined",
    "paypal_vault": "vault-paypal-accepted",
    "apple_pay": "vault-apple-accepted",
}


def _connect(number: int) -> tuple[Settings, PayPalSimulator]:
    settings = Settings(
        client_id=f"client_{number}",
        client_secret=f"secret_{number}_9fb1",
        webhook_id=f"8PT597110X687430LKGECAT{number}",
        trusted_roots=authority.root().pem.decode(),
    )
    simulator = PayPalSimulator(
        webhook_url="http://hub/webhooks",
        webhook_id=settings.webhook_id,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
    )
    return settings, simulator


def _naming(address: str) -> tuple[PayPalWebhooks, Notification]:
    port = PayPalWebhooks(Settings(client_id="c", client_secret="s", webhook_id="w"))
    return port, Notification(headers=(("paypal-cert-url", address),), body=BODY)


def _dispute(account: Account, payment: Payment) -> str:
    simulator = account.simulator
    assert isinstance(simulator, PayPalSimulator)
    simulator.dispute(payment.provider_ref, "BUYER_COMPLAINT", now=account.now)
    port = ADAPTER.port("payments", account.settings)
    (claim,) = account.run(port.find_payment(payment)).movements
    return str(claim.ref)


def _sign(account: Account, mandate: HeldMandate) -> None:
    simulator = account.simulator
    assert isinstance(simulator, PayPalSimulator)
    simulator.vault.approve(mandate.request_ref)


def _counted_as(_settings: Settings, verb: str, our_id: str) -> str:
    return customer_of(our_id) if verb == "create_mandate" else our_id


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=_connect,
    secrets=lambda settings: (settings.client_secret,),
    effects={
        "create_payment": "charge",
        "capture_payment": "charge",
        "refund_payment": "refund",
        "create_payout": "payout",
        "authorise": "authorisation",
        "accept_dispute": "acceptance",
        "submit_evidence": "evidence",
        "create_mandate": "mandate",
    },
    tokens=TOKENS,
    sign=_sign,
    counted_as=_counted_as,
    dispute=_dispute,
    member="7DVGMLGSXYTQ2",
    notices=lambda settings: [authority.delivery(settings.webhook_id, BODY)],
    unguarded=lambda settings: msgspec.structs.replace(settings, webhook_id=" "),
    dated=False,
    naming=_naming,
    repeats=True,
)
