"""Hot routes: from the bytes of a request to those of its answer, and nothing in between.

A route of this kind is ``async def serve(facade, request) -> Answer``. The pipeline itself serves a
POST to a path without parameters (``direct``); the router serves the others, and for all of them
what is not their method (ADR 0027).
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import litestar
from litestar.exceptions import ClientException, HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.status_codes import HTTP_204_NO_CONTENT, HTTP_413_REQUEST_ENTITY_TOO_LARGE
from litestar.types import ASGIApp, HTTPScope, Receive, Send

from gateway.api import problems
from gateway.api.facade import Facade
from gateway.runtime.answers import Answer

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
        # Name in lower case to value; of one that stands twice the last.
        self.headers: Mapping[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        wanted = name.encode("latin-1")
        return [value.decode("latin-1") for key, value in self.scope["headers"] if key == wanted]

    def parameter(self, name: str) -> str:
        """A part of the path."""
        return str(self.scope["path_params"][name])

    async def body(self) -> bytes:
        """The whole body.

        Raises:
            HTTPException: It is too large, or the client went away meanwhile.
        """
        announced = self.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._limit_bytes:
            raise HTTPException(status_code=HTTP_413_REQUEST_ENTITY_TOO_LARGE)
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                raise ClientException("The client went away.")
            parts.append(message.get("body", b""))
            size, more = size + len(parts[-1]), message.get("more_body", False)
            if size > self._limit_bytes:
                raise HTTPException(status_code=HTTP_413_REQUEST_ENTITY_TOO_LARGE)
        return b"".join(parts)


async def respond(answer: Answer, send: Send) -> None:
    """Send an answer; Content-Type is JSON unless it says otherwise."""
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in answer.headers.items()
    ]
    if answer.body and not any(name == b"content-type" for name, _ in headers):
        headers.append(_JSON)
    if answer.status != HTTP_204_NO_CONTENT:
        headers.append((b"content-length", str(len(answer.body)).encode("ascii")))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


Serve: TypeAlias = Callable[[Facade, Request], Awaitable[Answer]]


def direct(serve: Serve, facade: Facade) -> ASGIApp:
    """What serves a request that needs no router; its errors become problems here."""
    limit_bytes = facade.settings.body_limit_bytes

    async def handle(scope: Any, receive: Receive, send: Send) -> None:
        try:
            answer = await serve(facade, Request(scope, receive, limit_bytes))
        except Exception as error:  # noqa: BLE001 - whatever it is, the front-end gets a problem
            answer = problems.of_exception(error, scope["headrace_request_id"])
        await respond(answer, send)

    return handle


def post(path: str, serve: Serve, facade: Facade) -> HTTPRouteHandler:
    """The route that serves POST on a path."""
    return _served(litestar.post(path), serve, facade)


def put(path: str, serve: Serve, facade: Facade) -> HTTPRouteHandler:
    """The route that serves PUT on a path."""
    return _served(litestar.put(path), serve, facade)


def _served(
    route: Callable[[Any], HTTPRouteHandler], serve: Serve, facade: Facade
) -> HTTPRouteHandler:
    limit_bytes = facade.settings.body_limit_bytes

    @route
    async def handle(request: litestar.Request[Any, Any, Any]) -> litestar.Response[bytes]:
        answer = await serve(facade, Request(request.scope, request.receive, limit_bytes))
        return litestar.Response(
            answer.body,
            status_code=answer.status,
            headers=answer.headers,
            media_type="application/json",
        )

    return handle
