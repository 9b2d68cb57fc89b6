"""How Adyen's platform speaks: JSON, a key in a header, and what its errors mean."""

from datetime import timedelta
from typing import Final, TypeAlias, TypeVar
from urllib.parse import urlencode
from uuid import UUID, uuid5

import httpx
import msgspec

from adapters.adyen_platform.settings import Settings
from gateway.errors import HeadraceError, Misconfigured, Rejected, Unavailable
from gateway.kit.adapter import Body, request
from gateway.kit.answers import Answer, legible, moment, retry_after_s, unclear, utc

T = TypeVar("T")

# Ours may be longer than the 64 characters that Adyen takes.
_KEYS: Final = UUID("5b0a3c1e-52f2-5d0e-9d0e-3b1a60f4d7c2")
_JSON: Final = (b"content-type", b"application/json")
# Their clock may be behind ours; and nobody looks for what is older than this.
_SKEW, _WINDOW = timedelta(minutes=5), timedelta(days=60)
_Meaning: TypeAlias = tuple[type[HeadraceError], str, str]
_ACCESS: Final = (Misconfigured, "access_refused", "Adyen refuses the key or what it may do.")
_FOREIGN: Final = (Misconfigured, "foreign_answer", "Something other than Adyen answers.")
_LOCKED: Final = (Unavailable, "locked", "Adyen is busy with the same request.")
_LIMITED: Final = (Unavailable, "rate_limited", "Adyen limits the rate.")
_REFUSED: Final = (Rejected, "refused", "Adyen refuses the request.")
_BY_STATUS: Final = {401: _ACCESS, 403: _ACCESS, 409: _LOCKED, 423: _LOCKED, 429: _LIMITED}
_UNCLEAR: Final = {408, 425}


class _Error(msgspec.Struct, frozen=True, rename="camel"):
    error_code: str


_ERROR: Final = msgspec.json.Decoder(_Error)


class Wire:
    """Requests of one balance platform."""

    def __init__(self, settings: Settings) -> None:
        self._base = httpx.URL(settings.base_url)
        self._prefix = self._base.path.rstrip("/")
        self._account = settings.balance_account
        self._headers = [(b"x-api-key", settings.api_key.encode("ascii"))]

    def post(self, path: str, body: Body, *, key: str) -> httpx.Request:
        """A write; Adyen executes one key once."""
        given = str(uuid5(_KEYS, f"{self._account}:{key}")).encode("ascii")
        headers = [*self._headers, _JSON, (b"idempotency-key", given)]
        return request("POST", self._url(path), headers, body.content, made_by=body.made_by)

    def get(self, path: str) -> httpx.Request:
        """A read."""
        return request("GET", self._url(path), self._headers)

    def search(self, account: str, reference: str, requested_at: str) -> httpx.Request:
        """The transfers out of an account under our reference, since they were asked for."""
        since, until = utc(requested_at) - _SKEW, utc(requested_at) + _WINDOW
        query = {
            "balanceAccountId": account,
            "reference": reference,
            "createdSince": moment(since.timestamp()),
            "createdUntil": moment(until.timestamp()),
            "limit": "100",
        }
        return self.get(f"/transfers?{urlencode(query)}")

    def list_since(self, since: float, **narrower: str) -> httpx.Request:
        """A page of the transfers of the platform's own account, the newest first."""
        query = {
            "balanceAccountId": self._account,
            "createdSince": moment(since),
            "createdUntil": moment(since + _WINDOW.total_seconds()),
            "sortOrder": "desc",
            "limit": "100",
        }
        return self.get(f"/transfers?{urlencode(query | narrower)}")

    def _url(self, path: str) -> httpx.URL:
        return self._base.copy_with(raw_path=f"{self._prefix}{path}".encode("ascii"))


def read(response: httpx.Response, decoder: msgspec.json.Decoder[T], *, wrote: bool) -> Answer[T]:
    """The answer in the given shape; a muddle means doubt where the request wrote something.

    Raises:
        HeadraceError: What the answer means, if it is not the wanted one.
    """
    check(response, wrote=wrote)
    try:
        return Answer(response.content, decoder.decode(response.content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unclear("Adyen's answer cannot be read.", "unreadable", wrote=wrote) from error


def missing(response: httpx.Response) -> bool:
    """Whether Adyen itself says that there is no such transfer."""
    return response.status_code == httpx.codes.NOT_FOUND and legible(response, _ERROR) is not None


def check(response: httpx.Response, *, wrote: bool) -> None:
    """Raise what an error answer means for the caller.

    Source: docs.adyen.com/development-resources/api-idempotency ("transient-error: true … has no
    side effects") and /response-handling, read 2026-11.
    """
    if response.is_success:
        return
    error, status = legible(response, _ERROR), response.status_code
    detail = error.error_code[:80] if error else ""
    transient = response.headers.get("transient-error", "").lower() == "true"
    if not transient and (status in _UNCLEAR or status >= httpx.codes.INTERNAL_SERVER_ERROR):
        raise unclear("Adyen failed.", "server_error", wrote=wrote, detail=detail)
    fallback: _Meaning = _LOCKED if transient else _REFUSED if error else _FOREIGN
    kind, code, message = _BY_STATUS.get(status, fallback)
    if kind is Unavailable:
        pause = retry_after_s(response)
        raise Unavailable(message, code=code, detail=detail, retry_after_s=pause)
    raise kind(message, code=code, detail=detail)
