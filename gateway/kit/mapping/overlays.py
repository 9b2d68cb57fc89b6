"""Tenant overlays: RFC 7396 over the tree of a mapping, with the origin of every value kept.

Maps are merged, null deletes, lists are replaced whole; lists of blocks that all carry ``id`` are
merged block by block, ``fields: null`` deletes a block. What is deleted has to be there, and a new
``id`` must not look like a known one. An overlay
that adds ``when:`` or ``allow:`` to a plain rule keeps its value; one that brings another value
does not keep ``allow:``.
"""

import re
from typing import Final

from gateway.kit.mapping.document import Document, Node, entries_of, text_of
from gateway.kit.mapping.findings import Findings, did_you_mean

BYTES: Final = 32_000  # an overlay changes a mapping; who needs more writes one
_EXTENDS: Final = re.compile(r"([a-z][a-z0-9_.]*)@([0-9]+)")
_FIXED: Final = ("mapping", "version", "from", "to")
_CONTENT: Final = frozenset({"value", "const", "fields"})


def merge(base: Document, overlays: tuple[Document, ...], findings: Findings) -> Node:
    """The effective mapping; E18 for what does not fit the base."""
    root = base.root
    if "extends" in entries_of(root):
        findings.add("E18", "extends", root.keys["extends"], _ALONE, root.file)
    for overlay in overlays:
        root = _Merge(overlay, findings).over(root)
    return root


_ALONE: Final = "this is an overlay: check it together with the mapping that it extends"


class _Merge:
    """One overlay over one tree."""

    def __init__(self, overlay: Document, findings: Findings) -> None:
        self._overlay = overlay
        self._findings = findings

    def over(self, root: Node) -> Node:
        patch = self._overlay.root
        self._check_head(root, patch)
        content = {k: v for k, v in entries_of(patch).items() if k not in {"extends", *_FIXED}}
        return self._merged(root, Node(content, patch.line, patch.file, patch.keys), "")

    def _note(self, place: str, line: int, message: str) -> None:
        self._findings.add("E18", place, line, message, self._overlay.file)

    def _check_head(self, root: Node, patch: Node) -> None:
        for name in _FIXED:
            if name in entries_of(patch):
                self._note(name, patch.keys[name], f"an overlay cannot change {name}")
        node = entries_of(patch).get("extends")
        match = _EXTENDS.fullmatch(str(node.value)) if node is not None else None
        if node is None or match is None:
            line = patch.line if node is None else node.line
            self._note("extends", line, "write extends: NAME@MAJOR of the mapping underneath")
            return
        name, version = text_of(root, "mapping"), text_of(root, "version")
        if match[1] != name:
            guess = did_you_mean(match[1], [name])
            self._note("extends", node.line, f"there is no mapping {match[1]}{guess}")
        elif match[2] != version.partition(".")[0]:
            self._note("extends", node.line, f"{name} has version {version}, not {match[2]}")

    def _merged(self, base: Node | None, patch: Node, path: str) -> Node:
        if isinstance(patch.value, list):
            return self._merged_list(base, patch, path)
        if not isinstance(patch.value, dict):
            return patch
        base = _as_map(base, patch)
        values, keys = dict(entries_of(base)), dict(base.keys)
        for name, node in patch.value.items():
            here = f"{path}/{name}".lstrip("/")
            line = patch.keys.get(name, node.line)
            if node.value is None:
                self._delete(values, name, here, line)
                continue
            before = values.get(name)
            values[name] = self._merged(before, node, here)
            if before is None or values[name].file == patch.file:
                keys[name] = line
        if patch.value.keys() & {"value", "const"} and "allow" not in patch.value:
            values.pop("allow", None)  # it was a decision about the value that is replaced
        return Node(values, base.line, base.file, keys)

    def _delete(self, values: dict[str, Node], name: str, path: str, line: int) -> None:
        if name not in values:
            message = f"{name} is not there to be removed{did_you_mean(name, values)}"
            self._note(path, line, message)
        values.pop(name, None)

    def _merged_list(self, base: Node | None, patch: Node, path: str) -> Node:
        blocks = patch.value if isinstance(patch.value, list) else []
        known = _ids(base)
        wanted = [text_of(block, "id") for block in blocks]
        if known is None or base is None or not wanted or not all(wanted):
            return patch
        merged = dict(known)
        for name, block in zip(wanted, blocks, strict=True):
            self._check_id(name, wanted, known, f"{path}/{name}", block.line)
            fields = entries_of(block).get("fields")
            if fields is not None and fields.value is None:
                self._delete(merged, name, f"{path}/{name}", block.line)
            else:
                merged[name] = self._merged(merged.get(name), block, f"{path}/{name}")
        return Node(list(merged.values()), base.line, base.file)

    def _check_id(
        self, name: str, wanted: list[str], known: dict[str, Node], place: str, line: int
    ) -> None:
        """A new block is one that nobody could take for one that is there."""
        if wanted.count(name) > 1:
            self._note(place, line, f"two blocks have the id {name}")
        guess = did_you_mean(_letters(name), map(_letters, known))
        if name not in known and guess and _letters(name) not in map(_letters, known):
            near = did_you_mean(name, known) or guess
            self._note(place, line, f"there is no block {name}{near} A new one needs another id")


def _letters(name: str) -> str:
    """Without digits: tax1 and tax2 are two of a series."""
    return re.sub("[0-9]", "", name)


def _as_map(base: Node | None, patch: Node) -> Node:
    """What a map is merged into: a plain rule becomes ``value:`` where the patch keeps it."""
    if base is None or isinstance(base.value, list):
        return Node({}, patch.line, patch.file, {})
    if isinstance(base.value, dict):
        return base
    if entries_of(patch).keys() & _CONTENT or base.value is None:
        return Node({}, patch.line, patch.file, {})
    return Node({"value": base}, base.line, base.file, {"value": base.line})


def _ids(node: Node | None) -> dict[str, Node] | None:
    """The blocks of a list by id, a lone one too; None if one has none."""
    if node is None:
        return None
    blocks = node.value if isinstance(node.value, list) else [node]
    found = {text_of(block, "id"): block for block in blocks}
    return found if "" not in found and len(found) == len(blocks) else None
