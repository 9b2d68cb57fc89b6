"""Retrying: every outcome with every method, and how long to wait."""

import math
import time
from email.utils import formatdate

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.retrying import (
    Outcome,
    classify_exception,
    classify_response,
    is_over,
    may_repeat,
    pause_s,
    retry_after_s,
)
from gateway.settings import CallPolicy

NOW = 1_800_000_000.0


def _family(kind: type[httpx.RequestError]) -> set[type[httpx.RequestError]]:
    return {kind}.union(*(_family(member) for member in kind.__subclasses__()))


def test_only_known_errors_are_harmless() -> None:
    """Whatever else httpx raises, now or later, is an unknown outcome."""
    by_outcome: dict[Outcome, set[str]] = {}
    for kind in _family(httpx.RequestError):
        by_outcome.setdefault(classify_exception(kind("x")), set()).add(kind.__name__)

    assert by_outcome[Outcome.NOT_SENT] == {"ConnectError", "ConnectTimeout", "PoolTimeout"}
    assert by_outcome[Outcome.MISCONFIGURED] == {
        "UnsupportedProtocol",
        "LocalProtocolError",
        "ProxyError",
    }
    assert by_outcome[Outcome.UNKNOWN] >= {
        "ReadTimeout",
        "ReadError",
        "WriteTimeout",
        "WriteError",
        "CloseError",
        "RemoteProtocolError",
        "DecodingError",
        "TransportError",
    }


@pytest.mark.parametrize(
    ("expected", "status", "headers"),
    [
        (Outcome.OK, 200, {}),
        (Outcome.OK, 302, {}),
        (Outcome.OK, 399, {}),
        (Outcome.REJECTED, 400, {}),
        (Outcome.REJECTED, 423, {"Retry-After": "1"}),
        (Outcome.REFUSED, 429, {}),
        (Outcome.REFUSED, 503, {"Retry-After": "1"}),
        (Outcome.SERVER_ERROR, 503, {}),
        (Outcome.SERVER_ERROR, 500, {"Retry-After": "1"}),
        (Outcome.SERVER_ERROR, 504, {}),
    ],
)
def test_what_a_status_says(expected: Outcome, status: int, headers: dict[str, str]) -> None:
    """Refused is only what the system itself says it did not do."""
    assert classify_response(httpx.Response(status, headers=headers)) is expected


def test_which_outcome_may_be_repeated() -> None:
    """A write only when it surely did not happen; reading also when the answer got lost."""
    repeatable = {
        (outcome, method)
        for outcome in Outcome
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
        if may_repeat(outcome, method)
    }

    writes = {
        (outcome, method)
        for outcome in (Outcome.NOT_SENT, Outcome.REFUSED)
        for method in ("POST", "PUT", "PATCH", "DELETE")
    }
    reads = {
        (outcome, method)
        for outcome in (
            Outcome.NOT_SENT,
            Outcome.REFUSED,
            Outcome.UNKNOWN,
            Outcome.SERVER_ERROR,
        )
        for method in ("GET", "HEAD", "OPTIONS")
    }
    assert repeatable == writes | reads


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (0.0, "0"),
        (120.0, " 120 "),
        (30.0, formatdate(NOW + 30, usegmt=True)),
        (30.0, formatdate(NOW + 30)),  # "-0000"
        (0.0, formatdate(NOW - 30, usegmt=True)),
        (999_999_999.0, "9" * 5000),
        (None, "soon"),
        (None, "-5"),
        (None, "1.5"),
        (None, "²"),
        (None, ""),
    ],
)
def test_retry_after_is_read_in_both_forms(expected: float | None, text: str) -> None:
    """Seconds or a date; what is neither is as if it were not there."""
    response = httpx.Response(503, headers=[(b"retry-after", text.encode("latin-1"))])

    assert retry_after_s(response, now=NOW) == expected


def test_a_date_without_a_zone_is_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the process runs."""
    response = httpx.Response(503, headers={"Retry-After": formatdate(NOW + 30)})

    with monkeypatch.context() as tokyo:
        tokyo.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        seconds = retry_after_s(response, now=NOW)
    time.tzset()

    assert seconds == 30.0


@given(st.text(max_size=60))
def test_no_retry_after_breaks_the_reader(text: str) -> None:
    """The header is foreign data."""
    response = httpx.Response(503, headers=[(b"retry-after", text.encode("utf-8"))])

    seconds = retry_after_s(response, now=NOW)

    assert seconds is None or seconds >= 0


def test_without_an_answer_nothing_was_asked() -> None:
    """A broken connection brings no Retry-After."""
    assert retry_after_s(None, now=NOW) is None


@given(attempt=st.integers(1, 10), draw=st.floats(0, 1))
def test_the_pause_is_jittered_and_bounded(attempt: int, draw: float) -> None:
    """From nothing to the doubled first pause, and never above the longest."""
    policy = CallPolicy(backoff_s=0.5, backoff_max_s=3.0)

    pause = pause_s(policy, attempt, None, draw)

    assert pause == pytest.approx(draw * min(3.0, 0.5 * 2 ** (attempt - 1)))


def test_what_the_system_asks_for_is_never_undercut() -> None:
    """Retry-After is the least; more than the longest pause ends the call."""
    policy = CallPolicy(backoff_s=4.0, backoff_max_s=5.0)

    assert pause_s(policy, 1, 2.0, 0.0) == 2.0
    assert pause_s(policy, 1, 2.0, 1.0) == 4.0
    assert pause_s(policy, 1, 5.0, 0.0) == 5.0
    assert pause_s(policy, 1, 5.1, 0.0) == math.inf


@pytest.mark.parametrize(
    ("expected", "attempt", "left_s", "pause"),
    [
        (False, 2, 10.0, 1.0),
        (True, 3, 10.0, 1.0),
        (True, 1, 1.0, 1.0),
        (True, 1, 10.0, math.inf),
    ],
)
def test_when_a_call_is_over(
    expected: bool,  # noqa: FBT001 - an expected value
    attempt: int,
    left_s: float,
    pause: float,
) -> None:
    """Out of attempts, or no time left after the pause."""
    assert is_over(CallPolicy(attempts=3), attempt, left_s=left_s, pause=pause) is expected
