"""``oneline`` and ``fold``: texts of people in the short lines of an ERP."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.kit import mapping
from gateway.kit.mapping.runtime import fold, oneline
from gateway.kit.mapping.schemas import Schemas

HEAD = "mapping: shop.name\nversion: 1.0.0\nfrom: canonical.Person\nto: schema:target\nfields:\n"
SCHEMA = "type: object\nproperties: {Name: {type: string, maxLength: 5}}\n"


class Person(msgspec.Struct):
    """Somebody with a name."""

    name: str | None


def checked(folder: Path, rule: str) -> mapping.Result:
    (folder / "target.yaml").write_text(SCHEMA)
    document = mapping.parse(f"{HEAD}  Name: {rule}\n", file="name.yaml")
    return mapping.check(document, Schemas(folders=(folder,), model=(Person,)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", "a b"),
        ("  a   b ", "a b"),
        ("a\nb\tc", "a b c"),
        ("a\x00b\x85c", "a b c"),
        ("a\u00a0b\u2003c", "a b c"),
        ("   ", ""),
    ],
)
def test_oneline(text: str, expected: str) -> None:
    """Control characters and any run of blanks become one blank."""
    assert expected == oneline(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two three", ["one", "two", "three"]),
        ("abcdefgh", ["abcde", "fgh", ""]),
        ("abcde fghij klmno pq", ["abcde", "fghij", "klmno"]),
        ("a b c d", ["a b c", "d", ""]),
        ("", ["", "", ""]),
    ],
)
def test_fold(text: str, expected: list[str]) -> None:
    """Parted between words, inside a word that is longer than a line, cut after the last."""
    assert expected == [fold(text, (5, 5, 5), number) for number in range(3)]


@pytest.mark.parametrize(
    ("rule", "name", "body"),
    [
        ('name | fold("3 5", 1)', "ab cd", {"Name": "cd"}),
        ('name | fold("5", 0)', None, {}),
        ("name | oneline | cut(5)", "a\n b", {"Name": "a b"}),
    ],
)
def test_in_a_mapping(tmp_path: Path, rule: str, name: str | None, body: dict[str, Any]) -> None:
    """Null stays null; a line fits its field, which the checker knows."""
    made = checked(tmp_path, rule).mapping

    assert made is not None
    assert body == made.apply(Person(name=name))


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ('name | fold("6", 0)', "E06"),
        ("name | oneline", "E06"),
        ('name | fold("5 5", 2)', "E15"),
        ('name | fold("", 0)', "E15"),
        ('name | fold("5  5", 0)', "E15"),
        ('name | fold("0", 0)', "E15"),
        ('name | fold("-5", 0)', "E15"),
        ('name | fold("1001", 0)', "E15"),
        ('name | fold("5 5 5 5 5 5 5 5 5 5", 0)', "E15"),
        ('name | fold("5")', "E15"),
        ("name | fold(5, 0)", "E15"),
    ],
)
def test_wrong(tmp_path: Path, rule: str, code: str) -> None:
    """Lines that are too wide, not there, or no widths are found before anything runs."""
    assert [code] == [finding.code for finding in checked(tmp_path, rule).findings]
