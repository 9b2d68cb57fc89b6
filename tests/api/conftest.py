"""The facade in this process, with real PostgreSQL and simulators, as front-ends meet it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from structlog.testing import LogCapture

from tests.api.front import Front, configured, fresh
from tests.flows.postgres import server, url

__all__ = ["server", "url"]


@pytest.fixture
async def front(tmp_path: Path, url: str) -> AsyncIterator[Front]:
    """A facade of one tenant that asks for no key, with a database of its own."""
    async with Front(configured(tmp_path, url)).open() as front:
        yield front


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory, server: str) -> AsyncIterator[Front]:
    """The same for all tests of a module, for those that store nothing."""
    with fresh(server) as url:
        async with Front(configured(tmp_path_factory.mktemp("shared"), url)).open() as front:
            yield front


@pytest.fixture(autouse=True)
def logs() -> Iterator[LogCapture]:
    """What is logged, for tests that ask; nothing is printed."""
    capture = LogCapture()
    structlog.configure(processors=[capture], cache_logger_on_first_use=False)
    yield capture
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def measured() -> InMemoryMetricReader:
    """What is measured from now on; OpenTelemetry lets one provider be set per process."""
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader], shutdown_on_exit=False))
    return reader
