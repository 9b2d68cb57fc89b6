"""Patterns of schemas as Python's, so that what is decoded can be held against them.

Only patterns that take linear time are translated; of others the length and the case are checked.
"""

import re
from functools import cache
from typing import Final

from gateway.kit.mapping.schemas import patterns

_PIECE: Final = re.compile(
    r"\\.|\[\^?(?:\\.|[^\\\]])+\]|(?:\{[0-9]+(?:,[0-9]*)?\}|[*+?])\??|\(\?:|.", re.DOTALL
)
_COUNTS: Final = re.compile(r"\{([0-9]+)(,?)([0-9]*)\}\??")
_UNBOUNDED: Final = 1_000
_WAYS: Final = 10_000
_SET_OPERATION: Final = re.compile(r"--|&&|\|\||~~")  # Python may read them as such one day


@cache
def translated(pattern: str, *, anchored: bool = False) -> str:
    """The pattern for ``re.search``; empty where that is not sure to mean the same, or slow.

    Args:
        anchored: Written for XSD, whose digits are those of all scripts.
    """
    if patterns.facts(pattern, anchored=anchored) is None:
        return ""
    pieces = _PIECE.findall(pattern)
    spelled = [_spelled(piece, xsd=anchored) for piece in pieces]
    if None in spelled or _ways(pieces) > _WAYS:
        return ""
    whole = "".join(each for each in spelled if each)
    return rf"^(?:{whole})\Z" if anchored else whole


def _spelled(piece: str, *, xsd: bool) -> str | None:
    if piece[0] == "[":
        return _class(piece, xsd=xsd) if len(piece) > 1 else None
    if piece[0] == "\\":
        return _escape(piece, xsd=xsd)
    if piece in {"^", "$"}:
        return None if xsd else {"^": "^", "$": r"\Z"}[piece]
    if piece == ".":
        return r"[^\n\r]" if xsd else r"[^\n\r\u2028\u2029]"
    return "(?:" if piece == "(" else piece


def _escape(piece: str, *, xsd: bool, inside: bool = False) -> str | None:
    mark = piece[1]
    if mark == "d":
        return r"\d" if xsd else "0-9" if inside else "[0-9]"
    if mark == "w" and not xsd:
        return "A-Za-z0-9_" if inside else "[A-Za-z0-9_]"
    if mark in "tnrfv":
        return piece
    return None if mark.isalnum() else re.escape(mark)


def _class(piece: str, *, xsd: bool) -> str | None:
    body = piece[1:-1]
    if _SET_OPERATION.search(body) or body.startswith(("]", "^]")):
        return None
    parts = [
        _escape(part, xsd=xsd, inside=True) if part[0] == "\\" else part
        for part in re.findall(r"\\.|[^\\]", body, re.DOTALL)
    ]
    return None if None in parts else f"[{''.join(part for part in parts if part)}]"


def _ways(pieces: list[str]) -> int:
    """In how many ways a text may be tried, its length aside; capped."""
    stack: list[tuple[int, list[int]]] = []
    others, factors = 0, [1]
    for piece in pieces:
        if piece in {"(", "(?:"}:
            stack.append((others, factors))
            others, factors = 0, [1]
        elif piece == "|":
            others, factors = others + _product(factors), [1]
        elif piece == ")":
            inner = others + _product(factors)
            others, factors = stack.pop()
            factors.append(inner)
        elif piece[0] in "*+?" or (piece[0] == "{" and len(piece) > 1):
            factors.append(_repeated(factors.pop(), piece))
        else:
            factors.append(1)
    return others + _product(factors)


def _repeated(ways: int, piece: str) -> int:
    if piece[0] == "?":
        return ways + 1
    found = _COUNTS.fullmatch(piece)
    least, most = (int(found[1]), found[3] if found[2] else found[1]) if found else (0, "")
    if not most:
        return _UNBOUNDED if ways == 1 else _WAYS + 1
    found_ways = _product([ways] * min(int(most), _WAYS))
    return min(found_ways * (int(most) - least + 1), _WAYS + 1)


def _product(factors: list[int]) -> int:
    found = 1
    for each in factors:
        found = min(found * each, _WAYS + 1)
    return found
