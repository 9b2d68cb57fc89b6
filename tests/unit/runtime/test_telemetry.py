"""Telemetry: identifiers that follow from what they name, and lines without anybody's data."""

import io
import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import msgspec
import pytest
import respx
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from gateway.runtime import telemetry
from gateway.runtime.lines import Lines, stamp
from gateway.runtime.telemetry import OtlpExporter, Telemetry

_TRACE, _SPAN = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
_HEADER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracing(spans: InMemorySpanExporter) -> Iterator[Telemetry]:
    tracing = Telemetry(service="test", exporters=(spans,))
    yield tracing
    tracing.close()


def test_header_is_read_and_written() -> None:
    """There and back is the same, and the context is known to come from elsewhere."""
    context = telemetry.parse_traceparent(_HEADER)

    assert context is not None
    assert (_TRACE, _SPAN, True, True) == (
        context.trace_id,
        context.span_id,
        context.trace_flags.sampled,
        context.is_remote,
    )
    assert _HEADER == telemetry.traceparent(context)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        _HEADER.upper(),
        _HEADER[:-1],
        _HEADER + "-x",
        _HEADER + "\n",
        _HEADER.replace("00-", "ff-", 1),
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
    ],
)
def test_header_that_is_none_begins_a_new_trace(header: str) -> None:
    """Whatever anybody sends, nothing but a valid context is taken over."""
    assert telemetry.parse_traceparent(header) is None


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("02", False)])
def test_sampling_is_the_callers(flags: str, sampled: bool) -> None:  # noqa: FBT001 - an expected value
    """The lowest bit, and no other."""
    context = telemetry.parse_traceparent(f"{_HEADER[:-2]}{flags}")

    assert context is not None
    assert sampled is context.trace_flags.sampled


def test_span_of_a_step_has_the_same_id_in_every_process() -> None:
    """It follows from flow and step; the parts are not run together."""
    assert telemetry.fixed_span_id("flow", "step") == telemetry.fixed_span_id("flow", "step")
    assert 3 == len(
        {telemetry.fixed_span_id(*parts) for parts in (("ab", "c"), ("a", "bc"), ("a", "b", "c"))}
    )


def test_span_that_is_over_is_written_under_its_id(
    tracing: Telemetry, spans: InMemorySpanExporter
) -> None:
    """With its own times, beneath its parent; the next span has an id of its own again."""
    parent = telemetry.span_context(_TRACE, _SPAN, sampled=True)
    tracing.emit(
        "step",
        parent=parent,
        span_id=77,
        started=1.5,
        ended=2.25,
        attributes={"a": 1},
        kind=SpanKind.CONSUMER,
        failed=True,
        links=[telemetry.child_context(parent, 5)],
    )
    tracing.tracer.start_span("next").end()
    tracing.flush()

    step, following = spans.get_finished_spans()
    context = step.get_span_context()
    assert context is not None
    assert step.parent is not None
    assert (_TRACE, 77, _SPAN) == (context.trace_id, context.span_id, step.parent.span_id)
    assert (1_500_000_000, 2_250_000_000) == (step.start_time, step.end_time)
    assert (StatusCode.ERROR, SpanKind.CONSUMER) == (step.status.status_code, step.kind)
    assert [5] == [link.context.span_id for link in step.links]
    assert following.context is not None
    assert 77 != following.context.span_id


def test_nothing_is_recorded_where_the_caller_did_not(
    tracing: Telemetry, spans: InMemorySpanExporter
) -> None:
    """Half a trace would be worse than none."""
    parent = telemetry.span_context(_TRACE, _SPAN, sampled=False)
    tracing.emit("x", parent=parent, span_id=7, started=1, ended=2, attributes={})
    tracing.flush()

    assert () == spans.get_finished_spans()


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (1.0, 20)])
def test_sampling_is_decided_where_a_trace_begins(
    spans: InMemorySpanExporter, share: float, expected: int
) -> None:
    """All of it or nothing of it."""
    tracing = Telemetry(service="test", sampling=share, exporters=(spans,))
    for _ in range(20):
        tracing.tracer.start_span("root").end()
    tracing.flush()

    assert expected == len(spans.get_finished_spans())
    tracing.close()


def test_what_begins_inside_belongs_to_the_span(tracing: Telemetry) -> None:
    """And no longer when the block has ended."""
    with telemetry.current(telemetry.span_context(_TRACE, _SPAN, sampled=True)):
        inside = tracing.tracer.start_span("inside")
    outside = tracing.tracer.start_span("outside")

    assert _TRACE == inside.get_span_context().trace_id
    assert _TRACE != outside.get_span_context().trace_id
    assert not trace.get_current_span().get_span_context().is_valid


# --- OTLP ------------------------------------------------------------------------------------


@respx.mock
def test_spans_are_sent_as_otlp(tracing: Telemetry, spans: InMemorySpanExporter) -> None:
    """Ids in hexadecimal, times in nanoseconds as text, each attribute with its type."""
    route = respx.post("http://collector.test/v1/traces").respond(200)
    parent = telemetry.span_context(_TRACE, _SPAN, sampled=True)
    tracing.emit(
        "step",
        parent=parent,
        span_id=255,
        started=1,
        ended=2,
        attributes={"text": "t", "whole": 7, "part": 0.5, "yes": True},
    )
    tracing.flush()
    exporter = OtlpExporter("http://collector.test/")

    assert SpanExportResult.SUCCESS is exporter.export(spans.get_finished_spans())

    sent = json.loads(route.calls.last.request.content)["resourceSpans"][0]
    (span,) = sent["scopeSpans"][0]["spans"]
    assert [{"key": "service.name", "value": {"stringValue": "test"}}] == (
        sent["resource"]["attributes"]
    )
    assert (f"{_TRACE:032x}", f"{255:016x}", f"{_SPAN:016x}") == (
        span["traceId"],
        span["spanId"],
        span["parentSpanId"],
    )
    assert ("1000000000", "2000000000", 1) == (
        span["startTimeUnixNano"],
        span["endTimeUnixNano"],
        span["kind"],
    )
    assert [
        {"stringValue": "t"},
        {"intValue": "7"},
        {"doubleValue": 0.5},
        {"boolValue": True},
    ] == [one["value"] for one in span["attributes"]]
    exporter.shutdown()


@respx.mock
@pytest.mark.parametrize("answer", [httpx.ConnectError("away"), httpx.Response(503)])
def test_collector_that_is_away_is_no_error_of_ours(
    tracing: Telemetry, spans: InMemorySpanExporter, answer: Any
) -> None:
    """The spans are lost, the process is not."""
    respx.post("http://collector.test/v1/traces").mock(side_effect=[answer])
    tracing.tracer.start_span("x").end()
    tracing.flush()
    exporter: SpanExporter = OtlpExporter("http://collector.test")

    assert SpanExportResult.FAILURE is exporter.export(spans.get_finished_spans())
    exporter.shutdown()


# --- logs ------------------------------------------------------------------------------------


@pytest.fixture
def written() -> Iterator[io.BytesIO]:
    """Where lines go, rendered as in production."""
    stream = io.BytesIO()
    lines = Lines(stream)
    structlog.configure(
        processors=[stamp],
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    yield stream
    structlog.reset_defaults()


def test_exception_is_its_type_and_its_places(written: io.BytesIO) -> None:
    """Its text may quote a customer's data, and so may the line of code."""
    try:
        int("Jürgen Müller, DE89370400440532013000")
    except ValueError as error:
        structlog.get_logger().error("api.defect", request_id="r", exc_info=error)

    line = msgspec.json.decode(written.getvalue())
    assert ("api.defect", "error", "ValueError") == (
        line["event"],
        line["level"],
        line["error.type"],
    )
    said_s = datetime.fromisoformat(line["timestamp"]).timestamp()
    assert abs(time.time() - said_s) < 60
    assert [True] == [
        place.rpartition(":")[0].endswith("test_telemetry.py") for place in line["error.at"]
    ]
    assert b"M\xc3\xbcller" not in written.getvalue()


def test_line_is_one_line_of_json_whatever_is_in_it(written: io.BytesIO) -> None:
    """Types that JSON does not know become text; a line break in a value breaks no line."""
    structlog.get_logger().info("a.b", kind=ValueError, text="two\nlines", number=1.5)

    (line,) = written.getvalue().splitlines()
    said = json.loads(line)
    assert {
        "timestamp": said["timestamp"],
        "event": "a.b",
        "level": "info",
        "kind": "<class 'ValueError'>",
        "text": "two\nlines",
        "number": 1.5,
    } == said


def test_configured_level_hides_what_is_below(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Standard error, one line each; standard output stays for results."""
    telemetry.configure_logs("warning")
    try:
        log = structlog.get_logger()
        log.info("too.little")
        log.warning("just.enough")
    finally:
        structlog.reset_defaults()

    captured = capfdbinary.readouterr()
    assert b"" == captured.out
    assert ["just.enough"] == [json.loads(line)["event"] for line in captured.err.splitlines()]
