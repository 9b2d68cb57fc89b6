"""Who may see what: keys, tenants, and nothing of another's."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from tests.api.front import Front, configured, new_order, problem_of

_KEYS: Final = {"WEB": "key-of-web", "APP": "key-of-app", "BETA": "key-of-beta"}
_TENANT_OF: Final = {"WEB": "acme", "APP": "acme", "BETA": "beta"}


def bearer(client: str) -> str:
    """The header of a client."""
    return f"Bearer {_KEYS[client]}"


@pytest.fixture
async def guarded(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Front]:
    """Two tenants, three clients, each with a key of its own."""
    for client, key in _KEYS.items():
        monkeypatch.setenv(f"API_{client}", key)
    api_keys = [
        {"client": client.lower(), "tenant": tenant, "key": f"env:API_{client}"}
        for client, tenant in _TENANT_OF.items()
    ]
    stage = configured(tmp_path, url, server={"api_keys": api_keys}, tenants=("acme", "beta"))
    async with Front(stage).open() as front:
        yield front


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic a2V5LW9mLXdlYg==",
        "key-of-web",
        "Bearer \xff",
    ],
)
async def test_stranger_is_refused_everywhere(guarded: Front, authorization: str) -> None:
    """401 with WWW-Authenticate on each route that shows or takes something."""
    headers = {"Authorization": authorization.encode("latin-1")} if authorization else {}
    for method, path in (
        ("POST", "/v1/orders"),
        ("GET", "/v1/orders/x"),
        ("GET", "/v1/orders/x/timeline"),
        ("GET", "/v1/operations/x"),
    ):
        answer = await guarded.api.request(method, path, headers=headers)
        document = problem_of(answer)
        assert (401, "unauthorized") == (answer.status_code, document.code)
        assert "Bearer" == answer.headers["www-authenticate"]
        assert ["Authorization"] == [one.header for one in document.errors]
    assert 0 == (await guarded.stored())["document"]


async def test_open_routes_ask_for_no_key(guarded: Front) -> None:
    """Probes, the contract and the explanations are for everybody."""
    for path in ("/livez", "/readyz", "/openapi.yaml", "/problems/invalid"):
        assert 200 == (await guarded.api.get(path)).status_code


async def test_order_of_one_tenant_is_not_there_for_another(guarded: Front) -> None:
    """404 and not 403: even that it exists is nobody else's business."""
    taken = await guarded.post(new_order("mine"), Authorization=bearer("WEB"))
    for path in taken.json()["links"].values():
        mine = await guarded.api.get(path, headers={"Authorization": bearer("APP")})
        theirs = await guarded.api.get(path, headers={"Authorization": bearer("BETA")})
        assert (200, 404) == (mine.status_code, theirs.status_code)
        assert "not_found" == problem_of(theirs).code


async def test_header_does_not_change_the_tenant_of_a_key(guarded: Front) -> None:
    """Headrace-Tenant counts only where there are no keys."""
    taken = await guarded.post(new_order("mine"), Authorization=bearer("WEB"))
    headers = {"Authorization": bearer("BETA"), "Headrace-Tenant": "acme"}

    answer = await guarded.api.get(taken.json()["links"]["order"], headers=headers)

    assert 404 == answer.status_code


async def test_same_key_of_another_client_is_another_key(guarded: Front) -> None:
    """Clients and tenants choose their keys without knowing of each other."""
    answers = [
        await guarded.post(new_order("same"), key="1", Authorization=bearer(client))
        for client in _KEYS
    ]

    assert [202] * 3 == [answer.status_code for answer in answers]
    assert 3 == len({answer.json()["order_id"] for answer in answers})
    assert [None] * 3 == [answer.headers.get("idempotency-replayed") for answer in answers]


async def test_webhook_of_one_tenant_is_not_anothers(guarded: Front) -> None:
    """A delivery counts for the tenant in its path; an unknown tenant or system is not found."""
    stripe = guarded.stage.stripe
    taken = await guarded.post(new_order("hook"), Authorization=bearer("WEB"))
    order = await guarded.stage.order(taken.json()["order_id"])
    async with guarded.stage.life() as life:
        await guarded.stage.work_until(life, order, "WAITING")
        for request in stripe.due(now=guarded.stage.now()):
            answer = await guarded.api.post(
                "/webhooks/beta/stripe", content=request.read(), headers=dict(request.headers)
            )
            assert 200 == answer.status_code
        while await life.apply():
            await guarded.stage.pass_time()

    assert {("beta", "PARKED", "unknown_object"), ("beta", "IGNORED", "no_meaning_here")} >= set(
        await guarded.stage.rows("select tenant, state, reason from headrace.inbox")
    )
    assert "WAITING" == (await guarded.stage.state(order))[0]


async def test_tenant_is_named_where_there_are_no_keys(tmp_path: Path, url: str) -> None:
    """With several tenants and no key the header decides; without it nobody is meant."""
    async with Front(configured(tmp_path, url, tenants=("acme", "beta"))).open() as front:
        nameless = await front.post(new_order("nameless"))
        unknown = await front.post(new_order("unknown"), Headrace_Tenant="gamma")
        taken = await front.post(new_order("named"), Headrace_Tenant="beta")
        rows = await front.stage.rows("select tenant from headrace.document")

    assert [401, 401, 202] == [one.status_code for one in (nameless, unknown, taken)]
    assert [("beta",)] == rows
    assert "API_WEB" not in os.environ
