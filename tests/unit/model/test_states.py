"""State machines: tables without gaps, and the diagram drawn from them."""

from enum import StrEnum

import pytest

from gateway.model.dispute import DISPUTE_STATES, DisputeState
from gateway.model.order import ORDER_STATES, OrderState
from gateway.model.payment import PAYMENT_STATES, PaymentState
from gateway.model.payment_method import PAYMENT_METHOD_STATES, PaymentMethodState
from gateway.model.states import Machine

MACHINES = [
    pytest.param(ORDER_STATES, OrderState, id="order"),
    pytest.param(PAYMENT_STATES, PaymentState, id="payment"),
    pytest.param(DISPUTE_STATES, DisputeState, id="dispute"),
    pytest.param(PAYMENT_METHOD_STATES, PaymentMethodState, id="payment_method"),
]


class Light(StrEnum):
    """A machine small enough to read."""

    RED = "RED"
    GREEN = "GREEN"
    BROKEN = "BROKEN"


LIGHTS = Machine(
    "light",
    Light.RED,
    {
        Light.RED: frozenset({Light.GREEN, Light.BROKEN}),
        Light.GREEN: frozenset({Light.RED, Light.BROKEN}),
        Light.BROKEN: frozenset(),
    },
)


@pytest.mark.parametrize(("machine", "states"), MACHINES)
def test_every_state_has_a_row(machine: Machine[StrEnum], states: type[StrEnum]) -> None:
    """A state without a row would be a dead end by accident."""
    assert set(states) == set(machine.transitions)


@pytest.mark.parametrize(("machine", "states"), MACHINES)
def test_every_state_can_be_reached(machine: Machine[StrEnum], states: type[StrEnum]) -> None:
    """A state that nothing leads to has no business in the table."""
    reached, front = {machine.initial}, {machine.initial}
    while front:
        front = {after for state in front for after in machine.transitions[state]} - reached
        reached |= front

    assert set(states) == reached


def test_every_life_of_an_order_can_end() -> None:
    """From each state some way leads to a state that nothing follows."""
    ended = {state for state in OrderState if ORDER_STATES.is_terminal(state)}
    while True:
        more = {state for state in OrderState if ORDER_STATES.transitions[state] & ended} - ended
        if not more:
            break
        ended |= more

    assert set(OrderState) == ended


@pytest.mark.parametrize(("machine", "states"), MACHINES)
def test_staying_is_not_a_change(machine: Machine[StrEnum], states: type[StrEnum]) -> None:
    """No state follows itself, so a repeated webhook never counts as news."""
    assert [] == [state for state in states if machine.allows(state, state)]


def test_final_states_of_an_order() -> None:
    """An order ends rejected, completed or cancelled, and in no other way."""
    final = {state for state in OrderState if ORDER_STATES.is_terminal(state)}

    assert {OrderState.REJECTED, OrderState.COMPLETED, OrderState.CANCELLED} == final


def test_no_state_of_a_payment_is_final() -> None:
    """Collected money can come back, and refused or ended money can still come."""
    assert [] == [state for state in PaymentState if PAYMENT_STATES.is_terminal(state)]


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        (PaymentState.CAPTURED, PaymentState.CANCELLED),
        (PaymentState.CAPTURED, PaymentState.AUTHORISED),
        (PaymentState.SETTLED, PaymentState.PENDING),
        (PaymentState.FAILED, PaymentState.AUTHORISED),
        (PaymentState.CANCELLED, PaymentState.AUTHORISED),
        (PaymentState.RETURNED, PaymentState.PENDING),
    ],
)
def test_late_events_do_not_take_money_back(current: PaymentState, wanted: PaymentState) -> None:
    """A webhook that comes out of order cannot undo what is known."""
    assert not PAYMENT_STATES.allows(current, wanted)


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        (OrderState.REJECTED, OrderState.ACCEPTED),
        (OrderState.COMPLETED, OrderState.CANCELLED),
        (OrderState.ACCEPTED, OrderState.COMPLETED),
        (OrderState.SUBMITTED, OrderState.IN_FULFILMENT),
        (OrderState.IN_FULFILMENT, OrderState.REJECTED),
    ],
)
def test_orders_skip_nothing(current: OrderState, wanted: OrderState) -> None:
    """No order is fulfilled without being accepted, and none changes after its end."""
    assert not ORDER_STATES.allows(current, wanted)


def test_allowed_changes() -> None:
    """What stands in the table is allowed, in its direction."""
    assert LIGHTS.allows(Light.GREEN, Light.BROKEN)
    assert not LIGHTS.allows(Light.BROKEN, Light.GREEN)
    assert LIGHTS.is_terminal(Light.BROKEN)
    assert not LIGHTS.is_terminal(Light.RED)


def test_diagram() -> None:
    """The diagram has beginning, every change in a stable order, and the end."""
    assert (
        "stateDiagram-v2\n"
        "    [*] --> RED\n"
        "    RED --> BROKEN\n"
        "    RED --> GREEN\n"
        "    GREEN --> BROKEN\n"
        "    GREEN --> RED\n"
        "    BROKEN --> [*]\n"
    ) == LIGHTS.mermaid()


@pytest.mark.parametrize(("machine", "states"), MACHINES)
def test_diagrams_show_every_change(machine: Machine[StrEnum], states: type[StrEnum]) -> None:
    """One line for the beginning, one per change, one per end; nothing is drawn by hand."""
    changes = sum(len(following) for following in machine.transitions.values())
    ends = sum(machine.is_terminal(state) for state in states)

    assert 2 + changes + ends == len(machine.mermaid().splitlines())
