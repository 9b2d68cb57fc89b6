"""Simple types of XSD: what is built in, and what facets make of it.

Source: XML Schema part 2, §3.2 to §4.3.
"""

import math
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from functools import reduce
from typing import Final

import msgspec

from gateway.kit.mapping.schemas import algebra, patterns, regexes, xml
from gateway.kit.mapping.schemas.xml import Element
from gateway.kit.mapping.schemas.xsd_files import Files, parts, qualified
from gateway.kit.mapping.types import Kind, Type, Wire

_DEPTH: Final = 30
_BITS: Final = {"byte": 7, "short": 15, "int": 31, "long": 63}
_KINDS: Final = {
    "boolean": Kind.BOOLEAN,
    "decimal": Kind.DECIMAL,
    "float": Kind.FLOAT,
    "double": Kind.FLOAT,
    "date": Kind.DATE,
    "dateTime": Kind.INSTANT,
    "dateTimeStamp": Kind.INSTANT,
    "time": Kind.TIME,
    "base64Binary": Kind.BINARY,
    "hexBinary": Kind.BINARY,
    "anyType": Kind.ANY,
    "anySimpleType": Kind.ANY,
    "anyAtomicType": Kind.ANY,
}
_INTEGERS: Final[dict[str, tuple[int | None, int | None]]] = {
    "integer": (None, None),
    "nonNegativeInteger": (0, None),
    "positiveInteger": (1, None),
    "nonPositiveInteger": (None, 0),
    "negativeInteger": (None, -1),
    **{name: (-(2**bits), 2**bits - 1) for name, bits in _BITS.items()},
    **{f"unsigned{name.capitalize()}": (0, 2 ** (bits + 1) - 1) for name, bits in _BITS.items()},
}
_NUMBERS: Final = {Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT}


def built_in(name: str) -> Type:
    """A type that XSD defines; all that are not listed are texts."""
    if name in _INTEGERS:
        least, most = _INTEGERS[name]
        return Type(kind=Kind.INTEGER, minimum=least, maximum=most)
    return Type(
        kind=_KINDS.get(name, Kind.TEXT), wire=Wire.HEX if name == "hexBinary" else Wire.PLAIN
    )


class SimpleTypes:
    """The simple types of some files."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def named(self, reference: str, at: Element, depth: int = 0) -> Type:
        """A simple type by its qualified name.

        Raises:
            SchemaError: There is none, or it rests on itself.
        """
        found = self._files.by_reference(("simpleType",), reference, at)
        if found is None:
            return built_in(qualified(reference, at)[1])
        return self.read(found, depth + 1)

    def read(self, element: Element, depth: int = 0) -> Type:
        """The type that a ``simpleType`` element defines."""
        if depth > _DEPTH:
            raise self._files.error("a simple type rests on itself", element)
        for part in parts(element):
            match xml.local(part):
                case "restriction":
                    return self.restricted(part, depth)
                case "union":
                    return self._union(part, depth)
                case "list":
                    return Type(kind=Kind.TEXT)  # values with spaces between them
        raise self._files.error("a simple type needs restriction, union or list", element)

    def restricted(self, element: Element, depth: int = 0) -> Type:
        """The base of a restriction with its facets."""
        inner = element.find("{*}simpleType")
        if inner is not None:
            base = self.read(inner, depth + 1)
        else:
            base = self.named(element.get("base", ""), element, depth)
        return self.with_facets(base, element)

    def with_facets(self, base: Type, element: Element) -> Type:
        """A type with the facets that stand in an element."""
        facets: dict[str, list[str]] = {}
        for part in parts(element):
            if part.get("value") is not None:
                facets.setdefault(xml.local(part), []).append(part.get("value"))
        try:
            return _faceted(base, facets)
        except (ValueError, InvalidOperation) as error:
            raise self._files.error(f"a facet is not a number: {error}", element) from error

    def _union(self, element: Element, depth: int) -> Type:
        names = element.get("memberTypes", "").split()
        members = [self.named(name, element, depth) for name in names]
        members += [self.read(part, depth + 1) for part in parts(element)]
        return algebra.Algebra().either(members)


def _faceted(base: Type, facets: dict[str, list[str]]) -> Type:
    if base.kind is Kind.TEXT:
        return _text(base, facets)
    if base.kind in _NUMBERS:
        return _number(base, facets)
    return base


def _text(base: Type, facets: dict[str, list[str]]) -> Type:
    exact = facets.get("length", [])
    values = tuple(facets["enumeration"]) if "enumeration" in facets else base.values
    found = msgspec.structs.replace(
        base,
        min_length=_last(base.min_length, [*facets.get("minLength", []), *exact]),
        max_length=_last(base.max_length, [*facets.get("maxLength", []), *exact]),
        values=values,
    )
    given = facets.get("pattern", [])
    proofs = [patterns.facts(each, anchored=True) for each in given]
    known = [each for each in proofs if each is not None]
    if not known or len(known) < len(proofs):
        return found
    any_of = reduce(patterns.either, known)  # of several patterns in one step, one matches
    return msgspec.structs.replace(
        found,
        min_length=algebra.largest(found.min_length, any_of.shortest or None),
        max_length=algebra.smallest(found.max_length, any_of.longest),
        upper=found.upper or any_of.upper,
        regex=_narrowed(found.regex, given),
    )


def _narrowed(regex: str, given: list[str]) -> str:
    """What was required, and one of the patterns."""
    known = [regexes.translated(each, anchored=True) for each in given]
    if not all(known):
        return regex
    return (f"(?={regex})" if regex else "") + f"(?:{'|'.join(known)})"


def _last(inherited: int | None, given: list[str]) -> int | None:
    return int(given[-1]) if given else inherited


def _number(base: Type, facets: dict[str, list[str]]) -> Type:
    precision = _last(base.precision, facets.get("totalDigits", []))
    least = _limit(facets, "min", math.floor, lambda bound: math.floor(bound) + 1)
    most = _limit(facets, "max", math.ceil, lambda bound: math.ceil(bound) - 1)
    if base.kind is not Kind.INTEGER:  # an excluded bound may still be come close to
        least = _limit(facets, "min", math.floor, math.floor)
        most = _limit(facets, "max", math.ceil, math.ceil)
    elif precision is not None:
        least = algebra.largest(least, 1 - 10**precision)
        most = algebra.smallest(most, 10**precision - 1)
    digits = {
        "precision": precision,
        "scale": _last(base.scale, facets.get("fractionDigits", [])),
    }
    return msgspec.structs.replace(
        base,
        minimum=algebra.largest(base.minimum, least),
        maximum=algebra.smallest(base.maximum, most),
        **(digits if base.kind is Kind.DECIMAL else {}),
    )


def _limit(
    facets: dict[str, list[str]],
    side: str,
    inclusive: Callable[[Decimal], int],
    exclusive: Callable[[Decimal], int],
) -> int | None:
    bounds: Iterable[int] = [
        *(inclusive(Decimal(each)) for each in facets.get(f"{side}Inclusive", [])),
        *(exclusive(Decimal(each)) for each in facets.get(f"{side}Exclusive", [])),
    ]
    return (max if side == "min" else min)(bounds, default=None)
