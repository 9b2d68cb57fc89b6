"""What changed between two releases of a type."""

import json
from pathlib import Path
from typing import Any

from gateway.kit.mapping.schemas import Change, Schemas, differences


def write(folder: Path, name: str, content: Any) -> Path:
    """A file with JSON, or with text as it is."""
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def typed(**properties: Any) -> Any:
    """An object of JSON Schema with these fields and itself inside."""
    inside = {"self": {"$ref": "#"}, "list": {"type": "array", "items": {"$ref": "#"}}}
    return {"type": "object", "properties": {**properties, **inside}, "required": ["a"]}


def test_what_changed_between_two_releases(tmp_path: Path) -> None:
    """Each change once, and whether it can break a mapping; cycles end."""
    text = {"type": "string", "maxLength": 10}
    old = typed(a=text, gone={}, b=text, k={"enum": ["x", "y"]}, t=text, o=text, n=text)
    new = typed(
        a={**text, "maxLength": 5},
        b={**text, "maxLength": 20, "readOnly": True},
        k={"enum": ["x", "z"]},
        t={"type": "integer"},
        o={**text, "enum": ["x"]},
        n={**text, "type": ["string", "null"], "minLength": 1},
        new={},
    )
    paths = [write(tmp_path, f"{n}.json", each) for n, each in enumerate((old, new))]
    types = [Schemas({"schema:o": path}).resolve("schema:o") for path in paths]

    assert {
        Change("a", "max_length was 10, is 5", narrower=True),
        Change("gone", "is gone", narrower=True),
        Change("b", "writable was True, is False", narrower=True),
        Change("b", "max_length was 10, is 20", narrower=False),
        Change("k", "value 'y' is gone", narrower=True),
        Change("k", "value 'z' is new", narrower=True),
        Change("t", "was text, is integer", narrower=True),
        Change("o", "any text was allowed", narrower=True),
        Change("n", "nullable was False, is True", narrower=True),
        Change("n", "min_length was None, is 1", narrower=True),
        Change("new", "is new", narrower=False),
    } == set(differences(types[0], types[1]))
    assert [] == differences(types[0], types[0])


def test_a_release_of_a_vendor_equals_itself(contracts: Path) -> None:
    """The same file read twice has no differences, in all that can be reached."""
    path = contracts / "sap/odata-v2/API_BUSINESS_PARTNER.edmx"
    reference = "edmx:bp#A_BusinessPartnerType"
    one, two = (Schemas({"edmx:bp": path}).resolve(reference) for _ in range(2))

    assert [] == differences(one, two)
