"""Notifications of Adyen: what is let in, and what is read from it."""

import json
from typing import Any

import msgspec
import pytest

from adapters.adyen import ADAPTER, Settings
from adapters.adyen.notices import FOR_A_PERSON, STANDARD, TOLD
from adapters.adyen.webhooks import AdyenWebhooks
from gateway.errors import Misconfigured, Rejected
from gateway.kit.signatures import base64_sha256
from gateway.model.event import ProviderEvent
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import CaptureMethod, PaymentState
from gateway.ports.notification import Notification, Trust

KEY = "5E" * 32
OLD = "A1" * 32
S = PaymentState
ITEM: dict[str, Any] = {
    "pspReference": "PSP1",
    "originalReference": "",
    "merchantAccountCode": "Acme",
    "merchantReference": "pay-1",
    "amount": {"value": 1999, "currency": "EUR"},
    "eventCode": "AUTHORISATION",
    "eventDate": "2026-01-01T01:00:00+01:00",
    "success": "true",
    "reason": "012345:1111:03/2030",
    "paymentMethod": "visa",
}


def port(*secrets: str) -> AdyenWebhooks:
    settings = Settings(api_key="k", merchant_account="Acme", webhook_secrets=secrets)
    made: AdyenWebhooks = ADAPTER.port("webhooks", settings)
    return made


def signed(key: str = KEY, **changes: Any) -> dict[str, Any]:
    item = ITEM | changes
    amount = item["amount"]
    text = ":".join(
        str(each)
        for each in (
            item["pspReference"],
            item["originalReference"],
            item["merchantAccountCode"],
            item["merchantReference"],
            amount.get("value", ""),
            amount.get("currency", ""),
            item["eventCode"],
            item["success"],
        )
    )
    signature = base64_sha256(bytes.fromhex(key), text.encode())
    given = {"hmacSignature": signature, **changes.get("additionalData", {})}
    return {**item, "additionalData": given}


def delivery(*items: dict[str, Any]) -> Notification:
    entries = [{"NotificationRequestItem": item} for item in items]
    return Notification(body=msgspec.json.encode({"live": "false", "notificationItems": entries}))


def read(code: str, success: str = "true", **changes: Any) -> ProviderEvent:
    fields = {"eventCode": code, "success": success, "pspReference": "MOD1"}
    theirs = {"originalReference": "PSP1"} if "originalReference" not in changes else {}
    (event,) = port(KEY).read(delivery(signed(**fields, **theirs, **changes)))
    return event


def test_every_item_is_verified() -> None:
    """With the new key or with the old one, and one false item refuses them all."""
    webhooks = port(KEY, OLD)

    assert Trust.SIGNED is webhooks.verify(delivery(signed(), signed(OLD)), now=0)
    with pytest.raises(Rejected):
        webhooks.verify(delivery(signed(), signed("B2" * 32)), now=0)
    with pytest.raises(Misconfigured):
        port().verify(delivery(signed()), now=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pspReference", "PSP2"),
        ("originalReference", "PSP1"),
        ("merchantAccountCode", "Other"),
        ("merchantReference", "pay-2"),
        ("amount", {"value": 1, "currency": "EUR"}),
        ("amount", {"value": 1999, "currency": "USD"}),
        ("eventCode", "CAPTURE"),
        ("success", "false"),
    ],
)
def test_touched_item_is_refused(name: str, value: Any) -> None:
    """Whatever is signed; and what decides nothing may change."""
    webhooks = port(KEY)
    with pytest.raises(Rejected):
        webhooks.verify(delivery(signed() | {name: value}), now=0)
    for free in ("reason", "eventDate", "paymentMethod"):
        webhooks.verify(delivery(signed() | {free: "anything"}), now=0)


def test_simulator_signs_as_adyen_does(account: Any, payment: Any) -> None:
    """Genuine for its own key only."""
    account.run(account.payments.create_payment(payment(), key="k"))
    (one,) = account.notifications()

    with pytest.raises(Rejected):
        port("B2" * 32).verify(one, now=0)


@pytest.mark.parametrize(
    ("reference", "state", "captured"),
    [("pay-1", S.CAPTURED, 1999), ("pay-1-hold", S.AUTHORISED, 0)],
)
def test_authorisation_is_a_collection_unless_it_is_held(
    reference: str, state: PaymentState, captured: int
) -> None:
    """The signed reference says which; nothing that is not signed is asked."""
    event = read(
        "AUTHORISATION",
        originalReference="",
        merchantReference=reference,
        additionalData={"captureDelayHours": "7"},
    )

    assert event.payment is not None
    assert (state, captured) == (event.payment.state, event.payment.captured.minor)
    assert ("pay-1", "MOD1", "MOD1") == (
        event.payment_id,
        event.provider_ref,
        event.payment.provider_ref,
    )
    assert (1_767_225_600.0, True, False) == (event.occurred_at, event.known, event.hint)


@pytest.mark.parametrize(
    ("code", "success", "state"),
    [
        ("CANCELLATION", "true", S.CANCELLED),
        ("TECHNICAL_CANCEL", "true", S.CANCELLED),
        ("EXPIRE", "true", S.CANCELLED),
        ("OFFER_CLOSED", "true", S.FAILED),
        ("AUTHORISATION", "false", S.FAILED),
        ("CANCELLATION", "false", None),
        ("TECHNICAL_CANCEL", "false", None),
        ("CAPTURE", "true", None),
    ],
)
def test_payment_is_told_of(code: str, success: str, state: PaymentState | None) -> None:
    """Its reference is that of the payment, whatever the notification's own is."""
    event = read(code, success)

    assert state == (event.payment.state if event.payment else None)
    assert "PSP1" == event.provider_ref


@pytest.mark.parametrize(
    ("code", "success", "kind", "ref", "state"),
    [
        ("CAPTURE", "true", MovementKind.CAPTURE, "MOD1", MovementState.DONE),
        ("CAPTURE", "false", MovementKind.CAPTURE, "MOD1", MovementState.UNDONE),
        ("CAPTURE_FAILED", "true", MovementKind.CAPTURE, "MOD1", MovementState.UNDONE),
        ("REFUND", "true", MovementKind.REFUND, "MOD1", MovementState.DONE),
        ("REFUND", "false", MovementKind.REFUND, "MOD1", MovementState.UNDONE),
        ("REFUND_FAILED", "true", MovementKind.REFUND, "MOD1", MovementState.UNDONE),
        ("REFUNDED_REVERSED", "true", MovementKind.REFUND, "MOD1", MovementState.UNDONE),
        ("NOTIFICATION_OF_CHARGEBACK", "true", MovementKind.DISPUTE, "MOD1", MovementState.PENDING),
        ("CHARGEBACK", "true", MovementKind.DISPUTE, "MOD1", MovementState.DONE),
        ("CHARGEBACK_REVERSED", "true", MovementKind.DISPUTE, "MOD1", MovementState.UNDONE),
        ("SECOND_CHARGEBACK", "true", MovementKind.DISPUTE, "MOD1-2", MovementState.DONE),
    ],
)
def test_money_is_told_of(
    code: str, success: str, kind: MovementKind, ref: str, state: MovementState
) -> None:
    """Each under Adyen's reference of it, with the bank's reason where there is one."""
    event = read(code, success, additionalData={"chargebackReasonCode": " 4853"})

    expected = Movement(
        kind=kind, ref=ref, state=state, amount=Money(1999, "EUR"), reason_code="4853"
    )
    assert (expected,) == event.movements
    assert event.payment is None
    assert "PSP1" == event.provider_ref


def test_refund_brings_its_own_reference() -> None:
    """Ours of the refund, which is no payment's."""
    assert "" == read("REFUND", merchantReference="refund-1").payment_id
    assert "" == read("REFUND_FAILED", merchantReference="refund-1").payment_id
    assert "pay-1" == read("CAPTURE").payment_id


@pytest.mark.parametrize(
    ("action", "state", "moved"),
    [("cancel", S.CANCELLED, 0), ("refund", None, 1), ("", None, 0), ("dance", None, 0)],
)
def test_either_is_one_of_two(action: str, state: PaymentState | None, moved: int) -> None:
    """Whoever cancels or refunds in the Customer Area gets what was possible."""
    event = read("CANCEL_OR_REFUND", additionalData={"modification.action": action})

    assert state == (event.payment.state if event.payment else None)
    assert moved == len(event.movements)


def test_amounts_are_in_adyens_units() -> None:
    """700 krona are 70,000 at Adyen."""
    event = read("CAPTURE", amount={"value": 70_000, "currency": "ISK"})

    assert Money(700, "ISK") == event.movements[0].amount


@pytest.mark.parametrize(
    "amount",
    [
        {"value": 70_001, "currency": "ISK"},
        {"value": -1, "currency": "EUR"},
        {"value": 1, "currency": "ZZZ"},
        {"value": "1999", "currency": "EUR"},
    ],
)
def test_amount_that_cannot_be_is_not_read(amount: dict[str, Any]) -> None:
    """The row is kept for a person."""
    with pytest.raises(Rejected) as refused:
        read("CAPTURE", amount=amount)

    assert "unreadable" == refused.value.code


def test_items_of_other_accounts_say_nothing() -> None:
    """One endpoint may be told of all accounts of a company."""
    event = read("CAPTURE", merchantAccountCode="Other")

    assert (None, (), True) == (event.payment, event.movements, event.known)


def test_what_may_mean_money_and_is_not_read_goes_to_a_person() -> None:
    """Neither lost nor guessed; a type that nobody told us of just the same."""
    assert FOR_A_PERSON <= STANDARD
    assert TOLD <= STANDARD - FOR_A_PERSON
    for code in sorted(FOR_A_PERSON | {"SOMETHING_NEW"}):
        event = read(code)
        assert (None, (), False) == (event.payment, event.movements, event.known), code
    for code in sorted(STANDARD - FOR_A_PERSON - TOLD):
        event = read(code, amount={})
        assert (None, (), True) == (event.payment, event.movements, event.known), code


def test_each_of_many_can_be_read_alone() -> None:
    """From the bytes that are kept of it."""
    webhooks = port(KEY)
    events = webhooks.read(delivery(signed(), signed(eventCode="CAPTURE", pspReference="CAP1")))

    assert ["AUTHORISATION:PSP1:true", "CAPTURE:CAP1:true"] == [one.event_id for one in events]
    for event in events:
        (again,) = webhooks.read(Notification(body=event.alone))
        assert event == msgspec.structs.replace(again, alone=event.alone)
        assert Trust.SIGNED is webhooks.verify(Notification(body=event.alone), now=0)


def test_moment_that_cannot_be_read_is_none() -> None:
    """It is not signed, so nothing depends on it; without a zone it is in UTC."""
    assert 0.0 == read("CAPTURE", eventDate="soon").occurred_at
    assert 1_767_225_600.0 == read("CAPTURE", eventDate="2026-01-01T00:00:00").occurred_at


def test_platform_events_are_hints() -> None:
    """Nobody translates them yet, and nobody believes them."""
    body = json.dumps({"type": "balancePlatform.transfer.updated", "data": {"id": "TR1"}}).encode()
    (event,) = port(KEY).read(Notification(body=body))

    assert (True, True, "TR1") == (event.hint, event.known, event.provider_ref)


def test_a_life_by_notifications_alone(account: Any, payment: Any) -> None:
    """Held, captured in part, refunded, claimed: the hub knows what Adyen knows."""
    ours = payment(capture_method=CaptureMethod.MANUAL)
    account.run(account.payments.create_payment(ours, key="k"))
    ours = account.hear(ours)
    assert S.AUTHORISED is ours.state
    account.run(account.payments.capture_payment(ours, Money(1500, "EUR"), key="c"))
    ours = account.hear(ours)
    assert (S.CAPTURED, 1500) == (ours.state, ours.captured.minor)
    account.run(account.payments.refund_payment(ours, "refund-1", Money(500, "EUR"), key="r"))
    reference = f"{ours.payment_id}-hold"
    dispute = account.simulator.report("CHARGEBACK", reference, 700, now=account.now)
    ours = account.hear(ours)
    assert (500, 700) == (ours.refunded.minor, ours.returned.minor)
    account.simulator.report("CHARGEBACK_REVERSED", reference, 700, now=account.now, of=dispute)
    assert 0 == account.hear(ours).returned.minor
