"""Crash points of money that leaves: the worker dies around each commit and each request.

As ``test_crash_points`` does for orders: the points of a whole life are counted, then one payout
for each of them meets a worker that dies exactly there, and another one takes over.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.model.identifiers import new_id
from gateway.model.payout import PayoutState
from tests.flows.doom import Doom, Mortal
from tests.flows.paying import Till
from tests.flows.stage import Life

_FEWEST = 10
_KEPT = ["payout.told", "payouts.create_payout"]


@pytest.fixture
async def till(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Till]:
    """Stripe, PayPal and Adyen's platform."""
    async with Till.opened(tmp_path, url, monkeypatch) as till:
        yield till


@pytest.mark.parametrize("provider", ["stripe", "paypal", "adyen_platform"])
async def test_worker_dies_at_each_point(till: Till, provider: str) -> None:
    """Whatever the point, money left once and arrived, and each change is told once."""
    whole = Doom()
    expected = await _go(till, provider, whole)
    assert (PayoutState.PAID, 1) == expected[:2]
    assert [] == [step for step in _KEPT if step not in expected[3]]
    assert len(whole.points) >= _FEWEST

    differing = {}
    for point in range(1, len(whole.points) + 1):
        doom = Doom(point)
        found = await _go(till, provider, doom)
        assert doom.died.is_set()
        # Whether it is a webhook or time that shows the end depends on when somebody died.
        if found[:3] != expected[:3]:
            differing[f"{point}: {whole.points[point - 1]}"] = found[:3]

    print(f"{provider}: {len(whole.points)} points")
    assert {} == differing


async def _go(till: Till, provider: str, doom: Doom) -> tuple[Any, ...]:
    """Bring one payout to its end, with a death on the way if one is due."""
    where = {"account": f"acct_{new_id()[-12:]}"} if provider != "paypal" else None
    payout = await till.submit(amount="50.00", provider=provider, destination=where)
    alive = till.life

    async def finish(life: Life) -> None:
        till.life = life
        await till.finish(payout)

    mortal = Mortal(till.stage, doom)
    await mortal.begin()
    if not await mortal.do(finish):
        await till.stage.expire_leases()
        async with till.stage.life() as life:
            await finish(life)
            await till.settle()
    till.life = alive
    steps = await till.rows(
        "select c.checkpoint_name from absurd.c_interactive c join headrace.flow f"
        " on f.task_id = c.task_id where f.business_id = %s order by 1",
        payout.payout_id,
    )
    return (
        (await till.payout(payout)).state,
        till.left(payout),
        await till.told(payout),
        [step for (step,) in steps],
    )
