"""A facade call that maps, calls one upstream and answers: the whole hub against the bare stack.

    python benchmarks/facade.py [--full] [--json] [--markdown]

A front-end posts an order of 1.8 KB; it is checked, mapped to a sales order of SAP, sent to an
upstream, the answer read, and the front-end answered 201.

*The hub* is the product: pipeline, Litestar, access, validation, adapter, transport with breaker
and bulkhead, two spans (to an OTLP collector), metrics, access log, and the attempt's redacted
evidence, group-committed to a real PostgreSQL. Only the route is the benchmark's, because the
product's own takes the order and calls later, in a flow; and the adapter's look-up before a write
is left out, because one call is what is compared.

*The bare stack* does the same job with the same server and the same wire, Structs by hand, and has
none of that: no access, no span, no metric, no log, no evidence, no retry, no breaker.

What is measured has a core of its own; load, upstream, collector and PostgreSQL have the other.
"""

import asyncio
import contextlib
import dataclasses
import json
import sys
import time
from collections import Counter
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
import msgspec
import psycopg
import uvloop
from _report import Gate, Report, Table, arguments, finish
from _stage import (
    WEBHOOK_SECRET,
    Child,
    configure,
    cores,
    given,
    median,
    orders,
    pin,
    postgres,
    say,
)
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar.types import ASGIApp
from msgspec import Meta

from adapters.sap_s4.erp import SapErp
from gateway import app, configuring
from gateway.api import hot
from gateway.api.facade import Facade, require_json
from gateway.commands.landscape import free_ports
from gateway.commands.serve import settle_collector
from gateway.kit.adapter import request as build
from gateway.model import codec
from gateway.model.identifiers import new_id
from gateway.model.reference import ExternalReference
from gateway.policy import ordering
from gateway.policy.validation import read_order
from gateway.runtime.answers import Answer
from gateway.runtime.hub import System
from gateway.runtime.wire import Wire

PATH: Final = "/bench/orders"
PARTNER: Final = "10100001"
CASES: Final = (("fast", 32), ("fast", 128), ("slow", 64), ("slow", 256))
SLOW_S: Final = 0.05


class Served(NamedTuple):
    """One stack, and where its code is.

    Attributes:
        sampling: Share of traces that the hub records; None is the bare stack.
        tree: Work tree of another state of this repository.
    """

    sampling: float | None
    tree: Path | None = None


STACKS: Final = {
    "bare": Served(None),
    "hub, all traced": Served(1.0),
    "hub, 10 % traced": Served(0.1),
}
BARE, TRACED, SAMPLED = STACKS

ORDER: Final = json.dumps(
    {
        "channel": "SME",
        "kind": "PURCHASE",
        "party": {
            "party_id": "C-100042",
            "kind": "ORGANISATION",
            "names": ["Müller & Söhne Elektrotechnik GmbH", "Niederlassung Süd"],
            "addresses": [
                {
                    "line1": "Königstraße",
                    "house_number": "12a",
                    "postal_code": "70173",
                    "city": "Stuttgart",
                    "country": "DE",
                },
                {
                    "line1": "Industriestraße",
                    "house_number": "101",
                    "line2": "Tor 4",
                    "postal_code": "73760",
                    "city": "Ostfildern",
                    "country": "DE",
                },
            ],
            "language": "de",
            "vat_id": "DE176766936",
            "email": "einkauf@mueller-soehne.example",
            "phone": "+49 711 5550123",
        },
        "items": [
            {
                "product_id": f"CAR-LYNK-{number:02}",
                "description": f"Elektrisch, {number} Türen, weiß, mit Anhängerkupplung",
                "quantity": number,
                "unit_price": {"amount": f"{1000 + number}.50", "currency": "EUR"},
            }
            for number in range(1, 7)
        ],
        "total": {"amount": "21101.50", "currency": "EUR"},
        "payment": {"method_code": "card", "token": "pm_card_visa"},
        "reference": "SME-2026/00001",
        "note": "Bitte vor der Lieferung anrufen; Anlieferung nur werktags zwischen 8 und 16 Uhr.",
    },
    ensure_ascii=False,
)


class Accepted(msgspec.Struct, frozen=True):
    """What the front-end is answered by both."""

    order_id: str
    sales_order: str
    state: str
    total: str
    currency: str


# --- the hub -----------------------------------------------------------------------------------


class WithoutLookUp(SapErp):
    """The adapter, with one request for a sales order instead of two."""

    def find_sales_order(
        self, order_id: str
    ) -> Generator[httpx.Request, httpx.Response, ExternalReference | None]:
        """Nothing was made before."""
        del order_id
        return None
        yield  # which makes it an exchange


def order_route(system: System[SapErp], facade: Facade) -> ASGIApp:
    """The one route that the benchmark adds, of the kind that the product's own is."""

    async def place(facade: Facade, request: hot.Request) -> Answer:
        caller = facade.caller(request)
        require_json(request.headers.get("content-type", ""))
        tenant = facade.hub.tenant(caller.tenant)
        new = read_order(await request.body(), currencies=tenant.settings.currencies)
        order, _ = ordering.submit(
            new, order_id=new_id(), payment_id=new_id(), at=datetime.now(UTC).isoformat()
        )
        made = await facade.hub.call(
            system,
            system.port.create_sales_order(order, PARTNER, key=order.order_id),
            business_id=order.order_id,
            step="erp.create_sales_order",
            key=order.order_id,
        )
        answer = Accepted(
            order.order_id,
            made.external_id,
            order.state.value,
            order.total.amount,
            order.total.currency,
        )
        return Answer(status=201, body=codec.encode(answer))

    return hot.direct(place, facade)


def hub(start: Any) -> Any:
    """The product's own application, and one route more."""
    configuration = configuring.configure(Path(start["config"]))
    app.configure_logs(configuration)
    parts = app.build(configuration, start["url"], role="serve")
    erp = parts.hub.tenant("acme").erp
    pipeline: Any = app.create_app(parts)
    port = WithoutLookUp(erp.settings, configuration.mappings["acme", erp.name])
    application = pipeline._application  # noqa: SLF001 - the application as it is
    facade = application.dependencies["facade"].dependency()
    route = order_route(dataclasses.replace(erp, port=port), facade)
    pipeline._direct[PATH] = route  # noqa: SLF001 - beside the product's own
    return pipeline


# --- the bare stack ----------------------------------------------------------------------------

Text = Annotated[str, Meta(min_length=1, max_length=200)]
Amount = Annotated[str, Meta(pattern=r"^-?[0-9]{1,13}(\.[0-9]{1,4})?$")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]


class BareMoney(msgspec.Struct, frozen=True, gc=False):
    """An amount as it comes."""

    amount: Amount
    currency: Currency


class BareItem(msgspec.Struct, frozen=True, gc=False):
    """One line."""

    product_id: Text
    quantity: Annotated[int, Meta(ge=1)]
    unit_price: BareMoney
    description: str = ""


class BareAddress(msgspec.Struct, frozen=True, gc=False):
    """An address."""

    line1: Text
    postal_code: Text
    city: Text
    country: Text
    house_number: str = ""
    line2: str = ""


class BareParty(msgspec.Struct, frozen=True, gc=False):
    """Who orders."""

    party_id: Text
    kind: str
    names: tuple[Text, ...]
    addresses: tuple[BareAddress, ...]
    language: str = "de"
    vat_id: str = ""
    email: str = ""
    phone: str = ""


class BarePayment(msgspec.Struct, frozen=True, gc=False):
    """How it is paid."""

    method_code: Text
    token: Text


class BareOrder(msgspec.Struct, frozen=True, gc=False):
    """What the front-end sends."""

    channel: str
    kind: str
    party: BareParty
    items: tuple[BareItem, ...]
    total: BareMoney
    payment: BarePayment
    reference: str = ""
    note: str = ""


class BarePrice(msgspec.Struct, frozen=True, gc=False):
    """A pricing element of SAP."""

    ConditionType: str
    ConditionRateValue: str
    ConditionCurrency: str
    ConditionQuantity: str


class BareSapItem(msgspec.Struct, frozen=True, gc=False, rename={"prices": "to_PricingElement"}):
    """A line of SAP."""

    Material: str
    SalesOrderItemText: str
    RequestedQuantity: str
    prices: tuple[BarePrice, ...]


class BareSapOrder(msgspec.Struct, frozen=True, gc=False, rename={"items": "to_Item"}):
    """A sales order of SAP."""

    SalesOrderType: str
    SalesOrganization: str
    DistributionChannel: str
    OrganizationDivision: str
    SoldToParty: str
    PurchaseOrderByCustomer: str
    PurchaseOrderByShipToParty: str
    TransactionCurrency: str
    items: tuple[BareSapItem, ...]


class BareNumber(msgspec.Struct, frozen=True, gc=False):
    """What is read of it."""

    SalesOrder: str


class BareAnswer(msgspec.Struct, frozen=True, gc=False):
    """The envelope of OData V2."""

    d: BareNumber


_decode_order = msgspec.json.Decoder(BareOrder).decode
_decode_answer = msgspec.json.Decoder(BareAnswer).decode
_encode = msgspec.json.Encoder().encode


def _to_sap(order: BareOrder, order_id: str) -> BareSapOrder:
    return BareSapOrder(
        "OR",
        "1710",
        "10",
        "00",
        PARTNER,
        order_id.replace("-", ""),
        order.reference,
        order.total.currency,
        tuple(
            BareSapItem(
                item.product_id.upper(),
                item.description[:40],
                str(item.quantity),
                (BarePrice("PR01", item.unit_price.amount, item.unit_price.currency, "1"),),
            )
            for item in order.items
        ),
    )


class Bare:
    """ASGI, msgspec and the wire."""

    def __init__(self, upstream: str) -> None:
        self._wire = Wire()
        path = "/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder"
        self._url = httpx.URL(upstream + path)
        self._headers = [
            (b"accept", b"application/json"),
            (b"authorization", b"Basic " + WEBHOOK_SECRET.encode()),
            (b"content-type", b"application/json"),
            (b"x-csrf-token", b"bench-token"),
            (b"cookie", b"SAP_SESSIONID=bench"),
        ]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or go along with a lifespan."""
        if scope["type"] != "http":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self._wire.aclose()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = await self._place(await _body(receive))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _place(self, body: bytes) -> bytes:
        order, order_id = _decode_order(body), new_id()
        total = sum((Decimal(each.unit_price.amount) * each.quantity for each in order.items), 0)
        assert total == Decimal(order.total.amount)
        outgoing = build("POST", self._url, self._headers, _encode(_to_sap(order, order_id)))
        outgoing.extensions["timeout"] = {"connect": 3.0, "total": 10.0}
        answer = await self._wire.handle_async_request(outgoing)
        assert answer.status_code == 201
        number = _decode_answer(answer.content).d.SalesOrder
        return _encode(
            Accepted(order_id, number, "SUBMITTED", order.total.amount, order.total.currency)
        )


async def _body(receive: Any) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


# --- one serving process -----------------------------------------------------------------------


async def serve() -> None:
    """The server as ``headrace serve`` makes it, around one of the two."""
    start = given()
    server = Server(
        Bare(start["upstream"]) if start["stack"] == "bare" else hub(start),
        address="127.0.0.1",
        port=start["port"],
        interface=Interfaces.ASGI,
        backlog=8192,
        backpressure=8192,
        websockets=False,
        log_enabled=False,
    )
    settle_collector()  # for both
    say("ready")
    serving = asyncio.create_task(server.serve())
    while await orders() is not None:
        pass
    server.stop()
    await serving


# --- measuring ---------------------------------------------------------------------------------


def wait_for(port: int) -> None:
    """Return when the port answers one order with 201."""
    until = time.monotonic() + 20
    headers = {"Authorization": f"Bearer {WEBHOOK_SECRET}", "Content-Type": "application/json"}
    while True:
        try:
            answer = httpx.post(
                f"http://127.0.0.1:{port}{PATH}", content=ORDER.encode(), headers=headers
            )
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            assert answer.status_code == 201, (answer.status_code, answer.text)
            return


class Bench:
    """All processes of one run.

    Args:
        stacks: By name.
        seconds: Of one round of one stack.
    """

    def __init__(
        self, stack: contextlib.ExitStack, stacks: Mapping[str, Served], *, seconds: float
    ) -> None:
        self._stacks = stacks
        self._seconds = seconds
        mine, others = cores()
        pin(others)
        self.folder, self.url = postgres()
        pin(mine | others)
        self.upstream = stack.enter_context(
            Child("_upstream.py", self.folder, "upstream", on=others)
        )
        self.load = stack.enter_context(Child("_load.py", self.folder, "load", on=others))
        self._children: dict[str, tuple[Child, int]] = {}
        self._spans: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()
        for name, served in stacks.items():
            log = name.replace(" ", "_")
            given = self._given(log, served.sampling) | {"port": free_ports(1)[0]}
            child = Child("facade.py", self.folder, log, on=mine, tree=served.tree, **given)
            self._children[name] = stack.enter_context(child), given["port"]
        for child, port in self._children.values():
            assert child.started
            wait_for(port)
        time.sleep(0.5)  # until the spans of these first calls are out

    def _given(self, name: str, sampling: float | None) -> dict[str, Any]:
        address = f"http://127.0.0.1:{self.upstream.started['port']}"
        if sampling is None:
            return {"stack": "bare", "upstream": address}
        config = configure(
            self.folder / f"config_{name}",
            self.url,
            address,
            sampling=sampling,
            otlp_endpoint=address,
            keep_traces=False,
        )
        return {"stack": "hub", "config": str(config), "url": self.url}

    def round(
        self, upstream: str, connections: int, *, backwards: bool
    ) -> dict[str, dict[str, float]]:
        """All stacks, one directly after the other, with so many connections.

        Args:
            backwards: Who comes last is not always the same, while the machine gets slower.
        """
        self._delay_s = SLOW_S if upstream == "slow" else 0.0
        names = sorted(self._stacks, reverse=backwards)
        return {name: self._one(name, connections) for name in names}

    def _one(self, name: str, connections: int) -> dict[str, Any]:
        child, port = self._children[name]
        self.upstream.ask(delay_s=self._delay_s)
        result: dict[str, Any] = self.load.ask(
            port=port,
            pid=child.pid,
            path=PATH,
            body=ORDER,
            connections=connections,
            warm_s=self._seconds / 4,
            seconds=self._seconds,
        )
        assert set(result["statuses"]) == {"201"}, (name, result["statuses"])
        time.sleep(0.4)  # for the last batch of spans, and so that the next one starts in peace
        seen = self.upstream.ask(delay_s=self._delay_s)
        assert seen["requests"] == result["answers"], (name, seen, result["answers"])
        self._spans[name] += seen["spans"]
        self._answers[name] += result["answers"]
        return result

    def check_spans(self) -> None:
        """Nobody was quick by leaving spans out; with 10 % sampling their number is random."""
        for name, answers in self._answers.items():
            sampling, spans = self._stacks[name].sampling or 0.0, self._spans[name] / answers
            assert sampling <= spans <= 3 * sampling, (name, spans)

    def check_evidence(self, least: int) -> None:
        """Evidence was written all the while."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute("select count(*) from headrace.evidence").fetchone()
        assert row is not None
        assert row[0] >= least, row


def measure(*, seconds: float, rounds: int) -> list[dict[str, Any]]:
    """Rounds of all cases, and the middle of each."""
    with contextlib.ExitStack() as stack:
        bench = Bench(stack, STACKS, seconds=seconds)
        results: dict[tuple[str, int], list[dict[str, Any]]] = {case: [] for case in CASES}
        for number in range(rounds):
            for case in CASES:
                results[case].append(bench.round(*case, backwards=number % 2 == 1))
        done = sum(
            int(one[name]["answers"])
            for each in results.values()
            for one in each
            for name in (TRACED, SAMPLED)
        )
        bench.check_evidence(done * 9 // 10)
        bench.check_spans()
    fast = results["fast", 128]
    return [_case(*case, rounds, fast) for case, rounds in results.items()]


def _case(
    upstream: str,
    connections: int,
    rounds: list[dict[str, Any]],
    fast: list[dict[str, Any]],
) -> dict[str, Any]:
    """Ratios of each round first, their middle then: the machine changes from round to round."""
    ideal = connections / SLOW_S if upstream == "slow" else float("inf")
    stacks = {}
    for name in STACKS:
        stacks[name] = {
            key: median([one[name][key] for one in rounds])
            for key in ("per_s", "cpu_us", "load_cpu_us", "p50_ms", "p99_ms")
        }
        stacks[name]["of_bare"] = median(
            [one[name]["per_s"] / one[BARE]["per_s"] for one in rounds]
        )
        stacks[name]["cpu_of_bare"] = median(
            [one[BARE]["cpu_us"] / one[name]["cpu_us"] for one in rounds]
        )
        stacks[name]["of_ideal"] = median(
            [
                one[name]["per_s"] / min(ideal, quick[name]["per_s"])
                for one, quick in zip(rounds, fast, strict=True)
            ]
        )
    return {"upstream": upstream, "connections": connections, "stacks": stacks}


def _rows(cases: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [
        (
            f"{'50 ms' if case['upstream'] == 'slow' else 'fast'}, {case['connections']}, {name}",
            f"{one['per_s']:,.0f}",
            f"{one['cpu_us']:,.0f}",
            f"{one['p50_ms']:.1f}",
            f"{one['p99_ms']:.1f}",
            f"{one['of_bare']:.0%}",
        )
        for case in cases
        for name, one in case["stacks"].items()
    ]


def _gates(cases: list[dict[str, Any]]) -> list[Gate]:
    gates = []
    for case in cases:
        stacks, connections = case["stacks"], case["connections"]
        if case["upstream"] == "fast":
            for name, wanted in ((TRACED, 25), (SAMPLED, 38)):
                share = stacks[name]["of_bare"] * 100
                title = f"of bare, fast upstream, {connections} connections, {name}"
                gates.append(Gate(name=title, measured=share, wanted=wanted, unit=" %"))
        else:
            share = stacks[SAMPLED]["of_ideal"] * 100
            title = f"of the ideal, 50 ms upstream, {connections} in flight, {SAMPLED}"
            gates.append(Gate(name=title, measured=share, wanted=75, unit=" %"))
    return gates


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__).parse_args()
    # Many short rounds: the machine changes within seconds, and a ratio is of one round.
    cases = measure(seconds=0.4, rounds=24) if options.full else measure(seconds=0.4, rounds=6)
    columns = ("upstream, connections, stack", "per s", "CPU µs", "p50 ms", "p99 ms", "of bare")
    table = Table(
        title="Facade call that calls one upstream, one serving process",
        columns=columns,
        rows=_rows(cases),
    )
    finish(
        Report(
            name="facade",
            tables=[table],
            gates=_gates(cases),
            figures=cases,
            notes=[
                "Medians of interleaved rounds; ratios are taken within a round.",
                "The ideal: connections / 50 ms, or what the same stack reaches with the fast one.",
            ],
        ),
        options,
    )


if __name__ == "__main__":
    if "--child" in sys.argv:
        uvloop.run(serve())
    else:
        main()
