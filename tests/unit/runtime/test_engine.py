"""The engine: flows that start once, leases that end, and rows that are refused."""

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from gateway.runtime import engine
from gateway.runtime.database import Database
from gateway.runtime.engine import Checkpoint, Claim
from gateway.runtime.journal import Journal, Statement

_DONE = Checkpoint(value={"a": 1}, outcome="done", began=1.0, ended=2.0)


@pytest.fixture
async def journal(database: Database) -> AsyncIterator[Journal]:
    """A journal that writes."""
    journal = Journal(database)
    journal.start()
    yield journal
    await journal.stop()


async def _start(database: Database, business_id: str = "o1", and_then: str = "") -> str:
    async with database.transaction() as connection:
        flow_id = await engine.start(
            connection,
            kind="place_order",
            queue="interactive",
            tenant="acme",
            business_id=business_id,
            mapping_set="",
            traceparent="",
        )
        await connection.execute(and_then)  # type: ignore[arg-type] # literals
    return flow_id


async def _claim(database: Database, *, limit: int = 10) -> list[Claim]:
    async with database.connection() as connection:
        return await engine.claim(
            connection, queue="interactive", worker="w", lease_s=30, limit=limit
        )


async def _rows(database: Database, sql: str) -> list[Any]:
    async with database.connection() as connection:
        found = await connection.execute(sql)  # type: ignore[arg-type] # literals
        return await found.fetchall() if found.description else []


async def _expire(database: Database) -> None:
    """The lease is over, and the engine has noticed: it does with the claim before the next."""
    await _rows(
        database, "update absurd.r_interactive set claim_expires_at = now() - interval '1 second'"
    )
    assert [] == await _claim(database)


async def _refused(journal: Journal, *statements: Statement) -> bool:
    with pytest.raises(psycopg.Error) as error:
        await journal.write(*statements)
    return engine.refused(error.value)


async def test_business_id_starts_its_flow_once(database: Database) -> None:
    """The second start is the first flow."""
    first, second = await _start(database), await _start(database)

    assert first == second
    assert 1 == len(await _claim(database))
    assert [(1,)] == await _rows(database, "select count(*) from headrace.flow")


async def test_start_in_a_transaction_that_is_taken_back_starts_nothing(database: Database) -> None:
    """Flow and order stand or fall together."""
    with pytest.raises(psycopg.errors.DivisionByZero):
        await _start(database, and_then="select 1/0")

    assert [] == await _claim(database)
    assert [(0,)] == await _rows(database, "select count(*) from headrace.flow")


async def test_claimed_run_is_nobody_elses_until_its_lease_is_over(database: Database) -> None:
    """Then it is a further attempt, with the same input."""
    flow_id = await _start(database)
    (first,) = await _claim(database)
    assert [] == await _claim(database)

    await _expire(database)
    (second,) = await _claim(database)

    assert [1, 2] == [first.attempt, second.attempt]
    assert first.run_id != second.run_id
    assert flow_id == second.input.flow_id
    assert first.input == second.input


async def test_worker_that_lost_its_run_is_refused(database: Database, journal: Journal) -> None:
    """A zombie keeps no step and prolongs no lease; what the heir kept stands."""
    await _start(database)
    (zombie,) = await _claim(database)
    await _expire(database)
    (heir,) = await _claim(database)
    await journal.write(*engine.keep(heir, "step", _DONE, lease_s=30))

    assert await _refused(journal, *engine.keep(zombie, "step", _DONE, lease_s=30))
    assert await _refused(journal, *engine.keep(zombie, "other", _DONE, lease_s=30))
    assert await _refused(journal, engine.prolong(zombie, lease_s=30))
    assert [("step",)] == await _rows(database, "select checkpoint_name from absurd.c_interactive")


async def test_lease_is_prolonged(database: Database, journal: Journal) -> None:
    """Both by a heartbeat and by every finished step."""
    await _start(database)
    (run,) = await _claim(database)
    left = "select extract(epoch from claim_expires_at - now()) > 60 from absurd.r_interactive"
    assert [(False,)] == await _rows(database, left)

    await journal.write(engine.prolong(run, lease_s=100))
    assert [(True,)] == await _rows(database, left)
    await journal.write(engine.prolong(run, lease_s=10))
    await journal.write(*engine.keep(run, "step", _DONE, lease_s=100))
    assert [(True,)] == await _rows(database, left)


async def test_run_that_is_complete_is_never_claimed_again(
    database: Database, journal: Journal
) -> None:
    """Not after its lease either."""
    await _start(database)
    (run,) = await _claim(database)
    await journal.write(engine.complete(run))
    await _expire(database)

    assert [] == await _claim(database)


async def test_run_without_a_moment_sleeps_until_a_person_wakes_it(
    database: Database, journal: Journal
) -> None:
    """The engine never wakes it by itself."""
    await _start(database)
    (run,) = await _claim(database)
    await journal.write(engine.suspend(run, None))

    assert [("infinity",)] == await _rows(
        database, "select available_at::text from absurd.r_interactive"
    )
    assert [] == await _claim(database)


async def test_event_that_came_first_is_not_lost(database: Database, journal: Journal) -> None:
    """A wait that begins after the event does not suspend, and the first payload stays."""
    await _start(database)
    (run,) = await _claim(database)
    async with database.transaction() as connection:
        await engine.emit(connection, queue="interactive", event="e", payload={"n": 1})
        await engine.emit(connection, queue="interactive", event="e", payload={"n": 2})

    assert (False, {"n": 1}) == await journal.write(engine.wait(run, "w", "e", 60))


async def test_event_wakes_who_waits(database: Database, journal: Journal) -> None:
    """Suspended until then, due from then on, in the same run."""
    await _start(database)
    (run,) = await _claim(database)
    assert (True, None) == await journal.write(engine.wait(run, "w", "e", 3600))
    assert [] == await _claim(database)

    async with database.transaction() as connection:
        await engine.emit(connection, queue="interactive", event="e", payload={"n": 1})

    (woken,) = await _claim(database)
    assert (run.run_id, 1) == (woken.run_id, woken.attempt)
    assert (False, {"n": 1}) == await journal.write(engine.wait(woken, "w", "e", 3600))


async def test_claim_takes_no_more_than_asked(database: Database) -> None:
    """What a worker cannot run is left for others."""
    for number in range(3):
        await _start(database, f"o{number}")

    assert [2, 1, 0] == [len(await _claim(database, limit=2)) for _ in range(3)]


def test_queue_that_nobody_made_is_a_mistake() -> None:
    """The name is part of a table's name, so it is looked up and never quoted in."""
    with pytest.raises(ValueError, match="no such queue"):
        engine.steps_of("x; drop table headrace.flow", "t")
