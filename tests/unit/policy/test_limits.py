"""The bulkhead against a list, in any order of coming and going."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.policy.limits import Bulkhead


class BulkheadAgainstLists(RuleBasedStateMachine):
    """Two lists, inside and queue, are all there is to it."""

    def __init__(self) -> None:
        super().__init__()
        self.bulkhead: Bulkhead[int] = Bulkhead(3)
        self.inside: list[int] = []
        self.queue: list[int] = []
        self.next = 0

    @rule()
    def come(self) -> None:
        """Take a place, or queue."""
        self.next += 1
        entered = self.bulkhead.enter()
        assert entered == (len(self.inside) < 3)
        if entered:
            self.inside.append(self.next)
        else:
            self.bulkhead.queue(self.next)
            self.queue.append(self.next)

    @precondition(lambda self: self.inside)
    @rule(data=st.data())
    def go(self, data: st.DataObject) -> None:
        """The first in the queue has the place at once."""
        self.inside.remove(data.draw(st.sampled_from(self.inside)))
        expected = self.queue.pop(0) if self.queue else None
        assert self.bulkhead.leave() == expected
        if expected is not None:
            self.inside.append(expected)

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def lose_patience(self, data: st.DataObject) -> None:
        """Anybody in the queue may go; the order of the others stays."""
        who = data.draw(st.sampled_from(self.queue))
        self.queue.remove(who)
        assert self.bulkhead.give_up(who)

    @precondition(lambda self: self.inside)
    @rule(data=st.data())
    def be_too_late_to_give_up(self, data: st.DataObject) -> None:
        """Who is inside has to leave, not to give up."""
        assert not self.bulkhead.give_up(data.draw(st.sampled_from(self.inside)))

    @invariant()
    def counts_agree(self) -> None:
        """Never more inside than places, and nobody waits beside a free one."""
        assert (self.bulkhead.inside, self.bulkhead.waiting) == (len(self.inside), len(self.queue))
        assert len(self.inside) == 3 or not self.queue


TestBulkhead = BulkheadAgainstLists.TestCase
