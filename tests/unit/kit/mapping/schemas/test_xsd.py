"""XSD as types of a mapping."""

from pathlib import Path

import pytest

from gateway.kit.mapping.schemas import SchemaError, Schemas
from gateway.kit.mapping.types import Field, Kind, Shape, Type, Wire

HEAD = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:a" '
    'targetNamespace="urn:a" elementFormDefault="qualified">'
)


BODY = """
 <xs:element name="Document" type="Doc"/>
 <xs:complexType name="Doc"><xs:sequence>
  <xs:element name="Id" type="Max35"/>
  <xs:element name="Amt" type="Amount" minOccurs="0"/>
  <xs:element name="Day" type="xs:date"/>
  <xs:element name="Made" type="xs:dateTime"/>
  <xs:element name="Count"><xs:simpleType><xs:restriction base="xs:int">
    <xs:minInclusive value="1"/><xs:maxExclusive value="10"/></xs:restriction></xs:simpleType>
  </xs:element>
  <xs:choice>
   <xs:element name="IBAN" type="Iban"/>
   <xs:element name="Othr" type="Max35"/>
  </xs:choice>
  <xs:choice><xs:element name="Only" type="Max35"/></xs:choice>
  <xs:element name="Line" type="Line" minOccurs="2" maxOccurs="5"/>
  <xs:sequence maxOccurs="unbounded"><xs:element name="Pair" type="xs:boolean"/></xs:sequence>
  <xs:group ref="Extra" minOccurs="0"/>
  <xs:element ref="Note"/>
  <xs:element name="Nil" type="xs:decimal" nillable="true"/>
  <xs:element name="Code" type="Codes"/>
  <xs:element name="Any" type="xs:anyType"/>
 </xs:sequence><xs:attribute name="Ver" type="Max35" use="required"/>
 <xs:attribute name="Kind" type="xs:string" fixed="A"/></xs:complexType>
 <xs:simpleType name="Max35"><xs:restriction base="xs:string">
  <xs:minLength value="1"/><xs:maxLength value="35"/></xs:restriction></xs:simpleType>
 <xs:simpleType name="Iban"><xs:restriction base="Max35">
  <xs:pattern value="[A-Z]{2,2}[0-9]{2,2}[A-Z0-9]{1,30}"/></xs:restriction></xs:simpleType>
 <xs:simpleType name="Codes"><xs:restriction base="xs:string">
  <xs:pattern value="[A-Z]{2}"/><xs:pattern value="[A-Z]{4}"/>
  <xs:enumeration value="AB"/><xs:enumeration value="ABCD"/></xs:restriction></xs:simpleType>
 <xs:complexType name="Amount"><xs:simpleContent><xs:extension base="Amount_Simple">
  <xs:attribute name="Ccy" type="Ccy" use="required"/></xs:extension></xs:simpleContent>
 </xs:complexType>
 <xs:simpleType name="Amount_Simple"><xs:restriction base="xs:decimal">
  <xs:fractionDigits value="5"/><xs:totalDigits value="18"/><xs:minInclusive value="0"/>
 </xs:restriction></xs:simpleType>
 <xs:simpleType name="Ccy"><xs:restriction base="xs:string"><xs:pattern value="[A-Z]{3,3}"/>
 </xs:restriction></xs:simpleType>
 <xs:complexType name="Line"><xs:complexContent><xs:extension base="LineBase">
  <xs:sequence><xs:element name="More" type="xs:string" minOccurs="0"/></xs:sequence>
 </xs:extension></xs:complexContent></xs:complexType>
 <xs:complexType name="LineBase"><xs:sequence><xs:element name="First" type="xs:string"/>
  <xs:element name="Inner" type="Line" minOccurs="0"/></xs:sequence></xs:complexType>
 <xs:group name="Extra"><xs:sequence><xs:element name="X" type="xs:unsignedByte"/></xs:sequence>
 </xs:group>
 <xs:element name="Note" type="Max35"/>
</xs:schema>"""


def document(folder: Path, body: str = BODY, head: str = HEAD) -> Shape:
    """The shape of the element ``Document``."""
    (folder / "a.xsd").write_text(head + body, encoding="utf-8")
    shape = Schemas(folders=[folder]).resolve("xsd:a#Document").shape
    assert shape is not None
    return shape


def field(folder: Path, name: str) -> Field:
    """One field of it."""
    return document(folder).fields[name]


def read_lines(folder: Path, body: str) -> None:
    """Go to the fields of a document and of its lines."""
    item = document(folder, body).fields["Line"].type.item
    assert item is not None
    assert item.shape is not None
    assert item.shape.fields


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Id", Type(kind=Kind.TEXT, min_length=1, max_length=35)),
        ("Day", Type(kind=Kind.DATE)),
        ("Made", Type(kind=Kind.INSTANT)),
        ("Count", Type(kind=Kind.INTEGER, minimum=1, maximum=9)),
        (
            "IBAN",
            Type(
                kind=Kind.TEXT,
                min_length=5,
                max_length=34,
                upper=True,
                regex=r"(?:^(?:[A-Z]{2,2}[0-9]{2,2}[A-Z0-9]{1,30})\Z)",
            ),
        ),
        (
            "Code",
            Type(
                kind=Kind.TEXT,
                values=("AB", "ABCD"),
                min_length=2,
                max_length=4,
                upper=True,
                regex=r"(?:^(?:[A-Z]{2})\Z|^(?:[A-Z]{4})\Z)",
            ),
        ),
        ("X", Type(kind=Kind.INTEGER, minimum=0, maximum=255)),
        ("Nil", Type(kind=Kind.DECIMAL, nullable=True)),
        ("Pair", Type(kind=Kind.LIST, item=Type(kind=Kind.BOOLEAN), min_items=1)),
        ("Any", Type(kind=Kind.ANY)),
        ("Kind", Type(kind=Kind.TEXT, values=("A",))),
    ],
)
def test_simple_types(tmp_path: Path, name: str, expected: Type) -> None:
    """Built-in types, and what facets make of them."""
    assert expected == field(tmp_path, name).type


def test_fields_stand_in_the_order_of_writing(tmp_path: Path) -> None:
    """Attributes first, then elements as the sequence has them, groups in their place."""
    expected = "Ver Kind Id Amt Day Made Count IBAN Othr Only Line Pair X Note Nil Code Any".split()

    assert expected == list(document(tmp_path).fields)


def test_what_is_required(tmp_path: Path) -> None:
    """Not what may be absent, is one of several, or stands in an optional group."""
    fields = document(tmp_path).fields
    optional = [name for name in fields if not fields[name].required]

    assert ["Kind", "Amt", "IBAN", "Othr", "X"] == optional


def test_text_with_attributes_is_an_object(tmp_path: Path) -> None:
    """``<Amt Ccy="EUR">12.50</Amt>``: the text is ``value``, the currency an attribute."""
    shape = field(tmp_path, "Amt").type.shape
    assert shape is not None
    value, currency = shape.fields["value"], shape.fields["Ccy"]

    assert Type(kind=Kind.DECIMAL, precision=18, scale=5, minimum=0) == value.type
    assert (True, False, True) == (value.text, value.attribute, value.required)
    assert (False, True, True) == (currency.text, currency.attribute, currency.required)
    assert (3, 3, True) == (
        currency.type.min_length,
        currency.type.max_length,
        currency.type.upper,
    )


def test_lists_have_their_bounds(tmp_path: Path) -> None:
    """What may stand several times is a list, with as many items as allowed."""
    found = field(tmp_path, "Line").type

    assert (Kind.LIST, 2, 5) == (found.kind, found.min_items, found.max_items)


def test_an_extension_adds_behind(tmp_path: Path) -> None:
    """Fields of the extended type come first; a type may lead to itself."""
    item = field(tmp_path, "Line").type.item
    assert item is not None
    assert item.shape is not None

    assert ["First", "Inner", "More"] == list(item.shape.fields)
    assert item.shape is item.shape.fields["Inner"].type.shape


def test_namespaces_are_those_on_the_wire(tmp_path: Path) -> None:
    """Local elements have one if the schema says qualified; attributes have none."""
    shape = document(tmp_path)
    bare = document(tmp_path, head=HEAD.replace('elementFormDefault="qualified"', ""))

    assert ("Document", "urn:a") == (shape.name, shape.namespace)
    assert ("urn:a", "") == (shape.fields["Id"].namespace, shape.fields["Ver"].namespace)
    assert ("urn:a", "") == (bare.namespace, bare.fields["Id"].namespace)
    assert "urn:a" == bare.fields["Note"].namespace


def test_files_include_each_other(tmp_path: Path) -> None:
    """An included file without a namespace takes that of the one around it; circles end."""
    (tmp_path / "b.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        '<xs:include schemaLocation="a.xsd"/><xs:simpleType name="Short">'
        '<xs:restriction base="xs:string"><xs:length value="3"/></xs:restriction></xs:simpleType>'
        "</xs:schema>"
    )
    body = '<xs:include schemaLocation="b.xsd"/><xs:element name="Document"><xs:complexType>'
    body += '<xs:all><xs:element name="S" type="Short"/></xs:all></xs:complexType></xs:element>'
    shape = document(tmp_path, body + "</xs:schema>")

    assert (3, 3) == (shape.fields["S"].type.min_length, shape.fields["S"].type.max_length)


@pytest.mark.parametrize(
    ("find", "replace", "message"),
    [
        ('name="Document"', 'name="Documents"', r"no element Document \(did you mean Documents\?"),
        ('name="Id" type="Max35"', 'name="Id" type="Max36"', r"a\.xsd:4: .*Max36 .*Max35\?"),
        ('base="Max35"', 'base="Iban"', "rests on itself"),
        ('maxLength value="35"', 'maxLength value="x"', "a facet is not a number"),
        (
            ' <xs:element name="Note"',
            '<xs:include schemaLocation="http://x/y.xsd"/><xs:element name="Note"',
            r"a\.xsd:\d+: names http://x/y\.xsd: nothing is fetched",
        ),
        ('base="LineBase"', 'base="Line"', "rests on itself"),
    ],
)
def test_a_mistake_names_file_and_line(
    tmp_path: Path, find: str, replace: str, message: str
) -> None:
    """What is missing or in a circle, where, and what comes close."""
    with pytest.raises(SchemaError, match=message):
        read_lines(tmp_path, BODY.replace(find, replace))


def whole(folder: Path, content: str, further: str = "") -> dict[str, Field]:
    """The fields of a ``Document`` with this content."""
    body = f'<xs:element name="Document"><xs:complexType>{content}</xs:complexType></xs:element>'
    return dict(document(folder, f"{body}{further}</xs:schema>").fields)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('<xs:union memberTypes="xs:date"/>', Type(kind=Kind.DATE)),
        (
            (
                '<xs:union><xs:simpleType><xs:restriction base="xs:string">'
                '<xs:enumeration value="A"/></xs:restriction></xs:simpleType>'
                '<xs:simpleType><xs:restriction base="xs:string">'
                '<xs:enumeration value="B"/></xs:restriction></xs:simpleType></xs:union>'
            ),
            Type(kind=Kind.TEXT, values=("A", "B")),
        ),
        ('<xs:list itemType="xs:int"/>', Type(kind=Kind.TEXT)),
        (
            (
                '<xs:restriction><xs:simpleType><xs:restriction base="xs:integer">'
                '<xs:totalDigits value="3"/></xs:restriction></xs:simpleType></xs:restriction>'
            ),
            Type(kind=Kind.INTEGER, minimum=-999, maximum=999),
        ),
        (
            (
                '<xs:restriction base="xs:decimal"><xs:minExclusive value="0"/>'
                '<xs:maxInclusive value="9.5"/></xs:restriction>'
            ),
            Type(kind=Kind.DECIMAL, minimum=0, maximum=10),
        ),
        (
            (
                '<xs:restriction base="xs:string"><xs:pattern value="[A-Z]"/>'
                '<xs:pattern value="\\p{L}"/></xs:restriction>'
            ),
            Type(kind=Kind.TEXT),
        ),
    ],
)
def test_unions_lists_and_bounds(tmp_path: Path, content: str, expected: Type) -> None:
    """One of several types, values with spaces, and bounds that are no whole numbers."""
    element = f'<xs:element name="A"><xs:simpleType>{content}</xs:simpleType></xs:element>'
    found = whole(tmp_path, f"<xs:sequence>{element}</xs:sequence>")

    assert expected == found["A"].type


def test_attributes_come_from_groups_and_references(tmp_path: Path) -> None:
    """A global attribute is written with its namespace; a prohibited one is none."""
    found = whole(
        tmp_path,
        '<xs:attributeGroup ref="G"/><xs:attribute ref="lang" use="required"/>'
        '<xs:attribute name="no" use="prohibited"/><xs:attribute name="d" default="x"/>',
        '<xs:attributeGroup name="G"><xs:attribute name="g" type="xs:int"/></xs:attributeGroup>'
        '<xs:attribute name="lang" type="xs:string"/>',
    )

    assert ["g", "lang", "d"] == list(found)
    assert ("urn:a", True, "") == (
        found["lang"].namespace,
        found["lang"].required,
        found["g"].namespace,
    )
    assert "x" == found["d"].default


def test_an_attribute_called_value_leaves_the_text_its_place(tmp_path: Path) -> None:
    """The text beside it is ``value_``; text without attributes is no object."""
    simple = '<xs:simpleContent><xs:extension base="xs:string">{}</xs:extension></xs:simpleContent>'
    inner = f'<xs:element name="A"><xs:complexType>{simple}</xs:complexType></xs:element>'
    with_one = whole(tmp_path, simple.format('<xs:attribute name="value"/>'))
    without = whole(tmp_path, f"<xs:sequence>{inner.format('')}</xs:sequence>")

    assert ["value_", "value"] == list(with_one)
    assert [True, False] == [field.text for field in with_one.values()]
    assert Type(kind=Kind.TEXT) == without["A"].type


def test_text_of_a_derived_type(tmp_path: Path) -> None:
    """Simple content that rests on simple content has its text and all attributes."""
    found = whole(
        tmp_path,
        '<xs:simpleContent><xs:extension base="Base"><xs:attribute name="b"/></xs:extension>'
        "</xs:simpleContent>",
        '<xs:complexType name="Base"><xs:simpleContent><xs:extension base="xs:decimal">'
        '<xs:attribute name="a"/></xs:extension></xs:simpleContent></xs:complexType>',
    )

    assert ["value", "a", "b"] == list(found)
    assert Kind.DECIMAL is found["value"].type.kind


def test_an_element_in_two_alternatives(tmp_path: Path) -> None:
    """It has what is allowed in either of them."""
    choice = "<xs:sequence><xs:element name='A'><xs:simpleType><xs:restriction base='xs:string'>"
    choice += "<xs:maxLength value='{}'/></xs:restriction></xs:simpleType></xs:element>"
    choice += "</xs:sequence>"
    found = whole(tmp_path, f"<xs:choice>{choice.format(3)}{choice.format(5)}</xs:choice>")

    assert (5, False) == (found["A"].type.max_length, found["A"].required)


def test_an_attribute_and_an_element_of_one_name_are_refused(tmp_path: Path) -> None:
    """A path could not tell them apart."""
    content = '<xs:sequence><xs:element name="A"/></xs:sequence><xs:attribute name="A"/>'

    with pytest.raises(SchemaError, match="Document: A is both attribute and element"):
        whole(tmp_path, content)


def test_a_group_that_contains_itself_is_refused(tmp_path: Path) -> None:
    """Reading ends."""
    group = '<xs:group name="G"><xs:sequence><xs:group ref="G"/></xs:sequence></xs:group>'

    with pytest.raises(SchemaError, match="a group contains itself"):
        whole(tmp_path, '<xs:group ref="G"/>', group)


def test_a_simple_root_is_no_object(tmp_path: Path) -> None:
    """The type of an element with text only is that of the text."""
    (tmp_path / "a.xsd").write_text(f'{HEAD}<xs:element name="A" type="xs:int"/></xs:schema>')

    assert Kind.INTEGER is Schemas(folders=[tmp_path]).resolve("xsd:a#A").kind


def test_a_name_of_another_namespace_is_not_found(tmp_path: Path) -> None:
    """The same local name elsewhere does not count."""
    content = '<xs:sequence><xs:element name="A" type="o:Max35" xmlns:o="urn:o"/></xs:sequence>'

    with pytest.raises(SchemaError, match="o:Max35 is not here"):
        whole(tmp_path, content, '<xs:simpleType name="Max35"/>')


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("integer", (None, None)),
        ("nonNegativeInteger", (0, None)),
        ("positiveInteger", (1, None)),
        ("nonPositiveInteger", (None, 0)),
        ("negativeInteger", (None, -1)),
        ("byte", (-128, 127)),
        ("short", (-32_768, 32_767)),
        ("int", (-2_147_483_648, 2_147_483_647)),
        ("long", (-9_223_372_036_854_775_808, 9_223_372_036_854_775_807)),
        ("unsignedByte", (0, 255)),
        ("unsignedShort", (0, 65_535)),
        ("unsignedInt", (0, 4_294_967_295)),
        ("unsignedLong", (0, 18_446_744_073_709_551_615)),
    ],
)
def test_whole_numbers_have_their_range(
    tmp_path: Path, name: str, expected: tuple[int | None, int | None]
) -> None:
    """As XML Schema part 2 has them."""
    element = f'<xs:element name="A" type="xs:{name}"/>'
    found = whole(tmp_path, f"<xs:sequence>{element}</xs:sequence>")["A"].type

    assert (Kind.INTEGER, expected) == (found.kind, (found.minimum, found.maximum))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("string", Kind.TEXT),
        ("token", Kind.TEXT),
        ("gYear", Kind.TEXT),
        ("decimal", Kind.DECIMAL),
        ("float", Kind.FLOAT),
        ("double", Kind.FLOAT),
        ("boolean", Kind.BOOLEAN),
        ("date", Kind.DATE),
        ("dateTime", Kind.INSTANT),
        ("time", Kind.TIME),
        ("base64Binary", Kind.BINARY),
        ("anySimpleType", Kind.ANY),
    ],
)
def test_other_built_in_types(tmp_path: Path, name: str, kind: Kind) -> None:
    """Each has its kind; what is not listed is text."""
    element = f'<xs:element name="A" type="xs:{name}"/>'
    found = whole(tmp_path, f"<xs:sequence>{element}</xs:sequence>")

    assert Type(kind=kind) == found["A"].type


def test_bytes_in_hexadecimal_digits(tmp_path: Path) -> None:
    """Bytes of the one notation are none of the other."""
    found = whole(tmp_path, '<xs:sequence><xs:element name="A" type="xs:hexBinary"/></xs:sequence>')

    assert Type(kind=Kind.BINARY, wire=Wire.HEX) == found["A"].type
