"""Where schemas lie, and what a reference in a mapping names.

canonical.NAME           one of our Structs, or a JSON Schema file given as the model
edmx:FILE#TYPE           an entity or complex type of an OData service
openapi:API#SCHEMA       a component; or ``POST /path``, the body of a request; or a /pointer
schema:NAME              a JSON Schema file; with #DEFINITION one of its definitions
xsd:NAME#ELEMENT         a global element
wsdl:NAME#OPERATION      what an operation takes; with /output what it answers
csv:LAYOUT, fixed:LAYOUT a row of a file
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from gateway.kit.mapping.schemas.documents import Document, content
from gateway.kit.mapping.schemas.edmx import Edmx
from gateway.kit.mapping.schemas.errors import SchemaError, suggest
from gateway.kit.mapping.schemas.jsonschema import JsonFile, JsonSchemas, OpenApi
from gateway.kit.mapping.schemas.layouts import Layout, LayoutFile
from gateway.kit.mapping.schemas.notes import Adjust, Notes, unchanged
from gateway.kit.mapping.schemas.structs import Structs
from gateway.kit.mapping.schemas.wsdl import Wsdl
from gateway.kit.mapping.schemas.xsd import Xsd
from gateway.kit.mapping.schemas.xsd_files import Files
from gateway.kit.mapping.types import Type
from gateway.model import codec

_JSON: Final = (".schema.json", ".json", ".yaml", ".yml")
_LONGEST: Final = 100  # characters of a name
_SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "canonical": _JSON,
    "edmx": (".edmx", ".xml"),
    "openapi": _JSON,
    "schema": _JSON,
    "xsd": (".xsd",),
    "wsdl": (".wsdl",),
    "csv": (".yaml", ".yml"),
    "fixed": (".yaml", ".yml"),
}


class _Reader(Protocol):
    """The schemas of one file."""

    def type_of(self, name: str) -> Type: ...

    def names(self) -> list[str]: ...

    def files(self) -> list[Path]: ...


class Schemas:
    """The schemas that mappings may name, each file read once and only when it is asked for.

    Args:
        files: Reference without ``#`` to file: ``{"edmx:API_BUSINESS_PARTNER": path}``.
        folders: Where other files are looked for, by name and the suffixes of their kind.
        model: Struct classes that ``canonical.NAME`` names.
        notes: The side file; see ``notes.py``.
    """

    def __init__(
        self,
        files: Mapping[str, Path] | None = None,
        *,
        folders: Sequence[Path] = (),
        model: Sequence[type] = (),
        notes: Path | None = None,
    ) -> None:
        self._files = dict(files or {})
        self._folders = folders
        self._model = {f"canonical.{kind.__name__}": kind for kind in model}
        self._notes = notes
        self._documents: dict[Path, Document] = {}
        self._readers: dict[str, _Reader] = {}
        self._types: dict[str, Type] = {}
        self._digests: dict[str, str] = {}
        self._structs = Structs(self._adjust("canonical"))
        self._open: dict[str, Callable[[Path, Adjust], _Reader]] = {
            "canonical": self._json,
            "schema": self._json,
            "openapi": lambda path, adjust: OpenApi(self._document(path), self._document, adjust),
            "edmx": Edmx,
            "xsd": lambda path, adjust: Xsd(Files(path), adjust),
            "wsdl": Wsdl,
            "csv": lambda path, _: LayoutFile(self._document(path), "csv"),
            "fixed": lambda path, _: LayoutFile(self._document(path), "fixed"),
        }

    def resolve(self, reference: str) -> Type:
        """The type that a reference names.

        Raises:
            SchemaError: The file or the type does not exist, or cannot be understood.
        """
        if reference not in self._types:
            source, _, name = reference.partition("#")
            kind = self._model.get(reference)
            self._types[reference] = (
                self._structs.type_of(kind) if kind else self._reader(source).type_of(name)
            )
        return self._types[reference]

    def names(self, source: str) -> list[str]:
        """What may stand after ``#``; ``source`` is a reference up to there."""
        return self._reader(source).names()

    def layout(self, reference: str) -> Layout:
        """How the rows of ``csv:LAYOUT`` or ``fixed:LAYOUT`` are written.

        Raises:
            SchemaError: There is no such layout, or the reference is to another kind of schema.
        """
        reader = self._reader(reference)
        if not isinstance(reader, LayoutFile):
            raise SchemaError(f"{reference} is no layout; csv:NAME and fixed:NAME are")
        return reader.layout

    def digest(self, reference: str) -> str:
        """SHA-256 of all that the meaning of a reference depends on, as hexadecimal text."""
        if reference not in self._digests:
            self._digests[reference] = self._digest(reference)
        return self._digests[reference]

    def _digest(self, reference: str) -> str:
        kind = self._model.get(reference)
        if kind:
            parts = [msgspec.json.encode(codec.schema(kind), order="deterministic")]
        else:
            parts = [content(path) for path in self._reader(reference.partition("#")[0]).files()]
        if self._notes:
            parts.append(content(self._notes))
        return hashlib.sha256(b"".join(hashlib.sha256(each).digest() for each in parts)).hexdigest()

    def _reader(self, source: str) -> _Reader:
        if source not in self._readers:
            kind, name = _split(source)
            if kind not in self._open:
                near = suggest(kind, self._open)
                raise SchemaError(f"{source}: unknown kind of schema {kind!r}{near}")
            path = self._find(source, kind, name)
            scope = "canonical" if kind == "canonical" else name
            self._readers[source] = self._open[kind](path, self._adjust(scope))
        return self._readers[source]

    def _find(self, source: str, kind: str, name: str) -> Path:
        if source in self._files:
            return self._files[source]
        for folder in self._folders if len(name) <= _LONGEST else ():
            for suffix in _SUFFIXES[kind]:
                path = folder / f"{name}{suffix}"
                if path.parent == folder and path.is_file():
                    return path
        near = suggest(source, [*self._files, *self._model])
        raise SchemaError(f"no file is known for {source}{near}; name it where schemas are listed")

    def _document(self, path: Path) -> Document:
        key = path.resolve()
        if key not in self._documents:
            self._documents[key] = Document(path)
        return self._documents[key]

    def _json(self, path: Path, adjust: Adjust) -> _Reader:
        return JsonFile(self._document(path), self._document, adjust)

    def _adjust(self, name: str) -> Adjust:
        if self._notes is None:
            return unchanged
        document = self._document(self._notes)
        read = JsonSchemas(document, self._document, unchanged).type_at
        return Notes(document, name, read).adjust


def _split(source: str) -> tuple[str, str]:
    if source.startswith("canonical."):
        return "canonical", source.removeprefix("canonical.")
    kind, _, name = source.partition(":")
    return kind, name
