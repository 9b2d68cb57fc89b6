"""One JSON schema and where it stands; references from one to another, also across files."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from gateway.kit.mapping.schemas.documents import Document, Pointer
from gateway.kit.mapping.schemas.errors import SchemaError, suggest

Key = tuple[Path, Pointer]
Load = Callable[[Path], Document]

# Tokens of a pointer that stand for the form of JSON Schema, not for a name.
_FORM: Final = frozenset({"properties", "items", "schema", "$defs", "definitions", "schemas"})


class Node(msgspec.Struct, frozen=True, eq=False):
    """One schema.

    Attributes:
        document: The file it stands in.
        pointer: Where it stands there.
        schema: Its keywords.
    """

    document: Document
    pointer: Pointer
    schema: dict[str, Any]

    @property
    def key(self) -> Key:
        """The same for the same place of the same file."""
        return self.document.path, self.pointer

    @property
    def name(self) -> str:
        """``payment_intent``; ``payment_intent.next_action`` where it stands inside another."""
        rest = [token for token in self.pointer if token not in _FORM]
        if rest[:1] == ["components"]:
            rest = rest[1:]
        return ".".join(rest) or str(self.schema.get("title", self.document.path.stem))

    def below(self, *tokens: str) -> "Node":
        """The schema at a place inside this one.

        Raises:
            SchemaError: Nothing stands there, or no schema.
        """
        return at(self.document, (*self.pointer, *tokens))

    def each(self, keyword: str) -> list["Node"]:
        """The schemas in the list of a keyword."""
        found = self.schema.get(keyword, [])
        if not isinstance(found, list):
            raise self.error(f"{keyword} must be a list", keyword)
        return [self.below(keyword, str(index)) for index in range(len(found))]

    def word(self, keyword: str, kind: type) -> Any:
        """The value of a keyword, or None.

        Raises:
            SchemaError: It is not of the kind.
        """
        found = self.schema.get(keyword)
        if found is not None and not isinstance(found, kind):
            raise self.error(f"{keyword} must be of type {kind.__name__}", keyword)
        return found

    def error(self, message: str, *tokens: str) -> SchemaError:
        """An error about a place inside this schema."""
        return self.document.error(message, (*self.pointer, *tokens))


def at(document: Document, pointer: Pointer) -> Node:
    """The schema at a place of a file.

    Raises:
        SchemaError: Nothing stands there, or no schema.
    """
    try:
        found = document.at(pointer)
    except KeyError as error:
        near = suggest(pointer[-1], _beside(document, pointer))
        place = "/".join(pointer)
        raise document.error(f"has nothing at #/{place}{near}", pointer) from error
    if isinstance(found, bool):  # true allows everything, false nothing worth writing
        found = {}
    if not isinstance(found, dict):
        raise document.error("a schema must be an object", pointer)
    return Node(document, pointer, found)


def _beside(document: Document, pointer: Pointer) -> list[str]:
    try:
        found = document.at(pointer[:-1])
    except KeyError:
        return []
    return list(found) if isinstance(found, dict) else []


def target(node: Node, load: Load) -> Node:
    """The schema that ``$ref`` names.

    Raises:
        SchemaError: It does not exist, or lies on the network.
    """
    reference = node.word("$ref", str)
    file, _, fragment = reference.partition("#")
    document = load(_path(node, file)) if file else node.document
    if fragment and not fragment.startswith("/"):
        raise node.error(f"$ref {reference}: write it as a path, #/$defs/NAME", "$ref")
    try:
        return at(document, pointer(fragment))
    except SchemaError as error:
        if document is not node.document:
            raise
        raise node.error(f"$ref {reference} leads nowhere: {error.reason}", "$ref") from error


def _path(node: Node, file: str) -> Path:
    if urlsplit(file).scheme:
        raise node.error(f"$ref {file} is no file: nothing is fetched, put it beside", "$ref")
    if file.startswith("/"):
        raise node.error(f"$ref {file} must be relative to the file it stands in", "$ref")
    return node.document.path.parent / unquote(file)


def pointer(fragment: str) -> Pointer:
    """The tokens of a JSON pointer as it stands in a reference."""
    tokens = fragment.split("/")[1:]
    return tuple(unquote(token).replace("~1", "/").replace("~0", "~") for token in tokens)


def files(document: Document, load: Load) -> list[Path]:
    """A file and all that it refers to, directly or not, in the order in which they are met."""
    found = {document.path: document}
    queue = [document]
    for each in queue:
        for node in _references(each):
            further = load(_path(node, node.word("$ref", str).partition("#")[0]))
            if further.path not in found:
                found[further.path] = further
                queue.append(further)
    return list(found)


def _references(document: Document) -> Iterator[Node]:
    """Every object of a file that refers to another file."""
    stack: list[tuple[Pointer, Any]] = [((), document.root)]
    while stack:
        place, value = stack.pop()
        if isinstance(value, list):
            stack += [((*place, str(index)), each) for index, each in enumerate(value)]
        elif isinstance(value, dict):
            reference = value.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                yield Node(document, place, value)
            stack += [((*place, name), each) for name, each in value.items()]
