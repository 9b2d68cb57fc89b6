"""TARGET days and what depends on them, compared with a calendar that nobody here wrote."""

import datetime as dt
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kit.sepa import calendar
from gateway.model.bank import Deadline

BERLIN = ZoneInfo("Europe/Berlin")
DAYS = st.dates(dt.date(2002, 1, 1), dt.date(2098, 12, 31))
DEADLINES = st.builds(
    Deadline, lead_days=st.integers(0, 5), cut_off=st.times().map(lambda t: t.replace(fold=0))
)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def test_eight_rules_against_the_holidays_library() -> None:
    """Every closing day from 2002 to 2098 is the library's, and none more."""
    from holidays import financial_holidays

    for year in range(2002, 2099):
        theirs = {each for each in financial_holidays("XECB", years=year) if each.year == year}
        assert theirs == calendar.holidays(year), year


def test_vectors(contracts: Path) -> None:
    """Closing days and lead times that two libraries agreed on."""
    file = contracts / "payments" / "sepa" / "vectors" / "target_calendar.json"
    if not file.is_file():
        pytest.skip("contracts not found")
    found = json.loads(file.read_text(encoding="utf-8"))

    assert [] == [each for each in found["closing_days"] if calendar.is_open(day(each["date"]))]
    assert [] == [
        each
        for each in found["lead_times"]
        for count in (1, 2, 5)
        if each[f"d_minus_{count}"]
        != calendar.add(day(each["collection_date"]), -count).isoformat()
    ]


def test_from_a_closed_day() -> None:
    """One TARGET day from a Saturday is the Monday, or the Friday before."""
    saturday = day("2026-11-21")

    assert day("2026-11-23") == calendar.add(saturday, 1)
    assert day("2026-11-20") == calendar.add(saturday, -1)
    assert day("2026-11-23") == calendar.next_open(saturday)
    assert saturday == calendar.add(saturday, 0)


def test_over_easter_and_christmas() -> None:
    """Good Friday, the weekend and Easter Monday are one gap; so are the days of Christmas."""
    assert day("2026-04-07") == calendar.add(day("2026-04-02"), 1)
    assert day("2026-12-28") == calendar.add(day("2026-12-24"), 1)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-20T09:59:59+01:00", "2026-11-23"),  # a Friday, in time
        ("2026-11-20T10:00:00+01:00", "2026-11-24"),  # the cut-off itself is too late
        ("2026-11-20T09:00:00+00:00", "2026-11-24"),  # the same moment in UTC
        ("2026-11-21T23:00:00+01:00", "2026-11-24"),  # a Saturday counts as the Monday morning
        ("2026-11-20T23:30:00+00:00", "2026-11-24"),  # Saturday already, in Berlin
        ("2026-07-15T07:59:00+00:00", "2026-07-16"),  # summer time: 9:59
        ("2026-07-15T08:00:00+00:00", "2026-07-17"),
        ("2026-12-23T12:00:00+01:00", "2026-12-28"),
    ],
)
def test_earliest_due_date(now: str, expected: str) -> None:
    """One lead day, cut-off at ten in Berlin."""
    assert day(expected) == calendar.earliest_due(dt.datetime.fromisoformat(now), Deadline())


def test_latest_due_date() -> None:
    """Fourteen calendar days from the day in Berlin."""
    late = dt.datetime(2026, 11, 20, 23, 30, tzinfo=dt.UTC)

    assert day("2026-12-05") == calendar.latest_due(late, Deadline())


@given(DAYS.map(calendar.next_open), DEADLINES)
def test_submitted_in_time_is_collected_in_time(due: dt.date, deadline: Deadline) -> None:
    """A moment before the deadline the due date can be met, at the deadline no more."""
    last = calendar.submit_before(due, deadline)
    if deadline.cut_off > dt.time(0, 0, 1):
        assert due >= calendar.earliest_due(last - dt.timedelta(microseconds=1), deadline)
    assert due < calendar.earliest_due(last, deadline)


@given(DAYS, st.integers(-20, 20))
def test_days_are_open_and_come_back(start: dt.date, count: int) -> None:
    """Whatever is added ends on an open day, and from an open day the way back leads back."""
    origin = calendar.next_open(start)
    there = calendar.add(origin, count)

    assert calendar.is_open(there)
    assert origin == calendar.add(there, -count)
