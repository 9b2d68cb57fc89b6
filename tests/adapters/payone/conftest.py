"""One simulated merchant of PAYONE, the adapter connected to it, payments to send there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import pytest

from adapters.payone import ADAPTER
from adapters.payone.payments import PayonePayments
from adapters.payone.simulator import PayoneSimulator
from gateway.kit.blocking import run, with_login
from gateway.model.money import Money
from gateway.model.payment import Payment
from gateway.ports.exchange import Exchange
from gateway.ports.notification import Notification
from tests.adapters.payone import conformance
from tests.conformance import samples

NOW = 1_767_225_600.0


@dataclass
class Account:
    """A simulator with its adapter; ``now`` is moved by the test."""

    settings: Any
    simulator: PayoneSimulator
    payments: PayonePayments
    requests: list[httpx.Request] = field(default_factory=list)
    responses: list[httpx.Response] = field(default_factory=list)
    now: float = NOW

    def send(self, request: httpx.Request) -> httpx.Response:
        """Straight into the simulator."""
        self.requests.append(request)
        self.responses.append(self.simulator.handle(request, now=self.now))
        return self.responses[-1]

    def run(self, exchange: Exchange[Any]) -> Any:
        """Hold the conversation to its end, signed."""
        send = with_login(ADAPTER, self.settings, self.send, clock=lambda: self.now)
        return run(exchange, send)

    def create(self, payment: Payment, key: str = "k") -> Payment:
        """The payment with PAYONE's ids."""
        made = self.run(self.payments.create_payment(payment, key=key))
        return msgspec.structs.replace(payment, provider_ref=made.provider_ref)

    def heard(self) -> list[Any]:
        """The events that are due, as the hub reads them."""
        port = ADAPTER.ports["webhooks"](self.settings)
        due = self.simulator.due(now=self.now)
        return [event for one in due for event in port.read(Notification(body=one.read()))]


@pytest.fixture
def account() -> Account:
    """An account as it comes."""
    settings, simulator = conformance._connect(1)
    return Account(settings, simulator, ADAPTER.ports["payments"](settings))


@pytest.fixture
def payment() -> Callable[..., Payment]:
    """Make a payment of 19.99 EUR by card; keywords replace fields."""

    def made(amount: Money = samples.AMOUNTS[0], **fields: Any) -> Payment:
        one = samples.payment(1, token="1_token-accepted", amount=amount)
        return msgspec.structs.replace(one, **fields)

    return made
