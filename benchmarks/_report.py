"""What a benchmark found, for people, for machines and for docs/reference/performance.md."""

import argparse
import json
import os
import platform
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import rich.table
from rich.console import Console

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "reference" / "performance.md"


def _machine() -> dict[str, str]:
    """What the run ran on; load average of the last minute, because it explains the rest."""
    model = "unknown processor"
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        if found := re.search(r"model name\s*:\s*(.+)", text):
            model = found.group(1)
    except OSError:
        pass  # not Linux
    return {
        "processor": f"{os.cpu_count()} × {model}",
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "load": f"{os.getloadavg()[0]:.1f}",
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


@dataclass(frozen=True, kw_only=True)
class Table:
    """Numbers side by side; the first column names the row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What a number must be at least, or at most where ``most`` says so."""

    name: str
    measured: float
    wanted: float
    unit: str = ""
    most: bool = False

    @property
    def met(self) -> bool:
        """Whether it is."""
        return self.measured <= self.wanted if self.most else self.measured >= self.wanted

    def __str__(self) -> str:
        sign = "≤" if self.most else "≥"
        return f"{self.measured:,.3g}{self.unit} ({sign} {self.wanted:g}{self.unit})"


@dataclass(frozen=True, kw_only=True)
class Report:
    """One run of one benchmark.

    Attributes:
        name: The file, without its ending.
        figures: Everything that was measured, for machines.
        notes: What a reader has to know to believe the numbers.
    """

    name: str
    tables: Sequence[Table]
    gates: Sequence[Gate]
    figures: Any
    notes: Sequence[str] = ()
    machine: dict[str, str] = field(default_factory=_machine)


def arguments(doc: str | None) -> argparse.ArgumentParser:
    """The options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=(doc or "").split("\n")[0])
    parser.add_argument("--full", action="store_true", help="longer rounds and more of them")
    parser.add_argument("--quick", action="store_true", help="under 20 s; the default")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--markdown", action="store_true", help=f"write into docs/{PAGE.name}")
    return parser


def finish(report: Report, options: argparse.Namespace) -> None:
    """Print the report and end the process: 1 where a gate is missed."""
    if options.json:
        print(json.dumps(_for_machines(report), indent=2))
    else:
        _print(report)
    if options.markdown:
        _paste(report, full=options.full)
    sys.exit(0 if all(gate.met for gate in report.gates) else 1)


def _for_machines(report: Report) -> dict[str, Any]:
    return {
        "benchmark": report.name,
        "machine": report.machine,
        "figures": report.figures,
        "gates": [
            {
                "name": gate.name,
                "measured": gate.measured,
                "at_most" if gate.most else "at_least": gate.wanted,
                "met": gate.met,
            }
            for gate in report.gates
        ],
    }


def _print(report: Report) -> None:
    console = Console()
    for table in report.tables:
        shown = rich.table.Table(title=table.title)
        for number, column in enumerate(table.columns):
            shown.add_column(column, justify="right" if number else "left")
        for row in table.rows:
            shown.add_row(*row)
        console.print(shown)
    for gate in report.gates:
        mark = "[green]met[/]" if gate.met else "[red]missed[/]"
        console.print(f"{mark}  {gate.name}: {gate}", highlight=False)
    for note in report.notes:
        console.print(f"[dim]{note}[/]", highlight=False)


def _paste(report: Report, *, full: bool) -> None:
    """Put the numbers between the marks of this benchmark in the page."""
    begin, end = f"<!-- {report.name}: begin -->", f"<!-- {report.name}: end -->"
    page = PAGE.read_text(encoding="utf-8")
    before, found, rest = page.partition(begin)
    if not found or end not in rest:
        raise SystemExit(f"{PAGE} lacks the marks {begin} and {end}")
    command = f"python benchmarks/{report.name}.py{' --full' if full else ''} --markdown"
    block = "\n".join(_markdown(report, command))
    PAGE.write_text(f"{before}{begin}\n{block}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def _markdown(report: Report, command: str) -> list[str]:
    about = report.machine
    where = f"{about['processor']}, Python {about['python']}, {about['system']}"
    lines = [f"`{command}`, {about['at']}, {where}, load average {about['load']}", ""]
    for table in report.tables:
        lines += [f"**{table.title}**", ""]
        lines.append("| " + " | ".join(table.columns) + " |")
        lines.append("|" + "---|" + "---:|" * (len(table.columns) - 1))
        lines += ["| " + " | ".join(row) + " |" for row in table.rows]
        lines.append("")
    for gate in report.gates:
        lines.append(f"- {'met' if gate.met else '**missed**'}: {gate.name}: {gate}")
    lines += [f"- {note}" for note in report.notes]
    return lines
