"""``headrace simulate``: products in memory, each on a port of its own, with faults on demand.

Beside the product's own paths every simulator serves

    GET  /_sim/effects   what was done how often, by our ids
    POST /_sim/faults    lay a fault (gateway.kit.simulator.Fault); DELETE takes all away, GET
                         tells how often each has struck
    POST /_sim/plan      how webhooks misbehave, where the product sends some
"""

import asyncio
import importlib
import inspect
import signal
import time
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, web

from gateway.errors import Misconfigured
from gateway.kit.simulator import Fault, FaultKind, Faults, Simulator, refusal, rubbish

_log = structlog.get_logger()
_HANG_S = 60.0
_HOP_BY_HOP = frozenset({"content-length", "transfer-encoding", "connection", "date", "server"})


def find(product: str) -> type[Any]:
    """The simulator of an adapter, by the folder's name.

    Raises:
        Misconfigured: The adapter has none.
    """
    try:
        module = importlib.import_module(f"adapters.{product}.simulator")
    except ModuleNotFoundError as error:
        raise Misconfigured(f"There is no simulator of {product!r}.", code="simulator") from error
    for _, found in inspect.getmembers(module, inspect.isclass):
        if found.__module__ == module.__name__ and found.__name__.endswith("Simulator"):
            simulator: type[Any] = found
            return simulator
    raise Misconfigured(f"There is no simulator of {product!r}.", code="simulator")


class SimulatedSite:
    """One simulator behind a socket.

    Args:
        simulator: Answers.
        deliver: Sends its webhooks.
    """

    def __init__(self, simulator: Simulator, deliver: ClientSession) -> None:
        self.simulator = simulator
        self.faults = Faults()
        self._session = deliver
        self._deliveries: set[asyncio.Task[None]] = set()

    def application(self) -> web.Application:
        """The site with its own paths and the product's."""
        application = web.Application(client_max_size=2**24)
        application.router.add_get("/_sim/effects", self._effects)
        application.router.add_post("/_sim/faults", self._lay)
        application.router.add_delete("/_sim/faults", self._clear)
        application.router.add_get("/_sim/faults", self._laid)
        application.router.add_post("/_sim/plan", self._plan)
        application.router.add_route("*", "/{path:.*}", self._serve)
        return application

    async def deliver_for_ever(self) -> None:
        """Send webhooks as they fall due; again later where they are not taken."""
        while True:
            for request in self.simulator.due(now=time.time()):
                task = asyncio.create_task(self._deliver(request))
                self._deliveries.add(task)
                task.add_done_callback(self._deliveries.discard)
            await asyncio.sleep(0.02)

    async def _deliver(self, request: httpx.Request) -> None:
        for pause_s in (0.5, 1, 2, 4, 8, 8, 8, 8, 0):
            try:
                async with self._session.request(
                    request.method,
                    str(request.url),
                    data=request.read(),
                    headers=dict(request.headers),
                ) as answer:
                    if answer.status < 300:  # noqa: PLR2004 - success
                        return
            except (ClientError, TimeoutError):
                pass
            await asyncio.sleep(pause_s)
        _log.warning("simulator.webhook_lost", url=str(request.url))

    async def _effects(self, _request: web.Request) -> web.Response:
        return web.json_response(self.simulator.effects())

    async def _lay(self, request: web.Request) -> web.Response:
        try:
            self.faults.lay(msgspec.json.decode(await request.read(), type=Fault))
        except msgspec.DecodeError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.Response(status=204)

    async def _laid(self, _request: web.Request) -> web.Response:
        body = msgspec.json.encode(self.faults.laid())
        return web.Response(body=body, content_type="application/json")

    async def _clear(self, _request: web.Request) -> web.Response:
        self.faults.clear()
        return web.Response(status=204)

    async def _plan(self, request: web.Request) -> web.Response:
        configure = getattr(self.simulator, "configure", None)
        if configure is None:
            return web.json_response({"error": "this product sends no webhooks"}, status=404)
        try:
            configure(**msgspec.json.decode(await request.read(), type=dict[str, Any]))
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.Response(status=204)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        asked = httpx.Request(
            request.method, str(request.url), headers=list(request.headers.items()), content=body
        )
        fault = self.faults.pick(asked)
        kind = fault.kind if fault else None
        if kind is FaultKind.TIMEOUT_BEFORE:
            await asyncio.sleep(_HANG_S)
            return _drop(request)
        if fault and kind is FaultKind.STATUS:
            return _answer(refusal(self.simulator, asked, fault))
        if kind is FaultKind.LOST_REQUEST:
            return _drop(request)
        if fault and kind is FaultKind.SLOW:
            await asyncio.sleep(fault.delay_s)
        answered = self.simulator.handle(asked, now=time.time())
        if kind is FaultKind.TIMEOUT_AFTER:
            await asyncio.sleep(_HANG_S)
        if kind in {FaultKind.TIMEOUT_AFTER, FaultKind.LOST_ANSWER}:
            return _drop(request)
        return _answer(rubbish() if kind is FaultKind.RUBBISH else answered)


def _drop(request: web.Request) -> web.StreamResponse:
    """Close the connection without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _answer(response: httpx.Response) -> web.Response:
    headers = [(k, v) for k, v in response.headers.multi_items() if k not in _HOP_BY_HOP]
    answer = web.Response(status=response.status_code, body=response.content)
    answer.headers.clear()
    for name, value in headers:
        answer.headers.add(name, value)
    return answer


async def simulate(products: Mapping[str, tuple[Simulator, int]], stop: asyncio.Event) -> None:
    """Serve simulators on 127.0.0.1 until told to stop.

    Args:
        products: Name to simulator and port.
    """
    async with ClientSession(timeout=ClientTimeout(total=20)) as session:
        runners = []
        deliveries = []
        for simulator, port in products.values():
            site = SimulatedSite(simulator, session)
            runner = web.AppRunner(site.application(), access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            runners.append(runner)
            deliveries.append(asyncio.create_task(site.deliver_for_ever()))
        await stop.wait()
        for delivery in deliveries:
            delivery.cancel()
        for runner in runners:
            await runner.cleanup()


def run(products: Mapping[str, tuple[Simulator, int]]) -> None:
    """Serve simulators in this process until SIGTERM."""

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await simulate(products, stop)

    asyncio.run(main())
