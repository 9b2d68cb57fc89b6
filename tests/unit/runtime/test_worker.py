"""The worker: what it claims, what it prolongs, and how it ends."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import msgspec
import psycopg
from structlog.testing import LogCapture

from gateway.runtime import engine
from gateway.runtime.parking import Suspended
from gateway.runtime.story import Story
from gateway.runtime.worker import Flow
from tests.flows.stage import Life, Stage, new_order


def _flow(run: Any, queue: str = "interactive") -> Flow:
    return Flow(kind="place_order", queue=queue, run=run)


async def _until(true: Callable[[], bool]) -> None:
    """Let the worker and PostgreSQL run until something is true."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what is waited for is inside the worker
            await asyncio.sleep(0)


class Gate:
    """A story that waits in the middle of its work until it is let through."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.open = asyncio.Event()

    async def tell(self, _story: Story) -> str:
        """Wait inside until the gate is open."""
        self.inside += 1
        self.most = max(self.most, self.inside)
        await self.open.wait()
        self.inside -= 1
        return "COMPLETED"


async def _tasks(life: Life) -> None:
    await asyncio.gather(*(task for task, _, _ in life.worker._running.values()))


async def test_no_more_flows_at_once_than_configured(stage: Stage, life: Life) -> None:
    """A place that becomes free is given to the next."""
    gate = Gate()
    stage.flows["place_order"] = _flow(gate.tell)
    life.worker._settings = msgspec.structs.replace(life.worker._settings, concurrency=2)
    orders = [await stage.submit(new_order(number)) for number in range(3)]
    claiming = asyncio.create_task(life.worker._claim())
    await _until(lambda: gate.inside == 2)
    gate.open.set()
    await claiming
    await life.work()

    assert 2 == gate.most
    assert {("COMPLETED", "")} == {await stage.state(order) for order in orders}


async def test_queue_of_people_comes_first(stage: Stage, life: Life) -> None:
    """Batches wait while a person does."""
    told: list[str] = []

    async def tell(story: Story) -> str:
        told.append(story.business_id)
        return "COMPLETED"

    stage.flows["place_order"] = _flow(tell)
    life.worker._settings = msgspec.structs.replace(life.worker._settings, concurrency=1)
    async with life.parts.database.transaction() as connection:
        await engine.start(
            connection,
            kind="place_order",
            queue="batch",
            tenant="acme",
            business_id="batch",
            mapping_set="",
            traceparent="",
        )
    order = await stage.submit(new_order("person"))
    await life.work()
    await life.work()

    assert [order.order_id, "batch"] == told


async def test_heartbeat_prolongs_what_runs(stage: Stage, life: Life) -> None:
    """A long step does not cost the flow."""
    gate = Gate()
    stage.flows["place_order"] = _flow(gate.tell)
    await stage.submit(new_order("long"))
    await life.worker._claim()
    await stage.rows("update absurd.r_interactive set claim_expires_at = now() + interval '1 s'")

    await life.worker._prolong()

    assert [(True,)] == await stage.rows(
        "select claim_expires_at > now() + interval '20 s' from absurd.r_interactive"
    )
    gate.open.set()
    await _tasks(life)


async def test_heartbeat_ends_what_another_worker_has(stage: Stage, life: Life) -> None:
    """Two workers never go on with one flow."""
    gate = Gate()
    stage.flows["place_order"] = _flow(gate.tell)
    await stage.submit(new_order("stolen"))
    await life.worker._claim()
    ((task, _, _),) = life.worker._running.values()
    await stage.expire_leases()
    async with stage.life() as heir:
        assert 1 == await heir.worker._claim()

        await life.worker._prolong()
        await asyncio.wait([task])
        assert task.cancelled()
        assert {} == life.worker._running

        gate.open.set()
        await _tasks(heir)


async def test_flow_that_sleeps_and_wakes_at_once_is_still_prolonged(
    stage: Stage, life: Life
) -> None:
    """The same run is claimed again before its first task has quite ended."""
    gates = [asyncio.Event(), asyncio.Event()]
    left = [*gates]

    async def tell(_story: Story) -> str:
        await left.pop(0).wait()
        raise Suspended

    stage.flows["place_order"] = _flow(tell)
    await stage.submit(new_order("quick"))
    await life.worker._claim()
    ((first, run, lease),) = life.worker._running.values()
    await _until(lambda: len(left) < 2)
    life.worker._begin(run, lease.until)

    gates[0].set()
    await asyncio.wait([first])
    await asyncio.sleep(0)
    ((second, _, _),) = life.worker._running.values()
    assert second is not first
    gates[1].set()
    await asyncio.wait([second])
    await asyncio.sleep(0)
    assert {} == life.worker._running


async def test_worker_waits_for_a_database_that_is_away(
    stage: Stage, life: Life, logs: LogCapture
) -> None:
    """It says so once, however often it tries, and once that it is back."""
    stop, left = asyncio.Event(), [3]
    worker = cast("Any", life.worker)
    claim = worker._claim

    async def away() -> int:
        left[0] -= 1
        if left[0] >= 0:
            raise psycopg.OperationalError("away")
        stop.set()
        return int(await claim())

    worker._claim = away
    await worker.run(stop)

    events = [one["event"] for one in logs.entries if one["event"].startswith("database.")]
    assert ["database.unavailable", "database.available"] == events
    assert -1 == left[0]


async def test_worker_that_is_told_to_stop_finishes_what_it_has_begun(
    stage: Stage, life: Life
) -> None:
    """An orderly end leaves nothing to wait a lease for."""
    gate, stop = Gate(), asyncio.Event()
    stage.flows["place_order"] = _flow(gate.tell)
    order = await stage.submit(new_order("last"))
    running = asyncio.create_task(life.worker.run(stop))
    await _until(lambda: gate.inside > 0)
    stop.set()
    gate.open.set()
    await running

    assert ("COMPLETED", "") == await stage.state(order)


async def test_flow_of_a_tenant_that_is_gone_ends_no_worker(
    stage: Stage, life: Life, logs: LogCapture
) -> None:
    """It is said in the log, and the others are run."""
    async with life.parts.database.transaction() as connection:
        await engine.start(
            connection,
            kind="place_order",
            queue="interactive",
            tenant="gone",
            business_id="o1",
            mapping_set="",
            traceparent="",
        )
    order = await stage.submit(new_order("here"))

    await stage.finish(life, order)

    assert ("COMPLETED", "") == await stage.state(order)
    assert "flow.stopped" in [one["event"] for one in logs.entries]
