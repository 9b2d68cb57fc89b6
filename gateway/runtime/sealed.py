"""Sealed calls: the request that would be sent, as it would stand in evidence, and no egress."""

import random
from typing import Any

import httpx
import msgspec
from opentelemetry.trace import NoOpTracer

from gateway.errors import HeadraceError, Unavailable
from gateway.ports.exchange import Exchange
from gateway.runtime.evidence import Call, Evidence
from gateway.runtime.hub import System
from gateway.runtime.transport import Transport
from gateway.settings import CallPolicy


class SealedWire(httpx.AsyncBaseTransport):
    """A wire that leads nowhere; it counts what it was given.

    Attributes:
        refused: How many requests it did not send.
    """

    def __init__(self) -> None:
        self.refused = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Read it whole, as a wire does that sends it, and refuse."""
        await request.aread()
        self.refused += 1
        raise httpx.ConnectError("nothing is sent here", request=request)


class WouldSend(msgspec.Struct, frozen=True, kw_only=True):
    """A request that would be sent, as it would stand in the evidence.

    Attributes:
        step: Of the flow, or ``login``.
        request: Redacted; empty where the system needs none.
        problem: Why there is no request.
        made_by: ``Mapping.reference`` of the mapping that the body comes from; empty for none.
    """

    step: str
    system: str
    request: str = ""
    problem: str = ""
    made_by: str = ""


async def would_send(
    target: System[Any], exchange: Exchange[Any], sealed: SealedWire
) -> list[WouldSend]:
    """The first request of an exchange, after that of a login where the product needs one."""
    login = target.adapter.login
    steps = [("login", login(target.settings))] if login else []
    name: str = exchange.__name__  # type: ignore[attr-defined] # generators have names
    found = []
    for step, one in (*steps, (f"{target.port_name}.{name}", exchange)):
        try:
            found.append(await shown(target, step, next(one), sealed))
        except (StopIteration, HeadraceError) as error:
            reason = error.message if isinstance(error, HeadraceError) else "needs no request"
            found.append(WouldSend(step=step, system=target.name, problem=reason))
        finally:
            one.close()
    return found


async def shown(
    target: System[Any], step: str, request: httpx.Request, sealed: SealedWire
) -> WouldSend:
    """The request as the transport would keep it in evidence, handed to the sealed wire."""
    kept: list[Evidence] = []
    transport = Transport(
        sealed,
        policy=lambda _call: CallPolicy(attempts=1),
        evidence=kept.append,
        tracer=NoOpTracer(),
        random=random.Random(0),  # noqa: S311 - no secret, only a trace id for show
    )
    call = Call(
        tenant=target.tenant,
        system=target.name,
        product=target.adapter.product,
        port=target.port_name,
        verb=step,
        step=step,
        readable=target.adapter.readable,
    )
    try:
        await transport.send(request, call)
    except Unavailable:
        return WouldSend(
            step=step, system=target.name, request=str(kept[0].request), made_by=kept[0].mapping
        )
    raise AssertionError("the sealed wire answered")
