"""``headrace demo``: the main job on real input, and what becomes of it on bad days."""

import atexit
import hashlib
import json
import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from gateway.commands.landscape import Landscape
from gateway.model.money import Money

_ENDED: Final = frozenset({"COMPLETED", "REJECTED", "CANCELLED"})
_PATIENCE_S: Final = 40.0
# Where the README's request goes, when everything is kept up.
_PORT: Final = 8080
_STYLES: Final = {
    "step": "cyan",
    "attempt": "white",
    "webhook": "magenta",
    "event": "green",
    "document": "blue",
    "parked": "yellow",
    "decision": "yellow",
}


@dataclass
class Outcome:
    """What became of one order.

    Attributes:
        expected: ``completed``, ``rejected``, ``cancelled``, ``refused``, or empty for anything
            that ends.
        field: For refused orders the pointer that the answer has to name.
    """

    name: str
    expected: str = ""
    field: str = ""
    order_id: str = ""
    payment_id: str = ""
    state: str = ""
    pointers: tuple[str, ...] = ()

    @property
    def as_expected(self) -> bool:
        """Whether it ended as it should."""
        if self.state == "REFUSED":
            named = not self.field or any(one.startswith(self.field) for one in self.pointers)
            return self.expected in {"", "refused"} and named
        ended = self.state in _ENDED
        return ended and self.expected in {"", self.state.lower()}


@dataclass
class Demo:
    """One run of the demo.

    Attributes:
        landscape: The processes.
        outcomes: What became of each order.
        temporary: Whether the folder goes with the demo when all was right.
    """

    console: Console
    landscape: Landscape
    temporary: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=30.0, trust_env=False)
    )
    started: float = field(default_factory=time.monotonic)
    _mended: bool = False

    def stories(self) -> None:
        """Tell the five stories, one after the other."""
        self._tell("a", "accepted, charged, confirmed by webhook", _order("a", 4_990))
        self._tell("b", "refused by risk", _order("b", 9_900, country="RU"), expected="rejected")
        amount = 7_749
        self.landscape.fault(
            "stripe",
            kind="lost_answer",
            method="POST",
            path="/v1/payment_intents",
            contains=f"amount={amount}",
        )
        self._tell("c", "the answer is lost after the charge", _order("c", amount))
        self._tell(
            "d", "the worker is killed half way", _order("d", 129_900), meanwhile=self._kill_worker
        )
        self.landscape.fault("sap_s4", kind="status", status=503, count=-1)
        self._tell(
            "e", "the ERP is away for a while", _order("e", 24_900), meanwhile=self._mend_erp
        )

    def orders(self, file: Path) -> None:
        """Place every order of a JSON-lines file, eight at a time."""
        lines = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
        with (
            Progress(console=self.console) as progress,
            ThreadPoolExecutor(8) as pool,
        ):
            bar = progress.add_task(f"{len(lines)} orders of {file.name}", total=len(lines))
            for outcome in pool.map(self._place, enumerate(lines, start=1)):
                self.outcomes.append(outcome)
                progress.advance(bar)
            open_orders = [one for one in self.outcomes if one.order_id]
            bar = progress.add_task("until they have ended", total=len(open_orders))
            for outcome in pool.map(self._await_end, open_orders):
                progress.advance(bar)
                del outcome

    def summary(self) -> bool:
        """Print the counts and say whether each is right."""
        counts = self._counts()
        table = Table(title="Summary", show_header=False)
        for name, value in counts.items():
            right = value == 0 if name in {"duplicates", "lost", "not as expected"} else True
            table.add_row(name, str(value), "" if right else "[red]wrong[/red]")
        self.console.print(table)
        for outcome in self.outcomes:
            if not outcome.as_expected:
                self.console.print(
                    f"[red]{escape(outcome.name)}: {outcome.state}"
                    f" {' '.join(outcome.pointers)}, expected {outcome.expected}"
                    f" {escape(outcome.field)}[/red] {outcome.order_id}"
                )
        elapsed_s = time.monotonic() - self.started
        right = not (counts["duplicates"] or counts["lost"] or counts["not as expected"])
        kept = "" if right and self.temporary else f", logs in {self.landscape.folder}"
        self.console.print(f"{elapsed_s:.0f} s{kept}")
        return right

    def _counts(self) -> dict[str, int]:
        states = Counter(one.state.lower() for one in self.outcomes)
        sales_orders = self.landscape.effects("sap_s4")["sales_order"]
        charges = self.landscape.effects("stripe")["charge"]
        completed = [one for one in self.outcomes if one.state == "COMPLETED"]
        lost = sum(
            not sales_orders.get(one.order_id.replace("-", "")) or not charges.get(one.payment_id)
            for one in completed
        )
        lost += sum(one.state not in {*_ENDED, "REFUSED"} for one in self.outcomes)
        extra = sum(n - 1 for effects in (sales_orders, charges) for n in effects.values())
        charged = {one.payment_id for one in completed}
        extra += sum(n for payment_id, n in charges.items() if payment_id not in charged)
        return {
            "orders": len(self.outcomes),
            **{f"  {state}": number for state, number in sorted(states.items())},
            "SAP sales orders": sum(sales_orders.values()),
            "charges": sum(charges.values()),
            "duplicates": extra,
            "lost": lost,
            "not as expected": sum(not one.as_expected for one in self.outcomes),
        }

    def _tell(
        self,
        name: str,
        title: str,
        order: Mapping[str, Any],
        *,
        expected: str = "completed",
        meanwhile: Callable[[str], None] | None = None,
    ) -> None:
        self.console.rule(f"[bold]({name})[/bold] {title}", align="left")
        outcome = self._submit(f"({name}) {title}", order, key=f"demo-{name}", expected=expected)
        self.outcomes.append(outcome)
        shown: set[str] = set()
        began = time.time()
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            self._show(outcome.order_id, shown, began)
            if self._read(outcome):
                break
            if meanwhile is not None:
                meanwhile(outcome.order_id)
            time.sleep(0.15)
        time.sleep(0.3)
        self._show(outcome.order_id, shown, began)
        self.console.print(f"  => [bold]{outcome.state}[/bold]  {outcome.order_id}")

    def _submit(
        self, name: str, order: Mapping[str, Any], *, key: str, expected: str, pointer: str = ""
    ) -> Outcome:
        outcome = Outcome(name, expected, pointer)
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.client.post(
            f"{self.landscape.facade}/v1/orders",
            json=order,
            headers=headers,
        )
        body = answer.json()
        if answer.is_success:
            outcome.order_id = body["order_id"]
            outcome.state = "SUBMITTED"
        else:
            outcome.state = "REFUSED" if answer.is_client_error else f"HTTP {answer.status_code}"
            outcome.pointers = tuple(
                one["pointer"] or one["header"] for one in body.get("errors", ())
            )
        return outcome

    def _place(self, numbered: tuple[int, dict[str, Any]]) -> Outcome:
        number, line = numbered
        order = line.get("order", line)
        digest = hashlib.sha256(json.dumps(line, sort_keys=True).encode()).hexdigest()[:16]
        key = line.get("idempotency_key", "" if "expect" in line else f"{number}-{digest}")
        return self._submit(
            f"line {number}",
            order,
            key=key,
            expected=line.get("expect", ""),
            pointer=line.get("field", ""),
        )

    def _await_end(self, outcome: Outcome) -> Outcome:
        until = time.monotonic() + _PATIENCE_S * 2
        while time.monotonic() < until and not self._read(outcome):
            time.sleep(0.25)
        return outcome

    def _read(self, outcome: Outcome) -> bool:
        """Read where the order and its operation stand; whether both have ended."""
        url = f"{self.landscape.facade}/v1/orders/{outcome.order_id}"
        order = self.client.get(url).json()
        outcome.state = order["state"]
        outcome.payment_id = order["payment_id"]
        return outcome.state in _ENDED

    def _show(self, order_id: str, shown: set[str], began: float) -> None:
        for entry in self._timeline(order_id):
            mark = f"{entry['what']}|{entry['name']}|{entry['at']}"
            if mark in shown:
                continue
            shown.add(mark)
            self.console.print(_line(entry, began), highlight=False, soft_wrap=True)

    def _kill_worker(self, order_id: str) -> None:
        """SIGKILL the worker that holds the order, once, while it waits for the ERP's answer."""
        if "killed" in self.landscape.processes or not self._reached(order_id):
            return
        with psycopg.connect(self.landscape.url) as connection:
            row = connection.execute(
                "select r.claimed_by from absurd.r_interactive r join headrace.flow f"
                " on f.task_id = r.task_id where f.business_id = %s and r.state = 'running'",
                (order_id,),
            ).fetchone()
        if row is None or not row[0]:
            return
        pid = int(row[0].rpartition(":")[2])
        for name, process in list(self.landscape.processes.items()):
            if process.pid == pid:
                os.kill(pid, signal.SIGKILL)
                process.wait()
                self.landscape.processes["killed"] = self.landscape.processes.pop(name)
                self.console.print(f"  [red]SIGKILL[/red] {name} (pid {pid}) holds the order")

    def _reached(self, order_id: str) -> bool:
        """Whether the order's sales order is on its way."""
        return any(
            one["name"] == "erp.upsert_business_partner" and one["what"] == "step"
            for one in self._timeline(order_id)
        )

    def _timeline(self, order_id: str) -> list[dict[str, Any]]:
        url = f"{self.landscape.facade}/v1/orders/{order_id}/timeline"
        answer = self.client.get(url).raise_for_status()
        entries: list[dict[str, Any]] = answer.json()["entries"]
        return entries

    def _mend_erp(self, order_id: str) -> None:
        """Bring the ERP back once the order is seen parked."""
        parked = any(one["what"] == "parked" for one in self._timeline(order_id))
        if parked and not self._mended:
            self._mended = True
            time.sleep(1.5)
            self.landscape.mend("sap_s4")
            self.console.print("  [green]the ERP is back[/green]; nobody touches the order")


def run(
    *, orders: Path | None, keep: bool, peers: bool, folder: Path | None, console: Console
) -> bool:
    """Run the demo; whether every count was right."""
    place = folder or Path(tempfile.mkdtemp(prefix="headrace-demo-"))
    landscape = _landscape(place, peers=peers)
    landscape.first_port = _PORT if keep else 0
    demo = Demo(console, landscape, temporary=folder is None)
    # Runs after the database has stopped, which registers itself later.
    right: list[bool] = []
    atexit.register(lambda: shutil.rmtree(place) if right and demo.temporary else None)
    try:
        with console.status("Starting PostgreSQL, simulators, facade and two workers …"):
            landscape.prepare()
            landscape.start_simulators()
            if orders is None:
                slow = {"kind": "slow", "delay_s": 1.2, "method": "POST", "path": "A_SalesOrder"}
                landscape.fault("sap_s4", contains="1299.00", **slow)
            landscape.start_worker("worker-1")
            landscape.start_worker("worker-2")
            landscape.start_serve()
        console.print(f"Facade at {landscape.facade}")
        if orders is None:
            demo.stories()
        else:
            demo.orders(orders)
        if demo.summary():
            right.append(True)
        if keep:
            _keep(console, landscape)
        return bool(right)
    finally:
        landscape.stop()


def _landscape(place: Path, *, peers: bool) -> Landscape:
    if not peers:
        return Landscape(place)
    from gateway.commands.peers import PeerLandscape

    return PeerLandscape(place)


def _keep(console: Console, landscape: Landscape) -> None:
    console.print("Everything stays up. Ctrl-C ends it.")
    for name, url in landscape.addresses().items():
        console.print(f"  {name:<12}{url}")
    console.print(f"  headrace trace ORDER --config {landscape.config}")
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("Stopping.")


def _line(entry: Mapping[str, Any], began: float) -> str:
    style = _STYLES.get(entry["what"], "white")
    detail = entry.get("detail", {})
    notes: Iterable[str] = [
        str(one)
        for one in (
            detail.get("status") if entry["what"] == "attempt" else "",
            detail.get("code", "") if entry["what"] == "parked" else "",
            f"{entry['duration_ms']:.0f} ms" if entry.get("duration_ms") else "",
        )
        if one
    ]
    return (
        f"  {entry['at'] - began:6.2f} s  [{style}]{entry['what']:<9}[/{style}]"
        f" {escape(entry['name']):<41}{escape(entry.get('outcome', '')):<28} {' '.join(notes)}"
    )


def _order(name: str, minor: int, *, country: str = "DE") -> dict[str, Any]:
    price = {"amount": Money(minor, "EUR").amount, "currency": "EUR"}
    return {
        "channel": "B2C",
        "kind": "PURCHASE",
        "party": {
            "party_id": f"DEMO-{name.upper()}",
            "kind": "PERSON",
            "names": ["Jürgen", "Groß-Müller"],
            "email": "juergen@example.com",
            "addresses": [
                {
                    "line1": "Königsallee",
                    "house_number": "60f",
                    "postal_code": "40212",
                    "city": "Düsseldorf",
                    "country": country,
                }
            ],
        },
        "items": [{"product_id": "CAR-LYNK-01", "quantity": 1, "unit_price": price}],
        "total": price,
        "payment": {"method_code": "card", "token": "pm_card_visa"},
        "reference": f"demo-{name}",
    }
