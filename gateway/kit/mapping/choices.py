"""Fields of which only one may stand there (``xs:choice``)."""

from collections.abc import Iterable, Iterator

from gateway.kit.mapping import ir
from gateway.kit.mapping.types import Shape


def excluded(fields: Iterable[ir.Field], shape: Shape) -> Iterator[tuple[ir.Place, str]]:
    """Fields that are always written, though another branch of the same choice always is.

    Whether conditions exclude each other is not known here.
    """
    first: dict[int, tuple[int, str]] = {}
    for field in filter(_is_certain, fields):
        for choice, branch in shape.fields[field.target].branches:
            other, name = first.setdefault(choice, (branch, field.target))
            if other != branch:
                yield field.place, f"{field.target} or {name} may stand there, not both: add when:"


def _is_certain(field: ir.Field) -> bool:
    if isinstance(field, ir.Rule):
        return field.condition is None and not field.value.type.nullable
    return any(block.condition is None and block.items is None for block in field.blocks)
