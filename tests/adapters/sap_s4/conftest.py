"""What the tests of the SAP adapter share: one system, its simulator, a party and an order."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.sap_s4 import ADAPTER, Settings
from adapters.sap_s4.simulator import SapS4Simulator
from gateway.kit.blocking import run, with_login
from gateway.model.instruction import PaymentInstruction
from gateway.model.item import OrderItem
from gateway.model.money import Money
from gateway.model.order import Channel, Order, OrderState
from gateway.model.party import Address, Party, PartyKind
from gateway.ports.exchange import Exchange

_ROOT = Path(__file__).parents[3]


class Bench:
    """One system with its simulator; answers can be replaced, requests are kept."""

    def __init__(self, settings: Settings, simulator: SapS4Simulator) -> None:
        self.settings = settings
        self.simulator = simulator
        self.now = 1_772_442_000.0
        self.requests: list[httpx.Request] = []
        self.before: Callable[[httpx.Request], httpx.Response | None] = lambda _: None
        self.after: Callable[[httpx.Request, httpx.Response], httpx.Response] | None = None
        self._send = with_login(ADAPTER, settings, self.deliver)

    def deliver(self, request: httpx.Request) -> httpx.Response:
        """Let the simulator answer; a test may answer instead, or change what it answered."""
        self.requests.append(request)
        if (instead := self.before(request)) is not None:
            return instead
        response = self.simulator.handle(request, now=self.now)
        return self.after(request, response) if self.after else response

    def run(self, exchange: Exchange[Any]) -> Any:
        """Hold the exchange, with logon."""
        return run(exchange, self._send)

    def methods(self) -> list[str]:
        """What was sent so far."""
        return [request.method for request in self.requests]


@pytest.fixture
def settings() -> Settings:
    return Settings(
        base_url="https://s4.test:44300",
        user="HEADRACE",
        password="invented",
        client="100",
        business_partner_grouping="BP02",
        sales_organization="1710",
        distribution_channel="10",
        division="00",
        sales_area={"Currency": "EUR"},
        materials={"CAR-1": "MZ-FG-C1"},
    )


@pytest.fixture
def simulator(settings: Settings) -> SapS4Simulator:
    return SapS4Simulator(user=settings.user, password=settings.password, client=settings.client)


@pytest.fixture
def bench(settings: Settings, simulator: SapS4Simulator) -> Bench:
    return Bench(settings, simulator)


@pytest.fixture
def party() -> Party:
    return Party(
        party_id="C-100042",
        kind=PartyKind.PERSON,
        names=("Ada", "Lovelace"),
        addresses=(
            Address(
                line1="Unter den Linden",
                house_number="77a",
                postal_code="10117",
                city="Berlin",
                country="DE",
            ),
        ),
        birth_date="1990-12-10",
        email="ada@example.com",
        phone="+49 30 1234567",
    )


@pytest.fixture
def order(party: Party) -> Order:
    return Order(
        order_id="01950000-0000-7000-8000-0000000000a1",
        state=OrderState.ACCEPTED,
        channel=Channel.B2C,
        kind="PURCHASE",
        party=party,
        items=(
            OrderItem(
                product_id="CAR-1",
                description="Small car",
                quantity=2,
                unit_price=Money(1_999_900, "EUR"),
            ),
            OrderItem(product_id="WB-1", quantity=1, unit_price=Money(49_900, "EUR")),
        ),
        total=Money(4_049_700, "EUR"),
        payment=PaymentInstruction(method_code="card", token="tok_1"),
        reference="WEB-77",
        note=None,
        submitted_at="2026-03-02T09:00:00Z",
        payment_id="01950000-0000-7000-8000-0000000000b1",
    )


@pytest.fixture(scope="session")
def contracts() -> Path:
    """The vendor's files; tests that need them are skipped where they are absent."""
    given = os.environ.get("HEADRACE_CONTRACTS", "../shared/contracts")
    found = (_ROOT / given / "sap").resolve()
    if not found.is_dir():
        pytest.skip("contracts not found")
    return found
