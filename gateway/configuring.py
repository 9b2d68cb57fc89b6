"""Configuring: the files that were typed, read, checked and given their secrets."""

import importlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway import settings as files
from gateway.engines.risk import default_risk
from gateway.errors import Misconfigured
from gateway.kit import mapping
from gateway.kit.adapter import Adapter
from gateway.model.money import Money, scale
from gateway.model.wallet import WALLETS
from gateway.ports.crm import Crm
from gateway.ports.erp import Erp
from gateway.ports.payments import Payments
from gateway.ports.payouts import Payouts
from gateway.ports.reports import Reports
from gateway.ports.risk import Risk
from gateway.ports.transfers import Transfers
from gateway.runtime import mapping_sets, secrets
from gateway.runtime.mapping_sets import MappingSet
from gateway.settings import CallPolicy, PaymentRule, Settings, SystemSettings, TenantSettings

# What a system's settings may name under ``verbs``.
_VERBS: Final = {"login"} | {
    verb
    for port in (Payments, Payouts, Transfers, Erp, Crm, Risk, Reports)
    for verb in vars(port)
    if not verb.startswith("_")
}

# The embedded engines stand beside the adapters, under the same declaration.
_DECISION_TABLE: Final = Adapter(
    product="decision_table",
    title="Embedded decision table",
    settings=msgspec.defstruct("NoSettings", [], frozen=True, forbid_unknown_fields=True),
    ports={"risk": lambda _settings: default_risk()},
)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """All that was typed, checked and with its secrets.

    Attributes:
        tenants: Name to settings, as typed.
        systems: For each tenant its systems: name to adapter and settings.
        policies: How each system's verbs are called.
        mappings: For each tenant and system its mappings with the tenant's overlays; None where
            the product has none.
    """

    settings: Settings
    tenants: Mapping[str, TenantSettings]
    systems: Mapping[str, Mapping[str, tuple[Adapter, Any]]]
    policies: Mapping[tuple[str, str], SystemSettings]
    mappings: Mapping[tuple[str, str], mapping.Made | None]

    def port(self, tenant: str, system: str, port: str) -> Any:
        """What fulfils a port of a system."""
        adapter, settings = self.systems[tenant][system]
        return adapter.port(port, settings, self.mappings[tenant, system])

    def mapping_set(self, tenant: str) -> MappingSet:
        """What the mappings of all systems of a tenant are made of."""
        return mapping_sets.of(
            tenant, {name: self.mappings[tenant, name] for name in self.systems[tenant]}
        )


def configure(path: Path) -> Configuration:
    """Read and check the configuration; nothing is opened.

    Raises:
        Misconfigured: With file, line and field of the first mistake.
    """
    settings = files.load(path, Settings)
    folder = path.parent / settings.tenants
    tenants: dict[str, TenantSettings] = {}
    systems: dict[str, dict[str, tuple[Adapter, Any]]] = {}
    policies: dict[tuple[str, str], SystemSettings] = {}
    mappings: dict[tuple[str, str], mapping.Made | None] = {}
    for file in sorted(folder.glob("*.yaml")):
        if file.name.endswith((".overlay.yaml", ".cases.yaml")):
            continue
        tenant = files.load(file, TenantSettings)
        if tenant.tenant in tenants:
            raise files.mistake(file, "$.tenant", f"{tenant.tenant!r} stands twice")
        tenants[tenant.tenant] = tenant
        _check_names(file, tenant)
        _check_payouts(file, tenant)
        systems[tenant.tenant] = {
            one.name: _system(file, index, one) for index, one in enumerate(tenant.systems)
        }
        policies |= {(tenant.tenant, one.name): one for one in tenant.systems}
        for index, one in enumerate(tenant.systems):
            loaded = _mappings(file, index, tenant.tenant, systems[tenant.tenant][one.name], one)
            mappings[tenant.tenant, one.name] = loaded
        _check_routing(file, tenant, systems[tenant.tenant])
        _check_lease(file, tenant, settings)
    if not tenants:
        raise Misconfigured(f"{folder}: there is no tenant file (*.yaml)", code="config")
    _check_server(path, settings, tenants)
    return Configuration(
        settings=settings,
        tenants=tenants,
        systems=systems,
        policies=policies,
        mappings=mappings,
    )


def _system(file: Path, index: int, system: SystemSettings) -> tuple[Adapter, Any]:
    where = f"$.systems[{index}]"
    try:
        adapter = load_adapter(system.adapter)
    except Misconfigured as error:
        raise files.mistake(file, f"{where}.adapter", error.message) from error
    try:
        resolved = secrets.resolve_all(system.settings, field="settings")
        typed = msgspec.convert(resolved, adapter.settings)
    except Misconfigured as error:
        field, _, reason = error.message.partition(": ")
        raise files.mistake(file, f"{where}.{field}", reason) from error
    except msgspec.ValidationError as error:
        raise files.invalid(file, f"{where}.settings", error) from error
    for verb in system.verbs:
        _check_verb(file, f"{where}.verbs.{verb}", system, verb)
    return adapter, typed


def _mappings(
    file: Path, index: int, tenant: str, system: tuple[Adapter, Any], given: SystemSettings
) -> mapping.Made | None:
    """The system's mappings; what is wrong with an overlay is told with its own file and line."""
    where = f"$.systems[{index}].overlays"
    overlays = []
    for number, name in enumerate(given.overlays):
        path = file.parent / name
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise files.mistake(file, f"{where}[{number}]", f"{path} cannot be read") from error
        overlays.append(mapping.parse(text, file=str(path)))
    adapter, settings = system
    try:
        return adapter.load(settings, overlays=overlays, tenant=tenant)
    except Misconfigured as error:
        field = where if given.overlays else f"$.systems[{index}].settings"
        raise files.mistake(file, field, error.message) from error


def _check_names(file: Path, tenant: TenantSettings) -> None:
    names = [one.name for one in tenant.systems]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise files.mistake(file, f"$.systems[{index}].name", f"{name!r} stands twice")
        if name == WALLETS:
            detail = f"{name!r} is what the ledger's wallets are called"
            raise files.mistake(file, f"$.systems[{index}].name", detail)
    for index, currency in enumerate(tenant.currencies):
        try:
            scale(currency)
        except ValueError as error:
            raise files.mistake(file, f"$.currencies[{index}]", str(error)) from error


def _check_payouts(file: Path, tenant: TenantSettings) -> None:
    for currency, amount in tenant.payouts.approve_from.items():
        try:
            Money.parse(amount, currency)
        except ValueError as error:
            raise files.mistake(file, f"$.payouts.approve_from.{currency}", str(error)) from error


def _check_verb(file: Path, where: str, system: SystemSettings, verb: str) -> None:
    if verb not in _VERBS:
        raise files.mistake(file, where, "there is no such verb")
    try:
        policy_of(system, verb)
    except msgspec.ValidationError as error:
        raise files.invalid(file, where, error) from error


def load_adapter(name: str) -> Adapter:
    """The adapter of this name.

    Raises:
        Misconfigured: There is none.
    """
    if name == _DECISION_TABLE.product:
        return _DECISION_TABLE
    try:
        module = importlib.import_module(f"adapters.{name}")
    except ModuleNotFoundError as error:
        raise Misconfigured(f"there is no adapter {name!r}", code="config") from error
    adapter: Adapter = module.ADAPTER
    return adapter


def policy_of(system: SystemSettings, verb: str) -> CallPolicy:
    """How a verb of a system is called.

    Raises:
        msgspec.ValidationError: The verb's own settings are wrong; ``configure`` has tried them.
    """
    own = system.verbs.get(verb)
    if not own:
        return system.policy
    return msgspec.convert(msgspec.to_builtins(system.policy) | own, CallPolicy)


def _check_routing(
    file: Path, tenant: TenantSettings, systems: Mapping[str, tuple[Adapter, Any]]
) -> None:
    routing = tenant.routing
    named = [(port, port, getattr(routing, port)) for port in ("erp", "crm", "risk", "payments")]
    named += [
        (f"payment_fallbacks[{index}]", "payments", name)
        for index, name in enumerate(routing.payment_fallbacks)
    ]
    for index, rule in enumerate(routing.payment_rules):
        here = f"payment_rules[{index}]"
        named += [(f"{here}.to", "payments", name) for name in rule.to]
        _check_limits(file, f"$.routing.{here}", rule)
    for where, port, name in named:
        if name not in systems:
            raise files.mistake(file, f"$.routing.{where}", f"there is no system {name!r}")
        if port not in systems[name][0].ports:
            product = systems[name][0].title
            raise files.mistake(file, f"$.routing.{where}", f"{product} does not fulfil {port}")


def _check_limits(file: Path, where: str, rule: PaymentRule) -> None:
    """An amount means something in one currency only, and has its decimals."""
    for name in ("above", "up_to"):
        amount = getattr(rule, name)
        if amount and len(rule.currencies) != 1:
            raise files.mistake(file, f"{where}.{name}", "needs exactly one currency beside it")
        if amount:
            try:
                Money.parse(amount, rule.currencies[0])
            except ValueError as error:
                raise files.mistake(file, f"{where}.{name}", str(error)) from error


def _check_lease(file: Path, tenant: TenantSettings, settings: Settings) -> None:
    """An attempt that outlives half a lease could meet the next worker's look-up half way."""
    for index, system in enumerate(tenant.systems):
        for verb in ("", *system.verbs):
            policy = policy_of(system, verb)
            longest_s = policy.timeout_s + policy.connect_timeout_s
            if longest_s * 2 > settings.worker.lease_s:
                raise files.mistake(
                    file,
                    f"$.systems[{index}].policy.timeout_s",
                    f"connect_timeout_s + timeout_s ({longest_s:g} s) may be at most half of"
                    f" worker.lease_s ({settings.worker.lease_s} s)",
                )


def _check_server(path: Path, settings: Settings, tenants: Mapping[str, TenantSettings]) -> None:
    server = settings.server
    if not server.api_keys and not _is_loopback(server.host):
        raise files.mistake(
            path, "$.server.host", "a host that others can reach needs server.api_keys"
        )
    known: set[str] = set()
    for index, one in enumerate(server.api_keys):
        where = f"$.server.api_keys[{index}]"
        if one.tenant not in tenants:
            raise files.mistake(path, f"{where}.tenant", f"there is no tenant {one.tenant!r}")
        try:
            key = secrets.resolve(one.key, field="key")
        except Misconfigured as error:
            reason = error.message.removeprefix("key: ")
            raise files.mistake(path, f"{where}.key", reason) from error
        if key in known:
            raise files.mistake(path, f"{where}.key", "is the key of another client as well")
        known.add(key)


def _is_loopback(host: str) -> bool:
    """Whether only this machine reaches the host; of a name nobody can tell."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
