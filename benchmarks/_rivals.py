"""JSONata engines for the same tasks; each is left out where it is not installed.

The expressions (``jsonata/NAME.jsonata``) are ours; before anything is measured their results are
compared with all golden examples.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, Protocol, Self

import msgspec

# `make rivals` puts them there; nothing else needs them.
BENCH: Final = Path(sys.prefix) / "bench"
NODE: Final = Path(sys.prefix) / "node"
HERE: Final = Path(__file__).resolve().parent
Examples = dict[str, list[dict[str, Any]]]


class Rival(Protocol):
    """An engine that can be compared with ours."""

    name: str

    def results(self, task: str, inputs: list[Any]) -> list[Any]:
        """What it makes of inputs."""

    def measure(self, task: str, path: str, count: int) -> float:
        """CPU microseconds of a call; ``path`` is ``map`` or ``bytes``."""


class Absent(Exception):  # noqa: N818 - the reason for which a row is missing
    """It is not installed."""


def expression(task: str, config: dict[str, Any]) -> str:
    """The expression of a task with the tenant's parameters in it."""
    text = (HERE / f"jsonata/{task}.jsonata").read_text(encoding="utf-8")
    return f"($cfg := {json.dumps(config)};\n{text})"


class Jlens:
    """JSONata in Rust, in this process."""

    name = "jlens"

    def __init__(self, expressions: dict[str, str], inputs: dict[str, Any], clock: Any) -> None:
        if BENCH.is_dir() and str(BENCH) not in sys.path:
            sys.path.append(str(BENCH))
        try:
            import jlens
        except ImportError:
            raise Absent("jlens not installed") from None
        self._clock = clock
        self._inputs = inputs
        self._texts = {task: msgspec.json.encode(value) for task, value in inputs.items()}
        self._compiled = {task: jlens.Expression(text) for task, text in expressions.items()}

    def results(self, task: str, inputs: list[Any]) -> list[Any]:
        """What it makes of inputs."""
        return [self._compiled[task].evaluate(each) for each in inputs]

    def measure(self, task: str, path: str, count: int) -> float:
        """CPU microseconds of a call."""
        if path == "map":
            evaluate, value = self._compiled[task].evaluate, self._inputs[task]
            return float(self._clock(lambda: evaluate(value), count))
        through, body = self._compiled[task].evaluate_json, self._texts[task]
        return float(self._clock(lambda: through(body.decode()).encode(), count))


class JsonataJs:
    """The reference engine, in a Node process of its own."""

    name = "jsonata-js"

    def __init__(self, expressions: dict[str, str], inputs: dict[str, Any]) -> None:
        node = shutil.which("node")
        if node is None:
            raise Absent("node not installed")
        if not (NODE / "node_modules/jsonata").is_dir():
            raise Absent("the npm package jsonata is not installed")
        self._child = subprocess.Popen(
            [node, str(HERE / "_jsonata.mjs"), str(NODE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        given = {
            task: {"expression": text, "input": inputs[task]} for task, text in expressions.items()
        }
        self._ask(prepare=given)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.communicate(timeout=10)

    def _ask(self, **question: Any) -> dict[str, Any]:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(question).encode() + b"\n")
        self._child.stdin.flush()
        answer: dict[str, Any] = json.loads(self._child.stdout.readline())
        return answer

    def results(self, task: str, inputs: list[Any]) -> list[Any]:
        """What it makes of inputs."""
        found: list[Any] = self._ask(evaluate=task, inputs=inputs)["results"]
        return found

    def measure(self, task: str, path: str, count: int) -> float:
        """CPU microseconds of a call."""
        return float(self._ask(measure=task, path=path, count=count)["us"])


def prove(rival: Rival, examples: Examples) -> None:
    """Its results are the golden ones, all of them."""
    for task, pairs in examples.items():
        found = rival.results(task, [pair["in"] for pair in pairs])
        wrong = sum(got != pair["out"] for got, pair in zip(found, pairs, strict=True))
        if wrong:
            raise AssertionError(f"{rival.name}, {task}: {wrong} of {len(pairs)} differ")
