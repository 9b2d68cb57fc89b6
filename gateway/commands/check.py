"""``headrace check | adapters | tenants``: what is configured, and whether it can work."""

import importlib
import pkgutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
import httpx

from gateway.commands import terminal
from gateway.errors import HeadraceError, Misconfigured
from gateway.kit.adapter import Adapter
from gateway.ports.adjustments import Adjustments
from gateway.ports.bank_files import BankFiles
from gateway.ports.confirmations import Confirmations
from gateway.ports.crm import Crm
from gateway.ports.disputes import Disputes
from gateway.ports.erp import Erp
from gateway.ports.exchange import Exchange, Session
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

PORTS: Final[Mapping[str, type[Any]]] = {
    "payments": Payments,
    "adjustments": Adjustments,
    "confirmations": Confirmations,
    "refund_cancellations": RefundCancellations,
    "disputes": Disputes,
    "payouts": Payouts,
    "transfers": Transfers,
    "mandates": Mandates,
    "erp": Erp,
    "crm": Crm,
    "risk": Risk,
    "webhooks": Webhooks,
    "webhook_keys": WebhookKeys,
    "webhook_challenges": WebhookChallenges,
    "reports": Reports,
    "bank_files": BankFiles,
}


def verbs(port: str) -> tuple[str, ...]:
    """The verbs of a port, in the order of its Protocol."""
    return tuple(name for name in vars(PORTS[port]) if not name.startswith("_"))


def all_adapters() -> list[Adapter]:
    """Every adapter there is, the embedded ones last."""
    from gateway import configuring

    folder = importlib.import_module("adapters")
    names = sorted(one.name for one in pkgutil.iter_modules(folder.__path__) if one.ispkg)
    return [configuring.load_adapter(name) for name in (*names, "decision_table")]


@click.command("adapters")
@terminal.JSON
def list_adapters(*, as_json: bool) -> None:
    """Products that can be connected, with their ports, verbs and payment methods."""
    found = [
        {
            "name": adapter.product,
            "title": adapter.title,
            "ports": tuple(adapter.ports),
            "verbs": {port: verbs(port) for port in adapter.ports},
            "capabilities": adapter.capabilities,
            "settings": adapter.settings.__struct_fields__,
        }
        for adapter in all_adapters()
    ]
    if as_json:
        terminal.show_json(found)
        return
    rows = [
        (one["name"], one["title"], port, " ".join(named))
        for one in found
        for port, named in one["verbs"].items()
    ]
    terminal.show_table("adapters", ("adapter", "product", "port", "verbs"), rows)
    methods = [
        (each.method, one["name"], _or_any(each.countries), _or_any(each.currencies), *each.verbs)
        for one in found
        for each in one["capabilities"]
    ]
    columns = ("method", "adapter", "countries", "currencies", "verbs")
    terminal.show_table("methods", columns, [(*one[:4], " ".join(one[4:])) for one in methods])


def _or_any(codes: tuple[str, ...]) -> str:
    return " ".join(codes) or "any"


def systems(configuration: Any) -> list[dict[str, Any]]:
    """Every configured system with its ports; ``used_for`` is what routing gives it."""
    return [
        {
            "tenant": tenant,
            "system": name,
            "adapter": adapter.product,
            "ports": tuple(adapter.ports),
            "used_for": tuple(
                port
                for port in ("erp", "crm", "risk", "payments")
                if getattr(settings.routing, port) == name
            ),
            "login": adapter.login is not None,
        }
        for tenant, settings in configuration.tenants.items()
        for name, (adapter, _) in configuration.systems[tenant].items()
    ]


@click.command("tenants")
@terminal.CONFIG
@terminal.JSON
def list_tenants(config: Path, *, as_json: bool) -> None:
    """Clients of the platform, with what they sell in and what is connected."""
    from gateway import configuring

    configuration = configuring.configure(config)
    found = [
        {
            "tenant": name,
            "currencies": tenant.currencies,
            "systems": tuple(system.name for system in tenant.systems),
            "routing": tenant.routing,
        }
        for name, tenant in configuration.tenants.items()
    ]
    if as_json:
        terminal.show_json(found)
        return
    rows = [
        (name, " ".join(one.currencies), " ".join(system.name for system in one.systems))
        for name, one in configuration.tenants.items()
    ]
    terminal.show_table("tenants", ("tenant", "currencies", "systems"), rows)


@click.command()
@click.option("--system", default="", help="Also log in to this system, through the transport.")
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def check(system: str, tenant: str, config: Path, *, as_json: bool) -> None:
    """Check the whole configuration; nothing is changed anywhere.

    A mistake is reported with file, line and field.
    """
    from gateway import configuring

    configuration = configuring.configure(config)
    found = systems(configuration)
    if system:
        name = terminal.one_tenant(configuration, tenant)
        if system not in configuration.systems[name]:
            known = ", ".join(configuration.systems[name])
            raise click.UsageError(f"Tenant {name} has no system {system!r}, only {known}.")
        login = terminal.run(log_in(configuration, name, system))
        if as_json:
            terminal.show_json({"tenant": name, "system": system, "login": login})
        else:
            click.echo(f"{name}/{system}: {login}")
        return
    if as_json:
        terminal.show_json({"configuration": str(config), "systems": found})
        return
    columns = ("tenant", "system", "adapter", "ports", "used_for", "login")
    rows = [
        [" ".join(one[c]) if isinstance(one[c], tuple) else one[c] for c in columns]
        for one in found
    ]
    terminal.show_table(f"{config} is right", columns, rows)


async def log_in(
    configuration: Any, tenant: str, system: str, wire: httpx.AsyncBaseTransport | None = None
) -> str:
    """What became of one login, in words.

    Args:
        wire: Sends requests; the network where None.

    Raises:
        HeadraceError: The login failed.
    """
    import random

    from opentelemetry.trace import NoOpTracer

    from gateway import configuring
    from gateway.runtime.evidence import Call
    from gateway.runtime.transport import Transport
    from gateway.runtime.wire import Wire

    adapter, settings = configuration.systems[tenant][system]
    if adapter.login is None:
        return "needs no login; nothing was sent"
    wire = wire or Wire()
    policy = configuring.policy_of(configuration.policies[tenant, system], "login")
    transport = Transport(
        wire,
        policy=lambda _call: policy,
        evidence=lambda _evidence: None,
        tracer=NoOpTracer(),
        random=random.Random(),  # noqa: S311 - jitter
    )
    call = Call(
        tenant=tenant, system=system, product=adapter.product, port="", verb="login",
        readable=adapter.readable,
    )  # fmt: skip
    started = time.monotonic()
    try:
        session = await _hold(adapter.login(settings), lambda one: transport.send(one, call))
    except HeadraceError as error:
        error.message = f"{tenant}/{system}: {error.message}"
        raise
    finally:
        await wire.aclose()
    took_ms = (time.monotonic() - started) * 1000
    return f"logged in, {took_ms:.0f} ms, session for {_lifetime(session)}"


async def _hold(exchange: Exchange[Session], send: Any) -> Session:
    try:
        request = next(exchange)
        while True:
            request = exchange.send(await send(request))
    except StopIteration as end:
        session: Session = end.value
        return session


def _lifetime(session: Session) -> str:
    seconds = session.expires_in_s
    return "as long as it is not refused" if seconds is None else f"{seconds:.0f} s"


def port_of(adapter: Adapter, verb: str) -> str:
    """The port of an adapter that has the verb.

    Raises:
        Misconfigured: None has.
    """
    for port in adapter.ports:
        if not port.startswith("webhook") and verb in verbs(port):
            return port
    callable_ports = [port for port in adapter.ports if not port.startswith("webhook")]
    known = [verb for port in callable_ports for verb in verbs(port)]
    raise Misconfigured(
        f"{adapter.title} has no verb {verb!r}, only {', '.join(known)}.", code="verb"
    )
