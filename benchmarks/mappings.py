"""Mappings against the same written by hand, and against JSONata engines.

    python benchmarks/mappings.py [--full] [--json] [--markdown]

Three tasks: a business partner for SAP (T1), a Stripe PaymentIntent as our payment (T2), the
posting of an invoice with 50 lines (T3). *Map* is a Struct to a dictionary (dictionary to
dictionary for JSONata). *Hub* is what the hub does: T1 and T3 a Struct to bytes of JSON, T2 bytes
to our payment. *Bytes* is bytes to bytes, as JSONata is used.

By hand means ``tests/mappings/reference.py``. Everything is CPU time of one thread in one process,
in an order that is drawn for each round; ratios are taken within a round and their median is shown.
"""

import contextlib
import gc
import json
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec
from _report import Gate, Report, Table, arguments, finish
from _rivals import Absent, Jlens, JsonataJs, Rival, expression, prove

from gateway.kit import mapping
from gateway.kit.mapping.schemas import Schemas
from tests.mappings import reference
from tests.mappings.tasks import TASKS, Task, schemas

ROOT: Final = Path(__file__).resolve().parents[1]
CONTRACTS: Final = (ROOT / os.environ.get("HEADRACE_CONTRACTS", "../shared/contracts")).resolve()
SLICE_US: Final = 4_000  # how long one measurement takes, about
RIVAL_SLICES: Final = 4
MAPPINGS: Final = 100
ENGINE: Final = "mapping"
HAND: Final = "by hand"
Call = Callable[[], Any]


def clock(call: Call, count: int) -> float:
    """CPU microseconds of a call in this thread."""
    each = range(count)
    started = time.thread_time_ns()
    for _ in each:
        call()
    return (time.thread_time_ns() - started) / count / 1000


class Stage:
    """Everything that is compared, compiled and proved equal."""

    def __init__(self, folder: Path) -> None:
        self.schemas = schemas(CONTRACTS, folder)
        self.examples = {task.name: task.golden(CONTRACTS) for task in TASKS}
        self.config = {task.name: task.configured(CONTRACTS) for task in TASKS}
        self.texts = {task.name: task.mapping(CONTRACTS).read_text() for task in TASKS}
        self.calls = {task.name: self._calls(task) for task in TASKS}

    def load(self, name: str, text: str, known: Schemas) -> Any:
        """A mapping without findings that stop it."""
        document = mapping.parse(text, file=f"{name}.yaml")
        return mapping.load(document, known, config=self.config[name])

    def _calls(self, task: Task) -> dict[str, dict[str, Call]]:
        """Path to name to what is measured."""
        mapped = self.load(task.name, self.texts[task.name], self.schemas)
        by_hand = task.function(CONTRACTS)
        example = self.examples[task.name][0]
        body = msgspec.json.encode(example["in"])
        source = msgspec.convert(example["in"], task.source)
        decode, encode = msgspec.json.Decoder(task.source).decode, msgspec.json.Encoder().encode
        found: dict[str, dict[str, Call]] = {
            "map": {HAND: lambda: by_hand(source), ENGINE: lambda: mapped.apply(source)},
            "hub": {
                HAND: lambda: encode(by_hand(source)),
                ENGINE: lambda: mapped.to_json(source),
            },
            "bytes": {
                HAND: lambda: encode(by_hand(decode(body))),
                ENGINE: lambda: encode(mapped.apply_json(body)),
            },
        }
        if task.name == "stripe_pi":
            from_bytes = reference.stripe_pi_bytes
            found["hub"] = {HAND: lambda: from_bytes(body), ENGINE: lambda: mapped.apply_json(body)}
        for path, calls in found.items():
            for name, call in calls.items():
                assert _plain(call()) == example["out"], (task.name, path, name)
        return found


def _plain(value: Any) -> Any:
    return json.loads(value) if isinstance(value, bytes) else value


def compare(stage: Stage, rivals: list[Rival], rounds: int) -> dict[str, Any]:
    """Task to path to name to a median of CPU microseconds and one of ratios.

    The ratio of ours is to the function by hand, that of a rival to ours.
    """
    chance = random.Random(3)
    cases = [(task, path) for task in stage.calls for path in stage.calls[task]]
    measured: dict[tuple[str, str], list[dict[str, float]]] = {case: [] for case in cases}
    for number in range(rounds + 1):
        chance.shuffle(cases)
        for task, path in cases:
            # Rivals are so much slower that a few rounds tell.
            guests = rivals if number % RIVAL_SLICES == 0 else []
            one = _round(stage.calls[task][path], guests, task, path, chance)
            if number:  # the first round warms up
                measured[task, path].append(one)
    found: dict[str, Any] = {task: {} for task in stage.calls}
    for (task, path), results in sorted(measured.items()):
        found[task][path] = _middle(results)
    return found


def _round(
    calls: dict[str, Call], rivals: list[Rival], task: str, path: str, chance: random.Random
) -> dict[str, float]:
    count = max(1, round(SLICE_US / max(1.0, clock(calls[HAND], 3))))
    turns: list[tuple[str, Call]] = [
        (name, lambda call=call: clock(call, count))  # type: ignore[misc] # a default is no type
        for name, call in calls.items()
    ]
    few, kind = max(2, count // 20), "map" if path == "map" else "bytes"
    turns += [
        (rival.name, lambda rival=rival: rival.measure(task, kind, few))  # type: ignore[misc] # so
        for rival in rivals
    ]
    chance.shuffle(turns)
    gc.collect()
    gc.disable()
    try:
        return {name: turn() for name, turn in turns}
    finally:
        gc.enable()


def _middle(results: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    found = {}
    for name in {name: None for one in results for name in one}:
        those = [one for one in results if name in one]
        base = {HAND: HAND, ENGINE: HAND}.get(name, ENGINE)
        found[name] = {
            "us": median(one[name] for one in those),
            "ratio": median(one[name] / one[base] for one in those),
        }
    return found


def checks(stage: Stage, rounds: int) -> dict[str, Any]:
    """CPU milliseconds of a check with parsed text, and of a whole load of 100 mappings."""
    found: dict[str, Any] = {}
    for name, text in stage.texts.items():
        document = mapping.parse(text, file=f"{name}.yaml")
        config = stage.config[name]
        mapping.check(document, stage.schemas, config=config)
        once = [
            clock(lambda: mapping.check(document, stage.schemas, config=config), 1)  # noqa: B023 - at once
            for _ in range(rounds)
        ]
        found[name] = median(once) / 1000
    texts = [(task.name, _variant(stage.texts[task.name], n)) for n in range(34) for task in TASKS]
    with tempfile.TemporaryDirectory() as folder:
        known = schemas(CONTRACTS, Path(folder))

        def load() -> None:
            for name, text in texts[:MAPPINGS]:
                stage.load(name, text, known)

        found["load"] = clock(load, 1) / 1000
    return found


def _variant(text: str, number: int) -> str:
    """The mapping with other names of loops, so that hardly an expression was seen before."""
    text = re.sub(r"(?<![\w.])([abtg])(?=\.)", rf"\g<1>{number}", text)
    text = re.sub(r"\b(as|for) ([abtg])\b", rf"\1 \g<2>{number}", text)
    text = re.sub(r"\bcount\(g\)", f"count(g{number})", text)
    return re.sub(r"\bversion: [0-9.]+", f"version: 1.{number}.0", text)


def _gates(ratios: dict[str, Any], times: dict[str, Any]) -> list[Gate]:
    map_only = [ratios[task]["map"][ENGINE]["ratio"] for task in ratios]
    from_bytes = ratios["stripe_pi"]["hub"][ENGINE]["ratio"]
    gates = [
        Gate(name="map only, median of tasks", measured=median(map_only), wanted=1.10, most=True),
        Gate(name="map only, worst task", measured=max(map_only), wanted=1.25, most=True),
        Gate(name="vendor bytes to canonical", measured=from_bytes, wanted=0.60, most=True),
    ]
    slowest = max(times[task] for task in ratios)
    gates.append(
        Gate(name="check, slowest task", measured=slowest, wanted=3, unit=" ms", most=True)
    )
    gates.append(
        Gate(name="100 mappings load", measured=times["load"], wanted=1500, unit=" ms", most=True)
    )
    for rival, path, wanted in (
        ("jlens", "hub", 4.5),
        ("jsonata-js", "map", 40),
        ("jsonata-js", "bytes", 15),
    ):
        those = [
            ratios[task][path][rival]["ratio"] for task in ratios if rival in ratios[task][path]
        ]
        if those:
            name = f"{rival}, {path}, least of tasks"
            gates.append(Gate(name=name, measured=min(those), wanted=wanted, unit=" ×"))
    return gates


def _tables(ratios: dict[str, Any], times: dict[str, Any]) -> list[Table]:
    rows = []
    for task, paths in ratios.items():
        for path in ("map", "hub", "bytes"):
            for name, one in paths[path].items():
                against = {HAND: "", ENGINE: f"{one['ratio']:.2f} of by hand"}
                shown = against.get(name, f"{one['ratio']:.1f} × mapping")
                rows.append((f"{task}, {path}, {name}", f"{one['us']:,.1f}", shown))
    checked = [(name, f"{value:,.2f}") for name, value in times.items() if name != "load"]
    checked.append((f"{MAPPINGS} mappings: read, check, compile", f"{times['load']:,.0f}"))
    return [
        Table(
            title="Mappings, CPU per call", columns=("task, path, way", "µs", "ratio"), rows=rows
        ),
        Table(title="Check of a mapping for a tenant", columns=("what", "CPU ms"), rows=checked),
    ]


def _guests(stage: Stage, stack: contextlib.ExitStack) -> tuple[list[Rival], list[str]]:
    """The rivals that are here, proved equal, and a note for each that is not."""
    expressions = {task.name: expression(task.name, stage.config[task.name]) for task in TASKS}
    inputs = {task: examples[0]["in"] for task, examples in stage.examples.items()}
    rivals: list[Rival] = []
    notes = []
    try:
        rivals.append(Jlens(expressions, inputs, clock))
    except Absent as reason:
        notes.append(f"skipped: {reason}")
    try:
        rivals.append(stack.enter_context(JsonataJs(expressions, inputs)))
    except Absent as reason:
        notes.append(f"skipped: {reason}")
    for rival in rivals:
        prove(rival, stage.examples)
    return rivals, notes


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__).parse_args()
    if not (CONTRACTS / "mapping").is_dir():
        print("skipped: contracts not found")
        sys.exit(0)
    rounds = 240 if options.full else 48
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stage = Stage(Path(folder))
        rivals, notes = _guests(stage, stack)
        ratios = compare(stage, rivals, rounds)
        times = checks(stage, 100 if options.full else 30)
    finish(
        Report(
            name="mappings",
            tables=_tables(ratios, times),
            gates=_gates(ratios, times),
            figures={"ratios": ratios, "ms": times},
            notes=[*notes, "Medians of rounds in drawn order; ratios are taken within a round."],
        ),
        options,
    )


if __name__ == "__main__":
    main()
