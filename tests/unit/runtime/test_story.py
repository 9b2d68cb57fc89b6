"""What a flow sees: steps that happen once, waits that survive, undos in reverse, and fences."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from gateway.kit.simulator import FaultKind
from gateway.model.order import Order
from gateway.model.reference import ExternalReference
from gateway.ports.exchange import Exchange
from gateway.runtime.documents import Unit
from gateway.runtime.progress import Lease
from gateway.runtime.story import Story
from gateway.runtime.worker import Flow
from tests.flows.stage import Life, Stage, new_order

Tell = Callable[[Story], Awaitable[str]]


async def _tell(stage: Stage, tell: Tell) -> Order:
    """Submit an order whose flow is this story."""
    stage.flows["place_order"] = Flow(kind="place_order", queue="interactive", run=tell)
    return await stage.submit(new_order("story"))


def _touch(name: str) -> Callable[[Any, str], Exchange[ExternalReference]]:
    """A call of SAP that makes nothing: it looks for a sales order that is not there."""

    def verb(port: Any, _key: str) -> Exchange[ExternalReference]:
        yield from port.find_sales_order(f"x{name}")
        return ExternalReference(
            entity="SALES_ORDER",  # type: ignore[arg-type] # a StrEnum's value
            entity_id=name,
            system="sap",
            external_id=name,
        )

    return verb


def _asked(stage: Stage) -> list[str]:
    """Which of the touches reached SAP."""
    queries = [request.url.params.get("$filter", "") for request in stage.wire.requests]
    return [query.rsplit("'x", 1)[-1].rstrip("'") for query in queries if query]


async def _nothing(_unit: Unit) -> str:
    return "recorded"


def test_lease_that_is_half_over_is_not_valid() -> None:
    """A request sent now could still be on its way when the next worker looks it up."""
    now = time.monotonic()

    assert Lease(10, now + 5.5).valid()
    assert not Lease(10, now + 4.9).valid()


def test_lease_counts_from_when_it_was_asked_for() -> None:
    """Not from when the answer came: the engine's clock ran meanwhile."""
    lease = Lease(10, 0.0)

    lease.renewed(100.0)

    assert 110.0 == lease.until


async def test_worker_whose_lease_is_half_over_does_not_send(stage: Stage, life: Life) -> None:
    """It woke up too late; somebody else will do it, and does."""
    frozen = [True]

    async def tell(story: Story) -> str:
        if frozen.pop() if frozen else False:
            story._lease.until = time.monotonic() + story._lease.seconds / 2 - 0.1
        await story.call("touch", story.tenant.erp, _touch("a"), returns=ExternalReference)
        return "COMPLETED"

    order = await _tell(stage, tell)
    await life.work()
    assert [] == stage.wire.requests
    assert ("RUNNING", "") == await stage.state(order)

    await stage.expire_leases()
    await life.work()
    assert ("COMPLETED", "") == await stage.state(order)
    assert ["touch"] == [*await stage.steps(order)]


async def test_worker_that_lost_its_run_changes_nothing(stage: Stage, life: Life) -> None:
    """A zombie's record is taken back whole; the heir's stands."""
    runs: list[str] = []

    async def rename(unit: Unit) -> str:
        name = f"run {len(runs)}"
        await unit.insert("note", name, "NEW", {"by": name})
        return name

    async def tell(story: Story) -> str:
        runs.append(story.flow_id)
        if len(runs) == 1:
            await stage.expire_leases()
            async with stage.life() as heir:
                await heir.work()
        await story.record("note", rename, returns=str)
        return "COMPLETED"

    order = await _tell(stage, tell)
    await life.work()

    assert 2 == len(runs)
    assert [("run 2",)] == await stage.rows("select id from headrace.document where kind = 'note'")
    assert ("COMPLETED", "") == await stage.state(order)


async def test_finished_steps_are_not_repeated(stage: Stage, life: Life) -> None:
    """The flow runs from its beginning each time; its steps do not."""
    runs: list[str] = []

    async def tell(story: Story) -> str:
        runs.append("run")
        await story.call("touch", story.tenant.erp, _touch("a"), returns=ExternalReference)
        assert "recorded" == await story.record("note", _nothing, returns=str)
        await story.wait("w", "never", 60.0)
        return "COMPLETED"

    order = await _tell(stage, tell)
    await life.work()
    await stage.pass_time()
    await life.work()

    assert ["run", "run"] == runs
    assert ["a"] == _asked(stage)
    assert ("COMPLETED", "") == await stage.state(order)


async def test_key_is_the_same_on_every_attempt(stage: Stage, life: Life) -> None:
    """Business id and step; a repetition is one effect for a provider that honours keys."""
    order = await stage.submit(new_order("key"))
    stage.lay("stripe", FaultKind.TIMEOUT_BEFORE, method="POST", count=1)

    await stage.finish(life, order)

    posts = [one for one in stage.wire.requests if one.url.path == "/v1/payment_intents"]
    keys = [one.headers["idempotency-key"] for one in posts if one.method == "POST"]
    assert [f"{order.order_id}:payments.create_payment"] * 2 == keys


async def test_wait_ends_by_time_once(stage: Stage, life: Life) -> None:
    """The next wait for the same event begins anew."""
    answers: list[Any] = []

    async def tell(story: Story) -> str:
        answers.append(await story.wait("first", "never", 60.0))
        answers.append(await story.wait("second", "never", 60.0))
        return "COMPLETED"

    order = await _tell(stage, tell)
    await life.work()
    await stage.pass_time()
    await life.work()
    assert [None] == answers
    flow = await stage.flow(order)
    assert ("WAITING", "second") == (flow["state"], flow["step"])

    await stage.pass_time()
    await life.work()
    assert [None, None, None] == answers


async def test_time_that_is_over_stays_over(stage: Stage, life: Life) -> None:
    """The event comes after the time-out was kept: the flow goes the way it has begun."""
    answers: list[Any] = []

    async def tell(story: Story) -> str:
        answers.append(await story.wait("first", "late", 60.0))
        answers.append(await story.wait("second", "other", 60.0))
        return "COMPLETED"

    await _tell(stage, tell)
    await life.work()
    await stage.pass_time()
    await life.work()
    await stage.rows("select absurd.emit_event('interactive', 'late', '{}')")
    await stage.rows("""select absurd.emit_event('interactive', 'other', '{"n": 1}')""")
    await life.work()

    assert [None, None, {"n": 1}] == answers


async def test_sleep_counts_from_its_first_time(stage: Stage, life: Life) -> None:
    """A run in between does not start the sleep again."""
    runs: list[str] = []

    async def tell(story: Story) -> str:
        runs.append("run")
        await story.sleep("nap", 3600.0)
        return "COMPLETED"

    order = await _tell(stage, tell)
    await life.work()
    first = (await stage.flow(order))["resume_at"]
    await stage.pass_time()
    await life.work()

    assert first == (await stage.flow(order))["resume_at"]
    await stage.rows(
        "update absurd.c_interactive set state = jsonb_set(state, '{value}', to_jsonb(1.0))"
    )
    await stage.pass_time()
    await life.work()
    assert ("COMPLETED", "") == await stage.state(order)
    assert 3 == len(runs)


async def test_undos_run_in_reverse(stage: Stage, life: Life) -> None:
    """The last thing done is the first undone."""

    async def tell(story: Story) -> str:
        for name in ("a", "b", "c"):
            await story.call(name, story.tenant.erp, _touch(name), returns=ExternalReference)
            story.undo(f"undo {name}", story.tenant.erp, _touch(f"undo{name}"))
        await story.compensate()
        return "CANCELLED"

    order = await _tell(stage, tell)
    await life.work()

    assert ["a", "b", "c", "undoc", "undob", "undoa"] == _asked(stage)
    assert ["a", "b", "c", "undo c", "undo b", "undo a"] == [*await stage.steps(order)]


async def test_effect_of_an_earlier_run_is_found_and_not_repeated(stage: Stage, life: Life) -> None:
    """A run that may have begun the step looks first; a first run does not."""
    tries: list[str] = []

    async def tell(story: Story) -> str:
        def verb(_port: Any, _key: str) -> Exchange[str]:
            tries.append("do")
            yield httpx.Request("GET", "http://nowhere")
            return "done"

        def find(port: Any) -> Exchange[str | None]:
            tries.append("find")
            yield from port.find_sales_order("x")
            return "found"

        await story.call("once", story.tenant.erp, verb, find=find, returns=str)
        return "COMPLETED"

    order = await _tell(stage, tell)
    await life.work()
    assert ["do"] == tries
    assert ("PARKED", "unavailable") == await stage.state(order)

    await stage.pass_time()
    await life.work()
    assert ["do", "find"] == tries
    assert "found" == (await stage.steps(order))["once"]["outcome"]


@pytest.mark.parametrize("outcome", ["COMPLETED", "CANCELLED"])
async def test_story_ends_as_it_says(stage: Stage, life: Life, outcome: str) -> None:
    """What a story returns is the state of its flow."""

    async def tell(_story: Story) -> str:
        return outcome

    order = await _tell(stage, tell)
    await life.work()

    assert (outcome, "") == await stage.state(order)
