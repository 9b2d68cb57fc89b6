"""Disputes: money that a payer claims back, what we answer, and how it ends."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.model.money import Money
from gateway.model.movement import Movement
from gateway.model.states import Machine


class DisputeState(StrEnum):
    """Where a dispute stands; the later in this list counts, whichever was heard first.

    ACCEPTED is ours: we do not contest it. WITHDRAWN is the payer's: the claim was taken back.
    """

    OPEN = "OPEN"
    UNDER_REVIEW = "UNDER_REVIEW"
    ACCEPTED = "ACCEPTED"
    LOST = "LOST"
    WON = "WON"
    WITHDRAWN = "WITHDRAWN"


_S = DisputeState
_OUTCOMES = frozenset({_S.LOST, _S.WON, _S.WITHDRAWN})
DISPUTE_STATES: Machine[DisputeState] = Machine(
    "dispute",
    _S.OPEN,
    {
        _S.OPEN: frozenset({_S.UNDER_REVIEW, _S.ACCEPTED, *_OUTCOMES}),
        _S.UNDER_REVIEW: frozenset({_S.ACCEPTED, *_OUTCOMES}),
        _S.ACCEPTED: _OUTCOMES,
        # A second instance may decide otherwise; why it was won may be heard later.
        _S.LOST: frozenset({_S.WON, _S.WITHDRAWN}),
        _S.WON: frozenset({_S.LOST, _S.WITHDRAWN}),
        _S.WITHDRAWN: frozenset(),
    },
)


class AnswerKind(StrEnum):
    """What we answer to a dispute."""

    ACCEPTANCE = "ACCEPTANCE"
    EVIDENCE = "EVIDENCE"


class AnswerState(StrEnum):
    """Whether the provider has our answer; what it did not confirm is CREATED."""

    CREATED = "CREATED"
    SENT = "SENT"
    REFUSED = "REFUSED"


Text = Annotated[str, Meta(max_length=20_000)]
Files = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=255, pattern="^[A-Za-z0-9_-]*$")], ...],
    Meta(max_length=10),
]


# Mappings of providers that take no code need not say that they leave it out.
ReasonCode = Annotated[
    str,
    Meta(max_length=80, pattern="^[A-Za-z0-9_-]*$", extra_json_schema={"readOnly": True}),
]


class NewEvidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a claim is wrong, as a front-end sends it.

    Attributes:
        text: In the words of who knows; it goes to the provider and to the payer's issuer.
        files: The provider's ids of files that were uploaded there.
        reason: The provider's code of why the claim is wrong, where it knows some only.
    """

    text: Text = ""
    files: Files = ()
    reason: ReasonCode = ""


class DisputeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of ours.

    Attributes:
        text, files, reason: Of evidence.
        requested_at: ISO 8601 in UTC.
        failure_code: Why the provider refused it; empty where it did not.
    """

    answer_id: str
    kind: AnswerKind
    text: Text = ""
    files: tuple[str, ...] = ()
    reason: ReasonCode = ""
    requested_at: str
    state: AnswerState = AnswerState.CREATED
    failure_code: str = ""


class ProviderDispute(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says about a dispute.

    Attributes:
        provider_ref: As the movement of the payment has it.
        reason_code: The provider's or the issuer's own.
        due_by: Until when evidence is taken, ISO 8601; empty where it is not, or nobody says.
        movement: What it says of the money; None where the payment itself says that.
    """

    provider_ref: str
    state: DisputeState
    amount: Money
    reason_code: str = ""
    due_by: str = ""
    movement: Movement | None = None


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """Money that a payer claims back.

    Attributes:
        dispute_id: Ours; the same for the same claim, whoever tells of it first.
        provider_ref: That of the movement.
        progress: The furthest that the provider said of the claim itself; ``state`` adds what
            became of the money.
        reason_said: The provider's reason, by its own word of the claim; ``reason_code`` adds what
            the money was moved with.
        due_by: Until when evidence is taken, ISO 8601; empty where nobody has said so.
        answers: What we answered, oldest first.
    """

    dispute_id: str
    payment_id: str
    provider_ref: str
    amount: Money
    state: DisputeState = DisputeState.OPEN
    progress: DisputeState = DisputeState.OPEN
    reason_code: str = ""
    reason_said: str = ""
    due_by: str = ""
    answers: tuple[DisputeAnswer, ...] = ()
