"""What all commands share on a terminal: options, tables, JSON, and an opened database."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
import msgspec

from gateway.errors import Rejected, Unavailable
from gateway.model import codec

if TYPE_CHECKING:  # they are slow to import, and --help needs none of them
    from rich.console import Console

    from gateway.configuring import Configuration
    from gateway.runtime.database import Database

T = TypeVar("T")
# Where the output goes into a file or a pipe, lines are not folded.
_PIPE_COLUMNS: Final = 240

CONFIG: Final = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("headrace.yaml"),
    show_default=True,
    envvar="HEADRACE_CONFIG",
    help="The process's configuration; tenants lie beside it.",
)
TENANT: Final = click.option("--tenant", default="", help="Needed where there are several.")
JSON: Final = click.option("--json", "as_json", is_flag=True, help="For machines.")
REASON: Final = click.option(
    "--reason", required=True, help="Why; kept with your name beside the act."
)


def console() -> "Console":
    """Standard output; colours only on a terminal."""
    from rich.console import Console

    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=_PIPE_COLUMNS)


def show_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(msgspec.json.format(codec.encode(value), indent=2))


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows; what they hold is text, never markup."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console().print(table)


def show_records(
    title: str, columns: Sequence[str], records: Sequence[Mapping[str, Any]], *, as_json: bool
) -> None:
    """Print records as JSON, or the named columns of them as a table."""
    if as_json:
        show_json(records)
    else:
        show_table(title, columns, [[record[name] for name in columns] for record in records])


def moment(at: datetime | None) -> str:
    """A moment in UTC with milliseconds; empty for none and for never."""
    return "" if at is None else f"{at.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"


def one_tenant(configuration: "Configuration", name: str) -> str:
    """The tenant that is meant: the named one, or the only one there is.

    Raises:
        click.UsageError: There is no such tenant, or there are several and none was named.
    """
    tenants = tuple(configuration.tenants)
    if name in tenants:
        return name
    if not name and len(tenants) == 1:
        return tenants[0]
    raise click.UsageError(f"Name one of the tenants with --tenant: {', '.join(tenants)}.")


@asynccontextmanager
async def opened(configuration: "Configuration") -> AsyncIterator["Database"]:
    """The database of a configuration."""
    from gateway import app
    from gateway.runtime.database import Database

    database = Database(app.database_url(configuration.settings), pool=2)
    try:
        await database.open()
        yield database
    finally:
        await database.close()


async def query(database: "Database", sql: bytes, params: Sequence[Any]) -> list[dict[str, Any]]:
    """The rows of a statement, each with the names of its columns."""
    async with database.connection() as connection:
        found = await connection.execute(sql, params)
        names = [column.name for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in await found.fetchall()]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do the work of a command.

    Raises:
        Unavailable: PostgreSQL went away.
    """
    from gateway.runtime.database import OUTAGES

    try:
        return asyncio.run(work)
    except OUTAGES as error:
        raise Unavailable("PostgreSQL does not answer.", code="database_away") from error


def no_such_order() -> Rejected:
    """The order is not there, or belongs to another tenant."""
    return Rejected("There is no order with this id.", code="not_found")
