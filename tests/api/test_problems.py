"""Problems: one form for every error, and not a word that was not written for the outside."""

import json
from typing import Any, Final

import psycopg
import pytest
from structlog.testing import LogCapture

from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable
from gateway.runtime import timeline
from tests.api.front import Front, new_order, problem_of

_SECRET: Final = "Jürgen Müller, DE89370400440532013000"


def _error(kind: type[HeadraceError], **more: Any) -> HeadraceError:
    return kind("A sentence of ours.", code="cause", detail=_SECRET, system="sap", **more)


@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after"),
    [
        (_error(Rejected), 422, "rejected", None),
        (_error(Unavailable), 503, "unavailable", "1"),
        (_error(Unavailable, retry_after_s=7.4), 503, "unavailable", "7"),
        (_error(Unavailable, retry_after_s=0.0), 503, "unavailable", "1"),
        (_error(InDoubt), 502, "in_doubt", None),
        (_error(Misconfigured), 500, "misconfigured", None),
        (psycopg.OperationalError(_SECRET), 503, "unavailable", "1"),
        (psycopg.errors.AdminShutdown(_SECRET), 503, "unavailable", "1"),
        (RuntimeError(_SECRET), 500, "internal", None),
        (psycopg.errors.UniqueViolation(_SECRET), 500, "internal", None),
        (KeyError(_SECRET), 500, "internal", None),
        (RecursionError(_SECRET), 500, "internal", None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_exception_becomes_a_problem(
    front: Front,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    code: str,
    retry_after: str | None,
) -> None:
    """Whatever is raised below: the right status, and nothing of what others said."""

    async def broken(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(timeline, "of", broken)

    answer = await front.api.get("/v1/orders/x/timeline")

    assert (status, code) == (answer.status_code, problem_of(answer).code)
    assert retry_after == answer.headers.get("retry-after")
    assert not [part for part in ("Müller", "DE89", "cause", "sap") if part in answer.text]


async def test_defect_is_logged_with_its_place(
    front: Front, monkeypatch: pytest.MonkeyPatch, logs: LogCapture
) -> None:
    """Somebody has to find it: an error line with the request's id, beside the access log."""

    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError(_SECRET)

    monkeypatch.setattr(timeline, "of", broken)
    answer = await front.api.get("/v1/orders/x/timeline")

    request_id = answer.headers["headrace-request-id"]
    assert [("api.defect", "error", request_id), ("api.request", "info", request_id)] == [
        (line["event"], line["log_level"], line["request_id"]) for line in logs.entries
    ]


async def test_problem_names_its_trace(front: Front) -> None:
    """The id under which support finds the request, that of the caller's own trace."""
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}

    answer = await front.api.get("/v1/orders/x", headers=headers)

    assert trace_id == problem_of(answer).trace_id


async def test_outage_is_unavailable_everywhere(front: Front) -> None:
    """Reads and writes alike: 503 with Retry-After, and all is well when it is over."""
    taken = await front.post(new_order("before"))
    async with front.outage():
        for method, path in (("GET", taken.json()["links"]["order"]), ("POST", "/v1/orders")):
            body = json.dumps(new_order("during")) if method == "POST" else None
            answer = await front.api.request(
                method,
                path,
                content=body,
                headers={"Idempotency-Key": "during", "Content-Type": "application/json"},
            )
            assert (503, "unavailable") == (answer.status_code, problem_of(answer).code)
            assert "1" == answer.headers["retry-after"]

    assert 202 == (await front.post(new_order("during"), key="during")).status_code
    assert 2 == (await front.stored())["document"]
