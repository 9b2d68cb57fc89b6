"""The three shared mappings give what their golden examples say."""

import json
from pathlib import Path

import msgspec
import pytest

from gateway.kit import mapping
from tests.mappings.tasks import TASKS, Task, schemas


@pytest.fixture(params=TASKS, ids=lambda task: task.name)
def task(request: pytest.FixtureRequest) -> Task:
    """Each of the three."""
    found: Task = request.param
    return found


@pytest.fixture
def mapped(task: Task, contracts: Path, tmp_path: Path) -> mapping.Mapping:
    """Its mapping."""
    document = mapping.parse(task.mapping(contracts).read_text(encoding="utf-8"), file=task.name)
    known = schemas(contracts, tmp_path)
    return mapping.load(document, known, config=task.configured(contracts))


def test_examples_from_bytes(task: Task, mapped: mapping.Mapping, contracts: Path) -> None:
    """Every example comes out of its JSON."""
    examples = task.golden(contracts)
    outcomes = [mapped.apply_json(json.dumps(each["in"]).encode()) for each in examples]

    assert [each["out"] for each in examples] == outcomes


def test_examples_from_structs(task: Task, mapped: mapping.Mapping, contracts: Path) -> None:
    """Structs of the model give the same, as objects and as JSON."""
    examples = task.golden(contracts)
    sources = [msgspec.convert(each["in"], task.source) for each in examples]
    expected = [each["out"] for each in examples]

    assert expected == [mapped.apply(source) for source in sources]
    assert expected == [json.loads(mapped.to_json(source)) for source in sources]


def test_clean_mappings_have_no_finding(task: Task, contracts: Path, tmp_path: Path) -> None:
    """Neither errors nor warnings."""
    document = mapping.parse(task.mapping(contracts).read_text(encoding="utf-8"), file=task.name)
    config = task.configured(contracts)
    result = mapping.check(document, schemas(contracts, tmp_path), config=config)

    assert () == result.findings


def test_projection_leaves_out_what_is_not_read(contracts: Path, tmp_path: Path) -> None:
    """Of 35 fields of a PaymentIntent only those of the mapping are decoded."""
    [task] = [task for task in TASKS if task.name == "stripe_pi"]
    document = mapping.parse(task.mapping(contracts).read_text(encoding="utf-8"), file=task.name)
    mapped = mapping.load(document, schemas(contracts, tmp_path))
    expected = {
        "id", "status", "amount", "amount_received", "currency", "created", "metadata",
        "latest_charge", "last_payment_error", "description",
    }  # fmt: skip

    assert expected == set(mapped.projection().__struct_fields__)
