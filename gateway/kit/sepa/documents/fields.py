"""Values of ISO 20022 documents: read as they stand there, or named as a problem."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Final, TypeVar

from gateway.kit.sepa.documents.streams import Texts
from gateway.model.bank import Problem
from gateway.model.money import Money, scale

T = TypeVar("T")

# What a bank writes where there was no reference.
_NONE: Final = frozenset({"NOTPROVIDED", "NONREF"})
_MOST_DIGITS: Final = 18


class Fields:
    """Reads one line of a document.

    Attributes:
        problems: What could not be read.
    """

    def __init__(self, position: int) -> None:
        self.position = position
        self.problems: list[Problem] = []

    def money(self, texts: Texts, field: str, *paths: str) -> Money | None:
        """The first amount with its currency; None if there is none at any of the paths."""
        path = next((each for each in paths if each in texts), "")
        if not path:
            return None
        return self._made(field, lambda: amount(first(texts, path), first(texts, f"{path}@Ccy")))

    def date(self, texts: Texts, field: str, path: str) -> dt.date | None:
        """A day, from a date or a moment; as the bank wrote it, in its own time zone."""
        found = first(texts, f"{path}/Dt", f"{path}/DtTm")
        return self._made(field, lambda: dt.date.fromisoformat(found[:10])) if found else None

    def count(self, found: str, field: str) -> int:
        """A number of payments; none is 0."""
        return self._made(field, lambda: int(found)) or 0 if found else 0

    def problem(self, field: str, rule: str) -> None:
        """Something that is missing or wrong."""
        self.problems.append(Problem(row=self.position, field=field, rule=rule))

    def _made(self, field: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except ValueError:
            self.problem(field, "unreadable")
            return None


def amount(found: str, currency: str) -> Money:
    """An amount of a statement; never negative, the direction stands beside it.

    Raises:
        ValueError: It is none.
    """
    try:
        number = Decimal(found)
    except InvalidOperation as error:
        raise ValueError("no number") from error
    if not number.is_finite() or number < 0 or number.adjusted() > _MOST_DIGITS:
        raise ValueError("no amount")
    minor = number.scaleb(scale(currency))
    if minor != minor.to_integral_value():
        raise ValueError("no amount of this currency")
    return Money(int(minor), currency)


def first(texts: Texts, *paths: str) -> str:
    """The first text at one of the paths; empty if there is none."""
    for path in paths:
        if path in texts:
            return texts[path][0]
    return ""


def reference(texts: Texts, *paths: str) -> str:
    """As ``first``; what says that there is no reference is none."""
    found = first(texts, *paths)
    return "" if found in _NONE else found
