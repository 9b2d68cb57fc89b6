"""Hot routes: from the bytes of a request to those of its answer, and nothing in between.

Litestar routes them and answers their errors; it does not build a request, inject what they need
or render what they return, which costs 30 µs a request (``python benchmarks/facade.py``). A route
of this kind is ``async def serve(facade, request) -> Answer``.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any, Final, TypeAlias, cast

import msgspec
from litestar import asgi
from litestar.exceptions import ClientException, HTTPException, MethodNotAllowedException
from litestar.handlers import ASGIRouteHandler
from litestar.status_codes import HTTP_204_NO_CONTENT, HTTP_413_REQUEST_ENTITY_TOO_LARGE
from litestar.types import HTTPScope, Receive, Scope, Send

from gateway.api.facade import Facade

_ALLOW: Final = "OPTIONS, POST"
_JSON: Final = (b"content-type", b"application/json")


class Request:
    """A request as it came.

    Args:
        scope: Of ASGI.
        receive: The same.
        limit_bytes: A larger body is refused.
    """

    def __init__(self, scope: HTTPScope, receive: Receive, limit_bytes: int) -> None:
        self.scope: Any = scope
        self._receive = receive
        self._limit_bytes = limit_bytes

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """Name in lower case to value; of one that stands twice the last."""
        return {
            name.decode("latin-1"): value.decode("latin-1") for name, value in self.scope["headers"]
        }

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        wanted = name.encode("latin-1")
        return [value.decode("latin-1") for key, value in self.scope["headers"] if key == wanted]

    async def body(self) -> bytes:
        """The whole body.

        Raises:
            HTTPException: It is too large, or the client went away meanwhile.
        """
        announced = self.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > self._limit_bytes:
            raise HTTPException(status_code=HTTP_413_REQUEST_ENTITY_TOO_LARGE)
        body, more = b"", True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                raise ClientException("The client went away.")
            part = message.get("body", b"")
            body, more = body + part if body else part, message.get("more_body", False)
            if len(body) > self._limit_bytes:
                raise HTTPException(status_code=HTTP_413_REQUEST_ENTITY_TOO_LARGE)
        return body


class Answer(msgspec.Struct, frozen=True):
    """What is answered.

    Attributes:
        headers: Beyond Content-Type, which is JSON where there is a body, and Content-Length.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}

    async def send(self, send: Send) -> None:
        """Send it."""
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in self.headers.items()
        ]
        if self.body:
            headers.append(_JSON)
        if self.status != HTTP_204_NO_CONTENT:
            headers.append((b"content-length", str(len(self.body)).encode("ascii")))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


Serve: TypeAlias = Callable[[Facade, Request], Awaitable[Answer]]


def post(path: str, serve: Serve, facade: Facade) -> ASGIRouteHandler:
    """The route that serves POST on a path."""
    limit_bytes = facade.settings.body_limit_bytes

    @asgi(path, copy_scope=False, methods=("POST",))
    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        http = cast("HTTPScope", scope)  # we serve nothing else
        if http["method"] == "POST":
            answer = await serve(facade, Request(http, receive, limit_bytes))
        elif http["method"] == "OPTIONS":
            answer = Answer(204, headers={"Allow": _ALLOW})
        else:
            raise MethodNotAllowedException(headers={"Allow": _ALLOW})
        await answer.send(send)

    return handle
