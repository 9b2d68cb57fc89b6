"""What every command keeps to: help, exit codes, one tenant."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway.__main__ import _COMMANDS, cli
from gateway.commands import terminal

ROOT = Path(__file__).resolve().parents[3]


def all_commands() -> list[tuple[str, ...]]:
    """Every command and subcommand, as words."""

    def walk(command: click.Command, words: tuple[str, ...]) -> list[tuple[str, ...]]:
        found = [words]
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None
                found += walk(inner, (*words, name))
        return found

    return walk(cli, ())


@pytest.mark.parametrize("words", all_commands(), ids=" ".join)
def test_every_command_has_help(words: tuple[str, ...]) -> None:
    """The help says in a sentence what the command does."""
    done = CliRunner().invoke(cli, [*words, "--help"])

    assert 0 == done.exit_code
    assert done.output.split("\n\n")[1].strip()


def test_commands_that_show_something_speak_json() -> None:
    """Machines are offered --json by every command that is loaded when used."""
    leaves = [w for w in all_commands() if w and not any(o[: len(w)] == w for o in all_commands()
              if len(o) > len(w)) and w[0] in _COMMANDS]  # fmt: skip
    silent = [
        " ".join(w)
        for w in leaves
        if "--json" not in CliRunner().invoke(cli, [*w, "--help"]).output
    ]

    # The answer of a call and a mapping back are JSON anyhow; what is generated is a file.
    assert ["call", "generate", "mappings back"] == silent


def test_help_is_quick() -> None:
    """Nobody pays for the database driver to read the list of commands."""
    code = (
        "import sys; from click.testing import CliRunner; from gateway.__main__ import cli;"
        " assert 'timeline' in CliRunner().invoke(cli, ['--help']).output;"
        " print(*sorted({'psycopg', 'litestar', 'opentelemetry', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "\n" == done.stdout


def test_a_mistake_in_the_configuration_is_told_with_its_place(tmp_path: Path) -> None:
    """Exit code 1, with file, line and field."""
    file = tmp_path / "headrace.yaml"
    file.write_text("server:\n  port: eighty\n")
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "check", "--config", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (1, f"headrace: {file}:2: server.port: Expected `int`, got `str`\n") == (
        done.returncode,
        done.stderr,
    )


def test_a_moment_is_utc_with_milliseconds() -> None:
    """Whatever zone it was in; none and never are empty."""
    berlin = dt.timezone(dt.timedelta(hours=2))
    at = dt.datetime(2026, 7, 1, 1, 30, tzinfo=berlin)

    assert "2026-06-30T23:30:00.000Z" == terminal.moment(at)
    assert not terminal.moment(None)
