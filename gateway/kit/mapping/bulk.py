"""Files of many rows, written as their rows are read: memory does not grow with them.

export = bulk.flat(mapping, layout)
export.write(open("receivables.jsonl", "rb"), out)

export = bulk.xml(mapping, "DrctDbtTxInf", inside=("Document",))
"""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from io import IOBase
from itertools import islice
from operator import attrgetter
from types import FunctionType
from typing import Any, BinaryIO, Final
from xml.sax.saxutils import quoteattr

from gateway.errors import Rejected
from gateway.kit.mapping import ir, projection, rows
from gateway.kit.mapping.loose import Loose
from gateway.kit.mapping.mapping import NAMES, Mapping
from gateway.kit.mapping.runtime import BadValue
from gateway.kit.mapping.schemas.layouts import Layout
from gateway.kit.mapping.types import Shape

BLOCK: Final = 131_072  # bytes of JSON that are read, and written, together
CHUNK: Final = 250  # rows, where they do not come from a file
Names = Callable[[str, str], str]

_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_IN_COLUMNS: Final = re.compile("[\x00-\x1f\x7f\x85]")


class RowRefused(Rejected):
    """A row does not fit its mapping or its file; what was written before is incomplete.

    Attributes:
        row: Its number, from 1.
    """

    def __init__(self, row: int, message: str, *, code: str, detail: str = "") -> None:
        super().__init__(f"row {row}: {message}", code=code, detail=detail)
        self.row = row


class Export:
    """Rows of one form into one file.

    Attributes:
        head: Text before the rows; ``tail`` after them.
    """

    def __init__(
        self,
        mapping: Mapping,
        style: rows.Style,
        names: dict[str, Any],
        *,
        head: str = "",
        tail: str = "",
        encoding: str = "utf-8",
        length: int | None = None,
    ) -> None:
        self.head = head
        self.tail = tail
        self._mapping = mapping
        self._encoding = encoding
        self._length = length
        loose = Loose(mapping.program.source, mapping.reads)
        self._fits = loose.fits
        self._decode_lines = loose.decoder().decode_lines
        self._decode = projection.decoder(mapping.projection()).decode
        writer = rows.RowWriter(mapping.program, style, loose.checks)
        made = writer.compiled()
        known = {**NAMES, **names, "refuse": _refuse}
        constants = tuple(mapping.constant(each) for each in made.constants)
        self._rows = FunctionType(made.code, known, "rows")
        self._constants = constants
        self._columns = [attrgetter(name) for name in writer.columns]
        self._visible = [mark for mark in style.marks if mark.isprintable()]
        self._special = b"".join(_bytes(mark)[:1] for mark in style.marks)

    def write(self, lines: Iterable[bytes], out: BinaryIO) -> int:
        """Write the file and return how many rows it has.

        Args:
            lines: A file, or anything else that gives lines; one JSON object each, blank lines
                are skipped.

        Raises:
            RowRefused: A row is not of its schema, or cannot be written.
        """
        count = 0
        encode = codecs.getincrementalencoder(self._encoding)().encode  # one byte order mark
        out.write(encode(self.head))
        for block in _blocks(lines):
            texts = self._texts(block, count)
            try:
                out.write(encode("".join(texts)))
            except UnicodeEncodeError as error:
                raise self._lacking(texts, count) from error
            count += len(texts)
        out.write(encode(self.tail, True))
        return count

    def _texts(self, block: bytes, before: int) -> list[str]:
        try:
            sources = self._decode_lines(block)
            texts = self._written(sources) if self._fits(sources) else []
        except Exception:  # noqa: BLE001 - the rows are taken one by one to find which it was
            texts = []
        if len(texts) != _lines(block):
            texts = list(self._one_by_one(block.split(b"\n"), before))
        if self._length is not None:
            self._refuse_wide(texts, before)
        return texts

    def _written(self, sources: list[Any]) -> list[str]:
        marked = [self._has_mark(column, sources) for column in self._columns]
        texts: list[str] = self._rows(sources, *self._constants, *marked)
        return texts

    def _has_mark(self, column: Callable[[Any], str | None], sources: list[Any]) -> bool:
        """One of the texts may have a mark; seen in their bytes, which takes 1 ns for each."""
        try:
            text = "".join(map(column, sources))  # type: ignore[arg-type] # None is a TypeError
        except TypeError:
            text = "".join(filter(None, map(column, sources)))
        if any(mark in text for mark in self._visible):  # much quicker, where there is one
            return True
        whole = _bytes(text)
        return len(whole.translate(None, self._special)) < len(whole)

    def _one_by_one(self, lines: list[bytes], row: int) -> Iterator[str]:
        for line in lines:
            if not line.strip():
                continue
            row += 1
            try:
                [text] = self._written([self._decode(line)])
            except Exception as error:
                raise self._refusal(row, line, error) from error
            yield text

    def _refuse_wide(self, texts: list[str], before: int) -> None:
        for row, text in enumerate(texts, before + 1):
            if len(text) != self._length:
                message = "a value is wider than its column"
                raise RowRefused(row, message, code="row_refused")

    def _refusal(self, number: int, line: bytes, error: Exception) -> RowRefused:
        """What the mapping itself says about the row, or what the file does not take."""
        try:
            self._mapping.apply_json(line)
        except Rejected as failure:
            return RowRefused(number, failure.message, code=failure.code, detail=failure.detail)
        if isinstance(error, BadValue):
            return RowRefused(number, str(error), code="row_refused", detail=error.detail)
        return RowRefused(number, "the row cannot be written", code="row_refused")

    def _lacking(self, texts: list[str], before: int) -> RowRefused:
        """The first row with a character that the encoding has not."""
        row = next(row for row, text in enumerate(texts, before + 1) if not self._has(text))
        return RowRefused(row, f"{self._encoding} lacks a character of it", code="row_refused")

    def _has(self, text: str) -> bool:
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True


def flat(mapping: Mapping, layout: Layout) -> Export:
    """An export into lines of columns."""
    if layout.form == "fixed":
        fixed = rows.Fixed(layout)
        names = {"flat": _flat}
        return Export(mapping, fixed, names, encoding=layout.encoding, length=fixed.length)
    end = "\r\n" if layout.line_end == "crlf" else "\n"
    quoted = _quoting(layout)
    titles = layout.separator.join(quoted(column.name) for column in layout.columns) + end
    return Export(
        mapping,
        rows.Csv(layout),
        {"quoted": quoted},
        head=titles if layout.header else "",
        encoding=layout.encoding,
    )


def xml(mapping: Mapping, name: str, *, inside: tuple[str, ...] = ()) -> Export:
    """An export into elements of one XML document.

    Args:
        name: Of the element of a row.
        inside: The elements around all rows, from the root.
    """
    shape = mapping.program.target.shape
    namespaces = list(dict.fromkeys(_namespaces(shape, mapping.program.fields)))
    names, declared = _prefixes(shape.namespace if shape else "", namespaces)
    namespace = shape.namespace if shape else ""
    around = [names(each, namespace) for each in inside]
    first = f"<{around[0]}{declared}>" if around else ""
    head = f"<?xml version='1.0' encoding='utf-8'?>\n{first}"
    tail = "".join(f"</{each}>" for each in reversed(around))
    style = rows.Xml(name, names)
    head += "".join(f"<{each}>" for each in around[1:])
    safe = {"quoted": _attribute, "escaped": _escaped}
    return Export(mapping, style, safe, head=head, tail=tail)


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Some lines at a time; a file need not be cut into lines for that."""
    if not isinstance(lines, IOBase):
        source = iter(lines)
        while chunk := list(islice(source, CHUNK)):
            yield b"\n".join(map(bytes.rstrip, chunk))
        return
    while block := lines.read(BLOCK):
        yield block + lines.readline()


def _lines(block: bytes) -> int:
    """How many there are, in a quarter of the time that ``count`` takes for each byte."""
    return len(block) - len(block.replace(b"\n", b"")) + (not block.endswith(b"\n"))


def _refuse() -> None:
    raise BadValue("a value is not of its schema")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _quoting(layout: Layout) -> Callable[[str], str]:
    """What makes a value of a CSV file safe."""
    quote, separator = layout.quote, layout.separator

    def quoted(text: str) -> str:
        if "\0" in text:  # readers end a text there
            raise BadValue("the text has a null character")
        if quote is not None and quote in text:
            return f"{quote}{text.replace(quote, quote * 2)}{quote}"
        if separator not in text and "\r" not in text and "\n" not in text:
            return text
        if quote is None:
            raise BadValue("the layout has no quotes, and the text has a separator or line end")
        return f"{quote}{text}{quote}"

    return quoted


def _flat(text: str) -> str:
    if _NOT_IN_COLUMNS.search(text) is not None:
        raise BadValue("the text has a line end or control character")
    return text


def _escaped(text: str) -> str:
    if not text.isprintable() and _NOT_IN_XML.search(text) is not None:
        raise BadValue("the text has a character that XML does not know")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;") if "\r" in text else text


def _attribute(text: str) -> str:
    text = _escaped(text).replace('"', "&quot;")
    return text.replace("\n", "&#10;").replace("\t", "&#9;")


def _namespaces(shape: Shape | None, fields: tuple[ir.Field, ...]) -> Iterator[str]:
    """Namespaces of the elements that are written, and of attributes that have one."""
    if shape is None:
        return
    for field in fields:
        known = shape.fields[field.target]
        if not known.text and (known.namespace or not known.attribute):
            yield known.namespace
        if isinstance(field, ir.Nested):
            for block in field.blocks:
                yield from _namespaces(field.type.shape, block.fields)


def _prefixes(first: str, others: list[str]) -> tuple[Names, str]:
    """Names with their prefixes, and the declarations.

    Elements without namespace forbid one for all; then every namespace has a prefix.
    """
    spaces = list(dict.fromkeys([first, *others]))
    bare = "" in spaces
    prefixes = {
        space: "" if not space or (number == 0 and not bare) else f"n{number}:"
        for number, space in enumerate(spaces)
    }
    declared = "".join(
        f" xmlns{':' + prefix[:-1] if prefix else ''}={quoteattr(space)}"
        for space, prefix in prefixes.items()
        if space
    )
    return (lambda name, space: f"{prefixes.get(space, '')}{name}"), declared
