"""Every adapter on disk has every verb of the ports it names, with the port's own signature."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, get_type_hints

import pytest

from gateway import ports
from gateway.kit.adapter import Adapter
from gateway.model.order import Order
from gateway.model.party import Party
from gateway.model.reference import ExternalReference
from gateway.ports.crm import Crm
from gateway.ports.exchange import Exchange
from tests.architecture.source import adapter_folders


def port_protocols() -> dict[str, type]:
    """Name of a port to its Protocol: ``erp`` to ``gateway.ports.erp.Erp``."""
    found: dict[str, type] = {}
    for module in pkgutil.iter_modules(ports.__path__):
        loaded = importlib.import_module(f"{ports.__name__}.{module.name}")
        protocol = getattr(loaded, module.name.title().replace("_", ""), None)
        if inspect.isclass(protocol) and getattr(protocol, "_is_protocol", False):
            found[module.name] = protocol
    return found


def verbs(protocol: type) -> dict[str, Callable[..., Any]]:
    """The verbs of a port."""
    members = inspect.getmembers(protocol, inspect.isfunction)
    return {name: verb for name, verb in members if not name.startswith("_")}


def signature(verb: Callable[..., Any]) -> dict[str, tuple[Any, ...]]:
    """Each parameter with its kind, type and whether it may be left out; ``return`` likewise."""
    hints = get_type_hints(verb)
    described: dict[str, tuple[Any, ...]] = {
        name: (parameter.kind, hints.get(name), parameter.default is not parameter.empty)
        for name, parameter in inspect.signature(verb).parameters.items()
        if name != "self"
    }
    return described | {"return": (hints.get("return"),)}


def made_by(factory: Callable[[Any], Any]) -> type:
    """The class that fulfils a port: the factory itself, or what it is declared to return."""
    if inspect.isclass(factory):
        return factory
    made = get_type_hints(factory).get("return")
    return made if inspect.isclass(made) else object


def missing_verbs(adapter: Adapter, protocols: dict[str, type]) -> list[str]:
    """What an adapter owes to the ports it names."""
    found = []
    for port, factory in adapter.ports.items():
        if port not in protocols:
            found.append(f"{adapter.product}: there is no port {port}")
            continue
        made = made_by(factory)
        for name, verb in verbs(protocols[port]).items():
            own = getattr(made, name, None)
            if own is None:
                found.append(f"{adapter.product}: {port}.{name} is missing")
            elif signature(own) != signature(verb):
                found.append(f"{adapter.product}: {port}.{name} is not as the port has it")
    return found


@pytest.mark.parametrize("product", [folder.name for folder in adapter_folders()])
def test_adapters_have_every_verb(product: str) -> None:
    """ADAPTER exists, is named like its folder, and lacks no verb of its ports."""
    module = importlib.import_module(f"adapters.{product}")
    adapter = getattr(module, "ADAPTER", None)

    assert isinstance(adapter, Adapter), f"adapters/{product} declares no ADAPTER"
    assert product == adapter.product
    assert adapter.ports
    assert [] == missing_verbs(adapter, port_protocols())


def test_ports_are_found() -> None:
    """The check knows all ports, so it cannot pass by knowing none."""
    assert {
        "adjustments",
        "bank_files",
        "confirmations",
        "crm",
        "disputes",
        "erp",
        "mandates",
        "payments",
        "payouts",
        "refund_cancellations",
        "reports",
        "risk",
        "transfers",
        "webhook_challenges",
        "webhook_keys",
        "webhooks",
    } == set(port_protocols())
    assert {
        "find_account",
        "find_opportunity",
        "upsert_account",
        "upsert_opportunity",
    } == set(verbs(Crm))


class _WholeCrm:
    """Fulfils the port, but is no part of it: structure is what counts."""

    def upsert_account(self, party: Party, *, key: str) -> Exchange[ExternalReference]:
        """Like the port."""
        raise StopIteration(party, key)

    def find_account(self, party_id: str) -> Exchange[ExternalReference | None]:
        """Like the port."""
        raise StopIteration(party_id)

    def upsert_opportunity(
        self, order: Order, account: str, *, key: str
    ) -> Exchange[ExternalReference]:
        """Like the port."""
        raise StopIteration(order, account, key)

    def find_opportunity(self, order_id: str) -> Exchange[ExternalReference | None]:
        """Like the port."""
        raise StopIteration(order_id)


class _PartialCrm(_WholeCrm):
    """One verb is missing, one takes its key by position, one returns something else."""

    find_opportunity = None  # type: ignore[assignment]  # the verb that is missing

    def upsert_account(self, party: Party, key: str) -> Exchange[ExternalReference]:
        """Take the key by position."""
        raise StopIteration(party, key)

    def find_account(self, party_id: str) -> Exchange[ExternalReference]:
        """Never answer None."""
        raise StopIteration(party_id)


def _make_partial(_settings: object) -> _PartialCrm:
    return _PartialCrm()


def _made_up(**factories: Callable[[Any], Any]) -> Adapter:
    return Adapter(product="acme", title="Acme", settings=object, ports=MappingProxyType(factories))


def test_a_whole_adapter_passes() -> None:
    """Nothing is owed where every verb stands as in the port."""
    assert [] == missing_verbs(_made_up(crm=_WholeCrm), port_protocols())


def test_missing_and_different_verbs_are_named() -> None:
    """The product, the port and the verb are named, whether a class or a function makes it."""
    expected = [
        "acme: crm.find_account is not as the port has it",
        "acme: crm.find_opportunity is missing",
        "acme: crm.upsert_account is not as the port has it",
    ]

    assert expected == missing_verbs(_made_up(crm=_PartialCrm), port_protocols())
    assert expected == missing_verbs(_made_up(crm=_make_partial), port_protocols())


def test_an_unknown_port_is_named() -> None:
    """A port that does not exist is no port."""
    assert ["acme: there is no port fax"] == missing_verbs(_made_up(fax=object), port_protocols())
