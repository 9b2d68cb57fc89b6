"""Export files by the million rows: our row functions against Polars and lxml.

    python benchmarks/bulk.py [--full] [--json] [--markdown]

Receivables as JSON lines become a semicolon CSV, a file of fixed width and an XML file. Each way
runs in a process of its own, in a drawn order, and reports rows per second of CPU (all threads) and
its peak memory; start and imports are not counted in the CPU time. Before anything is measured,
each way has written the three files that the contracts expect.

The full run takes 1,000,000 rows (lxml 200,000), the quick one 100,000 (lxml 40,000).
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _receivables
from _report import Gate, Report, Table, arguments, finish

ROOT: Final = Path(__file__).resolve().parents[1]
CONTRACTS: Final = (ROOT / os.environ.get("HEADRACE_CONTRACTS", "../shared/contracts")).resolve()
MEMORY_MB: Final = 64
Way = Callable[[Path, Path], None]


def mapped(name: str) -> Way:
    """The export by a mapping, written as it is read."""

    def way(source: Path, target: Path) -> None:
        import _exports

        _exports.write(name, source, target)

    return way


# Name, expected file, function; the second of each form is what it is measured against.
WAYS: Final[dict[str, tuple[str, Way]]] = {
    "CSV, mapping": ("expected.csv", mapped("csv")),
    "CSV, Polars": ("expected.csv", _receivables.polars_csv),
    "fixed width, mapping": ("expected-fixed.txt", mapped("fixed")),
    "fixed width, by hand": ("expected-fixed.txt", _receivables.by_hand_fixed),
    "XML, mapping": ("expected-transactions.xml", mapped("xml")),
    "XML, lxml.etree.xmlfile": ("expected-transactions.xml", _receivables.lxml_xml),
}
LXML: Final = "XML, lxml.etree.xmlfile"


def work(way: str, source: str, target: str) -> None:
    """Write one file, in a child; warm on the expected sample or a few rows."""
    write = WAYS[way][1]
    with tempfile.TemporaryDirectory() as folder:
        few = Path(folder) / "few.jsonl"
        few.write_bytes(b"".join(_receivables.rows(200)))
        write(few, Path(folder) / "out")
    started = time.process_time()
    write(Path(source), Path(target))
    used = time.process_time() - started
    print(json.dumps({"cpu_s": used, "mb": peak_mb()}))


def peak_mb() -> float:
    """Most memory that this process had; ``ru_maxrss`` would begin with its parent's."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def child(way: str, source: Path, target: Path) -> dict[str, float]:
    """CPU seconds and megabytes of a process that writes one file."""
    command = [sys.executable, __file__, "--child", way, str(source), str(target)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def present() -> tuple[list[str], list[str]]:
    """The ways that can run here, and a note for each that cannot."""
    missing = {}
    if not _receivables.has_polars():
        missing["CSV, Polars"] = "polars not installed"
    try:
        import _exports  # noqa: F401 - only whether it is there
    except ImportError as reason:
        missing |= {way: str(reason) for way in WAYS if way.endswith("mapping")}
    notes = [f"skipped: {way}: {reason}" for way, reason in missing.items()]
    return [way for way in WAYS if way not in missing], notes


def prove(ways: list[str], folder: Path) -> str:
    """Each way writes the expected bytes; a note if there is nothing to compare with."""
    sample = CONTRACTS / "mapping/bulk"
    if not sample.is_dir():
        return "skipped: contracts not found, the outputs were not compared"
    for way in ways:
        expected, write = WAYS[way]
        write(sample / "in.jsonl", folder / "proof")
        if (folder / "proof").read_bytes() != (sample / expected).read_bytes():
            raise AssertionError(f"{way} does not write {expected}")
    return ""


def measure(ways: list[str], folder: Path, rows: int, rounds: int) -> dict[str, Any]:
    """Way to rows per CPU second and peak memory."""
    chance = random.Random(5)
    counts = {way: rows * 2 // 5 if way == LXML and rows <= 100_000 else rows for way in ways}
    if rows > 100_000 and LXML in counts:
        counts[LXML] = rows // 5
    sources = {}
    for count in set(counts.values()):
        sources[count] = folder / f"{count}.jsonl"
        with sources[count].open("wb") as file:
            file.writelines(_receivables.rows(count))
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}  # one of each a round
    for _ in range(rounds):
        for way in chance.sample(ways, len(ways)):
            found[way].append(child(way, sources[counts[way]], folder / "out"))
    return {
        way: {
            "rows": counts[way],
            "rows_per_s": median(counts[way] / each["cpu_s"] for each in results),
            "rounds": [counts[way] / each["cpu_s"] for each in results],
            "mb": max(each["mb"] for each in results),
        }
        for way, results in found.items()
    }


def _gates(figures: dict[str, Any]) -> list[Gate]:
    gates = []
    for ours, theirs, wanted in (
        ("CSV, mapping", "CSV, Polars", 1.0),
        ("XML, mapping", LXML, 5.0),
    ):
        if ours in figures and theirs in figures:
            rounds = zip(figures[ours]["rounds"], figures[theirs]["rounds"], strict=True)
            ratio = median(one / other for one, other in rounds)
            name = f"rows per CPU second, {ours}, of {theirs}"
            gates.append(Gate(name=name, measured=ratio, wanted=wanted, unit=" ×"))
    for way in figures:
        if way.endswith("mapping"):
            name, used = f"peak memory, {way}", figures[way]["mb"]
            gates.append(Gate(name=name, measured=used, wanted=MEMORY_MB, unit=" MB", most=True))
    return gates


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__).parse_args()
    ways, notes = present()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if note := prove(ways, folder):
            notes.append(note)
        rows, rounds = (1_000_000, 3) if options.full else (100_000, 5)
        figures = measure(ways, folder, rows, rounds)
    shown = [
        (way, f"{one['rows']:,}", f"{one['rows_per_s']:,.0f}", f"{one['mb']:,.0f}")
        for way, one in figures.items()
    ]
    columns = ("way", "rows", "rows per CPU s", "peak MB")
    finish(
        Report(
            name="bulk",
            tables=[Table(title="Exports from JSON lines", columns=columns, rows=shown)],
            gates=_gates(figures),
            figures=figures,
            notes=[
                *notes,
                "Medians of rounds in drawn order, a process each; ratios within a round.",
            ],
        ),
        options,
    )


if __name__ == "__main__":
    if "--child" in sys.argv:
        work(*sys.argv[sys.argv.index("--child") + 1 :])
    else:
        main()
