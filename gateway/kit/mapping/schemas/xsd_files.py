"""XSD and WSDL files: what they define, with the files that they include and import."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from gateway.kit.mapping.schemas import xml
from gateway.kit.mapping.schemas.errors import SchemaError, suggest
from gateway.kit.mapping.schemas.xml import Element

XSD: Final = "http://www.w3.org/2001/XMLSchema"
_NAMED: Final = frozenset(
    {"element", "complexType", "simpleType", "attribute", "group", "attributeGroup"}
)


class Place(msgspec.Struct, frozen=True):
    """The schema that an element stands in.

    Attributes:
        namespace: ``targetNamespace``, or that of the file that includes this one.
        elements: Local elements are written with the namespace; so are ``attributes``.
    """

    path: Path
    namespace: str
    elements: bool
    attributes: bool


class Files:
    """All schemas of one file and of those it names.

    Args:
        path: An XSD, or a WSDL with its schemas inside.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = xml.parse(path)
        self.paths = [path]
        self._places: dict[Element, Place] = {}
        self._index: dict[tuple[str, str, str], Element] = {}
        self._read(self.root, path, "")

    def named(self, kind: str) -> list[str]:
        """Local names of all definitions of a kind, in the order of the files."""
        return [name for found, _, name in self._index if found == kind]

    def by_name(self, kind: str, name: str) -> Element:
        """A definition by its local name.

        Raises:
            SchemaError: There is none.
        """
        for (found, _, local), element in self._index.items():
            if (found, local) == (kind, name):
                return element
        near = suggest(name, self.named(kind))
        raise SchemaError(f"has no {kind} {name}{near}", file=self.path)

    def by_reference(self, kinds: tuple[str, ...], reference: str, at: Element) -> Element | None:
        """The definition that a qualified name means; None for what XSD itself defines.

        Raises:
            SchemaError: There is none.
        """
        namespace, name = qualified(reference, at)
        if namespace == XSD:
            return None
        # An included file without a namespace of its own refers to what is around it.
        for space in (namespace,) if namespace else ("", self.place(at).namespace):
            for kind in kinds:
                if (kind, space, name) in self._index:
                    return self._index[kind, space, name]
        near = suggest(name, [known for kind in kinds for known in self.named(kind)])
        raise self.error(f"{kinds[0]} {reference} is not here{near}", at)

    def place(self, element: Element) -> Place:
        """The schema around an element."""
        return self._places[next(element.iterancestors(f"{{{XSD}}}schema"))]

    def error(self, message: str, element: Element) -> SchemaError:
        """An error about an element."""
        around = next(element.iterancestors(f"{{{XSD}}}schema"), None)
        path = self._places[around].path if around in self._places else self.path
        return SchemaError(message, file=path, line=element.sourceline)

    def _read(self, root: Element, path: Path, around: str) -> None:
        for schema in root.iter(f"{{{XSD}}}schema"):
            namespace = schema.get("targetNamespace", around)
            self._places[schema] = Place(
                path,
                namespace,
                schema.get("elementFormDefault") == "qualified",
                schema.get("attributeFormDefault") == "qualified",
            )
            for element in parts(schema):
                kind = xml.local(element)
                if kind in _NAMED and element.get("name"):
                    self._index.setdefault((kind, namespace, element.get("name")), element)
                elif kind in {"include", "import", "redefine"}:
                    self._follow(element, path, namespace if kind != "import" else "")

    def _follow(self, element: Element, path: Path, around: str) -> None:
        location = element.get("schemaLocation", "")
        if not location:
            return  # an import of a namespace that stands in the same WSDL
        if urlsplit(location).scheme or location.startswith("/"):
            raise SchemaError(
                f"names {location}: nothing is fetched, put it beside and name it relatively",
                file=path,
                line=element.sourceline,
            )
        further = path.parent / unquote(location)
        if further.resolve() not in {each.resolve() for each in self.paths}:
            self.paths.append(further)
            self._read(xml.parse(further), further, around)


def parts(element: Element) -> Iterator[Element]:
    """The children that are of XSD; annotations and extensions of others are left out."""
    skipped = f"{{{XSD}}}annotation"
    return (each for each in element.iterchildren(f"{{{XSD}}}*") if each.tag != skipped)


def qualified(reference: str, at: Element) -> tuple[str, str]:
    """Namespace and local name of a name as it is written at an element."""
    prefix, _, name = reference.rpartition(":")
    return at.nsmap.get(prefix or None, ""), name
