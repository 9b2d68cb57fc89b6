"""What the operations of a SOAP interface take and answer."""

from pathlib import Path

import pytest

from gateway.kit.mapping.schemas import SchemaError, Schemas
from gateway.kit.mapping.types import Kind

WSDL = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:w"
  xmlns:w="urn:w" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
 <types><xsd:schema targetNamespace="urn:w">
  <xsd:element name="POST"><xsd:complexType><xsd:sequence>
   <xsd:element name="ITEMS"><xsd:complexType><xsd:sequence>
    <xsd:element name="item" type="w:ROW" minOccurs="0" maxOccurs="unbounded"/>
   </xsd:sequence></xsd:complexType></xsd:element>
  </xsd:sequence></xsd:complexType></xsd:element>
  <xsd:element name="POST.Response"><xsd:complexType><xsd:sequence>
   <xsd:element name="DOC" type="xsd:string"/></xsd:sequence></xsd:complexType></xsd:element>
  <xsd:complexType name="ROW"><xsd:all><xsd:element name="KOART" type="xsd:string"/></xsd:all>
  </xsd:complexType>
 </xsd:schema></types>
 <message name="In"><part name="parameters" element="w:POST"/></message>
 <message name="Out"><part name="parameters" element="w:POST.Response"/></message>
 <portType name="P"><operation name="POST_ENTRY">
  <input message="w:In"/><output message="w:Out"/></operation></portType>
</definitions>"""


def test_an_operation_is_what_it_takes_and_answers(tmp_path: Path) -> None:
    """The element of the input message; with ``/output`` that of the answer."""
    (tmp_path / "w.wsdl").write_text(WSDL)
    schemas = Schemas(folders=[tmp_path])
    taken = schemas.resolve("wsdl:w#POST_ENTRY").shape
    answered = schemas.resolve("wsdl:w#POST_ENTRY/output").shape
    assert taken is not None
    assert answered is not None
    items = taken.fields["ITEMS"].type.shape
    assert items is not None

    assert ["POST_ENTRY", "POST_ENTRY/output"] == schemas.names("wsdl:w")
    assert ("POST", "urn:w", "") == (taken.name, taken.namespace, taken.fields["ITEMS"].namespace)
    assert Kind.LIST is items.fields["item"].type.kind
    assert ("POST.Response", ["DOC"]) == (answered.name, list(answered.fields))


@pytest.mark.parametrize(
    ("name", "find", "message"),
    [
        ("POST_ENTRI", "", r"no operation POST_ENTRI \(did you mean POST_ENTRY\?"),
        ("POST_ENTRY/fault", "", "no operation POST_ENTRY/fault"),
        ("POST_ENTRY", '<input message="w:In"/>', "POST_ENTRY has no input"),
        ("POST_ENTRY", '<message name="In">', "message In is not here"),
        ("POST_ENTRY", 'element="w:POST"', "must have one part with an element"),
    ],
)
def test_a_mistake_in_a_wsdl_is_named(tmp_path: Path, name: str, find: str, message: str) -> None:
    """An operation, message or part that is missing."""
    text = WSDL.replace(find, '<message name="Other">' if find.startswith("<message") else "")
    (tmp_path / "w.wsdl").write_text(text if find else WSDL)

    with pytest.raises(SchemaError, match=message):
        Schemas(folders=[tmp_path]).resolve(f"wsdl:w#{name}")
