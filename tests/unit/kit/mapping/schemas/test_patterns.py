"""What is said of a pattern holds for every text that matches it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kit.mapping.schemas.patterns import Facts, facts

# Patterns of the vendors' files, and forms of which each part matters.
_WHOLE = [
    "[A-Z]{2,2}[0-9]{2,2}[a-zA-Z0-9]{1,30}",
    "[A-Z]{6,6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3,3}){0,1}",
    r"\+[0-9]{1,3}-[0-9()+\-]{1,30}",
    r"([A-Za-z0-9]|[\+|\?|/|\-|:|\(|\)|\.|,|'| ]){1,35}",
    "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(.[0-9]{1,7})?Z",
    r"\d*",
    "(?:AB|C)+D?",
    "[^A-Z]{2}x",
    "A|BCD|",
    "[A-Z-]{3}[]A]",
    r"\t[\w]{0,2}[\d\s]",
    "[Z-_]+",
    "[Z-a]",
    "A{2}?B*?",
]


@pytest.mark.parametrize("pattern", _WHOLE)
def test_every_match_is_as_said(pattern: str) -> None:
    """Length and case of random matches lie within what was proven."""

    @given(st.from_regex(pattern, fullmatch=True))
    def check(text: str) -> None:
        found = facts(pattern, anchored=True)

        assert found is not None
        assert found.shortest <= len(text)
        assert found.longest is None or len(text) <= found.longest
        assert not found.upper or not any(letter.islower() for letter in text)

    check()


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^[A-Z]{2}$", Facts(2, 2, upper=True)),
        ("^[a-z]{2}$", Facts(2, 2, upper=False)),
        ("^[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}$", Facts(5, 34, upper=True)),
        ("^A$|^BCD$", Facts(1, 3, upper=True)),
        ("^(A|bc)?$", Facts(0, 2, upper=False)),
        ("^[A-Z]+$", Facts(1, None, upper=True)),
        ("^.{0,3}$", Facts(0, 3, upper=False)),
        ("^$", Facts(0, 0, upper=True)),
        ("^Ü{2,}$", Facts(2, None, upper=True)),
        ("^ü$", Facts(1, 1, upper=False)),
        (r"^\$\.$", Facts(2, 2, upper=True)),
    ],
)
def test_facts_are_as_narrow_as_the_pattern(pattern: str, expected: Facts) -> None:
    """Nothing that the pattern says about length and case is lost."""
    assert expected == facts(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "[A-Z]{2}", "^[A-Z]{2}", "[A-Z]{2}$", "^A|B$", "^(?=A)A$", "^(?i)A$", r"^\p{Lu}$",
        r"^(A)\1$",
        "^[A-Z-[B]]$", "^[[:upper:]]$", "^A{2,1x}$", "^(A$", "^A)$", "^[A$", "^A{2}{3}$",
        "^*$", "^A++$", "^A^B$", "^" + "(" * 60 + "A" + ")" * 60 + "$", r"^\b$", "^A\\",
    ],
)  # fmt: skip
def test_what_is_not_understood_proves_nothing(pattern: str) -> None:
    """Open ends, looks around, references and broken patterns give no facts."""
    assert facts(pattern) is None


def test_xsd_needs_no_anchors() -> None:
    """A pattern of XSD speaks of the whole text."""
    assert Facts(3, 3, upper=True) == facts("[A-Z]{3,3}", anchored=True)


@given(st.text(alphabet="^$[]{}()|\\*+?.,-AZaz09:=!", max_size=40))
def test_no_pattern_crashes(pattern: str) -> None:
    """Any soup of signs gives facts or None, quickly."""
    for anchored in (True, False):
        found = facts(pattern, anchored=anchored)

        assert found is None or found.shortest >= 0
