"""``headrace exports``: files for back-office systems."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands import terminal

if TYPE_CHECKING:  # --help needs none of them
    from gateway.configuring import Configuration
    from gateway.runtime.exports import Outcome


@click.group()
def exports() -> None:
    """Files for back-office systems."""


@exports.group("run")
def run_group() -> None:
    """Run an export, or go on with one that was interrupted."""


@run_group.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="In UTC.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder.")
@click.option(
    "--part-rows",
    type=click.IntRange(1, 50_000),
    default=5_000,
    show_default=True,
    help="Rows of a part; an export that has begun keeps what it began with.",
)
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def postings(
    day: datetime, out: Path | None, part_rows: int, tenant: str, config: Path, *, as_json: bool
) -> None:
    """The day's orders and charges as CSV parts with a manifest.

    May be killed at any moment and run again: the files have the same bytes.
    """
    from gateway import configuring

    if day.date() > datetime.now(UTC).date():
        raise click.UsageError("--day has not begun yet (UTC).")
    configuration = configuring.configure(config)
    name = terminal.one_tenant(configuration, tenant)
    folder = out or Path(configuration.settings.data) / "exports"
    outcome = _run(configuration, name, day.date(), folder, part_rows)
    if as_json:
        terminal.show_json({"repeated": outcome.repeated, "manifest": outcome.manifest})
        return
    _show(outcome, folder)


def _run(
    configuration: "Configuration", tenant: str, day: date, folder: Path, part_rows: int
) -> "Outcome":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from gateway.flows.export_postings import export_postings

    out = Console(stderr=True)
    columns = (TextColumn("parts"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=out, disable=not out.is_terminal) as bar:
        task = bar.add_task("parts", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        async def work() -> "Outcome":
            async with terminal.opened(configuration) as database:
                return await export_postings(
                    database,
                    tenant=tenant,
                    day=day,
                    folder=folder,
                    part_rows=part_rows,
                    progress=progress,
                )

        return terminal.run(work())


def _show(outcome: "Outcome", folder: Path) -> None:
    manifest = outcome.manifest
    if outcome.repeated and not outcome.written:
        click.echo("This export was completed before; every file is as it was written.")
    elif outcome.repeated:
        click.echo(f"This export was completed before; {outcome.written} missing parts are back.")
    if not manifest.whole_day:
        click.echo("The day was not over: orders of later are in no export.", err=True)
    terminal.show_table(
        f"{folder}: {manifest.rows} rows",
        ("file", "rows", "sha256"),
        [(part.file, part.rows, part.sha256) for part in manifest.parts],
    )
    terminal.show_table(
        "sums",
        ("currency", "rows", "total", "captured", "refunded"),
        [(one.currency, one.rows, *one.amounts.values()) for one in manifest.sums],
    )
