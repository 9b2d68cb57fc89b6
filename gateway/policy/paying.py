"""Paying out: who has to agree before money leaves, and what became of it."""

from collections.abc import Iterable
from typing import Final

import msgspec

from gateway.kit.sepa import identifiers
from gateway.model.event import Event
from gateway.model.money import Money
from gateway.model.payment import PaymentFailure
from gateway.model.payout import (
    PAYOUT_STATES,
    DestinationKind,
    NewPayout,
    PayeeMatch,
    PayeeVerification,
    Payout,
    PayoutBatch,
    PayoutState,
    ProviderPayout,
)
from gateway.model.reference import EntityKind, ExternalReference
from gateway.settings import PayeeDecision, PayoutSettings

_S = PayoutState
# As whose number a batch is remembered.
FRONT_END: Final = "front_end"
# How far a payout can have come: whatever is heard, the furthest counts. What came back has the
# last word, and a failure that is told after "paid" is one.
_PROGRESS: Final = (_S.PENDING, _S.SENT, _S.CANCELLED, _S.PAID, _S.FAILED, _S.RETURNED)
HELD: Final = frozenset({_S.AWAITING_APPROVAL, _S.AWAITING_VERIFICATION})
ENDED: Final = frozenset({_S.PAID, _S.CANCELLED, _S.FAILED, _S.RETURNED})
_EVENT_OF: Final = {
    _S.SENT: "submitted",
    _S.PAID: "paid",
    _S.CANCELLED: "cancelled",
    _S.FAILED: "failed",
    _S.RETURNED: "returned",
}


def of_request(
    new: NewPayout, settings: PayoutSettings, *, payout_id: str, client: str, at: str
) -> Payout:
    """The payout that was asked for: on its way, or held until somebody has said yes.

    Args:
        client: Who asks.
        at: ISO 8601 in UTC.
    """
    where = new.destination
    payout = Payout(
        payout_id=payout_id,
        amount=new.amount,
        destination=msgspec.structs.replace(where, iban=identifiers.compact(where.iban)),
        reference=new.reference,
        text=new.text,
        provider=new.provider,
        batch_id=new.batch_id,
        requested_by=client,
        requested_at=at,
    )
    if settings.verify_payee and new.destination.kind is DestinationKind.IBAN:
        return _moved(payout, _S.AWAITING_VERIFICATION)
    return _released(payout, settings)


def needs_approval(amount: Money, settings: PayoutSettings) -> bool:
    """Whether another client has to agree.

    As soon as one currency has a limit, those that have none need it for every amount: a limit
    that could be gone round by another currency would be none.
    """
    limit = settings.approve_from.get(amount.currency)
    if limit is None:
        return bool(settings.approve_from)
    return amount.minor >= Money.parse(limit, amount.currency).minor


def verified(
    payout: Payout, verification: PayeeVerification, settings: PayoutSettings
) -> tuple[Payout, tuple[Event, ...]]:
    """The payout after its payee's bank has spoken: refused, held for a person, or on its way."""
    told = msgspec.structs.replace(payout, verification=verification)
    decision = _decisions(settings)[verification.result]
    if decision == "block":
        failure = PaymentFailure(code="payee_mismatch", provider_code=verification.result.value)
        failed = msgspec.structs.replace(_moved(told, _S.FAILED), failure=failure)
        return failed, (event(failed, "verification_failed"), event(failed, "failed"))
    if decision == "ask":
        return _moved(told, _S.AWAITING_APPROVAL), ()
    return _released(told, settings), ()


def approved(payout: Payout, *, client: str) -> Payout:
    """The payout that another client has agreed to."""
    return msgspec.structs.replace(_moved(payout, _S.PENDING), approved_by=client)


def cancelled(payout: Payout) -> tuple[Payout, tuple[Event, ...]]:
    """The payout that was given up before anything was sent."""
    changed = _moved(payout, _S.CANCELLED)
    return changed, (event(changed, "cancelled"),)


def refused(payout: Payout, failure: PaymentFailure) -> tuple[Payout, tuple[Event, ...]]:
    """The payout that its provider will not send."""
    if payout.state is not _S.PENDING:
        return payout, ()
    changed = msgspec.structs.replace(_moved(payout, _S.FAILED), failure=failure)
    return changed, (event(changed, "failed"),)


def apply(payout: Payout, *said: ProviderPayout) -> tuple[Payout, tuple[Event, ...]]:
    """The payout after its provider's word; of every word the furthest counts.

    The same words in any order, however often, end in the same payout.
    """
    changed = payout
    for one in said:
        named = changed.provider_ref or one.provider_ref
        changed = msgspec.structs.replace(changed, provider_ref=named)
        if _PROGRESS.index(one.state) > _PROGRESS.index(changed.state):
            changed = msgspec.structs.replace(changed, state=one.state, failure=one.failure)
    if changed.state is payout.state:
        return changed, ()
    return changed, (event(changed, _EVENT_OF[changed.state]),)


def event(payout: Payout, word: str) -> Event:
    """The event of a payout; nothing in it says who is paid."""
    return Event(
        type=f"headrace.payout.{word}.v1",
        aggregate="payout",
        aggregate_id=payout.payout_id,
        data={
            "state": payout.state.value,
            "amount": payout.amount.amount,
            "currency": payout.amount.currency,
            "reference": payout.reference,
            "batch_id": payout.batch_id or None,
            "failure": payout.failure.code if payout.failure else None,
        },
    )


def references(payout: Payout) -> tuple[ExternalReference, ...]:
    """What its provider and the front-end call the payout, for look-ups."""
    found = []
    if payout.provider_ref:
        found.append(_reference(EntityKind.PAYOUT, payout, payout.provider, payout.provider_ref))
    if payout.batch_id:
        found.append(_reference(EntityKind.PAYOUT_BATCH, payout, FRONT_END, payout.batch_id))
    return tuple(found)


def shown(payout: Payout) -> Payout:
    """The payout as people and front-ends see it: they have the account number, we hide it."""
    where = payout.destination
    masked = msgspec.structs.replace(
        where,
        iban=f"{where.iban[:2]}**{where.iban[-4:]}" if where.iban else "",
        name=f"{where.name[:1]}***" if where.name else "",
        email=f"{where.email[:1]}***@{where.email.rpartition('@')[2]}" if where.email else "",
    )
    return msgspec.structs.replace(payout, destination=masked)


def batch(batch_id: str, payouts: Iterable[Payout]) -> PayoutBatch:
    """Payouts that belong together, counted and summed."""
    counts: dict[str, int] = {}
    sums: dict[str, dict[str, Money]] = {}
    ids = []
    for one in payouts:
        state, currency = one.state.value, one.amount.currency
        counts[state] = counts.get(state, 0) + 1
        of_state = sums.setdefault(state, {})
        of_state[currency] = of_state.get(currency, Money(0, currency)) + one.amount
        ids.append(one.payout_id)
    return PayoutBatch(
        batch_id=batch_id,
        counts=dict(sorted(counts.items())),
        sums={state: tuple(each[c] for c in sorted(each)) for state, each in sorted(sums.items())},
        payouts=tuple(ids),
    )


def _released(payout: Payout, settings: PayoutSettings) -> Payout:
    held = needs_approval(payout.amount, settings)
    return _moved(payout, _S.AWAITING_APPROVAL if held else _S.PENDING)


def _moved(payout: Payout, state: PayoutState) -> Payout:
    if state is payout.state:
        return payout
    if not PAYOUT_STATES.allows(payout.state, state):
        raise ValueError(f"a payout does not go from {payout.state} to {state}")
    return msgspec.structs.replace(payout, state=state)


def _decisions(settings: PayoutSettings) -> dict[PayeeMatch, PayeeDecision]:
    return {
        PayeeMatch.RCVC: "allow",
        PayeeMatch.RVMC: settings.on_close_match,
        PayeeMatch.RVNM: settings.on_no_match,
        PayeeMatch.RVNA: settings.on_unverifiable,
    }


def _reference(
    kind: EntityKind, payout: Payout, system: str, external_id: str
) -> ExternalReference:
    return ExternalReference(
        entity=kind, entity_id=payout.payout_id, system=system, external_id=external_id
    )
