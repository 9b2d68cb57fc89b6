"""Hostile text becomes findings: it never runs, never crashes and never takes long."""

import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import pytest
from msgspec import Meta

from gateway.errors import HeadraceError
from gateway.kit import mapping
from gateway.kit.mapping.findings import Severity
from gateway.kit.mapping.schemas import Schemas
from tests.mappings.adversarial import (
    DOCUMENTS,
    HARMLESS,
    LARGE,
    NAMES,
    REFUSED,
    VALUES,
    expressions,
    quoted,
)
from tests.mappings.fuzz import Grammar
from tests.mappings.inputs import seed

LIMIT_S: Final = 0.05
FIELDS: Final = 40
# What nobody who only reads the source would do. The engine itself compiles and makes functions.
FORBIDDEN: Final = (
    "builtins.breakpoint",
    "builtins.input",
    "ctypes.",
    "ftplib.",
    "glob.",
    "http.",
    "import",
    "marshal.",
    "object.__getattr__",
    "object.__setattr__",
    "open",
    "os.",
    "pathlib.",
    "pickle.",
    "shutil.",
    "signal.",
    "smtplib.",
    "socket.",
    "sqlite3.",
    "subprocess.",
    "tempfile.",
    "urllib.",
    "webbrowser.",
)
# The engine asks a traceback for the rule that failed.
WHERE_IT_FAILED: Final = (("tb_frame",), ("f_code",))
# What an object of the interpreter shows when it is made text.
LEAKS: Final = ("<class", "<function", "<built-in", "<bound", "object at 0x", "Struct", "Traceback")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One of several."""

    sku: Annotated[str, Meta(max_length=20)]
    qty: Annotated[int, Meta(ge=0, le=1000)]
    price: Decimal
    note: Annotated[str, Meta(max_length=10)] | None = None


class Lid(msgspec.Struct, frozen=True, kw_only=True):
    """Of a box."""

    colour: Annotated[str, Meta(max_length=10)]


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """There may be none."""

    lid: Lid | None = None
    parts: list[Part] = []


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What the mappings of this file read."""

    name: Annotated[str, Meta(max_length=20)]
    kind: Annotated[str, Meta(max_length=5)]
    number: Annotated[int, Meta(ge=0, le=1000)]
    amount: Decimal
    flag: bool
    day: date
    moment: datetime
    items: list[Part]
    nick: Annotated[str, Meta(max_length=20)] | None = None
    box: Box | None = None


SOURCE: Final = Source(
    name="Ada",
    kind="red",
    number=7,
    amount=Decimal("12.50"),
    flag=True,
    day=date(2024, 2, 29),
    moment=datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    items=[Part(sku="a", qty=2, price=Decimal("1.25")), Part(sku="b", qty=1, price=Decimal(0))],
    box=Box(lid=Lid(colour="red")),
)
TEXT: Final = {"type": "string", "maxLength": 200}
TARGET: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "text": TEXT,
        **{f"t{number}": TEXT for number in range(FIELDS)},
        **{f"n{number}": {"type": "integer"} for number in range(FIELDS)},
        **{f"b{number}": {"type": "boolean"} for number in range(FIELDS)},
        "parts": {
            "type": "array",
            "items": {"type": "object", "properties": {"sku": TEXT, "qty": {"type": "integer"}}},
        },
    },
    "additionalProperties": False,
}
HEAD: Final = "mapping: hostile\nversion: 1.0.0\nfrom: schema:Source\nto: schema:Target\n"
TABLES: Final = (
    "config: {label: str(10), size: int}\ncodes: {colours: {red: R, blue: B}}\n"
    "let: {shout: name | upper, total: sum(i.qty for i in items)}\n"
)
CONFIG: Final = {"label": "L", "size": 3}
CLEAN: Final = f"{HEAD}fields: {{text: name}}\n"

events: list[str] = []
watching = False


def note(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what the interpreter says is done while a mapping is checked or applied."""
    if watching and event.startswith(FORBIDDEN) and arguments[1:] not in WHERE_IT_FAILED:
        events.append(f"{event} {str(arguments)[:80]}")


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Schemas]:
    """Both ends, and everything imported that a check imports when it first needs it."""
    known = both_ends(tmp_path_factory.mktemp("schemas"))
    probe(
        f"{HEAD}{TABLES}fields: {{textt: nam | uper, text: moment | date('Europe/Berlin')}}", known
    )
    assert [] != probe(CLEAN, known)
    sys.addaudithook(note)
    yield known
    events.clear()


def both_ends(folder: Path) -> Schemas:
    """The resolver of two files that are written here."""
    (folder / "Source.schema.json").write_text(json.dumps(msgspec.json.schema(Source)))
    (folder / "Target.schema.json").write_text(json.dumps(TARGET))
    return Schemas(
        {
            "schema:Source": folder / "Source.schema.json",
            "schema:Target": folder / "Target.schema.json",
        }
    )


def probe(text: str, schemas: Schemas, *overlays: str, config: object = CONFIG) -> Any:
    """What comes of a mapping: ``None`` for findings with an error, else its target.

    Anything that is raised but a refusal of data, and any target that is not plain, fails.
    """
    documents = tuple(mapping.parse(o, file=f"overlay{n}.yaml") for n, o in enumerate(overlays))
    document = mapping.parse(text, file="hostile.yaml")
    result = mapping.check(document, schemas, config=config, overlays=documents)
    if result.mapping is None or any(f.severity is Severity.ERROR for f in result.findings):
        assert any(finding.severity is Severity.ERROR for finding in result.findings)
        return None
    try:
        target = result.mapping.apply(SOURCE)
    except HeadraceError:
        return {}
    assert plain(target), target
    return target


def plain(value: Any) -> bool:
    """Text, numbers and containers only, and none of them shows an object of the interpreter."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and plain(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(plain, value))
    if isinstance(value, str):
        return len(value) < 100_000 and not any(leak in value for leak in LEAKS)
    return value is None or isinstance(value, int | Decimal)


def watched(text: str, schemas: Schemas, *overlays: str, config: object = CONFIG) -> Any:
    """``probe`` with the interpreter's eyes open and a clock; the quickest of three counts."""
    global watching  # noqa: PLW0603 - a hook of the interpreter has no other way to be told
    events.clear()
    for attempt in range(3):
        started = time.process_time()
        watching = True
        try:
            outcome = probe(text, schemas, *overlays, config=config)
        finally:
            watching = False
        if (took := time.process_time() - started) <= LIMIT_S or attempt == 2:
            break
    assert [] == events
    assert took <= LIMIT_S
    return outcome


# Some make sense as a condition or a list.
SENSIBLE: Final = {
    ("when", "True"),
    ("when", "name in ()"),
    ("let", "-1"),
    ("let", "0"),
    ("let", "1"),
}
EXPRESSIONS: Final = tuple(expressions())
PLACES: Final = {
    "field": f"{HEAD}{TABLES}fields: {{text: %s}}\n",
    "value": f"{HEAD}{TABLES}fields: {{text: {{value: %s}}}}\n",
    "let": f"{HEAD}{TABLES}  \nfields: {{text: hostile}}\n".replace(
        "let: {", "let: {hostile: %s, "
    ),
    "when": f"{HEAD}{TABLES}fields: {{parts: [{{when: %s, fields: {{sku: name}}}}]}}\n",
    "each": f"{HEAD}{TABLES}fields: {{parts: {{each: %s, fields: {{sku: name}}}}}}\n",
    "item": f"{HEAD}{TABLES}fields: {{parts: {{each: items as i, fields: {{sku: %s}}}}}}\n",
}


@pytest.mark.parametrize(
    "expression", [text for _, text in EXPRESSIONS], ids=[name for name, _ in EXPRESSIONS]
)
def test_hostile_expression_is_refused(expression: str, schemas: Schemas) -> None:
    """An expression that leaves the grammar or the schemas is a finding, wherever it stands."""
    taken = [
        place
        for place, text in PLACES.items()
        if watched(text.replace("%s", quoted(expression)), schemas) is not None
    ]

    assert [place for place in taken if (place, expression) not in SENSIBLE] == []


@pytest.mark.parametrize("expression", HARMLESS)
def test_odd_expression_means_what_it_says(expression: str, schemas: Schemas) -> None:
    """Text that only looks dangerous stays text."""
    text = PLACES["field"].replace("%s", quoted(expression))

    assert {"text": HARMLESS[expression]} == watched(text, schemas)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_hostile_name_reaches_nothing(name: str, schemas: Schemas) -> None:
    """A name that hides something, or is none, leaves no trace where an author may choose one."""
    key = quoted(name)
    loop = quoted(f"items as {name}")
    for text in (
        f"{HEAD}fields: {{text: name, {key}: name}}\n",
        f"{HEAD}let: {{{key}: name}}\nfields: {{text: name}}\n",
        f"{HEAD}codes: {{{key}: {{red: R}}}}\nfields: {{text: name}}\n",
        f"{HEAD}codes: {{a: {{{key}: R}}}}\nfields: {{text: 'kind | code(a, \"x\")'}}\n",
        f"{HEAD}config: {{{key}: int}}\nfields: {{text: name}}\n",
        f"{HEAD}needs: {{{key}: schema:Source}}\nfields: {{text: name}}\n",
        f"{HEAD}fields: {{parts: {{each: {loop}, fields: {{sku: name}}}}}}\n",
        f"{HEAD}fields: {{parts: [{{id: {key}, fields: {{sku: name}}}}]}}\n",
        f"{HEAD}{key}: name\nfields: {{text: name}}\n",
        CLEAN.replace("hostile", key),
        CLEAN.replace("schema:Source", quoted(f"schema:{name}")),
    ):
        outcome = watched(text, schemas)

        assert outcome is None or outcome.keys() <= {"text", "parts"}


@pytest.mark.parametrize("value", VALUES, ids=lambda value: ascii(value[:40]))
def test_hostile_value_reaches_nothing(value: str, schemas: Schemas) -> None:
    """YAML of any kind where a scalar is expected is taken as text or refused."""
    for text in (
        f"{HEAD}fields:\n  text: {value}\n",
        f"{HEAD}fields:\n  text:\n   const: {value}\n",
        f"{HEAD}codes:\n  a: {value}\nfields: {{text: 'kind | code(a)'}}\n",
        f"{HEAD}codes:\n  a:\n   red: {value}\nfields: {{text: 'kind | code(a, \"x\")'}}\n",
        f"{HEAD}config:\n  a: {value}\nfields: {{text: name}}\n",
        f"{HEAD}let:\n  a: {value}\nfields: {{text: a}}\n",
        f"{HEAD}fields:\n  text:\n   value: name\n   allow: {value}\n",
        f"{HEAD}fields: {{text: name}}\nunused: {value}\n",
        f"{HEAD}fields: {{text: name}}\nreversible: {value}\n",
        f"mapping: {value}\nversion: {value}\nfrom: {value}\nto: {value}\nfields: {{text: name}}\n",
    ):
        outcome = watched(text, schemas)

        assert outcome is None or outcome.keys() <= {"text"}


@pytest.mark.parametrize(("name", "build"), DOCUMENTS, ids=[name for name, _ in DOCUMENTS])
def test_hostile_document_is_refused(name: str, build: Any, schemas: Schemas) -> None:
    """A file that is no mapping, or too much of one, is refused with findings."""
    assert watched(build(), schemas) is None


@pytest.mark.parametrize("name", ["expression", "document", "value"])
def test_hostile_overlay_is_refused(name: str, schemas: Schemas) -> None:
    """What a tenant lays over a clean mapping is held to the same rules."""
    rows: Sequence[str] = {
        "expression": [f"fields: {{text: {quoted(text)}}}\n" for _, text in EXPRESSIONS],
        "document": [build().replace(HEAD, "") for _, build in DOCUMENTS],
        "value": [f"fields:\n  text: {value}\n" for value in VALUES if value.startswith("!!py")],
    }[name]
    for row in rows:
        overlay = row if "mapping:" in row else f"extends: hostile@1\n{row}"

        assert watched(CLEAN, schemas, overlay) is None, ascii(overlay[:200])


@pytest.mark.parametrize(
    "value",
    [
        None, 1, 1.5, True, [], {}, "x" * 11, "\x00" * 11, "\ud800" * 11, b"bytes", object(), str,
        open, float("nan"), Decimal("NaN"), 10**5000, ["x"], {"__class__": "x"}, {1: 2}, SOURCE,
        lambda: 1,
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_hostile_config_is_refused(value: Any, schemas: Schemas) -> None:
    """A tenant parameter that is not what the mapping declared stops the load."""
    text = f"{HEAD}config: {{label: str(10)}}\nfields: {{text: cfg.label}}\n"

    assert watched(text, schemas, config={"label": value}) is None


def test_random_expressions_reach_nothing(schemas: Schemas) -> None:
    """Random trees of the grammar and rows of tokens give findings or plain values.

    HEADRACE_FUZZ says how many; a night run takes a million.
    """
    count, chance = int(os.environ.get("HEADRACE_FUZZ", "2000")), random.Random(seed())
    grammar, accepted = Grammar(chance), 0
    for _ in range(count):
        expression = grammar.text()
        kind = chance.choice("tnb")
        text = f"{HEAD}{TABLES}fields: {{{kind}0: {quoted(expression)}}}\n"
        try:
            outcome = watched(text, schemas)
        except BaseException as error:
            error.add_note(f"expression: {expression!r}")
            raise
        accepted += outcome is not None
    print(f"{accepted} of {count} accepted")

    assert 0.01 * count < accepted < 0.9 * count


def test_there_are_enough_payloads() -> None:
    """The set does not shrink unnoticed."""
    assert len({*REFUSED, *NAMES, *VALUES, *HARMLESS}) + len(LARGE) + len(DOCUMENTS) >= 200
