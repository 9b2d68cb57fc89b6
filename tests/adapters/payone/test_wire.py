"""Signatures as PAYONE's own clients make them, and what answers mean."""

import re
from typing import Any

import httpx
import pytest

from adapters.payone.wire import signature
from gateway.errors import Misconfigured

_SECRET = b"Super duper Ethan Hunt level secret"
_DATE = "Tue, 09 Jul 2024 10:21:39 GMT"
_META = {"X-GCS-ServerMetaInfo": "server fixed", "X-GCS-ClientMetaInfo": "client fixed"}


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", {}, "ZSq7H19dyhyNGSPY5UgyPwITc5n4QG+zHnNDExIa6A8="),
        (
            "POST",
            {"Content-Type": "application/json; charset=utf-8"},
            "c5aNDw4AUxRChugRyN0OmTCs38YLA9E/tR+k0bOQzyk=",
        ),
    ],
)
def test_known_answers(method: str, headers: dict[str, str], expected: str) -> None:
    """Source: PAYONE-GmbH/PCP-ServerSDK-python, tests/test_RequestHeaderGenerator.py."""
    one = httpx.Request(
        method, "http://awesome-api.com/v1/commerce_cases", headers={**headers, **_META}
    )

    assert expected == signature(one, _DATE, _SECRET)


def test_everything_that_is_signed_counts() -> None:
    """Method, type, date, own headers, path and query; not the body."""

    def signed(
        method: str = "POST", url: str = "http://a/v1/x?y=1", date: str = _DATE, **headers: str
    ) -> str:
        kept = {"content-type": "application/json", **headers}
        return signature(httpx.Request(method, url, headers=kept), date, _SECRET)

    others = [
        signed("GET"),
        signed(url="http://a/v1/x?y=2"),
        signed(url="http://a/v1/x"),
        signed(url="http://a/v1/z?y=1"),
        signed(date="Tue, 09 Jul 2024 10:21:40 GMT"),
        signed(**{"X-GCS-RequestId": "1"}),
        signed(**{"content-type": "text/plain"}),
    ]
    assert 8 == len({signed(), *others})
    assert signed() == signed(traceparent="00-1") == signed(url="http://b:1/v1/x?y=1")


def test_each_request_carries_its_own_date(account: Any, payment: Any) -> None:
    """And one that was signed too long ago is let in nowhere."""
    ours = account.create(payment())
    account.now += 60
    account.run(account.payments.find_payment(ours))

    first, second = account.requests
    assert first.headers["date"] != second.headers["date"]
    assert re.fullmatch("GCS v1HMAC:key:[A-Za-z0-9+/]{43}=", first.headers["authorization"])
    for late in (-301, 301):
        assert 200 == account.simulator.handle(second, now=account.now).status_code
        assert 403 == account.simulator.handle(second, now=account.now + late).status_code


def test_unsigned_is_our_mistake(account: Any, payment: Any) -> None:
    """Without the login nothing is let in."""
    exchange = account.payments.create_payment(payment(), key="k")
    response = account.send(next(exchange))

    assert 403 == response.status_code
    with pytest.raises(Misconfigured):
        exchange.send(response)
