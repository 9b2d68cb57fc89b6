"""Parity: the same exchanges through ``requests`` and through the hub end in the same results.

Both talk to simulators of their own in real processes over real sockets; what they are told is
compared word for word, with generated ids in the order of their appearance.
"""

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import Any, Final

import msgspec
import pytest
import requests

from gateway import app, configuring
from gateway.commands.landscape import TENANT, Landscape
from gateway.errors import HeadraceError
from gateway.kit.blocking import over_requests, run, with_login
from gateway.model.money import Money
from gateway.model.order import Order
from gateway.model.payment import Payment
from gateway.ports.exchange import Exchange
from gateway.runtime.hub import System
from tests.conformance import samples
from tests.e2e.conftest import Start

# Asks for one exchange after the other and is told what became of each.
Script = Generator[Exchange[Any], Any, None]
Lay = Callable[..., None]
_REFUND: Final = "01950000-0000-7000-8000-0000000000f1"
# What providers generate; SAP's numbers are in the field that the name says.
_GENERATED: Final = re.compile(
    r"\b(?:pi|re|ch)_[A-Za-z0-9]+|00[16][A-Za-z0-9]{12,15}|(?<=external_id=')[0-9]+"
)


def stripe(port: Any, lay: Lay) -> Script:
    """Payments: taken, repeated, declined, captured in part, given back, lost."""

    def prepared(number: int, **fields: Any) -> Payment:
        return samples.payment(number, token=fields.pop("token", "pm_card_visa"), **fields)

    sold = prepared(1)
    made = yield port.create_payment(sold, key="1")
    yield port.create_payment(sold, key="1")
    yield port.find_payment(sold)
    sold = msgspec.structs.replace(sold, provider_ref=made.provider_ref)
    yield port.refund_payment(sold, _REFUND, Money(500, "EUR"), key="1r")
    yield port.find_refund(sold, _REFUND)
    yield port.create_payment(prepared(2, token="pm_card_chargeDeclined"), key="2")
    held = prepared(3, manual=True)
    made = yield port.create_payment(held, key="3")
    held = msgspec.structs.replace(held, provider_ref=made.provider_ref)
    yield port.capture_payment(held, Money(700, "EUR"), key="3c")
    yield port.cancel_payment(held, key="3x")
    yield port.find_payment(prepared(4))
    yield port.create_payment(prepared(5, token="pm_nowhere"), key="5")
    for number, amount in enumerate(samples.AMOUNTS, start=6):
        yield port.create_payment(prepared(number, amount=amount), key=f"{number}")
    for number, (kind, more) in enumerate(_FAULTS, start=20):
        lay(kind=kind, method="POST", **more)
        yield port.create_payment(prepared(number), key=f"{number}")
        yield port.find_payment(prepared(number))


def sap(port: Any, lay: Lay) -> Script:
    """Partners and sales orders: made, found, repeated, cancelled, locked, lost."""
    order = samples.order(1)
    yield port.find_business_partner(order.party.party_id)
    partner = yield port.upsert_business_partner(order.party, key="1")
    yield port.upsert_business_partner(order.party, key="1")
    made = yield port.create_sales_order(order, partner.external_id, key="2")
    yield port.create_sales_order(order, partner.external_id, key="2")
    yield port.find_sales_order(order.order_id)
    yield port.cancel_sales_order(order.order_id, made.external_id, key="3")
    yield port.cancel_sales_order(order.order_id, "99", key="4")
    yield port.create_sales_order(_unknown_material(), partner.external_id, key="5")
    for number, names in enumerate(samples.NAMES, start=10):
        yield port.upsert_business_partner(samples.party(number, names), key=f"{number}")
    for number, (kind, more) in enumerate(_FAULTS, start=20):
        lay(kind=kind, method="POST", path="A_SalesOrder", **more)
        lost = samples.order(number)
        yield port.create_sales_order(lost, partner.external_id, key=f"{number}")
        yield port.find_sales_order(lost.order_id)


def salesforce(port: Any, lay: Lay) -> Script:
    """Accounts and opportunities: made, updated, found, locked, lost."""
    order = samples.order(1)
    yield port.find_account(order.party.party_id)
    account = yield port.upsert_account(order.party, key="1")
    yield port.upsert_account(order.party, key="1")
    yield port.upsert_opportunity(order, account.external_id, key="2")
    yield port.find_opportunity(order.order_id)
    yield port.upsert_opportunity(order, "001000000000000", key="3")
    for number, names in enumerate(samples.NAMES, start=10):
        yield port.upsert_account(samples.party(number, names), key=f"{number}")
    for number, (kind, more) in enumerate(_FAULTS, start=20):
        lay(kind=kind, method="PATCH", **more)
        yield port.upsert_account(samples.party(number), key=f"{number}")
        yield port.find_account(samples.party(number).party_id)


_FAULTS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("lost_answer", {}),
    ("timeout_after", {}),
    ("timeout_before", {}),
    ("rubbish", {}),
    ("slow", {"delay_s": 0.3}),
    *(("status", {"status": status}) for status in (400, 403, 404, 409, 423, 500, 502, 503, 504)),
    ("status", {"status": 429, "retry_after_s": 7}),
    ("status", {"status": 503, "retry_after_s": 7}),
)
_SCRIPTS: Final = {
    "stripe": ("payments", stripe),
    "sap": ("erp", sap),
    "salesforce": ("crm", salesforce),
}
# What the transport and ``kit.blocking`` say by themselves.
_NO_ANSWER: Final = {"broken", "timeout", "connect", "no_answer", "unknown"}
_SIMULATED: Final = {"stripe": "stripe", "sap": "sap_s4", "salesforce": "salesforce"}


def _unknown_material() -> Order:
    order = samples.order(2)
    item = msgspec.structs.replace(order.items[0], product_id="UNKNOWN-1")
    return msgspec.structs.replace(order, items=(item,))


@pytest.fixture
def twins(start: Start, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Landscape, Landscape]]:
    """Two landscapes with the same simulators; one attempt for each call, as ``requests`` has."""
    made = []
    for _ in range(2):
        landscape = start(policy={"attempts": 1, "breaker_minimum": 10_000, "backoff_max_s": 10.0})
        landscape.start_simulators()
        made.append(landscape)
    for name, value in made[0].environment().items():
        if name.startswith("DEMO_"):
            monkeypatch.setenv(name, value)
    yield made[0], made[1]
    for landscape in made:
        if "simulators" in landscape.processes:
            landscape.kill("simulators")  # it would wait for the requests that it lets hang


@pytest.mark.parametrize("system", _SCRIPTS)
async def test_requests_and_the_hub_are_told_the_same(
    twins: tuple[Landscape, Landscape], system: str
) -> None:
    """Results, declines, refusals and doubt, one by one; and the same effects are there."""
    port, script = _SCRIPTS[system]
    blocking, hub = twins

    expected = _through_requests(blocking, system, port, script)
    told = await _through_the_hub(hub, system, port, script)

    assert expected == told
    product = _SIMULATED[system]
    assert blocking.effects(product) == hub.effects(product)
    assert {"InDoubt", "Unavailable", "Rejected", "Misconfigured", "None"} <= {
        line.split(" ")[0] for line in told
    }


async def test_nobody_listens_is_the_same_to_both(twins: tuple[Landscape, Landscape]) -> None:
    """Nothing was sent, so nothing happened."""

    def ask(port: Any, _lay: Lay) -> Script:
        yield port.create_payment(samples.payment(token="pm_card_visa"), key="k")

    blocking, hub = twins
    blocking.kill("simulators")
    hub.kill("simulators")

    expected = _through_requests(blocking, "stripe", "payments", ask)
    told = await _through_the_hub(hub, "stripe", "payments", ask)

    assert ["Unavailable"] == [line.split(" ")[0] for line in expected]
    assert ["Unavailable"] == [line.split(" ")[0] for line in told]


def _through_requests(
    landscape: Landscape, system: str, port: str, script: Callable[[Any, Lay], Script]
) -> list[str]:
    """What the script is told through ``requests``."""
    adapter, settings = configuring.configure(landscape.config).systems[TENANT][system]
    with requests.Session() as session:
        session.trust_env = False
        send = with_login(adapter, settings, over_requests(session, timeout_s=1.5))
        asked = script(adapter.ports[port](settings), _laying(landscape, system))
        told: list[str] = []
        with suppress(StopIteration):
            exchange = next(asked)
            while True:
                outcome: Any
                try:
                    outcome = run(exchange, send)
                except HeadraceError as error:
                    outcome = error
                told.append(_shown(outcome))
                exchange = asked.send(outcome)
    return _normalised(told)


async def _through_the_hub(
    landscape: Landscape, system: str, port: str, script: Callable[[Any, Lay], Script]
) -> list[str]:
    """What the script is told by the hub, with its own transport and wire."""
    parts = app.build(
        configuring.configure(landscape.config), landscape.url, role="worker", exporters=()
    )
    async with app.running(parts):
        tenant = parts.hub.tenant(TENANT)
        bound: System[Any] = (
            tenant.collectors[system] if port == "payments" else getattr(tenant, port)
        )
        asked = script(bound.port, _laying(landscape, system))
        told: list[str] = []
        with suppress(StopIteration):
            exchange = next(asked)
            while True:
                outcome: Any
                try:
                    outcome = await parts.hub.call(bound, exchange)
                except HeadraceError as error:
                    outcome = error
                told.append(_shown(outcome))
                exchange = asked.send(outcome)
    return _normalised(told)


def _laying(landscape: Landscape, system: str) -> Lay:
    """Lays a fault in front of the system, in place of those before."""

    def lay(**fault: Any) -> None:
        landscape.mend(_SIMULATED[system])
        landscape.fault(_SIMULATED[system], **fault)

    return lay


def _shown(outcome: Any) -> str:
    """An outcome as a line. Where no answer came only the error's kind is comparable."""
    if not isinstance(outcome, HeadraceError):
        return repr(outcome)
    kind, pause = type(outcome).__name__, getattr(outcome, "retry_after_s", None)
    if outcome.code in _NO_ANSWER:
        return f"{kind} without an answer"
    return f"{kind} {outcome.code} {outcome.message} {outcome.detail} {pause}"


def _normalised(told: list[str]) -> list[str]:
    """The lines, with generated ids replaced by their number."""
    numbers: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        return numbers.setdefault(match.group(), f"#{len(numbers) + 1}")

    return [_GENERATED.sub(number, line) for line in told]
