"""What the engine turns round gives back what went in, field by field.

None of these mappings can promise it as a whole (``reversible: true``): each decides something or
leaves something out. So the promise is tested for the fields that the engine proposes itself.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.commands.mapping_files import Where, collect
from gateway.kit import mapping
from gateway.kit.mapping import cases
from gateway.kit.mapping.loading import Resolver
from gateway.kit.mapping.types import Shape, Type
from tests.mappings.inputs import Inputs, seed
from tests.mappings.tasks import TASKS, Task, schemas

INPUTS = 60
WHERE = Where()
# SAP makes capitals of these, and the mapping leaves that to it (allow: [E20]).
CAPITALS = {"postal_code", "region", "bic", "number"}


class Partial:
    """Schemas of which nothing is required: a way back need not fill what it does not know."""

    def __init__(self, known: Resolver) -> None:
        self._known = known

    def resolve(self, reference: str) -> Type:
        """The type with all fields optional."""
        return _optional(self._known.resolve(reference))

    def digest(self, reference: str) -> str:
        """That of the schema."""
        return self._known.digest(reference)


def _optional(kind: Type) -> Type:
    shape, item = kind.shape, kind.item
    if shape is not None:
        return msgspec.structs.replace(kind, shape=Shape(shape.name, lambda: _fields(shape)))
    return kind if item is None else msgspec.structs.replace(kind, item=_optional(item))


def _fields(shape: Shape) -> dict[str, Any]:
    return {
        name: msgspec.structs.replace(field, required=False, type=_optional(field.type))
        for name, field in shape.fields.items()
    }


def way_back(forth: mapping.Mapping, known: Resolver, document: mapping.Document) -> Any:
    """The mapping that the engine proposes; None if it has no fields."""
    partial = Partial(known)
    text = mapping.back(forth, partial, document)
    if not json.loads(text)["fields"]:
        return None
    return mapping.load(mapping.parse(text, file="back.yaml"), partial)


def capitals(value: Any) -> Any:
    """The input as SAP keeps it."""
    if isinstance(value, list):
        return [capitals(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: each.upper() if name in CAPITALS and isinstance(each, str) else capitals(each)
        for name, each in value.items()
    }


def covered(value: Any, path: str) -> Iterator[Any]:
    """What stands at a path, of all elements; what is not there is None."""
    name, _, rest = path.lstrip("/").partition("/")
    if not name:
        yield value
    elif name.endswith("[]"):
        for each in (value or {}).get(name[:-2]) or []:
            yield from covered(each, rest)
    else:
        yield from covered((value or {}).get(name), rest)


def lost(source: Any, given: Any, back: mapping.Mapping) -> list[tuple[str, list[Any], list[Any]]]:
    """Paths with what went in and what came back, where that is not the same."""
    found = []
    for line in back.lineage():
        one, other = list(covered(source, line.target)), list(covered(given, line.target))
        if one != other:
            found.append((line.target, one, other))
    return found


@pytest.mark.parametrize(("task", "least"), [*zip(TASKS, (15, 8, 3), strict=True)])
def test_shared_mappings(task: Task, least: int, contracts: Path, tmp_path: Path) -> None:
    """``back(forth(x)) == x`` on covered fields, for golden and random inputs."""
    known = schemas(contracts, tmp_path)
    document = mapping.parse(task.mapping(contracts).read_text(encoding="utf-8"), file=task.name)
    forth = mapping.load(document, known, config=task.configured(contracts))
    back = way_back(forth, known, document)
    inputs = Inputs(task.json_schema(contracts), random.Random(seed()), likely=task.likely)
    found = [example["in"] for example in task.golden(contracts)]
    found = [capitals(each) for each in (*found, *(inputs.value() for _ in range(INPUTS)))]
    compared = 0
    for source in found:
        try:
            there = forth.apply_json(json.dumps(source))
        except mapping.MappingFailure:
            continue
        given = cases.plain(back.apply_json(mapping.encode(there)))
        compared += 1
        assert [] == lost(source, given, back)
    print(f"{task.name}: {len(back.lineage())} fields, {compared} of {len(found)} inputs")

    assert compared > len(found) // 5
    assert least <= len(back.lineage())


def test_installed_mappings() -> None:
    """The same for ours, with the inputs of their cases."""
    fields: dict[str, int] = {}
    compared = 0
    for source in collect(WHERE):
        examples = source.examples(WHERE)
        for case in examples.cases:
            forth = source.load(WHERE, {**examples.config, **case.config})
            back = way_back(forth, source.schemas, source.document)
            if case.fails is not None or back is None:
                continue
            there = cases.run(forth, source.ends(WHERE), case.source, case.needs)
            given = cases.plain(back.apply_json(json.dumps(there)))
            assert [] == lost(case.source, given, back), (source.name, case.name)
            fields[source.name] = len(back.lineage())
            compared += 1
    print(f"{fields}, {compared} inputs")

    assert sum(fields.values()) >= 8
    assert compared >= 20
