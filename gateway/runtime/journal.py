"""The journal: statements that commit together, many flows in one commit.

Every step of every flow writes here, so a commit per step would be the limit of the whole hub.
Statements of one call always stand in one transaction; calls that arrive while a commit runs
share the next one.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import psycopg
import structlog

from gateway.errors import Unavailable
from gateway.runtime.batch import Batcher
from gateway.runtime.database import OUTAGES, Connection, Database
from gateway.runtime.evidence import Evidence

_log = structlog.get_logger()
# Evidence of a process that is killed may be lost for so long; each commit costs it 0.3 ms.
_GATHER_S: Final = 0.05


class Statement(NamedTuple):
    """One SQL statement with its parameters."""

    sql: str
    params: Sequence[Any]


class Journal:
    """Group-committed writes of one process.

    Args:
        database: Where to.
        patience_s: How long a write waits for a PostgreSQL that is away.
    """

    def __init__(self, database: Database, *, patience_s: float = 30.0) -> None:
        self._database = database
        self._patience_s = patience_s
        self._writes: Batcher[Sequence[Statement], Any] = Batcher(self._commit)
        self._evidence: Batcher[Evidence, None] = Batcher(self._keep, gather_s=_GATHER_S)
        self._lost = 0

    def start(self) -> None:
        """Begin to write."""
        self._writes.start()
        self._evidence.start()

    async def stop(self) -> None:
        """Write what waits, then end."""
        await self._writes.stop()
        await self._evidence.stop()

    async def write(self, *statements: Statement, repeat: bool = True) -> tuple[Any, ...] | None:
        """Commit the statements together; returns the first row of the last one.

        An outage is waited for, and the statements are sent again: they must allow it.

        Args:
            repeat: False for statements that must not be sent twice; an outage is then raised.

        Raises:
            Unavailable: PostgreSQL stayed away for longer than the patience.
            psycopg.Error: The statements are wrong, or the engine refuses them.
        """
        started = time.monotonic()
        while True:
            try:
                row: tuple[Any, ...] | None = await self._writes.put(statements)
            except OUTAGES as error:
                if not repeat or time.monotonic() - started > self._patience_s:
                    raise Unavailable("PostgreSQL stayed away.", code="database_away") from error
                await asyncio.sleep(0.1)
            else:
                return row

    def keep(self, evidence: Evidence) -> None:
        """Keep the evidence of one attempt; it is written soon, without anybody waiting."""
        try:
            self._evidence.submit(evidence).add_done_callback(_heard)
        except Unavailable:
            self._lost += 1
            _log.error("evidence.lost", total=self._lost)

    async def _commit(self, calls: Sequence[Sequence[Statement]]) -> list[Any]:
        try:
            async with self._database.transaction() as connection:
                return await execute(connection, calls)
        except OUTAGES:
            raise
        except psycopg.Error:
            if len(calls) == 1:
                raise
        # One of them is poison: each for itself, so that it fails alone.
        return [await self._alone(call) for call in calls]

    async def _alone(self, call: Sequence[Statement]) -> Any:
        try:
            async with self._database.transaction() as connection:
                return (await execute(connection, [call]))[0]
        except psycopg.Error as error:
            return error

    async def _keep(self, evidence: Sequence[Evidence]) -> list[None]:
        # As JSON, because psycopg escapes arrays of text in Python: 270 µs a row against 1.
        rows = msgspec.json.encode(evidence).decode()
        await self._patiently(Statement(_INSERT_EVIDENCE, (rows,)))
        return [None] * len(evidence)

    async def _patiently(self, statement: Statement) -> None:
        for pause_s in (0.1, 0.5, 1, 2, 5, 5, 5, 5, 5, 0):
            try:
                async with self._database.transaction() as connection:
                    await connection.execute(statement.sql, statement.params)
            except OUTAGES:
                if not pause_s:
                    raise
                await asyncio.sleep(pause_s)
            else:
                return


def _heard(future: "asyncio.Future[None]") -> None:
    if not future.cancelled() and future.exception() is not None:
        _log.error("evidence.lost", exc_info=future.exception())


async def execute(connection: Connection, calls: Sequence[Sequence[Statement]]) -> list[Any]:
    """Run the statements of several calls in one round trip; the last first row of each call."""
    cursors = []
    async with connection.pipeline():
        for call in calls:
            for statement in call:
                cursor = connection.cursor()
                await cursor.execute(statement.sql, statement.params)
            cursors.append(cursor)
    return [
        await cursor.fetchone() if cursor.description is not None else None for cursor in cursors
    ]


_INSERT_EVIDENCE = """
insert into headrace.evidence (evidence_id, tenant, system, product, verb, business_id, step, key,
    attempt, at, duration_ms, outcome, status, request, response, error, trace_id, span_id, mapping)
select evidence_id, tenant, system, product, verb, business_id, step, key, attempt,
    to_timestamp(at), duration_ms, outcome, status, request, response, error, trace_id, span_id,
    mapping
from json_to_recordset(%s::json) as e (evidence_id text, tenant text, system text, product text,
    verb text, business_id text, step text, key text, attempt int, at float8, duration_ms float8,
    outcome text, status int, request text, response text, error text, trace_id text,
    span_id text, mapping text)
on conflict (evidence_id) do nothing
"""
