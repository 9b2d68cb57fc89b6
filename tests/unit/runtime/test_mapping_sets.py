"""Mapping sets: what they are known by, and how they are kept."""

import asyncio
from typing import Any

import msgspec
import pytest
from structlog.testing import LogCapture

from adapters.sap_s4.settings import Settings
from adapters.sap_s4.translation import load
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.runtime import engine, mapping_sets
from gateway.runtime.database import Database
from gateway.runtime.mapping_sets import MappingSet
from gateway.runtime.retention import sweep
from gateway.settings import RetentionSettings

SETTINGS = Settings(
    base_url="http://sap",
    user="HEADRACE",
    password="invented",
    client="100",
    sales_organization="1710",
    distribution_channel="10",
    division="00",
)


def of(tenant: str = "acme", *overlays: str, **changes: Any) -> MappingSet:
    """The set of a tenant with one SAP, and one system without mappings."""
    documents = [mapping.parse(text, file="x.overlay.yaml") for text in overlays]
    made = load(msgspec.structs.replace(SETTINGS, **changes), overlays=documents)
    return mapping_sets.of(tenant, {"sap": made, "rules": None})


async def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    """What PostgreSQL answers."""
    async with database.connection() as connection:
        found = await connection.execute(sql.encode())
        return await found.fetchall() if found.description else []


def test_identity_follows_from_what_mappings_do() -> None:
    """An overlay or a value makes another; address, user, password and other tenants do not."""
    plain = of().identity
    overlay = "extends: sap_s4.rejection@1\n"

    same = of("beta", base_url="http://other", user="X", password="renewed")
    others = [of("acme", overlay), of(division="01"), of(materials={"A": "B"})]

    assert plain == same.identity == of().identity
    assert 4 == len({plain, *(one.identity for one in others)})
    assert 32 == len(plain)


def test_systems_without_mappings_have_none_to_keep() -> None:
    """A tenant of such systems only has a set of its own all the same."""
    empty = mapping_sets.of("acme", {"rules": None})

    assert {} == empty.systems
    assert 32 == len(empty.identity)


async def test_set_comes_back_as_it_was_kept(database: Database) -> None:
    """Bytes of schemas and values included; of another tenant it is not shown."""
    kept = of(materials={"CAR-1": "MZ-FG-C1"})
    await mapping_sets.record(database, [kept])

    assert kept.systems == await mapping_sets.load(database, "acme", kept.identity)
    assert await mapping_sets.load(database, "beta", kept.identity) is None
    assert await mapping_sets.load(database, "acme", "0" * 32) is None


async def test_processes_that_start_at_once_keep_one_row_each(database: Database) -> None:
    """None waits for another for ever, whatever order the tenants stand in."""
    sets = [of(name) for name in ("acme", "beta", "gamma")]

    await asyncio.gather(
        *(mapping_sets.record(database, sets if number % 2 else sets[::-1]) for number in range(8))
    )

    assert [("acme",), ("beta",), ("gamma",)] == await rows(
        database, "select tenant from headrace.mapping_set order by tenant"
    )


async def test_set_that_is_in_use_is_seen_again(database: Database) -> None:
    """Not written again: it cannot have changed."""
    one = of()
    await mapping_sets.record(database, [one])
    await rows(database, "update headrace.mapping_set set content = 'x', seen_at = '2020-01-01'")

    await mapping_sets.record(database, [one])

    assert [(b"x", True)] == await rows(
        database, "select content, seen_at > now() - interval '1 minute' from headrace.mapping_set"
    )


async def test_content_is_small(database: Database) -> None:
    """One row a change of a tenant: schemas are most of it, and they compress."""
    await mapping_sets.record(database, [of()])

    ((size,),) = await rows(database, "select length(content) from headrace.mapping_set")

    assert 20_000 > size


async def _flow(database: Database, name: str, identity: str) -> None:
    async with database.transaction() as connection:
        await engine.start(
            connection,
            kind="place_order",
            queue="interactive",
            tenant="acme",
            business_id=name,
            mapping_set=identity,
            traceparent="",
        )


async def test_unknown_set_cannot_be_withdrawn(database: Database) -> None:
    """A slip of the pen is told, and leaves no row."""
    with pytest.raises(Rejected, match="no mappings of this identity"):
        await mapping_sets.withdraw(database, "acme", "0" * 32, actor="ada", reason="x")

    assert [] == await rows(database, "select 1 from headrace.mapping_set")


async def test_set_that_is_lost_can_be_withdrawn(database: Database, logs: LogCapture) -> None:
    """Its flows wait for that; when it is recorded after all, it stays withdrawn."""
    one = of()
    await _flow(database, "o1", one.identity)
    await _flow(database, "o2", one.identity)

    assert 2 == await mapping_sets.withdraw(
        database, "acme", one.identity, actor="ada", reason="lost"
    )
    assert await mapping_sets.load(database, "acme", one.identity) is None

    await mapping_sets.record(database, [one])

    assert one.systems == await mapping_sets.load(database, "acme", one.identity)
    assert [("ada", "lost", True)] == await rows(
        database,
        "select withdrawn_by, reason, withdrawn_at is not null from headrace.mapping_set",
    )
    assert ["mapping_set.withdrawn_in_use"] == [entry["event"] for entry in logs.entries]


async def test_set_of_another_tenant_is_not_withdrawn(database: Database) -> None:
    """The same files give the same identity to two tenants; each has its own row."""
    await mapping_sets.record(database, [of("acme"), of("beta")])
    await _flow(database, "o1", of().identity)

    await mapping_sets.withdraw(database, "beta", of().identity, actor="ada", reason="theirs")

    assert [("acme", False), ("beta", True)] == await rows(
        database,
        "select tenant, withdrawn_at is not null from headrace.mapping_set order by tenant",
    )


async def test_only_sets_that_nobody_needs_are_forgotten(database: Database) -> None:
    """Seen within a week or kept by a flow that has not ended: it stays."""
    sets = [of(division=f"0{number}") for number in range(4)]
    ended, running, seen, unused = sets
    await mapping_sets.record(database, sets)
    await _flow(database, "ended", ended.identity)
    await _flow(database, "running", running.identity)
    await rows(database, "update headrace.flow set ended_at = now() where business_id = 'ended'")
    await rows(database, "update headrace.mapping_set set seen_at = now() - interval '8 days'")
    await mapping_sets.record(database, [seen])

    deleted = await sweep(database, RetentionSettings())

    assert 2 == deleted["mapping_sets"]
    assert sorted([(running.identity,), (seen.identity,)]) == await rows(
        database, "select identity from headrace.mapping_set order by identity"
    )
    assert unused.identity != ended.identity


async def test_processes_say_what_they_use(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise retention would forget the present set of a process that runs for weeks."""
    monkeypatch.setattr(mapping_sets, "_EVERY_S", 0.0)
    telling = asyncio.create_task(mapping_sets.record_for_ever(database, [of()]))

    async with asyncio.timeout(10):
        while not await rows(database, "select 1 from headrace.mapping_set"):  # noqa: ASYNC110 - it is in the database
            await asyncio.sleep(0)
    telling.cancel()

    assert [(1,)] == await rows(database, "select count(*) from headrace.mapping_set")
