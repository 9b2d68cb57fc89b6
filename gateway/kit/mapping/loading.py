"""From documents to a mapping: merge, check, compile."""

import hashlib
from collections.abc import Mapping as Values
from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec

from gateway.errors import Misconfigured
from gateway.kit.mapping import overlays as laid
from gateway.kit.mapping import reverse
from gateway.kit.mapping.checking import Checker
from gateway.kit.mapping.document import Document, Node, parse
from gateway.kit.mapping.findings import Enough, Finding, Findings, Refused, Severity
from gateway.kit.mapping.mapping import Lineage, Mapping
from gateway.kit.mapping.types import Kind, Type

# Changes whenever the same mapping may come out as another function.
COMPILER: Final = "1"

Lists = Values[str, Values[str, str | None]]


class Resolver(Protocol):
    """What the checker asks of schemas."""

    def resolve(self, reference: str) -> Type:
        """The type that a reference names."""

    def digest(self, reference: str) -> str:
        """Hash of all that its meaning depends on."""


class Result(msgspec.Struct, frozen=True):
    """What a check found, and the mapping if it has no error.

    Attributes:
        mapping: None too where the mapping has configuration and none was given.
        effective: The tree that was checked, overlays included; each node knows file and line.
    """

    findings: tuple[Finding, ...]
    mapping: Mapping | None
    effective: Node


def check(
    document: Document,
    schemas: Resolver,
    *,
    config: Values[str, Any] | None = None,
    overlays: Sequence[Document] = (),
    lists: Lists | None = None,
    tenant: str = "",
) -> Result:
    """Check a mapping against the schemas of both ends, for one tenant.

    Args:
        config: The tenant's values; None for a check without tenant.
        overlays: The tenant's changes, applied in their order.
        lists: Long code lists: what stands behind ``@`` to its entries.
        tenant: Its name, for failures at run time.
    """
    findings = Findings()
    try:
        return _checked(document, schemas, findings, config, tuple(overlays), lists or {}, tenant)
    except Enough:
        return Result(tuple(findings), None, document.root)


def _checked(
    document: Document,
    schemas: Resolver,
    findings: Findings,
    config: Values[str, Any] | None,
    overlays: tuple[Document, ...],
    lists: Lists,
    tenant: str,
) -> Result:
    root = _merged(document, overlays, findings)
    ends = _ends(root, schemas, findings)
    if findings.broken:
        return Result(tuple(findings), None, root)
    checker = Checker(
        root,
        source=ends.pop("from"),
        target=ends.pop("to"),
        needs=ends,
        config=config if config is None or isinstance(config, dict) else dict(config),
        lists=lists,
        findings=findings,
    )
    program = checker.check()
    if program is not None and _scalar(root, "reversible") is True:
        for place, reason in reverse.problems(program):
            message = f"reversible: true, but this cannot be turned round: {reason}"
            findings.add("E24", place.path, place.line, message, place.file)
    mapping = None
    if program is not None and not findings.broken and (config is not None or not checker.settings):
        parts = (document.digest, *(overlay.digest for overlay in overlays))
        mapping = Mapping(
            program,
            compiled=_shared(document, (*parts, *checker.tables.holes()), schemas),
            reads=frozenset(checker.scope.reads),
            lineage=tuple(_lineage(checker, program.version)),
            digests=lambda: _digests(root, schemas, parts, config, lists),
            tenant=tenant,
        )
    return Result(tuple(findings), mapping, root)


def load(
    document: Document,
    schemas: Resolver,
    *,
    config: Values[str, Any] | None = None,
    overlays: Sequence[Document] = (),
    lists: Lists | None = None,
    tenant: str = "",
) -> Mapping:
    """The mapping.

    Raises:
        Refused: It has an error.
    """
    result = check(document, schemas, config=config, overlays=overlays, lists=lists, tenant=tenant)
    if result.mapping is None:
        raise Refused(document.file, result.findings)
    return result.mapping


def drift(
    document: Document,
    schemas: Resolver,
    newer: Resolver,
    *,
    config: Values[str, Any] | None = None,
    overlays: Sequence[Document] = (),
    lists: Lists | None = None,
) -> tuple[Finding, ...]:
    """E32 for each error that the mapping has against newer schemas only.

    Args:
        schemas: Those that it was written for.
        newer: Those of the next release.
    """
    today = check(document, schemas, config=config, overlays=overlays, lists=lists).findings
    then = check(document, newer, config=config, overlays=overlays, lists=lists).findings
    known = {(finding.code, finding.place) for finding in today}
    return tuple(
        msgspec.structs.replace(
            finding, code="E32", message=f"with the newer schema {finding.code}: {finding.message}"
        )
        for finding in then
        if finding.severity is Severity.ERROR and (finding.code, finding.place) not in known
    )


def back(mapping: Mapping, schemas: Resolver, document: Document) -> str:
    """A proposal for the mapping that reads what this one writes, as YAML; see ``reverse``."""
    ends = [str(_scalar(document.root, name)) for name in ("to", "from")]
    head = {
        "mapping": f"{mapping.program.name}.back",
        "version": mapping.program.version,
        "from": ends[0],
        "to": ends[1],
    }

    def findings(text: str) -> tuple[Finding, ...]:
        return check(parse(text, file="back.yaml"), schemas).findings

    return reverse.propose(mapping.program, head, findings)


def _shared(document: Document, key: tuple[object, ...], schemas: Resolver) -> dict[Any, Any]:
    """The functions that other tenants with the same overlays and schemas use too."""
    entries = document.compiled.setdefault(key, [])
    for known, compiled in entries:
        if known is schemas:
            found: dict[Any, Any] = compiled
            return found
    made: dict[Any, Any] = {}
    entries.append((schemas, made))
    return made


def _scalar(root: Node, name: str) -> object:
    node = root.value.get(name) if isinstance(root.value, dict) else None
    return node.value if node is not None else None


def _merged(document: Document, overlays: tuple[Document, ...], findings: Findings) -> Node:
    for each in (document, *overlays):
        for found in each.findings:
            findings.add(found.code, found.place, found.line, found.message, found.file)
    for overlay in overlays:
        if overlay.size > laid.BYTES:
            message = f"an overlay has at most {laid.BYTES} bytes"
            findings.add("E16", "", 1, message, overlay.file)
    if findings.broken:
        return document.root
    return laid.merge(document, overlays, findings)


def _ends(root: Node, schemas: Resolver, findings: Findings) -> dict[str, Type]:
    """The types of both ends and of the look-ups, by name."""
    content = root.value if isinstance(root.value, dict) else {}
    found: dict[str, Type] = {}
    for name in ("from", "to"):
        node = content.get(name)
        if node is None or not isinstance(node.value, str):
            findings.add("E16", name, root.line, f"the section {name} names a schema", root.file)
            continue
        kind = _resolved(node.value, name, node, schemas, findings)
        if kind is not None and kind.kind is not Kind.OBJECT:
            findings.add("E14", name, node.line, f"{node.value} is not an object", node.file)
        elif kind is not None:
            found[name] = kind
    needs = content.get("needs")
    for name, node in needs.value.items() if needs and isinstance(needs.value, dict) else ():
        kind = _resolved(str(node.value), f"needs/{name}", node, schemas, findings)
        if kind is not None and name not in found:
            found[name] = kind
    return found


def _resolved(
    reference: str, place: str, node: Node, schemas: Resolver, findings: Findings
) -> Type | None:
    try:
        return schemas.resolve(reference)
    except Misconfigured as error:
        code = "E01" if place == "to" else "E02"
        findings.add(code, place, node.line, error.message, node.file)
        return None


def _lineage(checker: Checker, version: str) -> list[Lineage]:
    return [
        Lineage(place.path, tuple(sorted(_leaves(sources))), rule, version, place.file, place.line)
        for place, rule, sources in checker.lineage
    ]


def _leaves(paths: frozenset[str]) -> list[str]:
    """Without the objects and lists on the way."""
    return [path for path in paths if not any(each.startswith(f"{path}.") for each in paths)]


def _digests(
    root: Node,
    schemas: Resolver,
    parts: tuple[str, ...],
    config: Values[str, Any] | None,
    lists: Lists | None,
) -> str:
    """Hash of base, overlays, configuration, code lists, schemas and compiler."""
    content = root.value if isinstance(root.value, dict) else {}
    references = [str(content[name].value) for name in ("from", "to")]
    needs = content.get("needs")
    if needs is not None and isinstance(needs.value, dict):
        references += [str(node.value) for node in needs.value.values()]
    whole = [
        COMPILER,
        parts,
        [schemas.digest(reference) for reference in references],
        config,
        lists,
    ]
    return hashlib.sha256(msgspec.json.encode(whole, order="deterministic")).hexdigest()
