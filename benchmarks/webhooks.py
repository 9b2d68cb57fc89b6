"""Webhooks: how many are taken in per second, and how quickly what they say is applied.

    python benchmarks/webhooks.py [--full] [--json] [--markdown]

Taking in: Stripe events of 2 KB with a signature of their own are posted to the product's own
receiver, and answered 200 after their row is committed to a real PostgreSQL with fsync. Beside it
stand a handler that does nothing, in the same pipeline, and the same receiver with a transaction
for each delivery.

Applying: 20,000 rows of the inbox, each about a payment of its own, are drained by the product's
consumer in batches of 500, and some of them one by one.

Verifying: a delivery of each scheme with 2 KB, beside GitHub's, which is one HMAC over the body.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _signatures
import httpx
import psycopg
import uvloop
from _report import Report, Table, arguments, finish
from _stage import TENANT, Child, configure, cpu_s, given, median, orders, postgres, say
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Response, post

from gateway import app, configuring
from gateway.commands.landscape import free_ports
from gateway.flows.receive_event import EventReceiver
from gateway.model import codec
from gateway.model.identifiers import new_id
from gateway.model.money import Money
from gateway.model.payment import AttemptState, CaptureMethod, Payment, PaymentAttempt
from gateway.runtime import inbox
from gateway.runtime.inbox import Delivery, Inbox

RECEIVER: Final = f"/webhooks/{TENANT}/stripe"
NOTHING: Final = "/webhooks/nothing"  # below the same prefix, so that shedding treats both alike
CONNECTIONS: Final = 64
# Name of the row: process, path.
CASES: Final = {
    "nothing, same pipeline": ("grouped", NOTHING),
    "inbox, group commit": ("grouped", RECEIVER),
    "inbox, an insert each": ("each", RECEIVER),
}
IDLE, GROUPED, EACH = CASES


def event(event_id: str, intent_id: str, payment_id: str) -> str:
    """A payment_intent.succeeded as long as Stripe's own, which has many fields we do not read."""
    intent = {
        "id": intent_id,
        "object": "payment_intent",
        "amount": 12345,
        "amount_received": 12345,
        "currency": "eur",
        "created": 1_790_000_000,
        "status": "succeeded",
        "latest_charge": "ch_3PqBenchmark000000000000",
        "last_payment_error": None,
        "metadata": {"payment_id": payment_id, "order_id": "0195e7a2-1111-7222-8333-444444444444"},
        "payment_method_options": {
            "card": {"request_three_d_secure": "automatic", "installments": None, "network": None}
        },
        "description": "x" * 1200,
    }
    return json.dumps(
        {
            "id": event_id,
            "object": "event",
            "api_version": "2026-10-29.clover",
            "created": 1_790_000_000,
            "type": "payment_intent.succeeded",
            "livemode": False,
            "pending_webhooks": 1,
            "data": {"object": intent},
        }
    )


class OneByOne(Inbox):
    """The baseline: every delivery in a transaction of its own."""

    async def put(self, delivery: Delivery) -> bool:
        """Commit the delivery and nothing else."""
        new = (await self._insert([delivery]))[0]
        assert isinstance(new, bool)
        return new


@post(NOTHING, status_code=200)
async def do_nothing() -> Response[bytes]:
    """Answer."""
    return Response(b"", status_code=200)


async def serve() -> None:
    """The server as ``headrace serve`` makes it."""
    start = given()
    if start["commit"] == "drain":
        await _apply(start)
        return
    configuration = configuring.configure(Path(start["config"]))
    app.configure_logs(configuration)
    if start["commit"] == "each":
        app.Inbox = OneByOne  # type: ignore[misc] # the one difference
    pipeline: Any = app.create_app(app.build(configuration, start["url"], role="serve"))
    pipeline._application.register(do_nothing)  # noqa: SLF001 - the application as it is
    server = Server(
        pipeline,
        address="127.0.0.1",
        port=start["port"],
        interface=Interfaces.ASGI,
        backlog=8192,
        backpressure=8192,
        websockets=False,
        log_enabled=False,
    )
    say("ready")
    serving = asyncio.create_task(server.serve())
    while await orders() is not None:
        pass
    server.stop()
    await serving


# --- applying ----------------------------------------------------------------------------------


async def _apply(start: Any) -> None:
    """A consumer: for each order lay so many rows and drain them, so many at a time."""
    configuration = configuring.configure(Path(start["config"]))
    app.configure_logs(configuration)
    async with app.running(app.build(configuration, start["url"], role="worker")) as parts:
        receiver = EventReceiver(parts.hub, parts.telemetry)
        say("ready")
        while (order := await orders()) is not None:
            _lay(start["url"], order["count"])
            inbox._BATCH = order["limit"]  # noqa: SLF001 - the one difference
            started, cpu, done = time.perf_counter(), cpu_s(os.getpid()), 0
            while done < order["count"]:
                batch = await inbox.drain(parts.database, receiver.apply)
                assert batch, "rows are missing"
                done += batch
            seconds, cpu = time.perf_counter() - started, cpu_s(os.getpid()) - cpu
            say({"per_s": done / seconds, "cpu_us": cpu / done * 1e6})


def _lay(url: str, count: int) -> None:
    """Payments that wait, their orders and flows, and one event for each."""
    payments = [_payment() for _ in range(count)]
    with psycopg.connect(url, autocommit=True) as connection:
        _copy(
            connection,
            "document (tenant, kind, id, state, body)",
            [
                (TENANT, "payment", one.payment_id, one.state.value, codec.encode(one).decode())
                for one in payments
            ]
            # Of the order only its state is looked at.
            + [(TENANT, "order", one.order_id, "ACCEPTED", "{}") for one in payments],
        )
        _copy(
            connection,
            "flow (flow_id, tenant, kind, business_id, queue, task_id, state, traceparent)",
            [
                (
                    *(one.order_id, TENANT, "place_order", one.order_id, "interactive"),
                    *(new_id(), "WAITING", ""),
                )
                for one in payments
            ],
        )
        _copy(
            connection,
            "inbox (tenant, system, dedupe_key, body, traceparent, event_type)",
            [
                (
                    *(TENANT, "stripe", f"evt_{one.payment_id}"),
                    event(f"evt_{one.payment_id}", one.provider_ref, one.payment_id).encode(),
                    *("", "payment_intent.succeeded"),
                )
                for one in payments
            ],
        )
        connection.execute("analyze headrace.document, headrace.flow, headrace.inbox")


def _payment() -> Payment:
    payment_id = new_id()
    return Payment(
        payment_id=payment_id,
        order_id=new_id(),
        amount=Money(12345, "EUR"),
        method_code="card",
        token="pm_card_visa",  # noqa: S106 - Stripe's name of a test card
        capture_method=CaptureMethod.AUTOMATIC,
        provider="stripe",
        requested_at="2026-11-21T20:00:00+00:00",
        provider_ref=f"pi_{payment_id}",
        attempts=(PaymentAttempt(attempt_id=payment_id, key="key", state=AttemptState.PENDING),),
        captured=Money(0, "EUR"),
        refunded=Money(0, "EUR"),
        returned=Money(0, "EUR"),
        disputed=Money(0, "EUR"),
    )


def _copy(connection: psycopg.Connection[Any], table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy headrace.{table} from stdin") as copy,
    ):
        for row in rows:
            copy.write_row(row)


# --- measuring ---------------------------------------------------------------------------------


def measure_intake(folder: Path, url: str, *, seconds: float, rounds: int) -> dict[str, Any]:
    """All cases in turn, several times."""
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in CASES}
    with contextlib.ExitStack() as stack:
        config = configure(folder / "config", url, "http://127.0.0.1:9", log_level="info")
        load = stack.enter_context(Child("_load.py", folder, "load"))
        children = {}
        for commit in ("grouped", "each"):
            start = {"config": str(config), "url": url, "port": free_ports(1)[0], "commit": commit}
            child = stack.enter_context(Child("webhooks.py", folder, commit, **start))
            children[commit] = child, start["port"]
        for child, port in children.values():
            assert child.started
            _wait_for(port)
        for number in range(rounds + 1):
            for name, (commit, path) in CASES.items():
                child, port = children[commit]
                result = load.ask(
                    port=port,
                    pid=child.pid,
                    path=path,
                    signed=True,
                    prefix=f"{number}_",
                    body=event("%EVENT%", "pi_%NUMBER%", "unknown"),
                    connections=CONNECTIONS,
                    warm_s=seconds / 4,
                    seconds=seconds if number else seconds / 2,  # the first round warms up
                )
                assert set(result["statuses"]) == {"200"}, (name, result["statuses"])
                _check(url, result["answers"] if path == RECEIVER else 0)
                if number:
                    results[name].append(result)
    return {
        name: {
            key: median([one[key] for one in each])
            for key in ("per_s", "cpu_us", "load_cpu_us", "p50_ms", "p99_ms")
        }
        for name, each in results.items()
    }


def _wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            httpx.post(f"http://127.0.0.1:{port}{NOTHING}")
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def _check(url: str, wanted: int) -> None:
    """Every delivery that was answered is a row."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("select count(*) from headrace.inbox").fetchone()
        assert row == (wanted,), (row, wanted)
        connection.execute("truncate headrace.inbox")


def measure_drain(folder: Path, url: str, *, count: int, single: int) -> dict[str, Any]:
    """Batches of 500, and one by one."""
    config = configure(folder / "drain", url, "http://127.0.0.1:9", log_level="warning")
    start = {"config": str(config), "url": url, "commit": "drain"}
    with Child("webhooks.py", folder, "consumer", **start) as consumer:
        consumer.ask(count=200, limit=100)  # warms up
        figures = {
            "500 at a time": consumer.ask(count=count, limit=500),
            "one at a time": consumer.ask(count=single, limit=1),
        }
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select state, reason, count(*)::int from headrace.inbox group by 1, 2"
        ).fetchall()
    wanted = count + single + 200
    assert rows == [("APPLIED", "payment_intent.succeeded", wanted)], (rows, wanted)
    return figures


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__).parse_args()
    folder, url = postgres()
    if options.full:
        intake = measure_intake(folder, url, seconds=4.0, rounds=5)
        drained = measure_drain(folder, url, count=20_000, single=2_000)
        verified = _signatures.measure(seconds=1.0)
    else:
        intake = measure_intake(folder, url, seconds=0.8, rounds=1)
        drained = measure_drain(folder, url, count=3_000, single=200)
        verified = _signatures.measure(seconds=0.1)
    finish(
        Report(
            name="webhooks",
            tables=[_intake_table(intake), _drain_table(drained), _verify_table(verified)],
            gates=[],
            figures={"intake": intake, "drain": drained, "verify_us": verified},
            notes=[
                f"{CONNECTIONS} connections in a closed loop, one serving process on any core.",
                "Medians of interleaved rounds. Traces are kept in PostgreSQL (the default).",
            ],
        ),
        options,
    )


def _verify_table(verified: dict[str, float]) -> Table:
    plain = verified["GitHub"]
    return Table(
        title="Deliveries verified",
        columns=("scheme", "µs", "x GitHub"),
        rows=[(name, f"{us:,.1f}", f"{us / plain:.1f}") for name, us in verified.items()],
    )


def _intake_table(intake: dict[str, Any]) -> Table:
    return Table(
        title="Webhooks taken in",
        columns=("receiver", "per s", "p50 ms", "p99 ms", "CPU µs", "x nothing", "x insert each"),
        rows=[
            (
                name,
                f"{one['per_s']:,.0f}",
                f"{one['p50_ms']:.1f}",
                f"{one['p99_ms']:.1f}",
                f"{one['cpu_us']:,.0f}",
                f"{one['per_s'] / intake[IDLE]['per_s']:.2f}",
                f"{one['per_s'] / intake[EACH]['per_s']:.2f}",
            )
            for name, one in intake.items()
        ],
    )


def _drain_table(drained: dict[str, Any]) -> Table:
    base = drained["one at a time"]["per_s"]
    return Table(
        title="Rows of the inbox applied",
        columns=("consumer", "per s", "CPU µs", "x one at a time"),
        rows=[
            (name, f"{one['per_s']:,.0f}", f"{one['cpu_us']:,.0f}", f"{one['per_s'] / base:.1f}")
            for name, one in drained.items()
        ],
    )


if __name__ == "__main__":
    if "--child" in sys.argv:
        uvloop.run(serve())
    else:
        main()
