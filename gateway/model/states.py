"""State machines as tables: one place that says which change of state is allowed."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)


class Machine(Generic[S]):
    """The allowed changes of one kind of thing.

    Attributes:
        name: What the machine is about, as the documentation calls it.
        initial: Where every life begins.
        transitions: For each state the states that may follow it.
    """

    def __init__(self, name: str, initial: S, transitions: Mapping[S, frozenset[S]]) -> None:
        self.name = name
        self.initial = initial
        self.transitions = dict(transitions)

    def allows(self, current: S, wanted: S) -> bool:
        """Whether the change is in the table; staying is not a change."""
        return wanted in self.transitions.get(current, frozenset())

    def reaches(self, current: S, wanted: S) -> bool:
        """Whether the table leads there in one change or several; some word may be late."""
        seen: set[S] = set()
        waiting = [current]
        while waiting:
            following = self.transitions.get(waiting.pop(), frozenset()) - seen
            if wanted in following:
                return True
            seen |= following
            waiting.extend(following)
        return False

    def is_terminal(self, state: S) -> bool:
        """Whether nothing can follow the state."""
        return not self.transitions.get(state)

    def mermaid(self) -> str:
        """The table as a Mermaid state diagram, for the documentation."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial.value}"]
        for state, following in self.transitions.items():
            lines += [f"    {state.value} --> {wanted.value}" for wanted in sorted(following)]
            if not following:
                lines.append(f"    {state.value} --> [*]")
        return "\n".join(lines) + "\n"
