"""Code lists: tables of the mapping and of the tenant, and whether they cover what comes in."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Final

import msgspec

from gateway.kit.mapping import facets, ir
from gateway.kit.mapping.document import Node
from gateway.kit.mapping.expressions import ARGUMENT
from gateway.kit.mapping.findings import Found, did_you_mean
from gateway.kit.mapping.types import Kind, Type

ENTRIES: Final = 2_000
_COMBINATIONS: Final = 10_000


class Table(msgspec.Struct):
    """One code list.

    Attributes:
        entries: None for a map of the configuration that is not known yet.
        numbers: Keys whose value is a number without quotes.
        reachable: Keys that some use can reach; None as soon as one use reaches all.
        place: Where the first use stands.
    """

    name: str
    entries: dict[str, str | None] | None
    numbers: frozenset[str] = frozenset()
    used: bool = False
    reachable: set[str] | None = None
    place: str = ""

    @property
    def two_keys(self) -> bool:
        """Keys are pairs such as ``DE.vat``, with ``*.vat`` for all others."""
        return any(key.startswith("*.") for key in self.entries or ())


def table_of(name: str, node: Node, lists: Mapping[str, Mapping[str, str | None]]) -> Table:
    """A code list as its file has it.

    Raises:
        Found: E02 no such long list, E09 a value that is no text, E16 too large.
    """
    if isinstance(node.value, str) and node.value.startswith("@"):
        found = lists.get(node.value[1:])
        if found is None:
            guess = did_you_mean(node.value[1:], lists)
            raise Found("E02", f"there is no list {node.value[:100]}{guess}")
        return Table(name, dict(found))
    if not isinstance(node.value, dict):
        raise Found("E16", "a code list is a map of keys to texts in quotes")
    if len(node.value) > ENTRIES:
        raise Found("E16", f"a code list in the file has at most {ENTRIES} entries: use @file")
    entries: dict[str, str | None] = {}
    for key, value in node.value.items():
        if value.value is None or isinstance(value.value, str):
            entries[key] = value.value
        elif isinstance(value.value, int) and not isinstance(value.value, bool):
            entries[key] = value.number
        else:
            raise Found("E09", f"{name}.{key} is not a text: put it in quotes")
        if len(entries[key] or "") > ARGUMENT:
            raise Found("E16", f"{name}.{key} has more than {ARGUMENT} characters")
    numbers = frozenset(key for key, value in node.value.items() if value.number)
    return Table(name, entries, numbers)


class Tables:
    """The code lists of one mapping for one tenant."""

    def __init__(self) -> None:
        self._tables: dict[str, Table] = {}
        self.place = ""  # of the rule that is being read

    def add(self, table: Table) -> None:
        """Make a list known."""
        self._tables[table.name] = table

    def __iter__(self) -> Iterator[Table]:
        return iter(self._tables.values())

    def entries(self) -> dict[str, dict[str, str | None]]:
        """Name to entries, of those that are used."""
        return {each.name: each.entries or {} for each in self if each.used}

    def holes(self) -> Iterator[tuple[str, bool]]:
        """Which lists have entries without a value: the code depends on it."""
        for each in self:
            yield each.name, None in (each.entries or {}).values()

    def lookup(
        self,
        name: str,
        value: ir.Expr,
        default: ir.Const | None,
        note: Callable[[str, str], None],
    ) -> ir.Lookup:
        """The value as key of a code list.

        Raises:
            Found: E02 no such list, E04 not a text, E05, E08, E30.
        """
        table = self._tables.get(name)
        if table is None:
            guess = did_you_mean(name, self._tables)
            raise Found("E02", f"there is no code list {name}{guess}")
        if value.type.kind is not Kind.TEXT:
            what = facets.describe(value.type)
            raise Found("E04", f"the keys of a code list are texts, this is {what}")
        if table.two_keys and isinstance(value, ir.Template):
            return self._pair(table, value, default, note)
        results = self._results(table, value.type, default, note)
        return _lookup(table, value, default, results, null=value.type.nullable)

    def _results(
        self,
        table: Table,
        key: Type,
        default: ir.Const | None,
        note: Callable[[str, str], None],
    ) -> list[str | None] | None:
        """What can come out; None where that is not known before there is a tenant."""
        self._use(table, key.values)
        entries = table.entries
        if entries is None:
            if default is None and key.values is None:
                note("E30", _open(table.name))
            return None
        keys = entries.keys() if key.values is None else key.values
        missing = [each for each in keys if each not in entries]
        if default is None and key.values is None:
            note("E30", _open(table.name))
        if default is None and missing:
            shown = ", ".join(sorted(missing)[:8])
            note("E08", f"the code list {table.name} has no {shown}: add it or a default")
        for each in keys:
            if each in table.numbers:
                text = entries[each]
                note("E09", f'{table.name}.{each} is a number: put it in quotes, "{text}"')
        return [entries[each] for each in keys if each in entries]

    def _use(self, table: Table, values: tuple[str, ...] | None) -> None:
        if not table.used:
            table.used, table.reachable, table.place = True, set(), self.place
        if values is None:
            table.reachable = None
        elif table.reachable is not None:
            table.reachable |= set(values)

    def _pair(
        self,
        table: Table,
        value: ir.Template,
        default: ir.Const | None,
        note: Callable[[str, str], None],
    ) -> ir.Lookup:
        """A list of two keys: ``f"{country}.{kind}" | code(LIST)``."""
        if [_is_point(part) for part in value.parts] != [False, True, False]:
            how = f'f"{{a}}.{{b}}" | code({table.name})'
            raise Found("E15", f"{table.name} has two keys: write {how}")
        first, _, second = value.parts
        self._use(table, None)
        entries = table.entries or {}
        firsts = first.type.values or ("*",)
        if second.type.values is None:
            if default is None:
                note("E30", _open(table.name))
            results = list(entries.values())
        else:
            pairs = list(product(firsts, second.type.values))[:_COMBINATIONS]
            missing = [
                f"{a}.{b}"
                for a, b in pairs
                if f"{a}.{b}" not in entries and f"*.{b}" not in entries
            ]
            if missing and default is None:
                shown = ", ".join(missing[:8])
                note("E08", f"the code list {table.name} has no {shown}: add it or a default")
            ends = set(second.type.values)
            results = [v for k, v in entries.items() if k.partition(".")[2] in ends]
        made = _lookup(table, second, default, results, null=value.type.nullable)
        return msgspec.structs.replace(made, first=first)


def _is_point(part: ir.Expr) -> bool:
    return isinstance(part, ir.Const) and part.value == "."


def _open(name: str) -> str:
    return (
        f"any text may come in and {name} cannot have them all: give a default, "
        "or allow E30 and unknown ones are parked"
    )


def _lookup(
    table: Table,
    operand: ir.Expr,
    default: ir.Const | None,
    results: list[str | None] | None,
    *,
    null: bool,
) -> ir.Lookup:
    found = dict.fromkeys(results or ())
    holes = None in found
    if default is not None and default.value is None:
        holes = True
    elif default is not None:
        found[str(default.value)] = None
    texts = [text for text in found if text is not None]
    return ir.Lookup(
        type=facets.of_text(*texts, nullable=holes or null),
        table=table.name,
        operand=operand,
        default=default,
        holes=holes,
    )
