"""Random expressions: trees of the grammar, sensible or not, and rows of tokens.

Source: the grammar of design report "mapping-engine", §5.
"""

import random
from typing import Final

PATHS: Final = (
    "name", "nick", "kind", "number", "amount", "flag", "day", "moment", "items", "box", "box.lid",
    "box.lid.colour", "items.sku", "cfg.label", "cfg.size", "position", "missing", "box.missing",
    "shout", "total",
)  # fmt: skip
LISTS: Final = ("items", "items", "items", "box.parts", "name", "missing")
ITEM_PATHS: Final = ("i.sku", "i.qty", "i.price", "i.note", "i", "i.missing")
TEXTS: Final = ('"a"', "'b'", '""', '"A"', '"ß"', "'{}'", '"red"', "'%s'")
NUMBERS: Final = ("0", "1", "2", "-1", "40", "1000", "1001", "10000000000", 'dec("1.5")', "1.5")
CONVERTERS: Final = (
    "upper", "lower", "strip", "cut({})", "part({}, {})", "fit({})", 'remove("{}")', "zfill({})",
    "unzfill", "text", "isodate", "epoch", "round({})", "amount", 'minor("EUR")', 'major("JPY")',
    "minor(name)", "nonempty", "default({e})", "required", "code(colours)", 'code(colours, "x")',
    "code(missing)", 'date("Europe/Berlin")', "utc", 'join(", ")', "cut", "upper(1)", "nothing",
)  # fmt: skip
SOUP: Final = (
    *PATHS, *ITEM_PATHS, *TEXTS, *NUMBERS, *CONVERTERS,
    *"| | + - * / ** ( ) [ ] { } , . : == != < >= in not and or if else for i lambda".split(),
    *"await yield := = @ # \\ f f\" \" ' __class__ () is None True … ｎ 0x 1e9 sum( has(".split(),
    "\n", "\x00",
)  # fmt: skip


class Grammar:
    """Expressions of the grammar; whether their types fit is left to chance."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._pick = chance.choice

    def text(self) -> str:
        """The next expression; every eighth is a row of tokens."""
        if self._chance.random() < 0.125:
            return " ".join(self._chance.choices(SOUP, k=self._chance.randint(1, 24)))
        return self.expression(self._chance.randint(1, 5))

    def expression(self, depth: int) -> str:
        """EXPR."""
        pipe = self.pipe(depth)
        if depth > 1 and self._chance.random() < 0.2:
            return f"{pipe} if {self.condition(depth - 1)} else {self.expression(depth - 1)}"
        return pipe

    def pipe(self, depth: int) -> str:
        """PIPE."""
        steps = self._chance.choices((0, 1, 2, 4), (4, 3, 2, 1))[0]
        return " | ".join([self.sum(depth), *(self._converter(depth) for _ in range(steps))])

    def sum(self, depth: int) -> str:
        """SUM."""
        terms = self._chance.choices((1, 2, 3), (8, 2, 1))[0]
        text = self._pick(("", "", "", "-")) + self.atom(depth)
        for _ in range(terms - 1):
            text += f" {self._pick('+-*')} {self.atom(depth)}"
        return text

    def atom(self, depth: int) -> str:
        """ATOM."""
        if depth <= 1:
            return self._pick((self._pick(PATHS), self._pick(TEXTS), self._pick(NUMBERS)))
        kind = self._chance.randrange(9)
        if kind == 0:
            return f"({self.expression(depth - 1)})"
        if kind == 1:
            return self._template(depth - 1)
        if kind == 2:
            return self._comprehension(depth - 1)
        if kind == 3:
            return f"{self._pick(('count', 'sum', 'has', 'first', 'any'))}({self._pick(PATHS)})"
        return self.atom(1)

    def condition(self, depth: int) -> str:
        """COND."""
        kind = self._chance.randrange(7) if depth > 0 else 0
        if kind == 1:
            return f"not {self.condition(depth - 1)}"
        if kind == 2:
            word = self._pick(("and", "or"))
            return f"({self.condition(depth - 1)} {word} {self.condition(depth - 1)})"
        if kind == 3:
            texts = ", ".join(self._chance.choices(TEXTS, k=self._chance.randint(1, 3)))
            return f"{self.pipe(1)} {self._pick(('in', 'not in'))} ({texts},)"
        if kind == 4:
            return self._pick(("flag", "True", "False", 'name == "Ada"'))
        if kind == 5:
            return f"{self.pipe(1)} {self._pick(('==', '!=', '<', '<=', '>', '>='))} {self.pipe(1)}"
        return f"has({self._pick(PATHS)})"

    def _template(self, depth: int) -> str:
        pieces = [self._pick(("x", "-", "{{", "}}", " ")), f"{{{self.pipe(depth)}}}"]
        self._chance.shuffle(pieces)
        return f"f{self._quote(''.join(pieces))}"

    def _quote(self, text: str) -> str:
        quote = "'" if '"' in text else '"'
        return f"{quote}{text}{quote}"

    def _comprehension(self, depth: int) -> str:
        function = self._pick(("sum", "first", "any", "count"))
        item = self._pick((*ITEM_PATHS, self.expression(min(depth, 2))))
        where = f" if {self.condition(depth - 1)}" if self._chance.random() < 0.3 else ""
        return f"{function}({item} for i in {self._pick(LISTS)}{where})"

    def _converter(self, depth: int) -> str:
        text = self._pick(CONVERTERS)
        while "{}" in text:
            text = text.replace("{}", str(self._pick((0, 1, 3, 10, 40, 1000, 1001, -1))), 1)
        return text.replace("{e}", self.atom(depth - 1)) if "{e}" in text else text
