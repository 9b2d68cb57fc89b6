"""The checker: a document against both schemas, to findings and a program for the compiler."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from gateway.kit.mapping import (
    arithmetic,
    choices,
    currencies,
    expressions,
    facets,
    head,
    ir,
    leftovers,
)
from gateway.kit.mapping.codes import Table, Tables, table_of
from gateway.kit.mapping.document import Node, entries_of, rule_text, section_of, text_of
from gateway.kit.mapping.findings import Enough, Findings, Found, Hidden, did_you_mean
from gateway.kit.mapping.folds import refuse_after
from gateway.kit.mapping.inference import Inference
from gateway.kit.mapping.scope import Binding, Group, Scope, proves
from gateway.kit.mapping.settings import declared, settled
from gateway.kit.mapping.types import Field, Kind, Shape, Type

NESTING: Final = 4
CHARACTERS: Final = 40_000  # of all expressions; so is NODES
NODES: Final = 4_000
COST: Final = 20_000_000  # steps of one call, lists without a limit counted as 1,000

_RULE: Final = ("value", "const", "when", "clear", "allow")
_ITEM: Final = ("id", "each", "when", "omit", "value", "const", "allow")
_BLOCK: Final = ("id", "each", "group", "after", "when", "omit", "fields", "allow")
_EACH: Final = re.compile(r"(.+) as ([A-Za-z][A-Za-z0-9_]*)")
_GROUP: Final = re.compile(r"(.+) by ([A-Za-z][\w., ]*) as ([A-Za-z][A-Za-z0-9_]*)", re.ASCII)

_Write = Callable[[], Iterable[ir.Field]]  # reads the fields of a block


class Checker:
    """One check of one mapping for one tenant."""

    def __init__(
        self,
        root: Node,
        *,
        source: Type,
        target: Type,
        needs: Mapping[str, Type],
        config: Mapping[str, Any] | None,
        lists: Mapping[str, Mapping[str, str | None]],
        findings: Findings,
    ) -> None:
        self.findings = findings
        self._lists = lists
        self.lineage: list[tuple[ir.Place, str, frozenset[str]]] = []
        self.root = root
        self._target = target
        self._place = ir.Place("", root.file, root.line)
        self._amounts: dict[str, ir.Place] = {}
        self._characters = self._nodes = 0
        self._missing = 0  # rules, blocks and lets that were read and did not come to anything
        self.scope = Scope(source)
        self.tables = Tables()
        for name, line, message in head.problems(root):
            self._note_at("E16", name, line, message)
        kinds = declared(section_of(self.root, "config"), self._note_at)
        self.settings, self.config = settled(kinds, config, self._note_at)
        self._read_tables()
        self.inference = Inference(
            self.scope, self.tables, needs=needs, settings=self.settings, note=self._note
        )

    # Findings

    def _note(self, code: str, message: str) -> None:
        place = self._place
        self.findings.add(code, place.path, place.line, message, place.file)

    def _note_at(self, code: str, path: str, line: int, message: str) -> None:
        self.findings.add(code, path, line, message, self.root.file)

    @contextmanager
    def _at(self, path: str, node: Node, line: int | None = None) -> Iterator[ir.Place]:
        before, touched = self._place, self.scope.touched
        self._place = ir.Place(path, node.file, node.line if line is None else line)
        self.tables.place = path
        self.scope.touched = set()
        try:
            yield self._place
        except Found as error:
            self._note(error.code, error.message)
        except Hidden:
            pass
        finally:
            self._place = before
            self.tables.place = before.path
            self.scope.touched = touched

    # Sections

    def check(self) -> ir.Program | None:
        """The program; None where an error was found."""
        lets = tuple(self._lets())
        fields = self._fields(section_of(self.root, "fields"), self._target.shape, "", depth=0)
        leftovers.note(
            self.root,
            self.scope,
            self.tables,
            self.findings,
            settings=self.settings,
            used=self.inference.settings_used,
            amounts=self._amounts,
        )
        self._check_cost()
        if self._missing and not self.findings.broken:
            # A net: what has no finding of its own would be a field that silently goes missing.
            message = f"{self._missing} rules came to nothing, and no check says why"
            self._note_at("E16", "fields", self.root.line, message)
        if self.findings.broken:
            return None
        return ir.Program(
            name=text_of(self.root, "mapping"),
            version=text_of(self.root, "version"),
            source=self.scope.source,
            target=self._target,
            lets=lets,
            fields=tuple(fields),
            tables=self.tables.entries(),
            settings=self.config,
            place=ir.Place("", self.root.file, self.root.line),
        )

    def _read_tables(self) -> None:
        section = section_of(self.root, "codes")
        for name, node in entries_of(section).items():
            with self._at(f"codes/{name}", node, section.keys[name]):
                self.tables.add(table_of(name, node, self._lists))
        for name, kind in self.settings.items():
            if kind.kind is Kind.MAP:
                entries = self.config.get(name)
                known = dict(entries) if isinstance(entries, dict) else None
                self.tables.add(Table(f"cfg.{name}", known))

    def _lets(self) -> Iterator[ir.Let]:
        section = section_of(self.root, "let")
        for name, node in entries_of(section).items():
            binding = Binding(None)
            self._missing += 1
            with self._at(f"let/{name}", node, section.keys[name]) as place:
                self.scope.refuse_name(name)
                try:
                    value = self.inference.value(self._tree(node))
                finally:
                    self.scope.bind(name, binding)  # behind it: it cannot read itself
                self._watch_money(value)
                if isinstance(value, ir.Const) and value.value is None:
                    raise Found("E16", "None is not a value to name")
                binding.expr = value
                binding.path = self.inference.origin(value)
                binding.sources = frozenset(self.scope.touched)
                self._missing -= 1
                yield ir.Let(name, value, place)

    def _tree(self, node: Node) -> Any:
        if isinstance(node.value, str):
            return self._parsed(node.value)
        if isinstance(node.value, bool | int):
            return self._parsed(str(node.value))
        raise Found("E16", "an expression is missing here")

    def _parsed(self, text: str) -> Any:
        """The tree of an expression, as long as there are not too many."""
        self._characters += len(text)
        if self._characters <= CHARACTERS:
            tree, nodes = expressions.parse(text)
            self._nodes += nodes
            if self._nodes <= NODES:
                return tree
        self._note("E23", "the expressions of this mapping are too many: split it in two")
        raise Enough

    # Fields

    def _fields(
        self, section: Node, shape: Shape | None, path: str, *, depth: int
    ) -> Iterator[ir.Field] | list[ir.Field]:
        if shape is None:
            return []
        made: list[ir.Field] = []
        hinted: set[str] = set()
        for name, node in entries_of(section).items():
            line = section.keys[name]
            with self._at(f"{path}/{name}", node, line):
                field = self._target_field(shape, name, hinted)
                rule = self._field(name, field, node, f"{path}/{name}", line, depth)
                if rule is not None:
                    refuse_after(rule, made)
                    made.append(rule)
        self._missing += len(entries_of(section)) - len(made)
        self._check_required(section, shape, path, hinted)
        for place, message in currencies.strange(made, shape, self.inference.currency_key):
            self.findings.add("E31", place.path, place.line, message, place.file)
        for place, message in choices.excluded(made, shape):
            self.findings.add("E12", place.path, place.line, message, place.file)
        return made

    def _target_field(self, shape: Shape, name: str, hinted: set[str]) -> Field:
        field = shape.fields.get(name)
        if field is None:
            guess = did_you_mean(name, shape.fields)
            hinted.add(guess.removeprefix("; did you mean ").removesuffix("?"))
            raise Found("E01", f"{shape.name} has no field {name}{guess}")
        if not field.writable:
            self._note(
                "E13", f"{name} is read-only in {shape.name}: the system refuses or ignores it"
            )
        return field

    def _check_required(self, section: Node, shape: Shape, path: str, hinted: set[str]) -> None:
        present = entries_of(section)
        for name, field in shape.fields.items():
            if field.required and name not in present and name not in hinted:
                message = f"{shape.name} needs {name}: map it"
                self.findings.add("E03", f"{path}/{name}", section.line, message, section.file)
            unit = shape.fields.get(field.unit)
            # A quantity has a unit by default, the one of its product; an amount has none.
            if unit is None or unit.required or "currency" not in unit.name.lower():
                continue
            if name in present and unit.writable and unit.name not in present:
                message = f"{name} is an amount without its currency: map {unit.name}"
                line = section.keys.get(name, section.line)
                self.findings.add("E31", f"{path}/{name}", line, message, section.file)

    def _field(
        self, name: str, field: Field, node: Node, path: str, line: int, depth: int
    ) -> ir.Field | None:
        content = node.value
        nested = ("fields", "each", "group")
        if isinstance(content, list) or (
            isinstance(content, dict) and not content.keys().isdisjoint(nested)
        ):
            return self._nested(name, field, node, path, line, depth)
        made = self._rule(name, field, node)
        if made is not None:  # what has no rule cannot be accepted: the field would be missing
            self._accept(node)
        return made

    def _accept(self, node: Node) -> None:
        """Take what ``allow:`` accepts out of the findings of this place."""
        allowed = entries_of(node).get("allow") if isinstance(node.value, dict) else None
        if allowed is None:
            return
        codes = allowed.value if isinstance(allowed.value, list) else [allowed]
        names = [code.value for code in codes if isinstance(code.value, str)]
        if len(names) < len(codes):
            self._note("E16", "allow: is a list of codes such as [E06]")
        self.findings.accept(names, self._place.path, allowed.line, allowed.file)

    def _rule(self, name: str, field: Field, node: Node) -> ir.Rule | None:
        try:
            condition, value = self._parts(node)
        except Found as error:
            self._note(error.code, error.message)
            return None
        except Hidden:
            return None
        if isinstance(value, ir.Const) and value.value is None:
            self._note("E16", "None is not a value: remove the field, or null in an overlay")
            return None
        for code, message in facets.misfits(value, field.type):
            self._note(code, message)
        if field.required and value.type.nullable and not field.type.nullable:
            self._note(
                "E05", f"{name} is required and this may be null: add | required or | default(…)"
            )
        if wrong := currencies.wrong_unit(value, field.type.kind):
            self._note("E31", wrong)
        if field.required and condition is not None:
            self._note("E05", f"{name} is required, so it cannot depend on when:")
        mark = entries_of(node).get("clear")
        for code, message in facets.unclearable(mark.value, value, field.type) if mark else ():
            self._note(code, message)
        self._watch_money(value)
        self.scope.steps += self.scope.cost
        self.lineage.append((self._place, rule_text(node), frozenset(self.scope.touched)))
        return ir.Rule(
            target=name,
            type=field.type,
            value=value,
            condition=condition,
            place=self._place,
            clears=mark is not None,
        )

    def _parts(self, node: Node) -> tuple[ir.Expr | None, ir.Expr]:
        """Condition and value of a rule."""
        if not isinstance(node.value, dict):
            return None, self.inference.value(self._tree(node))
        self._refuse_keys(node, _RULE)
        parts = node.value
        condition = None
        if "when" in parts:
            condition = self.inference.condition(self._tree(parts["when"]))
        if ("const" in parts) == ("value" in parts):
            raise Found("E16", "a rule has value: or const:, and only one of them")
        if "const" in parts:
            return condition, arithmetic.written(parts["const"])
        with self.scope.knowing(proves(condition)):
            return condition, self.inference.value(self._tree(parts["value"]))

    def _refuse_keys(self, node: Node, known: tuple[str, ...]) -> None:
        for key in entries_of(node):
            if key not in known:
                raise Found("E16", f"a rule has no {key}:{did_you_mean(key, known)}")

    # Objects and lists

    def _nested(
        self, name: str, field: Field, node: Node, path: str, line: int, depth: int
    ) -> ir.Nested | None:
        kind, content = field.type, node.value
        is_list = kind.kind is Kind.LIST
        inner = kind.item if is_list else kind
        blocks = content if isinstance(content, list) else [node]
        bare = (
            is_list
            and facets.is_single(inner)
            and not any("fields" in entries_of(each) for each in blocks)
        )
        if inner is None or not (bare or (inner.kind is Kind.OBJECT and inner.shape is not None)):
            what = facets.describe(kind)
            raise Found(
                "E14" if isinstance(content, list) else "E04", f"{name} takes {what}, no fields"
            )
        if depth >= NESTING and is_list:
            raise Found("E16", f"lists are nested at most {NESTING} deep")
        several = isinstance(content, list)
        if several and not is_list:
            raise Found("E14", f"{name} is a single object: write fields: without a list")
        after = ""
        made: list[ir.Block] = []
        for block in blocks:
            with self._at(path + ("[]" if is_list else ""), block, block.line if several else line):
                if not is_list and not entries_of(block).keys().isdisjoint(
                    {"each", "group", "after", "omit"}
                ):
                    raise Found("E14", f"{name} is a single object: each: and group: make a list")
                for code, message in facets.unomittable(entries_of(block).get("omit"), field):
                    self._note(code, message)
                after = self._after(block) or after
                item = self._block(block, inner, depth + is_list, listed=is_list)
                made.append(item)
                if is_list and len(made) == len(blocks):
                    for code, message in facets.miscounts(made, kind):
                        self._note(code, message)
                self._accept(block)
        self._missing += len(blocks) - len(made)
        self._check_presence(name, field, blocks)
        return ir.Nested(
            target=name,
            type=kind,
            blocks=tuple(made),
            single=not is_list,
            place=self._place,
            after=after,
            omits=any("omit" in entries_of(block) for block in blocks),
        )

    def _check_presence(self, name: str, field: Field, blocks: list[Node]) -> None:
        lone = len(blocks) == 1 and entries_of(blocks[0]).keys().isdisjoint({"each", "group"})
        if field.required and lone and "when" in entries_of(blocks[0]):
            self._note("E05", f"{name} is required, so it cannot depend on when:")

    def _after(self, block: Node) -> str:
        node = entries_of(block).get("after")
        return str(node.value) if node is not None else ""

    def _block(self, block: Node, inner: Type, depth: int, *, listed: bool) -> ir.Block:
        shape = inner.shape
        if shape is None:
            return self._bare(block, inner)
        if not isinstance(block.value, dict) or "fields" not in block.value:
            raise Found("E16", "a block has fields:")
        self._refuse_keys(block, _BLOCK)
        fields = block.value["fields"]
        if not isinstance(fields.value, dict):
            raise Found("E16", "fields: is a map of target fields to rules")
        if "each" in block.value and "group" in block.value:
            raise Found("E16", "a block has each: or group:, not both")
        path = self._place.path

        def write() -> Iterable[ir.Field]:
            return self._fields(fields, shape, path, depth=depth)

        if "each" in block.value:
            return self._each(block, write)
        if "group" in block.value:
            return self._group(block, write)
        return self._body(block, write, listed=listed)

    def _bare(self, block: Node, kind: Type) -> ir.Block:
        """An item that is a text or a number: ``value:`` or ``const:`` in place of ``fields:``."""
        self._refuse_keys(block, _ITEM)
        parts = {k: v for k, v in entries_of(block).items() if k in _RULE[:2]}

        def write() -> Iterable[ir.Field]:
            field = Field(name="", type=kind, required=True)
            rule = self._rule("an item", field, Node(parts, block.line, block.file))
            if rule is None:
                raise Hidden
            return (rule,)

        if "each" in entries_of(block):
            return self._each(block, write, bare=True)
        return self._body(block, write, listed=True, bare=True)

    def _body(self, block: Node, write: _Write, *, listed: bool, **more: Any) -> ir.Block:
        scope, place, parts = self.scope, self._place, entries_of(block)
        condition = None
        if "when" in parts:
            condition = self.inference.condition(self._tree(parts["when"]))
        before = scope.listed, scope.counted
        if listed:
            scope.listed, scope.counted = True, False
        try:
            with scope.knowing(proves(condition)):
                made = tuple(write())
            counted = scope.counted
        finally:
            scope.listed, scope.counted = before if listed else (before[0], scope.counted)
        return ir.Block(
            fields=made, condition=condition, place=place, counted=counted and listed, **more
        )

    def _each(self, block: Node, write: _Write, **more: Any) -> ir.Block:
        items, name = self._element(block)
        with self.inference.folds.element(name, items):
            return self._body(block, write, listed=True, items=items, variable=name, **more)

    def _element(self, block: Node) -> tuple[ir.Expr, str]:
        """The list that ``each:`` runs over, and what it calls an element."""
        match = _EACH.fullmatch(str(entries_of(block)["each"].value))
        if match is None:
            raise Found("E16", "write each: LIST as NAME")
        items = self._list(match[1])
        self.scope.refuse_name(match[2])
        return items, match[2]

    def _list(self, text: str) -> ir.Expr:
        items = self.inference.value(self._parsed(text))
        if items.type.kind is not Kind.LIST or items.type.item is None:
            raise Found("E14", f"{text} is {facets.describe(items.type)}, not a list")
        if not isinstance(items, ir.Get | ir.Name):
            raise Found("E16", "each: and group: run over a list of the source")
        self.inference.folds.refuse_quadratic(items)
        return items

    def _group(self, block: Node, write: _Write) -> ir.Block:
        match = _GROUP.fullmatch(str(entries_of(block)["group"].value))
        if match is None:
            raise Found("E16", "write group: LIST by KEY, KEY as NAME")
        items, name = self._list(match[1]), match[3]
        self.scope.refuse_name(name)
        element = f"{name} item"  # no expression can name it
        keys: dict[str, ir.Expr] = {}
        with self.inference.folds.element(element, items):
            for key in match[2].split(","):
                short = key.strip().rpartition(".")[2]
                if short in keys:
                    raise Found("E12", f"two keys are called {short}, a group has one of a name")
                keys[short] = self.inference.folds.key(element, key.strip())
        path = self.inference.origin(items) or ""
        group = Group(keys, element, items.type.item or Type(kind=Kind.ANY), path)
        binding = Binding(ir.Name(type=items.type, name=name), path=path, loop=True, group=group)
        with self.scope.local(name, binding, times=items.type.max_items or 1_000):
            made = self._body(block, write, listed=True, items=items, variable=name)
        return msgspec.structs.replace(made, keys=tuple(keys.items()), totals=tuple(group.totals))

    # What was left out

    def _watch_money(self, value: ir.Expr) -> None:
        for currency in value.currencies:
            self._amounts.setdefault(self.scope.path_of(currency.field), self._place)

    def _check_cost(self) -> None:
        if self.scope.steps > COST:
            message = (
                f"one call may take {self.scope.steps:,} steps, {COST:,} are allowed: "
                "nest fewer lists, or state maxItems in the schema"
            )
            self._note_at("E23", "fields", self.root.line, message)
