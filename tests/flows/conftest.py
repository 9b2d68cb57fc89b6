"""The stage of a flow test: facade, simulators and a fresh database, all in this process."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from tests.flows.postgres import server, url
from tests.flows.stage import Life, Stage

__all__ = ["server", "url"]


@pytest.fixture
async def stage(tmp_path: Path, url: str) -> AsyncIterator[Stage]:
    """A tenant whose facade is up."""
    async with Stage(tmp_path, url).facade() as stage:
        yield stage


@pytest.fixture
async def life(stage: Stage) -> AsyncIterator[Life]:
    """One worker."""
    async with stage.life() as life:
        yield life


@pytest.fixture(autouse=True)
def logs() -> Iterator[LogCapture]:
    """What is logged, for tests that ask; nothing is printed."""
    capture = LogCapture()
    structlog.configure(processors=[capture], cache_logger_on_first_use=False)
    yield capture
    structlog.reset_defaults()
