"""What compiled mappings call, at the edges of what it takes."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kit.mapping import runtime

FIRST, LAST = -62_135_596_800, 253_402_300_799


@given(seconds=st.integers(FIRST, LAST) | st.sampled_from([FIRST, -1, 0, 86_399, 86_400, LAST]))
def test_seconds_since_1970_as_text(seconds: int) -> None:
    """As a datetime writes it, of the years 1 to 9999."""
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)

    assert moment.isoformat().replace("+00:00", "Z") == runtime.epoch_text(seconds)


def test_days_are_not_remembered_for_ever() -> None:
    """The text of a day is right also after more days than are kept."""
    runtime.epoch_text(0)
    for day in range(10_000):
        runtime.epoch_text(day * 86_400)

    assert runtime.epoch_text(0) == "1970-01-01T00:00:00Z"
    assert len(runtime._EPOCH_DAYS) <= runtime._REMEMBERED


@pytest.mark.parametrize("seconds", [FIRST - 1, LAST + 1])
def test_seconds_of_no_year(seconds: int) -> None:
    """They are refused."""
    with pytest.raises((ValueError, OverflowError)):
        runtime.epoch_text(seconds)


def test_the_second_that_a_moment_is_in() -> None:
    """Before 1970 too it is the one that has begun."""
    moment = dt.datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=dt.UTC)

    assert runtime.unix(moment) == -1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1234", "00001234"), (" 1234 ", "00001234"), ("ABCD", "ABCD"), ("C12", "C12"), ("-5", "-5"),
     ("", ""), ("²3", "²3"), ("123456789", "123456789")],
)  # fmt: skip
def test_zeros_are_for_digits(text: str, expected: str) -> None:
    """As SAP's ALPHA: a number with a letter is the number of nothing else."""
    assert expected == runtime.zfill(text, 8)


@pytest.mark.parametrize(
    ("text", "expected"), [("0012", "12"), ("000", "0"), ("00C1", "00C1"), ("", "")]
)
def test_zeros_are_taken_from_digits(text: str, expected: str) -> None:
    """And back."""
    assert expected == runtime.unzfill(text)
