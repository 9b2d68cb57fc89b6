"""Transferring: what may be moved back between members, and what became of it."""

from typing import Final

import msgspec

from gateway.model.event import Event
from gateway.model.money import Money
from gateway.model.payment import PaymentFailure
from gateway.model.reference import EntityKind, ExternalReference
from gateway.model.transfer import (
    MemberTransfer,
    NewTransfer,
    ProviderReversal,
    ProviderTransfer,
    TransferReversal,
    TransferState,
)
from gateway.policy import wishing

_S = TransferState
# How far a transfer can have come: whatever is heard, the furthest counts.
_PROGRESS: Final = (_S.PENDING, _S.SENT, _S.DONE, _S.FAILED, _S.REVERSED)
ENDED: Final = frozenset({_S.DONE, _S.FAILED, _S.REVERSED})
_EVENT_OF: Final = {_S.DONE: "done", _S.FAILED: "failed", _S.REVERSED: "reversed"}


def of_request(
    new: NewTransfer, *, source: str, destination: str, transfer_id: str, at: str
) -> MemberTransfer:
    """The transfer that was asked for.

    Args:
        source: The account behind the party, or ``platform``.
        destination: The same.
        at: ISO 8601 in UTC.
    """
    return MemberTransfer(
        transfer_id=transfer_id,
        amount=new.amount,
        source=source,
        destination=destination,
        text=new.text,
        group=new.group,
        provider=new.provider,
        from_party=new.source,
        to_party=new.destination,
        requested_at=at,
        reversed=Money(0, new.amount.currency),
    )


def booked(transfer: MemberTransfer) -> tuple[MemberTransfer, tuple[Event, ...]]:
    """The transfer between wallets, which is done as soon as it is stored."""
    changed = msgspec.structs.replace(transfer, state=_S.DONE)
    return changed, (event(changed, "created"), event(changed, "done"))


def booked_back(
    transfer: MemberTransfer, reversal: TransferReversal
) -> tuple[MemberTransfer, tuple[Event, ...]]:
    """The transfer between wallets of which this is back as soon as it is stored."""
    said = ProviderReversal(
        provider_ref=reversal.reversal_id, state=_S.DONE, amount=reversal.amount
    )
    return reversed_by(transfer, reversal, said)


def left(transfer: MemberTransfer) -> Money:
    """What can still be moved back: not given back, not on its way already."""
    asked = sum(one.amount.minor for one in transfer.reversals if one.state is not _S.FAILED)
    taken = max(asked, transfer.reversed.minor)
    return Money(max(transfer.amount.minor - taken, 0), transfer.amount.currency)


def may_reverse(transfer: MemberTransfer) -> bool:
    """Whether it happened, and something of it is left."""
    return transfer.state is _S.DONE and left(transfer).minor > 0


def reverse(
    transfer: MemberTransfer, amount: Money, *, at: str, by_payment: bool = False
) -> tuple[MemberTransfer, TransferReversal]:
    """The transfer with another reversal, to be committed before anything is sent.

    Args:
        by_payment: Whether the payment whose part it is asks for it.
    """
    reversal = TransferReversal(
        reversal_id=wishing.next_id(transfer.transfer_id, "reversal", transfer.reversals),
        amount=amount,
        requested_at=at,
        by_payment=by_payment,
    )
    reversals = (*transfer.reversals, reversal)
    return msgspec.structs.replace(transfer, reversals=reversals), reversal


def transfer_of(reversal_id: str) -> str:
    """Id of the transfer that a reversal is of."""
    return wishing.owner_of(reversal_id, "reversal")


def find(transfer: MemberTransfer, reversal_id: str) -> TransferReversal:
    """The reversal of this id.

    Raises:
        LookupError: There is none.
    """
    return wishing.find(transfer.reversals, "reversal_id", reversal_id)


def standing(transfer: MemberTransfer) -> tuple[tuple[str, TransferState], ...]:
    """The transfer and its reversals, each by its id with its state."""
    reversals = ((one.reversal_id, one.state) for one in transfer.reversals)
    return ((transfer.transfer_id, transfer.state), *reversals)


def apply(
    transfer: MemberTransfer, said: ProviderTransfer
) -> tuple[MemberTransfer, tuple[Event, ...]]:
    """The transfer after its provider's word; the furthest counts, in any order."""
    state = max(transfer.state, said.state, key=_PROGRESS.index)
    further = state is not transfer.state
    changed = msgspec.structs.replace(
        transfer,
        provider_ref=transfer.provider_ref or said.provider_ref,
        reversed=max(transfer.reversed, said.reversed, key=lambda one: one.minor),
        state=state,
        failure=said.failure if further else transfer.failure,
    )
    return changed, _news(transfer, changed)


def reversed_by(
    transfer: MemberTransfer, reversal: TransferReversal, said: ProviderReversal
) -> tuple[MemberTransfer, tuple[Event, ...]]:
    """The transfer after the provider's word about one of its reversals."""
    known = find(transfer, reversal.reversal_id)
    state = max(known.state, said.state, key=_PROGRESS.index)
    changed = _with(
        transfer, reversal, state=state, provider_ref=said.provider_ref, failure=said.failure
    )
    done = sum(one.amount.minor for one in changed.reversals if one.state is _S.DONE)
    total = Money(max(done, changed.reversed.minor), changed.amount.currency)
    whole = total == changed.amount
    changed = msgspec.structs.replace(
        changed, reversed=total, state=_S.REVERSED if whole else changed.state
    )
    return changed, _news(transfer, changed)


def refused(
    transfer: MemberTransfer, failure: PaymentFailure
) -> tuple[MemberTransfer, tuple[Event, ...]]:
    """The transfer that the provider will not make."""
    if transfer.state is not _S.PENDING:
        return transfer, ()
    changed = msgspec.structs.replace(transfer, state=_S.FAILED, failure=failure)
    return changed, (event(changed, "failed"),)


def not_reversed(
    transfer: MemberTransfer, reversal: TransferReversal, failure: PaymentFailure
) -> tuple[MemberTransfer, tuple[Event, ...]]:
    """The transfer of which the provider will not move this back."""
    changed = _with(transfer, reversal, state=_S.FAILED, failure=failure)
    return changed, (event(changed, "reversal_failed"),)


def event(transfer: MemberTransfer, word: str) -> Event:
    """The event of a transfer."""
    return Event(
        type=f"headrace.transfer.{word}.v1",
        aggregate="transfer",
        aggregate_id=transfer.transfer_id,
        data={
            "state": transfer.state.value,
            "from": transfer.from_party,
            "to": transfer.to_party,
            "amount": transfer.amount.amount,
            "currency": transfer.amount.currency,
            "reversed": transfer.reversed.amount,
            "failure": transfer.failure.code if transfer.failure else None,
        },
    )


def references(transfer: MemberTransfer) -> tuple[ExternalReference, ...]:
    """What its provider calls the transfer, for look-ups."""
    if not transfer.provider_ref:
        return ()
    return (
        ExternalReference(
            entity=EntityKind.TRANSFER,
            entity_id=transfer.transfer_id,
            system=transfer.provider,
            external_id=transfer.provider_ref,
        ),
    )


def _news(before: MemberTransfer, now: MemberTransfer) -> tuple[Event, ...]:
    if now.state is before.state and now.reversed == before.reversed:
        return ()
    if now.state is before.state:
        return (event(now, "reversed"),)
    return (event(now, _EVENT_OF[now.state]),) if now.state in _EVENT_OF else ()


def _with(
    transfer: MemberTransfer, reversal: TransferReversal, **changes: object
) -> MemberTransfer:
    reversals = wishing.change(transfer.reversals, "reversal_id", reversal.reversal_id, **changes)
    return msgspec.structs.replace(transfer, reversals=reversals)
