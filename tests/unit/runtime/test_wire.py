"""The wire without sockets: what it refuses to write. All else is in tests/e2e."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import yarl
from aiohttp import http

from gateway.runtime import wire
from gateway.runtime.wire import Wire


async def _send(request: httpx.Request) -> None:
    async with Wire() as wire:
        await wire.handle_async_request(request)


@pytest.mark.parametrize(
    ("expected", "request_"),
    [
        (httpx.UnsupportedProtocol, httpx.Request("GET", "ftp://example.invalid/")),
        (httpx.UnsupportedProtocol, httpx.Request("GET", "/relative")),
        (httpx.LocalProtocolError, httpx.Request("GET", "http:///x")),
        (httpx.LocalProtocolError, httpx.Request("GET", "http://h", headers=[(b"X", b"\xff")])),
        (httpx.LocalProtocolError, httpx.Request("GET", "http://h", headers=[(b"\xc3", b"1")])),
        (
            httpx.LocalProtocolError,
            httpx.Request("POST", "http://h", headers={"Content-Length": "3"}, content=b"four"),
        ),
    ],
)
async def test_what_cannot_be_written_is_refused_before_connecting(
    expected: type[httpx.TransportError], request_: httpx.Request
) -> None:
    """The mistake is ours, so nobody is called; a connection would raise ConnectError."""
    with pytest.raises(httpx.TransportError) as raised:
        await _send(request_)

    assert type(raised.value) is expected
    assert raised.value.request is request_


class _Connected:
    """A connection that takes what it is given, and knows no other side."""

    writing_paused = _paused = False

    def __init__(self) -> None:
        self.written = b""
        self.transport = self

    def is_connected(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return False

    def exception(self) -> None:
        return None

    def start_timeout(self) -> None:
        """Nobody waits for an answer here."""

    def write(self, data: bytes) -> None:
        self.written += data

    def writelines(self, parts: list[bytes]) -> None:
        self.written += b"".join(parts)


@pytest.mark.parametrize(("size", "at_once"), [(1, 1), (32 * 1024, 32 * 1024), (33 * 1024, 0)])
async def test_a_small_body_is_written_before_anybody_else_has_a_turn(
    size: int, at_once: int
) -> None:
    """A task would write it behind all that came meanwhile; a large body has to wait in one."""
    loop, connected = asyncio.get_running_loop(), cast("Any", _Connected())
    request = wire._Request("POST", yarl.URL("http://h/"), data=b"x" * size, loop=loop)
    progress = wire._Progress(None)
    token = wire._progress.set(progress)

    writing = request.write_bytes(
        http.StreamWriter(connected, loop),
        cast("Any", SimpleNamespace(protocol=connected, transport=connected)),
    )
    try:
        assert (at_once, at_once > 0) == (len(connected.written), progress.written)
        await writing
    finally:
        wire._progress.reset(token)
    assert connected.written == b"x" * size
    assert progress.written
    await request.close()
