"""Reading back: a hint is a reason to look at the provider, and nothing more."""

import dataclasses
import json
from typing import Any

from gateway.model.event import ProviderEvent
from gateway.model.money import Money
from gateway.model.order import Order, OrderState
from gateway.model.payment import PaymentState, ProviderPayment
from gateway.ports.notification import Notification, Terms, Trust
from gateway.runtime.inbox import Delivery, Inbox
from tests.flows.stage import TENANT, Life, Stage, new_order

_S = PaymentState


class _Hints:
    """A provider that only names payments; what it says of them besides is a lie."""

    terms = Terms()

    def verify(self, notification: Notification, *, now: float) -> Trust:  # noqa: ARG002 - as the port has it
        return Trust.UNSIGNED

    def read(self, notification: Notification) -> tuple[ProviderEvent, ...]:
        named = json.loads(notification.body)
        nothing = Money(0, "EUR")
        lie = ProviderPayment(
            provider_ref="pi_lie",
            state=_S.SETTLED,
            amount=Money(1, "EUR"),
            captured=Money(1, "EUR"),
            refunded=nothing,
        )
        return (ProviderEvent(event_type="changed", payment=lie, hint=True, **named),)


async def _hint(life: Life, *, system: str = "stripe", times: int = 1, **named: Any) -> None:
    tenant = life.parts.hub.tenant(TENANT)
    receivers = {"stripe": _Hints(), "stripe_fr": _Hints()}
    life.parts.hub._tenants = {TENANT: dataclasses.replace(tenant, receivers=receivers)}
    inbox = Inbox(life.parts.database, queue=10)
    inbox.start()
    for number in range(times):
        body = json.dumps({"event_id": f"e{number}", **named}).encode()
        one = Delivery(
            tenant=TENANT,
            system=system,
            dedupe_key=f"hint:e{number}",
            body=body,
            traceparent="",
            hint=True,
        )
        await inbox.put(one)
    await inbox.stop()
    await life.apply()


async def _waiting(stage: Stage, life: Life, number: str) -> Order:
    order = await stage.submit(new_order(number, token="pm_card_authenticationRequired"))
    await stage.work_until(life, order, "WAITING")
    return order


async def _verdicts(stage: Stage) -> list[tuple[Any, ...]]:
    return await stage.rows("select state, reason from headrace.inbox order by seq")


async def _reads(stage: Stage) -> list[tuple[Any, ...]]:
    return await stage.rows(
        "select state, reason, code from headrace.flow where kind = 'sync_payment'"
    )


async def test_hint_brings_what_the_provider_says(stage: Stage, life: Life) -> None:
    """The order goes on by the provider's answer; the hint's own words leave no trace."""
    order = await _waiting(stage, life, "hint")
    payment = await stage.payment(order)
    stage.stripe.authenticate(payment.provider_ref, succeeds=True, now=stage.now())

    await _hint(life, payment_id=payment.payment_id, times=3)
    while await life.work():
        pass

    assert [("APPLIED", "read_back")] * 3 == await _verdicts(stage)
    assert [("COMPLETED", "", "")] == await _reads(stage)
    found = await stage.payment(order)
    assert (_S.CAPTURED, payment.provider_ref) == (found.state, found.provider_ref)
    assert OrderState.COMPLETED == (await stage.order(order.order_id)).state
    (flow,) = await stage.rows("select business_id from headrace.flow where kind = 'sync_payment'")
    assert flow[0].startswith(f"{payment.payment_id}:")


async def test_hint_about_nothing_new_changes_nothing(stage: Stage, life: Life) -> None:
    """By the provider's own reference; the payment waits as before."""
    order = await _waiting(stage, life, "same")
    payment = await stage.payment(order)

    await _hint(life, provider_ref=payment.provider_ref)
    while await life.work():
        pass

    assert payment == await stage.payment(order)
    assert "WAITING" == (await stage.state(order))[0]


async def test_hint_of_another_account_reads_nothing(stage: Stage, life: Life) -> None:
    """It cannot know the payment."""
    order = await _waiting(stage, life, "other")
    payment = await stage.payment(order)

    await _hint(life, payment_id=payment.payment_id, system="stripe_fr")

    assert [("PARKED", "integrity_mismatch")] == await _verdicts(stage)
    assert [] == await _reads(stage)


async def test_hint_about_what_we_do_not_know_comes_again(stage: Stage, life: Life) -> None:
    """It may have overtaken the answer to our own call."""
    await _hint(life, provider_ref="pi_unknown")

    assert [("NEW", "unknown_object")] == await _verdicts(stage)
    assert [] == await _reads(stage)


async def test_money_that_comes_after_the_end_is_for_a_person(stage: Stage, life: Life) -> None:
    """The order was cancelled; what is found at the provider has to be given back."""
    order = await stage.submit(new_order("late", token="pm_card_chargeDeclined"))
    await stage.finish(life, order)
    payment = await stage.payment(order)
    assert _S.FAILED == payment.state
    intent = stage.stripe._intents[payment.provider_ref]
    intent["status"], intent["last_payment_error"] = "requires_action", None
    stage.stripe.authenticate(payment.provider_ref, succeeds=True, now=stage.now())

    await _hint(life, payment_id=payment.payment_id)
    await life.work()

    assert [("PARKED", "in_doubt", "charged_after_end")] == await _reads(stage)
    assert _S.CAPTURED == (await stage.payment(order)).state
