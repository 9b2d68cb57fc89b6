"""One simulated creditor, the adapter connected to it, and payments to send there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import pytest

from adapters.gocardless import ADAPTER, Settings
from adapters.gocardless.payments import GoCardlessPayments
from adapters.gocardless.simulator import GoCardlessSimulator
from gateway.kit.blocking import run
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, Payment
from gateway.ports.exchange import Exchange

NOW = 1_767_225_600.0
TOKEN = "sandbox_test_one"
SECRET = "webhook_test"
PRICE = Money(1999, "EUR")


@dataclass
class Account:
    """A simulator with its adapter; ``now`` is moved by the test."""

    simulator: GoCardlessSimulator
    payments: GoCardlessPayments
    requests: list[httpx.Request]
    answers: list[httpx.Response]
    now: float = NOW

    def send(self, request: httpx.Request) -> httpx.Response:
        """Straight into the simulator."""
        self.requests.append(request)
        self.answers.append(self.simulator.handle(request, now=self.now))
        return self.answers[-1]

    def run(self, exchange: Exchange[Any]) -> Any:
        """Hold the conversation to its end."""
        return run(exchange, self.send)

    def lose_answer(self, exchange: Exchange[Any]) -> None:
        """The first write arrives, its answer does not."""
        request = next(exchange)
        while request.method == "GET":
            request = exchange.send(self.send(request))
        self.send(request)
        exchange.close()

    def create(self, payment: Payment, *, key: str = "k", after_s: float = 0.0) -> Payment:
        """The payment with GoCardless's id, so long ago."""
        made = self.run(self.payments.create_payment(payment, key=key))
        self.now += after_s
        return msgspec.structs.replace(payment, provider_ref=made.provider_ref)

    def scenario(self, name: str, reference: str) -> None:
        """What the sandbox is told to do with a payment or a refund."""
        response = self.call(
            "POST",
            f"/scenario_simulators/{name}/actions/run",
            {"data": {"links": {"resource": reference}}},
        )
        assert response.status_code < 300, response.text

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """A request of somebody else, such as the dashboard."""
        given = {
            "Authorization": f"Bearer {TOKEN}",
            "GoCardless-Version": "2015-07-06",
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        request = httpx.Request(
            method, f"https://gc.test{path}", headers=given, content=content if body else b""
        )
        return self.simulator.handle(request, now=self.now)


@pytest.fixture
def connect() -> Callable[..., Account]:
    """Make an account; keywords go to the simulator's plan."""

    def connected(**plan: Any) -> Account:
        simulator = GoCardlessSimulator(
            webhook_url="http://hub.test/webhooks/gocardless",
            webhook_secret=SECRET,
            access_token=TOKEN,
            **plan,
        )
        settings = Settings(access_token=TOKEN, webhook_secrets=(SECRET,))
        return Account(simulator, ADAPTER.ports["payments"](settings), [], [])

    return connected


@pytest.fixture
def account(connect: Callable[..., Account]) -> Account:
    """An account as it comes."""
    return connect()


@pytest.fixture
def payment() -> Callable[..., Payment]:
    """Make a SEPA debit of 19.99 EUR; keywords replace fields."""

    def made(amount: Money = PRICE, **fields: Any) -> Payment:
        values: dict[str, Any] = {
            "payment_id": "0195b6c2-0000-7000-8000-000000000001",
            "order_id": "0195b6c2-0000-7000-8000-0000000000aa",
            "amount": amount,
            "method_code": "sepa_debit",
            "token": "MD00SEPA",
            "capture_method": CaptureMethod.AUTOMATIC,
            "provider": "gocardless_de",
            "requested_at": "2026-01-01T00:00:00Z",
            "captured": Money(0, amount.currency),
            "refunded": Money(0, amount.currency),
            "returned": Money(0, amount.currency),
            "disputed": Money(0, amount.currency),
        }
        return Payment(**{**values, **fields})

    return made
