"""Pins: systems that translate as they did when a flow began."""

import asyncio
import dataclasses
from typing import Any

import pytest

from gateway.errors import Misconfigured
from gateway.kit.adapter import Adapter
from gateway.runtime import mapping_sets, pins
from gateway.runtime.database import Database
from gateway.runtime.hub import System, Tenant
from gateway.runtime.mapping_sets import MappingSet
from gateway.runtime.pins import Pins
from tests.unit.runtime.test_mapping_sets import SETTINGS, load, of


class Counted:
    """SAP, counting how often its mappings were made again."""

    def __init__(self) -> None:
        self.times = 0
        self.message = ""

    def accept(self, _settings: Any, _mappings: Any) -> None:
        """Count, and refuse where a message says why."""
        self.times += 1
        if self.message:
            raise Misconfigured(self.message, code="mapping_refused")


def _tenant(counted: Counted, **changes: Any) -> Tenant:
    adapter = Adapter(
        product="sap_s4",
        title="SAP",
        settings=object,
        ports={
            "erp": lambda _settings, mappings: mappings,
            "crm": lambda _settings, mappings: mappings,
        },
        mappings=load,
        accepts=counted.accept,
    )
    rules = Adapter(product="rules", title="", settings=object, ports={})

    def system(name: str, port: str, made_by: Adapter) -> System[Any]:
        return System(
            tenant="acme",
            name=name,
            adapter=made_by,
            settings=SETTINGS,
            port_name=port,
            port="present",
        )

    tenant: Any = Tenant(
        settings=type("Named", (), {"tenant": "acme"}),  # type: ignore[arg-type] # its name will do
        mapping_set="present",
        erp=system("sap", "erp", adapter),
        crm=system("sap", "crm", adapter),
        risk=system("rules", "risk", rules),
        collectors={"new_provider": system("new_provider", "payments", adapter)},
        receivers={"stripe": "present"},  # type: ignore[dict-item] # never called
    )
    return dataclasses.replace(tenant, **changes)


async def _kept(database: Database, *sets: MappingSet) -> None:
    await mapping_sets.record(database, sets)


async def test_ports_translate_by_the_set_and_all_else_is_present(database: Database) -> None:
    """A system that is new since, one without mappings, and receivers of webhooks stay."""
    old = of(division="07")
    await _kept(database, old)
    present = _tenant(Counted())

    pinned: Any = await Pins(database).tenant(present, old.identity)

    assert old.identity == pinned.mapping_set
    assert "07" == pinned.erp.port.of.config["division"]
    assert pinned.crm.port is pinned.erp.port
    assert "present" == pinned.risk.port == pinned.collectors["new_provider"].port
    assert pinned.receivers is present.receivers
    assert pinned.erp.settings is present.erp.settings


async def test_set_is_compiled_once(database: Database) -> None:
    """However many flows ask at once."""
    old, counted = of(division="07"), Counted()
    await _kept(database, old)
    held, present = Pins(database), _tenant(counted)

    found = await asyncio.gather(*(held.tenant(present, old.identity) for _ in range(5)))

    assert 1 == counted.times
    assert all(one is found[0] for one in found)


async def test_refusal_is_known_from_then_on(database: Database) -> None:
    """Thousands of flows may have begun with it; each is told, none compiles it again."""
    old, counted = of(division="07"), Counted()
    counted.message = "the field is gone"
    await _kept(database, old)
    held, present = Pins(database), _tenant(counted)

    for _ in range(3):
        with pytest.raises(Misconfigured, match=r"cannot be used: the field is gone\. .*withdraw"):
            await held.tenant(present, old.identity)

    assert 1 == counted.times


async def test_set_that_was_missing_is_looked_for_again(database: Database) -> None:
    """Another process may record it, or a backup bring it back."""
    old = of(division="07")
    held, present = Pins(database), _tenant(Counted())
    with pytest.raises(Misconfigured, match="not kept any more"):
        await held.tenant(present, old.identity)

    await _kept(database, old)

    assert old.identity == (await held.tenant(present, old.identity)).mapping_set


async def test_few_are_held(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was not asked for longest goes first."""
    monkeypatch.setattr(pins, "_AT_MOST", 2)
    one, two, three = (of(division=f"0{number}") for number in range(3))
    await _kept(database, one, two, three)
    counted = Counted()
    held, present = Pins(database), _tenant(counted)
    for each in (one, two, one, three):
        await held.tenant(present, each.identity)
    assert 3 == counted.times

    await held.tenant(present, one.identity)
    assert 3 == counted.times
    await held.tenant(present, two.identity)
    assert 4 == counted.times


async def test_system_that_is_another_product_now(database: Database) -> None:
    """Its documents would be nonsense there."""
    old = of(division="07")
    await _kept(database, old)
    present = _tenant(Counted())
    other = dataclasses.replace(present.erp.adapter, product="oracle", title="Oracle")
    present = dataclasses.replace(present, erp=dataclasses.replace(present.erp, adapter=other))

    with pytest.raises(Misconfigured, match="those of sap_s4, and the system is Oracle now"):
        await Pins(database).tenant(present, old.identity)
