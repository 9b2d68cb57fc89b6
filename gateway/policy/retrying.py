"""Retrying: what became of an attempt, and whether the same call may make another one.

What surely did not happen may be tried again, and so may what only reads. A write whose outcome
is unknown is never repeated here: the flow looks it up first.
"""

import math
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum

import httpx

from gateway.settings import CallPolicy

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_MISCONFIGURED = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.ProxyError)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Outcome(StrEnum):
    """What became of one attempt."""

    OK = "ok"  # an answer below 400
    REJECTED = "rejected"  # 4xx: the system understood and said no
    REFUSED = "refused"  # 429, or 503 with Retry-After: the system did nothing
    SERVER_ERROR = "server_error"  # 5xx: the system may have done it or not
    NOT_SENT = "not_sent"  # not a byte left
    UNKNOWN = "unknown"  # it left, or part of it, and no whole answer came
    MISCONFIGURED = "misconfigured"  # it cannot be sent as it is


def classify_exception(error: httpx.RequestError) -> Outcome:
    """Whether the request left; anything that is not known to be harmless is unknown."""
    if isinstance(error, _MISCONFIGURED):
        return Outcome.MISCONFIGURED
    if isinstance(error, _NOT_SENT):
        return Outcome.NOT_SENT
    return Outcome.UNKNOWN


def classify_response(response: httpx.Response) -> Outcome:
    """What the status says.

    A 503 without Retry-After comes from proxies too, after the request went through; only the
    system itself says when to come back.

    Source: RFC 9110 §15.6.4 and RFC 6585 §4.
    """
    status = response.status_code
    if status < 400:  # noqa: PLR2004 - the classes of status codes
        return Outcome.OK
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Outcome.REFUSED
    if status == httpx.codes.SERVICE_UNAVAILABLE and "retry-after" in response.headers:
        return Outcome.REFUSED
    if status < 500:  # noqa: PLR2004 - the same
        return Outcome.REJECTED
    return Outcome.SERVER_ERROR


def may_repeat(outcome: Outcome, method: str) -> bool:
    """Whether a further attempt can do no harm."""
    if outcome is Outcome.NOT_SENT or outcome is Outcome.REFUSED:
        return True
    unsure = outcome is Outcome.UNKNOWN or outcome is Outcome.SERVER_ERROR
    return unsure and method in SAFE_METHODS


def retry_after_s(response: httpx.Response | None, *, now: float) -> float | None:
    """Seconds that the system asked us to wait; None where it did not, or not legibly.

    Args:
        response: The answer, if one came.
        now: Seconds since the epoch; Retry-After may be a date.

    Source: RFC 9110 §10.2.3.
    """
    text = response.headers.get("retry-after", "").strip() if response is not None else ""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000": no zone given; HTTP dates are in UTC
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now)


def pause_s(policy: CallPolicy, attempt: int, asked_s: float | None, draw: float) -> float:
    """The pause before the next attempt; infinite where the system asks for too long a one.

    Args:
        policy: First and longest pause.
        attempt: How many attempts were made.
        asked_s: Retry-After, if there was one; never undercut.
        draw: A random number from 0 to 1, for full jitter: many callers do not come back at once.
    """
    if asked_s is not None and asked_s > policy.backoff_max_s:
        return math.inf
    jittered = draw * min(policy.backoff_max_s, policy.backoff_s * 2.0 ** (attempt - 1))
    return jittered if asked_s is None else max(asked_s, jittered)


def is_over(policy: CallPolicy, attempt: int, *, left_s: float, pause: float) -> bool:
    """Whether the call ends here: out of attempts, or the pause would outlast the deadline.

    Args:
        policy: How many attempts.
        attempt: How many were made.
        left_s: Seconds to the deadline.
        pause: Seconds before the next attempt.
    """
    return attempt >= policy.attempts or pause >= left_s
