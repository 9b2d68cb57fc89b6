"""XML from outside: what is hostile or broken is refused, and memory does not grow."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import Rejected
from gateway.kit.sepa.documents import statements, statuses, streams

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
HEAD = '<?xml version="1.0"?>'


class Endless(io.RawIOBase):
    """A document that is made while it is read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def read(self, _size: int = -1) -> bytes:
        """The next part, however much was asked for."""
        return next(self._parts, b"")


def texts(document: bytes | str, kept: str = "a", **options: Any) -> list[str]:
    data = document.encode() if isinstance(document, str) else document
    found = streams.elements(io.BytesIO(data), frozenset(kept.split()), **options)
    return [f"{each.name}={''.join(map(''.join, each.texts.values()))}" for each in found]


def test_any_namespace() -> None:
    """Prefixes and namespaces do not matter; what is inside a kept element comes with it."""
    document = (
        '<x:r xmlns:x="urn:1"><x:a><c>1</c><a>2</a></x:a><b>3</b><a xmlns="urn:2">4</a></x:r>'
    )

    assert ["a=12", "a=4"] == texts(document)
    assert ["a=12", "b=", "a=4"] == texts(document, ends=frozenset({"b"}))


@pytest.mark.parametrize(
    "document",
    [
        f'{HEAD}<!DOCTYPE r [<!ENTITY l0 "ha">{LAUGHS}]><r><a>&l9;</a></r>',
        f'{HEAD}<!DOCTYPE r [<!ENTITY l0 "ha">{LAUGHS}]><r b="&l9;"><a/></r>',
        f'{HEAD}<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><r><a>&f;</a></r>',
        f'{HEAD}<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><r><a>1</a></r>',
        f"{HEAD}<!DOCTYPE r><r><a>1</a></r>",
        f'{HEAD}<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x">%p;]><r><a>1</a></r>',
    ],
    ids=["laughs", "laughs in an attribute", "file", "foreign", "bare", "parameter"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_hostile(document: str, encoding: str) -> None:
    """Whatever needs a DOCTYPE is refused before anything is given, in any encoding."""
    data = document.replace(HEAD, "").encode(encoding)

    with pytest.raises(Rejected) as refusal:
        texts(data)

    assert refusal.value.code in {"document_hostile", "document_broken"}
    assert "root:" not in str(refusal.value)


@pytest.mark.parametrize(
    "document",
    ["", "<r>", "<r><a></r>", "<r/><r/>", "no xml", "<r>&undefined;</r>", "<a>" * 300, "\x00"],
)
def test_broken(document: str) -> None:
    """No XML, half of it, or nested without end: a place is named, the content is not."""
    with pytest.raises(Rejected) as refusal:
        texts(document)

    assert "document_broken" == refusal.value.code
    assert "undefined" not in str(refusal.value)


def test_what_came_before_the_break_counts() -> None:
    """Elements that were complete are given, then the document is refused."""
    found = streams.elements(io.BytesIO(b"<r><a>1</a>" + b" " * 70_000 + b"<"), frozenset("a"))

    assert "a" == next(found).name
    with pytest.raises(Rejected):
        list(found)


def test_also_in_the_same_block() -> None:
    """It does not matter how the document was cut into blocks."""
    found = streams.elements(io.BytesIO(b"<r><a>1</a></b>"), frozenset("a"))

    assert {"": ["1"]} == next(found).texts
    with pytest.raises(Rejected):
        next(found)


def test_too_large() -> None:
    """A hundred megabytes are refused while they are read, in the memory of a few blocks."""
    parts = iter([b"<r>", *[b"<b>" + b"x" * 65_000 + b"</b>"] * 1600])
    before = resident_kb()

    with pytest.raises(Rejected) as refusal:
        list(streams.elements(Endless(parts), frozenset("a")))  # type: ignore[arg-type]  # reads

    assert "document_too_large" == refusal.value.code
    assert resident_kb() < before + 4_000


def test_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elements without content are counted, because each costs time."""
    monkeypatch.setattr(streams, "_MOST_ELEMENTS", 1000)

    assert [] == texts("<r>" + "<b/>" * 999 + "</r>")
    with pytest.raises(Rejected) as refusal:
        texts("<r>" + "<b/>" * 1000 + "</r>")
    assert "document_too_large" == refusal.value.code


def test_too_much_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is remembered whole, so it may not be endless."""
    monkeypatch.setattr(streams, "_MOST_TEXTS", 1000)

    assert 1 == len(texts("<r><a>" + "<b>1</b>" * 999 + "</a></r>"))
    with pytest.raises(Rejected) as refusal:
        texts("<r><a>" + "<b>1</b>" * 1000 + "</a></r>")
    assert "document_too_large" == refusal.value.code


def payments(count: int) -> Iterator[bytes]:
    yield b"<Document><BkToCstmrStmt><Stmt><Ntry><Amt Ccy='EUR'>1</Amt><NtryDtls>"
    for _ in range(count):
        yield b"<TxDtls><Amt Ccy='EUR'>1.00</Amt></TxDtls>" * 100
    yield b"</NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>"


def lines(count: int) -> Iterator[bytes]:
    yield b"<Document><BkToCstmrStmt><Stmt>"
    for _ in range(count):
        yield b"<Ntry><Amt Ccy='EUR'>1</Amt></Ntry>" * 100
    yield b"</Stmt></BkToCstmrStmt></Document>"


def rejects(count: int) -> Iterator[bytes]:
    yield b"<Document><CstmrPmtStsRpt><OrgnlPmtInfAndSts><PmtInfSts>RJCT</PmtInfSts>"
    for _ in range(count):
        yield b"<TxInfAndSts><OrgnlEndToEndId>1</OrgnlEndToEndId></TxInfAndSts>" * 100
    yield b"</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"


@pytest.mark.parametrize(
    ("read", "parts", "extra"),
    [(statements.read, payments, 0), (statements.read, lines, 0), (statuses.read, rejects, 1)],
    ids=["payments of one line", "lines", "rejects"],
)
def test_constant_memory(read: Any, parts: Any, extra: int) -> None:
    """Whatever there are many of; the elements of a document that were read are gone."""

    def most(count: int) -> int:
        found, number = 0, 0
        for number, _ in enumerate(read(Endless(parts(count))), 1):
            found = max(found, resident_kb()) if number % 500 == 0 else found
        assert count * 100 + extra == number
        return found

    most(20)
    small = most(20)

    assert most(400) < small + 4_000


def resident_kb() -> int:
    """What the process holds, libxml2 included."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4
