"""Placing an order, whatever the other systems, the provider and the customer do."""

import hashlib
import hmac
import json
from typing import Any, Final

import httpx
import pytest
from structlog.testing import LogCapture

from gateway.kit.simulator import FaultKind
from gateway.model.payment import PaymentState
from gateway.runtime.story import Story
from gateway.runtime.worker import Flow
from tests.flows.stage import Life, Stage, new_order

_SOLD: Final = {"account": 1, "opportunity": 1, "business_partner": 1, "sales_order": 1}


def _event_of(request: httpx.Request) -> str:
    return str(json.loads(request.read())["type"])


# --- the five orders of the demo -------------------------------------------------------------


async def test_accepted_order_is_charged_and_confirmed(stage: Stage, life: Life) -> None:
    """One of each: account, opportunity, business partner, sales order, charge."""
    order = await stage.submit(new_order("accepted"))

    await stage.finish(life, order)

    assert _SOLD | {"charge": 1} == stage.effects_of(order)
    assert "COMPLETED" == (await stage.order(order.order_id)).state
    assert PaymentState.CAPTURED == (await stage.payment(order)).state


async def test_order_that_risk_refuses_touches_no_system(stage: Stage, life: Life) -> None:
    """A refusal is a result: the flow ends well, and nothing was sent anywhere."""
    order = await stage.submit(new_order("refused", country="RU"))

    await stage.finish(life, order)

    assert [] == stage.wire.requests
    assert ("COMPLETED", "") == await stage.state(order)
    stored = await stage.order(order.order_id)
    assert ("REJECTED", "COUNTRY_NOT_SERVED") == (stored.state, stored.cancel_reason)


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.TIMEOUT_AFTER])
async def test_lost_payment_answer_is_found(stage: Stage, life: Life, kind: FaultKind) -> None:
    """The charge happened and its answer did not come: it is looked up, not repeated."""
    order = await stage.submit(new_order("lost"))
    stage.lose_payment_answer(order, kind)

    await stage.finish(life, order)

    assert _SOLD | {"charge": 1} == stage.effects_of(order)
    assert "found" == (await stage.steps(order))["payments.create_payment"]["outcome"]


async def test_flow_of_a_dead_worker_goes_on(stage: Stage) -> None:
    """A worker that was abandoned mid-way loses its flow to the next one, with its journal."""
    order = await stage.submit(new_order("orphan"))
    dying = stage.life()
    life = await dying.__aenter__()
    assert 1 == await life.worker._claim()
    await life.abandon()
    await stage.expire_leases()

    async with stage.life() as heir:
        await stage.finish(heir, order)

    assert _SOLD | {"charge": 1} == stage.effects_of(order)
    await life.parts.wire.aclose()
    life.parts.telemetry.close()


async def test_erp_that_is_down_parks_the_flow_and_is_waited_for(stage: Stage, life: Life) -> None:
    """The flow parks with a moment to go on by itself, each pause longer than the last."""
    order = await stage.submit(new_order("down"))
    stage.lay("sap", FaultKind.STATUS, status=503, retry_after_s=0, count=-1)
    pauses = []
    for _ in range(3):
        await life.work()
        flow = await stage.flow(order)
        assert ("PARKED", "unavailable") == (flow["state"], flow["reason"])
        ((seconds,),) = await stage.rows(
            "select extract(epoch from resume_at - now())::float8 from headrace.flow"
        )
        pauses.append(seconds)
        await stage.pass_time()
    assert pauses[0] < pauses[1] < pauses[2]

    stage.wire.faults["sap"].clear()
    await stage.finish(life, order)

    assert ("COMPLETED", "") == await stage.state(order)
    assert _SOLD | {"charge": 1} == stage.effects_of(order)


# --- the provider's word: late, early, twice, never ------------------------------------------


async def test_webhook_that_never_comes_is_replaced_by_a_look_up(stage: Stage, life: Life) -> None:
    """After the patience the payment is looked up, and that confirms it."""
    order = await stage.submit(new_order("silent"))

    await stage.finish(life, order, webhooks=False)

    assert "COMPLETED" == (await stage.order(order.order_id)).state
    steps = await stage.steps(order)
    assert "timeout" == steps["payment.ended.1"]["outcome"]
    assert "done" == steps["payments.find_payment.ended.1"]["outcome"]


async def test_customer_who_does_not_act_is_given_up(stage: Stage, life: Life) -> None:
    """The payment is cancelled before the order is, so nobody can use it later."""
    token = "pm_card_authenticationRequired"
    order = await stage.submit(new_order("action", token=token))

    await stage.finish(life, order)

    assert _SOLD | {"sales_order_cancelled": 1} == stage.effects_of(order)
    assert PaymentState.CANCELLED == (await stage.payment(order)).state
    assert "CANCELLED" == (await stage.order(order.order_id)).state


async def test_customer_who_acts_in_time_is_charged(stage: Stage, life: Life) -> None:
    """An answer to the bank's question while the flow waits ends in the charge."""
    order = await stage.submit(new_order("acts", token="pm_card_authenticationRequired"))
    await stage.work_until(life, order, "WAITING")

    reference = (await stage.payment(order)).provider_ref
    stage.stripe.authenticate(reference, succeeds=True, now=stage.now())
    await stage.finish(life, order)

    assert _SOLD | {"charge": 1} == stage.effects_of(order)
    assert "COMPLETED" == (await stage.order(order.order_id)).state


async def test_sepa_debit_is_waited_for_over_several_rounds(stage: Stage, life: Life) -> None:
    """Each round waits anew: a time-out in one round is not a time-out in the next."""
    order = await stage.submit(new_order("sepa", method_code="sepa_debit", token="pm_success_de"))
    stage.stripe.configure(settle_s=1000.0)
    for number in (1, 2, 3):
        await stage.work_until(life, order, "WAITING")
        await stage.deliver()
        await life.apply()
        assert f"payment.ended.{number}" == (await stage.flow(order))["step"]
        await stage.pass_time()
        await life.work()

    stage.offset_s = 2000.0
    await stage.finish(life, order)

    assert _SOLD | {"charge": 1} == stage.effects_of(order)
    assert "COMPLETED" == (await stage.order(order.order_id)).state


async def test_debit_that_bounces_cancels_the_order(stage: Stage, life: Life) -> None:
    """The bank refuses days later, and the sales order is taken back."""
    stage.stripe.configure(settle_s=10.0)
    order = await stage.submit(new_order("bounce", method_code="sepa_debit", token="pm_failed_de"))
    await stage.work_until(life, order, "WAITING")

    stage.offset_s = 20.0
    await stage.finish(life, order)

    assert _SOLD | {"sales_order_cancelled": 1} == stage.effects_of(order)
    assert PaymentState.FAILED == (await stage.payment(order)).state


async def test_webhook_that_overtakes_the_answer_is_not_lost(stage: Stage, life: Life) -> None:
    """The event is applied before the answer is; the flow finds it there and does not wait."""
    order = await stage.submit(new_order("early"))
    answer = stage.wire.handle_async_request

    async def overtake(request: httpx.Request) -> httpx.Response:
        response = await answer(request)
        if request.url.path == "/v1/payment_intents":
            assert 0 < await stage.deliver()
            assert 0 < await life.apply()
        return response

    stage.wire.handle_async_request = overtake  # type: ignore[method-assign] # an interleaving
    assert 1 == await life.work()

    assert ("COMPLETED", "") == await stage.state(order)
    assert _SOLD | {"charge": 1} == stage.effects_of(order)


async def test_duplicate_and_reordered_webhooks_change_nothing(stage: Stage, life: Life) -> None:
    """Every event twice and backwards: one row each, one event of ours for each change."""
    order = await stage.submit(new_order("twice"))
    await stage.work_until(life, order, "WAITING")
    deliveries = stage.stripe.due(now=stage.now())
    for request in [*reversed(deliveries), *deliveries]:
        assert 200 == await stage.deliver_one(request)

    await stage.finish(life, order)

    assert [(len(deliveries),)] == await stage.rows("select count(*) from headrace.inbox")
    assert [("headrace.payment.created.v1",), ("headrace.payment.captured.v1",)] == (
        await stage.rows(
            "select type from headrace.outbox where aggregate = 'payment' order by seq"
        )
    )


async def test_webhook_of_an_unknown_payment_is_kept_and_parked(stage: Stage, life: Life) -> None:
    """It may have overtaken our own record, so it is tried again before a person is asked."""
    order = await stage.submit(new_order("known"))
    await stage.work_until(life, order, "WAITING")
    await stage.rows("delete from headrace.document where kind = 'payment'")
    await stage.deliver(deliver=lambda one: _event_of(one) == "payment_intent.succeeded")

    tries = 0
    while await life.apply():
        tries += 1
        await stage.pass_time()

    assert 6 == tries
    assert [("PARKED", "unknown_object", 6)] == await stage.rows(
        "select state, reason, tries from headrace.inbox"
    )


async def test_body_that_cannot_be_read_is_kept_for_a_person(stage: Stage, life: Life) -> None:
    """A genuine signature over nonsense is answered with success and parked."""
    body = b'{"id": "evt_1", "type": 7}'
    signed_at = int(stage.now())
    signature = hmac.new(b"whsec_stage", b"%d.%s" % (signed_at, body), hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={signed_at},v1={signature}"}
    url = "http://hub/webhooks/acme/stripe"

    assert 200 == await stage.deliver_one(httpx.Request("POST", url, headers=headers, content=body))
    await life.apply()

    assert [("PARKED", "event_unexpected", body)] == await stage.rows(
        "select state, reason, body from headrace.inbox"
    )


async def test_webhook_with_a_bad_signature_is_refused(stage: Stage) -> None:
    """Nothing is kept of what anybody could have sent."""
    url = "http://hub/webhooks/acme/stripe"
    headers = {"Stripe-Signature": f"t={int(stage.now())},v1=00"}

    assert 401 == await stage.deliver_one(
        httpx.Request("POST", url, headers=headers, content=b"{}")
    )

    assert [(0,)] == await stage.rows("select count(*) from headrace.inbox")


# --- stops: what resumes by itself, and what waits for a person ------------------------------


async def test_doubt_is_looked_up_until_it_is_resolved(stage: Stage, life: Life) -> None:
    """Neither failed nor repeated: the flow sleeps, looks again, and finds the charge."""
    order = await stage.submit(new_order("doubt"))
    stage.lose_payment_answer(order)
    stage.lay("stripe", FaultKind.STATUS, method="GET", status=500, count=-1)
    await life.work()
    assert ("PARKED", "in_doubt") == await stage.state(order)
    await stage.pass_time()
    await life.work()
    assert ("PARKED", "in_doubt") == await stage.state(order)

    stage.wire.faults["stripe"].clear()
    await stage.finish(life, order)

    assert _SOLD | {"charge": 1} == stage.effects_of(order)
    assert "found" == (await stage.steps(order))["payments.create_payment"]["outcome"]


async def test_doubt_that_outlasts_the_janitor_is_a_persons(stage: Stage, life: Life) -> None:
    """After the last look-up nothing is due any more; the flow is not failed."""
    order = await stage.submit(new_order("forever"))
    stage.lay("stripe", FaultKind.TIMEOUT_BEFORE, method="POST", count=-1)
    looks = 0
    for _ in range(20):
        looks += await life.work()
        await stage.pass_time()

    flow = await stage.flow(order)
    assert ("PARKED", "in_doubt", None) == (flow["state"], flow["reason"], flow["resume_at"])
    assert 1 + len(stage.configuration.tenants["acme"].patience.in_doubt_s) == looks


async def test_outage_that_outlasts_the_patience_is_a_persons(stage: Stage, life: Life) -> None:
    """A system that stays away for longer than the tenant waits is reported, not polled."""
    order = await stage.submit(new_order("away"))
    stage.lay("sap", FaultKind.STATUS, status=503, retry_after_s=0, count=-1)
    await life.work()
    await stage.rows("update headrace.flow set paused_at = paused_at - interval '2 days'")
    await stage.pass_time()
    await life.work()

    flow = await stage.flow(order)
    assert ("PARKED", "unavailable", None) == (flow["state"], flow["reason"], flow["resume_at"])


async def test_rejection_parks_for_a_person(stage: Stage, life: Life) -> None:
    """Asking again changes nothing, so nothing is asked again."""
    order = await stage.submit(new_order("material", product_id="UNKNOWN-1"))
    for _ in range(3):
        await life.work()
        await stage.pass_time()

    flow = await stage.flow(order)
    assert ("PARKED", "rejected", "erp.create_sales_order", None) == (
        flow["state"],
        flow["reason"],
        flow["step"],
        flow["resume_at"],
    )
    assert {"account": 1, "opportunity": 1, "business_partner": 1} == stage.effects_of(order)


async def test_misconfiguration_parks_for_a_person(stage: Stage, life: Life) -> None:
    """We are wrong: the flow waits for whoever can change that."""
    order = await stage.submit(new_order("key"))
    stage.lay("stripe", FaultKind.STATUS, status=401, count=-1)

    await life.work()

    assert ("PARKED", "misconfigured") == await stage.state(order)


async def test_defect_parks_its_flow_and_no_other(
    stage: Stage, life: Life, logs: LogCapture
) -> None:
    """An exception in the story ends neither the flow nor the worker, and leaks no text."""
    sound, place_order = await stage.submit(new_order("sound")), stage.flows["place_order"]
    broken = await stage.submit(new_order("broken"))

    async def stumble(story: Story) -> str:
        if story.business_id == broken.order_id:
            raise ZeroDivisionError("Müller has no money")
        return await place_order.run(story)

    stage.flows["place_order"] = Flow(kind="place_order", queue="interactive", run=stumble)
    await stage.finish(life, sound)

    assert ("PARKED", "defect") == await stage.state(broken)
    assert ("COMPLETED", "") == await stage.state(sound)
    assert "Müller" not in json.dumps(await stage.flow(broken), ensure_ascii=False)
    assert ["flow.defect"] == [one["event"] for one in logs.entries if one["log_level"] == "error"]


async def test_unknown_kind_is_left_for_a_newer_version(stage: Stage, life: Life) -> None:
    """In a rolling deployment the old version puts it back, and the new one runs it by itself."""
    order = await stage.submit(new_order("newer"))
    place_order = stage.flows.pop("place_order")
    await life.work()
    flow = await stage.flow(order)
    assert ("PARKED", "unknown_flow") == (flow["state"], flow["reason"])
    assert flow["resume_at"] is not None

    stage.flows["place_order"] = place_order
    await stage.finish(life, order)

    assert ("COMPLETED", "") == await stage.state(order)


async def test_review_waits_for_a_person(stage: Stage, life: Life) -> None:
    """Nobody has decided by the end of the time: refused, not forgotten."""
    order = await stage.submit(new_order("review", price="40000.00"))
    await stage.work_until(life, order, "WAITING")
    assert "RISK_REVIEW" == (await stage.order(order.order_id)).state

    await stage.finish(life, order)

    stored: Any = await stage.order(order.order_id)
    assert ("REJECTED", "review_expired") == (stored.state, stored.cancel_reason)
