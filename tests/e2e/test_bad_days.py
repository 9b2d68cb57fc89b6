"""Bad days of real processes: the database restarts, a pod is stopped, somebody mistypes."""

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
import pytest
import yaml

from gateway.commands.landscape import Landscape
from tests.api.front import problem_of
from tests.e2e.conftest import Start
from tests.e2e.postgres import Postgres
from tests.flows.stage import new_order

_CLIENTS: Final = 6
_PACE_S: Final = 0.1  # between two orders of one client, so that one worker keeps up
_TAKEN: Final = {200, 202}


class FrontEnd:
    """Submits orders as a careful client does: the same key until it is taken.

    Attributes:
        taken: Key to order id, as the facade said.
        seen: How often each status came.
    """

    def __init__(self, landscape: Landscape) -> None:
        self._landscape = landscape
        self._client = httpx.Client(timeout=10.0, trust_env=False)
        self.taken: dict[str, str] = {}
        self.seen: Counter[int] = Counter()
        self.stop = threading.Event()

    def submit_until(self, name: str, *, at_least: int) -> None:
        """Submit one order after the other until told to stop, and so many at least."""
        number = 0
        while number < at_least or not self.stop.is_set():
            self.submit(f"{name}-{number}", limit_s=60.0)
            number += 1
            time.sleep(_PACE_S)

    def submit(self, key: str, *, limit_s: float) -> None:
        """Submit an order until it is taken."""
        until = time.monotonic() + limit_s
        while time.monotonic() < until:
            answer = self._post(key)
            if answer is not None and answer.status_code in _TAKEN:
                self.taken[key] = answer.json()["order_id"]
                return
            time.sleep(0.05)
        raise AssertionError(f"order {key} was never taken")

    def _post(self, key: str) -> httpx.Response | None:
        try:
            answer = self._client.post(
                f"{self._landscape.facade}/v1/orders",
                json=new_order(key),
                headers={"Idempotency-Key": key},
            )
        except httpx.TransportError:
            self.seen[0] += 1
            return None
        self.seen[answer.status_code] += 1
        if answer.status_code not in _TAKEN:
            problem_of(answer)
            assert 1 <= int(answer.headers["retry-after"])
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def stored(landscape: Landscape) -> dict[str, str]:
    """Idempotency-Key to the order that is stored under it."""
    with psycopg.connect(landscape.url) as connection:
        found = connection.execute("select key, business_id from headrace.idempotency")
        return dict(found.fetchall())


def states(landscape: Landscape) -> dict[str, str]:
    """Order id to its state."""
    with psycopg.connect(landscape.url) as connection:
        found = connection.execute("select id, state from headrace.document where kind = 'order'")
        return dict(found.fetchall())


def test_database_restarts_under_load(start: Start) -> None:
    """503 until it is back; nothing is lost or doubled, and nobody has to be restarted."""
    landscape = start()
    landscape.start_simulators()
    landscape.start_serve()
    landscape.start_worker("worker")
    postgres, front = Postgres(landscape.folder), FrontEnd(landscape)

    with ThreadPoolExecutor(_CLIENTS) as pool:
        clients = [
            pool.submit(front.submit_until, f"client{number}", at_least=5)
            for number in range(_CLIENTS)
        ]
        _wait_until_one(landscape, "COMPLETED")  # the worker is up
        for _ in range(3):
            time.sleep(1.0)
            postgres.crash()
            time.sleep(0.7)
            postgres.begin()
        time.sleep(1.0)
        front.stop.set()
        for client in clients:
            client.result()
    front.close()

    assert {0, 500} & set(front.seen) == set()
    assert 0 < front.seen[503]
    assert front.taken == stored(landscape)
    assert len(front.taken) == len(set(front.taken.values()))
    _wait_until_all(landscape, "COMPLETED", limit_s=60)
    charges = landscape.effects("stripe")["charge"]
    assert [1] * len(front.taken) == list(charges.values())
    assert [None, None] == [landscape.processes[name].poll() for name in ("serve", "worker")]


def _wait_until_one(landscape: Landscape, wanted: str, *, limit_s: float = 60) -> None:
    until = time.monotonic() + limit_s
    while wanted not in states(landscape).values():
        assert time.monotonic() < until, states(landscape)
        time.sleep(0.1)


def _wait_until_all(landscape: Landscape, wanted: str, *, limit_s: float) -> None:
    until = time.monotonic() + limit_s
    while (found := Counter(states(landscape).values())) != {wanted: found[wanted]}:
        assert time.monotonic() < until, found
        time.sleep(0.3)


def test_stopped_facade_answers_what_it_has_taken(start: Start) -> None:
    """SIGTERM under load: each answer is whole and true, and the process ends by itself."""
    landscape = start()
    landscape.start_serve()
    front = FrontEnd(landscape)
    pool = ThreadPoolExecutor(_CLIENTS)
    clients = [
        pool.submit(front.submit_until, f"client{number}", at_least=1) for number in range(_CLIENTS)
    ]
    time.sleep(1.0)
    process = landscape.processes["serve"]
    landscape.signal("serve", signal.SIGTERM)

    assert 0 == process.wait(20)
    assert front.taken.items() <= stored(landscape).items()
    assert _CLIENTS < len(front.taken)
    landscape.start_serve()
    front.stop.set()
    for client in clients:
        client.result()
    pool.shutdown()
    front.close()

    assert 500 not in front.seen
    assert front.taken == stored(landscape)
    assert '"event":"serve.stopped"' in (landscape.folder / "serve.log").read_text()


def test_request_that_waits_is_answered_before_the_process_ends(start: Start) -> None:
    """Who prefers to wait is told how far it got, although the facade is to stop."""
    landscape = start()
    landscape.start_serve()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(
            httpx.post,
            f"{landscape.facade}/v1/orders",
            json=new_order("waits"),
            headers={"Idempotency-Key": "waits", "Prefer": "wait=4"},
            timeout=20.0,
            trust_env=False,
        )
        while not stored(landscape):
            time.sleep(0.05)
        landscape.signal("serve", signal.SIGTERM)
        answer = asked.result()

    assert (202, "wait=4") == (answer.status_code, answer.headers["preference-applied"])
    assert {"waits": answer.json()["order_id"]} == stored(landscape)
    assert 0 == landscape.processes["serve"].wait(20)


# --- a configuration with a mistake ----------------------------------------------------------


@pytest.mark.parametrize("command", ["serve", "worker"])
@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("headrace.yaml", "port:", "prt:", "server.prt: there is no such field"),
        ("headrace.yaml", "lease_s: 4", "lease_s: four", "worker.lease_s: Expected `int`"),
        ("tenants/acme.yaml", "env:DEMO_STRIPE_KEY", "env:NOWHERE", "environment variable NOWHERE"),
        ("tenants/acme.yaml", "env:DEMO_STRIPE_KEY", "sk_live_1", "give a reference"),
        ("tenants/acme.yaml", "erp: sap", "erp: spa", "routing.erp: there is no system 'spa'"),
    ],
)
def test_mistake_keeps_the_process_from_starting(
    mistyped: Path, command: str, file: str, old: str, new: str, expected: str
) -> None:
    """Exit code 1, one line with file, line and field, and no traceback."""
    path = mistyped / file
    text = path.read_text()
    line = text[: text.index(old)].count("\n") + 1
    path.write_text(text.replace(old, new, 1))

    ended = _run(mistyped, command)

    assert 1 == ended.returncode
    (said,) = ended.stderr.strip().splitlines()
    assert said.startswith(f"headrace: {path}:{line}: ")
    assert expected in said
    assert "sk_live_1" not in said
    assert "" == ended.stdout


def test_missing_configuration_is_named(tmp_path: Path) -> None:
    """The path that was looked at."""
    ended = _run(tmp_path, "serve")

    assert (1, f"headrace: {tmp_path / 'headrace.yaml'}: cannot be read as UTF-8\n") == (
        ended.returncode,
        ended.stderr,
    )


@pytest.fixture
def mistyped(tmp_path: Path) -> Path:
    """A configuration that would be good; there is no database and none is asked for."""
    landscape = Landscape(tmp_path, url="postgresql://127.0.0.1:1/nowhere")
    landscape._ports = dict.fromkeys(("serve", "stripe", "sap_s4", "salesforce"), 1)
    (tmp_path / "tenants").mkdir()
    for name, typed in (
        ("headrace.yaml", landscape._process_settings()),
        ("tenants/acme.yaml", landscape._tenant_settings()),
    ):
        (tmp_path / name).write_text(yaml.safe_dump(typed))
    landscape.client.close()
    return tmp_path


def _run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    environment: dict[str, Any] = Landscape(folder).environment()
    return subprocess.run(
        [sys.executable, "-m", "gateway", command, "--config", str(folder / "headrace.yaml")],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
