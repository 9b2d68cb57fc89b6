"""Errors as the front-end sees them: RFC 9457, on every route, made in this one place."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from opentelemetry import trace

from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable
from gateway.policy.validation import FieldError, Invalid
from gateway.runtime.answers import Answer
from gateway.runtime.database import OUTAGES

_log = structlog.get_logger()
MEDIA_TYPE: Final = "application/problem+json"

# code: (status, title, what to do). The page of each type is served under /problems/{code}.
CATALOGUE: Final[dict[str, tuple[int, str, str]]] = {
    "invalid": (422, "The request is wrong", "Correct the fields under errors and send again."),
    "not_json": (400, "The body is not JSON", "Send one JSON object in UTF-8."),
    "key_missing": (
        400,
        "Idempotency-Key is missing",
        "Send a key of your own, such as a UUID, and the same key when you repeat the request.",
    ),
    "key_reused": (
        422,
        "Idempotency-Key was used for another request",
        "Send a new key, or the body that you sent first.",
    ),
    "in_flight": (409, "The same request is under way", "Wait and repeat it with the same key."),
    "wrong_state": (
        409,
        "It is in a state in which this cannot be done",
        "Show it, and decide by its state.",
    ),
    "same_client": (
        403,
        "Another client has to do this",
        "Whoever asked cannot approve: use the key of another client.",
    ),
    "unauthorized": (401, "Who is asking", "Send Authorization: Bearer with your key."),
    "signature": (401, "The signature is wrong", "Check the secret of the webhook endpoint."),
    "not_found": (404, "There is no such thing", "Check the identifier and the path."),
    "method_not_allowed": (405, "The method is not allowed here", "See Allow."),
    "too_large": (413, "The body is too large", "Send less than the limit."),
    "unsupported_media_type": (415, "The content type is not taken", "Send application/json."),
    "overloaded": (503, "Too busy right now", "Repeat after the pause in Retry-After."),
    "unavailable": (503, "A system behind is away", "Repeat after the pause in Retry-After."),
    "in_doubt": (502, "The outcome is not known", "Ask for the operation; do not repeat."),
    "rejected": (422, "A system behind refused", "See detail; repeating changes nothing."),
    "misconfigured": (500, "Our configuration is wrong", "We have been told; nothing was done."),
    "internal": (
        500,
        "Something broke on our side",
        "We have been told; repeat with the same key.",
    ),
}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem document.

    Attributes:
        type: Where the kind of problem is explained.
        code: Its name, for programs.
        instance: This request.
        errors: What is wrong in detail, each with its JSON pointer.
        trace_id: For the person who has to find it.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str = ""
    trace_id: str = ""
    errors: tuple[FieldError, ...] = ()


def problem(
    code: str, *, detail: str = "", errors: tuple[FieldError, ...] = (), request_id: str = ""
) -> Problem:
    """The problem of this code, with what to do unless something better is known."""
    status, title, advice = CATALOGUE[code]
    context = trace.get_current_span().get_span_context()
    return Problem(
        type=f"/problems/{code}",
        title=title,
        status=status,
        detail=detail or advice,
        code=code,
        instance=f"urn:headrace:request:{request_id}" if request_id else "",
        trace_id=f"{context.trace_id:032x}" if context.is_valid else "",
        errors=errors,
    )


def answer(document: Problem, headers: Mapping[str, str] | None = None) -> Answer:
    """The problem as it is sent."""
    return Answer(
        status=document.status,
        headers={"Content-Type": MEDIA_TYPE, **(headers or {})},
        body=msgspec.json.encode(document),
    )


_CODE_OF_STATUS: Final = {
    400: "not_json",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    503: "overloaded",
}


def of_exception(error: Exception, request_id: str) -> Answer:
    """What an exception is answered with; none of its text goes out unless it is ours."""
    if isinstance(error, Invalid):
        syntax = any(one.code == "not_json" for one in error.errors)
        code = "not_json" if syntax else "invalid"
        return answer(problem(code, errors=error.errors, request_id=request_id))
    if isinstance(error, HeadraceError):
        return _of_headrace(error, request_id)
    if isinstance(error, OUTAGES):
        return answer(problem("unavailable", request_id=request_id), {"Retry-After": "1"})
    if isinstance(error, HTTPException) and error.status_code in _CODE_OF_STATUS:
        allowed = {k: v for k, v in (error.headers or {}).items() if k.lower() == "allow"}
        return answer(problem(_CODE_OF_STATUS[error.status_code], request_id=request_id), allowed)
    _log.error("api.defect", request_id=request_id, exc_info=error)
    return answer(problem("internal", request_id=request_id))


def of_request(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The same for the router."""
    made = of_exception(error, str(request.scope.get("headrace_request_id", "")))
    headers = {name: value for name, value in made.headers.items() if name != "Content-Type"}
    return Response(made.body, status_code=made.status, headers=headers, media_type=MEDIA_TYPE)


_HEADER_ERRORS: Final = {
    code: (FieldError("", "wrong_header", CATALOGUE[code][2], header),)
    for code, header in (
        ("key_missing", "Idempotency-Key"),
        ("key_reused", "Idempotency-Key"),
        ("unsupported_media_type", "Content-Type"),
        ("unauthorized", "Authorization"),
    )
}


def _of_headrace(error: HeadraceError, request_id: str) -> Answer:
    headers: dict[str, str] = {}
    if error.code in CATALOGUE:
        code = error.code
    elif isinstance(error, Unavailable):
        code = "unavailable"
    elif isinstance(error, InDoubt):
        code = "in_doubt"
    elif isinstance(error, Rejected):
        code = "rejected"
    else:
        code = "misconfigured"
        _log.error("api.misconfigured", code=error.code)
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(max(1, round(error.retry_after_s or 1)))
    if code == "unauthorized":
        headers["WWW-Authenticate"] = "Bearer"
    hidden = isinstance(error, Misconfigured)
    detail = "" if hidden else error.message
    errors = _HEADER_ERRORS.get(code, ())
    return answer(problem(code, detail=detail, errors=errors, request_id=request_id), headers)
