"""Evidence: what is kept of each attempt so that a person can read it later, redacted."""

from operator import attrgetter
from typing import Final, TypeAlias

import httpx
import msgspec

from gateway.policy.redaction import redact_body, redact_headers, redact_url

# What is larger is redacted at once: evidence that waits must not fill the memory.
_WAITING_BYTES: Final = 16 * 1024
_NUL: Final = rb"\u0000"

# Start line and headers; the body as JSON or as text.
Parts: TypeAlias = tuple[str, str | msgspec.Raw]


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


class Transcript:
    """A request or an answer as HTTP writes it; its text is redacted, and nothing else shows.

    Redacted when it is read, because that is not until it is written: many together, while no
    call waits for it, at half the cost of one between two waits (docs/reference/performance.md).

    Args:
        message: Has been read whole. None where no answer came.
        readable: Names of fields that may show their text.
    """

    __slots__ = ("_message", "_parts", "_readable")

    def __init__(
        self, message: httpx.Request | httpx.Response | None, readable: frozenset[str]
    ) -> None:
        self._message = message
        self._readable = readable
        self._parts: Parts = "", ""
        if message is not None and len(_body(message)) > _WAITING_BYTES:
            self._parts, self._message = _parts(message, readable), None

    @property
    def parts(self) -> Parts:
        """What is shown; JSON stays JSON, because spelling it as a text is what costs."""
        return self._parts if self._message is None else _parts(self._message, self._readable)

    def __str__(self) -> str:
        head, body = self.parts
        return head + (body if isinstance(body, str) else bytes(body).decode("utf-8"))

    __repr__ = __str__


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt as a person may read it.

    Attributes:
        at: Seconds since the epoch.
        outcome: An ``Outcome``, or ``interrupted``.
        status: 0 where no answer came.
        request: Method, URL, headers and body.
        response: Status, headers and body; empty where no answer came.
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
    request: Transcript
    response: Transcript
    error: str
    trace_id: str
    span_id: str
    mapping: str = ""


_encode = msgspec.json.Encoder(enc_hook=attrgetter("parts")).encode


def encode(evidence: Evidence) -> bytes:
    """The evidence as a row of JSON, redacted; a transcript is a list of its two parts."""
    return _encode(evidence)


def _body(message: httpx.Request | httpx.Response) -> bytes:
    try:
        return message.content
    except httpx.RequestNotRead:  # nobody came so far as to read it
        return b""


def _parts(message: httpx.Request | httpx.Response, readable: frozenset[str]) -> Parts:
    if isinstance(message, httpx.Request):
        start = f"{message.method} {redact_url(message.url, readable)}"
    else:
        start = str(message.status_code)
    pairs = message.headers.raw
    content_type = next((value for name, value in pairs if name.lower() == b"content-type"), b"")
    head = f"{start}\n{redact_headers(pairs)}\n\n".replace("\x00", "")
    body = redact_body(content_type.decode("latin-1"), _body(message), readable)
    # NUL cannot stand in PostgreSQL's text; one would take the others of its batch along.
    if isinstance(body, str):
        return head, body.replace("\x00", "")
    if _NUL in body:  # which PostgreSQL's JSON cannot have either, but a text that says so can
        return head, body.decode("utf-8")
    return head, msgspec.Raw(body)
