"""The fault drill: whatever goes wrong at six providers, each payment ends as its provider has it.

``make drill`` runs more payments and seeds; ``HEADRACE_SEED=7`` repeats one seed.
"""

import os
from pathlib import Path
from typing import Final

import pytest

from tests.flows.drill import Drill

_SEED: Final = int(os.environ.get("HEADRACE_SEED", "1"))
_SEEDS: Final = range(_SEED, _SEED + int(os.environ.get("HEADRACE_DRILL_SEEDS", "1")))
_PAYMENTS: Final = int(os.environ.get("HEADRACE_DRILL_PAYMENTS", "48"))
_TURNS: Final = 12


@pytest.mark.timeout(60)
@pytest.mark.parametrize("seed", _SEEDS)
async def test_every_payment_ends_as_its_provider_has_it(
    tmp_path: Path, url: str, seed: int
) -> None:
    """None charged twice, none lost, none failed that is paid, none left in doubt."""
    drill = Drill(tmp_path, url, seed=seed)
    async with drill.stage.facade():
        await drill.submit(_PAYMENTS)
        await drill.go(turns=_TURNS, mortal=True)
        await drill.change()
        await drill.go(turns=_TURNS, mortal=True)
        drill.storm.calm = True
        await drill.go(turns=_TURNS, mortal=False)
        faults = await drill.faults()
        charged = sum(drill.charged(one) for one in drill.wanted)

    print(
        f"seed {seed}: {_PAYMENTS} payments at {len(drill.accounts)} providers, {charged} charges,"
        f" {len(drill.refunds)} refunds, {drill.deaths} deaths, {dict(drill.storm.done)}"
    )
    assert [] == faults
    assert drill.deaths > 0
    assert drill.storm.done["answer lost after the effect"] > 0
