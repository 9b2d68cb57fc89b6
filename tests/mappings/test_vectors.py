"""The vector runner finds what each file needs, and says which line is wrong."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.mappings.tasks import TASKS
from tests.mappings.vectors import difference, patched, quality

ROOT = Path(__file__).resolve().parents[2]


def run(*paths: Path) -> tuple[int, list[str]]:
    """The command as a user runs it."""
    command = [sys.executable, "tests/run_vectors.py", *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines()


def lines(path: Path, rows: list[Any]) -> Path:
    """A file of JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_all_golden_examples(contracts: Path) -> None:
    """Every golden example of the contracts passes."""
    files = [contracts / f"mapping/golden/{task.name}.jsonl" for task in TASKS]
    count = sum(len(task.golden(contracts)) for task in TASKS)

    assert (0, [f"{count} passed, 0 failed"]) == run(*files)


def test_golden_examples_of_another_file(contracts: Path, tmp_path: Path) -> None:
    """Other examples are judged by the mapping that begins their name; a wrong one is named."""
    right, wrong = TASKS[0].golden(contracts)[:2]
    wrong["out"]["to_BusinessPartnerTax"]["results"].append({})
    file = lines(tmp_path / "golden/sap_bp.more.jsonl", [right, wrong])

    code, shown = run(file)

    assert (1, "1 passed, 1 failed") == (code, shown[-1])
    assert "line 2: /to_BusinessPartnerTax/results: expected" in shown[0]


def test_golden_examples_beside_their_own_mapping(contracts: Path, tmp_path: Path) -> None:
    """A mapping in the tree of the file comes before that of the contracts."""
    mapping = TASKS[1].mapping(contracts).read_text(encoding="utf-8")
    changed = mapping.replace("succeeded: captured", "succeeded: authorized")
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings/stripe_pi.yaml").write_text(changed, encoding="utf-8")
    example = TASKS[1].golden(contracts)[0]
    file = lines(tmp_path / "golden/stripe_pi.jsonl", [example])

    code, shown = run(file)

    assert (1, "0 passed, 1 failed") == (code, shown[-1])
    assert "/status: expected 'captured', got 'authorized'" in shown[0]


def test_seeded_mistakes(contracts: Path, tmp_path: Path) -> None:
    """A mistake that is found passes; one that is none, or stands elsewhere, fails by name."""
    content = json.loads((contracts / "mapping/checker/seeded-mistakes.json").read_text())
    found, *_ = content["cases"]
    none = {**found, "name": "no mistake", "replace": found["find"]}
    elsewhere = {**found, "name": "elsewhere", "expect_at": "LastName"}
    missing = {**found, "name": "not there", "find": "nowhere"}
    file = tmp_path / "checker/mistakes.json"
    file.parent.mkdir()
    file.write_text(json.dumps({**content, "cases": [found, none, elsewhere, missing]}))

    code, shown = run(file)

    assert (1, "1 passed, 3 failed") == (code, shown[-1])
    assert ["2 no mistake", "3 elsewhere", "4 not there"] == [
        line.split(": ")[1] for line in shown[:3]
    ]


def test_mutants(contracts: Path, tmp_path: Path) -> None:
    """A mutant passes if the verdict is the oracle's; with the verdict turned round it fails."""
    text = (contracts / "mapping/checker/mutants.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()[:20]]
    turned = {"accept": "reject", "reject": "accept"}
    right = lines(tmp_path / "checker/right.jsonl", rows)
    wrong = lines(
        tmp_path / "checker/wrong.jsonl",
        [{**row, "verdict": turned[row["verdict"]]} for row in rows],
    )

    shown_quality = "right.jsonl: recall 1.000, precision 1.000"
    assert (0, [shown_quality, "20 passed, 0 failed"]) == run(right)
    code, shown = run(wrong)
    assert (1, "0 passed, 20 failed") == (code, shown[-1])
    assert "wrong.jsonl: recall 0.000, precision 0.000" in shown


@pytest.mark.parametrize(
    "rows", [[], [{}], [{"in": {}}], [{"in": {}, "out": {}}, {"in": {}}], ["text"], [1]]
)
def test_lines_of_no_form(rows: list[Any], tmp_path: Path) -> None:
    """Lines that are of none of the forms are one failure."""
    code, shown = run(lines(tmp_path / "golden/sap_bp.jsonl", rows))

    assert (1, "0 passed, 1 failed") == (code, shown[-1])
    assert "is neither" in shown[0]


def test_golden_examples_of_an_unknown_mapping(tmp_path: Path) -> None:
    """Examples of a mapping that is nowhere are one failure that says so."""
    code, shown = run(lines(tmp_path / "golden/unknown.jsonl", [{"in": {}, "out": {}}]))

    assert (1, "0 passed, 1 failed") == (code, shown[-1])
    assert "no mapping of the name unknown" in shown[0]


def test_difference_names_the_place() -> None:
    """The first place that differs is shown, types included."""
    assert not difference({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]})
    assert difference({"a": [1]}, {"a": [True]}) == "/a[0]: expected 1, got True"
    assert difference({"a": 1}, {}) == "/a is missing"
    assert difference({}, {"a": 1}) == "/a is too much"
    assert difference({"a": {"b": [1, 2]}}, {"a": {"b": [1]}}).startswith("/a/b: expected")


def test_patches() -> None:
    """The three operations of RFC 6902 that mutants use, with escaped names and list places."""
    tree = {"a/b": [1, 2], "c": {"d": 3}}
    patch = [
        {"op": "replace", "path": "/a~1b/0", "value": 5},
        {"op": "add", "path": "/a~1b/1", "value": 6},
        {"op": "add", "path": "/a~1b/-", "value": 7},
        {"op": "remove", "path": "/c/d"},
        {"op": "add", "path": "/c/e", "value": {}},
    ]

    assert {"a/b": [5, 6, 2, 7], "c": {"e": {}}} == patched(tree, patch)
    assert {"a/b": [1, 2], "c": {"d": 3}} == tree
    with pytest.raises(KeyError):
        patched(tree, [{"op": "replace", "path": "/c/x", "value": 1}])
    with pytest.raises(ValueError, match="move"):
        patched(tree, [{"op": "move", "path": "/c/d"}])


def test_recall_and_precision() -> None:
    """Of 4 to be refused 3 were, and one that was right besides."""
    seen = {("reject", "reject"): 3, ("reject", "accept"): 1, ("accept", "reject"): 1}

    assert quality(seen) == "recall 0.750, precision 0.750"
    assert quality({("accept", "accept"): 2}) == "recall 1.000, precision 1.000"
