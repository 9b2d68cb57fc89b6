"""Random expressions that make sense, each with what it means, told a second time in Python.

    text, means = Meanings(random.Random(1)).text(3)
    means(source)  # what the engine has to give for the text

They are about the source, configuration and code list of ``test_adversarial``.
"""

import random
import re
from collections.abc import Callable
from typing import Any, Final

Means = Callable[[Any], Any]
Made = tuple[str, Means]

COLOURS: Final = {"red": "R", "blue": "B"}
TEXTS: Final = ("", "a", "A", "ß", "red", "Ada", "{}", "%s", "ǆ")


def through(inner: Means, function: Callable[[Any], Any]) -> Means:
    """A converter: null in, null out."""

    def means(source: Any) -> Any:
        value = inner(source)
        return None if value is None else function(value)

    return means


def lid_colour(source: Any) -> str | None:
    """A path over two objects that may be missing."""
    box = source.box
    return None if box is None or box.lid is None else box.lid.colour


def padded(text: str, size: int) -> str:
    """What SAP's ALPHA does: only digits get zeros."""
    digits = text.strip(" ")
    return digits.zfill(size) if re.fullmatch("[0-9]+", digits) else text


class Meanings:
    """Expressions of a kind, with their meaning."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._pick = chance.choice

    def of(self, kind: str, depth: int) -> Made:
        """Of kind ``t``, ``n`` or ``b``: text, whole number, truth value."""
        return {"t": self.text, "n": self.number, "b": self.truth}[kind](depth)

    def text(self, depth: int) -> Made:
        """Text or null."""
        if depth <= 0:
            return self._some_text()
        kind = self._chance.randrange(10)
        if kind == 0:
            return self._choice(self.text(depth - 1), depth)
        if kind == 1:
            return self._template(depth - 1)
        if kind == 2:
            text, means = self.number(depth - 1)
            return f"({text}) | text", through(means, str)
        if kind == 3:
            return self._first(depth - 1)
        return self._converted(self.text(depth - 1), depth)

    def number(self, depth: int) -> Made:
        """Whole numbers, never null."""
        if depth <= 0:
            return self._some_number()
        kind = self._chance.randrange(6)
        if kind == 0:
            return self._choice(self.number(depth - 1), depth, self.number)
        if kind == 1:
            text, means = self.number(depth - 1)
            return f"-({text})", lambda source: -means(source)
        if kind == 2:
            return self._sum(depth - 1)
        if kind == 3:
            return self._count(depth - 1)
        return self._arithmetic(depth)

    def truth(self, depth: int) -> Made:
        """Conditions."""
        leaves = (self._flag, self._has, self._any)
        if depth <= 0:
            return self._pick(leaves)()
        nodes = (self._negated, self._joined, self._member, self._compared)
        return self._pick(leaves)() if self._chance.random() < 0.4 else self._pick(nodes)(depth)

    def _flag(self) -> Made:
        return "flag", lambda source: source.flag

    def _has(self) -> Made:
        name = self._pick(("nick", "box", "items"))
        return f"has({name})", lambda source: getattr(source, name) not in (None, [])

    def _negated(self, depth: int) -> Made:
        text, means = self.truth(depth - 1)
        return f"not ({text})", lambda source: not means(source)

    def _some_text(self) -> Made:
        kind = self._chance.randrange(8)
        if kind < 3:
            name = self._pick(("name", "kind", "nick"))
            return name, lambda source: getattr(source, name)
        if kind == 3:
            return "shout", lambda source: source.name.upper()
        if kind == 4:
            return "cfg.label", lambda _: "L"
        if kind == 5:
            return "box.lid.colour", lid_colour
        constant = self._pick(TEXTS)
        return f'"{constant}"', lambda _: constant

    def _some_number(self) -> Made:
        kind = self._chance.randrange(5)
        if kind == 0:
            return "number", lambda source: source.number
        if kind == 1:
            return "cfg.size", lambda _: 3
        if kind == 2:
            return "total", lambda source: sum(i.qty for i in source.items)
        if kind == 3:
            return "count(items)", lambda source: len(source.items)
        constant = self._pick((0, 1, 2, 7, 999))
        return str(constant), lambda _: constant

    def _choice(self, one: Made, depth: int, kind: Callable[[int], Made] | None = None) -> Made:
        (left, means_left), (right, means_right) = one, (kind or self.text)(depth - 1)
        asked, means_asked = self.truth(depth - 1)

        def means(source: Any) -> Any:
            return means_left(source) if means_asked(source) else means_right(source)

        return f"(({left}) if {asked} else ({right}))", means

    def _template(self, depth: int) -> Made:
        """A template may not have null in it."""
        text, means = self.text(depth)
        if '"' in text:
            return self._some_text()
        left, right = self._pick((("", ""), ("<", ">"), ("{{", "}}"), ("%", " ")))
        shown = [left.replace("{{", "{"), right.replace("}}", "}")]
        whole = f'f"{left}{{({text}) | default(name)}}{right}"'

        def filled(source: Any) -> str:
            value = means(source)
            return shown[0] + (source.name if value is None else value) + shown[1]

        return whole, filled

    def _converted(self, one: Made, depth: int) -> Made:
        text, means = one
        low, high = sorted(self._chance.sample(range(30), 2))
        piece = self._pick(("a", "A", " ", "ad"))
        steps: tuple[tuple[str, Callable[[Any], Any]], ...] = (
            ("upper", str.upper),
            ("lower", str.lower),
            ("strip", str.strip),
            (f"cut({high})", lambda value: value[:high]),
            (f"part({low}, {high})", lambda value: value[low:high]),
            (f'remove("{piece}")', lambda value: value.replace(piece, "")),
            (f"zfill({high})", lambda value: padded(value, high)),
            ("nonempty", lambda value: value or None),
            ('code(colours, "x")', lambda value: COLOURS.get(value, "x")),
        )
        if self._chance.random() < 0.2:
            other, means_other = self.text(depth - 1)

            def instead(source: Any) -> Any:
                value = means(source)
                return means_other(source) if value is None else value

            return f"({text}) | default({other})", instead
        step, function = self._pick(steps)
        return f"({text}) | {step}", through(means, function)

    def _first(self, depth: int) -> Made:
        where, holds = self._where(depth)

        def means(source: Any) -> str | None:
            return next((i.sku for i in source.items if holds(i)), None)

        return f"first(i.sku for i in items{where})", means

    def _where(self, depth: int) -> tuple[str, Callable[[Any], bool]]:
        """A condition on an item, or none."""
        least = self._chance.randrange(4)
        return self._pick(
            (
                ("", lambda _: True),
                (f" if i.qty >= {least}", lambda i: i.qty >= least),
                (' if i.sku == "a"', lambda i: i.sku == "a"),
                (" if has(i.note)", lambda i: i.note is not None),
                (
                    f" if i.qty < {least} or has(i.note)",
                    lambda i: i.qty < least or i.note is not None,
                ),
            )[: 5 if depth >= 0 else 1]
        )

    def _sum(self, depth: int) -> Made:
        where, holds = self._where(depth)
        factor = self._pick((1, 2, 3))
        return (
            f"sum(i.qty * {factor} for i in items{where})",
            lambda source: sum(i.qty * factor for i in source.items if holds(i)),
        )

    def _count(self, depth: int) -> Made:
        where, holds = self._where(depth)
        return (
            f"count(i for i in items{where})",
            lambda source: sum(1 for i in source.items if holds(i)),
        )

    def _any(self) -> Made:
        least = self._chance.randrange(4)
        return (
            f"any(i.qty > {least} for i in items)",
            lambda source: any(i.qty > least for i in source.items),
        )

    def _arithmetic(self, depth: int) -> Made:
        (left, a), (right, b) = self.number(depth - 1), self.number(depth - 1)
        sign, function = self._pick(
            (
                ("+", lambda source: a(source) + b(source)),
                ("-", lambda source: a(source) - b(source)),
                ("*", lambda source: a(source) * b(source)),
            )
        )
        return f"({left}) {sign} ({right})", function

    def _joined(self, depth: int) -> Made:
        (left, a), (right, b) = self.truth(depth - 1), self.truth(depth - 1)
        if self._chance.random() < 0.5:
            return f"(({left}) and ({right}))", lambda source: a(source) and b(source)
        return f"(({left}) or ({right}))", lambda source: a(source) or b(source)

    def _member(self, depth: int) -> Made:
        text, means = self.text(depth - 1)
        texts = tuple(self._chance.sample(TEXTS, 3))
        shown = ", ".join(f'"{one}"' for one in texts)
        if self._chance.random() < 0.5:
            return f"({text}) in ({shown})", lambda source: means(source) in texts
        return f"({text}) not in ({shown})", lambda source: means(source) not in texts

    def _compared(self, depth: int) -> Made:
        (left, a), (right, b) = self.number(depth - 1), self.number(depth - 1)
        sign, function = self._pick(
            (
                ("==", lambda source: a(source) == b(source)),
                ("!=", lambda source: a(source) != b(source)),
                ("<", lambda source: a(source) < b(source)),
                ("<=", lambda source: a(source) <= b(source)),
                (">", lambda source: a(source) > b(source)),
                (">=", lambda source: a(source) >= b(source)),
            )
        )
        return f"({left}) {sign} ({right})", function
