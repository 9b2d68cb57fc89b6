"""The functions written by hand give what the golden examples say, so that they can judge."""

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.mappings import reference
from tests.mappings.inputs import Inputs
from tests.mappings.tasks import FAILURES, TASKS, Task


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_by_hand_equals_golden(task: Task, contracts: Path) -> None:
    """Each golden example comes out of the function by hand."""
    function = task.function(contracts)
    examples = task.golden(contracts)
    sources = [msgspec.convert(example["in"], task.source) for example in examples]

    assert [example["out"] for example in examples] == [function(source) for source in sources]


def test_by_hand_from_bytes_equals_golden(contracts: Path) -> None:
    """The dictionary code for the vendor's bytes gives the golden payments too."""
    [task] = [task for task in TASKS if task.name == "stripe_pi"]
    for example in task.golden(contracts):
        body = json.dumps(example["in"]).encode()

        assert example["out"] == reference.stripe_pi_bytes(body)


def test_by_hand_from_bytes_equals_by_hand_from_struct(contracts: Path) -> None:
    """Both hand-written readers of a PaymentIntent agree on 400 random ones."""
    [task] = [task for task in TASKS if task.name == "stripe_pi"]
    inputs = Inputs(task.json_schema(contracts), random.Random(1), likely=task.likely, noise=True)
    both = 0
    for body in (inputs.encoded() for _ in range(400)):
        try:
            expected = reference.stripe_pi(msgspec.json.decode(body, type=task.source))
        except FAILURES as failure:
            with pytest.raises(type(failure)):
                reference.stripe_pi_bytes(body)
            continue
        both += 1

        assert expected == reference.stripe_pi_bytes(body)
    assert both > 300


@pytest.mark.parametrize("task", [task for task in TASKS if task.schema], ids=lambda t: t.name)
def test_structs_say_what_the_model_says(task: Task, contracts: Path) -> None:
    """The Structs that the functions read have the fields and limits of the shared schemas."""
    expected = task.json_schema(contracts)
    found = msgspec.json.schema(task.source)

    assert plain(expected) == plain(found)


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_random_inputs_are_valid(task: Task, contracts: Path) -> None:
    """What the generator makes passes the checks of the Structs, and most of it can be mapped."""
    function = task.function(contracts)
    inputs = Inputs(task.json_schema(contracts), random.Random(2), likely=task.likely, noise=True)
    refused = 0
    for body in (inputs.encoded() for _ in range(400)):
        source = msgspec.json.decode(body, type=task.source)
        try:
            function(source)
        except FAILURES:
            refused += 1

    assert 0 < refused < 140


def plain(schema: Any) -> Any:
    """A schema without what only people read, and without our own keys; enums in order."""
    if isinstance(schema, list):
        return [plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: sorted(value) if key in {"enum", "required"} else plain(value)
        for key, value in schema.items()
        if key != "description" and not key.startswith("x-")
    }


def test_text_that_grows_beyond_its_field(contracts: Path) -> None:
    """Sixteen ß fit the source; in capitals they are 32 letters and do not fit the posting."""
    [task] = [task for task in TASKS if task.name == "sap_je"]
    example = task.golden(contracts)[0]["in"]
    fits, grows = (
        msgspec.convert({**example, "number": number}, task.source)
        for number in ("ß" * 8, "ß" * 16)
    )

    assert task.function(contracts)(fits)["DocumentReferenceID"] == "SS" * 8
    with pytest.raises(ValueError, match="16 characters"):
        task.function(contracts)(grows)
