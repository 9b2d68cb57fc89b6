"""Run vector files: of webhooks through the receivers' adapters, of mappings, of SEPA.

    python tests/run_vectors.py FILE...

The files of webhooks hold deliveries, those of mappings golden examples, seeded mistakes and
mutants, those of SEPA identifiers or TARGET days: ``tests/webhooks/vectors.py``,
``tests/mappings/vectors.py`` and ``tests/unit/kit/sepa/vectors.py`` say what they look like.
The last line says how many passed and failed; one failure makes the exit code 1.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


def main(paths: list[str]) -> int:
    """Run all files, print one line a failure, and the totals as the last line."""
    if not paths:
        print("usage: python tests/run_vectors.py FILE...", file=sys.stderr)
        return 2
    passed = failed = 0
    for path in paths:
        for name, complaint in run_file(Path(path)):
            if complaint:
                print(f"{path}: {name}: {complaint}")
            passed, failed = passed + (not complaint), failed + bool(complaint)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def run_file(path: Path) -> Iterator[tuple[str, str]]:
    """Each case by name with its complaint; empty when it passed."""
    try:
        text = path.read_text(encoding="utf-8")
        content = _lines(text) if path.suffix == ".jsonl" else json.loads(text)
    except (OSError, ValueError) as error:
        yield "file", f"cannot be read: {error}"
        return
    if isinstance(content, list) or (isinstance(content, dict) and "base" in content):
        yield from run_mappings(path, content)
    elif is_sepa(content):
        yield from run_sepa(content)
    else:
        yield from run_webhooks(content)


def _lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def run_mappings(path: Path, content: Any) -> Iterator[tuple[str, str]]:
    """The cases of a file about mappings."""
    from tests.mappings import vectors

    try:
        yield from vectors.run(path, content)
    except vectors.NoForm as reason:
        yield "file", str(reason)


def is_sepa(content: Any) -> bool:
    """Whether the file is about identifiers or days of SEPA."""
    from tests.unit.kit.sepa import vectors

    return vectors.is_form(content)


def run_sepa(content: Any) -> Iterator[tuple[str, str]]:
    """The cases of a file about identifiers or days of SEPA."""
    from tests.unit.kit.sepa import vectors

    yield from vectors.run(content)


def run_webhooks(content: Any) -> Iterator[tuple[str, str]]:
    """The cases of a webhook file."""
    from tests.webhooks import vectors

    try:
        yield from vectors.run(content)
    except vectors.NotOfThisForm as reason:
        yield "file", str(reason)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
