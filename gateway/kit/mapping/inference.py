"""Expressions against the schemas: from Python's tree to typed nodes, or a finding."""

import ast
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from gateway.kit.mapping import arithmetic, converters, currencies, facets, ir
from gateway.kit.mapping.codes import Tables
from gateway.kit.mapping.expressions import FUNCTIONS, call_of, list_name
from gateway.kit.mapping.findings import Found, did_you_mean
from gateway.kit.mapping.folds import Folds
from gateway.kit.mapping.scope import SOURCE, Binding, Group, Scope, key_of, proves
from gateway.kit.mapping.types import Kind, Shape, Type

Note = Callable[[str, str], None]

_COMPARE: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_ARITHMETIC: Final[dict[type[ast.operator], str]] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_NUMBERS: Final = frozenset({Kind.INTEGER, Kind.DECIMAL})
_ORDERED: Final = _NUMBERS | {Kind.DATE, Kind.INSTANT, Kind.TIME}


class Inference:
    """Turns trees into typed expressions at one place of the mapping.

    Args:
        note: Takes findings that do not make the value unusable.
        needs: Types of the look-ups.
        settings: Types of the tenant's configuration.
    """

    def __init__(
        self,
        scope: Scope,
        tables: Tables,
        *,
        needs: Mapping[str, Type],
        settings: Mapping[str, Type],
        note: Note,
    ) -> None:
        self.scope = scope
        self.tables = tables
        self.settings_used: Counter[str] = Counter()
        self.needs_used: set[str] = set()
        self._needs = needs
        self._settings = settings
        self.folds = Folds(self)
        self._note = note

    def value(self, tree: ast.expr) -> ir.Expr:
        """The typed expression.

        Raises:
            Found: It is wrong.
            Hidden: It reads a name that is wrong itself.
        """
        name = _READERS.get(type(tree))
        if name is None:
            raise Found("E16", f"{type(tree).__name__} cannot stand here")
        value: ir.Expr = getattr(self, name)(tree)
        return value

    def condition(self, tree: ast.expr) -> ir.Expr:
        """A typed condition; E19 if it is not true or false, E05 if it may be null."""
        value = self.value(tree)
        if value.type.kind is not Kind.BOOLEAN:
            what = facets.describe(value.type)
            raise Found(
                "E19", f"a condition is true or false, this is {what}: compare it or use has()"
            )
        if value.type.nullable:
            raise Found("E05", "the condition may be null: add | default(False)")
        return value

    # Names and fields

    def _name(self, tree: ast.Name) -> ir.Expr:
        name = tree.id
        if name == "position":
            return self._position()
        binding = self.scope.find(name)
        if binding is not None:
            return self._variable(name, binding)
        if name in {"cfg", "needs"}:
            raise Found("E02", f"write {name}.NAME")
        if name not in self.scope.fields():
            raise self.scope.unknown(name)
        return self._field(ir.Name(type=self.scope.source, name=SOURCE), name, name, name)

    def _position(self) -> ir.Expr:
        if not self.scope.listed:
            raise Found("E02", "position counts the items of a list: it stands in one only")
        self.scope.counted = True
        return ir.Position(type=facets.of_integer(1, facets.LIST_ITEMS))

    def _variable(self, name: str, binding: Binding) -> ir.Expr:
        self.scope.touch(binding.path)
        self.scope.touched |= binding.sources
        value = binding.expr
        if binding.group is not None or value is None:
            raise Found("E14", f"{name} is a group: read its keys, sum(…) or count({name})")
        kind = facets.non_null(value.type) if name in self.scope.facts else value.type
        stands_for = value.name if binding.loop and isinstance(value, ir.Name) else name
        return ir.Name(
            type=kind,
            name=stands_for,
            narrowed=name in self.scope.facts,
            fixed=facets.is_fixed(value),
            assumed=value.assumed,
            money=isinstance(value, ir.Get | ir.Name) and value.money,
            currencies=value.currencies,
        )

    def _attribute(self, tree: ast.Attribute) -> ir.Expr:
        owner = tree.value
        if isinstance(owner, ast.Name):
            if owner.id == "cfg":
                return self.setting(tree.attr)
            if owner.id == "needs":
                return self._need(tree.attr)
            binding = self.scope.binding(owner.id)
            if binding is not None and binding.group is not None:
                return self._group_key(owner.id, binding, binding.group, tree.attr)
        value = self.value(owner)
        return self._field(
            value, tree.attr, f"{key_of(value)}.{tree.attr}", self._path(value, tree.attr)
        )

    def _path(self, value: ir.Expr, name: str) -> str | None:
        """Of the source; None for fields of look-ups and of computed values."""
        path = self._origin(value)
        return None if path is None else f"{path}.{name}".lstrip(".")

    def _origin(self, value: ir.Expr) -> str | None:
        if isinstance(value, ir.Get):
            return self._path(value.operand, value.field)
        if isinstance(value, ir.Name):
            if value.name == SOURCE:
                return ""
            binding = self.scope.binding(value.name)
            return binding.path if binding is not None else None
        if isinstance(value, ir.Fold):
            return self.folds.origin(value)
        if isinstance(value, ir.Convert) and value.converter == "required":
            return self._origin(value.operand)
        return None

    def origin(self, value: ir.Expr) -> str | None:
        """The path of the source that a name or field stands for."""
        return self._origin(value)

    def currency_key(self, value: ir.Expr) -> str:
        """The field that a currency is read from, as it is written; empty if it is computed."""

        def named(name: str) -> ir.Expr | None:
            binding = self.scope.binding(name)
            return binding.expr if binding is not None and not binding.loop else None

        return currencies.key(value, named)

    def _field(self, value: ir.Expr, name: str, key: str, path: str | None) -> ir.Expr:
        owner = value.type
        if owner.kind is Kind.LIST:
            raise Found("E14", f"{key_of(value)} is a list: use each:, first(… for …) or sum(…)")
        if owner.kind is Kind.MAP and owner.item is not None:
            found, present = owner.item, False
        elif owner.kind is Kind.OBJECT and owner.shape is not None:
            found, present = self._of_shape(owner.shape, name, value)
        else:
            raise Found(
                "E02", f"{key_of(value) or 'this'} is {facets.describe(owner)}, it has no fields"
            )
        narrowed = key in self.scope.facts
        null = (owner.nullable or found.nullable or not present) and not narrowed
        self.scope.touch(path)
        unstated = found.kind is Kind.DECIMAL and found.precision is None
        if unstated:
            found = facets.amount_like(found)
        elif found.values and found.max_length is None:
            found = facets.of_text(*found.values, nullable=found.nullable)
        return ir.Get(
            type=found if found.nullable is null else msgspec.structs.replace(found, nullable=null),
            assumed=unstated,
            operand=value,
            field=name,
            key=key,
            narrowed=narrowed,
            money=currencies.is_money(owner, name),
            currencies=currencies.of(owner, name, key),
        )

    def _of_shape(self, shape: Shape, name: str, value: ir.Expr) -> tuple[Type, bool]:
        field = shape.fields.get(name)
        if field is None:
            owner = key_of(value) if key_of(value) != SOURCE else shape.name
            raise Found("E02", f"{owner} has no field {name}{did_you_mean(name, shape.fields)}")
        given = field.default is not msgspec.UNSET and field.default is not None
        return field.type, field.required or field.present or given

    def setting(self, name: str) -> ir.Expr:
        """A value of the tenant's configuration."""
        kind = self._settings.get(name)
        if kind is None:
            raise Found("E02", f"config declares no {name}{did_you_mean(name, self._settings)}")
        self.settings_used[name] += 1
        if kind.kind is Kind.MAP:
            raise Found("E04", f"cfg.{name} is a map: use it as | code(cfg.{name})")
        return ir.Setting(type=kind, name=name)

    def _need(self, name: str) -> ir.Expr:
        kind = self._needs.get(name)
        if kind is None:
            raise Found("E02", f"needs declares no {name}{did_you_mean(name, self._needs)}")
        self.needs_used.add(name)
        return ir.Name(type=kind, name=f"needs.{name}")

    def _group_key(self, name: str, binding: Binding, group: Group, attr: str) -> ir.Expr:
        binding.used = True
        key = group.keys.get(attr)
        if key is None:
            known = ", ".join(group.keys)
            raise Found("E02", f"{name} is grouped by {known}: read others as sum({name}.{attr})")
        self.scope.touch(f"{group.path}.{attr}".lstrip("."))
        null = key.type.nullable and f"{name}.{attr}" not in self.scope.facts
        kind = msgspec.structs.replace(key.type, nullable=null)
        return ir.Name(type=kind, name=f"{name}.{attr}")

    # Constants, templates, arithmetic

    def _constant(self, tree: ast.Constant) -> ir.Expr:
        value = tree.value
        if isinstance(value, bool):
            return ir.Const(type=facets.BOOLEAN, value=value)
        if isinstance(value, str):
            return ir.Const(type=facets.of_text(value), value=value)
        if isinstance(value, int):
            return ir.Const(type=facets.of_integer(value, value), value=value)
        return ir.Const(type=Type(kind=Kind.ANY, nullable=True), value=None)

    def _template(self, tree: ast.JoinedStr) -> ir.Expr:
        parts = [self._part(part) for part in tree.values]
        lengths = [part.type.max_length for part in parts]
        longest = sum(facets.OPEN_TEXT if each is None else each for each in lengths)
        if longest > facets.LONGEST_TEXT:
            raise Found("E23", f"the text may have {longest:,} characters: cut its parts")
        kind = Type(
            kind=Kind.TEXT,
            min_length=sum(part.type.min_length or 0 for part in parts),
            max_length=longest,
            upper=all(part.type.upper for part in parts),
        )
        return ir.Template(
            type=kind, parts=tuple(parts), assumed=any(part.assumed for part in parts)
        )

    def _part(self, tree: ast.expr) -> ir.Expr:
        value = self.value(tree.value if isinstance(tree, ast.FormattedValue) else tree)
        if value.type.nullable:
            raise Found("E05", "a part of the template may be null: add | required or | default(…)")
        if value.type.kind is Kind.INTEGER:
            return converters.convert("text", value, ())
        if value.type.kind is not Kind.TEXT:
            raise Found("E04", f"a template takes text, this is {facets.describe(value.type)}")
        return value

    def _unary(self, tree: ast.UnaryOp) -> ir.Expr:
        if isinstance(tree.op, ast.Not):
            return ir.Not(type=facets.BOOLEAN, operand=self.condition(tree.operand))
        value = self._number(tree.operand)
        if isinstance(value, ir.Const) and isinstance(value.value, int):
            return ir.Const(type=facets.of_integer(-value.value, -value.value), value=-value.value)
        kind = value.type
        if kind.kind is Kind.INTEGER:
            low, high = arithmetic.bounds(kind)
            kind = facets.of_integer(-high, -low)
        return ir.Arithmetic(
            type=kind,
            symbol="-",
            operands=(value,),
            currencies=value.currencies,
            assumed=value.assumed,
        )

    def _binary(self, tree: ast.BinOp) -> ir.Expr:
        if isinstance(tree.op, ast.BitOr):
            return self._pipe(tree)
        left, right = self._number(tree.left), self._number(tree.right)
        symbol = _ARITHMETIC[type(tree.op)]
        currencies.refuse_mixed(left, right, multiply=symbol == "*")
        kind = arithmetic.combined(symbol, left.type, right.type)
        if sum(filter(None, facets.digits(kind))) > facets.DIGITS:
            raise Found("E06", f"the result may have more than {facets.DIGITS} digits: add | round")
        return ir.Arithmetic(
            type=kind,
            symbol=symbol,
            operands=(left, right),
            currencies=left.currencies | right.currencies,
            assumed=left.assumed or right.assumed,
        )

    def _number(self, tree: ast.expr) -> ir.Expr:
        value = self.value(tree)
        if value.type.kind is Kind.FLOAT:
            raise Found("E07", "no arithmetic with floating point: the schema has to say decimal")
        if value.type.kind not in _NUMBERS:
            raise Found("E04", f"+ - * take numbers, this is {facets.describe(value.type)}")
        if value.type.nullable:
            raise Found("E05", "a number may be null here: add | default(0) or | required")
        return value

    # Pipes

    def _pipe(self, tree: ast.BinOp) -> ir.Expr:
        name, trees = call_of(tree.right)
        value = self.value(tree.left)
        if name == "default":
            return self._default(value, trees)
        if name == "required":
            return self._required(value, trees)
        if name == "code":
            return self._code(value, trees)
        made = converters.convert(name, value, tuple(self.value(each) for each in trees))
        if name in {"major", "minor"}:
            currencies.refuse_other(name, value, self.currency_key(made.arguments[0]))
        reason = converters.idle(name, value, made.arguments)
        if reason:
            self._note("W26", f"{name} {reason}")
        return made

    def _default(self, value: ir.Expr, trees: list[ast.expr]) -> ir.Expr:
        if len(trees) != 1:
            raise Found("E15", "write default(VALUE)")
        other = self.value(trees[0])
        if not value.type.nullable:
            self._note("W26", "default without effect: the value is never null; remove it")
        kind = facets.join(facets.non_null(value.type), other.type)
        if kind is None:
            what, than = facets.describe(other.type), facets.describe(value.type)
            raise Found("E04", f"the default is {what}, the value {than}")
        assumed = value.assumed or other.assumed
        return ir.Convert(
            type=kind,
            converter="default",
            operand=value,
            arguments=(other,),
            assumed=assumed,
            currencies=value.currencies | other.currencies,
        )

    def _required(self, value: ir.Expr, trees: list[ast.expr]) -> ir.Expr:
        if trees:
            raise Found("E15", "required takes no arguments")
        if not value.type.nullable:
            self._note("W26", "required without effect: the value is never null; remove it")
        kind = facets.non_null(value.type)
        return ir.Convert(
            type=kind,
            converter="required",
            operand=value,
            assumed=value.assumed,
            currencies=value.currencies,
        )

    def _code(self, value: ir.Expr, trees: list[ast.expr]) -> ir.Expr:
        if len(trees) not in {1, 2}:
            raise Found("E15", "write code(LIST) or code(LIST, DEFAULT)")
        default = self.value(trees[1]) if trees[1:] else None
        if default is not None and not isinstance(default, ir.Const):
            raise Found("E15", "the default of a code list is a text in quotes or None")
        name = list_name(trees[0])
        if name.startswith("cfg."):
            self.settings_used[name[4:]] += 1
        return self.tables.lookup(name, value, default, self._note)

    # Conditions

    def _logic(self, tree: ast.BoolOp) -> ir.Expr:
        symbol = "and" if isinstance(tree.op, ast.And) else "or"
        parts: list[ir.Expr] = []
        known: frozenset[str] = frozenset()
        for each in tree.values:
            with self.scope.knowing(known):
                parts.append(self.condition(each))
            known |= proves(parts[-1], outcome=symbol == "and")
        return ir.Logic(type=facets.BOOLEAN, symbol=symbol, parts=tuple(parts))

    def _compare(self, tree: ast.Compare) -> ir.Expr:
        operator, right_tree = tree.ops[0], tree.comparators[0]
        left = self.value(tree.left)
        if isinstance(operator, ast.In | ast.NotIn):
            return self._among(left, right_tree, negated=isinstance(operator, ast.NotIn))
        right = self.value(right_tree)
        symbol = _COMPARE[type(operator)]
        for side in (left, right):
            if isinstance(side, ir.Const) and side.value is None:
                raise Found("E16", "compare with None by has(…) or not has(…)")
        comparable = facets.join(left.type, right.type) is not None
        if not comparable or left.type.kind in {Kind.OBJECT, Kind.LIST, Kind.MAP, Kind.ANY}:
            one, two = facets.describe(left.type), facets.describe(right.type)
            raise Found("E04", f"{one} cannot be compared with {two}")
        currencies.refuse_mixed(left, right, multiply=False)
        if symbol not in {"==", "!="}:
            self._refuse_order(left, right)
        reason = arithmetic.one_sided(symbol, left.type, right.type)
        if reason:
            raise Found("E27", reason)
        return ir.Compare(type=facets.BOOLEAN, symbol=symbol, left=left, right=right)

    def _refuse_order(self, left: ir.Expr, right: ir.Expr) -> None:
        if left.type.kind not in _ORDERED:
            raise Found("E04", f"{facets.describe(left.type)} has no order: use == or in")
        if left.type.nullable or right.type.nullable:
            raise Found("E05", "an order comparison with null: add has(…) and")

    def _among(self, left: ir.Expr, tree: ast.expr, *, negated: bool) -> ir.Expr:
        if not isinstance(tree, ast.Tuple) or not tree.elts:
            raise Found("E16", 'write in ("a", "b")')
        options = [self.value(each) for each in tree.elts]
        for option in options:
            if not isinstance(option, ir.Const) or option.type.kind is not left.type.kind:
                kind = facets.describe(left.type)
                raise Found("E04", f"the values behind in are constants of the kind {kind}")
            reason = arithmetic.one_sided("==", left.type, option.type)
            if (reason and len(options) > 1) or reason.startswith("never"):
                raise Found("E27", reason)
        values = tuple(option.value for option in options if isinstance(option, ir.Const))
        return ir.Among(type=facets.BOOLEAN, operand=left, values=values, negated=negated)

    def _choice(self, tree: ast.IfExp) -> ir.Expr:
        condition = self.condition(tree.test)
        with self.scope.knowing(proves(condition)):
            then = self.value(tree.body)
        with self.scope.knowing(proves(condition, outcome=False)):
            other = self.value(tree.orelse)
        if isinstance(other, ir.Const) and other.value is None:
            kind: Type | None = facets.nullable(then.type)
        elif isinstance(then, ir.Const) and then.value is None:
            kind = facets.nullable(other.type)
        else:
            kind = facets.join(then.type, other.type)
        if kind is None:
            one, two = facets.describe(then.type), facets.describe(other.type)
            raise Found("E04", f"one branch is {one}, the other {two}")
        return ir.Choice(
            type=kind,
            condition=condition,
            then=then,
            other=other,
            assumed=then.assumed or other.assumed,
            currencies=then.currencies | other.currencies,
        )

    # Functions

    def _call(self, tree: ast.Call) -> ir.Expr:
        name = tree.func.id if isinstance(tree.func, ast.Name) else ""
        if name not in FUNCTIONS:
            if name in converters.NAMES:
                raise Found("E16", f"{name} is a converter: write VALUE | {name}")
            raise Found("E16", f"{name or 'this'} is not a function of the language")
        if len(tree.args) != 1:
            raise Found("E15", f"{name} takes one argument")
        owner = self if name in {"has", "dec"} else self.folds
        value: ir.Expr = getattr(owner, f"{name}_of")(tree.args[0])
        return value

    def has_of(self, tree: ast.expr) -> ir.Expr:
        """``has(PATH)``."""
        value = self.value(tree)
        if not isinstance(value, ir.Get | ir.Name):
            raise Found("E15", "has takes a field or a name")
        if not value.type.nullable and value.type.kind is not Kind.LIST:
            self._note("W26", f"has({key_of(value)}) is always true; remove it")
        return ir.Has(type=facets.BOOLEAN, operand=value)

    def dec_of(self, tree: ast.expr) -> ir.Expr:
        """``dec("1.50")``."""
        return arithmetic.constant(tree.value if isinstance(tree, ast.Constant) else None)


_READERS: Final[dict[type[ast.AST], str]] = {
    ast.Name: "_name",
    ast.Attribute: "_attribute",
    ast.Constant: "_constant",
    ast.JoinedStr: "_template",
    ast.FormattedValue: "_part",
    ast.UnaryOp: "_unary",
    ast.BinOp: "_binary",
    ast.BoolOp: "_logic",
    ast.Compare: "_compare",
    ast.IfExp: "_choice",
    ast.Call: "_call",
}
