"""One simulated Stripe account, the adapter connected to it, and payments to send there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import pytest

from adapters.stripe import ADAPTER, Settings
from adapters.stripe.adjustments import StripeAdjustments
from adapters.stripe.payments import StripePayments
from adapters.stripe.simulator import StripeSimulator
from gateway.kit.blocking import run
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, Payment
from gateway.ports.exchange import Exchange

NOW = 1_767_225_600.0
SECRET = "whsec_test"
KEY = "sk_test_one"
PRICE = Money(1999, "EUR")


@dataclass
class Account:
    """A simulator with its adapter; ``now`` is moved by the test."""

    simulator: StripeSimulator
    payments: StripePayments
    adjustments: StripeAdjustments
    requests: list[httpx.Request]
    now: float = NOW

    def send(self, request: httpx.Request) -> httpx.Response:
        """Straight into the simulator."""
        self.requests.append(request)
        return self.simulator.handle(request, now=self.now)

    def run(self, exchange: Exchange[Any]) -> Any:
        """Hold the conversation to its end."""
        return run(exchange, self.send)

    def lose_answer(self, exchange: Exchange[Any]) -> None:
        """The request arrives, its answer does not."""
        self.send(next(exchange))
        exchange.close()


@pytest.fixture
def connect() -> Callable[..., Account]:
    """Make an account; keywords go to the settings or to the simulator's plan."""

    def connected(*, secret_key: str = KEY, find_by: str = "search", **plan: Any) -> Account:
        simulator = StripeSimulator(
            webhook_url="http://hub.test/webhooks/stripe",
            webhook_secret=SECRET,
            secret_key=secret_key,
            **plan,
        )
        values = {"secret_key": secret_key, "webhook_secrets": [SECRET], "find_by": find_by}
        settings = msgspec.convert(values, Settings)
        ports = ADAPTER.ports
        return Account(simulator, ports["payments"](settings), ports["adjustments"](settings), [])

    return connected


@pytest.fixture
def account(connect: Callable[..., Account]) -> Account:
    """An account as it comes."""
    return connect()


@pytest.fixture
def payment() -> Callable[..., Payment]:
    """Make a payment of 19.99 EUR; keywords replace fields."""

    def made(amount: Money = PRICE, **fields: Any) -> Payment:
        values: dict[str, Any] = {
            "payment_id": "0195b6c2-0000-7000-8000-000000000001",
            "order_id": "0195b6c2-0000-7000-8000-0000000000aa",
            "amount": amount,
            "method_code": "card",
            "token": "pm_card_visa",
            "capture_method": CaptureMethod.AUTOMATIC,
            "provider": "stripe_de",
            "requested_at": "2026-01-01T00:00:00Z",
            "captured": Money(0, amount.currency),
            "refunded": Money(0, amount.currency),
            "returned": Money(0, amount.currency),
            "disputed": Money(0, amount.currency),
        }
        return Payment(**{**values, **fields})

    return made
