"""Sizes that keep files readable (style §1 and §5)."""

import ast
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, Source, adapter_folders, python_files

FUNCTION_LINES = 50
FUNCTION_LINES_AT_MOST = 80
MODULE_LINES = 500
ADAPTER_LINES = 500
ADAPTER_LINES_AT_MOST = 800
README_LINES = 60
# An adapter that does more than collect has so many more lines, and its README too.
FURTHER_PORTS = ("payouts.py", "transfers.py", "disputes.py", "reports.py", "adjustments.py")
FURTHER_PORT_LINES = 250
FURTHER_README_LINES = 10
FILE_LINES = {
    "__init__.py": 40,
    "settings.py": 40,
    "wire.py": 90,
    "webhooks.py": 70,
    "simulator.py": 150,
}
# Not counted against the highest limit: the simulator proves the adapter, the translation hands
# over to mappings, and what a provider can do is a table.
NOT_AT_MOST = ("simulator", "translation", "capabilities")
PORT_FILE_LINES = 200
# The part of an adapter's README that says why it is larger than usual.
SIZE_HEADING = "## Size"


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from ``def`` to the last statement, docstring included."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def long_functions(sources: list[Source], limit: int) -> list[str]:
    """Functions above the limit, as ``path:line name (lines)``."""
    return [
        f"{source.path}:{node.lineno} {node.name} ({length(node)} lines)"
        for source in sources
        for node in source.functions
        if length(node) > limit
    ]


def long_modules(sources: list[Source]) -> list[str]:
    """Modules that should be two."""
    return [
        f"{source.path} ({source.lines} lines)" for source in sources if source.lines > MODULE_LINES
    ]


def reasons(readme: str) -> str:
    """What the README says about the adapter's size."""
    _, _, rest = readme.partition(f"\n{SIZE_HEADING}\n")
    return rest.partition("\n## ")[0]


def large_adapter(folder: Path) -> list[str]:
    """Files above their limit, and the folder, where the README does not say why."""
    path = folder / "README.md"
    readme = path.read_text(encoding="utf-8") if path.exists() else ""
    why = reasons(readme)
    counts = {
        file.name: len(file.read_text(encoding="utf-8").splitlines())
        for file in sorted(folder.glob("*.py"))
    }
    total = sum(counts.values())
    found = [
        f"{folder.name}/{name}: {lines} lines, its README names no reason under '{SIZE_HEADING}'"
        for name, lines in counts.items()
        if lines > FILE_LINES.get(name, PORT_FILE_LINES) and f"`{name}`" not in why
    ]
    if total > ADAPTER_LINES and "folder" not in why:
        found.append(f"{folder.name}: {total} lines, its README names no reason for the folder")
    core = sum(lines for name, lines in counts.items() if not name.startswith(NOT_AT_MOST))
    further = sum(name in counts for name in FURTHER_PORTS)
    if core > ADAPTER_LINES_AT_MOST + further * FURTHER_PORT_LINES:
        found.append(f"{folder.name}: {core} lines; something belongs into kit or a mapping")
    if len(readme.splitlines()) > README_LINES + further * FURTHER_README_LINES:
        found.append(f"{folder.name}/README.md: more than {README_LINES} lines")
    return found


def test_nearly_all_functions_are_short() -> None:
    """95 % of the functions have at most 50 lines."""
    sources = python_files("gateway", "adapters")
    total = sum(len(source.functions) for source in sources)
    long = long_functions(sources, FUNCTION_LINES)

    assert total * 0.05 >= len(long), long


def test_no_function_is_very_long() -> None:
    """No function has more than 80 lines."""
    found = long_functions(python_files("gateway", "adapters"), FUNCTION_LINES_AT_MOST)

    assert [] == found


def test_modules_are_no_books() -> None:
    """No module has more than 500 lines."""
    assert [] == long_modules(python_files("gateway", "adapters"))


@pytest.mark.parametrize("folder", adapter_folders(), ids=lambda folder: folder.name)
def test_adapters_have_their_usual_size(folder: Path) -> None:
    """An adapter keeps the sizes of style §5, or its README says why not."""
    assert [] == large_adapter(folder)


def test_adapters_are_found() -> None:
    """The folders are those on disk, so that the check above cannot run over nothing."""
    assert ROOT / "adapters" / "stripe" in adapter_folders()


def test_a_long_function_is_reported() -> None:
    """The check names file, line and function."""
    body = "\n".join("    x = 1" for _ in range(50))
    source = Source("gateway/x.py", f"\n\nasync def story():\n{body}\n")

    assert ["gateway/x.py:3 story (51 lines)"] == long_functions([source], FUNCTION_LINES)


def test_a_long_module_is_reported() -> None:
    """501 lines are one too many."""
    fits, large = Source("a.py", "x = 1\n" * 500), Source("b.py", "x = 1\n" * 501)

    assert ["b.py (501 lines)"] == long_modules([fits, large])


def test_a_large_adapter_needs_a_reason(tmp_path: Path) -> None:
    """Each file above its limit is named until the README names it; so is the folder."""
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "__init__.py").write_text("x = 1\n" * 40)
    (folder / "wire.py").write_text("x = 1\n" * 91)
    (folder / "simulator.py").write_text("x = 1\n" * 370)
    (folder / "README.md").write_text("# Acme\n\n`wire.py` and `simulator.py` of the folder\n")

    assert [
        "acme/simulator.py: 370 lines, its README names no reason under '## Size'",
        "acme/wire.py: 91 lines, its README names no reason under '## Size'",
        "acme: 501 lines, its README names no reason for the folder",
    ] == large_adapter(folder)

    (folder / "README.md").write_text(
        "# Acme\n\n## Size\n\nThe folder is large: `wire.py` signs, `simulator.py` is strict.\n"
    )

    assert [] == large_adapter(folder)


def test_no_reason_excuses_a_huge_adapter(tmp_path: Path) -> None:
    """Above 800 lines something belongs elsewhere, whatever the README says."""
    folder = tmp_path / "acme"
    folder.mkdir()
    for name in ("a.py", "b.py", "c.py", "d.py", "e.py"):
        (folder / name).write_text("x = 1\n" * 161)
    for name in ("simulator.py", "translation.py"):
        (folder / name).write_text("x = 1\n" * 150)
    (folder / "README.md").write_text("# Acme\n\n## Size\n\nThe folder is large.\n" + "\n" * 60)

    assert [
        "acme: 805 lines; something belongs into kit or a mapping",
        "acme/README.md: more than 60 lines",
    ] == large_adapter(folder)
