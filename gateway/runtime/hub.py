"""The hub: which system fulfils which port for a tenant, and how an exchange is held with it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

import httpx
import msgspec

from gateway.errors import HeadraceError, Misconfigured, Unavailable
from gateway.kit.adapter import Adapter
from gateway.model.route import Route
from gateway.policy import routing
from gateway.policy.routing import Wanted
from gateway.ports.adjustments import Adjustments
from gateway.ports.bank_files import BankFiles
from gateway.ports.confirmations import Confirmations
from gateway.ports.crm import Crm
from gateway.ports.disputes import Disputes
from gateway.ports.erp import Erp
from gateway.ports.exchange import SAFE, Exchange, Session, half_done
from gateway.ports.mandates import Mandates
from gateway.ports.payments import Payments
from gateway.ports.payouts import Payouts
from gateway.ports.refund_cancellations import RefundCancellations
from gateway.ports.reports import Reports
from gateway.ports.risk import Risk
from gateway.ports.transfers import Transfers
from gateway.ports.webhook_challenges import WebhookChallenges
from gateway.ports.webhook_keys import WebhookKeys
from gateway.ports.webhooks import Webhooks
from gateway.runtime.evidence import Call
from gateway.runtime.transport import Transport, always
from gateway.settings import Patience, TenantSettings

T = TypeVar("T")
P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)


@dataclass(frozen=True, kw_only=True)
class System(Generic[P_co]):
    """One configured adapter, seen through one of its ports.

    Attributes:
        name: As the tenant's configuration has it.
        port: What fulfils the port.
    """

    tenant: str
    name: str
    adapter: Adapter
    settings: Any
    port_name: str
    port: P_co


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """One client of the platform, wired.

    Attributes:
        mapping_set: Identity of the mappings that its systems translate by.
        collectors: All systems that collect payments, by name; routing chooses among them.
        adjusters: Those that raise what is authorised.
        confirmers: Those that have to be told what a payer brought back.
        refund_cancellers: Those that let go of refunds.
        disputes: Those that take answers to disputes.
        receivers: For each system that sends webhooks what verifies and reads them.
        key_sources: Those whose deliveries name the key that signed them.
        challenges: Those that ask whether an endpoint is ours.
        payers: Those that send money.
        movers: Those that move money between members.
        holders: Those that hold mandates of payers.
        reporters: Those that can be asked what happened.
        banks: Those that are told in files what to do, and tell in files what was done.
    """

    settings: TenantSettings
    mapping_set: str
    erp: System[Erp]
    crm: System[Crm]
    risk: System[Risk]
    collectors: Mapping[str, System[Payments]]
    receivers: Mapping[str, Webhooks]
    adjusters: Mapping[str, System[Adjustments]] = field(default_factory=dict)
    confirmers: Mapping[str, System[Confirmations]] = field(default_factory=dict)
    refund_cancellers: Mapping[str, System[RefundCancellations]] = field(default_factory=dict)
    disputes: Mapping[str, System[Disputes]] = field(default_factory=dict)
    key_sources: Mapping[str, System[WebhookKeys]] = field(default_factory=dict)
    challenges: Mapping[str, WebhookChallenges] = field(default_factory=dict)
    payers: Mapping[str, System[Payouts]] = field(default_factory=dict)
    movers: Mapping[str, System[Transfers]] = field(default_factory=dict)
    holders: Mapping[str, System[Mandates]] = field(default_factory=dict)
    reporters: Mapping[str, System[Reports]] = field(default_factory=dict)
    banks: Mapping[str, System[BankFiles]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name in URLs and records."""
        return self.settings.tenant

    def reader(self, system: str) -> Webhooks | BankFiles:
        """What reads the inbox rows of a system: webhooks, or lines of a bank's files.

        Raises:
            KeyError: Nothing of this name reports anything.
        """
        bank = self.banks.get(system)
        return self.receivers[system] if bank is None else bank.port

    @cached_property
    def choice(self) -> routing.Choice:
        """Who may collect payments, as if all were well."""
        systems = {
            name: routing.System(
                capabilities=one.adapter.capabilities, wallets=self.settings.wallets.enabled
            )
            for name, one in self.collectors.items()
        }
        return routing.Choice(systems=systems, routing=self.settings.routing)

    def needs_payer(self, method: str) -> bool:
        """Whether a system that takes the method has to be told who pays, and for what."""
        rows = (row for one in self.collectors.values() for row in one.adapter.capabilities)
        return any(row.payer and row.method == method for row in rows)

    @property
    def patience(self) -> Patience:
        """How long the tenant's flows wait."""
        return self.settings.patience


def configured(systems: Mapping[str, System[P]], name: str) -> System[P]:
    """The system at which something was begun.

    Raises:
        Misconfigured: It is not configured for this any more (code ``provider_gone``).
    """
    try:
        return systems[name]
    except KeyError:
        message = f"This was begun at {name}, which is not configured for it any more."
        raise Misconfigured(message, code="provider_gone") from None


@dataclass
class _Slot:
    """The session of one system; the lock makes its renewal single-flight."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    session: Session | None = None
    until: float = 0.0

    def usable(self, now: float, stale: Session | None) -> Session | None:
        """The session, unless it has run out or is the one that was refused."""
        return self.session if now < self.until and self.session is not stale else None


class Hub:
    """Holds exchanges with the systems of all tenants.

    Args:
        transport: Sends requests, with all that belongs to it.
        tenants: Name to tenant.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        transport: Transport,
        tenants: Mapping[str, Tenant],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.transport = transport
        self._tenants = tenants
        self._clock = clock
        self._slots: dict[tuple[str, str], _Slot] = {}

    def tenant(self, name: str) -> Tenant:
        """The tenant of this name.

        Raises:
            Misconfigured: It is not configured here.
        """
        try:
            return self._tenants[name]
        except KeyError:
            raise Misconfigured(f"No tenant {name!r} is configured.", code="tenant") from None

    @property
    def tenants(self) -> Iterable[Tenant]:
        """All that are configured here."""
        return self._tenants.values()

    def route(self, tenant: Tenant, wanted: Wanted) -> Route:
        """Where a payment goes, by the tenant's rules and by who is well as far as we know here."""
        systems = {
            name: routing.System(
                capabilities=one.adapter.capabilities,
                healthy=not self.transport.is_open(tenant.name, name),
                wallets=tenant.settings.wallets.enabled,
            )
            for name, one in tenant.collectors.items()
        }
        return routing.route(wanted, tenant.settings.routing, systems)

    async def call(
        self,
        system: System[Any],
        exchange: Exchange[T],
        *,
        business_id: str = "",
        step: str = "",
        key: str = "",
        may_send: Callable[[], bool] = always,
        anonymous: bool = False,
    ) -> T:
        """Hold one exchange to its end; the verb is the name of the exchange's generator.

        Args:
            may_send: Asked before each attempt is written.
            anonymous: Whether the system's session stays at home.

        Raises:
            HeadraceError: One of the four, with the system's name.
        """
        call = Call(
            tenant=system.tenant,
            system=system.name,
            product=system.adapter.product,
            port=system.port_name,
            verb=exchange.__name__,  # type: ignore[attr-defined] # generators have names
            business_id=business_id,
            step=step,
            key=key,
            readable=system.adapter.readable,
        )
        try:
            if anonymous:
                return await _hold(
                    exchange, lambda one: self.transport.send(one, call, may_send=may_send)
                )
            return await _hold(exchange, lambda one: self._send(system, one, call, may_send))
        except HeadraceError as error:
            error.system = error.system or system.name
            raise

    async def _send(
        self,
        system: System[Any],
        request: httpx.Request,
        call: Call,
        may_send: Callable[[], bool],
    ) -> httpx.Response:
        login = system.adapter.login
        if login is None:
            return await self.transport.send(request, call, may_send=may_send)
        session = await self._session(system, login, call, may_send, stale=None)
        response = await self.transport.send(request, call, session=session, may_send=may_send)
        if not system.adapter.refused(response):
            return response
        session = await self._session(system, login, call, may_send, stale=session)
        return await self.transport.send(request, call, session=session, may_send=may_send)

    async def _session(
        self,
        system: System[Any],
        login: Callable[[Any], Exchange[Session]],
        call: Call,
        may_send: Callable[[], bool],
        *,
        stale: Session | None,
    ) -> Session:
        """The session in use, or a new one; however many ask, one login is under way."""
        slot = self._slots.get((system.tenant, system.name))
        if slot is None:
            slot = self._slots[system.tenant, system.name] = _Slot()
        usable = None if slot.lock.locked() else slot.usable(self._clock(), stale)
        if usable is not None:
            return usable
        async with slot.lock:
            if (session := slot.usable(self._clock(), stale)) is not None:
                return session
            as_login = msgspec.structs.replace(call, verb="login", key="")
            session = await _hold(
                login(system.settings),
                lambda one: self.transport.send(one, as_login, may_send=may_send),
            )
            slot.session = session
            # A little early, so that a token does not end on its way.
            expires_in_s = session.expires_in_s
            slot.until = (
                float("inf") if expires_in_s is None else self._clock() + expires_in_s * 0.9
            )
            return session


async def _hold(
    exchange: Exchange[T], send: Callable[[httpx.Request], Awaitable[httpx.Response]]
) -> T:
    has_written = False
    try:
        request = next(exchange)
        while True:
            response = await send(request)
            following = exchange.send(response)
            has_written |= response.is_success and request.method not in SAFE
            request = following
    except Unavailable as error:
        if has_written and error.code != "lease_lost":
            raise half_done(error) from error
        raise
    except StopIteration as end:
        value: T = end.value
        return value
