"""The transport: one place that sends, for every adapter.

A call passes the breaker, then the bulkhead, then makes attempts until one has an outcome that may
not be repeated. Each attempt is a span of its own with its own ``traceparent``, and leaves
evidence: what was sent and answered, which shows itself redacted only. An answer, also one
with status 500, goes back to the adapter, which has the last word.
"""

import asyncio
import random as randomness
import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Final

import httpx
import msgspec
import structlog
import tenacity
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer

from gateway.errors import InDoubt, Misconfigured, Unavailable
from gateway.model.identifiers import new_id
from gateway.policy.breaking import Breaker, BreakerState, BreakerView
from gateway.policy.limits import Bulkhead
from gateway.policy.retrying import (
    SAFE_METHODS,
    Outcome,
    classify_exception,
    classify_response,
    is_over,
    may_repeat,
    pause_s,
    retry_after_s,
)
from gateway.ports.exchange import MAPPING, Session, with_headers
from gateway.runtime.evidence import Call, Evidence, Transcript
from gateway.runtime.metrics import Durations, client_durations
from gateway.runtime.telemetry import traceparent
from gateway.settings import CallPolicy

_FIRST_ERROR: Final = 400  # of the conventions: for a client 4xx is an error as well
_INTERRUPTED: Final = "interrupted"  # we stopped waiting ourselves; it may have happened
_log = structlog.get_logger()


def always() -> bool:
    """Nothing stands against sending."""
    return True


class _Lane(msgspec.Struct, frozen=True):
    """What all calls of one verb of one system share."""

    policy: CallPolicy
    breaker: Breaker
    bulkhead: Bulkhead[asyncio.Future[None]]


class _Result(msgspec.Struct, frozen=True):
    """What an attempt came to: an answer, or an error of the wire."""

    outcome: Outcome
    response: httpx.Response | None = None
    error: httpx.RequestError | None = None


class _Conversation(msgspec.Struct):
    """One call under way.

    Attributes:
        attempts: How many were made.
        known: The result of the first attempt, until tenacity has taken note of it.
    """

    request: httpx.Request
    session: Session | None
    call: Call
    lane: _Lane
    may_send: Callable[[], bool]
    deadline: float
    attempts: int = 0
    known: _Result | None = None


class _Attempt(msgspec.Struct, frozen=True):
    """One attempt under way."""

    conversation: _Conversation
    number: int
    request: httpx.Request
    span: Span
    context: SpanContext
    at: float
    started: float


class Transport:
    """Sends requests with all that belongs to it; see the module.

    Args:
        wire: Sends once and honours ``extensions["timeout"]`` including ``total``.
        policy: How a call is to be made; asked once for each verb of a system.
        evidence: Takes the evidence of each attempt; must not block.
        tracer: Makes a span for each attempt.
        clock: Seconds that never go back.
        wall: Seconds since the epoch.
        sleep: Waits between attempts.
        random: For jitter.
        durations: Where durations are counted.
    """

    def __init__(
        self,
        wire: httpx.AsyncBaseTransport,
        *,
        policy: Callable[[Call], CallPolicy],
        evidence: Callable[[Evidence], None],
        tracer: Tracer,
        random: randomness.Random,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        durations: Durations = client_durations,
    ) -> None:
        self._wire = wire
        self._policy = policy
        self._evidence = evidence
        self._tracer = tracer
        self._random = random
        self._clock = clock
        self._wall = wall
        self._lanes: dict[tuple[str, str, str], _Lane] = {}
        self._forced: dict[tuple[str, str, str], BreakerState] = {}
        self._durations = durations
        # Entered after a first failure only: it costs more than the rest of a good call, and few
        # calls need it (benchmarks/README.md).
        self._retrying = tenacity.AsyncRetrying(
            sleep=sleep,
            retry=_wants_more,
            wait=self._pause,
            stop=self._is_over,
            retry_error_callback=_result_of,
        )

    async def send(
        self,
        request: httpx.Request,
        call: Call,
        *,
        session: Session | None = None,
        may_send: Callable[[], bool] = always,
    ) -> httpx.Response:
        """The answer, whatever its status.

        Args:
            request: Stays as it is; its body can be read more than once.
            call: What it is about.
            session: Sent along with each attempt.
            may_send: Asked immediately before each attempt is written; a worker that lost its
                lease must not send.

        Raises:
            Unavailable: Nothing happened: the breaker is open, too many are under way, the lease
                is lost, no connection was made; or the request only reads.
            InDoubt: It was sent, or part of it, and no whole answer came.
            Misconfigured: The request cannot be sent as it is.
        """
        lane = self._lane(call)
        deadline = self._clock() + lane.policy.deadline_s
        if lane.breaker.is_closed_to_calls():
            raise _breaker_open(lane.breaker)
        await self._enter(lane)
        try:
            conversation = _Conversation(request, session, call, lane, may_send, deadline)
            result = await self._attempt(conversation)
            if may_repeat(result.outcome, request.method):
                conversation.known = result
                # A copy, as tenacity's own decorator makes: the object keeps the state of a run.
                result = await self._retrying.copy()(self._next, conversation)
        finally:
            _leave(lane.bulkhead)
        return _settled(result, call, request.method)

    def is_open(self, tenant: str, system: str) -> bool:
        """Whether the breaker of one of the system's verbs is open, or held open."""
        states = [
            lane.breaker.state for key, lane in self._lanes.items() if key[:2] == (tenant, system)
        ]
        states += [
            state
            for (whose, name, _), state in self._forced.items()
            if name == system and whose in {"", tenant}
        ]
        return BreakerState.OPEN in states

    def breakers(self) -> dict[str, BreakerView]:
        """``tenant/system/verb`` to its breaker, for readiness and the console."""
        return {"/".join(key): lane.breaker.view() for key, lane in self._lanes.items()}

    def force(
        self, system: str, verb: str, state: BreakerState | None, *, tenant: str = ""
    ) -> None:
        """Hold breakers open or closed, also those of calls that were never made; None lifts it.

        Args:
            tenant: Empty for every tenant that calls a system by this name.
        """
        wanted = (tenant, system, verb)
        if state is None:
            self._forced.pop(wanted, None)
        else:
            self._forced[wanted] = state
        for key, lane in self._lanes.items():
            if key[1:] == wanted[1:] and tenant in {"", key[0]}:
                lane.breaker.force(state)

    def _lane(self, call: Call) -> _Lane:
        key = (call.tenant, call.system, call.verb)
        lane = self._lanes.get(key)
        if lane is None:
            policy = self._policy(call)
            breaker = Breaker(policy, self._clock)
            breaker.force(self._forced.get(key) or self._forced.get(("", *key[1:])))
            lane = self._lanes[key] = _Lane(policy, breaker, Bulkhead(policy.concurrency))
        return lane

    async def _enter(self, lane: _Lane) -> None:
        """Take a place, or wait for one."""
        if lane.bulkhead.enter():
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lane.bulkhead.queue(turn)
        try:
            async with asyncio.timeout(min(lane.policy.queue_s, lane.policy.deadline_s)):
                await turn
        except BaseException as error:
            if not lane.bulkhead.give_up(turn) and not turn.cancelled():
                _leave(lane.bulkhead)  # our turn came at the same moment
            if isinstance(error, TimeoutError):
                raise Unavailable(
                    "Too many calls to the system are under way.",
                    code="overloaded",
                    retry_after_s=lane.policy.queue_s,
                ) from error
            raise

    async def _next(self, conversation: _Conversation) -> _Result:
        """For tenacity: first what is known already, then a new attempt each time."""
        known, conversation.known = conversation.known, None
        return known or await self._attempt(conversation)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        conversation = _conversation_of(state)
        asked_s = retry_after_s(_result_of(state).response, now=self._wall())
        policy = conversation.lane.policy
        return pause_s(policy, conversation.attempts, asked_s, self._random.random())

    def _is_over(self, state: tenacity.RetryCallState) -> bool:
        conversation = _conversation_of(state)
        left_s = conversation.deadline - self._clock()
        policy = conversation.lane.policy
        return is_over(policy, conversation.attempts, left_s=left_s, pause=state.upcoming_sleep)

    async def _attempt(self, conversation: _Conversation) -> _Result:
        """Send once, if nothing stands against it."""
        breaker = conversation.lane.breaker
        left_s = conversation.deadline - self._clock()
        if left_s <= 0:
            raise Unavailable("The call was not made in time.", code="deadline")
        if not conversation.may_send():
            raise Unavailable("This worker may not send any more.", code="lease_lost")
        ticket = breaker.permit()
        if ticket is None:
            raise _breaker_open(breaker)
        attempt = self._begin(conversation, left_s)
        try:
            result = await self._exchange(attempt.request)
        except BaseException as error:  # mostly cancellation; it may have happened
            breaker.withdraw(ticket)
            self._end(attempt, _INTERRUPTED, None, error)
            raise
        duration_s = self._end(attempt, result.outcome, result.response, result.error)
        before = breaker.state
        breaker.record(ticket, result.outcome, duration_s)
        _say(conversation.call, before, breaker)
        return result

    async def _exchange(self, request: httpx.Request) -> _Result:
        try:
            response = await self._wire.handle_async_request(request)
            await response.aread()
        except httpx.RequestError as error:
            return _Result(classify_exception(error), error=error)
        response.request = request
        return _Result(classify_response(response), response)

    def _begin(self, conversation: _Conversation, left_s: float) -> _Attempt:
        conversation.attempts += 1
        call = conversation.call
        span = self._tracer.start_span(f"{call.product}.{call.verb}", kind=SpanKind.CLIENT)
        at = self._wall()
        context = span.get_span_context()
        if not context.is_valid:  # no telemetry here; the system's log can still be searched
            context = self._own_context()
        return _Attempt(
            conversation,
            conversation.attempts,
            _request_of(conversation, context, left_s, at),
            span,
            context,
            at,
            self._clock(),
        )

    def _own_context(self) -> SpanContext:
        bits = self._random.getrandbits
        return SpanContext(
            bits(128) or 1, bits(64) or 1, is_remote=False, trace_flags=TraceFlags(0)
        )

    def _end(
        self,
        attempt: _Attempt,
        outcome: str,
        response: httpx.Response | None,
        error: BaseException | None,
    ) -> float:
        """Leave span, metric and evidence behind; returns how long it took, in seconds."""
        duration_s = self._clock() - attempt.started
        status = response.status_code if response is not None else 0
        failure = _failure(status, error)
        request, call = attempt.request, attempt.conversation.call
        host, port = _address(request.url.scheme, request.url.raw_host, request.url.port)
        self._durations.record(duration_s, call.system, request.method, host, port, status, failure)
        if attempt.span.is_recording():
            _describe(attempt, host, port, status, failure)
        attempt.span.end()
        try:
            self._evidence(
                Evidence(
                    evidence_id=new_id(),
                    tenant=call.tenant,
                    system=call.system,
                    product=call.product,
                    verb=call.verb,
                    business_id=call.business_id,
                    step=call.step,
                    key=call.key,
                    attempt=attempt.number,
                    at=attempt.at,
                    duration_ms=duration_s * 1000,
                    outcome=outcome,
                    status=status,
                    request=Transcript(request, call.readable),
                    response=Transcript(response, call.readable),
                    error=type(error).__name__ if error is not None else "",
                    trace_id=f"{attempt.context.trace_id:032x}",
                    span_id=f"{attempt.context.span_id:016x}",
                    mapping=request.extensions.get(MAPPING, ""),
                )
            )
        except Exception as lost:  # noqa: BLE001 - an answer must not be lost with its evidence
            _log.error("evidence.lost", system=call.system, verb=call.verb, exc_info=lost)
        return duration_s


def _conversation_of(state: tenacity.RetryCallState) -> _Conversation:
    conversation: _Conversation = state.args[0]
    return conversation


def _result_of(state: tenacity.RetryCallState) -> _Result:
    if state.outcome is None:
        raise AssertionError("tenacity asks after an attempt")
    result: _Result = state.outcome.result()
    return result


def _wants_more(state: tenacity.RetryCallState) -> bool:
    if state.outcome is None or state.outcome.failed:  # refused by ourselves
        return False
    return may_repeat(_result_of(state).outcome, _conversation_of(state).request.method)


def _leave(bulkhead: Bulkhead[asyncio.Future[None]]) -> None:
    """Give the place to the next in the queue that still waits."""
    turn = bulkhead.leave()
    while turn is not None and turn.cancelled():  # it gave up and could not say so yet
        turn = bulkhead.leave()
    if turn is not None:
        turn.set_result(None)


def _breaker_open(breaker: Breaker) -> Unavailable:
    return Unavailable(
        "The system failed too often and is left alone for a moment.",
        code="breaker_open",
        retry_after_s=breaker.retry_in_s(),
    )


def _say(call: Call, before: BreakerState, breaker: Breaker) -> None:
    """Once when the system goes, once when it is back; never in between."""
    after = breaker.state
    if before is BreakerState.CLOSED and after is BreakerState.OPEN:
        _log.warning(
            "system.unavailable",
            tenant=call.tenant,
            system=call.system,
            verb=call.verb,
            retry_in_s=breaker.retry_in_s(),
        )
    if before is BreakerState.HALF_OPEN and after is BreakerState.CLOSED:
        _log.info("system.available", tenant=call.tenant, system=call.system, verb=call.verb)


def _settled(result: _Result, call: Call, method: str) -> httpx.Response:
    """The answer, or the error that says what the caller does next."""
    if result.response is not None:
        return result.response
    error = result.error
    detail = type(error).__name__
    if result.outcome is Outcome.MISCONFIGURED:
        raise Misconfigured(
            "The request cannot be sent as it is.",
            code="request_invalid",
            detail=detail,
            system=call.system,
        ) from error
    if result.outcome is Outcome.NOT_SENT:
        code = "overloaded" if isinstance(error, httpx.PoolTimeout) else "connect"
        raise Unavailable(
            "No connection to the system.", code=code, detail=detail, system=call.system
        ) from error
    code = "timeout" if isinstance(error, httpx.TimeoutException) else "broken"
    kind = Unavailable if method in SAFE_METHODS else InDoubt
    raise kind(
        "No whole answer came from the system.", code=code, detail=detail, system=call.system
    ) from error


def _request_of(
    conversation: _Conversation, context: SpanContext, left_s: float, at: float
) -> httpx.Request:
    """The request of one attempt: with the header of its span and with what time is left."""
    given, policy = conversation.request, conversation.lane.policy
    added = {b"traceparent": traceparent(context).encode("ascii")}
    if context.trace_state:
        added[b"tracestate"] = context.trace_state.to_header().encode("ascii")
    whole_s = min(policy.timeout_s, left_s)
    limits = {
        "connect": min(policy.connect_timeout_s, whole_s),
        "pool": min(policy.queue_s, whole_s),
        "total": whole_s,
    }
    extensions = {**given.extensions, "timeout": limits}
    if conversation.session is None:
        return with_headers(given, added, extensions=extensions)
    return conversation.session.apply(given, added, extensions=extensions, now=at)


def _failure(status: int, error: BaseException | None) -> str:
    """``error.type`` of the conventions; empty for success."""
    if error is not None:
        return type(error).__name__
    return str(status) if status >= _FIRST_ERROR else ""


@lru_cache(maxsize=256)
def _address(scheme: str, host: bytes, port: int | None) -> tuple[str, int]:
    return host.decode("ascii"), port or (443 if scheme == "https" else 80)


def _describe(attempt: _Attempt, host: str, port: int, status: int, failure: str) -> None:
    """Attributes of a span that is recorded: few values, and no path, query or body."""
    call, span = attempt.conversation.call, attempt.span
    span.set_attributes(
        {
            "http.request.method": attempt.request.method,
            "server.address": host,
            "server.port": port,
            "headrace.system": call.system,
            "headrace.step": call.step,
        }
    )
    made_by = attempt.request.extensions.get(MAPPING)
    if made_by:
        span.set_attribute(MAPPING, made_by)
    if status:
        span.set_attribute("http.response.status_code", status)
    if attempt.number > 1:
        span.set_attribute("http.request.resend_count", attempt.number - 1)
    if failure:
        span.set_attribute("error.type", failure)
        span.set_status(Status(StatusCode.ERROR))
