"""Cases: inputs with what comes out of them, in a file beside the mapping.

    config: {sales_org: "1010"}            # for all cases; a case may change some
    waived: {branch /City null: "…"}       # what no case has to reach, and why
    cases:
      - name: a person
        in: {…}
        needs: {…}
        out: {…}
      - name: unknown terms
        in: {…}
        fails: {path: /PaymentTerms, code: mapping_failed}

A file may also be the list of cases alone. Money and dates are text; a number with a point keeps
its digits.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import msgspec
import yaml

from gateway.errors import HeadraceError, Misconfigured
from gateway.kit.mapping import mapping as mapped
from gateway.kit.mapping.core import Exact
from gateway.kit.mapping.types import Kind, Type
from gateway.model import codec


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A failure that is wanted.

    Attributes:
        path: Of the target field; of the source field where the message cannot be read.
        code: Of the error; empty for any.
    """

    path: str
    code: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One input and what becomes of it.

    Attributes:
        source: ``in`` in the file, as JSON has it.
        out: The target; None where it fails.
        line: Of the file.
    """

    name: str
    source: Any = msgspec.field(name="in")
    needs: dict[str, Any] = {}
    config: dict[str, Any] = {}
    out: Any = None
    fails: Expected | None = None
    file: str = ""
    line: int = 0


class Cases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cases of one mapping.

    Attributes:
        config: For all cases.
        waived: What no case has to reach (see ``coverage``), and why.
    """

    cases: tuple[Case, ...] = ()
    config: dict[str, Any] = {}
    waived: dict[str, str] = {}

    def values(self) -> dict[str, Any]:
        """A configuration to try the mapping with; that of the first case where all differ."""
        return self.config | (self.cases[0].config if self.cases else {})

    def under(self, other: "Cases") -> "Cases":
        """These with those of an overlay, of which one stands in place of its namesake."""
        named = {case.name: case for case in (*self.cases, *other.cases)}
        return Cases(tuple(named.values()), self.config | other.config, self.waived | other.waived)


def beside(file: Path) -> Path:
    """Where the cases of a mapping or overlay lie."""
    return file.with_name(f"{file.stem}.cases.yaml")


def read(path: Path) -> Cases:
    """The cases of a file; none where there is no file.

    Raises:
        Misconfigured: The file is not of the form above; with its line.
    """
    if not path.exists():
        return Cases()
    loader = Exact(path.read_text(encoding="utf-8"))
    try:
        node = loader.get_single_node()
        content = loader.construct_document(node) if node is not None else []
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise _wrong(path, line, f"not YAML: {getattr(error, 'problem', error)}") from error
    finally:
        loader.dispose()
    whole = {"cases": content} if isinstance(content, list) else content
    if not isinstance(whole, dict) or not isinstance(whole.get("cases", []), list):
        raise _wrong(path, 1, "a list of cases, or a map with cases:")
    lines = _lines(node)
    made = [
        _case(path, line, each) for line, each in zip(lines, whole.get("cases", []), strict=True)
    ]
    try:
        return msgspec.convert({**whole, "cases": made}, Cases)
    except msgspec.ValidationError as error:
        raise _wrong(path, 1, str(error)) from error


def _wrong(path: Path, line: int, message: str) -> Misconfigured:
    return Misconfigured(f"{path}:{line}: {message}", code="cases")


def _lines(node: Any) -> list[int]:
    """The line of each case."""
    if isinstance(node, yaml.MappingNode):
        found = (value for key, value in node.value if key.value == "cases")
        node = next(found, None)
    items = node.value if isinstance(node, yaml.SequenceNode) else []
    return [item.start_mark.line + 1 for item in items]


def _case(path: Path, line: int, content: Any) -> Case:
    try:
        case = msgspec.convert(content, Case)
    except msgspec.ValidationError as error:
        raise _wrong(path, line, str(error)) from error
    if ("out" in content) == (case.fails is not None):
        raise _wrong(path, line, f"{case.name}: write out: or fails:, and only one of them")
    return msgspec.structs.replace(case, file=str(path), line=line)


# Running --------------------------------------------------------------------------------------


class Ends(msgspec.Struct, frozen=True):
    """How the JSON of a case becomes what the hub would hand to the mapping.

    Attributes:
        source: The Struct of the model that it reads; None for a message of a product.
        needs: The types of look-ups.
    """

    source: type[Any] | None = None
    needs: Mapping[str, type[Any] | Type] = {}


class Difference(msgspec.Struct, frozen=True):
    """A value that is not what it should be; None stands for nothing at all.

    Attributes:
        path: In the target, such as ``/Items/0/Sku``; empty for the whole.
    """

    path: str
    expected: Any
    got: Any


def run(
    mapping: mapped.Mapping, ends: Ends, source: Any, needs: Mapping[str, Any] | None = None
) -> Any:
    """The target for JSON, as JSON.

    Raises:
        MappingFailure: A rule failed.
        Misconfigured: The input is none that the hub could have made.
    """
    given = {name: _fetched(ends.needs.get(name), each) for name, each in (needs or {}).items()}
    body = mapped.encode(source)
    if ends.source is None:
        made = mapping.apply_json(body, given or None)
    else:
        made = mapping.apply(_decoded(ends.source, body), *([given] if given else []))
    return plain(made)


def plain(value: Any) -> Any:
    """A value as JSON has it, decimals as text."""
    return msgspec.json.decode(codec.encode(value))


def _decoded(kind: type[Any], body: bytes) -> Any:
    try:
        return codec.decode(body, kind)
    except msgspec.ValidationError as error:
        raise Misconfigured(f"the input is no {kind.__name__}: {error}", code="cases") from error


def _fetched(kind: type[Any] | Type | None, value: Any) -> Any:
    """What a look-up brought, from JSON."""
    if isinstance(kind, Type):
        return _native(kind, value)
    return value if kind is None else _decoded(kind, mapped.encode(value))


def _native(kind: Type, value: Any) -> Any:
    if value is None:
        return None
    if kind.kind is Kind.LIST and kind.item is not None:
        return [_native(kind.item, each) for each in value]
    if kind.shape is not None:
        # Money gives its amount as text.
        money = kind.shape.name == "Money"
        return SimpleNamespace(
            **{
                name: value.get(name) if money else _native(field.type, value.get(name))
                for name, field in kind.shape.fields.items()
            }
        )
    reader = _READERS.get(kind.kind)
    return reader(value) if reader is not None else value


_READERS: Final = {
    Kind.DECIMAL: lambda value: Decimal(str(value)),
    Kind.DATE: dt.date.fromisoformat,
    Kind.INSTANT: dt.datetime.fromisoformat,
    Kind.TIME: dt.time.fromisoformat,
}


def complaints(case: Case, mapping: mapped.Mapping, ends: Ends) -> tuple[Difference, ...]:
    """What is not as the case says, field by field; nothing where it passes."""
    try:
        got = run(mapping, ends, case.source, case.needs)
    except mapped.MappingFailure as failure:
        return tuple(_of_failure(case, failure))
    except HeadraceError as error:
        return (Difference("", plain(case.out), f"{error.message}"),)
    if case.fails is not None:
        return (Difference(case.fails.path, "a failure", got),)
    return tuple(differences(plain(case.out), got))


def _of_failure(case: Case, failure: mapped.MappingFailure) -> Iterator[Difference]:
    if case.fails is None:
        yield Difference(failure.path, plain(case.out), _told(failure))
        return
    if failure.path != case.fails.path:
        yield Difference(case.fails.path, "a failure", f"at {failure.path}: {_told(failure)}")
    if case.fails.code not in {"", failure.code}:
        yield Difference(failure.path, case.fails.code, failure.code)


def _told(failure: mapped.MappingFailure) -> str:
    return f"{failure.message} {failure.detail}".strip()


def differences(expected: Any, got: Any, path: str = "") -> Iterator[Difference]:
    """Where two JSON values differ, in the order of the first."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for name in dict.fromkeys((*expected, *got)):
            here = f"{path}/{name}"
            if name in expected and name in got:
                yield from differences(expected[name], got[name], here)
            else:
                yield Difference(here, expected.get(name), got.get(name))
    elif isinstance(expected, list) and isinstance(got, list):
        for index in range(max(len(expected), len(got))):
            left, right = expected[index : index + 1], got[index : index + 1]
            here = f"{path}/{index}"
            if left and right:
                yield from differences(left[0], right[0], here)
            else:
                yield Difference(here, *(left or [None]), *(right or [None]))
    elif expected != got or isinstance(expected, bool) is not isinstance(got, bool):
        yield Difference(path, expected, got)
