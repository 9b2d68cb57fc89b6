"""What the tests of schemas share: one small type, writing files, looking at shapes."""

import json
from pathlib import Path
from typing import Any, Final

from gateway.kit.mapping.schemas import Schemas
from gateway.kit.mapping.types import Shape

ORDER: Final = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "at": {"type": "string"}},
    "required": ["at"],
}


def write(folder: Path, name: str, content: Any) -> Path:
    """A file with JSON, or with text as it is."""
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def shape(schemas: Schemas, reference: str) -> Shape:
    """The shape that a reference names."""
    found = schemas.resolve(reference).shape
    assert found is not None
    return found
