"""Retention: what nobody needs any more is deleted, a little at a time.

Business facts stay: documents, references, the rows of flows and what operators decided.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog

from gateway.runtime import answers
from gateway.runtime.chores import repeat
from gateway.runtime.database import Connection, Database
from gateway.runtime.engine import QUEUES
from gateway.settings import RetentionSettings

_log = structlog.get_logger()
_BATCH: Final = 1_000
_DAY_S: Final = 86_400
# Whoever holds it sweeps; two at once would only wait for each other's rows. The next number
# after the one of `database.migrate`.
_LOCK: Final = 4_215_002


class _Batch(msgspec.Struct, frozen=True):
    """A statement that deletes one batch and says how many rows that were."""

    name: str
    sql: bytes
    params: tuple[Any, ...]


# Ids and numbers grow with time, so the oldest rows come first without an index of their own.
_EVIDENCE: Final = b"""
with old as (select evidence_id, at from headrace.evidence order by evidence_id limit %s),
gone as (delete from headrace.evidence e using old where e.evidence_id = old.evidence_id
 and old.at < now() - make_interval(days => %s) returning 1)
select count(*) from gone"""
_EVENTS: Final = b"""
with old as (select seq, occurred_at from headrace.outbox order by seq limit %s),
gone as (delete from headrace.outbox o using old where o.seq = old.seq
 and old.occurred_at < now() - make_interval(days => %s) returning 1)
select count(*) from gone"""
# What is parked waits for a person, however long that takes.
_WEBHOOKS: Final = b"""
with old as (select seq from headrace.inbox where state in ('APPLIED', 'IGNORED')
 and applied_at < now() - make_interval(days => %s) order by applied_at limit %s
 for update skip locked),
gone as (delete from headrace.inbox i using old where i.seq = old.seq returning 1)
select count(*) from gone"""
_TRACES: Final = b"""
with old as (select trace_id, span_id from headrace.span
 where ended_at < now() - make_interval(days => %s) order by ended_at limit %s),
gone as (delete from headrace.span s using old
 where s.trace_id = old.trace_id and s.span_id = old.span_id returning 1)
select count(*) from gone"""
# What a process has as its own it says so every hour (``mapping_sets.record_for_ever``).
_MAPPING_SETS: Final = b"""
with old as (select tenant, identity from headrace.mapping_set s
 where seen_at < now() - make_interval(days => %s) and not exists (select from headrace.flow f
 where f.tenant = s.tenant and f.mapping_set = s.identity and f.ended_at is null) limit %s),
gone as (delete from headrace.mapping_set s using old
 where s.tenant = old.tenant and s.identity = old.identity returning 1)
select count(*) from gone"""
_UNSEEN_DAYS: Final = 7
# Only what has ended: the engine passes over tasks that run, wait or are parked.
# Source: absurd 0.5.1, cleanup_tasks and cleanup_events.
_FLOWS: Final = b"select absurd.cleanup_tasks(%s, %s, %s)"
_FLOW_EVENTS: Final = b"select absurd.cleanup_events(%s, %s, %s)"


async def sweep(database: Database, settings: RetentionSettings) -> dict[str, int]:
    """Delete what is past its time; how many rows of what.

    Each batch is a transaction of its own. Where another worker sweeps, this one leaves it to it.
    """
    deleted = {"idempotency_keys": await _forget_keys(database)}
    for batch in _batches(settings):
        deleted[batch.name] = deleted.get(batch.name, 0) + await _delete(database, batch)
    return deleted


async def sweep_for_ever(
    database: Database,
    settings: RetentionSettings,
    stop: asyncio.Event,
    every_s: float = 3_600.0,
) -> None:
    """Sweep until told to stop."""

    async def swept() -> None:
        _report(await sweep(database, settings))

    await repeat("retention.broke", swept, stop, every_s)


def _report(deleted: Mapping[str, int]) -> None:
    counts = {name: count for name, count in deleted.items() if count}
    if counts:
        _log.info("retention.swept", **counts)


def _batches(settings: RetentionSettings) -> list[_Batch]:
    batches = [
        _Batch("evidence", _EVIDENCE, (_BATCH, settings.evidence_days)),
        _Batch("webhooks", _WEBHOOKS, (settings.webhooks_days, _BATCH)),
        _Batch("spans", _TRACES, (settings.traces_days, _BATCH)),
        _Batch("mapping_sets", _MAPPING_SETS, (_UNSEEN_DAYS, _BATCH)),
    ]
    for queue in QUEUES:
        params = (queue, settings.journal_days * _DAY_S, _BATCH)
        batches += [_Batch("flows", _FLOWS, params), _Batch("flow_events", _FLOW_EVENTS, params)]
    if settings.events_days:
        batches.append(_Batch("events", _EVENTS, (_BATCH, settings.events_days)))
    return batches


async def _delete(database: Database, batch: _Batch) -> int:
    """Delete batch by batch until one is not full."""
    total = 0
    while True:
        async with database.transaction() as connection:
            if not await _alone(connection):
                return total
            found = await connection.execute(batch.sql, batch.params)
            row = await found.fetchone()
        count = int(row[0]) if row else 0
        total += count
        if count < _BATCH:
            return total


async def _forget_keys(database: Database) -> int:
    total = 0
    while True:
        async with database.transaction() as connection:
            if not await _alone(connection):
                return total
            count = await answers.forget_expired(connection)
        total += count
        if count < _BATCH:
            return total


async def _alone(connection: Connection) -> bool:
    """Whether this worker may delete until the transaction ends."""
    found = await connection.execute("select pg_try_advisory_xact_lock(%s)", (_LOCK,))
    row = await found.fetchone()
    return bool(row and row[0])
