"""What cases reach of a mapping: fields, both ways of each branch, entries of code lists.

Seen while the compiled function runs, one instruction after the other: every test in it knows its
rule. What a case did not reach is named by a text that ``waived:`` can repeat:

    field /CityName                 the rule was never reached
    branch /CareOfName null         care_of was always there, or never was (``there``)
    branch /Discount fails          its condition always held, or never did (``holds``)
    branch /Name empty              | nonempty never met an empty text, or nothing else (``filled``)
    code terms net60                the entry was never used; ``default`` for that of a list
"""

import dis
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, Final, TypeVar

import msgspec

from gateway.kit.mapping import ir
from gateway.kit.mapping.generate import Compiled, generate
from gateway.kit.mapping.mapping import Mapping
from gateway.kit.mapping.wires import Form

T = TypeVar("T")
_CALLS: Final = 1 if sys.version_info < (3, 13) else 2
# Tests that lead to these are the compiler's own: what the checker could not prove (a field that is
# too long), and decimals that ``str`` writes with an exponent.
_GUARDS: Final = frozenset({"fail_long", "fail_null", "plain"})
_NAMED: Final = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_NEAR: Final = 4  # instructions between a field that is read and the test of it


class Point(msgspec.Struct, frozen=True, order=True):
    """Something that a case should reach.

    Attributes:
        line: Of the mapping's rule; so is ``file``.
        name: As above.
    """

    file: str
    line: int
    name: str


class _Ways(msgspec.Struct, frozen=True):
    """Where a test goes on, and what each way is called."""

    here: str
    onward: dict[int, Point]


class Watch:
    """A mapping that notes what is reached.

    Attributes:
        mapping: The same as the one given, with eyes.
        wanted: All there is to reach.
        reached: What was.
    """

    def __init__(self, mapping: Mapping) -> None:
        self.reached: set[Point] = set()
        program = mapping.program
        self._tables = {
            name: _Table(table, lambda key, name=name: self._entry(name, key))
            for name, table in program.tables.items()
        }
        self._program = msgspec.structs.replace(program, tables=self._tables)
        compiled = {form: generate(program, form) for form in Form}
        self._codes: dict[CodeType, _Code] = {}
        for form in Form:
            for code in _within(compiled[form].code):
                self._codes[code] = _Code(code, compiled[form], mapping)
        self._entries = dict(_entries(program))
        self.mapping = Mapping(
            self._program,
            compiled=compiled,
            reads=mapping.reads,
            lineage=mapping.lineage(),
            digests=lambda: mapping.identity,
            tenant="",
        )

    @property
    def wanted(self) -> set[Point]:
        """What belongs to a form that never ran is not wanted."""
        found = set(self._entries.values())
        for code in self._codes.values():
            if code.ran:
                found |= code.points
        return found

    def _entry(self, table: str, key: str) -> None:
        known = key if key in self._tables[table] else "default"
        point = self._entries.get((table, known))
        if point is not None:
            self.reached.add(point)

    def see(self, run: Callable[[], T]) -> T:
        """What a function returns; what it makes the mapping do is seen."""
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            # CPython 3.13 tells of a function's instructions only after a call has asked for them.
            for _ in range(_CALLS - 1):
                run()
            return run()
        finally:
            sys.settrace(before)

    def _called(self, frame: FrameType, event: str, _: Any) -> Any:
        code = self._codes.get(frame.f_code)
        if code is None or event != "call":
            return None
        for other in self._codes.values():
            other.ran = other.ran or other.whole is code.whole
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        last = -1

        def step(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal last
            if event == "opcode" and frame.f_lasti in code.rules:
                self.reached.update(code.between(last, frame.f_lasti))
                last = frame.f_lasti
            return step

        return step


class _Table(dict[str, Any]):
    """A code list that tells what is looked up."""

    def __init__(self, entries: dict[str, str | None], tell: Any) -> None:
        super().__init__(entries)
        self._tell = tell

    def __getitem__(self, key: str) -> Any:
        self._tell(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._tell(key)
        return super().get(key, default)


class _Code:
    """The instructions of one function.

    Attributes:
        rules: Offset of an instruction to the point of its rule, if its rule is a field.
        points: All that can be reached here.
        whole: The function that this one is part of.
        ran: Some case ran it.
    """

    def __init__(self, code: CodeType, compiled: Compiled, mapping: Mapping) -> None:
        self.whole = compiled
        self.ran = False
        fields = {(line.target, line.file, line.line) for line in mapping.lineage()}
        steps = [each for each in dis.get_instructions(code) if each.opname != "EXTENDED_ARG"]
        self.rules: dict[int, Point | None] = {}
        self._ways: dict[int, _Ways] = {}
        for index, step in enumerate(steps):
            place = _place(step, compiled)
            known = (place.path, place.file, place.line) in fields
            self.rules[step.offset] = _point(place, f"field {place.path}") if known else None
            if "_IF_" in step.opname and index + 1 < len(steps):
                self._test(steps, index, place)
        ways = {point for each in self._ways.values() for point in each.onward.values()}
        self.points = {point for point in self.rules.values() if point is not None} | ways

    def between(self, last: int, here: int) -> Iterator[Point]:
        """What the step from one instruction to the next reaches."""
        point = self.rules[here]
        if point is not None:
            yield point
        ways = self._ways.get(last)
        if ways is not None and here in ways.onward:
            yield ways.onward[here]

    def _test(self, steps: list[dis.Instruction], index: int, place: ir.Place) -> None:
        step = steps[index]
        if steps[index - 1].opname == "CHECK_EXC_MATCH":  # what a failure is caught by
            return
        starts = [each.offset for each in steps]
        # Behind EXTENDED_ARG stands what it belongs to.
        target = next(start for start in starts if start >= step.argval)
        onward = {target: True, starts[index + 1]: False}
        if any(_guards(steps, starts.index(offset)) for offset in onward):
            return
        what = _tested(steps, index)

        def way(jumped: bool) -> str:  # noqa: FBT001 - the two ways of a test
            if _is_nonempty(steps, index):
                return "filled" if jumped else "empty"
            return _way(step.opname, jumped)

        self._ways[step.offset] = _Ways(
            what,
            {
                offset: _point(place, f"branch {place.path} {what}{way(jumped)}")
                for offset, jumped in onward.items()
            },
        )


def _point(place: ir.Place, name: str) -> Point:
    return Point(place.file, place.line, name)


def _place(step: dis.Instruction, compiled: Compiled) -> ir.Place:
    positions = step.positions
    column = positions.col_offset if positions is not None else None
    return compiled.places[column or 0]


def _guards(steps: list[dis.Instruction], index: int) -> bool:
    near = steps[index : index + 2]
    return any(each.opname == "LOAD_GLOBAL" and each.argval in _GUARDS for each in near)


def _tested(steps: list[dis.Instruction], index: int) -> str:
    """The field of the source that is tested, where it is one."""
    for step in reversed(steps[max(index - _NEAR, 0) : index]):
        if step.opname in _NAMED:
            return f"{step.argval} "
        if step.opname in {"COMPARE_OP", "CONTAINS_OP", "LOAD_CONST"} or "CALL" in step.opname:
            return ""
    return ""


def _is_nonempty(steps: list[dis.Instruction], index: int) -> bool:
    """``text or None``."""
    step, after = steps[index : index + 2]
    return step.opname == "JUMP_IF_TRUE_OR_POP" and after.argval is None


def _way(opname: str, jumped: bool) -> str:  # noqa: FBT001 - the two ways of a test
    if "NONE" in opname:
        return "null" if jumped is not ("NOT_NONE" in opname) else "there"
    return "holds" if jumped is ("TRUE" in opname) else "fails"


def _within(code: CodeType) -> Iterator[CodeType]:
    """A function and those inside it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _within(each)


def _entries(program: ir.Program) -> Iterator[tuple[tuple[str, str], Point]]:
    """The entries of the mapping's own code lists; the tenant's are its own affair."""
    place = program.place
    for name, table in program.tables.items():
        if name.startswith("cfg."):
            continue
        for key in table:
            yield (name, key), Point(place.file, place.line, f"code {name} {key}")
    for lookup in _lookups((program.lets, program.fields)):
        if lookup.default is not None and not lookup.table.startswith("cfg."):
            point = Point(place.file, place.line, f"code {lookup.table} default")
            yield (lookup.table, "default"), point


def _lookups(node: object) -> Iterator[ir.Lookup]:
    if isinstance(node, ir.Lookup):
        yield node
    if isinstance(node, tuple):
        for each in node:
            yield from _lookups(each)
    elif isinstance(node, ir.Expr | ir.Let | ir.Rule | ir.Block | ir.Nested | ir.Total):
        for name in node.__struct_fields__:
            yield from _lookups(getattr(node, name))
