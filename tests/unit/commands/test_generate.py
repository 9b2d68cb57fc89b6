"""Generated files: current, complete, and refused by --check where they are not."""

from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from click.testing import CliRunner
from msgspec import Meta

from gateway import settings
from gateway.commands.generate import (
    documented,
    files,
    generate,
    methods_table,
    settings_table,
)
from gateway.model.capability import Capability

ROOT = Path(__file__).resolve().parents[3]
STRUCTS = [
    one
    for one in vars(settings).values()
    if isinstance(one, type) and issubclass(one, msgspec.Struct) and one is not msgspec.Struct
]


class _Example(msgspec.Struct, frozen=True, kw_only=True):
    """An account.

    Attributes:
        url: ``https://…``, or where
            a simulator listens.
        user, password: Who we are.
    """

    url: str = ""
    user: Annotated[str, Meta(pattern="^(a|b)$")]
    password: str
    retries: Annotated[int, Meta(ge=1, le=9)] = 3


def test_files_are_current() -> None:
    """What is in the repository is what the code would write; else run ``make generate``."""
    there = {name: (ROOT / name).read_bytes() for name in files()}

    assert [] == [name for name, content in files().items() if content != there[name]]
    assert 6 == len(there)


def test_check_names_what_is_not_current(tmp_path: Path) -> None:
    """Exit code 1 and the file's name; writing it makes the check pass."""
    runner = CliRunner()
    root = ["--root", str(tmp_path)]
    missing = runner.invoke(generate, [*root, "--check"])
    written = runner.invoke(generate, root)
    good = runner.invoke(generate, [*root, "--check"])
    (tmp_path / "docs/reference/errors.md").write_text("old")
    stale = runner.invoke(generate, [*root, "--check"])

    assert [1, 0, 0, 1] == [one.exit_code for one in (missing, written, good, stale)]
    assert "openapi/headrace.yaml is not current" in missing.output
    assert ["docs/reference/errors.md"] == [line.split()[0] for line in stale.output.splitlines()]
    assert "old" == (tmp_path / "docs/reference/errors.md").read_text()


def test_attributes_are_read_with_their_continuation() -> None:
    """Two names may share a sentence, and a sentence may go on in the next line."""
    assert {
        "url": "``https://…``, or where a simulator listens.",
        "user": "Who we are.",
        "password": "Who we are.",
    } == documented(_Example)


def test_a_table_has_type_limits_and_default() -> None:
    """Bars are escaped, what has no default is required."""
    rows = settings_table(_Example).splitlines()

    assert "| `url` | string | empty | `https://…`, or where a simulator listens. |" == rows[2]
    assert r"| `user` | string, `^(a\|b)$` | **required** | Who we are. |" == rows[3]
    assert "| `retries` | integer, at least 1, at most 9 | `3` |  |" == rows[5]


@pytest.mark.parametrize("kind", STRUCTS, ids=lambda kind: kind.__name__)
def test_every_setting_is_documented(kind: type[msgspec.Struct]) -> None:
    """A setting without a sentence is missing in the reference, unless it is a group of others."""
    named = {
        field.name
        for field in msgspec.structs.fields(kind)
        if not (isinstance(field.type, type) and issubclass(field.type, msgspec.Struct))
    }

    assert set() == named - set(documented(kind))


def test_table_of_methods_says_what_has_to_be_sent() -> None:
    """And how long an amount is held, and into how many parts it is divided."""
    plain = Capability(method="card", verbs=("create_payment",), token=True)
    credit = Capability(
        method="riverty",
        countries=("AT", "DE"),
        currencies=("EUR",),
        verbs=("create_payment",),
        redirect=True,
        mandate=True,
        payer=True,
        held=True,
        hold_days=30,
        splits=2,
        splits_after=50,
    )
    asked = "`return_url`, mandate, payer and items, `manual` capture"

    assert "" == methods_table(())
    assert [
        "| `card` | any | any | `create_payment` | token |  |  |",
        f"| `riverty` | AT DE | EUR | `create_payment` | {asked} | 30 | 2, 50 after |",
    ] == methods_table((plain, credit)).splitlines()[3:]
