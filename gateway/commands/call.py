"""``headrace call``: one verb of one system, by hand."""

import inspect
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from gateway.commands import terminal
from gateway.commands.check import PORTS, port_of
from gateway.model import codec
from gateway.model.identifiers import new_id

if TYPE_CHECKING:  # --help needs none of them
    from gateway.configuring import Configuration


@click.command()
@click.argument("tenant")
@click.argument("system")
@click.argument("verb")
@click.argument("arguments", metavar="JSON", default="{}")
@click.option("--yes", is_flag=True, help="Needed for verbs that may change something.")
@terminal.CONFIG
def call(tenant: str, system: str, verb: str, arguments: str, config: Path, *, yes: bool) -> None:
    """Run one verb of a system through the hub and print the answer as JSON.

    JSON names the verb's parameters: '{"order_id": "0195…"}'. Verbs that begin with find_ only
    read; all others need --yes. Without a key a writing verb gets a new one. The attempt leaves
    evidence like every other.
    """
    from gateway import app, configuring

    configuration = configuring.configure(config)
    name = terminal.one_tenant(configuration, tenant)
    if system not in configuration.systems[name]:
        known = ", ".join(configuration.systems[name])
        raise click.UsageError(f"Tenant {name} has no system {system!r}, only {known}.")
    adapter, _ = configuration.systems[name][system]
    port = port_of(adapter, verb)
    if not verb.startswith("find_") and not yes:
        raise click.UsageError(f"{verb} may change something; say --yes if you mean it.")
    given = read_arguments(getattr(PORTS[port], verb), arguments)
    app.configure_logs(configuration)
    terminal.show_json(terminal.run(_call(configuration, name, system, port, verb, given)))


def read_arguments(verb: Any, text: str) -> dict[str, Any]:
    """The parameters of a verb from JSON, each as the port has typed it.

    Raises:
        click.UsageError: Not JSON, a parameter too many, one missing, one of a wrong type, or text
            with control characters.
    """
    from gateway.policy import validation

    hints = typing.get_type_hints(verb)
    names = [name for name in inspect.signature(verb).parameters if name != "self"]
    try:
        given = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise click.UsageError(f"The arguments are no JSON object: {error}") from error
    if "key" in names:
        given.setdefault("key", new_id())
    missing, unknown = sorted({*names} - {*given}), sorted({*given} - {*names})
    if missing or unknown:
        raise click.UsageError(
            f"The verb takes {', '.join(names)}; missing: {', '.join(missing) or 'none'},"
            f" unknown: {', '.join(unknown) or 'none'}."
        )
    wrong = [f"{one.pointer}: {one.detail}" for one in validation.control_characters(given)]
    if wrong:
        raise click.UsageError(" ".join(wrong))
    read: dict[str, Any] = {}
    for name in names:
        try:
            read[name] = codec.convert(given[name], hints[name])
        except msgspec.ValidationError as error:
            raise click.UsageError(f"{name}: {error}") from error
    return read


async def _call(
    configuration: "Configuration",
    tenant: str,
    system: str,
    port: str,
    verb: str,
    given: dict[str, Any],
) -> Any:
    from gateway import app
    from gateway.runtime.hub import System

    parts = app.build(configuration, app.database_url(configuration.settings), role="call")
    adapter, settings = configuration.systems[tenant][system]
    made = configuration.port(tenant, system, port)
    target = System(
        tenant=tenant, name=system, adapter=adapter, settings=settings, port_name=port, port=made
    )
    async with app.running(parts):
        return await parts.hub.call(
            target, getattr(made, verb)(**given), step="by_hand", key=given.get("key", "")
        )
