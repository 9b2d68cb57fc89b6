"""Random inputs that a JSON schema allows, many of them at its edges.

    generator = Inputs(schema, random.Random(seed), likely={"customer.addresses[].country": …})
    value = generator.value()

Texts have the lengths at their limits and characters that grow, combine or turn around; numbers,
days and instants stand where something changes: leap days, zone changes, the first and last day.
"""

import json
import os
import random
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

DEPTH: Final = 12
# Each stands for a way in which text surprises: capitals that are longer or shorter, combining
# marks, right to left, beyond 16 bits, joiners, spaces that are none, what JSON and XML escape.
CHARACTERS: Final = (
    *"aZ9 ,;&<>\"'\\/{}$%-+_.:",
    *"ßẞİıŉǰΐﬁÅöüÇñ",
    *"e\u0301 \u0308 \u202e \u200d \u00a0 \u2028 \ufeff".split(" "),
    *"אבجد中文ก",
    *"😀\U0001d11e\U0010ffff",
    *"\t\n\r\x00\x1f\x7f",
)
TEXTS: Final = (
    "ßßßßßßßßßßßßßßßßßßßß",
    "İstanbul ıiIİ",
    "e\u0301\u0308o\u0302",
    "\u202eתוירבע\u202c",
    "null",
    "0",
    "-12",
    "+7",
    "0012",
    " ",
    "   padded   ",
    "__class__",
    "{0.__class__}",
    "%s%n",
    "/Date(0)/",
)
DECIMALS: Final = (
    "0.00",
    "0",
    "-0.00",
    "0.01",
    "-0.01",
    "0.10",
    "1",
    "9999999999999.99",
    "-9999999999999.99",
    "1000000.00",
)
DAYS: Final = (
    "1970-01-01",
    "1969-12-31",
    "2000-02-29",
    "2024-02-29",
    "1900-02-28",
    "1900-03-01",
    "2026-03-29",
    "2026-10-25",
    "2026-12-31",
    "0001-01-01",
    "9999-12-31",
)
# Seconds: the epoch, 2038, both changes of the German clock in 2026, a leap day's last second, the
# first and the last second that have a date, and one that has none.
MOMENTS: Final = (
    0,
    -1,
    2_147_483_647,
    2_147_483_648,
    1_774_746_000,
    1_774_745_999,
    1_792_890_000,
    1_709_251_199,
    -62_135_596_800,
    253_402_300_799,
    253_402_300_800,
)
_CLASS: Final = re.compile(r"\[([^\]]+)\](?:\{(\d+)(?:,(\d+))?\})?")


def seed() -> int:
    """The seed of this run: HEADRACE_SEED, or always the same in CI, or a new one; printed."""
    given = os.environ.get("HEADRACE_SEED")
    fixed = 20261122 if os.environ.get("CI") else random.SystemRandom().randrange(2**32)
    chosen = int(given) if given else fixed
    print(f"HEADRACE_SEED={chosen}")
    return chosen


class Inputs:
    """Values of one schema.

    Attributes:
        schema: A JSON schema; references are to its own ``$defs`` or ``components``.
        likely: Path to values that stand there nine times of ten (``lines[].tax_code``), because
            other values only ever lead to the same refusal.
        noise: Add fields that the schema does not name; a reader has to step over them.
    """

    def __init__(
        self,
        schema: Mapping[str, Any],
        chance: random.Random,
        *,
        likely: Mapping[str, Sequence[Any]] | None = None,
        noise: bool = False,
    ) -> None:
        self._root = schema
        self._chance = chance
        self._likely = likely or {}
        self._noise = noise

    def value(self, schema: Mapping[str, Any] | None = None) -> Any:
        """The next value."""
        return self._value(self._root if schema is None else schema, "", 0)

    def encoded(self) -> bytes:
        """The next value as JSON, written in one of the ways that JSON can be written."""
        return encode(self.value(), self._chance)

    def _value(self, schema: Mapping[str, Any], path: str, depth: int) -> Any:
        if depth > DEPTH:
            raise RecursionError(f"the schema is deeper than {DEPTH} at {path}")
        if (likely := self._likely.get(path)) and self._chance.random() < 0.9:
            return self._chance.choice(likely)
        if "$ref" in schema:
            return self._value(self._definition(schema["$ref"]), path, depth + 1)
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            return self._value(self._chance.choice(choices), path, depth + 1)
        if "enum" in schema or "const" in schema:
            return self._chance.choice(schema.get("enum") or [schema["const"]])
        return self._typed(schema, path, depth)

    def _typed(self, schema: Mapping[str, Any], path: str, depth: int) -> Any:
        kind = schema["type"]
        if kind == "object":
            return self._object(schema, path, depth)
        if kind == "array":
            some = self._count(schema)
            return [self._value(schema["items"], f"{path}[]", depth + 1) for _ in range(some)]
        return {
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": lambda _: self._chance.random() < 0.5,
            "null": lambda _: None,
        }[kind](schema)

    def _definition(self, reference: str) -> Mapping[str, Any]:
        found: Any = self._root
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        return found  # type: ignore[no-any-return] # JSON

    def _object(self, schema: Mapping[str, Any], path: str, depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        names = [
            name
            for name in schema.get("properties", {})
            if name in required or self._chance.random() < 0.75
        ]
        self._chance.shuffle(names)  # no reader may count on an order
        found = {
            name: self._value(
                schema["properties"][name], f"{path}.{name}" if path else name, depth + 1
            )
            for name in names
        }
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict):
            found |= {f"key{n}": self._value(extra, f"{path}.*", depth + 1) for n in range(2)}
        elif extra is not False and self._noise and self._chance.random() < 0.3:
            found[f"x_{self._chance.randrange(10)}"] = self._chance.choice(
                [None, [], {"a": [{"b": None}]}, "…", 1.5, [[[]]], {"id": 7}]
            )
        return found

    def _count(self, schema: Mapping[str, Any]) -> int:
        least, most = schema.get("minItems", 0), schema.get("maxItems", 60)
        count = self._chance.choices((0, 1, 2, 3, 8, 60), (3, 8, 5, 4, 3, 1))[0]
        return int(min(max(count, least), most))

    def _string(self, schema: Mapping[str, Any]) -> str:
        form = schema.get("format")
        if form == "date":
            return self._day()
        if form == "decimal":
            return self._decimal(schema)
        if pattern := schema.get("pattern"):
            return self._matching(pattern, schema.get("maxLength"))
        return self._text(schema.get("minLength", 0), schema.get("maxLength", 60))

    def _text(self, least: int, most: int) -> str:
        if self._chance.random() < 0.2:
            text = self._chance.choice(TEXTS)[:most]
            if len(text) >= least:
                return text
        edges = (least, min(least + 1, most), most, most, self._chance.randint(least, most))
        length = self._chance.choice(edges)
        return "".join(self._chance.choices(CHARACTERS, k=length))[:length]

    def _matching(self, pattern: str, most: int | None) -> str:
        """A text of a pattern that is a row of ``[…]{n,m}``; others are not used here."""
        if not re.fullmatch(rf"\^(?:{_CLASS.pattern})+\$", pattern):
            raise ValueError(f"cannot make a text for {pattern}")
        text = ""
        for characters, low, high in _CLASS.findall(pattern):
            lengths = int(low or 1), int(high or low or 1)
            length = self._chance.choice((*lengths, self._chance.randint(*lengths)))
            text += "".join(self._chance.choices(_members(characters), k=length))
        return text[:most]

    def _decimal(self, schema: Mapping[str, Any]) -> str:
        if self._chance.random() < 0.4:
            return self._chance.choice(DECIMALS)
        decimals = schema.get("x-scale", 2)
        digits = self._chance.choice((3, 5, 8, schema.get("x-precision", 15)))
        minor = self._chance.randrange(10**digits)
        sign = self._chance.choice(("", "", "-"))
        return f"{sign}{minor // 10**decimals}.{minor % 10**decimals:0{decimals}}"

    def _day(self) -> str:
        if self._chance.random() < 0.4:
            return self._chance.choice(DAYS)
        return (date(1900, 1, 1) + timedelta(self._chance.randrange(80_000))).isoformat()

    def _integer(self, schema: Mapping[str, Any]) -> int:
        if schema.get("format") == "unix-time":
            if self._chance.random() < 0.4:
                return self._chance.choice(MOMENTS)
            return self._chance.randrange(2**32)
        least, most = schema.get("minimum", -(2**53)), schema.get("maximum", 2**53)
        zero = max(least, min(0, most))
        edges = (least, least + 1, most, most - 1, zero, self._chance.randint(least, most))
        return int(self._chance.choice(edges))

    def _number(self, schema: Mapping[str, Any]) -> float:
        least, most = schema.get("minimum", -1e15), schema.get("maximum", 1e15)
        return float(self._chance.choice((least, most, self._chance.uniform(least, most))))


def encode(value: Any, chance: random.Random) -> bytes:
    """Value as JSON: with or without escapes, spaces and line ends."""
    return json.dumps(
        value, ensure_ascii=chance.random() < 0.5, indent=chance.choice((None, None, 2))
    ).encode()


def _members(characters: str) -> str:
    """All characters of ``A-Z0-9``."""
    return "".join(
        "".join(map(chr, range(ord(first), ord(last or first) + 1)))
        for first, last in re.findall(r"(.)(?:-(.))?", characters)
    )
