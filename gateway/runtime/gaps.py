"""Gaps: webhooks that never came, found by asking the provider what happened.

The provider's list is compared with the inbox, page by page. What is missing becomes a row like
any other, and whoever applies the inbox applies it. A page is committed together with the place
in the list, so that a death anywhere costs a request and loses nothing.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import msgspec
import psycopg
import structlog

from gateway.errors import HeadraceError, Misconfigured, Rejected
from gateway.model import codec
from gateway.model.event import About, ProviderEvent
from gateway.model.identifiers import new_id
from gateway.model.payment import Payment
from gateway.policy import collecting
from gateway.ports.notification import Notification, ReportPage
from gateway.ports.reports import Reports
from gateway.runtime import metrics
from gateway.runtime.chores import repeat
from gateway.runtime.database import OUTAGES, Connection, Database
from gateway.runtime.hub import Hub, System
from gateway.runtime.inbox import UNREADABLE, Delivery, delivery_of, events_of, insert
from gateway.settings import GapSettings

_log = structlog.get_logger()
Known: TypeAlias = Mapping[str, Payment]

# No further than this, because rows of the inbox are kept for a little longer only, and most
# providers list no more.
FURTHEST_DAYS: Final = 30
_PAGES: Final = 20  # then another system has its turn
_LEASE_S: Final = 180  # for one page; longer than any call by the usual policy
_LOOK_S: Final = 10.0  # how soon is seen that a system is due

_ENSURE: Final = b"""
insert into headrace.comparison (tenant, system, since)
select t, s, now() - make_interval(days => %s) from unnest(%s::text[], %s::text[]) as x (t, s)
on conflict do nothing"""
_CLAIM: Final = b"""
with due as (select c.tenant, c.system from headrace.comparison c
 join unnest(%s::text[], %s::text[]) as x (tenant, system) using (tenant, system)
 where c.due_at <= now() and c.held_until <= now() order by c.due_at limit 1
 for update of c skip locked)
update headrace.comparison c set holder = %s, held_until = now() + make_interval(secs => %s),
 until = coalesce(c.until, now() - make_interval(secs => %s)),
 since = greatest(c.since, now() - make_interval(days => %s))
from due where c.tenant = due.tenant and c.system = due.system
returning c.tenant, c.system, extract(epoch from c.since)::float8,
 extract(epoch from c.until)::float8, c.cursor, c.failed"""
_ONWARD: Final = b"""
update headrace.comparison set cursor = %s, failed = '',
 held_until = now() + make_interval(secs => %s)
where tenant = %s and system = %s and holder = %s returning 1"""
_DONE: Final = b"""
update headrace.comparison set since = until, until = null, cursor = '', failed = '', holder = '',
 held_until = '-infinity', due_at = now() + make_interval(secs => %s)
where tenant = %s and system = %s and holder = %s returning 1"""
_GIVE_BACK: Final = b"""
update headrace.comparison set holder = '', held_until = '-infinity', due_at = now()
where tenant = %s and system = %s and holder = %s"""
# A comparison that has not begun begins anew; one that has goes on where it stands.
_FAILED: Final = b"""
update headrace.comparison set failed = %s, cursor = case when %s then '' else cursor end,
 until = case when %s or cursor = '' then null else until end,
 holder = '', held_until = '-infinity', due_at = now() + make_interval(secs => %s)
where tenant = %s and system = %s and holder = %s"""
_PAYMENTS: Final = b"""
select body::text from headrace.document where tenant = %s and kind = 'payment' and id in (
 select unnest(%s::text[]) union select entity_id from headrace.reference
 where tenant = %s and system = %s and entity = 'PAYMENT' and external_id = any(%s))"""
_THINGS: Final = b"""
with thing as (select id, state, coalesce(body->>'provider', body->>'system') as system
 from headrace.document where tenant = %s and kind = any(%s) and id in (
  select unnest(%s::text[]) union select entity_id from headrace.reference
  where tenant = %s and system = %s and external_id = any(%s)))
select id, state from thing where system = %s
union select r.external_id, t.state from thing t
 join headrace.reference r on r.entity_id = t.id and r.system = t.system and r.tenant = %s
 where t.system = %s"""
# What of ours an event can be about that is no payment.
_KINDS: Final = ["payout", "transfer", "held_mandate"]


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison came to.

    Attributes:
        listed: Entries of the provider's list.
        known: Those that the inbox has, or whose payment says the same here.
        filled: Those that were missing and are in the inbox now. The rest means nothing to us, is
            about payments of somebody else, or is too young to be missed.
    """

    listed: int = 0
    known: int = 0
    filled: int = 0

    def __add__(self, other: "Compared") -> "Compared":
        """Both together."""
        return Compared(
            listed=self.listed + other.listed,
            known=self.known + other.known,
            filled=self.filled + other.filled,
        )


class _Lost(Exception):  # noqa: N818 - nothing is wrong
    """Another worker has taken the comparison over."""


class _Claim(msgspec.Struct, kw_only=True):
    """A comparison that is ours for a while.

    Attributes:
        since, until: What is compared, in seconds since the epoch.
        cursor: Where in the list.
        failed: The code of the last time's failure; empty for none.
    """

    tenant: str
    system: str
    since: float
    until: float
    cursor: str
    failed: str


class Gaps:
    """Compares the lists of all systems that have some.

    Args:
        sleep: Between two requests to a system.
    """

    def __init__(
        self,
        database: Database,
        hub: Hub,
        settings: GapSettings,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._hub = hub
        self._settings = settings
        self._sleep = sleep
        self._holder = new_id()
        self._stop = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Compare what is due until told to stop; a lease that is lost, another worker takes."""
        self._stop = stop

        async def compare() -> None:
            while not stop.is_set() and await self.compare_next():
                pass

        if self._settings.every_s:
            await repeat("webhook.gaps_broke", compare, stop, _LOOK_S)

    async def compare_next(self) -> bool:
        """Compare the list that is due the longest, or some of it; False where none is due."""
        claim = await self._claim()
        if claim is None:
            return False
        found = Compared()
        try:
            for _ in range(_PAGES):
                found += await self._step(claim)
                if not claim.cursor:
                    return True
                await self._sleep(self._settings.pause_s)
                if self._stop.is_set():
                    break
            await self._write(_GIVE_BACK, claim)
        except _Lost:
            return True
        except (*OUTAGES, psycopg.Error):
            raise
        except Exception as error:  # noqa: BLE001 - a defect of one adapter stops no other
            await self._fail(claim, error)
        finally:
            _report(claim, found)
        return True

    async def compare(
        self, system: System[Reports], since: float, until: float
    ) -> AsyncIterator[Compared]:
        """The same for a time of one's own: what each page came to.

        Raises:
            HeadraceError: The provider does not tell.
        """
        cursor = ""
        while True:
            page = await self._ask(system, since, cursor)
            async with self._database.transaction() as connection:
                found = await self._fill(connection, system, page, until)
            _count(system, found)
            yield found
            if not page.cursor:
                return
            cursor = page.cursor
            await self._sleep(self._settings.pause_s)

    async def _claim(self) -> _Claim | None:
        names = [
            (tenant.name, system) for tenant in self._hub.tenants for system in tenant.reporters
        ]
        if not names:
            return None
        tenants, systems = [one for one, _ in names], [one for _, one in names]
        settings = self._settings
        async with self._database.transaction() as connection:
            await connection.execute(_ENSURE, (settings.look_back_days, tenants, systems))
            times = (self._holder, _LEASE_S, settings.grace_s, FURTHEST_DAYS)
            found = await connection.execute(_CLAIM, (tenants, systems, *times))
            row = await found.fetchone()
        if row is None:
            return None
        return _Claim(**dict(zip(_Claim.__struct_fields__, row, strict=True)))

    async def _step(self, claim: _Claim) -> Compared:
        """Compare one page; rows and place in the list are one commit."""
        system = self._hub.tenant(claim.tenant).reporters[claim.system]
        page = await self._ask(system, claim.since - self._settings.overlap_s, claim.cursor)
        mine = (claim.tenant, claim.system, self._holder)
        async with self._database.transaction() as connection:
            found = await self._fill(connection, system, page, claim.until)
            done = await (
                connection.execute(_ONWARD, (page.cursor, _LEASE_S, *mine))
                if page.cursor
                else connection.execute(_DONE, (self._settings.every_s, *mine))
            )
            if await done.fetchone() is None:
                raise _Lost
        _count(system, found)
        if claim.failed:
            _log.info("webhook.list_available", tenant=claim.tenant, system=claim.system)
        claim.cursor, claim.failed = page.cursor, ""
        return found

    async def _ask(self, system: System[Reports], since: float, cursor: str) -> ReportPage:
        return await self._hub.call(system, system.port.find_reports(since, cursor), step="gaps")

    async def _fill(
        self, connection: Connection, system: System[Reports], page: ReportPage, until: float
    ) -> Compared:
        """Put into the inbox what of the page is missing there."""
        receiver = self._hub.tenant(system.tenant).receivers[system.name]
        ripe = [one for one in page.reports if one.at <= until]
        listed = [(one, events_of(receiver, Notification(body=one.body))) for one in ripe]
        abouts = [event.about for _, events in listed for event in events if event.about]
        things = await _things(connection, system, abouts)
        payments = await _payments(connection, system, [one.said for one in ripe if one.said])
        rows: list[Delivery] = []
        known = 0
        for one, told in listed:
            events = tuple(event for event in told if _matters(event, things))
            if one.stands and events and {_stands(each, things) for each in events} == {one.stands}:
                known += len(events)
                continue
            if one.said is not None:
                payment = payments.get(one.said.payment_id) or payments.get(one.said.provider_ref)
                if payment is None:
                    continue
                if not _is_news(payment, system.name, one.said):
                    known += 1
                    continue
                events = (_marked(told[0], one.said),)
            rows += [
                delivery_of(
                    event,
                    Notification(body=one.body),
                    tenant=system.tenant,
                    system=system.name,
                    terms=receiver.terms,
                )
                for event in events
            ]
        filled = [msgspec.structs.replace(row, filled=True) for row in rows]
        new = len(await insert(connection, filled))
        return Compared(listed=len(page.reports), known=known + len(rows) - new, filled=new)

    async def _fail(self, claim: _Claim, error: Exception) -> None:
        """Try again when it is due the next time; said once when it goes."""
        is_known = isinstance(error, HeadraceError)
        code = error.code if isinstance(error, HeadraceError) else type(error).__name__
        if code != claim.failed:
            log = _log.warning if is_known and not isinstance(error, Misconfigured) else _log.error
            log(
                "webhook.list_failed",
                tenant=claim.tenant,
                system=claim.system,
                code=code,
                exc_info=None if is_known else error,
            )
        # A place in the list may be gone, with what stood there.
        anew = isinstance(error, Rejected)
        await self._write(_FAILED, claim, code, anew, anew, self._settings.every_s)

    async def _write(self, sql: bytes, claim: _Claim, *params: Any) -> None:
        async with self._database.connection() as connection:
            await connection.execute(sql, (*params, claim.tenant, claim.system, self._holder))


async def _payments(
    connection: Connection, system: System[Reports], said: Sequence[ProviderEvent]
) -> Known:
    """The payments that are told of, by our id and by the provider's."""
    if not said:
        return {}
    ids, refs = [one.payment_id for one in said], [one.provider_ref for one in said]
    params = (system.tenant, ids, system.tenant, system.name, refs)
    found = await connection.execute(_PAYMENTS, params)
    known: dict[str, Payment] = {}
    for (body,) in await found.fetchall():
        payment = codec.decode(body, Payment)
        made = [(one.provider, one.provider_ref) for one in payment.attempts]
        made.append((payment.provider, payment.provider_ref))
        theirs = [ref for provider, ref in made if provider == system.name]
        if theirs:
            known |= dict.fromkeys((payment.payment_id, *theirs), payment)
    known.pop("", None)
    return known


def _is_news(payment: Payment, system: str, said: ProviderEvent) -> bool:
    """Whether what is said would change the payment, or cannot be compared with it."""
    theirs = said.payment
    if theirs is None and not said.movements:
        return True
    if payment.provider != system:
        # Another provider was asked after this one: that it failed here is known.
        moved = theirs and (theirs.state in collecting.AUTHORISED or theirs.captured.minor)
        return bool(said.movements or moved)
    if theirs is not None and theirs.amount not in payment.amounts:
        return True
    changed, _ = collecting.apply(payment, said.payment, said.movements)
    # The same money may be told as a total or one by one; what it comes to counts.
    return msgspec.structs.replace(changed, movements=payment.movements) != payment


def _marked(event: ProviderEvent, said: ProviderEvent) -> ProviderEvent:
    """The hint at an object, once for all that the object says, however often it is listed."""
    mark = hashlib.sha256(codec.encode((said.payment, said.movements))).hexdigest()[:32]
    return msgspec.structs.replace(event, event_id=f"{event.event_id}:{mark}")


async def _things(
    connection: Connection, system: System[Reports], abouts: Sequence[About]
) -> Mapping[str, str]:
    """Where those of ours stand that are no payments, by our id and by the provider's."""
    if not abouts:
        return {}
    ids, refs = [one.entity_id for one in abouts], [one.external_id for one in abouts]
    mine = (system.tenant, system.name)
    params = (system.tenant, _KINDS, ids, *mine, refs, system.name, *mine)
    found = await connection.execute(_THINGS, params)
    states: dict[str, str] = dict(await found.fetchall())
    states.pop("", None)
    return states


def _stands(event: ProviderEvent, things: Mapping[str, str]) -> str:
    """The state of the thing of ours that the event is about; empty where there is none."""
    about = event.about
    return "" if about is None else things.get(about.entity_id) or things.get(about.external_id, "")


def _matters(event: ProviderEvent, things: Mapping[str, str]) -> bool:
    """Whether a webhook of this event would be more than kept.

    Lists have all that happened in an account, also what no endpoint is told of.
    """
    if event.about is not None:
        return bool(_stands(event, things))
    if event.payment or event.movements or event.hint or event.event_type == UNREADABLE:
        return True
    return not event.known and bool(event.payment_id or event.provider_ref)


def _count(system: System[Reports], found: Compared) -> None:
    if found.filled:
        labels = {"headrace.tenant": system.tenant, "headrace.system": system.name}
        metrics.webhooks_filled.add(found.filled, labels)


def _report(claim: _Claim, found: Compared) -> None:
    """Say that webhooks are being lost."""
    if found.filled:
        since = datetime.fromtimestamp(claim.since, UTC).isoformat(timespec="seconds")
        _log.warning(
            "webhook.gap_found",
            tenant=claim.tenant,
            system=claim.system,
            filled=found.filled,
            listed=found.listed,
            since=since,
        )
