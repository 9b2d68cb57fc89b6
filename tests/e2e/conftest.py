"""Landscapes for tests: real processes in a folder of their own, ended whatever happens."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway.commands.landscape import Landscape
from tests.e2e.postgres import Postgres
from tests.flows.postgres import own_folder

Start = Callable[..., Any]


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Makes a landscape whose database stands; the logs are shown where the test fails."""
    made: list[Landscape] = []

    def prepare(kind: type[Landscape] = Landscape, **fields: Any) -> Any:
        landscape = kind(own_folder(), **fields)
        made.append(landscape)
        landscape.prepare()
        return landscape

    yield prepare
    for landscape in made:
        landscape.stop()
        landscape.client.close()
        Postgres(landscape.folder).end()
        if request.session.testsfailed:
            _show_logs(landscape)


def _show_logs(landscape: Landscape) -> None:
    for log in sorted(landscape.folder.glob("*.log")):
        lines = log.read_text(errors="replace").splitlines()
        worth = [line for line in lines if '"level":"error"' in line or "Traceback" in line]
        print(f"--- {log.name}: {len(lines)} lines", *worth[-20:], *lines[-5:], sep="\n")
