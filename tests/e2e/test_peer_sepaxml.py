"""Dozens of collections written by us and by sepaxml, which nobody here wrote: element by element.

The unit tests compare single payments; here files have many groups. What may differ stands in
``DIFFERENT`` there and in ``SPELT`` here.
"""

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from lxml import etree

from gateway.kit.sepa.documents.writing import PAIN_008_02, PAIN_008_08, Format
from gateway.model.bank import Collection
from gateway.model.mandate import Scheme, SequenceType
from gateway.model.money import Money
from tests.unit.kit.sepa.documents.samples import DUE, collection
from tests.unit.kit.sepa.documents.test_writing_sepaxml import DIFFERENT, leaves, ours, theirs

pytestmark = pytest.mark.peers

# Their spelling and ours: the DK asks for a second letter where they only drop the dots.
SPELT: Final = {
    "Jorg Mussig": "Joerg Muessig",
    "Muller + Sohne Osterreich": "Mueller + Soehne Oesterreich",
    "Entgelt Marz": "Entgelt Maerz",
}
# Groups come in the order of their first payment with them, and sorted with us.
GROUPED_BY: Final = ("PmtTpInf/SeqTp", "ReqdColltnDt")
DEBTORS: Final = (
    ("Erika Mustermann", "DE89370400440532013000", "COBADEFF"),
    ("Jörg Müßig", "AT611904300234573201", None),
    ("Müller + Söhne Österreich", "NL91ABNA0417164300", "ABNANL2A"),
    ("Łukasz Żółć", "FR1420041010050500013M02606", None),
    ("Zoë d'Àvila (Ñandú)", "ES9121000418450200051332", "CAIXESBBXXX"),
    ("N" * 70, "IT60X0542811101000000123456", None),
    ("A.B.C. : X/Y, Z-1?", "FI2112345600000785", None),
)
TEXTS: Final = ("R", "Rent 12/2026", "Entgelt März", "x" * 140, "Ref (1): a+b, c.d?")
CENTS: Final = (1, 100, 1_990, 123_456_789, 99_999_999_999)
SIZE: Final = 72


def rows(scheme: Scheme) -> list[Collection]:
    """So many collections of a scheme, with groups that alternate."""
    debtors, texts, cents = map(itertools.cycle, (DEBTORS, TEXTS, CENTS))
    days = itertools.cycle(DUE + dt.timedelta(days=more) for more in (0, 1, 2))
    sequences = itertools.cycle(SequenceType)
    found = []
    for number in range(SIZE):
        name, iban, bic = next(debtors)
        found.append(
            collection(
                end_to_end_id=f"E-{number:04}",
                mandate_id=f"M{number}/2024",
                signed_on=dt.date(2024, 2, 29) + dt.timedelta(days=number),
                scheme=scheme,
                sequence_type=next(sequences),
                due=next(days),
                amount=Money(next(cents), "EUR"),
                debtor_name=name,
                debtor_iban=iban,
                debtor_bic=bic,
                remittance=next(texts),
            )
        )
    return found


def compared(
    message: Any, spelt: Mapping[str, str]
) -> dict[tuple[str, ...], list[tuple[str, str]]]:
    """The head, and each group by what its payments have in common."""
    head, *groups = message[0]
    found = {("head",): leaves([head])}
    for group in groups:
        listed = leaves([group])
        texts = {path: text.strip() for path, text in listed}
        key = tuple(texts[f"PmtInf/{path}"] for path in GROUPED_BY)
        assert key not in found, "a group twice"
        found[key] = listed
    return {
        key: [
            (path, spelt.get(text.strip(), text)) for path, text in listed if path not in DIFFERENT
        ]
        for key, listed in found.items()
    }


@pytest.mark.parametrize("form", [PAIN_008_08, PAIN_008_02], ids=lambda form: form.name)
@pytest.mark.parametrize("scheme", Scheme)
def test_dozens_of_collections(form: Format, scheme: Scheme, tmp_path: Path) -> None:
    """Heads, groups, sums and every payment are the same, in the same order within a group."""
    sample = rows(scheme)
    mine = compared(ours(sample, form, tmp_path / "out.xml"), {})
    other = compared(theirs(sample, form), SPELT)
    elements = Counter(path for listed in mine.values() for path, _ in listed)

    assert other == mine
    assert 12 == len(mine) - 1
    assert SIZE == elements["PmtInf/DrctDbtTxInf/InstdAmt"]
    print(f"\nsepaxml: {SIZE} collections in {len(mine) - 1} groups, {elements.total()} elements")


def test_what_is_spelt_differently_is_there(tmp_path: Path) -> None:
    """An exception that is no longer one goes."""
    sample = rows(Scheme.CORE)
    mine, other = ours(sample, PAIN_008_08, tmp_path / "out.xml"), theirs(sample, PAIN_008_08)
    texts = [{text.strip() for _, text in leaves(each[0])} for each in (mine, other)]

    assert set(SPELT) == set(SPELT) & texts[1] - texts[0]
    assert set(SPELT.values()) == set(SPELT.values()) & texts[0] - texts[1]
    assert etree.QName(mine).namespace == etree.QName(other).namespace
