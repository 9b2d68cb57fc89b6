"""Thirty single mistakes, each found by its code and at its place."""

import json
from pathlib import Path
from typing import Any

from gateway.kit import mapping
from gateway.kit.mapping import Severity
from tests.mappings.tasks import TASKS, schemas


def broken(case: dict[str, Any], text: str, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Text and configuration with the mistake in."""
    if case["find"] is not None:
        assert case["find"] in text
        text = text.replace(case["find"], case["replace"], 1)
    changed = {**config, **(case["config"] or {})}
    return text, {name: value for name, value in changed.items() if value is not None}


def test_every_mistake_is_found(contracts: Path, tmp_path: Path) -> None:
    """30 of 30 with code and place, and no error that is not this one."""
    file = contracts / "mapping/checker/seeded-mistakes.json"
    cases = json.loads(file.read_text(encoding="utf-8"))["cases"]
    known = schemas(contracts, tmp_path)
    text = TASKS[0].mapping(contracts).read_text(encoding="utf-8")
    missed, further = [], []
    for case in cases:
        changed, config = broken(case, text, TASKS[0].configured(contracts))
        result = mapping.check(mapping.parse(changed, file="x.yaml"), known, config=config)
        code, place = case["expect_code"], case["expect_at"]
        hits = [f for f in result.findings if f.code == code and place in f"{f.place} {f.message}"]
        if not hits:
            missed.append((case["name"], [str(f) for f in result.findings]))
        further += [
            (case["name"], str(f))
            for f in result.findings
            if f.severity is Severity.ERROR and f not in hits
        ]
    print(f"{len(cases) - len(missed)} of {len(cases)} found, {len(further)} further errors")

    assert [] == missed
    assert [] == further
