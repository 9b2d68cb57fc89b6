"""Who may import whom (style §3): import-linter's contracts, and that they bite."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

CONFIGURATION = ROOT / "pyproject.toml"
LAYERS = (
    *("__main__", "commands", "app", "configuring", "api", "flows", "engines", "runtime", "policy"),
    *("kit", "ports", "model", "settings", "errors"),
)
FOR_ADAPTERS = {"kit", "ports", "model", "errors"}
# What is seeded, and the contract that has to break because of it.
VIOLATIONS = [
    ("gateway/model/order.py", "import gateway.runtime\n", "layers of the hub"),
    ("gateway/policy/routing.py", "from gateway.flows import place_order\n", "layers of the hub"),
    ("gateway/runtime/hub.py", "import adapters.stripe\n", "never imports an adapter"),
    ("adapters/stripe/wire.py", "import gateway.settings\n", "adapters see kit"),
    ("adapters/stripe/wire.py", "import adapters.sap_s4.wire\n", "never see each other"),
]


def lint(folder: Path) -> tuple[int, str]:
    """Exit code and report of import-linter with our contracts over the packages in a folder."""
    script = "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())"
    finished = subprocess.run(
        [sys.executable, "-c", script, "--no-cache", "--config", str(CONFIGURATION)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"},
    )
    return finished.returncode, finished.stdout + finished.stderr


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """A hub of empty modules in which nobody imports anybody."""
    for layer in LAYERS:
        module = tmp_path / "gateway" / layer
        if layer in {"__main__", "app", "configuring", "settings", "errors"}:
            _write(module.with_suffix(".py"), "")
        else:
            _write(module / "__init__.py", "")
    for name in ("gateway/__init__.py", "gateway/flows/place_order.py", "adapters/__init__.py"):
        _write(tmp_path / name, "")
    for product in ("stripe", "sap_s4"):
        _write(tmp_path / "adapters" / product / "__init__.py", "")
        _write(tmp_path / "adapters" / product / "wire.py", "")
    return tmp_path


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _contracts() -> list[dict[str, object]]:
    configuration = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))
    found: list[dict[str, object]] = configuration["tool"]["importlinter"]["contracts"]
    return found


def test_the_contracts_are_kept() -> None:
    """Nobody imports upwards, no adapter is known by name, adapters see four layers."""
    code, report = lint(ROOT)

    assert 0 == code, report


def test_the_contracts_are_those_of_the_architecture() -> None:
    """All layers, in order and exhaustively; adapters may see exactly four of them."""
    layers = next(contract for contract in _contracts() if contract["type"] == "layers")
    adapters = next(
        contract for contract in _contracts() if contract.get("source_modules") == ["adapters"]
    )

    assert list(LAYERS) == layers["layers"]
    assert layers["exhaustive"] is True
    assert {f"gateway.{layer}" for layer in LAYERS if layer not in FOR_ADAPTERS} == set(
        adapters["forbidden_modules"]  # type: ignore[call-overload]  # TOML has no types
    )


def test_an_empty_hub_keeps_the_contracts(skeleton: Path) -> None:
    """The seeds below break what is whole without them."""
    code, report = lint(skeleton)

    assert 0 == code, report
    assert "4 kept, 0 broken" in report


@pytest.mark.parametrize(("path", "text", "contract"), VIOLATIONS)
def test_a_wrong_import_is_reported(skeleton: Path, path: str, text: str, contract: str) -> None:
    """The contract that forbids the import is the one that breaks, and the only one."""
    _write(skeleton / path, text)
    code, report = lint(skeleton)
    broken = [line for line in report.splitlines() if line.endswith("BROKEN")]

    assert 1 == code
    assert 1 == len(broken), report
    assert contract in broken[0]


def test_a_module_without_a_layer_is_reported(skeleton: Path) -> None:
    """A new module in gateway/ has to be given a layer first."""
    _write(skeleton / "gateway" / "leftovers.py", "")
    code, report = lint(skeleton)

    assert 1 == code
    assert "leftovers" in report
