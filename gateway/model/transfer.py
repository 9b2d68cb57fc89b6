"""Transfers between the accounts of a platform and its members, and their reversals."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.model.money import Money
from gateway.model.payment import Kept, PaymentFailure
from gateway.model.split import PLATFORM
from gateway.model.states import Machine

PartyName = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9._-]+$")]


class TransferState(StrEnum):
    """Where a transfer stands; REVERSED means that nothing is left of it."""

    PENDING = "PENDING"
    SENT = "SENT"
    DONE = "DONE"
    FAILED = "FAILED"
    REVERSED = "REVERSED"


_S = TransferState
TRANSFER_STATES: Machine[TransferState] = Machine(
    "transfer",
    _S.PENDING,
    {
        _S.PENDING: frozenset({_S.SENT, _S.DONE, _S.FAILED, _S.REVERSED}),
        _S.SENT: frozenset({_S.DONE, _S.FAILED, _S.REVERSED}),
        _S.DONE: frozenset({_S.FAILED, _S.REVERSED}),
        _S.FAILED: frozenset({_S.REVERSED}),
        _S.REVERSED: frozenset(),
    },
)


class ProviderTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says about a transfer.

    Attributes:
        state: SENT, DONE, FAILED or REVERSED.
        reversed: Given back so far, as the provider counts.
    """

    provider_ref: str
    state: TransferState
    amount: Money
    reversed: Money
    failure: PaymentFailure | None = None


class ProviderReversal(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says about a reversal.

    Attributes:
        state: SENT, DONE or FAILED.
    """

    provider_ref: str
    state: TransferState
    amount: Money
    failure: PaymentFailure | None = None


class TransferReversal(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a transfer on its way back.

    Attributes:
        requested_at: ISO 8601 in UTC.
        by_payment: What is left of the payment asked for it, after a refund or a return; else
            somebody did.
        state: PENDING before the provider has it.
    """

    reversal_id: str
    amount: Money
    requested_at: str
    by_payment: bool = False
    state: TransferState = TransferState.PENDING
    provider_ref: str = ""
    failure: PaymentFailure | None = None


class MemberTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """Money that changes hands within one provider.

    Attributes:
        transfer_id: Ours; the provider keeps it in a field of its own.
        source, destination: ``platform``, or an account at the provider.
        text: What both can read.
        group: The front-end's own id of the payments and transfers that belong together.
        payment_ref: The provider's id of the payment whose money it is; the transfer waits until
            that is there. Empty where it is paid from the balance.
        provider: The configured system in which it happens.
        from_party, to_party: As the front-end named them: ``platform``, a member or an account.
        reversed: Given back, as the provider counts.
        reversals: What was to be given back, oldest first.
    """

    transfer_id: str
    amount: Money
    source: str = PLATFORM
    destination: str
    text: str = ""
    group: str = ""
    payment_ref: str = ""
    provider: Kept[str]
    from_party: Kept[str] = PLATFORM
    to_party: Kept[str] = ""
    requested_at: Kept[str]
    state: Kept[TransferState] = TransferState.PENDING
    reversed: Kept[Money]
    reversals: Kept[tuple[TransferReversal, ...]] = ()
    provider_ref: Kept[str] = ""
    failure: Kept[PaymentFailure | None] = None


class NewTransfer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A transfer that a front-end asks for.

    Attributes:
        provider: The system in which both have an account.
        source, destination: ``platform``, a member's id, or an account at the provider.
        text: What both can read.
        group: The front-end's own id of the payments and transfers that belong together.
    """

    provider: Annotated[str, Meta(min_length=1, max_length=40, pattern="^[a-z0-9_-]+$")]
    amount: Money
    source: PartyName = PLATFORM
    destination: PartyName
    text: Annotated[str, Meta(max_length=140, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    group: Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9._-]*$")] = ""


class NewReversal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be given back of a transfer.

    Attributes:
        amount: A part; all that is left where it is not given.
    """

    amount: Money | None = None
