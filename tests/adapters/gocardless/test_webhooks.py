"""The webhooks port of GoCardless: what is let in, and what each event says of the money."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.gocardless import Settings
from adapters.gocardless.webhooks import KNOWN, GoCardlessWebhooks
from gateway.errors import Misconfigured, Rejected
from gateway.model.event import About, ProviderEvent
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import PaymentState
from gateway.model.reference import EntityKind
from gateway.ports.notification import Notification, Trust
from tests.adapters.gocardless.conformance import signed
from tests.adapters.gocardless.conftest import NOW, SECRET

S, M = PaymentState, MovementState
PRICE = Money(1999, "EUR")
OURS = {"payment_id": "ours", "order_id": "o", "amount": "19.99 EUR"}
BACK = {"payment_id": "ours", "refund_id": "r", "amount": "5.00 EUR"}


def port(*secrets: str) -> GoCardlessWebhooks:
    return GoCardlessWebhooks(Settings(access_token="t", webhook_secrets=secrets or (SECRET,)))


def event(kind: str, action: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": "EV1",
        "created_at": "2026-01-01T00:00:00.500Z",
        "resource_type": kind,
        "action": action,
        "links": {"payment": "PM1"} if kind == "payments" else {"refund": "RF1"},
        "details": {"origin": "gocardless", "cause": f"cause_of_{action}"},
        "metadata": {},
        "resource_metadata": OURS if kind == "payments" else BACK,
        **fields,
    }


def read(*events: dict[str, Any]) -> tuple[ProviderEvent, ...]:
    return port().read(Notification(body=msgspec.json.encode({"events": events})))


def one(kind: str, action: str, **fields: Any) -> ProviderEvent:
    (found,) = read(event(kind, action, **fields))
    return found


def test_signature_of_the_bytes() -> None:
    """Of any of our secrets, of any age; it has no time in it."""
    body = b'{"events":[]}'
    delivery = signed("new", body)

    assert Trust.SIGNED is port("old", "new").verify(delivery, now=NOW)
    assert Trust.SIGNED is port("new").verify(delivery, now=NOW + 1e9)
    for other in (
        signed("old", body),
        msgspec.structs.replace(delivery, body=body + b" "),
        msgspec.structs.replace(delivery, headers=()),
        Notification(
            headers=(("webhook-signature", delivery.header("webhook-signature").upper()),),
            body=body,
        ),
    ):
        with pytest.raises(Rejected) as caught:
            port("new").verify(other, now=NOW)
        assert "signature_invalid" == caught.value.code
    with pytest.raises(Misconfigured):
        GoCardlessWebhooks(Settings(access_token="t", webhook_secrets=(" ",))).verify(
            delivery, now=NOW
        )


def test_answers_that_gocardless_wants() -> None:
    """204 for what is kept, and 498 for a wrong signature."""
    refused = port().terms.refused

    assert refused is not None
    assert (204, 498) == (port().terms.kept.status, refused.status)


@pytest.mark.parametrize(
    ("action", "state", "captured"),
    [
        ("created", S.CREATED, 0),
        ("customer_approval_granted", S.PENDING, 0),
        ("customer_approval_denied", S.FAILED, 0),
        ("submitted", S.PENDING, 0),
        ("confirmed", S.CAPTURED, 1999),
        ("paid_out", S.SETTLED, 1999),
        ("cancelled", S.CANCELLED, 0),
    ],
)
def test_progress_of_a_payment(action: str, state: Any, captured: int) -> None:
    """The event has no amount; ours stands in the metadata that it repeats."""
    found = one("payments", action)

    assert ("EV1", f"payments.{action}", "ours", "PM1", 1767225600.5) == (
        found.event_id,
        found.event_type,
        found.payment_id,
        found.provider_ref,
        found.occurred_at,
    )
    assert found.payment is not None
    assert (state, PRICE, Money(captured, "EUR"), "PM1") == (
        found.payment.state,
        found.payment.amount,
        found.payment.captured,
        found.payment.provider_ref,
    )
    assert (state is S.FAILED) == (found.payment.failure is not None)
    assert ((), False) == (found.movements, found.hint)


@pytest.mark.parametrize(
    ("action", "details", "state", "moved"),
    [
        ("failed", {"cause": "x", "will_attempt_retry": False}, S.FAILED, ("PM1", M.DONE)),
        ("failed", {"cause": "x"}, S.FAILED, ("PM1", M.DONE)),
        ("failed", {"cause": "x", "will_attempt_retry": True}, S.PENDING, None),
        ("resubmission_requested", {"cause": "payment_autoretried"}, S.PENDING, None),
        ("resubmission_requested", {"cause": "payment_retried"}, S.PENDING, ("PM1", M.UNDONE)),
        ("late_failure_settled", {"cause": "x"}, S.SETTLED, ("PM1.late_failure", M.DONE)),
        ("charged_back", {"cause": "x"}, S.CAPTURED, ("PM1.chargeback", M.DONE)),
        ("chargeback_settled", {"cause": "x"}, S.SETTLED, ("PM1.chargeback", M.DONE)),
        ("chargeback_cancelled", {"cause": "x"}, S.CAPTURED, ("PM1.chargeback", M.UNDONE)),
    ],
)
def test_money_that_comes_back(
    action: str, details: dict[str, Any], state: Any, moved: tuple[str, Any] | None
) -> None:
    """A return with its cause; none while GoCardless itself tries again."""
    found = one("payments", action, details=details)

    expected = moved and Movement(
        kind=MovementKind.RETURN,
        ref=moved[0],
        state=moved[1],
        amount=PRICE,
        reason_code=details["cause"],
    )
    assert found.payment is not None
    assert state is found.payment.state
    assert ((expected,) if expected else ()) == found.movements


def test_cause_and_not_the_code_of_the_bank() -> None:
    """reason_code differs by bank and scheme; the cause is GoCardless's own word."""
    details = {"cause": "insufficient_funds", "reason_code": "ARUDD-0", "scheme": "bacs"}
    found = one("payments", "failed", details=details)

    assert found.payment is not None
    assert found.payment.failure is not None
    assert ("insufficient_funds", True) == (
        found.payment.failure.code,
        found.payment.failure.retryable,
    )
    assert "insufficient_funds" == found.movements[0].reason_code


@pytest.mark.parametrize(
    ("action", "state", "reason"),
    [
        ("created", M.PENDING, ""),
        ("paid", M.DONE, ""),
        ("refund_settled", M.DONE, ""),
        ("failed", M.UNDONE, "cause_of_failed"),
        ("funds_returned", M.UNDONE, "cause_of_funds_returned"),
    ],
)
def test_refunds(action: str, state: Any, reason: str) -> None:
    """A refund that comes back takes its amount with it."""
    found = one("refunds", action)

    moved = Movement(
        kind=MovementKind.REFUND,
        ref="RF1",
        state=state,
        amount=Money(500, "EUR"),
        reason_code=reason,
    )
    assert ("ours", None, (moved,)) == (found.payment_id, found.payment, found.movements)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"payment_id": "ours"},
        {"payment_id": "ours", "amount": "19.99"},
        {"payment_id": "ours", "amount": "19.999 EUR"},
        {"payment_id": "ours", "amount": "-19.99 EUR"},
        {"payment_id": "ours", "amount": "0.00 EUR"},
        {"payment_id": "ours", "amount": 1999},
        {"payment_id": 7, "amount": "19.99 EUR"},
        {"amount": "19.99 EUR"},
    ],
)
def test_payment_that_does_not_say_our_amount(metadata: dict[str, Any]) -> None:
    """Made elsewhere, or touched: a hint, to be read before anything is believed."""
    for kind in ("payments", "refunds"):
        found = one(kind, "failed", resource_metadata=metadata)
        assert (True, None, ()) == (found.hint, found.payment, found.movements)


@pytest.mark.parametrize(
    ("kind", "action", "marks"),
    [
        ("payments", "surcharge_fee_debited", {"known"}),
        ("payments", "danced", set()),
        ("refunds", "danced", set()),
        ("mandates", "cancelled", {"known"}),
        ("payouts", "paid", {"known"}),
        ("castles", "built", set()),
    ],
)
def test_what_is_no_money_of_a_payment(kind: str, action: str, marks: set[str]) -> None:
    """Kept and reported; what nobody told us of is for a person and breaks nothing else."""
    found, beside = read(event(kind, action), {**event("payments", "confirmed"), "id": "EV2"})

    assert marks == {name for name in ("known", "hint") if getattr(found, name)}
    assert (None, ()) == (found.payment, found.movements)
    assert beside.payment is not None


def test_hundreds_of_events_in_one_delivery() -> None:
    """Each is a row of its own, and can be read again from itself alone."""
    events = [
        {**event("payments", "confirmed"), "id": f"EV{number}", "links": {"payment": f"PM{number}"}}
        for number in range(250)
    ]
    found = read(*events)

    assert [f"EV{number}" for number in range(250)] == [each.event_id for each in found]
    assert [f"PM{number}" for number in range(250)] == [each.provider_ref for each in found]
    for each in found[::50]:
        (again,) = port().read(Notification(body=each.alone))
        assert msgspec.structs.replace(each, alone=b"") == again


@pytest.mark.parametrize("moment", ["", "yesterday", "2026-01-01T00:00:00"])
def test_times_that_are_none(moment: str) -> None:
    """A time says nothing about the money; without zone it is in UTC."""
    found = one("payments", "confirmed", created_at=moment)

    assert (1767225600.0 if moment.startswith("2026") else 0.0) == found.occurred_at


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b"\xff", "malformed"),
        (b'{"events":[' + b"[" * 100_000, "malformed"),
        (b"[]", "event_unexpected"),
        (b"{}", "event_unexpected"),
        (b'{"events":[{"id":"EV1"}]}', "event_unexpected"),
        (b'{"events":[{"id":1,"resource_type":"payments","action":"x"}]}', "event_unexpected"),
    ],
)
def test_bodies_that_are_no_events(body: bytes, code: str) -> None:
    """What GoCardless does not document is refused, with the kind of surprise."""
    with pytest.raises(Rejected) as caught:
        port().read(Notification(body=body))

    assert code == caught.value.code


def test_vendors_own_examples(contracts: Path) -> None:
    """The deliveries and events of the vendor's fixtures are read."""
    folder = contracts / "payments" / "gocardless" / "fixtures"
    if not folder.is_dir():
        pytest.skip("contracts not found")
    delivery = (folder / "webhook_body.json").read_bytes()
    listed = json.loads((folder / "events.json").read_text(encoding="utf-8"))

    found = port().read(Notification(body=delivery))
    again = read(*listed["list"]["body"]["events"])

    assert ["subscriptions.created", "mandates.created"] == [each.event_type for each in found]
    assert {"mandates.cancelled"} == {each.event_type for each in again}
    assert all(each.known for each in (*found, *again))
    assert {each.event_type.partition(".")[0] for each in (*found, *again)} <= KNOWN


@pytest.mark.parametrize(
    ("kind", "entity"),
    [("mandates", EntityKind.MANDATE), ("billing_requests", EntityKind.MANDATE_REQUEST)],
)
def test_events_of_our_mandates_are_reasons_to_look(kind: str, entity: EntityKind) -> None:
    """By our id, whatever they say; those of others mean nothing."""
    for action in ("created", "fulfilled", "cancelled", "danced"):
        ours = one(kind, action, links={}, resource_metadata={"mandate_id": "m-1"})
        assert (About(entity=entity, entity_id="m-1"), True) == (ours.about, ours.known)
        for metadata in ({}, {"mandate_id": ""}, {"mandate_id": 7}, {"payment_id": "p"}):
            theirs = one(kind, action, links={"mandate": "MD1"}, resource_metadata=metadata)
            assert (None, False) == (theirs.about, theirs.hint)
