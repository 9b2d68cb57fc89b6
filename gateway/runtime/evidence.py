"""Evidence: what is kept of each attempt so that a person can read it later, redacted."""

import httpx
import msgspec

from gateway.policy.redaction import redact_body, redact_headers, redact_url


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub knows about a call.

    Attributes:
        business_id: Such as an order id, for evidence and the timeline.
        step: Of the flow.
        key: Idempotency key of the effect.
        readable: Names of fields that may stand in evidence; see ``Adapter.readable``.
    """

    tenant: str
    system: str
    product: str
    port: str
    verb: str
    business_id: str = ""
    step: str = ""
    key: str = ""
    readable: frozenset[str] = frozenset()


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt as a person may read it.

    Attributes:
        at: Seconds since the epoch.
        outcome: An ``Outcome``, or ``interrupted``.
        status: 0 where no answer came.
        request: Method, URL, headers and body as an HTTP transcript, redacted; so is ``response``.
        error: Name of the exception, if there was one.
        mapping: What made the request: name, version and identity of a mapping, which is a hash of
            its files, overlays, values and schemas. With the same configuration ``headrace
            explain`` says for each field where it comes from. Empty where no mapping did.
    """

    evidence_id: str
    tenant: str
    system: str
    product: str
    verb: str
    business_id: str
    step: str
    key: str
    attempt: int
    at: float
    duration_ms: float
    outcome: str
    status: int
    request: str
    response: str
    error: str
    trace_id: str
    span_id: str
    mapping: str = ""


def request_text(request: httpx.Request, readable: frozenset[str]) -> str:
    """The request as a transcript; only fields named in ``readable`` show their text."""
    try:
        body = request.content
    except httpx.RequestNotRead:  # nobody came so far as to read it
        body = b""
    return _transcript(
        f"{request.method} {redact_url(request.url, readable)}", request.headers, body, readable
    )


def response_text(response: httpx.Response, readable: frozenset[str]) -> str:
    """The response as a transcript; only fields named in ``readable`` show their text."""
    return _transcript(str(response.status_code), response.headers, response.content, readable)


def _transcript(start: str, headers: httpx.Headers, body: bytes, readable: frozenset[str]) -> str:
    pairs = headers.raw
    content_type = next((value for name, value in pairs if name.lower() == b"content-type"), b"")
    shown = redact_body(content_type.decode("latin-1"), body, readable)
    # NUL cannot stand in PostgreSQL's text; one would take the others of its batch along.
    return f"{start}\n{redact_headers(pairs)}\n\n{shown}".replace("\x00", "")
