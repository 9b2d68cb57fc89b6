"""What a mapping declares or receives and does not use: W10, W11, W22, W29, E31."""

from collections.abc import Container, Iterable, Iterator, Mapping

from gateway.kit.mapping import ir
from gateway.kit.mapping.codes import Tables
from gateway.kit.mapping.document import Node, entries_of, section_of, text_of
from gateway.kit.mapping.findings import Findings, did_you_mean
from gateway.kit.mapping.scope import Scope
from gateway.kit.mapping.types import Kind, Type


def note(
    root: Node,
    scope: Scope,
    tables: Tables,
    findings: Findings,
    *,
    settings: Iterable[str],
    used: Container[str],
    amounts: Mapping[str, ir.Place],
) -> None:
    """Report what nothing uses, when all rules were read.

    Args:
        settings: Names of the configuration, ``used`` those that a rule reads.
        amounts: Currencies whose amount is written, with the first place.
    """
    _check_dead_keys(root, tables, findings)
    for name in entries_of(section_of(root, "let")):
        binding = scope.binding(name)
        if binding is not None and not binding.used:
            _never_used("let", name, root, findings)
    for table in tables:
        if not table.used and not table.name.startswith("cfg."):
            _never_used("codes", table.name, root, findings)
    for name in settings:
        if name not in used:
            _never_used("config", name, root, findings)
    for currency, place in amounts.items():
        if currency not in scope.reads:
            message = f"an amount is written, its currency {currency} nowhere"
            findings.add("E31", place.path, place.line, message, place.file)
    _check_sources(root, scope, findings)


def _never_used(section: str, name: str, root: Node, findings: Findings) -> None:
    node = section_of(root, section)
    file = entries_of(node)[name].file
    message = f"{name} is never used: remove it"
    findings.add("W11", f"{section}/{name}", node.keys.get(name, 0), message, file)


def _check_dead_keys(root: Node, tables: Tables, findings: Findings) -> None:
    section = section_of(root, "codes")
    for table in tables:
        if not table.used or table.reachable is None or table.name.startswith("cfg."):
            continue
        for key in table.entries or ():
            if key not in table.reachable:
                message = f"{table.name}.{key} can never occur{did_you_mean(key, table.reachable)}"
                node = entries_of(section)[table.name]
                line, file = node.keys.get(key, 0), entries_of(node)[key].file
                findings.add("W10", table.place, line, message, file)


def _check_sources(root: Node, scope: Scope, findings: Findings) -> None:
    node = entries_of(root).get("unused")
    entries = node.value if node is not None and isinstance(node.value, list) else []
    unused = {str(entry.value): entry for entry in entries}
    stale = set(unused)
    # What our model keeps for itself goes nowhere; what a product fills in is what it tells us.
    ours = text_of(root, "from").startswith("canonical.")
    for path in _unread(scope.source, "", frozenset(unused), scope.reads, skips_kept=ours):
        named = next((each for each in unused if _within(path, each)), None)
        if named is None:
            message = f"{path} is never read: map it or list it under unused:"
            findings.add("W22", path, node.line if node else 1, message, root.file)
        else:
            stale.discard(named)
    for path in stale:
        message = f"{path} is read, or is no field of the source: remove it"
        findings.add("W29", f"unused/{path}", unused[path].line, message, root.file)


def _unread(
    kind: Type, path: str, unused: frozenset[str], reads: Container[str], *, skips_kept: bool
) -> Iterator[str]:
    """Fields that nothing reads, the uppermost of each branch; what ``unused`` names apart.

    Args:
        skips_kept: Whether nobody has to read what is marked as read-only.
    """
    while kind.kind is Kind.LIST and kind.item is not None:
        kind = kind.item
    if kind.kind is not Kind.OBJECT or kind.shape is None:
        return
    for name, field in kind.shape.fields.items():
        here = f"{path}.{name}".lstrip(".")
        inside = any(each.startswith(f"{here}.") for each in unused)
        if here in reads or (inside and here not in unused):
            yield from _unread(field.type, here, unused, reads, skips_kept=skips_kept)
        elif field.writable or not skips_kept:
            yield here


def _within(path: str, named: str) -> bool:
    return path == named or path.startswith(f"{named}.")
