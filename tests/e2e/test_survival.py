"""Survival: orders come to their end while processes are killed, frozen and restarted.

`make survival SEEDS=20` runs the long form; `HEADRACE_SEED=7` repeats one seed.
"""

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from adapters.sap_s4.translation import order_reference
from gateway.commands.landscape import Landscape
from tests.e2e.conftest import Start
from tests.e2e.hub import insist, left_over, rows
from tests.e2e.postgres import Postgres
from tests.e2e.storm import Storm
from tests.flows.stage import new_order

_WORKERS: Final = 3
_ORDERS: Final = 200
_LEASE_S: Final = 4
_ENDED: Final = {"COMPLETED", "CANCELLED"}
_SOLD: Final = {"account": 1, "opportunity": 1, "sales_order": 1}
# One in ten each of what is not a plain sale: the change of the order, its end, its effects.
_KINDS: Final[tuple[tuple[dict[str, str], str, dict[str, int]], ...]] = (
    ({"token": "pm_card_visa_chargeDeclined"}, "CANCELLED", _SOLD | {"sales_order_cancelled": 1}),
    ({"country": "RU"}, "REJECTED", {}),
    ({"capture_method": "manual"}, "COMPLETED", _SOLD | {"charge": 1}),
    *(({}, "COMPLETED", _SOLD | {"charge": 1}),) * 7,
)
SEEDS: Final = (
    [int(os.environ["HEADRACE_SEED"])]
    if "HEADRACE_SEED" in os.environ
    else list(range(1, int(os.environ.get("HEADRACE_SURVIVAL_SEEDS", "0")) + 1))
)


def test_orders_survive_a_short_storm(start: Start) -> None:
    """The seed that runs always."""
    _drill(start, seed=int(os.environ.get("HEADRACE_SEED", "0")), storm_s=15.0)


@pytest.mark.survival
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_orders_survive_a_long_storm(start: Start, seed: int) -> None:
    """Many seeds; each is printed, so that a bad one can be repeated."""
    _drill(start, seed=seed, storm_s=45.0)


def test_worker_survives_a_database_restart(start: Start) -> None:
    """The worker says once that PostgreSQL is away and once that it is back, and goes on."""
    landscape = start()
    landscape.start_simulators()
    landscape.start_serve()
    landscape.start_worker("worker-1")
    before = _submit(landscape, 1)
    _wait_until_ended(landscape, {before}, limit_s=30)

    postgres = Postgres(landscape.folder)
    postgres.crash()
    time.sleep(1.0)
    postgres.begin()
    after = _submit(landscape, 2)
    _wait_until_ended(landscape, {before, after}, limit_s=40)

    assert landscape.processes["worker-1"].poll() is None
    log = (landscape.folder / "worker-1.log").read_text()
    assert [1, 1] == [log.count("database.unavailable"), log.count("database.available")]
    assert "flow.stopped" not in log


def _drill(start: Start, *, seed: int, storm_s: float) -> None:
    print(f"seed {seed}: HEADRACE_SEED={seed} repeats it")
    landscape = start(lease_s=_LEASE_S)
    landscape.start_simulators(
        duplicate_share=0.3, shuffle=True, delay_s=0.05, late_share=0.2, late_s=1.0, seed=seed
    )
    landscape.start_serve()
    storm = Storm(landscape, random.Random(seed), workers=_WORKERS)
    with ThreadPoolExecutor(8) as clients:
        asked = [clients.submit(_submit, landscape, number) for number in range(_ORDERS)]
        try:
            storm.rage(storm_s)
        finally:
            storm.calm()
        ids = [one.result() for one in asked]
    _wait_until_ended(landscape, set(ids), limit_s=60)
    print(f"seed {seed}: {storm.done}")
    assert {} == _wrong(landscape, ids)
    assert [] == left_over(landscape)


def _submit(landscape: Landscape, number: int) -> str:
    """Submit an order until it is taken; the order's id."""
    changes = dict(_KINDS[number % len(_KINDS)][0])
    order = new_order(f"S{number}", **changes)
    # Two orders of each customer, so that two flows meet at the same business partner.
    order["party"]["party_id"] = f"C-{number // 20}-{number % 10}"
    answer = insist(landscape, "/v1/orders", order, key=f"key-{number}")
    assert answer.status_code in {200, 202}, answer.text
    return str(answer.json()["order_id"])


def _wait_until_ended(landscape: Landscape, ids: set[str], *, limit_s: float) -> None:
    until = time.monotonic() + limit_s
    states: dict[str, Any] = {}
    while time.monotonic() < until:
        found = rows(landscape, "select business_id, state, reason, code, step from headrace.flow")
        states = {row[0]: row[1:] for row in found}
        if all(states.get(one, ("",))[0] in _ENDED for one in ids):
            return
        time.sleep(0.2)
    raise AssertionError({one: states.get(one) for one in ids if states[one][0] not in _ENDED})


def _wrong(landscape: Landscape, ids: list[str]) -> dict[str, Any]:
    """What is not as it would be on a good day."""
    stored = dict(
        rows(
            landscape,
            "select id, array[state, body->>'payment_id'] from headrace.document"
            " where kind = 'order'",
        )
    )
    sap, stripe = landscape.effects("sap_s4"), landscape.effects("stripe")
    salesforce = landscape.effects("salesforce")
    wrong: dict[str, Any] = {}
    for number, order_id in enumerate(ids):
        _, state, effects = _KINDS[number % len(_KINDS)]
        reference = order_reference(order_id)
        found = {
            "account": salesforce["account"].get(f"C-{number // 20}-{number % 10}", 0),
            "opportunity": salesforce["opportunity"].get(order_id, 0),
            "sales_order": sap["sales_order"].get(reference, 0),
            "sales_order_cancelled": sap["sales_order_cancelled"].get(reference, 0),
            "charge": stripe["charge"].get(stored[order_id][1], 0),
        }
        happened = {kind: count for kind, count in found.items() if count}
        if (state, effects) != (stored[order_id][0], happened):
            wrong[f"order {number}"] = (stored[order_id][0], happened)
    customers = {f"{number // 20}-{number % 10}" for number in range(len(ids)) if number % 10 != 1}
    for kind, expected, actual in (
        ("orders", len(ids), len(stored)),
        ("distinct orders", len(ids), len(set(ids))),
        ("charges", 8 * len(ids) // 10, sum(stripe["charge"].values())),
        ("sales orders", 9 * len(ids) // 10, sum(sap["sales_order"].values())),
        ("business partners", len(customers), sum(sap["business_partner"].values())),
        ("accounts", len(customers), sum(salesforce["account"].values())),
    ):
        if expected != actual:
            wrong[kind] = (expected, actual)
    return wrong
