"""Python's syntax tree, built node by node; each node says which rule it belongs to.

``lineno`` is the line in the mapping file and ``col_offset`` the number of the rule, so that a
traceback leads back to both. In a look-up ``end_col_offset`` counts the table on top.
"""

import ast
from collections.abc import Sequence
from typing import Any, Final

_OPERATORS: Final[dict[str, type[ast.operator]]] = {"+": ast.Add, "-": ast.Sub, "*": ast.Mult}
_COMPARISONS: Final[dict[str, type[ast.cmpop]]] = {
    "==": ast.Eq, "!=": ast.NotEq, "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE,
    "is": ast.Is, "is not": ast.IsNot, "in": ast.In, "not in": ast.NotIn,
}  # fmt: skip


class Trees:
    """Makes nodes for the rule that is set."""

    def __init__(self) -> None:
        self.line = 1
        self.rule = 0

    @property
    def at(self) -> dict[str, Any]:
        """The place of the rule, as arguments of a node."""
        return {
            "lineno": self.line,
            "end_lineno": self.line,
            "col_offset": self.rule,
            "end_col_offset": self.rule,
        }

    def name(self, name: str) -> ast.Name:
        """A variable that is read."""
        return ast.Name(name, ast.Load(), **self.at)

    def constant(self, value: object) -> ast.Constant:
        """A constant."""
        return ast.Constant(value, **self.at)  # type: ignore[arg-type] # the callers know

    def attribute(self, value: ast.expr, name: str) -> ast.Attribute:
        """``value.name``."""
        return ast.Attribute(value, name, ast.Load(), **self.at)

    def item(self, value: ast.expr, key: ast.expr, *, table: int = -1) -> ast.Subscript:
        """``value[key]``; ``table`` is the number of a code list."""
        made = ast.Subscript(value, key, ast.Load(), **self.at)
        made.end_col_offset = self.rule + table + 1
        return made

    def part(self, value: ast.expr, start: int | None, end: int | None) -> ast.Subscript:
        """``value[start:end]``."""
        low = None if start is None else self.constant(start)
        high = None if end is None else self.constant(end)
        return self.item(value, ast.Slice(low, high, None, **self.at))

    def call(self, function: ast.expr | str, *arguments: ast.expr) -> ast.Call:
        """``function(arguments)``."""
        called = self.name(function) if isinstance(function, str) else function
        return ast.Call(called, list(arguments), [], **self.at)

    def method(self, value: ast.expr, name: str, *arguments: ast.expr) -> ast.Call:
        """``value.name(arguments)``."""
        return self.call(self.attribute(value, name), *arguments)

    def binary(self, left: ast.expr, symbol: str, right: ast.expr) -> ast.BinOp:
        """``left + right``."""
        return ast.BinOp(left, _OPERATORS[symbol](), right, **self.at)

    def negative(self, value: ast.expr) -> ast.UnaryOp:
        """``-value``."""
        return ast.UnaryOp(ast.USub(), value, **self.at)

    def compare(self, left: ast.expr, symbol: str, right: ast.expr) -> ast.Compare:
        """``left == right``."""
        return ast.Compare(left, [_COMPARISONS[symbol]()], [right], **self.at)

    def is_none(self, value: ast.expr) -> ast.Compare:
        """``value is None``."""
        return self.compare(value, "is", self.constant(None))

    def is_there(self, value: ast.expr) -> ast.Compare:
        """``value is not None``."""
        return self.compare(value, "is not", self.constant(None))

    def logic(self, symbol: str, parts: Sequence[ast.expr]) -> ast.expr:
        """``a and b``."""
        joined = ast.And() if symbol == "and" else ast.Or()
        return ast.BoolOp(joined, list(parts), **self.at)

    def all_of(self, parts: Sequence[ast.expr]) -> ast.expr:
        """``a and b``, or ``a`` alone."""
        return parts[0] if len(parts) == 1 else self.logic("and", parts)

    def any_of(self, parts: Sequence[ast.expr]) -> ast.expr:
        """``a or b``, or ``a`` alone."""
        return parts[0] if len(parts) == 1 else self.logic("or", parts)

    def invert(self, value: ast.expr) -> ast.UnaryOp:
        """``not value``."""
        return ast.UnaryOp(ast.Not(), value, **self.at)

    def choice(self, condition: ast.expr, then: ast.expr, other: ast.expr) -> ast.IfExp:
        """``then if condition else other``."""
        return ast.IfExp(condition, then, other, **self.at)

    def named(self, name: str, value: ast.expr) -> ast.NamedExpr:
        """``(name := value)``."""
        return ast.NamedExpr(ast.Name(name, ast.Store(), **self.at), value, **self.at)

    def template(self, *parts: ast.expr | str, form: str = "") -> ast.JoinedStr:
        """An f-string; ``form`` formats every part that is a value."""
        spec = ast.JoinedStr([self.constant(form)], **self.at) if form else None
        values: list[ast.expr] = []
        for part in parts:
            if isinstance(part, str):
                values.append(self.constant(part))
            elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                values.append(part)
            elif isinstance(part, ast.Constant) and type(part.value) is int and not form:
                values.append(self.constant(str(part.value)))
            else:
                values.append(ast.FormattedValue(part, -1, spec, **self.at))
        return ast.JoinedStr(values, **self.at)

    def dictionary(self, entries: Sequence[tuple[str, ast.expr]]) -> ast.Dict:
        """``{"a": …}``."""
        keys: list[Any] = [self.constant(key) for key, _ in entries]
        return ast.Dict(keys, [value for _, value in entries], **self.at)

    def listing(self, items: Sequence[ast.expr]) -> ast.List:
        """``[a, b]``."""
        return ast.List(list(items), ast.Load(), **self.at)

    def row(self, items: Sequence[ast.expr]) -> ast.expr:
        """``(a, b)``, or ``a`` alone."""
        return items[0] if len(items) == 1 else ast.Tuple([*items], ast.Load(), **self.at)

    def tuple_of_nothing(self) -> ast.expr:
        """``()``."""
        return ast.Tuple([], ast.Load(), **self.at)

    def stored(self, *names: str) -> ast.expr:
        """Variables that are assigned to."""
        targets: list[ast.expr] = [ast.Name(name, ast.Store(), **self.at) for name in names]
        return targets[0] if len(targets) == 1 else ast.Tuple(targets, ast.Store(), **self.at)

    def stored_tuple(self, *targets: ast.expr) -> ast.Tuple:
        """Several targets, one of them perhaps a tuple itself."""
        return ast.Tuple(list(targets), ast.Store(), **self.at)

    def generator(
        self, body: ast.expr, variable: str, items: ast.expr, condition: ast.expr | None
    ) -> ast.GeneratorExp:
        """``(body for variable in items if condition)``."""
        conditions = [] if condition is None else [condition]
        loop = ast.comprehension(self.stored(variable), items, conditions, 0)
        return ast.GeneratorExp(body, [loop], **self.at)

    # Statements

    def assign(self, name: str, value: ast.expr) -> ast.stmt:
        """``name = value``."""
        return ast.Assign([self.stored(name)], value, **self.at)

    def put(self, owner: ast.expr, key: str | int | ast.expr, value: ast.expr) -> ast.stmt:
        """``owner[key] = value``."""
        index = key if isinstance(key, ast.expr) else self.constant(key)
        target = ast.Subscript(owner, index, ast.Store(), **self.at)
        return ast.Assign([target], value, **self.at)

    def increase(self, target: ast.expr, value: ast.expr) -> ast.stmt:
        """``target += value``."""
        return ast.AugAssign(target, ast.Add(), value, **self.at)  # type: ignore[arg-type] # the callers know

    def do(self, value: ast.expr) -> ast.stmt:
        """A call for what it does."""
        return ast.Expr(value, **self.at)

    def when(
        self, condition: ast.expr, then: list[ast.stmt], other: list[ast.stmt] | None = None
    ) -> ast.stmt:
        """``if``."""
        return ast.If(condition, then or [ast.Pass(**self.at)], other or [], **self.at)

    def loop(
        self,
        target: ast.expr,
        items: ast.expr,
        body: list[ast.stmt],
    ) -> ast.stmt:
        """``for``."""
        return ast.For(target, items, body, [], **self.at)

    def leave(self) -> ast.stmt:
        """``break``."""
        return ast.Break(**self.at)

    def give(self, value: ast.expr) -> ast.stmt:
        """``return``."""
        return ast.Return(value, **self.at)

    def guard(self, body: list[ast.stmt], failed: str) -> ast.stmt:
        """``try: body`` with ``except Exception as error: raise failed(error)``."""
        raised = ast.Raise(self.call(failed, self.name("error")), None, **self.at)
        handler = ast.ExceptHandler(self.name("Exception"), "error", [raised], **self.at)
        return ast.Try(body, [handler], [], [], **self.at)

    def function(self, name: str, parameters: Sequence[str], body: list[ast.stmt]) -> ast.Module:
        """A module with one function."""
        arguments = ast.arguments(
            posonlyargs=[],
            args=[ast.arg(each, None, **self.at) for each in parameters],
            vararg=None,
            kwonlyargs=[],
            kw_defaults=[],
            kwarg=None,
            defaults=[],
        )
        made = ast.FunctionDef(name, arguments, body, [], None, **self.at)
        return ast.Module([made], [])
