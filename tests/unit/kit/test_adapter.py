"""Requests of adapters: built the cheap way, and the same as the usual one would build them."""

from typing import Any

import httpx
import msgspec
import pytest

from adapters.stripe.translation import load
from gateway.errors import Misconfigured
from gateway.kit.adapter import Adapter, request
from gateway.ports.exchange import Session, with_headers

_URL = httpx.URL("https://system.test:8443/a%20b?c=d")


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST", "PUT", "PATCH"])
@pytest.mark.parametrize("body", [b"", b"x=1"])
def test_request_is_what_httpx_builds(method: str, body: bytes) -> None:
    """Host and Content-Length included, in whatever order."""
    cheap = request(method, _URL, [(b"accept", b"x/y")], body)
    usual = httpx.Request(method, _URL, headers={"accept": "x/y"}, content=body)

    assert (usual.method, usual.url, usual.read()) == (cheap.method, cheap.url, cheap.read())
    expected = dict(usual.headers)
    if not body and method in {"GET", "HEAD", "DELETE"}:
        expected.pop("content-length", None)
    assert expected == dict(cheap.headers)


def test_request_can_be_read_again() -> None:
    """A repetition sends the same bytes."""
    one = request("POST", _URL, [], b"x=1")

    assert [b"x=1", b"x=1"] == [one.read(), one.read()]


def test_session_is_added_without_changing_the_request() -> None:
    """Its headers replace those of the same name; the first request may be used once more."""
    one = request("POST", _URL, [(b"authorization", b"old"), (b"accept", b"x/y")], b"x=1")

    with_session = Session(headers={"Authorization": "new", "Cookie": "a=1"}).apply(one)

    assert ("old", None) == (one.headers["authorization"], one.headers.get("cookie"))
    assert ("new", "a=1", "x/y", "3") == tuple(
        with_session.headers[name]
        for name in ("authorization", "cookie", "accept", "content-length")
    )
    assert (one.url, b"x=1") == (with_session.url, with_session.read())


@pytest.mark.parametrize(
    ("origin", "expected", "host"),
    [
        ("", "https://system.test:8443/a%20b?c=d", "system.test:8443"),
        ("https://other.test", "https://other.test/a%20b?c=d", "other.test"),
        ("http://127.0.0.1:99", "http://127.0.0.1:99/a%20b?c=d", "127.0.0.1:99"),
    ],
)
def test_session_may_name_another_origin(origin: str, expected: str, host: str) -> None:
    """Path and query stay as they are, and Host follows."""
    moved = Session(headers={}, origin=origin).apply(request("GET", _URL, []))

    assert (expected, host) == (str(moved.url), moved.headers["host"])


def test_session_may_sign_what_is_complete() -> None:
    """With the moment that is handed in, after all other headers; the given request stays."""
    given = request("GET", _URL, [(b"authorization", b"old")])

    def sign(one: httpx.Request, now: float) -> dict[str, str]:
        seen = f"{one.headers['x-token']} {one.headers['traceparent']} {one.url.path}"
        return {"Date": f"{now:.0f}", "Authorization": seen}

    session = Session(headers={"X-Token": "t"}, sign=sign)
    sent = session.apply(given, {b"traceparent": b"p"}, extensions={"timeout": {}}, now=17.0)

    assert ("17", "t p /a b") == (sent.headers["date"], sent.headers["authorization"])
    assert ("old", {"timeout": {}}) == (given.headers["authorization"], sent.extensions)


def test_product_without_sessions_refuses_none() -> None:
    """What is not declared is not there."""
    plain = Adapter(product="plain", title="Plain", settings=str, ports={})

    assert (None, False, frozenset()) == (
        plain.login,
        plain.refused(httpx.Response(401)),
        plain.readable,
    )


def test_what_an_attempt_adds_wins() -> None:
    """Its own headers and limits over those of the session and of the request."""
    given = request("GET", _URL, [(b"x-token", b"old")])
    session = Session(headers={"traceparent": "of a session"})

    sent = session.apply(given, {b"traceparent": b"own"}, extensions={"timeout": {}})
    alone = with_headers(given, {b"x-token": b"new"})

    assert (["own"], {"timeout": {}}) == (sent.headers.get_list("traceparent"), sent.extensions)
    assert ["new"] == alone.headers.get_list("x-token")
    assert "old" == given.headers["x-token"]


class Area(msgspec.Struct, frozen=True):
    """Settings of a product with mappings."""

    name: str


def _mapped(accepts: Any = lambda _settings, _mappings: None) -> Adapter:
    return Adapter(
        product="stripe", title="Stripe", settings=Area, ports={}, mappings=load, accepts=accepts
    )


def test_mappings_are_made_again() -> None:
    """What was kept of one system serves another with the same product."""
    adapter = _mapped()
    made = adapter.load(Area("x"))
    assert made is not None

    again = adapter.again(Area("y"), made.of, tenant="acme")

    assert {name: one.identity for name, one in made.items()} == {
        name: one.identity for name, one in again.items()
    }


def test_adapter_has_the_last_word_about_mappings_made_again() -> None:
    """It knows what its settings and its code need of them."""

    def refuse(settings: Area, mappings: Any) -> None:
        raise Misconfigured(f"{settings.name} needs more than {len(mappings)}", code="mapping")

    made = _mapped().load(Area("x"))
    assert made is not None

    with pytest.raises(Misconfigured, match=f"y needs more than {len(made)}"):
        _mapped(refuse).again(Area("y"), made.of, tenant="acme")


@pytest.mark.parametrize("mapped", [True, False])
def test_mappings_of_another_product(*, mapped: bool) -> None:
    """The name of a system may be given to another product between two deployments."""
    made = _mapped().load(Area("x"))
    assert made is not None
    other = Adapter(
        product="adyen" if mapped else "stripe",
        title="Other",
        settings=Area,
        ports={},
        mappings=load if mapped else None,
    )

    with pytest.raises(Misconfigured, match="those of stripe, and the system is Other now"):
        other.again(Area("x"), made.of, tenant="acme")
