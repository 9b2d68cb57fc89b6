"""How GoCardless speaks: JSON in envelopes, a Bearer token, and what its errors mean."""

from collections.abc import Callable, Generator, Mapping
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import urlencode

import httpx
import msgspec

from adapters.gocardless.answers import Page
from adapters.gocardless.settings import Settings
from gateway.errors import HeadraceError, Misconfigured, Rejected, Unavailable
from gateway.kit.adapter import request, segment
from gateway.kit.answers import Answer, legible, unclear, utc

T = TypeVar("T")
Found: TypeAlias = Generator[httpx.Request, httpx.Response, T]
Query: TypeAlias = tuple[tuple[str, str], ...]

# The most that GoCardless gives in one page.
LIMIT: Final = ("limit", "500")
# Their clock may be behind ours; so much earlier a list begins.
_SKEW: Final = timedelta(minutes=5)
_CONTENT_TYPE: Final = (b"content-type", b"application/json")
_UNCLEAR: Final = 408

_Meaning: TypeAlias = tuple[type[HeadraceError], str, str]
_ACCESS: Final = (Misconfigured, "access_refused", "GoCardless refuses the access token.")
_FOREIGN: Final = (Misconfigured, "foreign_answer", "Something other than GoCardless answers.")
_USAGE: Final = (Misconfigured, "request_invalid", "GoCardless does not take such requests.")
_LIMITED: Final = (Unavailable, "rate_limited", "GoCardless limits the rate.")
_LOCKED: Final = (Unavailable, "locked", "Another request is changing the same payment.")
_REFUSED: Final = (Rejected, "refused", "GoCardless refuses the request.")
_BY_STATUS: Final = {401: _ACCESS, 403: _ACCESS, 404: _REFUSED, 429: _LIMITED}
# Somebody else refunded between our look and our request, so nothing was done.
_BY_REASON: Final = {"total_amount_confirmation_invalid": _LOCKED}
_CONFLICT: Final = "idempotent_creation_conflict"


class Body(msgspec.Struct, frozen=True):
    """A body, before it is JSON.

    Attributes:
        made_by: The mapping that it comes from.
    """

    fields: Mapping[str, Any]
    made_by: str = ""


class _Reason(msgspec.Struct, frozen=True):
    reason: str = ""
    field: str = ""
    links: dict[str, str | None] = {}


class _Error(msgspec.Struct, frozen=True):
    type: str
    errors: tuple[_Reason, ...] = ()

    @property
    def reason(self) -> str:
        found = (one.reason or one.field for one in self.errors)
        return next((one for one in found if one), self.type)[:80]


class _ErrorBody(msgspec.Struct, frozen=True):
    error: _Error


class _Cursors(msgspec.Struct, frozen=True):
    after: str | None = None


class _Meta(msgspec.Struct, frozen=True):
    cursors: _Cursors = _Cursors()


_ERROR: Final = msgspec.json.Decoder(_ErrorBody)
_ENVELOPE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS: Final = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_META: Final = msgspec.json.Decoder(_Meta)


class Wire:
    """Requests of one creditor."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.base_url.rstrip("/")
        self._headers = [
            (b"accept", b"application/json"),
            (b"authorization", f"Bearer {settings.access_token}".encode("ascii")),
            (b"gocardless-version", settings.api_version.encode("ascii")),
        ]

    def post(self, path: str, body: Body, *, key: str = "") -> httpx.Request:
        """A write; GoCardless makes one thing for one key.

        Args:
            key: Empty for what may be made as often as it is asked for.
        """
        headers = [*self._headers, _CONTENT_TYPE]
        if key:
            headers.append((b"idempotency-key", key.encode("ascii")))
        content = msgspec.json.encode(body.fields)
        return request("POST", httpx.URL(self._root + path), headers, content, made_by=body.made_by)

    def get(self, path: str, query: Query = ()) -> httpx.Request:
        """A read."""
        target = f"{path}?{urlencode(query)}" if query else path
        return request("GET", httpx.URL(self._root + target), self._headers)

    def pages(
        self,
        name: str,
        first: Query,
        decoder: msgspec.json.Decoder[T],
        wanted: Callable[[Answer[T]], bool],
    ) -> Found[list[Answer[T]]]:
        """What is wanted of a list, newest first, page after page."""
        query, found = first, list[Answer[T]]()
        while True:
            response = yield self.get(f"/{name}", query)
            listing = page(response, name, decoder)
            found += [each for each in listing.data if wanted(each)]
            if not listing.after or not listing.data:
                return found
            query = (*first, ("after", listing.after))


def path(name: str, reference: str) -> str:
    """Where one resource is."""
    return f"/{name}/{segment(reference)}"


def since(moment: str) -> tuple[str, str]:
    """Only what was made after a moment in ISO 8601; without zone it is in UTC."""
    return "created_at[gte]", (utc(moment).astimezone(UTC) - _SKEW).strftime(
        "%Y-%m-%dT%H:%M:%S.000Z"
    )


def answer(
    response: httpx.Response, name: str, decoder: msgspec.json.Decoder[T], *, wrote: bool
) -> Answer[T]:
    """The resource in the envelope of this name.

    Args:
        wrote: Whether the request can have moved something, so that a muddle means doubt.

    Raises:
        HeadraceError: What the answer means, if it is not the wanted one.
    """
    raw = _envelope(response, name, wrote=wrote)[name]
    return Answer(bytes(raw), _decoded(raw, decoder, wrote=wrote))


def page(response: httpx.Response, name: str, decoder: msgspec.json.Decoder[T]) -> Page[Answer[T]]:
    """One page of resources; see ``answer``."""
    items, after = listed(response, name)
    found = tuple(Answer(bytes(raw), _decoded(raw, decoder, wrote=False)) for raw in items)
    return Page(found, after)


def listed(response: httpx.Response, name: str) -> tuple[tuple[msgspec.Raw, ...], str]:
    """One page of resources as they came, and what the next is after; see ``answer``."""
    envelope = _envelope(response, name, wrote=False)
    meta = _decoded(envelope.get("meta", msgspec.Raw(b"{}")), _META, wrote=False)
    return _decoded(envelope[name], _ITEMS, wrote=False), meta.cursors.after or ""


def conflicting(response: httpx.Response) -> str:
    """The id of what the key made before; empty for every other answer.

    Source: developer.gocardless.com/api-reference, idempotency keys, read 2026-11.
    """
    error = _error(response) if response.status_code == httpx.codes.CONFLICT else None
    reasons = error.errors if error else ()
    found = (one.links.get("conflicting_resource_id") for one in reasons)
    return next((one for one in found if one), "")


def reason(response: httpx.Response) -> str:
    """GoCardless's own word for why it refuses; empty where it does not."""
    error = None if response.is_success else _error(response)
    return error.reason if error else ""


def missing(response: httpx.Response) -> bool:
    """Whether GoCardless itself says that there is no such resource."""
    return response.status_code == httpx.codes.NOT_FOUND and _error(response) is not None


def refusal(response: httpx.Response, *, wrote: bool) -> HeadraceError:
    """What an error answer means for the caller."""
    error = _error(response)
    detail = error.reason if error else ""
    meaning = _meaning_of(response.status_code, error)
    if meaning is None:
        return unclear("GoCardless failed.", "server_error", wrote=wrote, detail=detail)
    kind, code, message = meaning
    if kind is Unavailable:
        pause = _pause(response)
        return Unavailable(message, code=code, detail=detail, retry_after_s=pause)
    return kind(message, code=code, detail=detail)


def _meaning_of(status: int, error: _Error | None) -> _Meaning | None:
    """The row of the table; None where GoCardless itself does not know what happened.

    Source: developer.gocardless.com/api-reference, errors, read 2026-11.
    """
    if status == _UNCLEAR or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return None
    if error is None:
        return _BY_STATUS.get(status, _FOREIGN) if status in {401, 403, 429} else _FOREIGN
    if error.reason == _CONFLICT:
        return _LOCKED
    if error.reason in _BY_REASON:
        return _BY_REASON[error.reason]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return _USAGE if error.type == "invalid_api_usage" else _REFUSED


def _envelope(response: httpx.Response, name: str, *, wrote: bool) -> dict[str, msgspec.Raw]:
    if not response.is_success:
        raise refusal(response, wrote=wrote)
    envelope = _decoded(response.content, _ENVELOPE, wrote=wrote)
    if name not in envelope:
        raise unclear("GoCardless's answer is none.", "unreadable", wrote=wrote)
    return envelope


def _decoded(raw: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[T], *, wrote: bool) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = "GoCardless's answer cannot be read."
        raise unclear(message, "unreadable", wrote=wrote) from error


def _pause(response: httpx.Response) -> float | None:
    """Seconds until it may be tried again: as given, or until the limit starts anew."""
    given = response.headers.get("retry-after", "")
    if given.isascii() and given.isdigit():
        return float(given)
    try:
        reset = parsedate_to_datetime(response.headers["ratelimit-reset"])
        now = parsedate_to_datetime(response.headers["date"])
        return max((reset - now).total_seconds(), 0.0)
    except (KeyError, ValueError, TypeError):
        return None


def _error(response: httpx.Response) -> _Error | None:
    found = legible(response, _ERROR)
    return found.error if found is not None else None
