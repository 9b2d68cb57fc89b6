"""Answers of products: as they came, what cannot be read of them, and what may have happened."""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Values
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Generic, TypeVar

import httpx
import msgspec

from gateway.errors import HeadraceError, InDoubt, Unavailable
from gateway.kit.mapping import Mapping, MappingFailure

T = TypeVar("T")
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any])


class UnreadableError(ValueError):
    """A product said something that is not in our tables.

    Attributes:
        code: ``status_unknown`` or ``unreadable``.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class Answer(msgspec.Struct, Generic[T], frozen=True):
    """One object of a product.

    Attributes:
        body: As it came, for its mapping.
        object: What is needed beside.
    """

    body: bytes | msgspec.Raw
    object: T


def translated(
    mapping: Mapping,
    body: bytes | msgspec.Raw,
    needs: Values[str, Any],
    *,
    title: str,
    is_status: Callable[[str], bool],
    thing: str = "object",
) -> Values[str, Any]:
    """What a mapping makes of an object.

    Args:
        title: What people call the product.
        thing: What it calls its objects.
        is_status: Whether a status stands at a path, which nobody may have told us of.

    Raises:
        UnreadableError: Something is not in our tables.
    """
    try:
        made: Values[str, Any] = mapping.apply_json(body, needs)
    except MappingFailure as failure:
        if is_status(failure.path):
            message, code = f"{title} gave an unknown status.", "status_unknown"
        else:
            message, code = f"{title}'s {thing} cannot be read.", "unreadable"
        raise UnreadableError(message, code=code) from failure
    return made


def believed(translate: Callable[[], T]) -> T:
    """What an answer says.

    Raises:
        InDoubt: It cannot be read, so nobody knows what it says.
    """
    try:
        return translate()
    except UnreadableError as error:
        raise InDoubt(str(error), code=error.code) from error


def mismatch(title: str) -> InDoubt:
    """What it means that an answer has another id, amount or currency than was asked for.

    Args:
        title: What people call the product.
    """
    return InDoubt(f"{title}'s answer is about something else.", code="integrity_mismatch")


def only(
    found: Sequence[T], is_over: Callable[[T], bool] = lambda _: False, *, title: str
) -> T | None:
    """The one that can still move money, or else the first that cannot; None where there is none.

    Args:
        found: What carries our id, the newest first where the product says when it was made.

    Raises:
        InDoubt: There are two; which of them counts is for a person.
    """
    alive = [one for one in found if not is_over(one)]
    if len(alive) > 1:
        raise InDoubt(f"{title} has more than one with our id.", code="found_twice")
    return next(iter(alive), found[0] if found else None)


def unclear(message: str, code: str, *, wrote: bool, detail: str = "") -> HeadraceError:
    """Doubt after a write; a read moves nothing, so it can simply be asked again."""
    if wrote:
        return InDoubt(message, code=code, detail=detail)
    return Unavailable(message, code=code, detail=detail)


def legible(response: httpx.Response, decoder: msgspec.json.Decoder[T]) -> T | None:
    """The error in an answer, in the product's form; None where it has another one."""
    try:
        return decoder.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def retry_after_s(response: httpx.Response) -> float | None:
    """Seconds of Retry-After; None where it names a date or nothing."""
    seconds = response.headers.get("retry-after", "")
    return float(seconds) if seconds.isascii() and seconds.isdigit() else None


def age_s(response: httpx.Response, since: str, *, title: str) -> float:
    """Seconds between a moment of ours and the date of the answer, by the product's clock.

    Args:
        since: ISO 8601; without zone it is in UTC.
        title: What people call the product.

    Raises:
        Unavailable: The answer has no date.
    """
    try:
        # HTTP has no other zone.
        now = parsedate_to_datetime(response.headers.get("date", "")).replace(tzinfo=UTC)
        then = utc(since)
    except ValueError as error:
        raise Unavailable(f"{title}'s answer has no date.", code="unreadable") from error
    return (now - then).total_seconds()


def utc(moment: str) -> datetime:
    """A moment in ISO 8601; without zone it is in UTC."""
    parsed = datetime.fromisoformat(moment)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def seconds(moment: str) -> float:
    """A moment in ISO 8601 as seconds; 0 where it is none, and nothing may depend on it."""
    try:
        return utc(moment).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def moment(at: float) -> str:
    """Seconds since the epoch as RFC 3339 writes them, in UTC and without fractions."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def texts(raw: msgspec.Raw) -> Values[str, str]:
    """The fields that are texts; none where it is no object.

    For entries of a list: one that cannot be read shall not hide the others.
    """
    try:
        found = _OBJECT.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)}
