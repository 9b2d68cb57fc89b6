"""``reversible: true`` promises that the way back gives what went in."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.kit import mapping
from gateway.kit.mapping.schemas import Schemas
from tests.mappings import small

TEXT = """
mapping: small.both
version: 1.0.0
from: schema:Little
to: schema:Target
reversible: true
codes:
  kinds: {new: N, used: U}
let:
  shown: number
fields:
  Number: shown
  Kind: kind | code(kinds)
  Text: note
  Day: on
  Moment: placed | utc
  Whole: count
  Currency: {const: EUR}
  Owner: {when: has(owner), fields: {Name: owner.name}}
  Items: {each: lines as l, fields: {Sku: l.sku, No: l.quantity}}
"""
LITTLE: dict[str, Any] = {
    "type": "object",
    "properties": {
        **{name: small.SOURCE["properties"][name] for name in ("number", "kind", "note", "on")},
        "placed": {"type": "string", "format": "date-time"},
        "count": {"type": "integer", "minimum": 0, "maximum": 100},
        "owner": small.SOURCE["properties"]["owner"],
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "sku": {"type": "string", "maxLength": 10},
                    "quantity": {"type": "integer"},
                },
                "required": ["sku", "quantity"],
            },
        },
    },
    "required": ["number", "kind", "on", "placed", "count", "lines"],
}  # fmt: skip

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
LINES = st.fixed_dictionaries({"sku": NAMES, "quantity": st.integers(-9, 10**9)})
SOURCES = st.fixed_dictionaries(
    {
        "number": NAMES,
        "kind": st.sampled_from(["new", "used"]),
        "on": st.dates().map(str),
        "placed": st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
        "count": st.integers(0, 100),
        "lines": st.lists(LINES),
    },
    optional={"note": NAMES, "owner": st.fixed_dictionaries({"name": NAMES})},
)  # fmt: skip


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> tuple[mapping.Mapping, mapping.Mapping]:
    """There and back."""
    folder = tmp_path_factory.mktemp("schemas")
    files = {}
    for name, schema in (("Little", LITTLE), ("Target", small.TARGET)):
        files[f"schema:{name}"] = folder / f"{name}.schema.json"
        files[f"schema:{name}"].write_text(json.dumps({"title": name, **schema}))
    known = Schemas(files)
    document = mapping.parse(TEXT, file="both.yaml")
    forth = mapping.load(document, known)
    back = mapping.parse(mapping.back(forth, known, document), file="back.yaml")
    return forth, mapping.load(back, known)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(source=SOURCES)
def test_back_and_forth(
    source: dict[str, Any], ways: tuple[mapping.Mapping, mapping.Mapping]
) -> None:
    """``back(forth(x)) == x``, for every source."""
    forth, back = ways
    there = forth.apply_json(json.dumps(source))

    assert source == back.apply_json(json.dumps(there))


@pytest.mark.parametrize(
    "rule",
    [
        "Text: note | cut(5)",
        "Text: number | upper",
        "Text: number | zfill(20)",
        "Text: 'f\"{number}-{kind}\"'",
        "Text: {value: number, when: has(note)}",
        "Text: note | default(number)",
        "Text: kind | code(same)",
        'Text: kind | code(open, "x")',
        "Text: count | text",
        "Items: {each: lines as l, when: l.quantity > 1, fields: {Sku: l.sku}}",
        "Items: {group: lines by sku as g, fields: {Sku: g.sku}}",
        "Items: [{fields: {Sku: number}}]",
    ],
)  # fmt: skip
def test_what_loses_something(rule: str, tmp_path: Path) -> None:
    """E24 at the rule that cannot be turned round."""
    (tmp_path / "Little.schema.json").write_text(json.dumps(LITTLE))
    (tmp_path / "Target.schema.json").write_text(json.dumps(small.TARGET))
    known = Schemas(folders=[tmp_path])
    head = "\n".join(TEXT.splitlines()[:6])
    text = (
        f"{head}\ncodes: {{same: {{new: N, used: N}}, open: {{new: N}}}}\n"
        f"fields:\n  Number: number\n  {rule}\n"
    )
    result = mapping.check(mapping.parse(text, file="x.yaml"), known)
    codes = {finding.code for finding in result.findings if finding.code.startswith("E")}

    assert {"E24"} == codes - {"E06"}


def test_reason_is_given(tmp_path: Path) -> None:
    """The message names the converter."""
    result = small.check("reversible: true\nfields: {Number: number | upper}\n",
                         small.schemas(tmp_path))  # fmt: skip
    [finding] = [finding for finding in result.findings if finding.code == "E24"]

    assert "upper loses" in finding.message
