"""The sections of a mapping: which there are, and what may stand in each."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from gateway.kit.mapping.document import Node, entries_of
from gateway.kit.mapping.findings import did_you_mean


def problems(root: Node) -> Iterator[tuple[str, int, str]]:
    """Name, line and message of each section that is not as it has to be: E16.

    What is of another kind would otherwise be ignored.
    """
    content = entries_of(root)
    for name in content:
        if name not in _SECTIONS:
            message = f"there is no section {name}{did_you_mean(name, _SECTIONS)}"
            yield name, root.keys[name], message
    for name, (fits, what) in _SECTIONS.items():
        node = content.get(name)
        if node is None and name in {"mapping", "version", "fields"}:
            yield name, root.line, f"a mapping has the section {name}"
        elif node is not None and not fits(node):
            yield name, root.keys[name], f"{name} is {what}"


def _matches(pattern: str) -> Callable[[Node], bool]:
    form = re.compile(pattern)
    return lambda node: isinstance(node.value, str) and form.fullmatch(node.value) is not None


def _is_text(node: Node) -> bool:
    return isinstance(node.value, str)


def _is_map(node: Node) -> bool:
    return node.value is None or isinstance(node.value, dict)


def _is_list(node: Node) -> bool:
    return node.value is None or (
        isinstance(node.value, list) and all(type(each.value) in {str, int} for each in node.value)
    )


def _is_flag(node: Node) -> bool:
    return isinstance(node.value, bool)


_SECTIONS: Final[dict[str, tuple[Callable[[Node], bool], str]]] = {
    "mapping": (
        _matches(r"[a-z][a-z0-9_.]*"),
        "lower-case letters, digits, _ and points, such as sap.journal_entry.post",
    ),
    "version": (_matches(r"[0-9]+\.[0-9]+\.[0-9]+"), "three numbers, such as 1.0.0"),
    "from": (_is_text, "the name of a schema"),
    "to": (_is_text, "the name of a schema"),
    "config": (_is_map, "a map of names"),
    "needs": (_is_map, "a map of names"),
    "codes": (_is_map, "a map of names"),
    "let": (_is_map, "a map of names"),
    "fields": (_is_map, "a map of names"),
    "unused": (_is_list, "a list of paths"),
    "reversible": (_is_flag, "true or false"),
}
