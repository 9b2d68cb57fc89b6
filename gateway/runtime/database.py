"""PostgreSQL: the pool, transactions, migrations and what counts as an outage."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeAlias

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from gateway.errors import Misconfigured, Unavailable

Connection: TypeAlias = psycopg.AsyncConnection[tuple[Any, ...]]

# What PostgreSQL says, or the socket, when it is away and will be back. None of these may ever
# end a flow (docs/adr/0003).
OUTAGES: Final = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)

# psycopg sorts these where they do not belong for us: we were frozen and the server let us go, or
# the server has become a standby. All of that passes.
_PASSING: Final = (
    psycopg.errors.IdleInTransactionSessionTimeout,
    psycopg.errors.TransactionTimeout,
    psycopg.errors.ReadOnlySqlTransaction,
)
# And these never pass: the row is too large, whenever it is sent.
_LASTING: Final = (
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
    psycopg.errors.TooManyArguments,
)


class Database:
    """The pool of one process.

    Args:
        url: ``postgresql://…``.
        pool: Most connections at once.
    """

    def __init__(self, url: str, *, pool: int) -> None:
        self.url = url
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            min_size=2,
            max_size=pool,
            open=False,
            timeout=10.0,
            reconnect_timeout=5.0,
            kwargs={"autocommit": True, "prepare_threshold": 1},
            configure=_configure,
        )

    async def open(self) -> None:
        """Connect, and make sure that the schema is the one this code was written for."""
        await self._pool.open(wait=False)
        await self.check()

    async def close(self) -> None:
        """Give all connections back."""
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection where every statement commits by itself."""
        with _sorted():
            async with self._pool.connection() as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside one transaction; an exception rolls it back."""
        with _sorted():
            async with self._pool.connection() as connection, connection.transaction():
                yield connection

    async def check(self) -> None:
        """Compare the versions of both schemas with those this code needs.

        Raises:
            Misconfigured: Not migrated, or migrated by another version.
            Unavailable: PostgreSQL does not answer.
        """
        try:
            async with self.connection() as connection:
                ours, engine = await _versions(connection)
        except OUTAGES as error:
            raise Unavailable("PostgreSQL does not answer.", code="database_away") from error
        if ours != head() or engine != version("absurdctl"):
            raise Misconfigured(
                f"The database has schema {ours or 'none'} and flow engine {engine or 'none'};"
                f" this version needs {head()} and {version('absurdctl')}."
                " Run `headrace migrate`.",
                code="schema_version",
            )


@contextmanager
def _sorted() -> Iterator[None]:
    """Sort the server's errors by what we do next: wait for it, or not."""
    try:
        yield
    except _PASSING as error:
        raise psycopg.OperationalError("the server cannot write right now") from error
    except _LASTING as error:
        raise psycopg.DataError("the row is too large") from error


async def _configure(connection: Connection) -> None:
    # A frozen process must not hold a row lock for longer than its lease.
    await connection.execute("set idle_in_transaction_session_timeout = '5s'")


async def _versions(connection: Connection) -> tuple[str, str]:
    found = await connection.execute(
        "select to_regclass('public.alembic_version') is not null,"
        " to_regprocedure('absurd.get_schema_version()') is not null"
    )
    row = await found.fetchone()
    if row is None or not all(row):
        return "", ""
    found = await connection.execute(
        "select (select version_num from public.alembic_version), absurd.get_schema_version()"
    )
    row = await found.fetchone()
    return (str(row[0]), str(row[1])) if row else ("", "")


def head() -> str:
    """The newest migration in this code."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def migrate(url: str) -> None:
    """Bring the schema up to date; safe to run twice and from two places at once."""
    engine = sqlalchemy.create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=sqlalchemy.NullPool
    )
    config = _config()
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("select pg_advisory_xact_lock(4215001)"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config


async def wait_until_back(database: Database, *, limit_s: float) -> None:
    """Return when PostgreSQL answers again.

    Raises:
        Unavailable: It did not, for so long.
    """
    started = time.monotonic()
    while True:
        try:
            async with database.connection() as connection:
                await connection.execute("select 1")
        except OUTAGES as error:
            if time.monotonic() - started > limit_s:
                raise Unavailable("PostgreSQL does not answer.", code="database_away") from error
            await asyncio.sleep(0.2)
        else:
            return
