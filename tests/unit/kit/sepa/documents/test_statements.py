"""Statements: every entry as the bank meant it, and one that is broken spoils no other."""

import datetime as dt
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import Rejected
from gateway.kit.sepa.documents import statements
from gateway.kit.sepa.documents.fields import amount
from gateway.kit.sepa.reasons import Next, ReasonClass
from gateway.model.bank import Direction, Entry, Problem
from gateway.model.money import Money

RETURN = """
<Ntry><Amt Ccy="EUR">53.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>{status}
  <BookgDt><Dt>2026-12-03</Dt></BookgDt><ValDt><DtTm>2026-12-01T23:30:00+01:00</DtTm></ValDt>
  <AcctSvcrRef>B-1</AcctSvcrRef>
  <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>IDDT</Cd><SubFmlyCd>UPDD</SubFmlyCd></Fmly></Domn></BkTxCd>
  <NtryDtls><TxDtls>
    <Refs><MsgId>RUN-1</MsgId><PmtInfId>RUN-1-1</PmtInfId><EndToEndId>E-1</EndToEndId>
      <MndtId>M-1</MndtId></Refs>
    {amount}
    <AmtDtls><InstdAmt><Amt Ccy="EUR">50.00</Amt></InstdAmt></AmtDtls>
    <RltdPties>
      <Dbtr>{open}<Nm>Erika Mustermann</Nm>{close}</Dbtr>
      <DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct>
      <Cdtr>{open}<Nm>Headrace GmbH</Nm><Id><PrvtId><Othr><Id>DE98ZZZ09999999999</Id></Othr>
        </PrvtId></Id>{close}</Cdtr>
      <CdtrAcct><Id><IBAN>DE75512108001245126199</IBAN></Id></CdtrAcct>
    </RltdPties>
    <RmtInf><Ustrd>Rent</Ustrd><Ustrd>12/2026</Ustrd></RmtInf>
    <RtrInf><Rsn><Cd>AM04</Cd></Rsn></RtrInf>
  </TxDtls></NtryDtls></Ntry>"""
BATCH = """
<Ntry><Amt Ccy="EUR">139.30</Amt><CdtDbtInd>CRDT</CdtDbtInd>{status}
  <BkTxCd><Prtry><Cd>NDDT+171</Cd><Issr>DK</Issr></Prtry></BkTxCd>
  <NtryDtls><Btch><MsgId>RUN-1</MsgId><PmtInfId>RUN-1-2</PmtInfId><NbOfTxs>7</NbOfTxs></Btch>
  </NtryDtls></Ntry>"""
SEVERAL = """
<Ntry><Amt Ccy="EUR">30</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd>{status}
  <BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>
  <NtryDtls><Btch><PmtInfId>RUN-1-3</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>
    <TxDtls><Refs><EndToEndId>E-2</EndToEndId></Refs>{ten}</TxDtls>
    <TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>{twenty}<RmtInf><Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf>
      </Strd></RmtInf></TxDtls>
  </NtryDtls><AddtlNtryInf>SAMMLER</AddtlNtryInf></Ntry>"""
MESSAGES = {
    "052": ("BkToCstmrAcctRpt", "Rpt"),
    "053": ("BkToCstmrStmt", "Stmt"),
    "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}


def document(*lines: str, kind: str = "053", version: str = "08") -> bytes:
    """A document of any kind and version, with what a schema asks for around the lines."""
    message, part = MESSAGES[kind]
    new = version == "08"
    words = {
        "status": "<Sts><Cd>BOOK</Cd></Sts>" if new else "<Sts>BOOK</Sts>",
        "open": "<Pty>" if new else "",
        "close": "</Pty>" if new else "",
        "amount": '<Amt Ccy="EUR">53.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>' if new else "",
        "ten": _part("10.00000", new=new),
        "twenty": _part("20.00", new=new),
    }
    balance = (
        '<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">0</Amt>'
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-12-03</Dt></Dt></Bal>"
    )
    made = "2026-12-03T20:00:00"
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.{version}"><{message}>'
        f"<GrpHdr><MsgId>1</MsgId><CreDtTm>{made}</CreDtTm></GrpHdr>"
        f"<{part}><Id>1</Id><CreDtTm>{made}</CreDtTm>"
        "<Acct><Id><IBAN>DE75512108001245126199</IBAN></Id></Acct>"
        f"{'' if kind == '054' else balance}"
        f"{''.join(each.format(**words) for each in lines)}</{part}></{message}></Document>"
    ).encode()


def _part(amount: str, *, new: bool) -> str:
    """The amount of a payment inside a line; before 2019 it stood one element deeper."""
    element = f'<Amt Ccy="EUR">{amount}</Amt>'
    if new:
        return f"{element}<CdtDbtInd>CRDT</CdtDbtInd>"
    return f"<AmtDtls><TxAmt>{element}</TxAmt></AmtDtls>"


def read(data: bytes) -> list[Entry]:
    return list(statements.read(io.BytesIO(data)))


@pytest.mark.parametrize("version", ["02", "08"])
@pytest.mark.parametrize("kind", MESSAGES)
def test_every_kind_and_version(contracts: Path, kind: str, version: str) -> None:
    """The same lines are read alike from all of them; ISO's schema says that they are real."""
    data = document(RETURN, BATCH, SEVERAL, kind=kind, version=version)
    xsd = contracts / "payments" / "sepa" / "xsd" / f"camt.{kind}.001.{version}.xsd"
    if xsd.is_file():
        etree.XMLSchema(etree.parse(xsd)).assertValid(etree.fromstring(data))

    assert read(document(RETURN, BATCH, SEVERAL)) == read(data)


def test_a_returned_collection() -> None:
    """Amounts with and without charges, all references, the debtor as counterparty, the reason."""
    [entry] = read(document(RETURN))
    expected = Entry(
        position=1,
        account_iban="DE75512108001245126199",
        amount=Money(5300, "EUR"),
        original_amount=Money(5000, "EUR"),
        direction=Direction.DEBIT,
        booking_date=dt.date(2026, 12, 3),
        value_date=dt.date(2026, 12, 1),
        message_id="RUN-1",
        group_id="RUN-1-1",
        end_to_end_id="E-1",
        mandate_id="M-1",
        creditor_id="DE98ZZZ09999999999",
        bank_reference="B-1",
        reason_code="AM04",
        bank_code="PMNT-IDDT-UPDD",
        remittance="Rent 12/2026",
        counterparty="Erika Mustermann",
        counterparty_iban="DE89370400440532013000",
    )

    assert expected == entry
    reason = statements.returned(entry)
    assert reason is not None
    assert (ReasonClass.DECLINED_SOFT, Next.RETRY) == (reason.kind, reason.then)
    shown = repr(entry)
    assert not [each for each in ("Erika", "DE8937", "DE7551", "Rent") if each in shown]


def test_a_returned_transfer_is_no_returned_collection() -> None:
    """Money that comes back to us: the counterparty is whom we had paid."""
    [entry] = read(document(RETURN).replace(b"DBIT", b"CRDT"))

    assert statements.returned(entry) is None
    assert "Headrace GmbH" == entry.counterparty


def test_a_batch_stays_one() -> None:
    """A line that names only its group keeps the group and how many it books."""
    [entry] = read(document(BATCH))

    assert ("RUN-1", "RUN-1-2", 7) == (entry.message_id, entry.group_id, entry.batch_count)
    assert (Money(13930, "EUR"), "", "NDDT+171") == (
        entry.amount,
        entry.end_to_end_id,
        entry.bank_code,
    )


def test_payments_inside_a_line() -> None:
    """One entry each with its own amount; the group and the reversal are the line's."""
    first, second = read(document(SEVERAL))

    assert [Money(1000, "EUR"), Money(2000, "EUR")] == [first.amount, second.amount]
    assert ["E-2", ""] == [first.end_to_end_id, second.end_to_end_id]
    assert ["RUN-1-3"] * 2 == [first.group_id, second.group_id]
    assert [1, 1] == [first.position, second.position]
    assert first.is_reversal
    assert "RF18539007547034" == second.creditor_reference


@pytest.mark.parametrize(
    ("old", "new", "field", "rule"),
    [
        ('<Amt Ccy="EUR">139.30</Amt>', "", "amount", "missing"),
        ("139.30", "139,30", "amount", "unreadable"),
        ("139.30", "-1.00", "amount", "unreadable"),
        ("139.30", "1.005", "amount", "unreadable"),
        ("139.30", "NaN", "amount", "unreadable"),
        ("139.30", "1E+99", "amount", "unreadable"),
        ('Ccy="EUR"', 'Ccy="XXX"', "amount", "unreadable"),
        (' Ccy="EUR"', "", "amount", "unreadable"),
        ("CRDT", "OTHER", "direction", "missing"),
        ("<NbOfTxs>7</NbOfTxs>", "<NbOfTxs>x</NbOfTxs>", "batch_count", "unreadable"),
        ("{status}", "{status}<BookgDt><Dt>3.12.2026</Dt></BookgDt>", "booking_date", "unreadable"),
    ],
)
def test_a_broken_line(old: str, new: str, field: str, rule: str) -> None:
    """Its problem is named with its place; the lines around it are read."""
    assert old in BATCH
    before, broken, after = read(document(RETURN, BATCH.replace(old, new, 1), RETURN))

    assert (Problem(row=2, field=field, rule=rule),) == broken.problems
    assert "RUN-1-2" == broken.group_id
    assert ((), 1, 3) == (before.problems + after.problems, before.position, after.position)


def test_unknown_elements_and_missing_ones() -> None:
    """What nobody told us of is passed over; a line may be nearly empty."""
    extra = "<New><Acct><Id><IBAN>DE1</IBAN></Id></Acct></New>"
    line = f'<Ntry>{extra}<Amt Ccy="EUR">1</Amt><CdtDbtInd>CRDT</CdtDbtInd></Ntry>'
    [entry] = read(document(line))

    assert Entry(
        position=1,
        account_iban="DE75512108001245126199",
        amount=Money(100, "EUR"),
        direction=Direction.CREDIT,
    ) == (entry)


def test_announced_entries() -> None:
    """What is pending is not booked."""
    [entry] = read(document(BATCH.replace("{status}", "<Sts><Cd>PDNG</Cd></Sts>")))

    assert not entry.is_booked


@pytest.mark.parametrize("data", [b"<Document/>", b"<a><Ntry/></a>", b"<html><body/></html>"])
def test_other_documents(data: bytes) -> None:
    """XML of another kind is refused, so that no empty statement is taken for one."""
    with pytest.raises(Rejected) as refusal:
        read(data)

    assert "document_unknown" == refusal.value.code


def test_samples_of_others(contracts: Path) -> None:
    """Documents that hbci4java is tested with; one is a collection that came back."""
    folder = contracts / "payments" / "sepa" / "samples" / "camt"
    files = sorted(folder.glob("test-camt-*.xml"))
    if not files:
        pytest.skip("contracts not found")
    found = {file.stem: read(file.read_bytes()) for file in files}

    assert [] == [entry for entries in found.values() for entry in entries if entry.problems]
    assert [3400] == [e.amount.minor for e in found["test-camt-parse-05200108"] if e.amount]
    [back] = found["test-camt-ruecklastschrift"]
    assert ("MS03", "TEST1234") == (back.reason_code, back.mandate_id)
    assert (Money(5300, "EUR"), Money(5000, "EUR")) == (back.amount, back.original_amount)
    reason = statements.returned(back)
    assert reason is not None
    assert Next.RETRY is reason.then


@given(st.integers(0, 10**15), st.sampled_from(["EUR", "JPY", "KWD"]), st.integers(0, 5))
def test_amounts(minor: int, currency: str, zeros: int) -> None:
    """Any amount is read whatever zeros a bank puts behind it."""
    shown = Money(minor, currency).amount
    padded = shown + ("0" * zeros if "." in shown else "." + "0" * max(zeros, 1))

    assert Money(minor, currency) == amount(padded, currency)


@given(st.text())
def test_amounts_of_rubbish(text: str) -> None:
    """Anything else is no amount, and nothing worse happens."""
    try:
        found: Any = amount(text, "EUR")
    except ValueError:
        return

    assert found.minor >= 0
