"""A real PostgreSQL for tests: one server per process, one fresh migrated database per test."""

import atexit
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.runtime import embedded
from gateway.runtime.database import migrate

_numbers = itertools.count(1)


def named(url: str, database: str) -> str:
    """The URL of another database of the same server."""
    return url.replace("/postgres?", f"/{database}?", 1)


def own_folder() -> Path:
    """A folder that is removed when this process ends, after the server in it was stopped.

    Not under pytest's own folder: the server runs as another user where we are root, and every
    pytest that starts on the machine takes the others' permissions away from there.
    """
    folder = Path(tempfile.mkdtemp(prefix="headrace-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@pytest.fixture(scope="session")
def server() -> str:
    """URL of a server that forgets everything: it need not survive, only be quick."""
    url = embedded.start(own_folder())
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync = off", "full_page_writes = off"):
            connection.execute(f"alter system set {setting}")
        connection.execute("select pg_reload_conf()")
        connection.execute("create database migrated")
    migrate(named(url, "migrated"))
    return url


@pytest.fixture
def url(server: str) -> Iterator[str]:
    """URL of a fresh, migrated database."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name} template migrated strategy file_copy")
        yield named(server, name)
        connection.execute(f"drop database {name} with (force)")
