"""The breaker against a naive model, and the stories an operator would tell of it."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.policy.breaking import BREAKER, Breaker, BreakerState
from gateway.policy.retrying import Outcome
from gateway.settings import CallPolicy

POLICY = CallPolicy(
    breaker_window=6,
    breaker_minimum=3,
    breaker_failure_share=0.5,
    breaker_slow_share=0.75,
    breaker_slow_s=2.0,
    breaker_open_s=5.0,
    breaker_trials=2,
)
BAD = {Outcome.SERVER_ERROR, Outcome.NOT_SENT, Outcome.UNKNOWN}


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """What time it is."""
        return self.now


def _broken() -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(POLICY, clock)
    for _ in range(3):
        _call(breaker, Outcome.UNKNOWN)
    assert breaker.state is BreakerState.OPEN
    return breaker, clock


def _call(breaker: Breaker, outcome: Outcome, duration_s: float = 0.1) -> None:
    ticket = breaker.permit()
    assert ticket is not None
    breaker.record(ticket, outcome, duration_s)


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - BAD))
def test_what_the_system_refuses_is_no_failure(outcome: Outcome) -> None:
    """A system that says no is well."""
    breaker = Breaker(POLICY, Clock())

    for _ in range(20):
        _call(breaker, outcome)

    assert breaker.state is BreakerState.CLOSED


@pytest.mark.parametrize("outcome", sorted(BAD))
def test_failures_open_it(outcome: Outcome) -> None:
    """Half of the last calls, and not before the minimum."""
    breaker = Breaker(POLICY, Clock())

    states = []
    for each in (Outcome.OK, outcome, outcome):
        _call(breaker, each)
        states.append(breaker.state)

    assert states == [BreakerState.CLOSED, BreakerState.CLOSED, BreakerState.OPEN]


def test_slow_calls_open_it() -> None:
    """A system that crawls holds up everybody, though it answers."""
    breaker = Breaker(POLICY, Clock())

    for duration_s in (2.0, 1.99, 2.0, 3.0):
        assert breaker.state is BreakerState.CLOSED
        _call(breaker, Outcome.OK, duration_s)

    assert breaker.state is BreakerState.OPEN


def test_a_share_of_nothing_needs_one_bad_call_at_least() -> None:
    """Good calls never open it, however it is set."""
    breaker = Breaker(
        CallPolicy(breaker_failure_share=0, breaker_slow_share=0, breaker_minimum=1), Clock()
    )

    _call(breaker, Outcome.OK)
    assert breaker.state is BreakerState.CLOSED

    _call(breaker, Outcome.UNKNOWN)
    assert breaker.state is BreakerState.OPEN


def test_old_calls_leave_the_window() -> None:
    """Failures of long ago do not count."""
    breaker = Breaker(POLICY, Clock())
    for outcome in (Outcome.OK, Outcome.OK, Outcome.OK, Outcome.UNKNOWN, Outcome.UNKNOWN):
        _call(breaker, outcome)

    for _ in range(4):
        _call(breaker, Outcome.OK)
    _call(breaker, Outcome.UNKNOWN)

    assert breaker.state is BreakerState.CLOSED
    assert (breaker.view().calls, breaker.view().failures) == (6, 2)


def test_half_open_lets_one_call_through_at_a_time() -> None:
    """A system that is just getting up is not run over."""
    breaker, clock = _broken()

    assert (breaker.permit(), breaker.retry_in_s()) == (None, 5.0)
    clock.now += 5.0
    trial = breaker.permit()
    assert trial is not None
    assert breaker.permit() is None
    breaker.withdraw(trial)  # it was never made
    assert breaker.permit() is not None


def test_late_news_from_before_does_not_count() -> None:
    """A call that began before the failure can neither close nor open it afterwards."""
    clock = Clock()
    breaker = Breaker(POLICY, clock)
    early = [breaker.permit() for _ in range(9)]
    for ticket in early[:3]:
        assert ticket is not None
        breaker.record(ticket, Outcome.UNKNOWN, 0.1)
    clock.now += 5.0
    assert breaker.permit() is not None  # the trial is out

    for ticket in early[3:]:
        assert ticket is not None
        breaker.record(ticket, Outcome.OK, 0.1)
        breaker.withdraw(ticket)

    assert breaker.state is BreakerState.HALF_OPEN
    assert breaker.permit() is None


def test_a_force_holds_until_it_is_lifted() -> None:
    """Nothing that happens meanwhile counts."""
    breaker, clock = _broken()

    breaker.force(BreakerState.CLOSED)
    for _ in range(9):
        _call(breaker, Outcome.UNKNOWN)
    assert (breaker.state, breaker.view().forced) == (BreakerState.CLOSED, True)
    breaker.force(BreakerState.OPEN)
    clock.now += 1_000
    assert breaker.permit() is None
    breaker.force(None)

    assert (breaker.state, breaker.view().forced) == (BreakerState.CLOSED, False)
    assert breaker.permit() is not None


def test_lifting_no_force_changes_nothing() -> None:
    """It does not close a breaker that opened by itself."""
    breaker, _ = _broken()

    breaker.force(None)

    assert breaker.state is BreakerState.OPEN
    with pytest.raises(ValueError, match="open or closed"):
        breaker.force(BreakerState.HALF_OPEN)


class BreakerAgainstModel(RuleBasedStateMachine):
    """The model keeps every call of the present era in a list and counts anew each time."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(POLICY, self.clock)
        self.state = BreakerState.CLOSED
        self.calls: list[tuple[bool, bool]] = []
        self.good_trials = 0
        self.opened_at = 0.0
        self.era = 0
        self.tickets: list[tuple[int, int]] = []  # theirs, our era

    def _goto(self, state: BreakerState) -> None:
        assert BREAKER.allows(self.state, state)
        self.state = state
        self.calls = []
        self.good_trials = 0
        self.era += 1
        self.opened_at = self.clock.now

    @rule(seconds=st.sampled_from([0.5, 2.5, 5.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.clock.now += seconds

    @rule()
    def permit(self) -> None:
        """Closed: always. Open: after the pause. Half-open: one at a time."""
        if self.state is BreakerState.OPEN and self.clock.now >= self.opened_at + 5.0:
            self._goto(BreakerState.HALF_OPEN)
        out = [ticket for ticket, era in self.tickets if era == self.era]
        expected = self.state is BreakerState.CLOSED or (
            self.state is BreakerState.HALF_OPEN and not out
        )
        assert self.breaker.is_closed_to_calls() is not expected
        ticket = self.breaker.permit()
        assert (ticket is not None) == expected
        if ticket is not None:
            self.tickets.append((ticket, self.era))

    @precondition(lambda self: self.tickets)
    @rule(
        data=st.data(),
        outcome=st.sampled_from(sorted(Outcome)),
        duration_s=st.sampled_from([0.1, 2.0]),
    )
    def record(self, data: st.DataObject, outcome: Outcome, duration_s: float) -> None:
        """Any call under way ends, also one of an earlier era."""
        held = data.draw(st.sampled_from(self.tickets))
        self.tickets.remove(held)
        self.breaker.record(held[0], outcome, duration_s)
        if held[1] == self.era and outcome is not Outcome.MISCONFIGURED:
            self._judge(outcome in BAD, duration_s >= 2.0)

    def _judge(self, failed: bool, slow: bool) -> None:  # noqa: FBT001 - both, as in a table
        if self.state is BreakerState.HALF_OPEN:
            if failed or slow:
                self._goto(BreakerState.OPEN)
                return
            self.good_trials += 1
            if self.good_trials == 2:
                self._goto(BreakerState.CLOSED)
            return
        self.calls = [*self.calls, (failed, slow)][-6:]
        bad = sum(f for f, _ in self.calls) / len(self.calls)
        crawling = sum(s for _, s in self.calls) / len(self.calls)
        if len(self.calls) >= 3 and (bad >= 0.5 or crawling >= 0.75):
            self._goto(BreakerState.OPEN)

    @precondition(lambda self: self.tickets)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """A call that was not made tells nothing."""
        held = data.draw(st.sampled_from(self.tickets))
        self.tickets.remove(held)
        self.breaker.withdraw(held[0])

    @invariant()
    def states_agree(self) -> None:
        """State and counts are those of the model at all times."""
        view = self.breaker.view()
        assert view.state is self.state
        assert view.calls == len(self.calls)
        assert view.failures == sum(failed for failed, _ in self.calls)
        assert view.slow == sum(slow for _, slow in self.calls)


TestBreaker = BreakerAgainstModel.TestCase
