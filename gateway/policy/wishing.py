"""Wishing: what is asked for a thing one after the other, each numbered under the thing's id.

A wish stands with its thing, committed before anything is sent; its id says whose it is, so that
whoever takes it up again, or hears of it from outside, finds it.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

W = TypeVar("W", bound=msgspec.Struct)


def next_id(owner_id: str, word: str, wishes: Sequence[object]) -> str:
    """Id of the wish after these: ``{owner_id}-{word}-{number}``."""
    return f"{owner_id}-{word}-{len(wishes) + 1}"


def owner_of(wish_id: str, word: str) -> str:
    """Id of the thing that a wish, or what hangs on it, belongs to."""
    return wish_id.partition(f"-{word}-")[0]


def find(wishes: Iterable[W], field: str, wish_id: str) -> W:
    """The wish of this id.

    Args:
        field: Which field its id stands in.

    Raises:
        LookupError: There is none.
    """
    for one in wishes:
        if getattr(one, field) == wish_id:
            return one
    raise LookupError(f"there is no such {field}")


def change(wishes: Iterable[W], field: str, wish_id: str, **changes: object) -> tuple[W, ...]:
    """The wishes, of which the one of this id is changed."""
    return tuple(
        msgspec.structs.replace(one, **changes) if getattr(one, field) == wish_id else one
        for one in wishes
    )
