"""The wire: the httpx API over one aiohttp connection pool for all systems of the process.

httpx's own pool is quadratic in the requests under way (encode/httpx#3215), so only its
``Request`` and ``Response`` are used. HTTP/1.1, no cookies, no redirects, no proxies, nothing from
the environment, and no header that the request does not bring along.

A request is never sent twice. aiohttp resends PUT and DELETE by itself when a connection breaks
(``ClientSession._request``, aiohttp 3.14); that is switched off here. Where a kept connection
turns out to be closed before the first byte is written, the error is ``ConnectError``: nothing
left, and the policy may try again, even a POST.

    what happened                                             raised
    ───────────────────────────────────────────────────────   ───────────────────────
    scheme other than http and https                          UnsupportedProtocol
    header, length or URL that cannot be written              LocalProtocolError
    no free place in the pool in time                         PoolTimeout
    no connection in time, or none at all (DNS, TLS, refused) ConnectTimeout, ConnectError
    connection gone before the first byte                     ConnectError
    the system does not take the body, or breaks meanwhile    WriteTimeout, WriteError
    no answer in time, or the connection is reset             ReadTimeout, ReadError
    no answer or a part of one, not HTTP, too large           RemoteProtocolError
"""

import asyncio
import functools
import io
import ssl
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any

import aiohttp
import httpx
import yarl
from aiohttp.abc import AbstractStreamWriter
from aiohttp.connector import Connection
from multidict import CIMultiDict

BODY_LIMIT_BYTES = 16 * 1024 * 1024
_UNASKED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_AT_ONCE_BYTES = 32 * 1024  # what is less never fills the buffer that a connection writes from
_LARGE_BYTES = 1024 * 1024  # aiohttp warns about larger bodies in one piece
_NO_LIMITS: dict[str, float | None] = {}


class _Progress:
    """How far a request has come.

    Attributes:
        write_s: Longest time for writing the body.
        placed: It has a place in the pool.
        connected: A connection was chosen or made.
        left: The first byte may have been handed to the operating system.
        written: The whole request was.
    """

    __slots__ = ("connected", "left", "placed", "write_s", "written")

    def __init__(self, write_s: float | None) -> None:
        self.write_s = write_s
        self.placed = False
        self.connected = False
        self.left = False
        self.written = False


_progress: ContextVar[_Progress] = ContextVar("progress")


class _WriteTimeoutError(aiohttp.ClientError):
    """The system does not take the body."""


class _Request(aiohttp.ClientRequest):
    """A request that notes how far it came, because aiohttp's errors do not tell."""

    # aiohttp adds Content-Length: 0 to all others; RFC 9110 §8.6 asks for it in POST and PUT only.
    GET_METHODS = aiohttp.ClientRequest.GET_METHODS | {"DELETE"}

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        progress = _progress.get()
        progress.connected = True
        if self._body is None:  # then super() writes at once, or raises
            progress.left = _is_open(conn)
            response = await super().send(conn)
            progress.written = True
            return response
        return await super().send(conn)  # the body follows in write_bytes, which makes a task

    def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> Coroutine[Any, Any, None]:
        """Write a small body at once, and what has to wait in the coroutine that is returned.

        On Python 3.11 aiohttp's task begins with the next turn of the loop, behind everything that
        came meanwhile; many requests at once would all leave together with the last one.
        """
        protocol = conn.protocol
        size = None if self._body is None else self._body.size
        if size is None or size > _AT_ONCE_BYTES or protocol is None or protocol.writing_paused:
            return self._write_in_turn(writer, conn, content_length)
        progress = _progress.get()
        progress.left = _is_open(conn)
        _run_without_waiting(super().write_bytes(writer, conn, content_length))
        progress.written = protocol.exception() is None
        return _nothing()

    async def _write_in_turn(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None
    ) -> None:
        progress = _progress.get()
        # Noted before the first write, not after it: when the connection breaks, the request
        # fails before this task runs again. A request whose task never ran has not left.
        progress.left = _is_open(conn)
        protocol, transport = conn.protocol, conn.transport
        try:
            async with asyncio.timeout(progress.write_s):
                await super().write_bytes(writer, conn, content_length)
            progress.written = protocol is None or protocol.exception() is None
        except BaseException as error:
            # aiohttp closes in good order, which waits for a system that does not read.
            if transport is not None:
                transport.abort()
            if not isinstance(error, TimeoutError):
                raise
            if protocol is not None:  # wakes the reader, which waits for an answer
                protocol.set_exception(_WriteTimeoutError("The body was not taken in time."))


def _run_without_waiting(steps: Coroutine[Any, Any, None]) -> None:
    try:
        steps.send(None)
    except StopIteration:
        return
    steps.close()
    raise RuntimeError("aiohttp waits where it never did.")


async def _nothing() -> None:
    """All has been done."""


def _is_open(conn: Connection) -> bool:
    """Whether a write would go to the operating system; aiohttp's writer asks the same."""
    return conn.protocol is not None and conn.protocol.is_connected()


class Wire(httpx.AsyncBaseTransport):
    """One pool of connections; answers arrive whole, decompressed and bounded.

    Timeouts come with the request, as httpx puts them: ``extensions["timeout"]`` with ``connect``,
    ``read``, ``write``, ``pool``, and here also ``total`` over everything, in seconds.

    Args:
        connections: At most so many requests under way; others wait for ``pool`` seconds.
        keepalive_s: Idle connections are closed after it. Shorter than the idle time-out of usual
            servers (5 s in Node), because a POST into a closing connection ends in doubt.
        body_limit_bytes: Answers that are larger, decompressed, raise ``RemoteProtocolError``:
            the effect may have happened.
        tls: Certificates to trust; the system's own where None.
    """

    def __init__(
        self,
        *,
        connections: int = 1024,
        keepalive_s: float = 4.0,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._places = asyncio.Semaphore(connections)
        self._keepalive_s = keepalive_s
        self._body_limit_bytes = body_limit_bytes
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send once and read the whole answer.

        Raises:
            httpx.TransportError: See the table of the module.
        """
        limits = request.extensions.get("timeout", _NO_LIMITS)
        progress = _Progress(limits.get("write"))
        token = _progress.set(progress)
        try:
            async with asyncio.timeout(limits.get("total")):
                await self._take_place(limits.get("pool"))
                progress.placed = True
                try:
                    return await self._exchange(request, limits)
                finally:
                    self._places.release()
        except httpx.TransportError as error:
            error.request = request
            raise
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _translated(error, progress, request) from error
        finally:
            _progress.reset(token)

    async def aclose(self) -> None:
        """Close all connections; requests under way fail."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def _take_place(self, pool_s: float | None) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(pool_s):
                await self._places.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("No free connection in time.") from error

    async def _exchange(
        self, request: httpx.Request, limits: dict[str, float | None]
    ) -> httpx.Response:
        body = await _body_of(request)
        headers = _headers_of(request, body)
        url = _url_of(request.url)
        answer = await self._open().request(
            request.method,
            url,
            headers=headers,
            data=io.BytesIO(body) if len(body) > _LARGE_BYTES else body or None,
            timeout=_timeout(limits.get("connect"), limits.get("read")),
            allow_redirects=False,
        )
        try:
            content = await self._read(answer)
        except BaseException:
            answer.close()
            raise
        return _response(request, answer, content)

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while chunk := await answer.content.readany():
            size += len(chunk)
            if size > self._body_limit_bytes:
                raise httpx.RemoteProtocolError("The answer is too large.")
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise RuntimeError("The wire has been closed.")
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0,  # counted by _place, so that waiting and connecting are told apart
                keepalive_timeout=self._keepalive_s,
                ssl=self._tls or True,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=_UNASKED,
                auto_decompress=True,  # while reading, so that a small answer cannot grow large
                trust_env=False,
                request_class=_Request,
            )
            # aiohttp's own tests switch it off the same way (aiohttp/test_utils.py);
            # tests/e2e/test_wire_sockets.py counts what arrives.
            self._session._retry_connection = False  # noqa: SLF001 - no public name
        return self._session


def _translated(
    error: Exception, progress: _Progress, request: httpx.Request
) -> httpx.TransportError:
    kind = _kind_of(error, progress)
    return kind(f"{type(error).__name__}: {kind.__name__}", request=request)


def _kind_of(error: Exception, progress: _Progress) -> type[httpx.TransportError]:  # noqa: PLR0911 - a table
    """Which httpx error it is; see the table of the module."""
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        return httpx.LocalProtocolError  # aiohttp checks what it writes before it writes
    if not progress.placed:
        return httpx.PoolTimeout
    if not progress.connected:
        return httpx.ConnectTimeout if isinstance(error, TimeoutError) else httpx.ConnectError
    if isinstance(error, _WriteTimeoutError):
        return httpx.WriteTimeout
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout if progress.written else httpx.WriteTimeout
    if not progress.left:
        return httpx.ConnectError
    if isinstance(error, aiohttp.ClientOSError) or isinstance(error.__cause__, OSError):
        return httpx.ReadError if progress.written else httpx.WriteError
    return httpx.RemoteProtocolError


@functools.lru_cache(maxsize=256)
def _timeout(connect_s: float | None, read_s: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=connect_s, sock_read=read_s)


def _url_of(url: httpx.URL) -> yarl.URL:
    """The URL without user and fragment, spelt as it is."""
    if url.scheme not in {"http", "https"}:
        raise httpx.UnsupportedProtocol(f"The scheme {url.scheme!r} is not supported.")
    host = url.raw_host.decode("ascii")
    if not host:
        raise httpx.LocalProtocolError("The URL has no host.")
    authority = url.netloc.decode("ascii")
    return yarl.URL(f"{url.scheme}://{authority}{url.raw_path.decode('ascii')}", encoded=True)


async def _body_of(request: httpx.Request) -> bytes:
    if isinstance(request.stream, httpx.SyncByteStream):
        return request.read()
    return await request.aread()


def _headers_of(request: httpx.Request, body: bytes) -> CIMultiDict[str]:
    """The headers as aiohttp takes them; it writes text as UTF-8, so they survive as bytes."""
    headers: CIMultiDict[str] = CIMultiDict()
    spelt: dict[bytes, str] = {}  # aiohttp keeps one of two spellings of the same name
    try:
        for name, value in request.headers.raw:
            headers.add(spelt.setdefault(name.lower(), name.decode("ascii")), value.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise httpx.LocalProtocolError("A header is not ASCII or UTF-8.") from error
    # The body is known whole, so that it goes with its length.
    headers.popall("Transfer-Encoding", None)
    length = headers.get("Content-Length")
    if length is not None and length != str(len(body)):
        raise httpx.LocalProtocolError("Content-Length and body differ.")
    return headers


def _response(
    request: httpx.Request, answer: aiohttp.ClientResponse, content: bytes
) -> httpx.Response:
    headers: Any = answer.raw_headers
    if "Content-Encoding" in answer.headers:
        gone = {b"content-encoding", b"content-length"}
        headers = [pair for pair in headers if pair[0].lower() not in gone]
    response = httpx.Response(
        answer.status,
        headers=list(headers),
        stream=httpx.ByteStream(content),
        extensions={"http_version": b"HTTP/1.1", "reason_phrase": (answer.reason or "").encode()},
        request=request,
    )
    # What read() would end with; on the way it looks for an encoding that is gone (8 µs).
    response._content = content  # noqa: SLF001 - httpx does so itself when it unpickles
    response.is_stream_consumed = response.is_closed = True
    return response
