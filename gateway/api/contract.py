"""The OpenAPI document: the routes in one table, their bodies from the Structs.

Served under ``/openapi.yaml`` and written to ``openapi/headrace.yaml``; a test compares the table
with the routes that are served.

Source: OpenAPI Specification 3.1.1, RFC 9457, draft-ietf-httpapi-idempotency-key-header-07.
"""

import functools
from importlib.metadata import version
from typing import Any, Final

import msgspec
import yaml
from litestar import Response, get

from gateway.api import problems
from gateway.api.operations import Operation
from gateway.api.orders import Timeline
from gateway.api.problems import CATALOGUE, Problem
from gateway.model import codec
from gateway.model.order import NewOrder, Order

MEDIA_TYPE: Final = "application/yaml"
_JSON: Final = "application/json"
_ORDER_ID: Final = "01938c5e-7a10-7c4b-9d7e-0f6b2a4c8e11"
_OPERATION_ID: Final = "5d1f1f0e-6f0a-5c67-9a0c-0d2f4f2f7a55"

# Examples are read by a test as what they claim to be.
ORDER_EXAMPLE: Final[dict[str, Any]] = {
    "channel": "B2C",
    "party": {
        "party_id": "C-100021",
        "kind": "PERSON",
        "names": ["Ada", "Muster"],
        "email": "ada@example.com",
        "addresses": [
            {
                "line1": "Hauptstraße",
                "house_number": "1",
                "postal_code": "10115",
                "city": "Berlin",
                "country": "DE",
            }
        ],
    },
    "items": [
        {
            "product_id": "WALLBOX-11",
            "quantity": 2,
            "unit_price": {"amount": "699.00", "currency": "EUR"},
        }
    ],
    "total": {"amount": "1398.00", "currency": "EUR"},
    "payment": {"method_code": "card", "token": "pm_card_visa"},
    "reference": "WEB-4711",
}
OPERATION_EXAMPLE: Final[dict[str, Any]] = {
    "operation_id": _OPERATION_ID,
    "kind": "place_order",
    "state": "RUNNING",
    "order_id": _ORDER_ID,
    "links": {
        "self": f"/v1/operations/{_OPERATION_ID}",
        "order": f"/v1/orders/{_ORDER_ID}",
        "timeline": f"/v1/orders/{_ORDER_ID}/timeline",
    },
    "order_state": "SUBMITTED",
    "step": "",
    "reason": "",
    "code": "",
    "message": "",
    "resume_at": "",
}


class Success(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a route succeeds.

    Attributes:
        body: Type of the body; None for none, a string for a media type that is not JSON.
        headers: Names of headers that may come with it.
    """

    description: str
    body: Any = None
    headers: tuple[str, ...] = ()
    example: Any = None


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One route as front-ends see it.

    Attributes:
        path: With parameters in braces.
        takes: Names of header parameters.
        body: Type of the request's body; ``bytes`` where a provider decides.
        success: By status.
        problems: Codes of the catalogue that it may answer, beside those of every route.
        secured: Whether the bearer key is asked for.
        sheds: Whether it is refused under load; health and webhooks never are.
    """

    method: str
    path: str
    operation_id: str
    tag: str
    summary: str
    success: dict[int, Success]
    description: str = ""
    takes: tuple[str, ...] = ()
    body: Any = None
    example: Any = None
    problems: tuple[str, ...] = ()
    secured: bool = False
    sheds: bool = True


ROUTES: Final = (
    Route(
        method="POST",
        path="/v1/orders",
        operation_id="submitOrder",
        tag="orders",
        summary="Take an order.",
        description=(
            "The order is stored and its flow started in one transaction; the answer follows the"
            " commit. Repeat it with the same Idempotency-Key: the answer is the same, byte by"
            " byte."
        ),
        takes=("Idempotency-Key", "Prefer"),
        body=NewOrder,
        example=ORDER_EXAMPLE,
        success={
            202: Success(
                description="Taken; the operation tells what becomes of it.",
                body=Operation,
                headers=("Location", "Preference-Applied", "Idempotency-Replayed"),
                example=OPERATION_EXAMPLE,
            ),
            200: Success(
                description="Taken, and ended within the time that Prefer asked for.",
                body=Operation,
                headers=("Location", "Preference-Applied", "Idempotency-Replayed"),
                example=OPERATION_EXAMPLE | {"state": "COMPLETED", "order_state": "COMPLETED"},
            ),
        },
        problems=(
            *("not_json", "key_missing", "unauthorized", "in_flight", "too_large"),
            *("unsupported_media_type", "invalid", "key_reused", "unavailable"),
        ),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/orders/{order_id}",
        operation_id="getOrder",
        tag="orders",
        summary="Show an order as it stands now.",
        takes=("If-None-Match",),
        success={
            200: Success(description="The order.", body=Order, headers=("ETag", "Cache-Control")),
            304: Success(description="It is as you have it.", headers=("ETag", "Cache-Control")),
        },
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/orders/{order_id}/timeline",
        operation_id="getTimeline",
        tag="orders",
        summary="Tell everything that happened to an order.",
        success={
            200: Success(
                description="Steps, attempts, webhooks and document numbers, oldest first.",
                body=Timeline,
                headers=("Cache-Control",),
            )
        },
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/operations/{operation_id}",
        operation_id="getOperation",
        tag="operations",
        summary="Show how far an operation is.",
        success={
            200: Success(
                description="The operation as it stands.",
                body=Operation,
                headers=("Cache-Control",),
                example=OPERATION_EXAMPLE,
            )
        },
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/webhooks/{tenant}/{system}",
        operation_id="receiveWebhook",
        tag="webhooks",
        summary="Take a webhook delivery of a provider.",
        description=(
            "Signed as the provider signs. Success is answered after the commit, and for"
            " repetitions too. Some providers expect another status of success, or of refusal,"
            " and get that."
        ),
        body=bytes,
        success={200: Success(description="Kept.")},
        problems=("signature", "not_found", "too_large", "misconfigured", "unavailable"),
        sheds=False,
    ),
    Route(
        method="GET",
        path="/webhooks/{tenant}/{system}",
        operation_id="answerWebhookChallenge",
        tag="webhooks",
        summary="Tell a provider that the endpoint is ours, or take a delivery by GET.",
        description="Only for systems whose provider calls so; 405 for all others.",
        success={200: Success(description="The answer that the provider expects.")},
        problems=(
            *("signature", "not_found", "method_not_allowed", "misconfigured", "unavailable"),
        ),
        sheds=False,
    ),
    Route(
        method="GET",
        path="/livez",
        operation_id="live",
        tag="health",
        summary="Say that the process turns.",
        success={200: Success(description="It does.", body="text/plain")},
        sheds=False,
    ),
    Route(
        method="GET",
        path="/readyz",
        operation_id="ready",
        tag="health",
        summary="Say that requests can be served.",
        success={200: Success(description="They can.", body="text/plain")},
        problems=("unavailable",),
        sheds=False,
    ),
    Route(
        method="GET",
        path="/problems/{code}",
        operation_id="explainProblem",
        tag="problems",
        summary="Explain a type of problem.",
        success={
            200: Success(description="What it means and what to do.", body=dict[str, str | int])
        },
        problems=("not_found",),
    ),
    Route(
        method="GET",
        path="/openapi.yaml",
        operation_id="getContract",
        tag="problems",
        summary="This document.",
        success={200: Success(description="OpenAPI 3.1.", body=MEDIA_TYPE)},
    ),
)

_REQUEST_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "Idempotency-Key": {
        "required": True,
        "description": "A key of your own, 1 to 255 printable characters, quoted or bare.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 257},
        "example": '"4c02aa64-2a33-417d-afc5-2a098b36cd0c"',
    },
    "Prefer": {
        "required": False,
        "description": "RFC 7240: wait so many seconds for the end, 30 at most.",
        "schema": {"type": "string", "examples": ["wait=10"]},
    },
    "Headrace-Tenant": {
        "required": False,
        "description": "Read only where the hub has no keys and several tenants.",
        "schema": {"type": "string"},
    },
    "If-None-Match": {
        "required": False,
        "description": "The ETag that you have.",
        "schema": {"type": "string"},
    },
}
_RESPONSE_HEADERS: Final[dict[str, str]] = {
    "Location": "Where the operation is shown.",
    "ETag": "Changes with the order.",
    "Cache-Control": "Only for you, and only after asking again.",
    "Retry-After": "Seconds to wait before the next attempt.",
    "WWW-Authenticate": "Bearer.",
    "Preference-Applied": "The wait that was granted.",
    "Idempotency-Replayed": "true where the answer was kept from the first request.",
    "Headrace-Request-Id": "Name it when you ask us.",
    "Allow": "The methods that the path takes.",
}
_HEADERS_OF_STATUS: Final = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    409: ("Retry-After",),
    503: ("Retry-After",),
}


@get("/openapi.yaml")
async def get_contract() -> Response[bytes]:
    """Serve the contract that these routes keep."""
    return Response(_text(), media_type=MEDIA_TYPE)


@functools.cache
def _text() -> bytes:
    return text()


def text() -> bytes:
    """The document as YAML."""
    return yaml.dump(
        document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=96, encoding="utf-8"
    )


class _Plain(yaml.SafeDumper):
    """Writes what stands twice twice: readers stumble over anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Never an alias."""
        return True


def document() -> dict[str, Any]:
    """The document as OpenAPI 3.1 has it."""
    kinds = _kinds()
    schemas, components = codec.schemas(kinds, "#/components/schemas/{name}")
    known = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, known)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Headrace",
            "version": version("headrace"),
            "summary": "Order-to-cash integration hub.",
            "description": (
                "Errors are problem documents (RFC 9457) on every route; a method that a path does"
                " not take is answered with 405."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(route.tag for route in ROUTES)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "examples": {code: {"value": _problem(code)} for code in CATALOGUE},
            "responses": {"MethodNotAllowed": _problem_response(405, ["method_not_allowed"])},
            "headers": {name: _header(text) for name, text in _RESPONSE_HEADERS.items()},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of server.api_keys. Without any, the hub listens to"
                    " this machine only and needs none.",
                }
            },
        },
    }


def _kinds() -> tuple[Any, ...]:
    """Every type that stands in a body, once."""
    named = [Problem]
    for route in ROUTES:
        named += [route.body, *(one.body for one in route.success.values())]
    return tuple(dict.fromkeys(one for one in named if _has_schema(one)))


def _has_schema(body: Any) -> bool:
    return body is not None and body is not bytes and not isinstance(body, str)


def _operation(route: Route, known: dict[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": route.operation_id,
        "tags": [route.tag],
        "summary": route.summary,
    }
    if route.description:
        found["description"] = route.description
    found["security"] = [{"bearer": []}, {}] if route.secured else []
    takes = (*route.takes, *(("Headrace-Tenant",) if route.secured else ()))
    parameters = [*_path_parameters(route.path), *map(_header_parameter, takes)]
    if parameters:
        found["parameters"] = parameters
    if route.body is not None:
        found["requestBody"] = _request_body(route, known)
    found["responses"] = {
        **{str(status): _success(one, known) for status, one in sorted(route.success.items())},
        **_problem_responses(route),
    }
    return found


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]


def _header_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "header", **_REQUEST_HEADERS[name]}


def _request_body(route: Route, known: dict[Any, Any]) -> dict[str, Any]:
    if route.body is bytes:
        return {"required": True, "content": {"*/*": {"schema": {}}}}
    return {
        "required": True,
        "content": {
            _JSON: {"schema": known[route.body], "examples": {"order": {"value": route.example}}}
        },
    }


def _success(one: Success, known: dict[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": one.description,
        "headers": _header_refs((*one.headers, "Headrace-Request-Id")),
    }
    if isinstance(one.body, str):
        found["content"] = {one.body: {"schema": {"type": "string"}}}
    elif one.body is not None:
        content = {"schema": known[one.body]}
        if one.example is not None:
            content["example"] = one.example
        found["content"] = {_JSON: content}
    return found


def _problem_responses(route: Route) -> dict[str, Any]:
    codes = [*route.problems, "internal"]
    if route.secured:
        codes.append("misconfigured")
    if route.sheds:
        codes.append("overloaded")
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(CATALOGUE[code][0], []).append(code)
    return {
        str(status): _problem_response(status, named) for status, named in sorted(by_status.items())
    }


def _problem_response(status: int, codes: list[str]) -> dict[str, Any]:
    headers = _HEADERS_OF_STATUS.get(status, ())
    if codes == ["signature"]:
        headers = ()
    return {
        "description": "; ".join(f"{CATALOGUE[code][1]} (`{code}`)" for code in codes) + ".",
        "headers": _header_refs((*headers, "Headrace-Request-Id")),
        "content": {
            problems.MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }


def _header_refs(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


def _problem(code: str) -> Any:
    # Made while a request is served, it would show that request's trace.
    return msgspec.to_builtins(problems.problem(code)) | {"trace_id": ""}
