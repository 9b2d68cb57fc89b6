"""The database: migrated once, checked at every start, waited for when it is away."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

import psycopg
import pytest

from gateway.errors import Misconfigured, Unavailable
from gateway.runtime.database import Database, head, migrate, wait_until_back
from tests.flows.postgres import named

_ENGINE_VERSION: Final = "function absurd.get_schema_version()"


@pytest.fixture
def empty(server: str) -> str:
    """URL of a database without a schema."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("drop database if exists empty with (force)")
        connection.execute("create database empty")
    return named(server, "empty")


def version(url: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("select version_num from public.alembic_version").fetchone()
    return str(row[0]) if row else ""


async def opened(url: str) -> None:
    database = Database(url, pool=2)
    try:
        await database.open()
    finally:
        await database.close()


async def test_migrated_database_is_opened(url: str) -> None:
    """Nothing is said, because nothing is wrong."""
    await opened(url)


async def test_empty_database_says_what_to_do(empty: str) -> None:
    """Both schemas are missed, and the command is named."""
    with pytest.raises(Misconfigured, match=r"schema none and flow engine none.*headrace migrate"):
        await opened(empty)


@pytest.mark.parametrize(
    "statement",
    [
        "update public.alembic_version set version_num = '9999'",
        f"create or replace {_ENGINE_VERSION} returns text language sql as $$ select '9.9.9' $$",
        "delete from public.alembic_version",
    ],
    ids=["newer schema", "other engine", "no version"],
)
async def test_other_version_does_not_start(url: str, statement: str) -> None:
    """An old process on a new schema would write what nobody reads."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type] # literals

    with pytest.raises(Misconfigured) as caught:
        await opened(url)
    assert "schema_version" == caught.value.code


def test_migrating_twice_changes_nothing(empty: str) -> None:
    """Every deployment runs it."""
    for _ in range(2):
        migrate(empty)

    assert head() == version(empty)


def test_migrating_from_two_places_at_once_is_safe(empty: str) -> None:
    """The second waits for the first and finds nothing to do."""
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(migrate, empty) for _ in range(4)]:
            done.result()

    assert head() == version(empty)


async def test_database_that_is_away_is_unavailable() -> None:
    """It will be back; no operator is woken for it."""
    database = Database("postgresql://127.0.0.1:1/nowhere", pool=2)
    database._pool.timeout = 0.2
    try:
        with pytest.raises(Unavailable) as caught:
            await database.open()
        assert "database_away" == caught.value.code
        with pytest.raises(Unavailable):
            await wait_until_back(database, limit_s=0.1)
    finally:
        await database.close()


async def test_return_is_noticed(database: Database) -> None:
    """Connections that died in the pool are replaced without a restart."""
    async with database.connection() as connection:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )

    await wait_until_back(database, limit_s=10)

    async with database.connection() as connection:
        assert (1,) == await (await connection.execute("select 1")).fetchone()


async def test_transaction_is_all_or_nothing(database: Database) -> None:
    """An exception rolls back; the connection goes back into the pool clean."""
    insert = "insert into headrace.reference values ('t', 'ORDER', 'o', 's', 'x')"
    with suppress(ZeroDivisionError):
        async with database.transaction() as connection:
            await connection.execute(insert)
            raise ZeroDivisionError

    async with database.transaction() as connection:
        found = await connection.execute("select count(*) from headrace.reference")
        assert (0,) == await found.fetchone()


async def test_connection_without_transaction_commits_each_statement(database: Database) -> None:
    """What was done before an exception stays."""
    insert = "insert into headrace.reference values ('t', 'ORDER', 'o', 's', 'x')"
    with suppress(ZeroDivisionError):
        async with database.connection() as connection:
            await connection.execute(insert)
            raise ZeroDivisionError

    async with database.connection() as connection:
        found = await connection.execute("select count(*) from headrace.reference")
        assert (1,) == await found.fetchone()


async def test_idle_transaction_does_not_hold_its_locks_for_ever(database: Database) -> None:
    """A frozen process must not keep a row from those who live."""
    async with database.connection() as connection:
        found = await connection.execute("show idle_in_transaction_session_timeout")
        assert ("5s",) == await found.fetchone()


async def test_pool_is_as_large_as_configured(database: Database) -> None:
    """Who finds it empty waits, and is served when somebody is done."""
    gate = asyncio.Event()

    async def hold() -> None:
        async with database.connection():
            await gate.wait()

    holding = [asyncio.create_task(hold()) for _ in range(4)]
    waiting = asyncio.create_task(hold())
    while len(database._pool._waiting) < 1:  # noqa: ASYNC110 - the pool has no event for it
        await asyncio.sleep(0)

    assert not waiting.done()
    gate.set()
    await asyncio.gather(*holding, waiting)
