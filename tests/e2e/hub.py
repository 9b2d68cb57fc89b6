"""What tests ask a hub of real processes, while it may be dying: over HTTP, and in its tables."""

import time
from collections.abc import Callable
from typing import Any, Final

import httpx
import psycopg

from gateway.commands.landscape import Landscape

_BUSY: Final = frozenset({500, 503})


def insist(
    landscape: Landscape, path: str, body: Any, *, key: str, limit_s: float = 90.0
) -> httpx.Response:
    """Ask under one key until the hub has an answer, as a careful client does."""

    def post() -> httpx.Response:
        headers = {"Idempotency-Key": key}
        return landscape.client.post(f"{landscape.facade}{path}", json=body, headers=headers)

    return _until_answered(post, path, limit_s)


def show(landscape: Landscape, path: str, *, limit_s: float = 90.0) -> httpx.Response:
    """Look until the hub answers."""

    def get() -> httpx.Response:
        return landscape.client.get(f"{landscape.facade}{path}")

    return _until_answered(get, path, limit_s)


def _until_answered(ask: Callable[[], httpx.Response], what: str, limit_s: float) -> httpx.Response:
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        try:
            answer = ask()
        except httpx.TransportError:
            time.sleep(0.2)
            continue
        if answer.status_code not in _BUSY and not _is_in_flight(answer):
            return answer
        time.sleep(0.2)
    raise AssertionError(f"{what} was never answered")


def _is_in_flight(answer: httpx.Response) -> bool:
    """Whether the same request is under way still, or died under way a moment ago."""
    return answer.status_code == httpx.codes.CONFLICT and answer.json()["code"] == "in_flight"


def rows(landscape: Landscape, sql: str) -> list[Any]:
    with psycopg.connect(landscape.url, autocommit=True) as connection:
        return connection.execute(sql).fetchall()  # type: ignore[arg-type] # literals of tests


def left_over(landscape: Landscape) -> list[Any]:
    """Gaps in the events' numbers, and webhooks that a person would have to look at."""
    return rows(
        landscape,
        "select aggregate, aggregate_id, count(*), max(sequence) from headrace.outbox"
        " group by 1, 2 having count(*) <> max(sequence)"
        " union all select event_type, state, seq, tries from headrace.inbox"
        " where state = 'PARKED'",
    )
