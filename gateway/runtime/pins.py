"""Pins: the systems of a tenant, translating as they did when a flow began."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from gateway.errors import Misconfigured
from gateway.kit.mapping import Ingredients, Made
from gateway.runtime import mapping_sets
from gateway.runtime.database import Database
from gateway.runtime.hub import System, Tenant

P = TypeVar("P")
# Deployments whose flows one worker meets at a time; one more only costs compiling it again.
_AT_MOST: Final = 16


class Pins:
    """What this process has made of sets that are not its own; each is compiled once.

    Args:
        database: Where the sets are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # A text says why the set cannot be used; neither it nor this code will change.
        self._known: OrderedDict[tuple[str, str], Tenant | str] = OrderedDict()
        self._turn = asyncio.Lock()

    async def tenant(self, current: Tenant, identity: str) -> Tenant:
        """The tenant as it is, with ports that translate by the set of this identity.

        Raises:
            Misconfigured: The set is not kept, or cannot be used with this code and these settings.
        """
        key = (current.name, identity)
        async with self._turn:
            if key not in self._known:
                kept = await mapping_sets.load(self._database, current.name, identity)
                if kept is None:
                    raise _unusable(current, identity, "they are not kept any more")
                # Compiling takes a while; flows of the present set go on in the meantime.
                self._known[key] = await asyncio.to_thread(_pinned, current, identity, kept)
            self._known.move_to_end(key)
            if len(self._known) > _AT_MOST:
                self._known.popitem(last=False)
            found = self._known[key]
        if isinstance(found, str):
            raise _unusable(current, identity, found)
        return found


def _pinned(current: Tenant, identity: str, kept: Mapping[str, Ingredients]) -> Tenant | str:
    """The tenant, or why there is none."""
    made: dict[str, Made] = {}

    def with_old_port(system: System[P]) -> System[P]:
        if system.name not in kept:
            return system  # it had no mappings, or was not configured yet
        if system.name not in made:
            made[system.name] = system.adapter.again(
                system.settings, kept[system.name], tenant=current.name
            )
        port: Any = system.adapter.port(system.port_name, system.settings, made[system.name])
        return replace(system, port=port)

    try:
        return replace(
            current,
            mapping_set=identity,
            erp=with_old_port(current.erp),
            crm=with_old_port(current.crm),
            risk=with_old_port(current.risk),
            collectors={name: with_old_port(one) for name, one in current.collectors.items()},
        )
    except Misconfigured as error:
        return error.message


def _unusable(tenant: Tenant, identity: str, why: str) -> Misconfigured:
    return Misconfigured(
        f"The mappings that the flow began with cannot be used: {why}. To let all flows that began"
        " with them go on with the present ones:"
        f" headrace mappings withdraw {identity} --tenant {tenant.name} --reason ...",
        code="mapping_set_unusable",
    )
