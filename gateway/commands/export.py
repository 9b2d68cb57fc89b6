"""``headrace exports``: files for back-office systems."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.commands import terminal

if TYPE_CHECKING:  # --help needs none of them
    from gateway.configuring import Configuration
    from gateway.runtime.bank_runs import BankManifest
    from gateway.runtime.exports import Outcome

_AHEAD: Final = timedelta(hours=14)


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


def _bank_command(name: str, summary: str) -> None:
    """One command for each kind of file; they differ in nothing but what they hold."""

    @run_group.command(name, help=summary)
    @click.option(
        "--day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="On which it is handed in."
    )
    @click.option("--account", default="", help="Name of a bank account; all of them if left out.")
    @click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder.")
    @terminal.TENANT
    @terminal.CONFIG
    @terminal.JSON
    def command(
        day: datetime, account: str, out: Path | None, tenant: str, config: Path, *, as_json: bool
    ) -> None:
        from gateway import configuring

        # Somewhere the bank's day has begun when that of UTC has not.
        if day.date() > (datetime.now(UTC) + _AHEAD).date():
            raise click.UsageError("--day has not begun yet.")
        configuration = configuring.configure(config)
        whose = terminal.one_tenant(configuration, tenant)
        folder = out or Path(configuration.settings.data) / "exports"
        made = _write_files(configuration, name, whose, account, day.date(), folder)
        if as_json:
            terminal.show_json(made)
            return
        rows = [
            (one["account"], *_told(one["manifest"]), one["refused"], one["written"])
            for one in made
        ]
        columns = ("account", "file", "payments", "sum", "message id", "refused", "written now")
        terminal.show_table(str(folder), columns, rows)

    del command


def _told(manifest: "BankManifest | None") -> tuple[str, int, str, str]:
    if manifest is None:
        return "nothing is due", 0, "0.00", ""
    return manifest.file, manifest.count, manifest.total, manifest.message_id


def _write_files(
    configuration: "Configuration", kind: str, tenant: str, account: str, day: date, folder: Path
) -> list[dict[str, Any]]:
    from gateway.flows import export_bank_files
    from gateway.runtime.bank_runs import BankRun

    export = getattr(export_bank_files, f"export_{kind}")
    systems = {
        name: configuration.port(tenant, name, "bank_files")
        for name, (adapter, _) in configuration.systems[tenant].items()
        if "bank_files" in adapter.ports
    }
    wanted = [
        (name, port, one)
        for name, port in systems.items()
        for one in port.accounts
        if account in {"", one}
    ]
    if not wanted:
        raise click.UsageError("The tenant has no such bank account.")

    async def work() -> list[dict[str, Any]]:
        made = []
        async with terminal.opened(configuration) as database:
            for system, port, one in wanted:
                run = BankRun(
                    database=database,
                    kind=kind,
                    tenant=tenant,
                    system=system,
                    account=one,
                    day=day,
                    folder=folder,
                )
                done = await export(run, port)
                made.append(
                    {
                        "system": system,
                        "account": one,
                        "manifest": done.manifest,
                        "refused": done.refused,
                        "written": done.written,
                    }
                )
        return made

    return terminal.run(work())


_bank_command("collections", "Direct debits that are due, as a pain.008 for each bank account.")
_bank_command("transfers", "Promised refunds and payouts, as a pain.001 for each bank account.")


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
