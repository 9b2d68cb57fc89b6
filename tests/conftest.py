"""What all tests need: where the vendors' contracts lie, and property tests that repeat."""

import os
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]

# The same examples on every run in CI; no deadline, because the machine is shared.
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def contracts() -> Path:
    """The folder of the vendors' interface files; tests that need it are skipped without."""
    folder = (ROOT / os.environ.get("HEADRACE_CONTRACTS", "../shared/contracts")).resolve()
    if not folder.is_dir():
        pytest.skip("contracts not found")
    return folder
