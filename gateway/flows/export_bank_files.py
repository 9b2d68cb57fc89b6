"""Export bank files: the collections and transfers of a day, as files for a bank.

What a file takes is frozen and marked in one transaction, so that nothing is told to a bank twice:
a payment that stands in a file is on its way and cannot be cancelled. What a rule forbids fails
with that rule and holds nothing else up.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Generic, TypeVar

from gateway.errors import Rejected
from gateway.flows.attempt_payment import wake
from gateway.flows.export_payouts import PayoutExport
from gateway.model import codec
from gateway.model.bank import Collection, Transfer, WrittenFile
from gateway.model.event import Event
from gateway.model.mandate import Mandate
from gateway.model.movement import Movement
from gateway.model.payment import Payment, PaymentState
from gateway.model.reference import ExternalReference
from gateway.policy import amending, capturing, collecting, mandating, submitting
from gateway.ports.bank_files import BankFiles
from gateway.runtime import bank_runs
from gateway.runtime.bank_runs import BankRun, Outcome
from gateway.runtime.database import Connection
from gateway.runtime.documents import Unit
from gateway.runtime.exports import alone

R = TypeVar("R", Collection, Transfer)

_CHUNK: Final = 1_000
# `offset 0` keeps the look-ups on the primary keys: without statistics the planner reads all.
_CANDIDATES: Final = """
select r.entity_id from headrace.reference r
cross join lateral (select d.state, d.body from headrace.document d where d.tenant = %(tenant)s
  and d.kind = 'payment' and d.id = r.entity_id offset 0) p
where r.tenant = %(tenant)s and r.entity = 'PAYMENT' and r.system = %(system)s
  and {wanted}
"""
# `not in` is hashed once; `not exists` would read the system's references for each of them.
_TO_COLLECT: Final = _CANDIDATES.format(
    wanted="p.state = 'PENDING' and r.entity_id not in (select b.entity_id"
    " from headrace.reference b where b.tenant = %(tenant)s and b.system = %(system)s"
    " and b.entity = 'BANK_ORDER')"
)
_TO_GIVE_BACK: Final = _CANDIDATES.format(
    wanted="""p.body->'movements' @> '[{"kind": "REFUND", "state": "PENDING"}]'"""
)
_LOCK: Final = """
select count(*) from (select id from headrace.document
where tenant = %s and kind = 'payment' and id = any(%s) order by id for no key update) as locked
"""
_LOCKED: Final = """
select body::text from headrace.document where tenant = %s and kind = 'payment' and id = any(%s)
order by id
"""


async def export_collections(run: BankRun, port: BankFiles) -> Outcome:
    """Write the collections that are due as a pain.008, or the same file again.

    Raises:
        Rejected: Somebody changed the file, or the bank's schema refuses it.
        Unavailable: Another process writes it.
    """

    def write(rows: Iterator[Collection], target: Path, at: dt.datetime) -> WrittenFile:
        return port.write_collections(rows, target, batch_id=run.batch_id, at=at)

    return await _export(run, Collection, _Collections(run, port).freeze, write)


async def export_transfers(run: BankRun, port: BankFiles) -> Outcome:
    """Write refunds and payouts that were promised as a pain.001, or the same file again.

    Raises:
        Rejected: Somebody changed the file, or the bank's schema refuses it.
        Unavailable: Another process writes it.
    """

    def write(rows: Iterator[Transfer], target: Path, at: dt.datetime) -> WrittenFile:
        return port.write_transfers(rows, target, batch_id=run.batch_id, at=at)

    return await _export(run, Transfer, _Transfers(run, port).freeze, write)


async def _export(
    run: BankRun,
    row: type[R],
    freeze: Callable[[Connection], Awaitable[int]],
    write: Callable[[Iterator[R], Path, dt.datetime], WrittenFile],
) -> Outcome:
    async with alone(run.database, *map(str, run.identity)) as connection:
        refused = 0
        known = await bank_runs.frozen(connection, run, row)
        if known is None:
            refused = await freeze(connection)
            known = await bank_runs.frozen(connection, run, row)
        if known is None:
            return Outcome(manifest=None, refused=refused, written=False)
        manifest, written = await known.write(connection, write)
    return Outcome(manifest=manifest, refused=refused, written=written)


class _Freeze(ABC, Generic[R]):
    """Takes what is due, and marks it, in one transaction.

    Attributes:
        candidates: Finds payments.
        refused: Things that no file could take.
    """

    candidates: str

    def __init__(self, run: BankRun, port: BankFiles) -> None:
        self.run = run
        self.port = port
        self.refused = 0
        self.connection: Connection
        self.at: dt.datetime

    async def freeze(self, connection: Connection) -> int:
        """Freeze the run, unless nothing is due; returns how many things were refused."""
        self.connection = connection
        async with connection.transaction():
            found = await connection.execute("select now()")
            (self.at,) = await found.fetchone() or (dt.datetime.now(dt.UTC),)
            part = 0
            async for rows in self.parts():
                if rows:
                    part += 1
                    await bank_runs.keep(connection, self.run, part, rows)
            if part:
                await bank_runs.begin(connection, self.run, self.at)
        return self.refused

    async def parts(self) -> AsyncIterator[list[R]]:
        """What goes into the file, some rows at a time."""
        ids = await self._candidates()
        for start in range(0, len(ids), _CHUNK):
            yield await self.taken(await self._locked(ids[start : start + _CHUNK]))

    @abstractmethod
    async def taken(self, chunk: Sequence[Payment]) -> list[R]:
        """The rows that some payments give, once the payments say so."""

    def is_ours(self, mandate: Mandate | None) -> bool:
        """Whether the account of this run is meant; the default one takes strays."""
        account = mandate.account if mandate else self.port.default_account
        return account == self.run.account

    def unit(self, business_id: str) -> Unit:
        """The transaction, as of this payment or mandate."""
        return Unit(
            self.connection,
            tenant=self.run.tenant,
            business_id=business_id,
            traceparent="",
            causation_id=self.run.cause,
        )

    async def mandates(self, ids: set[str]) -> dict[str, Mandate]:
        """The mandates of these ids, locked after the payments."""
        found = await self.connection.execute(
            "select id, body::text from headrace.document where tenant = %s and kind = 'mandate'"
            " and id = any(%s) order by id for no key update",
            (self.run.tenant, sorted(ids)),
        )
        return {key: codec.decode(body, Mandate) for key, body in await found.fetchall()}

    async def tell(self, orders: Sequence[ExternalReference]) -> None:
        """Remember what the bank is told now."""
        async with self.connection.pipeline():
            await self.unit("").refer(orders)

    async def _candidates(self) -> list[str]:
        """Payments that may be meant, locked in the order in which everybody locks them.

        All of them before the first mandate: who applies a bank's words does the same.
        """
        given = {"tenant": self.run.tenant, "system": self.run.system}
        found = await self.connection.execute(self.candidates.encode(), given)
        ids = sorted([key for (key,) in await found.fetchall()])
        await self.connection.execute(_LOCK, (self.run.tenant, ids))
        return ids

    async def _locked(self, ids: list[str]) -> list[Payment]:
        found = await self.connection.execute(_LOCKED, (self.run.tenant, ids))
        return [codec.decode(body, Payment) for (body,) in await found.fetchall()]


class _Collections(_Freeze[Collection]):
    """Collections: payments that are promised, and due."""

    candidates = _TO_COLLECT

    async def taken(self, chunk: Sequence[Payment]) -> list[Collection]:
        """The collections; each payment is marked as on its way, each mandate as used."""
        before = await self.mandates({one.mandate_id for one in chunk})
        known = {key: mandating.as_of(one, self.at.date()) for key, one in before.items()}
        rows, marked, orders = list[Collection](), list[Payment](), list[ExternalReference]()
        news: defaultdict[str, list[Event]] = defaultdict(list)
        for payment in chunk:
            mandate = known.get(payment.mandate_id)
            if not self._is_due(payment, mandate):
                continue
            try:
                mandate, amended = self._by_settings(_known(mandate))
                row = self.port.collection(payment, mandate, at=self.at)
            except Rejected as error:
                self.refused += 1
                changed, events = submitting.refused(payment, error.code)
                unit = self.unit(payment.business_id)
                key, state = changed.payment_id, changed.state.value
                await unit.save("payment", key, state, changed, events)
                await wake(self.connection, changed)
                continue
            rows.append(row)
            changed, told = submitting.submitted(payment, row, mandate)
            marked.append(changed)
            news[payment.mandate_id] += (*amended, *told)
            known[payment.mandate_id] = submitting.used(mandate, row)
            orders.append(submitting.order(payment.payment_id, self.run.system, row.end_to_end_id))
        await self._store(marked)
        await self.tell(orders)
        await self._save_mandates(before, known, news)
        return rows

    def _is_due(self, payment: Payment, mandate: Mandate | None) -> bool:
        """Whether this file is the one; the payment is looked at again now that it is locked."""
        held_up = capturing.is_open(payment) or collecting.is_submitted(payment)
        open_here = payment.state is PaymentState.PENDING and not held_up
        account = self.port.accounts.get(self.run.account)
        if not open_here or account is None or not self.is_ours(mandate):
            return False
        return submitting.is_due(payment, account, self.run.day)

    def _by_settings(self, mandate: Mandate) -> tuple[Mandate, tuple[Event, ...]]:
        """The mandate with the creditor that the file names; another one is told with it."""
        return amending.by_settings(mandate, self.port.accounts[self.run.account])

    async def _store(self, payments: Sequence[Payment]) -> None:
        async with self.connection.cursor() as cursor:
            await cursor.executemany(
                "update headrace.document set state = %s, body = %s, updated_at = now()"
                " where tenant = %s and kind = 'payment' and id = %s",
                [
                    (
                        one.state.value,
                        codec.encode(one).decode(),
                        self.run.tenant,
                        one.payment_id,
                    )
                    for one in payments
                ],
            )

    async def _save_mandates(
        self,
        before: Mapping[str, Mandate],
        now: Mapping[str, Mandate],
        news: defaultdict[str, list[Event]],
    ) -> None:
        for key, mandate in sorted(now.items()):
            if mandate != before[key] or news[key]:
                unit = self.unit(key)
                events = (*news[key], *mandating.news(before[key], mandate))
                await unit.save("mandate", key, mandate.state.value, mandate, events)


class _Transfers(_Freeze[Transfer]):
    """Transfers: refunds and payouts that are promised and were not told to the bank."""

    candidates = _TO_GIVE_BACK

    async def parts(self) -> AsyncIterator[list[Transfer]]:
        """The refunds, and then the payouts, for that is the order in which they are locked."""
        async for rows in super().parts():
            yield rows
        payouts = PayoutExport(self.run, self.port, self.connection, self.at)
        async for rows in payouts.parts(_CHUNK):
            yield rows
        self.refused += payouts.refused

    async def taken(self, chunk: Sequence[Payment]) -> list[Transfer]:
        """The transfers; the bank is told of each once."""
        known = await self.mandates({one.mandate_id for one in chunk})
        told = await self._told(
            [moved.ref for one in chunk for moved in submitting.given_back(one)]
        )
        rows, orders = list[Transfer](), list[ExternalReference]()
        for payment in chunk:
            mandate = known.get(payment.mandate_id)
            if not self.is_ours(mandate):
                continue
            failed = list[tuple[Movement, str]]()
            room = submitting.room(payment, told)
            for moved in submitting.given_back(payment):
                if moved.ref in told:
                    continue
                if moved.amount.minor > room:
                    self.refused += 1
                    failed.append((moved, "came_back"))
                    continue
                try:
                    row = self.port.transfer(payment, moved, _known(mandate), at=self.at)
                except Rejected as error:
                    self.refused += 1
                    failed.append((moved, error.code))
                    continue
                room -= moved.amount.minor
                rows.append(row)
                orders.append(submitting.order(moved.ref, self.run.system, moved.ref))
            if failed:
                changed, events = submitting.not_given_back(payment, failed)
                unit = self.unit(payment.business_id)
                key, state = changed.payment_id, changed.state.value
                await unit.save("payment", key, state, changed, events)
        await self.tell(orders)
        return rows

    async def _told(self, references: list[str]) -> set[str]:
        found = await self.connection.execute(
            "select entity_id from headrace.reference where tenant = %s and system = %s"
            " and entity = 'BANK_ORDER' and entity_id = any(%s)",
            (self.run.tenant, self.run.system, references),
        )
        return {key for (key,) in await found.fetchall()}


def _known(mandate: Mandate | None) -> Mandate:
    if mandate is None:
        raise Rejected("There is no mandate of this id.", code="mandate_unknown")
    return mandate
