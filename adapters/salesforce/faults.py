"""What Salesforce's errors mean for whoever called: the one place that reads them.

Source: REST API Developer Guide, "Status Codes and Error Responses" and "sObject Rows by External
ID", version 67.0; SOAP API Developer Guide, "Core Data Types", for the codes; read 2026-11.
"""

from typing import Final, TypeAlias

import httpx
import msgspec

from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable
from gateway.kit.answers import retry_after_s

# The daily limit counts over the last 24 hours, so it frees a little each hour.
DAILY_LIMIT_RETRY_S = 3600.0
CONCURRENT_LIMIT_RETRY_S = 5.0
LOCKED_RETRY_S = 1.0

_Meaning: TypeAlias = tuple[type[HeadraceError], str, str]
_LIMIT: Final = (Unavailable, "request_limit", "Salesforce's limit of API requests is used up.")
_LOCKED: Final = (Unavailable, "locked", "Another transaction in Salesforce holds the record.")
_NOT_AVAILABLE: Final = (Unavailable, "server_unavailable", "Salesforce is not available.")
_FAILED_WRITING: Final = (InDoubt, "server_error", "Salesforce failed while writing.")
_SEVERAL: Final = (
    InDoubt, "duplicate_in_system", "Several records in Salesforce carry the same external id.",
)  # fmt: skip
_DUPLICATE: Final = (Rejected, "duplicate", "A duplicate rule in Salesforce refused the record.")
_INVALID: Final = (Rejected, "field_invalid", "Salesforce refused the record.")
_NOT_PERMITTED: Final = (
    Misconfigured, "not_permitted",
    "Salesforce does not let this client do this: check its fields and permissions.",
)  # fmt: skip

# Their 400 that say something about the set-up of the org or of us, not about the record.
_SET_UP = """
    API_DISABLED_FOR_ORG INSUFFICIENT_ACCESS INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY
    INSUFFICIENT_ACCESS_OR_READONLY INVALID_FIELD INVALID_FIELD_FOR_INSERT_UPDATE INVALID_TYPE
    JSON_PARSER_ERROR
    """.split()
_BY_CODE: Final[dict[str, _Meaning]] = {
    "REQUEST_LIMIT_EXCEEDED": _LIMIT,
    "UNABLE_TO_LOCK_ROW": _LOCKED,
    "SERVER_UNAVAILABLE": _NOT_AVAILABLE,
    "DUPLICATES_DETECTED": _DUPLICATE,
    **dict.fromkeys(_SET_UP, _NOT_PERMITTED),
}
_BY_STATUS: Final[dict[int, _Meaning]] = {300: _SEVERAL, 400: _INVALID, 429: _LIMIT}
_BUSY_LOGIN = frozenset({"rate_limit_exceeded", "server_error", "temporarily_unavailable"})


class _Fault(msgspec.Struct, frozen=True, rename="camel"):
    error_code: str = ""
    message: str = ""


class _LoginFault(msgspec.Struct, frozen=True):
    error: str = ""


_FAULTS = msgspec.json.Decoder(list[_Fault])
_LOGIN_FAULT = msgspec.json.Decoder(_LoginFault)


def refused(response: httpx.Response) -> bool:
    """Whether the token is no longer good; Salesforce checks it before anything happens."""
    return (
        response.status_code == httpx.codes.UNAUTHORIZED
        and _fault(response).error_code == "INVALID_SESSION_ID"
    )


def missing(response: httpx.Response) -> bool:
    """Whether a look-up found nothing; a field that does not exist has the same status."""
    fault = _fault(response)
    return (
        response.status_code == httpx.codes.NOT_FOUND
        and fault.error_code == "NOT_FOUND"
        and not fault.message.startswith("Provided external ID field does not exist")
    )


def check(response: httpx.Response, *, writes: bool) -> None:
    """Accept a 2xx answer or raise what the caller does next.

    Args:
        response: Of the REST API, not of the login.
        writes: Whether the request may have had an effect.
    """
    if not response.is_success:
        raise _error(response, writes=writes)


def check_after_write(response: httpx.Response) -> None:
    """Accept a 2xx answer to a read that follows a write; whatever else it is, that happened."""
    if not response.is_success:
        error = _error(response, writes=True)
        raise InDoubt(
            "Salesforce wrote the record and then did not show it.",
            code=error.code,
            detail=error.detail,
        )


def check_login(response: httpx.Response) -> None:
    """Accept a 200 answer to the login or raise what the caller does next."""
    status = response.status_code
    if status == httpx.codes.OK:
        return
    code = _login_code(response)
    detail = code or f"HTTP {status}"
    busy = status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR
    if busy or code in _BUSY_LOGIN:
        raise Unavailable(
            "Salesforce's login is not available.",
            code="login_unavailable",
            detail=detail,
            retry_after_s=retry_after_s(response),
        )
    raise Misconfigured(
        "Salesforce refuses the client id, its secret or the flow.",
        code="credentials_refused",
        detail=detail,
    )


def unreadable(*, writes: bool) -> HeadraceError:
    """What a 2xx answer means that is not the one documented."""
    kind = InDoubt if writes else Unavailable
    return kind("Salesforce answered with something unreadable.", code="answer_unreadable")


def _error(response: httpx.Response, *, writes: bool) -> HeadraceError:
    fault = _fault(response)
    kind, code, said = _meaning(response.status_code, fault.error_code, writes=writes)
    # Never their message: it can quote values of the record.
    detail = fault.error_code or f"HTTP {response.status_code}"
    if kind is Unavailable:
        wait_s = _wait_s(response, fault)
        return Unavailable(said, code=code, detail=detail, retry_after_s=wait_s)
    return kind(said, code=code, detail=detail)


def _meaning(status: int, theirs: str, *, writes: bool) -> _Meaning:
    known = _BY_CODE.get(theirs) or _BY_STATUS.get(status)
    if known:
        return known
    if status < httpx.codes.INTERNAL_SERVER_ERROR:
        return _NOT_PERMITTED
    return _FAILED_WRITING if writes else _NOT_AVAILABLE


def _wait_s(response: httpx.Response, fault: _Fault) -> float | None:
    usual = {
        "UNABLE_TO_LOCK_ROW": LOCKED_RETRY_S,
        # The message names the limit: "TotalRequests Limit exceeded.", "ConcurrentRequests (…".
        "REQUEST_LIMIT_EXCEEDED": CONCURRENT_LIMIT_RETRY_S
        if fault.message.startswith("Concurrent")
        else DAILY_LIMIT_RETRY_S,
    }
    asked = retry_after_s(response)
    return usual.get(fault.error_code) if asked is None else asked


def _fault(response: httpx.Response) -> _Fault:
    try:
        faults = _FAULTS.decode(response.content)
    except msgspec.MsgspecError:
        return _Fault()  # a proxy's page, or the list of records that goes with 300
    return faults[0] if faults else _Fault()


def _login_code(response: httpx.Response) -> str:
    try:
        return _LOGIN_FAULT.decode(response.content).error
    except msgspec.MsgspecError:
        return ""
