"""``headrace serve`` and ``headrace worker``: the two processes of the hub."""

import asyncio
import gc
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from granian.constants import Interfaces
from granian.server.embed import Server

from gateway import app, configuring
from gateway.runtime.database import OUTAGES, Database
from gateway.runtime.expiry import expire_for_ever
from gateway.runtime.inbox import drain_for_ever
from gateway.runtime.releases import release_for_ever
from gateway.runtime.retention import sweep_for_ever
from gateway.runtime.worker import Worker
from gateway.settings import WorkerSettings

_log = structlog.get_logger()
# Keep-alive connections that may stand at once; the server's default would let others hang.
_CONNECTIONS = 8192
# New objects between two looks of the collector; Python's own 700 are those of two requests, and
# each look goes through those of all requests under way.
_COLLECT_AFTER = 10_000


def serve(config: Path) -> None:
    """Serve the facade and the webhook receiver until SIGTERM."""
    configuration = configuring.configure(config)
    app.configure_logs(configuration)
    parts = app.build(configuration, app.database_url(configuration.settings), role="serve")
    run(_serve(parts))


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is one, with the collector out of the way."""
    settle_collector()
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


def settle_collector() -> None:
    """Let the collector look at what is new only, and less often.

    Looking through all that was imported stops every request for 0.2 s, and looking at all
    requests under way costs each of them 5 % (docs/reference/performance.md).
    """
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)


async def _serve(parts: app.Parts) -> None:
    settings = parts.configuration.settings.server
    server = Server(
        app.create_app(parts),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        backlog=_CONNECTIONS,
        backpressure=_CONNECTIONS,
        websockets=False,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    _log.info("serve.started", host=settings.host, port=settings.port)
    await server.serve()
    _log.info("serve.stopped")


def work(config: Path) -> None:
    """Run flows and apply the inbox until SIGTERM."""
    configuration = configuring.configure(config)
    app.configure_logs(configuration)
    parts = app.build(configuration, app.database_url(configuration.settings), role="worker")
    run(_work(parts))


async def _work(parts: app.Parts) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    settings = parts.configuration.settings.worker
    async with app.running(parts):
        worker, receiver = app.create_worker(parts)
        host = parts.configuration.settings.server.host
        runner = await _health(host, worker, parts.database, settings)
        _log.info("worker.started", concurrency=settings.concurrency, lease_s=settings.lease_s)
        async with asyncio.TaskGroup() as group:
            group.create_task(worker.run(stop))
            group.create_task(worker.tracer.run(stop))
            group.create_task(
                drain_for_ever(parts.database, receiver.apply, stop, poll_s=settings.poll_s)
            )
            retention = parts.configuration.settings.retention
            group.create_task(expire_for_ever(parts.database, stop))
            group.create_task(release_for_ever(parts.database, stop))
            group.create_task(sweep_for_ever(parts.database, retention, stop))
            group.create_task(app.create_gaps(parts).run(stop))
        if runner is not None:
            await runner.cleanup()
    _log.info("worker.stopped")


async def _health(
    host: str, worker: Worker, database: Database, settings: WorkerSettings
) -> web.AppRunner | None:
    """Serve /livez (the loop claims) and /readyz (the database answers) of the worker."""
    if not settings.health_port:
        return None

    async def live(_request: web.Request) -> web.Response:
        silent_s = time.monotonic() - worker.beat
        return web.Response(text="ok", status=200 if silent_s < 4 * settings.lease_s else 503)

    async def ready(_request: web.Request) -> web.Response:
        try:
            async with database.connection() as connection:
                await connection.execute("select 1")
        except OUTAGES:
            return web.Response(text="database away", status=503)
        return web.Response(text="ready")

    return await _listen({"/livez": live, "/readyz": ready}, host, settings.health_port)


Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _listen(routes: dict[str, Route], host: str, port: int) -> web.AppRunner:
    application = web.Application()
    for path, route in routes.items():
        application.router.add_get(path, route)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
