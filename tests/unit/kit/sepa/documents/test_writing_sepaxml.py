"""Our pain.008 beside the one of sepaxml, which nobody here wrote: element by element.

The differences that are right stand in ``DIFFERENT``; everything else is equal, in the same order.
"""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from sepaxml import SepaDD

from gateway.kit.sepa.documents.writing import PAIN_008_02, PAIN_008_08, FileRefused, Format
from gateway.model.bank import Collection
from gateway.model.mandate import Scheme, SequenceType
from gateway.model.money import Money
from tests.unit.kit.sepa.documents.samples import ACCOUNTS, DUE, collection, write

ROWS = [
    collection(remittance="Rent 12/2026", debtor_bic="COBADEFF"),
    collection(end_to_end_id="E-2", mandate_id="M-2", remittance="x" * 140),
    collection(end_to_end_id="E-3", amount=Money(99_999_999_999, "EUR"), remittance="R (1): a+b"),
    collection(end_to_end_id="E-4", debtor_name="N" * 70, amount=Money(1, "EUR"), remittance="R"),
]
DIFFERENT = {
    "GrpHdr/MsgId": "theirs is drawn by lot",
    "GrpHdr/CreDtTm": "theirs has no zone, and is the time of the clock",
    "GrpHdr/InitgPty/Id/OrgId/Othr/Id": "theirs repeats the creditor identifier, which is optional",
    "PmtInf/PmtInfId": "theirs is drawn by lot",
}


def theirs(rows: list[Collection], form: Format) -> Any:
    account = ACCOUNTS["main"]
    made = SepaDD(
        {
            "name": account.name,
            "IBAN": account.iban.replace(" ", ""),
            "BIC": account.bic,
            "batch": account.batch_booking,
            "creditor_id": account.creditor_id,
            "currency": "EUR",
            "instrument": rows[0].scheme.value,
        },
        schema=form.name,
        clean=True,
    )
    for row in rows:
        payment = {
            "name": row.debtor_name,
            "IBAN": row.debtor_iban,
            "amount": row.amount.minor,
            "type": row.sequence_type.value,
            "collection_date": row.due,
            "mandate_id": row.mandate_id,
            "mandate_date": row.signed_on,
            "description": row.remittance,
            "endtoend_id": row.end_to_end_id,
        }
        made.add_payment(payment | ({"BIC": row.debtor_bic} if row.debtor_bic else {}))
    return etree.fromstring(made.export(validate=False))


def ours(rows: list[Collection], form: Format, target: Path) -> Any:
    write(form, rows, target)
    return etree.parse(target).getroot()


def leaves(element: Any, path: str = "") -> list[tuple[str, str]]:
    """Path, text and attributes of everything that has a text, in the order of the document."""
    found = []
    for child in element:
        name = etree.QName(child).localname
        inner = f"{path}/{name}" if path else name
        if len(child):
            found += leaves(child, inner)
        else:
            found.append(
                (inner, " ".join([child.text or "", *map("=".join, child.attrib.items())]))
            )
    return found


def compared(element: Any) -> list[tuple[str, str]]:
    return [(path, text) for path, text in leaves(element[0]) if path not in DIFFERENT]


@pytest.mark.parametrize("form", [PAIN_008_08, PAIN_008_02], ids=lambda form: form.name)
@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("sequence", SequenceType)
def test_element_by_element(
    form: Format, scheme: Scheme, sequence: SequenceType, tmp_path: Path
) -> None:
    """Every element and attribute outside ``DIFFERENT`` has the same text, and the same order."""
    rows = [
        collection(
            end_to_end_id=each.end_to_end_id,
            mandate_id=each.mandate_id,
            amount=each.amount,
            debtor_name=each.debtor_name,
            debtor_bic=each.debtor_bic,
            remittance=each.remittance,
            scheme=scheme,
            sequence_type=sequence,
        )
        for each in ROWS
    ]
    mine, other = ours(rows, form, tmp_path / "out.xml"), theirs(rows, form)

    assert other.nsmap[None] == mine.nsmap[None]
    assert compared(other) == compared(mine)
    assert 4 == len([path for path, _ in compared(mine) if path.endswith("InstdAmt")])


def test_what_is_different_is_there(tmp_path: Path) -> None:
    """An exception that is no longer one goes."""
    mine, other = ours(ROWS, PAIN_008_08, tmp_path / "out.xml"), theirs(ROWS, PAIN_008_08)
    different = {path for path, _ in set(leaves(mine[0])) ^ set(leaves(other[0]))}

    assert set(DIFFERENT) == different


def test_german_letters(tmp_path: Path) -> None:
    """They lose the dots, the DK asks for a second letter; both stay in the character set."""
    rows = [collection(debtor_name="Jörg Müßig", remittance="R")]

    assert ("PmtInf/DrctDbtTxInf/Dbtr/Nm", "Jorg Mussig") in leaves(theirs(rows, PAIN_008_08)[0])
    mine = ours(rows, PAIN_008_08, tmp_path / "out.xml")
    assert ("PmtInf/DrctDbtTxInf/Dbtr/Nm", "Joerg Muessig") in leaves(mine[0])


def test_what_they_let_through(tmp_path: Path) -> None:
    """Why it is an oracle and not the writer: a wrong account on a day without banks."""
    wrong = collection(
        debtor_iban="DE90370400440532013000", due=dt.date(2026, 12, 5), remittance="R"
    )

    assert leaves(theirs([wrong], PAIN_008_08))
    assert DUE != wrong.due
    with pytest.raises(FileRefused, match="problems: 2;"):
        ours([wrong], PAIN_008_08, tmp_path / "out.xml")
