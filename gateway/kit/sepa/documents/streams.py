"""XML from outside, element by element: any version, constant memory, nothing hostile.

A document with a DOCTYPE is refused before anything in it counts: no bank sends one, and entities,
foreign files and exponential growth all need one.
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final

import msgspec
from lxml import etree

from gateway.errors import Rejected

LIMIT: Final = 64 * 1024 * 1024
# A statement of 64 MB has about two million.
_MOST_ELEMENTS: Final = 5_000_000
# Of one element that is kept; a payment has some dozens.
_MOST_TEXTS: Final = 100_000
_BLOCK: Final = 65_536


# The texts of an element by the path of local names inside it, ``Refs/EndToEndId``; attributes as
# ``Amt@Ccy``, the text of the element itself under the empty path.
Texts = dict[str, list[str]]


class Found(msgspec.Struct, frozen=True):
    """An element that was looked for.

    Attributes:
        name: Local, without namespace.
        texts: All that is in it; empty where only its end was looked for.
        around: What it was taken out of, as far as that was read; for inner ones.
        parent: Name of that.
    """

    name: str
    texts: Texts
    around: Texts = {}
    parent: str = ""


def elements(
    source: BinaryIO,
    kept: frozenset[str],
    *,
    ends: frozenset[str] = frozenset(),
    inner: frozenset[str] = frozenset(),
    limit: int = LIMIT,
) -> Iterator[Found]:
    """Everything that is kept, when it is complete; nothing else is ever in memory.

    Args:
        kept: Local names, in any namespace.
        ends: Local names whose end is told, although their content is not kept.
        inner: Local names inside kept elements that are given by themselves and taken out: one
            line of a statement may hold as many payments as the whole file.
        limit: Bytes.

    Raises:
        Rejected: The document is hostile, too large, or no XML; what was given before is good.
    """
    target = _Target(kept, ends, inner)
    parser = etree.XMLParser(
        target=target, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    size = 0
    while block := source.read(_BLOCK):
        size += len(block)
        if size > limit:
            message = f"The document has more than {limit} bytes."
            raise Rejected(message, code="document_too_large")
        try:
            parser.feed(block)
        except etree.XMLSyntaxError as error:
            yield from target.drained()
            raise _broken(error) from None
        yield from target.drained()
    try:
        parser.close()
    except etree.XMLSyntaxError as error:
        raise _broken(error) from None
    yield from target.drained()


def _broken(error: etree.XMLSyntaxError) -> Rejected:
    """The parser's own words may quote the document; only the place is told."""
    message = f"The document is no well-formed XML (line {error.lineno}, column {error.offset})."
    return Rejected(message, code="document_broken", detail=f"libxml2 {error.code}")


class _Open:
    """An element that is being read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.texts: Texts = {}
        self.paths: list[str] = []
        self.parts: list[str] = []
        self.count = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Something in it begins, at first itself."""
        outer = self.paths[-1] if self.paths else None
        path = "" if outer is None else f"{outer}/{name}" if outer else name
        self.count += 1 + len(attributes)
        if self.count > _MOST_TEXTS:
            message = f"An element of the document holds more than {_MOST_TEXTS} others."
            raise Rejected(message, code="document_too_large")
        self.paths.append(path)
        self.parts.clear()
        for key, value in attributes.items():
            self.texts.setdefault(f"{path}@{key}", []).append(value)

    def end(self) -> bool:
        """Something in it ends; whether that is itself."""
        path = self.paths.pop()
        if text := "".join(self.parts).strip():
            self.texts.setdefault(path, []).append(text)
        self.parts.clear()
        return not self.paths


class _Target:
    """Takes what the parser meets, and remembers only what is kept."""

    def __init__(self, kept: frozenset[str], ends: frozenset[str], inner: frozenset[str]) -> None:
        self._kept = kept
        self._ends = ends
        self._inner = inner
        self._open: list[_Open] = []
        self._found: list[Found] = []
        self._count = 0

    def drained(self) -> list[Found]:
        """What was completed since the last time."""
        found, self._found = self._found, []
        return found

    def doctype(self, *_: object) -> None:
        """Refuse it."""
        raise Rejected("The document has a DOCTYPE.", code="document_hostile")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        self._count += 1
        if self._count > _MOST_ELEMENTS:
            message = f"The document has more than {_MOST_ELEMENTS} elements."
            raise Rejected(message, code="document_too_large")
        name = tag[tag.rfind("}") + 1 :]
        if name in (self._inner if self._open else self._kept):
            self._open.append(_Open(name))
        if self._open:
            self._open[-1].start(name, attributes)

    def data(self, text: str) -> None:
        """A text, or a part of one."""
        if self._open:
            self._open[-1].parts.append(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        if self._open:
            one = self._open[-1]
            if one.end():
                self._open.pop()
                outer = self._open[-1] if self._open else None
                known = (outer.texts, outer.name) if outer else ({}, "")
                self._found.append(Found(one.name, one.texts, *known))
            return
        name = tag[tag.rfind("}") + 1 :]
        if name in self._ends:
            self._found.append(Found(name, {}))

    def close(self) -> None:
        """The document ends."""
