"""``headrace mappings sets | withdraw``: the mappings that flows began with."""

from pathlib import Path
from typing import Any, Final

import click

from gateway.commands import terminal
from gateway.commands.operate import actor
from gateway.errors import Rejected

_COLUMNS: Final = (
    "identity", "tenant", "flows", "is_present", "recorded_at", "seen_at", "bytes",
    "withdrawn_at", "withdrawn_by", "reason",
)  # fmt: skip
_SETS: Final = b"""
select identity, tenant, (select count(*) from headrace.flow f where f.tenant = s.tenant
    and f.mapping_set = s.identity and f.ended_at is null) as flows,
    recorded_at, seen_at, length(content) as bytes, withdrawn_at, withdrawn_by, reason
from headrace.mapping_set s where %s = '' or tenant = %s order by recorded_at desc
"""


@click.command()
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def sets(tenant: str, config: Path, *, as_json: bool) -> None:
    """All that the mappings of a tenant were made of, by identity, with the flows that keep it."""
    from gateway import configuring

    configuration = configuring.configure(config)

    async def read() -> list[dict[str, Any]]:
        async with terminal.opened(configuration) as database:
            return await terminal.query(database, _SETS, (tenant, tenant))

    present = {(name, configuration.mapping_set(name).identity) for name in configuration.tenants}
    times = ("recorded_at", "seen_at", "withdrawn_at")
    found = [
        one
        | {name: terminal.moment(one[name]) for name in times}
        | {"is_present": (one["tenant"], one["identity"]) in present}
        for one in terminal.run(read())
    ]
    terminal.show_records("mapping sets", _COLUMNS, found, as_json=as_json)


@click.command()
@click.argument("identity")
@terminal.REASON
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def withdraw(identity: str, reason: str, tenant: str, config: Path, *, as_json: bool) -> None:
    """Let all flows that began with the mappings IDENTITY go on with the present ones."""
    from gateway import configuring
    from gateway.runtime import mapping_sets

    configuration = configuring.configure(config)
    name = terminal.one_tenant(configuration, tenant)
    if identity == configuration.mapping_set(name).identity:
        message = "These are the present mappings: change the configuration and deploy it first."
        raise Rejected(message, code="mapping_set_present")

    async def work() -> int:
        async with terminal.opened(configuration) as database:
            return await mapping_sets.withdraw(
                database, name, identity, actor=actor(), reason=reason
            )

    flows = terminal.run(work())
    if as_json:
        terminal.show_json({"id": identity, "action": "withdraw", "actor": actor(), "flows": flows})
    else:
        click.echo(f"withdraw: {identity}, by {actor()}; {flows} flows go on with the present ones")
