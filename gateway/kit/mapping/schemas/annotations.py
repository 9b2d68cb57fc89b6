"""Annotations of OData V4: what stands about a property away from it.

Source: OASIS OData CSDL XML 4.01 §14; vocabularies Org.OData.Core.V1, Org.OData.Capabilities.V1,
Org.OData.Measures.V1, com.sap.vocabularies.Common.v1.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from gateway.kit.mapping.schemas import xml
from gateway.kit.mapping.schemas.xml import Element

_CORE: Final = "Org.OData.Core.V1"
_COMMON: Final = "com.sap.vocabularies.Common.v1"
_MEASURES: Final = "Org.OData.Measures.V1"
_INSERT: Final = "Org.OData.Capabilities.V1.InsertRestrictions"
_REFUSED: Final = ("NonInsertableProperties", "NonInsertableNavigationProperties")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a service says about a property beside its type; see ``Field``."""

    label: str
    unit: str
    upper: bool
    writable: bool
    required: bool


class Annotations:
    """All annotations of one file, by what they are about.

    Args:
        root: Of the file.
        spaces: Alias to namespace.
    """

    def __init__(self, root: Element, spaces: Mapping[str, str]) -> None:
        self._spaces = spaces
        self._terms: dict[str, dict[str, Element]] = {}
        self._required: set[str] = set()
        self._refused: set[str] = set()
        for group in root.iter("{*}Annotations"):
            target = self._full(group.get("Target", ""))
            terms = self._terms.setdefault(target, {})
            terms.update(self._by_term(group))
        self._read_sets(root)

    def of(self, owner: str, part: Element) -> Facts:
        """What is said about a property of a type.

        Args:
            owner: Name of the type with its namespace.
        """
        place = f"{owner}/{part.get('Name')}"
        terms = self._terms.get(place, {}) | dict(self._by_term(part))
        control = _text(terms, f"{_COMMON}.FieldControl").rpartition("/")[2]
        access = _text(terms, f"{_CORE}.Permissions").rpartition("/")[2]
        computed = _holds(terms, f"{_CORE}.Computed")
        read_only = control == "ReadOnly" or access == "Read" or place in self._refused
        return Facts(
            label=_text(terms, f"{_COMMON}.Label"),
            unit=_text(terms, f"{_MEASURES}.ISOCurrency") or _text(terms, f"{_MEASURES}.Unit"),
            upper=_holds(terms, f"{_COMMON}.IsUpperCase"),
            writable=not (computed or read_only),
            required=control == "Mandatory" or place in self._required,
        )

    def _full(self, name: str) -> str:
        """A name with its namespace instead of the alias."""
        first, slash, rest = name.partition("/")
        space, dot, last = first.rpartition(".")
        return f"{self._spaces.get(space, space)}{dot}{last}{slash}{rest}"

    def _by_term(self, group: Element) -> Iterator[tuple[str, Element]]:
        for element in group:
            if xml.local(element) == "Annotation" and element.get("Qualifier") is None:
                yield self._full(element.get("Term", "")), element

    def _read_sets(self, root: Element) -> None:
        """What entity sets demand and refuse when an entity is created."""
        for container in root.iter("{*}EntityContainer"):
            space = container.getparent().get("Namespace", "")
            for each in container.iterchildren("{*}EntitySet"):
                place = f"{space}.{container.get('Name')}/{each.get('Name')}"
                terms = self._terms.get(place, {}) | dict(self._by_term(each))
                if _INSERT in terms:
                    self._restrict(self._full(each.get("EntityType", "")), terms[_INSERT])

    def _restrict(self, entity: str, restrictions: Element) -> None:
        for record in restrictions.iterchildren("{*}Record"):
            for value in record.iterchildren("{*}PropertyValue"):
                paths = {f"{entity}/{path}" for path in _paths(value)}
                if value.get("Property") == "RequiredProperties":
                    self._required |= paths
                elif value.get("Property") in _REFUSED:
                    self._refused |= paths


def _paths(value: Element) -> list[str]:
    return [each.text or "" for each in value.iter("{*}PropertyPath", "{*}NavigationPropertyPath")]


def _holds(terms: Mapping[str, Element], term: str) -> bool:
    """Whether a tagging term stands there and is not switched off."""
    return term in terms and terms[term].get("Bool", "true") == "true"


def _text(terms: Mapping[str, Element], term: str) -> str:
    """The value of a term that is a text, a path or a member of an enumeration."""
    element = terms.get(term)
    if element is None:
        return ""
    for name in ("String", "Path", "PropertyPath", "EnumMember"):
        if element.get(name):
            return str(element.get(name))
        child = element.find(f"{{*}}{name}")
        if child is not None:
            return str(child.text or "")
    return ""
