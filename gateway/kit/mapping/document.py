"""Mapping files as text: YAML with line numbers, and no more of YAML than a mapping needs.

No aliases, anchors, tags or merge keys; scalars are text, whole numbers, true, false and null. A
key may stand only once. Nothing here recurses, so nesting cannot exhaust the stack.
"""

import hashlib
import re
from typing import Any, Final, TypeAlias

import msgspec
import yaml

from gateway.kit.mapping.findings import Finding, Severity

FILE_BYTES: Final = 200_000
NODES: Final = 5_000
NESTING: Final = 40

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_WORDS: Final[dict[str, bool | None]] = {
    "true": True, "false": False, "null": None, "~": None, "": None,
}  # fmt: skip

Value: TypeAlias = "dict[str, Node] | list[Node] | str | int | bool | None"


class Node(msgspec.Struct, frozen=True):
    """A value of the file with its place.

    Attributes:
        line: From 1.
        keys: Of a map: the line of each key.
        number: What stood there for a number without quotes, with its leading zeros.
    """

    value: Value
    line: int
    file: str
    keys: dict[str, int] = {}
    number: str = ""


class Document(msgspec.Struct, frozen=True):
    """A mapping file or an overlay, read but not yet understood.

    Attributes:
        root: The map at the top, empty if nothing could be read.
        findings: What the reader refused: E12 and E16.
        digest: SHA-256 of the text.
        size: In bytes.
        text: As it was read, so that it can be kept and read again elsewhere.
        compiled: Functions made of it; tenants that check it with the same overlays share them.
    """

    file: str
    root: Node
    findings: tuple[Finding, ...]
    digest: str
    size: int
    text: str
    compiled: dict[Any, Any] = msgspec.field(default_factory=dict)


def entries_of(node: Node) -> dict[str, Node]:
    """The content of a map; of anything else nothing."""
    return node.value if isinstance(node.value, dict) else {}


def section_of(root: Node, name: str) -> Node:
    """A section of a mapping; an empty one where there is none."""
    node = entries_of(root).get(name)
    if node is None or not isinstance(node.value, dict):
        return Node({}, root.keys.get(name, root.line), root.file)
    return node


def text_of(node: Node, name: str) -> str:
    """An entry of a map as text; empty where there is none."""
    found = entries_of(node).get(name)
    return str(found.value) if found is not None else ""


def rule_text(node: Node) -> str:
    """A rule in one line, for people; without ``allow:``."""
    if not isinstance(node.value, dict):
        return str(node.value)
    parts = {key: each.value for key, each in node.value.items() if key != "allow"}
    if set(parts) == {"value"}:
        return str(parts["value"])
    return ", ".join(f"{key}: {value}" for key, value in parts.items())


class _Unreadable(Exception):  # noqa: N818 - becomes a finding
    """The file cannot be read further."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def parse(text: str, *, file: str) -> Document:
    """Read a mapping file or an overlay; what is wrong stands in ``findings``.

    Args:
        text: At most 200 KB.
        file: Its name, for messages.
    """
    reader = _Reader(file)
    root = Node({}, 1, file)
    try:
        _refuse_oversize(text)
        root = reader.read(text)
    except _Unreadable as error:
        reader.note("E16", "", error.line, error.message)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        reader.note("E16", "", mark.line + 1 if mark else 1, f"not YAML: {error.problem}")
    except (yaml.YAMLError, ValueError) as error:
        reader.note("E16", "", 1, f"not YAML: {type(error).__name__}")
    content = text.encode(errors="surrogatepass")
    digest = hashlib.sha256(content).hexdigest()
    return Document(file, root, tuple(reader.findings), digest, len(content), text)


def _refuse_oversize(text: str) -> None:
    if len(text) > FILE_BYTES or len(text.encode(errors="surrogatepass")) > FILE_BYTES:
        raise _Unreadable(f"the file is larger than {FILE_BYTES} bytes", 1)
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("%"):
            raise _Unreadable("a mapping has no YAML directives", number)
        # libyaml takes quadratic time for brackets that stay open.
        if line.count("[") + line.count("{") > NODES // 10:
            raise _Unreadable("too many brackets in one line", number)


class _Reader:
    """Builds nodes from the parser's events, with a stack of its own."""

    def __init__(self, file: str) -> None:
        self.findings: list[Finding] = []
        self._file = file
        self._open: list[tuple[Node, str | None]] = []
        self._key: str | None = None
        self._root: Node | None = None
        self._nodes = 0

    def note(self, code: str, place: str, line: int, message: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(code, Severity.ERROR, place, line, message, self._file))

    def read(self, text: str) -> Node:
        """The map at the top."""
        for event in yaml.parse(text, Loader=_LOADER):
            self._take(event)
        if self._root is None or not isinstance(self._root.value, dict):
            raise _Unreadable("a mapping file is a map of sections: mapping, from, to, fields", 1)
        return self._root

    def _take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Unreadable("anchors and aliases (& and *) are not allowed: write it out", line)
        if getattr(event, "tag", None):
            raise _Unreadable("tags (!) are not allowed: values are text or numbers", line)
        if isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
            raise _Unreadable("one document per file", line)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, yaml.MappingStartEvent):
            self._enter(Node({}, line, self._file, {}))
        elif isinstance(event, yaml.SequenceStartEvent):
            self._enter(Node([], line, self._file))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._open.pop()

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        plain, text = not event.style, event.value  # libyaml says "", its Python twin None
        if self._expects_key():
            self._name(text, line)
        elif plain and text in _WORDS:
            self._place(Node(_WORDS[text], line, self._file))
        elif plain and _INTEGER.fullmatch(text):
            self._place(Node(int(text), line, self._file, {}, text))
        else:
            self._place(Node(text, line, self._file))

    def _expects_key(self) -> bool:
        return bool(self._open) and self._key is None and isinstance(self._open[-1][0].value, dict)

    def _name(self, name: str, line: int) -> None:
        parent = self._open[-1][0]
        if name == "<<":
            raise _Unreadable("merge keys (<<) are not allowed: write it out", line)
        if not name or not name.isascii() or not name.isprintable():
            raise _Unreadable(f"the name {name[:40]!r} is not made of ASCII characters", line)
        if name in parent.keys:
            message = f"{name} stands here and in line {parent.keys[name]}: remove one of them"
            place = "/".join([*(key for _, key in self._open if key), name])
            self.note("E12", place, line, message)
        parent.keys[name] = line
        self._key = name

    def _enter(self, node: Node) -> None:
        if self._expects_key():
            raise _Unreadable("a name has to be text", node.line)
        if len(self._open) >= NESTING:
            raise _Unreadable("nested too deeply", node.line)
        key = self._key
        self._place(node)
        self._open.append((node, key))

    def _place(self, node: Node) -> None:
        self._nodes += 1
        if self._nodes > NODES:
            raise _Unreadable(f"more than {NODES} values in one file", node.line)
        if not self._open:
            self._root = node
            return
        parent = self._open[-1][0].value
        if isinstance(parent, list):
            parent.append(node)
        elif isinstance(parent, dict) and self._key is not None:
            parent.setdefault(self._key, node)
        self._key = None
