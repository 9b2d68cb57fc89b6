"""Status reports: what the bank took, what it refused and why, and whether names fit accounts."""

import io
from pathlib import Path

import pytest
from lxml import etree

from gateway.errors import Rejected
from gateway.kit.sepa.documents import statuses
from gateway.kit.sepa.reasons import Next
from gateway.model.bank import PaymentStatus
from gateway.model.money import Money

REJECTED = """
<OrgnlPmtInfAndSts>
  <OrgnlPmtInfId>RUN-1-1</OrgnlPmtInfId><OrgnlNbOfTxs>2</OrgnlNbOfTxs>
  <PmtInfSts>{group}</PmtInfSts>
  <StsRsnInf><Rsn><Cd>AC01</Cd></Rsn><AddtlInf>one of them</AddtlInf></StsRsnInf>
  <TxInfAndSts><OrgnlEndToEndId>E-1</OrgnlEndToEndId><TxSts>RJCT</TxSts>
    <StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>
    <OrgnlTxRef><Amt><InstdAmt Ccy="EUR">19.90</InstdAmt></Amt>
      <MndtRltdInf>{open}<MndtId>M-1</MndtId>{close}</MndtRltdInf></OrgnlTxRef></TxInfAndSts>
  <TxInfAndSts><OrgnlEndToEndId>E-2</OrgnlEndToEndId>
    <StsRsnInf><Rsn><Prtry>OWN</Prtry></Rsn></StsRsnInf></TxInfAndSts>
</OrgnlPmtInfAndSts>"""


def document(version: str = "03", *, groups: str = REJECTED, group: str = "RJCT") -> bytes:
    new = version in {"12", "14"}
    words = {
        "group": group,
        "open": "<DrctDbtMndt>" if new else "",
        "close": "</DrctDbtMndt>" if new else "",
    }
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt>'
        "<GrpHdr><MsgId>B-1</MsgId><CreDtTm>2026-12-01T08:00:00</CreDtTm></GrpHdr>"
        "<OrgnlGrpInfAndSts><OrgnlMsgId>RUN-1</OrgnlMsgId><OrgnlMsgNmId>pain.008</OrgnlMsgNmId>"
        "<GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>"
        f"{groups.format(**words)}</CstmrPmtStsRpt></Document>"
    ).encode()


def read(data: bytes) -> list[PaymentStatus]:
    return list(statuses.read(io.BytesIO(data)))


@pytest.mark.parametrize("version", ["03", "12", "14"])
def test_every_version(contracts: Path, version: str) -> None:
    """The same report is read alike from all of them; ISO's schema says that it is real."""
    data = document(version)
    xsd = contracts / "payments" / "sepa" / "xsd" / f"pain.002.001.{version}.xsd"
    if xsd.is_file():
        etree.XMLSchema(etree.parse(xsd)).assertValid(etree.fromstring(data))

    assert read(document()) == read(data)


def test_rejects() -> None:
    """File, payments, group; a payment without a status shares that of its group."""
    file, first, second, group = read(document())

    assert PaymentStatus(message_id="RUN-1", status="PART") == file
    assert PaymentStatus(
        message_id="RUN-1",
        group_id="RUN-1-1",
        end_to_end_id="E-1",
        status="RJCT",
        reason_code="AC04",
        amount=Money(1990, "EUR"),
        mandate_id="M-1",
    ) == (first)
    assert ("E-2", "RJCT", "OWN") == (second.end_to_end_id, second.status, second.reason_code)
    assert ("RUN-1-1", "RJCT", "AC01", ("one of them",)) == (
        group.group_id,
        group.status,
        group.reason_code,
        group.texts,
    )
    told = [statuses.refused(each) for each in (file, first, second)]
    assert [None, Next.NEW_ACCOUNT, Next.MANUAL] == [each and each.then for each in told]


def test_without_any_status() -> None:
    """A payment of which nothing is said has a problem, and is not taken for accepted."""
    groups = REJECTED.replace("<PmtInfSts>{group}</PmtInfSts>", "")
    _, first, second, _ = read(document(groups=groups))

    assert () == first.problems
    assert [(2, "status", "missing")] == [(p.row, p.field, p.rule) for p in second.problems]
    assert statuses.refused(second) is None


def test_groups_do_not_mix() -> None:
    """What was said of one group is not said of the next."""
    other = "<OrgnlPmtInfAndSts><OrgnlPmtInfId>RUN-1-2</OrgnlPmtInfId></OrgnlPmtInfAndSts>"
    *_, last = read(document(groups=REJECTED + other))

    assert PaymentStatus(message_id="RUN-1", group_id="RUN-1-2") == last


def test_verification_of_payees(contracts: Path) -> None:
    """A bank's answer about names: counts for the file, a status for the payment, no reason."""
    file = contracts / "payments" / "sepa" / "samples" / "camt" / "test-pain-parse-0020110-01.xml"
    if not file.is_file():
        pytest.skip("contracts not found")
    whole, payment, group = read(file.read_bytes())

    assert ("RVMC", 1) == (whole.status, dict(whole.counts)["RVNM"])
    assert 4 == len(whole.texts)
    assert ("RVNM", "", group.group_id) == (payment.status, payment.end_to_end_id, payment.group_id)
    assert whole.counts == group.counts
    assert "Mustermann" not in repr(payment) + repr(whole)


def test_endless_reasons() -> None:
    """A group may not have reasons without end."""
    reasons = "<StsRsnInf><AddtlInf>x</AddtlInf></StsRsnInf>" * 10_001
    with pytest.raises(Rejected) as refusal:
        read(document(groups=f"<OrgnlPmtInfAndSts>{reasons}</OrgnlPmtInfAndSts>"))

    assert "document_too_large" == refusal.value.code


def test_other_documents() -> None:
    """XML of another kind is refused."""
    with pytest.raises(Rejected) as refusal:
        read(b"<Document><BkToCstmrStmt/></Document>")

    assert "document_unknown" == refusal.value.code


def test_counts_that_do_not_pair() -> None:
    """A status without its number, or a number that is none, gives no counts at all."""
    pairs = "<NbOfTxsPerSts><DtldNbOfTxs>x</DtldNbOfTxs><DtldSts>RVNM</DtldSts></NbOfTxsPerSts>"
    *_, group = read(document(groups=f"<OrgnlPmtInfAndSts>{pairs}</OrgnlPmtInfAndSts>"))

    assert () == group.counts
