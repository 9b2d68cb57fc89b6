"""What an adapter gives to the suite, and how the suite talks to it.

An adapter gets the whole suite by one file, ``tests/adapters/<product>/conformance.py``, with the
name ``SUBJECT``. The suites name no adapter.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

import httpx

from gateway import configuring
from gateway.errors import HeadraceError, InDoubt, Unavailable
from gateway.kit.adapter import Adapter
from gateway.kit.blocking import run
from gateway.kit.simulator import Simulator, rubbish
from gateway.model.event import ProviderEvent
from gateway.model.held_mandate import HeldMandate
from gateway.model.money import Money
from gateway.model.payment import Payment
from gateway.ports.exchange import Exchange, Session
from gateway.ports.notification import Notification, ReportPage
from gateway.ports.reports import Reports
from gateway.ports.webhook_challenges import WebhookChallenges
from gateway.ports.webhook_keys import WebhookKeys
from tests.architecture.source import adapter_folders
from tests.conformance import samples

T = TypeVar("T")
NOW: Final = 1_772_442_000.0
_READS: Final = frozenset({"GET", "HEAD"})


class Connect(Protocol):
    """Makes one account: its settings and the simulator that knows them."""

    def __call__(self, number: int) -> tuple[Any, Simulator | None]:
        """The account of this number; two numbers share nothing, credentials least of all."""
        ...


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One adapter, as the suite sees it.

    Attributes:
        adapter: Its declaration.
        connect: Makes an account.
        secrets: What of an account's settings may stand in no address.
        effects: Verb to the kind under which the simulator counts its effect.
        counted_as: Settings and our id to the id under which the simulator counts.
        tokens: Situation to the token that brings it about: ``accepted``, ``declined``, and the
            methods that need one of their own.
        method: The method of those tokens.
        amounts: In each of these currencies something is paid.
        tokens_are_ids: Whether its tokens are ids like any other, worth nothing without the key.
        settles_s: So long the product takes to collect, or to refuse; 0 for at once.
        unguarded: The settings without what verifies webhooks.
        notices: Genuine deliveries for these settings, of a product without a simulator.
        dated: Whether a delivery that is a day old is refused.
        naming: For an address a port and a delivery that names its key there.
        asking: A port, a question whether an endpoint is ours, and the answer that is due.
        businesses: Methods of which only organisations are the payers.
        member: An account at the provider that gets a part of a payment.
        requests: The most requests that any verb may take.
        repeats: Whether the provider cannot be searched: the same request with the same key tells
            what became of it.
        reversals_apart: Whether a reversal is a transfer of its own, of which the first one knows
            nothing.
        blind: Whether it cannot even be asked by its own reference; its reports tell the rest.
        dispute: The payer claims a payment back: under which reference the payment has it.
        kept: Method whose refunds can be cancelled, with its token and its further fields.
        come_back: The payer comes back from a page, having agreed or not: what was brought back.
        sign: The payer agrees to a mandate where it says.
        silent: Why nothing is ever sent, so that a suite about requests has nothing to see; empty
            for every product that is asked.
    """

    adapter: Adapter
    connect: Connect
    secrets: Callable[[Any], tuple[str, ...]] = lambda _settings: ()
    effects: Mapping[str, str] = field(default_factory=dict)
    counted_as: Callable[[Any, str, str], str] = lambda _settings, _verb, our_id: our_id
    tokens: Mapping[str, str] = field(default_factory=dict)
    method: str = "card"
    amounts: tuple[Money, ...] = samples.AMOUNTS
    tokens_are_ids: bool = False
    settles_s: float = 0.0
    unguarded: Callable[[Any], Any] | None = None
    notices: Callable[[Any], Sequence[Notification]] | None = None
    dated: bool = True
    naming: Callable[[str], tuple[WebhookKeys, Notification]] | None = None
    asking: Callable[[], tuple[WebhookChallenges, Notification, bytes]] | None = None
    businesses: frozenset[str] = frozenset()
    member: str = ""
    requests: int = 4
    repeats: bool = False
    blind: bool = False
    dispute: "Callable[[Account, Payment], str] | None" = None
    kept: Mapping[str, Any] = field(default_factory=dict)
    come_back: "Callable[[Account, Payment, bool], dict[str, str]] | None" = None
    sign: "Callable[[Account, HeldMandate], None]" = lambda _account, _mandate: None
    silent: str = ""
    reversals_apart: bool = False

    @property
    def holds(self) -> bool:
        """Whether an amount can be authorised now and collected later."""
        rows = [row for row in self.adapter.capabilities if row.method == self.method]
        return any("capture_payment" in row.verbs for row in rows)

    def account(self, port: str, number: int = 1) -> "Account":
        """One account, seen through a port."""
        settings, simulator = self.connect(number)
        return Account(self, port, settings, simulator)


class Account:
    """One account with what was sent to it; answers can be lost, spoilt or refused.

    Attributes:
        port: What fulfils the port.
        now: Seconds since the epoch, as the product sees it.
        sent: Requests of verbs, without logins.
    """

    def __init__(
        self, subject: Subject, port: str, settings: Any, simulator: Simulator | None
    ) -> None:
        self.subject = subject
        self.settings = settings
        self.port = subject.adapter.ports[port](settings)
        self.sent: list[httpx.Request] = []
        self.now = NOW
        self._simulator = simulator
        self._session: Session | None = None
        self._fail: Callable[[httpx.Request], httpx.Response | None] = lambda _request: None

    @property
    def simulator(self) -> Simulator:
        """The product in memory."""
        assert self._simulator is not None
        return self._simulator

    def run(self, exchange: Exchange[T]) -> T:
        """Hold the exchange to its end, logged in."""
        return run(exchange, self._send)

    @property
    def holds(self) -> bool:
        """Whether an amount can be authorised now and collected later."""
        return self.subject.holds

    def settle(self) -> None:
        """Let the time pass that the product needs to collect."""
        self.now += self.subject.settles_s

    def effects(self, verb: str, our_id: str) -> int:
        """How often the verb had its effect for our id."""
        counted = self.simulator.effects()[self.subject.effects[verb]]
        return counted.get(self.subject.counted_as(self.settings, verb, our_id), 0)

    def total(self, verb: str) -> int:
        """How often the verb had its effect at all."""
        return sum(self.simulator.effects()[self.subject.effects[verb]].values())

    def reported(self) -> list[ProviderEvent]:
        """What the provider has reported since it was last asked, as the hub reads it."""
        port = self.subject.adapter.ports["webhooks"](self.settings)
        bodies = [one.read() for one in self.simulator.due(now=self.now)]
        return [event for body in bodies for event in port.read(Notification(body=body))]

    def losing_answers(self) -> AbstractContextManager[None]:
        """Writes have their effect, and their answers are lost."""

        def lose(request: httpx.Request) -> httpx.Response | None:
            if request.method in _READS:
                return None
            self._answer(request)
            raise InDoubt("The answer was lost.", code="lost")

        return self._failing(lose)

    def losing_answer(self, number: int) -> AbstractContextManager[None]:
        """The write of this number, from 1, has its effect, and its answer is lost."""
        left = number

        def lose(request: httpx.Request) -> httpx.Response | None:
            nonlocal left
            if request.method in _READS:
                return None
            left -= 1
            if left:
                return None
            self._answer(request)
            raise InDoubt("The answer was lost.", code="lost")

        return self._failing(lose)

    def unreachable(self) -> AbstractContextManager[None]:
        """Writes never arrive."""

        def refuse(request: httpx.Request) -> httpx.Response | None:
            if request.method in _READS:
                return None
            raise Unavailable("No connection.", code="connect")

        return self._failing(refuse)

    def refusing(
        self, status: int, *, reads: bool, retry_after_s: int | None = None
    ) -> AbstractContextManager[None]:
        """Writes, or reads too, are refused with this status in the product's words."""

        def refuse(request: httpx.Request) -> httpx.Response | None:
            if request.method in _READS and not reads:
                return None
            response = self.simulator.refuse(request, status)
            if retry_after_s is not None:
                response.headers["Retry-After"] = str(retry_after_s)
            return response

        return self._failing(refuse)

    def spoiling(self, spoilt: httpx.Response | None = None) -> AbstractContextManager[None]:
        """Writes have their effect, and something else comes as the answer: a page, by default."""

        def spoil(request: httpx.Request) -> httpx.Response | None:
            if request.method in _READS:
                return None
            self._answer(request)
            return spoilt or rubbish()

        return self._failing(spoil)

    @contextmanager
    def _failing(self, fail: Callable[[httpx.Request], httpx.Response | None]) -> Any:
        before, self._fail = self._fail, fail
        try:
            yield
        finally:
            self._fail = before

    def _send(self, request: httpx.Request) -> httpx.Response:
        login = self.subject.adapter.login
        if login is not None and self._session is None:
            self._session = run(login(self.settings), self._answer)
        complete = self._session.apply(request, now=self.now) if self._session else request
        self.sent.append(complete)
        spoilt = self._fail(complete)
        return self._answer(complete) if spoilt is None else spoilt

    def _answer(self, request: httpx.Request) -> httpx.Response:
        return self.simulator.handle(request, now=self.now)


def pages(
    run: Callable[[Exchange[ReportPage]], ReportPage], port: Reports, since: float
) -> Iterator[ReportPage]:
    """Every page of what is listed."""
    page = run(port.find_reports(since, ""))
    yield page
    while page.cursor:
        page = run(port.find_reports(since, page.cursor))
        yield page


def outcome(account: Account, exchange: Exchange[T]) -> T | HeadraceError:
    """What the exchange returns or raises; anything but the four errors fails the test."""
    try:
        return account.run(exchange)
    except HeadraceError as error:
        return error


# The embedded engines fulfil ports as adapters do, and so they pass the same suite.
_EMBEDDED: Final = (
    Subject(
        adapter=configuring.load_adapter("decision_table"),
        connect=lambda number: ({"number": number}, None),
    ),
)


def declared() -> dict[str, Subject]:
    """Every subject: one for each folder under ``adapters/``, and the embedded engines."""
    found = {one.adapter.product: one for one in _EMBEDDED}
    for folder in adapter_folders():
        module = importlib.import_module(f"tests.adapters.{folder.name}.conformance")
        found[folder.name] = module.SUBJECT
    return found


def fulfilling(port: str) -> list[Subject]:
    """The subjects that fulfil a port."""
    return [one for one in declared().values() if port in one.adapter.ports]


def asked(port: str) -> list[Subject]:
    """The subjects that fulfil a port by asking somebody."""
    return [one for one in fulfilling(port) if not one.silent]
