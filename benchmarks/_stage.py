"""What a benchmark stands on: a real PostgreSQL, a configured tenant, processes, CPU time.

Every process that is started here ends when its standard input does, so that none outlives the
benchmark, whatever becomes of that.
"""

import asyncio
import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Set as AbstractSet
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import psycopg
import yaml

from gateway.runtime import embedded
from gateway.runtime.database import migrate

TENANT: Final = "acme"
WEBHOOK_SECRET: Final = "whsec_benchmark"  # noqa: S105 - invented
# A generous policy: the limits are not what is measured.
_POLICY: Final = {"concurrency": 4096, "timeout_s": 10.0, "deadline_s": 20.0}


def postgres() -> tuple[Path, str]:
    """A folder and the URL of a migrated, empty database in it, with fsync as in production."""
    # An ordinary end, so that what is registered runs when we are told to stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    # The server is stopped when this process ends, before the folder goes: last in, first out.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    url = embedded.start(folder)
    migrate(url)
    return folder, url


def configure(folder: Path, url: str, upstream: str, **telemetry: Any) -> Path:
    """Write the configuration of a process with one tenant, and return its path.

    Args:
        upstream: Address of the system that stands for all systems.
        telemetry: Fields of ``TelemetrySettings``.
    """
    (folder / "tenants").mkdir(parents=True)
    config = folder / "headrace.yaml"
    settings = {
        "data": str(folder),
        "database": {"url": url},
        "server": {
            "in_flight": 4096,
            "loop_lag_s": 30.0,
            "api_keys": [{"client": "bench", "tenant": TENANT, "key": "env:BENCH_SECRET"}],
        },
        "telemetry": telemetry,
    }
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    tenant = folder / "tenants" / f"{TENANT}.yaml"
    tenant.write_text(yaml.safe_dump(_tenant(upstream)), encoding="utf-8")
    return config


def _tenant(upstream: str) -> dict[str, Any]:
    sap = {
        "base_url": upstream,
        "user": "HEADRACE",
        "password": "env:BENCH_SECRET",
        "client": "100",
        "sales_organization": "1710",
        "distribution_channel": "10",
        "division": "00",
    }
    stripe = {
        "base_url": upstream,
        "secret_key": "env:BENCH_SECRET",
        "webhook_secrets": ["env:BENCH_SECRET"],
    }
    salesforce = {"login_url": upstream, "client_id": "bench", "client_secret": "env:BENCH_SECRET"}
    systems = {"sap": ("sap_s4", sap), "stripe": ("stripe", stripe)}
    systems |= {"salesforce": ("salesforce", salesforce), "rules": ("decision_table", {})}
    return {
        "tenant": TENANT,
        "currencies": ["EUR"],
        "systems": [
            {"name": name, "adapter": adapter, "settings": given, "policy": _POLICY}
            for name, (adapter, given) in systems.items()
        ],
        "routing": {"erp": "sap", "crm": "salesforce", "risk": "rules", "payments": "stripe"},
    }


class Child:
    """A process of ours that takes orders on standard input and answers each with a line.

    Args:
        script: File in this folder.
        name: Of the log, where standard error goes.
        on: Cores where it may run; anywhere where empty.
        tree: Work tree whose file it is, and whose code it runs; this one where None.
        given: What its ``main`` reads from the environment, as JSON.
    """

    def __init__(
        self,
        script: str,
        folder: Path,
        name: str,
        *,
        on: AbstractSet[int] = frozenset(),
        tree: Path | None = None,
        **given: Any,
    ) -> None:
        benchmarks = Path(__file__).parent if tree is None else tree / "benchmarks"
        environment = os.environ | {
            "BENCH_CHILD": json.dumps(given | {"cores": sorted(on)}),
            "BENCH_SECRET": WEBHOOK_SECRET,
            "PYTHONPATH": os.pathsep.join([str(benchmarks), str(benchmarks.parent), *sys.path]),
        }
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(benchmarks / script), "--child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                text=True,
            )
        self.pid = self._process.pid

    @cached_property
    def started(self) -> Any:
        """What the process says when it is ready; waits for it, so that several start at once."""
        return self._answer()

    def ask(self, **order: Any) -> Any:
        """Give an order and wait for what became of it."""
        assert self.started
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            tail = self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
            raise RuntimeError(f"{self.log.name}: the process ended\n{tail}")
        return json.loads(line)

    def cpu_s(self) -> float:
        """CPU time of the process so far."""
        return cpu_s(self.pid)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def given() -> Any:
    """What a child was given; also moves it to its cores, now that all is imported."""
    read = json.loads(os.environ["BENCH_CHILD"])
    pin(set(read.pop("cores")))
    return read


def pin(allowed: set[int]) -> None:
    """Keep this process, and what it starts from now on, on these cores; empty changes nothing."""
    if allowed:
        os.sched_setaffinity(0, allowed)


def cores() -> tuple[set[int], set[int]]:
    """A core for what is measured and the others for all the rest; empty where there is but one."""
    if not hasattr(os, "sched_getaffinity"):  # not Linux
        return set(), set()
    first, *others = sorted(os.sched_getaffinity(0))
    return ({first}, set(others)) if others else (set(), set())


def say(answer: Any) -> None:
    """Answer the process that gave the order."""
    print(json.dumps(answer), flush=True)


async def orders() -> Any:
    """The next order; None when there will be no more."""
    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    return json.loads(line) if line else None


def cpu_s(pid: int) -> float:
    """CPU time of a process with all its threads, in seconds.

    Source: Linux, Documentation/scheduler/sched-stats.rst, /proc/<pid>/schedstat: nanoseconds.
    """
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except FileNotFoundError:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def postgres_cpu_s(url: str) -> float:
    """CPU time of the server's processes that live now."""
    with psycopg.connect(url) as connection:
        found = connection.execute("select pid from pg_stat_activity").fetchall()
    return sum(_cpu_or_nothing(pid) for (pid,) in found)


def _cpu_or_nothing(pid: int) -> float:
    try:
        return cpu_s(pid)
    except OSError:
        return 0.0


def median(values: list[float]) -> float:
    """The middle one; of an even number the lower of both, which is one that was measured."""
    return sorted(values)[(len(values) - 1) // 2]
