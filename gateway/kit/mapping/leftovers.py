"""What a mapping declares or receives and does not use: W10, W11, W22, W29, E31."""

from collections.abc import Container, Iterable, Iterator, Mapping

from gateway.kit.mapping import ir
from gateway.kit.mapping.codes import Tables
from gateway.kit.mapping.document import Node, entries_of, section_of
from gateway.kit.mapping.findings import Findings, did_you_mean
from gateway.kit.mapping.scope import Scope
from gateway.kit.mapping.types import Kind, Type


class Leftovers:
    """The last pass of a check, when all rules were read."""

    def __init__(self, root: Node, scope: Scope, tables: Tables, findings: Findings) -> None:
        self._root = root
        self._scope = scope
        self._tables = tables
        self._findings = findings

    def _note(self, code: str, path: str, line: int, message: str) -> None:
        self._findings.add(code, path, line, message, self._root.file)

    def check(
        self, settings: Iterable[str], used: Container[str], amounts: Mapping[str, ir.Place]
    ) -> None:
        """Report what nothing uses.

        Args:
            settings: Names of the configuration, ``used`` those that a rule reads.
            amounts: Currencies whose amount is written, with the first place.
        """
        self._check_dead_keys()
        for name in entries_of(section_of(self._root, "let")):
            binding = self._scope.binding(name)
            if binding is not None and not binding.used:
                self._never_used("let", name)
        for table in self._tables:
            if not table.used and not table.name.startswith("cfg."):
                self._never_used("codes", table.name)
        for name in settings:
            if name not in used:
                self._never_used("config", name)
        self._check_currencies(amounts)
        self._check_sources()

    def _never_used(self, section: str, name: str) -> None:
        node = section_of(self._root, section)
        file = entries_of(node)[name].file
        message = f"{name} is never used: remove it"
        self._findings.add("W11", f"{section}/{name}", node.keys.get(name, 0), message, file)

    def _check_dead_keys(self) -> None:
        section = section_of(self._root, "codes")
        for table in self._tables:
            if not table.used or table.reachable is None or table.name.startswith("cfg."):
                continue
            for key in table.entries or ():
                if key not in table.reachable:
                    message = (
                        f"{table.name}.{key} can never occur{did_you_mean(key, table.reachable)}"
                    )
                    node = entries_of(section)[table.name]
                    line, file = node.keys.get(key, 0), entries_of(node)[key].file
                    self._findings.add("W10", table.place, line, message, file)

    def _check_currencies(self, amounts: Mapping[str, ir.Place]) -> None:
        for currency, place in amounts.items():
            if currency not in self._scope.reads:
                message = f"an amount is written, its currency {currency} nowhere"
                self._findings.add("E31", place.path, place.line, message, place.file)

    def _check_sources(self) -> None:
        node = entries_of(self._root).get("unused")
        entries = node.value if node is not None and isinstance(node.value, list) else []
        unused = {str(entry.value): entry for entry in entries}
        stale = set(unused)
        for path in self._unread(self._scope.source, "", frozenset(unused)):
            named = next((each for each in unused if _within(path, each)), None)
            if named is None:
                message = f"{path} is never read: map it or list it under unused:"
                self._note("W22", path, node.line if node else 1, message)
            else:
                stale.discard(named)
        for path in stale:
            message = f"{path} is read, or is no field of the source: remove it"
            self._note("W29", f"unused/{path}", unused[path].line, message)

    def _unread(self, kind: Type, path: str, unused: frozenset[str]) -> Iterator[str]:
        """Fields that nothing reads, the uppermost of each branch; what ``unused`` names apart."""
        while kind.kind is Kind.LIST and kind.item is not None:
            kind = kind.item
        if kind.kind is not Kind.OBJECT or kind.shape is None:
            return
        for name, field in kind.shape.fields.items():
            here = f"{path}.{name}".lstrip(".")
            inside = any(each.startswith(f"{here}.") for each in unused)
            if here in self._scope.reads or (inside and here not in unused):
                yield from self._unread(field.type, here, unused)
            else:
                yield here


def _within(path: str, named: str) -> bool:
    return path == named or path.startswith(f"{named}.")
