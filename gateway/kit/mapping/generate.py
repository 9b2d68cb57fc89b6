"""A program to one Python function: statements in the order in which one would write them."""

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Final

import msgspec

from gateway.kit.mapping import hoisting, ir, traits
from gateway.kit.mapping.emit import Emitter
from gateway.kit.mapping.scope import SOURCE, proves
from gateway.kit.mapping.types import Kind, Wire
from gateway.kit.mapping.wires import NATIVE, Form

Sink = Callable[[ast.expr], ast.stmt]
_FAILED: Final = "failed"


class Compiled(msgspec.Struct, frozen=True):
    """The function of a mapping, shared by tenants.

    Attributes:
        code: Takes ``source``, ``needs``, ``failed`` and then the constants.
        constants: Descriptions of the constants, in the order of the parameters.
        places: Number of a rule (``col_offset``) to its place.
    """

    code: CodeType
    constants: tuple[tuple[object, ...], ...]
    places: tuple[ir.Place, ...]


def generate(program: ir.Program, form: Form) -> Compiled:
    """Compile a program for one form of its source."""
    return Writer(program, form).compiled()


class Writer:
    """Writes the statements of one function."""

    def __init__(self, program: ir.Program, form: Form) -> None:
        self.emitter = Emitter(form)
        self.trees = self.emitter.trees
        self.places: list[ir.Place] = [program.place]
        self._numbers: dict[ir.Place, int] = {program.place: 0}
        self.program = program
        self._known: frozenset[str] = frozenset()
        self._lists: dict[str, str] = {}  # target list of the present object to its variable
        self._roots: frozenset[str] = frozenset({SOURCE})

    def compiled(self) -> Compiled:
        """The function, ready to be bound to its constants."""
        file = self.program.place.file or "mapping"
        made = compile(self.module(), file, "exec", dont_inherit=True)
        code = next(each for each in made.co_consts if isinstance(each, CodeType))
        return Compiled(code, tuple(self.emitter.constants), tuple(self.places))

    def module(self) -> ast.Module:
        """The whole function."""
        body: list[ast.stmt] = []
        self._prepare(body)
        target = self._object(self.program.fields, body)
        body.append(self.trees.give(target))
        guarded = [self.trees.guard(body, _FAILED)]
        parameters = [SOURCE, "needs", _FAILED, *self.emitter.constants.values()]
        return self.trees.function("apply", parameters, guarded)

    def _prepare(self, body: list[ast.stmt]) -> None:
        """What comes before the fields: ``let``, and values that are read more than once."""
        lets, fields = self.program.lets, self.program.fields
        values = [(let.value, 0) for let in lets]
        self._hoist(iter([*values, *hoisting.within(fields)]), body)
        for let in lets:
            with self._at(let.place):
                self._let(let, body)
        self._roots |= {let.name for let in lets}
        self._hoist(hoisting.within(fields), body)

    @contextmanager
    def _at(self, place: ir.Place) -> Iterator[None]:
        before = self.trees.line, self.trees.rule
        number = self._numbers.setdefault(place, len(self.places))
        if number == len(self.places):
            self.places.append(place)
        self.trees.line, self.trees.rule = max(place.line, 1), number
        yield
        self.trees.line, self.trees.rule = before

    @contextmanager
    def _statements(self, body: list[ast.stmt]) -> Iterator[None]:
        """What has to run before an expression goes to ``body``."""
        before = self.emitter.prelude
        self.emitter.prelude = body
        yield
        self.emitter.prelude = before

    @contextmanager
    def _inside(self, known: frozenset[str], *roots: str) -> Iterator[None]:
        """Further names and proofs, and local variables of their own."""
        emitter = self.emitter
        before = self._known, self._roots, self._lists
        hoisted, units = dict(emitter.hoisted), dict(emitter.units)
        self._known, self._roots = self._known | known, self._roots | set(roots)
        yield
        self._known, self._roots, self._lists = before
        emitter.hoisted, emitter.units = hoisted, units

    def _hoist(self, values: Iterator[tuple[ir.Expr, int]], body: list[ast.stmt]) -> None:
        for get in hoisting.worth(values, self._roots, self._known):
            if get.key not in self.emitter.hoisted:
                with self._statements(body):
                    code = self.emitter.read(get)
                name = self.emitter.fresh("".join(c if c.isalnum() else "_" for c in get.key))
                body.append(self.trees.assign(name, code))
                self.emitter.hoisted[get.key] = name

    def _let(self, let: ir.Let, body: list[ast.stmt]) -> None:
        with self._statements(body):
            kept = isinstance(let.value, ir.Get | ir.Name)
            code = self.emitter.read(let.value) if kept else self.emitter.value(let.value)
        native = not kept or self.emitter.form_of(let.value) == NATIVE
        name = self.emitter.bind(let.name, native=native)
        body.append(self.trees.assign(name, code))

    # Objects

    def _object(self, fields: tuple[ir.Field, ...], body: list[ast.stmt]) -> ast.expr:
        """Statements that make an object, and the expression for it."""
        followed = {field.after for field in fields if isinstance(field, ir.Nested)}
        at_once: list[tuple[str, ast.expr]] = []
        later: list[ir.Field] = []
        for field in fields:
            code = None if field.target in followed else self._direct(field)
            if code is None:
                later.append(field)
            else:
                at_once.append((field.target, code))
        made = self.trees.dictionary(at_once)
        if not later:
            return made
        name = self.emitter.fresh("target")
        body.append(self.trees.assign(name, made))
        self._lists = {}
        for field in later:
            with self._at(field.place):
                self._later(field, name, body)
        return self.trees.name(name)

    def _item(self, block: ir.Block, body: list[ast.stmt]) -> ast.expr:
        """What a block makes: an object, or the one value of a bare item."""
        rule = block.fields[0] if block.bare else None
        if not isinstance(rule, ir.Rule):
            return self._object(block.fields, body)
        with self._at(rule.place), self._statements(body):
            return self._written(rule)

    def _direct(self, field: ir.Field) -> ast.expr | None:
        """The field as one expression, if it is always there and needs no statement."""
        with self._at(field.place):
            if isinstance(field, ir.Nested):
                return self._direct_nested(field)
            if field.condition is not None or field.value.type.nullable:
                return None
            if not traits.needs_no_statement(field.value):
                return None
            return self._written(field, always=True)

    def _written(self, field: ir.Rule, *, always: bool = False) -> ast.expr:
        """The value of a rule as its field takes it; it is not null.

        Args:
            always: It is written before all that follows in its object.
        """
        short = traits.major_as_text(field)
        if short is not None:
            units = self.emitter.value(short.operand)
            unit = self.emitter.unit(short.arguments[0], keep=always)
            # Never an exponent: a whole number times 1 to 0.0001.
            return self.trees.call("str", self.trees.binary(units, "*", unit))
        form = self.emitter.form_of(field.value)
        return self._final(field, self.emitter.read(field.value), form)

    def _final(self, field: ir.Rule, code: ast.expr, form: str) -> ast.expr:
        made = self.emitter.wires.written(code, field.value.type, form, field.type)
        limit = field.type.max_length
        if limit is None or field.type.kind is not Kind.TEXT or not traits.unproven(field.value):
            return made
        test, again = self.emitter.once(made)
        trees = self.trees
        short = trees.compare(trees.call("len", test), "<=", trees.constant(limit))
        too_long = trees.call("fail_long", again, trees.constant(limit))
        return trees.choice(short, again, too_long)

    def _direct_nested(self, field: ir.Nested) -> ast.expr | None:
        made: list[ast.expr] = []
        for block in field.blocks:
            if block.items is not None or block.condition is not None or field.after:
                return None
            if block.counted:
                return None
            with self._at(block.place), self._inside(frozenset()):
                body: list[ast.stmt] = []
                code = self._item(block, body)
                if body:
                    return None
                made.append(code)
        return made[0] if field.single else self._listed(field, self.trees.listing(made))

    def _listed(self, field: ir.Nested, items: ast.expr) -> ast.expr:
        if field.type.wire is Wire.ODATA_RESULTS:
            return self.trees.dictionary([("results", items)])
        return items

    def _later(self, field: ir.Field, target: str, body: list[ast.stmt]) -> None:
        """Statements that put a field into the object, where it is there."""
        if isinstance(field, ir.Rule):
            self._put(field, target, body)
        elif field.single:
            self._put_object(field, target, body)
        else:
            self._put_list(field, target, body)

    # Values

    def _put(self, rule: ir.Rule, target: str, body: list[ast.stmt]) -> None:
        if rule.condition is not None:
            inner: list[ast.stmt] = []
            with self._statements(body):
                test = self.emitter.test(rule.condition)
            with self._inside(proves(rule.condition)):
                self._cleared(rule, target, inner)
            body.append(self.trees.when(test, inner))
        else:
            self._cleared(rule, target, body)

    def _cleared(self, rule: ir.Rule, target: str, body: list[ast.stmt]) -> None:
        """The value; null first where null is to be written, so that a value replaces it."""
        if rule.clears:
            body.append(self._assign(rule, target, self.trees.constant(None)))
        self._into(rule, rule.value, target, body)

    def _into(self, rule: ir.Rule, value: ir.Expr, target: str, body: list[ast.stmt]) -> None:
        """``if value is not None: target["X"] = value``, without a test that is not needed."""
        single = msgspec.structs.replace(rule, value=value)
        emitter, trees = self.emitter, self.trees
        with self._statements(body):
            if not value.type.nullable:
                body.append(self._assign(rule, target, self._written(single)))
                return
            if isinstance(value, ir.Choice):
                self._into_branches(rule, value, target, body)
                return
            if isinstance(value, ir.Const):
                return
            if traits.passes_null(value) and value.operand.type.nullable:
                self._into_converted(rule, value, target, body)
                return
            code = self._kept(emitter.read(value), body)
            final = self._final(single, code, emitter.form_of(value))
        body.append(
            trees.when(trees.is_there(trees.name(code.id)), [self._assign(rule, target, final)])
        )

    def _into_branches(
        self, rule: ir.Rule, value: ir.Choice, target: str, body: list[ast.stmt]
    ) -> None:
        test = self.emitter.test(value.condition)
        then: list[ast.stmt] = []
        other: list[ast.stmt] = []
        self._into(rule, value.then, target, then)
        self._into(rule, value.other, target, other)
        if then:
            body.append(self.trees.when(test, then, other))
        elif other:
            body.append(self.trees.when(self.trees.invert(test), other))

    def _into_converted(
        self, rule: ir.Rule, value: ir.Convert | ir.Lookup, target: str, body: list[ast.stmt]
    ) -> None:
        """A converter of something that may be null: tested once, before it is converted."""
        emitter, trees = self.emitter, self.trees
        operand = value.operand
        code = self._kept(emitter.value(operand), body)
        # What is in the variable now is not null, and native.
        alias = f"{code.id} "
        emitter.names[alias] = code.id
        known = msgspec.structs.replace(operand.type, nullable=False)
        inner_value = msgspec.structs.replace(
            value, operand=ir.Name(type=known, name=alias, assumed=operand.assumed)
        )
        if not traits.makes_null(value):
            kind = msgspec.structs.replace(value.type, nullable=False)
            inner_value = msgspec.structs.replace(inner_value, type=kind)
        inner: list[ast.stmt] = []
        self._into(rule, inner_value, target, inner)
        body.append(trees.when(trees.is_there(trees.name(code.id)), inner))

    def _kept(self, code: ast.expr, body: list[ast.stmt]) -> ast.Name:
        """The code in a variable."""
        if isinstance(code, ast.Name):
            return code
        name = self.emitter.fresh()
        body.append(self.trees.assign(name, code))
        return self.trees.name(name)

    def _assign(self, rule: ir.Rule, target: str, code: ast.expr) -> ast.stmt:
        return self.trees.put(self.trees.name(target), rule.target, code)

    # Objects and lists inside

    def _put_object(self, field: ir.Nested, target: str, body: list[ast.stmt]) -> None:
        block = field.blocks[0]
        self._block(
            block,
            body,
            lambda made: self.trees.put(self.trees.name(target), field.target, made),
        )

    def _block(self, block: ir.Block, body: list[ast.stmt], sink: Sink) -> None:
        """One object, if its condition holds."""
        trees = self.trees
        with self._at(block.place), self._statements(body):
            with self.emitter.around():
                test = None if block.condition is None else self.emitter.test(block.condition)
            inner: list[ast.stmt] = []
            with self._inside(proves(block.condition)), self._statements(inner):
                if test is not None:
                    self._hoist(hoisting.within(block.fields), inner)
                inner.append(sink(self._item(block, inner)))
            if test is None:
                body += inner
            else:
                body.append(trees.when(test, inner))

    def _put_list(self, field: ir.Nested, target: str, body: list[ast.stmt]) -> None:
        trees = self.trees
        items = self.emitter.fresh("items")
        body.append(trees.assign(items, trees.listing([])))
        block = field.blocks[0]
        lone = len(field.blocks) == 1 and block.items is None and block.condition is not None
        whole = trees.put(trees.name(target), field.target, self._listed(field, trees.name(items)))
        before = self._lists
        for number, each in enumerate(field.blocks):
            with self._at(each.place):
                self._items(field, each, items, body, first=number == 0)
        if any(each.counted for each in field.blocks) and (len(field.blocks) > 1 or field.after):
            behind = [trees.name(self._lists[field.after])] if field.after else []
            body.append(trees.do(trees.call("few", trees.name(items), *behind)))
        self._lists = {**before, field.target: items}
        body.append(trees.when(trees.name(items), [whole]) if lone or field.omits else whole)

    def _items(
        self, field: ir.Nested, block: ir.Block, items: str, body: list[ast.stmt], *, first: bool
    ) -> None:
        if block.items is None:
            self._fixed(field, block, items, body, first=first)
        elif block.keys:
            self._grouped(field, block, items, body, first=first)
        else:
            self._each(field, block, items, body, first=first)

    def _append(self, items: str) -> Sink:
        return lambda made: self.trees.do(self.trees.method(self.trees.name(items), "append", made))

    def _next(self, field: ir.Nested, items: str, *, first: bool) -> ast.expr:
        """The position of the next item."""
        trees = self.trees
        start: ast.expr = trees.constant(1)
        if not first:
            start = trees.binary(trees.call("len", trees.name(items)), "+", start)
        if field.after:
            other = trees.call("len", trees.name(self._lists[field.after]))
            start = trees.binary(other, "+", start)
        return start

    def _fixed(
        self, field: ir.Nested, block: ir.Block, items: str, body: list[ast.stmt], *, first: bool
    ) -> None:
        position = self.emitter.fresh("position")
        if block.counted:
            body.append(self.trees.assign(position, self._next(field, items, first=first)))
        with self.emitter.at_position(position):
            self._block(block, body, self._append(items))

    def _loop(
        self,
        field: ir.Nested,
        block: ir.Block,
        items: str,
        over: ast.expr,
        target: ast.expr,
        roots: tuple[str, ...],
        *,
        first: bool,
    ) -> ast.stmt:
        """The loop that appends one item per element or group."""
        trees, inner = self.trees, list[ast.stmt]()
        position = self.emitter.fresh("position")
        plain = block.counted and block.condition is None
        if plain:
            start = self._next(field, items, first=first)
            over = trees.call("enumerate", over, start)
            target = trees.stored_tuple(trees.stored(position), target)
        with self._inside(frozenset(), *roots), self.emitter.at_position(position):
            values = hoisting.within((msgspec.structs.replace(field, blocks=(_open(block),)),))
            self._hoist(values, inner)
            if block.counted and not plain:
                inner.append(trees.assign(position, self._next(field, items, first=False)))
            self._block(block, inner, self._append(items))
        return trees.loop(target, over, inner)

    def _each(
        self, field: ir.Nested, block: ir.Block, items: str, body: list[ast.stmt], *, first: bool
    ) -> None:
        if block.items is None:
            return
        with self._statements(body):
            over = self.emitter.items(block.items, limited=block.counted)
        target = self.trees.stored(self.emitter.bind(block.variable))
        body.append(self._loop(field, block, items, over, target, (block.variable,), first=first))

    # Groups

    def _grouped(
        self, field: ir.Nested, block: ir.Block, items: str, body: list[ast.stmt], *, first: bool
    ) -> None:
        trees, emitter = self.trees, self.emitter
        groups = emitter.fresh("groups")
        self._gather(block, groups, body)
        slots = [emitter.fresh("total") for _ in block.totals]
        keys = {f"{block.variable}.{name}": emitter.fresh(name) for name, _ in block.keys}
        stored_keys = trees.stored(*keys.values())
        over: ast.expr = trees.name(groups)
        target = stored_keys
        if slots:
            over = trees.method(over, "items")
            sums = trees.stored_tuple(*(trees.stored(slot) for slot in slots))
            target = trees.stored_tuple(stored_keys, sums)
        with emitter.group(slots, keys):
            body.append(self._loop(field, block, items, over, target, (), first=first))

    def _gather(self, block: ir.Block, groups: str, body: list[ast.stmt]) -> None:
        """``groups[key] = [sum, count]`` in one pass over the list."""
        trees, emitter = self.trees, self.emitter
        if block.items is None:
            return
        body.append(trees.assign(groups, trees.dictionary([])))
        with self._statements(body):
            over = emitter.items(block.items, limited=True)
        element = f"{block.variable} item"
        variable, key, found = emitter.bind(element), emitter.fresh("key"), emitter.fresh("group")
        inner: list[ast.stmt] = []
        with self._statements(inner), self._inside(frozenset(), element):
            code = trees.row([emitter.value(each) for _, each in block.keys])
            inner.append(trees.assign(key, code))
            if block.totals:
                inner += self._add(block, groups, key, found)
            else:
                inner.append(trees.put(trees.name(groups), trees.name(key), trees.constant(None)))
        body.append(trees.loop(trees.stored(variable), over, inner))

    def _add(self, block: ir.Block, groups: str, key: str, found: str) -> list[ast.stmt]:
        trees = self.trees
        look = trees.method(trees.name(groups), "get", trees.name(key))
        starts = [self._term(total) for total in block.totals]
        start = trees.put(trees.name(groups), trees.name(key), trees.listing(starts))
        more = [
            trees.increase(self._slot(found, index), self._term(total))
            for index, total in enumerate(block.totals)
        ]
        return [
            trees.assign(found, look),
            trees.when(trees.is_none(trees.name(found)), [start], more),
        ]

    def _term(self, total: ir.Total) -> ast.expr:
        with self.emitter.lazy():
            if total.body is None:
                return self.trees.constant(1)
            return self.emitter.value(total.body)

    def _slot(self, found: str, index: int) -> ast.expr:
        made = self.trees.item(self.trees.name(found), self.trees.constant(index))
        made.ctx = ast.Store()
        return made


def _open(block: ir.Block) -> ir.Block:
    """The block without its list, as it is inside its own loop."""
    return msgspec.structs.replace(block, items=None, keys=(), totals=())
