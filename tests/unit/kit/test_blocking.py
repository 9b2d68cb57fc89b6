"""Exchanges over ``requests``: what is sent, what comes back, and which error means what."""

import gzip
from collections.abc import Generator
from io import BytesIO
from typing import Any

import httpx
import pytest
import requests
import urllib3
from requests.adapters import BaseAdapter
from urllib3 import exceptions as below

from gateway.errors import HeadraceError, InDoubt, Misconfigured, Unavailable
from gateway.kit.adapter import Adapter, request
from gateway.kit.blocking import over_requests, run, with_login
from gateway.ports.exchange import Exchange, Session

_URL = httpx.URL("http://system.test/path?q=%20x")


class Line(BaseAdapter):
    """Stands where the network would; keeps what is sent and answers what a test laid."""

    def __init__(self, *answers: requests.Response | Exception) -> None:
        super().__init__()
        self.sent: list[requests.PreparedRequest] = []
        self.timeouts: list[Any] = []
        self._answers = list(answers)

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        """Keep it and answer."""
        self.sent.append(request)
        self.timeouts.append(options["timeout"])
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        answer.request, answer.url = request, request.url or ""
        return answer

    def close(self) -> None:
        """Nothing is open."""


def answered(status: int = 200, body: bytes = b"ok", **headers: str) -> requests.Response:
    """What ``requests`` makes of an answer."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    raw = urllib3.HTTPResponse(
        body=BytesIO(body), headers=urllib3.HTTPHeaderDict(named), preload_content=False
    )
    response = requests.Response()
    response.status_code, response.raw = status, raw
    response.headers = requests.structures.CaseInsensitiveDict(dict(raw.headers))
    return response


def session_over(line: Line) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", line)
    return session


def post(body: bytes = b"a=1", **headers: str) -> httpx.Request:
    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    return request("POST", _URL, [(b"content-type", b"text/plain"), *named], body)


def send(line: Line, one: httpx.Request) -> httpx.Response:
    return over_requests(session_over(line), timeout_s=3.5)(one)


def test_request_goes_out_as_it_was_built() -> None:
    """Address, headers and bytes; Host is left to the connection, the time-out is ours."""
    line = Line(answered())

    send(line, post(b"\x00\xff", authorization="Bearer k"))

    (sent,) = line.sent
    assert ("POST", str(_URL), b"\x00\xff") == (sent.method, sent.url, sent.body)
    assert {"authorization": "Bearer k", "content-type": "text/plain", "content-length": "2"} == {
        name.lower(): value for name, value in sent.headers.items()
    }
    assert [3.5] == line.timeouts


def test_answer_comes_back_as_it_was() -> None:
    """Status, bytes, each of several headers with one name, and the request it answers."""
    response = answered(402, b"\x00\xff")
    response.raw.headers.add("Set-Cookie", "a=1")
    response.raw.headers.add("Set-Cookie", "b=2")
    asked = post()

    found = send(Line(response), asked)

    assert (402, b"\x00\xff") == (found.status_code, found.content)
    assert ["a=1", "b=2"] == found.headers.get_list("set-cookie")
    assert asked is found.request


def test_compressed_answer_is_not_decoded_twice() -> None:
    """It arrives in plain, so nothing may say that it is compressed."""
    response = answered(200, gzip.compress(b"plain"), Content_Encoding="gzip")

    found = send(Line(response), post())

    assert (b"plain", None) == (found.content, found.headers.get("content-encoding"))


def test_redirect_is_an_answer() -> None:
    """Following it would send a payment somewhere else, or twice."""
    line = Line(answered(307, b"", Location="http://elsewhere.test/"))

    assert 307 == send(line, post()).status_code
    assert 1 == len(line.sent)


def test_cookies_of_one_account_do_not_reach_another() -> None:
    """Cookies have no port and no client: only what the exchange itself sends goes out."""
    line = Line(answered(200, b"", Set_Cookie="SAP_SESSION=one; Path=/"), answered(), answered())
    sender = over_requests(session_over(line), timeout_s=1)

    for one in (post(), post(), post(cookie="SAP_SESSION=two")):
        sender(one)

    assert [None, None, "SAP_SESSION=two"] == [sent.headers.get("cookie") for sent in line.sent]


def test_netrc_does_not_replace_the_key(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in somebody's home is no part of the configuration."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine system.test login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    line = Line(answered())
    session = session_over(line)
    session.trust_env = True

    over_requests(session, timeout_s=1)(post(authorization="Bearer k"))

    assert "Bearer k" == line.sent[0].headers["authorization"]


def _pool() -> urllib3.HTTPConnectionPool:
    return urllib3.HTTPConnectionPool("system.test")


def _exhausted(reason: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(below.MaxRetryError(_pool(), "/", reason))


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (requests.ConnectTimeout(), Unavailable, "connect"),
        (requests.exceptions.SSLError(), Unavailable, "connect"),
        (_exhausted(below.NewConnectionError(_pool(), "refused")), Unavailable, "connect"),  # type: ignore[arg-type] # urllib3 gives a pool as well
        (
            _exhausted(below.NameResolutionError("h", _pool(), OSError())),  # type: ignore[arg-type] # the same
            Unavailable,
            "connect",
        ),
        (_exhausted(below.ProtocolError("aborted")), InDoubt, "broken"),
        (requests.ConnectionError(below.ProtocolError("aborted")), InDoubt, "broken"),
        (requests.ConnectionError(), InDoubt, "broken"),
        (requests.ConnectionError("NewConnectionError in a text"), InDoubt, "broken"),
        (requests.ReadTimeout(), InDoubt, "timeout"),
        (requests.exceptions.ChunkedEncodingError(), InDoubt, "timeout"),
        (requests.exceptions.ContentDecodingError(), InDoubt, "timeout"),
    ],
)
def test_failure_says_whether_it_can_have_happened(
    error: Exception, kind: type[HeadraceError], code: str
) -> None:
    """Only where no connection stood is it certain that nothing happened."""
    with pytest.raises(HeadraceError) as caught:
        send(Line(error), post())

    assert (kind, code) == (type(caught.value), caught.value.code)
    assert error is caught.value.__cause__


@pytest.mark.parametrize("url", ["ftp://system.test/", "mailto:x", "/path"])
def test_address_that_is_none_is_our_mistake(url: str) -> None:
    """Nobody has to look up what never left."""
    with pytest.raises(Misconfigured):
        send(Line(), httpx.Request("GET", url))


# --- holding the conversation ----------------------------------------------------------------


def conversation() -> Exchange[list[int]]:
    """Asks three times and returns the statuses."""
    found = []
    for path in ("a", "b", "c"):
        response = yield httpx.Request("GET", f"http://system.test/{path}")
        found.append(response.status_code)
    return found


def silent() -> Exchange[str]:
    """Asks nothing."""
    yield from ()
    return "decided"


def test_conversation_is_held_to_its_end() -> None:
    """Each answer reaches the exchange before it asks again; the last word is its own."""
    paths: list[str] = []

    def sender(one: httpx.Request) -> httpx.Response:
        paths.append(one.url.path)
        return httpx.Response(200 + len(paths))

    assert [201, 202, 203] == run(conversation(), sender)
    assert ["/a", "/b", "/c"] == paths


def test_exchange_without_a_request_is_held_too() -> None:
    """An embedded engine decides without asking anybody."""

    def never(_: httpx.Request) -> httpx.Response:
        raise AssertionError("nothing is to be sent")

    assert "decided" == run(silent(), never)


def test_error_of_the_sender_ends_the_conversation() -> None:
    """It is the caller's, unchanged."""

    def broken(_: httpx.Request) -> httpx.Response:
        raise InDoubt("Lost.", code="lost")

    with pytest.raises(InDoubt, match="Lost"):
        run(conversation(), broken)


class Guarded:
    """A product that knows one token at a time."""

    def __init__(self) -> None:
        self.token = 1
        self.logins = 0
        self.seen: list[str] = []

    def login(self, settings: str) -> Generator[httpx.Request, httpx.Response, Session]:
        """The exchange that earns the present token."""
        response = yield httpx.Request("POST", f"http://system.test/login/{settings}")
        return Session(headers={"X-Token": response.text})

    def send(self, one: httpx.Request) -> httpx.Response:
        """Answers with the present token, or 401 to any other."""
        if one.url.path == "/login/user":
            self.logins += 1
            return httpx.Response(200, text=str(self.token))
        self.seen.append(one.headers["x-token"])
        return httpx.Response(200 if one.headers["x-token"] == str(self.token) else 401)

    @property
    def adapter(self) -> Adapter:
        """Its declaration."""
        return Adapter(
            product="guarded",
            title="Guarded",
            settings=str,
            ports={},
            login=self.login,
            refused=lambda response: response.status_code == 401,
        )


def test_login_is_made_once() -> None:
    """Before the first request, and kept for all that follow."""
    product = Guarded()
    sender = with_login(product.adapter, "user", product.send)

    assert [200, 200, 200, 200, 200, 200] == [
        *run(conversation(), sender),
        *run(conversation(), sender),
    ]
    assert 1 == product.logins


def test_session_that_has_ended_is_renewed_once() -> None:
    """The refused request goes out again with the new one; a second refusal is an answer."""
    product = Guarded()
    sender = with_login(product.adapter, "user", product.send)
    run(conversation(), sender)
    product.token = 2

    assert [200, 200, 200] == run(conversation(), sender)
    assert ["1", "1", "1", "1", "2", "2", "2"] == product.seen
    assert 2 == product.logins

    def refusing(one: httpx.Request) -> httpx.Response:
        return product.send(one) if "login" in one.url.path else httpx.Response(401)

    assert [401] * 3 == run(conversation(), with_login(product.adapter, "user", refusing))


def test_each_request_is_signed_with_its_moment() -> None:
    """The session is earned once; what it signs has the time of sending."""
    seen: list[str] = []

    def login(_settings: str) -> Generator[httpx.Request, httpx.Response, Session]:
        yield from ()
        return Session(headers={}, sign=lambda _one, now: {"Date": f"{now:.0f}"})

    def send(one: httpx.Request) -> httpx.Response:
        seen.append(one.headers["date"])
        return httpx.Response(200)

    moments = iter((1.0, 2.0, 3.0))
    signed = Adapter(product="dated", title="Dated", settings=str, ports={}, login=login)
    run(conversation(), with_login(signed, "user", send, clock=lambda: next(moments)))

    assert ["1", "2", "3"] == seen


def test_product_without_login_is_sent_to_at_once() -> None:
    """The sender itself, with nothing around it."""
    product = Guarded()
    plain = Adapter(product="plain", title="Plain", settings=str, ports={})

    assert product.send == with_login(plain, "user", product.send)
