"""A collector in memory: takes spans and metrics as OTLP/JSON over HTTP, as any backend does."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import msgspec


class Span(NamedTuple):
    """One span as it arrived."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    process: str
    attributes: dict[str, str]


class Collector:
    """What arrived.

    Attributes:
        endpoint: For ``telemetry.otlp_endpoint``.
        bodies: Every request as it came, for those who look for a word.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.bodies: list[bytes] = []
        self._lock = threading.Lock()

    def take(self, body: bytes) -> None:
        """Keep one export."""
        with self._lock:
            self.bodies.append(body)

    def traces(self) -> dict[str, dict[str, Span]]:
        """Trace id to span id to span."""
        traces: dict[str, dict[str, Span]] = defaultdict(dict)
        with self._lock:
            bodies = [*self.bodies]
        for span in (one for body in bodies for one in _spans(body)):
            traces[span.trace_id][span.span_id] = span
        return traces


def _spans(body: bytes) -> Iterator[Span]:
    for resource in msgspec.json.decode(body).get("resourceSpans", []):
        process = _values(resource["resource"]["attributes"])["service.name"]
        for scope in resource["scopeSpans"]:
            for one in scope["spans"]:
                yield Span(
                    one["traceId"],
                    one["spanId"],
                    one["parentSpanId"],
                    one["name"],
                    process,
                    _values(one["attributes"]),
                )


def _values(attributes: list[dict[str, Any]]) -> dict[str, str]:
    return {one["key"]: str(next(iter(one["value"].values()))) for one in attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens on 127.0.0.1 while the block lasts."""

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200 if self.path in {"/v1/traces", "/v1/metrics"} else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Nothing: what matters is kept."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Take) as server:
        server.daemon_threads = True
        collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
