"""A line for each statement, so that a tracer can tell branches apart that are one rule."""

import ast
from collections.abc import Iterator


def spread_lines(module: ast.Module) -> dict[int, int]:
    """Number the statements; the lines with the numbers of their rules."""
    lines: dict[int, int] = {}
    for line, statement in enumerate(_statements(module), 1):
        lines[line] = statement.col_offset
        for node in _own(statement):
            node.lineno = node.end_lineno = line  # type: ignore[attr-defined] # all have places
    return lines


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        yield from _statements(child)


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """A statement with its expressions, without the statements inside."""
    if hasattr(node, "lineno"):
        yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.stmt):
            yield from _own(child)
