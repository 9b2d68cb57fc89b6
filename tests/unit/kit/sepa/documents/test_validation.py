"""Validation while writing: nothing of what was validated is kept."""

import io
from pathlib import Path

from gateway.kit.sepa.documents.validation import Validated
from tests.unit.kit.sepa.documents.test_streams import resident_kb

SCHEMA = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="r"><xs:complexType>
  <xs:sequence><xs:element name="a" maxOccurs="unbounded"><xs:complexType><xs:sequence>
    <xs:element name="b" type="xs:integer" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType></xs:element></xs:sequence>
</xs:complexType></xs:element></xs:schema>
"""


class Nowhere(io.BytesIO):
    """Takes what is written, and forgets it."""

    def write(self, data: object) -> int:
        """Nothing."""
        return len(bytes(data))  # type: ignore[call-overload]  # bytes are written


def test_rows_are_forgotten(tmp_path: Path) -> None:
    """A million elements pass through in the memory of a few."""
    schema = tmp_path / "r.xsd"
    schema.write_text(SCHEMA)
    sink = Validated(Nowhere(), schema, "a")
    sink.write(b"<r>")
    block = (b"<a>" + b"<b>1</b>" * 100 + b"</a>") * 20
    for _ in range(20):
        sink.rows(block)
    before = resident_kb()
    for _ in range(200):
        sink.rows(block)

    assert resident_kb() < before + 8_000
    sink.write(b"</r>")
    assert [] == sink.close()


def test_the_end_is_looked_at(tmp_path: Path) -> None:
    """What is missing at the end of the document is found as well."""
    schema = tmp_path / "r.xsd"
    before, end, after = SCHEMA.rpartition("</xs:sequence>")
    schema.write_text(f'{before}<xs:element name="z"/>{end}{after}')
    sink = Validated(Nowhere(), schema, "a")
    sink.write(b"<r>")
    sink.rows(b"<a><b>1</b></a>")
    sink.write(b"</r>")

    assert [("schema", "r", 0)] == [(each.rule, each.field, each.row) for each in sink.close()]
