"""What is begun by a POST is served before the router, and by it: nobody can tell which it was."""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx
import pytest

from gateway import app
from tests.api.front import Front, new_order

_DIRECT: Final = [path for path in app._POSTS if "{" not in path]
_GOOD: Final = {"Content-Type": "application/json"}
_OWN: Final = {"date", "headrace-request-id"}


def _told(answer: httpx.Response) -> tuple[int, dict[str, str], Any]:
    """An answer without what is of its own request."""
    headers = {name: value for name, value in answer.headers.items() if name not in _OWN}
    document = answer.json()
    return answer.status_code, headers, document | {"instance": "", "trace_id": ""}


@pytest.mark.parametrize("path", _DIRECT)
@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (401, {**_GOOD, "Headrace-Tenant": "nobody"}, b"{}"),
        (415, {"Content-Type": "text/plain"}, b"{}"),
        (413, {**_GOOD, "Idempotency-Key": "k"}, b" " * (1024 * 1024 + 1)),
        (400, {**_GOOD, "Idempotency-Key": "k"}, b"{"),
        (422, {**_GOOD, "Idempotency-Key": "k"}, b'{"amount": 1}'),
    ],
    ids=["unknown", "text", "large", "no_json", "wrong"],
)
async def test_a_problem_is_the_same_both_ways(
    shared: Front, path: str, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """The router is asked where a slash stands at the end."""
    direct = await shared.api.post(path, content=body, headers=headers)
    routed = await shared.api.post(f"{path}/", content=body, headers=headers)

    assert status == direct.status_code
    assert _told(routed) == _told(direct)


@pytest.mark.parametrize("path", _DIRECT)
async def test_router_is_not_asked(
    shared: Front, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is what the other way is for."""

    def asked(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("litestar.Litestar.__call__", asked)

    assert 415 == (await shared.api.post(path, content=b"{}")).status_code


async def test_order_is_taken_both_ways(front: Front) -> None:
    """Alike but for what is its own."""
    body = json.dumps(new_order("both")).encode()

    taken = [
        await front.api.post(path, content=body, headers={**_GOOD, "Idempotency-Key": path})
        for path in ("/v1/orders", "/v1/orders/")
    ]

    assert [202, 202] == [one.status_code for one in taken]
    assert taken[0].headers.keys() == taken[1].headers.keys()
    assert taken[0].headers["content-type"] == taken[1].headers["content-type"]
    assert taken[0].json().keys() == taken[1].json().keys()


async def test_defect_is_a_problem_of_its_own(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its text stays here."""

    def broken(*_: object) -> None:
        raise RuntimeError("Jürgen Müller")

    monkeypatch.setattr("gateway.policy.access.Access.caller", broken)

    direct = await front.api.post("/v1/orders", content=b"{}")
    routed = await front.api.post("/v1/orders/", content=b"{}")

    assert (500, "internal") == (direct.status_code, direct.json()["code"])
    assert "Müller" not in direct.text
    assert _told(routed) == _told(direct)


@pytest.mark.parametrize(("method", "status"), [("POST", 400), ("DELETE", 405)])
async def test_span_names_the_path(front: Front, method: str, status: int) -> None:
    """Also where the method is not one of the path's."""
    answer = await front.api.request(
        method, "/v1/payouts", content=b"{", headers={**_GOOD, "Idempotency-Key": "k"}
    )
    front.parts.telemetry.flush()

    names = {span.name for span in front.stage.spans.get_finished_spans()}
    assert (status, True) == (answer.status_code, f"{method} /v1/payouts" in names)
