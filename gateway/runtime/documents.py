"""Things of the model in PostgreSQL, changed together with the events that report the change."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from gateway.model import codec
from gateway.model.event import Event
from gateway.model.payment import Payment
from gateway.model.reference import ExternalReference
from gateway.runtime import following, outbox
from gateway.runtime.database import Connection

T = TypeVar("T")


async def read(
    connection: Connection, tenant: str, kind: str, key: str, returns: type[T]
) -> T | None:
    """The thing as it stands; None where there is none."""
    found = await read_several(connection, tenant, kind, (key,), returns)
    return found.get(key)


async def read_several(
    connection: Connection, tenant: str, kind: str, keys: Iterable[str], returns: type[T]
) -> dict[str, T]:
    """Those of the things that there are, by id, as they stand."""
    found = await connection.execute(
        "select id, body::text from headrace.document"
        " where tenant = %s and kind = %s and id = any(%s)",
        (tenant, kind, list(keys)),
    )
    return {key: codec.decode(body, returns) for key, body in await found.fetchall()}


class Unit:
    """One transaction's view of one tenant's things.

    Attributes:
        connection: For statements that belong into the same transaction.
        tenant: Whose things.
        business_id: The order that the changes belong to, for the timeline.
        traceparent: Where the changes belong in the trace.
        causation_id: What caused the changes: a flow's step or a webhook's event.
        mapping_set: Identity of the mappings that flows keep which are started in it; those of the
            worker that runs them where it is empty.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        tenant: str,
        business_id: str,
        traceparent: str,
        causation_id: str,
        mapping_set: str = "",
    ) -> None:
        self.connection = connection
        self.tenant = tenant
        self.business_id = business_id
        self.traceparent = traceparent
        self.causation_id = causation_id
        self.mapping_set = mapping_set
        self._loaded: dict[str, Payment] = {}

    async def load(self, kind: str, key: str, returns: type[T]) -> T | None:
        """The thing, locked until the transaction ends; None where there is none."""
        found = await self.connection.execute(
            "select body::text from headrace.document"
            " where tenant = %s and kind = %s and id = %s for no key update",
            (self.tenant, kind, key),
        )
        row = await found.fetchone()
        if row is None:
            return None
        thing = codec.decode(row[0], returns)
        if isinstance(thing, Payment):
            self._loaded[key] = thing
        return thing

    async def insert(
        self, kind: str, key: str, state: str, body: object, events: Sequence[Event] = ()
    ) -> bool:
        """Store a new thing with its events; False where it is there already."""
        own = _own(key, events)
        done = await self.connection.execute(
            "insert into headrace.document (tenant, kind, id, state, body, sequence)"
            " values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
            (self.tenant, kind, key, state, codec.encode(body).decode(), own),
        )
        if not done.rowcount:
            return False
        await self._report(key, events, sequence=own)
        await self._follow(key, body)
        return True

    async def save(
        self, kind: str, key: str, state: str, body: object, events: Sequence[Event] = ()
    ) -> None:
        """Store a thing that was loaded in this transaction, with the events of the change.

        What it means for members' money is done in the same transaction, whoever changes it.
        """
        done = await self.connection.execute(
            "update headrace.document set state = %s, body = %s, sequence = sequence + %s,"
            " updated_at = now() where tenant = %s and kind = %s and id = %s returning sequence",
            (state, codec.encode(body).decode(), _own(key, events), self.tenant, kind, key),
        )
        row = await done.fetchone()
        if row is None:
            raise LookupError(f"{kind} is gone")
        await self._report(key, events, sequence=row[0])
        await self._follow(key, body)

    async def delete(self, kind: str, key: str) -> None:
        """Forget a thing; nothing happens where there is none."""
        await self.connection.execute(
            "delete from headrace.document where tenant = %s and kind = %s and id = %s",
            (self.tenant, kind, key),
        )

    async def refer(self, references: Sequence[ExternalReference]) -> None:
        """Remember what other systems call our things."""
        for reference in references:
            await self.connection.execute(
                "insert into headrace.reference (tenant, entity, entity_id, system, external_id)"
                " values (%s, %s, %s, %s, %s) on conflict (tenant, entity, entity_id, system)"
                " do update set external_id = excluded.external_id, synced_at = now()",
                (
                    self.tenant,
                    reference.entity.value,
                    reference.entity_id,
                    reference.system,
                    reference.external_id,
                ),
            )

    async def _follow(self, key: str, body: object) -> None:
        await following.follow(self, self._loaded.get(key), body)
        if isinstance(body, Payment):
            self._loaded[key] = body

    async def _report(self, key: str, events: Sequence[Event], *, sequence: int) -> None:
        number = sequence - _own(key, events)
        for event in events:
            is_own = event.aggregate_id == key
            number += is_own
            row = outbox.row(
                event,
                tenant=self.tenant,
                sequence=number if is_own else None,
                business_id=self.business_id,
                traceparent=self.traceparent,
                causation_id=self.causation_id,
            )
            await self.connection.execute(outbox.insert(row).encode(), row)


def _own(key: str, events: Sequence[Event]) -> int:
    """How many of the events are about the thing itself, and not about a part of it."""
    return sum(event.aggregate_id == key for event in events)
