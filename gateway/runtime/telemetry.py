"""Logs, spans and metrics: hand-made, free of personal data, and whole across process deaths.

A flow outlives processes, so its spans cannot live in one. The span of a flow and those of its
steps have identifiers that follow from the flow; whoever runs a step hangs its calls under that
identifier, and whoever ends the flow writes the spans themselves, from the journal. So no parent
is ever missing, whoever died.
"""

import hashlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import httpx
import msgspec
import structlog
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace import TraceFlags as Flags

from gateway.runtime.lines import Lines, stamp
from gateway.runtime.recording import Recorder

_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


class Telemetry:
    """The tracer of one process and what becomes of its spans.

    Args:
        service: ``service.name``.
        sampling: Share of traces recorded, decided where a trace begins.
        exporters: Each gets every recorded span, in batches of 64 (larger ones hold the
            interpreter for too long; benchmarks/README.md).
    """

    def __init__(
        self, *, service: str, sampling: float = 1.0, exporters: Sequence[SpanExporter] = ()
    ) -> None:
        self._processors = [
            BatchSpanProcessor(
                exporter,
                max_queue_size=16_384,
                schedule_delay_millis=300,
                max_export_batch_size=64,
            )
            for exporter in exporters
        ]
        self.tracer = Recorder(
            sampling=sampling, resource=Resource({"service.name": service}), take=self._take
        )

    def _take(self, span: ReadableSpan) -> None:
        for processor in self._processors:
            processor.on_end(span)

    def flush(self) -> None:
        """Hand everything over to the exporters."""
        for processor in self._processors:
            processor.force_flush(5_000)

    def close(self) -> None:
        """Flush and end."""
        for processor in self._processors:
            processor.shutdown()  # type: ignore[no-untyped-call] # as it comes

    def emit(
        self,
        name: str,
        *,
        parent: SpanContext | None,
        span_id: int,
        started: float,
        ended: float,
        attributes: Mapping[str, str | int | float | bool],
        kind: SpanKind = SpanKind.INTERNAL,
        failed: bool = False,
        links: Sequence[SpanContext] = (),
    ) -> None:
        """Write a span that is over, under an identifier that others know already.

        Args:
            started: Seconds since the epoch; so is ``ended``.
        """
        span = self.tracer.start_span(
            name,
            context_of(parent),
            kind=kind,
            attributes=attributes,
            links=[Link(link) for link in links],
            start_time=int(started * 1e9),
            span_id=span_id,
        )
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(int(ended * 1e9))


def fixed_span_id(*parts: str) -> int:
    """The span identifier that follows from the parts; the same in every process."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") or 1


def span_context(trace_id: int, span_id: int, *, sampled: bool) -> SpanContext:
    """A span context as if it had come from another process."""
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=Flags(1 if sampled else 0))


def child_context(parent: SpanContext, span_id: int) -> SpanContext:
    """The context of a span of the same trace."""
    return span_context(parent.trace_id, span_id, sampled=parent.trace_flags.sampled)


def context_of(parent: SpanContext | None) -> Context:
    """An OpenTelemetry context in which the given span is the current one."""
    empty = Context()
    return empty if parent is None else trace.set_span_in_context(NonRecordingSpan(parent), empty)


@contextmanager
def current(parent: SpanContext) -> Iterator[None]:
    """Make the span the parent of whatever begins inside."""
    token = otel_context.attach(context_of(parent))
    try:
        yield
    finally:
        otel_context.detach(token)


def traceparent(context: SpanContext) -> str:
    """The W3C header of a span context."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def parse_traceparent(header: str) -> SpanContext | None:
    """The span context of a W3C header; None where it is none.

    Source: W3C Trace Context, §3.2.
    """
    match = _TRACEPARENT.fullmatch(header)
    if match is None:
        return None
    trace_id, span_id = int(match.group(1), 16), int(match.group(2), 16)
    if not trace_id or not span_id:
        return None
    return span_context(trace_id, span_id, sampled=bool(int(match.group(3), 16) & 1))


class OtlpExporter(SpanExporter):
    """Spans as OTLP/JSON over HTTP.

    The SDK's protobuf exporter costs 30 µs a span, this 8 µs (docs/reference/performance.md).

    Args:
        endpoint: ``http://collector:4318``; ``/v1/traces`` is added.

    Source: opentelemetry-proto, OTLP/HTTP, JSON encoding.
    """

    def __init__(self, endpoint: str) -> None:
        self._url = endpoint.rstrip("/") + "/v1/traces"
        self._client = httpx.Client(timeout=5.0, trust_env=False)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch; what cannot be sent is dropped and said once."""
        try:
            answer = self._client.post(
                self._url,
                content=msgspec.json.encode(_otlp(spans)),
                headers={"Content-Type": "application/json"},
            )
        except httpx.HTTPError as error:
            structlog.get_logger().warning("telemetry.lost", spans=len(spans), error=type(error))
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS if answer.is_success else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Close the connection."""
        self._client.close()


def _otlp(spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _otlp_attributes(spans[0].resource.attributes)},
                "scopeSpans": [
                    {"scope": {"name": "headrace"}, "spans": [_otlp_span(s) for s in spans]}
                ],
            }
        ]
    }


def _otlp_span(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    return {
        "traceId": f"{context.trace_id:032x}" if context else "",
        "spanId": f"{context.span_id:016x}" if context else "",
        "parentSpanId": f"{span.parent.span_id:016x}" if span.parent else "",
        "name": span.name,
        "kind": span.kind.value + 1,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _otlp_attributes(span.attributes or {}),
        "status": {"code": span.status.status_code.value},
        "links": [
            {"traceId": f"{l.context.trace_id:032x}", "spanId": f"{l.context.span_id:016x}"}
            for l in span.links  # noqa: E741 - l for link
        ],
    }


def _otlp_attributes(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _otlp_value(value)} for key, value in attributes.items()]


def _otlp_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)}


def configure_logs(level: str) -> None:
    """One JSON line per event on standard error."""
    lines = Lines(sys.stderr.buffer)
    structlog.configure(
        processors=[stamp],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
