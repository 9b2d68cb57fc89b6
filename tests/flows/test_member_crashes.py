"""Crash points of members' money: the worker dies around each commit and each request.

As ``test_payout_crashes``: the points of a whole life are counted, then one payment for each of
them meets a worker that dies exactly there, and another one takes over.
"""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.model.identifiers import new_id
from tests.flows.doom import Doom, Mortal
from tests.flows.paying import Till
from tests.flows.stage import Life

_FEWEST = 20


@pytest.fixture
async def till(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Till]:
    """A tenant with Stripe."""
    async with Till.opened(tmp_path, url, monkeypatch) as till:
        yield till


async def _die(till: Till, doom: Doom, finish: Callable[[], Awaitable[None]]) -> None:
    """Bring it to its end, with a death on the way if one is due."""
    alive = till.life

    async def act(life: Life) -> None:
        till.life = life
        await finish()

    mortal = Mortal(till.stage, doom)
    await mortal.begin()
    if not await mortal.do(act):
        await till.stage.expire_leases()
        async with till.stage.life() as life:
            await act(life)
            await till.settle()
    till.life = alive


def _eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


async def _take(till: Till, payment: dict[str, str], first: str, second: str) -> str:
    body = {
        "amount": _eur("100.00"),
        "payment": payment,
        "splits": [
            {"party": first, "amount": _eur("60.00")},
            {"party": second, "amount": _eur("30.00")},
            {"party": "platform", "kind": "REMAINDER"},
        ],
    }
    answer = await till.post("/v1/payments", body, key=new_id())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["payment_id"])


async def _shared(till: Till, doom: Doom) -> tuple[Any, ...]:
    """A payment of two members that Stripe says is paid, with a death on the way if one is due."""
    page = {"method_code": "ideal", "return_url": "https://shop.example/back", "provider": "stripe"}
    payment_id = await _take(till, page, "acct_1", "acct_2")
    await till.react()
    (intent,) = [
        key
        for key, one in till.stripe._intents.items()
        if one["metadata"]["payment_id"] == payment_id
    ]
    till.stripe.authenticate(intent, succeeds=True, now=till.now())
    await _die(till, doom, till.settle)
    held = [
        (one["destination"], one["amount"], one["amount_reversed"])
        for one in till.stripe.connect._transfers.values()
        if one["transfer_group"] == payment_id
    ]
    return sorted(held), await till.rows("select 1 from headrace.flow where state = 'PARKED'")


async def test_parts_are_moved_once_whenever_a_worker_dies(till: Till) -> None:
    """One transfer for each member, whatever the point."""
    expected = [("acct_1", 6_000, 0), ("acct_2", 3_000, 0)], list[Any]()
    whole = Doom()
    assert expected == await _shared(till, whole)
    assert len(whole.points) >= _FEWEST

    # Every other point, so that it stays quick; which ones, the seed says.
    seed = random.randrange(2)
    differing, died = {}, 0
    for point in range(1 + seed, len(whole.points) + 1, 2):
        doom = Doom(point)
        found = await _shared(till, doom)
        # Flows run side by side, so that a life may have a point less than another.
        died += doom.died.is_set()
        if found != expected:
            differing[f"{point}: {whole.points[point - 1]}"] = found

    print(f"seed {seed}: {died} of {len(whole.points)} points")
    assert {} == differing
    assert died >= _FEWEST
