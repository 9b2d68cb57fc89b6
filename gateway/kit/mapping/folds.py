"""Functions over lists and groups, and what an element of a list is called."""

import ast
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.kit.mapping import arithmetic, expressions, facets, ir
from gateway.kit.mapping.findings import Found, did_you_mean
from gateway.kit.mapping.scope import Binding, Group, key_of, proves
from gateway.kit.mapping.types import Kind, Type

if TYPE_CHECKING:
    from gateway.kit.mapping.inference import Inference

_SHORT: Final = 10  # a list that may be read for each element of another
NUMBERS: Final = frozenset({Kind.INTEGER, Kind.DECIMAL})


class Folds:
    """``sum first any count`` of the place where the inference stands."""

    def __init__(self, inference: "Inference") -> None:
        self._inference = inference
        self._scope = inference.scope

    def sum_of(self, tree: ast.expr) -> ir.Expr:
        """``sum(…)``."""
        group = self._group_of(tree)
        if group is not None:
            body, count = self._over_group(group, tree), facets.LIST_ITEMS
            return group.slot(body, self._summed(body, count))
        fold = self._fold("sum", tree)
        kind = self._summed(fold.body, fold.items.type.max_items or facets.LIST_ITEMS)
        return msgspec.structs.replace(fold, type=kind, assumed=fold.body.assumed)

    def _summed(self, body: ir.Expr, count: int) -> Type:
        if body.type.kind not in NUMBERS:
            raise Found("E04", f"sum takes numbers, this is {facets.describe(body.type)}")
        if body.type.nullable:
            raise Found("E05", "sum over a number that may be null: add | default(0)")
        if body.currencies:
            raise Found("E31", "the sum may mix currencies: each element has one of its own")
        return arithmetic.times(body.type, count)

    def first_of(self, tree: ast.expr) -> ir.Expr:
        """``first(…)``."""
        fold = self._fold("first", tree)
        return msgspec.structs.replace(
            fold,
            type=facets.nullable(fold.body.type),
            assumed=fold.body.assumed,
            currencies=fold.body.currencies,
        )

    def origin(self, fold: ir.Fold) -> str | None:
        """The path of the source that ``first(…)`` takes its value from."""
        names: list[str] = []
        inner = fold.body
        while isinstance(inner, ir.Get):
            names.insert(0, inner.field)
            inner = inner.operand
        path = self._inference.origin(fold.items)
        own = isinstance(inner, ir.Name) and inner.name == fold.variable
        if fold.function != "first" or not own or path is None:
            return None
        return ".".join([path, *names])

    def any_of(self, tree: ast.expr) -> ir.Expr:
        """``any(…)``."""
        fold = self._fold("any", tree)
        if fold.body.type.kind is not Kind.BOOLEAN or fold.body.type.nullable:
            raise Found("E19", "any takes a condition: any(x.kind == … for x in LIST)")
        return msgspec.structs.replace(fold, type=facets.BOOLEAN)

    def count_of(self, tree: ast.expr) -> ir.Expr:
        """``count(…)``."""
        kind = facets.of_integer(0, facets.LIST_ITEMS)
        if isinstance(tree, ast.Name):
            binding = self._scope.binding(tree.id)
            if binding is not None and binding.group is not None:
                binding.used = True
                return binding.group.slot(None, facets.of_integer(1, facets.LIST_ITEMS))
        if isinstance(tree, ast.GeneratorExp):
            return msgspec.structs.replace(self._fold("count", tree), type=kind)
        items = self._items(tree)
        self.refuse_quadratic(items)
        one = ir.Const(type=facets.of_integer(1, 1), value=1)
        return ir.Fold(
            type=kind, function="count", variable="", items=items, condition=None, body=one
        )

    def _items(self, tree: ast.expr) -> ir.Expr:
        items = self._inference.value(tree)
        if items.type.kind is not Kind.LIST or items.type.item is None:
            what = facets.describe(items.type)
            raise Found("E14", f"{key_of(items) or 'this'} is {what}, not a list")
        if not isinstance(items, ir.Get | ir.Name):
            raise Found("E16", "loops run over a list of the source")
        return items

    def _fold(self, function: str, tree: ast.expr) -> ir.Fold:
        """A loop over a list; ``LIST.field`` stands for ``x.field for x in LIST``."""
        if isinstance(tree, ast.GeneratorExp):
            loop = tree.generators[0]
            variable = loop.target.id if isinstance(loop.target, ast.Name) else ""
            self._scope.refuse_name(variable)
            return self._loop(function, self._items(loop.iter), variable, loop.ifs, tree.elt)
        if function != "sum" or not isinstance(tree, ast.Attribute):
            raise Found("E15", f"write {function}(VALUE for NAME in LIST)")
        variable = " each"  # no expression can name it
        elt = ast.Attribute(ast.Name(variable, ast.Load()), tree.attr, ast.Load())
        return self._loop(function, self._items(tree.value), variable, [], elt)

    def _loop(
        self,
        function: str,
        items: ir.Expr,
        variable: str,
        conditions: list[ast.expr],
        body: ast.expr,
    ) -> ir.Fold:
        self.refuse_quadratic(items)
        condition = None
        with self.element(variable, items):
            if conditions:
                condition = self._inference.condition(conditions[0])
            with self._scope.knowing(proves(condition)):
                value = self._inference.value(body)
        return ir.Fold(
            type=value.type,
            function=function,
            variable=variable,
            items=items,
            condition=condition,
            body=value,
        )

    def element(self, variable: str, items: ir.Expr) -> AbstractContextManager[None]:
        """The scope of one element of a list."""
        item = items.type.item or Type(kind=Kind.ANY)
        binding = Binding(
            ir.Name(type=item, name=variable), path=self._inference.origin(items), loop=True
        )
        return self._scope.local(variable, binding, times=items.type.max_items or 1_000)

    def refuse_quadratic(self, items: ir.Expr) -> None:
        """E21 for a list that is read again for each element of another."""
        limit = items.type.max_items or facets.LIST_ITEMS
        if self._scope.loops and not self._hangs_on_loop(items) and limit > _SHORT:
            key = key_of(items)
            raise Found(
                "E21", f"a loop over {key} in a loop takes quadratic time: compute it in let"
            )

    def _hangs_on_loop(self, value: ir.Expr) -> bool:
        while isinstance(value, ir.Get):
            value = value.operand
        binding = self._scope.binding(value.name) if isinstance(value, ir.Name) else None
        return binding is not None and binding.loop

    def key(self, element: str, text: str) -> ir.Expr:
        """A key of a group: a field of the element."""
        tree, _ = expressions.parse(text)
        if not isinstance(tree, ast.Name | ast.Attribute):
            raise Found("E16", f"{text[:40]} is not a field to group by")
        value = self._inference.value(_prefixed(tree, element))
        if value.type.kind not in {Kind.TEXT, Kind.INTEGER, Kind.BOOLEAN, Kind.DATE}:
            raise Found("E04", f"{text} is {facets.describe(value.type)}: group by text or numbers")
        return value

    def _group_of(self, tree: ast.expr) -> Group | None:
        """The group that a sum runs over, as ``g.field`` or ``… for x in g``."""
        root = tree.generators[0].iter if isinstance(tree, ast.GeneratorExp) else tree
        while isinstance(root, ast.Attribute):
            root = root.value
        binding = self._scope.binding(root.id) if isinstance(root, ast.Name) else None
        if binding is None or binding.group is None:
            return None
        binding.used = True
        return binding.group

    def _over_group(self, group: Group, tree: ast.expr) -> ir.Expr:
        element = ir.Name(type=group.item, name=group.element)
        binding = Binding(element, path=group.path, loop=True)
        with self._scope.local(group.element, binding, times=1):
            if not isinstance(tree, ast.GeneratorExp):
                return self._inference.value(_renamed(tree, group.element))
            loop = tree.generators[0]
            if loop.ifs or not isinstance(loop.target, ast.Name):
                raise Found("E16", "write sum(VALUE for NAME in GROUP)")
            self._scope.refuse_name(loop.target.id)
            with self._scope.local(loop.target.id, binding, times=1):
                return self._inference.value(tree.elt)


def refuse_after(rule: ir.Field, earlier: list[ir.Field]) -> None:
    """Positions go on behind a list that stands above, nothing else.

    Raises:
        Found: E14.
    """
    after = rule.after if isinstance(rule, ir.Nested) else ""
    lists = [each.target for each in earlier if isinstance(each, ir.Nested) and not each.single]
    if after and after not in lists:
        guess = did_you_mean(after, lists)
        raise Found("E14", f"after: names a list that stands above in the same object{guess}")


def _prefixed(tree: ast.expr, name: str) -> ast.expr:
    """``a.b`` as a field of a variable."""
    if isinstance(tree, ast.Attribute):
        return ast.Attribute(_prefixed(tree.value, name), tree.attr, ast.Load())
    attr = tree.id if isinstance(tree, ast.Name) else ""
    return ast.Attribute(ast.Name(name, ast.Load()), attr, ast.Load())


def _renamed(tree: ast.expr, name: str) -> ast.expr:
    """``g.a.b`` with another name in front."""
    if isinstance(tree, ast.Attribute):
        return ast.Attribute(_renamed(tree.value, name), tree.attr, ast.Load())
    return ast.Name(name, ast.Load())
