"""Spans that are recorded here: beneath whom, whether at all, and until when."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceFlags, TraceState

from gateway.runtime.recording import Recorder
from gateway.runtime.telemetry import context_of

_STATE = TraceState([("vendor", "1")])


def _recorder(sampling: float = 1.0) -> tuple[Recorder, list[ReadableSpan]]:
    taken: list[ReadableSpan] = []
    resource = Resource({"service.name": "test"})
    return Recorder(sampling=sampling, resource=resource, take=taken.append), taken


def _parent(*, sampled: bool) -> SpanContext:
    flags = TraceFlags(1 if sampled else 0)
    return SpanContext(7, 8, is_remote=True, trace_flags=flags, trace_state=_STATE)


def test_what_was_set_is_what_is_taken() -> None:
    """Name, attributes, status, kind, times, and who says it."""
    recorder, taken = _recorder()
    span = recorder.start_span("a", kind=SpanKind.CLIENT, attributes={"x": 1}, start_time=5)

    span.update_name("b")
    span.set_attribute("y", 2)
    span.set_status(StatusCode.ERROR)
    span.end(9)

    (one,) = taken
    assert ("b", {"x": 1, "y": 2}, SpanKind.CLIENT) == (one.name, one.attributes, one.kind)
    assert (StatusCode.ERROR, 5, 9) == (one.status.status_code, one.start_time, one.end_time)
    assert "test" == one.resource.attributes["service.name"]
    assert one.parent is None


@pytest.mark.parametrize("sampled", [True, False])
def test_what_began_elsewhere_goes_on_as_it_began(sampled: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The trace, its state and the decision are the caller's, whatever our own share is."""
    recorder, taken = _recorder(sampling=0.0 if sampled else 1.0)

    span = recorder.start_span("a", context_of(_parent(sampled=sampled)))
    span.end()

    context = span.get_span_context()
    assert (7, sampled) == (context.trace_id, context.trace_flags.sampled)
    assert _STATE == context.trace_state
    assert [8] * sampled == [one.parent.span_id for one in taken if one.parent]


def test_half_of_the_traces_is_half_of_them() -> None:
    """A share is drawn where a trace begins; 400 draws stay within six deviations of it."""
    recorder, taken = _recorder(sampling=0.5)

    for _ in range(400):
        recorder.start_span("root").end()

    assert 140 < len(taken) < 260


def test_nothing_is_heard_after_the_end() -> None:
    """Neither changes nor a second end."""
    recorder, taken = _recorder()
    span = recorder.start_span("a")
    span.end(1)

    span.update_name("late")
    span.set_attribute("late", 1)
    span.set_status(StatusCode.ERROR)
    span.end(2)

    (one,) = taken
    assert not span.is_recording()
    assert ("a", {}, 1, StatusCode.UNSET) == (
        one.name,
        one.attributes,
        one.end_time,
        one.status.status_code,
    )


def test_text_of_an_exception_is_not_kept() -> None:
    """It may quote a customer; events are not kept at all."""
    recorder, taken = _recorder()

    def fails() -> None:
        with recorder.start_as_current_span("a") as span:
            span.add_event("Erika")
            assert span is trace.get_current_span()
            raise ValueError("Erika Mustermann")

    with pytest.raises(ValueError, match="Erika"):
        fails()

    assert {"error.type": "ValueError"} == taken[0].attributes
    assert "Erika" not in taken[0].to_json()
