"""Simulators: the product in memory, good enough to prove the adapter.

A simulator is a function from request to response with state behind it. Faults are laid in front
of it, so that each product can fail in every way without a line of its own. The same simulator
runs in a process of its own (``headrace simulate``) and, in tests, behind an httpx transport.
"""

import random
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Protocol

import httpx
import msgspec


class FaultKind(StrEnum):
    """Ways in which a system fails."""

    TIMEOUT_BEFORE = "timeout_before"  # no effect, no answer
    TIMEOUT_AFTER = "timeout_after"  # the effect happens, no answer comes
    LOST_REQUEST = "lost_request"  # no effect, the connection breaks
    LOST_ANSWER = "lost_answer"  # the effect happens, the connection breaks
    STATUS = "status"  # no effect, an error in the product's own shape
    SLOW = "slow"  # the answer comes late
    RUBBISH = "rubbish"  # the effect happens, the answer is a page of HTML


class Fault(msgspec.Struct, kw_only=True):
    """One way to fail, for the requests that match.

    Attributes:
        kind: How.
        method: HTTP method that matches; empty for any.
        path: Text that the path contains.
        contains: Text that the body contains, such as an order id.
        count: How often it still strikes; -1 for ever.
        share: It strikes this share of those that match, drawn anew for each.
        seed: Of what is drawn.
        status: For STATUS: 500, 503, 429, 423 (a lock in the product's own words) and so on.
        retry_after_s: For STATUS: sent as Retry-After.
        delay_s: For SLOW.
        struck: How often it has struck.
    """

    kind: FaultKind
    method: str = ""
    path: str = ""
    contains: str = ""
    count: int = 1
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    seed: int = 0
    status: int = 503
    retry_after_s: int | None = None
    delay_s: float = 0.0
    struck: int = 0

    def strikes(self, request: httpx.Request, body: bytes) -> bool:
        """Whether the request is meant; the caller counts down."""
        return (
            self.count != 0
            and self.method in {"", request.method}
            and self.path in request.url.path
            and self.contains.encode() in body
        )


class Simulator(Protocol):
    """One product in memory."""

    def handle(self, request: httpx.Request, *, now: float) -> httpx.Response:
        """Answer as the product does, with its paths, headers, bodies and error shapes."""
        ...

    def refuse(self, request: httpx.Request, status: int) -> httpx.Response:
        """The error with this status as the product writes it; nothing happens."""
        ...

    def due(self, *, now: float) -> Sequence[httpx.Request]:
        """Webhooks that are to be delivered now, signed; each is handed out once."""
        ...

    def effects(self) -> dict[str, dict[str, int]]:
        """For each kind of effect how often each of our ids was served.

        For example ``{"sales_order": {"0195...": 1}, "charge": {"0195...": 1}}``: anything above
        one is a double.
        """
        ...


class Faults:
    """The faults laid in front of a simulator, in order; the first that matches strikes."""

    def __init__(self) -> None:
        self._laid: list[tuple[Fault, random.Random]] = []

    def lay(self, fault: Fault) -> None:
        """Add a fault behind those already there."""
        drawn = random.Random(fault.seed)  # noqa: S311 - faults that can be repeated
        self._laid.append((fault, drawn))

    def clear(self) -> None:
        """Take all faults away."""
        self._laid.clear()

    def laid(self) -> Sequence[Fault]:
        """The faults that lie there."""
        return tuple(fault for fault, _ in self._laid)

    def pick(self, request: httpx.Request) -> Fault | None:
        """The fault that strikes this request, counted down; None for a good day."""
        body = request.read()
        for fault, drawn in self._laid:
            if fault.strikes(request, body) and drawn.random() < fault.share:
                fault.struck += 1
                if fault.count > 0:
                    fault.count -= 1
                return fault
        return None


class SimulatedWire(httpx.AsyncBaseTransport):
    """An httpx transport straight into simulators, by host name; no sockets, no sleeps.

    Args:
        simulators: Host to simulator.
        clock: Seconds since the epoch, as the simulators shall see it.
    """

    def __init__(self, simulators: dict[str, Simulator], *, clock: Any) -> None:
        self._simulators = simulators
        self._clock = clock
        self.faults = {host: Faults() for host in simulators}
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Serve, or fail as the fault says."""
        self.requests.append(request)
        simulator = self._simulators.get(request.url.host)
        if simulator is None:
            raise httpx.ConnectError("no such host", request=request)
        fault = self.faults[request.url.host].pick(request)
        kind = fault.kind if fault else None
        if fault and kind is FaultKind.TIMEOUT_BEFORE:
            raise httpx.ReadTimeout("simulated", request=request)
        if fault and kind is FaultKind.STATUS:
            return refusal(simulator, request, fault)
        if kind is FaultKind.LOST_REQUEST:
            raise httpx.RemoteProtocolError("simulated", request=request)
        response = simulator.handle(request, now=self._clock())
        if kind is FaultKind.TIMEOUT_AFTER:
            raise httpx.ReadTimeout("simulated", request=request)
        if kind is FaultKind.LOST_ANSWER:
            raise httpx.RemoteProtocolError("simulated", request=request)
        if kind is FaultKind.RUBBISH:
            return rubbish()
        return response


def refusal(simulator: Simulator, request: httpx.Request, fault: Fault) -> httpx.Response:
    """The product's own error for a STATUS fault, with Retry-After where asked for."""
    response = simulator.refuse(request, fault.status)
    if fault.retry_after_s is not None:
        response.headers["Retry-After"] = str(fault.retry_after_s)
    return response


def rubbish() -> httpx.Response:
    """What a proxy says when it has lost its mind."""
    return httpx.Response(
        200, headers={"Content-Type": "text/html"}, text="<html><body>Log on</body></html>"
    )
