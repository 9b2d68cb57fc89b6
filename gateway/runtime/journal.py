"""The journal: statements that commit together, many flows in one commit.

Every step of every flow writes here, so a commit per step would be the limit of the whole hub.
Statements of one call always stand in one transaction; calls that arrive while a commit runs
share the next one.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import psycopg
import structlog
from psycopg.types.json import Json

from gateway.errors import Unavailable
from gateway.runtime.batch import Batcher
from gateway.runtime.database import OUTAGES, Connection, Database
from gateway.runtime.evidence import Evidence, encode

_log = structlog.get_logger()
# Evidence of a process that is killed may be lost for both together. Each commit costs 0.3 ms; what
# waits to be redacted pushes other things out of the processor's cache, what is redacted does not.
_REDACT_S: Final = 0.02
_GATHER_S: Final = 0.03
_AT_ONCE: Final = 32  # pieces of evidence redacted without a pause: 1 ms, or 80 for large bodies


class Statement(NamedTuple):
    """One SQL statement with its parameters."""

    sql: str
    params: Sequence[Any]


class _Row(NamedTuple):
    """Evidence as it is written, and what is said where it cannot be."""

    content: bytes
    system: str
    verb: str


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
        self._fresh: list[Evidence] = []
        self._due: asyncio.TimerHandle | None = None
        self._stopping = False
        self._evidence: Batcher[_Row, None] = Batcher(self._insert, gather_s=_GATHER_S)
        self._lost = 0

    def start(self) -> None:
        """Begin to write."""
        self._writes.start()
        self._evidence.start()

    async def stop(self) -> None:
        """Write what waits, and what is put meanwhile; then end."""
        self._stopping = True
        await self._writes.stop()
        self._redact()
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
        self._fresh.append(evidence)
        if self._stopping or len(self._fresh) >= _AT_ONCE:
            self._redact()
        elif self._due is None:
            self._due = asyncio.get_running_loop().call_later(_REDACT_S, self._redact)

    def _redact(self) -> None:
        """Make rows of the evidence that waits: many together, at half the cost of one by one."""
        if self._due is not None:
            self._due.cancel()
        fresh, self._fresh, self._due = self._fresh, [], None
        for one in fresh:
            try:
                self._evidence.post(_Row(encode(one), one.system, one.verb))
            except Exception as error:  # noqa: BLE001 - one may not take the others along
                self._lose(one.system, one.verb, error)

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

    async def _insert(self, rows: Sequence[_Row]) -> list[None]:
        # As JSON, because psycopg escapes arrays of text in Python: 270 µs a row against 1.
        array = Json(b"[%b]" % b",".join(row.content for row in rows), dumps=bytes)
        try:
            await self._patiently(Statement(_INSERT_EVIDENCE, (array,)))
        except Exception as error:  # noqa: BLE001 - nobody waits who could be told
            for row in rows:
                self._lose(row.system, row.verb, error)
        return [None] * len(rows)

    def _lose(self, system: str, verb: str, error: Exception) -> None:
        self._lost += 1
        _log.error("evidence.lost", system=system, verb=verb, total=self._lost, exc_info=error)

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
    to_timestamp(at), duration_ms, outcome, status, (request ->> 0) || (request ->> 1),
    (response ->> 0) || (response ->> 1), error, trace_id, span_id, mapping
from json_to_recordset(%s::json) as e (evidence_id text, tenant text, system text, product text,
    verb text, business_id text, step text, key text, attempt int, at float8, duration_ms float8,
    outcome text, status int, request json, response json, error text, trace_id text,
    span_id text, mapping text)
on conflict (evidence_id) do nothing
"""
