"""``headrace webhooks fill``: put into the inbox what no webhook brought."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.commands import terminal
from gateway.errors import HeadraceError

if TYPE_CHECKING:  # --help needs none of them
    from gateway.configuring import Configuration
    from gateway.ports.reports import Reports
    from gateway.runtime.gaps import Gaps
    from gateway.runtime.hub import System

_COLUMNS: Final = ("tenant", "system", "since", "listed", "known", "filled", "problem")


@click.command()
@click.option("--tenant", default="", help="Only this one.")
@click.option("--system", default="", help="Only this one.")
@click.option(
    "--since", default="", help="ISO 8601, at most 30 days ago.  [default: as configured]"
)
@terminal.CONFIG
@terminal.JSON
def fill(tenant: str, system: str, since: str, config: Path, *, as_json: bool) -> None:
    """Compare providers' lists with the inbox and fill in what is missing.

    A worker applies what was filled; each worker compares by itself too, as configured.
    """
    from gateway import app, configuring

    configuration = configuring.configure(config)
    if tenant:
        tenant = terminal.one_tenant(configuration, tenant)
    begun = _moment(since, configuration.settings.gaps.look_back_days)
    app.configure_logs(configuration)
    found = terminal.run(_fill(configuration, tenant, system, begun))
    if not found:
        raise click.UsageError("No such system has a list of what happened.")
    terminal.show_records("webhooks", _COLUMNS, found, as_json=as_json)
    if any(one["problem"] for one in found):
        raise SystemExit(1)


def _moment(since: str, days: int) -> float:
    """Seconds since the epoch."""
    from gateway.runtime.gaps import FURTHEST_DAYS

    now = datetime.now(UTC)
    try:
        begun = datetime.fromisoformat(since) if since else now - timedelta(days=days)
    except ValueError as error:
        raise click.UsageError(f"--since is no moment of ISO 8601: {since}") from error
    begun = begun if begun.tzinfo else begun.replace(tzinfo=UTC)
    if not now - timedelta(days=FURTHEST_DAYS) <= begun <= now:
        raise click.UsageError(f"--since has to be within the last {FURTHEST_DAYS} days.")
    return begun.timestamp()


async def _fill(
    configuration: "Configuration", tenant: str, system: str, since: float
) -> list[dict[str, Any]]:
    from gateway import app

    parts = app.build(configuration, app.database_url(configuration.settings), role="fill")
    async with app.running(parts):
        gaps = app.create_gaps(parts)
        return [
            await _compared(gaps, one, since)
            for each in parts.hub.tenants
            for one in each.reporters.values()
            if tenant in {"", one.tenant} and system in {"", one.name}
        ]


async def _compared(gaps: "Gaps", system: "System[Reports]", since: float) -> dict[str, Any]:
    """What one system came to; where it fails the others go on."""
    from gateway.runtime.gaps import Compared

    found, problem = Compared(), ""
    try:
        async for page in gaps.compare(system, since, time.time()):
            found += page
    except HeadraceError as error:
        problem = f"{error.code}: {error.message}"
    return {
        "tenant": system.tenant,
        "system": system.name,
        "since": terminal.moment(datetime.fromtimestamp(since, UTC)),
        "listed": found.listed,
        "known": found.known,
        "filled": found.filled,
        "problem": problem,
    }
