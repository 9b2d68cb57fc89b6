"""How PAYONE speaks: JSON, requests signed with their date, and what its errors mean."""

from collections.abc import Mapping
from email.utils import formatdate
from typing import Final, TypeAlias, TypeVar

import httpx
import msgspec

from adapters.payone.settings import Settings
from gateway.errors import HeadraceError, Misconfigured, Rejected, Unavailable
from gateway.kit.adapter import Body, request, segment
from gateway.kit.answers import Answer, legible, retry_after_s, unclear
from gateway.kit.signatures import base64_sha256
from gateway.ports.exchange import Exchange, Session

T = TypeVar("T")

_Meaning: TypeAlias = tuple[type[HeadraceError], str, str]
_ACCESS: Final = (Misconfigured, "access_refused", "PAYONE refuses the key or the merchant.")
_FOREIGN: Final = (Misconfigured, "foreign_answer", "Something other than PAYONE answers.")
_LIMITED: Final = (Unavailable, "rate_limited", "PAYONE limits the rate.")
_LOCKED: Final = (Unavailable, "locked", "PAYONE is busy with the same thing.")
_REFUSED: Final = (Rejected, "refused", "PAYONE refuses the request.")
_BY_STATUS: Final = {401: _ACCESS, 403: _ACCESS, 423: _LOCKED, 429: _LIMITED}
_TIMEOUT: Final = 408


class _Problem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    error_code: str
    property_name: str = ""


class _Error(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    errors: tuple[_Problem, ...]


_ERROR: Final = msgspec.json.Decoder(_Error)


def login(settings: Settings) -> Exchange[Session]:
    """A session that signs; nothing is asked for it.

    The date is a part of what is signed, and an adapter has no clock: whoever sends hands it over.
    """
    yield from ()
    key, secret = settings.api_key_id, settings.api_secret.encode("ascii")

    def sign(one: httpx.Request, now: float) -> Mapping[str, str]:
        date = formatdate(now, usegmt=True)
        return {"Date": date, "Authorization": f"GCS v1HMAC:{key}:{signature(one, date, secret)}"}

    return Session(headers={}, sign=sign)


def signature(one: httpx.Request, date: str, secret: bytes) -> str:
    """The signature of a request; its body is no part of it.

    Source: PCP-server-nodeJS-SDK and PCP-ServerSDK-python (``RequestHeaderGenerator``), read
    2026-11; of two ways to write a query the one of nodeJS and of Worldline's documentation.
    """
    own = sorted((k, v) for k, v in one.headers.items() if k.startswith("x-gcs-"))
    lines = [one.method, one.headers.get("content-type", ""), date]
    lines += [f"{name}:{' '.join(value.split())}" for name, value in own]
    text = "\n".join([*lines, one.url.raw_path.decode("ascii"), ""])
    return base64_sha256(secret, text.encode())


class Wire:
    """Requests of one merchant."""

    def __init__(self, settings: Settings) -> None:
        self._origin = httpx.URL(settings.base_url)
        prefix = self._origin.raw_path.decode("ascii").rstrip("/")
        self._prefix = f"{prefix}/v1/{segment(settings.merchant_id)}"

    def post(self, path: str, body: Body) -> httpx.Request:
        """A write."""
        headers = [(b"content-type", b"application/json; charset=utf-8")]
        return request("POST", self._url(path), headers, body.content, made_by=body.made_by)

    def get(self, path: str, query: dict[str, str] | None = None) -> httpx.Request:
        """A read."""
        target = f"{path}?{httpx.QueryParams(query)}" if query else path
        return request("GET", self._url(target), [])

    def _url(self, target: str) -> httpx.URL:
        return self._origin.copy_with(raw_path=(self._prefix + target).encode("ascii"))


def answer(response: httpx.Response, decoder: msgspec.json.Decoder[T], *, wrote: bool) -> Answer[T]:
    """One object of theirs.

    Args:
        wrote: Whether the request can have moved something, so that a muddle means doubt.

    Raises:
        HeadraceError: What the answer means, if it is not the wanted one.
    """
    if not response.is_success:
        raise _meaning(response, wrote=wrote)
    try:
        return Answer(response.content, decoder.decode(response.content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unclear("PAYONE's answer cannot be read.", "unreadable", wrote=wrote) from error


def missing(response: httpx.Response) -> bool:
    """Whether PAYONE itself says that there is no such object."""
    return response.status_code == httpx.codes.NOT_FOUND and legible(response, _ERROR) is not None


def _meaning(response: httpx.Response, *, wrote: bool) -> HeadraceError:
    """What an error answer means for the caller."""
    error, status = legible(response, _ERROR), response.status_code
    first = error.errors[0] if error and error.errors else None
    detail = f"{first.error_code} {first.property_name}".strip()[:80] if first else ""
    if status == _TIMEOUT or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return unclear("PAYONE failed.", "server_error", wrote=wrote, detail=detail)
    meaning: _Meaning = _BY_STATUS.get(status, _REFUSED if error else _FOREIGN)
    kind, code, message = meaning
    if kind is Unavailable:
        pause = retry_after_s(response)
        return Unavailable(message, code=code, detail=detail, retry_after_s=pause)
    return kind(message, code=code, detail=detail)
