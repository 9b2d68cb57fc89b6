"""Types that hold together, and types of which one holds: ``allOf`` and ``anyOf`` of any schema."""

from collections.abc import Callable, Sequence
from functools import reduce
from math import lcm
from typing import TypeVar

import msgspec

from gateway.kit.mapping.types import Field, Kind, Shape, Type, widened

_T = TypeVar("_T")
ANY = Type(kind=Kind.ANY, nullable=True)
_STRUCTURED = (Kind.OBJECT, Kind.LIST, Kind.MAP)


def largest(a: int | None, b: int | None) -> int | None:
    """The greater of two bounds; None is no bound."""
    return b if a is None else a if b is None else max(a, b)


def smallest(a: int | None, b: int | None) -> int | None:
    """The lesser of two bounds; None is no bound."""
    return b if a is None else a if b is None else min(a, b)


class Algebra:
    """Joins and unites types; the same shapes give the same shape, so that cycles end.

    A value of a vendor's schema may be of ten types that lead to each other; without one shape for
    each set of them, a walk through the fields would never come back to where it was.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[str, frozenset[Shape]], Shape] = {}
        self._parts: dict[tuple[str, Shape], tuple[Shape, ...]] = {}

    def both(self, a: Type, b: Type) -> Type:
        """The type of values that are of both types.

        Where no value can be, the first one stands: vendors' files have such places.
        """
        nullable = a.nullable and b.nullable
        if a.kind is Kind.ANY or (a.kind is Kind.MAP and b.kind is Kind.OBJECT):
            return msgspec.structs.replace(b, nullable=nullable)
        if a.kind is not b.kind:
            return msgspec.structs.replace(b if _whole(a, b) else a, nullable=nullable)
        return msgspec.structs.replace(
            a,
            nullable=nullable,
            min_length=largest(a.min_length, b.min_length),
            max_length=smallest(a.max_length, b.max_length),
            minimum=largest(a.minimum, b.minimum),
            maximum=smallest(a.maximum, b.maximum),
            precision=smallest(a.precision, b.precision),
            scale=smallest(a.scale, b.scale),
            values=_shared(a.values, b.values),
            numbers=_shared(a.numbers, b.numbers),
            step=lcm(a.step, b.step),
            upper=a.upper or b.upper,
            regex=a.regex or b.regex,
            item=self.both(a.item, b.item) if a.item and b.item else a.item or b.item,
            shape=(
                self._combined("all", [a.shape, b.shape], self._all_fields)
                if a.shape and b.shape
                else a.shape or b.shape
            ),
            min_items=largest(a.min_items, b.min_items),
            max_items=smallest(a.max_items, b.max_items),
        )

    def either(self, types: Sequence[Type]) -> Type:
        """The type of values that are of one of the types.

        An object wins over a reference to it as text (Stripe's expandable fields), a number or a
        moment over a text: what the narrower reading excludes fails when it is read, it is not
        lost.
        """
        known = [each for each in types if each.kind is not Kind.ANY]
        if not known:
            return ANY
        kind = _preferred([each.kind for each in known])
        chosen = [each for each in known if each.kind is kind]
        found = reduce(self._widened, chosen)
        if kind is Kind.OBJECT:
            shapes = [each.shape for each in chosen if each.shape]
            shape = self._combined("any", shapes, self._any_fields)
            found = msgspec.structs.replace(found, shape=shape)
        nullable = any(each.nullable for each in types)
        return msgspec.structs.replace(found, nullable=nullable)

    def either_field(self, fields: Sequence[Field], *, always: bool) -> Field:
        """One field of objects of which one stands there.

        Args:
            always: Each of the objects has the field.
        """
        return msgspec.structs.replace(
            fields[0],
            type=self.either([each.type for each in fields]),
            required=always and all(each.required for each in fields),
            present=always and all(each.present or each.required for each in fields),
            writable=any(each.writable for each in fields),
        )

    def _both_fields(self, a: Field, b: Field) -> Field:
        return msgspec.structs.replace(
            a,
            type=self.both(a.type, b.type),
            required=a.required or b.required,
            present=a.present or b.present,
            writable=a.writable and b.writable,
            label=a.label or b.label,
            default=b.default if a.default is msgspec.UNSET else a.default,
        )

    def _all_fields(self, shapes: Sequence[Shape]) -> dict[str, Field]:
        found: dict[str, Field] = {}
        for shape in shapes:
            for name, field in shape.fields.items():
                found[name] = self._both_fields(found[name], field) if name in found else field
        return found

    def _any_fields(self, shapes: Sequence[Shape]) -> dict[str, Field]:
        names = dict.fromkeys(name for shape in shapes for name in shape.fields)
        return {
            name: self.either_field(having, always=len(having) == len(shapes))
            for name in names
            if (having := [shape.fields[name] for shape in shapes if name in shape.fields])
        }

    def _widened(self, a: Type, b: Type) -> Type:
        item = self.either([a.item, b.item]) if a.item and b.item else None
        made: Type = msgspec.structs.replace(widened(a, b), item=item)
        return made

    def _combined(
        self,
        operation: str,
        shapes: Sequence[Shape],
        fields: Callable[[Sequence[Shape]], dict[str, Field]],
    ) -> Shape:
        """One shape of several; what was combined in the same way before is taken apart first."""
        flat = [part for each in shapes for part in self._parts.get((operation, each), (each,))]
        parts = tuple(dict.fromkeys(flat))
        if len(parts) == 1:
            return parts[0]
        key = operation, frozenset(parts)
        if key not in self._made:
            name = "|".join(dict.fromkeys(each.name for each in parts))
            self._made[key] = Shape(name, lambda: fields(parts))
            self._parts[operation, self._made[key]] = parts
        return self._made[key]


def _preferred(kinds: Sequence[Kind]) -> Kind:
    for kind in _STRUCTURED:
        if kind in kinds:
            return kind
    return next((kind for kind in kinds if kind is not Kind.TEXT), Kind.TEXT)


def _whole(a: Type, b: Type) -> bool:
    """Whether the second is the narrower of two kinds of number."""
    return b.kind is Kind.INTEGER and a.kind in {Kind.DECIMAL, Kind.FLOAT}


def _shared(a: tuple[_T, ...] | None, b: tuple[_T, ...] | None) -> tuple[_T, ...] | None:
    if a is None or b is None:
        return a if b is None else b
    return tuple(value for value in a if value in b)
