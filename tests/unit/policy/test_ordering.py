"""Ordering: only what the table of states allows, and an event for each change."""

import itertools

import msgspec
import pytest

from gateway.model import codec
from gateway.model.order import ORDER_STATES, NewOrder, Order, OrderState
from gateway.model.reference import EntityKind, ExternalReference
from gateway.model.risk import RiskAssessment, RiskReason, RiskState
from gateway.policy import ordering
from tests.flows.stage import new_order

_NEW = codec.convert(new_order("1"), NewOrder)


def _order(state: OrderState = OrderState.SUBMITTED) -> Order:
    order, _ = ordering.submit(_NEW, order_id="o1", payment_id="p1", at="2026-11-22T00:00:00Z")
    return msgspec.structs.replace(order, state=state)


def _assessment(decision: RiskState) -> RiskAssessment:
    return RiskAssessment(
        assessment_id="a1",
        party_id="C-1",
        order_id="o1",
        purpose="order_acceptance",
        inputs_hash="h",
        strategy_version="v",
        decision=decision,
        methods_allowed=("card",),
        reasons=(RiskReason("COUNTRY_NOT_SERVED", "We do not deliver there."),),
    )


def test_new_order_is_submitted() -> None:
    """It begins where the table begins, and says so."""
    order, event = ordering.submit(_NEW, order_id="o1", payment_id="p1", at="now")

    assert ORDER_STATES.initial == order.state
    assert ("headrace.order.submitted.v1", "o1") == (event.type, event.aggregate_id)


@pytest.mark.parametrize(
    ("current", "wanted"), [*itertools.product(OrderState, OrderState)], ids=str
)
def test_order_changes_only_as_the_table_allows(current: OrderState, wanted: OrderState) -> None:
    """Every pair of states: changed with its event, or refused."""
    if wanted is OrderState.RISK_REVIEW:  # reached by an assessment only
        return
    if ORDER_STATES.allows(current, wanted):
        changed, event = ordering.advance(_order(current), wanted, reason="r")
        assert (wanted, "r") == (changed.state, changed.cancel_reason)
        assert (wanted.value, "r") == (event.data["state"], event.data["reason"])
    else:
        with pytest.raises(ValueError, match="cannot go from"):
            ordering.advance(_order(current), wanted)


@pytest.mark.parametrize(
    ("decision", "state", "events"),
    [
        (RiskState.ACCEPTED, OrderState.ACCEPTED, ["headrace.order.accepted.v1"]),
        (RiskState.REJECTED, OrderState.REJECTED, ["headrace.order.rejected.v1"]),
        (RiskState.REVIEW, OrderState.RISK_REVIEW, []),
    ],
)
def test_assessment_decides(decision: RiskState, state: OrderState, events: list[str]) -> None:
    """A review is nobody's decision yet, so nothing is reported."""
    decided, reported = ordering.decide(_order(), _assessment(decision))

    assert (state, "a1") == (decided.state, decided.risk_assessment_id)
    assert events == [event.type for event in reported]


def test_refused_order_says_why() -> None:
    """The code of the first reason; its sentence stays with the assessment."""
    rejected, _ = ordering.decide(_order(), _assessment(RiskState.REJECTED))
    accepted, _ = ordering.decide(_order(), _assessment(RiskState.ACCEPTED))

    assert ("COUNTRY_NOT_SERVED", None) == (rejected.cancel_reason, accepted.cancel_reason)


def test_assessment_twice_is_refused() -> None:
    """An order that is decided is not decided again."""
    with pytest.raises(ValueError, match="cannot go from"):
        ordering.decide(_order(OrderState.ACCEPTED), _assessment(RiskState.REJECTED))


@pytest.mark.parametrize(
    ("decision", "word"),
    [
        (RiskState.REVIEW, "review_required"),
        (RiskState.ACCEPTED, "completed"),
        (RiskState.REJECTED, "completed"),
    ],
)
def test_assessment_is_reported(decision: RiskState, word: str) -> None:
    """A review is asked for; anything else is over."""
    event = ordering.assessed(_assessment(decision))

    assert f"headrace.risk_assessment.{word}.v1" == event.type


def test_reference_replaces_the_one_of_the_same_thing_in_the_same_system() -> None:
    """Each system's number stands once; other systems' numbers stay."""
    kinds = [("sap", "1"), ("salesforce", "2"), ("sap", "3")]
    order = _order()
    for system, number in kinds:
        reference = ExternalReference(
            entity=EntityKind.SALES_ORDER, entity_id="o1", system=system, external_id=number
        )
        order = ordering.refer(order, (reference,))

    assert {"sap": "3", "salesforce": "2"} == {
        one.system: one.external_id for one in order.external_refs
    }
