"""How Adyen speaks: JSON both ways, a key in a header, and what its errors mean for the caller."""

from typing import Final, TypeAlias, TypeVar
from uuid import UUID, uuid5

import httpx
import msgspec

from adapters.adyen.settings import Settings
from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable
from gateway.kit import answers
from gateway.kit.adapter import request
from gateway.kit.answers import Answer, legible, retry_after_s, unclear

T = TypeVar("T")

# Our keys may be longer than the 64 characters that Adyen takes.
_KEYS: Final = UUID("a1f0c1f2-7c2b-5b52-8a54-0b6b8e2f6d11")
# "Request already processed or in progress".
_DUPLICATE: Final = "704"
_LIMIT, _TIMEOUT = 429, 408

_Meaning: TypeAlias = tuple[type[HeadraceError], str, str]
_ACCESS: Final = (Misconfigured, "access_refused", "Adyen refuses the key or the account.")
_FOREIGN: Final = (Misconfigured, "foreign_answer", "Something other than Adyen answers.")
_ACCOUNT: Final = (Misconfigured, "account_incomplete", "The merchant account is not set up.")
_BUSY: Final = (Unavailable, "locked", "Adyen is busy with the same request.")
_LIMITED: Final = (Unavailable, "rate_limited", "Adyen limits the rate.")
_REFUSED: Final = (Rejected, "refused", "Adyen refuses the request.")
_BY_STATUS: Final = {401: _ACCESS, 403: _ACCESS, _LIMIT: _LIMITED}


class _Error(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    error_code: str
    error_type: str = ""


_ERROR: Final = msgspec.json.Decoder(_Error)


class Wire:
    """Requests of one merchant account.

    Args:
        base_url: Of another API than Checkout.
    """

    def __init__(self, settings: Settings, *, base_url: str = "") -> None:
        self._base = httpx.URL(base_url or settings.base_url)
        self._account = settings.merchant_account
        self._headers = [
            (b"x-api-key", settings.api_key.encode("ascii")),
            (b"content-type", b"application/json"),
        ]

    def post(self, path: str, body: bytes, *, key: str, made_by: str) -> httpx.Request:
        """A write; Adyen executes one key once."""
        headers = [*self._headers, (b"idempotency-key", self.key(key).encode("ascii"))]
        return request("POST", self._url(path), headers, body, made_by=made_by)

    def ask(self, path: str, body: bytes) -> httpx.Request:
        """A request without a key: a read, or a write of an API that knows none."""
        return request("POST", self._url(path), self._headers, body)

    def ask_time(self) -> httpx.Request:
        """The cheapest read there is; of its answer only the date counts."""
        body = msgspec.json.encode({"merchantAccount": self._account})
        return request("POST", self._url("/paymentMethods"), self._headers, body)

    def key(self, key: str) -> str:
        """The key as Adyen is given it; keys are one space for all accounts of a company."""
        return str(uuid5(_KEYS, f"{self._account}:{key}"))

    def _url(self, path: str) -> httpx.URL:
        prefix = self._base.path.rstrip("/")
        return self._base.copy_with(raw_path=f"{prefix}{path}".encode("ascii"))


def age_s(response: httpx.Response, since: str) -> float:
    """Seconds between a moment of ours and the date of the answer, by Adyen's clock.

    Raises:
        HeadraceError: What the answer means, if it is an error or has no date.
    """
    if not response.is_success:
        raise _meaning(response, wrote=False)
    return answers.age_s(response, since, title="Adyen")


def read(response: httpx.Response, decoder: msgspec.json.Decoder[T], *, wrote: bool) -> T:
    """What an API answers that knows no keys.

    Args:
        wrote: Whether the request can have moved something, so that a muddle means doubt.

    Raises:
        HeadraceError: What the answer means, if it is not the wanted one.
    """
    if not response.is_success:
        raise _meaning(response, wrote=wrote)
    try:
        return decoder.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unclear("Adyen's answer cannot be read.", "unreadable", wrote=wrote) from error


def written(response: httpx.Response, decoder: msgspec.json.Decoder[T], *, key: str) -> Answer[T]:
    """What a write answers.

    Args:
        key: As Adyen was given it, and gives it back.

    Raises:
        HeadraceError: What the answer means, if it is not the wanted one.
    """
    if not response.is_success:
        raise _meaning(response, wrote=True)
    if response.headers.get("idempotency-key", key) != key:
        raise InDoubt("Adyen's answer is to another request.", code="integrity_mismatch")
    try:
        return Answer(response.content, decoder.decode(response.content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InDoubt("Adyen's answer cannot be read.", code="unreadable") from error


def _meaning(response: httpx.Response, *, wrote: bool) -> HeadraceError:
    """What an error answer means for the caller."""
    error = legible(response, _ERROR)
    detail = f"{error.error_code} {error.error_type}"[:80] if error else ""
    meaning = _meaning_of(response, error)
    if meaning is None and wrote:
        return InDoubt("Adyen failed.", code="server_error", detail=detail)
    # A read moves nothing, so it can simply be asked again.
    kind, code, message = meaning or (Unavailable, "server_error", "Adyen failed.")
    if kind is Unavailable:
        pause = retry_after_s(response)
        return Unavailable(message, code=code, detail=detail, retry_after_s=pause)
    return kind(message, code=code, detail=detail)


def _meaning_of(response: httpx.Response, error: _Error | None) -> _Meaning | None:
    """The row of the table; None where it may have happened.

    Source: docs.adyen.com/development-resources/api-idempotency ("transient-error: true … has no
    side effects"; without it a 704 is not to be repeated) and /response-handling, read 2026-11.
    """
    status = response.status_code
    if response.headers.get("transient-error", "").lower() == "true":
        return _LIMITED if status == _LIMIT else _BUSY
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if error is not None and error.error_type == "configuration":
        return _ACCOUNT
    if status == _TIMEOUT or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return None
    if error is None:
        return _FOREIGN
    return None if error.error_code == _DUPLICATE else _REFUSED
