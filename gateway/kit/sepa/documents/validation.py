"""Validation of a file while it is written: the schema sees each byte, and no tree is kept."""

import re
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from lxml import etree

from gateway.errors import Misconfigured
from gateway.model.bank import Problem

# "Element '{urn:…}SeqTp': [facet 'enumeration'] The value 'XRST' …": the value is not repeated.
_ELEMENT: Final = re.compile(r"Element '(?:\{[^}]*\})?(?P<name>[\w.-]+)'")
_FACET: Final = re.compile(r"\[facet '(?P<facet>\w+)'\]")


class Sink(Protocol):
    """Where a file goes."""

    def write(self, data: bytes) -> None:
        """Write what stands around the payments."""

    def rows(self, data: bytes) -> None:
        """Write whole payments."""

    def close(self) -> list[Problem]:
        """What the schema found."""


class Plain:
    """Writes without a schema."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, data: bytes) -> None:
        """Write what stands around the payments."""
        self._out.write(data)

    def rows(self, data: bytes) -> None:
        """Write whole payments."""
        self._out.write(data)

    def close(self) -> list[Problem]:
        """Nothing was looked for."""
        return []


class Validated:
    """Writes what a schema accepts.

    Args:
        schema: An XSD that an operator has configured.
        row: Element of a payment.

    Raises:
        Misconfigured: The schema cannot be read.
    """

    def __init__(self, out: BinaryIO, schema: Path, row: str) -> None:
        self._out = out
        self._end = f"</{row}>".encode()
        self._parser = etree.XMLPullParser(
            events=("end",), tag=f"{{*}}{row}", schema=_loaded(schema), resolve_entities=False
        )
        self._row = 0
        self._problem: Problem | None = None

    def write(self, data: bytes) -> None:
        """Write what stands around the payments, if nothing was wrong so far."""
        if self._problem is None:
            self._out.write(data)
            self._feed(data, 0)

    def rows(self, data: bytes) -> None:
        """Write whole payments, and look at each by itself to know which one is wrong."""
        if self._problem is not None:
            return
        self._out.write(data)
        for row in data.split(self._end)[:-1]:
            self._row += 1
            if not self._feed(row + self._end, self._row):
                return

    def close(self) -> list[Problem]:
        """What the schema found first."""
        return [] if self._problem is None else [self._problem]

    def _feed(self, data: bytes, row: int) -> bool:
        """Whether all is well."""
        self._parser.feed(data)
        if log := self._parser.feed_error_log:
            self._problem = _told(log[0].message, row)
        for _, element in self._parser.read_events():
            _forget(element)
        return self._problem is None


def _forget(element: Any) -> None:
    """Free a payment that was validated, and those before it."""
    element.clear()
    parent = element.getparent()
    while element.getprevious() is not None:
        del parent[0]


def _loaded(path: Path) -> etree.XMLSchema:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.XMLSchema(etree.parse(path, parser))
    except (OSError, etree.LxmlError) as error:
        message = f"The schema {path.name} cannot be read."
        raise Misconfigured(message, code="schema_unreadable") from error


def _told(message: str, row: int) -> Problem:
    name, facet = _ELEMENT.search(message), _FACET.search(message)
    return Problem(
        row=row,
        field=name["name"] if name else "",
        rule=f"schema_{facet['facet']}" if facet else "schema",
        detail="the configured schema refuses the element; rows are counted as they stand in it",
    )
