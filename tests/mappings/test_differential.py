"""The engine gives what the functions written by hand give, on inputs that nobody chose."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.errors import HeadraceError
from gateway.kit import mapping
from tests.mappings.inputs import Inputs, encode, seed
from tests.mappings.tasks import FAILURES, TASKS, Task, schemas

INPUTS = 400
REFUSED = "refused"


def outcome(function: Callable[[Any], Any], source: Any, failures: Any) -> Any:
    """The target, or that there is none."""
    try:
        return function(source)
    except failures:
        return REFUSED


@pytest.fixture(scope="module")
def chance() -> Iterator[random.Random]:
    """Randomness that can be repeated."""
    return random.Random(seed())


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_engine_equals_by_hand(
    task: Task, contracts: Path, tmp_path: Path, chance: random.Random
) -> None:
    """From Structs and from bytes, to dictionaries and to bytes: always what the author meant."""
    text = task.mapping(contracts).read_text(encoding="utf-8")
    mapped = mapping.load(
        mapping.parse(text, file=f"{task.name}.yaml"),
        schemas(contracts, tmp_path),
        config=task.configured(contracts),
    )
    by_hand = task.function(contracts)
    inputs = Inputs(task.json_schema(contracts), chance, likely=task.likely, noise=True)
    refused = 0
    for number in range(INPUTS):
        value = inputs.value()
        body = encode(value, chance)
        source = msgspec.convert(value, task.source)
        expected = outcome(by_hand, source, FAILURES)
        refused += expected is REFUSED
        about = f"input {number}: {json.dumps(value)}"

        assert expected == outcome(mapped.apply, source, HeadraceError), about
        assert expected == outcome(mapped.apply_json, body, HeadraceError), about
        written = outcome(mapped.to_json, source, HeadraceError)
        assert expected == (written if written is REFUSED else json.loads(written)), about
    print(f"{task.name}: {INPUTS} inputs, {refused} refused by both")

    assert 0 < refused < INPUTS / 2
