"""A pattern that is translated matches what the schema's own rules say, and takes linear time."""

import re
import time

import pytest

from gateway.kit.mapping.schemas.regexes import translated


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("^[A-Z]{2}$", "DE", "De"),
        ("^[A-Z]{2}$", "DE", "DE\n"),
        ("^[A-Z]{2}$", "DE", "XDE"),
        (r"^\d{3}$", "123", "12٣"),
        (r"^\w+$", "a_1", "ä"),
        (r"^[\w.]{2}$", "a.", "a-"),
        ("^A$|^BCD$", "BCD", "ABCD"),
        ("^.{1,2}$", "ä", "a\r"),
        (r"^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$", "10.0.0.255", "10.0.0"),
        ("^(a|b)?c$", "c", "ab"),
    ],
)
def test_meaning(pattern: str, fits: str, does_not: str) -> None:
    """Digits and letters of ASCII, and no line end behind the last character."""
    made = translated(pattern)

    assert "" != made
    assert re.search(made, fits) is not None
    assert re.search(made, does_not) is None


def test_xsd_knows_no_anchors_and_digits_of_all_scripts() -> None:
    r"""The whole text has to match, ``\d`` is a digit of any script."""
    assert re.search(translated(r"\d{2}|x", anchored=True), "1٣") is not None
    assert re.search(translated(r"\d{2}|x", anchored=True), "ax") is None
    assert "" == translated("^a$", anchored=True)


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+$",
        "^(a|aa)*$",
        "^(a|b|ab){30}$",
        "^a*a*$",
        "^([0-9]+,)*$",
        "^(?=a)a$",
        r"^\p{L}$",
        r"^\s$",
        r"^[\s]$",
        "[A-Z]",
        "^[a--b]$",
    ],
)
def test_left_out(pattern: str) -> None:
    """What may take long, or is not sure to mean the same, is not run."""
    assert "" == translated(pattern)


@pytest.mark.parametrize("pattern", ["^[A-Z0-9]*X?$", "^(?:a{1,9}a{1,9}){2}$", "^a?a?a?a*$"])
def test_time_is_linear(pattern: str) -> None:
    """Ten thousand characters that nearly match are refused in a few milliseconds."""
    made = re.compile(translated(pattern) or "never")
    started = time.process_time()
    assert made.search("a" * 10_000 + "!") is None
    assert time.process_time() - started < 0.05
