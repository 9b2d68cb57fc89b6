"""Hot routes: a request is read whole or not at all, an answer is sent as it is."""

from collections.abc import Iterable
from typing import Any

import pytest
from litestar.exceptions import ClientException, HTTPException

from gateway.api.hot import Request, respond
from gateway.runtime.answers import Answer


def _request(messages: Iterable[dict[str, Any]], *headers: tuple[bytes, bytes]) -> Request:
    waiting = iter(messages)

    async def receive() -> Any:
        return next(waiting)

    scope: Any = {"type": "http", "headers": list(headers)}
    return Request(scope, receive, limit_bytes=4)


def _part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_body_in_parts_is_read_whole() -> None:
    """Up to the limit, that byte included."""
    request = _request([_part(b"ab", more=True), _part(b"", more=True), _part(b"cd")])

    assert b"abcd" == await request.body()


async def test_body_that_says_it_is_too_large_is_not_read() -> None:
    """The client is told before it has sent everything."""
    with pytest.raises(HTTPException) as raised:
        await _request([], (b"content-length", b"5")).body()

    assert 413 == raised.value.status_code


async def test_length_that_is_no_number_is_not_counted_on() -> None:
    """A superscript two is a digit to Python, and no length."""
    request = _request([_part(b"ab")], (b"content-length", "²".encode("latin-1")))

    assert b"ab" == await request.body()


async def test_body_that_grows_too_large_is_not_read_to_its_end() -> None:
    """Whatever it said about its length."""
    parts = [_part(b"abc", more=True), _part(b"de", more=True)]

    with pytest.raises(HTTPException) as raised:
        await _request(parts, (b"content-length", b"3")).body()

    assert 413 == raised.value.status_code


async def test_body_of_a_client_that_went_away_is_none() -> None:
    """Half an order is not taken for a whole one."""
    parts = [_part(b"ab", more=True), {"type": "http.disconnect"}]

    with pytest.raises(ClientException):
        await _request(parts).body()


def test_header_that_stands_twice_is_seen_twice() -> None:
    """Whoever must refuse it can."""
    request = _request([], (b"idempotency-key", b"a"), (b"idempotency-key", b"b"))

    assert ["a", "b"] == request.all("idempotency-key")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            Answer(status=201, body=b"{}", headers={"Location": "/x"}),
            {
                b"location": b"/x",
                b"content-type": b"application/json",
                b"content-length": b"2",
            },
        ),
        (
            Answer(status=404, body=b"{}", headers={"Content-Type": "application/problem+json"}),
            {b"content-type": b"application/problem+json", b"content-length": b"2"},
        ),
        (Answer(status=200), {b"content-length": b"0"}),
        (Answer(status=204, headers={"Allow": "POST"}), {b"allow": b"POST"}),
    ],
)
async def test_answer_has_the_headers_of_its_body(
    answer: Answer, expected: dict[bytes, bytes]
) -> None:
    """RFC 9110 §8.6: no length with 204."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await respond(answer, send)

    assert (answer.status, expected) == (sent[0]["status"], dict(sent[0]["headers"]))
    assert (answer.body, False) == (sent[1]["body"], sent[1]["more_body"])
