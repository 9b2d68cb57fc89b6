"""The command line: ``headrace --help``."""

import json
import sys
from pathlib import Path
from typing import Any

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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
    from gateway import app
    from gateway.runtime.database import head, migrate

    migrate(app.database_url(app.configure(config)))
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
