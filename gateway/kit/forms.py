"""Forms with brackets, as some web frameworks read them: ``{"a": {"b": [1]}}`` is ``a[b][]=1``."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode


def encode(fields: Mapping[str, Any]) -> bytes:
    """Fields as ``application/x-www-form-urlencoded``, brackets as they are.

    Args:
        fields: Texts, whole numbers, booleans, maps and lists of single values; a list of maps
            would need numbers between its brackets and is refused.

    Raises:
        TypeError: Anything else, null included: a form has no way to say it.
    """
    return urlencode([*_named(fields, "")], safe="[]").encode("ascii")


def _named(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _named(inner, f"{name}[{key}]" if name else key)
    elif isinstance(value, list):
        for inner in value:
            yield f"{name}[]", _text(inner)
    else:
        yield name, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise TypeError(f"a form does not hold {type(value).__name__}")
