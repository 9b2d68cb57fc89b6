"""Deliveries of a simulator: webhooks that wait, and come twice, late and in any order."""

import random
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class DeliveryPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How deliveries misbehave.

    Attributes:
        lost_share: This share of them never comes, as when an endpoint is switched off.
        duplicate_share: This share of them comes twice.
        delay_s: Every one waits so long.
        late_share: This share of them waits ``late_s`` more.
        late_s: See ``late_share``.
        shuffle: Those that are due together leave in random order.
        seed: Of the randomness.
    """

    lost_share: float = 0.0
    duplicate_share: float = 0.0
    delay_s: float = 0.0
    late_share: float = 0.0
    late_s: float = 0.0
    shuffle: bool = False
    seed: int = 0


P = TypeVar("P", bound=DeliveryPlan)


class Deliveries(Generic[P, T]):
    """What waits to be delivered.

    Attributes:
        plan: How it misbehaves.
    """

    def __init__(self, plan: P) -> None:
        self.plan = plan
        self._waiting: list[tuple[float, T]] = []
        self._random = random.Random(plan.seed)  # noqa: S311 - faults that can be repeated

    def configure(self, **plan: Any) -> None:
        """Change the plan from here on; fields that are not named stay."""
        self.plan = msgspec.structs.replace(self.plan, **plan)
        if "seed" in plan:
            self._random = random.Random(self.plan.seed)  # noqa: S311 - the same

    def put(self, one: T, now: float) -> None:
        """Queue it, once or twice, or lose it."""
        if self.plan.lost_share and self._random.random() < self.plan.lost_share:
            return
        twice = self._random.random() < self.plan.duplicate_share
        for _ in range(1 + twice):
            late = self._random.random() < self.plan.late_share
            at = now + self.plan.delay_s + (self.plan.late_s if late else 0.0)
            self._waiting.append((at, one))

    def take(self, now: float) -> list[T]:
        """Those whose time has come, the oldest first; each is handed out once."""
        ready = [one for one in self._waiting if one[0] <= now]
        self._waiting = [one for one in self._waiting if one[0] > now]
        ready.sort(key=lambda one: one[0])
        if self.plan.shuffle:
            self._random.shuffle(ready)
        return [one for _, one in ready]
