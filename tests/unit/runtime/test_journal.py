"""The journal: statements that commit together, and outages that end nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import msgspec
import psycopg
import pytest
from structlog.testing import capture_logs

from gateway.errors import Unavailable
from gateway.runtime import journal as module
from gateway.runtime.database import OUTAGES, Database
from gateway.runtime.evidence import Evidence, Transcript
from gateway.runtime.journal import Journal, Statement

_INSERT = (
    "insert into headrace.export_run (tenant, profile, day, state, cutoff)"
    " values ('t', %s, '2026-11-22', 'RUNNING', now()) on conflict do nothing"
)


@pytest.fixture
async def journal(database: Database) -> AsyncIterator[Journal]:
    """A journal that writes."""
    journal = Journal(database)
    journal.start()
    yield journal
    await journal.stop()


def _row(name: str) -> Statement:
    return Statement(_INSERT, (name,))


async def _written(database: Database) -> set[str]:
    async with database.connection() as connection:
        found = await connection.execute("select profile from headrace.export_run")
        return {row[0] for row in await found.fetchall()}


def _failing(database: Database, times: int, *, after_commit: bool = False) -> None:
    """Make PostgreSQL be away for the next transactions, or lose their replies."""
    transaction, left = database.transaction, [times]

    @asynccontextmanager
    async def unreliable() -> AsyncIterator[Any]:
        left[0] -= 1
        away = left[0] >= 0
        if away and not after_commit:
            raise psycopg.OperationalError("the server is away")
        async with transaction() as connection:
            yield connection
        if away:
            raise psycopg.OperationalError("the reply is lost")

    cast("Any", database).transaction = unreliable


async def test_poison_statement_fails_alone(database: Database, journal: Journal) -> None:
    """Three calls share a commit; the one in the middle is wrong, the others stand."""
    results = await asyncio.gather(
        journal.write(_row("first")),
        journal.write(Statement("select 1/0", ())),
        journal.write(_row("last")),
        return_exceptions=True,
    )

    assert [type(None), psycopg.errors.DivisionByZero, type(None)] == [type(r) for r in results]
    assert {"first", "last"} == await _written(database)


async def test_statements_of_one_call_stand_or_fall_together(
    database: Database, journal: Journal
) -> None:
    """A mistake in the second takes the first back."""
    with pytest.raises(psycopg.errors.DivisionByZero):
        await journal.write(_row("half"), Statement("select 1/0", ()))

    assert set() == await _written(database)


async def test_first_row_of_the_last_statement_is_returned(journal: Journal) -> None:
    """What the engine answers reaches whoever asked, also where several ask at once."""
    answers = await asyncio.gather(
        *(
            journal.write(Statement("select 0", ()), Statement("select %s::int", (n,)))
            for n in (1, 2)
        )
    )

    assert [(1,), (2,)] == answers


async def test_outage_is_waited_for(database: Database, journal: Journal) -> None:
    """PostgreSQL is away for two commits; the writer notices nothing but time."""
    _failing(database, 2)

    await journal.write(_row("late"))

    assert {"late"} == await _written(database)


async def test_lost_reply_is_repeated_without_harm(database: Database, journal: Journal) -> None:
    """The commit happened and nobody was told: once more, and still one row."""
    _failing(database, 1, after_commit=True)

    await journal.write(_row("once"))

    assert {"once"} == await _written(database)


async def test_outage_that_outlasts_the_patience_is_unavailable(database: Database) -> None:
    """The caller is told in words of the hub."""
    journal = Journal(database, patience_s=0.0)
    journal.start()
    _failing(database, 5)

    with pytest.raises(Unavailable) as away:
        await journal.write(_row("never"))

    assert "database_away" == away.value.code
    await journal.stop()


def _evidence(evidence_id: str, url: str = "https://sap.example/orders?name=Max") -> Evidence:
    answer = httpx.Response(200, json={"name": "Mustermann", "code": "ok"})
    return Evidence(
        evidence_id=evidence_id,
        tenant="acme",
        system="sap",
        product="sap_s4",
        verb="find_sales_order",
        business_id="o1",
        step="s",
        key="k",
        attempt=1,
        at=1.0,
        duration_ms=2.0,
        outcome="ok",
        status=200,
        request=Transcript(httpx.Request("GET", url), frozenset()),
        response=Transcript(answer, frozenset()),
        error="",
        trace_id="t",
        span_id="s",
        mapping="sap_s4.sales_order 1.0.0 0123456789abcdef",
    )


async def _kept(journal: Journal) -> None:
    """Return when nothing waits to be redacted or written."""
    while journal._fresh:  # noqa: ASYNC110 - a timer empties it and sets no event
        await asyncio.sleep(0.005)
    await journal._evidence._queue.join()


async def test_evidence_is_kept_without_anybody_waiting(
    database: Database, journal: Journal
) -> None:
    """It is there when the journal has stopped, redacted, and a repetition is one row."""
    evidence = _evidence("e1")
    journal.keep(evidence)
    journal.keep(evidence)
    await _kept(journal)

    async with database.connection() as connection:
        found = await connection.execute(
            "select verb, status, mapping, request, response from headrace.evidence"
        )
        [(verb, status, mapping, request, response)] = await found.fetchall()
    assert ("find_sales_order", 200, evidence.mapping) == (verb, status, mapping)
    assert "GET https://sap.example/orders?name=•••(3)" == request.splitlines()[0]
    assert '{"name":"•••(10)","code":"ok"}' == response.splitlines()[-1]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (
            "application/json",
            '{"id":"a\\u0000b","name":"Müller","n":1.50,"code":"\\\\u0000 \\" ü"}',
        ),
        ("application/json", '["ok",{"name":"Müller"}]'),
        ("application/json", '"Müller"'),
        ("application/x-www-form-urlencoded", "id=a%00b%22&name=M"),
        ("application/xml", "<id>&quot;ü</id>"),
        ("text/html", "<p>Müller</p>"),
        ("application/json", ""),
    ],
)
async def test_what_is_kept_is_what_a_transcript_shows(
    database: Database, journal: Journal, content_type: str, body: str
) -> None:
    """Whatever the kind of the body; a zero byte takes nobody along."""
    headers = {"Content-Type": content_type, "Server": "a\tb"}
    answer = httpx.Response(200, content=body.encode(), headers=headers)
    odd = msgspec.structs.replace(_evidence("odd"), response=Transcript(answer, frozenset()))
    for evidence in (_evidence("before"), odd, _evidence("after")):
        journal.keep(evidence)
    await _kept(journal)

    async with database.connection() as connection:
        found = await connection.execute(
            "select evidence_id, response from headrace.evidence order by evidence_id"
        )
        kept = dict(await found.fetchall())
    assert {"before", "odd", "after"} == kept.keys()
    assert str(odd.response) == kept["odd"]
    assert "Müller" not in kept["odd"]


async def test_much_evidence_is_redacted_before_its_moment(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits holds whole messages in memory; what is redacted does not."""
    monkeypatch.setattr(module, "_REDACT_S", 60.0)
    journal = Journal(database)

    for number in range(module._AT_ONCE + 1):
        journal.keep(_evidence(f"e{number}"))

    assert (1, module._AT_ONCE) == (len(journal._fresh), journal._evidence._queue.qsize())
    journal.start()
    await journal.stop()
    async with database.connection() as connection:
        found = await connection.execute("select count(*) from headrace.evidence")
        assert (module._AT_ONCE + 1,) == await found.fetchone()


async def test_evidence_that_comes_while_the_journal_stops_is_written(
    database: Database,
) -> None:
    """A call that is cancelled by the end of its process leaves evidence too."""
    journal = Journal(database)
    journal.start()
    insert = journal._evidence._write
    inserting, may_go_on = asyncio.Event(), asyncio.Event()

    async def slowly(rows: Any) -> Any:
        inserting.set()
        await may_go_on.wait()
        return await insert(rows)

    journal._evidence._write = slowly
    journal.keep(_evidence("before"))
    stopping = asyncio.create_task(journal.stop())
    await inserting.wait()
    journal.keep(_evidence("meanwhile"))
    may_go_on.set()
    await stopping

    async with database.connection() as connection:
        found = await connection.execute("select count(*) from headrace.evidence")
        assert (2,) == await found.fetchone()


async def test_evidence_that_cannot_be_written_is_lost_alone(
    database: Database, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that share its batch are kept, and the log does not quote what was in it."""
    poison = _evidence("poison")
    monkeypatch.setattr(poison.request, "_message", object())  # breaks when it is redacted

    with capture_logs() as logs:
        for evidence in (_evidence("before"), poison, *(_evidence(f"e{n}") for n in range(40))):
            journal.keep(evidence)
        await _kept(journal)

    async with database.connection() as connection:
        found = await connection.execute("select count(*) from headrace.evidence")
        assert (41,) == await found.fetchone()
    assert [("evidence.lost", "sap")] == [(log["event"], log["system"]) for log in logs]


async def test_evidence_that_postgresql_refuses_is_said_to_be_lost(
    database: Database, journal: Journal
) -> None:
    """Each attempt is named, and the next batch is written."""
    transaction = database.transaction

    @asynccontextmanager
    async def refusing() -> AsyncIterator[Any]:
        cast("Any", database).transaction = transaction
        raise psycopg.DataError("refused")
        yield

    cast("Any", database).transaction = refusing
    with capture_logs() as logs:
        journal.keep(_evidence("a"))
        journal.keep(_evidence("b"))
        await _kept(journal)
        journal.keep(_evidence("c"))
        await _kept(journal)

    assert [("evidence.lost", 1), ("evidence.lost", 2)] == [
        (log["event"], log["total"]) for log in logs
    ]
    async with database.connection() as connection:
        found = await connection.execute("select evidence_id from headrace.evidence")
        assert [("c",)] == await found.fetchall()


async def test_evidence_that_finds_no_place_is_said_to_be_lost(database: Database) -> None:
    """A call goes on without it: the answer matters more."""
    journal = Journal(database)
    journal._evidence._queue = asyncio.Queue(1)

    with capture_logs() as logs:
        journal.keep(_evidence("a"))
        journal.keep(_evidence("b"))
        journal._redact()

    assert [("evidence.lost", 1)] == [(log["event"], log["total"]) for log in logs]


@pytest.mark.parametrize(
    "end",
    [
        "terminated",
        "idle for too long",
    ],
)
async def test_connection_that_the_server_ended_is_an_outage(database: Database, end: str) -> None:
    """A frozen worker finds its transaction gone when it wakes: that ends no flow."""

    async def wake_up() -> None:
        async with database.transaction() as connection, database.connection() as other:
            if end == "terminated":
                pid = connection.info.backend_pid
                await other.execute("select pg_terminate_backend(%s)", (pid,))
            else:
                await connection.execute("set local idle_in_transaction_session_timeout = '20ms'")
            await other.execute("select pg_sleep(0.2)")
            await connection.execute("select 1")

    with pytest.raises(OUTAGES):
        await wake_up()
