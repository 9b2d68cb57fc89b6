"""Crash points of mandates: the worker dies around each commit and each request.

As ``test_payout_crashes`` does: the points of a whole life are counted, then one mandate for each
of them meets a worker that dies exactly there, and another one takes over.
"""

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.model.mandate import MandateState
from tests.flows.doom import Doom, Mortal
from tests.flows.holding import SAMPLES, Desk
from tests.flows.stage import Life

_FEWEST = 8


@pytest.fixture
async def desk(tmp_path: Path, url: str) -> AsyncIterator[Desk]:
    """All providers that hold mandates."""
    async with Desk.opened(tmp_path, url) as desk:
        yield desk


@pytest.mark.parametrize("sample", sorted(SAMPLES))
async def test_worker_dies_at_each_point(desk: Desk, sample: str) -> None:
    """Whatever the point, there is one mandate, then none, and each change is told once."""
    whole = Doom()
    expected = await _go(desk, sample, whole)
    assert (MandateState.REVOKED, 1, 0) == expected[:3]
    assert ["created", "activated", "cancelled"] == expected[3]
    assert len(whole.points) >= _FEWEST

    # Every fifth point, so that it stays quick; which ones, the seed says.
    seed = random.randrange(5)
    differing = {}
    for point in range(1 + seed, len(whole.points) + 1, 5):
        doom = Doom(point)
        found = await _go(desk, sample, doom)
        assert doom.died.is_set()
        if found != expected:
            differing[f"{point}: {whole.points[point - 1]}"] = found

    print(f"{sample}, seed {seed}: {len(whole.points)} points")
    assert {} == differing


async def _go(desk: Desk, sample: str, doom: Doom) -> tuple[Any, ...]:
    """Bring one mandate to its end, with a death on the way if one is due."""
    answer = await desk.ask(**SAMPLES[sample])
    mandate_id, alive, counts = answer.json()["mandate_id"], desk.life, []

    async def finish(life: Life) -> None:
        desk.life = life
        made = await desk.until(mandate_id, lambda one: bool(one.next_action or one.token))
        if made.next_action is not None and not desk.is_signed(made):
            desk.sign_page(made)
        made = await desk.until(mandate_id, lambda one: bool(one.token))
        if not made.revoke_requested_at:
            counts.append(desk.effects(made))
            await desk.post(f"/v1/mandates/{mandate_id}/revoke")
        await desk.until(mandate_id, lambda one: one.state is MandateState.REVOKED)

    mortal = Mortal(desk.stage, doom)
    await mortal.begin()
    if not await mortal.do(finish):
        await desk.expire_leases()
        async with desk.stage.life() as life:
            await finish(life)
    desk.life = alive
    found = await desk.mandate(mandate_id)
    return found.state, counts[0], desk.effects(found), await desk.told(mandate_id)
