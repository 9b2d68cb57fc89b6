"""Expressions as text: Python's own parser, and a white list of what may stand in its tree.

What passes here is built of names, fields, constants, ``+ - *``, comparisons, ``and or not``,
``if else``, pipes into converters, f-strings without formats and the five functions over lists.
What the names mean is decided by ``inference``.
"""

import ast
import re
from functools import lru_cache
from typing import Final

from gateway.kit.mapping.findings import Found

CHARACTERS: Final = 2_000
DEPTH: Final = 50
ARGUMENT: Final = 1_000
NAME: Final = 100
INTEGER: Final = 10**15
FUNCTIONS: Final = frozenset({"sum", "first", "any", "count", "has", "dec"})

_NODES: Final = (
    ast.Name, ast.Attribute, ast.Constant, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare,
    ast.IfExp, ast.JoinedStr, ast.FormattedValue, ast.Call, ast.GeneratorExp, ast.comprehension,
    ast.Tuple, ast.Load, ast.Store,
    ast.Add, ast.Sub, ast.Mult, ast.BitOr, ast.USub, ast.Not, ast.And, ast.Or,
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn,
)  # fmt: skip
_NUMBER_WITH_TAIL: Final = re.compile(r"(?<![A-Za-z0-9_])[0-9][0-9_]*[A-Za-z_]")
_CONVERTER_IN_BRACKETS: Final = re.compile(r"\|\s*\(")
_NO_ARGUMENTS: Final = re.compile(r"\|\s*\w+\s*\(\s*\)")
_OPENING: Final = "([{"
_CLOSING: Final = ")]}"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"


@lru_cache(maxsize=512)
def parse(text: str) -> tuple[ast.expr, int]:
    """The tree of an expression, made of allowed nodes only, and how many they are.

    Raises:
        Found: E16, with what is not allowed.
    """
    if len(text) > CHARACTERS:
        raise Found("E16", f"an expression has at most {CHARACTERS} characters: use let")
    _refuse_characters(text)
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        column = f" at column {error.offset}" if error.offset else ""
        raise Found("E16", f"syntax{column}: {error.msg}") from None
    except (RecursionError, MemoryError, ValueError):
        raise Found("E16", f"nested deeper than {DEPTH}: use let") from None
    return tree, _refuse_nodes(tree)


def _refuse_characters(text: str) -> None:
    """Stop before Python's parser: comments, escapes, other alphabets, depth."""
    bare = _without_texts(text)
    if not bare.isascii():
        raise Found("E16", "names are made of ASCII letters, digits and _")
    if "#" in bare:
        raise Found("E16", "no comments in expressions: put it behind the YAML value")
    if _NUMBER_WITH_TAIL.search(bare):
        raise Found("E16", "a number may not run into a name")
    if _CONVERTER_IN_BRACKETS.search(bare):
        raise Found("E16", "behind | stands the name of a converter, without brackets")
    if _NO_ARGUMENTS.search(bare):
        raise Found("E15", "a converter without arguments is written without brackets")
    depth = 0
    for character in bare:
        depth += (character in _OPENING) - (character in _CLOSING)
        if depth > DEPTH:
            raise Found("E16", f"nested deeper than {DEPTH}: use let")


def _without_texts(text: str) -> str:
    """The expression with its texts left out; what stands in braces of an f-string is kept."""
    kept: list[str] = []
    quotes: list[str] = []  # open texts; braces of an f-string open another level
    template, opened = False, -1
    for index, character in enumerate(text):
        if character < " " or character in "\\\x7f\u2028\u2029":
            raise Found("E16", "no line breaks, control characters or backslashes in expressions")
        if quotes and quotes[-1] != "{":
            if character == quotes[-1]:
                quotes.pop()
            elif template and character == "{":
                quotes.append("{")
                opened = index
            continue
        if character == "{" and quotes and opened == index - 1:  # two of them are one of the text
            quotes.pop()
            continue
        if character in "'\"":
            quotes.append(character)
            template = _prefix(text, index) or (template and len(quotes) > 1)
        elif quotes and character == "}":
            quotes.pop()
        kept.append(character)
    return "".join(kept)


def _prefix(text: str, index: int) -> bool:
    """Whether the quote opens an f-string; other prefixes are refused."""
    before = text[:index]
    word = before[len(before.rstrip(_LETTERS)) :]
    if word not in {"", "f", "if", "else", "in", "and", "or", "not"}:
        raise Found("E16", f"a text has no prefix {word[:20]}")
    return word == "f"


def _refuse_nodes(tree: ast.expr) -> int:
    level: list[ast.AST] = [tree]
    count = 0
    for _ in range(DEPTH):
        count += len(level)
        for node in level:
            _refuse_node(node)
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return count
    raise Found("E16", f"nested deeper than {DEPTH}: use let")


def _refuse_node(node: ast.AST) -> None:  # noqa: C901 - one branch for each kind of node
    if not isinstance(node, _NODES):
        what = type(node).__name__
        raise Found("E16", f"{what} is not part of the language of mappings: {_instead(node)}")
    if isinstance(node, ast.Name | ast.Attribute):
        _refuse_name(node.id if isinstance(node, ast.Name) else node.attr)
    elif isinstance(node, ast.Constant):
        _refuse_constant(node.value)
    elif isinstance(node, ast.FormattedValue):
        if node.conversion != -1 or node.format_spec is not None:
            raise Found("E16", "no formats in f-strings: use a converter")
    elif isinstance(node, ast.Compare):
        if len(node.ops) != 1:
            raise Found("E16", "compare two values at a time and join with and")
    elif isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise Found("E16", "only converters and functions of the language can be called")
    elif isinstance(node, ast.GeneratorExp):
        _refuse_loops(node)


def _refuse_name(name: str) -> None:
    if name.startswith("_") or len(name) > NAME:
        raise Found("E16", f"{name[:40]} is not a name: names start with a letter")


def _refuse_constant(value: object) -> None:
    if isinstance(value, str):
        if len(value) > ARGUMENT:
            raise Found("E16", f"a text in an expression has at most {ARGUMENT} characters")
    elif isinstance(value, int):
        if abs(value) > INTEGER:
            raise Found("E16", "whole numbers go up to 10 to the power of 15")
    elif isinstance(value, float):
        raise Found("E16", f'no floating point: write dec("{value}")')
    elif value is not None:
        raise Found("E16", "constants are text, whole numbers, True, False and None")


def _refuse_loops(node: ast.GeneratorExp) -> None:
    if len(node.generators) != 1:
        raise Found("E16", "one for at a time: a loop in a loop takes quadratic time")
    loop = node.generators[0]
    if loop.is_async or len(loop.ifs) > 1 or not isinstance(loop.target, ast.Name):
        raise Found("E16", "write for NAME in LIST if CONDITION")


def _instead(node: ast.AST) -> str:
    if isinstance(node, ast.operator):
        return "numbers know + - * only"
    if isinstance(node, ast.Subscript):
        return "use part(a, b) for text, first(… for …) for lists, code(LIST) for tables"
    return "see the grammar of mappings"


def call_of(tree: ast.expr) -> tuple[str, list[ast.expr]]:
    """Name and arguments of a converter behind ``|``."""
    if isinstance(tree, ast.Name):
        return tree.id, []
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
        return tree.func.id, tree.args
    raise Found("E16", "behind | stands a converter: | upper or | cut(20)")


def list_name(tree: ast.expr) -> str:
    """The code list that is named as an argument."""
    if isinstance(tree, ast.Name):
        return tree.id
    if (
        isinstance(tree, ast.Attribute)
        and isinstance(tree.value, ast.Name)
        and tree.value.id == "cfg"
    ):
        return f"cfg.{tree.attr}"
    raise Found("E15", "code takes the name of a code list or cfg.NAME")
