"""Load in a process of its own: a closed loop of so many connections, without a client library.

wrk does the same in C; this costs 15 to 25 µs of the other core for each request, which the report
shows, and needs nothing installed. A closed loop hides how long requests would have queued: its
p99 is that of the served ones.
"""

import asyncio
import hashlib
import hmac
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import uvloop
from _stage import WEBHOOK_SECRET, cpu_s, given, orders, say

Make = Callable[[int], bytes]


class Connection(asyncio.Protocol):
    """Sends the next request when the last one is answered, until the time is over."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._buffer = b""
        self._sent_at = 0.0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Count the answer when it is whole."""
        self._buffer = self._buffer + data if self._buffer else data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"\r\ncontent-length:")
        length = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < end + 4 + length:
            return
        self._buffer = b""
        self._run.answered(head[9:12], time.perf_counter() - self._sent_at)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody closes connections here but we."""
        del exc
        self._run.closed()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        if self._sent_at >= self._run.until:
            self._transport.close()
        else:
            self._transport.write(self._run.next_request())


class Run:
    """One closed loop."""

    def __init__(self, make: Make, connections: int) -> None:
        self._make = make
        self._open = connections
        self._number = 0
        self.begin = self.until = 0.0
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.ended = asyncio.Event()

    def next_request(self) -> bytes:
        """The next one of all connections."""
        self._number += 1
        return self._make(self._number)

    def answered(self, status: bytes, latency_s: float) -> None:
        """Count an answer; those of the warm-up and after the end only by their status."""
        self.statuses[status.decode()] += 1
        if self.begin <= time.perf_counter() < self.until:
            self.latencies.append(latency_s)

    def closed(self) -> None:
        """One connection is over."""
        self._open -= 1
        if not self._open:
            self.ended.set()


async def run(order: dict[str, Any]) -> dict[str, Any]:
    """Hold so many connections to the port for so long, after a warm-up."""
    one = Run(maker(order), order["connections"])
    loop = asyncio.get_running_loop()
    one.begin = time.perf_counter() + order["warm_s"]
    one.until = one.begin + order["seconds"]
    for _ in range(order["connections"]):
        await loop.create_connection(lambda: Connection(one), "127.0.0.1", order["port"])
    await asyncio.sleep(max(0.0, one.begin - time.perf_counter()))
    # What the measured process uses from here to the end is its share of these requests.
    cpu, own = cpu_s(order["pid"]), cpu_s(os.getpid())
    await asyncio.sleep(max(0.0, one.until - time.perf_counter()))
    cpu, own = cpu_s(order["pid"]) - cpu, cpu_s(os.getpid()) - own
    await asyncio.wait_for(one.ended.wait(), 30)
    latencies = sorted(one.latencies)
    count = len(latencies)
    return {
        "per_s": count / order["seconds"],
        "cpu_us": cpu / max(count, 1) * 1e6,
        "load_cpu_us": own / max(count, 1) * 1e6,
        "p50_ms": latencies[count // 2] * 1000 if count else 0.0,
        "p99_ms": latencies[count * 99 // 100] * 1000 if count else 0.0,
        "answers": sum(one.statuses.values()),
        "statuses": dict(one.statuses),
    }


def maker(order: dict[str, Any]) -> Make:
    """What writes the requests: always the same bytes, or signed webhooks with ids of their own."""
    body = order["body"].encode()
    start = (
        f"POST {order['path']} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    )
    if order.get("signed"):
        return _webhooks(start.encode(), body, order["prefix"].encode())
    lines = [f"Authorization: Bearer {WEBHOOK_SECRET}", f"Content-Length: {len(body)}", "", ""]
    whole = start.encode() + "\r\n".join(lines).encode() + body
    return lambda _number: whole


def _webhooks(start: bytes, body: bytes, prefix: bytes) -> Make:
    """Source: docs.stripe.com/webhooks/signature; the body holds ``%EVENT%`` and ``%NUMBER%``."""
    keyed = hmac.new(WEBHOOK_SECRET.encode(), b"", hashlib.sha256)
    before, middle, after = body.replace(b"%NUMBER%", b"%EVENT%").split(b"%EVENT%")

    def make(number: int) -> bytes:
        own = b"%d" % number
        content = b"".join((before, b"evt_", prefix, own, middle, own, after))
        now = b"%d" % time.time()
        signature = keyed.copy()
        signature.update(now + b"." + content)
        return b"%bStripe-Signature: t=%b,v1=%b\r\nContent-Length: %d\r\n\r\n%b" % (
            start,
            now,
            signature.hexdigest().encode(),
            len(content),
            content,
        )

    return make


async def main() -> None:
    """Until there are no more orders."""
    given()
    say("ready")
    while (order := await orders()) is not None:
        say(await run(order))


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
