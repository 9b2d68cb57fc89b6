"""Ways in which money was doubled, kept or forgotten once; each was proved before it was mended."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
import psycopg
import pytest

from adapters.stripe import simulator_objects
from gateway.kit.simulator import FaultKind
from gateway.model.order import Order
from gateway.runtime.tracing import FlowTracer
from tests.flows.stage import Life, Stage, new_order

_DAY_S = 86_400


async def _cancel(stage: Stage, life: Life, order: Order) -> None:
    flow = await stage.flow(order)
    await stage.operator(life).cancel(flow["flow_id"], reason="not wanted")


@pytest.mark.parametrize("step", ["erp.create_sales_order", "erp.upsert_business_partner"])
async def test_retry_after_the_key_is_forgotten_does_not_charge_again(
    stage: Stage, life: Life, step: str
) -> None:
    """Stripe forgets keys after a day; what an operator repeats is looked up first."""
    order = await stage.submit(new_order("retried"))
    await stage.work_until(life, order, "WAITING")
    stage.offset_s += 2 * _DAY_S

    flow = await stage.flow(order)
    await stage.operator(life).retry_from(flow["flow_id"], step, reason="deleted in SAP")
    await stage.finish(life, order)

    assert 1 == stage.effects_of(order)["charge"]


async def test_debit_that_succeeds_while_it_is_cancelled_is_given_back(
    stage: Stage, life: Life
) -> None:
    """A debit under way cannot be cancelled; the cancellation waits and then refunds it."""
    debit = new_order("debit", method_code="sepa_debit", token="pm_success_de")
    order = await stage.submit(debit)
    await stage.work_until(life, order, "WAITING")
    await _cancel(stage, life, order)
    await life.work()
    assert ("WAITING", "") == await stage.state(order)

    stage.offset_s += 10 * _DAY_S
    await stage.finish(life, order)

    effects = stage.effects_of(order)
    assert (1, 1) == (effects["charge"], effects["refund"])


async def test_refund_that_fails_asks_a_person(
    stage: Stage, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refund the provider could not pay out is not taken for one that it did."""
    real = simulator_objects.new_refund

    def failed(*arguments: Any) -> dict[str, Any]:
        return real(*arguments) | {"status": "failed", "failure_reason": "lost_or_stolen_card"}

    monkeypatch.setattr(simulator_objects, "new_refund", failed)
    order = await stage.submit(new_order("unrefunded"))
    await stage.work_until(life, order, "WAITING")
    await _cancel(stage, life, order)
    for _ in range(4):
        await life.work()

    assert ("PARKED", "rejected") == await stage.state(order)
    assert "refund_failed" == (await stage.flow(order))["code"]


async def test_cancel_in_doubt_waits_until_the_search_has_caught_up(
    stage: Stage, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not found yet is no proof: the charge shows up later and is given back."""
    order = await stage.submit(new_order("lagging"))
    stage.lose_payment_answer(order)
    stage.stripe.configure(search_lag_s=60.0)
    await life.work()
    assert ("PARKED", "in_doubt") == await stage.state(order)

    await _cancel(stage, life, order)
    await life.work()
    assert ("PARKED", "in_doubt") == await stage.state(order)
    stage.offset_s += 120
    await stage.finish(life, order, webhooks=False)

    effects = stage.effects_of(order)
    assert (1, 1) == (effects["charge"], effects["refund"])


async def test_customer_who_acts_in_the_last_moment_gets_his_order(
    stage: Stage, life: Life
) -> None:
    """The provider refuses to cancel; the order goes on, however often the flow is run again."""
    order = await stage.submit(new_order("late", token="pm_card_authenticationRequired"))
    await stage.work_until(life, order, "WAITING")
    intent = (await stage.payment(order)).provider_ref

    async def act_before_cancel(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/cancel"):
            stage.stripe.authenticate(intent, succeeds=True, now=stage.now())
        return await serve(request)

    serve = stage.wire.handle_async_request
    stage.wire.handle_async_request = act_before_cancel  # type: ignore[method-assign] # the bank
    await stage.pass_time()
    await life.work()
    await stage.expire_leases()
    await stage.finish(life, order)

    assert "COMPLETED" == (await stage.order(order.order_id)).state
    assert 1 == stage.effects_of(order)["charge"]


async def test_money_that_comes_while_the_order_is_cancelled_is_given_back(
    stage: Stage, life: Life
) -> None:
    """A declined payment that is charged after all, before the order has ended."""
    order = await stage.submit(new_order("afterwards", token="pm_card_chargeDeclined"))
    stage.lay("sap", FaultKind.STATUS, status=503, method="PATCH", count=-1)
    await life.work()
    assert ("PARKED", "unavailable") == await stage.state(order)

    intent = stage.stripe._intents[(await stage.payment(order)).provider_ref]
    stage.stripe._charge(intent, stage.now())
    stage.wire.faults["sap"].clear()
    await stage.settle(life)
    await stage.finish(life, order)

    effects = stage.effects_of(order)
    assert (1, 1, 1) == (effects["charge"], effects["refund"], effects["sales_order_cancelled"])
    assert "CANCELLED" == (await stage.order(order.order_id)).state


async def test_resumed_review_goes_on_waiting(stage: Stage, life: Life) -> None:
    """A nudge is no decision: the customer's order is not refused by it."""
    order = await stage.submit(new_order("review", price="40000.00"))
    await stage.work_until(life, order, "WAITING")

    flow = await stage.flow(order)
    await stage.operator(life).resume(flow["flow_id"], reason="go on please")
    for _ in range(3):
        await life.work()

    assert "RISK_REVIEW" == (await stage.order(order.order_id)).state


async def test_suspend_whose_reply_is_lost_is_not_repeated(stage: Stage) -> None:
    """Once it is committed the run may be another worker's: repeating it made two sales orders."""
    order = await stage.submit(new_order("replied"))
    stage.lay("sap", FaultKind.STATUS, status=503, method="POST", path="A_SalesOrder", count=3)
    async with stage.life() as first, stage.life() as second, stage.life() as third:
        lost, go_on = _lose_suspend(first)
        one = asyncio.create_task(first.work())
        await lost.wait()
        await stage.pass_time()
        inside, answer = _hold_sales_order(stage)
        stage.wire.faults["sap"].clear()
        two = asyncio.create_task(second.work())
        await inside.wait()
        go_on.set()
        await one
        await stage.pass_time()
        three = asyncio.create_task(third.work())
        await asyncio.wait({three}, timeout=2)
        answer.set()
        await asyncio.gather(two, three)

    assert 1 == stage.effects_of(order)["sales_order"]


def _lose_suspend(life: Life) -> tuple[asyncio.Event, asyncio.Event]:
    """The commit of the first suspend happens; its reply is lost when the second event says so."""
    real: Callable[[Sequence[Any]], Awaitable[Any]] = life.parts.journal._commit
    lost, go_on = asyncio.Event(), asyncio.Event()

    async def commit(calls: Sequence[Any]) -> Any:
        rows = await real(calls)
        if not lost.is_set() and any("schedule_run" in one.sql for call in calls for one in call):
            lost.set()
            await go_on.wait()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return rows

    life.parts.journal._writes._write = commit
    return lost, go_on


def _hold_sales_order(stage: Stage) -> tuple[asyncio.Event, asyncio.Event]:
    """The next sales order is under way from the first event to the second."""
    inside, answer = asyncio.Event(), asyncio.Event()
    serve = stage.wire.handle_async_request

    async def hold(request: httpx.Request) -> httpx.Response:
        if "A_SalesOrder" in str(request.url) and request.method == "POST" and not inside.is_set():
            inside.set()
            await answer.wait()
        return await serve(request)

    stage.wire.handle_async_request = hold  # type: ignore[method-assign] # a slow system
    return inside, answer


async def test_reasons_that_take_turns_reach_a_person(stage: Stage, life: Life) -> None:
    """A step that is now in doubt, now unavailable, does not stand for ever."""
    order = await stage.submit(new_order("turns"))
    for number in range(6):
        stage.wire.faults["sap"].clear()
        if number % 2:
            stage.lay("sap", FaultKind.STATUS, status=503, method="GET", count=-1)
        else:
            stage.lay("sap", FaultKind.TIMEOUT_BEFORE, path="A_SalesOrder", method="POST")
        await life.work()
        await stage.sql.execute(
            "update headrace.flow set paused_at = paused_at - interval '10 days'"
        )
        await stage.pass_time()

    assert "PARKED" == (await stage.flow(order))["state"]
    assert (await stage.flow(order))["resume_at"] is None


async def test_retry_after_of_a_thousand_years_is_not_believed(stage: Stage, life: Life) -> None:
    """A system that asks for absurd pauses is asked again within the patience."""
    order = await stage.submit(new_order("absurd"))
    stage.lay("sap", FaultKind.STATUS, status=503, retry_after_s=10**15, count=-1)
    await life.work()

    later = "select resume_at < now() + interval '25 hours' from headrace.flow"
    assert ("PARKED", "unavailable") == await stage.state(order)
    assert [(True,)] == await stage.rows(later)


async def test_flow_of_an_unknown_tenant_is_shown_and_tried_again(stage: Stage, life: Life) -> None:
    """A worker without the tenant's file parks the flow where people look."""
    order = await stage.submit(new_order("stranger"))
    tenants = life.worker._hub._tenants
    life.worker._hub._tenants = {}
    await life.work()
    assert ("PARKED", "misconfigured") == await stage.state(order)

    life.worker._hub._tenants = tenants
    await stage.finish(life, order)

    assert 1 == stage.effects_of(order)["charge"]


async def test_spans_that_died_with_their_writer_are_written_again(
    stage: Stage, life: Life
) -> None:
    """A worker killed before its exporters had the spans leaves the flow unmarked."""
    order = await stage.submit(new_order("untraced"))
    await stage.finish(life, order)
    await stage.sql.execute("update headrace.flow set ended_at = now() - interval '1 hour'")
    life.parts.telemetry.flush()
    stage.spans.clear()

    heir = FlowTracer(life.parts.database, life.parts.telemetry)
    assert 1 == await heir.find_lost()
    await heir.mark()

    written = {span.name: span.attributes or {} for span in stage.spans.get_finished_spans()}
    assert {"place_order", "place_order.erp.create_sales_order"} <= set(written)
    began_with = (await stage.flow(order))["mapping_set"]
    assert began_with == written["place_order"]["headrace.mapping_set"]
    assert [(True,)] == await stage.rows("select traced from headrace.flow")
    assert 0 == await heir.find_lost()
