"""OData metadata, V2 and V4, as types of a mapping."""

from pathlib import Path

import pytest

from gateway.kit.mapping.schemas import SchemaError, Schemas
from gateway.kit.mapping.types import Field, Kind, Type, Wire

V2 = """<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"
    xmlns:sap="http://www.sap.com/Protocols/SAPData">
 <edmx:DataServices>
  <Schema Namespace="S" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">
   <EntityType Name="OrderType">
    <Key><PropertyRef Name="Id"/></Key>
    <Property Name="Id" Type="Edm.String" Nullable="false" MaxLength="10"
        sap:display-format="UpperCase" sap:label="Order" sap:creatable="false"/>
    <Property Name="Name" Type="Edm.String" MaxLength="40" sap:updatable="false"/>
    <Property Name="Note" Type="Edm.String" MaxLength="Max"/>
    <Property Name="Total" Type="Edm.Decimal" Precision="16" Scale="3" sap:unit="Currency"/>
    <Property Name="Count" Type="Edm.Decimal" Precision="5"/>
    <Property Name="Currency" Type="Edm.String" MaxLength="5"/>
    <Property Name="Day" Type="Edm.DateTime" sap:display-format="Date"/>
    <Property Name="Moment" Type="Edm.DateTime"/>
    <Property Name="Zoned" Type="Edm.DateTimeOffset"/>
    <Property Name="Clock" Type="Edm.Time"/>
    <Property Name="Big" Type="Edm.Int64"/>
    <Property Name="Small" Type="Edm.Int16"/>
    <Property Name="Ratio" Type="Edm.Double"/>
    <Property Name="Flag" Type="Edm.Boolean" sap:display-format="UpperCase"/>
    <Property Name="Uuid" Type="Edm.Guid"/>
    <Property Name="Address" Type="S.Address"/>
    <NavigationProperty Name="to_Item" Relationship="S.a1" FromRole="from" ToRole="to"/>
    <NavigationProperty Name="to_Head" Relationship="S.a2" FromRole="from" ToRole="to"/>
    <NavigationProperty Name="to_Text" Relationship="S.a3" FromRole="from" ToRole="to"/>
   </EntityType>
   <EntityType Name="ItemType"><Property Name="Id" Type="Edm.String"/></EntityType>
   <ComplexType Name="Address"><Property Name="City" Type="Edm.String"/></ComplexType>
   <Association Name="a1"><End Type="S.OrderType" Multiplicity="1" Role="from"/>
     <End Type="S.ItemType" Multiplicity="*" Role="to"/></Association>
   <Association Name="a2"><End Type="S.OrderType" Multiplicity="*" Role="from"/>
     <End Type="S.OrderType" Multiplicity="0..1" Role="to"/></Association>
   <Association Name="a3"><End Type="S.OrderType" Multiplicity="*" Role="from"/>
     <End Type="S.ItemType" Multiplicity="1" Role="to"/></Association>
  </Schema>
 </edmx:DataServices>
</edmx:Edmx>
"""

V4 = """<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"
    xmlns="http://docs.oasis-open.org/odata/ns/edm">
 <edmx:Reference Uri="x"><edmx:Include Namespace="Org.OData.Core.V1" Alias="Core"/></edmx:Reference>
 <edmx:Reference Uri="y"><edmx:Include Namespace="com.sap.vocabularies.Common.v1" Alias="SAP"/>
   <edmx:Include Namespace="Org.OData.Capabilities.V1" Alias="Can"/>
   <edmx:Include Namespace="Org.OData.Measures.V1" Alias="In"/></edmx:Reference>
 <edmx:DataServices>
  <Schema Namespace="com.s" Alias="self">
   <EnumType Name="Colour"><Member Name="Red"/><Member Name="Blue"/></EnumType>
   <TypeDefinition Name="Code" UnderlyingType="Edm.String" MaxLength="4"/>
   <ComplexType Name="Message"><Property Name="text" Type="Edm.String"/></ComplexType>
   <EntityType Name="Root" Abstract="true">
    <Property Name="Id" Type="Edm.String" Nullable="false" MaxLength="10"/>
   </EntityType>
   <EntityType Name="Order" BaseType="self.Root">
    <Property Name="Computed" Type="Edm.String"/>
    <Property Name="NotComputed" Type="Edm.String">
     <Annotation Term="Core.Computed" Bool="false"/>
    </Property>
    <Property Name="Fixed" Type="Edm.String"/>
    <Property Name="Needed" Type="Edm.String"/>
    <Property Name="Refused" Type="Edm.String"/>
    <Property Name="ReadOnly" Type="Edm.String"/>
    <Property Name="Must" Type="Edm.String"/>
    <Property Name="Total" Type="Edm.Decimal" Precision="15" Scale="variable"/>
    <Property Name="Currency" Type="Edm.String" MaxLength="3"/>
    <Property Name="Count" Type="Edm.Decimal" Precision="5"/>
    <Property Name="Day" Type="Edm.Date"/>
    <Property Name="Moment" Type="Edm.DateTimeOffset" Precision="7"/>
    <Property Name="Clock" Type="Edm.TimeOfDay"/>
    <Property Name="Big" Type="Edm.Int64"/>
    <Property Name="Colour" Type="self.Colour"/>
    <Property Name="Code" Type="com.s.Code"/>
    <Property Name="Tags" Type="Collection(Edm.String)" Nullable="false"/>
    <Property Name="Messages" Type="Collection(com.s.Message)"/>
    <NavigationProperty Name="_Item" Type="Collection(com.s.Order)"/>
    <NavigationProperty Name="_Root" Type="com.s.Root" Nullable="false"/>
   </EntityType>
   <EntityContainer Name="C"><EntitySet Name="Order" EntityType="com.s.Order"/></EntityContainer>
   <Annotations Target="self.Order/Computed">
    <Annotation Term="Core.Computed"/><Annotation Term="SAP.Label" String="Made by SAP"/>
    <Annotation Term="SAP.IsUpperCase"/>
   </Annotations>
   <Annotations Target="self.Order/Fixed"><Annotation Term="Core.Immutable"/></Annotations>
   <Annotations Target="self.Order/ReadOnly">
    <Annotation Term="SAP.FieldControl" EnumMember="SAP.FieldControlType/ReadOnly"/>
   </Annotations>
   <Annotations Target="self.Order/Must">
    <Annotation Term="SAP.FieldControl" EnumMember="SAP.FieldControlType/Mandatory"/>
   </Annotations>
   <Annotations Target="self.Order/Total">
    <Annotation Term="In.ISOCurrency" Path="Currency"/>
   </Annotations>
   <Annotations Target="self.C/Order"><Annotation Term="Can.InsertRestrictions"><Record>
    <PropertyValue Property="RequiredProperties"><Collection>
     <PropertyPath>Needed</PropertyPath></Collection></PropertyValue>
    <PropertyValue Property="NonInsertableProperties"><Collection>
     <PropertyPath>Refused</PropertyPath></Collection></PropertyValue>
    <PropertyValue Property="NonInsertableNavigationProperties"><Collection>
     <NavigationPropertyPath>_Root</NavigationPropertyPath></Collection></PropertyValue>
   </Record></Annotation></Annotations>
  </Schema>
 </edmx:DataServices>
</edmx:Edmx>
"""


def resolver(folder: Path, text: str) -> Schemas:
    """One service, called ``s``."""
    (folder / "s.edmx").write_text(text, encoding="utf-8")
    return Schemas(folders=[folder])


def fields(folder: Path, text: str, name: str) -> dict[str, Field]:
    """The fields of one type of it."""
    shape = resolver(folder, text).resolve(f"edmx:s#{name}").shape
    assert shape is not None
    return dict(shape.fields)


_BIG = 2**63


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Id", Type(kind=Kind.TEXT, max_length=10, upper=True)),
        ("Name", Type(kind=Kind.TEXT, max_length=40, nullable=True)),
        ("Note", Type(kind=Kind.TEXT, nullable=True)),
        (
            "Total",
            Type(kind=Kind.DECIMAL, precision=16, scale=3, wire=Wire.TEXT, nullable=True),
        ),
        ("Count", Type(kind=Kind.DECIMAL, precision=5, scale=0, wire=Wire.TEXT, nullable=True)),
        ("Day", Type(kind=Kind.DATE, wire=Wire.ODATA_DATE, nullable=True)),
        ("Moment", Type(kind=Kind.INSTANT, zoned=False, wire=Wire.ODATA_DATE, nullable=True)),
        ("Zoned", Type(kind=Kind.INSTANT, wire=Wire.ODATA_DATE, nullable=True)),
        ("Clock", Type(kind=Kind.TIME, wire=Wire.ODATA_TIME, nullable=True)),
        (
            "Big",
            Type(kind=Kind.INTEGER, wire=Wire.TEXT, nullable=True, minimum=-_BIG, maximum=_BIG - 1),
        ),
        ("Small", Type(kind=Kind.INTEGER, minimum=-32768, maximum=32767, nullable=True)),
        ("Ratio", Type(kind=Kind.FLOAT, wire=Wire.TEXT, nullable=True)),
        ("Flag", Type(kind=Kind.BOOLEAN, nullable=True)),
        ("Uuid", Type(kind=Kind.TEXT, min_length=36, max_length=36, nullable=True)),
    ],
)
def test_properties_of_v2(tmp_path: Path, name: str, expected: Type) -> None:
    """Facets, SAP's annotations and the forms of V2's JSON."""
    assert expected == fields(tmp_path, V2, "OrderType")[name].type


def test_annotations_of_v2(tmp_path: Path) -> None:
    """What may be created, the label, the currency; a key is not required."""
    found = fields(tmp_path, V2, "OrderType")

    assert (False, "Order") == (found["Id"].writable, found["Id"].label)
    assert found["Name"].writable
    assert (False, True) == (found["Id"].required, found["Id"].present)
    assert "Currency" == found["Total"].unit


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("to_Item", (Kind.LIST, Wire.ODATA_RESULTS, False, "ItemType")),
        ("to_Head", (Kind.OBJECT, Wire.PLAIN, True, "OrderType")),
        ("to_Text", (Kind.OBJECT, Wire.PLAIN, False, "ItemType")),
        ("Address", (Kind.OBJECT, Wire.PLAIN, True, "Address")),
    ],
)
def test_navigation_of_v2(
    tmp_path: Path, name: str, expected: tuple[Kind, Wire, bool, str]
) -> None:
    """Many are a list in ``results``, one is an object, none or one may be null."""
    found = fields(tmp_path, V2, "OrderType")[name].type
    shape = found.shape or (found.item and found.item.shape)
    assert shape

    assert expected == (found.kind, found.wire, found.nullable, shape.name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Total", Type(kind=Kind.DECIMAL, precision=15, nullable=True)),
        ("Count", Type(kind=Kind.DECIMAL, precision=5, scale=0, nullable=True)),
        ("Day", Type(kind=Kind.DATE, nullable=True)),
        ("Moment", Type(kind=Kind.INSTANT, nullable=True)),
        ("Clock", Type(kind=Kind.TIME, nullable=True)),
        ("Big", Type(kind=Kind.INTEGER, nullable=True, minimum=-_BIG, maximum=_BIG - 1)),
        ("Colour", Type(kind=Kind.TEXT, values=("Red", "Blue"), nullable=True)),
        ("Code", Type(kind=Kind.TEXT, max_length=4, nullable=True)),
        ("Tags", Type(kind=Kind.LIST, item=Type(kind=Kind.TEXT))),
        ("Computed", Type(kind=Kind.TEXT, upper=True, nullable=True)),
    ],
)
def test_properties_of_v4(tmp_path: Path, name: str, expected: Type) -> None:
    """Enumerations, type definitions, collections; numbers are numbers in V4's JSON."""
    assert expected == fields(tmp_path, V4, "Order")[name].type


def test_annotations_of_v4(tmp_path: Path) -> None:
    """Vocabularies are known by namespace, whatever their alias; sets restrict their type."""
    found = fields(tmp_path, V4, "com.s.Order")
    not_writable = [name for name in found if not found[name].writable]
    required = [name for name in found if found[name].required]

    assert ["Computed", "Refused", "ReadOnly", "_Root"] == not_writable
    assert ["Needed", "Must"] == required
    assert ("Made by SAP", "Currency") == (found["Computed"].label, found["Total"].unit)


def test_structure_of_v4(tmp_path: Path) -> None:
    """Inherited fields come first; lists are plain; a type may lead to itself."""
    found = fields(tmp_path, V4, "Order")
    item = found["_Item"].type

    assert "Id" == next(iter(found))
    assert (Kind.LIST, Wire.PLAIN) == (item.kind, item.wire)
    assert item.item is not None
    assert item.item.shape is not None
    assert list(found) == list(item.item.shape.fields)
    assert (Kind.OBJECT, False) == (found["_Root"].type.kind, found["_Root"].type.nullable)


def test_names_are_the_types(tmp_path: Path) -> None:
    """Entity and complex types can be mapped."""
    assert ["OrderType", "ItemType", "Address"] == resolver(tmp_path, V2).names("edmx:s")


@pytest.mark.parametrize(
    ("find", "replace", "message"),
    [
        ("", "", r"s\.edmx: has no entity or complex type OrderTyp \(did you mean OrderType\?\)"),
        ('"S.a1"', '"S.zz"', r"s\.edmx:25: to_Item refers to Association S\.zz"),
        ('ToRole="to"', 'ToRole="x"', r"s\.edmx:25: to_Item: the association has no such role"),
        ("S.Address", "S.Adress", r"s\.edmx:24: Address has the type S\.Adress"),
        ("Edm.Guid", "Edm.Gui", r"s\.edmx:23: Uuid has the unknown type Edm\.Gui"),
        ("</Schema>", "", r"s\.edmx:\d+: is not well-formed XML"),
        ("<edmx:Edmx", "<!DOCTYPE x [<!ENTITY a 'b'>]><edmx:Edmx", r"has a document type"),
    ],
)
def test_a_mistake_names_file_and_line(
    tmp_path: Path, find: str, replace: str, message: str
) -> None:
    """What is missing, where, and the name that comes close."""
    name = "OrderType" if find else "OrderTyp"

    with pytest.raises(SchemaError, match=message):
        fields(tmp_path, V2.replace(find, replace) if find else V2, name)


def test_a_type_that_descends_from_itself_is_refused(tmp_path: Path) -> None:
    """Inheritance in a circle ends with an error."""
    text = V4.replace('Name="Root"', 'Name="Root" BaseType="self.Order"')

    with pytest.raises(SchemaError, match="descends from itself"):
        fields(tmp_path, text, "Order")


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    """A document type hidden by UTF-16 is refused as well."""
    text = "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"
    (tmp_path / "s.edmx").write_bytes(text.encode("utf-16"))

    with pytest.raises(SchemaError, match="document type"):
        Schemas(folders=[tmp_path]).resolve("edmx:s#x")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Edm.Byte", (0, 255)),
        ("Edm.SByte", (-128, 127)),
        ("Edm.Int16", (-32_768, 32_767)),
        ("Edm.Int32", (-2_147_483_648, 2_147_483_647)),
        ("Edm.Int64", (-9_223_372_036_854_775_808, 9_223_372_036_854_775_807)),
    ],
)
def test_whole_numbers_have_their_range(
    tmp_path: Path, name: str, expected: tuple[int, int]
) -> None:
    """As CSDL has them, in both versions."""
    for text, owner, field in ((V2, "OrderType", "Small"), (V4, "Order", "Big")):
        changed = text.replace("Edm.Int16", name).replace("Edm.Int64", name)
        found = fields(tmp_path, changed, owner)[field].type

        assert (Kind.INTEGER, expected) == (found.kind, (found.minimum, found.maximum))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Edm.Binary", Kind.BINARY),
        ("Edm.Stream", Kind.BINARY),
        ("Edm.Duration", Kind.TEXT),
        ("Edm.Double", Kind.FLOAT),
        ("Edm.GeographyPoint", Kind.ANY),
        ("Edm.Untyped", Kind.ANY),
    ],
)
def test_other_types(tmp_path: Path, name: str, kind: Kind) -> None:
    """Types that mappings seldom meet."""
    found = fields(tmp_path, V4.replace("Edm.Int64", name), "Order")["Big"].type

    assert Type(kind=kind, nullable=True) == found
