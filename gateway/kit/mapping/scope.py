"""Names that an expression may use, and what is known about them where it stands."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from gateway.kit.mapping import ir
from gateway.kit.mapping.converters import NAMES
from gateway.kit.mapping.expressions import FUNCTIONS
from gateway.kit.mapping.findings import Found, Hidden, did_you_mean
from gateway.kit.mapping.types import Type

SOURCE: Final = "source"
_RESERVED: Final = {"cfg", "needs", "position", SOURCE, "True", "False", "None"}


class Binding:
    """A name and what it stands for.

    Attributes:
        expr: Its typed value; None if its own expression is wrong.
        path: Of the source, for values that are part of it: ``customer.addresses``.
        sources: Paths of the source that it was computed from.
        loop: It changes with each element.
    """

    def __init__(
        self,
        expr: ir.Expr | None,
        *,
        path: str | None = None,
        sources: frozenset[str] = frozenset(),
        loop: bool = False,
        group: "Group | None" = None,
    ) -> None:
        self.expr = expr
        self.path = path
        self.sources = sources
        self.loop = loop
        self.group = group
        self.used = False


class Group:
    """What is asked of the group that is being written.

    Attributes:
        keys: Name to expression over ``element``.
        element: Name of the element while the group is gathered.
        totals: Filled while the fields are read.
    """

    def __init__(self, keys: Mapping[str, ir.Expr], element: str, item: Type, path: str) -> None:
        self.keys = keys
        self.element = element
        self.item = item
        self.path = path
        self.totals: list[ir.Total] = []

    def slot(self, body: ir.Expr | None, kind: Type) -> ir.Slot:
        """A sum (or with None the count) of the group; asking twice adds up once."""
        total = ir.Total(body)
        if total not in self.totals:
            self.totals.append(total)
        assumed = body is not None and body.assumed
        return ir.Slot(type=kind, index=self.totals.index(total), assumed=assumed)


class Scope:
    """The names at one place, from the inside out, and what was proven not to be null."""

    def __init__(self, source: Type) -> None:
        self.source = source
        self.reads: set[str] = set()  # of the whole mapping
        self.touched: set[str] = set()  # of the present rule
        self.facts: frozenset[str] = frozenset()
        self.loops = 0
        self.cost = 1  # how often the present place is reached in one call
        self.steps = 0
        self.listed = False  # inside an item of a target list, so that position means something
        self.counted = False  # position was used
        self._names: dict[str, Binding] = {}

    def names(self) -> Iterator[str]:
        """All that could have been meant."""
        yield from self._names
        yield from self.fields()

    def fields(self) -> Iterator[str]:
        """The fields at the top of the source."""
        if self.source.shape is not None:
            yield from self.source.shape.fields

    def find(self, name: str) -> Binding | None:
        """The variable of that name.

        Raises:
            Hidden: Its own expression is wrong.
        """
        binding = self._names.get(name)
        if binding is not None:
            binding.used = True
            if binding.expr is None:
                raise Hidden
        return binding

    def refuse_name(self, name: str) -> None:
        """A new name may not hide anything.

        Raises:
            Found: E16.
        """
        if not name.isascii() or not name.isidentifier() or name.startswith("_"):
            raise Found("E16", f"{name[:40]!r} is not a name: letters, digits and _")
        if name in self._names or name in self.fields():
            raise Found("E16", f"{name} hides a name that exists: choose another")
        if name in _RESERVED or name in FUNCTIONS or name in NAMES:
            raise Found("E16", f"{name} is a word of the language: choose another")

    def bind(self, name: str, binding: Binding) -> None:
        """Make a name known from here on."""
        self._names[name] = binding

    def binding(self, name: str) -> Binding | None:
        """The variable, without using it."""
        return self._names.get(name)

    def path_of(self, key: str) -> str:
        """The path of the source that ``item.unit_price`` stands for in a loop."""
        name, _, rest = key.partition(".")
        binding = self._names.get(name)
        path = binding.path if binding is not None else None
        return key if path is None else f"{path}.{rest}".rstrip(".")

    @contextmanager
    def local(self, name: str, binding: Binding, *, times: int) -> Iterator[None]:
        """A name for one element after the other."""
        self._names[name] = binding
        self.loops, self.cost = self.loops + 1, self.cost * times
        self.steps += self.cost
        try:
            yield
        finally:
            del self._names[name]
            self.loops, self.cost = self.loops - 1, self.cost // times

    @contextmanager
    def knowing(self, facts: frozenset[str]) -> Iterator[None]:
        """Paths that are not null inside."""
        before = self.facts
        self.facts = before | facts
        try:
            yield
        finally:
            self.facts = before

    def unknown(self, name: str) -> Found:
        """E02 for a name that nothing has."""
        return Found("E02", f"there is no {name[:60]}{did_you_mean(name, self.names())}")

    def touch(self, path: str | None) -> None:
        """Remember that a path of the source is read."""
        if path is not None:
            self.reads.add(path)
            self.touched.add(path)


# What a condition proves ---------------------------------------------------------------------


def key_of(value: ir.Expr) -> str:
    """The path of a name or field; empty for anything else."""
    if isinstance(value, ir.Get):
        return value.key
    return value.name if isinstance(value, ir.Name) else ""


def _path_facts(value: ir.Expr) -> frozenset[str]:
    found = set()
    while key := key_of(value):
        found.add(key)
        if not isinstance(value, ir.Get):
            break
        value = value.operand
    return frozenset(found)


def proves(  # noqa: PLR0911 - one return for each kind of condition
    condition: ir.Expr | None, *, outcome: bool = True
) -> frozenset[str]:
    """Paths that are not null where the condition has come out so."""
    if isinstance(condition, ir.Has):
        return _path_facts(condition.operand) if outcome else frozenset()
    if isinstance(condition, ir.Not):
        return proves(condition.operand, outcome=not outcome)
    if isinstance(condition, ir.Compare):
        if (condition.symbol == "==") is outcome and condition.symbol in {"==", "!="}:
            other = condition.right
            return _path_facts(condition.left) if not other.type.nullable else frozenset()
        return frozenset()
    if isinstance(condition, ir.Among):
        return _path_facts(condition.operand) if condition.negated != outcome else frozenset()
    if isinstance(condition, ir.Logic):
        each = [proves(part, outcome=outcome) for part in condition.parts]
        if (condition.symbol == "and") is outcome:
            return frozenset().union(*each)
        return each[0].intersection(*each[1:])
    return frozenset()
