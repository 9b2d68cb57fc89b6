"""How Mollie speaks: JSON, Bearer key, and what its errors mean for the caller."""

import uuid
from collections.abc import Callable, Generator
from typing import Final, TypeAlias, TypeVar

import httpx
import msgspec

from adapters.mollie.answers import Page
from adapters.mollie.settings import Settings
from gateway.errors import Misconfigured, Rejected, Unavailable
from gateway.kit.adapter import Body, request
from gateway.kit.answers import Answer, legible, retry_after_s, unclear

T = TypeVar("T")

Pages: TypeAlias = Generator[httpx.Request, httpx.Response, list[T]]

# Their clock may be behind ours; so much earlier a look through a list goes back.
SKEW_S: Final = 300
# The most that Mollie gives in one page.
_LIMIT: Final = {"limit": "250"}
_CONTENT_TYPE: Final = (b"content-type", b"application/json")
# Mollie wants UUIDs as keys, so ours become such; the same key is the same UUID.
_KEYS: Final = uuid.UUID("5e5b3b0e-0d0c-5c52-9d77-5f1ea7a52c7f")

_ACCESS: Final = (Misconfigured, "access_refused", "Mollie refuses the API key.")
_FOREIGN: Final = (Misconfigured, "foreign_answer", "Something other than Mollie answers.")
_LOCKED: Final = (Unavailable, "locked", "Mollie is busy with the same thing.")
_LIMITED: Final = (Unavailable, "rate_limited", "Mollie limits the rate.")
_REFUSED: Final = (Rejected, "refused", "Mollie refuses the request.")
# A refund just like another one of a moment ago is refused with 409: it can be asked for later.
_BY_STATUS: Final = {401: _ACCESS, 403: _ACCESS, 409: _LOCKED, 423: _LOCKED, 429: _LIMITED}
# Request timeout, and what a proxy in front says.
_UNCLEAR: Final = {408, 425}
_MISSING: Final = {404, 410}


class _Error(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    title: str
    field: str = ""


class _Link(msgspec.Struct, frozen=True):
    href: str = ""


class _Links(msgspec.Struct, frozen=True):
    next: _Link | None = None


class _List(msgspec.Struct, frozen=True):
    embedded: dict[str, list[msgspec.Raw]] = msgspec.field(name="_embedded")
    links: _Links = msgspec.field(name="_links", default=_Links())


_ERROR: Final = msgspec.json.Decoder(_Error)
_LIST: Final = msgspec.json.Decoder(_List)


class Wire:
    """Requests of one profile."""

    def __init__(self, settings: Settings) -> None:
        self._origin = httpx.URL(settings.base_url)
        self._prefix = self._origin.raw_path.rstrip(b"/")
        self._headers = [
            (b"authorization", f"Bearer {settings.api_key}".encode("ascii")),
            (b"accept", b"application/hal+json"),
        ]

    def write(
        self, path: str, body: Body | None = None, *, key: str, method: str = "POST"
    ) -> httpx.Request:
        """A write; Mollie executes one key once, for as long as it keeps it."""
        given = str(uuid.uuid5(_KEYS, key)).encode("ascii")
        headers = [*self._headers, (b"idempotency-key", given)]
        if body is None:
            return request(method, self._url(path), headers)
        headers.append(_CONTENT_TYPE)
        return request(method, self._url(path), headers, body.content, made_by=body.made_by)

    def get(self, path: str, query: dict[str, str] | None = None) -> httpx.Request:
        """A read."""
        target = f"{path}?{httpx.QueryParams(query)}" if query else path
        return request("GET", self._url(target), self._headers)

    def pages(
        self,
        path: str,
        decoder: msgspec.json.Decoder[T],
        *,
        wanted: Callable[[Answer[T]], bool],
        last: Callable[[Answer[T]], bool],
    ) -> Pages[Answer[T]]:
        """What is wanted of a list, page after page, until one is the last to look at."""
        query, found = _LIMIT, list[Answer[T]]()
        while True:
            listing = page((yield self.get(path, query)), decoder)
            found += [each for each in listing.objects if wanted(each)]
            if not listing.following or any(last(each) for each in listing.objects):
                return found
            query = {**_LIMIT, "from": listing.following}

    def _url(self, target: str) -> httpx.URL:
        return self._origin.copy_with(raw_path=self._prefix + target.encode("ascii"))


def read(response: httpx.Response, decoder: msgspec.json.Decoder[T], *, wrote: bool) -> T:
    """The answer in the given shape.

    Args:
        response: As it came.
        decoder: The shape.
        wrote: Whether the request can have moved something, so that a muddle means doubt.

    Raises:
        HeadraceError: What the answer means, if it is not the wanted one.
    """
    check(response, wrote=wrote)
    try:
        return decoder.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unclear("Mollie's answer cannot be read.", "unreadable", wrote=wrote) from error


def answer(response: httpx.Response, decoder: msgspec.json.Decoder[T], *, wrote: bool) -> Answer[T]:
    """One object; see ``read``."""
    return Answer(response.content, read(response, decoder, wrote=wrote))


def page(response: httpx.Response, decoder: msgspec.json.Decoder[T]) -> Page[Answer[T]]:
    """One page of objects; see ``listed``."""
    found = listed(response)
    try:
        objects = tuple(Answer(bytes(raw), decoder.decode(raw)) for raw in found.objects)
    except msgspec.DecodeError as error:
        raise unclear("Mollie's list cannot be read.", "unreadable", wrote=False) from error
    return Page(objects=objects, following=found.following)


def listed(response: httpx.Response) -> Page[msgspec.Raw]:
    """One page as it came; see ``read``. Of the link to the next page only its id is followed."""
    found = read(response, _LIST, wrote=False)
    raws = tuple(raw for each in found.embedded.values() for raw in each)
    link = found.links.next.href if found.links.next else ""
    try:
        return Page(objects=raws, following=httpx.URL(link).params.get("from", ""))
    except httpx.InvalidURL as error:
        raise unclear("Mollie's list cannot be read.", "unreadable", wrote=False) from error


def accepted(response: httpx.Response) -> None:
    """Raise unless the request was taken; there is no object in the answer."""
    check(response, wrote=True)
    if response.status_code != httpx.codes.ACCEPTED:
        raise unclear("Mollie's answer cannot be read.", "unreadable", wrote=True)


def missing(response: httpx.Response) -> bool:
    """Whether Mollie itself says that there is no such object."""
    return response.status_code in _MISSING and legible(response, _ERROR) is not None


def check(response: httpx.Response, *, wrote: bool) -> None:
    """Raise what an error answer means for the caller.

    Source: docs.mollie.com/reference/handling-errors, read 2026-11.
    """
    if response.is_success:
        return
    error, status = legible(response, _ERROR), response.status_code
    detail = f"{error.title} {error.field}".strip()[:80] if error else ""
    if status in _UNCLEAR or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise unclear("Mollie failed.", "server_error", wrote=wrote, detail=detail)
    kind, code, message = _BY_STATUS.get(status, _REFUSED if error else _FOREIGN)
    if kind is Unavailable:
        pause = retry_after_s(response)
        raise Unavailable(message, code=code, detail=detail, retry_after_s=pause)
    raise kind(message, code=code, detail=detail)
