"""How PayPal speaks: JSON, a Bearer token of a login, and what its errors mean for the caller."""

import base64
import uuid
from typing import Final, TypeAlias, TypeVar

import httpx
import msgspec

from adapters.paypal.settings import Settings
from gateway.errors import Misconfigured, Rejected, Unavailable
from gateway.kit import answers
from gateway.kit.adapter import Body, request
from gateway.kit.answers import legible, retry_after_s, unclear
from gateway.ports.exchange import Exchange, Session

T = TypeVar("T")
Pairs: TypeAlias = tuple[tuple[bytes, bytes], ...]

# Ours may be longer than the 108 characters that PayPal takes.
_KEYS: Final = uuid.UUID("7d1f4f0a-6f4b-5e1c-8f0e-2b6f5c0f9a31")
_JSON: Final = (b"content-type", b"application/json")
_FORM: Final = (b"content-type", b"application/x-www-form-urlencoded")
_GRANT: Final = b"grant_type=client_credentials"
# A token ends so much earlier for us: a request under way shall still be let in.
_MARGIN_S: Final = 60.0

_ACCESS: Final = (Misconfigured, "access_refused", "PayPal refuses the app or what it may do.")
_FOREIGN: Final = (Misconfigured, "foreign_answer", "Something other than PayPal answers.")
_LOCKED: Final = (Unavailable, "locked", "PayPal is busy with the same thing.")
_LIMITED: Final = (Unavailable, "rate_limited", "PayPal limits the rate.")
_REFUSED: Final = (Rejected, "refused", "PayPal refuses the request.")
_BY_STATUS: Final = {401: _ACCESS, 403: _ACCESS, 409: _LOCKED, 423: _LOCKED, 429: _LIMITED}
# Request timeout, and what a proxy in front says.
_UNCLEAR: Final = {408, 425}


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float


class _Detail(msgspec.Struct, frozen=True):
    issue: str = ""


class _Error(msgspec.Struct, frozen=True):
    name: str
    details: tuple[_Detail, ...] = ()


_TOKEN: Final = msgspec.json.Decoder(_Token)
_ERROR: Final = msgspec.json.Decoder(_Error)


def login(settings: Settings) -> Exchange[Session]:
    """Earn an access token by the app's id and secret.

    Source: developer.paypal.com/api/rest/authentication, read 2026-11.
    """
    secret = base64.b64encode(f"{settings.client_id}:{settings.client_secret}".encode())
    headers = [(b"authorization", b"Basic " + secret), (b"accept", b"application/json"), _FORM]
    url = httpx.URL(f"{settings.base_url.rstrip('/')}/v1/oauth2/token")
    response = yield request("POST", url, headers, _GRANT)
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        message, pause = "PayPal's login is not available.", retry_after_s(response)
        raise Unavailable(message, code="login_unavailable", retry_after_s=pause)
    if not response.is_success:
        message = "PayPal refuses the client id or its secret."
        raise Misconfigured(message, code="credentials_refused", detail=f"HTTP {status}")
    try:
        token = _TOKEN.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unavailable("PayPal's login cannot be read.", code="unreadable") from error
    return Session(
        headers={"Authorization": f"Bearer {token.access_token}"},
        expires_in_s=max(token.expires_in - _MARGIN_S, 0.0),
    )


def refused(response: httpx.Response) -> bool:
    """Whether the token is no longer good; nothing has happened then."""
    return response.status_code == httpx.codes.UNAUTHORIZED


class Wire:
    """Requests of one account."""

    def __init__(self, settings: Settings) -> None:
        self._origin = httpx.URL(settings.base_url)
        self._prefix = self._origin.raw_path.rstrip(b"/")
        self._client = settings.client_id
        # Else answers to writes have an id and a status only.
        self._headers = [(b"accept", b"application/json"), (b"prefer", b"return=representation")]

    def post(self, path: str, body: Body, *, key: str, more: Pairs = ()) -> httpx.Request:
        """A write; PayPal executes one key once, for as long as it keeps it."""
        given = str(uuid.uuid5(_KEYS, f"{self._client}:{key}")).encode("ascii")
        headers = [*self._headers, (b"paypal-request-id", given), _JSON, *more]
        return request("POST", self._url(path), headers, body.content, made_by=body.made_by)

    def post_input(self, path: str, body: Body, *, key: str) -> httpx.Request:
        """A write that could have files beside its JSON; the same bytes for the same key."""
        given = uuid.uuid5(_KEYS, f"{self._client}:{key}").hex.encode("ascii")
        part = b'Content-Disposition: form-data; name="input"\r\nContent-Type: application/json'
        content = b"--%b\r\n%b\r\n\r\n%b\r\n--%b--\r\n" % (given, part, body.content, given)
        headers = [*self._headers, (b"content-type", b"multipart/form-data; boundary=" + given)]
        return request("POST", self._url(path), headers, content, made_by=body.made_by)

    def delete(self, path: str, *, key: str) -> httpx.Request:
        """An end; see ``post``."""
        given = str(uuid.uuid5(_KEYS, f"{self._client}:{key}")).encode("ascii")
        return request("DELETE", self._url(path), [*self._headers, (b"paypal-request-id", given)])

    def get(self, path: str) -> httpx.Request:
        """A read."""
        return request("GET", self._url(path), self._headers[:1])

    def _url(self, target: str) -> httpx.URL:
        return self._origin.copy_with(raw_path=self._prefix + target.encode("ascii"))


def read(response: httpx.Response, decoder: msgspec.json.Decoder[T], *, wrote: bool) -> T:
    """The answer in the given shape; a muddle means doubt where the request wrote something.

    Raises:
        HeadraceError: What the answer means, if it is not the wanted one.
    """
    check(response, wrote=wrote)
    try:
        return decoder.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unclear("PayPal's answer cannot be read.", "unreadable", wrote=wrote) from error


def missing(response: httpx.Response) -> bool:
    """Whether PayPal itself says that there is no such thing."""
    return response.status_code == httpx.codes.NOT_FOUND and legible(response, _ERROR) is not None


def issue(response: httpx.Response) -> str:
    """The first thing that PayPal holds against a request; empty for none."""
    error = None if response.is_success else legible(response, _ERROR)
    return error.details[0].issue if error and error.details else ""


def age_s(response: httpx.Response, since: str) -> float:
    """Seconds between a moment of ours and the date of the answer, by PayPal's clock.

    Raises:
        HeadraceError: What the answer means, if it is an error or has no date.
    """
    check(response, wrote=False)
    return answers.age_s(response, since, title="PayPal")


def check(response: httpx.Response, *, wrote: bool) -> None:
    """Raise what an error answer means for the caller.

    Source: developer.paypal.com/api/rest/responses, read 2026-11.
    """
    if response.is_success:
        return
    error, status = legible(response, _ERROR), response.status_code
    # Never their message: it can quote what was sent.
    detail = f"{error.name} {issue(response)}".strip()[:80] if error else ""
    if status in _UNCLEAR or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise unclear("PayPal failed.", "server_error", wrote=wrote, detail=detail)
    kind, code, message = _BY_STATUS.get(status, _REFUSED if error else _FOREIGN)
    if kind is Unavailable:
        pause = retry_after_s(response)
        raise Unavailable(message, code=code, detail=detail, retry_after_s=pause)
    raise kind(message, code=code, detail=detail)
