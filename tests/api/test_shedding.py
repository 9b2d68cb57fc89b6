"""Shedding: what is too much is refused at once, and what must not wait passes all the same."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from structlog.testing import LogCapture

from tests.api.front import Front, configured, new_order, problem_of, until
from tests.api.test_webhooks import deliver, event


@pytest.fixture
async def busy(tmp_path: Path, url: str) -> AsyncIterator[Front]:
    """A facade that takes two requests at once, and has both."""
    stage = configured(tmp_path, url, server={"in_flight": 2, "loop_lag_s": 5.0})
    async with Front(stage).open() as front:
        waiting = [
            asyncio.create_task(front.post(new_order(n), key=f"k-{n}", Prefer="wait=30"))
            for n in range(2)
        ]
        await until(lambda: front.stage.rows("select id from headrace.document offset 1"))
        yield front
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def pipeline(front: Front) -> Any:
    """What stands around the application."""
    return front.api._transport.app  # type: ignore[attr-defined] # ASGITransport has it


async def test_request_too_many_is_refused_and_seen(
    busy: Front, logs: LogCapture, measured: InMemoryMetricReader
) -> None:
    """503 with Retry-After, in the access log like any other; nothing stored."""
    answer = await busy.post(new_order(3), key="k-3")

    assert (503, "overloaded") == (answer.status_code, problem_of(answer).code)
    assert "1" == answer.headers["retry-after"]
    assert 2 == (await busy.stored())["document"]
    (line,) = [one for one in logs.entries if one["event"] == "api.request"]
    assert (503, answer.headers["headrace-request-id"]) == (line["status"], line["request_id"])


async def test_health_and_webhooks_pass(busy: Front) -> None:
    """A probe that fails under load would end the process; a webhook lost is money unseen."""
    assert 200 == (await busy.api.get("/livez")).status_code
    assert 200 == (await busy.api.get("/readyz")).status_code
    assert 200 == (await deliver(busy, event())).status_code


async def test_place_that_becomes_free_is_taken(busy: Front) -> None:
    """Requests that end, or whose clients leave, count no more."""
    await busy.stage.rows("update headrace.flow set state = 'COMPLETED'")

    async def idle() -> bool:
        return not pipeline(busy)._in_flight

    await until(idle)

    assert 202 == (await busy.post(new_order(3), key="k-3")).status_code


async def test_late_loop_refuses_likewise(front: Front) -> None:
    """What waits in the loop waits longer with each request more."""
    around = pipeline(front)
    assert 200 == (await front.api.get("/problems/invalid")).status_code
    around._lag_s = around._loop_lag_s + 100

    refused = await front.post(new_order("late"))
    passed = await front.api.get("/livez")

    assert (503, 200) == (refused.status_code, passed.status_code)
    assert "overloaded" == problem_of(refused).code


async def test_lag_is_measured(front: Front) -> None:
    """A loop that is held for long is late by so much, and that is forgotten again."""
    around = pipeline(front)
    await front.api.get("/livez")
    await asyncio.sleep(0.1)
    until = asyncio.get_running_loop().time() + 0.5
    while asyncio.get_running_loop().time() < until:
        pass
    # The watch wakes a few turns of the loop later.
    for _ in range(5):
        await asyncio.sleep(0)
    late_s = around._lag_s
    await asyncio.sleep(0.6)

    assert 0.05 < late_s
    assert late_s > around._lag_s
