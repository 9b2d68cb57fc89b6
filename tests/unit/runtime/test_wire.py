"""The wire without sockets: what it refuses to write. All else is in tests/e2e."""

import httpx
import pytest

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
