"""What changed between two releases of a type, as far as a mapping can notice."""

from collections.abc import Iterator
from typing import Final

import msgspec

from gateway.kit.mapping.types import Field, Shape, Type

# What a value must not exceed; None is no limit.
_CEILINGS: Final = ("max_length", "maximum", "precision", "scale", "max_items")
_FLOORS: Final = ("min_length", "minimum", "min_items")


class Change(msgspec.Struct, frozen=True):
    """One difference.

    Attributes:
        path: Of the field, ``to_Address.Street``; items of lists have no name of their own.
        what: A sentence.
        narrower: What was accepted may be refused now, or what was read may be missing.
    """

    path: str
    what: str
    narrower: bool


def differences(old: Type, new: Type) -> list[Change]:
    """All differences of two types and of what they hold, each pair of shapes looked at once."""
    return list(_types("", old, new, set()))


def _types(path: str, old: Type, new: Type, seen: set[tuple[Shape, Shape]]) -> Iterator[Change]:
    if old.kind is not new.kind:
        yield Change(path, f"was {old.kind}, is {new.kind}", narrower=True)
        return
    yield from _facets(path, old, new)
    if old.item is not None and new.item is not None:
        yield from _types(path, old.item, new.item, seen)
    if old.shape is not None and new.shape is not None and (old.shape, new.shape) not in seen:
        seen.add((old.shape, new.shape))
        yield from _shapes(path, old.shape, new.shape, seen)


def _facets(path: str, old: Type, new: Type) -> Iterator[Change]:
    for names, sign in ((_CEILINGS, 1), (_FLOORS, -1)):
        for name in names:
            before, after = getattr(old, name), getattr(new, name)
            if before != after:
                narrower = after is not None and (before is None or sign * after < sign * before)
                yield Change(path, f"{name} was {before}, is {after}", narrower)
    for name in ("nullable", "upper", "wire", "pattern", "zoned"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            # Null that comes newly breaks what reads it, null that goes what writes it.
            yield Change(path, f"{name} was {before}, is {after}", narrower=True)
    if old.values != new.values:
        yield from _values(path, old.values, new.values)


def _values(
    path: str, old: tuple[str, ...] | None, new: tuple[str, ...] | None
) -> Iterator[Change]:
    if old is None or new is None:
        what = "any text was allowed" if old is None else "any text is allowed"
        yield Change(path, what, narrower=True)
        return
    for value in old:
        if value not in new:
            yield Change(path, f"value {value!r} is gone", narrower=True)
    for value in new:
        if value not in old:
            yield Change(path, f"value {value!r} is new", narrower=True)


def _shapes(path: str, old: Shape, new: Shape, seen: set[tuple[Shape, Shape]]) -> Iterator[Change]:
    for name, field in old.fields.items():
        place = f"{path}.{name}" if path else name
        if name in new.fields:
            yield from _fields(place, field, new.fields[name])
            yield from _types(place, field.type, new.fields[name].type, seen)
        else:
            yield Change(place, "is gone", narrower=True)
    for name, field in new.fields.items():
        if name not in old.fields:
            place = f"{path}.{name}" if path else name
            yield Change(place, "is new", narrower=field.required)


def _fields(path: str, old: Field, new: Field) -> Iterator[Change]:
    for name, stricter in (("required", True), ("writable", False), ("changeable", False)):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield Change(path, f"{name} was {before}, is {after}", narrower=after is stricter)
