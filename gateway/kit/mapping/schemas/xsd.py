"""XSD: elements, complex types and their attributes, in the order in which they are written.

A type with text and attributes (``<InstdAmt Ccy="EUR">12.50</InstdAmt>``) is an object whose text
is the field ``value`` (``value_`` beside an attribute of that name). Alternatives (``choice``) are
fields of which none is required, with the number of their branch: of two branches one stands there.
Source: XML Schema part 1, §3.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from gateway.kit.mapping.schemas import algebra, xml
from gateway.kit.mapping.schemas.notes import Adjust
from gateway.kit.mapping.schemas.xml import Element
from gateway.kit.mapping.schemas.xsd_files import Files, parts, qualified
from gateway.kit.mapping.schemas.xsd_types import SimpleTypes, built_in
from gateway.kit.mapping.types import Field, Kind, Shape, Type

VALUE: Final = "value"
_DEPTH: Final = 30
_GROUPS: Final = frozenset({"sequence", "choice", "all", "group"})


class _Around(msgspec.Struct, frozen=True):
    """How often what is inside a group may stand there."""

    optional: bool = False
    many: bool = False
    depth: int = 0
    branches: tuple[tuple[int, int], ...] = ()


class Xsd:
    """One schema and those it includes.

    Args:
        files: An XSD, or a WSDL with its schemas inside.
        adjust: Adds what the side file knows.
    """

    def __init__(self, files: Files, adjust: Adjust) -> None:
        self._files = files
        self._simple = SimpleTypes(files)
        self._adjust = adjust
        self._algebra = algebra.Algebra()
        self._choices = 0
        self._shapes: dict[Element, Shape] = {}

    def type_of(self, name: str) -> Type:
        """The type of a global element; its shape has the element's name and namespace.

        Raises:
            SchemaError: There is no such element.
        """
        return self._global(self._files.by_name("element", name))

    def type_at(self, reference: str, at: Element) -> Type:
        """The type of the global element that a qualified name means where it is written.

        Raises:
            SchemaError: There is no such element.
        """
        found = self._files.by_reference(("element",), reference, at)
        if found is None:
            raise self._files.error(f"element {reference} is one of XSD's own", at)
        return self._global(found)

    def names(self) -> list[str]:
        """The global elements."""
        return self._files.named("element")

    def files(self) -> list[Path]:
        """The file and those it includes and imports."""
        return self._files.paths

    def _global(self, element: Element) -> Type:
        name = element.get("name", "")
        found = self._of_element(element, name)
        inner = found.shape
        if inner is None:
            return found
        namespace = self._files.place(element).namespace
        shape = Shape(name, lambda: inner.fields, namespace=namespace)
        return msgspec.structs.replace(found, shape=shape)

    def _of_element(self, element: Element, owner: str) -> Type:
        found = self._of_declared(element, owner)
        if element.get("fixed") is not None and found.kind is Kind.TEXT:
            found = msgspec.structs.replace(found, values=(element.get("fixed"),))
        if element.get("nillable") == "true":
            found = msgspec.structs.replace(found, nullable=True)
        return found

    def _of_declared(self, element: Element, owner: str) -> Type:
        reference = element.get("type")
        if reference:
            return self._of_name(reference, element)
        for part in parts(element):
            if xml.local(part) == "simpleType":
                return self._simple.read(part)
            if xml.local(part) == "complexType":
                return self._complex(part, owner)
        return Type(kind=Kind.ANY)

    def _of_name(self, reference: str, at: Element) -> Type:
        found = self._files.by_reference(("complexType", "simpleType"), reference, at)
        if found is None:
            return built_in(qualified(reference, at)[1])
        if xml.local(found) == "simpleType":
            return self._simple.read(found)
        return self._complex(found, found.get("name", ""))

    def _complex(self, element: Element, name: str) -> Type:
        """An object; a mere text where there are neither attributes nor elements."""
        simple = element.find("{*}simpleContent")
        if simple is not None and not dict(self._attributes(element, 0)):
            return self._text(element, 0)
        if element not in self._shapes:
            self._shapes[element] = Shape(
                name,
                lambda: self._adjust(name, self._fields(element, name)),
                namespace=self._files.place(element).namespace,
            )
        return Type(kind=Kind.OBJECT, shape=self._shapes[element])

    def _fields(self, element: Element, owner: str) -> dict[str, Field]:
        found = dict(self._attributes(element, 0))
        if element.find("{*}simpleContent") is not None:
            name = f"{VALUE}_" if VALUE in found else VALUE
            text = Field(name=name, type=self._text(element, 0), required=True, text=True)
            found = {name: text, **found}
        for name, field in self._content(element, owner, _Around()):
            if name in found and found[name].attribute:
                raise self._files.error(f"{owner}: {name} is both attribute and element", element)
            found[name] = self._again(found[name], field) if name in found else field
        return found

    def _text(self, element: Element, depth: int) -> Type:
        """The text of a complex type with simple content."""
        derived = self._derivation(element, depth)
        if derived is None:
            raise self._files.error("simple content needs an extension or restriction", element)
        found = self._files.by_reference(
            ("complexType", "simpleType"), derived.get("base", ""), derived
        )
        if found is not None and xml.local(found) == "complexType":
            return self._simple.with_facets(self._text(found, depth + 1), derived)
        if xml.local(derived) == "restriction":
            return self._simple.restricted(derived)
        return self._simple.named(derived.get("base", ""), derived)

    def _derivation(self, element: Element, depth: int) -> Element | None:
        """The extension or restriction that a complex type is made by, if it is."""
        if depth > _DEPTH:
            raise self._files.error("a type rests on itself", element)
        for part in parts(element):
            if xml.local(part) in {"simpleContent", "complexContent"}:
                return next(parts(part), None)
        return None

    def _origin(self, derived: Element | None) -> Element | None:
        """The complex type that an extension adds to."""
        if derived is None or xml.local(derived) != "extension":
            return None
        found = self._files.by_reference(
            ("complexType", "simpleType"), derived.get("base", ""), derived
        )
        return found if found is not None and xml.local(found) == "complexType" else None

    def _attributes(self, element: Element, depth: int) -> Iterator[tuple[str, Field]]:
        derived = self._derivation(element, depth)
        origin = self._origin(derived)
        if origin is not None:
            yield from self._attributes(origin, depth + 1)
        for part in parts(element if derived is None else derived):
            kind = xml.local(part)
            if kind == "attribute" and part.get("use") != "prohibited":
                field = self._attribute(part)
                yield field.name, field
            elif kind == "attributeGroup":
                group = self._files.by_reference(("attributeGroup",), part.get("ref", ""), part)
                if group is not None and depth < _DEPTH:
                    yield from self._attributes(group, depth + 1)

    def _attribute(self, part: Element) -> Field:
        reference = part.get("ref")
        found = self._files.by_reference(("attribute",), reference, part) if reference else part
        declared = part if found is None else found
        place = self._files.place(declared)
        form = declared.get("form", "qualified" if place.attributes else "unqualified")
        is_global = reference or form == "qualified"
        return Field(
            name=(reference or part.get("name", "")).rpartition(":")[2],
            type=self._of_element(declared, ""),
            required=part.get("use") == "required",
            default=part.get("default", msgspec.UNSET),
            attribute=True,
            namespace=place.namespace if is_global else "",
        )

    def _content(
        self, element: Element, owner: str, around: _Around
    ) -> Iterator[tuple[str, Field]]:
        """The elements of a complex type, those of the type that it extends first."""
        derived = self._derivation(element, around.depth)
        origin = self._origin(derived)
        if origin is not None:
            deeper = msgspec.structs.replace(around, depth=around.depth + 1)
            yield from self._content(origin, owner, deeper)
        for part in parts(element if derived is None else derived):
            if xml.local(part) in _GROUPS:
                yield from self._group(part, owner, around)

    def _group(self, group: Element, owner: str, around: _Around) -> Iterator[tuple[str, Field]]:
        if around.depth > _DEPTH:
            raise self._files.error("a group contains itself", group)
        inside = list(parts(group))
        is_choice = xml.local(group) == "choice" and len(inside) > 1
        inner = _Around(
            optional=around.optional or is_choice or group.get("minOccurs") == "0",
            many=around.many or _many(group),
            depth=around.depth + 1,
            branches=around.branches,
        )
        if group.get("ref"):
            named = self._files.by_reference(("group",), group.get("ref"), group)
            inside = [] if named is None else list(parts(named))
        self._choices += is_choice
        choice = self._choices
        for branch, part in enumerate(inside):
            if is_choice and not inner.many:
                branches = (*around.branches, (choice, branch))
                inner = msgspec.structs.replace(inner, branches=branches)
            if xml.local(part) == "element":
                field = self._element(part, owner, inner)
                yield field.name, field
            elif xml.local(part) in _GROUPS:
                yield from self._group(part, owner, inner)

    def _element(self, part: Element, owner: str, around: _Around) -> Field:
        declared = part
        if part.get("ref"):
            found = self._files.by_reference(("element",), part.get("ref"), part)
            declared = part if found is None else found
        name = declared.get("name", "")
        place = self._files.place(declared)
        form = part.get("form", "qualified" if place.elements else "unqualified")
        least = 0 if around.optional else int(part.get("minOccurs", "1"))
        found_type = self._of_element(declared, f"{owner}.{name}")
        if around.many or _many(part):
            most = part.get("maxOccurs", "1")
            limit = None if around.many or most == "unbounded" else int(most)
            found_type = Type(
                kind=Kind.LIST, item=found_type, min_items=least or None, max_items=limit
            )
        return Field(
            name=name,
            type=found_type,
            required=least > 0,
            branches=around.branches,
            namespace=place.namespace if part.get("ref") or form == "qualified" else "",
        )

    def _again(self, first: Field, second: Field) -> Field:
        """An element that stands at two places of a type, mostly in two alternatives."""
        either = self._algebra.either_field([first, second], always=True)
        required = first.required or second.required
        return msgspec.structs.replace(either, required=required, branches=())


def _many(part: Element) -> bool:
    most = part.get("maxOccurs", "1")
    return most == "unbounded" or int(most) > 1
