"""Receive payouts: what a bank's files say of money that was sent.

No flow, but a part of the transaction that applies what banks report. Nobody can be asked about a
file, so its words are believed: they come from whoever fetched them for us.
"""

from collections.abc import Sequence
from typing import Final

from gateway.flows.send_payout import wake
from gateway.model import codec
from gateway.model.event import Event, ProviderEvent
from gateway.model.payout import PayeeVerification, Payout
from gateway.policy import paying
from gateway.runtime.database import Connection
from gateway.runtime.documents import Unit
from gateway.runtime.hub import Hub
from gateway.runtime.inbox import Row, Verdict
from gateway.settings import PayoutSettings

Words = Sequence[tuple[Row, ProviderEvent]]

_LOCKED: Final = """
select d.tenant, r.system, r.external_id, d.body::text from headrace.reference r
join unnest(%s::text[], %s::text[], %s::text[]) as e (t, s, x)
  on r.tenant = t and r.system = s and r.external_id = x and r.entity = 'PAYOUT'
join headrace.document d on d.tenant = r.tenant and d.kind = 'payout' and d.id = r.entity_id
order by d.tenant, d.id for no key update of d
"""


def is_said(event: ProviderEvent) -> bool:
    """Whether the event itself says what became of a payout."""
    return event.payout is not None or event.verified is not None


async def receive_payouts(connection: Connection, hub: Hub, words: Words) -> list[Verdict | None]:
    """Change the payouts, locked after everything else; None for a word about an unknown one."""
    known = await _load(connection, words)
    verdicts = list[Verdict | None]()
    for row, event in words:
        key = row.tenant, row.system, _reference(event)
        payout = known.get(key)
        if payout is None:
            verdicts.append(None)
            continue
        state, reason = "APPLIED", event.event_type
        if event.payout is not None and event.payout.amount != payout.amount:
            state, reason = "PARKED", "integrity_mismatch"
        else:
            settings = hub.tenant(row.tenant).settings.payouts
            changed, told = _changed(payout, event, settings)
            if changed != payout:
                known[key] = changed
                await _save(connection, row, event, changed, told)
        verdicts.append(
            Verdict(seq=row.seq, state=state, reason=reason, business_id=payout.payout_id)
        )
    return verdicts


def _changed(
    payout: Payout, event: ProviderEvent, settings: PayoutSettings
) -> tuple[Payout, tuple[Event, ...]]:
    if event.payout is not None:
        return paying.apply(payout, event.payout)
    if event.verified is not None:
        return paying.checked(payout, PayeeVerification(result=event.verified), settings)
    return payout, ()


async def _save(
    connection: Connection, row: Row, event: ProviderEvent, payout: Payout, told: Sequence[Event]
) -> None:
    unit = Unit(
        connection,
        tenant=row.tenant,
        business_id=payout.payout_id,
        traceparent=row.traceparent,
        causation_id=event.event_id,
    )
    await unit.save("payout", payout.payout_id, payout.state.value, payout, told)
    await wake(connection, payout)


async def _load(connection: Connection, words: Words) -> dict[tuple[str, str, str], Payout]:
    if not words:
        return {}
    found = await connection.execute(
        _LOCKED,
        (
            [row.tenant for row, _ in words],
            [row.system for row, _ in words],
            [_reference(event) for _, event in words],
        ),
    )
    return {
        (tenant, system, reference): codec.decode(body, Payout)
        for tenant, system, reference, body in await found.fetchall()
    }


def _reference(event: ProviderEvent) -> str:
    return event.about.external_id if event.about else ""
