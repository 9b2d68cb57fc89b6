"""How Stripe speaks: forms in, JSON out, Bearer key, and what its errors mean for the caller."""

from typing import Final, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec

from adapters.stripe.settings import Settings
from adapters.stripe.translation import Form, Intent
from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable
from gateway.kit.adapter import request

T = TypeVar("T")

_CONTENT_TYPE: Final = (b"content-type", b"application/x-www-form-urlencoded")
_LOCKS: Final = {"lock_timeout", "idempotency_key_in_use"}
# Request timeout, and "external dependency failed".
_UNCLEAR: Final = {408, 424}

_Meaning: TypeAlias = tuple[type[HeadraceError], str, str]
_ACCESS: Final = (Misconfigured, "access_refused", "Stripe refuses the key.")
_FOREIGN: Final = (Misconfigured, "foreign_answer", "Something other than Stripe answers.")
_KEY_REUSED: Final = (Misconfigured, "key_reused", "The key was used for another request.")
_LOCKED: Final = (Unavailable, "locked", "Stripe is busy with the same object or key.")
_LIMITED: Final = (Unavailable, "rate_limited", "Stripe limits the rate.")
_REFUSED: Final = (Rejected, "refused", "Stripe refuses the request.")
_BY_STATUS: Final = {401: _ACCESS, 403: _ACCESS, 409: _LOCKED, 429: _LIMITED}


class _Error(msgspec.Struct, frozen=True, kw_only=True):
    type: str = ""
    code: str | None = None
    decline_code: str | None = None
    payment_intent: msgspec.Raw = msgspec.Raw(b"null")


class _ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    error: _Error


_ERROR: Final = msgspec.json.Decoder(_ErrorBody)
_CARRIED: Final[msgspec.json.Decoder[Intent | None]] = msgspec.json.Decoder(Intent | None)


class Wire:
    """Requests of one account."""

    def __init__(self, settings: Settings) -> None:
        self._origin = httpx.URL(settings.base_url)
        self._headers = [
            (b"authorization", f"Bearer {settings.secret_key}".encode("ascii")),
            (b"stripe-version", settings.api_version.encode("ascii")),
        ]

    def post(self, path: str, form: Form, *, key: str) -> httpx.Request:
        """A write; Stripe executes one key once."""
        headers = [*self._headers, _CONTENT_TYPE, (b"idempotency-key", key.encode("ascii"))]
        return request("POST", self._url(path), headers, _encode(form))

    def get(self, path: str, query: Form) -> httpx.Request:
        """A read."""
        return request("GET", self._url(f"{path}?{_encode(query).decode('ascii')}"), self._headers)

    def _url(self, target: str) -> httpx.URL:
        return self._origin.copy_with(raw_path=target.encode("ascii"))


def segment(reference: str) -> str:
    """A reference of theirs as one part of a path."""
    return quote(reference, safe="")


def _encode(form: Form) -> bytes:
    return urlencode(form, safe="[]").encode("ascii")


def read(response: httpx.Response, decoder: msgspec.json.Decoder[T], *, wrote: bool) -> T:
    """The answer in the given shape.

    Args:
        response: As it came.
        decoder: The shape.
        wrote: Whether the request can have moved something, so that a muddle means doubt.

    Raises:
        HeadraceError: What the answer means, if it is not the wanted one.
    """
    if not response.is_success:
        raise _meaning(response, wrote=wrote)
    try:
        return decoder.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unclear("Stripe's answer cannot be read.", "unreadable", wrote=wrote) from error


def declined(response: httpx.Response) -> Intent | None:
    """The payment that a decline carries; None for every other answer.

    Source: docs.stripe.com/error-handling#payment-errors, read 2026-11.
    """
    if response.status_code != httpx.codes.PAYMENT_REQUIRED:
        return None
    error = _error(response)
    if error is None or error.type != "card_error":
        return None
    try:
        return _CARRIED.decode(error.payment_intent)
    except msgspec.ValidationError as unread:
        raise _unclear("Stripe's decline cannot be read.", "unreadable", wrote=True) from unread


def missing(response: httpx.Response) -> bool:
    """Whether Stripe itself says that there is no such object."""
    error = _error(response) if response.status_code == httpx.codes.NOT_FOUND else None
    return error is not None and error.code == "resource_missing"


def _meaning(response: httpx.Response, *, wrote: bool) -> HeadraceError:
    """What an error answer means for the caller."""
    error = _error(response)
    detail = (error.decline_code or error.code or error.type)[:80] if error else ""
    meaning = _meaning_of(response.status_code, error)
    if meaning is None:
        return _unclear("Stripe failed.", "server_error", wrote=wrote, detail=detail)
    kind, code, message = meaning
    if kind is Unavailable:
        pause = _retry_after(response)
        return Unavailable(message, code=code, detail=detail, retry_after_s=pause)
    return kind(message, code=code, detail=detail)


def _meaning_of(status: int, error: _Error | None) -> _Meaning | None:
    """The row of the table; None where Stripe itself does not know what happened.

    Source: docs.stripe.com/api/errors and docs.stripe.com/error-low-level, read 2026-11.
    """
    if error is not None and error.code in _LOCKS:
        return _LOCKED
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status in _UNCLEAR or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return None
    if error is None:
        return _FOREIGN
    return _KEY_REUSED if error.type == "idempotency_error" else _REFUSED


def _unclear(message: str, code: str, *, wrote: bool, detail: str = "") -> HeadraceError:
    # A read moves nothing, so it can simply be asked again.
    if wrote:
        return InDoubt(message, code=code, detail=detail)
    return Unavailable(message, code=code, detail=detail)


def _error(response: httpx.Response) -> _Error | None:
    try:
        return _ERROR.decode(response.content).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _retry_after(response: httpx.Response) -> float | None:
    seconds = response.headers.get("retry-after", "")
    return float(seconds) if seconds.isascii() and seconds.isdigit() else None
