"""How far a flow has come, and how long a worker may go on with it."""

import time
from dataclasses import dataclass, field
from typing import Any

from gateway.runtime.engine import Checkpoint


@dataclass
class Lease:
    """How long this worker may act for a run.

    Attributes:
        seconds: How long the engine grants it at a time.
        until: Monotonic seconds; then another worker may begin.
    """

    seconds: int
    until: float

    def valid(self) -> bool:
        """Whether a request may still be sent: only if it will be over before the lease is.

        Half of the lease is longer than any attempt's time-out (checked at start), so what the
        next worker looks up has either happened by then or never will.
        """
        return time.monotonic() < self.until - self.seconds / 2

    def renewed(self, asked_at: float) -> None:
        """The engine granted the lease again, asked at the given monotonic moment."""
        self.until = asked_at + self.seconds


@dataclass
class Progress:
    """What the journal knew of the flow when this run began.

    Attributes:
        steps: Finished steps by name.
        signals: Payloads of events that arrived, by the step that waited.
        step, reason, pauses: Where the flow stopped last, why, and how often in a row.
        paused_for_s: How long ago it stopped there first.
        decisions: What operators decided: (step, action, payload), oldest first.
        mapping_set: Identity of the mappings that the flow keeps; empty where it began before
            any were kept.
        is_withdrawn: An operator has withdrawn that set.
    """

    steps: dict[str, Checkpoint] = field(default_factory=dict)
    signals: dict[str, Checkpoint] = field(default_factory=dict)
    step: str = ""
    reason: str = ""
    pauses: int = 0
    paused_for_s: float = 0.0
    decisions: list[tuple[str, str, Any]] = field(default_factory=list)
    mapping_set: str = ""
    is_withdrawn: bool = False
