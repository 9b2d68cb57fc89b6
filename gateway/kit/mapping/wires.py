"""How a value is held while a mapping runs, and how it is written into its field.

A value is *native* (a Decimal, a date) or still as the source wrote it; it is parsed only where an
expression needs it, and where a field wants another form.
"""

import ast
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from gateway.kit.mapping import facets
from gateway.kit.mapping.trees import Trees
from gateway.kit.mapping.types import Kind, Type, Wire

_EPOCH_ORDINAL: Final = 719_163
_DAY_MS: Final = 86_400_000


class Form(StrEnum):
    """What the source of a compiled mapping is."""

    OBJECTS = "objects"  # Structs of the model: dates are dates
    WIRE = "wire"  # what a projection decoded: dates are text


NATIVE: Final = ""


def held(kind: Type, form: Form, *, money: bool = False) -> str:
    """How a value of the source is held; ``NATIVE`` for Python's own type."""
    if kind.kind in {Kind.DATE, Kind.INSTANT, Kind.TIME}:
        return _held_moment(kind, form)
    if kind.wire is Wire.DECIMAL_COMMA:
        return "comma"
    if kind.wire is Wire.TEXT and kind.kind is not Kind.TEXT and (form is Form.WIRE or money):
        return "text"
    if kind.kind is Kind.DECIMAL and form is Form.WIRE:
        return "number"
    return NATIVE


def _held_moment(kind: Type, form: Form) -> str:
    if kind.wire is Wire.PATTERN:
        return kind.pattern
    if kind.wire is Wire.EPOCH:
        return "epoch"
    if kind.wire in {Wire.ODATA_DATE, Wire.ODATA_TIME}:
        return "odata"
    decoded = form is Form.OBJECTS or kind.kind is Kind.INSTANT
    return NATIVE if decoded else "iso"


class Wires:
    """Builds the code of conversions.

    Args:
        constant: Gives the name of a constant for ``("days", pattern, wanted)``.
        fresh: Gives a name that nothing else uses.
    """

    def __init__(
        self, trees: Trees, constant: Callable[..., str], fresh: Callable[[], str]
    ) -> None:
        self._trees = trees
        self._constant = constant
        self._fresh = fresh

    def plain(self, code: ast.expr) -> ast.expr:
        """A decimal as text: ``str`` is three times as fast as a format.

        Only where letters come out (an exponent, NaN) is the slow way taken, which refuses.
        """
        trees, number, text = self._trees, self._fresh(), self._fresh()
        if isinstance(code, ast.Name):
            number = code.id
        else:
            code = trees.named(number, code)
        made = trees.named(text, trees.call("str", code))
        lower = trees.method(trees.name(text), "lower")
        return trees.choice(
            trees.compare(made, "==", lower),
            trees.name(text),
            trees.call("plain", trees.name(number)),
        )

    def native(  # noqa: PLR0911 - one return for each kind
        self, code: ast.expr, source: Type, form: str
    ) -> ast.expr:
        """Python's own value."""
        trees, kind = self._trees, source.kind
        if form == NATIVE:
            return code
        if kind is Kind.DATE:
            return self._day(code, form, "")
        if kind is Kind.INSTANT:
            if form in {"epoch", "odata"}:
                return trees.call({"epoch": "epoch_moment", "odata": "read_odata"}[form], code)
            return trees.call("read_moment", code, trees.constant(form))
        if form == "number":
            stated = source if source.precision is not None else facets.amount_like(source)
            whole, scale = facets.digits(stated)
            step = trees.name(self._constant("step", scale))
            limits = [code, trees.constant(max(whole or 0, 1)), step]
            if (source.minimum, source.maximum) != (None, None):
                limits += [trees.constant(source.minimum), trees.constant(source.maximum)]
            return trees.call("exact", *limits)
        if kind is Kind.DECIMAL:
            return trees.call("Decimal", self._pointed(code, form))
        if kind in {Kind.INTEGER, Kind.FLOAT}:
            return trees.call("int" if kind is Kind.INTEGER else "float", code)
        if kind is Kind.TIME:
            return trees.call("read_time", code) if form == "odata" else code
        return trees.compare(code, "==", trees.constant("true"))

    def _pointed(self, code: ast.expr, form: str) -> ast.expr:
        if form != "comma":
            return code
        trees = self._trees
        return trees.method(code, "replace", trees.constant(","), trees.constant("."))

    def _day(self, code: ast.expr, form: str, wanted: str) -> ast.expr:
        pattern = "" if form == "iso" else form
        return self._trees.item(self._trees.name(self._constant("days", pattern, wanted)), code)

    def written(self, code: ast.expr, source: Type, form: str, target: Type) -> ast.expr:
        """The value as its field takes it."""
        name = _WRITERS.get(source.kind)
        if name is None:
            return code
        made: ast.expr = getattr(self, name)(code, source, form, target)
        return made

    def _integer(self, code: ast.expr, source: Type, form: str, target: Type) -> ast.expr:
        if target.wire in {Wire.TEXT, Wire.DECIMAL_COMMA}:
            return code if form == "text" else self._trees.template(code)
        return self.native(code, source, form)

    def _decimal(self, code: ast.expr, source: Type, form: str, target: Type) -> ast.expr:
        trees = self._trees
        if target.kind is Kind.INTEGER:
            whole = trees.call("int", self.native(code, source, form))
            return trees.template(whole) if target.wire is Wire.TEXT else whole
        if target.wire not in {Wire.TEXT, Wire.DECIMAL_COMMA}:
            return trees.call("finite", self.native(code, source, form))
        comma = target.wire is Wire.DECIMAL_COMMA
        if form == "comma" and comma:
            return code
        if form in {NATIVE, "number"}:
            plain = self.plain(self.native(code, source, form))
        else:
            plain = self._pointed(code, form)
        if not comma:
            return plain
        return trees.method(plain, "replace", trees.constant("."), trees.constant(","))

    def _float(self, code: ast.expr, source: Type, form: str, target: Type) -> ast.expr:
        if target.wire is Wire.TEXT:
            return code if form == "text" else self._trees.template(code)
        return self.native(code, source, form)

    def _date(self, code: ast.expr, _: Type, form: str, target: Type) -> ast.expr:
        wanted = {Wire.ODATA_DATE: "odata", Wire.PATTERN: target.pattern}.get(target.wire, "iso")
        if form != NATIVE:
            made = self._day(code, form, wanted)
        elif wanted == "iso":
            made = self._trees.method(code, "isoformat")
        elif wanted == "odata":
            made = self._odata_day(code)
        else:
            made = self._formatted(code, wanted)
        if target.kind is Kind.INSTANT and wanted == "iso":
            return self._trees.template(made, "T00:00:00")
        return made

    def _odata_day(self, code: ast.expr) -> ast.expr:
        trees = self._trees
        ordinal = trees.method(code, "toordinal")
        days = trees.binary(ordinal, "-", trees.constant(_EPOCH_ORDINAL))
        return trees.template("/Date(", trees.binary(days, "*", trees.constant(_DAY_MS)), ")/")

    def _formatted(self, code: ast.expr, wanted: str) -> ast.expr:
        return self._trees.call("write_day", code, self._trees.constant(wanted))

    def _instant(self, code: ast.expr, source: Type, form: str, target: Type) -> ast.expr:
        trees = self._trees
        if form == "epoch" and target.wire is Wire.EPOCH:
            return code
        if form == "epoch" and (
            target.kind is Kind.TEXT or (target.wire is Wire.PLAIN and target.zoned)
        ):
            return trees.call("epoch_text", code)
        moment = self.native(code, source, form)
        if target.wire is Wire.PATTERN:
            return trees.call("write_moment", moment, trees.constant(target.pattern))
        plain = "moment_text" if target.zoned or target.kind is Kind.TEXT else "moment_plain"
        names = {Wire.EPOCH: "unix", Wire.ODATA_DATE: "odata_moment"}
        return trees.call(names.get(target.wire, plain), moment)

    def _time(self, code: ast.expr, _: Type, form: str, target: Type) -> ast.expr:
        trees = self._trees
        if target.wire is Wire.ODATA_TIME:
            return code if form == "odata" else trees.call("odata_time", code)
        if form == "odata":
            return trees.call("read_time", code)
        return code if form == "iso" else trees.method(code, "isoformat")

    def _boolean(self, code: ast.expr, source: Type, form: str, target: Type) -> ast.expr:
        trees = self._trees
        if target.wire is Wire.TEXT:
            if form == "text":
                return code
            return trees.choice(code, trees.constant("true"), trees.constant("false"))
        return self.native(code, source, form)

    def _list(self, code: ast.expr, _: Type, __: str, target: Type) -> ast.expr:
        trees = self._trees
        items = trees.call("list", code)
        if target.wire is Wire.ODATA_RESULTS:
            return trees.dictionary([("results", items)])
        return items


_WRITERS: Final[dict[Kind, str]] = {
    Kind.INTEGER: "_integer",
    Kind.DECIMAL: "_decimal",
    Kind.FLOAT: "_float",
    Kind.DATE: "_date",
    Kind.INSTANT: "_instant",
    Kind.TIME: "_time",
    Kind.BOOLEAN: "_boolean",
    Kind.LIST: "_list",
}
