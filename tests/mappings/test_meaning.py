"""An expression means what the grammar says, told a second time by another author."""

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from gateway.errors import HeadraceError
from gateway.kit import mapping
from tests.mappings.adversarial import quoted
from tests.mappings.inputs import CHARACTERS, seed
from tests.mappings.meaning import Meanings
from tests.mappings.test_adversarial import CONFIG, HEAD, TABLES, Box, Lid, Part, Source, both_ends

EXPRESSIONS = 600


def source(chance: random.Random) -> Source:
    """Any source, small and often without what may be missing."""
    name = "".join(chance.choices(CHARACTERS, k=chance.randrange(8)))[:8]
    parts = [
        Part(
            sku=chance.choice(("a", "b", "", "ß")),
            qty=chance.randrange(5),
            price=Decimal(0),
            note=chance.choice((None, "x")),
        )
        for _ in range(chance.randrange(4))
    ]
    return Source(
        name=chance.choice(("Ada", " ada ", name)),
        kind=chance.choice(("red", "blue", "")),
        number=chance.randrange(1001),
        amount=Decimal("12.50"),
        flag=chance.random() < 0.5,
        day=date(2024, 2, 29),
        moment=datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        items=parts,
        nick=chance.choice((None, "", "A", name)),
        box=chance.choice((None, Box(), Box(lid=Lid(colour="red")))),
    )


def test_random_expressions_mean_what_the_grammar_says(tmp_path: Path) -> None:
    """For each expression that passes the check, all sources give what Python gives."""
    chance = random.Random(seed())
    schemas, meanings, accepted = both_ends(tmp_path), Meanings(chance), 0
    for _ in range(EXPRESSIONS):
        kind = chance.choice("tnb")
        expression, means = meanings.of(kind, chance.randrange(4))
        text = f"{HEAD}{TABLES}fields: {{{kind}0: {quoted(expression)}}}\n"
        document = mapping.parse(text, file="random.yaml")
        result = mapping.check(document, schemas, config=CONFIG)
        if result.mapping is None:
            continue
        accepted += 1
        for one in (source(chance) for _ in range(8)):
            value = means(one)
            try:
                found = result.mapping.apply(one).get(f"{kind}0")
            except HeadraceError:
                # Only a text that grows beyond its field may be refused.
                assert kind == "t"
                assert value is not None
                assert len(value) > 20
                continue

            assert (value, type(value)) == (found, type(found)), (expression, one)
    print(f"{accepted} of {EXPRESSIONS} expressions passed the check")

    assert accepted > EXPRESSIONS / 3
