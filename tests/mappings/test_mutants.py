"""Eight hundred mutants of one mapping, judged by an oracle that ran them on random inputs."""

import json
from pathlib import Path

import yaml

from gateway.kit import mapping
from gateway.kit.mapping import Severity
from tests.mappings.tasks import TASKS, schemas
from tests.mappings.vectors import as_yaml, patched

RECALL = 0.995
PRECISION = 0.99


def test_recall_and_precision(contracts: Path, tmp_path: Path) -> None:
    """Nearly all that can go wrong is refused, and nearly nothing else."""
    file = contracts / "mapping/checker/mutants.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    known = schemas(contracts, tmp_path)
    tree = yaml.safe_load(TASKS[0].mapping(contracts).read_text(encoding="utf-8"))
    config = TASKS[0].configured(contracts)
    hits = refused = bad = 0
    for row in rows:
        document = mapping.parse(as_yaml(patched(tree, row["patch"])), file="mutant.yaml")
        result = mapping.check(document, known, config=config)
        found = any(finding.severity is Severity.ERROR for finding in result.findings)
        hits += found and row["verdict"] == "reject"
        refused += found
        bad += row["verdict"] == "reject"
    recall, precision = hits / bad, hits / refused
    print(f"{len(rows)} mutants: recall {recall:.4f}, precision {precision:.4f}")

    assert recall >= RECALL
    assert precision >= PRECISION
