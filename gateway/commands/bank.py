"""``headrace bank``: what a bank sends."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands import terminal

if TYPE_CHECKING:  # --help needs none of them
    from gateway.configuring import Configuration
    from gateway.flows.import_bank_file import Read


@click.group()
def bank() -> None:
    """Files that a bank sends."""


@bank.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--system", default="", help="The bank's, where there are several.")
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def read(files: tuple[Path, ...], system: str, tenant: str, config: Path, *, as_json: bool) -> None:
    """Take pain.002, camt.052, camt.053, camt.054, MT940 and MT942 into the inbox.

    A worker applies them as it does webhooks; what fits nothing is parked, see `headrace webhooks`.
    A file may be read again: what is known changes nothing.
    """
    from gateway import configuring

    configuration = configuring.configure(config)
    whose = terminal.one_tenant(configuration, tenant)
    made = _read(configuration, whose, _one_bank(configuration, whose, system), files)
    rows = [(one.file, one.rows, one.new) for one in made]
    if as_json:
        terminal.show_json(made)
    else:
        terminal.show_table("files", ("file", "said", "new"), rows)


def _one_bank(configuration: "Configuration", tenant: str, name: str) -> str:
    """The system that is meant: the named one, or the only one there is."""
    banks = [
        system
        for system, (adapter, _) in configuration.systems[tenant].items()
        if "bank_files" in adapter.ports
    ]
    if name in banks:
        return name
    if not name and len(banks) == 1:
        return banks[0]
    raise click.UsageError(f"Name one of the banks with --system: {', '.join(banks) or 'none'}.")


def _read(
    configuration: "Configuration", tenant: str, system: str, files: tuple[Path, ...]
) -> "list[Read]":
    from gateway.flows.import_bank_file import import_bank_file

    port = configuration.port(tenant, system, "bank_files")

    async def work() -> "list[Read]":
        made = []
        async with terminal.opened(configuration) as database:
            for file in files:
                with file.open("rb") as source:
                    made.append(
                        await import_bank_file(
                            database, port, source, tenant=tenant, system=system, name=file.name
                        )
                    )
        return made

    return terminal.run(work())
