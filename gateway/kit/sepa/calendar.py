"""The TARGET calendar: on which days banks settle, and until when a file has to be there.

Source: ECB, TARGET closing days (decision of 14 December 2000, in force since 2002): Saturdays,
Sundays, 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December.
"""

import datetime as dt
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from gateway.model.bank import Deadline

_SATURDAY: Final = 5
_FIXED: Final = ((1, 1), (5, 1), (12, 25), (12, 26))
_DAY: Final = dt.timedelta(days=1)
# A file is taken at the earliest so many calendar days before its due date.
# Source: hettwer-beratung.de, read 2026-11; the rulebook itself was not seen.
_EARLIEST_DAYS: Final = 14


def easter(year: int) -> dt.date:
    """Easter Sunday of the Gregorian calendar.

    Source: the anonymous Gregorian algorithm (J. Meeus, Astronomical Algorithms, 1991, chapter 8).
    """
    century, in_century = divmod(year, 100)
    golden = year % 19
    leap_centuries, rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - correction + 15) % 30
    leaps, after_leap = divmod(in_century, 4)
    weekday = (32 + 2 * rest + 2 * leaps - epact - after_leap) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return dt.date(year, month, day + 1)


@lru_cache(maxsize=64)
def holidays(year: int) -> frozenset[dt.date]:
    """Closing days of a year beside the weekends; some may fall on one."""
    sunday = easter(year)
    moving = {sunday - 2 * _DAY, sunday + _DAY}
    return frozenset(moving | {dt.date(year, month, day) for month, day in _FIXED})


def is_open(day: dt.date) -> bool:
    """Whether TARGET settles on this day."""
    return day.weekday() < _SATURDAY and day not in holidays(day.year)


def next_open(day: dt.date) -> dt.date:
    """The day itself, or the first open one after it."""
    while not is_open(day):
        day += _DAY
    return day


def add(day: dt.date, count: int) -> dt.date:
    """So many TARGET days later, or earlier where the count is negative.

    Args:
        day: Need not be open itself; one TARGET day after a Saturday is the Monday.
    """
    step = _DAY if count > 0 else -_DAY
    for _ in range(abs(count)):
        day += step
        while not is_open(day):
            day += step
    return day


def earliest_due(now: dt.datetime, deadline: Deadline) -> dt.date:
    """The earliest date on which a file that is submitted now can be collected.

    Args:
        now: Any aware moment.
    """
    local = now.astimezone(ZoneInfo(deadline.zone))
    taken = next_open(local.date())
    if taken == local.date() and local.time() >= deadline.cut_off:
        taken = add(taken, 1)
    return add(taken, deadline.lead_days)


def latest_due(now: dt.datetime, deadline: Deadline) -> dt.date:
    """The last due date for which a bank takes the file already."""
    local = now.astimezone(ZoneInfo(deadline.zone))
    return local.date() + _EARLIEST_DAYS * _DAY


def submit_before(due: dt.date, deadline: Deadline) -> dt.datetime:
    """The moment by which the file for a due date has to be at the bank.

    Args:
        due: An open day.
    """
    day = add(due, -deadline.lead_days) if deadline.lead_days else due
    return dt.datetime.combine(day, deadline.cut_off, ZoneInfo(deadline.zone))
