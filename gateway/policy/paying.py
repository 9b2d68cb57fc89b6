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
# last word, and a failure that is told after "paid" is one. What a bank holds that has it in a file
# has come no further than that.
_PROGRESS: Final = (_S.PENDING, _S.SENT, _S.CANCELLED, _S.PAID, _S.FAILED, _S.RETURNED)
# The same of a payout in a file: what the bank has booked is beyond any refusal, for who heard that
# it failed would pay again.
_BOOKED: Final = (_S.PENDING, _S.SENT, _S.CANCELLED, _S.FAILED, _S.PAID, _S.RETURNED)
# Of two answers about one name the worse counts.
_DOUBTS: Final = (PayeeMatch.RCVC, PayeeMatch.RVNA, PayeeMatch.RVMC, PayeeMatch.RVNM)
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
    new: NewPayout,
    settings: PayoutSettings,
    *,
    payout_id: str,
    client: str,
    at: str,
    in_files: bool = False,
) -> Payout:
    """The payout that was asked for: on its way, or held until somebody has said yes.

    Args:
        client: Who asks.
        at: ISO 8601 in UTC.
        in_files: A bank is told in a file, and verifies the payee once it has it.
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
        wallet=new.wallet,
        requested_by=client,
        requested_at=at,
    )
    if settings.verify_payee and not in_files and new.destination.kind is DestinationKind.IBAN:
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


def submitted(payout: Payout, *, at: str) -> tuple[Payout, tuple[Event, ...]]:
    """The payout that stands in a file for the bank, and cannot be cancelled here any more.

    Args:
        at: ISO 8601 in UTC.
    """
    changed = msgspec.structs.replace(_moved(payout, _S.SENT), submitted_at=at)
    return changed, (event(changed, "submitted"),)


def checked(
    payout: Payout, verification: PayeeVerification, settings: PayoutSettings
) -> tuple[Payout, tuple[Event, ...]]:
    """The payout whose payee was verified by the bank that has it in a file.

    The bank waits for somebody to release the file or not. So nothing here may say that the money
    stays: what is forbidden is held, and has failed once the bank says so.
    """
    worst = _worse(payout.verification, verification)
    told = msgspec.structs.replace(payout, verification=worst)
    if payout.verification is not None and worst.result is not payout.verification.result:
        # Whoever agreed did not agree to this.
        told = msgspec.structs.replace(told, released_by="")
    if payout.state not in {_S.SENT, *HELD}:
        return told, ()
    changed = _moved(told, _held_as(told, settings))
    if changed.state in {payout.state, _S.SENT}:
        return changed, ()
    return changed, (event(changed, "verification_failed"),)


def released(payout: Payout, *, client: str) -> Payout:
    """The payout that another client has agreed to, in spite of what the payee's bank said."""
    return msgspec.structs.replace(_moved(payout, _S.SENT), released_by=client)


def may_cancel(payout: Payout, *, in_files: bool, withdrawn: bool) -> bool:
    """Whether nobody has to be asked to give it up.

    Args:
        in_files: Its provider is a bank that is told in a file, and knows nothing before.
        withdrawn: Somebody has had the bank withdraw it.
    """
    if payout.submitted_at:
        return withdrawn and may_withdraw(payout)
    return payout.state in HELD or (in_files and payout.state is _S.PENDING)


def may_withdraw(payout: Payout) -> bool:
    """Whether a bank has it in a file and was not heard of to have paid or refused."""
    return bool(payout.submitted_at) and payout.state in {_S.SENT, *HELD}


def approved(payout: Payout, *, client: str) -> Payout:
    """The payout that another client has agreed to."""
    return msgspec.structs.replace(_moved(payout, _S.PENDING), approved_by=client)


def cancelled(payout: Payout) -> tuple[Payout, tuple[Event, ...]]:
    """The payout that was given up before anybody had it, or that the bank has withdrawn."""
    changed = _moved(payout, _S.CANCELLED)
    return changed, (event(changed, "cancelled"),)


def refused(payout: Payout, failure: PaymentFailure) -> tuple[Payout, tuple[Event, ...]]:
    """The payout that its provider, or the bank's file, will not take."""
    if payout.state is not _S.PENDING:
        return payout, ()
    changed = msgspec.structs.replace(_moved(payout, _S.FAILED), failure=failure)
    return changed, (event(changed, "failed"),)


def apply(payout: Payout, *said: ProviderPayout) -> tuple[Payout, tuple[Event, ...]]:
    """The payout after its provider's word; of every word the furthest counts.

    The same words in any order, however often, end in the same payout.
    """
    changed = payout
    progress = _BOOKED if payout.submitted_at else _PROGRESS
    for one in said:
        named = changed.provider_ref or one.provider_ref
        changed = msgspec.structs.replace(changed, provider_ref=named)
        come, reached = progress.index(one.state), progress.index(_reached(changed))
        if come > reached:
            changed = msgspec.structs.replace(changed, state=one.state, failure=one.failure)
        elif come == reached:
            failure = _clearer(changed.failure, one.failure)
            changed = msgspec.structs.replace(changed, failure=failure)
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


def answered(payout: Payout) -> Payout:
    """The payout in an answer that is kept: what the holder is called is for who asks for it."""
    one = shown(payout)
    if one.verification is None or not one.verification.name:
        return one
    masked = msgspec.structs.replace(one.verification, name=f"{one.verification.name[:1]}***")
    return msgspec.structs.replace(one, verification=masked)


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


def _reached(payout: Payout) -> PayoutState:
    """How far it has come, whoever holds it."""
    if payout.state in HELD:
        return _S.SENT if payout.submitted_at else _S.PENDING
    return payout.state


def _held_as(payout: Payout, settings: PayoutSettings) -> PayoutState:
    """Where the payout stands that a bank has in a file, by its verification."""
    if payout.verification is None or not settings.verify_payee:
        return _S.SENT
    decision = _decisions(settings)[payout.verification.result]
    if decision == "ask":
        return _S.SENT if payout.released_by else _S.AWAITING_APPROVAL
    return _S.AWAITING_VERIFICATION if decision == "block" else _S.SENT


def _worse(known: PayeeVerification | None, said: PayeeVerification) -> PayeeVerification:
    if known is None or _DOUBTS.index(said.result) > _DOUBTS.index(known.result):
        return said
    return known if known.name or known.result is not said.result else said


def _clearer(known: PaymentFailure | None, said: PaymentFailure | None) -> PaymentFailure | None:
    """Of two reasons always the same one, whichever was heard first."""
    given = [one for one in (known, said) if one]
    return max(given, key=lambda one: (one.provider_code, one.code), default=None)


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
