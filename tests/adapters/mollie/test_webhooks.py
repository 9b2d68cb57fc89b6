"""The webhooks port of Mollie: signed, or a hint, and never one for the other."""

import hashlib
import hmac
from typing import Any

import msgspec
import pytest

from adapters.mollie import Settings
from adapters.mollie.webhooks import MollieWebhooks
from gateway.errors import Misconfigured, Rejected
from gateway.model.event import ProviderEvent
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import PaymentState
from gateway.ports.notification import Notification, Trust

BODY = (
    b'{"resource":"event","id":"event_1","type":"payment-link.paid","entityId":"pl_1",'
    b'"createdAt":"2026-01-01T00:00:00.0Z","amount":1999}'
)
M = MovementState
PAYMENT = {
    "resource": "payment",
    "id": "tr_1",
    "status": "paid",
    "amount": {"currency": "EUR", "value": "10.00"},
    "createdAt": "2026-01-01T00:00:00+00:00",
    "metadata": {"payment_id": "ours"},
}
PART = {"paymentId": "tr_1", "amount": {"currency": "EUR", "value": "3.00"}}

_CLASSIC = Notification(body=b"id=tr_d0b0E3EA3v")


def signed(secret: str, body: bytes = BODY, prefix: str = "sha256=") -> Notification:
    """A delivery as Mollie signs it."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Notification(headers=(("x-mollie-signature", prefix + digest),), body=body)


def port(*secrets: str) -> MollieWebhooks:
    return MollieWebhooks(Settings(api_key="test_1", webhook_secrets=secrets))


def test_signatures() -> None:
    """With or without the prefix, by any secret; in lower case, once."""
    for prefix in ("sha256=", ""):
        assert Trust.SIGNED is port("b", "a").verify(signed("a", prefix=prefix), now=0)
    for prefix in ("sha1=", "SHA256=", "sha256=sha256="):
        with pytest.raises(Rejected):
            port("a").verify(signed("a", prefix=prefix), now=0)


def test_a_wrong_signature_is_no_hint() -> None:
    """Whoever signs wrongly is not let in as somebody who does not sign."""
    forged = signed("wrong", body=_CLASSIC.body)
    with pytest.raises(Rejected):
        port("a").verify(forged, now=0)
    with pytest.raises(Rejected):
        port("a").verify(Notification(headers=(("x-mollie-signature", ""),), body=BODY), now=0)
    with pytest.raises(Misconfigured):
        port().verify(forged, now=0)


def test_classic_is_a_hint_with_or_without_secrets() -> None:
    """An id, and nothing else that could be believed."""
    for one in (port(), port("a")):
        assert Trust.UNSIGNED is one.verify(_CLASSIC, now=0)
    (event,) = port().read(_CLASSIC)
    assert ("tr_d0b0E3EA3v", "classic.tr", "tr_d0b0E3EA3v", True, True) == (
        event.event_id,
        event.event_type,
        event.provider_ref,
        event.hint,
        event.known,
    )
    assert None is event.payment


@pytest.mark.parametrize("body", [b"", b"id=", b"id=tr_", b"id=tr_1%0A2", b"x=1&id=tr_12", BODY])
def test_what_is_neither(body: bytes) -> None:
    """Refused."""
    with pytest.raises(Rejected) as refused:
        port("a").verify(Notification(body=body), now=0)

    assert "signature_missing" == refused.value.code


def test_types() -> None:
    """Of another family: kept, and marked as unknown."""
    (new,) = port().read(Notification(body=BODY.replace(b"payment-link.paid", b"loan.granted")))
    (old,) = port().read(Notification(body=b"id=zz_12"))

    assert [False, False] == [new.known, old.known]


def event(kind: str, thing: dict[str, Any] | None, **fields: Any) -> bytes:
    whole = {
        "resource": "event",
        "id": "event_1",
        "type": kind,
        "entityId": thing["id"] if thing else "tr_1",
        "createdAt": "2026-01-01T00:00:07+00:00",
        "_embedded": {"entity": thing} if thing else None,
        **fields,
    }
    return msgspec.json.encode(whole)


def read(kind: str, thing: dict[str, Any] | None, **fields: Any) -> ProviderEvent:
    (found,) = port("a").read(Notification(body=event(kind, thing, **fields)))
    return found


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("open", PaymentState.CREATED),
        ("pending", PaymentState.PENDING),
        ("authorized", PaymentState.AUTHORISED),
        ("paid", PaymentState.CAPTURED),
        ("canceled", PaymentState.CANCELLED),
        ("expired", PaymentState.FAILED),
        ("failed", PaymentState.FAILED),
    ],
)
def test_payments(status: str, state: PaymentState) -> None:
    """A signed event that carries the payment is believed; each status has its state."""
    found = read(f"payment.{status}", {**PAYMENT, "status": status})

    assert ("event_1", f"payment.{status}", "ours", "tr_1", False, 1_767_225_607.0) == (
        found.event_id,
        found.event_type,
        found.payment_id,
        found.provider_ref,
        found.hint,
        found.occurred_at,
    )
    assert found.payment is not None
    assert (state, ()) == (found.payment.state, found.movements)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("queued", M.PENDING),
        ("pending", M.PENDING),
        ("processing", M.PENDING),
        ("refunded", M.DONE),
        ("failed", M.UNDONE),
        ("canceled", M.UNDONE),
    ],
)
def test_refunds(status: str, state: MovementState) -> None:
    """A movement of the payment, under Mollie's id of the refund."""
    refund = {
        "resource": "refund",
        "id": "re_1",
        "status": status,
        "metadata": {"refund_id": "r1", "payment_id": "ours"},
    }
    found = read(f"refund.{status}", {**PART, **refund})

    (moved,) = found.movements
    assert ("ours", "tr_1", None, False) == (
        found.payment_id,
        found.provider_ref,
        found.payment,
        found.hint,
    )
    assert (MovementKind.REFUND, "re_1", state, Money(300, "EUR")) == (
        moved.kind,
        moved.ref,
        moved.state,
        moved.amount,
    )


@pytest.mark.parametrize(
    ("fields", "kind", "state", "reason"),
    [
        ({}, MovementKind.DISPUTE, M.DONE, ""),
        ({"reason": None, "reversedAt": None}, MovementKind.DISPUTE, M.DONE, ""),
        ({"reversedAt": "2026-01-02T00:00:00+00:00"}, MovementKind.DISPUTE, M.UNDONE, ""),
        ({"reason": {"code": "AM04"}}, MovementKind.RETURN, M.DONE, "AM04"),
    ],
)
def test_chargebacks(
    fields: dict[str, Any], kind: MovementKind, state: MovementState, reason: str
) -> None:
    """Money that was taken back; the bank's reason makes it a returned debit."""
    chargeback = {"resource": "chargeback", "id": "chb_1", **fields}
    found = read("chargeback.received", {**PART, **chargeback})

    amount = Money(300, "EUR")
    moved = Movement(kind=kind, ref="chb_1", state=state, amount=amount, reason_code=reason)
    assert ("", "tr_1", (moved,)) == (found.payment_id, found.provider_ref, found.movements)


@pytest.mark.parametrize(
    ("kind", "thing", "fields"),
    [
        ("payment.paid", None, {}),
        ("payment.paid", None, {"_embedded": {}}),
        ("payment-link.paid", {"resource": "payment-link", "id": "pl_1"}, {}),
    ],
)
def test_events_without_what_we_know_are_hints(
    kind: str, thing: dict[str, Any] | None, fields: dict[str, Any]
) -> None:
    """The object has to be read at Mollie, under the id that the event names."""
    found = read(kind, thing, **fields)

    assert (True, True, None, ()) == (found.hint, found.known, found.payment, found.movements)
    assert (thing or PAYMENT)["id"] == found.provider_ref


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "event_unexpected"),
        (b"[]", "event_unexpected"),
        (b"\xff", "event_unexpected"),
        (b"[" * 100_000, "event_unexpected"),
        (b'{"id":"event_1"}', "event_unexpected"),
        (event("payment.paid", {"id": "tr_1", "resource": "payment"}), "event_unexpected"),
        (event("payment.paid", PAYMENT, entityId="tr_2"), "event_unexpected"),
        (event("payment.paid", {**PAYMENT, "status": "thawing"}), "status_unknown"),
        (
            event("payment.paid", {**PAYMENT, "amount": {"currency": "EUR", "value": "1.001"}}),
            "unreadable",
        ),
    ],
)
def test_bodies_that_are_no_events(body: bytes, code: str) -> None:
    """What Mollie does not document is refused, with the kind of surprise."""
    with pytest.raises(Rejected) as refused:
        port("a").read(Notification(body=body))

    assert code == refused.value.code


def test_a_time_that_cannot_be_read_loses_no_event() -> None:
    """Nothing depends on it."""
    assert 0.0 == read("payment.paid", PAYMENT, createdAt="yesterday").occurred_at
