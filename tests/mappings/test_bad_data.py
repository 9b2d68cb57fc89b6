"""Data that breaks the promise of its schema is refused; nothing is dropped, cut or passed on."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.errors import HeadraceError
from gateway.kit import mapping
from tests.mappings.inputs import seed
from tests.mappings.tasks import TASKS, Task, schemas

# What no field takes; which of them fit where, the schema of the field says.
WRONG = (None, True, 7, 1.5, "", "x", [], {}, "2026-02-30", "NaN", "1,50", "9" * 400, "Ä" * 300)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where values stand that are no containers, and where lists and objects stand."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    elif isinstance(value, list) and value:
        yield from leaves(value[0], (*path, 0))


def spoiled(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    """A copy with one wrong value."""
    copy = json.loads(json.dumps(value))
    *parents, last = path
    place = copy
    for step in parents:
        place = place[step]
    place[last] = wrong
    return copy


def promised(task: Task, value: Any) -> bool:
    """Whether a source is what its schema promises, patterns left aside: no type has them."""
    try:
        msgspec.convert(value, task.source)
    except msgspec.ValidationError as error:
        return "matching regex" in str(error)
    return True


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_broken_promise_is_refused(task: Task, contracts: Path, tmp_path: Path) -> None:
    """One wrong value anywhere: a refusal, or it stands where the mapping does not look."""
    chance = random.Random(seed())
    text = task.mapping(contracts).read_text(encoding="utf-8")
    document = mapping.parse(text, file=f"{task.name}.yaml")
    config = task.configured(contracts)
    mapped = mapping.load(document, schemas(contracts, tmp_path), config=config)
    example = chance.choice(task.golden(contracts)[:2])
    right = mapped.apply_json(json.dumps(example["in"]).encode())
    broken, messages = 0, set()
    for path in leaves(example["in"]):
        for wrong in WRONG:
            value = spoiled(example["in"], path, wrong)
            if promised(task, value):
                continue
            broken += 1
            try:
                found = mapped.apply_json(json.dumps(value).encode())
            except HeadraceError as error:
                messages.add(error.message)
                continue

            assert right == found, (path, str(wrong)[:40])
    print(f"{broken} broken sources")

    assert broken > 50
    assert [] == [message for message in messages if "99999" in message or "ÄÄÄ" in message]


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"null", b"[]", b'"x"', b"1", b"{}", b"\xff", b"\xef\xbb\xbf{}", b"{}{}",
        b'{"customer": {}}', b"[" * 100_000, b'{"a":' * 100_000, b"9" * 100_000, b"NaN",
    ],
    ids=lambda body: ascii(body[:20]),
)  # fmt: skip
@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_bytes_that_are_no_source(task: Task, body: bytes, contracts: Path, tmp_path: Path) -> None:
    """Bytes that are no JSON, or other JSON, are refused with an error of ours."""
    text = task.mapping(contracts).read_text(encoding="utf-8")
    document = mapping.parse(text, file=f"{task.name}.yaml")
    config = task.configured(contracts)
    mapped = mapping.load(document, schemas(contracts, tmp_path), config=config)

    with pytest.raises(HeadraceError):
        mapped.apply_json(body)


@pytest.mark.parametrize(
    "amount",
    ["NaN", "sNaN", "-NaN1", "Infinity", "-Infinity", "1E+999999", "1E+999999999", "1E-999999999"],
)
@pytest.mark.parametrize("field", ["gross", "net", "tax"])
def test_amount_that_is_none(field: str, amount: str, contracts: Path, tmp_path: Path) -> None:
    """What Python calls a decimal but no ledger does is refused, whether or not it is summed."""
    [task] = [task for task in TASKS if task.name == "sap_je"]
    text = task.mapping(contracts).read_text(encoding="utf-8")
    document = mapping.parse(text, file="sap_je.yaml")
    config = task.configured(contracts)
    mapped = mapping.load(document, schemas(contracts, tmp_path), config=config)
    source = task.golden(contracts)[0]["in"]
    (source if field == "gross" else source["lines"][0])[field] = amount

    with pytest.raises(HeadraceError):
        mapped.apply_json(json.dumps(source).encode())
    with pytest.raises(HeadraceError):
        mapped.apply(msgspec.convert(source, task.source))
