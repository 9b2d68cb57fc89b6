"""What changes from one mapping to another: places of the file, and what comes out of cases."""

from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.commands.mapping_files import Source, Where
from gateway.errors import HeadraceError
from gateway.kit.mapping import cases
from gateway.kit.mapping.document import Node


class Change(msgspec.Struct, frozen=True):
    """A place of a mapping that is not the same; None stands for nothing there.

    Attributes:
        path: In the file, such as ``codes/terms/net60``.
        origin: File and line of the new value, or of the old one where it is gone.
    """

    path: str
    old: Any
    new: Any
    origin: str


class Changed(msgspec.Struct, frozen=True):
    """A case that comes out otherwise."""

    case: str
    differences: tuple[cases.Difference, ...]


def places(old: Node, new: Node) -> Iterator[Change]:
    """Where two effective mappings differ, each value on its own."""
    before, after = dict(_values(old, "")), dict(_values(new, ""))
    for path in dict.fromkeys((*before, *after)):
        left, right = before.get(path), after.get(path)
        if left is None or right is None or left.value != right.value:
            shown = right or left
            origin = f"{shown.file}:{shown.line}" if shown is not None else ""
            yield Change(path, left and left.value, right and right.value, origin)


def _values(node: Node, path: str) -> Iterator[tuple[str, Node]]:
    """The single values below a node; a plain rule and one with ``value:`` are at one place."""
    if isinstance(node.value, dict):
        for name, each in node.value.items():
            yield from _values(each, path if name == "value" else f"{path}/{name}".lstrip("/"))
    elif isinstance(node.value, list):
        for index, each in enumerate(node.value):
            yield from _values(each, f"{path}/{_id(each) or index}")
    else:
        yield path, node


def _id(block: Node) -> str:
    node = block.value.get("id") if isinstance(block.value, dict) else None
    return str(node.value) if node is not None else ""


def outputs(old: tuple[Source, Where], new: tuple[Source, Where]) -> Iterator[Changed]:
    """The cases of both that come out otherwise; a failure counts as an output.

    Raises:
        Refused: One of them has an error.
    """
    (before, under), (after, over) = old, new
    known = before.examples(under).under(after.examples(over))
    for case in known.cases:
        values = known.config | case.config | (over.values or {})
        outcomes = [_outcome(case, *one, values) for one in (old, new)]
        found = tuple(cases.differences(*outcomes))
        if found:
            yield Changed(case.name, found)


def _outcome(case: cases.Case, source: Source, where: Where, values: dict[str, Any]) -> Any:
    made = source.load(where, values)
    try:
        return cases.run(made, source.ends(where), case.source, case.needs)
    except HeadraceError as failure:
        return f"fails: {failure.message} {failure.detail}".rstrip()
