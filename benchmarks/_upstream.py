"""The systems behind the hub: fixed answers, at once or late, in a process of their own.

It must not be what is measured, so it is a bare protocol on asyncio. It understands as much as the
benchmarks send: the CSRF token of SAP, a sales order, a plain effect, and spans as OTLP/JSON, which
it counts, so that nobody can forget to send them.
"""

import asyncio
import json
import sys
from typing import Any, Final

import uvloop
from _stage import given, orders, say

_ORDER: Final = {
    "d": {
        "__metadata": {
            "id": "https://s4/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder('4711')",
            "type": "API_SALES_ORDER_SRV.A_SalesOrderType",
            "etag": "W/\"datetimeoffset'2026-11-21T20%3A00%3A00.0000000Z'\"",
        },
        "SalesOrder": "4711",
        "SalesOrderType": "OR",
        "SalesOrganization": "1710",
        "DistributionChannel": "10",
        "OrganizationDivision": "00",
        "SoldToParty": "10100001",
        "PurchaseOrderByCustomer": "0195e7a2111172228333444444444444",
        "TransactionCurrency": "EUR",
        "TotalNetAmount": "1234.50",
        "OverallSDProcessStatus": "A",
        "to_Item": {
            "results": [
                {
                    "SalesOrder": "4711",
                    "SalesOrderItem": str(10 * number),
                    "Material": f"CAR-{number}",
                    "RequestedQuantity": "1",
                }
                for number in range(1, 7)
            ]
        },
    }
}


def _answer(status: str, body: bytes, *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *more]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


_CREATED: Final = _answer("201 Created", json.dumps(_ORDER).encode())
_DONE: Final = _answer("200 OK", b'{"id":"effect_1","status":"done"}')
_TOKEN: Final = _answer(
    "200 OK", b"", "X-CSRF-Token: bench-token", "Set-Cookie: SAP_SESSIONID=bench; path=/"
)
_NOTED: Final = _answer("200 OK", b"{}")


class Seen:
    """What came in since it was last asked, and how late answers are at the moment."""

    def __init__(self) -> None:
        self.delay_s = 0.0
        self.requests = 0
        self.spans = 0

    def take(self) -> dict[str, int]:
        """The counts, which begin anew."""
        counts = {"requests": self.requests, "spans": self.spans}
        self.requests = self.spans = 0
        return counts


class Upstream(asyncio.Protocol):
    """One connection."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request when it is whole."""
        self._buffer = self._buffer + data if self._buffer else data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            whole = end + 4 + _length(head)
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            self._serve(head, body)

    def _serve(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"POST /v1/"):  # traces, and metrics, which have no spans
            self._seen.spans += body.count(b'"parentSpanId"')
            self._write(_NOTED)
            return
        if head.startswith((b"HEAD", b"GET")):
            self._write(_TOKEN)
            return
        self._seen.requests += 1
        answer = _CREATED if b"A_SalesOrder" in head[:120] else _DONE
        if self._seen.delay_s:
            asyncio.get_running_loop().call_later(self._seen.delay_s, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    return int(lower[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def serve() -> None:
    """Until there are no more orders; each sets how late answers are and asks for the counts."""
    given()
    loop, seen = asyncio.get_running_loop(), Seen()
    server = await loop.create_server(lambda: Upstream(seen), "127.0.0.1", 0, backlog=1024)
    say({"port": server.sockets[0].getsockname()[1]})
    while (order := await orders()) is not None:
        seen.delay_s = order.get("delay_s", 0.0)
        say(seen.take())


if __name__ == "__main__":
    sys.exit(uvloop.run(serve()))
