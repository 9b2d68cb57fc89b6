"""Two small schemas for one test, and a mapping between them."""

import json
from pathlib import Path
from typing import Any

from gateway.kit import mapping
from gateway.kit.mapping.schemas import Schemas

HEAD = "mapping: two.ends\nversion: 1.0.0\nfrom: schema:Source\nto: schema:Target\n"


def ends(folder: Path, source: dict[str, Any], target: dict[str, Any]) -> Schemas:
    """Two schemas; each field of the source is required, of the target only R."""
    for name, fields, required in (("Source", source, list(source)), ("Target", target, ["R"])):
        schema = {
            "title": name,
            "type": "object",
            "properties": fields,
            "required": [each for each in required if each in fields],
        }
        (folder / f"{name}.schema.json").write_text(json.dumps(schema), encoding="utf-8")
    return Schemas(folders=[folder])


def check(fields: str, known: Schemas, overlay: str = "", **more: Any) -> mapping.Result:
    """A mapping with these sections behind its head."""
    base = mapping.parse(f"{HEAD}{fields}", file="base.yaml")
    over = [mapping.parse(f"extends: two.ends@1\n{overlay}", file="overlay.yaml")]
    return mapping.check(base, known, overlays=over if overlay else (), **more)


def errors(result: mapping.Result) -> list[str]:
    """Codes of what stops the load."""
    return [finding.code for finding in result.findings if finding.code.startswith("E")]


def applied(result: mapping.Result, body: str) -> Any:
    """What comes out for a message."""
    assert result.mapping is not None, [str(finding) for finding in result.findings]
    return result.mapping.apply_json(body)
