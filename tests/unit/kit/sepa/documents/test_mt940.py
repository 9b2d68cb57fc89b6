"""MT940: German subfields, several statements in one file, and files that are broken."""

import datetime as dt
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Rejected
from gateway.kit.sepa.documents import mt940
from gateway.model.bank import Direction, Entry
from gateway.model.money import Money

START = """\
:20:STARTUMS
:25:51210800/1245126199
:28C:1/1
:60F:C261201EUR1000,00
"""
BACK = """\
:61:2612011203DR53,00NRTINONREF//B-1
:86:109?00SEPA-DD RUECKBEL. CORE?109718?20EREF+E-1?21MREF+M-1?22CRED+DE98ZZZ09999999999
?23SVWZ+Rent 12/2026?30COBADEFF?31DE89370400440532013000?32Erika ?33Mustermann?34912
"""
GROUP = """\
:61:2612011201CR139,30NDDTRUN-1-2//B-2
:86:171?00SAMMLER?20KREF+RUN-1-2?21SVWZ+Collections
"""
END = ":62F:C261203EUR1086,30\n-\n"


def read(text: str | bytes) -> list[Entry]:
    return list(mt940.read(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def test_german_subfields() -> None:
    """A returned collection with its references, its reason in ?34, and account beside name."""
    [entry] = read(START + BACK + END)

    assert Entry(
        position=1,
        account_iban="51210800/1245126199",
        amount=Money(5300, "EUR"),
        direction=Direction.DEBIT,
        booking_date=dt.date(2026, 12, 3),
        value_date=dt.date(2026, 12, 1),
        end_to_end_id="E-1",
        mandate_id="M-1",
        creditor_id="DE98ZZZ09999999999",
        bank_reference="B-1",
        reason_code="MD06",
        bank_code="109",
        remittance="Rent 12/2026",
        counterparty="Erika Mustermann",
        counterparty_iban="DE89370400440532013000",
    ) == (entry)


def test_batches() -> None:
    """The reference of a file is the group, where no payment is named."""
    [entry] = read(START + GROUP + END)

    assert ("RUN-1-2", "", Money(13930, "EUR")) == (
        entry.group_id,
        entry.end_to_end_id,
        entry.amount,
    )


@pytest.mark.parametrize(
    ("mark", "direction", "reversal"),
    [
        ("C", Direction.CREDIT, False),
        ("D", Direction.DEBIT, False),
        ("RC", Direction.DEBIT, True),
        ("RD", Direction.CREDIT, True),
    ],
)
def test_reversals(mark: str, direction: Direction, reversal: bool) -> None:  # noqa: FBT001 - a case
    """A credit that is taken back is a debit; the amount is never negative."""
    [entry] = read(START + GROUP.replace("CR139", f"{mark}R139") + END)

    assert (direction, reversal, Money(13930, "EUR")) == (
        entry.direction,
        entry.is_reversal,
        entry.amount,
    )


def test_several_statements() -> None:
    """Each has its own account; positions go on."""
    other = START.replace("51210800/1245126199", "DE89370400440532013000")
    found = read(START + BACK + END + other + GROUP + END)

    assert [(1, "51210800/1245126199"), (2, "DE89370400440532013000")] == [
        (each.position, each.account_iban) for each in found
    ]


def test_a_broken_statement_spoils_no_other() -> None:
    """What the library cannot read is a problem of its own; the next statement is read."""
    broken = START.replace("C261201", "C261301") + BACK + END
    first, *others = read(broken + START + GROUP + END)

    assert [("statement", "unreadable")] == [(p.field, p.rule) for p in first.problems]
    assert ["RUN-1-2"] == [each.group_id for each in others]


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The library would log the lines that it cannot read, with all that stands in them."""
    caplog.set_level(0)
    read(START + ":61:Erika Mustermann\n" + END)

    assert [] == caplog.records


def test_references_that_cannot_be_ours() -> None:
    """More than 35 characters are no reference of SEPA; what a bank adds is a text."""
    [long] = read(START + BACK.replace("E-1", "E" * 36) + END)
    [added] = read(START + BACK.replace("E-1?21", "E-1?21MTLG:no funds?24") + END)

    assert [("end_to_end_id", "length")] == [(p.field, p.rule) for p in long.problems]
    assert ("E-1", True) == (added.end_to_end_id, "no funds" in added.remittance)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_line_ends(encoding: str, end: str) -> None:
    """Banks write either."""
    text = (START + BACK.replace("Mustermann", "Müller") + END).replace("\n", end)

    assert ["Erika Müller"] == [each.counterparty for each in read(text.encode(encoding))]


@pytest.mark.parametrize("text", ["", "nothing", "<Document/>", __file__, ":25:1"])
def test_other_documents(text: str) -> None:
    """No MT940 is refused; the name of a file is a text like any other."""
    with pytest.raises(Rejected) as refusal:
        read(text)

    assert "document_unknown" == refusal.value.code


def test_too_large() -> None:
    """A file above the limit is refused, a statement without end is passed over."""
    with pytest.raises(Rejected) as refusal:
        list(mt940.read(io.BytesIO(b":20:" * 100), limit=100))
    assert "document_too_large" == refusal.value.code

    huge, good = read(START + " " * 5_000_000 + "\n" + START + GROUP + END)
    assert ["too_large"] == [each.rule for each in huge.problems]
    assert "RUN-1-2" == good.group_id


@given(st.text(st.sampled_from(":2568F?0+DEC,RN\n 1/"), max_size=200))
def test_rubbish(text: str) -> None:
    """Whatever stands in a file, entries come out or it is refused."""
    try:
        found = read(START + text)
    except Rejected:
        return

    assert all(isinstance(each, Entry) for each in found)


def test_samples_of_others(contracts: Path) -> None:
    """Files that the library is tested with: entries without problem, but for marks of 2002."""
    folder = contracts / "payments" / "sepa" / "samples" / "mt940"
    files = sorted(folder.glob("*.sta"))
    if not files:
        pytest.skip("contracts not found")
    found = {file.stem: read(file.read_bytes()) for file in files}
    problems = {name: sum(bool(e.problems) for e in entries) for name, entries in found.items()}

    assert {"mt940": 11, "raphaelm": 9, "sparkassen": 1} == {k: v for k, v in problems.items() if v}
    assert 97 == len(found["sepa_mt9401"])
    assert {"AC01", "AC06", "MS03"} == {
        e.reason_code for e in found["sepa_mt9401"] if e.reason_code
    }
    assert {"TFNR 40005 00005"} <= {each.end_to_end_id for each in found["sepa_mt9401"]}
