"""One simulated Mollie profile, the adapter connected to it, payments to send there, answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import pytest

from adapters.mollie import ADAPTER, Settings
from adapters.mollie.capabilities import CAPABILITIES
from adapters.mollie.payments import MolliePayments
from adapters.mollie.simulator import MollieSimulator
from gateway.kit.blocking import run
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, Payment
from gateway.ports.exchange import Exchange
from tests.conformance import samples

NOW = 1_767_225_600.0
SECRET = "signing_test"
KEY = "test_one"
BACK = "https://shop.example/order/1"
PRICE = Money(1999, "EUR")
REF = "tr_5B8cwPMGnU6qLbRvo7qEZo"


@dataclass
class Account:
    """A simulator with its adapter; ``now`` is moved by the test."""

    simulator: MollieSimulator
    payments: MolliePayments
    requests: list[httpx.Request]
    settings: Settings
    now: float = NOW

    def port(self, name: str) -> Any:
        """What fulfils a further port of the account."""
        return ADAPTER.port(name, self.settings)

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


def refer(payment: Payment, found: Any) -> Payment:
    return msgspec.structs.replace(payment, provider_ref=found.provider_ref)


def adapter(**values: Any) -> MolliePayments:
    return MolliePayments(msgspec.convert({"api_key": "test_golden", **values}, Settings))


def answer(exchange: Any, status: int, content: Any) -> Any:
    """Give every request this answer, whatever it asked."""
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    return run(exchange, lambda _: httpx.Response(status, content=body))


def theirs(payment: Payment, **fields: Any) -> dict[str, Any]:
    return {
        "resource": "payment",
        "id": REF,
        "status": "paid",
        "amount": {"currency": payment.amount.currency, "value": payment.amount.amount},
        "createdAt": "2026-01-01T00:00:00+00:00",
        "method": "creditcard",
        "metadata": {"payment_id": payment.payment_id},
        "_links": {},
        **fields,
    }


def known(method: str, amount: Money = PRICE) -> dict[str, Any]:
    """What a payment of this method has to say of its payer, its basket and its capture."""
    row = next(one for one in CAPABILITIES if one.method == method)
    capture = CaptureMethod.MANUAL if row.held else CaptureMethod.AUTOMATIC
    found: dict[str, Any] = {"method_code": method, "capture_method": capture}
    if row.payer:
        country = row.countries[0]
        found["payer"] = samples.payer(country, organisation=method == "billie")
        found["items"] = samples.basket(amount)
    return found


@pytest.fixture
def connect() -> Callable[..., Account]:
    """Make an account; ``api_key`` and ``settings`` go to the settings, the rest is the plan."""

    def connected(
        *, api_key: str = KEY, settings: dict[str, Any] | None = None, **plan: Any
    ) -> Account:
        simulator = MollieSimulator(
            webhook_url="http://hub.test/webhooks/mollie",
            webhook_secret=SECRET,
            api_key=api_key,
            **plan,
        )
        values = {"api_key": api_key, "webhook_secrets": [SECRET], **(settings or {})}
        settings = msgspec.convert(values, Settings)
        return Account(simulator, ADAPTER.ports["payments"](settings), [], settings)

    return connected


@pytest.fixture
def account(connect: Callable[..., Account]) -> Account:
    """An account as it comes."""
    return connect()


@pytest.fixture
def payment() -> Callable[..., Payment]:
    """Make a payment of 19.99 EUR by card; keywords replace fields."""

    def made(amount: Money = PRICE, **fields: Any) -> Payment:
        values: dict[str, Any] = {
            "payment_id": "0195b6c2-0000-7000-8000-000000000001",
            "order_id": "0195b6c2-0000-7000-8000-0000000000aa",
            "amount": amount,
            "method_code": "card",
            "token": "tkn_accepted",
            "capture_method": CaptureMethod.AUTOMATIC,
            "provider": "mollie_nl",
            "requested_at": "2026-01-01T00:00:00Z",
            "captured": Money(0, amount.currency),
            "refunded": Money(0, amount.currency),
            "returned": Money(0, amount.currency),
            "disputed": Money(0, amount.currency),
            "return_url": BACK,
        }
        return Payment(**{**values, **fields})

    return made
