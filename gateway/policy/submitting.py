"""Submitting: which payments go into a file for the bank, and what they are from then on."""

import datetime as dt
from collections.abc import Container, Sequence

import msgspec

from gateway.kit.sepa import calendar, mandates
from gateway.model.bank import BankAccount, Collection
from gateway.model.event import Event
from gateway.model.mandate import Mandate
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import Payment, PaymentFailure, PaymentState, ProviderPayment
from gateway.model.payout import Payout
from gateway.model.reference import EntityKind, ExternalReference
from gateway.policy import collecting, moving, notifying, paying


def is_due(payment: Payment, account: BankAccount, day: dt.date) -> bool:
    """Whether the file of this day is the last that reaches the bank in time.

    Args:
        day: On which the file is handed in, before the bank's cut-off.
    """
    if not payment.due:
        return True
    wanted = calendar.next_open(dt.date.fromisoformat(payment.due))
    return wanted <= calendar.add(calendar.next_open(day), account.deadline.lead_days)


def submitted(
    payment: Payment, row: Collection, mandate: Mandate
) -> tuple[Payment, tuple[Event, ...]]:
    """The payment that stands in a file: on its way, and not to be cancelled any more.

    Where it is collected on another day than the debtor was told of, that is news of its mandate.
    """
    moved = Movement(
        kind=MovementKind.CAPTURE,
        ref=row.end_to_end_id,
        state=MovementState.PENDING,
        amount=row.amount,
    )
    changed, _ = collecting.apply(payment, movements=[moved])
    return notifying.told(changed, mandate, row.due)


def refused(payment: Payment, rule: str) -> tuple[Payment, tuple[Event, ...]]:
    """The payment that no file takes: it failed, and no money moved."""
    nothing = Money(0, payment.amount.currency)
    said = ProviderPayment(
        provider_ref=payment.provider_ref,
        state=PaymentState.FAILED,
        amount=payment.amount,
        captured=nothing,
        refunded=nothing,
        failure=PaymentFailure(code="not_submitted", provider_code=rule),
    )
    return collecting.apply(payment, said)


def used(mandate: Mandate, row: Collection) -> Mandate:
    """The mandate by which a collection was submitted."""
    return mandates.used(mandate, row.due, row.sequence_type, row.end_to_end_id)


def given_back(payment: Payment) -> tuple[Movement, ...]:
    """What was promised to the debtor and has not gone, as far as the payment knows."""
    return tuple(
        one
        for one in payment.movements
        if one.kind is MovementKind.REFUND and one.ref and one.state is MovementState.PENDING
    )


def room(payment: Payment, told: Container[str]) -> int:
    """Minor units that may still go back: collected, not come back, not on their way already."""
    coming = moving.pending(payment.movements, MovementKind.RETURN, payment.amount.currency)
    gone = sum(one.amount.minor for one in given_back(payment) if one.ref in told)
    return collecting.kept(payment) - coming.minor - gone


def not_given_back(
    payment: Payment, failed: Sequence[tuple[Movement, str]]
) -> tuple[Payment, tuple[Event, ...]]:
    """The payment of which something cannot be given back, each by its rule."""
    undone = [
        msgspec.structs.replace(moved, state=MovementState.UNDONE, reason_code=rule)
        for moved, rule in failed
    ]
    return collecting.apply(payment, movements=undone)


def refused_payout(payout: Payout, rule: str) -> tuple[Payout, tuple[Event, ...]]:
    """The payout that no file takes: it failed, and no money moved."""
    return paying.refused(payout, PaymentFailure(code="not_submitted", provider_code=rule))


def order(entity_id: str, system: str, end_to_end_id: str) -> ExternalReference:
    """That a bank was told to do something; it is told once."""
    return ExternalReference(
        entity=EntityKind.BANK_ORDER,
        entity_id=entity_id,
        system=system,
        external_id=end_to_end_id,
    )
