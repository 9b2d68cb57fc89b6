"""Typed expressions to Python expressions, as one would write them by hand."""

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from gateway.kit.mapping import ir
from gateway.kit.mapping.converters import widths
from gateway.kit.mapping.trees import Trees
from gateway.kit.mapping.types import Kind, Type, Wire
from gateway.kit.mapping.wires import NATIVE, Form, Wires, held

_METHODS: Final = {"upper", "lower", "strip"}
_CALLS: Final = {
    "fit": "fit", "zfill": "zfill", "unzfill": "unzfill", "round": "rounded", "minor": "minor",
    "unix": "unix", "date": "day_in", "utc": "utc", "oneline": "oneline",
}  # fmt: skip


class Emitter:
    """The code of expressions, and what they need: constants, temporary names, statements before.

    Attributes:
        constants: Description of a constant to its name in the code.
        prelude: Statements to run before the one being built; None where they may not run always.
        names: Name in the mapping to name in the code.
        hoisted: Path to the local variable that holds it.
        units: Name of a currency to the variable with the worth of its minor unit.
    """

    def __init__(self, form: Form) -> None:
        self.trees = Trees()
        self.constants: dict[tuple[Any, ...], str] = {}
        self.prelude: list[ast.stmt] | None = []
        self.names: dict[str, str] = {"source": "source"}
        self.hoisted: dict[str, str] = {}
        self.units: dict[str, str] = {}
        self.form = form
        self.wires = Wires(self.trees, self.constant, self.fresh)
        self._native: set[str] = set()
        self._counter = 0
        self._slots: list[str] = []
        self._position = self._around = ""

    # Names

    def constant(self, *description: Any) -> str:
        """The name of a constant, made when first asked for."""
        return self.constants.setdefault(description, f"K{len(self.constants)}")

    def table(self, name: str) -> int:
        """The number of a code list among the constants."""
        self.constant("table", name)
        return list(self.constants).index(("table", name))

    def fresh(self, hint: str = "t") -> str:
        """A variable that nothing else uses."""
        self._counter += 1
        return f"{hint}_{self._counter}"

    def bind(self, name: str, *, native: bool = False) -> str:
        """The variable for a name of the mapping; ``native``: not as the source wrote it."""
        made = self.fresh("".join(c if c.isalnum() else "_" for c in name.strip()) or "t")
        self.names[name] = made
        if native:
            self._native.add(name)
        return made

    @contextmanager
    def group(self, slots: list[str], keys: dict[str, str]) -> Iterator[None]:
        """Sums and keys of the group whose fields are written."""
        before = self._slots
        self._slots = slots
        self.names.update(keys)
        self._native |= keys.keys()
        yield
        self._slots = before

    @contextmanager
    def at_position(self, name: str) -> Iterator[None]:
        """The variable that ``position`` reads."""
        before = self._position, self._around
        self._position, self._around = name, self._position
        yield
        self._position, self._around = before

    @contextmanager
    def around(self) -> Iterator[None]:
        """For conditions of a block: its item has no position before it is there."""
        before = self._position
        self._position = self._around
        yield
        self._position = before

    @contextmanager
    def lazy(self) -> Iterator[None]:
        """Code that may not run: nothing can be put before it."""
        before = self.prelude
        self.prelude = None
        yield
        self.prelude = before

    # Values

    def form_of(self, value: ir.Expr) -> str:
        """How the code of ``read`` holds the value."""
        if isinstance(value, ir.Name) and (value.name in self._native or " " in value.name):
            return NATIVE
        if isinstance(value, ir.Get | ir.Name):
            form = Form.OBJECTS if _is_need(value) else self.form
            return held(value.type, form, money=value.money)
        if isinstance(value, ir.Convert) and value.converter in {"epoch", "utc"}:
            if value.operand.type.kind is Kind.INTEGER:
                return "epoch" if self.form_of(value.operand) == NATIVE else NATIVE
            inner = self.form_of(value.operand)
            return "epoch" if inner == "epoch" else NATIVE
        return NATIVE

    def value(self, value: ir.Expr) -> ast.expr:
        """The native value, or None."""
        form = self.form_of(value)
        if form == NATIVE:
            return self.read(value)
        return self.null_safe(value, lambda code: self.wires.native(code, value.type, form))

    def null_safe(self, value: ir.Expr, build: Callable[[ast.expr], ast.expr]) -> ast.expr:
        """``build`` of the value as it is held; None where it is None."""
        code = self.read(value)
        if not value.type.nullable:
            return build(code)
        test, code = self.once(code)
        with self.lazy():
            return self.trees.choice(
                self.trees.is_none(test), self.trees.constant(None), build(code)
            )

    def once(self, code: ast.expr) -> tuple[ast.expr, ast.expr]:
        """The code to read first, and the code to read again without computing it again."""
        if isinstance(code, ast.Name):
            return code, self.trees.name(code.id)
        name = self.fresh()
        return self.trees.named(name, code), self.trees.name(name)

    def read(self, value: ir.Expr) -> ast.expr:
        """The value as ``form_of`` says, or None."""
        code: ast.expr = getattr(self, _READERS[type(value)])(value)
        return code

    def _const(self, value: ir.Const) -> ast.expr:
        if isinstance(value.value, str | int | bool | None):
            return self.trees.constant(value.value)
        return self.trees.name(self.constant("value", value.value))

    def _name(self, value: ir.Name) -> ast.expr:
        if value.name.startswith("needs."):
            return self.trees.item(
                self.trees.name("needs"), self.trees.constant(value.name.removeprefix("needs."))
            )
        return self.trees.name(self.names[value.name])

    def _get(self, value: ir.Get) -> ast.expr:
        if value.key in self.hoisted:
            return self.trees.name(self.hoisted[value.key])
        return self.null_safe(value.operand, lambda code: self._member(code, value))

    def _member(self, code: ast.expr, value: ir.Get) -> ast.expr:
        if value.operand.type.kind is Kind.MAP:
            return self.trees.method(code, "get", self.trees.constant(value.field))
        made = self.trees.attribute(code, value.field)
        if value.type.wire is not Wire.ODATA_RESULTS or self.form is Form.OBJECTS:
            return made
        return self._results(made, nullable=value.type.nullable)

    def _results(self, code: ast.expr, *, nullable: bool) -> ast.expr:
        """The list in ``{"results": […]}``, as it was decoded."""
        trees = self.trees
        if not nullable:
            return trees.attribute(code, "results")
        test, again = self.once(code)
        return trees.choice(trees.is_none(test), again, trees.attribute(again, "results"))

    def _setting(self, value: ir.Setting) -> ast.expr:
        return self.trees.name(self.constant("setting", value.name))

    def _lookup(self, value: ir.Lookup) -> ast.expr:
        first = self.value(value.first) if value.first is not None else None
        if not value.operand.type.nullable:
            return self._entry(value, self.value(value.operand), first)
        test, code = self.once(self.value(value.operand))
        with self.lazy():
            found = self._entry(value, code, first)
        return self.trees.choice(self.trees.is_none(test), self.trees.constant(None), found)

    def _entry(self, value: ir.Lookup, key: ast.expr, first: ast.expr | None) -> ast.expr:
        trees = self.trees
        number = self.table(value.table)
        table = trees.name(self.constant("table", value.table))
        if first is not None:
            more = [] if value.default is None else [self.value(value.default)]
            made = trees.call("pair_or" if more else "pair", table, first, key, *more)
            made.end_col_offset = trees.rule + number + 1
            return made
        if value.default is not None:
            return trees.method(table, "get", key, self.value(value.default))
        return trees.item(table, key, table=number)

    def _template(self, value: ir.Template) -> ast.expr:
        parts: list[ast.expr | str] = []
        for part in value.parts:
            if isinstance(part, ir.Convert) and part.converter == "text":
                part = part.operand  # noqa: PLW2901 - an f-string writes numbers itself
            parts.append(self.value(part))
        return self.trees.template(*parts)

    def _arithmetic(self, value: ir.Arithmetic) -> ast.expr:
        operands = [self.value(each) for each in value.operands]
        if len(operands) == 1:
            return self.trees.negative(operands[0])
        return self.trees.binary(operands[0], value.symbol, operands[1])

    # Conditions

    def _compare(self, value: ir.Compare) -> ast.expr:
        return self.trees.compare(self.value(value.left), value.symbol, self.value(value.right))

    def _among(self, value: ir.Among) -> ast.expr:
        options = ast.Tuple(
            [self.trees.constant(each) for each in value.values],
            ast.Load(),
            **self.trees.at,
        )
        symbol = "not in" if value.negated else "in"
        return self.trees.compare(self.value(value.operand), symbol, options)

    def _logic(self, value: ir.Logic) -> ast.expr:
        first = self.value(value.parts[0])
        with self.lazy():
            return self.trees.logic(
                value.symbol, [first, *(self.value(part) for part in value.parts[1:])]
            )

    def _not(self, value: ir.Not) -> ast.expr:
        if isinstance(value.operand, ir.Has) and value.operand.operand.type.kind is not Kind.LIST:
            return self.trees.is_none(self.read(value.operand.operand))
        return self.trees.invert(self.value(value.operand))

    def _has(self, value: ir.Has) -> ast.expr:
        code = self.read(value.operand)
        if value.operand.type.kind is Kind.LIST:
            return self.trees.call("bool", code)
        return self.trees.is_there(code)

    def test(self, value: ir.Expr) -> ast.expr:
        """A condition where only true or false matters."""
        if isinstance(value, ir.Has) and value.operand.type.kind is Kind.LIST:
            return self.read(value.operand)
        return self.value(value)

    def _choice(self, value: ir.Choice) -> ast.expr:
        condition = self.test(value.condition)
        with self.lazy():
            return self.trees.choice(condition, self.value(value.then), self.value(value.other))

    # Converters

    def _convert(self, value: ir.Convert) -> ast.expr:
        if value.converter == "default":
            return self._default(value)
        if value.converter == "required":
            return self._required(value)
        if value.converter in {"epoch", "utc"} and self.form_of(value) == "epoch":
            return self.read(value.operand)
        if not value.operand.type.nullable:
            return self.converted(value, self.value(value.operand))
        test, code = self.once(self.value(value.operand))
        with self.lazy():
            made = self.converted(value, code)
        return self.trees.choice(self.trees.is_none(test), self.trees.constant(None), made)

    def _zfill(self, code: ast.expr, arguments: list[ast.expr]) -> ast.expr:
        """What nearly all are, digits and nothing else, without a call: a row of a file has one."""
        trees = self.trees
        first, again = self.once(code)
        digits = trees.all_of([trees.method(first, "isdecimal"), trees.method(again, "isascii")])
        call = trees.call("zfill", again, *arguments)
        return trees.choice(digits, trees.method(again, "zfill", *arguments), call)

    def _default(self, value: ir.Convert) -> ast.expr:
        test, code = self.once(self.value(value.operand))
        with self.lazy():
            other = self.value(value.arguments[0])
        return self.trees.choice(self.trees.is_none(test), other, code)

    def _required(self, value: ir.Convert) -> ast.expr:
        test, code = self.once(self.value(value.operand))
        return self.trees.choice(self.trees.is_none(test), self.trees.call("fail_null"), code)

    def converted(  # noqa: C901, PLR0911, PLR0912 - one return for each form of converter
        self, value: ir.Convert, code: ast.expr
    ) -> ast.expr:
        """The converter applied to code that is not None."""
        name, trees = value.converter, self.trees
        arguments = [self.value(each) for each in value.arguments]
        if name in _METHODS:
            return trees.method(code, name, *arguments)
        if name == "zfill":
            return self._zfill(code, arguments)
        if name in _CALLS:
            return trees.call(_CALLS[name], code, *arguments)
        if name == "major":
            return trees.binary(code, "*", self.unit(value.arguments[0]))
        numbers = [each.value for each in value.arguments if isinstance(each, ir.Const)]
        if name == "fold":
            lines = trees.constant(widths(value.arguments[0]))
            return trees.call("fold", code, lines, arguments[1])
        if name in {"cut", "part"}:
            start = numbers[0] if name == "part" else None
            return trees.part(code, int(str(start)) if start else None, int(str(numbers[-1])))
        if name == "remove":
            return trees.method(code, "replace", arguments[0], trees.constant(""))
        if name in {"text", "amount"}:
            if value.operand.type.kind is Kind.DECIMAL:
                return self.wires.plain(code)
            return trees.template(code)
        if name == "nonempty":
            return trees.logic("or", [code, trees.constant(None)])
        if name == "join":
            return trees.method(arguments[0], "join", code)
        if name == "isodate" and value.operand.type.kind is Kind.TEXT:
            return trees.item(trees.name(self.constant("days", "", "")), code)
        if name == "isodate":
            return trees.method(code, "isoformat")
        if value.operand.type.kind is Kind.INTEGER:
            return trees.call("epoch_moment", code)
        return code  # epoch or utc of a moment

    def unit(self, currency: ir.Expr, *, keep: bool = False) -> ast.expr:
        """What one minor unit of the currency is worth.

        Args:
            keep: This code runs before all that follows, so it may be kept in a variable.
        """
        trees = self.trees
        name = currency.name if isinstance(currency, ir.Name) else ""
        if name in self.units:
            return trees.name(self.units[name])
        made = trees.item(trees.name("UNITS"), self.value(currency))
        if not (name and keep):
            return made
        self.units[name] = self.fresh("unit")
        return trees.named(self.units[name], made)

    # Loops and groups

    def _slot(self, value: ir.Slot) -> ast.expr:
        return self.trees.name(self._slots[value.index])

    def _place(self, _: ir.Position) -> ast.expr:
        return self.trees.name(self._position)

    def items(self, value: ir.Expr, *, limited: bool) -> ast.expr:
        """A list to loop over; none is an empty one."""
        code = self.read(value)
        if value.type.nullable:
            code = self.trees.logic("or", [code, self.trees.tuple_of_nothing()])
        if limited and value.type.max_items is None:
            code = self.trees.call("few", code)
        return code

    def _fold(self, value: ir.Fold) -> ast.expr:
        limited = value.function in {"sum", "count"}
        items = self.items(value.items, limited=limited)
        if not value.variable:
            return self.trees.call("len", items)
        variable = self.bind(value.variable)
        if self.prelude is None:
            return self._generated(value, variable, items)
        return self._looped(value, variable, items)

    def _generated(self, value: ir.Fold, variable: str, items: ast.expr) -> ast.expr:
        trees = self.trees
        # Python allows no := in the list of a generator, so it is named in front.
        named = self.fresh()
        first = trees.named(named, items)
        condition = None if value.condition is None else self.test(value.condition)
        body = trees.constant(1) if value.function == "count" else self.value(value.body)
        made: ast.expr = trees.generator(body, variable, trees.name(named), condition)
        if value.function == "first":
            made = trees.call("next", made, trees.constant(None))
        elif value.function == "any":
            made = trees.call("any", made)
        else:
            made = trees.call("sum", made, self._zero(value.type))
        return trees.item(trees.row([first, made]), trees.constant(1))

    def _zero(self, kind: Type) -> ast.expr:
        if kind.kind is Kind.DECIMAL:
            return self.trees.name(self.constant("zero"))
        return self.trees.constant(0)

    def _looped(self, value: ir.Fold, variable: str, items: ast.expr) -> ast.expr:
        trees, before = self.trees, self.prelude
        result = self.fresh()
        self.prelude = body = []
        condition = None if value.condition is None else self.test(value.condition)
        self.prelude = inner = []
        code = trees.constant(1) if value.function == "count" else self.value(value.body)
        target = ast.Name(result, ast.Store(), **trees.at)
        start: ast.expr
        if value.function == "first":
            start = trees.constant(None)
            inner += [trees.assign(result, code), trees.leave()]
        elif value.function == "any":
            start = trees.constant(False)
            inner.append(
                trees.when(code, [trees.assign(result, trees.constant(True)), trees.leave()])
            )
        else:
            start = self._zero(value.type)
            inner.append(trees.increase(target, code))
        body += inner if condition is None else [trees.when(condition, inner)]
        self.prelude = before
        if before is not None:
            before += [trees.assign(result, start), trees.loop(trees.stored(variable), items, body)]
        return trees.name(result)


def _is_need(value: ir.Expr) -> bool:
    """The flow fetched it, as an object of the model."""
    while isinstance(value, ir.Get):
        value = value.operand
    return isinstance(value, ir.Name) and value.name.startswith("needs.")


_READERS: Final[dict[type[ir.Expr], str]] = {
    ir.Const: "_const",
    ir.Name: "_name",
    ir.Get: "_get",
    ir.Setting: "_setting",
    ir.Lookup: "_lookup",
    ir.Template: "_template",
    ir.Arithmetic: "_arithmetic",
    ir.Compare: "_compare",
    ir.Among: "_among",
    ir.Logic: "_logic",
    ir.Not: "_not",
    ir.Has: "_has",
    ir.Choice: "_choice",
    ir.Convert: "_convert",
    ir.Slot: "_slot",
    ir.Position: "_place",
    ir.Fold: "_fold",
}
