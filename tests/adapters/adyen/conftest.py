"""One simulated Adyen account, the adapter connected to it, and payments to send there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import pytest

from adapters.adyen import ADAPTER, Settings
from adapters.adyen.payments import AdyenPayments
from adapters.adyen.simulator import AdyenSimulator
from adapters.adyen.webhooks import AdyenWebhooks
from gateway.kit.blocking import run
from gateway.model.event import ProviderEvent
from gateway.model.money import Money
from gateway.model.payment import AttemptState, CaptureMethod, Payment, PaymentAttempt
from gateway.policy import collecting
from gateway.ports.exchange import Exchange
from gateway.ports.notification import Notification

NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z
KEY = "5E" * 32
CARD = "shopper-1_M5N7TQ4TG5PFWR50"
PRICE = Money(1999, "EUR")


@dataclass
class Account:
    """A simulator with its adapter; ``now`` is moved by the test."""

    simulator: AdyenSimulator
    payments: AdyenPayments
    webhooks: AdyenWebhooks
    requests: list[httpx.Request]
    responses: list[httpx.Response]
    settings: Settings
    now: float = NOW

    def port(self, name: str) -> Any:
        """What fulfils a further port of the account."""
        return ADAPTER.port(name, self.settings)

    def send(self, request: httpx.Request) -> httpx.Response:
        """Straight into the simulator."""
        self.requests.append(request)
        self.responses.append(self.simulator.handle(request, now=self.now))
        return self.responses[-1]

    def run(self, exchange: Exchange[Any]) -> Any:
        """Hold the conversation to its end."""
        return run(exchange, self.send)

    def lose_answer(self, exchange: Exchange[Any]) -> None:
        """The request arrives, its answer does not."""
        self.send(next(exchange))
        exchange.close()

    def notifications(self) -> list[Notification]:
        """What has come since it was last asked, verified."""
        found = [Notification(body=one.read()) for one in self.simulator.due(now=self.now)]
        for one in found:
            self.webhooks.verify(one, now=self.now)
        return found

    def events(self) -> list[ProviderEvent]:
        """The same, read."""
        return [event for one in self.notifications() for event in self.webhooks.read(one)]

    def hear(self, payment: Payment) -> Payment:
        """The payment after all that has come."""
        for event in self.events():
            payment, _ = collecting.apply(payment, event.payment, event.movements)
        return payment


@pytest.fixture
def connect() -> Callable[..., Account]:
    """Make an account; keywords go to the settings or to the simulator's plan."""

    def connected(**values: Any) -> Account:
        typed = {
            name: values.pop(name) for name in list(values) if name in Settings.__struct_fields__
        }
        settings = msgspec.convert(
            {
                "api_key": "AQE_one",
                "merchant_account": "AcmeECOM",
                "return_url": "https://shop.example/back",
                "webhook_secrets": [KEY],
                **typed,
            },
            Settings,
        )
        simulator = AdyenSimulator(
            webhook_url="http://hub.test/webhooks/adyen",
            webhook_key=KEY,
            api_key="AQE_one",
            merchant_account="AcmeECOM",
            **values,
        )
        port = ADAPTER.port
        ports = port("payments", settings), port("webhooks", settings)
        return Account(simulator, *ports, [], [], settings)

    return connected


@pytest.fixture
def account(connect: Callable[..., Account]) -> Account:
    """An account as it comes."""
    return connect()


@pytest.fixture
def payment() -> Callable[..., Payment]:
    """Make a payment of 19.99 EUR that was begun with the key k; keywords replace fields."""

    def made(amount: Money = PRICE, *, key: str = "k", **fields: Any) -> Payment:
        nothing = Money(0, amount.currency)
        values: dict[str, Any] = {
            "payment_id": "0195b6c2-0000-7000-8000-000000000001",
            "order_id": "0195b6c2-0000-7000-8000-0000000000aa",
            "amount": amount,
            "method_code": "card",
            "token": CARD,
            "capture_method": CaptureMethod.AUTOMATIC,
            "provider": "adyen_de",
            "requested_at": "2026-01-01T00:00:00Z",
            "captured": nothing,
            "refunded": nothing,
            "returned": nothing,
            "disputed": nothing,
            "attempts": (PaymentAttempt(attempt_id="a", key=key, state=AttemptState.PREPARED),),
        }
        return Payment(**{**values, **fields})

    return made
