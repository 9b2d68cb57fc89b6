"""The demo as a user runs it: exit codes, counts, and the same against peers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[2]
_ORDERS = _ROOT / "docs" / "tutorial" / "orders.jsonl"


def _demo(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", "demo", *arguments],
        cwd=_ROOT,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def _sample(folder: Path, **changes: Any) -> Path:
    """One order of each kind of end, some altered."""
    lines: dict[str, dict[str, Any]] = {}
    for text in _ORDERS.read_text().splitlines():
        line = json.loads(text)
        lines.setdefault(line["expect"], line)
    file = folder / "orders.jsonl"
    file.write_text("\n".join(json.dumps(line | changes) for line in lines.values()))
    return file


def test_orders_of_a_file_end_as_expected(tmp_path: Path) -> None:
    """Every order of a file is placed, ends as it should, and nothing is doubled or lost."""
    done = _demo("--orders", str(_sample(tmp_path)), "--folder", str(tmp_path / "demo"))

    said = done.stdout + done.stderr
    assert (0, True) == (done.returncode, "4 orders of orders.jsonl" in done.stdout), said


def test_a_wrong_count_ends_with_exit_code_1(tmp_path: Path) -> None:
    """An order that does not end as its line says makes the demo fail, and is named."""
    file = _sample(tmp_path, expect="completed")

    done = _demo("--orders", str(file), "--folder", str(tmp_path / "demo"))

    assert (1, 3) == (done.returncode, done.stdout.count("expected completed")), done.stdout


@pytest.mark.peers
def test_stories_against_peers(tmp_path: Path) -> None:
    """The five stories end the same against mock-sap and localstripe."""
    localstripe = os.environ.get("LOCALSTRIPE", "")
    if not Path(localstripe).exists():
        pytest.skip("skipped: localstripe is not installed")
    pytest.importorskip("mocksap", reason="mock-sap is not installed")
    env = {"MOCK_SAP": sys.executable, "LOCALSTRIPE": localstripe}

    done = _demo("--peers", "--folder", str(tmp_path / "demo"), env=env)

    assert 0 == done.returncode, done.stdout + done.stderr
