"""An exchange: a conversation with a product, without I/O.

An adapter's verb is a generator. It yields requests, is sent responses and returns a model
object; who sends them is somebody else's business: the hub under asyncio, ``kit.blocking`` in a
script, or a test by hand.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, Final, TypeAlias, TypeVar

import httpx
import msgspec

from gateway.errors import InDoubt, Unavailable

T = TypeVar("T")

# In ``httpx.Request.extensions``: the mapping that the body was made by, for the span of the call.
MAPPING: Final = "headrace.mapping"

# Methods that change nothing. Source: RFC 9110 §9.2.1.
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

Exchange: TypeAlias = Generator[httpx.Request, httpx.Response, T]


# Headers that depend on a request and on the moment of sending, in seconds since the epoch.
Sign: TypeAlias = Callable[[httpx.Request, float], Mapping[str, str]]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What a login earned: headers for every further request of the system.

    Attributes:
        headers: Added to each request, such as an access token or a CSRF token with its cookies.
        expires_in_s: Seconds it may be used; None where only a refusal tells.
        origin: Scheme and host that the product asked us to use from now on; empty for none.
        sign: For products whose requests are signed with their date: what is added to a request
            that is complete. Each attempt is signed anew, as an adapter has no clock.
    """

    headers: Mapping[str, str]
    expires_in_s: float | None = None
    origin: str = ""
    sign: Sign | None = None

    def apply(
        self,
        request: httpx.Request,
        also: Mapping[bytes, bytes] | None = None,
        *,
        extensions: Mapping[str, Any] | None = None,
        now: float = 0.0,
    ) -> httpx.Request:
        """The request with this session; the given one stays as it is.

        Args:
            also: Further headers, names in lower case.
            extensions: In place of the request's.
            now: Seconds since the epoch; of use only where requests are signed.
        """
        added = {name.lower().encode(): value.encode() for name, value in self.headers.items()}
        url = None
        if self.origin:
            origin = httpx.URL(self.origin)
            url = request.url.copy_with(scheme=origin.scheme, host=origin.host, port=origin.port)
            added[b"host"] = url.netloc
        added.update(also or {})
        complete = with_headers(request, added, url=url, extensions=extensions)
        if self.sign is None:
            return complete
        signed = self.sign(complete, now).items()
        return with_headers(complete, {name.lower().encode(): v.encode() for name, v in signed})


def with_headers(
    request: httpx.Request,
    added: Mapping[bytes, bytes],
    *,
    url: httpx.URL | None = None,
    extensions: Mapping[str, Any] | None = None,
) -> httpx.Request:
    """A request like the given one with headers set, names in lower case."""
    kept = [each for each in request.headers._list if each[1] not in added]  # noqa: SLF001 - raw makes a list of other tuples
    kept.extend([(name, name, value) for name, value in added.items()])
    return httpx.Request(
        request.method,
        url or request.url,
        headers=headers_of(kept),
        stream=request.stream,
        extensions=dict(extensions or request.extensions),
    )


def headers_of(triples: Iterable[tuple[bytes, bytes, bytes]]) -> httpx.Headers:
    """Headers from name, name in lower case, and value, in order.

    httpx's own ways, by a mapping or by pairs, cost as much as all the rest of a request.
    """
    headers = httpx.Headers()
    headers._list = list(triples)  # noqa: SLF001 - the one thing that it keeps
    return headers


def half_done(error: Unavailable) -> InDoubt:
    """What it means that a product is away which has answered a write of the same exchange."""
    return InDoubt(error.message, code=error.code, detail=error.detail, system=error.system)
