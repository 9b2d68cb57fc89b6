"""What a file may hold: every text is written in SEPA's characters, or refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kit.sepa.characters import ALLOWED, Unwritable, transliterated, written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Müller & Söhne GmbH", "Mueller + Soehne GmbH"),
        ("ÄÖÜ äöü ß ẞ", "AeOeUe aeoeue ss SS"),
        ("a\u0308 composed", "ae composed"),
        ("Łódź, Đorđe, Åse, Søren", "Lodz, Dorde, Ase, Soren"),
        ("Ελλάδα Θήρα", "Ellada Thira"),
        ("София Щастие", "Sofiya Shtastie"),
        ("ﬁn Ⅷ", "fin VIII"),
        ("„Miete“ – 50 % [Nov.]; a_b", "'Miete' - 50 . (Nov.), a-b"),
        ("two\nlines", "two lines"),
        ("  around  ", "around"),
    ],
)
def test_transliteration(text: str, expected: str) -> None:
    """German as in Germany, other letters without their marks, other alphabets by sound."""
    assert expected == written(text, at_most=70)


@pytest.mark.parametrize(
    ("text", "rule", "position"),
    [
        ("Yui 結衣", "characters", 5),
        ("x🎉", "characters", 2),
        ("", "empty", 0),
        (" \n", "empty", 0),
    ],
)
def test_what_cannot_be_written(text: str, rule: str, position: int) -> None:
    """It is named by rule and place, and the text is not repeated."""
    with pytest.raises(Unwritable) as refusal:
        written(text, at_most=70)

    assert (rule, position) == (refusal.value.rule, refusal.value.position)
    assert "Yui" not in str(refusal.value)


def test_length_counts_what_is_written() -> None:
    """70 umlauts have 140 characters; cutting is the caller's decision."""
    with pytest.raises(Unwritable) as refusal:
        written("ü" * 70, at_most=70)

    assert "length" == refusal.value.rule
    assert "ue" * 35 == written("ü" * 70, at_most=70, cut=True)
    assert "ab" == written("ab cd", at_most=3, cut=True)


@given(st.text())
def test_never_anything_else(text: str) -> None:
    """Whatever comes in, what goes out is in the set, stays as it is, and loses no letter."""
    try:
        made = transliterated(text)
    except Unwritable:
        return

    assert set() == set(made) - ALLOWED
    assert made == transliterated(made)


@given(st.characters())
def test_no_character_vanishes(character: str) -> None:
    """One character becomes one or more, or is refused."""
    try:
        made = transliterated(character)
    except Unwritable:
        return

    assert made
