"""The transport over a wire in memory, on a clock that jumps instead of waiting."""

import asyncio
import random
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from email.utils import formatdate
from itertools import pairwise
from typing import Any, TypeVar

import httpx
import pytest
import respx
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import (
    NonRecordingSpan,
    NoOpTracer,
    SpanContext,
    SpanKind,
    TraceFlags,
    Tracer,
    TraceState,
    use_span,
)
from structlog.testing import capture_logs

from gateway.errors import InDoubt, Misconfigured, Unavailable
from gateway.policy.breaking import BreakerState
from gateway.ports.exchange import MAPPING, Session
from gateway.runtime.evidence import Call, Evidence
from gateway.runtime.metrics import Durations, client_durations
from gateway.runtime.transport import Transport
from gateway.settings import CallPolicy

T = TypeVar("T")
WALL = 1_800_000_000.0
CALL = Call(
    tenant="acme",
    system="stripe_de",
    product="stripe",
    port="payments",
    verb="create_payment",
    business_id="order-1",
    step="authorize",
    key="key-1",
    readable=frozenset({"payment_id"}),
)
Answer = httpx.Response | Exception | Callable[[httpx.Request], Any]


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__(_JumpingSelector(self))
        self.now = 0.0

    def time(self) -> float:
        """Seconds since it was made."""
        return self.now


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc,valid-type]  # chosen at import
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everybody waits for something that never happens"
        self._loop.now += timeout
        return super().select(0)


class World:
    """A transport with everything around it, and what it left behind."""

    def __init__(
        self,
        answers: list[Answer],
        tracer: Tracer | None = None,
        oversleep_s: float = 0.0,
        **policy: Any,
    ) -> None:
        self.oversleep_s = oversleep_s
        self.answers = answers
        self.sent: list[tuple[float, httpx.Request]] = []
        self.evidence: list[Evidence] = []
        self.spans = InMemorySpanExporter()
        self.policy = CallPolicy(**policy)
        self.tracer = tracer or self._recording()
        self.durations = Durations(
            client_durations.name, "As the product's, but empty.", client_durations.attributes
        )
        self.loop = JumpingLoop()
        self.transport = self.over(httpx.MockTransport(self._serve))

    def over(self, wire: httpx.AsyncBaseTransport) -> Transport:
        """A transport over another wire in the same world."""
        return Transport(
            wire,
            policy=lambda _call: self.policy,
            evidence=self.evidence.append,
            tracer=self.tracer,
            clock=self.loop.time,
            wall=lambda: WALL + self.loop.time(),
            sleep=lambda seconds: asyncio.sleep(seconds + self.oversleep_s),
            random=random.Random(7),
            durations=self.durations,
        )

    def _recording(self) -> Tracer:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        return provider.get_tracer("test")

    async def _serve(self, request: httpx.Request) -> httpx.Response:
        self.sent.append((self.loop.time(), request))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = await answer(request)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, httpx.Response)
        return httpx.Response(
            answer.status_code, headers=answer.headers.raw, content=answer.content
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it to its end, without waiting."""
        return self.loop.run_until_complete(work)

    def send(self, method: str = "POST", **more: Any) -> httpx.Response:
        """One call."""
        return self.run(self.transport.send(order(method), CALL, **more))


def order(method: str = "POST") -> httpx.Request:
    return httpx.Request(
        method,
        "https://api.stripe.example/v1/payments?email=max@example.org",
        headers={"Authorization": "Bearer sk_live_geheim", "Idempotency-Key": "key-1"},
        json={"payment_id": "p-1", "name": "Max Mustermann", "amount": 1999},
    )


def slow(seconds: float, status: int = 200) -> Callable[[httpx.Request], Any]:
    async def answer(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(seconds)
        return httpx.Response(status)

    return answer


@pytest.fixture
def world() -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(*answers: Answer, **more: Any) -> World:
        made.append(World(list(answers), **more))
        return made[-1]

    yield make
    for each in made:
        each.loop.close()


Make = Callable[..., World]

NOT_SENT = [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")]
UNKNOWN = [
    httpx.ReadTimeout("x"),
    httpx.ReadError("x"),
    httpx.WriteTimeout("x"),
    httpx.WriteError("x"),
    httpx.CloseError("x"),
    httpx.RemoteProtocolError("x"),
    httpx.DecodingError("x"),
]


@pytest.mark.parametrize("error", NOT_SENT, ids=lambda error: type(error).__name__)
def test_a_write_that_never_left_is_tried_again(world: Make, error: Exception) -> None:
    """Not a byte left, so even a POST may go again."""
    given = world(error, httpx.Response(201))

    assert given.send().status_code == 201
    assert len(given.sent) == 2


@pytest.mark.parametrize("error", UNKNOWN, ids=lambda error: type(error).__name__)
def test_a_write_with_unknown_outcome_is_sent_once(world: Make, error: Exception) -> None:
    """A write that may have happened is in doubt and is not repeated."""
    given = world(error, httpx.Response(201))

    with pytest.raises(InDoubt) as raised:
        given.send()

    assert len(given.sent) == 1
    assert raised.value.code == ("timeout" if "Timeout" in type(error).__name__ else "broken")
    assert raised.value.system == "stripe_de"
    assert raised.value.__cause__ is error


def test_each_attempt_is_signed_with_its_moment(world: Make) -> None:
    """A signature with a date must not be as old as the first attempt."""
    session = Session(headers={}, sign=lambda _one, now: {"Date": f"{now:.3f}"})
    there = world(httpx.ConnectError("x"), httpx.ConnectError("x"), httpx.Response(200))
    there.send(session=session)

    dates = [one.headers["date"] for _, one in there.sent]
    assert [f"{WALL + at:.3f}" for at, _ in there.sent] == dates
    assert 3 == len(set(dates))


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_writes_are_in_doubt_as_well(world: Make, method: str) -> None:
    """Idempotent by HTTP is not harmless: a PUT may undo what somebody else did in between."""
    given = world(httpx.ReadTimeout("x"), httpx.Response(200))

    with pytest.raises(InDoubt):
        given.send(method)

    assert len(given.sent) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_tried_again_and_ends_as_unavailable(world: Make, method: str) -> None:
    """What only reads cannot be in doubt."""
    given = world(httpx.ReadTimeout("x"), attempts=3)

    with pytest.raises(Unavailable) as raised:
        given.send(method)

    assert raised.value.code == "timeout"
    assert len(given.sent) == 3


def test_no_connection_at_all_is_unavailable(world: Make) -> None:
    """After the last attempt nothing has happened, and that is what the caller hears."""
    given = world(httpx.ConnectError("x"), attempts=2)

    with pytest.raises(Unavailable) as raised:
        given.send()

    assert raised.value.code == "connect"
    assert raised.value.detail == "ConnectError"
    assert len(given.sent) == 2


@pytest.mark.parametrize("error", [httpx.LocalProtocolError("x"), httpx.UnsupportedProtocol("x")])
def test_what_cannot_be_sent_is_our_mistake(world: Make, error: Exception) -> None:
    """No retry mends a request that cannot be written."""
    given = world(error)

    with pytest.raises(Misconfigured):
        given.send()

    assert len(given.sent) == 1


def test_a_server_error_goes_to_the_adapter(world: Make) -> None:
    """A 500 on a write is not repeated; the adapter reads it."""
    given = world(httpx.Response(500, text="dump"), httpx.Response(200))

    response = given.send()

    assert response.status_code == 500
    assert response.content == b"dump"
    assert len(given.sent) == 1


def test_a_503_without_retry_after_is_not_repeated_for_a_write(world: Make) -> None:
    """It may come from a proxy behind which the effect happened."""
    given = world(httpx.Response(503), httpx.Response(200))

    assert given.send().status_code == 503
    assert given.run(given.transport.send(order("GET"), CALL)).status_code == 200


def test_retry_after_in_seconds_is_waited_for(world: Make) -> None:
    """The system's pause counts, not ours."""
    given = world(httpx.Response(429, headers={"Retry-After": "3"}), httpx.Response(200))

    assert given.send().status_code == 200
    assert [when for when, _ in given.sent] == [0.0, 3.0]


def test_retry_after_as_a_date_is_waited_for(world: Make) -> None:
    """The date is compared with the wall clock."""
    date = formatdate(WALL + 4, usegmt=True)
    given = world(httpx.Response(503, headers={"Retry-After": date}), httpx.Response(200))

    assert given.send().status_code == 200
    assert [when for when, _ in given.sent] == [0.0, 4.0]


def test_a_pause_that_is_too_long_ends_the_call(world: Make) -> None:
    """The answer goes to the adapter at once, with its Retry-After."""
    given = world(httpx.Response(429, headers={"Retry-After": "60"}), httpx.Response(200))

    response = given.send()

    assert (response.status_code, response.headers["Retry-After"]) == (429, "60")
    assert given.loop.time() == 0.0


def test_pauses_grow_with_full_jitter(world: Make) -> None:
    """Between nothing and twice as much each time."""
    given = world(httpx.ConnectError("x"), attempts=4, backoff_s=1.0, backoff_max_s=2.0)

    with pytest.raises(Unavailable):
        given.send()

    moments = [when for when, _ in given.sent]
    pauses = [b - a for a, b in pairwise(moments)]
    draws = random.Random(7)
    assert pauses == pytest.approx([draws.random() * top for top in (1.0, 2.0, 2.0)])


def test_the_deadline_ends_the_call_before_the_attempts(world: Make) -> None:
    """Each attempt is told what time is left, and none begins after the deadline."""

    async def hang(request: httpx.Request) -> Exception:
        await asyncio.sleep(request.extensions["timeout"]["total"])
        return httpx.ReadTimeout("x")

    given = world(hang, attempts=10, timeout_s=4.0, deadline_s=10.0, backoff_s=0.001)

    with pytest.raises(Unavailable):
        given.send("GET")

    limits = [request.extensions["timeout"]["total"] for _, request in given.sent]
    assert limits == pytest.approx([4.0, 4.0, 2.0], abs=0.01)
    assert given.loop.time() == pytest.approx(10.0)


def test_a_lost_lease_stops_the_next_attempt(world: Make) -> None:
    """The question is asked before each attempt, not once."""
    leases = iter([True, False])
    given = world(httpx.ConnectError("x"), httpx.Response(200))

    with pytest.raises(Unavailable) as raised:
        given.send(may_send=lambda: next(leases))

    assert raised.value.code == "lease_lost"
    assert len(given.sent) == 1


def test_a_lost_lease_sends_nothing(world: Make) -> None:
    """A worker that lost its lease sends nothing at all, and leaves the place for others."""
    given = world(httpx.Response(200), concurrency=1)

    with pytest.raises(Unavailable):
        given.send(may_send=lambda: False)

    assert given.sent == []
    assert given.evidence == []
    assert given.send().status_code == 200


BREAKING: dict[str, Any] = {
    "attempts": 1,
    "breaker_window": 4,
    "breaker_minimum": 2,
    "breaker_open_s": 5.0,
    "breaker_trials": 2,
}


def test_the_breaker_opens_tries_and_closes_and_says_so_once(world: Make) -> None:
    """Two failures open it; after the pause two good trials close it; one line each."""
    given = world(*[httpx.ConnectError("x")] * 3, httpx.Response(200), **BREAKING)

    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(Unavailable):
                given.send()
        with pytest.raises(Unavailable) as refused:
            given.send()
        given.run(asyncio.sleep(5))
        with pytest.raises(Unavailable):
            given.send()  # a trial that fails
        given.run(asyncio.sleep(5))
        given.send()
        given.send()

    assert refused.value.code == "breaker_open"
    assert refused.value.retry_after_s == 5.0
    assert len(given.sent) == 5
    assert [(log["event"], log["log_level"]) for log in logs] == [
        ("system.unavailable", "warning"),
        ("system.available", "info"),
    ]
    assert given.transport.breakers()["acme/stripe_de/create_payment"].state is BreakerState.CLOSED


def test_normal_operation_logs_nothing(world: Make) -> None:
    """Neither good calls nor single failures are worth a line."""
    given = world(httpx.Response(200), httpx.Response(422), httpx.ConnectError("x"))

    with capture_logs() as logs:
        given.send()
        given.send()
        with pytest.raises(Unavailable):
            given.send()

    assert logs == []


def test_a_breaker_that_opens_ends_the_retries(world: Make) -> None:
    """Other calls' failures count between our attempts."""
    given = world(httpx.ConnectError("x"), **{**BREAKING, "attempts": 5})

    with pytest.raises(Unavailable) as raised:
        given.send()

    assert raised.value.code == "breaker_open"
    assert len(given.sent) == 2


def test_an_operator_forces_a_breaker(world: Make) -> None:
    """Also before the first call; other verbs and tenants go on."""
    given = world(httpx.Response(200))
    given.transport.force("stripe_de", "create_payment", BreakerState.OPEN, tenant="acme")

    with pytest.raises(Unavailable) as raised:
        given.send()
    other = Call(tenant="other", system="stripe_de", product="x", port="x", verb="create_payment")
    assert given.run(given.transport.send(order(), other)).status_code == 200
    given.transport.force("stripe_de", "create_payment", None, tenant="acme")

    assert raised.value.code == "breaker_open"
    assert given.send().status_code == 200
    given.transport.force("stripe_de", "refund_payment", BreakerState.OPEN)
    assert given.send().status_code == 200
    given.transport.force("stripe_de", "create_payment", BreakerState.OPEN)
    with pytest.raises(Unavailable):
        given.send()


def test_the_bulkhead_lets_in_in_order(world: Make) -> None:
    """Two at a time; those who wait are served as they came."""
    given = world(slow(1.0), concurrency=2, queue_s=10.0)
    order_of_ends: list[int] = []

    async def one(number: int) -> None:
        await given.transport.send(order("GET"), CALL)
        order_of_ends.append(number)

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(6):
                group.create_task(one(number))

    given.run(all_of_them())

    assert order_of_ends == [0, 1, 2, 3, 4, 5]
    assert [when for when, _ in given.sent] == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]


def test_waiting_too_long_is_overload_and_loses_no_place(world: Make) -> None:
    """Who waited too long is told so; the places are all there afterwards."""
    given = world(slow(3.0), concurrency=1, queue_s=1.0)

    async def crowd() -> list[Any]:
        calls = [given.transport.send(order(), CALL) for _ in range(4)]
        return await asyncio.gather(*calls, return_exceptions=True)

    results = given.run(crowd())

    assert [getattr(result, "code", "") for result in results[1:]] == ["overloaded"] * 3
    assert len(given.sent) == 1
    assert given.send().status_code == 200


@pytest.mark.parametrize("moment", ["waiting", "just before its turn", "just after its turn"])
def test_cancelling_while_waiting_loses_no_place(world: Make, moment: str) -> None:
    """Whenever it is cancelled, the next in the queue is served and the place is free at last."""
    given = world(slow(1.0), concurrency=1, queue_s=10.0)

    async def scene() -> tuple[bool, int]:
        calls = [given.transport.send(order(), CALL) for _ in range(3)]
        first, second, third = [asyncio.create_task(call) for call in calls]

        def on_evidence(_evidence: Evidence) -> None:  # the place is left in the same step
            if moment == "just before its turn":
                second.cancel()
            elif moment == "just after its turn":
                given.loop.call_soon(second.cancel)

        given.transport._evidence = on_evidence
        await asyncio.sleep(0.5)
        if moment == "waiting":
            second.cancel()
        await asyncio.wait([first, second, third])
        lane = given.transport._lanes["acme", "stripe_de", "create_payment"]
        return second.cancelled() and not third.cancelled(), lane.bulkhead.inside

    assert given.run(scene()) == (True, 0)
    assert [when for when, _ in given.sent] == [0.0, 1.0]


def test_waiting_for_a_place_ends_with_the_deadline(world: Make) -> None:
    """The deadline is over all, the queue included."""
    given = world(slow(9.0), concurrency=1, queue_s=8.0, deadline_s=2.0)

    async def scene() -> float:
        first = asyncio.create_task(given.transport.send(order(), CALL))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await given.transport.send(order(), CALL)
        when = given.loop.time()
        await first
        return when

    assert given.run(scene()) == 2.0


def test_an_open_breaker_answers_before_the_queue(world: Make) -> None:
    """Nobody waits for a place only to hear that nothing is sent."""
    given = world(slow(3.0), concurrency=1)

    async def scene() -> float:
        first = asyncio.create_task(given.transport.send(order(), CALL))
        await asyncio.sleep(0)
        given.transport.force("stripe_de", "create_payment", BreakerState.OPEN)
        with pytest.raises(Unavailable) as raised:
            await given.transport.send(order(), CALL)
        assert raised.value.code == "breaker_open"
        when = given.loop.time()
        await first
        return when

    assert given.run(scene()) == 0.0


def test_no_attempt_begins_after_the_deadline(world: Make) -> None:
    """A pause may take longer than it should, on a busy machine."""
    given = world(httpx.ConnectError("x"), oversleep_s=30.0, deadline_s=20.0)

    with pytest.raises(Unavailable) as raised:
        given.send()

    assert raised.value.code == "deadline"
    assert len(given.sent) == 1


def test_a_full_pool_is_overload(world: Make) -> None:
    """Too many under way in this process is not the system's fault."""
    given = world(httpx.PoolTimeout("x"))

    with pytest.raises(Unavailable) as raised:
        given.send()

    assert raised.value.code == "overloaded"


@pytest.mark.parametrize(("connect_s", "queue_s"), [(1.5, 9.0), (9.0, 1.5)])
def test_the_wire_is_told_all_time_limits(world: Make, connect_s: float, queue_s: float) -> None:
    """Each its own, and none longer than the attempt."""
    given = world(httpx.Response(200), connect_timeout_s=connect_s, timeout_s=2.0, queue_s=queue_s)

    given.send()

    assert given.sent[0][1].extensions["timeout"] == {
        "connect": min(2.0, connect_s),
        "pool": min(2.0, queue_s),
        "total": 2.0,
    }


def test_the_answer_is_whole_and_knows_its_request(world: Make) -> None:
    """Adapters read content and request, whatever the wire left open."""

    class Streamed(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"a"
            yield b"b"

    class Lazy(httpx.AsyncBaseTransport):
        async def handle_async_request(self, _request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, stream=Streamed())

    given = world(httpx.Response(200))

    response = given.run(given.over(Lazy()).send(order(), CALL))

    assert response.content == b"ab"
    assert response.request.url.path == "/v1/payments"


def test_a_cancelled_trial_makes_room_for_the_next(world: Make) -> None:
    """Half-open must not wait for ever for a trial that nobody awaits any more."""
    given = world(
        httpx.ConnectError("x"),
        httpx.ConnectError("x"),
        slow(50.0),
        httpx.Response(200),
        **BREAKING,
    )
    for _ in range(2):
        with pytest.raises(Unavailable):
            given.send()

    async def scene() -> None:
        await asyncio.sleep(5)
        trial = asyncio.create_task(given.transport.send(order(), CALL))
        await asyncio.sleep(1)
        trial.cancel()
        await asyncio.wait([trial])

    given.run(scene())

    assert given.send().status_code == 200


def test_a_cancelled_call_leaves_evidence_and_its_place(world: Make) -> None:
    """It may have happened, so the attempt is on record; the breaker hears nothing."""
    given = world(slow(100.0), httpx.Response(200), concurrency=1)

    async def scene() -> None:
        task = asyncio.create_task(given.transport.send(order(), CALL))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])

    given.run(scene())

    assert [(e.outcome, e.error, e.status) for e in given.evidence] == [
        ("interrupted", "CancelledError", 0)
    ]
    assert given.transport.breakers()["acme/stripe_de/create_payment"].calls == 0
    assert given.send().status_code == 200


def test_evidence_of_each_attempt_is_whole_and_redacted(world: Make) -> None:
    """One transcript per attempt that a person may read."""
    answer = httpx.Response(200, json={"id": "pi_1", "email": "max@example.org"})
    given = world(httpx.ConnectError("x"), answer)

    given.send()

    first, second = given.evidence
    assert (first.attempt, first.outcome, first.status, first.error) == (
        1,
        "not_sent",
        0,
        "ConnectError",
    )
    assert (second.attempt, second.outcome, second.status, second.error) == (2, "ok", 200, "")
    assert (second.business_id, second.step, second.key) == ("order-1", "authorize", "key-1")
    sent, answered = str(second.request), str(second.response)
    assert sent.startswith("POST https://api.stripe.example/v1/payments?email=•••(15)\n")
    assert '{"payment_id":"p-1","name":"•••(14)","amount":1999}' in sent
    assert answered.endswith('\n\n{"id":"pi_1","email":"•••(15)"}')
    assert not str(first.response)
    for text in (str(first.request), sent, answered, repr(second)):
        assert "geheim" not in text
        assert "Mustermann" not in text
        assert "max@" not in text


def test_evidence_names_the_mapping_of_the_request(world: Make) -> None:
    """As the adapter named it; of a request that no mapping made it is empty."""
    given = world(httpx.Response(200))
    request = order()
    request.extensions[MAPPING] = "stripe.payment_create 1.0.0 0123456789abcdef"

    given.run(given.transport.send(request, CALL))
    given.send()

    assert [request.extensions[MAPPING], ""] == [one.mapping for one in given.evidence]


def test_lost_evidence_does_not_lose_the_answer(world: Make) -> None:
    """Money may have moved; the answer matters more than the record of it."""
    given = world(httpx.Response(200))

    def full(_evidence: Evidence) -> None:
        raise OSError("disk full")

    given.transport._evidence = full

    with capture_logs() as logs:
        assert given.send().status_code == 200
    assert [log["event"] for log in logs] == ["evidence.lost"]


def test_each_attempt_is_a_span_whose_context_was_sent(world: Make) -> None:
    """Two attempts, two client spans, two headers; 03 is sampled and random (Level 2)."""
    given = world(httpx.ConnectError("x"), httpx.Response(201))

    given.send()

    spans = given.spans.get_finished_spans()
    contexts = [span.get_span_context() for span in spans]
    expected = [f"00-{c.trace_id:032x}-{c.span_id:016x}-03" for c in contexts if c]
    assert [request.headers["traceparent"] for _, request in given.sent] == expected
    assert [(e.trace_id, e.span_id) for e in given.evidence] == [
        (header[3:35], header[36:52]) for header in expected
    ]
    assert {(span.name, span.kind) for span in spans} == {
        ("stripe.create_payment", SpanKind.CLIENT)
    }
    assert dict(spans[0].attributes or {}) == {
        "http.request.method": "POST",
        "server.address": "api.stripe.example",
        "server.port": 443,
        "error.type": "ConnectError",
        "headrace.system": "stripe_de",
        "headrace.step": "authorize",
    }
    assert dict(spans[1].attributes or {}) == {
        "http.request.method": "POST",
        "server.address": "api.stripe.example",
        "server.port": 443,
        "http.response.status_code": 201,
        "http.request.resend_count": 1,
        "headrace.system": "stripe_de",
        "headrace.step": "authorize",
    }
    assert not spans[0].status.is_ok
    assert spans[1].status.is_ok or spans[1].status.status_code.name == "UNSET"


def test_span_names_the_mapping_of_the_body(world: Make) -> None:
    """Name, version and identity, as the adapter put them at the request."""
    given = world(httpx.Response(201))
    request = order()
    request.extensions[MAPPING] = "stripe.payment_create 1.0.0 0123"

    given.run(given.transport.send(request, CALL))

    (span,) = given.spans.get_finished_spans()
    assert "stripe.payment_create 1.0.0 0123" == dict(span.attributes or {})["headrace.mapping"]


def test_nothing_personal_reaches_spans_or_metrics(world: Make) -> None:
    """No path, query, header or body, whatever the answer was."""
    given = world(httpx.Response(404, json={"email": "max@example.org"}))

    given.send()

    measured = given.durations.metric().to_json()
    seen = given.spans.get_finished_spans()[0].to_json() + measured
    for secret in ("max@", "geheim", "Mustermann", "/v1/payments"):
        assert secret not in seen


def test_an_unsampled_span_still_sends_a_valid_traceparent(world: Make) -> None:
    """The flag says unsampled (02 is random only); the ids are those of the evidence."""
    tracer = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False).get_tracer("test")
    given = world(httpx.Response(200), tracer=tracer)

    given.send()

    header = given.sent[0][1].headers["traceparent"]
    assert header == f"00-{given.evidence[0].trace_id}-{given.evidence[0].span_id}-02"
    assert int(given.evidence[0].trace_id, 16)


def test_without_telemetry_the_traceparent_is_our_own(world: Make) -> None:
    """Where nothing records, the system's log can still be matched with the evidence."""
    given = world(httpx.Response(200), tracer=NoOpTracer())

    given.send()

    header = given.sent[0][1].headers["traceparent"]
    assert header == f"00-{given.evidence[0].trace_id}-{given.evidence[0].span_id}-00"
    assert int(given.evidence[0].trace_id, 16)


def test_a_given_traceparent_is_replaced(world: Make) -> None:
    """One header, that of the attempt; and the caller's request stays as it was."""
    given = world(httpx.Response(200))
    request = order()
    request.headers["traceparent"] = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"

    given.run(given.transport.send(request, CALL))

    sent = given.sent[0][1]
    assert len(sent.headers.get_list("traceparent")) == 1
    assert sent.headers["traceparent"][36:52] == given.evidence[0].span_id
    assert request.headers["traceparent"][36:52] == "2" * 16
    assert "timeout" not in request.extensions


def test_the_trace_state_of_the_caller_is_passed_on(world: Make) -> None:
    """W3C Trace Context §3.3: vendors' entries travel with the trace."""
    given = world(httpx.Response(200))
    state = TraceState([("vendor", "1")])
    parent = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1), trace_state=state)

    with use_span(NonRecordingSpan(parent)):
        given.send()

    assert given.sent[0][1].headers["tracestate"] == "vendor=1"
    assert given.evidence[0].trace_id == "0" * 31 + "1"


def test_durations_are_counted_with_few_attributes(world: Make) -> None:
    """One histogram of the conventions' name, one series per outcome."""
    given = world(slow(0.2), attempts=1)

    given.send()
    given.send()

    metric = given.durations.metric()
    (point,) = metric.data.data_points
    assert (metric.name, metric.unit) == ("http.client.request.duration", "s")
    assert (point.count, point.sum) == (2, pytest.approx(0.4))  # type: ignore[union-attr]  # one of three kinds
    assert set(point.attributes or {}) == {
        "http.request.method",
        "http.response.status_code",
        "server.address",
        "server.port",
        "headrace.system",
    }


def test_a_respx_router_can_be_the_wire(world: Make) -> None:
    """Adapters' tests may describe a product's answers with respx."""
    router = respx.Router(assert_all_called=True)
    route = router.post("https://api.stripe.example/v1/payments").mock(
        side_effect=[httpx.ConnectError("x"), httpx.Response(201, json={"id": "pi_1"})]
    )
    given = world(httpx.Response(200))
    transport = given.over(httpx.MockTransport(router.async_handler))

    response = given.run(transport.send(order(), CALL))

    assert response.json() == {"id": "pi_1"}
    assert response.request.headers["Idempotency-Key"] == "key-1"
    assert route.call_count == 2
