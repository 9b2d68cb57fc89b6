"""Payment files: what stands in them, and that schemas which nobody here wrote accept it."""

import datetime as dt
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import Misconfigured
from gateway.kit.sepa.characters import ALLOWED
from gateway.kit.sepa.documents.writing import (
    PAIN_001_09,
    PAIN_008_02,
    PAIN_008_08,
    FileRefused,
    Format,
)
from gateway.model.bank import Collection
from gateway.model.mandate import Amendment, Scheme, SequenceType
from gateway.model.money import Money
from tests.unit.kit.sepa.documents.samples import DUE, NOW, collection, files, transfer, write

AMENDED = Amendment(
    mandate_id="M-0",
    creditor_id="DE13ZZZ00000012345",
    creditor_name="Alt GmbH",
    has_new_account=True,
)
ROWS = (
    collection(remittance="Miete 12/2026 & Nebenkosten", debtor_name="Jörg Groß <Söhne>"),
    collection(end_to_end_id="E-2", debtor_bic="COBADEFF", amendment=AMENDED),
    collection(end_to_end_id="E-3", scheme=Scheme.B2B, sequence_type=SequenceType.FRST),
    collection(end_to_end_id="E-4", account="austria", due=dt.date(2026, 12, 2)),
    collection(end_to_end_id="E-5", amendment=Amendment(creditor_name="Alt GmbH")),
    collection(end_to_end_id="E-6", amendment=Amendment(creditor_id="DE13ZZZ00000012345")),
    collection(end_to_end_id="E-7", amendment=Amendment(has_new_account=True)),
)
TRANSFERS = (
    transfer(remittance="Gutschrift 1"),
    transfer(end_to_end_id="E-2", creditor_bic="COBADEFF"),
    transfer(end_to_end_id="E-3", is_instant=True),
    transfer(end_to_end_id="E-4", account="austria"),
)


def schema(contracts: Path, name: str) -> Path:
    file = contracts / "payments" / "sepa" / name
    if not file.is_file():
        pytest.skip("contracts not found")
    return file


def texts(tree: Any, path: str) -> list[str]:
    """The texts of all elements at a path of local names."""
    steps = "/".join(f"{{*}}{step}" for step in path.split("/"))
    return [each.text for each in tree.iterfind(f".//{steps}")]


@pytest.mark.parametrize(
    ("form", "name", "rows"),
    [
        (PAIN_008_08, "xsd/pain.008.001.08.xsd", ROWS),
        (PAIN_008_02, "xsd/pain.008.001.02.xsd", ROWS),
        (PAIN_008_02, "xsd-dk/pain.008.001.02.dk.xsd", ROWS),
        (PAIN_001_09, "xsd/pain.001.001.09.xsd", TRANSFERS),
    ],
    ids=["pain.008.001.08", "pain.008.001.02", "pain.008.001.02 of the DK", "pain.001.001.09"],
)
def test_schemas_accept_it(
    contracts: Path, tmp_path: Path, form: Format, name: str, rows: tuple[Any, ...]
) -> None:
    """ISO's schemas and the narrower German one; the same when the finished file is looked at."""
    xsd, target = schema(contracts, name), tmp_path / "out.xml"

    write(form, rows, target, schema=xsd)

    etree.XMLSchema(etree.parse(xsd)).assertValid(etree.parse(target))


def test_groups_and_sums(tmp_path: Path) -> None:
    """One group for each account, scheme, sequence type and day; sums stand before the payments."""
    told = write(PAIN_008_08, ROWS, tmp_path / "out.xml")
    tree = etree.parse(tmp_path / "out.xml")

    assert (7, Decimal("139.30")) == (told.count, told.total)
    assert ["7", "1", "1", "5"] == texts(tree, "NbOfTxs")
    assert ["139.30", "19.90", "19.90", "99.50"] == texts(tree, "CtrlSum")
    assert ["RUN-1"] == texts(tree, "MsgId")
    assert ["RUN-1-1", "RUN-1-2", "RUN-1-3"] == texts(tree, "PmtInfId")
    assert texts(tree, "PmtInfId") == [each.group_id for each in told.groups]
    assert ["CORE", "B2B", "CORE"] == texts(tree, "LclInstrm/Cd")
    assert ["RCUR", "FRST", "RCUR"] == texts(tree, "SeqTp")
    assert ["2026-12-02", "2026-12-01", "2026-12-01"] == texts(tree, "ReqdColltnDt")
    assert ["false", "true", "true"] == texts(tree, "BtchBookg")
    assert ["E-4", "E-3", "E-1", "E-2", "E-5", "E-6", "E-7"] == texts(tree, "EndToEndId")
    assert ["Headrace Oesterreich", "Headrace GmbH", "Headrace GmbH"] == texts(tree, "Cdtr/Nm")
    assert "Joerg Gross (Soehne)" in texts(tree, "Dbtr/Nm")
    assert ["Miete 12/2026 + Nebenkosten"] == texts(tree, "Ustrd")
    assert ["2026-11-23T08:00:00Z"] == texts(tree, "CreDtTm")
    assert 2 == len(texts(tree, "OrgnlDbtrAcct/Id/Othr/Id"))


def test_the_same_batch_is_the_same_file(tmp_path: Path) -> None:
    """Bytes do not depend on the order in which the groups came."""
    first, second = tmp_path / "1.xml", tmp_path / "2.xml"
    write(PAIN_008_08, ROWS, first)
    write(PAIN_008_08, (*ROWS[3:4], *ROWS[2:3], *ROWS[:2], *ROWS[4:]), second)

    assert first.read_bytes() == second.read_bytes()


def test_cut_only_on_request(tmp_path: Path) -> None:
    """A long name loses its end where the caller allows it."""
    row = collection(debtor_name="Müller" * 12)
    write(PAIN_008_08, [row], tmp_path / "out.xml", cut=True)

    assert [("Mueller" * 12)[:70]] == texts(etree.parse(tmp_path / "out.xml"), "Dbtr/Nm")


def test_a_reader_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """What the payments come from may break off; the file of before stays."""
    target = tmp_path / "out.xml"
    target.write_bytes(b"before")

    def broken() -> Iterator[Collection]:
        yield collection()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        write(PAIN_008_08, broken(), target)

    assert b"before" == target.read_bytes()
    assert [target] == list(tmp_path.iterdir())


STRICT = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{namespace}"
  targetNamespace="{namespace}" elementFormDefault="qualified">
  <xs:element name="Document"><xs:complexType><xs:sequence>
    <xs:element name="CstmrDrctDbtInitn"><xs:complexType><xs:sequence>
      <xs:element name="GrpHdr" type="xs:anyType"/>
      <xs:element name="PmtInf" maxOccurs="{groups}"><xs:complexType><xs:sequence>
        {head}
        <xs:element name="DrctDbtTxInf" maxOccurs="unbounded"><xs:complexType><xs:sequence>
          <xs:element name="PmtId"><xs:complexType><xs:sequence>
            <xs:element name="EndToEndId"><xs:simpleType><xs:restriction base="xs:string">
              <xs:pattern value="E-[1-8]"/>
            </xs:restriction></xs:simpleType></xs:element>
          </xs:sequence></xs:complexType></xs:element>
          <xs:any processContents="skip" maxOccurs="unbounded"/>
        </xs:sequence></xs:complexType></xs:element>
      </xs:sequence></xs:complexType></xs:element>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>
"""
HEAD = """PmtInfId PmtMtd BtchBookg NbOfTxs CtrlSum PmtTpInf ReqdColltnDt Cdtr CdtrAcct CdtrAgt
ChrgBr CdtrSchmeId"""


def strict(folder: Path, groups: str = "unbounded") -> Path:
    """A bank's schema that refuses what our rules allow."""
    head = "".join(f'<xs:element name="{name}" type="xs:anyType"/>' for name in HEAD.split())
    file = folder / "bank.xsd"
    text = STRICT.format(namespace=PAIN_008_08.namespace, head=head, groups=groups)
    file.write_text(text, encoding="utf-8")
    return file


def test_what_only_the_schema_refuses(tmp_path: Path) -> None:
    """The row and the element are named, the value is not; nothing is left of the file."""
    xsd, target = strict(tmp_path), tmp_path / "out.xml"
    rows = [collection(end_to_end_id=f"E-{number}") for number in (1, 2, 9, 3)]

    with pytest.raises(FileRefused) as refusal:
        write(PAIN_008_08, rows, target, schema=xsd)

    [problem] = refusal.value.problems
    assert (3, "EndToEndId", "schema_pattern") == (problem.row, problem.field, problem.rule)
    assert "E-9" not in repr(problem)
    assert [xsd] == list(tmp_path.iterdir())
    assert 3 == write(PAIN_008_08, [*rows[:2], rows[3]], target, schema=xsd).count


def test_schema_refuses_between_rows(tmp_path: Path) -> None:
    """Also what stands around the payments."""
    xsd = strict(tmp_path, groups="1")
    rows = [collection(), collection(end_to_end_id="E-2", due=dt.date(2026, 12, 2))]

    with pytest.raises(FileRefused) as refusal:
        write(PAIN_008_08, rows, tmp_path / "out.xml", schema=xsd)

    assert [("PmtInf", "schema")] == [(p.field, p.rule) for p in refusal.value.problems]


@pytest.mark.parametrize("text", [None, "<xs:schema", "<a/>"])
def test_schemas_that_cannot_be_read(tmp_path: Path, text: str | None) -> None:
    """Missing, broken or no schema: the set-up is wrong, and no file is made."""
    file = tmp_path / "bank.xsd"
    if text is not None:
        file.write_text(text)

    with pytest.raises(Misconfigured) as refusal:
        write(PAIN_008_08, [collection()], tmp_path / "out.xml", schema=file)

    assert "schema_unreadable" == refusal.value.code
    assert not (tmp_path / "out.xml").exists()


def test_memory_does_not_grow(contracts: Path, tmp_path: Path) -> None:
    """Ten times the payments take a tenth more memory at most, validation included."""
    xsd = schema(contracts, "xsd/pain.008.001.08.xsd")
    writer = files(PAIN_008_08, schema=xsd)

    def peak(count: int) -> int:
        rows = (collection(end_to_end_id=f"E-{number}") for number in range(count))
        tracemalloc.start()
        writer.write(rows, tmp_path / "o.xml", batch_id="B", initiator="X", now=NOW)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(100)
    small, large = peak(1_000), peak(10_000)

    # The references: sixteen bytes each, and the arrays grow by an eighth.
    assert large - small < 9_000 * 24 + 200_000


SEPA_TEXT = (
    st.text(st.sampled_from(sorted(ALLOWED)), min_size=1, max_size=70).map(str.strip).filter(bool)
)
REFERENCES = st.text(st.sampled_from(sorted(ALLOWED - {"/", " "})), min_size=1, max_size=35)
COLLECTIONS = st.builds(
    collection,
    end_to_end_id=REFERENCES,
    account=st.sampled_from(["main", "austria"]),
    scheme=st.sampled_from(Scheme),
    sequence_type=st.sampled_from(SequenceType),
    due=st.sampled_from([DUE, dt.date(2026, 12, 2)]),
    amount=st.integers(1, 99_999_999_999).map(lambda minor: Money(minor, "EUR")),
    mandate_id=REFERENCES,
    signed_on=st.dates(dt.date(2000, 1, 1), dt.date(2026, 11, 23)),
    debtor_name=SEPA_TEXT,
    debtor_bic=st.none() | st.just("COBADEFF"),
    remittance=st.none() | SEPA_TEXT,
    amendment=st.none()
    | st.builds(
        Amendment,
        mandate_id=st.none() | REFERENCES,
        creditor_id=st.none() | st.just("DE13ZZZ00000012345"),
        creditor_name=st.none() | SEPA_TEXT,
        has_new_account=st.just(True),
    ),
)


def read_back(file: Path) -> list[Collection]:
    """The collections of a file, by a reader that shares nothing with the writer."""
    tree = etree.parse(file)
    found = []
    for group in tree.iterfind(".//{*}PmtInf"):
        name = group.findtext("{*}Cdtr/{*}Nm")
        for one in group.iterfind("{*}DrctDbtTxInf"):
            mandate = one.find("{*}DrctDbtTx/{*}MndtRltdInf")
            told = mandate.find("{*}AmdmntInfDtls")
            assert (told is not None) is (mandate.findtext("{*}AmdmntInd") == "true")
            identity = "{*}OrgnlCdtrSchmeId/{*}Id/{*}PrvtId/{*}Othr/{*}Id"
            amendment = told is not None and Amendment(
                mandate_id=told.findtext("{*}OrgnlMndtId"),
                creditor_id=told.findtext(identity),
                creditor_name=told.findtext("{*}OrgnlCdtrSchmeId/{*}Nm"),
                has_new_account=told.findtext("{*}OrgnlDbtrAcct/{*}Id/{*}Othr/{*}Id") == "SMNDA",
            )
            amount = one.find("{*}InstdAmt")
            found.append(
                Collection(
                    end_to_end_id=one.findtext("{*}PmtId/{*}EndToEndId"),
                    account="main" if name == "Headrace GmbH" else "austria",
                    scheme=Scheme(group.findtext("{*}PmtTpInf/{*}LclInstrm/{*}Cd")),
                    sequence_type=SequenceType(group.findtext("{*}PmtTpInf/{*}SeqTp")),
                    due=dt.date.fromisoformat(group.findtext("{*}ReqdColltnDt")),
                    amount=Money.parse(amount.text, amount.get("Ccy")),
                    mandate_id=mandate.findtext("{*}MndtId"),
                    signed_on=dt.date.fromisoformat(mandate.findtext("{*}DtOfSgntr")),
                    debtor_name=one.findtext("{*}Dbtr/{*}Nm"),
                    debtor_iban=one.findtext("{*}DbtrAcct/{*}Id/{*}IBAN"),
                    debtor_bic=one.findtext("{*}DbtrAgt/{*}FinInstnId/{*}BICFI"),
                    remittance=one.findtext("{*}RmtInf/{*}Ustrd"),
                    amendment=amendment or None,
                )
            )
    return found


@given(st.lists(COLLECTIONS, min_size=1, max_size=6, unique_by=lambda each: each.end_to_end_id))
def test_written_and_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Collection]
) -> None:
    """Every collection comes back equal, whatever characters and groups it has."""
    target = tmp_path_factory.getbasetemp() / "round.xml"
    told = write(PAIN_008_08, rows, target)

    def order(each: Collection) -> str:
        return each.end_to_end_id

    assert sorted(rows, key=order) == sorted(read_back(target), key=order)
    assert sum(each.amount.minor for each in rows) == int(told.total * 100)
    assert sum(each.count for each in told.groups) == len(rows)
