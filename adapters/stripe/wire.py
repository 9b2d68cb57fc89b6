"""How Stripe speaks: forms in, JSON out, Bearer key, and what its errors mean for the caller."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, TypeVar

import httpx
import msgspec

from adapters.stripe.answers import INTENT, Intent, Page
from adapters.stripe.settings import Settings
from gateway.errors import HeadraceError, Misconfigured, Rejected, Unavailable
from gateway.kit import forms
from gateway.kit.adapter import request
from gateway.kit.answers import Answer, legible, retry_after_s, unclear, utc

T = TypeVar("T")
Query: TypeAlias = list[tuple[str, str]]

_CONTENT_TYPE: Final = (b"content-type", b"application/x-www-form-urlencoded")
_LOCKS: Final = {"lock_timeout", "idempotency_key_in_use"}
# Their clock may be behind ours; so much earlier a list begins.
_SKEW_S: Final = 300
# Request timeout, and "external dependency failed".
_UNCLEAR: Final = {408, 424}

_Meaning: TypeAlias = tuple[type[HeadraceError], str, str]
_ACCESS: Final = (Misconfigured, "access_refused", "Stripe refuses the key.")
_FOREIGN: Final = (Misconfigured, "foreign_answer", "Something other than Stripe answers.")
_KEY_REUSED: Final = (Misconfigured, "key_reused", "The key was used for another request.")
_LOCKED: Final = (Unavailable, "locked", "Stripe is busy with the same object or key.")
_LIMITED: Final = (Unavailable, "rate_limited", "Stripe limits the rate.")
_UNKNOWN: Final = (Rejected, "account_unknown", "Stripe knows no such account of a member.")
_REFUSED: Final = (Rejected, "refused", "Stripe refuses the request.")
_BY_STATUS: Final = {401: _ACCESS, 403: _ACCESS, 409: _LOCKED, 429: _LIMITED}


class Form(msgspec.Struct, frozen=True):
    """A body, before it has brackets.

    Attributes:
        made_by: The mapping that it comes from.
    """

    fields: Mapping[str, Any]
    made_by: str = ""


class _Error(msgspec.Struct, frozen=True, kw_only=True):
    type: str = ""
    code: str | None = None
    decline_code: str | None = None
    payment_intent: msgspec.Raw = msgspec.Raw(b"null")


class _ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    error: _Error


_ERROR: Final = msgspec.json.Decoder(_ErrorBody)
_PAGE: Final = msgspec.json.Decoder(Page[msgspec.Raw])


class Wire:
    """Requests of one account."""

    def __init__(self, settings: Settings) -> None:
        self._origin = httpx.URL(settings.base_url)
        self._headers = [
            (b"authorization", f"Bearer {settings.secret_key}".encode("ascii")),
            (b"stripe-version", settings.api_version.encode("ascii")),
        ]

    def post(self, path: str, form: Form, *, key: str, account: str = "") -> httpx.Request:
        """A write; Stripe executes one key once.

        Args:
            account: Of a member, in whose name it is done.
        """
        headers = [*self._as(account), _CONTENT_TYPE, (b"idempotency-key", key.encode("ascii"))]
        body = forms.encode(form.fields)
        return request("POST", self._url(path), headers, body, made_by=form.made_by)

    def get(self, path: str, query: Query, *, account: str = "") -> httpx.Request:
        """A read; see ``post``."""
        asked = f"?{forms.encode(dict(query)).decode('ascii')}" if query else ""
        url = self._url(path + asked)
        return request("GET", url, self._as(account))

    def _as(self, account: str) -> list[tuple[bytes, bytes]]:
        """The headers, in the name of a member's account.

        Source: docs.stripe.com/connect/authentication, read 2026-11.
        """
        if not account:
            return self._headers
        return [*self._headers, (b"stripe-account", account.encode("ascii"))]

    def _url(self, target: str) -> httpx.URL:
        return self._origin.copy_with(raw_path=target.encode("ascii"))


def search_for(payment_id: str) -> tuple[str, str]:
    """The search for a payment by our id."""
    escaped = payment_id.replace("\\", "\\\\").replace("'", "\\'")
    return "query", f"metadata['payment_id']:'{escaped}'"


def since(moment: str) -> tuple[str, str]:
    """Only what was made after a moment in ISO 8601; without zone it is in UTC."""
    return "created[gte]", str(int(utc(moment).timestamp()) - _SKEW_S)


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
        raise unclear("Stripe's answer cannot be read.", "unreadable", wrote=wrote) from error


def answer(response: httpx.Response, decoder: msgspec.json.Decoder[T], *, wrote: bool) -> Answer[T]:
    """One object; see ``read``."""
    return Answer(response.content, read(response, decoder, wrote=wrote))


def page(response: httpx.Response, decoder: msgspec.json.Decoder[T]) -> Page[Answer[T]]:
    """One page of objects; see ``read``."""
    found = listed(response)
    try:
        data = tuple(Answer(bytes(raw), decoder.decode(raw)) for raw in found.data)
    except msgspec.DecodeError as error:
        raise unclear("Stripe's list cannot be read.", "unreadable", wrote=False) from error
    return Page(data=data, has_more=found.has_more, next_page=found.next_page)


def listed(response: httpx.Response) -> Page[msgspec.Raw]:
    """One page of whatever it is, as it came; see ``read``."""
    return read(response, _PAGE, wrote=False)


def declined(response: httpx.Response) -> Answer[Intent] | None:
    """The payment that a decline carries; None for every other answer.

    Source: docs.stripe.com/error-handling#payment-errors, read 2026-11.
    """
    if response.status_code != httpx.codes.PAYMENT_REQUIRED:
        return None
    error = _error(response)
    if error is None or error.type != "card_error" or bytes(error.payment_intent) == b"null":
        return None
    try:
        return Answer(bytes(error.payment_intent), INTENT.decode(error.payment_intent))
    except msgspec.ValidationError as unread:
        raise unclear("Stripe's decline cannot be read.", "unreadable", wrote=True) from unread


def unknown(response: httpx.Response) -> bool:
    """Whether Stripe says that what a list is asked for is not there."""
    error = None if response.is_success else _error(response)
    return error is not None and error.code == "resource_missing"


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
        return unclear("Stripe failed.", "server_error", wrote=wrote, detail=detail)
    kind, code, message = meaning
    if kind is Unavailable:
        pause = retry_after_s(response)
        return Unavailable(message, code=code, detail=detail, retry_after_s=pause)
    return kind(message, code=code, detail=detail)


def _meaning_of(status: int, error: _Error | None) -> _Meaning | None:
    """The row of the table; None where Stripe itself does not know what happened.

    Source: docs.stripe.com/api/errors and docs.stripe.com/error-low-level, read 2026-11.
    """
    if error is not None and error.code in _LOCKS:
        return _LOCKED
    if error is not None and error.code == "account_invalid":
        return _UNKNOWN
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status in _UNCLEAR or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return None
    if error is None:
        return _FOREIGN
    return _KEY_REUSED if error.type == "idempotency_error" else _REFUSED


def _error(response: httpx.Response) -> _Error | None:
    found = legible(response, _ERROR)
    return found.error if found is not None else None
