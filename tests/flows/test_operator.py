"""What a person may do with a flow that has stopped, and what becomes of the effects."""

from typing import Final

import httpx
import pytest

from gateway.errors import Rejected
from gateway.kit.simulator import FaultKind
from gateway.model.order import Order
from gateway.model.payment import PaymentState
from tests.flows.doom import Doom, Mortal
from tests.flows.stage import Life, Stage, new_order

_SOLD: Final = {"account": 1, "opportunity": 1, "business_partner": 1, "sales_order": 1}
_GONE: Final = {"sales_order_cancelled": 1}


async def _parked(stage: Stage, life: Life, name: str = "parked") -> Order:
    """An order whose payment is misconfigured; all before it is done."""
    order = await stage.submit(new_order(name))
    stage.lay("stripe", FaultKind.STATUS, method="POST", status=401, count=1)
    await life.work()
    assert ("PARKED", "misconfigured") == await stage.state(order)
    return order


async def _decisions(stage: Stage) -> list[tuple[object, ...]]:
    return await stage.rows(
        "select action, step, actor, reason from headrace.decision order by decided_at"
    )


async def test_resumed_flow_goes_on_with_the_step_that_stopped(stage: Stage, life: Life) -> None:
    """What was done before is not repeated, and who resumed is on record."""
    order = await _parked(stage, life)
    await stage.pass_time()
    assert 0 == await life.work()

    flow_id = (await stage.flow(order))["flow_id"]
    await stage.operator(life).resume(flow_id, reason="key renewed")
    await stage.finish(life, order)

    assert _SOLD | {"charge": 1} == stage.effects_of(order)
    assert [("resume", "", "ada", "key renewed")] == await _decisions(stage)


async def test_retry_from_a_step_repeats_it_without_a_double(stage: Stage, life: Life) -> None:
    """The journal is forgotten from the step on; the systems answer with what is there."""
    order = await _parked(stage, life)
    before = set(await stage.steps(order))

    operator, flow = stage.operator(life), await stage.flow(order)
    await operator.retry_from(flow["flow_id"], "crm.upsert_opportunity", reason="renamed")
    kept = set(await stage.steps(order))
    await stage.finish(life, order)

    forgotten = {
        "crm.upsert_opportunity",
        "order.in_crm",
        "erp.upsert_business_partner",
        "erp.create_sales_order",
        "order.in_erp",
        "payment.prepare",
    }
    assert forgotten == before - kept
    assert ("COMPLETED", "") == await stage.state(order)
    assert _SOLD | {"charge": 1} == stage.effects_of(order)


async def test_retry_from_a_step_that_is_not_done_is_refused(stage: Stage, life: Life) -> None:
    """Nothing is decided and nothing is woken."""
    order = await _parked(stage, life)
    flow = await stage.flow(order)

    with pytest.raises(Rejected) as refused:
        await stage.operator(life).retry_from(flow["flow_id"], "order.complete", reason="x")

    assert "no_such_step" == refused.value.code
    assert [] == await _decisions(stage)
    assert ("PARKED", "misconfigured") == await stage.state(order)


async def test_skipped_step_takes_the_value_given_by_hand(stage: Stage, life: Life) -> None:
    """The person has made the sales order in SAP; the flow goes on with its number."""
    order = await stage.submit(new_order("skip", product_id="UNKNOWN-1"))
    await life.work()
    flow = await stage.flow(order)
    number = {
        "entity": "SALES_ORDER",
        "entity_id": order.order_id,
        "system": "sap_s4",
        "external_id": "4711",
    }

    await stage.operator(life).skip(
        flow["flow_id"], "erp.create_sales_order", number, reason="made by hand in VA01"
    )
    await stage.finish(life, order)

    references = (await stage.order(order.order_id)).external_refs
    assert "4711" in {one.external_id for one in references if one.entity == "SALES_ORDER"}
    assert {"account": 1, "opportunity": 1, "business_partner": 1, "charge": 1} == (
        stage.effects_of(order)
    )


async def test_cancel_undoes_in_reverse_order_once_and_in_the_journal(
    stage: Stage, life: Life
) -> None:
    """Money first, then the sales order: the last thing done is the first undone."""
    order = await stage.submit(new_order("cancel"))
    await stage.work_until(life, order, "WAITING")
    flow = await stage.flow(order)

    await stage.operator(life).cancel(flow["flow_id"], reason="customer called")
    await stage.finish(life, order)

    assert _SOLD | _GONE | {"charge": 1, "refund": 1} == stage.effects_of(order)
    undone = [step for step in await stage.steps(order) if "refund" in step or "cancel_" in step]
    assert [
        "payment.refund",
        "payments.refund_payment",
        "payment.refund_answered",
        "erp.cancel_sales_order",
    ] == undone
    stored = await stage.order(order.order_id)
    assert ("CANCELLED", "cancelled_by_operator") == (stored.state, stored.cancel_reason)
    assert ("CANCELLED", "") == await stage.state(order)


async def test_cancel_releases_money_that_was_only_authorised(stage: Stage, life: Life) -> None:
    """Nothing was collected, so nothing is refunded: the authorisation is given up."""
    order = await stage.submit(new_order("release", capture_method="manual"))
    await stage.work_until(life, order, "WAITING")

    await stage.operator(life).cancel((await stage.flow(order))["flow_id"], reason="x")
    await stage.finish(life, order)

    assert _SOLD | _GONE | {"authorisation": 1} == stage.effects_of(order)
    assert PaymentState.CANCELLED == (await stage.payment(order)).state


async def test_cancel_before_anything_was_made_undoes_nothing(stage: Stage, life: Life) -> None:
    """An order under review is cancelled without a single request."""
    order = await stage.submit(new_order("review", price="40000.00"))
    await stage.work_until(life, order, "WAITING")

    await stage.operator(life).cancel((await stage.flow(order))["flow_id"], reason="x")
    await stage.finish(life, order)

    assert [] == stage.wire.requests
    assert ("CANCELLED", "") == await stage.state(order)


@pytest.mark.parametrize("capture_method", ["automatic", "manual"])
async def test_cancel_does_not_overtake_a_doubt(
    stage: Stage, life: Life, capture_method: str
) -> None:
    """The charge may have happened: it is looked up first, and given back if it did."""
    order = await stage.submit(new_order("doubt", capture_method=capture_method))
    path = "/capture" if capture_method == "manual" else "/v1/payment_intents"
    stage.lay("stripe", FaultKind.LOST_ANSWER, method="POST", path=path)
    stage.lay("stripe", FaultKind.STATUS, method="GET", status=500, count=-1)
    for _ in range(6):
        await life.work()
        if await stage.state(order) == ("PARKED", "unavailable"):
            break
        await stage.deliver(deliver=lambda one: b"amount_capturable_updated" in one.read())
        await life.apply()
    assert 1 == stage.effects_of(order)["charge"]

    await stage.operator(life).cancel((await stage.flow(order))["flow_id"], reason="x")
    stage.wire.faults["stripe"].clear()
    await stage.finish(life, order, webhooks=False)

    effects = stage.effects_of(order)
    assert {"charge": 1, "refund": 1, "sales_order_cancelled": 1} == {
        kind: effects.get(kind) for kind in ("charge", "refund", "sales_order_cancelled")
    }
    assert ("CANCELLED", "") == await stage.state(order)


async def test_cancel_is_followed_to_its_end_by_whoever_is_alive(stage: Stage) -> None:
    """The worker dies at each point of the undoing; every undo stands once all the same."""
    whole = Doom()
    expected = await _cancelled(stage, 0, whole)
    assert ("CANCELLED", _SOLD | _GONE | {"charge": 1, "refund": 1}) == expected

    differing = {}
    for point in range(1, len(whole.points) + 1):
        doom = Doom(point)
        found = await _cancelled(stage, point, doom)
        assert doom.died.is_set()
        if found != expected:
            differing[f"{point}: {whole.points[point - 1]}"] = found

    print(f"cancel: {len(whole.points)} points")
    assert len(whole.points) > 20
    assert {} == differing


async def _cancelled(stage: Stage, number: int, doom: Doom) -> tuple[str, dict[str, int]]:
    order = await stage.submit(new_order(f"undo-{number}"))
    async with stage.life() as life:
        await stage.work_until(life, order, "WAITING")
        await stage.operator(life).cancel((await stage.flow(order))["flow_id"], reason="x")
    mortal = Mortal(stage, doom)
    await mortal.begin()

    async def finish(life: Life) -> None:
        await stage.finish(life, order)

    if not await mortal.do(finish):
        await stage.expire_leases()
        async with stage.life() as life:
            await finish(life)
    return (await stage.state(order))[0], stage.effects_of(order)


async def test_refund_that_fails_is_tried_again_and_then_a_persons(
    stage: Stage, life: Life
) -> None:
    """An undo is a step like any other: it parks, never silently fails."""
    order = await stage.submit(new_order("stuck"))
    await stage.work_until(life, order, "WAITING")
    stage.lay("stripe", FaultKind.STATUS, path="/v1/refunds", method="POST", status=401, count=1)

    await stage.operator(life).cancel((await stage.flow(order))["flow_id"], reason="x")
    await life.work()
    flow = await stage.flow(order)
    assert ("PARKED", "misconfigured", "payments.refund_payment") == (
        flow["state"],
        flow["reason"],
        flow["step"],
    )
    assert "sales_order_cancelled" not in stage.effects_of(order)

    await stage.operator(life).resume(flow["flow_id"], reason="again")
    await stage.finish(life, order)
    assert _SOLD | _GONE | {"charge": 1, "refund": 1} == stage.effects_of(order)


async def test_flow_that_has_ended_is_left_alone(stage: Stage, life: Life) -> None:
    """No decision is possible on what is over."""
    order = await stage.submit(new_order("over"))
    await stage.finish(life, order)
    flow_id, operator = (await stage.flow(order))["flow_id"], stage.operator(life)

    for act in (
        operator.resume(flow_id, reason="x"),
        operator.retry_from(flow_id, "order.read", reason="x"),
        operator.skip(flow_id, "order.read", None, reason="x"),
        operator.cancel(flow_id, reason="x"),
    ):
        with pytest.raises(Rejected) as refused:
            await act
        assert "not_parked" == refused.value.code
    assert [] == await _decisions(stage)


async def test_flow_at_work_is_left_alone(stage: Stage, life: Life) -> None:
    """A parked flow that is being tried again right now cannot be decided upon."""
    order = await stage.submit(new_order("busy"))
    stage.lay("sap", FaultKind.STATUS, status=503, retry_after_s=0, count=-1)
    await life.work()
    await stage.pass_time()
    seen = []
    answer = stage.wire.handle_async_request
    operator = stage.operator(life)
    flow_id = (await stage.flow(order))["flow_id"]

    async def decide(request: httpx.Request) -> httpx.Response:
        if not seen:
            with pytest.raises(Rejected) as refused:
                await operator.cancel(flow_id, reason="x")
            seen.append(refused.value.code)
        return await answer(request)

    stage.wire.handle_async_request = decide  # type: ignore[method-assign] # an interleaving
    await life.work()

    assert ["not_parked"] == seen
    assert [] == await _decisions(stage)


async def test_flow_of_another_tenant_is_not_there(stage: Stage, life: Life) -> None:
    """Tenants do not learn of each other's flows."""
    order = await _parked(stage, life)
    operator = stage.operator(life)
    operator.tenant = "umbrella"

    with pytest.raises(Rejected) as refused:
        await operator.resume((await stage.flow(order))["flow_id"], reason="x")

    assert "not_found" == refused.value.code
