"""The way back: a proposal for the mapping that reads what a mapping wrote.

Covered are fields that hold one field of the source, moved, renamed or turned by converters that
have an inverse. ``reversible: true`` promises ``back(forth(x)) == x`` for all fields that are
mapped; E24 names those that break the promise.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from gateway.kit.mapping import ir
from gateway.kit.mapping.converters import CONVERTERS
from gateway.kit.mapping.facets import counts_seconds
from gateway.kit.mapping.findings import Finding, Severity
from gateway.kit.mapping.hoisting import children
from gateway.kit.mapping.scope import SOURCE
from gateway.kit.mapping.types import Kind, Type

_ROUNDS: Final = 5
# What is only read back was written by us: other codes than ours are parked.
_ALLOWED: Final = frozenset({"E08", "E13", "E20", "E30"})
_FIT: Final = 1_000  # the largest argument of a converter

Check = Callable[[str], tuple[Finding, ...]]


class _Kept(Exception):  # noqa: N818 - a reason, shown with E24
    """A rule cannot be turned round."""


class Line(msgspec.Struct):
    """One rule of the way back.

    Attributes:
        path: Of the field that is given back, ``[]`` behind lists.
        lists: For each list on the way what it runs over, ``each: LIST as NAME``.
        value: The expression.
        type: Of the field that is given back.
    """

    path: str
    lists: tuple[str, ...]
    value: str
    type: Type
    allow: set[str] = msgspec.field(default_factory=set)

    @property
    def place(self) -> str:
        """As findings name it."""
        return "/" + self.path.replace(".", "/")


class Reversal:
    """A program read backwards.

    Attributes:
        lines: What can be given back.
        problems: The places of the others, with the reason.
        codes: Code lists, turned round.
        whens: Conditions of objects.
        crowded: Places of lists that take fewer items than were written; what is read back was
            written by us.
    """

    def __init__(self, program: ir.Program) -> None:
        self.lines: list[Line] = []
        self.problems: list[tuple[ir.Place, str]] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.whens: dict[str, str] = {}
        self.crowded: set[str] = set()
        self._program = program
        self._lets = {let.name: let.value for let in program.lets}
        self._count = 0
        self._fields(program.fields, "", {SOURCE: ""}, ())

    def _fields(
        self,
        fields: tuple[ir.Field, ...],
        owner: str,
        roots: dict[str, str],
        lists: tuple[str, ...],
    ) -> None:
        for field in fields:
            path = f"{owner}.{field.target}".lstrip(".")
            try:
                if isinstance(field, ir.Rule):
                    self._rule(field, path, roots, lists)
                else:
                    self._nested(field, path, roots, lists)
            except _Kept as reason:
                self.problems.append((field.place, str(reason)))

    def _rule(
        self, rule: ir.Rule, path: str, roots: dict[str, str], lists: tuple[str, ...]
    ) -> None:
        if not self._reads_source(rule.value):
            return
        if rule.condition is not None:
            raise _Kept("it has a condition")
        steps: list[str] = []
        get = self._unwound(rule.value, steps)
        if get.type.kind is not rule.type.kind and not steps:
            raise _Kept(f"{get.type.kind} is written as {rule.type.kind}")
        value = " | ".join([path, *reversed(steps)])
        self.lines.append(Line(self._place_of(get, roots), lists, value, get.type))

    def _reads_source(self, value: ir.Expr) -> bool:
        if isinstance(value, ir.Name):
            let = self._lets.get(value.name)
            return let is None or self._reads_source(let)
        return isinstance(value, ir.Get | ir.Slot) or any(map(self._reads_source, children(value)))

    def _unwound(self, value: ir.Expr, steps: list[str]) -> ir.Get:
        """The field underneath, with the inverse of each step on the way."""
        if isinstance(value, ir.Name) and value.name in self._lets:
            return self._unwound(self._lets[value.name], steps)
        if isinstance(value, ir.Get):
            return value
        if isinstance(value, ir.Lookup):
            steps.append(f"code({self._turned(value)})")
            return self._unwound(value.operand, steps)
        if isinstance(value, ir.Convert):
            steps.append(self._inverse(value))
            return self._unwound(value.operand, steps)
        raise _Kept(f"it is computed ({type(value).__name__.lower()})")

    def _inverse(self, value: ir.Convert) -> str:
        name = value.converter
        inverse = CONVERTERS[name].inverse if name in CONVERTERS else ""
        if not inverse or name == "zfill":
            raise _Kept(f"{name} loses what it was")
        if name == "unix" and not counts_seconds(value.operand):
            raise _Kept("unix loses the fraction of a second")
        if inverse in {"major", "minor"}:
            raise _Kept("the currency would have to be known first")
        if name == "fit":
            return f"fit({value.type.max_length})"
        return inverse

    def _turned(self, value: ir.Lookup) -> str:
        entries = self._program.tables[value.table]
        results = list(entries.values())
        if value.default is not None or value.first is not None or None in results:
            raise _Kept(f"the code list {value.table} has a default or entries without a value")
        if len(set(results)) < len(results):
            raise _Kept(f"the code list {value.table} is not one-to-one")
        name = f"{value.table.replace('.', '_')}_back"
        self.codes[name] = {str(result): key for key, result in entries.items()}
        return name

    def _place_of(self, get: ir.Expr, roots: dict[str, str]) -> str:
        """The path in the source, from its top."""
        if isinstance(get, ir.Get):
            return f"{self._place_of(get.operand, roots)}.{get.field}".lstrip(".")
        if isinstance(get, ir.Name):
            if get.name in self._lets:
                return self._place_of(self._lets[get.name], roots)
            if get.name in roots:
                return roots[get.name]
        raise _Kept("it is no field of the source")

    def _nested(
        self, field: ir.Nested, path: str, roots: dict[str, str], lists: tuple[str, ...]
    ) -> None:
        for block in field.blocks:
            if block.bare:
                if any(map(self._of_source, block.fields)):
                    raise _Kept("a list of single values does not say what they belonged to")
            elif field.single:
                self._condition(block, path, roots)
                self._fields(block.fields, path, roots, lists)
            elif block.items is None:
                if any(map(self._of_source, block.fields)):
                    raise _Kept("an item that is not made of an element")
            elif block.keys or block.condition is not None or len(field.blocks) > 1:
                raise _Kept("items do not lead back to one element each")
            else:
                self._count += 1
                name = f"item{self._count}"
                inner = f"{self._place_of(block.items, roots)}[]"
                over = (*lists, f"{path} as {name}")
                self._fields(block.fields, name, {**roots, block.variable: inner}, over)

    def _condition(self, block: ir.Block, path: str, roots: dict[str, str]) -> None:
        if block.condition is None:
            return
        if not isinstance(block.condition, ir.Has):
            raise _Kept("it has a condition")
        self.whens[self._place_of(block.condition.operand, roots)] = f"has({path})"

    def _of_source(self, field: ir.Field) -> bool:
        if isinstance(field, ir.Rule):
            return self._reads_source(field.value)
        return any(any(map(self._of_source, block.fields)) for block in field.blocks)

    def tree(self, head: dict[str, Any]) -> dict[str, Any]:
        """The mapping as a tree of JSON."""
        fields: dict[str, Any] = {}
        for line in self.lines:
            self._put(fields, line)
        codes = {"codes": self.codes} if self.codes else {}
        return {**head, **codes, "fields": fields}

    def _put(self, fields: dict[str, Any], line: Line) -> None:
        *owners, name = line.path.split(".")
        lists, here = iter(line.lists), ""
        for owner in owners:
            here = f"{here}.{owner}".lstrip(".")
            new: dict[str, Any] = {"fields": {}}
            if owner.endswith("[]"):
                crowded = f"/{here.replace('.', '/')}" in self.crowded
                new = {"each": next(lists), **({"allow": ["E06"]} if crowded else {}), **new}
            elif here in self.whens:
                new = {"when": self.whens[here], **new}
            fields = fields.setdefault(owner.removesuffix("[]"), new)["fields"]
        rule: Any = line.value
        if line.allow:
            rule = {"value": line.value, "allow": sorted(line.allow)}
        fields[name] = rule


def propose(program: ir.Program, head: dict[str, Any], check: Check) -> str:
    """The text of the mapping back, as far as it can be written without an engineer.

    Rules that stay wrong are left out.

    Args:
        head: Its sections ``mapping version from to config``.
        check: The findings of a text; what they ask for is added where it loses nothing.
    """
    reversal = Reversal(program)
    for _ in range(_ROUNDS):
        findings = check(_text(reversal, head))
        if not _improve(reversal, findings):
            break
    wrong = {each.place for each in findings if each.severity is Severity.ERROR}
    reversal.lines = [line for line in reversal.lines if line.place not in wrong]
    return _text(reversal, head)


def _text(reversal: Reversal, head: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(reversal.tree(head)), indent=1).decode()


def _improve(reversal: Reversal, findings: tuple[Finding, ...]) -> bool:
    """Add what the findings ask for; False if nothing could be."""
    crowded = {each.place for each in findings if each.code == "E06" and each.place.endswith("[]")}
    changed = not crowded <= reversal.crowded
    reversal.crowded |= crowded
    for line in reversal.lines:
        for finding in findings:
            if finding.place == line.place:
                changed |= _mend(reversal, line, finding.code)
    return changed


def _mend(reversal: Reversal, line: Line, code: str) -> bool:
    before = line.value, len(line.allow)
    if code == "E05" and not line.value.endswith("| required"):
        line.value += " | required"
    elif code == "E06" and line.type.kind is Kind.TEXT and "| fit" not in line.value:
        if (line.type.max_length or _FIT + 1) <= _FIT:
            line.value += f" | fit({line.type.max_length})"
    elif code == "E09" and line.type.values:
        name = "same_" + line.path.replace(".", "_").replace("[]", "")
        reversal.codes[name] = {value: value for value in line.type.values}
        line.value += f" | code({name})"
    elif code in _ALLOWED or (code == "E06" and line.type.kind is not Kind.TEXT):
        line.allow.add(code)
    return before != (line.value, len(line.allow))


def problems(program: ir.Program) -> Iterator[tuple[ir.Place, str]]:
    """The rules that cannot be turned round, with the reason."""
    yield from Reversal(program).problems
