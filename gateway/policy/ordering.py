"""What may become of an order: decisions on state and the events that report them."""

from typing import Final

import msgspec

from gateway.model.event import Event
from gateway.model.order import ORDER_STATES, NewOrder, Order, OrderState
from gateway.model.reference import ExternalReference
from gateway.model.risk import RiskAssessment, RiskState

_AFTER_RISK = {
    RiskState.ACCEPTED: OrderState.ACCEPTED,
    RiskState.REVIEW: OrderState.RISK_REVIEW,
    RiskState.REJECTED: OrderState.REJECTED,
}
_EVENT_OF = {
    OrderState.SUBMITTED: "headrace.order.submitted.v1",
    OrderState.ACCEPTED: "headrace.order.accepted.v1",
    OrderState.REJECTED: "headrace.order.rejected.v1",
    OrderState.IN_FULFILMENT: "headrace.order.fulfilment_started.v1",
    OrderState.COMPLETED: "headrace.order.completed.v1",
    OrderState.CANCELLED: "headrace.order.cancelled.v1",
}

# Nobody waits for the money of such an order any more.
GIVEN_UP: Final = frozenset({OrderState.CANCELLED, OrderState.REJECTED})


def submit(new: NewOrder, *, order_id: str, payment_id: str, at: str) -> tuple[Order, Event]:
    """The order that a front-end's request becomes.

    Args:
        at: ISO 8601 in UTC.
    """
    order = Order(
        order_id=order_id,
        state=ORDER_STATES.initial,
        channel=new.channel,
        kind=new.kind,
        party=new.party,
        items=new.items,
        total=new.total,
        payment=new.payment,
        reference=new.reference,
        note=new.note,
        submitted_at=at,
        payment_id=payment_id,
    )
    return order, _event(order)


def advance(order: Order, state: OrderState, *, reason: str | None = None) -> tuple[Order, Event]:
    """The order in another state, with the event that reports it.

    Raises:
        ValueError: The table does not allow the change.
    """
    if not ORDER_STATES.allows(order.state, state):
        raise ValueError(f"an order cannot go from {order.state} to {state}")
    changed = msgspec.structs.replace(order, state=state, cancel_reason=reason)
    return changed, _event(changed)


def decide(order: Order, assessment: RiskAssessment) -> tuple[Order, tuple[Event, ...]]:
    """The order after its risk assessment; a review changes its state without an event."""
    state = _AFTER_RISK[assessment.decision]
    decided = msgspec.structs.replace(order, risk_assessment_id=assessment.assessment_id)
    if state is OrderState.RISK_REVIEW:
        return msgspec.structs.replace(decided, state=state), ()
    refused = state is OrderState.REJECTED and assessment.reasons
    decided, event = advance(decided, state, reason=assessment.reasons[0].code if refused else None)
    return decided, (event,)


def assessed(assessment: RiskAssessment) -> Event:
    """The event that reports an assessment."""
    review = assessment.decision is RiskState.REVIEW
    return Event(
        type=f"headrace.risk_assessment.{'review_required' if review else 'completed'}.v1",
        aggregate="risk_assessment",
        aggregate_id=assessment.assessment_id,
        data={
            "decision": assessment.decision.value,
            "strategy_version": assessment.strategy_version,
            "degraded": assessment.degraded,
        },
    )


def refer(order: Order, references: tuple[ExternalReference, ...]) -> Order:
    """The order with what other systems call it and its parts."""
    known = {(one.entity, one.system): one for one in (*order.external_refs, *references)}
    return msgspec.structs.replace(order, external_refs=tuple(known.values()))


def _event(order: Order) -> Event:
    return Event(
        type=_EVENT_OF[order.state],
        aggregate="order",
        aggregate_id=order.order_id,
        data={
            "state": order.state.value,
            "total": order.total.amount,
            "currency": order.total.currency,
            "reason": order.cancel_reason,
        },
    )
