"""Export files: every row as its mapping says, nothing that breaks the file, constant memory."""

import csv
import io
import json
import random
import tracemalloc
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from lxml import etree
from msgspec import Meta

from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.mapping import bulk
from gateway.kit.mapping.schemas import Schemas
from tests.mappings.inputs import CHARACTERS, seed

LAYOUT = """\
layout: rows
form: csv
header: true
decimal: ","
date: "%d.%m.%Y"
columns:
  - {name: ID, width: 8, required: true}
  - {name: KIND, width: 10}
  - {name: TEXT, width: 20}
  - {name: DAY, type: date}
  - {name: AMOUNT, type: decimal, width: 12, precision: 8, scale: 2, align: right}
  - {name: COUNT, type: integer, width: 4}
  - {name: NOT_MAPPED, width: 3}
"""
FIELDS = """\
codes: {kinds: {a: "first", b: "se;cond"}}
fields:
  ID: id
  KIND: kind | code(kinds)
  TEXT: text
  DAY: day
  AMOUNT: amount
  COUNT: {value: count, when: count > 0}
"""
XSD = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:rows"
  targetNamespace="urn:rows" elementFormDefault="qualified">
  <xs:element name="Rows"><xs:complexType><xs:sequence>
    <xs:element ref="Row" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType></xs:element>
  <xs:element name="Row"><xs:complexType><xs:sequence>
    <xs:element name="Text" type="xs:string" minOccurs="0"/>
    <xs:element name="Amount"><xs:complexType><xs:simpleContent>
      <xs:extension base="Money"><xs:attribute name="Note" type="xs:string"/></xs:extension>
    </xs:simpleContent></xs:complexType></xs:element>
    <xs:element name="Day" type="xs:date" minOccurs="0"/>
  </xs:sequence><xs:attribute name="id" type="xs:string" use="required"/></xs:complexType>
  </xs:element>
  <xs:simpleType name="Money"><xs:restriction base="xs:decimal">
    <xs:totalDigits value="8"/><xs:fractionDigits value="2"/></xs:restriction></xs:simpleType>
</xs:schema>
"""
ELEMENTS = """\
fields:
  Day: day
  Amount:
    fields: {value: amount, Note: text}
  Text: text
  id: id
unused: [kind, count]
"""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What the exports of this file read."""

    id: Annotated[str, Meta(max_length=8)]
    kind: Annotated[str, Meta(max_length=1)]
    amount: Annotated[Decimal, Meta(extra_json_schema={"x-precision": 8, "x-scale": 2})]
    count: Annotated[int, Meta(ge=0, le=9999)]
    text: Annotated[str, Meta(max_length=20)] | None = None
    day: date | None = None


def row(**fields: Any) -> dict[str, Any]:
    """A row, with what is given changed."""
    return {"id": "1", "kind": "a", "amount": "1.50", "count": 0, **fields}


def lines(*found: dict[str, Any]) -> list[bytes]:
    """Rows as JSON lines."""
    return [json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in found]


def loaded(folder: Path, target: str, fields: str) -> mapping.Mapping:
    """A mapping of ``Line`` to one of the schemas in the folder."""
    fields = fields.replace("code(kinds)", 'code(kinds, "other")')
    text = f"mapping: rows\nversion: 1.0.0\nfrom: canonical.Line\nto: {target}\n{fields}"
    schemas = Schemas(folders=[folder], model=[Line])
    return mapping.load(mapping.parse(text, file="rows.yaml"), schemas, config={})


def flat(folder: Path, layout: str = LAYOUT) -> bulk.Export:
    """An export with a layout."""
    (folder / "rows.yaml").write_text(layout)
    form = "fixed" if "form: fixed" in layout else "csv"
    schemas = Schemas(folders=[folder], model=[Line])
    return bulk.flat(loaded(folder, f"{form}:rows", FIELDS), schemas.layout(f"{form}:rows"))


def xml(folder: Path, schema: str = XSD) -> bulk.Export:
    """An export into elements."""
    (folder / "rows.xsd").write_text(schema)
    return bulk.xml(loaded(folder, "xsd:rows#Row", ELEMENTS), "Row", inside=("Rows",))


def written(export: bulk.Export, *found: dict[str, Any]) -> str:
    """The file for some rows."""
    out = io.BytesIO()
    assert len(found) == export.write(lines(*found), out)
    return out.getvalue().decode()


def test_csv_with_quotes_where_they_have_to_be(tmp_path: Path) -> None:
    """Separators, quotes and line ends are quoted, also those that the mapping itself writes."""
    expected = (
        "ID;KIND;TEXT;DAY;AMOUNT;COUNT;NOT_MAPPED\n"
        "1;first;plain;29.02.2024;1,50;7;\n"
        '2;"se;cond";"a;b";;1,50;;\n'
        '3;other;"say ""x""";;-0,01;;\n'
        '4;first;"two\nlines";;1,50;;\n'
        '5;first;"a\rb";;1,50;;\n'
        "6;first;;;1,50;;\n"
    )

    assert expected == written(
        flat(tmp_path),
        row(text="plain", day="2024-02-29", count=7),
        row(id="2", kind="b", text="a;b"),
        row(id="3", kind="c", text='say "x"', amount="-0.01"),
        row(id="4", text="two\nlines"),
        row(id="5", text="a\rb"),
        row(id="6", text=""),
    )


def test_csv_without_quotes_refuses_what_would_need_them(tmp_path: Path) -> None:
    """A layout without quotes has no way to write a separator, so the row is refused."""
    export = flat(tmp_path, LAYOUT.replace("header: true", "quote: null"))

    assert "1;first;plain;;1,50;;\n" == written(export, row(text="plain"))
    with pytest.raises(bulk.RowRefused, match=r"row 2: .* no quotes"):
        written(export, row(), row(text="a;b"))


def test_csv_whose_decimals_have_the_separator(tmp_path: Path) -> None:
    """A decimal comma in a file separated by commas is quoted."""
    export = flat(tmp_path, LAYOUT.replace("header: true", 'separator: ","'))

    assert '1,first,x,,"1,50",,\n' == written(export, row(text="x"))


def test_fixed_width(tmp_path: Path) -> None:
    """Each value has its width, missing ones are spaces, gaps and fills are as the layout says."""
    layout = (
        LAYOUT.replace("form: csv", "form: fixed\nline_end: crlf")
        .replace("header: true", "")
        .replace("name: DAY, type: date", "name: DAY, type: date, width: 10")
        .replace("align: right", 'align: right, fill: "*", start: 50')
    )
    export = flat(tmp_path, layout)

    assert (
        f"1       first     {'plain':20}29.02.2024  ********1,507      \r\n"
        f"2       other     {'':20}          {'':2}********1,50{'':4}   \r\n"
    ) == written(
        export,
        row(text="plain", day="2024-02-29", count=7),
        row(id="2", kind="c"),
    )
    for text in ("a\nb", "a\x00b", "a\x85b", "\x7f"):
        with pytest.raises(bulk.RowRefused, match=r"row 1: .*line end or control"):
            written(export, row(text=text))


def test_xml_with_what_has_to_be_escaped(tmp_path: Path) -> None:
    """In the order of the XSD, text and attributes escaped, what is missing left out."""
    expected = (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<Rows xmlns="urn:rows">'
        '<Row id="&lt;&amp;&quot;&gt;"><Text>a &lt; b</Text><Amount Note="a &lt; b">1.50</Amount>'
        "<Day>2024-02-29</Day></Row>"
        '<Row id="2"><Amount>1.50</Amount></Row>'
        "</Rows>"
    )

    assert expected == written(
        xml(tmp_path), row(id='<&">', text="a < b", day="2024-02-29"), row(id="2")
    )


def test_xml_without_namespace_on_elements(tmp_path: Path) -> None:
    """Local elements without namespace do not fall into that of the document."""
    text = written(xml(tmp_path, XSD.replace('elementFormDefault="qualified"', "")), row(text="x"))
    [found] = etree.fromstring(text.encode())

    assert "{urn:rows}Row" == found.tag
    assert ["Text", "Amount"] == [child.tag for child in found]


def test_xml_refuses_characters_that_it_does_not_know(tmp_path: Path) -> None:
    """No parser would read them back."""
    for text in ("\x00", "a\x0b", "\x1f", "\ufffe", "\uffff"):
        with pytest.raises(bulk.RowRefused, match=r"row 2: .*XML does not know"):
            written(xml(tmp_path), row(), row(text=text))


def test_any_text_comes_back_from_csv(tmp_path: Path) -> None:
    """Python's reader of CSV gives every random text back; a null character is refused."""
    texts = [text.replace("\0", "") for text in _texts()]
    found = written(flat(tmp_path), *(row(text=text) for text in texts))
    read = list(csv.reader(io.StringIO(found, newline=""), delimiter=";"))

    assert texts == [values[2] for values in read[1:]]


def test_any_text_comes_back_from_xml(tmp_path: Path) -> None:
    """A parser gives every random text back, from elements and attributes, and the XSD holds."""
    texts = [text for text in _texts() if not set(text) & {"\x00", "\x1f"}]
    found = written(xml(tmp_path), *(row(text=text) for text in texts))
    root = etree.fromstring(found.encode())

    etree.XMLSchema(etree.fromstring(XSD.encode())).assertValid(root)
    assert texts == [each.findtext("{*}Text") for each in root]
    assert texts == [each.find("{*}Amount").get("Note") for each in root]


def _texts() -> Iterator[str]:
    chance = random.Random(seed())
    for _ in range(400):
        yield "".join(chance.choices(CHARACTERS, k=chance.randrange(12)))[:20]


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (b"{", "row 3: .*not of its schema"),
        (b'{"id": 1}', "row 3: .*not of its schema"),
        (lines(row(text="x" * 21))[0], "row 3: .*not of its schema"),
        (lines(row(amount="1.234"))[0], "row 3: .*not of its schema"),
        (lines(row(amount="NaN"))[0], "row 3: .*not of its schema"),
        (lines(row(amount="1234567.00"))[0], "row 3: .*not of its schema"),
        (lines(row(amount="١"))[0], "row 3: .*not of its schema"),
        (lines(row(day="2026-02-30"))[0], "row 3: .*/DAY"),
    ],
)
def test_bad_row_is_named(bad: bytes, complaint: str, tmp_path: Path) -> None:
    """A row that does not fit is refused with its number and with what the mapping says of it."""
    with pytest.raises(bulk.RowRefused, match=complaint) as refused:
        flat(tmp_path).write([*lines(row()), b"\n", *lines(row()), bad], io.BytesIO())

    assert 3 == refused.value.row
    assert isinstance(refused.value, Rejected)


def test_encoding_that_lacks_a_character(tmp_path: Path) -> None:
    """A character that the file cannot hold is refused with its row, not replaced."""
    export = flat(tmp_path, LAYOUT.replace("form: csv", "form: csv\nencoding: latin-1"))
    out = io.BytesIO()
    export.write(lines(row(text="ü")), out)

    assert "1;first;ü;;1,50;;".encode("latin-1") in out.getvalue()
    with pytest.raises(bulk.RowRefused, match=r"row 2: latin-1 lacks"):
        export.write(lines(row(), row(text="Ł")), io.BytesIO())


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    """A hundred times the rows take the same memory."""
    export, one = flat(tmp_path), lines(row(text="x"))[0]

    def peak(count: int) -> int:
        tracemalloc.start()
        export.write((one for _ in range(count)), _Nowhere())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1_000)
    assert peak(100_000) < 2 * peak(1_000)


class _Nowhere(io.BytesIO):
    def write(self, data: Any) -> int:
        return len(data)


@pytest.mark.parametrize("name", ["csv", "fixed", "xml"])
def test_exports_of_the_contracts(
    name: str, contracts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The three exports that the benchmark measures are byte by byte what the contracts expect."""
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[4] / "benchmarks")
    import _exports

    files = {
        "csv": "expected.csv",
        "fixed": "expected-fixed.txt",
        "xml": "expected-transactions.xml",
    }
    _exports.write(name, contracts / "mapping/bulk/in.jsonl", tmp_path / "out")

    assert (contracts / "mapping/bulk" / files[name]).read_bytes() == (
        tmp_path / "out"
    ).read_bytes()


class Kinds(msgspec.Struct, frozen=True, kw_only=True):
    """A row with texts in a list."""

    id: str
    tags: list[str]


def test_joined_texts_are_made_safe(tmp_path: Path) -> None:
    """Separators, quotes, line ends and markup of what ``join`` makes."""
    (tmp_path / "rows.yaml").write_text(
        "layout: rows\nform: csv\ncolumns: [{name: A}, {name: B}]\n"
    )
    (tmp_path / "rows.xsd").write_text(XSD)
    schemas = Schemas(folders=[tmp_path], model=[Kinds])
    tags = ["a;b", '"', "c\nd", "<x/>&"]
    body = msgspec.json.encode({"id": "e", "tags": tags}) + b"\n"
    head = "mapping: rows\nversion: 1.0.0\nfrom: canonical.Kinds\nto: csv:rows\n"
    loaded = mapping.load(
        mapping.parse(head + "fields: {A: 'tags | join(\" \")', B: id}", file="rows.yaml"), schemas
    )
    out = io.BytesIO()
    bulk.flat(loaded, schemas.layout("csv:rows")).write(io.BytesIO(body), out)
    rows = list(csv.reader(io.StringIO(out.getvalue().decode(), newline=""), delimiter=";"))

    assert [" ".join(tags), "e"] == rows[-1]

    text = head.replace("csv:rows", "xsd:rows#Row") + (
        "fields: {id: id, Text: 'tags | join(\" \")', Amount: {fields: {value: 'dec(\"1.00\")'}}}"
    )
    out = io.BytesIO()
    loaded = mapping.load(mapping.parse(text, file="rows.yaml"), schemas)
    bulk.xml(loaded, "Row", inside=("Rows",)).write(io.BytesIO(body), out)

    assert " ".join(tags) == etree.fromstring(out.getvalue())[0][0].text


def test_objects_with_a_condition(tmp_path: Path) -> None:
    """An element whose condition does not hold is left out whole; inside, null is ruled out."""
    schema = XSD.replace(
        '<xs:element name="Day"',
        '''<xs:element name="Note" minOccurs="0"><xs:complexType><xs:sequence>
      <xs:element name="Kind" type="xs:string"/><xs:element name="Text" type="xs:string"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:element name="Day"''',
    )
    fields = """\
fields:
  Amount:
    fields: {value: amount}
  Note:
    when: has(text) and count > 0
    fields: {Kind: kind, Text: text}
  id: id
unused: [day]
"""
    (tmp_path / "rows.xsd").write_text(schema)
    export = bulk.xml(loaded(tmp_path, "xsd:rows#Row", fields), "Row", inside=("Rows",))
    expected = [
        '<Row id="1"><Amount>1.50</Amount></Row>',
        '<Row id="2"><Amount>1.50</Amount></Row>',
        '<Row id="3"><Amount>1.50</Amount><Note><Kind>a</Kind><Text>x&lt;y</Text></Note></Row>',
    ]
    text = written(
        export,
        row(text="x"),
        row(id="2", count=1),
        row(id="3", count=1, text="x<y"),
    )

    assert "".join(expected) == text.partition('<Rows xmlns="urn:rows">')[2].removesuffix("</Rows>")
