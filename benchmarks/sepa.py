"""Payment files: pain.008 with its rules and its schema, beside sepaxml.

    python benchmarks/sepa.py [--full] [--json] [--markdown]

100,000 collections in four groups are checked by our rules, written, and validated against ISO's
XSD while they are written. Each way runs in a process of its own; the seconds are of the clock and
hold making the rows, the peak is of the whole process. sepaxml is measured without its validation,
which is many times slower than all the rest, at a number of payments that its memory takes; ratios
are of CPU time within a round. The full run adds rounds, and a file of 500,000 collections.
"""

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _report import Gate, Report, Table, arguments, finish

from gateway.kit.mapping.installed import mappings_of
from gateway.kit.sepa.documents.writing import PAIN_008_08, PaymentFiles
from gateway.model.bank import BankAccount, Collection
from gateway.model.mandate import Scheme, SequenceType
from gateway.model.money import Money

ROOT: Final = Path(__file__).resolve().parents[1]
CONTRACTS: Final = (ROOT / os.environ.get("HEADRACE_CONTRACTS", "../shared/contracts")).resolve()
XSD: Final = CONTRACTS / "payments" / "sepa" / "xsd" / "pain.008.001.08.xsd"
NOW: Final = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
MANY, FEW, MOST = 100_000, 20_000, 500_000
SECONDS, MEMORY_MB = 15, 64
ACCOUNT: Final = BankAccount(
    name="Headrace GmbH",
    iban="DE75512108001245126199",
    bic="SOGEDEFF",
    creditor_id="DE98ZZZ09999999999",
)
NAMES: Final = ("Erika Mustermann", "Jörg Müßig", "Zoë Łukasiewicz", "Bäckerei Groß & Söhne")
Way = Callable[[int, Path], None]


def iban(number: int) -> str:
    """A German account with the right check digits."""
    account = f"37040044{number:010d}"
    return f"DE{98 - int(account + '131400') % 97:02d}{account}"


def rows(count: int) -> Iterator[Collection]:
    """Collections of many debtors, in four groups that are mixed."""
    for number in range(count):
        yield Collection(
            end_to_end_id=f"E-{number:012d}",
            account="main",
            scheme=(Scheme.CORE, Scheme.B2B)[number % 7 == 0],
            sequence_type=(SequenceType.RCUR, SequenceType.FRST)[number % 5 == 0],
            due=dt.date(2026, 12, 1),
            amount=Money(100 + number % 90_000, "EUR"),
            mandate_id=f"M-{number:08d}",
            signed_on=dt.date(2024, 1, 1 + number % 28),
            debtor_name=NAMES[number % len(NAMES)],
            debtor_iban=iban(number),
            remittance=f"Invoice {number}, customer {number % 1000}",
        )


def ours(schema: Path | None) -> Way:
    """Our writer, with or without a schema."""

    def way(count: int, folder: Path) -> None:
        mappings = mappings_of("sepa_bank", {"bicfi": True})
        files = PaymentFiles(PAIN_008_08, mappings, {"main": ACCOUNT}, schema=schema)
        target = folder / "out.xml"
        told = files.write(rows(count), target, batch_id="B", initiator="Headrace", now=NOW)
        assert count == told.count

    return way


def sepaxml(count: int, folder: Path) -> None:
    """Theirs, without validation."""
    from sepaxml import SepaDD

    made = SepaDD(
        {
            "name": ACCOUNT.name,
            "IBAN": ACCOUNT.iban,
            "BIC": ACCOUNT.bic,
            "batch": True,
            "creditor_id": ACCOUNT.creditor_id,
            "currency": "EUR",
        },
        schema=PAIN_008_08.name,
        clean=True,
    )
    for row in rows(count):
        made.add_payment(
            {
                "name": row.debtor_name,
                "IBAN": row.debtor_iban,
                "amount": row.amount.minor,
                "type": row.sequence_type.value,
                "collection_date": row.due,
                "mandate_id": row.mandate_id,
                "mandate_date": row.signed_on,
                "description": row.remittance,
                "endtoend_id": row.end_to_end_id,
            }
        )
    (folder / "out.xml").write_bytes(made.export(validate=False))


VALIDATED: Final = "ours, rules and XSD"
PLAIN: Final = "ours, rules only"
THEIRS: Final = "sepaxml, no validation"
# Theirs checks neither accounts nor days; ours is not to be slower for all that it looks at.
TIMES: Final = {VALIDATED: 1.0, PLAIN: 1.5}
WAYS: Final[dict[str, Way]] = {VALIDATED: ours(XSD), PLAIN: ours(None), THEIRS: sepaxml}


def work(way: str, count: str) -> None:
    """Write one file, in a child."""
    with tempfile.TemporaryDirectory() as folder:
        start, used = time.perf_counter(), time.process_time()
        WAYS[way](int(count), Path(folder))
        found = {"s": time.perf_counter() - start, "cpu_s": time.process_time() - used}
    print(json.dumps({**found, "mb": peak_mb()}))


def peak_mb() -> float:
    """Most memory that this process had."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def child(way: str, count: int) -> dict[str, float]:
    """Seconds and megabytes of a process that writes one file."""
    command = [sys.executable, __file__, "--child", way, str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(ways: list[str], *, full: bool) -> dict[tuple[str, int], list[dict[str, float]]]:
    """Way and number of payments to what was measured, in rounds."""
    best = ways[0]
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(3 if full else 1):
        found.setdefault((best, MANY), []).append(child(best, MANY))
    for _ in range(5 if full else 3):
        for way in ways:
            found.setdefault((way, FEW), []).append(child(way, FEW))
    if full:
        found[best, MOST] = [child(best, MOST)]
    return found


def gates(figures: dict[tuple[str, int], list[dict[str, float]]], best: str) -> list[Gate]:
    """The goals of the design note, section 11.5."""
    many = figures[best, MANY]
    wanted = [
        Gate(
            name=f"seconds, {MANY:,} collections, {best}",
            measured=min(each["s"] for each in many),
            wanted=SECONDS,
            unit=" s",
            most=True,
        )
    ]
    for (way, count), rounds in figures.items():
        if way == best and count > FEW:
            name, used = f"peak memory, {count:,} collections", max(each["mb"] for each in rounds)
            wanted.append(Gate(name=name, measured=used, wanted=MEMORY_MB, unit=" MB", most=True))
    for way in dict.fromkeys(way for way, _ in figures if way != THEIRS):
        pairs = zip(figures[way, FEW], figures[THEIRS, FEW], strict=True)
        ratio = median(other["cpu_s"] / one["cpu_s"] for one, other in pairs)
        name = f"collections per CPU second, {way}, of {THEIRS}, {FEW:,} each"
        wanted.append(Gate(name=name, measured=ratio, wanted=TIMES[way], unit=" ×"))
    return wanted


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__).parse_args()
    ways, notes = list(WAYS), ["Medians of rounds, a process each; start and imports included."]
    if not XSD.is_file():
        ways.remove(VALIDATED)
        notes.append(f"skipped: {VALIDATED}: contracts not found")
    figures = measure(ways, full=options.full)

    def middle(rounds: list[dict[str, float]], key: str) -> float:
        return median(each[key] for each in rounds)

    shown = [
        (
            way,
            f"{count:,}",
            f"{middle(rounds, 's'):.1f}",
            f"{count / middle(rounds, 'cpu_s'):,.0f}",
            f"{max(each['mb'] for each in rounds):,.0f}",
        )
        for (way, count), rounds in figures.items()
    ]
    columns = ("way", "collections", "seconds", "per CPU s", "peak MB")
    measured: list[dict[str, Any]] = [
        {"way": way, "collections": count, "rounds": rounds}
        for (way, count), rounds in figures.items()
    ]
    finish(
        Report(
            name="sepa",
            tables=[Table(title="pain.008.001.08", columns=columns, rows=shown)],
            gates=gates(figures, ways[0]),
            figures=measured,
            notes=notes,
        ),
        options,
    )


if __name__ == "__main__":
    if "--child" in sys.argv:
        work(*sys.argv[sys.argv.index("--child") + 1 :])
    else:
        main()
