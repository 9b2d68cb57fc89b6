"""What is wrong with a schema, where, and what to do."""

import difflib
from collections.abc import Iterable
from pathlib import Path

from gateway.errors import Misconfigured


class SchemaError(Misconfigured):
    """A schema cannot be found, read or understood; a person has to change a file or a reference.

    Attributes:
        reason: The message without its place.
        file: The schema's file, where there is one.
        line: In that file, from 1, where known.
    """

    def __init__(self, reason: str, *, file: Path | None = None, line: int | None = None) -> None:
        place = "" if file is None else f"{file}:{line}: " if line else f"{file}: "
        super().__init__(f"{place}{reason}", code="schema_invalid")
        self.reason = reason
        self.file = file
        self.line = line


def suggest(name: str, known: Iterable[str]) -> str:
    """`` (did you mean X?)``, or nothing where no known name is close."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
