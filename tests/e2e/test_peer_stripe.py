"""The Stripe simulator and adapter against Stripe's own client."""

import time
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest
import requests

from adapters.stripe import ADAPTER, Settings
from adapters.stripe.simulator import StripeSimulator
from gateway.kit.blocking import over_requests, run
from gateway.model.payment import PaymentState
from gateway.ports.notification import Notification
from tests.conformance import samples
from tests.e2e.door import opened

stripe = pytest.importorskip("stripe", reason="stripe is not installed")
pytestmark = pytest.mark.peers

KEY, SECRET = "sk_test_peer", "whsec_peer"
# What the client is told of a card payment that is made and confirmed at once.
CARD: Final = {
    "amount": 1999,
    "currency": "eur",
    "payment_method": "pm_card_visa",
    "payment_method_types": ["card"],
    "confirm": True,
}


@pytest.fixture
def simulator() -> StripeSimulator:
    return StripeSimulator(
        webhook_url="http://hub.test/hook", webhook_secret=SECRET, secret_key=KEY
    )


@pytest.fixture
def address(simulator: StripeSimulator) -> Iterator[str]:
    with opened(simulator) as port:
        yield f"http://127.0.0.1:{port}"


def connect(address: str, key: str = KEY) -> Any:
    """Their client, which would otherwise ask for a proxy and repeat by itself."""
    session = requests.Session()
    session.trust_env = False
    client = stripe.RequestsClient(session=session)
    made = stripe.StripeClient(
        key, base_addresses={"api": address}, http_client=client, max_network_retries=0
    )
    return made.v1


@pytest.fixture
def peer(address: str) -> Any:
    return connect(address)


def create(peer: Any, key: str, **fields: Any) -> Any:
    return peer.payment_intents.create({**CARD, **fields}, {"idempotency_key": key})


def test_the_peer_works_with_the_simulator(simulator: StripeSimulator, peer: Any) -> None:
    """Create, confirm, capture, cancel, refund, retrieve, search: it finds what it expects."""
    metadata = {"payment_id": "p1"}
    made = create(peer, "k1", confirm=False, metadata=metadata, capture_method="manual")
    held = peer.payment_intents.confirm(made.id)
    taken = peer.payment_intents.capture(made.id, {"amount_to_capture": 1500})
    refund = peer.refunds.create({"payment_intent": made.id, "amount": 300, "metadata": {"r": "1"}})
    given_up = peer.payment_intents.cancel(create(peer, "k2", capture_method="manual").id)
    read = peer.payment_intents.retrieve(made.id, {"expand": ["latest_charge"]})
    (found,) = peer.payment_intents.search({"query": "metadata['payment_id']:'p1'"}).data
    paged = list(peer.payment_intents.list({"limit": 1}).auto_paging_iter())

    assert "requires_confirmation requires_capture succeeded canceled".split() == [
        one.status for one in (made, held, taken, given_up)
    ]
    assert (1999, 1500, "eur") == (taken.amount, taken.amount_received, taken.currency)
    assert ("succeeded", 300, made.id) == (refund.status, refund.amount, refund.payment_intent)
    assert [refund.id] == [one.id for one in peer.refunds.list({"payment_intent": made.id}).data]
    assert "succeeded" == peer.refunds.retrieve(refund.id).status
    # What was not captured counts as refunded, as with Stripe.
    assert (1500, 300 + 499) == (
        read.latest_charge.amount_captured,
        read.latest_charge.amount_refunded,
    )
    assert (made.id, metadata) == (found.id, found.metadata.to_dict())
    assert [given_up.id, made.id] == [one.id for one in paged]
    assert {"p1": 1} == simulator.effects()["charge"]


def test_what_a_key_has_made_comes_again(simulator: StripeSimulator, peer: Any) -> None:
    """The same answer, marked as repeated; with other parameters their own exception."""
    metadata = {"payment_id": "p1"}
    first, second = (create(peer, "k1", metadata=metadata) for _ in range(2))
    refunds = [
        peer.refunds.create({"payment_intent": first.id}, {"idempotency_key": "r1"})
        for _ in range(2)
    ]

    assert first.last_response.body == second.last_response.body
    assert ["missing", "true"] == [
        one.last_response.headers.get("idempotent-replayed", "missing") for one in (first, second)
    ]
    assert refunds[0].id == refunds[1].id
    assert {"p1": 1} == simulator.effects()["charge"]
    with pytest.raises(stripe.IdempotencyError):
        create(peer, "k1", amount=2000)


def test_the_peer_understands_the_refusals(address: str, peer: Any) -> None:
    """Each becomes the client's own exception, with the reason that it reads from the body."""
    with pytest.raises(stripe.CardError) as declined:
        create(peer, "k1", payment_method="pm_card_chargeDeclinedInsufficientFunds")
    with pytest.raises(stripe.CardError):
        create(peer, "k1", payment_method="pm_card_chargeDeclinedInsufficientFunds")
    with pytest.raises(stripe.AuthenticationError):
        connect(address, "sk_test_wrong").payment_intents.list()
    with pytest.raises(stripe.InvalidRequestError) as missing:
        peer.payment_intents.retrieve("pi_nowhere")
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        create(peer, "k2", colour="red")
    paid = create(peer, "k3")
    with pytest.raises(stripe.InvalidRequestError) as state:
        peer.payment_intents.cancel(paid.id)
    with pytest.raises(stripe.InvalidRequestError) as above:
        peer.refunds.create({"payment_intent": paid.id, "amount": 2000})

    error = declined.value
    assert (402, "card_declined", "insufficient_funds") == (
        error.http_status,
        error.code,
        error.error.decline_code,
    )
    assert "requires_payment_method" == error.error.payment_intent.status
    assert ("resource_missing", 404) == (missing.value.code, missing.value.http_status)
    assert ("parameter_unknown", "colour") == (unknown.value.code, unknown.value.param)
    assert "payment_intent_unexpected_state" == state.value.code
    assert "amount" == above.value.param


def test_the_peer_believes_the_webhooks(simulator: StripeSimulator, peer: Any) -> None:
    """Our signature is theirs, and what they verify the adapter verifies and reads."""
    made = create(peer, "k1", metadata={"payment_id": "p1"})
    peer.refunds.create({"payment_intent": made.id, "amount": 300})
    now = time.time()
    deliveries = simulator.due(now=now + 1)
    port = ADAPTER.ports["webhooks"](Settings(secret_key=KEY, webhook_secrets=(SECRET,)))
    told = []
    for delivery in deliveries:
        body, signature = delivery.read(), delivery.headers["stripe-signature"]
        event = stripe.Webhook.construct_event(body, signature, SECRET)
        notification = Notification(headers=(("stripe-signature", signature),), body=body)
        port.verify(notification, now=now)
        assert {event.id} >= {one.event_id for one in port.read(notification)}
        told.append(event.type)

    print(f"\nstripe: {len(told)} webhooks verified by their client")
    assert "payment_intent.created payment_intent.succeeded charge.succeeded".split() == told[:3]
    assert ["refund.created", "charge.refunded"] == told[3:]
    assert told[::-1] == [one.type for one in peer.events.list({"limit": 10}).data]
    body, signature = deliveries[0].read(), deliveries[0].headers["stripe-signature"]
    for spoilt, secret in ((body + b" ", SECRET), (body, "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(spoilt, signature, secret)


def test_the_peer_reads_what_the_adapter_wrote(address: str, peer: Any) -> None:
    """Over a socket: held, captured, given back; and a payment of the peer is none of ours."""
    port = ADAPTER.ports["payments"](Settings(secret_key=KEY, base_url=address))
    ours = samples.payment(1, token="pm_card_visa", manual=True)
    create(peer, "other")
    with requests.Session() as session:
        session.trust_env = False
        send = over_requests(session, timeout_s=10)
        made = run(port.create_payment(ours, key="k"), send)
        found = run(port.find_payment(ours), send)
        ours = msgspec.structs.replace(ours, provider_ref=made.provider_ref)
        taken = run(port.capture_payment(ours, ours.amount, key="c"), send)
        refund = run(port.refund_payment(ours, "r1", samples.AMOUNTS[0], key="r"), send)
    row = peer.payment_intents.retrieve(made.provider_ref)
    (back,) = peer.refunds.list({"payment_intent": made.provider_ref}).data

    assert made == found
    assert (PaymentState.AUTHORISED, PaymentState.CAPTURED) == (made.state, taken.state)
    assert (1999, "eur", "succeeded") == (row.amount_received, row.currency, row.status)
    assert ours.payment_id == row.metadata["payment_id"]
    assert (refund.provider_ref, "r1") == (back.id, back.metadata["refund_id"])
