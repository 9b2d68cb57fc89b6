"""EDMX: the metadata of OData V2 and V4 services.

EDMX does not say which fields a create needs: ``Nullable=false`` stands at keys that the system
assigns, and V4's ``RequiredProperties`` is rarely filled. What is missing comes from the side file.
Sources: MC-CSDL 2.0; OASIS OData CSDL XML 4.01; "SAP Annotations for OData Version 2.0";
vocabularies Org.OData.Core.V1, Org.OData.Capabilities.V1, com.sap.vocabularies.Common.v1.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

import msgspec

from gateway.kit.mapping.schemas import edm_types, xml
from gateway.kit.mapping.schemas.annotations import Annotations, Facts
from gateway.kit.mapping.schemas.errors import SchemaError, suggest
from gateway.kit.mapping.schemas.notes import Adjust
from gateway.kit.mapping.schemas.xml import Element
from gateway.kit.mapping.types import Field, Kind, Shape, Type, Wire

_STRUCTURED: Final = ("EntityType", "ComplexType")
_INDEXED: Final = (*_STRUCTURED, "EnumType", "TypeDefinition", "Association")
_DEPTH: Final = 20
_SAP: Final = "{http://www.sap.com/Protocols/SAPData}"


class Edmx:
    """One metadata file.

    Args:
        path: The file.
        adjust: Adds what the side file knows.
    """

    def __init__(self, path: Path, adjust: Adjust) -> None:
        self._path = path
        self._adjust = adjust
        self._root = xml.parse(path)
        self._shapes: dict[str, Shape] = {}
        self._v4 = self._root.get("Version", "").startswith("4")
        self._spaces = self._namespaces()
        self._index = dict(self._elements())

    def names(self) -> list[str]:
        """Entity and complex types, in the order of the file."""
        return [
            name.rpartition(".")[2]
            for name, element in self._index.items()
            if xml.local(element) in _STRUCTURED
        ]

    def files(self) -> list[Path]:
        """The file; EDMX refers to vocabularies only by name."""
        return [self._path]

    def type_of(self, name: str) -> Type:
        """An entity or complex type, with or without its namespace.

        Raises:
            SchemaError: There is none of this name.
        """
        for full in (self._full(name), *(f"{space}.{name}" for space in self._own_spaces())):
            if full in self._index and xml.local(self._index[full]) in _STRUCTURED:
                return Type(kind=Kind.OBJECT, shape=self._shape(full))
        near = suggest(name, self.names())
        raise SchemaError(f"has no entity or complex type {name}{near}", file=self._path)

    @cached_property
    def _annotations(self) -> Annotations:
        return Annotations(self._root, self._spaces)

    def _own_spaces(self) -> list[str]:
        return list(dict.fromkeys(name.rpartition(".")[0] for name in self._index))

    def _schemas(self) -> Iterator[Element]:
        return (each for each in self._root.iter("{*}Schema") if each.get("Namespace"))

    def _namespaces(self) -> dict[str, str]:
        """Alias to namespace, of this file's schemas and of the vocabularies it includes."""
        found = {
            each.get("Alias"): each.get("Namespace")
            for each in self._root.iter("{*}Include", "{*}Schema", "{*}Using")
        }
        return {alias: space for alias, space in found.items() if alias and space}

    def _elements(self) -> Iterator[tuple[str, Element]]:
        for schema in self._schemas():
            for element in schema:
                if xml.local(element) in _INDEXED:
                    yield f"{schema.get('Namespace')}.{element.get('Name')}", element

    def _full(self, name: str) -> str:
        space, _, last = name.rpartition(".")
        return f"{self._spaces.get(space, space)}.{last}"

    def _element(self, name: str, kind: str, by: Element) -> Element:
        found = self._index.get(self._full(name))
        if found is None or xml.local(found) != kind:
            raise self._error(f"{by.get('Name')} refers to {kind} {name}, which is not here", by)
        return found

    def _shape(self, name: str) -> Shape:
        if name not in self._shapes:
            last = name.rpartition(".")[2]
            self._shapes[name] = Shape(
                last, lambda: self._adjust(last, dict(self._fields(name, 0)))
            )
        return self._shapes[name]

    def _fields(self, name: str, depth: int) -> Iterator[tuple[str, Field]]:
        element = self._index[name]
        origin = element.get("BaseType")
        if origin:
            inherited = self._element(origin, xml.local(element), element)
            if depth > _DEPTH:
                raise self._error(f"{name} descends from itself", inherited)
            yield from self._fields(self._full(origin), depth + 1)
        for part in element:
            kind = xml.local(part)
            if kind == "Property":
                yield part.get("Name"), self._property(name, part)
            elif kind == "NavigationProperty":
                yield part.get("Name"), self._navigation(name, part)

    def _property(self, owner: str, part: Element) -> Field:
        facts = self._facts(owner, part)
        found = self._value(part.get("Type", ""), part, 0)
        if facts.upper and found.kind is Kind.TEXT:
            found = msgspec.structs.replace(found, upper=True)
        nullable = part.get("Nullable", "true") == "true" and found.kind is not Kind.LIST
        return self._field(
            part, facts, msgspec.structs.replace(found, nullable=nullable), present=not nullable
        )

    def _field(self, part: Element, facts: Facts, found: Type, *, present: bool) -> Field:
        return Field(
            name=part.get("Name", ""),
            type=found,
            required=facts.required,
            present=present,
            writable=facts.writable,
            label=facts.label,
            unit=facts.unit,
        )

    def _facts(self, owner: str, part: Element) -> Facts:
        if self._v4:
            return self._annotations.of(owner, part)
        return Facts(
            label=part.get(f"{_SAP}label", ""),
            unit=part.get(f"{_SAP}unit", ""),
            upper=part.get(f"{_SAP}display-format") == "UpperCase",
            writable=part.get(f"{_SAP}creatable", "true") == "true",
            required=False,
        )

    def _value(self, name: str, part: Element, depth: int) -> Type:
        """The type of a property: of EDM, a collection, or one that the file defines."""
        if name.startswith("Collection("):
            item = self._value(name.removeprefix("Collection(").removesuffix(")"), part, depth)
            return Type(kind=Kind.LIST, item=item)
        if name.startswith("Edm."):
            found = edm_types.read(name, part, v4=self._v4)
            if found is None:
                raise self._error(f"{part.get('Name')} has the unknown type {name}", part)
            return found
        full = self._full(name)
        element = self._index.get(full)
        kind = None if element is None else xml.local(element)
        if element is None or kind == "Association":
            raise self._error(f"{part.get('Name')} has the type {name}, which is not here", part)
        if kind == "EnumType":
            members = tuple(each.get("Name") for each in element if xml.local(each) == "Member")
            return Type(kind=Kind.TEXT, values=members)
        if kind == "TypeDefinition" and depth < _DEPTH:
            return self._value(element.get("UnderlyingType", ""), element, depth + 1)
        return Type(kind=Kind.OBJECT, shape=self._shape(full))

    def _navigation(self, owner: str, part: Element) -> Field:
        found = self._by_type(part) if self._v4 else self._by_association(part)
        return self._field(part, self._facts(owner, part), found, present=False)

    def _by_type(self, part: Element) -> Type:
        name = part.get("Type", "")
        target = name.removeprefix("Collection(").removesuffix(")")
        self._element(target, "EntityType", part)
        single = Type(kind=Kind.OBJECT, shape=self._shape(self._full(target)))
        if target != name:
            return Type(kind=Kind.LIST, item=single)
        return msgspec.structs.replace(single, nullable=part.get("Nullable", "true") == "true")

    def _by_association(self, part: Element) -> Type:
        association = self._element(part.get("Relationship", ""), "Association", part)
        ends = [end for end in association if end.get("Role") == part.get("ToRole")]
        if not ends:
            raise self._error(f"{part.get('Name')}: the association has no such role", part)
        target = ends[0].get("Type", "")
        self._element(target, "EntityType", part)
        single = Type(kind=Kind.OBJECT, shape=self._shape(self._full(target)))
        if ends[0].get("Multiplicity") == "*":
            return Type(kind=Kind.LIST, item=single, wire=Wire.ODATA_RESULTS)
        optional = ends[0].get("Multiplicity") == "0..1"
        return msgspec.structs.replace(single, nullable=optional)

    def _error(self, message: str, element: Element) -> SchemaError:
        return SchemaError(message, file=self._path, line=element.sourceline)
