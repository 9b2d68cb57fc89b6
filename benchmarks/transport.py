"""The transport against stock httpx and bare aiohttp, in one run against one upstream.

    python benchmarks/transport.py [--quick] [--json]

Rates move with the machine; the ratios of one run are what counts. Two upstreams, because a pool
that collapses under load hides behind a fast one: one answers at once, one after 50 ms. Both are
in a second process on 127.0.0.1. Client and upstream share the machine's cores.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import uvloop
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway.kit.adapter import request
from gateway.runtime.evidence import Call
from gateway.runtime.transport import Transport
from gateway.runtime.wire import Wire
from gateway.settings import CallPolicy

BODY = json.dumps(
    {
        "order_id": "0195e7a2-1111-7222-8333-444444444444",
        "customer": {"name": "Erika Mustermann", "email": "erika@example.org", "city": "Köln"},
        "lines": [{"sku": f"SKU-{n}", "name": "Resistor 10k", "quantity": n} for n in range(24)],
    }
).encode()
ANSWER = json.dumps({"id": "pi_1", "status": "succeeded", "note": "x" * 1000}).encode()
HEADERS = [(b"content-type", b"application/json"), (b"authorization", b"Bearer sk_test_1")]
CASES = [("fast", 32), ("fast", 128), ("50 ms", 64), ("50 ms", 256)]
Once = Callable[[], Awaitable[None]]


class Upstream(asyncio.Protocol):
    """Answers POST requests with a Content-Length; the path says how late."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request as soon as it is whole."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            if b" /slow " in head:
                asyncio.get_running_loop().call_later(0.05, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % len(ANSWER)
                + ANSWER
            )


async def serve() -> None:
    """Until standard input ends, so that it never outlives the benchmark."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Upstream, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


def wire_direct(stack: AsyncExitStack, wire: Wire, url: httpx.URL) -> Once:
    """Our wire, with a request built the cheap way."""
    del stack

    async def once() -> None:
        response = await wire.handle_async_request(request("POST", url, HEADERS, BODY))
        assert response.content == ANSWER

    return once


def whole_transport(stack: AsyncExitStack, wire: Wire, url: httpx.URL) -> Once:
    """All that a call of the hub has: breaker, bulkhead, span, metric, redacted evidence."""
    del stack
    transport = Transport(
        wire,
        policy=lambda _call: CallPolicy(concurrency=10_000, breaker_slow_share=1, timeout_s=60),
        evidence=lambda _evidence: None,
        tracer=TracerProvider(sampler=ALWAYS_OFF).get_tracer("benchmark"),
        random=random.Random(1),
    )
    call = Call(tenant="acme", system="x", product="x", port="payments", verb="create_payment")

    async def once() -> None:
        response = await transport.send(request("POST", url, HEADERS, BODY), call)
        assert response.content == ANSWER

    return once


async def bare_aiohttp(stack: AsyncExitStack, url: httpx.URL) -> Once:
    """What the wire is made of."""
    connector = aiohttp.TCPConnector(limit=0)
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
    headers = {name.decode(): value.decode() for name, value in HEADERS}
    address = str(url)

    async def once() -> None:
        async with session.post(address, data=BODY, headers=headers) as response:
            assert await response.read() == ANSWER

    return once


async def stock_httpx(stack: AsyncExitStack, url: httpx.URL) -> Once:
    """The transport of httpx itself, called directly too, with room for all requests."""
    limits = httpx.Limits(max_connections=512, max_keepalive_connections=512)
    transport = await stack.enter_async_context(httpx.AsyncHTTPTransport(limits=limits))

    async def once() -> None:
        response = await transport.handle_async_request(request("POST", url, HEADERS, BODY))
        assert await response.aread() == ANSWER
        await response.aclose()

    return once


async def measured(once: Once, in_flight: int, seconds: float) -> dict[str, float]:
    """A closed loop for so many seconds; what is not done by then does not count."""
    latencies: list[float] = []
    stop = time.perf_counter() + seconds

    async def loop() -> None:
        while (start := time.perf_counter()) < stop:
            await once()
            if (end := time.perf_counter()) < stop:
                latencies.append(end - start)

    cpu, started = time.process_time(), time.perf_counter()
    tasks = [asyncio.create_task(loop()) for _ in range(in_flight)]
    done, late = await asyncio.wait(tasks, timeout=seconds + 0.2)
    # A collapsed pool holds the loop for longer than it was given.
    cpu, elapsed = time.process_time() - cpu, min(seconds, time.perf_counter() - started)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    for task in done:
        task.result()
    latencies.sort()
    count = len(latencies)
    return {
        "per_s": count / elapsed,
        "cpu_us": cpu / count * 1e6 if count else float("inf"),
        "p50_ms": latencies[count // 2] * 1000 if count else float("inf"),
        "p99_ms": latencies[count * 99 // 100] * 1000 if count else float("inf"),
    }


async def case(port: int, upstream: str, in_flight: int, seconds: float) -> dict[str, Any]:
    """All clients one after the other, warmed up, each with connections of its own."""
    url = httpx.URL(f"http://127.0.0.1:{port}/{'slow' if upstream != 'fast' else 'fast'}")
    results: dict[str, Any] = {}
    for name in ("aiohttp bare", "wire", "transport", "httpx stock"):
        async with AsyncExitStack() as stack:
            if name == "aiohttp bare":
                once = await bare_aiohttp(stack, url)
            elif name == "httpx stock":
                once = await stock_httpx(stack, url)
            else:
                wire = await stack.enter_async_context(Wire())
                make = wire_direct if name == "wire" else whole_transport
                once = make(stack, wire, url)
            await measured(once, in_flight, seconds / 5)
            results[name] = await measured(once, in_flight, seconds)
    for result in results.values():
        result["to_stock"] = result["per_s"] / max(results["httpx stock"]["per_s"], 0.1)
        result["to_bare"] = result["per_s"] / max(results["aiohttp bare"]["per_s"], 0.1)
    return {"upstream": upstream, "in_flight": in_flight, "clients": results}


def show(cases: list[dict[str, Any]]) -> None:
    """A table for people."""
    table = Table(title="requests against one upstream, one client process")
    for column in ("upstream", "in flight", "client"):
        table.add_column(column)
    for column in ("per s", "CPU µs", "p50 ms", "p99 ms", "x stock", "x bare"):
        table.add_column(column, justify="right")
    for each in cases:
        for name, result in each["clients"].items():
            table.add_row(
                each["upstream"],
                str(each["in_flight"]),
                name,
                f"{result['per_s']:,.0f}",
                f"{result['cpu_us']:,.0f}",
                f"{result['p50_ms']:,.1f}",
                f"{result['p99_ms']:,.1f}",
                f"{result['to_stock']:,.1f}",
                f"{result['to_bare']:,.2f}",
            )
        table.add_section()
    Console().print(table)


def main() -> None:
    """Start the upstream, measure, print, end the upstream."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="0.25 s for each instead of 2 s")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--upstream", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.upstream:
        uvloop.run(serve())
        return
    seconds = 0.25 if options.quick else 2.0
    with subprocess.Popen(
        [sys.executable, __file__, "--upstream"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as upstream:
        assert upstream.stdout is not None
        assert upstream.stdin is not None
        try:
            port = int(upstream.stdout.readline())
            cases = [uvloop.run(case(port, *each, seconds)) for each in CASES]
        finally:
            upstream.stdin.close()
    if options.json:
        print(json.dumps({"command": "benchmarks/transport.py", "cases": cases}, indent=2))
    else:
        show(cases)


if __name__ == "__main__":
    main()
