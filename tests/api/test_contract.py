"""The OpenAPI document: it describes what is served, all of it, and nothing else."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from litestar import Litestar
from litestar.routes import ASGIRoute, BaseRoute, HTTPRoute
from litestar.testing import AsyncTestClient

from gateway import app, configuring
from gateway.api import contract, routes
from gateway.api.operations import Operation
from gateway.api.pipeline import Pipeline
from gateway.api.problems import CATALOGUE, Problem
from gateway.model import codec
from gateway.policy.validation import read_order

ROOT = Path(__file__).resolve().parents[2]
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> configuring.Configuration:
    """A tenant whose systems are nowhere."""
    monkeypatch.setenv("CONTRACT_SECRET", "nowhere")
    secret, nowhere = "env:CONTRACT_SECRET", "http://127.0.0.1:1"
    given: dict[str, dict[str, Any]] = {
        "stripe": {"base_url": nowhere, "secret_key": secret, "webhook_secrets": [secret]},
        "salesforce": {"login_url": nowhere, "client_id": "c", "client_secret": secret},
        "sap_s4": {
            "base_url": nowhere,
            "user": "U",
            "password": secret,
            "client": "100",
            "sales_organization": "1",
            "distribution_channel": "10",
            "division": "00",
        },
        "decision_table": {},
    }
    systems = [
        {"name": name, "adapter": name, "settings": settings} for name, settings in given.items()
    ]
    routing = dict(
        zip(
            ("payments", "crm", "erp", "risk"),
            ("stripe", "salesforce", "sap_s4", "decision_table"),
            strict=True,
        )
    )
    tenant = {"tenant": "acme", "currencies": ["EUR"], "systems": systems, "routing": routing}
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "acme.yaml").write_text(yaml.safe_dump(tenant))
    file = tmp_path / "headrace.yaml"
    file.write_text("{}")
    return configuring.configure(file)


@pytest.fixture
async def served(configuration: configuring.Configuration) -> Litestar:
    """The application as it is served, without a database behind it."""
    parts = app.build(configuration, "postgresql://127.0.0.1:1/none", role="serve", exporters=())
    pipeline = app.create_app(parts)
    assert isinstance(pipeline, Pipeline)
    inner = pipeline._application
    assert isinstance(inner, Litestar)
    return inner


def documented() -> set[tuple[str, str]]:
    """Method and path of every route in the document; parameters have no name here."""
    paths = contract.document()["paths"]
    return {(m, nameless(path)) for path, item in paths.items() for m in item if m in METHODS}


def nameless(path: str) -> str:
    """A path whose parameters have lost name and type."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def methods_of(route: BaseRoute) -> Iterable[str]:
    """The methods of a route, whether Litestar calls it or only finds it (a hot one)."""
    if isinstance(route, ASGIRoute):
        found: Iterable[str] = route.route_handler.opt["methods"]
        return found
    assert isinstance(route, HTTPRoute)
    return route.methods


async def test_what_is_served_is_documented_and_the_reverse(served: Litestar) -> None:
    """Both ways: a route without a description and a description without a route are found."""
    there = {
        (method.lower(), nameless(route.path_format))
        for route in served.routes
        for method in methods_of(route)
        if method.lower() in METHODS
    }

    assert documented() == there
    assert ("post", "/v1/orders") in there


async def test_parameters_have_the_names_that_routes_use(served: Litestar) -> None:
    """A client that is generated from the document fills the same names as ours."""
    there = {route.path_format.replace(":str", "") for route in served.routes}

    assert set(contract.document()["paths"]) == there


async def test_the_document_is_served(served: Litestar) -> None:
    """What a client fetches is the file in the repository."""
    inner = Litestar([contract.get_contract], openapi_config=None)
    async with AsyncTestClient(inner) as client:
        answer = await client.get("/openapi.yaml")

    assert (200, "application/yaml") == (answer.status_code, answer.headers["content-type"])
    kept = (ROOT / "openapi" / "headrace.yaml").read_bytes()
    assert [] == sorted(set(kept.splitlines()) ^ set(answer.content.splitlines()))
    assert len(kept) == len(answer.content)


def test_the_document_is_valid() -> None:
    """The validator of the OpenAPI community has nothing to say about it."""
    validator = pytest.importorskip(
        "openapi_spec_validator", reason="skipped: openapi-spec-validator is not installed"
    )
    found = validator.OpenAPIV31SpecValidator(yaml.safe_load(contract.text()))

    assert [] == [str(error) for error in found.iter_errors()]


def test_every_problem_is_documented() -> None:
    """Each code of the catalogue has an example that is a problem with its status."""
    examples = contract.document()["components"]["examples"]

    assert list(CATALOGUE) == list(examples)
    for code, (status, title, _) in CATALOGUE.items():
        problem = codec.convert(examples[code]["value"], Problem)
        assert (code, status, title) == (problem.code, problem.status, problem.title)


def test_problems_stand_under_their_status() -> None:
    """A response names only problems of its status, as application/problem+json."""
    responses = [
        (path, status, response)
        for path, item in contract.document()["paths"].items()
        for operation in item.values()
        for status, response in operation["responses"].items()
        if int(status) >= 400
    ]
    named = {
        (path, status, code)
        for path, status, response in responses
        for code in response["content"]["application/problem+json"]["examples"]
    }

    assert [] == [one for one in named if CATALOGUE[one[2]][0] != int(one[1])]
    assert ("/v1/orders", "409", "in_flight") in named
    assert ("/v1/orders", "422", "key_reused") in named
    assert ("/webhooks/{tenant}/{system}", "401", "signature") in named


def test_headers_that_clients_need_are_documented() -> None:
    """Idempotency, waiting, caching and coming back later are part of the contract."""
    paths = contract.document()["paths"]
    submit, show = paths["/v1/orders"]["post"], paths["/v1/orders/{order_id}"]["get"]
    taken = {one["name"]: one["required"] for one in submit["parameters"]}

    assert {"Idempotency-Key": True, "Prefer": False, "Headrace-Tenant": False} == taken
    assert {"Location", "Idempotency-Replayed"} <= set(submit["responses"]["202"]["headers"])
    assert "ETag" in show["responses"]["200"]["headers"]
    assert "Retry-After" in submit["responses"]["503"]["headers"]
    assert "WWW-Authenticate" in submit["responses"]["401"]["headers"]
    assert (
        "WWW-Authenticate"
        not in (paths["/webhooks/{tenant}/{system}"]["post"]["responses"]["401"]["headers"])
    )


def test_examples_are_what_they_claim() -> None:
    """The example order is taken, and the example operation is one, field by field."""
    body = json.dumps(routes.ORDER_EXAMPLE).encode()
    operation = codec.convert(routes.OPERATION_EXAMPLE, Operation)

    assert "WEB-4711" == read_order(body, currencies=("EUR",)).reference
    assert routes.OPERATION_EXAMPLE == codec.to_builtins(operation)


def test_bodies_are_described_by_the_model() -> None:
    """The schema of an order in the document is the schema that requests are checked with."""
    components = contract.document()["components"]["schemas"]
    items = components["NewOrder"]["properties"]["items"]

    assert (1, 200) == (items["minItems"], items["maxItems"])
    assert not components["NewOrder"]["additionalProperties"]
