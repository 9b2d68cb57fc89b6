"""Mapping sets: what all mappings of a tenant are made of, kept under their identity.

Files and settings of a deployment go with it; a flow that began under it goes on with what is kept
here (``runtime.pins``). Every process keeps the sets that it was configured with.
"""

import asyncio
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import psycopg
import structlog

from gateway.errors import Rejected
from gateway.kit.mapping import Ingredients, Made
from gateway.model.identifiers import new_id
from gateway.runtime.database import OUTAGES, Database
from gateway.runtime.journal import Statement

_log = structlog.get_logger()
# Long enough for nobody to copy a wrong one by hand, short enough for a line of a table.
_IDENTITY_LENGTH: Final = 32
_EVERY_S: Final = 3_600.0
_CONTENT: Final = msgspec.msgpack.Decoder(dict[str, Ingredients])
# Rows are locked in one order, so that processes that start at once do not wait for each other.
_SEEN: Final = """
with mine as (select s.tenant, s.identity from headrace.mapping_set s
 join unnest(%s::text[], %s::text[]) as k (tenant, identity) using (tenant, identity)
 where content is not null order by 1, 2 for no key update of s)
update headrace.mapping_set s set seen_at = now() from mine
where s.tenant = mine.tenant and s.identity = mine.identity
returning s.tenant, s.identity, withdrawn_at is not null"""
_KEPT: Final = """
insert into headrace.mapping_set as known (tenant, identity, content)
select * from unnest(%s::text[], %s::text[], %s::bytea[]) as k (tenant, identity, content)
order by 1, 2
on conflict (tenant, identity) do update set seen_at = now(),
 content = coalesce(known.content, excluded.content)
returning tenant, identity, withdrawn_at is not null"""


class MappingSet(msgspec.Struct, frozen=True, kw_only=True):
    """The mappings of all systems of one tenant.

    Attributes:
        identity: Follows from the identities of all its mappings.
        systems: What those of each system are made of.
    """

    tenant: str
    identity: str
    systems: Mapping[str, Ingredients]

    def packed(self) -> bytes:
        """What is kept of it."""
        return zlib.compress(msgspec.msgpack.encode(self.systems, order="deterministic"))


def of(tenant: str, systems: Mapping[str, Made | None]) -> MappingSet:
    """The set of a tenant whose systems have these mappings."""
    made = {name: one for name, one in systems.items() if one is not None}
    identities = {
        name: (one.of.product, {key: each.identity for key, each in one.items()})
        for name, one in made.items()
    }
    whole = msgspec.json.encode(identities, order="deterministic")
    return MappingSet(
        tenant=tenant,
        identity=hashlib.sha256(whole).hexdigest()[:_IDENTITY_LENGTH],
        systems={name: one.of for name, one in made.items()},
    )


async def record(database: Database, sets: Sequence[MappingSet]) -> None:
    """Keep the sets, or say that they are still in use; any number of processes may at once."""
    async with database.connection() as connection:
        found = await connection.execute(_SEEN, _columns(sets))
        rows = await found.fetchall()
        known = {(tenant, identity) for tenant, identity, _ in rows}
        missing = [one for one in sets if (one.tenant, one.identity) not in known]
        if missing:
            found = await connection.execute(
                _KEPT, (*_columns(missing), [one.packed() for one in missing])
            )
            rows += await found.fetchall()
    for tenant, identity, is_withdrawn in rows:
        if is_withdrawn:
            _log.warning("mapping_set.withdrawn_in_use", tenant=tenant, mapping_set=identity)


def _columns(sets: Sequence[MappingSet]) -> tuple[list[str], list[str]]:
    return [one.tenant for one in sets], [one.identity for one in sets]


async def record_for_ever(database: Database, sets: Sequence[MappingSet]) -> None:
    """Say again and again that the sets are in use, so that retention leaves them."""
    while True:
        await asyncio.sleep(_EVERY_S)
        try:
            await record(database, sets)
        except OUTAGES:
            continue
        except psycopg.Error as error:
            _log.error("mapping_set.not_recorded", code=error.sqlstate)


async def load(database: Database, tenant: str, identity: str) -> Mapping[str, Ingredients] | None:
    """What a set is made of, by system; None where it is not kept."""
    async with database.connection() as connection:
        found = await connection.execute(
            "select content from headrace.mapping_set"
            " where tenant = %s and identity = %s and content is not null",
            (tenant, identity),
        )
        row: tuple[Any, ...] | None = await found.fetchone()
    return None if row is None else _CONTENT.decode(zlib.decompress(row[0]))


def moved(flow_id: str, old: str, new: str) -> Statement:
    """Let a flow go on with another set, and keep that as a decision of whoever withdrew it."""
    return Statement(
        "with moved as (update headrace.flow set mapping_set = %s"
        " where flow_id = %s and mapping_set = %s returning tenant)"
        " insert into headrace.decision"
        " (decision_id, flow_id, step, action, payload, actor, reason)"
        " select %s, %s, '', 'mappings', %s, coalesce(s.withdrawn_by, 'headrace'),"
        " coalesce(s.reason, 'began before mappings were kept')"
        " from moved left join headrace.mapping_set s"
        " on s.tenant = moved.tenant and s.identity = %s",
        (
            new,
            flow_id,
            old,
            new_id(),
            flow_id,
            msgspec.json.encode({"from": old, "to": new}).decode(),
            old,
        ),
    )


async def withdraw(
    database: Database, tenant: str, identity: str, *, actor: str, reason: str
) -> int:
    """Let every flow that began with the set go on with the present one.

    A set that is not kept any more can be withdrawn too: its flows wait for that.

    Returns:
        How many flows that is.

    Raises:
        Rejected: No flow began with it and it is not kept.
    """
    async with database.transaction() as connection:
        found = await connection.execute(
            "select count(*) from headrace.flow"
            " where tenant = %s and mapping_set = %s and ended_at is null",
            (tenant, identity),
        )
        row = await found.fetchone()
        count = int(row[0]) if row else 0
        done = await connection.execute(
            "insert into headrace.mapping_set"
            " (tenant, identity, withdrawn_at, withdrawn_by, reason)"
            " select %(tenant)s, %(identity)s, now(), %(actor)s, %(reason)s where %(count)s > 0"
            " or exists (select from headrace.mapping_set"
            " where tenant = %(tenant)s and identity = %(identity)s)"
            " on conflict (tenant, identity) do update set withdrawn_at = excluded.withdrawn_at,"
            " withdrawn_by = excluded.withdrawn_by, reason = excluded.reason",
            {
                "tenant": tenant,
                "identity": identity,
                "actor": actor,
                "reason": reason,
                "count": count,
            },
        )
        if not done.rowcount:
            raise Rejected("There are no mappings of this identity.", code="not_found")
    return count
