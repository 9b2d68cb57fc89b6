"""Gaps: what no webhook brought is found, once, by one worker at a time, whoever dies."""

import asyncio
import dataclasses
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import pytest
from structlog.testing import LogCapture

from gateway.kit.simulator import FaultKind
from gateway.runtime import gaps as module
from gateway.runtime import metrics
from gateway.runtime.gaps import Compared, Gaps
from gateway.settings import GapSettings
from tests.flows.doom import Died, Doom
from tests.flows.stage import TENANT, Life, Stage, new_order

_EVENTS: Final = "/v1/events"
_STATE: Final = (
    "select cursor, failed, holder = '', until is null, due_at > now() from headrace.comparison"
    " where system = 'stripe'"
)


@pytest.fixture
def gaps(life: Life) -> Gaps:
    """Compares one system."""
    return _gaps(life)


@pytest.fixture(autouse=True)
def behind(stage: Stage) -> None:
    """What happens has happened a while ago."""
    stage.offset_s = -60.0


def _gaps(life: Life, pauses: list[float] | None = None, **settings: Any) -> Gaps:
    tenant = life.parts.hub.tenant(TENANT)
    only = {"stripe": tenant.reporters["stripe"]}
    life.parts.hub._tenants = {TENANT: dataclasses.replace(tenant, reporters=only)}

    async def sleep(seconds: float) -> None:
        if pauses is not None:
            pauses.append(seconds)

    chosen = {"grace_s": 1.0} | settings
    return Gaps(life.parts.database, life.parts.hub, GapSettings(**chosen), sleep=sleep)


def _charge(stage: Stage, number: int) -> None:
    """A payment that somebody else made; three events of it, two of them about the payment."""
    body = f"amount=1000&currency=eur&confirm=true&payment_method=pm_card_visa&description={number}"
    request = httpx.Request(
        "POST",
        "http://stripe/v1/payment_intents",
        headers={
            "Authorization": "Bearer sk_test_stage",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        content=body,
    )
    assert 200 == stage.stripe.handle(request, now=stage.now()).status_code


async def _filled(stage: Stage) -> int:
    ((count,),) = await stage.rows("select count(*) from headrace.inbox where filled")
    return int(count)


async def _due(stage: Stage) -> None:
    await stage.sql.execute("update headrace.comparison set due_at = now()")


async def test_what_is_compared_waits_for_its_time(stage: Stage, gaps: Gaps) -> None:
    """Once when it is due, and then not before the interval has passed."""
    _charge(stage, 1)

    assert await gaps.compare_next()
    assert not await gaps.compare_next()

    assert 2 == await _filled(stage)
    assert [("", "", True, True, True)] == await stage.rows(_STATE)
    ((soon,),) = await stage.rows(
        "select due_at - now() between '880 s' and '900 s' from headrace.comparison"
    )
    assert soon


async def test_the_next_time_begins_where_the_last_ended(stage: Stage, gaps: Gaps) -> None:
    """With some overlap; what came in between is found, and nothing twice."""
    _charge(stage, 1)
    await gaps.compare_next()
    ((moved,),) = await stage.rows(
        "select since between now() - interval '10 s' and now() from headrace.comparison"
    )
    assert moved
    _charge(stage, 2)
    await _due(stage)

    await gaps.compare_next()

    assert 4 == await _filled(stage)
    created = [dict(one.url.params)["created[gte]"] for one in stage.wire.requests]
    assert 3 * 86_400 + 3_600 == pytest.approx(time.time() - float(created[0]), abs=30)
    assert 3_600 == pytest.approx(time.time() - float(created[1]), abs=30)


async def test_what_is_young_is_left_for_the_next_time(stage: Stage, life: Life) -> None:
    """Its webhook may be on its way: no gap, no warning."""
    gaps = _gaps(life, grace_s=300.0)
    _charge(stage, 1)
    await gaps.compare_next()
    assert 0 == await _filled(stage)

    stage.offset_s = -1_000.0
    _charge(stage, 2)
    await _due(stage)
    await gaps.compare_next()

    assert 2 == await _filled(stage)


async def test_a_gap_is_told(
    stage: Stage, gaps: Gaps, logs: LogCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a warning and as a metric; where nothing was missing, nothing is said."""
    counted: list[tuple[int, dict[str, str]]] = []
    monkeypatch.setattr(
        metrics.webhooks_filled, "add", lambda n, labels: counted.append((n, labels))
    )
    _charge(stage, 1)

    for _ in range(2):
        await gaps.compare_next()
        await _due(stage)

    assert [(2, {"headrace.tenant": TENANT, "headrace.system": "stripe"})] == counted
    (told,) = [one for one in logs.entries if one["event"] == "webhook.gap_found"]
    assert ("warning", "stripe", 2, 3) == (
        told["log_level"],
        told["system"],
        told["filled"],
        told["listed"],
    )


async def test_a_webhook_that_came_is_known(stage: Stage, life: Life, gaps: Gaps) -> None:
    """And one that comes after it was filled is a repetition: the row stands as it is."""
    for number in ("known", "late"):
        order = await stage.submit(new_order(number))
        while await life.work():
            pass
        if number == "known":
            await stage.settle(life)
    heard = await stage.rows("select dedupe_key from headrace.inbox")

    await gaps.compare_next()

    filled = await stage.rows("select dedupe_key from headrace.inbox where filled")
    assert (3, 2) == (len(heard), len(filled))
    assert not {*heard} & {*filled}
    await stage.settle(life)
    after = await stage.rows("select dedupe_key, filled from headrace.inbox")
    assert {(key, (key,) in filled) for (key,) in [*heard, *filled]} <= {*after}
    assert 6 == len(after)  # one event of each means nothing and was not filled
    assert 1 == stage.stripe.effects()["charge"][order.payment_id]


async def test_pages_are_asked_for_slowly(stage: Stage, life: Life) -> None:
    """A pause between two requests, none after the last; all of it in one comparison."""
    pauses: list[float] = []
    gaps = _gaps(life, pauses, pause_s=2.5)
    for number in range(90):
        _charge(stage, number)

    assert await gaps.compare_next()

    assert [2.5, 2.5] == pauses
    assert 180 == await _filled(stage)


async def test_a_long_list_lets_others_have_their_turn(
    stage: Stage, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some pages it is put back as it stands, and is due at once."""
    monkeypatch.setattr(module, "_PAGES", 1)
    gaps = _gaps(life)
    for number in range(90):
        _charge(stage, number)

    turns, ends = 0, list[Any]()
    while await gaps.compare_next():
        turns += 1
        ends += await stage.rows("select until from headrace.comparison where until is not null")

    assert (3, 180) == (turns, await _filled(stage))
    # What happened after the first page was asked for stands before it: that is for the next time.
    assert (2, 1) == (len(ends), len(set(ends)))
    assert 3 == len(stage.wire.requests)


async def test_one_worker_compares_at_a_time(stage: Stage, life: Life) -> None:
    """Two that come at once share the work: each page is asked for once."""
    one, other = _gaps(life), _gaps(life)
    for number in range(90):
        _charge(stage, number)

    await asyncio.gather(one.compare_next(), other.compare_next())

    assert (3, 180) == (len(stage.wire.requests), await _filled(stage))


async def test_whoever_lost_it_writes_nothing(
    stage: Stage, life: Life, gaps: Gaps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was frozen for longer than its lease finds another one's name."""
    _charge(stage, 1)
    ask = gaps._ask

    async def slowly(*params: Any) -> Any:
        page = await ask(*params)
        await stage.sql.execute("update headrace.comparison set holder = 'another'")
        return page

    monkeypatch.setattr(gaps, "_ask", slowly)

    assert await gaps.compare_next()

    assert 0 == await _filled(stage)
    ((cursor, _, free, begun, _),) = await stage.rows(_STATE)
    assert ("", False, False) == (cursor, free, begun)


@pytest.mark.parametrize("at", range(1, 11))
async def test_death_anywhere_loses_nothing(stage: Stage, life: Life, at: int) -> None:
    """Before or after any commit: the next worker goes on, and ends where a whole life does."""
    for number in range(90):
        _charge(stage, number)
    stage.wire.requests.clear()
    async with stage.life() as mortal:
        doom = Doom(at)
        doom.watch(mortal.parts)
        with _maybe_dead():
            await _gaps(mortal).compare_next()
        died = doom.died.is_set()
    assert died == (at <= 8)  # claim and three pages, each with two sides

    await stage.sql.execute("update headrace.comparison set held_until = now(), due_at = now()")
    await _gaps(life).compare_next()

    assert 180 == await _filled(stage)
    assert [("", "", True, True, True)] == await stage.rows(_STATE)
    assert len(stage.wire.requests) <= 3 + 3


@contextmanager
def _maybe_dead() -> Iterator[None]:
    try:
        yield
    except Died:
        return


async def test_a_page_that_fails_is_asked_for_again(
    stage: Stage, gaps: Gaps, logs: LogCapture
) -> None:
    """What was there before stays; the next time goes on at that page, and says so."""
    for number in range(90):
        _charge(stage, number)
    stage.lay("stripe", FaultKind.SLOW, path=_EVENTS, count=1)  # the first page is served
    stage.lay("stripe", FaultKind.STATUS, path=_EVENTS, status=503, count=-1)
    for _ in range(2):
        await _due(stage)
        await gaps.compare_next()
    ((cursor, failed, free, begun, later),) = await stage.rows(_STATE)
    assert (True, "server_error", True, False, True) == (bool(cursor), failed, free, begun, later)
    assert 0 < await _filled(stage) < 180
    stage.wire.faults["stripe"].clear()
    stage.wire.requests.clear()

    await _due(stage)
    await gaps.compare_next()

    assert 180 == await _filled(stage)
    assert cursor == dict(stage.wire.requests[0].url.params)["starting_after"]
    told = [one["event"] for one in logs.entries if one["event"].startswith("webhook.list")]
    assert ["webhook.list_failed", "webhook.list_available"] == told


async def test_a_place_that_is_gone_is_begun_anew(stage: Stage, gaps: Gaps) -> None:
    """Providers forget what is old, and refuse to go on after it."""
    _charge(stage, 1)
    await gaps.compare_next()
    await stage.sql.execute(
        "update headrace.comparison set cursor = 'evt_gone', until = now(), due_at = now(),"
        " since = now() - interval '1 day'"
    )
    _charge(stage, 2)

    await gaps.compare_next()
    assert 2 == await _filled(stage)
    assert [("", "refused", True, True, True)] == await stage.rows(_STATE)
    await _due(stage)
    await gaps.compare_next()

    assert 4 == await _filled(stage)


async def test_a_provider_that_fails_stops_no_other(
    stage: Stage, life: Life, logs: LogCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong in one, even in the adapter itself."""
    gaps = _gaps(life)
    tenant = life.parts.hub.tenant(TENANT)
    broken = dataclasses.replace(tenant.reporters["stripe"], name="stripe_fr", port=_Broken())
    both = {**tenant.reporters, "stripe_fr": broken}
    life.parts.hub._tenants = {TENANT: dataclasses.replace(tenant, reporters=both)}
    _charge(stage, 1)

    turns = 0
    while await gaps.compare_next():
        turns += 1

    assert (2, 2) == (turns, await _filled(stage))
    (told,) = [one for one in logs.entries if one["event"] == "webhook.list_failed"]
    assert ("error", "stripe_fr", "ZeroDivisionError") == (
        told["log_level"],
        told["system"],
        told["code"],
    )


class _Broken:
    def find_reports(self, since: float, cursor: str) -> Any:
        yield httpx.Request("GET", f"http://stripe{_EVENTS}?limit=1&x={since}{cursor}")
        raise ZeroDivisionError


async def test_a_malformed_event_parks_alone(stage: Stage, life: Life, gaps: Gaps) -> None:
    """It is kept for a person, once, and the others are applied."""
    order = await stage.submit(new_order("m", token="pm_card_authenticationRequired"))
    await stage.work_until(life, order, "WAITING")
    payment = await stage.payment(order)
    stage.stripe.authenticate(payment.provider_ref, succeeds=True, now=stage.now())
    bad = json.loads(json.dumps(stage.stripe._webhooks.events[-1]))
    bad["id"], bad["type"] = "evt_bad", "payment_intent.succeeded"
    bad["data"]["object"] = {"id": 5, "amount": "no"}
    stage.stripe._webhooks.events.append(bad)

    for _ in range(2):
        await gaps.compare_next()
        await _due(stage)
    await stage.finish(life, order, webhooks=False)

    parked = await stage.rows("select reason from headrace.inbox where state = 'PARKED'")
    assert [("event_unexpected",)] == parked
    assert "CAPTURED" == (await stage.payment(order)).state.value


async def test_what_means_nothing_is_not_filled(stage: Stage, gaps: Gaps) -> None:
    """Lists have what no endpoint was told of; nobody shall have to look at it."""
    for kind in ("customer.created", "brand_new.thing"):
        thing = {"id": "cus_1", "object": "customer"}
        stage.stripe._webhooks.emit(kind, thing, {}, stage.now())

    await gaps.compare_next()

    assert 0 == await _filled(stage)


async def test_nothing_is_asked_of_the_far_past(stage: Stage, gaps: Gaps) -> None:
    """A comparison that was off for a year begins a month ago."""
    await gaps.compare_next()
    await stage.sql.execute(
        "update headrace.comparison set since = now() - interval '1 year', due_at = now()"
    )

    await gaps.compare_next()

    begun = float(dict(stage.wire.requests[-1].url.params)["created[gte]"])
    assert 30 * 86_400 + 3_600 == pytest.approx(time.time() - begun, abs=30)


async def test_the_list_is_asked_for_like_everything_else(
    stage: Stage, life: Life, gaps: Gaps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the hub: breaker, time-outs, evidence."""
    calls: list[str] = []
    call = life.parts.hub.call

    async def counted(system: Any, exchange: Any, **how: Any) -> Any:
        calls.append(f"{system.name} {exchange.__name__} {how['step']}")
        return await call(system, exchange, **how)

    monkeypatch.setattr(life.parts.hub, "call", counted)

    await gaps.compare_next()

    assert ["stripe find_reports gaps"] == calls


async def test_the_loop_outlives_what_goes_wrong(
    stage: Stage, life: Life, logs: LogCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It compares, waits out an outage, says what broke, and ends when it is told to."""
    monkeypatch.setattr(module, "_LOOK_S", 0.001)
    gaps = _gaps(life)
    stop = asyncio.Event()
    troubles = iter([module.OUTAGES[0]("away"), module.psycopg.DataError("odd"), None])
    real = gaps.compare_next

    async def troubled() -> bool:
        trouble = next(troubles)
        if trouble is not None:
            raise trouble
        stop.set()
        return await real()

    monkeypatch.setattr(gaps, "compare_next", troubled)
    _charge(stage, 1)

    await asyncio.wait_for(gaps.run(stop), 10)

    assert 2 == await _filled(stage)
    assert ["webhook.gaps_broke"] == [
        one["event"] for one in logs.entries if one["log_level"] == "error"
    ]


async def test_never_is_never(stage: Stage, life: Life) -> None:
    """Where the interval is 0 nothing is asked, not even the database."""
    gaps = _gaps(life, every_s=0.0)

    await asyncio.wait_for(gaps.run(asyncio.Event()), 1)

    assert [(0,)] == await stage.rows("select count(*) from headrace.comparison")


async def test_by_hand_every_page_is_told(stage: Stage, life: Life, gaps: Gaps) -> None:
    """It leaves the worker's own place alone."""
    for number in range(90):
        _charge(stage, number)
    system = life.parts.hub.tenant(TENANT).reporters["stripe"]
    now = time.time()

    pages = [page async for page in gaps.compare(system, now - 3_600, now)]

    assert [100, 100, 70] == [one.listed for one in pages]
    whole = pages[0] + pages[1] + pages[2]
    assert Compared(listed=270, known=0, filled=180) == whole
    assert [(0,)] == await stage.rows("select count(*) from headrace.comparison")


async def test_whoever_is_told_to_stop_gives_it_back(stage: Stage, life: Life) -> None:
    """As it stands, so that the next worker need not wait for the lease."""
    stop = asyncio.Event()
    gaps = _gaps(life)
    gaps._sleep = lambda _seconds: _set(stop)
    for number in range(90):
        _charge(stage, number)

    await asyncio.wait_for(gaps.run(stop), 10)

    assert 1 == len(stage.wire.requests)
    ((cursor, failed, free, begun_anew, later),) = await stage.rows(_STATE)
    assert (True, "", True, False, False) == (bool(cursor), failed, free, begun_anew, later)


async def _set(stop: asyncio.Event) -> None:
    stop.set()


async def test_without_lists_nothing_is_claimed(stage: Stage, life: Life, gaps: Gaps) -> None:
    """Most tenants of the future may have a bank only."""
    tenant = life.parts.hub.tenant(TENANT)
    life.parts.hub._tenants = {TENANT: dataclasses.replace(tenant, reporters={})}

    assert not await gaps.compare_next()
    assert [(0,)] == await stage.rows("select count(*) from headrace.comparison")
