"""A bank by files, on a real PostgreSQL: mandates, collections, what comes back, refunds."""

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree
from structlog.testing import LogCapture

from adapters.sepa_bank.files import SepaBankFiles
from gateway.errors import Misconfigured, Rejected
from gateway.model.mandate import MandateState
from gateway.model.movement import MovementKind, MovementState
from gateway.model.payment import PaymentState, RefundState
from tests.flows.bank import IBAN, TODAY, Desk, in_days, with_bank
from tests.flows.stage import Stage, new_order

NS = {"d": "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"}


@pytest.fixture
async def desk(tmp_path: Path, url: str) -> AsyncIterator[Desk]:
    """A tenant with a bank, its facade and one worker."""
    stage = with_bank(tmp_path, Stage(tmp_path, url))
    async with stage.facade(), stage.life() as life:
        yield Desk(stage, life, tmp_path)


def entry(end_to_end_id: str, amount: str, *, back: str = "", group: str = "") -> str:
    """A line of a camt.054: booked, or come back for a reason."""
    way = "DBIT" if back else "CRDT"
    reason = f"<RtrInf><Rsn><Cd>{back}</Cd></Rsn></RtrInf>" if back else ""
    refs = f"<EndToEndId>{end_to_end_id}</EndToEndId>" if end_to_end_id else ""
    refs += f"<PmtInfId>{group}</PmtInfId>" if group else ""
    return (
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{way}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        "<BookgDt><Dt>2026-11-24</Dt></BookgDt><ValDt><Dt>2026-11-24</Dt></ValDt>"
        f"<NtryDtls><TxDtls><Refs>{refs}</Refs>{reason}</TxDtls></NtryDtls></Ntry>"
    )


def notice(*entries: str) -> bytes:
    """A camt.054."""
    space = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
    return (
        f"<Document xmlns='{space}'><BkToCstmrDbtCdtNtfctn><Ntfctn><Id>N</Id>"
        f"{''.join(entries)}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def report(message_id: str, *, status: str = "", payments: str = "") -> bytes:
    """A pain.002 about a file, or some of its payments."""
    space = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
    whole = f"<GrpSts>{status}</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf>"
    group = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>G</OrgnlPmtInfId>{payments}</OrgnlPmtInfAndSts>"
    return (
        f"<Document xmlns='{space}'><CstmrPmtStsRpt><OrgnlGrpInfAndSts><OrgnlMsgId>{message_id}"
        f"</OrgnlMsgId>{whole if status else ''}</OrgnlGrpInfAndSts>{group if payments else ''}"
        "</CstmrPmtStsRpt></Document>"
    ).encode()


async def test_collected_by_a_file(desk: Desk) -> None:
    """Promised, written once, booked: settled, and the mandate was used."""
    mandate_id = await desk.sign()
    payment_id = await desk.pay(mandate_id)
    promised = await desk.payment(payment_id)
    assert (PaymentState.PENDING, "bank") == (promised.state, promised.provider)

    made = await desk.export()
    assert made.manifest is not None
    file = desk.folder / made.manifest.file
    written = etree.parse(file)
    submitted = await desk.payment(payment_id)
    await desk.read(notice(entry(promised.provider_ref, "19.90")))
    settled = await desk.payment(payment_id)

    assert [promised.provider_ref] == written.xpath("//d:EndToEndId/text()", namespaces=NS)
    assert [IBAN] == written.xpath("//d:DbtrAcct/d:Id/d:IBAN/text()", namespaces=NS)
    assert (PaymentState.PENDING, MovementState.PENDING) == (
        submitted.state,
        submitted.movements[0].state,
    )
    assert (PaymentState.SETTLED, settled.amount) == (settled.state, settled.captured)
    assert settled.final_at
    due = written.xpath("//d:ReqdColltnDt/text()", namespaces=NS)
    assert [str((await desk.mandate(mandate_id)).last_used_at)] == due
    assert ["created", "settled"] == await desk.events("payment")


async def test_file_is_written_once_and_the_same_again(desk: Desk) -> None:
    """Nothing is told twice; a lost file has the same bytes, a changed one is refused."""
    await desk.pay(await desk.sign())
    first = await desk.export()
    assert first.manifest is not None
    file = desk.folder / first.manifest.file
    body = file.read_bytes()

    file.unlink()
    again = await desk.export()
    tomorrow = await desk.export(day=TODAY + dt.timedelta(days=1))

    assert (first.manifest, body) == (again.manifest, file.read_bytes())
    assert again.written
    assert tomorrow.manifest is None
    file.write_bytes(body + b" ")
    with pytest.raises(Exception, match="was changed"):
        await desk.export()


class Dying:
    """The bank's files; the process dies as soon as a file is whole."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def write_collections(self, rows: Iterator[Any], target: Path, **given: Any) -> Any:
        """The file, and nothing after it."""
        self._port.write_collections(rows, target, **given)
        raise KeyboardInterrupt


def with_initiator(desk: Desk, initiator: str) -> SepaBankFiles:
    """The bank's files with another setting that stands in them."""
    return SepaBankFiles(msgspec.structs.replace(desk.settings, initiator=initiator))


async def test_settings_change_before_the_file_has_its_name(desk: Desk) -> None:
    """Nobody can have seen the first one, so the second is the file."""
    await desk.pay(await desk.sign())
    with pytest.raises(KeyboardInterrupt):
        await desk.export(port=Dying(desk.port))
    seen = collections_in(desk.folder)
    made = await desk.export(port=with_initiator(desk, "Other GmbH"))
    again = await desk.export(port=with_initiator(desk, "Other GmbH"))

    assert [] == seen
    assert made.manifest is not None
    assert (True, False) == (made.written, again.written)
    assert b"Other GmbH" in (desk.folder / made.manifest.file).read_bytes()
    assert [] == sorted(desk.folder.glob(".collections*"))


@pytest.mark.parametrize("completed", [True, False])
async def test_settings_change_after_the_file_has_its_name(desk: Desk, *, completed: bool) -> None:
    """Whoever has it may have handed it in: the same bytes, or a refusal; the file stays."""
    await desk.pay(await desk.sign())
    first = await desk.export()
    assert first.manifest is not None
    file = desk.folder / first.manifest.file
    body, told = file.read_bytes(), file.with_suffix(".manifest.json")
    if completed:
        file.unlink()  # handed in and put away
    else:
        # As a version left it that completed the run last.
        sql = "update headrace.export_run set state = 'RUNNING', manifest = null returning 1"
        await desk.stage.rows(sql)

    with pytest.raises(Misconfigured) as refused:
        await desk.export(port=with_initiator(desk, "Other GmbH"))
    left = collections_in(desk.folder)
    told.unlink()
    again = await desk.export()

    assert "export_changed" == refused.value.code
    assert ([told.name] if completed else [told.name, file.name]) == left
    assert (first.manifest, body) == (again.manifest, file.read_bytes())
    assert told.exists()


async def test_manifest_that_was_lost_comes_back(desk: Desk) -> None:
    """The process died between the file's name and its manifest."""
    await desk.pay(await desk.sign())
    first = await desk.export()
    assert first.manifest is not None
    told = (desk.folder / first.manifest.file).with_suffix(".manifest.json")
    body = told.read_bytes()
    told.unlink()
    again = await desk.export()

    assert (False, body) == (again.written, told.read_bytes())


def collections_in(folder: Path) -> list[str]:
    """The files of collections in a folder."""
    return sorted(file.name for file in folder.glob("collections*"))


class Losing:
    """The bank's files, but the first row of each is lost on its way."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def write_collections(self, rows: Iterator[Any], target: Path, **given: Any) -> Any:
        """All but the first."""
        next(rows)
        return self._port.write_collections(rows, target, **given)


async def test_a_lost_row_is_noticed(desk: Desk) -> None:
    """PostgreSQL's own sum differs: there is no file, and the next run is whole."""
    mandate_id = await desk.sign()
    for _ in range(2):
        await desk.pay(mandate_id)

    with pytest.raises(Rejected) as refused:
        await desk.export(port=Losing(desk.port))
    assert [] == collections_in(desk.folder)
    made = await desk.export()

    assert "totals_differ" == refused.value.code
    assert made.manifest is not None
    assert 2 == made.manifest.count
    told = "select count(*) from headrace.reference where entity = 'BANK_ORDER'"
    assert [(2,)] == await desk.stage.rows(told)


async def test_came_back_after_booking(desk: Desk) -> None:
    """RETURNED with the bank's reason, told once, however often and where the bank tells it."""
    payment_id = await desk.pay(await desk.sign())
    await desk.export()
    ref = (await desk.payment(payment_id)).provider_ref
    document = notice(entry(ref, "19.90"), entry(ref, "19.90", back="AM04"))

    first, second = await desk.read(document), await desk.read(document)
    await desk.read(notice(entry(ref, "19.90", back="AM04")), "statement.xml")
    payment = await desk.payment(payment_id)

    assert [(2, 2), (2, 0)] == [(one.rows, one.new) for one in (first, second)]
    assert (PaymentState.RETURNED, payment.amount) == (payment.state, payment.returned)
    (back,) = [one for one in payment.movements if one.kind is MovementKind.RETURN]
    assert ("AM04", MovementState.DONE) == (back.reason_code, back.state)
    assert 1 == (await desk.events("payment")).count("returned")


async def test_the_order_of_words_changes_nothing(desk: Desk) -> None:
    """The return is heard before the booking."""
    payment_id = await desk.pay(await desk.sign())
    await desk.export()
    ref = (await desk.payment(payment_id)).provider_ref

    await desk.read(notice(entry(ref, "19.90", back="MS03")), "a.xml")
    await desk.read(notice(entry(ref, "19.90")), "b.xml")

    assert PaymentState.RETURNED is (await desk.payment(payment_id)).state


async def test_refused_before_booking(desk: Desk) -> None:
    """FAILED with the bank's code; no money moved, so nothing came back."""
    payment_id = await desk.pay(await desk.sign())
    made = await desk.export()
    assert made.manifest is not None
    ref = (await desk.payment(payment_id)).provider_ref
    told = (
        f"<TxInfAndSts><OrgnlEndToEndId>{ref}</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts>"
    )

    await desk.read(report(made.manifest.message_id, payments=told))
    payment = await desk.payment(payment_id)

    assert PaymentState.FAILED is payment.state
    assert payment.failure is not None
    assert "AC04" == payment.failure.provider_code
    assert 0 == payment.returned.minor


async def test_whole_file_refused(desk: Desk) -> None:
    """The bank names none of its payments; our own record does."""
    mandate_id = await desk.sign()
    payments = [await desk.pay(mandate_id, amount) for amount in ("1.00", "2.00")]
    made = await desk.export()
    assert made.manifest is not None

    await desk.read(report(made.manifest.message_id, status="RJCT"))

    for payment_id in payments:
        assert PaymentState.FAILED is (await desk.payment(payment_id)).state


async def test_batch_booking_is_exploded(desk: Desk) -> None:
    """One line for the group: each of its payments is settled; another sum is for a person."""
    mandate_id = await desk.sign()
    payments = [await desk.pay(mandate_id, amount) for amount in ("1.00", "2.50")]
    made = await desk.export()
    assert made.manifest is not None
    (group,) = made.manifest.groups

    wrong = await desk.read(notice(entry("", "3.49", group=group.group_id)), "wrong.xml")
    right = await desk.read(notice(entry("", "3.50", group=group.group_id)), "right.xml")

    assert (1, 2) == (wrong.rows, right.rows)
    assert [("PARKED", "entry_unmatched"), *[("APPLIED", "entry.collection")] * 2] == (
        await desk.inbox()
    )
    for payment_id in payments:
        assert PaymentState.SETTLED is (await desk.payment(payment_id)).state


async def test_a_statement_in_mt940(desk: Desk) -> None:
    """The batch by the file's own reference, and the return of one of them by its number."""
    mandate_id = await desk.sign()
    kept, back = [await desk.pay(mandate_id, amount) for amount in ("1.00", "2.50")]
    made = await desk.export()
    assert made.manifest is not None
    ref = (await desk.payment(back)).provider_ref
    statement = (
        ":20:S\n:25:DE75512108001245126199\n:28C:1/1\n:60F:C261123EUR0,00\n"
        f":61:2611241124C3,50NDDTKREF+\n:86:191?00SEPA?20KREF+{made.manifest.message_id}\n"
        f":61:2611251125D2,50NRTINONREF\n:86:109?00RETURN?20EREF+{ref[:27]}?21{ref[27:]}"
        "?34914\n:62F:C261125EUR1,00\n-\n"
    )

    await desk.read(statement.encode(), "statement.sta")

    assert PaymentState.SETTLED is (await desk.payment(kept)).state
    returned = await desk.payment(back)
    assert PaymentState.RETURNED is returned.state
    assert "MS03" in {one.reason_code for one in returned.movements}


async def test_other_amount_is_for_a_person(desk: Desk) -> None:
    """More came than was asked for: nothing is believed."""
    payment_id = await desk.pay(await desk.sign())
    await desk.export()
    ref = (await desk.payment(payment_id)).provider_ref

    await desk.read(notice(entry(ref, "1990.00")))

    assert [("PARKED", "integrity_mismatch")] == await desk.inbox()
    assert PaymentState.PENDING is (await desk.payment(payment_id)).state


async def test_cancelled_before_the_file_and_not_after(desk: Desk) -> None:
    """What stands in no file is given up; what stands in one is not."""
    mandate_id = await desk.sign()
    early, late = [await desk.pay(mandate_id) for _ in range(2)]
    answer = await desk.post(f"/v1/payments/{early}/cancel")
    unfinished = await desk.payment(early)
    made = await desk.export()
    await desk.work()
    refused = await desk.post(f"/v1/payments/{late}/cancel")

    assert (202, PaymentState.PENDING) == (answer.status_code, unfinished.state)
    assert made.manifest is not None
    assert 1 == made.manifest.count
    assert PaymentState.CANCELLED is (await desk.payment(early)).state
    assert (409, "wrong_state") == (refused.status_code, refused.json()["code"])
    assert PaymentState.PENDING is (await desk.payment(late)).state


async def test_no_valid_mandate_ends_it(desk: Desk) -> None:
    """MD01: revoked, told, and no further payment is taken by it."""
    mandate_id = await desk.sign()
    payment_id = await desk.pay(mandate_id)
    waiting = await desk.pay(mandate_id, due=in_days(30))
    await desk.export()
    ref = (await desk.payment(payment_id)).provider_ref

    await desk.read(notice(entry(ref, "19.90"), entry(ref, "19.90", back="MD01")))
    refused = await desk.ask(mandate_id)
    later = await desk.export(day=TODAY + dt.timedelta(days=30))
    failed = await desk.payment(waiting)

    assert MandateState.REVOKED is (await desk.mandate(mandate_id)).state
    told = ["signed", "activated", "notification_due", "notification_due", "cancelled"]
    assert told == await desk.events("mandate")
    assert (422, "mandate_revoked", "/payment/mandate_id") == (
        refused.status_code,
        refused.json()["errors"][0]["code"],
        refused.json()["errors"][0]["pointer"],
    )
    assert (None, 1) == (later.manifest, later.refused)
    assert failed.failure is not None
    assert (PaymentState.FAILED, "mandate_revoked") == (failed.state, failed.failure.provider_code)


async def test_refund_is_a_transfer(desk: Desk) -> None:
    """Promised, written once to the debtor's account, booked: settled."""
    payment_id = await desk.pay(await desk.sign())
    await desk.export()
    ref = (await desk.payment(payment_id)).provider_ref
    await desk.read(notice(entry(ref, "19.90")))
    part = {"amount": "5.00", "currency": "EUR"}
    asked = {"payment_id": payment_id, "amount": part, "reason": "goodwill"}
    answer = await desk.post("/v1/refunds", asked)
    await desk.work()

    made = await desk.export("transfers")
    assert made.manifest is not None
    body = (desk.folder / made.manifest.file).read_text()
    again = await desk.export("transfers", day=TODAY + dt.timedelta(days=1))
    gone = f"{ref}R1"
    await desk.read(notice(entry(gone, "5.00").replace("CRDT", "DBIT")), "gone.xml")
    payment = await desk.payment(payment_id)

    assert 201 == answer.status_code
    for part_of in (f"<EndToEndId>{gone}</EndToEndId>", "goodwill", f"<IBAN>{IBAN}</IBAN>"):
        assert part_of in body
    assert again.manifest is None
    assert (RefundState.SETTLED, 500) == (payment.refunds[0].state, payment.refunded.minor)


@pytest.mark.parametrize(
    ("mandate", "payment", "rule"),
    [
        ({}, {"mandate_id": "NONE"}, "mandate_unknown"),
        ({}, {"method_code": "sepa_debit_b2b"}, "mandate_scheme"),
        ({"scheme": "B2B"}, {"method_code": "sepa_debit_b2b"}, "mandate_pending"),
        ({"signed_at": in_days(-1200)}, {}, "mandate_lapsed"),
        ({}, {"due": in_days(1200)}, "mandate_lapsed"),
    ],
)
async def test_mandate_that_cannot_be_collected_by(
    desk: Desk, mandate: dict[str, str], payment: dict[str, str], rule: str
) -> None:
    """Refused with the rule and where it stands; nothing is stored."""
    mandate_id = await desk.sign(**mandate)

    answer = await desk.ask(**{"mandate_id": mandate_id, **payment})

    found = [(one["pointer"], one["code"]) for one in answer.json()["errors"]]
    assert (422, [("/payment/mandate_id", rule)]) == (answer.status_code, found)
    ((count,),) = await desk.stage.rows(
        "select count(*) from headrace.document where kind = 'payment'"
    )
    assert 0 == count


async def test_account_numbers_are_shown_nowhere(desk: Desk, logs: LogCapture) -> None:
    """Only the end of the IBAN is shown; no log, event, answer or row of the inbox has it."""
    mandate_id = await desk.sign()
    payment_id = await desk.pay(mandate_id)
    await desk.export()
    ref = (await desk.payment(payment_id)).provider_ref
    line = entry(ref, "19.90").replace(
        "</TxDtls>",
        f"<RltdPties><DbtrAcct><Id><IBAN>{IBAN}</IBAN></Id></DbtrAcct></RltdPties></TxDtls>",
    )
    await desk.read(notice(line))
    shown = await desk.stage.api.get(f"/v1/mandates/{mandate_id}")

    assert logs.entries
    assert IBAN not in str(logs.entries)
    assert ("********3000", None) == (shown.json()["iban"], shown.json()["bic"])
    for table in ("outbox", "evidence", "inbox", "idempotency", "flow"):
        sql = f"select coalesce(string_agg(t::text, ' '), '') from headrace.{table} t"  # noqa: S608 - our own names
        ((found,),) = await desk.stage.rows(sql)
        assert IBAN not in found
        assert IBAN.encode().hex() not in found
        assert "Mustermann" not in found
        assert b"Mustermann".hex() not in found


async def test_business_mandate_is_activated_and_taken_back(desk: Desk) -> None:
    """B2B: only once the debtor's bank has it; taken back, nothing is collected by it."""
    mandate_id = await desk.sign(scheme="B2B")
    early = await desk.ask(mandate_id, method_code="sepa_debit_b2b")
    active = await desk.post(f"/v1/mandates/{mandate_id}/activate")
    payment_id = await desk.pay(mandate_id, method_code="sepa_debit_b2b")
    made = await desk.export()
    revoked = await desk.post(f"/v1/mandates/{mandate_id}/revoke")
    again = await desk.post(f"/v1/mandates/{mandate_id}/revoke")

    assert [422, 200, 200, 409] == [one.status_code for one in (early, active, revoked, again)]
    assert ("ACTIVE", "REVOKED") == (active.json()["state"], revoked.json()["state"])
    assert made.manifest is not None
    assert b"<Cd>B2B</Cd>" in (desk.folder / made.manifest.file).read_bytes()
    assert PaymentState.PENDING is (await desk.payment(payment_id)).state
    told = ["signed", "activated", "notification_due", "cancelled"]
    assert told == await desk.events("mandate")


async def test_mandate_for_one_collection(desk: Desk) -> None:
    """The second payment by it fails with the rule, and the file is written all the same."""
    mandate_id = await desk.sign(is_single=True)
    payments = [await desk.pay(mandate_id) for _ in range(2)]

    made = await desk.export()

    states = sorted([(await desk.payment(one)).state for one in payments])
    assert made.manifest is not None
    assert (1, 1) == (made.manifest.count, made.refused)
    assert [PaymentState.FAILED, PaymentState.PENDING] == states
    assert MandateState.EXPIRED is (await desk.mandate(mandate_id)).state
    assert b"<SeqTp>OOFF</SeqTp>" in (desk.folder / made.manifest.file).read_bytes()


async def test_same_reference_twice(desk: Desk) -> None:
    """Refused with its pointer; the first stays as it is. The same key has the same answer."""
    await desk.sign(mandate_id="M-1")
    body = {"debtor_name": "Other", "iban": IBAN, "signed_at": in_days(-1), "mandate_id": "M-1"}
    answer = await desk.post("/v1/mandates", body)
    headers = {"Idempotency-Key": "same"}
    twice = [
        await desk.stage.api.post(
            "/v1/mandates", json=body | {"mandate_id": "M-2"}, headers=headers
        )
        for _ in range(2)
    ]

    assert ("/mandate_id", "mandate_exists") == tuple(
        answer.json()["errors"][0][name] for name in ("pointer", "code")
    )
    assert "Erika Mustermann" == (await desk.mandate("M-1")).debtor_name
    assert [201, 201] == [one.status_code for one in twice]
    assert twice[0].content == twice[1].content


async def test_unknown_mandate(desk: Desk) -> None:
    """Neither shown nor changed."""
    shown = await desk.stage.api.get("/v1/mandates/NONE")
    revoked = await desk.post("/v1/mandates/NONE/revoke")

    assert [404, 404] == [shown.status_code, revoked.status_code]


@pytest.mark.parametrize(
    ("fields", "pointer"), [({"system": "stripe"}, "/system"), ({"account": "no"}, "/account")]
)
async def test_mandate_for_an_account_that_is_none(
    desk: Desk, fields: dict[str, str], pointer: str
) -> None:
    """Refused with its pointer."""
    body = {"debtor_name": "Erika", "iban": IBAN, "signed_at": in_days(-1)}

    answer = await desk.post("/v1/mandates", body | fields)

    assert (422, pointer) == (answer.status_code, answer.json()["errors"][0]["pointer"])


async def test_due_payments_only(desk: Desk) -> None:
    """What is due later waits for its own file."""
    mandate_id = await desk.sign()
    now, later = await desk.pay(mandate_id), await desk.pay(mandate_id, due=in_days(40))

    first = await desk.export()
    second = await desk.export(day=TODAY + dt.timedelta(days=1))

    assert first.manifest is not None
    assert (1, None) == (first.manifest.count, second.manifest)
    assert [1, 0] == [len((await desk.payment(one)).movements) for one in (now, later)]


async def test_order_that_is_given_up_is_paid_back(desk: Desk) -> None:
    """Its file is at the bank: the money comes, and goes back by a transfer."""
    stage, life = desk.stage, desk.life
    payment = {"method_code": "sepa_debit", "mandate_id": await desk.sign(), "provider": "bank"}
    order = await stage.submit(new_order("1", payment=payment))
    await stage.work_until(life, order, "WAITING")
    await desk.export()
    flow = await stage.flow(order)
    await stage.operator(life).cancel(flow["flow_id"], reason="customer called")
    await desk.work()
    waiting = await desk.payment(order.payment_id)

    await desk.read(notice(entry(waiting.provider_ref, "20.00")))
    await stage.finish(life, order)
    made = await desk.export("transfers")

    assert PaymentState.PENDING is waiting.state
    assert "CANCELLED" == (await stage.order(order.order_id)).state
    assert made.manifest is not None
    assert ("20.00", 1) == (made.manifest.total, made.manifest.count)


async def test_order_that_is_given_up_before_the_file(desk: Desk) -> None:
    """Nothing is collected."""
    stage, life = desk.stage, desk.life
    payment = {"method_code": "sepa_debit", "mandate_id": await desk.sign(), "provider": "bank"}
    order = await stage.submit(new_order("1", payment=payment))
    await stage.work_until(life, order, "WAITING")
    flow = await stage.flow(order)
    await stage.operator(life).cancel(flow["flow_id"], reason="customer called")
    await stage.finish(life, order)

    made = await desk.export()

    assert PaymentState.CANCELLED is (await desk.payment(order.payment_id)).state
    assert (None, 0) == (made.manifest, made.refused)


@pytest.mark.parametrize("generation", ["08", "02"])
async def test_schemas_accept_what_is_written(
    tmp_path: Path, url: str, contracts: Path, generation: str
) -> None:
    """ISO's, configured as the bank's, look at both files while they are written."""
    folder = contracts / "payments" / "sepa" / "xsd"
    stage = with_bank(
        tmp_path,
        Stage(tmp_path, url),
        generation=generation,
        collection_schema=str(folder / f"pain.008.001.{generation}.xsd"),
        transfer_schema=str(folder / "pain.001.001.09.xsd"),
    )
    async with stage.facade(), stage.life() as life:
        desk = Desk(stage, life, tmp_path)
        payment_id = await desk.pay(await desk.sign(debtor_name="Jörg Müßig & Söhne"))
        collections = await desk.export()
        ref = (await desk.payment(payment_id)).provider_ref
        await desk.read(notice(entry(ref, "19.90")))
        await desk.post("/v1/refunds", {"payment_id": payment_id})
        await desk.work()
        transfers = await desk.export("transfers")

    assert [True, True] == [one.written for one in (collections, transfers)]


async def test_schema_that_refuses(tmp_path: Path, url: str, contracts: Path) -> None:
    """There is no file, and the run goes on once the schema is the right one."""
    folder = contracts / "payments" / "sepa" / "xsd"
    wrong = str(folder / "pain.008.001.02.xsd")
    stage = with_bank(tmp_path, Stage(tmp_path, url), collection_schema=wrong)
    async with stage.facade(), stage.life() as life:
        desk = Desk(stage, life, tmp_path)
        await desk.pay(await desk.sign())
        with pytest.raises(Rejected) as refused:
            await desk.export()
        left = collections_in(tmp_path)
        right = SepaBankFiles(msgspec.structs.replace(desk.settings, collection_schema=""))
        made = await desk.export(port=right)

    assert ("file_refused", []) == (refused.value.code, left)
    assert made.written


async def test_explained_without_a_request(desk: Desk) -> None:
    """Who would collect, and that nothing would be sent."""
    mandate_id = await desk.sign()
    instruction = {"method_code": "sepa_debit", "mandate_id": mandate_id, "provider": "bank"}
    body = {"amount": {"amount": "19.90", "currency": "EUR"}, "payment": instruction}

    answer = await desk.stage.api.post("/v1/payments/explain", json=body)

    (would,) = answer.json()["requests"]
    assert ("", "needs no request") == (would["request"], would["problem"])


async def test_debit_that_came_back_is_not_given_back_too(desk: Desk) -> None:
    """The refund was promised before the debtor's bank took the money; it must not go twice."""
    payment_id = await desk.pay(await desk.sign())
    await desk.export()
    ref = (await desk.payment(payment_id)).provider_ref
    await desk.read(notice(entry(ref, "19.90")))
    await desk.post("/v1/refunds", {"payment_id": payment_id})
    await desk.work()
    await desk.read(notice(entry(ref, "19.90", back="MD06")), "back.xml")
    await desk.export("transfers")

    payment = await desk.payment(payment_id)
    assert PaymentState.RETURNED is payment.state
    assert ["FAILED"] == [one.state.value for one in payment.refunds]


async def test_return_that_is_announced_leaves_nothing_to_give_back(desk: Desk) -> None:
    """It is not booked yet, but it is on its way."""
    payment_id = await desk.pay(await desk.sign())
    await desk.export()
    ref = (await desk.payment(payment_id)).provider_ref
    await desk.read(notice(entry(ref, "19.90")))
    announced = entry(ref, "19.90", back="MD06").replace("BOOK", "PDNG")
    await desk.read(notice(announced), "back.xml")

    refused = await desk.post("/v1/refunds", {"payment_id": payment_id})

    assert ["above_captured"] == [one["code"] for one in refused.json()["errors"]]


async def test_file_that_the_bank_has_already_is_no_refusal(desk: Desk) -> None:
    """The first one counts: what it collects is collected."""
    payment_id = await desk.pay(await desk.sign())
    made = await desk.export()
    assert made.manifest is not None
    twice = report(made.manifest.message_id, status="RJCT").replace(b"FF01", b"AM05")
    await desk.read(twice)
    pending = await desk.payment(payment_id)
    await desk.read(notice(entry(pending.provider_ref, "19.90")), "booked.xml")

    assert PaymentState.PENDING is pending.state
    assert "19.90" == (await desk.payment(payment_id)).captured.amount


async def test_order_by_a_mandate_that_was_taken_back_is_refused(desk: Desk) -> None:
    """With the field and the rule, before anything is stored."""
    mandate_id = await desk.sign()
    await desk.post(f"/v1/mandates/{mandate_id}/revoke")
    paid = {"method_code": "sepa_debit", "mandate_id": mandate_id}
    answer = await desk.post("/v1/orders", new_order("revoked", payment=paid))

    assert [("/payment/mandate_id", "mandate_revoked")] == [
        (one["pointer"], one["code"]) for one in answer.json()["errors"]
    ]
