"""What a tenant changes is merged, checked and known by its origin."""

import json
from pathlib import Path

import pytest

from gateway.kit import mapping
from tests.mappings import small
from tests.mappings.tasks import TASKS, schemas

BASE = (
    small.HEAD + "codes: {k: {new: N, used: U}}\nfields:\n  Number: number\n"
    "  Kind: kind | code(k)\n  Items:\n"
    "    - {id: first, fields: {Sku: number}}\n"
    "    - {id: lines, each: lines as l, fields: {Sku: l.sku}}\n"
)
SOURCE = json.dumps(small.VALUE)
HEAD = "extends: small.test@1\n"


def checked(folder: Path, *texts: str) -> mapping.Result:
    """The base with overlays."""
    overlays = [mapping.parse(text, file=f"overlay{n}.yaml") for n, text in enumerate(texts)]
    base = mapping.parse(BASE, file="base.yaml")
    return mapping.check(base, small.schemas(folder), overlays=overlays)


def test_shared_overlay_is_clean(contracts: Path, tmp_path: Path) -> None:
    """The example merges without a finding, and each field knows where it comes from."""
    task = TASKS[0]
    base = mapping.parse(task.mapping(contracts).read_text(encoding="utf-8"), file="sap_bp.yaml")
    text = (contracts / "mapping/mappings/overlay-example.yaml").read_text(encoding="utf-8")
    result = mapping.check(
        base,
        schemas(contracts, tmp_path),
        config=task.configured(contracts),
        overlays=[mapping.parse(text, file="overlay.yaml")],
    )
    assert result.mapping is not None
    origins = {line.target: (line.file, line.line) for line in result.mapping.lineage()}

    assert () == result.findings
    assert ("overlay.yaml", 6) == origins["/SearchTerm2"]
    assert ("sap_bp.yaml", 33) == origins["/LastName"]
    assert "/SearchTerm1" not in origins


@pytest.mark.parametrize(
    ("overlay", "code", "place"),
    [
        ("fields: {Txt: number}", "E01", "/Txt"),
        ("fields: {Number: null}", "E03", "/Number"),
        ("codes: {k: {used: null}}", "E08", "/Kind"),
        ("codes: {k: {used: XX}}", "E09", "/Kind"),
        ("codes: {k: {usd: U}}", "W10", "/Kind"),
        ("fields: {Text: null}", "E18", "fields/Text"),
        ("from: schema:Other", "E18", "from"),
        ("fields: {Items: [{id: last, fields: null}]}", "E18", "fields/Items/last"),
    ],
)
def test_overlay_is_checked(overlay: str, code: str, place: str, tmp_path: Path) -> None:
    """The merged mapping is held to the same rules as any."""
    result = checked(tmp_path, HEAD + overlay)

    assert [(code, place)] == small.found(result)


@pytest.mark.parametrize("head", ["extends: other@1", "extends: small.test@2", "extends: small"])
def test_base_is_another(head: str, tmp_path: Path) -> None:
    """Name and major version have to be those of the base."""
    result = checked(tmp_path, f"{head}\nfields: {{Text: number}}")

    assert [("E18", "extends")] == small.found(result)


def test_blocks_are_addressed_by_id(tmp_path: Path) -> None:
    """One block is changed, one deleted, one added; the others stay in their order."""
    overlay = (
        "fields:\n  Items:\n    - {id: lines, fields: {Text: l.sku}}\n"
        "    - {id: first, fields: null}\n    - {id: last, fields: {Sku: kind}}\n"
    )
    result = checked(tmp_path, HEAD + overlay)
    assert result.mapping is not None
    items = result.mapping.apply_json(SOURCE)["Items"]

    assert [("a", "a"), ("b", "b"), ("a", "a"), ("new", None)] == [
        (item["Sku"], item.get("Text")) for item in items
    ]


def test_overlays_lie_on_each_other(tmp_path: Path) -> None:
    """The later one wins; ``when:`` alone keeps the value underneath."""
    one = HEAD + "fields: {Text: kind}"
    two = HEAD + "fields: {Text: {when: has(note)}}"
    under, over = checked(tmp_path, one).mapping, checked(tmp_path, one, two).mapping
    assert under is not None
    assert over is not None

    assert "new" == under.apply_json(SOURCE)["Text"]
    assert "Text" not in over.apply_json(SOURCE)


def test_an_overlay_is_no_mapping(tmp_path: Path) -> None:
    """Alone it is refused with what to do."""
    document = mapping.parse(HEAD + BASE, file="overlay.yaml")
    result = mapping.check(document, small.schemas(tmp_path))

    assert [("E18", "extends")] == small.found(result)


def test_overlay_changes_the_identity(tmp_path: Path) -> None:
    """So does its order."""
    one, two = HEAD + "fields: {Text: kind}", HEAD + "fields: {Text: number}"
    results = [checked(tmp_path, *texts) for texts in ((), (one,), (one, two), (two, one))]
    identities = {result.mapping.identity for result in results if result.mapping}

    assert 4 == len(identities)
