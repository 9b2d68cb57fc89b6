"""One org in memory, our settings for it, and the orders it is told about."""

from collections.abc import Callable

import httpx
import msgspec
import pytest

from adapters.salesforce import ADAPTER
from adapters.salesforce.crm import SalesforceCrm
from adapters.salesforce.settings import Settings
from adapters.salesforce.simulator import SalesforceSimulator
from gateway.kit.blocking import Send, with_login
from gateway.model.instruction import PaymentInstruction
from gateway.model.item import OrderItem
from gateway.model.money import Money
from gateway.model.order import Channel, Order, OrderKind, OrderState
from gateway.model.party import Address, Party, PartyKind

ORDER_ID = "0198c0de-0000-7000-8000-000000000001"


class Org:
    """A simulator with a clock, and everything that was sent to it.

    Attributes:
        now: Seconds since the epoch.
        sent: Requests in order, logins too.
        answers: Taken instead of the simulator's, first in, first out; None lets it answer.
    """

    def __init__(self, simulator: SalesforceSimulator) -> None:
        self.simulator = simulator
        self.now = 1_770_000_000.0
        self.sent: list[httpx.Request] = []
        self.answers: list[httpx.Response | None] = []

    def send(self, request: httpx.Request) -> httpx.Response:
        """Answer, or say what a test laid before."""
        self.sent.append(request)
        laid = self.answers.pop(0) if self.answers else None
        return laid or self.simulator.handle(request, now=self.now)

    @property
    def logins(self) -> int:
        """How often a token was asked for."""
        return sum(request.url.path == "/services/oauth2/token" for request in self.sent)


@pytest.fixture
def settings() -> Settings:
    return Settings(
        login_url="https://acme.my.salesforce.com",
        client_id="headrace",
        client_secret="simulated-secret",
        vat_id_field="VAT_ID__c",
    )


@pytest.fixture
def org() -> Org:
    return Org(SalesforceSimulator(instance_url="https://acme--eu7.my.salesforce.com"))


@pytest.fixture
def crm(settings: Settings) -> SalesforceCrm:
    return SalesforceCrm(settings)


@pytest.fixture
def send(settings: Settings, org: Org) -> Send:
    return with_login(ADAPTER, settings, org.send)


@pytest.fixture
def person() -> Party:
    return Party(
        party_id="C-100042",
        kind=PartyKind.PERSON,
        names=("Erika", "Mustermann"),
        addresses=(
            Address(
                line1="Heidestraße",
                house_number="17",
                line2="Hinterhaus",
                postal_code="51147",
                city="Köln",
                country="DE",
            ),
        ),
        email="erika@example.org",
    )


@pytest.fixture
def company(person: Party) -> Party:
    return msgspec.structs.replace(
        person, party_id="C-7", kind=PartyKind.ORGANISATION, names=("Acme GmbH",), vat_id="DE123"
    )


@pytest.fixture
def make_order(person: Party) -> Callable[..., Order]:
    def make(
        total: Money | None = None,
        state: OrderState = OrderState.SUBMITTED,
        reference: str = "W-1001",
    ) -> Order:
        total = total or Money(4_590_000, "EUR")
        return Order(
            order_id=ORDER_ID,
            state=state,
            channel=Channel.B2C,
            kind=OrderKind.PURCHASE,
            party=person,
            items=(OrderItem(product_id="CAR-1", quantity=1, unit_price=total),),
            total=total,
            payment=PaymentInstruction(method_code="card", token="tok_1"),
            reference=reference,
            note=None,
            submitted_at="2026-11-21T23:59:59Z",
            payment_id="0198c0de-0000-7000-8000-000000000002",
        )

    return make
