"""JSON Schema 2020-12 and the schemas of OpenAPI 3.0 and 3.1.

A schema is read when a mapping gets to it: one type of a large file costs what it and its fields
cost, not the file. Source: JSON Schema 2020-12, core and validation; OpenAPI 3.0.3 and 3.1.0,
"Schema Object" and "Data Types".
"""

from functools import reduce
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.kit.mapping import projection
from gateway.kit.mapping.schemas import algebra, nodes, scalars
from gateway.kit.mapping.schemas.documents import Document, Pointer
from gateway.kit.mapping.schemas.nodes import Key, Load, Node
from gateway.kit.mapping.schemas.notes import Adjust
from gateway.kit.mapping.types import Field, Kind, Shape, Type

_WORDS: Final = {  # keywords that say what a value is where ``type`` does not
    "object": ("properties", "additionalProperties", "patternProperties"),
    "array": ("items", "prefixItems"),
    "string": ("pattern", "minLength", "maxLength"),
}
_CHAIN: Final = 20


class JsonSchemas:
    """The schemas of one file, and of the files it refers to.

    Args:
        document: The file.
        load: Reads a further file; each file once.
        adjust: Adds what the side file knows.
    """

    def __init__(self, document: Document, load: Load, adjust: Adjust) -> None:
        self._document = document
        self._load = load
        self._adjust = adjust
        self._algebra = algebra.Algebra()
        self._known: dict[Key, Type] = {}
        self._whole: set[Shape] = set()
        self._cuts = 0

    def type_at(self, pointer: Pointer) -> Type:
        """The type that stands at a place of the file.

        Raises:
            SchemaError: Nothing stands there, or it cannot be understood.
        """
        return self._read(nodes.at(self._document, pointer), frozenset())

    def _read(self, node: Node, seen: frozenset[Key]) -> Type:
        """The type of a schema; ``seen`` are those around it that are being read."""
        if node.key in self._known:
            return self._known[node.key]
        cuts = self._cuts
        found = reduce(self._algebra.both, self._pieces(node, seen), algebra.ANY)
        if node.schema.get("nullable") is True:
            found = msgspec.structs.replace(found, nullable=True)
        if found.shape is not None and (
            "required" in node.schema or found.shape not in self._whole
        ):
            found = msgspec.structs.replace(found, shape=self._named(node, found.shape))
        if cuts == self._cuts or not seen:  # what was cut short is whole where it is read first
            self._known[node.key] = found
        return found

    def _pieces(self, node: Node, seen: frozenset[Key]) -> list[Type]:
        """Types that all hold: of the schema itself, and of those it names."""
        inner = seen | {node.key}
        pieces = [self._own(node, inner)]
        if node.key in seen:
            self._cuts += 1
            return pieces
        if "$ref" in node.schema:
            pieces.append(self._read(nodes.target(node, self._load), inner))
        pieces += [self._read(part, inner) for part in node.each("allOf")]
        for word in ("anyOf", "oneOf"):
            if word in node.schema:
                pieces.append(self._one_of(node.each(word), inner))
        return pieces

    def _one_of(self, variants: list[Node], seen: frozenset[Key]) -> Type:
        for variant in variants:
            # A child that is read tells nothing new about its parent: "I am one of my children".
            if "$ref" in variant.schema and nodes.target(variant, self._load).key in seen:
                self._cuts += 1
                return algebra.ANY
        return self._algebra.either([self._read(variant, seen) for variant in variants])

    def _own(self, node: Node, seen: frozenset[Key]) -> Type:
        """What the schema says itself."""
        kinds = _kinds(node)
        if not kinds:
            return algebra.ANY
        known = [self._of_kind(kind, node, seen) for kind in kinds if kind != "null"]
        found = self._algebra.either(known)
        nullable = "null" in kinds or found.nullable
        return msgspec.structs.replace(found, nullable=nullable)

    def _of_kind(self, kind: str, node: Node, seen: frozenset[Key]) -> Type:
        if kind == "object":
            return self._object(node, seen)
        if kind == "array":
            return self._array(node, seen)
        return scalars.read(kind, node)

    def _object(self, node: Node, seen: frozenset[Key]) -> Type:
        further = node.schema.get("additionalProperties")
        patterns = node.word("patternProperties", dict) or {}
        if node.word("properties", dict) or further is False:
            shape = Shape(node.name, lambda: self._fields(node))
            return Type(kind=Kind.OBJECT, shape=shape)
        items = [self._read(node.below("patternProperties", name), seen) for name in patterns]
        if isinstance(further, dict):
            items.append(self._read(node.below("additionalProperties"), seen))
        return Type(kind=Kind.MAP, item=self._algebra.either(items))

    def _array(self, node: Node, seen: frozenset[Key]) -> Type:
        has_item = isinstance(node.schema.get("items"), dict) and "prefixItems" not in node.schema
        return Type(
            kind=Kind.LIST,
            item=self._read(node.below("items"), seen) if has_item else algebra.ANY,
            min_items=node.word("minItems", int),
            max_items=node.word("maxItems", int),
        )

    def _fields(self, node: Node) -> dict[str, Field]:
        properties = node.schema.get("properties", {})
        return {name: self._field(name, node.below("properties", name)) for name in properties}

    def _field(self, name: str, node: Node) -> Field:
        kind = self._read(node, frozenset())
        return Field(
            name=name,
            type=kind,
            writable=not self._keyword(node, "readOnly"),
            label=str(self._keyword(node, "title") or ""),
            default=_default(self._keyword(node, "default"), kind),
        )

    def _named(self, node: Node, shape: Shape) -> Shape:
        """The shape under the name of its schema, with what stands beside its properties."""

        def fields() -> dict[str, Field]:
            required = self._required(node, 0)
            found = {
                name: _demanded(field) if name in required else field
                for name, field in shape.fields.items()
            }
            return self._adjust(node.name, found)

        whole = Shape(node.name, fields)
        self._whole.add(whole)
        return whole

    def _required(self, node: Node, depth: int) -> set[str]:
        found = {str(name) for name in node.word("required", list) or ()}
        if depth < _CHAIN:
            for part in node.each("allOf"):
                found |= self._required(part, depth + 1)
        return found

    def _keyword(self, node: Node, keyword: str) -> Any:
        """The keyword of a schema, or of what it is a mere reference to."""
        for _ in range(_CHAIN):
            if keyword in node.schema:
                return node.schema[keyword]
            parts = node.each("allOf")
            if "$ref" in node.schema:
                node = nodes.target(node, self._load)
            elif len(parts) == 1:
                node = parts[0]
            else:
                break
        return None


class JsonFile:
    """A JSON Schema file: the schema at its root, and its definitions by name."""

    def __init__(self, document: Document, load: Load, adjust: Adjust) -> None:
        self._document = document
        self._load = load
        self._schemas = JsonSchemas(document, load, adjust)

    def type_of(self, name: str) -> Type:
        """The schema of the file, or one of its definitions."""
        if not name:
            return self._schemas.type_at(())
        place = "definitions" if "definitions" in self._document.root else "$defs"
        return self._schemas.type_at((place, name))

    def names(self) -> list[str]:
        """The definitions."""
        root = self._document.root
        return [*root.get("$defs", {}), *root.get("definitions", {})]

    def files(self) -> list[Path]:
        """The file and those it refers to."""
        return nodes.files(self._document, self._load)


class OpenApi:
    """An OpenAPI document: components by name, bodies of requests, anything by its place."""

    def __init__(self, document: Document, load: Load, adjust: Adjust) -> None:
        self._document = document
        self._load = load
        self._schemas = JsonSchemas(document, load, adjust)

    def type_of(self, name: str) -> Type:
        """``payment_intent``, ``POST /v1/refunds`` or ``/paths/…``.

        Raises:
            SchemaError: There is no such thing.
        """
        method, space, path = name.partition(" ")
        if space:
            return self._schemas.type_at(self._body(method.lower(), path))
        if name.startswith("/"):
            return self._schemas.type_at(nodes.pointer(name))
        return self._schemas.type_at(("components", "schemas", name))

    def names(self) -> list[str]:
        """The components."""
        return list(self._document.root.get("components", {}).get("schemas", {}))

    def files(self) -> list[Path]:
        """The file and those it refers to."""
        return nodes.files(self._document, self._load)

    def _body(self, method: str, path: str) -> Pointer:
        place = nodes.at(self._document, ("paths", path, method, "requestBody"))
        if "$ref" in place.schema:
            place = nodes.target(place, self._load)
        forms = place.word("content", dict)
        if not forms:
            raise place.error(f"{method} {path} has no body")
        form = "application/json" if "application/json" in forms else next(iter(forms))
        return (*place.pointer, "content", form, "schema")


def _demanded(field: Field) -> Field:
    # OpenAPI: what is both required and readOnly stands in answers only.
    return msgspec.structs.replace(field, required=field.writable, present=True)


def _kinds(node: Node) -> list[str]:
    """The JSON types that a schema names, or that its keywords speak of."""
    given = node.schema.get("type")
    if isinstance(given, str):
        return [given]
    if isinstance(given, list):
        return [str(kind) for kind in given]
    if "enum" in node.schema or "const" in node.schema:
        return scalars.kinds_of_values(node)
    for kind, words in _WORDS.items():
        if any(word in node.schema for word in words):
            return [kind]
    return ["string"] if node.schema.get("format") in scalars.FORMATS else []


def _default(value: Any, kind: Type) -> str | int | bool | tuple[()] | msgspec.UnsetType:
    """A default that its own schema takes; vendors' files have others."""
    if isinstance(value, list) and not value:
        return ()
    fits = isinstance(value, str | int | bool) and projection.takes(kind, value)
    return value if fits else msgspec.UNSET
