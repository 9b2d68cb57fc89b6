"""A loaded mapping: what the hub calls."""

import re
from collections.abc import Callable
from collections.abc import Mapping as Tables
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from types import FunctionType, TracebackType
from typing import Any, Final

import msgspec

from gateway.errors import Rejected
from gateway.kit.mapping import ir, projection, runtime
from gateway.kit.mapping.generate import Compiled, generate
from gateway.kit.mapping.runtime import BadValue, Days
from gateway.kit.mapping.wires import Form

NAMES: Final[dict[str, Any]] = {
    name: value for name, value in vars(runtime).items() if callable(value)
} | {
    "Decimal": Decimal,
    "UNITS": runtime.UNITS,
    "__builtins__": {
        each.__name__: each
        for each in (any, bool, enumerate, float, int, len, list, next, str, sum, Exception)
    },
}
_REMEMBERED: Final = 1_000
# What msgspec quotes of a message: "Invalid enum value 'Miller'".
_QUOTED: Final = re.compile("(?<=value ).*", re.DOTALL)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """JSON of a target; decimals are numbers, digit by digit."""
    return _ENCODER.encode(value)


class MappingFailure(Rejected):
    """A message does not fit its mapping; the call is parked, nothing is dropped or cut.

    Attributes:
        mapping: Name and version.
        file: Of the rule that failed; so is ``line``, 0 where the message could not be read.
        path: Of the target field; of the source field where the message could not be read.
        tenant: Whose configuration was used.
    """

    def __init__(
        self, message: str, *, mapping: str, place: ir.Place, tenant: str, detail: str = ""
    ) -> None:
        where = f"{place.file}:{place.line} {place.path}".rstrip()
        whose = f", tenant {tenant}" if tenant else ""
        super().__init__(
            f"{mapping}, {where}{whose}: {message}", code="mapping_failed", detail=detail
        )
        self.mapping = mapping
        self.file = place.file
        self.line = place.line
        self.path = place.path
        self.tenant = tenant


class Lineage(msgspec.Struct, frozen=True):
    """Where the value of a target field comes from.

    Attributes:
        target: Path of the field.
        sources: Paths of the source that it is computed from; empty for constants.
        rule: As written.
        version: Of the mapping.
    """

    target: str
    sources: tuple[str, ...]
    rule: str
    version: str
    file: str
    line: int


class Mapping:
    """One mapping with the configuration of one tenant.

    Attributes:
        apply: Struct to target; ``apply(source, needs)`` where the mapping has look-ups.
        reads: Paths of the source that are read.
    """

    apply: Callable[..., Any]

    def __init__(
        self,
        program: ir.Program,
        *,
        compiled: dict[Form, Compiled],
        reads: frozenset[str],
        lineage: tuple[Lineage, ...],
        digests: Callable[[], str],
        tenant: str,
    ) -> None:
        self.program = program
        self._digests = digests
        self.reads = reads
        self._lineage = lineage
        self._tenant = tenant
        self._compiled = compiled
        self._seen: set[Any] = set()
        self.apply = self._function(Form.OBJECTS)

    @property
    def name(self) -> str:
        """Name and version, such as ``sap.journal_entry.post 1.0.0``."""
        return f"{self.program.name} {self.program.version}"

    @cached_property
    def identity(self) -> str:
        """Hash of all that decides what comes out: files, overlays, configuration, schemas."""
        return self._digests()

    @cached_property
    def reference(self) -> str:
        """Name, version and the beginning of the identity, for spans and records."""
        return f"{self.name} {self.identity[:16]}"

    @cached_property
    def apply_json(self) -> Callable[..., Any]:
        """The target for a message as it came; only the fields that are read are decoded.

        Called like ``apply``, with bytes or text of JSON; raises a ``MappingFailure`` where the
        message is not of its schema, or a rule failed.
        """
        bare, names = projection.without_short_patterns(self.program.source, self.reads)
        decode = projection.decoder(projection.of(bare, self.reads)).decode
        short = attrgetter(*names) if names else None
        apply, seen, learn = self._function(Form.WIRE), self._seen, self._learn

        def apply_json(body: bytes | str, needs: Tables[str, Any] | None = None) -> Any:
            try:
                source = decode(body)
                if short is not None and short(source) not in seen:
                    learn(body, short)
            except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
                raise self._unreadable(error) from error
            return apply(source, needs)

        return apply_json

    def _learn(self, body: bytes | str, short: Callable[[Any], Any]) -> None:
        """Decode with all patterns, and keep the short texts, as they matched.

        Raises:
            msgspec.ValidationError: One did not.
        """
        found = short(self._strictly(body))
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen.add(found)

    @cached_property
    def _strictly(self) -> Callable[[bytes | str], Any]:
        return projection.decoder(self.projection()).decode

    def to_json(self, source: Any, needs: Tables[str, Any] | None = None) -> bytes:
        """The target as JSON.

        Raises:
            MappingFailure: A rule failed, or a text has half a character (a lone surrogate).
        """
        target = self.apply(source, needs)
        try:
            return encode(target)
        except UnicodeEncodeError as error:
            raise self._unreadable(error) from error

    def projection(self) -> type[msgspec.Struct]:
        """A Struct of the fields that the mapping reads, with the limits of their schema."""
        return projection.of(self.program.source, self.reads)

    def lineage(self) -> tuple[Lineage, ...]:
        """Each field of the target with its sources."""
        return self._lineage

    def _function(self, form: Form) -> Callable[..., Any]:
        if form not in self._compiled:
            self._compiled[form] = generate(self.program, form)
        made = self._compiled[form]
        failed = self._failed(made)
        constants = tuple(self.constant(each) for each in made.constants)
        return FunctionType(made.code, NAMES, "apply", (None, failed, *constants))

    def constant(self, description: tuple[Any, ...]) -> Any:
        """The value of a constant of compiled code, for this tenant."""
        match description:
            case ("table", name):
                return self.program.tables[name]
            case ("setting", name):
                return self.program.settings[name]
            case ("days", pattern, wanted):
                return Days(pattern, wanted)
            case ("step", scale):
                return Decimal(1).scaleb(-scale)
            case ("value", value):
                return value
            case _:
                return Decimal(0)

    def _failed(self, compiled: Compiled) -> Callable[[Exception], MappingFailure]:
        """Turns what a rule raised into a failure that says where."""

        def failed(error: Exception) -> MappingFailure:
            rule, table = _position(error.__traceback__, compiled)
            message, detail = _explain(error, compiled, table)
            made = MappingFailure(
                message,
                mapping=self.name,
                place=compiled.places[rule],
                tenant=self._tenant,
                detail=detail,
            )
            made.__cause__ = error
            return made

        return failed

    def _unreadable(self, error: Exception) -> MappingFailure:
        message, _, path = str(error).partition(" - at `")
        place = ir.Place(path.rstrip("`"), self.program.place.file, 0)
        return MappingFailure(
            "the message is not of its schema", mapping=self.name, place=place,
            tenant=self._tenant, detail=_QUOTED.sub("…", message)[:200],
        )  # fmt: skip


def _position(trace: TracebackType | None, compiled: Compiled) -> tuple[int, int]:
    """Number of the rule, and of the table if a code list was read; -1 for none."""
    while trace is not None and trace.tb_frame.f_code is not compiled.code:
        trace = trace.tb_next
    inner = trace
    while (
        inner is not None
        and inner.tb_next is not None
        and (inner.tb_next.tb_frame.f_code.co_filename == compiled.code.co_filename)
    ):
        inner = inner.tb_next  # a generator inside
    if inner is None:
        return 0, -1
    positions = list(inner.tb_frame.f_code.co_positions())
    _, _, start, end = positions[inner.tb_lasti // 2]
    rule = start or 0
    return rule, (end or 0) - rule - 1


def _explain(error: Exception, compiled: Compiled, table: int) -> tuple[str, str]:
    if isinstance(error, KeyError) and 0 <= table < len(compiled.constants):
        description = compiled.constants[table]
        if description[0] == "table":
            return f"the code list {description[1]} has no entry for the key", str(error.args[0])[
                :60
            ]
    if isinstance(error, BadValue):
        return str(error), error.detail
    if isinstance(error, AttributeError | TypeError):
        return "a value is null or of another type than its schema says", type(error).__name__
    return "the value cannot be converted", type(error).__name__
