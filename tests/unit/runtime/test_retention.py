"""Retention: what is past its time goes, everything else and everybody's work stays."""

import asyncio
import os
import signal
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import psycopg
import pytest
from structlog.testing import LogCapture

from gateway.commands import serve
from gateway.kit.simulator import FaultKind
from gateway.runtime.database import Database
from gateway.runtime.retention import sweep, sweep_for_ever
from gateway.settings import RetentionSettings, Settings
from tests.flows.stage import Life, Stage, new_order

_DAYS: Final = RetentionSettings(
    journal_days=50, evidence_days=40, webhooks_days=35, events_days=30, traces_days=20
)
_WEBHOOKS: Final = """
insert into headrace.inbox (tenant, system, dedupe_key, body, traceparent, state, received_at,
    applied_at)
select 'acme', 'stripe', %(days)s || '-' || n, '', '', %(state)s,
    now() - make_interval(days => %(days)s), now() - make_interval(days => %(days)s)
from generate_series(1, %(count)s) n"""
_EVENTS: Final = """
insert into headrace.outbox (tenant, event_id, type, aggregate, aggregate_id, sequence, business_id,
    data, traceparent, causation_id, occurred_at)
select 'acme', '', '', 'order', 'old' || %(days)s, n, '', '{}', '', '',
    now() - make_interval(days => %(days)s) from generate_series(1, %(count)s) n"""
_EVIDENCE: Final = """
insert into headrace.evidence (evidence_id, tenant, system, product, verb, business_id, step, key,
    attempt, at, duration_ms, outcome, status, request, response, error, trace_id, span_id)
select lpad((100000 * (1000 - %(days)s) + n)::text, 20, '0'), 'acme', '', '', '', '', '', '', 1,
    now() - make_interval(days => %(days)s), 1, '', 200, '', '', '', '', ''
from generate_series(1, %(count)s) n"""
_SPANS: Final = """
insert into headrace.span (trace_id, span_id, parent_id, name, kind, process, started_at, ended_at,
    status, attributes, links)
select %(days)s::text, n::text, '', '', '', '', now() - make_interval(days => %(days)s),
    now() - make_interval(days => %(days)s), '', '{}', '{}' from generate_series(1, %(count)s) n"""
_KEYS: Final = """
insert into headrace.idempotency (tenant, client, operation, key, fingerprint, business_id,
    locked_until, expires_at)
select 'acme', 'web', 'submit', %(days)s || '-' || n, '', '', now(),
    now() - make_interval(days => %(days)s) from generate_series(1, %(count)s) n"""


async def _fill(database: Database, sql: str, **params: Any) -> None:
    async with database.connection() as connection:
        await connection.execute(sql.encode(), params)


async def _count(database: Database, source: str) -> int:
    async with database.connection() as connection:
        found = await connection.execute(f"select count(*) from {source}".encode())  # noqa: S608 - ours
        row = await found.fetchone()
    return int(row[0]) if row else -1


@pytest.mark.parametrize(
    ("name", "table", "fill", "params", "days"),
    [
        ("webhooks", "inbox", _WEBHOOKS, {"state": "APPLIED"}, 35),
        ("webhooks", "inbox", _WEBHOOKS, {"state": "IGNORED"}, 35),
        ("events", "outbox", _EVENTS, {}, 30),
        ("evidence", "evidence", _EVIDENCE, {}, 40),
        ("spans", "span", _SPANS, {}, 20),
        ("idempotency_keys", "idempotency", _KEYS, {}, 0),
    ],
)
async def test_only_rows_past_their_days_go(
    database: Database, name: str, table: str, fill: str, params: dict[str, Any], days: int
) -> None:
    """More than two batches go in one sweep; what is younger by a day stays."""
    await _fill(database, fill, days=days + 1, count=2001, **params)
    await _fill(database, fill, days=days - 1, count=5, **params)

    deleted = await sweep(database, _DAYS)

    assert {name: 2001} == {what: count for what, count in deleted.items() if count}
    assert 5 == await _count(database, f"headrace.{table}")
    assert 0 == sum((await sweep(database, _DAYS)).values())


@pytest.mark.parametrize("state", ["PARKED", "NEW"])
async def test_webhook_that_waits_is_never_too_old(database: Database, state: str) -> None:
    """A person, or the consumer after a long outage, still finds it."""
    await _fill(database, _WEBHOOKS, state=state, days=5_000, count=1)

    assert 0 == sum((await sweep(database, _DAYS)).values())

    assert 1 == await _count(database, "headrace.inbox")


async def test_events_are_kept_for_ever_unless_somebody_says_otherwise(database: Database) -> None:
    """Zero days are no days at all, not a deletion of everything."""
    await _fill(database, _EVENTS, days=5_000, count=1)

    assert "events" not in await sweep(database, RetentionSettings())

    assert 1 == await _count(database, "headrace.outbox")


async def test_steps_of_old_flows_go_and_the_flows_stay(stage: Stage, life: Life) -> None:
    """The engine forgets a flow that has ended; what people look at, and who waits, stays."""
    done = await stage.submit(new_order("done"))
    await stage.finish(life, done)
    parked = await stage.submit(new_order("parked"))
    stage.lay("sap", FaultKind.STATUS, status=503, retry_after_s=0, count=-1)
    await life.work()
    steps = await stage.steps(parked)
    assert steps
    assert await stage.steps(done)
    for sql in (
        "update absurd.r_interactive set completed_at = completed_at - interval '51 days'",
        "update absurd.e_interactive set emitted_at = emitted_at - interval '51 days'",
    ):
        await stage.rows(sql)

    deleted = await sweep(life.parts.database, _DAYS)

    assert 1 == deleted["flows"]
    assert 0 < deleted["flow_events"]
    assert {} == await stage.steps(done)
    assert ("COMPLETED", "") == await stage.state(done)
    assert steps == await stage.steps(parked)
    stage.wire.faults["sap"].clear()
    await stage.finish(life, parked)
    assert "COMPLETED" == (await stage.order(parked.order_id)).state


async def test_two_workers_do_not_sweep_at_once(url: str, database: Database) -> None:
    """Whoever comes second leaves it to the first, and does not wait."""
    await _fill(database, _SPANS, days=21, count=1)
    other = await psycopg.AsyncConnection.connect(url)
    async with other:
        await other.execute("select pg_advisory_xact_lock(4215002)")
        assert 0 == sum((await sweep(database, _DAYS)).values())

    assert 1 == (await sweep(database, _DAYS))["spans"]


async def _sweep_until(
    database: Database, logs: LogCapture, wanted: str, stop: asyncio.Event
) -> Sequence[Any]:
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(sweep_for_ever(database, _DAYS, stop, every_s=0.001))
        while not [one for one in logs.entries if one["event"] == wanted]:
            await _count(database, "headrace.flow")
        stop.set()
    return [one for one in logs.entries if one["event"].startswith("retention.")]


async def test_sweep_says_what_it_deleted_and_else_nothing(
    database: Database, logs: LogCapture
) -> None:
    """One line for the sweep that found something, with its counts; none for those that did not."""
    await _fill(database, _SPANS, days=21, count=3)

    said = await _sweep_until(database, logs, "retention.swept", asyncio.Event())

    assert [{"event": "retention.swept", "log_level": "info", "spans": 3}] == said
    logs.entries.clear()
    stop = asyncio.Event()
    sweeping = asyncio.create_task(sweep_for_ever(database, _DAYS, stop))
    await asyncio.sleep(0)  # it has begun, and ends after this one sweep
    stop.set()
    await sweeping
    assert [] == logs.entries


async def test_sweep_outlives_what_goes_wrong(database: Database, logs: LogCapture) -> None:
    """A missing table is said, an outage is waited for, and the worker lives on."""
    async with database.connection() as connection:
        await connection.execute("alter table headrace.span rename to gone")

    said = await _sweep_until(database, logs, "retention.broke", asyncio.Event())

    assert {("retention.broke", "error", "UndefinedTable", "42P01")} == {
        (one["event"], one["log_level"], one["error"], one["code"]) for one in said
    }


async def test_sweep_outlives_an_outage(database: Database, logs: LogCapture) -> None:
    """What could not be deleted is deleted by a later sweep, and nobody is told about the gap."""
    await _fill(database, _SPANS, days=21, count=1)
    begin, away = database.transaction, [psycopg.OperationalError("gone")]

    def broken() -> Any:
        if away:
            raise away.pop()
        return begin()

    database.transaction = broken  # type: ignore[method-assign] # an interleaving

    said = await _sweep_until(database, logs, "retention.swept", asyncio.Event())

    assert ["retention.swept"] == [one["event"] for one in said]


async def test_worker_sweeps(stage: Stage, logs: LogCapture) -> None:
    """Retention needs no command and no clock of somebody else's."""
    database = Database(stage.url, pool=2)
    await database.open()
    await _fill(database, _SPANS, days=21, count=1)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(serve._work(stage.parts("worker")))
        while await _count(database, "headrace.span"):
            pass
        while "worker.started" not in {one["event"] for one in logs.entries}:
            await _count(database, "headrace.span")
        os.kill(os.getpid(), signal.SIGTERM)
    await database.close()

    assert "worker.stopped" in {one["event"] for one in logs.entries}


def test_dedupe_keys_outlive_the_providers_patience() -> None:
    """A repetition after the row is gone would be a new event: fewer than 35 days are refused."""
    assert 35 == msgspec.convert({"webhooks_days": 35}, RetentionSettings).webhooks_days

    with pytest.raises(msgspec.ValidationError, match=r"Expected `int` >= 35 - at `\$.retention"):
        msgspec.convert({"retention": {"webhooks_days": 34}}, Settings)
