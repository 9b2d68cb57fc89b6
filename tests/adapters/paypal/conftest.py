"""One simulated PayPal account, the adapter connected to it, payments to send there, answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import pytest

from adapters.paypal import ADAPTER, Settings
from adapters.paypal.payments import PayPalPayments
from adapters.paypal.simulator import PayPalSimulator
from gateway.kit.blocking import run
from gateway.model.money import Money
from gateway.model.payment import AttemptState, CaptureMethod, Payment, PaymentAttempt
from gateway.ports.exchange import Exchange, Session
from gateway.ports.notification import Notification

NOW = 1_767_225_600.0
BACK = "https://shop.example/order/1"
PRICE = Money(1999, "EUR")
APP = {"client_id": "client_one", "client_secret": "secret_one"}


@dataclass
class Account:
    """A simulator with its adapter; ``now`` is moved by the test."""

    simulator: PayPalSimulator
    payments: PayPalPayments
    settings: Settings
    now: float = NOW
    requests: list[httpx.Request] = field(default_factory=list)
    responses: list[httpx.Response] = field(default_factory=list)
    session: Session | None = None

    def send(self, request: httpx.Request) -> httpx.Response:
        """Straight into the simulator, logged in."""
        if self.session is None:
            self.session = run(
                ADAPTER.login(self.settings),  # type: ignore[misc] # PayPal has one
                lambda each: self.simulator.handle(each, now=self.now),
            )
        self.requests.append(request)
        self.responses.append(self.simulator.handle(self.session.apply(request), now=self.now))
        return self.responses[-1]

    def run(self, exchange: Exchange[Any]) -> Any:
        """Hold the conversation to its end."""
        return run(exchange, self.send)

    def lose_answer(self, exchange: Exchange[Any]) -> None:
        """The request arrives, its answer does not."""
        self.send(next(exchange))
        exchange.close()

    def notifications(self) -> list[Notification]:
        """What the simulator reports, as the hub gets it."""
        return [
            Notification(
                headers=tuple((name.lower(), value) for name, value in one.headers.items()),
                body=one.read(),
            )
            for one in self.simulator.due(now=self.now)
        ]


def refer(payment: Payment, found: Any) -> Payment:
    return msgspec.structs.replace(payment, provider_ref=found.provider_ref)


def answer(exchange: Any, status: int, content: Any) -> Any:
    """Give every request this answer, whatever it asked."""
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    return run(exchange, lambda _: httpx.Response(status, content=body))


def adapter() -> PayPalPayments:
    return PayPalPayments(Settings(**APP))


@pytest.fixture
def connect() -> Callable[..., Account]:
    """Make an account; keywords are the simulator's plan."""

    def connected(**plan: Any) -> Account:
        settings = Settings(**APP, webhook_id="WID")
        simulator = PayPalSimulator(
            webhook_url="http://hub.test/webhooks/paypal", webhook_id="WID", **APP, **plan
        )
        return Account(simulator, ADAPTER.ports["payments"](settings), settings)

    return connected


@pytest.fixture
def account(connect: Callable[..., Account]) -> Account:
    """An account as it comes."""
    return connect()


@pytest.fixture
def payment() -> Callable[..., Payment]:
    """Make a payment of 19.99 EUR by a saved card, with its attempt; keywords replace fields."""

    def made(amount: Money = PRICE, *, key: str = "k", **fields: Any) -> Payment:
        values: dict[str, Any] = {
            "payment_id": "0195b6c2-0000-7000-8000-000000000001",
            "order_id": "0195b6c2-0000-7000-8000-0000000000aa",
            "amount": amount,
            "method_code": "card",
            "token": "vault-card-accepted",
            "capture_method": CaptureMethod.AUTOMATIC,
            "provider": "paypal_eu",
            "requested_at": "2026-01-01T00:00:00Z",
            "captured": Money(0, amount.currency),
            "refunded": Money(0, amount.currency),
            "returned": Money(0, amount.currency),
            "disputed": Money(0, amount.currency),
            "return_url": BACK,
            "attempts": (PaymentAttempt(attempt_id="a", key=key, state=AttemptState.PREPARED),),
        }
        return Payment(**{**values, **fields})

    return made
