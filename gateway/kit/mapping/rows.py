"""Row functions: a mapping into lines of a file or elements of XML, one f-string a row.

A text that may hold a character that means something in the file is quoted or escaped. Whether a
field of the source has one is seen in all rows of a chunk at once; so most values need no test.
"""

import ast
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, Protocol

import msgspec

from gateway.errors import Misconfigured
from gateway.kit.mapping import facets, hoisting, ir
from gateway.kit.mapping.generate import Writer
from gateway.kit.mapping.schemas.layouts import Layout
from gateway.kit.mapping.scope import SOURCE, proves
from gateway.kit.mapping.trees import Trees
from gateway.kit.mapping.types import Field, Kind, Shape, Type, Wire
from gateway.kit.mapping.wires import Form

CONTROLS: Final = "".join(map(chr, range(32)))
_NUMBERS: Final = {Kind.INTEGER, Kind.DECIMAL, Kind.BOOLEAN}
_PLAIN_KINDS: Final = {*_NUMBERS, Kind.FLOAT, Kind.DATE, Kind.INSTANT}
# What these are written with.
_PLAIN: Final = "0123456789.,-+:/()TZDtruefals"
# CPython builds longer f-strings through a list, at half the speed.
_JOINED_AT_ONCE: Final = 30


class NoRow(Misconfigured):
    """The target has lists, so it is not one f-string."""

    def __init__(self, field: str) -> None:
        super().__init__(
            f"{field}: rows of an export have no lists; write such a document with lxml",
            code="no_row",
        )


class Style(Protocol):
    """How the fields of a target become the text of a row.

    Attributes:
        marks: Characters that mean something in the file, or that it does not take.
    """

    marks: str

    def parts(self, writer: "RowWriter") -> list[ast.expr]:
        """The pieces of the row, in their order: constants and formatted values."""


Checks = Callable[[Trees], list[ast.expr]]


class RowWriter(Writer):
    """Writes the function of many rows of one program.

    Args:
        checks: What has to hold for a row; its decoder has not seen to that.

    Attributes:
        columns: Each text of the source that may hold marks to the parameter that says whether
            one of these rows has any.
    """

    def __init__(self, program: ir.Program, style: Style, checks: Checks) -> None:
        super().__init__(program, Form.WIRE)
        self._checks = checks
        self.columns: dict[str, str] = {}
        self._style = style
        self._visible = [mark for mark in style.marks if mark.isprintable()]

    def module(self) -> ast.Module:
        """A function of decoded rows that returns their texts.

        Raises:
            NoRow: The target is not one f-string.
        """
        trees, rows = self.trees, list[ast.stmt]()
        text = self._row(rows)
        made = trees.name("made")
        rows.append(trees.do(trees.method(made, "append", text)))
        body = [
            trees.assign("made", trees.listing([])),
            trees.assign("needs", trees.constant(None)),
            trees.loop(trees.stored(SOURCE), trees.name("sources"), rows),
            trees.give(made),
        ]
        constants = self.emitter.constants.values()
        return trees.function("rows", ["sources", *constants, *self.columns.values()], body)

    def _row(self, body: list[ast.stmt]) -> ast.expr:
        """Statements that prepare a row, and its text."""
        trees = self.trees
        if checks := self._checks(trees):
            refuse = trees.do(trees.call("refuse"))
            body.append(trees.when(trees.invert(trees.all_of(checks)), [refuse]))
        self._prepare(body)
        with self._statements(body):
            return _template(trees, self._style.parts(self))

    def piece(
        self, rule: ir.Rule, before: str = "", after: str = "", *, form: str = "", safe: str = ""
    ) -> list[ast.expr]:
        """The value of a rule with text around it; nothing of it where there is none.

        Args:
            form: What it is filled up with, the side and the width, such as ``_<16``; ``0=16`` puts
                zeros behind the sign.
            safe: What a text with marks goes through.
        """
        value, trees = rule.value, self.trees
        with self._at(rule.place):
            single = msgspec.structs.replace(rule, type=_as_text(rule.type))
            if rule.condition is None and not value.type.nullable:
                code = self._guarded(single, self._written(single), safe)
                return trees.template(before, *_formatted(trees, code, form), after).values
            test = None if rule.condition is None else self.emitter.test(rule.condition)
            with self.emitter.lazy():
                code = self._optional(single, before, after, form, safe)
                if test is not None:
                    code = trees.choice(test, code, self._nothing(before, after, form))
            return trees.template(code).values

    def where(self, condition: ir.Expr, parts: Callable[[], Iterator[ast.expr]]) -> ast.expr:
        """The parts where the condition holds, else nothing."""
        test = self.emitter.test(condition)
        with self.emitter.lazy(), self._inside(proves(condition)):
            made = _template(self.trees, list(parts()))
        return self.trees.choice(test, made, self.trees.constant(""))

    def fills(self, rule: ir.Rule, width: int) -> bool:
        """Whether the value always has this many characters."""
        value = rule.value
        if rule.condition is not None or value.type.nullable:
            return False
        if isinstance(value, ir.Const):
            return isinstance(value.value, str) and len(value.value) == width
        if isinstance(value, ir.Lookup) and value.default is None:
            entries = self.program.tables[value.table].values()
            return all(entry is not None and len(entry) == width for entry in entries)
        return value.type.kind is Kind.TEXT and value.type.min_length == width

    def _optional(self, rule: ir.Rule, before: str, after: str, form: str, safe: str) -> ast.expr:
        trees = self.trees
        if not rule.value.type.nullable:
            code = self._guarded(rule, self._written(rule), safe)
            return trees.template(before, *_formatted(trees, code, form), after)
        test, again = self.emitter.once(self.emitter.read(rule.value))
        final = self._final(rule, again, self.emitter.form_of(rule.value))
        whole = trees.template(
            before, *_formatted(trees, self._guarded(rule, final, safe), form), after
        )
        return trees.choice(trees.is_none(test), self._nothing(before, after, form), whole)

    def _nothing(self, before: str, after: str, form: str) -> ast.expr:
        """A missing value: spaces in a fixed column, else nothing, not even what is around it."""
        if not form:
            return self.trees.constant("")
        return self.trees.template(before, self.trees.constant(" " * int(form[2:])), after)

    def _guarded(self, rule: ir.Rule, code: ast.expr, safe: str) -> ast.expr:
        """The text, through ``safe`` if it has a mark."""
        columns, literal = self._marked(rule)
        if not safe or not (columns or literal):
            return code
        trees = self.trees
        test, again = self.emitter.once(code)
        printable: ast.expr = trees.method(test, "isprintable")
        marks = [trees.compare(trees.constant(mark), "not in", again) for mark in self._visible]
        harmless = trees.all_of([printable, *marks])
        careful = trees.choice(harmless, again, trees.call(safe, again))
        if literal:
            return careful
        flags = [trees.name(self.columns.setdefault(each, f"M_{each}")) for each in columns]
        return trees.choice(trees.any_of(flags), careful, code)

    def _marked(self, rule: ir.Rule) -> tuple[list[str], bool]:
        """The columns whose marks come out, and whether marks may come from elsewhere."""
        columns: dict[str, None] = {}
        literal = set(rule.type.pattern + ("," if rule.type.wire is Wire.DECIMAL_COMMA else ""))
        values = [rule.value]
        lets = {let.name: let.value for let in self.program.lets}
        while values:
            value = values.pop()
            if isinstance(value, ir.Get) and _is_column(value):
                columns[value.field] = None
            elif isinstance(value, ir.Name) and value.name in lets:
                values.append(lets[value.name])
            elif isinstance(value, ir.Convert | ir.Template):
                values += hoisting.children(value)
            elif isinstance(value, ir.Choice):
                values += [value.then, value.other]
            else:
                literal |= self._characters(value)
                values += [value.default] if isinstance(value, ir.Lookup) and value.default else []
        return list(columns), not literal.isdisjoint(self._style.marks)

    def _characters(self, value: ir.Expr) -> set[str]:
        """What a value that is no text of the row may be written with."""
        if isinstance(value, ir.Lookup):
            entries = self.program.tables[value.table].values()
            return set("".join(entry for entry in entries if entry is not None))
        if isinstance(value, ir.Const):
            return set(str(value.value))
        if isinstance(value, ir.Setting):
            return set(str(self.program.settings[value.name]))
        if value.type.values is not None:
            return set("".join(value.type.values))
        if isinstance(value, ir.Get) and facets.names_characters(value.type):
            return set()
        return set(_PLAIN if value.type.kind in _PLAIN_KINDS else self._style.marks)


def _is_column(value: ir.Get) -> bool:
    """It is a text of the row itself, of which nothing is known."""
    row = isinstance(value.operand, ir.Name) and value.operand.name == SOURCE
    named = value.type.values is not None or facets.names_characters(value.type)
    return row and value.type.kind is Kind.TEXT and not named


def _formatted(trees: Trees, code: ast.expr, form: str) -> list[Any]:
    if form.startswith("0="):
        return [trees.method(code, "zfill", trees.constant(int(form[2:])))]
    return list(trees.template(code, form=form).values) if form else [code]


def _as_text(kind: Type) -> Type:
    """The type with its number written out."""
    if kind.kind in _NUMBERS and kind.wire is Wire.PLAIN:
        return msgspec.structs.replace(kind, wire=Wire.TEXT)
    return kind


class Csv:
    """Values between separators, quoted where they have to be."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._end = "\r\n" if layout.line_end == "crlf" else "\n"
        self.marks = f"{layout.separator}{layout.quote or ''}\r\n\0"

    def parts(self, writer: RowWriter) -> list[ast.expr]:
        """The columns of the layout; one that is not mapped is empty."""
        rules = _rules(writer.program.fields)
        found: list[ast.expr] = []
        for index, column in enumerate(self._layout.columns):
            if index:
                found += writer.trees.template(self._layout.separator).values
            if column.name in rules:
                found += writer.piece(rules[column.name], safe="quoted")
        return [*found, *writer.trees.template(self._end).values]


class Fixed:
    """Values at their places."""

    marks = f"{CONTROLS}\x7f\x85"

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._end = "\r\n" if layout.line_end == "crlf" else "\n"
        self.length = _length(layout) + len(self._end)

    def parts(self, writer: RowWriter) -> list[ast.expr]:
        """The columns of the layout, filled up; gaps and columns not mapped are spaces."""
        rules = _rules(writer.program.fields)
        found: list[ast.expr] = []
        end = 0
        for column in self._layout.columns:
            start = end if column.start is None else column.start
            width = column.width or 0
            gap = " " * (start - end)
            if column.name in rules:
                rule = rules[column.name]
                side = ">" if column.align == "right" else "<"
                if column.fill == "0" and rule.type.kind in _NUMBERS:
                    side = "="
                form = "" if writer.fills(rule, width) else f"{column.fill}{side}{width}"
                found += writer.trees.template(gap).values if gap else []
                found += writer.piece(rule, form=form, safe="flat")
            else:
                found += writer.trees.template(gap + " " * width).values
            end = start + width
        return [*found, *writer.trees.template(self._end).values]


class Xml:
    """An element with its attributes and elements, in the order of the XSD.

    Args:
        name: Of the element.
        names: The name with its prefix, for a name and its namespace.
    """

    marks = f'&<>"{CONTROLS}\ud800\ufffe\uffff'

    def __init__(self, name: str, names: Callable[[str, str], str]) -> None:
        self._name = name
        self._names = names

    def parts(self, writer: RowWriter) -> list[ast.expr]:
        """The whole element."""
        program = writer.program
        if program.target.shape is None:
            raise NoRow(self._name)
        name = self._names(self._name, program.target.shape.namespace)
        return list(self._element(writer, name, program.target.shape, program.fields))

    def _element(
        self, writer: RowWriter, name: str, shape: Shape, fields: tuple[ir.Field, ...]
    ) -> Iterator[ast.expr]:
        mapped = {field.target: field for field in fields}
        ordered = [(shape.fields[key], mapped[key]) for key in shape.fields if key in mapped]
        trees = writer.trees
        yield trees.constant(f"<{name}")
        for known, field in ordered:
            if known.attribute:
                attribute = self._names(known.name, known.namespace)
                yield from writer.piece(_rule(field), f' {attribute}="', '"', safe="quoted")
        yield trees.constant(">")
        for known, field in ordered:
            if not known.attribute:
                yield from self._content(writer, known, field)
        yield trees.constant(f"</{name}>")

    def _content(self, writer: RowWriter, known: Field, field: ir.Field) -> Iterator[ast.expr]:
        name = self._names(known.name, known.namespace)
        if isinstance(field, ir.Rule):
            tags = ("", "") if known.text else (f"<{name}>", f"</{name}>")
            yield from writer.piece(field, *tags, safe="escaped")
            return
        block = field.blocks[0]
        shape = field.type.shape
        if not field.single or shape is None:
            raise NoRow(field.target)
        if block.condition is None:
            yield from self._element(writer, name, shape, block.fields)
        else:
            inside = partial(self._element, writer, name, shape, block.fields)
            yield writer.where(block.condition, inside)


def _template(trees: Trees, parts: list[ast.expr]) -> ast.expr:
    """One f-string of the parts; a long one is made of several."""
    joined = _joined(trees, parts)
    if len(joined) <= _JOINED_AT_ONCE:
        return ast.JoinedStr(joined, **trees.at)
    starts = range(0, len(joined), _JOINED_AT_ONCE)
    chunks = [joined[start : start + _JOINED_AT_ONCE] for start in starts]
    inner = [ast.JoinedStr(chunk, **trees.at) for chunk in chunks]
    return _template(trees, [ast.FormattedValue(each, -1, None, **trees.at) for each in inner])


def _joined(trees: Trees, parts: list[ast.expr]) -> list[ast.expr]:
    """The parts with neighbouring constants made one, and templates in them opened."""
    found: list[ast.expr] = []
    for part in _opened(parts):
        last = found[-1] if found else None
        if isinstance(part, ast.Constant) and isinstance(last, ast.Constant):
            found[-1] = trees.constant(str(last.value) + str(part.value))
        elif not (isinstance(part, ast.Constant) and part.value == ""):
            found.append(part)
    return found


def _opened(parts: list[ast.expr]) -> Iterator[ast.expr]:
    for part in parts:
        plain = isinstance(part, ast.FormattedValue) and part.format_spec is None
        inner = part.value if isinstance(part, ast.FormattedValue) and plain else part
        if isinstance(inner, ast.JoinedStr):
            yield from _opened(inner.values)
        else:
            yield inner if isinstance(inner, ast.Constant) else part


def _rule(field: ir.Field) -> ir.Rule:
    if not isinstance(field, ir.Rule):
        raise NoRow(field.target)
    return field


def _rules(fields: tuple[ir.Field, ...]) -> dict[str, ir.Rule]:
    return {field.target: _rule(field) for field in fields}


def _length(layout: Layout) -> int:
    end = 0
    for column in layout.columns:
        end = (end if column.start is None else column.start) + (column.width or 0)
    return end
