"""The webhooks port of Stripe: what is let in, and what is read from it."""

from typing import Any

import msgspec
import pytest

from adapters.stripe import Settings
from adapters.stripe.webhooks import StripeWebhooks
from gateway.errors import Misconfigured, Rejected
from gateway.kit.signatures import hex_sha256
from gateway.model.event import ProviderEvent
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import PaymentState
from gateway.ports.notification import Notification

NOW = 1_767_225_600
OURS = "whsec_a"
BODY = b'{"id":"evt_1","object":"event"}'
S = PaymentState
M = MovementState


def port(*secrets: str, tolerance_s: int = 300) -> StripeWebhooks:
    return StripeWebhooks(
        Settings(secret_key="sk_test", webhook_secrets=secrets, tolerance_s=tolerance_s)
    )


def signature(secret: str = OURS, at: int = NOW, body: bytes = BODY) -> str:
    return hex_sha256(secret.encode(), b"%d.%s" % (at, body))


def verify(header: str, webhooks: StripeWebhooks, body: bytes = BODY, now: float = NOW) -> None:
    headers = (("stripe-signature", header),)
    webhooks.verify(Notification(headers=headers, body=body), now=now)


@pytest.mark.parametrize(
    ("header", "secrets"),
    [
        (f"t={NOW},v1={signature()}", ["whsec_a"]),
        (f"t={NOW},v1={signature()}", ["whsec_b", "whsec_a"]),
        (f"t={NOW},v1={'0' * 64},v1={signature()}", ["whsec_a"]),
        (f"t={NOW},v0={'0' * 64},v1={signature()}", ["whsec_a"]),
        (f"t={NOW - 300},v1={signature(at=NOW - 300)}", ["whsec_a"]),
        (f"t={NOW + 86_400},v1={signature(at=NOW + 86_400)}", ["whsec_a"]),
    ],
)
def test_genuine_deliveries(header: str, secrets: list[str]) -> None:
    """Any of our secrets and any v1 will do; only age is checked."""
    verify(header, port(*secrets))


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "signature_missing"),
        ("abc", "signature_missing"),
        (f"v1={signature()}", "signature_missing"),
        (f"t,v1={signature()}", "signature_missing"),
        (f"t=soon,v1={signature()}", "signature_missing"),
        (f"t={NOW}", "signature_invalid"),
        (f"t={NOW},v1", "signature_missing"),
        (f"t={NOW},v1=", "signature_invalid"),
        (f"t={NOW},v0={signature()}", "signature_invalid"),
        (f"t={NOW}, v1={signature()}", "signature_invalid"),
        (f"t={NOW},v1={signature().upper()}", "signature_invalid"),
        (f"t={NOW},v1={signature()[:-2]}", "signature_invalid"),
        (f"t={NOW},v1={signature('whsec_b')}", "signature_invalid"),
        (f"t={NOW - 1},v1={signature()}", "signature_invalid"),
        (f"t={NOW},v1={signature(body=BODY + b' ')}", "signature_invalid"),
        (f"t={NOW - 301},v1={signature(at=NOW - 301)}", "signature_stale"),
        (f"t={NOW},v1=ä", "signature_invalid"),
    ],
)
def test_forged_deliveries(header: str, code: str) -> None:
    """Whatever is not exactly a v1 signature of these bytes in time is refused."""
    with pytest.raises(Rejected) as refused:
        verify(header, port("whsec_a"))

    assert code == refused.value.code


@pytest.mark.parametrize("secrets", [[], [""], [" \n"]])
def test_without_a_secret_nothing_is_accepted(secrets: list[str]) -> None:
    """An endpoint without a secret refuses even what is signed with the empty one."""
    empty = secrets[0] if secrets else ""

    with pytest.raises(Misconfigured):
        verify(f"t={NOW},v1={signature(empty)}", port(*secrets))


def test_any_age_where_the_check_is_off() -> None:
    """A tolerance of 0 accepts any age, and a signature is still needed."""
    verify(f"t=1,v1={signature(at=1)}", port("whsec_a", tolerance_s=0))

    with pytest.raises(Rejected):
        verify(f"t=2,v1={signature(at=1)}", port("whsec_a", tolerance_s=0))


def event(kind: str, thing: dict[str, Any]) -> bytes:
    return msgspec.json.encode(
        {"id": "evt_1", "object": "event", "type": kind, "created": 7, "data": {"object": thing}}
    )


def read(kind: str, **thing: Any) -> ProviderEvent:
    (found,) = port("whsec_a").read(Notification(body=event(kind, thing)))
    return found


INTENT = {
    "id": "pi_1",
    "amount": 1000,
    "amount_received": 0,
    "currency": "eur",
    "created": 1,
    "status": "succeeded",
    "metadata": {"payment_id": "ours"},
}
CHARGE = {
    "id": "ch_1",
    "amount": 1000,
    "amount_captured": 1000,
    "amount_refunded": 300,
    "captured": True,
    "currency": "eur",
    "payment_intent": "pi_1",
    "metadata": {"payment_id": "ours"},
}
DISPUTE = {"id": "dp_1", "amount": 400, "currency": "eur", "payment_intent": "pi_1", "metadata": {}}


@pytest.mark.parametrize(
    ("kind", "fields", "state"),
    [
        ("payment_intent.created", {"status": "requires_payment_method"}, S.CREATED),
        ("payment_intent.created", {"status": "requires_confirmation"}, S.CREATED),
        ("payment_intent.requires_action", {"status": "requires_action"}, S.REQUIRES_ACTION),
        ("payment_intent.processing", {"status": "processing"}, S.PENDING),
        ("payment_intent.amount_capturable_updated", {"status": "requires_capture"}, S.AUTHORISED),
        ("payment_intent.succeeded", {"amount_received": 1000}, S.CAPTURED),
        ("payment_intent.canceled", {"status": "canceled"}, S.CANCELLED),
        (
            "payment_intent.payment_failed",
            {
                "status": "requires_payment_method",
                "last_payment_error": {"code": "card_declined", "decline_code": "lost_card"},
            },
            S.FAILED,
        ),
    ],
)
def test_payment_intents(kind: str, fields: dict[str, Any], state: Any) -> None:
    """Every status has its state; one that was never tried is not a failure."""
    found = read(kind, **{**INTENT, **fields})

    assert ("evt_1", kind, "ours", "pi_1", 7.0) == (
        found.event_id,
        found.event_type,
        found.payment_id,
        found.provider_ref,
        found.occurred_at,
    )
    assert found.payment is not None
    assert (state, state is S.FAILED) == (found.payment.state, found.payment.failure is not None)


@pytest.mark.parametrize(
    ("fields", "state", "captured", "refunded"),
    [
        ({}, S.CAPTURED, 1000, 300),
        ({"amount_refunded": 1000}, S.CAPTURED, 1000, 1000),
        ({"amount_captured": 400, "amount_refunded": 600}, S.CAPTURED, 400, 0),
        ({"amount_captured": 400, "amount_refunded": 700}, S.CAPTURED, 400, 100),
        ({"amount_captured": 400, "amount_refunded": 100}, S.CAPTURED, 400, 100),
        ({"captured": False, "amount_captured": 0, "amount_refunded": 1000}, S.CANCELLED, 0, 0),
        ({"captured": False, "amount_captured": 0, "amount_refunded": 0}, S.AUTHORISED, 0, 0),
    ],
)
def test_refunded_charges(fields: dict[str, Any], state: Any, captured: int, refunded: int) -> None:
    """Money given back is told from an authorisation that was released."""
    found = read("charge.refunded", **{**CHARGE, **fields})

    assert ("ours", "pi_1") == (found.payment_id, found.provider_ref)
    assert found.payment is not None
    assert (state, Money(captured, "EUR"), Money(refunded, "EUR")) == (
        found.payment.state,
        found.payment.captured,
        found.payment.refunded,
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("needs_response", M.PENDING),
        ("under_review", M.PENDING),
        ("won", M.UNDONE),
        ("lost", M.DONE),
        ("warning_needs_response", None),
    ],
)
def test_disputes(status: str, state: Any) -> None:
    """A dispute claims a part of the money; an inquiry moves nothing."""
    found = read("charge.dispute.created", **DISPUTE, status=status)

    claim = Movement(kind=MovementKind.DISPUTE, ref="dp_1", state=state, amount=Money(400, "EUR"))
    assert ("pi_1", None) == (found.provider_ref, found.payment)
    assert ((claim,) if state else ()) == found.movements


@pytest.mark.parametrize(
    ("kind", "status", "state"),
    [
        ("refund.created", "pending", M.PENDING),
        ("charge.refund.updated", "succeeded", M.DONE),
        ("refund.failed", "failed", M.UNDONE),
    ],
)
def test_refunds(kind: str, status: str, state: Any) -> None:
    """A refund that fails after all takes its amount with it."""
    about = {"id": "re_1", "amount": 300, "currency": "eur", "created": 1, "payment_intent": "pi_1"}
    found = read(kind, **about, status=status)

    (moved,) = found.movements
    assert (None, MovementKind.REFUND, "re_1", state, Money(300, "EUR")) == (
        found.payment,
        moved.kind,
        moved.ref,
        moved.state,
        moved.amount,
    )


@pytest.mark.parametrize(
    ("kind", "thing", "provider_ref"),
    [
        ("payout.failed", {"id": "po_1"}, ""),
        ("review.opened", {"id": "prv_1", "payment_intent": "pi_1", "metadata": {}}, "pi_1"),
        ("charge.succeeded", {"payment_intent": {"id": "pi_1"}, "metadata": []}, ""),
    ],
)
def test_other_events_are_kept(kind: str, thing: dict[str, Any], provider_ref: str) -> None:
    """A type that means nothing to us is an event without a payment, never an error."""
    found = read(kind, **thing)

    assert (None, (), provider_ref) == (found.payment, found.movements, found.provider_ref)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b"\xff", "malformed"),
        (b"[]", "event_unexpected"),
        (b'{"id":"evt_1"}', "event_unexpected"),
        (event("payment_intent.succeeded", {"id": "pi_1"}), "event_unexpected"),
        (event("payment_intent.succeeded", {**INTENT, "status": "new"}), "status_unknown"),
        (event("charge.dispute.closed", {**DISPUTE, "status": "new"}), "status_unknown"),
        (
            event("payment_intent.succeeded", {**INTENT, "currency": "isk", "amount": 5}),
            "unreadable",
        ),
    ],
)
def test_bodies_that_are_no_events(body: bytes, code: str) -> None:
    """What Stripe does not document is refused, with the kind of surprise."""
    with pytest.raises(Rejected) as refused:
        port("whsec_a").read(Notification(body=body))

    assert code == refused.value.code


@pytest.mark.parametrize(
    ("kind", "known"),
    [("payout.failed", True), ("loan.granted", False), ("", False), ("payment_intents.x", False)],
)
def test_types_of_families_that_nobody_has_heard_of(kind: str, known: bool) -> None:  # noqa: FBT001 - expected value
    """Are marked, so that they are reported and kept."""
    assert known is read(kind, id="x").known
