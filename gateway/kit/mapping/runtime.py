"""What compiled mappings call where one expression is not enough."""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.kit.mapping.facets import LIST_ITEMS
from gateway.model.money import scale

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EPOCH_DAY: Final = dt.date(1970, 1, 1).toordinal()
_DAY_MS: Final = 86_400_000
_DIGITS: Final = 30
_REMEMBERED: Final = 4_096
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # all of Unicode's category Cc


class BadValue(Exception):  # noqa: N818 - becomes a MappingFailure with its place
    """A value that the mapping cannot take, though its type is right.

    Attributes:
        detail: The value, shortened.
    """

    def __init__(self, message: str, detail: object = "") -> None:
        super().__init__(message)
        self.detail = str(detail)[:60]


class TooLong(BadValue):
    """A text is longer than its field.

    Attributes:
        limit: Characters that the field takes.
    """

    def __init__(self, text: str, limit: int) -> None:
        super().__init__(f"the text has {len(text)} characters, the field takes {limit}")
        self.limit = limit


def fail_null() -> Any:
    """``| required`` met null."""
    raise BadValue("the value is missing and the mapping requires it")


def fail_long(text: str, limit: int) -> Any:
    """A text is longer than its field."""
    raise TooLong(text, limit)


def fit(text: str, limit: int) -> str:
    """The text, if it is not too long."""
    return text if len(text) <= limit else fail_long(text, limit)


def zfill(text: str, size: int) -> str:
    """Digits with zeros in front; any other text as it is, as SAP's conversion exit ALPHA has it.

    Source: help.sap.com, SAP NetWeaver 7.3, "ALPHA Conversion Routine", read 2026-11: spaces around
    the digits do not count.
    """
    digits = text.strip(" ")
    return digits.zfill(size) if digits.isascii() and digits.isdecimal() else text


def unzfill(text: str) -> str:
    """Digits without zeros in front, but for the last one; any other text as it is."""
    return text.lstrip("0") or text[:1] if text.isascii() and text.isdecimal() else text


def oneline(text: str) -> str:
    """The text in one line: control characters and runs of blanks become one blank."""
    if text.isprintable():  # the only blank left is " "
        return text.strip() if "  " not in text else " ".join(text.split())
    return " ".join(_CONTROL.sub(" ", text).split())


def fold(text: str, widths: tuple[int, ...], number: int) -> str:
    """A line of the text, which is parted between words where that is possible.

    Args:
        widths: Of the lines, in characters; what exceeds the last one is cut.
        number: Which line, from 0.
    """
    made, rest = "", oneline(text)
    for width in widths[: number + 1]:
        cut = len(rest) if len(rest) <= width else max(rest.rfind(" ", 0, width + 1), 0) or width
        made, rest = rest[:cut].rstrip(), rest[cut:].lstrip()
    return made


def few(items: Any, before: Any = ()) -> Any:
    """The list, if it is as short as the checker assumed; with the one whose counting it goes on.

    An empty list has no position, however long the other one is.
    """
    count = len(items) + len(before)
    if items and count > LIST_ITEMS:
        raise BadValue(f"the list has {count} elements, {LIST_ITEMS} are allowed")
    return items


def pair(table: Mapping[str, Any], first: str, second: str) -> Any:
    """An entry of a list with two keys, or the one for any first key.

    Raises:
        KeyError: Neither is there.
    """
    found = f"{first}.{second}"
    return table[found if _is_key(first) and found in table else f"*.{second}"]


def pair_or(table: Mapping[str, Any], first: str, second: str, default: Any) -> Any:
    """The same, with a default."""
    found = f"{first}.{second}"
    known = _is_key(first) and found in table
    return table.get(found if known else f"*.{second}", default)


def _is_key(first: str) -> bool:
    """A text with a point could be part of both keys; a star means any."""
    return "." not in first and first != "*"


def finite(number: Decimal) -> Decimal:
    """The number, if a ledger would call it one: NaN, infinity and 1E+999999 are refused."""
    if not number.is_finite() or not -_DIGITS <= number.adjusted() <= _DIGITS:
        raise BadValue("the number is not finite, too large or too small")
    return number


def exact(
    number: Decimal, whole: int, step: Decimal, low: int | None = None, high: int | None = None
) -> Decimal:
    """The number, if it has no more digits before and after the point than its schema says.

    Args:
        step: A unit of the last decimal, such as 0.01.
        low: The least that it may be; ``high`` is the greatest.
    """
    if number.adjusted() < whole and number.quantize(step) == number:
        if (low is not None and number < low) or (high is not None and number > high):
            raise BadValue(f"the number is not between {low} and {high}")
        return number
    raise BadValue(
        f"the number has more than {whole} digits before the point, or a fraction of {step}"
    )


def plain(number: Decimal) -> str:
    """A decimal without exponent."""
    return format(finite(number), "f")


def rounded(number: Decimal, places: int) -> Decimal:
    """Half away from zero, as accounting rounds."""
    # Zero is added because a ledger knows no -0.00.
    return finite(Decimal(number)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) + 0


def minor(amount: Decimal, currency: str) -> int:
    """12.34 EUR as 1234.

    Raises:
        BadValue: More decimals than the currency has.
    """
    number = finite(Decimal(amount)) / UNITS[currency]
    whole = int(number)
    if whole != number:
        raise BadValue(f"the amount has more decimals than {currency[:3]} has")
    return whole


class Units(dict[str, Decimal]):
    """What one minor unit of a currency is worth: EUR 0.01; remembered."""

    def __missing__(self, currency: str) -> Decimal:
        try:
            places = scale(currency)
        except ValueError:
            raise BadValue("no ISO 4217 currency", currency) from None
        made = self[currency] = Decimal(1).scaleb(-places)  # there are fewer than 200
        return made


UNITS: Final = Units()


# Days and moments ----------------------------------------------------------------------------


def odata_day(day: dt.date) -> str:
    """A day as OData V2 writes it: milliseconds since 1970."""
    return f"/Date({(day.toordinal() - _EPOCH_DAY) * _DAY_MS})/"


def odata_moment(moment: dt.datetime) -> str:
    """A moment as OData V2 writes it."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    since = moment - _EPOCH
    return f"/Date({since // dt.timedelta(milliseconds=1)})/"


def read_odata(text: str) -> dt.datetime:
    """``/Date(ms)/`` as a moment in UTC; an offset behind it does not move the moment.

    Raises:
        ValueError: Anything else.
    """
    if not (text.startswith("/Date(") and text.endswith(")/")):
        raise ValueError("not an OData date")
    digits = text[6:-2]
    cut = max(digits.rfind("+"), digits.rfind("-", 1))
    since = dt.timedelta(milliseconds=int(digits if cut < 1 else digits[:cut]))
    return _EPOCH + since


def read_odata_day(text: str) -> dt.date:
    """``/Date(ms)/`` as a day."""
    return read_odata(text).date()


def read_moment(text: str, pattern: str) -> dt.datetime:
    """A moment in a ``strptime`` format; without zone it is in UTC."""
    return utc(dt.datetime.strptime(text, pattern))  # noqa: DTZ007 - utc adds it


def epoch_moment(seconds: int) -> dt.datetime:
    """Seconds since 1970 as a moment in UTC."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


class _EpochDays(dict[int, str]):
    """Days since 1970 as ``2026-03-29T``, remembered: messages of a day are of that day."""

    def __missing__(self, day: int) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        made = self[day] = f"{dt.date.fromordinal(_EPOCH_DAY + day).isoformat()}T"
        return made


_EPOCH_DAYS: Final = _EpochDays()
_MINUTES: Final = tuple(f"{minute // 60:02d}:{minute % 60:02d}:" for minute in range(1_440))
_SECONDS: Final = tuple(f"{second:02d}Z" for second in range(60))


def epoch_text(seconds: int) -> str:
    """Seconds since 1970 as ``2026-03-29T01:30:00Z``; a third of what a datetime takes."""
    day, second = divmod(seconds, 86_400)
    return _EPOCH_DAYS[day] + _MINUTES[second // 60] + _SECONDS[second % 60]


def moment_text(moment: dt.datetime) -> str:
    """A moment as RFC 3339 in UTC; without zone as it is."""
    if moment.tzinfo is None:
        return moment.isoformat()
    return moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"


def write_moment(moment: dt.datetime, wanted: str) -> str:
    """A moment in a ``strftime`` format, in UTC."""
    moment = utc(moment)
    return moment.strftime(wanted.replace("%Y", f"{moment.year:04d}"))


def moment_plain(moment: dt.datetime) -> str:
    """A moment without zone, its UTC."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    return moment.isoformat()


def utc(moment: dt.datetime) -> dt.datetime:
    """The moment in UTC; one without zone is taken to be in UTC."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=dt.UTC)
    return moment.astimezone(dt.UTC)


def unix(moment: dt.datetime) -> int:
    """Seconds since 1970, without what has begun of the next."""
    return (utc(moment) - _EPOCH) // dt.timedelta(seconds=1)


def day_in(moment: dt.datetime, zone: str) -> dt.date:
    """The day of a moment in a time zone."""
    return utc(moment).astimezone(_zone(zone)).date()


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


class Days(dict[str, Any]):
    """Days as text to what is written for them, remembered: documents repeat their days.

    Args:
        pattern: ``strptime`` format of the text; empty for ISO 8601, ``odata`` for OData V2.
        wanted: ``strftime`` format of the result; ``odata``; or empty for a date.
    """

    def __init__(self, pattern: str, wanted: str) -> None:
        super().__init__()
        self._pattern = pattern
        self._wanted = wanted

    def __missing__(self, text: str) -> Any:
        if len(self) >= _REMEMBERED:
            self.clear()
        day = self._read(text)
        made = self[text] = day if not self._wanted else write_day(day, self._wanted)
        return made

    def _read(self, text: str) -> dt.date:
        if self._pattern == "odata":
            return read_odata_day(text)
        if self._pattern:
            return dt.datetime.strptime(text, self._pattern).date()  # noqa: DTZ007 - a day
        day = dt.date.fromisoformat(text)
        if day.isoformat() != text:  # Python reads weeks and shorter forms too
            raise ValueError("not a date")
        return day


def write_day(day: dt.date, wanted: str) -> str:
    """A day in a ``strftime`` format, or as OData V2 writes it."""
    if wanted == "odata":
        return odata_day(day)
    if wanted == "iso":
        return day.isoformat()
    # strftime of the C library writes years before 1000 without zeros.
    return day.strftime(wanted.replace("%Y", f"{day.year:04d}"))


def read_time(text: str) -> str:
    """A time of day as ISO 8601, from OData's ``PT11H00M00S``."""
    hours, _, rest = text.removeprefix("PT").partition("H")
    minutes, _, seconds = rest.partition("M")
    return f"{int(hours):02d}:{int(minutes):02d}:{int(seconds.removesuffix('S')):02d}"


def odata_time(value: dt.time | str) -> str:
    """A time of day as OData V2 writes it."""
    time = dt.time.fromisoformat(value) if isinstance(value, str) else value
    return f"PT{time.hour:02d}H{time.minute:02d}M{time.second:02d}S"
