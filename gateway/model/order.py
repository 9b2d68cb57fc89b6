"""Customer orders: what a front-end asks for, and what became of it."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.model.instruction import PaymentInstruction
from gateway.model.item import OrderItem
from gateway.model.money import Money
from gateway.model.party import Party, Text
from gateway.model.reference import ExternalReference
from gateway.model.states import Machine


class OrderState(StrEnum):
    """Where an order stands."""

    SUBMITTED = "SUBMITTED"
    RISK_REVIEW = "RISK_REVIEW"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    IN_FULFILMENT = "IN_FULFILMENT"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


_S = OrderState
ORDER_STATES: Machine[OrderState] = Machine(
    "order",
    _S.SUBMITTED,
    {
        _S.SUBMITTED: frozenset({_S.RISK_REVIEW, _S.ACCEPTED, _S.REJECTED, _S.CANCELLED}),
        _S.RISK_REVIEW: frozenset({_S.ACCEPTED, _S.REJECTED, _S.CANCELLED}),
        _S.ACCEPTED: frozenset({_S.IN_FULFILMENT, _S.CANCELLED}),
        _S.IN_FULFILMENT: frozenset({_S.COMPLETED, _S.CANCELLED}),
        _S.REJECTED: frozenset(),
        _S.COMPLETED: frozenset(),
        _S.CANCELLED: frozenset(),
    },
)


class OrderKind(StrEnum):
    """What is ordered: a thing, or the use of one."""

    PURCHASE = "PURCHASE"
    MEMBERSHIP = "MEMBERSHIP"
    LEASE = "LEASE"


class Channel(StrEnum):
    """Through whom the order came."""

    B2C = "B2C"
    SME = "SME"
    FLEET = "FLEET"
    INDIRECT = "INDIRECT"


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order as a front-end sends it.

    Attributes:
        total: Sum of quantity times unit price over all items; anything else is refused.
        reference: The front-end's own order number, shown in every system.
    """

    channel: Channel
    kind: OrderKind = OrderKind.PURCHASE
    party: Party
    items: Annotated[tuple[OrderItem, ...], Meta(min_length=1, max_length=200)]
    total: Money
    payment: PaymentInstruction
    reference: Annotated[str, Meta(max_length=35, pattern="^[A-Za-z0-9._/-]*$")] = ""
    note: Text | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order and what became of it.

    Attributes:
        external_refs: What each system calls the order and its parts.
        cancel_reason: Code of the decision that ended the order early.
        submitted_at: ISO 8601 in UTC.
    """

    order_id: str
    state: OrderState
    channel: Channel
    kind: OrderKind
    party: Party
    items: tuple[OrderItem, ...]
    total: Money
    payment: PaymentInstruction
    reference: str
    note: str | None
    submitted_at: str
    payment_id: str
    risk_assessment_id: str | None = None
    external_refs: tuple[ExternalReference, ...] = ()
    cancel_reason: str | None = None
