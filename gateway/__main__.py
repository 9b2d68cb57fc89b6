"""The command line: ``headrace --help``."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any, Final

import click

from gateway.errors import HeadraceError

_CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("headrace.yaml"),
    show_default=True,
    envvar="HEADRACE_CONFIG",
    help="The process's configuration; tenants lie beside it.",
)

# Name: (module, name in it, first line of its help). Loaded when used, so that --help is quick.
_COMMANDS: Final = {
    "adapters": ("check", "list_adapters", "Products that can be connected."),
    "call": ("call", "call", "Run one verb of a system and print the answer."),
    "check": ("check", "check", "Check the whole configuration; log in to a system."),
    "evidence": ("inspect", "evidence", "What was sent and answered for an order, redacted."),
    "explain": ("explain", "explain", "What would become of an order; nothing is sent."),
    "exports": ("export", "exports", "Files for back-office systems."),
    "bank": ("bank", "bank", "Files that a bank sends."),
    "flows": ("operate", "flows", "Flows, and what to do with those that are parked."),
    "generate": ("generate", "generate", "Write openapi/ and docs/reference/ anew."),
    "mappings": ("mappings", "mappings", "Check, test and compare transformations."),
    "tenants": ("check", "list_tenants", "Clients of the platform."),
    "timeline": ("inspect", "timeline", "Everything that happened to an order."),
    "trace": ("inspect", "trace", "One order's spans as a tree."),
    "webhooks": ("operate", "webhooks", "Webhook deliveries in the inbox."),
}


class _Commands(click.Group):
    """The commands of this module and, when they are used, those of ``gateway.commands``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, name, _ = _COMMANDS[cmd_name]
        found: click.Command = getattr(importlib.import_module(f"gateway.commands.{module}"), name)
        return found

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        own = {name: one.get_short_help_str(100) for name, one in self.commands.items()}
        shown = own | {name: text for name, (_, _, text) in _COMMANDS.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(shown.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="headrace")
def cli() -> None:
    """Order-to-cash integration hub."""


@cli.command()
@_CONFIG
def serve(config: Path) -> None:
    """Serve the facade and the webhook receiver."""
    from gateway.commands import serve as command

    command.serve(config)


@cli.command()
@_CONFIG
def worker(config: Path) -> None:
    """Run flows and apply webhooks."""
    from gateway.commands import serve as command

    command.work(config)


@cli.command()
@_CONFIG
def migrate(config: Path) -> None:
    """Bring the database's schema up to date."""
    from gateway import app, settings
    from gateway.runtime.database import head, migrate

    # Tenants and their secrets are not needed here, so a migration job need not have them.
    migrate(app.database_url(settings.load(config, settings.Settings)))
    click.echo(f"The database is at version {head()}.")


@cli.command()
@click.argument("products", nargs=-1, required=True)
@click.option("--port", default=12110, show_default=True, help="Of the first; others follow.")
@click.option(
    "--with",
    "options",
    default="{}",
    help='Options by product, as JSON: {"stripe": {"webhook_url": "…"}}.',
)
def simulate(products: tuple[str, ...], port: int, options: str) -> None:
    """Serve products in memory: stripe, sap_s4, salesforce."""
    from gateway.commands import simulate as command

    given: dict[str, dict[str, Any]] = json.loads(options)
    made = {}
    for number, product in enumerate(products):
        simulator = command.find(product)
        made[product] = (simulator(**given.get(product, {})), port + number)
        click.echo(f"{product}: http://127.0.0.1:{port + number}", err=True)
    command.run(made)


@cli.command()
@click.option("--orders", type=click.Path(path_type=Path, exists=True), help="JSON lines.")
@click.option("--keep", is_flag=True, help="Leave everything running and print the URLs.")
@click.option("--peers", is_flag=True, help="mock-sap and localstripe instead of our simulators.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where everything lies.")
def demo(orders: Path | None, *, keep: bool, peers: bool, folder: Path | None) -> None:
    """Run the main job on real input, on good days and bad ones."""
    from rich.console import Console

    from gateway.commands import demo as command

    right = command.run(orders=orders, keep=keep, peers=peers, folder=folder, console=Console())
    sys.exit(0 if right else 1)


def main() -> None:
    """Run a command; exit code 0 fine, 1 the thing failed, 2 wrong usage."""
    try:
        cli()
    except HeadraceError as error:
        click.echo(f"headrace: {error.message}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
