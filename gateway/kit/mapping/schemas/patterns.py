"""What a regular expression proves about the texts it matches; it is never run.

Only lengths and letter case matter to a mapping. A construct that is not understood proves nothing.
Source: ECMA-262 §22.2 (JSON Schema) and XML Schema part 2, appendix F, as far as both agree.
"""

from typing import Final

import msgspec

_DEPTH: Final = 50
_QUANTIFIERS: Final = {"?": (0, 1), "*": (0, None), "+": (1, None)}
_NO_LOWER: Final = {"d": True, "s": True, "D": False, "S": False, "w": False, "W": False}
_CONTROLS: Final = "tnrfv"


class Facts(msgspec.Struct, frozen=True):
    """What is known of every text that matches.

    Attributes:
        shortest: In characters.
        longest: None where there is no limit.
        upper: No lower-case letter can stand in it.
    """

    shortest: int
    longest: int | None
    upper: bool


class _NotUnderstoodError(Exception):
    pass


def facts(pattern: str, *, anchored: bool = False) -> Facts | None:
    """What the pattern proves, or None.

    Args:
        anchored: The whole text must match, as in XSD. Elsewhere only ``^…$`` says so.
    """
    try:
        return _Reader(pattern, anchored=anchored).read()
    except _NotUnderstoodError:
        return None


def _sum(a: Facts, b: Facts) -> Facts:
    longest = None if a.longest is None or b.longest is None else a.longest + b.longest
    return Facts(a.shortest + b.shortest, longest, a.upper and b.upper)


def either(a: Facts, b: Facts) -> Facts:
    """What is known of texts that match one of two patterns."""
    longest = None if a.longest is None or b.longest is None else max(a.longest, b.longest)
    return Facts(min(a.shortest, b.shortest), longest, a.upper and b.upper)


def _times(atom: Facts, least: int, most: int | None) -> Facts:
    longest = None if atom.longest is None or most is None else atom.longest * most
    return Facts(atom.shortest * least, longest, atom.upper)


class _Reader:
    """Recursive descent over one pattern."""

    def __init__(self, pattern: str, *, anchored: bool) -> None:
        self._text = pattern
        self._at = 0
        self._anchored = anchored
        self._depth = 0

    def read(self) -> Facts:
        found = self._whole()
        while self._take("|"):
            found = either(found, self._whole())
        if self._at < len(self._text):
            raise _NotUnderstoodError
        return found

    def _whole(self) -> Facts:
        """One alternative of the outermost level, from its ``^`` to its ``$``."""
        starts = self._take("^")
        found = self._sequence()
        ends = self._take("$")
        if not self._anchored and not (starts and ends):
            raise _NotUnderstoodError
        return found

    def _sequence(self) -> Facts:
        found = Facts(0, 0, upper=True)
        while self._peek() not in {"", "|", ")", "$"}:
            found = _sum(found, self._quantified())
        return found

    def _quantified(self) -> Facts:
        atom = self._atom()
        mark = self._peek()
        if mark in _QUANTIFIERS:
            self._at += 1
            atom = _times(atom, *_QUANTIFIERS[mark])
        elif mark == "{":
            atom = _times(atom, *self._counts())
        else:
            return atom
        self._take("?")  # lazy or not, the same texts match
        if self._peek() in {"+", "*", "{"}:
            raise _NotUnderstoodError
        return atom

    def _counts(self) -> tuple[int, int | None]:
        end = self._text.find("}", self._at)
        least, comma, most = self._text[self._at + 1 : max(end, 0)].partition(",")
        if not least.isdecimal() or (most and not most.isdecimal()):
            raise _NotUnderstoodError
        self._at = end + 1
        return int(least), int(least) if not comma else int(most) if most else None

    def _atom(self) -> Facts:
        mark = self._next()
        if mark == "(":
            return self._group()
        if mark == "[":
            return Facts(1, 1, self._class())
        if mark == "\\":
            return Facts(1, 1, self._escape()[0])
        if mark == ".":
            return Facts(1, 1, upper=False)
        if mark in "^*+?{":
            raise _NotUnderstoodError
        return Facts(1, 1, not mark.islower())

    def _group(self) -> Facts:
        if self._take("?") and not self._take(":"):
            raise _NotUnderstoodError  # looks around, or sets flags
        self._depth += 1
        if self._depth > _DEPTH:
            raise _NotUnderstoodError
        found = self._sequence()
        while self._take("|"):
            found = either(found, self._sequence())
        if not self._take(")"):
            raise _NotUnderstoodError
        self._depth -= 1
        return found

    def _class(self) -> bool:
        """Whether a class is free of lower-case letters."""
        if self._take("^"):
            self._skip_class()
            return False
        upper, first = True, True
        while first or self._peek() != "]":
            first = False
            free, start = self._member()
            if start and self._peek() == "-" and self._text[self._at + 1 : self._at + 2] != "]":
                self._at += 1
                free = _range_is_free(start, self._member()[1])
            upper = upper and free
        self._at += 1
        return upper

    def _skip_class(self) -> None:
        self._member()
        while self._peek() != "]":
            self._member()
        self._at += 1

    def _member(self) -> tuple[bool, str]:
        """Whether one member has no lower case, and its character if it is a single one."""
        mark = self._next()
        if mark == "[":
            raise _NotUnderstoodError  # a POSIX class, or XSD's subtraction
        if mark == "\\":
            return self._escape()
        return not mark.islower(), mark

    def _escape(self) -> tuple[bool, str]:
        mark = self._next()
        if mark in _NO_LOWER:
            return _NO_LOWER[mark], ""
        if mark in _CONTROLS:
            return True, ""
        if mark.isalnum():
            raise _NotUnderstoodError  # \p{…}, \b, \1, \x41 …
        return True, mark

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        mark = self._peek()
        if not mark:
            raise _NotUnderstoodError
        self._at += 1
        return mark

    def _take(self, mark: str) -> bool:
        if self._peek() != mark:
            return False
        self._at += 1
        return True


def _range_is_free(start: str, end: str) -> bool:
    """Whether a range of characters has no lower-case letter; beyond ASCII it counts as having."""
    if not end or ord(end) > ord("\x7f"):
        return False
    return ord(end) < ord("a") or ord(start) > ord("z")
