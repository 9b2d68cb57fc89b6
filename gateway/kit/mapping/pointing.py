"""From a failed rule back to the field of ours that it was made of.

A failure names the target's field, which whoever sent the order has never seen.
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping as Values
from types import MappingProxyType
from typing import Any, Final

from gateway.errors import Rejected
from gateway.kit.mapping.mapping import Lineage, Mapping, MappingFailure
from gateway.kit.mapping.runtime import TooLong

_NEED: Final = re.compile(r"\bneeds\.(\w+)")


class refusing:  # noqa: N801 - read as ``with refusing(…)``; contextlib's costs 1 µs
    """Say what a mapping does not take in the words of whoever sent it.

    Args:
        source: What is given to the mapping.
        refusals: Target field to message and code, where more is known about its failure.

    Raises:
        Rejected: The mapping failed; nothing was sent.
    """

    __slots__ = ("_mapping", "_refusals", "_source")

    def __init__(
        self,
        mapping: Mapping,
        source: Any,
        refusals: Values[str, tuple[str, str]] = MappingProxyType({}),
    ) -> None:
        self._mapping = mapping
        self._source = source
        self._refusals = refusals

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, failure: BaseException | None, _where: object) -> None:
        if not isinstance(failure, MappingFailure):
            return
        if failure.path not in self._refusals:
            raise refusal(failure, self._mapping, self._source) from failure
        message, code = self._refusals[failure.path]
        raise Rejected(message, code=code) from failure


def refusal(failure: MappingFailure, mapping: Mapping, source: Any) -> Rejected:
    """The failure under our name of the field: ``field_too_long`` or ``field_invalid``.

    The failure itself is returned where no field is to blame.

    Args:
        source: What was given to the mapping.
    """
    rules = [each for each in mapping.lineage() if each.target == failure.path]
    target = failure.path.rpartition("/")[2]
    cause = failure.__cause__
    if isinstance(cause, TooLong):
        at = next(iter(_blamed(rules, source, cause.limit)), "")
        takes = f", which {target} takes" if at else ""
        message = f"{at or target} is longer than {cause.limit} characters{takes}."
        return Rejected(message, code="field_too_long", detail=failure.message)
    fields = _blamed(rules, source, None)
    if not fields:
        return failure
    message = f"{' or '.join(fields[:3])} is nothing that {target} takes."
    return Rejected(message, code="field_invalid", detail=failure.message)


def _blamed(rules: list[Lineage], source: Any, limit: int | None) -> list[str]:
    """Fields that a rule reads, such as ``addresses[1].city``; those over the limit if given."""
    read = [found for each in rules for path in each.sources for found in _walk(source, path)]
    if not read:
        return [name for each in rules for name in _NEED.findall(each.rule)]
    return [at for at, value in read if limit is None or len(str(value)) > limit]


def _walk(value: Any, path: str, at: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from _walk(each, path, f"{at}[{index}]")
    elif not path:
        yield at, value
    elif value is not None:
        name, _, rest = path.partition(".")
        inner = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
        yield from _walk(inner, rest, f"{at}.{name}".lstrip("."))
