"""Moving: what all that was reported of a payment's money comes to, whatever its order."""

from collections.abc import Iterable, Sequence
from typing import Final

from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState

_RANK: Final = {state: rank for rank, state in enumerate(MovementState)}


def join(known: Sequence[Movement], said: Iterable[Movement]) -> tuple[Movement, ...]:
    """Everything that is known after more was said, in a fixed order.

    Under one reference the later state counts, and of one state the larger amount.
    """
    joined = {(one.kind, one.ref): one for one in known}
    for one in said:
        key = (one.kind, one.ref)
        joined[key] = max(joined.get(key, one), one, key=_weight)
    return tuple(joined[key] for key in sorted(joined))


def done(movements: Sequence[Movement], kind: MovementKind, currency: str) -> Money:
    """What moved and stayed so.

    A provider's total counts what was undone later as well; so of the total and of the movements
    by name the larger is true, once the undone ones are taken off the total.
    """
    named, undone, total = 0, 0, 0
    for one in movements:
        if one.kind is not kind or one.state is MovementState.PENDING:
            continue
        if not one.ref:
            total = one.amount.minor
        elif one.state is MovementState.DONE:
            named += one.amount.minor
        else:
            undone += one.amount.minor
    return Money(max(named, total - undone), currency)


def pending(movements: Sequence[Movement], kind: MovementKind, currency: str) -> Money:
    """What has begun to move and is not decided."""
    of_kind = (one for one in movements if one.kind is kind)
    amounts = (one.amount.minor for one in of_kind if one.state is MovementState.PENDING)
    return Money(sum(amounts), currency)


def _weight(movement: Movement) -> tuple[int, int, str]:
    return _RANK[movement.state], movement.amount.minor, movement.reason_code
