"""Spans that cost a quarter of the SDK's own: recorded here, exported by the SDK.

A span of the SDK costs 12 to 17 µs before it is exported, and 3 to 7 µs where it is not even
recorded: it takes a lock for each attribute, cleans and bounds what strangers hand in, and asks its
sampler with everything. All our spans come from this hub, where types and tests check them. The
figures were measured in one process, call by call (ADR 0019).
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

_SCOPE: Final = InstrumentationScope("headrace")
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_NOT_SAMPLED: Final = TraceFlags(TraceFlags.DEFAULT)


class Span(trace.Span):
    """A span that is recorded; what comes after its end is not heard.

    Args:
        finish: Takes the span when it ends, with the time in nanoseconds since the epoch.
    """

    def __init__(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        *,
        kind: SpanKind,
        attributes: Mapping[str, Any],
        links: Sequence[Link],
        started: int,
        finish: Callable[["Span", int], None],
    ) -> None:
        self.name = name
        self.parent = parent
        self.kind = kind
        self.attributes = dict(attributes)
        self.links = links
        self.started = started
        self.status = Status(StatusCode.UNSET)
        self._context = context
        self._finish: Callable[[Span, int], None] | None = finish

    def get_span_context(self) -> SpanContext:
        """Its identifiers."""
        return self._context

    def is_recording(self) -> bool:
        """Until it ends."""
        return self._finish is not None

    def set_attribute(self, key: str, value: Any) -> None:
        """Add or replace an attribute."""
        self.set_attributes({key: value})

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Add or replace attributes."""
        if self._finish is not None:
            self.attributes.update(attributes)

    def update_name(self, name: str) -> None:
        """Replace the name."""
        if self._finish is not None:
            self.name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Say whether it failed; a description is not kept, it may quote a customer's data."""
        del description
        if self._finish is not None:
            self.status = Status(status.status_code if isinstance(status, Status) else status)

    def add_event(self, name: str, *_args: Any, **_kwargs: Any) -> None:
        """Not kept: what happens within a span of ours is a span or a log line of its own."""

    def record_exception(self, exception: BaseException, *_args: Any, **_kwargs: Any) -> None:
        """Keep its type only: the text of an exception may quote a customer's data."""
        self.set_attributes({"error.type": type(exception).__name__})

    def end(self, end_time: int | None = None) -> None:
        """Hand it over; a second time is none."""
        finish, self._finish = self._finish, None
        if finish is not None:
            finish(self, end_time or time.time_ns())


class Recorder(trace.Tracer):
    """Makes the spans of one process.

    Args:
        sampling: Share of traces recorded, decided where a trace begins; what began elsewhere is
            recorded where it was there.
        resource: Who says it.
        take: Takes each recorded span when it has ended.
    """

    def __init__(
        self, *, sampling: float, resource: Resource, take: Callable[[ReadableSpan], None]
    ) -> None:
        self._sampling = sampling
        self._resource = resource
        self._take = take

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002 - the API's signature
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002 - the same
        *,
        span_id: int = 0,
    ) -> trace.Span:
        """A span beneath the current one, or the first of a trace.

        Args:
            span_id: The identifier that others know already; a new one where 0.
        """
        del record_exception, set_status_on_exception
        parent: SpanContext | None = trace.get_current_span(context).get_span_context()
        if parent is not None and parent.is_valid:
            trace_id, sampled, state = (
                parent.trace_id,
                parent.trace_flags.sampled,
                parent.trace_state,
            )
        else:
            parent, trace_id, state = None, random.getrandbits(128) or 1, None
            sampled = random.random() < self._sampling  # noqa: S311 - no secret
        span_id = span_id or random.getrandbits(64) or 1
        if not sampled:
            return NonRecordingSpan(SpanContext(trace_id, span_id, False, _NOT_SAMPLED, state))
        return Span(
            name,
            SpanContext(trace_id, span_id, False, _SAMPLED, state),
            parent,
            kind=kind,
            attributes=attributes or {},
            links=links or (),
            started=start_time or time.time_ns(),
            finish=self._end,
        )

    @contextmanager
    def start_as_current_span(self, name: str, *args: Any, **kwargs: Any) -> Iterator[trace.Span]:  # type: ignore[override] # the API's decorator is of no use here
        """A span that is the current one until the block ends, and then ends."""
        span = self.start_span(name, *args, **kwargs)
        with trace.use_span(span, end_on_exit=True):
            yield span

    def _end(self, span: Span, ended: int) -> None:
        self._take(
            ReadableSpan(
                span.name,
                context=span.get_span_context(),
                parent=span.parent,
                resource=self._resource,
                attributes=span.attributes,
                links=span.links,
                kind=span.kind,
                status=span.status,
                start_time=span.started,
                end_time=ended,
                instrumentation_scope=_SCOPE,
            )
        )
