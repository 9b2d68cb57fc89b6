"""Mandates that change between two collections, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from structlog.testing import LogCapture

from adapters.sepa_bank.files import SepaBankFiles
from gateway.model.payment import PaymentState
from tests.flows.bank import IBAN, TODAY, Desk, in_days, with_bank
from tests.flows.stage import Stage
from tests.flows.test_bank import NS, entry, notice, report

OTHER = "DE02120300000000202051"
NEW = "DE51ZZZ12345678901"


@pytest.fixture
async def desk(tmp_path: Path, url: str) -> AsyncIterator[Desk]:
    """A tenant with a bank, its facade and one worker."""
    stage = with_bank(tmp_path, Stage(tmp_path, url))
    async with stage.facade(), stage.life() as life:
        yield Desk(stage, life, tmp_path)


async def test_next_collection_tells_the_new_account(
    tmp_path: Path, url: str, contracts: Path, logs: LogCapture
) -> None:
    """Once: from the new account, marked as such in a file that ISO's XSD accepts."""
    schema = contracts / "payments" / "sepa" / "xsd" / "pain.008.001.08.xsd"
    stage = with_bank(tmp_path, Stage(tmp_path, url), collection_schema=str(schema))
    async with stage.facade(), stage.life() as life:
        desk = Desk(stage, life, tmp_path)
        mandate_id = await desk.sign()
        changed = await desk.post(
            f"/v1/mandates/{mandate_id}/amend",
            {"iban": OTHER, "debtor_name": "Erika Musterfrau", "creditor_name_before": "Old GmbH"},
        )
        first = await desk.pay(mandate_id)
        made = await desk.export()
        mandate = await desk.mandate(mandate_id)
        told = await desk.events("mandate")
        outbox = await desk.stage.rows("select data::text from headrace.outbox")

    assert (200, "********2051") == (changed.status_code, changed.json()["iban"])
    assert made.manifest is not None
    written = etree.parse(tmp_path / made.manifest.file)
    assert ["true"] == written.xpath("//d:AmdmntInd/text()", namespaces=NS)
    assert ["SMNDA"] == written.xpath("//d:OrgnlDbtrAcct//d:Id/d:Othr/d:Id/text()", namespaces=NS)
    assert ["Old GmbH"] == written.xpath("//d:OrgnlCdtrSchmeId/d:Nm/text()", namespaces=NS)
    assert [OTHER] == written.xpath("//d:DbtrAcct/d:Id/d:IBAN/text()", namespaces=NS)
    assert ["Erika Musterfrau"] == written.xpath("//d:Dbtr/d:Nm/text()", namespaces=NS)
    assert mandate.amended_from is None
    assert ["signed", "activated", "amended", "notification_due"] == told
    assert first
    for text in (str(logs.entries), str(outbox)):
        assert OTHER not in text
        assert "Musterfrau" not in text


@pytest.mark.parametrize(("back", "marks"), [("", ["true", "true"]), ("AM04", ["true"])])
async def test_refused_before_the_debtors_bank_saw_it(
    desk: Desk, back: str, marks: list[str]
) -> None:
    """The next collection tells it again; what was booked and came back has told it."""
    mandate_id = await desk.sign()
    await desk.post(f"/v1/mandates/{mandate_id}/amend", {"iban": OTHER})
    payment_id = await desk.pay(mandate_id)
    first = await desk.export()
    assert first.manifest is not None
    ref = (await desk.payment(payment_id)).provider_ref
    if back:
        await desk.read(notice(entry(ref, "19.90"), entry(ref, "19.90", back=back)))
    else:
        said = (
            f"<TxInfAndSts><OrgnlEndToEndId>{ref}</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
            "<StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf></TxInfAndSts>"
        )
        for name in ("a.xml", "b.xml"):
            await desk.read(report(first.manifest.message_id, payments=said), name)
    await desk.pay(mandate_id)
    second = await desk.export(day=TODAY + timedelta(days=1))

    assert second.manifest is not None
    files = [one.manifest.file for one in (first, second) if one.manifest]
    assert marks == [
        mark
        for file in files
        for mark in etree.parse(desk.folder / file).xpath("//d:AmdmntInd/text()", namespaces=NS)
    ]


async def test_creditor_that_changed_in_the_settings(tmp_path: Path, url: str) -> None:
    """Nobody amended the mandate: the next file names the new one and tells the old one, once."""
    stage = with_bank(tmp_path, Stage(tmp_path, url))
    async with stage.facade(), stage.life() as life:
        desk = Desk(stage, life, tmp_path)
        mandate_id = await desk.sign()
        await desk.pay(mandate_id)
        accounts = {"main": msgspec.structs.replace(desk.port.accounts["main"], creditor_id=NEW)}
        port = SepaBankFiles(msgspec.structs.replace(desk.settings, accounts=accounts))
        first = await desk.export(port=port)
        mandate = await desk.mandate(mandate_id)
        told = await desk.stage.rows(
            "select data->>'creditor_id' from headrace.outbox"
            " where type = 'headrace.mandate.notification_due.v1' order by seq"
        )
        await desk.pay(mandate_id)
        second = await desk.export(port=port, day=TODAY + timedelta(days=1))

    assert first.manifest is not None
    assert second.manifest is not None
    written, after = (etree.parse(tmp_path / one.manifest.file) for one in (first, second))
    path = "//d:OrgnlCdtrSchmeId//d:Othr/d:Id/text()"
    assert ["DE98ZZZ09999999999"] == written.xpath(path, namespaces=NS)
    assert [] == after.xpath(path, namespaces=NS)
    assert (NEW, None) == (mandate.creditor_id, mandate.amended_from)
    assert [("DE98ZZZ09999999999",), (NEW,)] == told


async def test_what_has_ended_is_refused(desk: Desk) -> None:
    """409, and it stays as it is; what there is not is 404."""
    mandate_id = await desk.sign()
    await desk.post(f"/v1/mandates/{mandate_id}/revoke")
    ended = await desk.post(f"/v1/mandates/{mandate_id}/amend", {"iban": OTHER})
    unknown = await desk.post("/v1/mandates/NONE/amend", {"iban": OTHER})
    wrong = await desk.post(f"/v1/mandates/{mandate_id}/amend", {"iban": "DE00"})

    assert [409, 404, 422] == [one.status_code for one in (ended, unknown, wrong)]
    assert IBAN == (await desk.mandate(mandate_id)).iban


async def test_business_is_collected_again_once_its_bank_has_it(desk: Desk) -> None:
    """Suspended by the amendment; a payment that waits is not collected meanwhile."""
    mandate_id = await desk.sign(scheme="B2B", is_registered=True)
    later = await desk.pay(mandate_id, method_code="sepa_debit_b2b", due=in_days(20))
    suspended = await desk.post(f"/v1/mandates/{mandate_id}/amend", {"iban": OTHER})
    refused = await desk.ask(mandate_id, method_code="sepa_debit_b2b")
    again = await desk.post(f"/v1/mandates/{mandate_id}/activate")
    taken = await desk.ask(mandate_id, method_code="sepa_debit_b2b")

    assert ["SUSPENDED", "ACTIVE"] == [one.json()["state"] for one in (suspended, again)]
    assert [422, 201] == [refused.status_code, taken.status_code]
    assert PaymentState.PENDING is (await desk.payment(later)).state
