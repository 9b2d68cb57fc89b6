"""The same exchanges without asyncio: in a script, in a notebook, or against a simulator by hand.

session = requests.Session()
port = StripePayments(settings)
found = run(port.find_payment(payment), over_requests(session, timeout_s=30))
"""

import time
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import httpx
import requests
import urllib3

from gateway.errors import InDoubt, Misconfigured, Unavailable
from gateway.kit.adapter import Adapter
from gateway.ports.exchange import SAFE, Exchange, Session, half_done

T = TypeVar("T")
Send: TypeAlias = Callable[[httpx.Request], httpx.Response]


def run(exchange: Exchange[T], send: Send) -> T:
    """Hold the conversation to its end and return what it returns."""
    has_written = False
    try:
        request = next(exchange)
        while True:
            response = send(request)
            following = exchange.send(response)
            has_written |= response.is_success and request.method not in SAFE
            request = following
    except Unavailable as error:
        if has_written:
            raise half_done(error) from error
        raise
    except StopIteration as end:
        value: T = end.value
        return value


def with_login(
    adapter: Adapter, settings: Any, send: Send, *, clock: Callable[[], float] = time.time
) -> Send:
    """A sender that logs in first and once more when the product refuses the session.

    Args:
        clock: Seconds since the epoch, for products whose requests are signed with their date.
    """
    login = adapter.login
    if login is None:
        return send
    earned: list[Session] = []

    def sender(request: httpx.Request) -> httpx.Response:
        if not earned:
            earned.append(run(login(settings), send))
        response = send(earned[0].apply(request, now=clock()))
        if adapter.refused(response):
            earned[0] = run(login(settings), send)
            response = send(earned[0].apply(request, now=clock()))
        return response

    return sender


def over_requests(session: requests.Session, *, timeout_s: float) -> Send:
    """A sender over ``requests``; each request goes out as the adapter built it.

    The session gives its connections, proxies and certificates only: its cookies would mix two
    accounts up, and a ``.netrc`` would replace the key.

    Raises:
        Misconfigured: It cannot be sent as it is.
        Unavailable: No connection was made, so nothing was sent.
        InDoubt: It was sent, or part of it, and no whole answer came.
    """

    def sender(request: httpx.Request) -> httpx.Response:
        try:
            answer = session.send(_prepared(request), timeout=timeout_s, allow_redirects=False)
        except _NOT_SENDABLE as error:
            raise Misconfigured("The request cannot be sent.", code="unsendable") from error
        except requests.exceptions.ConnectionError as error:
            if _never_connected(error):
                raise Unavailable("No connection to the system.", code="connect") from error
            raise InDoubt("The connection broke before an answer came.", code="broken") from error
        except requests.exceptions.RequestException as error:
            raise InDoubt("No answer came in time.", code="timeout") from error
        # requests has decoded the body already.
        plain = [(k, v) for k, v in answer.raw.headers.items() if k.lower() != "content-encoding"]
        return httpx.Response(
            answer.status_code, headers=plain, content=answer.content, request=request
        )

    return sender


_NOT_SENDABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
)


def _prepared(request: httpx.Request) -> requests.PreparedRequest:
    headers = {name: value for name, value in request.headers.items() if name != "host"}
    return requests.Request(
        request.method, str(request.url), headers=headers, data=request.read() or None
    ).prepare()


def _never_connected(error: requests.exceptions.ConnectionError) -> bool:
    """Whether not a byte left: no name, no route, no listener, no trust."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(cause, urllib3.exceptions.NewConnectionError)
