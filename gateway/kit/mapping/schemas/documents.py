"""JSON and YAML files: read once, with the line of a place found when an error needs it."""

import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from gateway.kit.mapping.core import Core
from gateway.kit.mapping.schemas.errors import SchemaError

Pointer = tuple[str, ...]


# Reads like an alias; block texts do too, so that the parser has the last word.
_ALIAS = re.compile(rb"(?:[:,\[-]|^)\s*\*[A-Za-z0-9_]", re.MULTILINE)


class Document:
    """A JSON or YAML file with an object at its root.

    Attributes:
        path: Where it lies.
        root: What stands in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content = content(path)
        self.root: dict[str, Any] = self._parse()

    def at(self, pointer: Pointer) -> Any:
        """What stands at a place.

        Raises:
            KeyError: Nothing stands there.
        """
        found: Any = self.root
        for token in pointer:
            try:
                found = found[int(token)] if isinstance(found, list) else found[token]
            except (TypeError, ValueError, IndexError) as error:
                raise KeyError(token) from error
        return found

    def line(self, pointer: Pointer) -> int | None:
        """The line of a place, from 1; None where it cannot be told."""
        try:
            node = yaml.compose(self._content, Core)
        except (yaml.YAMLError, RecursionError):
            return None
        line = 1
        for token in pointer:
            step = _step(node, token)
            if step is None:
                break
            line, node = step
        return line

    def error(self, message: str, pointer: Pointer = ()) -> SchemaError:
        """An error about a place in this file."""
        return SchemaError(message, file=self.path, line=self.line(pointer))

    def _parse(self) -> dict[str, Any]:
        root = self._json() if self.path.suffix == ".json" else self._yaml()
        if not isinstance(root, dict):
            raise SchemaError("must have an object at its root", file=self.path, line=1)
        return root

    def _json(self) -> Any:
        try:
            return msgspec.json.decode(self._content)
        except (msgspec.DecodeError, RecursionError) as error:
            raise SchemaError(f"is not JSON: {error}", file=self.path) from error

    def _yaml(self) -> Any:
        try:
            self._refuse_aliases()
            return yaml.load(self._content, Core)  # noqa: S506 - a safe loader, narrowed
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            line = mark.line + 1 if mark else None
            raise SchemaError(f"is not YAML: {error.problem}", file=self.path, line=line) from error
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise SchemaError(f"is not YAML: {error}", file=self.path) from error

    def _refuse_aliases(self) -> None:
        """An alias can stand for itself, and ten for a billion nodes."""
        if _ALIAS.search(self._content) is None:
            return
        for event in yaml.parse(self._content, Core):
            if isinstance(event, yaml.AliasEvent):
                mark = event.start_mark
                line = mark.line + 1 if mark else None
                raise SchemaError("has an alias (*); write it out", file=self.path, line=line)


def content(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        SchemaError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise SchemaError(f"cannot be read ({error.strerror})", file=path) from error


def _step(node: Any, token: str) -> tuple[int, Any] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == token:
                return key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode) and token.isdecimal() and int(token) < len(node.value):
        item = node.value[int(token)]
        return item.start_mark.line + 1, item
    return None
