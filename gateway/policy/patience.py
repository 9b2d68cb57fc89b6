"""How long a step that could not be done waits, and when a person is asked instead."""

import msgspec

from gateway.settings import Patience


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """Where a flow stopped last.

    Attributes:
        reason: ``unavailable``, ``in_doubt`` and so on; empty where it did not stop here.
        pauses: How often in a row for this reason.
        for_s: Since it stopped here first, whatever the reasons were.
    """

    reason: str = ""
    pauses: int = 0
    for_s: float = 0.0


def pause_s(
    patience: Patience, last: Stop, reason: str, *, asked_s: float | None, jitter: float
) -> float | None:
    """Seconds until the step is tried again; None where a person has to decide.

    Args:
        last: At this step; an empty one where the flow comes here for the first time.
        reason: ``unavailable`` or ``in_doubt``.
        asked_s: What the system asked for (Retry-After).
        jitter: Around 1, so that a thousand flows do not come back at once.
    """
    in_doubt = reason == "in_doubt"
    waits = patience.in_doubt_s if in_doubt else patience.unavailable_s
    pauses = last.pauses if last.reason == reason else 0
    if in_doubt and pauses >= len(waits):
        return None
    limit_s = patience.unavailable_for_s
    if in_doubt or last.reason != reason:
        # Reasons may take turns; the step still must not stand for ever.
        limit_s = max(limit_s, sum(patience.in_doubt_s))
    if last.reason and last.for_s > limit_s:
        return None
    delay_s = waits[min(pauses, len(waits) - 1)] * jitter
    return min(max(delay_s, asked_s or 0.0), patience.unavailable_for_s)
