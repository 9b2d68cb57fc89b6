"""The reference of the language says all that the code knows, and no more."""

import re
from pathlib import Path

import pytest

import gateway.kit.mapping
from gateway.commands import language
from gateway.commands.mapping_files import Where, collect
from gateway.kit import mapping
from gateway.kit.mapping import converters

ROOT = Path(__file__).resolve().parents[3]
ENGINE = Path(gateway.kit.mapping.__file__).parent
HOWTO = (ROOT / "docs/howto/change-a-mapping.md").read_text(encoding="utf-8")


def test_every_code_is_documented() -> None:
    """The codes that the checker can say are those of the table."""
    said = {
        code
        for file in ENGINE.glob("*.py")
        for code in re.findall(r'"([EW][0-9]{2})"', file.read_text(encoding="utf-8"))
    }

    assert said == set(language.CODES)


def test_every_converter_is_documented() -> None:
    """Those of the table, and the three that inference knows itself."""
    page = language.text()

    assert set(converters.CONVERTERS) == set(language.CONVERTS)
    assert [] == [name for name in converters.NAMES if f"| `{name}" not in page]


def test_tables_are_whole() -> None:
    """No sentence of a cell opens another cell."""
    for line in language.text().splitlines():
        if line.startswith("| "):
            assert len(re.findall(r"(?<!\\)\|", line)) in {3, 4, 5}, line


def test_the_overlay_of_the_how_to_fits() -> None:
    """What the page tells people to write is checked against the delivered mapping."""
    [text] = re.findall(r"overlay: begin -->\n```yaml\n(.*?)```", HOWTO, re.DOTALL)
    over = mapping.parse(text, file="acme-account.overlay.yaml")
    where = Where(overlays=(over,))
    [source] = [each for each in collect(where) if each.name == "salesforce.account"]

    assert (over,) == source.overlays(where)
    assert () == source.check(where, None).findings


@pytest.mark.parametrize("name", ["check", "test", "diff", "docs", "try"])
def test_the_how_to_names_commands_that_exist(name: str) -> None:
    """A command that is renamed is renamed there too."""
    from gateway.commands.mappings import mappings

    assert name in mappings.commands
    assert f"headrace mappings {name}" in HOWTO
