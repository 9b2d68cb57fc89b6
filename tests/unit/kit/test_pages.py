"""Pages: a text becomes a PDF whose parts are where it says, and whose words can be read."""

import re

import pytest

from gateway.kit import pages


def test_every_object_is_where_the_table_says() -> None:
    """Else no reader opens it."""
    made = pages.of_text("Delivered on 2 November.\n\n" + "word " * 2_000)
    start = int(re.findall(rb"startxref\n(\d+)", made)[0])
    rows = re.findall(rb"(\d{10}) 00000 n \n", made)

    assert made[start:].startswith(b"xref\n0 %d\n" % (len(rows) + 1))
    for number, row in enumerate(rows, 1):
        assert made[int(row) :].startswith(b"%d 0 obj\n" % number)
    assert made.startswith(b"%PDF-1.4\n")
    assert made.endswith(b"%%EOF\n")


def test_streams_are_as_long_as_they_say() -> None:
    """On every page."""
    made = pages.of_text("line\n" * 200)
    found = re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", made, re.DOTALL)

    assert [int(size) for size, _ in found] == [len(shown) for _, shown in found]
    assert 4 == len(found)
    assert b"/Count 4 " in made


def test_words_stand_there() -> None:
    """Also brackets, backslashes and umlauts."""
    made = pages.of_text("Müller (signed) \\ 100 €")

    assert b"(M\xfcller \\(signed\\) \\\\ 100 \x80) Tj" in made


def test_letters_that_the_font_lacks_are_refused() -> None:
    """Rather than left out of what a person wrote."""
    with pytest.raises(ValueError, match="charmap"):
        pages.of_text("花子")


def test_nothing_is_a_page_too() -> None:
    """One that is empty."""
    assert b"/Count 1 " in pages.of_text("")
