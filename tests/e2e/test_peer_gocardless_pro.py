"""The GoCardless simulator and adapter against the vendor's own client."""

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import requests

from adapters.gocardless import ADAPTER, Settings
from adapters.gocardless.simulator import GoCardlessSimulator
from gateway.kit.blocking import over_requests, run
from gateway.model.money import Money
from gateway.model.payment import Payment, PaymentState
from gateway.ports.notification import Notification
from tests.conformance import samples
from tests.e2e.door import opened

gocardless_pro = pytest.importorskip("gocardless_pro")
webhooks = pytest.importorskip("gocardless_pro.webhooks")
pytestmark = pytest.mark.peers

TOKEN, SECRET = "sandbox_peer", "webhook_peer"
GIVEN = {"amount": 1000, "currency": "EUR", "links": {"mandate": "MD00SEPA"}}


@pytest.fixture
def simulator() -> GoCardlessSimulator:
    """Slow enough that nothing happens by itself within a test."""
    return GoCardlessSimulator(
        webhook_url="http://hub.test/hook",
        webhook_secret=SECRET,
        access_token=TOKEN,
        submit_s=600,
        settle_s=700,
        payout_s=800,
    )


@pytest.fixture
def address(simulator: GoCardlessSimulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with opened(simulator) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def peer(address: str) -> Any:
    return gocardless_pro.Client(access_token=TOKEN, base_url=address)


def create(peer: Any, key: str, **fields: Any) -> Any:
    return peer.payments.create(params={**GIVEN, **fields}, headers={"Idempotency-Key": key})


def test_the_peer_works_with_the_simulator(simulator: GoCardlessSimulator, peer: Any) -> None:
    """Create, read, update, list, cancel, refund, events, scenarios: it finds what it expects."""
    made = create(peer, "k1", metadata={"payment_id": "p1"})
    updated = peer.payments.update(made.id, params={"metadata": {"payment_id": "p2"}})
    cancelled = peer.payments.cancel(create(peer, "k2").id)
    paid = create(peer, "k3")
    run_on = {"links": {"resource": paid.id}}
    peer.scenario_simulators.run("payment_paid_out", params=run_on)
    refund = peer.refunds.create(
        params={"amount": 300, "total_amount_confirmation": 300, "links": {"payment": paid.id}}
    )

    assert ("pending_submission", "sepa_core", 1000) == (made.status, made.scheme, made.amount)
    assert {"payment_id": "p2"} == updated.metadata
    assert "cancelled" == cancelled.status
    assert ("paid_out", 300) == (
        peer.payments.get(paid.id).status,
        peer.payments.get(paid.id).amount_refunded,
    )
    assert [refund.id] == [one.id for one in peer.refunds.list({"payment": paid.id}).records]
    told = [one.action for one in peer.events.all(params={"payment": paid.id, "limit": 1})]
    assert ["paid_out", "confirmed", "submitted", "created"] == told
    assert "MD00SEPA" == peer.mandates.get("MD00SEPA").id
    assert 3 == len(list(peer.payments.all(params={"limit": 2})))


def test_the_peer_adopts_what_its_key_made(simulator: GoCardlessSimulator, peer: Any) -> None:
    """The client reads our conflict and fetches the payment that it names."""
    first, second = (create(peer, "k1", metadata={"payment_id": "p1"}) for _ in range(2))

    assert first.id == second.id
    assert {"p1": 1} == simulator.effects()["payment"]


def test_the_peer_understands_the_refusals(address: str, peer: Any) -> None:
    """Each becomes the client's own exception, with the reason that it reads from the body."""
    errors = gocardless_pro.errors
    made = create(peer, "k1")
    peer.payments.cancel(made.id)

    with pytest.raises(errors.AuthenticationError):
        gocardless_pro.Client(access_token="wrong", base_url=address).payments.list()
    with pytest.raises(errors.InvalidApiUsageError):
        peer.payments.get("PM000NOWHERE")
    with pytest.raises(errors.ValidationFailedError) as field:
        create(peer, "k2", amount=0)
    with pytest.raises(errors.InvalidStateError) as state:
        peer.payments.cancel(made.id)
    with pytest.raises(errors.InvalidStateError) as inactive:
        create(peer, "k3", links={"mandate": "MD00CANCELLED"})
    assert "amount" == field.value.errors[0]["field"]
    assert "cancellation_failed" == state.value.errors[0]["reason"]
    assert "mandate_is_inactive" == inactive.value.errors[0]["reason"]


def test_the_peer_believes_the_webhooks(simulator: GoCardlessSimulator, peer: Any) -> None:
    """Our signature is theirs, and theirs is what the adapter verifies."""
    create(peer, "k1", metadata={"payment_id": "p1", "amount": "10.00 EUR"})
    (delivery,) = simulator.due(now=time.time() + 900)
    body, signature = delivery.read(), delivery.headers["webhook-signature"]

    parsed = webhooks.parse_with_meta(body, SECRET, signature)
    with pytest.raises(gocardless_pro.errors.InvalidSignatureError):
        webhooks.parse(body + b" ", SECRET, signature)
    port = ADAPTER.ports["webhooks"](Settings(access_token=TOKEN, webhook_secrets=(SECRET,)))
    notification = Notification(headers=(("webhook-signature", signature),), body=body)
    port.verify(notification, now=0.0)

    assert parsed.webhook_id.startswith("WB")
    assert [one.id for one in parsed.events] == [one.event_id for one in port.read(notification)]
    assert ["created", "submitted", "confirmed", "paid_out"] == [
        one.action for one in parsed.events
    ]


def test_the_peer_reads_what_the_adapter_wrote(address: str, peer: Any) -> None:
    """Over a socket: created, found again, cancelled; and a payment of the peer is no ours."""
    port = ADAPTER.ports["payments"](Settings(access_token=TOKEN, base_url=address))
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    payment = msgspec.structs.replace(
        samples.payment(1, token="MD00SEPA", method="sepa_debit", amount=Money(1000, "EUR")),
        requested_at=now,
    )
    create(peer, "other")
    with requests.Session() as session:
        session.trust_env = False
        send = over_requests(session, timeout_s=10)
        made = run(port.create_payment(payment, key="k"), send)
        again = run(port.create_payment(payment, key="k"), send)
        found = run(port.find_payment(payment), send)
        ours: Payment = msgspec.structs.replace(payment, provider_ref=made.provider_ref)
        cancelled = run(port.cancel_payment(ours, key="c"), send)
    row = peer.payments.get(made.provider_ref)

    assert made == again == found
    assert PaymentState.CANCELLED is cancelled.state
    assert (1000, "EUR", "cancelled") == (row.amount, row.currency, row.status)
    assert payment.payment_id == row.metadata["payment_id"]
    assert "MD00SEPA" == row.links.mandate


def test_the_peer_asks_for_a_mandate(simulator: GoCardlessSimulator, peer: Any) -> None:
    """A billing request, its page, the payer, a payment by the mandate, and its end."""
    scheme = {"scheme": "sepa_core", "metadata": {"mandate_id": "m1"}}
    given = {"mandate_request": scheme, "metadata": {"mandate_id": "m1"}}
    asked = [
        peer.billing_requests.create(params=given, headers={"Idempotency-Key": "b1"})
        for _ in range(2)
    ]
    page = peer.billing_request_flows.create(
        params={
            "redirect_uri": "https://shop.example/back",
            "exit_uri": "https://shop.example/back",
            "links": {"billing_request": asked[0].id},
        }
    )
    signed = simulator.sign(page.id, now=time.time())
    request = peer.billing_requests.get(asked[0].id)
    mandate = peer.mandates.get(request.links.mandate_request_mandate)
    paid = create(peer, "by-mandate", links={"mandate": mandate.id})
    listed = [one.id for one in peer.billing_requests.list(params={"limit": "5"}).records]
    ended = peer.mandates.cancel(mandate.id)

    assert asked[0].id == asked[1].id
    assert page.authorisation_url.startswith("https://")
    assert ("fulfilled", signed, {"mandate_id": "m1"}) == (
        request.status,
        mandate.id,
        mandate.metadata,
    )
    assert (["pending_submission", "cancelled"], [request.id]) == (
        [paid.status, ended.status],
        listed,
    )
    with pytest.raises(gocardless_pro.errors.InvalidStateError):
        create(peer, "after-its-end", links={"mandate": mandate.id})
