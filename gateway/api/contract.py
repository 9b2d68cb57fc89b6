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
from gateway.api.problems import CATALOGUE, Problem
from gateway.api.route import Route, Success
from gateway.api.routes import MEDIA_TYPE, ROUTES
from gateway.model import codec

_JSON: Final = "application/json"
_TEXT: Final[dict[str, Any]] = {"type": "string"}
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
    "ETag": "Changes with what is shown.",
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
        for body in (route.body, *(one.body for one in route.success.values())):
            named += body if isinstance(body, tuple) else (body,)
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
    parameters = [
        *_path_parameters(route.path),
        *map(_query_parameter, route.asks),
        *map(_header_parameter, takes),
    ]
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


def _query_parameter(name: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1, "maximum": 200} if name == "limit" else _TEXT
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _header_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "header", **_REQUEST_HEADERS[name]}


def _request_body(route: Route, known: dict[Any, Any]) -> dict[str, Any]:
    if route.body is bytes:
        return {"required": True, "content": {"*/*": {"schema": {}}}}
    return {
        "required": True,
        "content": {
            _JSON: {
                "schema": _schema(route.body, known),
                "examples": {"example": {"value": route.example}},
            }
        },
    }


def _schema(body: Any, known: dict[Any, Any]) -> Any:
    if isinstance(body, tuple):
        return {"oneOf": [known[one] for one in body]}
    return known[body]


def _success(one: Success, known: dict[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": one.description,
        "headers": _header_refs((*one.headers, "Headrace-Request-Id")),
    }
    if isinstance(one.body, str):
        found["content"] = {one.body: {"schema": {"type": "string"}}}
    elif one.body is not None:
        content = {"schema": _schema(one.body, known)}
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
