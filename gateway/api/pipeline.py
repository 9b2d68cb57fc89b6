"""What every request goes through: shedding, the server span, the access log, the last resort."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

import structlog
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Send
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from gateway.api import hot, problems
from gateway.model.identifiers import new_id
from gateway.runtime import metrics, telemetry

_log = structlog.get_logger()
_METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)
_EXEMPT: Final = ("/livez", "/readyz", "/webhooks/")


class Pipeline:
    """Stands around the application; nothing leaves the process without having passed it.

    Args:
        application: The Litestar application.
        direct: Path to what serves a POST to it without the application.
        tracer: Makes the server span.
        in_flight: More requests at once are refused; health and webhooks are not counted.
        loop_lag_s: A busier event loop refuses likewise.
    """

    def __init__(
        self,
        application: ASGIApp,
        *,
        direct: Mapping[str, ASGIApp],
        tracer: trace.Tracer,
        in_flight: int,
        loop_lag_s: float,
    ) -> None:
        self._application = application
        self._direct = direct
        self._tracer = tracer
        self._limit = in_flight
        self._loop_lag_s = loop_lag_s
        self._in_flight = 0
        self._lag_s = 0.0
        self._watch: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one request, or pass a lifespan on."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        if self._watch is None:
            self._watch = asyncio.create_task(self._watch_lag())
        request_id = new_id()
        scope["headrace_request_id"] = request_id
        if "\x00" in scope["path"]:  # PostgreSQL has no such text, so nothing has this name
            await self._serve(_Refusal("not_found", request_id), scope, receive, send, request_id)
        elif scope["path"].startswith(_EXEMPT):
            await self._serve(self._application, scope, receive, send, request_id)
        elif self._in_flight >= self._limit or self._lag_s > self._loop_lag_s:
            await self._serve(_Refusal("overloaded", request_id), scope, receive, send, request_id)
        else:
            self._in_flight += 1
            try:
                await self._serve(self._server(scope), scope, receive, send, request_id)
            finally:
                self._in_flight -= 1

    def _server(self, scope: HTTPScope) -> ASGIApp:
        """Who serves the request; the application knows all paths, but takes longer."""
        direct = self._direct.get(scope["path"])
        if direct is None:
            return self._application
        scope["path_template"] = scope["path"]  # for a 405 too, of which the router says none
        return direct if scope["method"] == "POST" else self._application

    async def _serve(
        self, application: ASGIApp, scope: HTTPScope, receive: Receive, send: Send, request_id: str
    ) -> None:
        started = time.perf_counter()
        # A made-up method would be one more name in logs, spans and metrics.
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        parent = telemetry.parse_traceparent(_header(scope, b"traceparent"))
        span = self._tracer.start_span(method, telemetry.context_of(parent), kind=SpanKind.SERVER)
        token = otel_context.attach(trace.set_span_in_context(span))
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = (b"headrace-request-id", request_id.encode())
                message["headers"] = [*_with_head(message.get("headers", [])), named]
            elif message["type"] == "http.response.body" and method == "HEAD":
                message["body"] = b""
            await send(message)

        try:
            await application(_as_get(scope), receive, sending)
        finally:
            otel_context.detach(token)
            route = _route(scope, status)
            if span.is_recording():
                span.update_name(f"{method} {route}")
                span.set_attributes(
                    {
                        "http.request.method": method,
                        "http.route": route,
                        "http.response.status_code": status,
                        "headrace.request_id": request_id,
                    }
                )
                if status >= 500:  # noqa: PLR2004 - server errors
                    span.set_status(Status(StatusCode.ERROR))
            span.end()
            self._log(scope, method, route, status, started, request_id, span)

    def _log(
        self,
        scope: HTTPScope,
        method: str,
        route: str,
        status: int,
        started: float,
        request_id: str,
        span: trace.Span,
    ) -> None:
        duration_s = time.perf_counter() - started
        metrics.server_durations.record(duration_s, method, route, status)
        _log.info(
            "api.request",
            method=method,
            route=route,
            status=status,
            duration_ms=round(duration_s * 1000, 2),
            request_id=request_id,
            trace_id=format(span.get_span_context().trace_id, "032x"),
            client=scope.get("headrace_client", ""),
        )

    async def _watch_lag(self) -> None:
        """How late the event loop is, smoothed; what waits in it waits so long too."""
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(0.05)
            late = time.perf_counter() - asked - 0.05
            self._lag_s = self._lag_s * 0.8 + late * 0.2


def _route(scope: HTTPScope, status: int) -> str:
    """The template of the path: an id in it would be one more name per order."""
    template = scope.get("path_template", "")
    if not template or (status == 404 and template == "/"):  # noqa: PLR2004 - not found
        return "unmatched"
    return str(template).replace(":str", "")


def _header(scope: HTTPScope, name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return ""


class _Refusal:
    """Answers with a problem before anything of the application is asked."""

    def __init__(self, code: str, request_id: str) -> None:
        self._code = code
        self._request_id = request_id

    async def __call__(self, _scope: Any, _receive: Receive, send: Send) -> None:
        """Send the problem."""
        document = problems.problem(self._code, request_id=self._request_id)
        again = {"Retry-After": "1"} if self._code == "overloaded" else {}
        await hot.respond(problems.answer(document, again), send)


def _as_get(scope: HTTPScope) -> HTTPScope:
    """HEAD is GET without the body; the routes know GET only (RFC 9110 §9.3.2)."""
    if scope["method"] == "HEAD":
        scope["method"] = "GET"
    return scope


def _with_head(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers, with Allow as it is from outside."""
    return [
        (name, value.replace(b"GET", b"GET, HEAD") if name == b"allow" else value)
        for name, value in headers
    ]
