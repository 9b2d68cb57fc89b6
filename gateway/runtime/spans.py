"""Spans kept in PostgreSQL, so that ``headrace trace`` needs no other software."""

import socket
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg
import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from gateway.runtime.database import Connection

_log = structlog.get_logger()


class PostgresExporter(SpanExporter):
    """Writes spans from the thread of the batch processor, over a connection of its own.

    Args:
        url: Of the database; the connection is made with the first batch.
        process: Shown beside each span.
    """

    def __init__(self, url: str, *, process: str) -> None:
        self._url = url
        self._process = f"{process}@{socket.gethostname()}"
        self._connection: psycopg.Connection[Any] | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write one batch; a span that is there already stays as it is."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self._url, autocommit=True)
            with self._connection.cursor() as cursor:
                cursor.executemany(_INSERT, [self._row(span) for span in spans])
        except psycopg.Error as error:
            _log.warning("telemetry.lost", spans=len(spans), error=type(error).__name__)
            self.shutdown()
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _row(self, span: ReadableSpan) -> tuple[Any, ...]:
        context = span.get_span_context()
        links = [f"{link.context.trace_id:032x}" for link in span.links]
        return (
            f"{context.trace_id:032x}" if context else "",
            f"{context.span_id:016x}" if context else "",
            f"{span.parent.span_id:016x}" if span.parent else "",
            span.name,
            span.kind.name,
            self._process,
            (span.start_time or 0) / 1e9,
            (span.end_time or 0) / 1e9,
            span.status.status_code.name,
            msgspec.json.encode(dict(span.attributes or {})).decode(),
            msgspec.json.encode(links).decode(),
        )


_INSERT = """
insert into headrace.span (trace_id, span_id, parent_id, name, kind, process, started_at, ended_at,
    status, attributes, links)
values (%s, %s, %s, %s, %s, %s, to_timestamp(%s), to_timestamp(%s), %s, %s, %s)
on conflict (trace_id, span_id) do nothing
"""


class KeptSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A span as it was kept; times in seconds since the epoch."""

    span_id: str
    parent_id: str
    name: str
    kind: str
    process: str
    started: float
    ended: float
    status: str
    attributes: dict[str, Any]


async def of_order(
    connection: Connection, *, tenant: str, order_id: str
) -> tuple[str, list[KeptSpan]]:
    """The trace of an order: its id and its spans, oldest first; empty where there is none."""
    found = await connection.execute(
        "select split_part(traceparent, '-', 2) from headrace.flow"
        " where tenant = %s and business_id = %s",
        (tenant, order_id),
    )
    row = await found.fetchone()
    if row is None:
        return "", []
    found = await connection.execute(
        "select span_id, parent_id, name, kind, process,"
        " extract(epoch from started_at)::float8, extract(epoch from ended_at)::float8,"
        " status, attributes from headrace.span where trace_id = %s order by started_at",
        (row[0],),
    )
    return row[0], [
        KeptSpan(
            span_id=span_id,
            parent_id=parent_id,
            name=name,
            kind=kind,
            process=process,
            started=started,
            ended=ended,
            status=status,
            attributes=attributes,
        )
        for span_id, parent_id, name, kind, process, started, ended, status, attributes in (
            await found.fetchall()
        )
    ]
