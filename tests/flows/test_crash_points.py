"""Crash points, enumerated: the worker dies before and after each commit and each request.

For every path an order is first brought to its end undisturbed while the points are counted.
Then for every point a fresh order goes the same way with a worker that dies exactly there: its
tasks are cancelled, nothing is flushed, its connections break, its lease runs out, and another
worker takes over. Whatever the point, the end is the same.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest

from gateway.model.order import Order
from tests.flows.doom import Died, Doom, Mortal
from tests.flows.stage import TENANT, Life, Stage, new_order, served

_SOLD: Final = {"account": 1, "opportunity": 1, "business_partner": 1, "sales_order": 1}
_GONE: Final = {"sales_order_cancelled": 1}


def _nothing(_stage: Stage, _order: Order) -> None:
    """A good day."""


def _lose_answer(stage: Stage, order: Order) -> None:
    stage.lose_payment_answer(order)


_PATHS: Final[dict[str, tuple[dict[str, Any], Callable[[Stage, Order], None], Any]]] = {
    "accepted": ({}, _nothing, ("COMPLETED", "COMPLETED", _SOLD | {"charge": 1})),
    "declined": (
        {"token": "pm_card_visa_chargeDeclined"},
        _nothing,
        ("CANCELLED", "CANCELLED", _SOLD | _GONE),
    ),
    "rejected": ({"country": "RU"}, _nothing, ("COMPLETED", "REJECTED", {})),
    "lost answer": ({}, _lose_answer, ("COMPLETED", "COMPLETED", _SOLD | {"charge": 1})),
    "manual capture": (
        {"capture_method": "manual"},
        _nothing,
        ("COMPLETED", "COMPLETED", _SOLD | {"charge": 1, "authorisation": 1}),
    ),
    "webhook never comes": ({}, _nothing, ("COMPLETED", "COMPLETED", _SOLD | {"charge": 1})),
}
# What every path has at least; fewer would mean that points are no longer seen.
_FEWEST: Final = {"rejected": 10, "accepted": 50}
_SHARES: Final = 2
# The whole journal of two paths, by name: a step that is never kept would differ from nothing.
_JOURNALS: Final = {
    "rejected": ["order.decide", "order.read", "risk.assess"],
    "accepted": [
        "crm.upsert_account",
        "crm.upsert_opportunity",
        "crm.win_opportunity",
        "erp.create_sales_order",
        "erp.upsert_business_partner",
        "order.complete",
        "order.decide",
        "order.in_crm",
        "order.in_erp",
        "order.read",
        "payment.answered",
        "payment.ended.1.read",
        "payment.ended.1.signal",
        "payment.prepare",
        "payments.create_payment",
        "risk.assess",
    ],
}


@pytest.mark.parametrize("share", range(_SHARES))
@pytest.mark.parametrize("path", _PATHS)
async def test_worker_dies_at_each_point(stage: Stage, path: str, share: int) -> None:
    """Whatever the point, the order ends as it does undisturbed, and every effect stands once."""
    whole = Doom()
    expected = await _go(stage, path, 0, whole)
    assert _PATHS[path][2] == expected[:3]
    assert _JOURNALS.get(path, expected[4]) == expected[4]
    assert ("", [], []) == (expected[3], expected[5], expected[6])
    assert len(whole.points) >= _FEWEST.get(path, 40)

    differing = {}
    for point in range(1 + share, len(whole.points) + 1, _SHARES):
        doom = Doom(point)
        found = await _go(stage, path, point, doom)
        assert doom.died.is_set()
        if found != expected:
            differing[f"{point}: {whole.points[point - 1]}"] = found

    print(f"{path}: {len(whole.points)} points, share {share + 1} of {_SHARES}")
    assert {} == differing


async def _go(stage: Stage, path: str, number: int, doom: Doom) -> tuple[Any, ...]:
    """Bring one order to its end, with a death on the way if one is due."""
    changes, prepare, _ = _PATHS[path]
    order = await stage.submit(new_order(f"{path.replace(' ', '-')}-{number}", **changes))
    prepare(stage, order)
    webhooks = path != "webhook never comes"

    async def finish(life: Life) -> None:
        await stage.finish(life, order, webhooks=webhooks)

    mortal = Mortal(stage, doom)
    await mortal.begin()
    if not await mortal.do(finish):
        await stage.expire_leases()
        async with stage.life() as life:
            await finish(life)
            # The dead worker may have ended the flow and not have applied its last webhooks.
            await stage.settle(life)
    return await _outcome(stage, order)


async def _outcome(stage: Stage, order: Order) -> tuple[Any, ...]:
    """What must not depend on when somebody died."""
    flow = await stage.flow(order)
    return (
        flow["state"],
        (await stage.order(order.order_id)).state.value,
        stage.effects_of(order),
        flow["reason"],
        sorted(await stage.steps(order)),
        await _gaps(stage, order),
        await _unapplied(stage),
    )


async def _gaps(stage: Stage, order: Order) -> list[tuple[Any, ...]]:
    """Things of the order whose events are not numbered 1, 2, 3 up to the thing's own count."""
    return await stage.rows(
        "select d.kind, d.sequence, array_agg(o.sequence order by o.sequence)"
        " from headrace.document d left join headrace.outbox o on o.aggregate = d.kind"
        " and o.aggregate_id = d.id where o.business_id = %s group by 1, 2, d.id"
        " having array_agg(o.sequence order by o.sequence)"
        " is distinct from (select array_agg(n) from generate_series(1, d.sequence) n)",
        order.order_id,
    )


async def _unapplied(stage: Stage) -> list[tuple[Any, ...]]:
    """Webhooks that nobody has applied, or that a person would have to look at."""
    return await stage.rows(
        "select event_type, state, reason from headrace.inbox where state in ('NEW', 'PARKED')"
    )


@pytest.mark.parametrize("point", [1, 2])
async def test_facade_dies_around_its_commit(stage: Stage, point: int) -> None:
    """The front-end asks again with the same key: one order, whether the first was stored or not.

    Point 1 lies before the commit, point 2 after it: the reply is lost.
    """
    doom = Doom(point)
    parts = stage.parts("serve")
    doom.watch(parts)
    async with served(parts) as doomed:
        with pytest.raises(Died):
            await stage.submit(new_order("lost"), key="same", api=doomed)

    order = await stage.submit(new_order("lost"), key="same")

    async with stage.life() as life:
        await stage.finish(life, order)
    assert [(1,)] == await stage.rows(
        "select count(*) from headrace.document where tenant = %s and kind = 'order'", TENANT
    )
    assert _SOLD | {"charge": 1} == stage.effects_of(order)
