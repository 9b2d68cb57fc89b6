"""Breaking: a system that fails, or crawls, is left alone for a while.

    closed ── too many of the last calls failed or were slow ──▶ open
    open ── breaker_open_s went by ──▶ half_open
    half_open ── breaker_trials good calls in a row, one at a time ──▶ closed
    half_open ── one bad call ──▶ open

An operator may force it open or closed; then nothing is counted until the force is lifted.
"""

from collections import deque
from collections.abc import Callable
from enum import StrEnum

import msgspec

from gateway.model.states import Machine
from gateway.policy.retrying import Outcome
from gateway.settings import CallPolicy

# The system answers and is well: what it refuses or rejects is no failure of it.
_FAILURES = frozenset({Outcome.SERVER_ERROR, Outcome.NOT_SENT, Outcome.UNKNOWN})


class BreakerState(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


BREAKER = Machine(
    "breaker",
    BreakerState.CLOSED,
    {
        BreakerState.CLOSED: frozenset({BreakerState.OPEN}),
        BreakerState.OPEN: frozenset({BreakerState.HALF_OPEN}),
        BreakerState.HALF_OPEN: frozenset({BreakerState.OPEN, BreakerState.CLOSED}),
    },
)


class BreakerView(msgspec.Struct, frozen=True, kw_only=True):
    """A breaker as readiness and the console show it.

    Attributes:
        state: Whether calls go through.
        forced: An operator decided so.
        calls: How many calls are counted at the moment.
        failures: How many of them failed.
        slow: How many of them were slow.
        retry_in_s: Seconds until a trial call is let through; 0 where one is now.
    """

    state: BreakerState
    forced: bool
    calls: int
    failures: int
    slow: int
    retry_in_s: float


class Breaker:
    """The breaker of one verb of one system.

    Each call takes a ticket with ``permit`` and hands it back with ``record`` or ``withdraw``. A
    ticket from before the last change of state counts no more: late news about the time before
    the failure must neither open nor close it.

    Args:
        policy: Window, shares, pauses and trials.
        clock: Seconds that never go back.
    """

    def __init__(self, policy: CallPolicy, clock: Callable[[], float]) -> None:
        self._policy = policy
        self._clock = clock
        self._state = BREAKER.initial
        self._forced: BreakerState | None = None
        self._era = 0
        self._window: deque[tuple[bool, bool]] = deque()
        self._failures = 0
        self._slow = 0
        self._opened_at = 0.0
        self._trial_out = False
        self._good_trials = 0

    @property
    def state(self) -> BreakerState:
        """Whether calls go through; open also where a trial would be let through now."""
        return self._forced or self._state

    def view(self) -> BreakerView:
        """For people."""
        return BreakerView(
            state=self.state,
            forced=self._forced is not None,
            calls=len(self._window),
            failures=self._failures,
            slow=self._slow,
            retry_in_s=self.retry_in_s(),
        )

    def retry_in_s(self) -> float:
        """Seconds until a trial call is let through."""
        if self.state is not BreakerState.OPEN:
            return 0.0
        if self._forced is not None:
            return self._policy.breaker_open_s
        return max(0.0, self._opened_at + self._policy.breaker_open_s - self._clock())

    def is_closed_to_calls(self) -> bool:
        """Whether ``permit`` would say no; changes nothing."""
        if self._forced is not None:
            return self._forced is BreakerState.OPEN
        if self._state is BreakerState.OPEN:
            return self.retry_in_s() > 0
        return self._state is BreakerState.HALF_OPEN and self._trial_out

    def permit(self) -> int | None:
        """A ticket for one call, or None: send nothing."""
        if self.is_closed_to_calls():
            return None
        if self._forced is None:
            if self._state is BreakerState.OPEN:
                self._change(BreakerState.HALF_OPEN)
            self._trial_out = self._state is BreakerState.HALF_OPEN
        return self._era

    def withdraw(self, ticket: int) -> None:
        """Hand the ticket back without news: the call was not made, or told nothing."""
        if ticket == self._era:
            self._trial_out = False

    def record(self, ticket: int, outcome: Outcome, duration_s: float) -> None:
        """Hand the ticket back with what became of the call."""
        if ticket != self._era or self._forced is not None:
            return
        self._trial_out = False
        if outcome is Outcome.MISCONFIGURED:  # about us, not about the system
            return
        failed = outcome in _FAILURES
        slow = duration_s >= self._policy.breaker_slow_s
        if self._state is BreakerState.HALF_OPEN:
            self._judge_trial(good=not (failed or slow))
        else:
            self._count(failed=failed, slow=slow)

    def force(self, state: BreakerState | None) -> None:
        """Hold it open or closed; None lifts the force and starts afresh, closed."""
        if state is BreakerState.HALF_OPEN:
            raise ValueError("A breaker is forced open or closed.")
        if self._forced is None and state is None:
            return
        self._forced = state
        self._state = BREAKER.initial
        self._forget()

    def _judge_trial(self, *, good: bool) -> None:
        if not good:
            self._open()
            return
        self._good_trials += 1
        if self._good_trials >= self._policy.breaker_trials:
            self._change(BreakerState.CLOSED)

    def _count(self, *, failed: bool, slow: bool) -> None:
        self._window.append((failed, slow))
        self._failures += failed
        self._slow += slow
        if len(self._window) > self._policy.breaker_window:
            old_failed, old_slow = self._window.popleft()
            self._failures -= old_failed
            self._slow -= old_slow
        if self._is_too_much():
            self._open()

    def _is_too_much(self) -> bool:
        calls = len(self._window)
        if calls < self._policy.breaker_minimum:
            return False
        return (
            0 < self._failures >= self._policy.breaker_failure_share * calls
            or 0 < self._slow >= self._policy.breaker_slow_share * calls
        )

    def _open(self) -> None:
        self._opened_at = self._clock()
        self._change(BreakerState.OPEN)

    def _change(self, state: BreakerState) -> None:
        if not BREAKER.allows(self._state, state):
            raise AssertionError(f"{self._state} to {state} is not in the table")
        self._state = state
        self._forget()

    def _forget(self) -> None:
        self._era += 1
        self._window.clear()
        self._failures = self._slow = self._good_trials = 0
        self._trial_out = False
