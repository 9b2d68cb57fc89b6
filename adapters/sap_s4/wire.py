"""How SAP S/4HANA speaks: requests with logon, and answers read into a value or one of four errors.

Source: SAP Help, "SAP Gateway Foundation" (CSRF token, error body, message container) and
"SAP NetWeaver AS ABAP, ICF" (logon, sap-client); message texts of locks and duplicates as quoted
in public issue threads; all read 2026-11.
"""

import base64
import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final, TypeVar

import httpx
import msgspec

from adapters.sap_s4.settings import Settings
from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable
from gateway.kit import odata
from gateway.kit.adapter import request
from gateway.ports.exchange import Exchange, Session

T = TypeVar("T")

READS: Final = frozenset({"GET", "HEAD"})
STALE: Final = frozenset({412, 428})
# A lock comes as 423 from some services, as 400 or 409 with this sentence from others. The texts
# are read in English because the request asks for our own sap-language.
_LOCKED: Final = re.compile(r"being processed|locked by|is locked", re.IGNORECASE)
_DUPLICATE: Final = re.compile(r"already exists|already entered|already assigned", re.IGNORECASE)
_SESSION_LOST: Final = re.compile(rb"session (not found|timed out|no longer exists)", re.IGNORECASE)
_CODE: Final = re.compile(r"[A-Za-z0-9_/.()-]{1,60}")
_TRANSACTION: Final = re.compile(r"[A-Fa-f0-9]{8,40}")


class Wire:
    """Requests of one system."""

    def __init__(self, settings: Settings) -> None:
        logon = base64.b64encode(f"{settings.user}:{settings.password}".encode())
        self._root = f"{settings.base_url}/sap/opu/odata/sap/"
        self._headers = [
            (b"accept", b"application/json"),
            (b"authorization", b"Basic " + logon),
            (b"sap-client", settings.client.encode()),
            (b"sap-language", settings.language.encode()),
        ]

    def read(
        self, path: str, options: Mapping[str, str] | None = None, *, method: str = "GET"
    ) -> httpx.Request:
        """A request that changes nothing."""
        address = f"{path}?{odata.query(options)}" if options else path
        return request(method, httpx.URL(self._root + address), self._headers)

    def write(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        *,
        key: str,
        match: str = "",
        made_by: str = "",
    ) -> httpx.Request:
        """A request that changes something.

        Args:
            key: Goes along as correlation id, for SAP's logs. SAP does not refuse repetitions by
                it: only a look-up by our reference prevents a double.
            match: Entity tag of the state that is to be changed.
            made_by: The mapping that the body comes from.
        """
        headers = [
            *self._headers,
            (b"content-type", b"application/json"),
            (b"x-correlationid", key.encode("ascii", "replace")),
        ]
        if match:
            headers.append((b"if-match", match.encode("latin-1", "replace")))
        content = msgspec.json.encode(body)
        return request(method, _url(self._root + path), headers, content, made_by=made_by)

    def fetch_token(self, path: str, method: str) -> httpx.Request:
        """A request for a CSRF token. The value is spelt ``Fetch``: some servers know no other."""
        headers = [*self._headers, (b"x-csrf-token", b"Fetch")]
        return request(method, httpx.URL(self._root + path), headers)


_url = lru_cache(maxsize=64)(httpx.URL)  # reading an address costs more than the whole request


def login(settings: Settings) -> Exchange[Session]:
    """Fetch the CSRF token together with the cookies that it is bound to.

    The order is HEAD with a slash, HEAD without, GET, because some front-ends redirect the first
    and some services refuse HEAD. A token on an error answer counts too.

    Source: SAP Cloud SDK, csrf-token-middleware, read 2026-11.
    """
    wire, service = Wire(settings), settings.sales_order_service
    for method, path in (("HEAD", f"{service}/"), ("HEAD", service), ("GET", f"{service}/")):
        response = yield wire.fetch_token(path, method)
        token = response.headers.get("x-csrf-token", "")
        if token and token.lower() != "required":
            return Session(headers={"X-CSRF-Token": token} | _cookies(response))
        # Asking on with a refused password would lock the user.
        if response.status_code in {401, 429, 503}:
            raise failure(response, write=False)
    if not response.is_success:
        raise failure(response, write=False)
    # The system does not protect its services by tokens; writes go without.
    return Session(headers=_cookies(response))


def _cookies(response: httpx.Response) -> dict[str, str]:
    pairs = [line.split(";", 1)[0].strip() for line in response.headers.get_list("set-cookie")]
    return {"Cookie": "; ".join(pairs)} if pairs else {}


def refused(response: httpx.Response) -> bool:
    """Whether the token or the session is no longer good; SAP did nothing in either case."""
    if response.status_code == httpx.codes.FORBIDDEN:
        return str(response.headers.get("x-csrf-token", "")).lower() == "required"
    if response.status_code != httpx.codes.BAD_REQUEST:
        return False
    # The internet communication manager, not the service, says that a session is gone.
    from_service = "json" in response.headers.get("content-type", "")
    return not from_service and _SESSION_LOST.search(response.content) is not None


def answer(response: httpx.Response, reader: Callable[[bytes], T], *, write: bool) -> T:
    """What the reader makes of a successful answer.

    Raises:
        HeadraceError: Anything but success, or an answer that cannot be read. After a write the
            latter is in doubt: it may well have happened.
    """
    if not response.is_success:
        raise failure(response, write=write)
    try:
        return reader(response.content)
    except ValueError as error:
        raise _not_understood(response, write=write) from error


def done(response: httpx.Response) -> None:
    """Accept a change: 204, or 200 with the entity.

    Raises:
        HeadraceError: As in ``answer``.
    """
    if response.status_code == httpx.codes.NO_CONTENT:
        return
    answer(response, odata.entity, write=True)


def text(record: Mapping[str, Any], name: str) -> str:
    """A property that the answer must have.

    Raises:
        ValueError: It is missing or empty.
    """
    value = record.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is missing in the answer")
    return value


def _not_understood(response: httpx.Response, *, write: bool) -> HeadraceError:
    if write:
        return InDoubt("SAP's answer to a write could not be read.", code="answer_unreadable")
    if "html" in response.headers.get("content-type", ""):
        return Misconfigured("SAP asked for a logon by form.", code="logon_page")
    return Unavailable("SAP's answer could not be read.", code="answer_unreadable")


def failure(response: httpx.Response, *, write: bool) -> HeadraceError:
    """The error that an unsuccessful answer means."""
    status = response.status_code
    error = odata.read_error(response.content)
    detail = _detail(status, error)
    if status in _UNAVAILABLE:
        sentence, code = _UNAVAILABLE[status]
        wait = retry_after_s(response)
        return Unavailable(sentence, code=code, detail=detail, retry_after_s=wait)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        return _broken(detail, write=write)
    if refused(response):
        return Unavailable("SAP gave no session.", code="session_refused", detail=detail)
    if status in _MISCONFIGURED or status < httpx.codes.BAD_REQUEST:
        sentence, code = _MISCONFIGURED.get(status, ("SAP sent us elsewhere.", "redirected"))
        return Misconfigured(sentence, code=code, detail=detail)
    return _refusal(status, error, detail)


_UNAVAILABLE: Final = {
    423: ("The document is locked in SAP.", "locked"),
    429: ("SAP takes no more requests for now.", "throttled"),
    503: ("SAP has no free work process or is in maintenance.", "system_unavailable"),
}
_MISCONFIGURED: Final = {
    401: ("SAP refused user or password.", "credentials_refused"),
    403: ("The user lacks an authorization in SAP.", "forbidden"),
}


def _broken(detail: str, *, write: bool) -> HeadraceError:
    if write:
        return InDoubt("SAP failed while it worked on a write.", code="server_error", detail=detail)
    return Unavailable("SAP failed while it read.", code="server_error", detail=detail)


def _refusal(status: int, error: odata.ODataError, detail: str) -> HeadraceError:
    """What a 4xx means that the status alone does not tell."""
    said = " ".join((error.text, *error.errors))
    if _LOCKED.search(said):
        return Unavailable("The document is locked in SAP.", code="locked", detail=detail)
    # Without a code the answer is from the ICM; /IWFND/ is the framework before the service.
    by_framework = not error.code or error.code.startswith("/IWFND/")
    if status == httpx.codes.NOT_FOUND and by_framework:
        return Misconfigured("SAP has no such service.", code="service_unknown", detail=detail)
    if status == httpx.codes.NOT_FOUND:
        return Rejected("SAP has no such entity.", code="not_found", detail=detail)
    if status in STALE:
        return Rejected("Somebody changed it in SAP meanwhile.", code="stale", detail=detail)
    if status == httpx.codes.CONFLICT or _DUPLICATE.search(said):
        return Rejected("SAP has one already.", code="duplicate", detail=detail)
    return Rejected("SAP refused the document.", code="refused_by_system", detail=detail)


def _detail(status: int, error: odata.ODataError) -> str:
    """Status, codes and transaction id. Not SAP's sentences: they may quote names."""
    codes = dict.fromkeys((error.code, *(each.code for each in error.details)))
    parts = [f"HTTP {status}", *(code for code in codes if _CODE.fullmatch(code))]
    if _TRANSACTION.fullmatch(error.transaction_id):
        parts.append(f"transaction {error.transaction_id}")
    return ", ".join(parts)[:200]


def retry_after_s(response: httpx.Response) -> float | None:
    """Seconds of Retry-After; a date is taken relative to the server's own Date."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        now = parsedate_to_datetime(response.headers.get("date", ""))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None
