"""A whole landscape on one machine: database, simulators, facade and workers as processes.

The demo, the end-to-end tests and the survival drill all stand on it.
"""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import httpx
import yaml

from gateway.runtime import embedded
from gateway.runtime.database import migrate

TENANT: Final = "acme"
_READY_S = 30.0
# Invented, and known to the simulators only.
_SECRETS: Final = {
    "DEMO_STRIPE_KEY": "sk_test_demo_4f9a1c",
    "DEMO_STRIPE_WEBHOOK": "whsec_demo_b81f77c2",
    "DEMO_SAP_PASSWORD": "demo-sap-2c91",
    "DEMO_SALESFORCE_SECRET": "demo-salesforce-77d0",
}


def demo_secret(name: str) -> str:
    """One of the invented secrets."""
    return _SECRETS[name]


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody uses right now.

    Below those that systems give to outgoing connections (32768 on Linux, 49152 elsewhere), or one
    of these could take the port before the process that it is meant for has started.
    """
    found: dict[int, None] = {}
    while len(found) < count:
        port = random.randrange(20_000, 32_000)  # noqa: S311 - no secret
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            found[port] = None
    return list(found)


@dataclass
class Landscape:
    """Starts, kills and stops the processes; everything lies in one folder.

    Attributes:
        folder: Configuration, logs and the database.
        lease_s: After so long without a sign of life a worker's flows go to another.
        patience: Fields of ``Patience`` that differ from what the drills use; ``policy`` and
            ``settings`` likewise.
        first_port: Of the facade, if it and the next are free; 0 for any.
        products: Those that are simulated.
        routing: Of the tenant.
    """

    products: ClassVar[tuple[str, ...]] = ("stripe", "sap_s4", "salesforce")
    routing: ClassVar[dict[str, Any]] = {
        "erp": "sap",
        "crm": "salesforce",
        "risk": "rules",
        "payments": "stripe",
    }

    folder: Path
    lease_s: int = 4
    patience: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    first_port: int = 0
    url: str = ""
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=5.0, trust_env=False))
    _ports: dict[str, int] = field(default_factory=dict)

    @property
    def facade(self) -> str:
        """Where the facade listens."""
        return self.address("serve")

    @property
    def config(self) -> Path:
        """The process configuration."""
        return self.folder / "headrace.yaml"

    def address(self, name: str) -> str:
        """Where a process or a simulator listens."""
        return f"http://127.0.0.1:{self._ports[name]}"

    def addresses(self) -> dict[str, str]:
        """Where everything listens, by name."""
        return {name: self.address(name) for name in self._ports}

    def prepare(self) -> None:
        """Start the database, migrate it and write the configuration."""
        self.folder.mkdir(parents=True, exist_ok=True)
        names = ("serve", *self.products)
        self._ports = dict(zip(names, self._consecutive(len(names)), strict=True))
        if not self.url:
            self.url = embedded.start(self.folder)
        migrate(self.url)
        self.configure()

    def configure(self) -> None:
        """Write the configuration; processes that run read it no more."""
        (self.folder / "tenants").mkdir(exist_ok=True)
        self.config.write_text(yaml.safe_dump(self._process_settings()))
        tenant = self.folder / "tenants" / f"{TENANT}.yaml"
        tenant.write_text(yaml.safe_dump(self._tenant_settings()))

    def environment(self) -> dict[str, str]:
        """The environment of every process, with the invented secrets."""
        return os.environ | _SECRETS | {"PYTHONPATH": os.pathsep.join(sys.path)}

    def start(self, name: str, *command: str) -> None:
        """Start one process of the hub; its log is ``<name>.log``."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(  # noqa: S603 - our own command line
                [sys.executable, "-m", "gateway", *command],
                stdout=log,
                stderr=log,
                env=self.environment(),
            )

    def start_simulators(self, **plan: Any) -> None:
        """Start all simulators in one process.

        Args:
            plan: How webhooks misbehave.
        """
        port = str(self._ports[self.products[0]])
        options = json.dumps(self.simulated(plan))
        self.start("simulators", "simulate", *self.products, "--port", port, "--with", options)
        for product in self.products:
            self.wait_for(f"{self.address(product)}/_sim/effects")

    def simulated(self, plan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """What each simulator is started with."""
        return {
            "stripe": {
                "webhook_url": f"{self.facade}/webhooks/{TENANT}/stripe",
                "webhook_secret": _SECRETS["DEMO_STRIPE_WEBHOOK"],
                "secret_key": _SECRETS["DEMO_STRIPE_KEY"],
                **plan,
            },
            "sap_s4": {"user": "HEADRACE", "password": _SECRETS["DEMO_SAP_PASSWORD"]},
            "salesforce": {
                "client_id": "headrace",
                "client_secret": _SECRETS["DEMO_SALESFORCE_SECRET"],
                "instance_url": self.address("salesforce"),
            },
        }

    def systems(self) -> list[dict[str, Any]]:
        """How the tenant reaches each of them, without the policy."""
        return [
            {
                "name": "stripe",
                "adapter": "stripe",
                "settings": {
                    "base_url": self.address("stripe"),
                    "secret_key": "env:DEMO_STRIPE_KEY",
                    "webhook_secrets": ["env:DEMO_STRIPE_WEBHOOK"],
                },
            },
            {
                "name": "sap",
                "adapter": "sap_s4",
                "settings": {
                    "base_url": self.address("sap_s4"),
                    "user": "HEADRACE",
                    "password": "env:DEMO_SAP_PASSWORD",
                    "client": "100",
                    "sales_organization": "1710",
                    "distribution_channel": "10",
                    "division": "00",
                },
            },
            {
                "name": "salesforce",
                "adapter": "salesforce",
                "settings": {
                    "login_url": self.address("salesforce"),
                    "client_id": "headrace",
                    "client_secret": "env:DEMO_SALESFORCE_SECRET",
                },
            },
            {"name": "rules", "adapter": "decision_table"},
        ]

    def start_serve(self) -> None:
        """Start the facade and wait until it is ready."""
        self.start("serve", "serve", "--config", str(self.config))
        self.wait_for(f"{self.facade}/readyz")

    def start_worker(self, name: str) -> None:
        """Start one worker."""
        self.start(name, "worker", "--config", str(self.config))

    def kill(self, name: str) -> None:
        """End a process without a warning."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process."""
        self.processes[name].send_signal(number)

    def stop(self) -> None:
        """End everything that was started here, as an operator would."""
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()
        self.client.close()

    def wait_for(self, url: str) -> None:
        """Return when the URL answers.

        Raises:
            TimeoutError: It did not, for half a minute.
        """
        until = time.monotonic() + _READY_S
        while time.monotonic() < until:
            try:
                if self.client.get(url).status_code < 500:  # noqa: PLR2004 - server errors
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise TimeoutError(f"{url} does not answer; see the logs in {self.folder}")

    def effects(self, product: str) -> dict[str, dict[str, int]]:
        """What a simulator was made to do, by our ids."""
        answer = self.client.get(f"{self.address(product)}/_sim/effects")
        effects: dict[str, dict[str, int]] = answer.raise_for_status().json()
        return effects

    def fault(self, product: str, **fault: Any) -> None:
        """Lay a fault in front of a simulator."""
        url = f"{self.address(product)}/_sim/faults"
        self.client.post(url, json=fault).raise_for_status()

    def struck(self, product: str) -> dict[str, int]:
        """How often each kind of fault has struck a simulator."""
        answer = self.client.get(f"{self.address(product)}/_sim/faults").raise_for_status()
        counted: dict[str, int] = {}
        for fault in answer.json():
            counted[fault["kind"]] = counted.get(fault["kind"], 0) + fault["struck"]
        return counted

    def mend(self, product: str) -> None:
        """Take all faults of a simulator away."""
        url = f"{self.address(product)}/_sim/faults"
        self.client.delete(url).raise_for_status()

    def _consecutive(self, count: int) -> list[int]:
        """Ports in a row: the simulators stand side by side."""
        for attempt in range(200):
            first = free_ports(1)[0] if attempt else self.first_port or free_ports(1)[0]
            wanted = [first + number for number in range(count)]
            if all(_is_free(port) for port in wanted):
                return wanted
        raise RuntimeError("no free ports in a row")

    def _process_settings(self) -> dict[str, Any]:
        return {
            "data": str(self.folder),
            "tenants": "tenants",
            "database": {"url": self.url},
            "server": {"host": "127.0.0.1", "port": self._ports["serve"]},
            "worker": {"lease_s": self.lease_s, "health_port": 0, "poll_s": 0.05},
            **self.settings,
        }

    def _tenant_settings(self) -> dict[str, Any]:
        policy = {"timeout_s": 1.5, "connect_timeout_s": 0.5, "deadline_s": 4.0} | self.policy
        return {
            "tenant": TENANT,
            "currencies": ["EUR", "SEK", "DKK", "PLN", "CZK", "CHF", "JPY"],
            "systems": [{"policy": policy, **system} for system in self.systems()],
            "routing": self.routing,
            "patience": {
                "payment_confirmation_s": 8.0,
                "unavailable_s": [0.5, 1.0, 2.0],
                "in_doubt_s": [2.0, 4.0, 8.0, 16.0],
                **self.patience,
            },
        }


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
