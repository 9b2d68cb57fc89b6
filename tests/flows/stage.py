"""The hub in one process: real PostgreSQL, simulators behind the wire, no sockets, no sleeps.

Time passes only when a test says so: ``Stage.pass_time`` makes everything due that waits.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

import httpx
import psycopg
import yaml
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.mollie.simulator import MollieSimulator
from adapters.salesforce.simulator import SalesforceSimulator
from adapters.sap_s4.simulator import SapS4Simulator
from adapters.sap_s4.translation import order_reference, partner_reference
from adapters.stripe.simulator import StripeSimulator
from gateway import app, configuring
from gateway.kit.simulator import Fault, FaultKind, SimulatedWire
from gateway.model import codec
from gateway.model.money import Money
from gateway.model.order import Order
from gateway.model.payment import Payment
from gateway.runtime.engine import Operator
from gateway.runtime.inbox import drain
from gateway.runtime.worker import Flow, Worker

TENANT: Final = "acme"
_SECRETS: Final = {
    "STAGE_STRIPE_KEY": "sk_test_stage",
    "STAGE_STRIPE_WEBHOOK": "whsec_stage",
    "STAGE_MOLLIE_KEY": "test_simulated",
    "STAGE_GOCARDLESS_TOKEN": "sandbox_simulated",
    "STAGE_GOCARDLESS_WEBHOOK": "simulated_webhook",
    "STAGE_PAYPAL_SECRET": "simulated",
    "STAGE_SAP_PASSWORD": "stage-sap",
    "STAGE_SALESFORCE_SECRET": "stage-salesforce",
}
# Turns of claim, run, deliver, apply; a flow that needs more goes round in circles.
_TURNS: Final = 60


class Life:
    """One worker's life: its parts, and what makes it run a turn at a time.

    Attributes:
        claimed: Called when runs were leased and none has begun.
    """

    def __init__(self, parts: app.Parts, flows: Mapping[str, Flow]) -> None:
        self.parts = parts
        self.claimed: Callable[[], None] = lambda: None
        worker, self.receiver = app.create_worker(parts)
        worker._flows = flows
        self.worker: Worker = worker

    async def work(self) -> int:
        """Run all flows that are due as far as they go; returns how many there were."""
        claimed = await self.worker._claim()
        if claimed:
            self.claimed()
        tasks = [task for task, _, _ in self.worker._running.values()]
        await asyncio.gather(*tasks)
        return claimed

    async def apply(self) -> int:
        """Apply what is due in the inbox; returns how many rows there were."""
        return await drain(self.parts.database, self.receiver.apply)

    async def abandon(self) -> None:
        """What SIGKILL leaves behind: nothing is flushed, connections break."""
        tasks = [task for task, _, _ in self.worker._running.values()]
        tasks += self.parts.journal._writes._tasks + self.parts.journal._evidence._tasks
        # A statement under way may take the cancellation for its own and let its task live on.
        while tasks := [task for task in tasks if not task.done()]:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=0.1)
        await self.parts.database.close()


class Stage:
    """A tenant with its simulators, a facade that never dies, and workers that may.

    Attributes:
        api: Client of the facade, in process.
        wire: Where faults are laid and requests are seen.
        spans: All spans of all processes.
        offset_s: How far the simulators' clock is ahead.

    Args:
        mollies: Names of further systems, each with a simulated Mollie of its own.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        *,
        patience: Mapping[str, Any] | None = None,
        mollies: Sequence[str] = (),
    ) -> None:
        os.environ.update(_SECRETS)
        self.url = url
        self.offset_s = 0.0
        self.spans = InMemorySpanExporter()
        self.stripe = StripeSimulator(
            webhook_url="http://hub/webhooks/acme/stripe",
            webhook_secret=_SECRETS["STAGE_STRIPE_WEBHOOK"],
            secret_key=_SECRETS["STAGE_STRIPE_KEY"],
        )
        self.sap = SapS4Simulator(user="HEADRACE", password=_SECRETS["STAGE_SAP_PASSWORD"])
        self.salesforce = SalesforceSimulator(
            client_id="headrace",
            client_secret=_SECRETS["STAGE_SALESFORCE_SECRET"],
            instance_url="http://salesforce",
        )
        self.mollies = {name: MollieSimulator() for name in mollies}
        self.wire = SimulatedWire(
            {"stripe": self.stripe, "sap": self.sap, "salesforce": self.salesforce, **self.mollies},
            clock=self.now,
        )
        self.configuration = configuring.configure(_write(folder, dict(patience or {}), mollies))
        self.flows: dict[str, Flow] = dict(app.FLOWS)
        self.api = httpx.AsyncClient()
        self.sql: psycopg.AsyncConnection[tuple[Any, ...]]

    def now(self) -> float:
        """Seconds since the epoch, by the simulators' clock."""
        return time.time() + self.offset_s

    def parts(
        self, role: str = "worker", wire: httpx.AsyncBaseTransport | None = None
    ) -> app.Parts:
        """The parts of one more process."""
        return app.build(
            self.configuration,
            self.url,
            role=role,
            wire=wire or self.wire,
            exporters=(cast("Any", self.spans),),
        )

    @asynccontextmanager
    async def facade(self) -> AsyncIterator["Stage"]:
        """Serve requests while the block lasts."""
        self.sql = await psycopg.AsyncConnection.connect(self.url, autocommit=True)
        async with self.sql, served(self.parts("serve")) as self.api:
            yield self

    @asynccontextmanager
    async def life(self) -> AsyncIterator[Life]:
        """A worker that ends as it should."""
        async with app.running(self.parts()) as parts:
            yield Life(parts, self.flows)

    async def submit(
        self, order: Mapping[str, Any], *, key: str = "", api: httpx.AsyncClient | None = None
    ) -> Order:
        """Submit an order as a front-end does; the order as it is stored.

        Args:
            api: Another facade than the stage's own.
        """
        answer = await (api or self.api).post(
            "/v1/orders",
            json=order,
            headers={"Idempotency-Key": key or str(order["reference"])},
        )
        assert answer.status_code == 202, answer.text
        return await self.order(answer.json()["order_id"])

    async def order(self, order_id: str) -> Order:
        """The order as it stands."""
        (row,) = await self.rows("select body::text from headrace.document where id = %s", order_id)
        return codec.decode(row[0], Order)

    async def payment(self, order: Order) -> Payment:
        """The payment of the order as it stands."""
        (row,) = await self.rows(
            "select body::text from headrace.document where id = %s", order.payment_id
        )
        return codec.decode(row[0], Payment)

    async def flow(self, order: Order) -> dict[str, Any]:
        """The row of the order's flow."""
        (row,) = await self.rows(
            "select to_jsonb(f) from headrace.flow f where business_id = %s", order.order_id
        )
        return dict(row[0])

    async def state(self, order: Order) -> tuple[str, str]:
        """State and reason of the order's flow."""
        flow = await self.flow(order)
        return flow["state"], flow["reason"]

    async def steps(self, order: Order) -> dict[str, Any]:
        """The journal of the order's flow: step to checkpoint."""
        found = await self.rows(
            "select c.checkpoint_name, c.state from absurd.c_interactive c join headrace.flow f"
            " on f.task_id = c.task_id where f.business_id = %s order by c.updated_at",
            order.order_id,
        )
        return dict(found)  # type: ignore[arg-type] # rows of two columns

    async def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """What PostgreSQL answers."""
        found = await self.sql.execute(sql, params)
        return await found.fetchall() if found.description else []

    async def deliver(self, *, deliver: Callable[[httpx.Request], bool] = lambda _: True) -> int:
        """Hand the provider's webhooks that are due to the facade; returns how many were taken."""
        taken = 0
        for request in self.stripe.due(now=self.now()):
            if deliver(request):
                taken += await self.deliver_one(request) == httpx.codes.OK
        return taken

    async def deliver_one(self, request: httpx.Request) -> int:
        """Hand one webhook to the facade; the status of its answer."""
        answer = await self.api.post(
            request.url.path, content=request.read(), headers=dict(request.headers)
        )
        return answer.status_code

    async def pass_time(self) -> None:
        """Whatever waits for a moment is due; what waits for a person goes on waiting."""
        for sql in (
            "update absurd.w_interactive set timeout_at = now() where timeout_at < 'infinity'",
            (
                "update absurd.r_interactive set available_at = now() where state = 'sleeping'"
                " and available_at < 'infinity'"
            ),
            "update headrace.inbox set due_at = now() where state = 'NEW'",
        ):
            await self.sql.execute(sql)  # type: ignore[arg-type] # literals

    async def expire_leases(self) -> None:
        """Whoever runs a flow has been silent for too long, and the engine has noticed."""
        await self.sql.execute(
            "update absurd.r_interactive set claim_expires_at = now() - interval '1 second'"
            " where state = 'running'"
        )
        await self.sql.execute(
            "select absurd.fail_run('interactive', run_id, '{}') from absurd.r_interactive"
            " where state = 'running'"
        )

    async def finish(self, life: Life, order: Order, *, webhooks: bool = True) -> None:
        """Work, deliver and let time pass until the flow has ended."""
        for _ in range(_TURNS):
            moved = await life.work()
            if webhooks:
                moved += await self.deliver()
            moved += await life.apply()
            state, _ = await self.state(order)
            if state in {"COMPLETED", "CANCELLED"}:
                await self.settle(life)
                return
            if not moved:
                await self.pass_time()
        raise AssertionError(f"the flow does not end: {await self.flow(order)}")

    async def settle(self, life: Life) -> None:
        """Deliver and apply what is still under way."""
        while await self.deliver() + await life.apply():
            pass

    async def work_until(self, life: Life, order: Order, wanted: str) -> None:
        """Work without letting time pass until the flow has the wanted state."""
        for _ in range(_TURNS):
            if (await self.state(order))[0] == wanted:
                return
            await life.work()
        raise AssertionError(f"the flow is not {wanted}: {await self.flow(order)}")

    def operator(self, life: Life) -> Operator:
        """What a person may do."""
        return Operator(life.parts.database, tenant=TENANT, actor="ada")

    def lose_payment_answer(self, order: Order, kind: FaultKind = FaultKind.LOST_ANSWER) -> None:
        """The answer to the payment of this order is lost after the charge."""
        self.lay(
            "stripe", kind, method="POST", path="/v1/payment_intents", contains=order.payment_id
        )

    def lay(self, host: str, kind: FaultKind, **fault: Any) -> None:
        """Lay a fault in front of a simulator."""
        self.wire.faults[host].lay(Fault(kind=kind, **fault))

    def effects_of(self, order: Order) -> dict[str, int]:
        """What the simulators were made to do for this order, without what never happened."""
        sap, stripe = self.sap.effects(), self.stripe.effects()
        salesforce = self.salesforce.effects()
        reference, party = order_reference(order.order_id), order.party.party_id
        partner = partner_reference(self.configuration.systems[TENANT]["sap"][1], party)
        counts = {
            "sales_order": sap["sales_order"].get(reference, 0),
            "sales_order_cancelled": sap["sales_order_cancelled"].get(reference, 0),
            "business_partner": sap["business_partner"].get(partner, 0),
            "charge": stripe["charge"].get(order.payment_id, 0),
            "authorisation": stripe["authorisation"].get(order.payment_id, 0),
            "refund": stripe["refund"].get(f"{order.payment_id}-refund-1", 0),
            "account": salesforce["account"].get(party, 0),
            "opportunity": salesforce["opportunity"].get(order.order_id, 0),
        }
        return {kind: count for kind, count in counts.items() if count}


@asynccontextmanager
async def served(parts: app.Parts) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a facade made of these parts."""
    pipeline = cast("Any", app.create_app(parts))
    async with _alive(pipeline._application.lifespan):
        transport = httpx.ASGITransport(pipeline)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as api:
            yield api
    if pipeline._watch is not None:
        pipeline._watch.cancel()


@asynccontextmanager
async def _alive(lifespan: Callable[[], Any]) -> AsyncIterator[None]:
    """The lifespan of an application in a task of its own: its scopes end where they began."""
    up, down = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with lifespan():
            up.set()
            await down.wait()

    living = asyncio.create_task(live())
    waiting = asyncio.create_task(up.wait())
    await asyncio.wait({living, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield
    finally:
        down.set()
        waiting.cancel()
        await living


def new_order(number: int | str, **changes: Any) -> dict[str, Any]:
    """An order as a front-end sends it, of a customer of its own."""
    price = changes.pop("price", "10.00")
    order: dict[str, Any] = {
        "channel": "B2C",
        "reference": f"R-{number}",
        "party": {
            "party_id": f"C-{number}",
            "kind": "PERSON",
            "names": ["Jürgen", "Müller"],
            "email": "juergen@example.com",
            "addresses": [
                {
                    "line1": "Hauptstraße",
                    "house_number": "1",
                    "postal_code": "10115",
                    "city": "Berlin",
                    "country": changes.pop("country", "DE"),
                }
            ],
        },
        "items": [
            {
                "product_id": changes.pop("product_id", "CAR-1"),
                "quantity": 2,
                "unit_price": {"amount": price, "currency": "EUR"},
            }
        ],
        "payment": {
            "method_code": changes.pop("method_code", "card"),
            "token": changes.pop("token", "pm_card_visa"),
            "capture_method": changes.pop("capture_method", "automatic"),
        },
    }
    total = Money.parse(price, "EUR") * 2
    return order | {"total": codec.to_builtins(total)} | changes


def _write(folder: Path, patience: dict[str, Any], mollies: Sequence[str]) -> Path:
    """The configuration of a process and its tenant, as files."""
    (folder / "tenants").mkdir(parents=True)
    process = {
        # No time-out of this file is ever waited for; a busy machine must not refuse requests.
        "server": {"loop_lag_s": 60.0},
        "telemetry": {"keep_traces": False},
        "worker": {"lease_s": 30, "health_port": 0},
    }
    policy = {"backoff_s": 0.001, "backoff_max_s": 0.002, "breaker_minimum": 10_000}
    stripe = {
        "adapter": "stripe",
        "policy": policy,
        "settings": {
            "base_url": "http://stripe",
            "secret_key": "env:STAGE_STRIPE_KEY",
            "webhook_secrets": ["env:STAGE_STRIPE_WEBHOOK"],
        },
    }
    tenant = {
        "tenant": TENANT,
        "currencies": ["EUR"],
        "systems": [
            {"name": "stripe", **stripe},
            {"name": "stripe_fr", **stripe},  # for those who route to it
            {
                "name": "sap",
                "adapter": "sap_s4",
                "policy": policy,
                "settings": {
                    "base_url": "http://sap",
                    "user": "HEADRACE",
                    "password": "env:STAGE_SAP_PASSWORD",
                    "client": "100",
                    "sales_organization": "1710",
                    "distribution_channel": "10",
                    "division": "00",
                },
            },
            {
                "name": "salesforce",
                "adapter": "salesforce",
                "policy": policy,
                "settings": {
                    "login_url": "http://salesforce",
                    "client_id": "headrace",
                    "client_secret": "env:STAGE_SALESFORCE_SECRET",
                },
            },
            {"name": "rules", "adapter": "decision_table"},
            *(
                {
                    "name": name,
                    "adapter": "mollie",
                    "policy": policy,
                    "settings": {
                        "base_url": f"http://{name}/v2",
                        "api_key": "env:STAGE_MOLLIE_KEY",
                    },
                }
                for name in mollies
            ),
        ],
        "routing": {
            "erp": "sap",
            "crm": "salesforce",
            "risk": "rules",
            "payments": "stripe",
            "payment_fallbacks": list(mollies),
        },
        "patience": patience,
    }
    (folder / "tenants" / "acme.yaml").write_text(yaml.safe_dump(tenant))
    path = folder / "headrace.yaml"
    path.write_text(yaml.safe_dump(process))
    return path
