"""A storm over a landscape: its processes are killed, frozen and restarted at random."""

import random
import signal
import threading
import time
from collections.abc import Mapping
from typing import Final

from gateway.commands.landscape import Landscape
from tests.e2e.postgres import Postgres

USUAL: Final[Mapping[str, int]] = {"kill": 6, "freeze": 2, "database": 1, "facade": 1}


class Storm:
    """Random faults, one after the other, and their repair.

    Attributes:
        done: How often each fault struck.

    Args:
        landscape: Whose processes are struck; the workers are started here.
        workers: So many of them.
        acts: Kinds of faults and how often each strikes, compared with the others.
    """

    def __init__(
        self,
        landscape: Landscape,
        chance: random.Random,
        *,
        workers: int,
        acts: Mapping[str, int] = USUAL,
    ) -> None:
        self._landscape = landscape
        self._chance = chance
        self._postgres = Postgres(landscape.folder)
        self._acts = acts
        self._born = self._count = workers
        for number in range(workers):
            landscape.start_worker(f"worker-{number}")
        self._frozen: dict[str, threading.Timer] = {}
        self.done = dict.fromkeys(acts, 0)

    def rage(self, seconds: float) -> None:
        """Strike until the time is over; every kind of fault at least once."""
        until = time.monotonic() + seconds
        due = [*self._acts, "kill", "kill"]
        self._chance.shuffle(due)
        names, weights = [*self._acts], [*self._acts.values()]
        while due or time.monotonic() < until:
            name = due.pop() if due else self._chance.choices(names, weights)[0]
            self._strike(name)
            self.done[name] += 1
            time.sleep(self._chance.uniform(0.1, 0.8))

    def _strike(self, name: str) -> None:
        match name:
            case "kill":
                self._kill()
            case "freeze":
                self._freeze()
            case "database":
                self._restart_database()
            case "facade":
                self._restart_facade()
            case "frozen facade":
                self._freeze_facade()
            case _:
                raise ValueError(name)

    def calm(self) -> None:
        """Wait until nobody is frozen any more."""
        for timer in [*self._frozen.values()]:
            timer.join()

    def _workers(self) -> list[str]:
        """Who can be struck; whoever is frozen dies of nothing else."""
        names = [name for name in self._landscape.processes if name.startswith("worker-")]
        return [name for name in names if name not in self._frozen]

    def _kill(self) -> None:
        self._landscape.kill(self._chance.choice(self._workers()))
        self._landscape.start_worker(f"worker-{self._born}")
        self._born += 1

    def _freeze(self) -> None:
        """For longer than the lease: another worker takes over, then this one wakes up."""
        workers = self._workers()
        if len(workers) < self._count:
            return
        name = self._chance.choice(workers)
        self._landscape.signal(name, signal.SIGSTOP)

        def thaw() -> None:
            self._landscape.signal(name, signal.SIGCONT)
            self._frozen.pop(name)

        self._frozen[name] = threading.Timer(1.5 * self._landscape.lease_s, thaw)
        self._frozen[name].start()

    def _restart_database(self) -> None:
        self._postgres.crash()
        time.sleep(self._chance.uniform(0.0, 0.5))
        self._postgres.begin()

    def _restart_facade(self) -> None:
        self._landscape.kill("serve")
        self._landscape.start_serve()

    def _freeze_facade(self) -> None:
        """Requests and webhooks hang; their senders ask again."""
        self._landscape.signal("serve", signal.SIGSTOP)
        time.sleep(self._chance.uniform(0.5, 2.0))
        self._landscape.signal("serve", signal.SIGCONT)
