"""PostgreSQL and a stage for what cannot be said without them."""

from collections.abc import AsyncIterator

import pytest

from gateway.runtime.database import Database
from tests.flows.conftest import life, logs, stage
from tests.flows.postgres import server, url

__all__ = ["life", "logs", "server", "stage", "url"]


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """A pool on a fresh database."""
    database = Database(url, pool=4)
    await database.open()
    yield database
    await database.close()
