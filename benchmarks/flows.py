"""Five-step flows in one worker: how many per second, and how much CPU each costs.

    python benchmarks/flows.py [--full] [--json] [--markdown]

Each step is a ``Story.call``: one request to an upstream in another process, its attempt kept as
evidence, its result in the journal, on a real PostgreSQL with fsync. Flows are started before the
clock is; it stops when the last one is committed. The baseline is the same worker with a commit of
its own for every write, which is what engines do that do not group them. absurd-sdk's own worker
with five *empty* steps stands beside it, as the floor of the engine that both use.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
import psycopg
import uvloop
from _report import Gate, Report, Table, arguments, finish
from _stage import (
    TENANT,
    Child,
    configure,
    cpu_s,
    given,
    median,
    orders,
    postgres,
    postgres_cpu_s,
    say,
)

from gateway import app, configuring
from gateway.kit.adapter import Adapter, request
from gateway.model.identifiers import new_id
from gateway.ports.exchange import Exchange
from gateway.runtime import engine, telemetry
from gateway.runtime.evidence import Evidence, encode
from gateway.runtime.hub import System
from gateway.runtime.journal import Journal, Statement, _Row
from gateway.runtime.story import Story
from gateway.runtime.worker import Flow, Worker

STEPS: Final = 5
SPANS: Final = 1 + 2 * STEPS  # of the flow, of each step, of each attempt
KIND: Final = "five_steps"
QUEUE: Final = "interactive"
BODY: Final = b'{"order_id":"0195e7a2-1111-7222-8333-444444444444","amount":12345,"note":"x"}'
HEADERS: Final = [(b"content-type", b"application/json"), (b"authorization", b"Bearer bench")]


class Effects:
    """A port with one verb: an effect in another system."""

    def __init__(self, upstream: str) -> None:
        self._url = httpx.URL(f"{upstream}/effects")

    def make(self, *, key: str) -> Exchange[str]:
        """Send the effect with its key."""
        headers = [*HEADERS, (b"idempotency-key", key.encode())]
        response = yield request("POST", self._url, headers, BODY)
        assert response.status_code == 200
        return str(response.json()["status"])


class InstantWire(httpx.AsyncBaseTransport):
    """Answers in the same process, so that only the engine, journal and evidence are left."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The upstream's answer, without it."""
        return httpx.Response(200, json={"id": "effect_1", "status": "done"}, request=request)


class CommitEach(Journal):
    """The baseline: every write and every piece of evidence is a transaction of its own."""

    async def write(self, *statements: Statement) -> tuple[Any, ...] | None:
        """Commit the statements together and with nothing else."""
        row: tuple[Any, ...] | None = (await self._commit([statements]))[0]
        return row

    def keep(self, evidence: Evidence) -> None:
        """Write the evidence by itself."""
        row = _Row(encode(evidence), evidence.system, evidence.verb)
        kept = asyncio.ensure_future(self._insert([row]))
        _KEPT.add(kept)
        kept.add_done_callback(_KEPT.discard)


_KEPT: Final[set[asyncio.Future[Any]]] = set()


def _flow(system: System[Effects], ended: list[str]) -> Flow:
    async def five_steps(story: Story) -> str:
        for number in range(STEPS):
            await story.call(
                f"step_{number}", system, lambda port, key: port.make(key=key), returns=str
            )
        ended.append(story.flow_id)
        return "DONE"

    return Flow(kind=KIND, queue=QUEUE, run=five_steps)


@contextlib.asynccontextmanager
async def _worker_parts(start: Any) -> AsyncIterator[app.Parts]:
    configuration = configuring.configure(Path(start["config"]))
    app.configure_logs(configuration)
    if start["commit"] == "each":
        app.Journal = CommitEach  # type: ignore[misc] # the one difference
    wire = InstantWire() if start["wire"] == "instant" else None
    async with app.running(app.build(configuration, start["url"], role="worker", wire=wire)) as it:
        yield it


async def work() -> None:
    """A worker process: for each order start so many flows, run them all, and say what it took."""
    start = given()
    if start["commit"] == "absurd-sdk":
        await _work_with_sdk(start)
        return
    async with _worker_parts(start) as parts:
        system = System(
            tenant=TENANT,
            name="sap",  # whose policy applies
            adapter=Adapter(
                product="bench", title="", settings=object, ports={}, readable=frozenset()
            ),
            settings=None,
            port_name="effects",
            port=Effects(start["upstream"]),
        )
        say("ready")
        while (order := await orders()) is not None:
            await _start_flows(parts, order["count"], sampled=order["sampled"])
            say("started")
            await orders()
            say(await _measured(_run(parts, system, order["count"])))


async def _start_flows(parts: app.Parts, count: int, *, sampled: bool) -> None:
    for begin in range(0, count, 100):
        async with parts.database.transaction() as connection:
            for _ in range(min(100, count - begin)):
                business_id = new_id()
                span = telemetry.fixed_span_id(business_id)
                context = telemetry.span_context(span, span, sampled=sampled)
                await engine.start(
                    connection,
                    kind=KIND,
                    queue=QUEUE,
                    tenant=TENANT,
                    business_id=business_id,
                    mapping_set=parts.hub.tenant(TENANT).mapping_set,
                    traceparent=telemetry.traceparent(context),
                )


async def _run(parts: app.Parts, system: System[Effects], count: int) -> None:
    ended = _Countdown(count)
    worker = Worker(
        database=parts.database,
        journal=parts.journal,
        hub=parts.hub,
        telemetry=parts.telemetry,
        flows={KIND: _flow(system, ended)},
        settings=parts.configuration.settings.worker,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run(ended.stop))  # ends when what has begun is committed
        group.create_task(worker.tracer.run(ended.stop))
    # What nobody waits for belongs to the price: the last evidence, the last spans.
    await worker.tracer.mark()
    await parts.journal._evidence._queue.join()  # noqa: SLF001 - nobody else asks
    await asyncio.gather(*_KEPT)


class _Countdown(list[str]):
    """Ids of flows that came to their end; tells the worker to stop at the last."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count
        self.stop = asyncio.Event()

    def append(self, flow_id: str) -> None:
        super().append(flow_id)
        if len(self) == self._count:
            self.stop.set()


async def _measured(work: Any) -> dict[str, float]:
    started, cpu = time.perf_counter(), cpu_s(os.getpid())
    await work
    return {"seconds": time.perf_counter() - started, "cpu_s": cpu_s(os.getpid()) - cpu}


async def _work_with_sdk(start: Any) -> None:
    """absurd-sdk's own worker: as many connections as our pool, as many tasks as our worker."""
    from absurd_sdk import AsyncAbsurd

    workers = [AsyncAbsurd(start["url"], queue_name="sdk") for _ in range(8)]
    ended = _Countdown(0)

    async def nothing() -> int:
        return 1

    for one in workers:

        @one.register_task(KIND)
        async def five_steps(_params: Any, context: Any) -> None:
            for number in range(STEPS):
                await context.step(f"step_{number}", nothing)
            ended.append("")

    await workers[0].create_queue("sdk")
    say("ready")
    while (order := await orders()) is not None:
        for _ in range(order["count"]):
            await workers[0].spawn(KIND, {})
        say("started")
        await orders()
        ended = _Countdown(order["count"])
        say(await _measured(_run_sdk(workers, ended.stop)))


async def _run_sdk(workers: Sequence[Any], ended: asyncio.Event) -> None:
    tasks = [
        asyncio.create_task(one.start_worker(concurrency=4, poll_interval=0.05, worker_id=str(n)))
        for n, one in enumerate(workers)
    ]
    await ended.wait()
    for one in workers:
        one.stop_worker()
    await asyncio.gather(*tasks)


# Name of the row, wire, commit, traces.
CASES: Final = {
    "all on: upstream, traces kept": ("upstream", "grouped", True),
    "journal and evidence: upstream": ("upstream", "grouped", False),
    "the same, a commit for each write": ("upstream", "each", False),
    "engine only: in-process wire": ("instant", "grouped", False),
    "absurd-sdk, five empty steps": ("none", "absurd-sdk", False),
}
_, GATED, BASELINE = list(CASES)[:3]


def measure(folder: Path, url: str, *, count: int, rounds: int) -> dict[str, Any]:
    """All cases in turn, several times; each has a worker process of its own."""
    results: dict[str, list[dict[str, float]]] = {name: [] for name in CASES}
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(Child("_upstream.py", folder, "upstream"))
        address = f"http://127.0.0.1:{upstream.started['port']}"
        config = configure(folder / "config", url, address, log_level="warning")
        workers = {}
        for number, (name, (wire, commit, _)) in enumerate(CASES.items()):
            start = {"config": str(config), "url": url, "upstream": address}
            child = Child("flows.py", folder, f"worker{number}", **start, wire=wire, commit=commit)
            workers[name] = stack.enter_context(child)
        for number in range(rounds + 1):
            for name, (wire, commit, sampled) in CASES.items():
                # The first round warms up.
                some = count if number else max(20, count // 10)
                result = _round(workers[name], url, some, sampled=sampled)
                sent = upstream.ask()["requests"]
                assert sent == (some * STEPS if wire == "upstream" else 0), (name, sent)
                if commit != "absurd-sdk":
                    _check(url, some, spans=some * SPANS if sampled else 0)
                if number:
                    results[name].append(result)
    return {name: _middle(each) for name, each in results.items()}


def _round(worker: Child, url: str, count: int, *, sampled: bool) -> dict[str, float]:
    worker.ask(count=count, sampled=sampled)
    before = postgres_cpu_s(url)
    taken: dict[str, float] = worker.ask(go=True)
    return {
        "per_s": count / taken["seconds"],
        "cpu_ms": taken["cpu_s"] / count * 1000,
        "postgres_cpu_ms": (postgres_cpu_s(url) - before) / count * 1000,
    }


def _check(url: str, count: int, *, spans: int) -> None:
    """Every flow ended, every step is in the journal, every attempt in the evidence."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "select (select count(*) from headrace.flow where state = 'DONE'),"
            " (select count(*) from absurd.c_interactive),"
            " (select count(*) from headrace.evidence), (select count(*) from headrace.span)"
        ).fetchone()
        assert row == (count, count * STEPS, count * STEPS, spans), row
        connection.execute(
            "truncate headrace.flow, headrace.decision, headrace.evidence, headrace.span"
        )
        connection.execute("truncate absurd.c_interactive, absurd.r_interactive")
        connection.execute("truncate absurd.t_interactive cascade")


def _middle(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: median([one[key] for one in rounds]) for key in rounds[0]}


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__).parse_args()
    folder, url = postgres()
    if options.full:
        figures = measure(folder, url, count=400, rounds=3)
    else:
        figures = measure(folder, url, count=200, rounds=1)
    base = figures[BASELINE]["per_s"]
    rows = [
        (
            name,
            f"{one['per_s']:,.0f}",
            f"{one['cpu_ms']:.2f}",
            f"{one['postgres_cpu_ms']:.2f}",
            f"{one['per_s'] / base:.2f}",
        )
        for name, one in figures.items()
    ]
    columns = ("worker", "flows/s", "CPU ms/flow", "PostgreSQL CPU ms/flow", "x baseline")
    finish(
        Report(
            name="flows",
            tables=[Table(title="Five-step flows, one worker process", columns=columns, rows=rows)],
            gates=[
                Gate(name=f"flows/s, {GATED}", measured=figures[GATED]["per_s"], wanted=100),
                Gate(
                    name=f"CPU per flow in the worker, {GATED}",
                    measured=figures[GATED]["cpu_ms"],
                    wanted=5,
                    unit=" ms",
                    most=True,
                ),
            ],
            figures=figures,
            notes=[
                f"Baseline: {BASELINE}. Medians of interleaved rounds.",
                "32 flows at once (the default), 8 connections; fsync on.",
            ],
        ),
        options,
    )


if __name__ == "__main__":
    if "--child" in sys.argv:
        uvloop.run(work())
    else:
        main()
