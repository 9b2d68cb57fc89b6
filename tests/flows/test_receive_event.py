"""Receiving events: what a provider's word may change, and which word is for a person."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
from structlog.testing import LogCapture

from gateway.model.event import ProviderEvent
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.order import Order
from gateway.model.payment import Payment, PaymentState, ProviderPayment
from gateway.ports.notification import Notification, Terms, Trust
from gateway.runtime.inbox import Delivery, Inbox
from tests.flows.stage import TENANT, Life, Stage, new_order

_S: Final = PaymentState
_MONEY: Final = Money(2000, "EUR")


class _Words:
    """A provider that sends several events in one delivery, each as a line of JSON."""

    terms = Terms()

    def verify(self, notification: Notification, *, now: float) -> Trust:  # noqa: ARG002 - as the port has it
        """Everything is genuine; signatures are tested elsewhere."""
        return Trust.SIGNED

    def read(self, notification: Notification) -> tuple[ProviderEvent, ...]:
        """One event for each line."""
        return tuple(_event(**json.loads(line)) for line in notification.body.splitlines())


def _event(
    event_id: str,
    payment_id: str = "",
    ref: str = "",
    state: str = "CAPTURED",
    minor: int = 2000,
    currency: str = "EUR",
    captured: int | None = None,
    refunded: int = 0,
    moved: str = "",
) -> ProviderEvent:
    collected = minor if captured is None else captured
    if moved:
        movement = Movement(
            kind=MovementKind(moved),
            ref="m1",
            state=MovementState(state if state != "CAPTURED" else "PENDING"),
            amount=Money(minor, currency),
        )
        return ProviderEvent(
            event_id=event_id,
            event_type=f"{moved.lower()}.{state.lower()}",
            payment_id=payment_id,
            provider_ref=ref,
            movements=(movement,),
        )
    return ProviderEvent(
        event_id=event_id,
        event_type=f"payment.{state.lower()}",
        payment_id=payment_id,
        provider_ref=ref,
        payment=ProviderPayment(
            provider_ref=ref,
            state=PaymentState(state),
            amount=Money(minor, currency),
            captured=Money(collected, currency),
            refunded=Money(refunded, currency),
        ),
    )


def _hear(life: Life) -> None:
    """The tenant's payment system speaks in lines from now on."""
    spoken = {"stripe": _Words(), "stripe_fr": _Words()}
    tenant = dataclasses.replace(life.parts.hub.tenant(TENANT), receivers=spoken)
    life.parts.hub._tenants = {TENANT: tenant}


async def _say(
    life: Life, *words: Mapping[str, Any], keys: tuple[str, ...] = (), system: str = "stripe"
) -> None:
    """Put one delivery into the inbox, a row for each event, and apply what is due."""
    body = b"\n".join(json.dumps(word).encode() for word in words)
    inbox = Inbox(life.parts.database, queue=10)
    inbox.start()
    for key in keys or [word["event_id"] for word in words]:
        await inbox.put(
            Delivery(tenant=TENANT, system=system, dedupe_key=key, body=body, traceparent="")
        )
    await inbox.stop()
    await life.apply()


async def _verdicts(stage: Stage) -> list[tuple[Any, ...]]:
    return await stage.rows("select dedupe_key, state, reason from headrace.inbox order by seq")


async def _waiting(stage: Stage, life: Life, number: str) -> tuple[Order, Payment]:
    """An order whose flow waits for the provider's word; the provider is heard in lines."""
    order = await stage.submit(new_order(number, token="pm_card_authenticationRequired"))
    await stage.work_until(life, order, "WAITING")
    _hear(life)
    return order, await stage.payment(order)


# --- several events in one delivery ----------------------------------------------------------


async def test_every_event_of_a_delivery_is_applied(stage: Stage, life: Life) -> None:
    """A provider that sends two events in one body has both heard, each in its own row."""
    one, first = await _waiting(stage, life, "one")
    two, second = await _waiting(stage, life, "two")

    await _say(
        life,
        {"event_id": "evt_1", "payment_id": first.payment_id, "ref": first.provider_ref},
        {"event_id": "evt_2", "payment_id": second.payment_id, "ref": second.provider_ref},
    )

    assert [
        ("evt_1", "APPLIED", "payment.captured"),
        ("evt_2", "APPLIED", "payment.captured"),
    ] == await _verdicts(stage)
    assert [_S.CAPTURED] * 2 == [(await stage.payment(order)).state for order in (one, two)]


async def test_event_whose_key_is_a_hash_is_found(stage: Stage, life: Life) -> None:
    """The consumer makes keys of ids just as the receiver does."""
    order, payment = await _waiting(stage, life, "hash")
    strange = {"event_id": "évt", "payment_id": payment.payment_id}
    key = hashlib.sha256("évt".encode()).hexdigest()

    await _say(life, {"event_id": "evt_1"}, strange, keys=(key, "neither"))

    assert [
        (key, "APPLIED", "payment.captured"),
        ("neither", "PARKED", "event_not_found"),
    ] == await _verdicts(stage)
    assert _S.CAPTURED == (await stage.payment(order)).state


async def test_only_event_of_a_body_is_meant_under_any_key(stage: Stage, life: Life) -> None:
    """A body that an older version could not read was kept under the body's hash."""
    order, payment = await _waiting(stage, life, "only")

    await _say(life, {"event_id": "evt_1", "payment_id": payment.payment_id}, keys=("sha",))

    assert [("sha", "APPLIED", "payment.captured")] == await _verdicts(stage)
    assert _S.CAPTURED == (await stage.payment(order)).state


# --- words that cannot be about this payment -------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"ref": "pi_another"},
        {"currency": "SEK"},
        {"currency": "SEK", "moved": "DISPUTE"},
        {"minor": 2001, "moved": "DISPUTE"},
        {"minor": 1999},
        {"minor": 2001, "captured": 2000},
        {"state": "SETTLED", "minor": 1},
    ],
    ids=[
        "reference",
        "currency",
        "currency_disputed",
        "more_disputed",
        "less",
        "more",
        "less_settled",
    ],
)
async def test_word_about_another_payment_completes_nothing(
    stage: Stage, life: Life, wrong: dict[str, Any]
) -> None:
    """Our id with a reference, a currency or an amount that is not ours: a person has to look."""
    order, payment = await _waiting(stage, life, "wrong")
    word = {"event_id": "e", "payment_id": payment.payment_id, "ref": payment.provider_ref}

    await _say(life, word | wrong)
    await life.work()

    assert [("e", "PARKED", "integrity_mismatch")] == await _verdicts(stage)
    assert payment == await stage.payment(order)
    assert "WAITING" == (await stage.state(order))[0]
    assert [(order.order_id,)] == await stage.rows("select business_id from headrace.inbox")


async def test_word_of_another_account_completes_nothing(stage: Stage, life: Life) -> None:
    """A second account of the same product cannot speak for the payments of the first."""
    order, payment = await _waiting(stage, life, "account")

    await _say(life, {"event_id": "e", "payment_id": payment.payment_id}, system="stripe_fr")

    assert [("e", "PARKED", "integrity_mismatch")] == await _verdicts(stage)
    assert payment == await stage.payment(order)


async def test_dispute_names_the_disputed_amount(stage: Stage, life: Life) -> None:
    """A part may be disputed, won or lost; that amount is not the payment's."""
    order, payment = await _waiting(stage, life, "dispute")
    word = {"payment_id": payment.payment_id, "ref": payment.provider_ref}

    await _say(life, word | {"event_id": "e1"})
    for number, state in enumerate(("PENDING", "UNDONE", "PENDING"), start=2):
        claim = {"event_id": f"e{number}", "state": state, "minor": 500, "moved": "DISPUTE"}
        await _say(life, word | claim)
    await _say(life, word | {"event_id": "e5", "state": "DONE", "minor": 500, "moved": "RETURN"})

    assert {"APPLIED"} == {state for _, state, _ in await _verdicts(stage)}
    disputed = await stage.payment(order)
    assert (_S.CAPTURED, _MONEY, 500, 0) == (
        disputed.state,
        disputed.captured,
        disputed.returned.minor,
        disputed.disputed.minor,
    )


# --- money that comes when nobody waits for it -----------------------------------------------


async def _ended(stage: Stage, life: Life) -> tuple[Order, dict[str, Any]]:
    """An order that was cancelled because its card was declined, and the start of a word."""
    order = await stage.submit(new_order("late", token="pm_card_chargeDeclined"))
    await stage.finish(life, order)
    await stage.rows("delete from headrace.inbox")
    _hear(life)
    payment = await stage.payment(order)
    assert (_S.FAILED, "CANCELLED") == (payment.state, (await stage.state(order))[0])
    return order, {"payment_id": payment.payment_id, "ref": payment.provider_ref}


async def test_late_money_is_for_a_person(stage: Stage, life: Life, logs: LogCapture) -> None:
    """The payment says what is true, and somebody is told to give the money back."""
    order, word = await _ended(stage, life)

    await _say(life, word | {"event_id": "e"})

    assert [("e", "PARKED", "charged_after_end")] == await _verdicts(stage)
    payment = await stage.payment(order)
    assert (_S.CAPTURED, _MONEY) == (payment.state, payment.captured)
    (said,) = [one for one in logs.entries if one["event"] == "payment.charged_after_end"]
    ((seq,),) = await stage.rows("select seq from headrace.inbox")
    assert {
        "event": "payment.charged_after_end",
        "log_level": "error",
        "tenant": TENANT,
        "business_id": order.order_id,
        "payment_id": payment.payment_id,
        "seq": seq,
    } == said


async def test_late_money_is_told_once(stage: Stage, life: Life) -> None:
    """Further words about the same money, and the row once it is tried again, mean nothing new."""
    _order, word = await _ended(stage, life)

    await _say(life, word | {"event_id": "e1"}, word | {"event_id": "e2"})
    await stage.rows("update headrace.inbox set state = 'NEW' where dedupe_key = 'e1'")
    await life.apply()

    assert ["APPLIED", "APPLIED"] == [state for _, state, _ in await _verdicts(stage)]


async def test_late_money_that_was_given_back_is_nobodys_work(stage: Stage, life: Life) -> None:
    """A word that brings charge and refund at once leaves nothing to give back."""
    order, word = await _ended(stage, life)

    await _say(life, word | {"event_id": "e", "refunded": 2000})

    assert [("e", "APPLIED", "payment.captured")] == await _verdicts(stage)
    assert _MONEY == (await stage.payment(order)).refunded


@pytest.mark.parametrize(
    "end",
    [
        "update headrace.document set state = 'REJECTED' where id = %s",
        "update headrace.document set state = 'CANCELLED' where id = %s",
        "update headrace.flow set state = 'CANCELLED' where business_id = %s",
    ],
    ids=["order_rejected", "order_cancelled", "flow_cancelled"],
)
async def test_each_end_alone_makes_money_late(stage: Stage, life: Life, end: str) -> None:
    """Either the order or its flow says that nobody waits for the money any more."""
    order, payment = await _waiting(stage, life, "refused")
    await stage.rows(end, order.order_id)

    await _say(life, {"event_id": "e", "payment_id": payment.payment_id})

    assert [("e", "PARKED", "charged_after_end")] == await _verdicts(stage)


async def test_money_in_time_is_no_late_money(stage: Stage, life: Life) -> None:
    """While the flow waits a charge is what was wanted, and so is all that follows it."""
    order, payment = await _waiting(stage, life, "time")
    word = {"payment_id": payment.payment_id, "ref": payment.provider_ref}

    await _say(life, word | {"event_id": "e1"})
    await life.work()
    await _say(life, word | {"event_id": "e2", "state": "SETTLED"})

    assert "COMPLETED" == (await stage.state(order))[0]
    assert ["APPLIED", "APPLIED"] == [state for _, state, _ in await _verdicts(stage)]
