"""The wire against real sockets: every way in which a connection fails, and what must never be.

The upstream is written by hand, byte by byte, because a well-behaved server cannot misbehave.
"""

import asyncio
import gzip
import socket
import ssl
import struct
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.kit.adapter import request
from gateway.runtime.wire import Wire

LIMITS = {"connect": 2.0, "read": 2.0, "write": 2.0, "pool": 2.0, "total": 5.0}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BIG = b"x" * (8 * 1024 * 1024)  # more than the socket buffers of both sides take

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
Serve = Callable[[Reader, Writer], Awaitable[None]]


class Upstream:
    """A server that counts connections and requests."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self.port = 0
        self.connections = 0
        self.requests: list[bytes] = []

    @property
    def url(self) -> httpx.URL:
        """Where it listens."""
        return httpx.URL(f"http://127.0.0.1:{self.port}/x")

    async def connected(self, reader: Reader, writer: Writer) -> None:
        """Serve one connection, whatever comes of it."""
        self.connections += 1
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # cancelled at the end of the test only
        finally:
            writer.close()

    async def read(self, reader: Reader) -> bytes:
        """One request, counted as soon as it is whole."""
        head = await reader.readuntil(b"\r\n\r\n")
        _, _, length = head.lower().partition(b"content-length: ")
        body = await reader.readexactly(int(length.split(b"\r\n")[0] or b"0"))
        self.requests.append(head + body)
        return body


@asynccontextmanager
async def upstream(make: Callable[[Upstream], Serve], **more: Any) -> AsyncIterator[Upstream]:
    """A running upstream; ``make`` is given it, to count with."""
    server: Upstream

    async def serve(reader: Reader, writer: Writer) -> None:
        await make(server)(reader, writer)

    server = Upstream(serve)
    listening = await asyncio.start_server(server.connected, "127.0.0.1", 0, **more)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


def answering(*parts: bytes, pause_s: float = 0.0, then_close: bool = True) -> Any:
    """Answers each request with these parts, with a pause before each but the first."""

    def make(server: Upstream) -> Serve:
        async def serve(reader: Reader, writer: Writer) -> None:
            while True:
                await server.read(reader)
                for number, part in enumerate(parts):
                    await asyncio.sleep(pause_s if number else 0)
                    writer.write(part)
                    await writer.drain()
                if then_close:
                    return

        return serve

    return make


def at_once(act: Callable[[Writer], Any]) -> Any:
    """Does something as soon as somebody connects."""

    def make(_server: Upstream) -> Serve:
        async def serve(_reader: Reader, writer: Writer) -> None:
            await asyncio.sleep(0.05)
            act(writer)
            await asyncio.sleep(0.05)

        return serve

    return make


def never_reading(_server: Upstream) -> Serve:
    """Accepts and then neither reads nor answers."""

    async def serve(_reader: Reader, writer: Writer) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # of the socket
        await asyncio.sleep(1.0)

    return serve


def reset(writer: Writer) -> None:
    """Close with RST instead of FIN."""
    writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    writer.transport.abort()


async def send(
    url: httpx.URL | str, wire: Wire | None = None, body: bytes = b"{}", **limits: float
) -> httpx.Response:
    """One POST, over a wire of its own where none is given."""
    sent = request("POST", httpx.URL(url), [(b"content-type", b"application/json")], body)
    sent.extensions["timeout"] = {**LIMITS, **limits}
    if wire is not None:
        return await wire.handle_async_request(sent)
    async with Wire() as own:
        return await own.handle_async_request(sent)


async def refused() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    await send(f"http://127.0.0.1:{port}/")


async def unknown_host() -> None:
    await send("http://no-such-host.invalid/")


async def black_hole() -> None:
    """A full backlog drops the SYN, so that the connection is never made."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
            fillers.append(filler)
        try:
            await send(f"http://127.0.0.1:{listening.getsockname()[1]}/", connect=0.2)
        finally:
            for filler in fillers:
                filler.close()


async def tls_against_plain() -> None:
    async with upstream(at_once(lambda writer: writer.write(b"220 ready\r\n"))) as server:
        await send(f"https://127.0.0.1:{server.port}/")


async def untrusted_certificate() -> None:
    async with upstream(answering(OK), ssl=_self_signed()) as server:
        await send(f"https://127.0.0.1:{server.port}/")


def _self_signed() -> ssl.SSLContext:
    """A server context whose certificate nobody trusts."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36_500))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = serialization.PrivateFormat.PKCS8
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(key.private_bytes(pem, private, serialization.NoEncryption()))
        file.write(certificate.public_bytes(pem))
        file.flush()
        context.load_cert_chain(file.name)
    return context


async def pool_is_full() -> None:
    async with upstream(answering(b"", OK, pause_s=0.5)) as server, Wire(connections=1) as wire:
        first = asyncio.create_task(send(server.url, wire))
        await asyncio.sleep(0.05)
        try:
            await send(server.url, wire, pool=0.1)
        finally:
            await first


async def total_while_waiting_for_a_place() -> None:
    async with upstream(answering(b"", OK, pause_s=0.5)) as server, Wire(connections=1) as wire:
        first = asyncio.create_task(send(server.url, wire))
        await asyncio.sleep(0.05)
        try:
            await send(server.url, wire, total=0.1)
        finally:
            await first


async def closes_before_the_answer() -> None:
    async with upstream(answering()) as server:
        await send(server.url)


async def closes_in_the_headers() -> None:
    async with upstream(answering(b"HTTP/1.1 200 OK\r\nContent-")) as server:
        await send(server.url)


async def closes_in_the_body() -> None:
    async with upstream(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")) as server:
        await send(server.url)


async def closes_in_a_chunk() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok"
    async with upstream(answering(head)) as server:
        await send(server.url)


async def garbage_status_line() -> None:
    async with upstream(answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")) as server:
        await send(server.url)


async def endless_header() -> None:
    async with upstream(answering(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000)) as server:
        await send(server.url)


async def broken_gzip() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\n"
    async with upstream(answering(head + b"no gzip")) as server:
        await send(server.url)


async def answer_too_large() -> None:
    bomb = gzip.compress(b"0" * 100_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with upstream(answering(head + bomb)) as server, Wire(body_limit_bytes=10_000) as wire:
        await send(server.url, wire)


async def closed_while_under_way() -> None:
    async with upstream(answering(b"", OK, pause_s=1.0)) as server:
        wire = Wire()
        task = asyncio.create_task(send(server.url, wire))
        await asyncio.sleep(0.1)
        await wire.aclose()
        await task


async def resets_before_the_answer() -> None:
    def make(server: Upstream) -> Serve:
        async def serve(reader: Reader, writer: Writer) -> None:
            await server.read(reader)
            reset(writer)

        return serve

    async with upstream(make) as server:
        await send(server.url)


async def resets_in_the_body() -> None:
    def make(server: Upstream) -> Serve:
        async def serve(reader: Reader, writer: Writer) -> None:
            await server.read(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
            await asyncio.sleep(0.1)
            reset(writer)

        return serve

    async with upstream(make) as server:
        await send(server.url)


async def no_answer() -> None:
    async with upstream(answering(b"", OK, pause_s=0.5)) as server:
        await send(server.url, read=0.1)


async def slow_headers() -> None:
    parts = (b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n", b"Y: 1\r\n", b"Z: 1\r\n\r\n")
    async with upstream(answering(*parts, pause_s=0.1)) as server:
        await send(server.url, total=0.2)


async def slow_body() -> None:
    parts = (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", b"cd")
    async with upstream(answering(*parts, pause_s=0.5)) as server:
        await send(server.url, read=0.1)


async def body_is_not_taken() -> None:
    async with upstream(never_reading) as server:
        await send(server.url, body=BIG, write=0.2)


async def total_while_the_body_is_not_taken() -> None:
    async with upstream(never_reading) as server:
        await send(server.url, body=BIG, total=0.2)


async def resets_while_the_body_is_sent() -> None:
    async with upstream(at_once(reset)) as server:
        await send(server.url, body=BIG)


async def ftp() -> None:
    await send("ftp://127.0.0.1/")


async def header_with_a_line_break() -> None:
    async with upstream(answering(OK)) as server, Wire() as wire:
        evil = request("POST", server.url, [(b"x-name", b"a\r\nx-admin: 1")], b"{}")
        try:
            await wire.handle_async_request(evil)
        finally:
            assert server.requests == []


async def lying_about_the_length() -> None:
    async with upstream(answering(OK)) as server, Wire() as wire:
        short = httpx.Request("POST", server.url, headers={"Content-Length": "9"}, content=b"{}")
        await wire.handle_async_request(short)


SITUATIONS: dict[type[httpx.TransportError], list[Callable[[], Awaitable[None]]]] = {
    httpx.ConnectError: [refused, unknown_host, tls_against_plain, untrusted_certificate],
    httpx.ConnectTimeout: [black_hole],
    httpx.PoolTimeout: [pool_is_full, total_while_waiting_for_a_place],
    httpx.RemoteProtocolError: [
        closes_before_the_answer,
        closes_in_the_headers,
        closes_in_the_body,
        closes_in_a_chunk,
        resets_in_the_body,
        garbage_status_line,
        endless_header,
        broken_gzip,
        answer_too_large,
        closed_while_under_way,
    ],
    httpx.ReadError: [resets_before_the_answer],
    httpx.ReadTimeout: [no_answer, slow_headers, slow_body],
    httpx.WriteTimeout: [body_is_not_taken, total_while_the_body_is_not_taken],
    httpx.WriteError: [resets_while_the_body_is_sent],
    httpx.UnsupportedProtocol: [ftp],
    httpx.LocalProtocolError: [header_with_a_line_break, lying_about_the_length],
}
NEVER: dict[type[httpx.TransportError], str] = {
    httpx.TransportError: "a family; always one of its members",
    httpx.TimeoutException: "a family; always one of its members",
    httpx.NetworkError: "a family; always one of its members",
    httpx.ProtocolError: "a family; always one of its members",
    httpx.CloseError: "answers are whole when they are handed out, so closing cannot lose one",
    httpx.ProxyError: "there are no proxies: trust_env is off and none can be configured",
}


def _family(kind: type[httpx.TransportError]) -> set[type[httpx.TransportError]]:
    return {kind}.union(*(_family(member) for member in kind.__subclasses__()))


def test_every_error_of_httpx_is_shown_or_explained() -> None:
    """Nobody has to guess whether a class of error can come from this wire."""
    assert _family(httpx.TransportError) == {*SITUATIONS, *NEVER}


@pytest.mark.parametrize(
    ("expected", "situation"),
    [(kind, situation) for kind, situations in SITUATIONS.items() for situation in situations],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_each_situation_raises_its_error(
    expected: type[httpx.TransportError], situation: Callable[[], Awaitable[None]]
) -> None:
    """The error is exactly the class of the table, and knows its request."""
    with pytest.raises(httpx.TransportError) as raised:
        await situation()

    assert type(raised.value) is expected
    assert raised.value.request.method == "POST"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
async def test_a_request_is_never_sent_twice(method: str) -> None:
    """Left alone, aiohttp sends PUT, DELETE and GET again when a kept connection breaks."""

    def make(server: Upstream) -> Serve:
        async def serve(reader: Reader, writer: Writer) -> None:
            await server.read(reader)
            writer.write(OK)
            await server.read(reader)  # the second request on this connection: taken, not answered

        return serve

    body = b"" if method in {"GET", "DELETE"} else b"2"
    async with upstream(make) as server, Wire() as wire:
        await wire.handle_async_request(request("POST", server.url, [], b"1"))
        with pytest.raises(httpx.RemoteProtocolError):  # it left: anything else would be wrong
            await wire.handle_async_request(request(method, server.url, [], body))

        await asyncio.sleep(0.05)
        assert len(server.requests) == 2
        assert server.connections == 1
        assert (b"content-length" in server.requests[1].lower()) == bool(body)


async def test_a_kept_connection_is_reused_and_a_closed_one_is_not() -> None:
    """Two calls share a connection; after the server closes it the next makes a new one."""
    async with upstream(answering(OK, then_close=False)) as server, Wire() as wire:
        await send(server.url, wire)
        await send(server.url, wire)
        assert server.connections == 1

    async with upstream(answering(OK)) as server, Wire() as wire:
        for _ in range(3):
            await send(server.url, wire)
            await asyncio.sleep(0.02)  # the FIN arrives
        assert len(server.requests) == server.connections == 3


async def test_a_connection_that_closes_before_the_first_byte_sent_nothing() -> None:
    """The race of keep-alive: chosen, then found closed. Nothing left, so it is a ConnectError.

    A small body is written in the same turn in which the connection is chosen, and has no race.
    """
    async with upstream(answering(OK, then_close=False)) as server, Wire() as wire:
        await send(server.url, wire)
        session = wire._session
        assert session is not None
        assert session.connector is not None
        ((kept, _),) = next(iter(session.connector._conns.values()))
        task = asyncio.create_task(send(server.url, wire, body=b"x" * 40_000))
        await asyncio.sleep(0)  # the connection is chosen, nothing is written yet
        assert kept.transport is not None
        kept.transport.close()  # what reading the server's FIN does
        with pytest.raises(httpx.ConnectError):
            await task

        await asyncio.sleep(0.05)
        assert len(server.requests) == 1


async def test_requests_at_once_have_connections_of_their_own() -> None:
    """Only ``connections`` limits how many are under way."""
    slow = answering(b"", OK, pause_s=0.2, then_close=False)
    async with upstream(slow) as server, Wire(connections=3) as wire:
        await asyncio.gather(*(send(server.url, wire, pool=0.1) for _ in range(3)))

        assert server.connections == 3


def _sockets() -> int:
    """How many sockets this process has open."""
    return sum(each.is_socket() for each in Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts sockets as Linux does")
@pytest.mark.parametrize("limit", ["write", "total"])
async def test_a_body_that_is_not_taken_leaves_no_socket_behind(limit: str) -> None:
    """Closing in good order would wait for a system that does not read, for as long as it lives."""
    async with upstream(never_reading) as server, Wire() as wire:
        before = _sockets()
        with pytest.raises(httpx.WriteTimeout):
            await send(server.url, wire, body=BIG, **{limit: 0.2})
        await asyncio.sleep(0.05)

        assert _sockets() == before + 1  # the server's end


async def test_cancelling_frees_the_place_and_drops_the_connection() -> None:
    """A late answer must not be read as the answer to the next request."""
    async with upstream(answering(b"", OK, pause_s=0.3)) as server, Wire(connections=1) as wire:
        task = asyncio.create_task(send(server.url, wire))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert (await send(server.url, wire)).content == b"ok"
        assert server.connections == 2


async def test_headers_pass_as_they_are() -> None:
    """Nothing is added, repeated names survive in both spellings, cookies are not kept."""
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Name: M\xfcller\r\n"
        b"Set-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n"
    )
    async with upstream(answering(answer, then_close=False)) as server, Wire() as wire:
        headers = [(b"X-Many", b"1"), (b"x-many", b"2"), (b"X-Name", "Müller".encode())]
        for _ in range(2):
            response = await wire.handle_async_request(
                request("PUT", httpx.URL(f"{server.url}/a%2Fb%7E?c=%20d'"), headers, b"{}")
            )

        assert response.headers.raw == [
            (b"Content-Length", b"0"),
            (b"X-Name", b"M\xfcller"),
            (b"Set-Cookie", b"a=1"),
            (b"set-cookie", b"b=2"),
        ]
        expected = (
            b"PUT /x/a%2Fb%7E?c=%20d' HTTP/1.1\r\n"
            b"host: 127.0.0.1:" + str(server.port).encode() + b"\r\n"
            b"X-Many: 1\r\nX-Many: 2\r\nX-Name: M\xc3\xbcller\r\ncontent-length: 2\r\n\r\n{}"
        )
        assert server.requests == [expected, expected]


async def test_a_compressed_answer_is_plain_and_says_so() -> None:
    """Length and encoding of the wire would be wrong for the body that is handed out."""
    packed = gzip.compress(b'{"ok": true}')
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\nX: 1\r\n\r\n"
    async with upstream(answering(head % len(packed) + packed)) as server:
        response = await send(server.url)

    assert response.json() == {"ok": True}
    assert response.headers.raw == [(b"X", b"1")]


async def test_a_redirect_is_an_answer() -> None:
    """Where to send money is not the server's to decide."""
    answer = b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    async with upstream(answering(answer)) as server:
        assert (await send(server.url)).status_code == 307


async def test_a_large_body_arrives_whole() -> None:
    """Above a mebibyte aiohttp wants a file; nothing is lost on the way."""
    async with upstream(answering(OK)) as server:
        assert (await send(server.url, body=BIG)).content == b"ok"
        assert server.requests[0].endswith(b"\r\n\r\n" + BIG)


async def test_an_early_answer_is_read_and_ends_the_connection() -> None:
    """A 413 before the body is through is the answer; the rest of the body must not follow it."""

    def make(_server: Upstream) -> Serve:
        async def serve(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
            await asyncio.sleep(0.2)

        return serve

    async with upstream(make) as server, Wire() as wire:
        assert (await send(server.url, wire, body=BIG)).status_code == 413
        assert (await send(server.url, wire)).status_code == 413
        assert server.connections == 2


async def test_idle_connections_are_closed() -> None:
    """Sooner than usual servers do, because a POST into a closing connection ends in doubt."""
    async with upstream(answering(OK, then_close=False)) as server, Wire(keepalive_s=0.1) as wire:
        await send(server.url, wire)
        await asyncio.sleep(0.25)
        await send(server.url, wire)
        assert server.connections == 2


async def test_a_closed_wire_says_so() -> None:
    """Sending after the end is a mistake of ours, not of the network."""
    wire = Wire()
    await wire.aclose()

    with pytest.raises(RuntimeError, match="closed"):
        await send("http://127.0.0.1:1/", wire)
