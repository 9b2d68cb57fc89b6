"""What is wrong with a mapping, and where.

E stops the load. W has to be zero, or accepted by ``allow:`` at the rule or by ``unused:``.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice
from typing import Final

import msgspec

from gateway.errors import Misconfigured


class Severity(StrEnum):
    """Whether a finding stops the load."""

    ERROR = "error"
    WARNING = "warning"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        code: E01 to E32 and W10 to W29, as the documentation of mappings lists them.
        place: Target path (``/to_Customer/to_CustomerCompany[]/CompanyCode``) or part of the file
            (``let/terms``, ``config/recon``).
        line: Of ``file``, from 1; 0 where the file has no line for it (configuration).
        message: What is wrong and what to do, in one sentence.
    """

    code: str
    severity: Severity
    place: str
    line: int
    message: str
    file: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code} {self.place}: {self.message}"


class Refused(Misconfigured):
    """A mapping with errors; it is not loaded.

    Attributes:
        findings: All of them, warnings included.
    """

    def __init__(self, file: str, findings: tuple[Finding, ...]) -> None:
        errors = [str(finding) for finding in findings if finding.severity is Severity.ERROR]
        super().__init__(
            f"The mapping {file} has {len(errors)} errors: " + "; ".join(errors[:5]),
            code="mapping_refused",
        )
        self.findings = findings


class Found(Exception):  # noqa: N818 - carries a finding up to its rule
    """An expression is wrong; its rule makes a finding of it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Hidden(Exception):  # noqa: N818 - the cause has its own finding
    """An expression reads something that is wrong itself and was reported there."""


# Consequences of something that is wrong elsewhere: said only when nothing else is.
_CONSEQUENCES = frozenset({"W11", "W22", "W29"})


# A person reads no more of them, and each costs time.
_AT_MOST: Final = 100
_CANDIDATES: Final = 400  # of a spelling


class Enough(Exception):  # noqa: N818 - stops a check
    """There are more findings than anybody reads."""


class Findings:
    """The findings of one check, with what rules accept."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str, str], Finding] = {}
        self._accepted: set[tuple[str, str]] = set()

    def add(self, code: str, place: str, line: int, message: str, file: str) -> None:
        """Note a finding; the same one twice is one."""
        if len(self._all) >= _AT_MOST and code.startswith("E"):
            raise Enough
        severity = Severity.WARNING if code.startswith("W") else Severity.ERROR
        finding = Finding(code, severity, place, line, message, file)
        self._all.setdefault((code, place, message), finding)

    def accept(self, codes: Iterable[str], place: str, line: int, file: str) -> None:
        """Take the codes at a place as decided; say so if one of them is not there."""
        for code in codes:
            hits = [key for key in self._all if key[0] == code and key[1] == place]
            for key in hits:
                del self._all[key]
            if not hits:
                self.add("W29", place, line, f"nothing to allow: {code} does not occur here", file)

    @property
    def broken(self) -> bool:
        """There is an error."""
        return any(finding.severity is Severity.ERROR for finding in self._all.values())

    def __iter__(self) -> Iterator[Finding]:
        hidden = _CONSEQUENCES if self.broken else frozenset()
        yield from (finding for finding in self._all.values() if finding.code not in hidden)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that names the nearest spelling, or nothing."""
    lower: dict[str, str] = {}
    for candidate in islice(known, _CANDIDATES):
        lower.setdefault(candidate.lower(), candidate)
    near = get_close_matches(name.lower()[:100], lower, n=1, cutoff=0.7)
    return f"; did you mean {lower[near[0]]}?" if near else ""
