"""Payouts by files, on a real PostgreSQL: promised, written once, verified by the bank, paid."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
import yaml
from lxml import etree
from structlog.testing import LogCapture

from gateway.model import codec
from gateway.model.payout import PayeeMatch, Payout, PayoutState
from tests.flows.bank import SYSTEM, TODAY, Desk, with_bank
from tests.flows.doom import Doom, Mortal
from tests.flows.stage import Life, Stage
from tests.flows.test_bank import notice, report

_S = PayoutState
NS = {"d": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
IBAN: Final = "DE91100000000123456789"
WHERE: Final = {"iban": IBAN, "name": "Grace Höpper"}
_KEYS: Final = {"shop": "key-of-the-shop", "finance": "key-of-finance"}
_BYTES: Final = re.compile(r"\\\\x([0-9a-f]+)")


class Treasury(Desk):
    """A desk at which two clients send money."""

    async def post(
        self, path: str, body: Any = None, *, client: str = "shop", key: str = ""
    ) -> Any:
        """The answer to a request with a key of its own."""
        self._number += 1
        headers = {
            "Idempotency-Key": key or f"k-{self._number}",
            "Authorization": f"Bearer {_KEYS[client]}",
        }
        return await self.stage.api.post(path, json=body or {}, headers=headers)

    async def ask_payout(self, amount: str = "50.00", **fields: Any) -> Any:
        """The answer to a payout from our own account."""
        money = {"amount": amount, "currency": "EUR"}
        body = {"provider": SYSTEM, "amount": money, "destination": WHERE, **fields}
        return await self.post("/v1/payouts", body)

    async def promise(self, amount: str = "50.00", **fields: Any) -> Payout:
        """A payout that waits for its file."""
        answer = await self.ask_payout(amount, **fields)
        assert answer.status_code == 201, answer.text
        await self.work()
        return await self.payout(answer.json()["payout_id"])

    async def payout(self, payout_id: str) -> Payout:
        """The payout as it stands."""
        return codec.decode(await self._body("payout", payout_id), Payout)

    async def sent(self, **fields: Any) -> tuple[Payout, str]:
        """A payout that stands in a file, and the file's message id."""
        payout = await self.promise(**fields)
        made = await self.export("transfers")
        assert made.manifest is not None
        return await self.payout(payout.payout_id), made.manifest.message_id

    async def change(self, payout: Payout, verb: str, body: Any = None, **given: Any) -> Any:
        """The answer to a wish about a payout."""
        return await self.post(f"/v1/payouts/{payout.payout_id}/{verb}", body, **given)

    async def flow_of(self, payout: Payout) -> str:
        """State of the flow that sends it."""
        sql = "select state from headrace.flow where business_id = %s and kind = 'send_payout'"
        ((state,),) = await self.stage.rows(sql, payout.payout_id)
        return str(state)


@pytest.fixture
async def desk(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Treasury]:
    """A tenant with a bank, two clients, and approval from 100 euros."""
    for client, key in _KEYS.items():
        monkeypatch.setenv(f"DESK_{client}", key)
    stage = Stage(tmp_path, url)
    process, tenant = tmp_path / "headrace.yaml", tmp_path / "tenants" / "acme.yaml"
    typed = yaml.safe_load(process.read_text())
    typed["server"]["api_keys"] = [
        {"client": client, "tenant": "acme", "key": f"env:DESK_{client}"} for client in _KEYS
    ]
    process.write_text(yaml.safe_dump(typed))
    acme = yaml.safe_load(tenant.read_text())
    acme["payouts"] = {"approve_from": {"EUR": "100.00"}}
    tenant.write_text(yaml.safe_dump(acme))
    stage = with_bank(tmp_path, stage)
    async with stage.facade(), stage.life() as life:
        yield Treasury(stage, life, tmp_path)


def booked(payout: Payout, amount: str = "50.00", *, back: str | None = None) -> str:
    """A line of a camt.054: the money left, or came back, for a reason or for none."""
    way = "DBIT" if back is None else "CRDT"
    reason = f"<RtrInf><Rsn><Cd>{back}</Cd></Rsn></RtrInf>" if back else ""
    return (
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{way}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        "<BookgDt><Dt>2026-11-24</Dt></BookgDt><NtryDtls><TxDtls><Refs>"
        f"<EndToEndId>{payout.provider_ref}</EndToEndId></Refs>"
        f"<RltdPties><Cdtr><Pty><Nm>Grace Hoepper</Nm></Pty></Cdtr><CdtrAcct><Id><IBAN>{IBAN}"
        f"</IBAN></Id></CdtrAcct></RltdPties>{reason}</TxDtls></NtryDtls></Ntry>"
    )


def said(payout: Payout, status: str, reason: str = "") -> str:
    """What a pain.002 says of one payout; the amount is left out, as banks do."""
    why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{payout.provider_ref}</OrgnlEndToEndId>"
        f"<TxSts>{status}</TxSts>{why}</TxInfAndSts>"
    )


async def test_paid_by_a_file(desk: Treasury) -> None:
    """Promised, written once, booked: paid; each step is told once."""
    promised = await desk.promise(text="Sales of October")
    assert (_S.PENDING, "") == (promised.state, promised.submitted_at)
    made = await desk.export("transfers")
    again = await desk.export("transfers")
    tomorrow = await desk.export("transfers", day=TODAY + timedelta(days=1))
    sent = await desk.payout(promised.payout_id)
    await desk.read(notice(booked(sent)))
    paid = await desk.payout(promised.payout_id)

    assert made.manifest is not None
    written = etree.parse(desk.folder / made.manifest.file)
    texts = [
        written.xpath(f"//d:CdtTrfTxInf//d:{name}/text()", namespaces=NS)
        for name in ("EndToEndId", "IBAN", "Nm", "Ustrd", "InstdAmt")
    ]
    assert [
        [promised.provider_ref],
        [IBAN],
        ["Grace Hoepper"],
        ["Sales of October"],
        ["50.00"],
    ] == (texts)
    assert len(promised.provider_ref) <= 35
    assert (1, False, None) == (made.manifest.count, again.written, tomorrow.manifest)
    assert (_S.SENT, _S.PAID) == (sent.state, paid.state)
    assert sent.submitted_at
    assert ["created", "submitted", "paid"] == await desk.events("payout")
    assert "COMPLETED" == await desk.flow_of(paid)


async def test_four_eyes_before_the_file(desk: Treasury) -> None:
    """Above the limit nothing is promised until another client agrees."""
    held = await desk.promise("150.00")
    before = await desk.export("transfers")
    refused = await desk.change(held, "approve")
    agreed = await desk.change(held, "approve", client="finance")
    await desk.work()
    made = await desk.export("transfers")

    assert (_S.AWAITING_APPROVAL, None) == (held.state, before.manifest)
    assert [403, 200] == [refused.status_code, agreed.status_code]
    assert made.manifest is not None
    assert ("150.00", _S.SENT) == (
        made.manifest.total,
        (await desk.payout(held.payout_id)).state,
    )


async def test_cancelled_before_the_file_and_not_after(desk: Treasury) -> None:
    """The first is in no file, and its flow ends; the second is the bank's to stop."""
    early, late = await desk.promise(), await desk.promise("60.00")
    given_up = await desk.change(early, "cancel")
    await desk.work()
    made = await desk.export("transfers")
    refused = await desk.change(late, "cancel")

    assert [200, 409] == [given_up.status_code, refused.status_code]
    assert "CANCELLED" == given_up.json()["state"]
    assert "COMPLETED" == await desk.flow_of(early)
    assert made.manifest is not None
    assert "60.00" == made.manifest.total
    assert _S.SENT is (await desk.payout(late.payout_id)).state


async def test_cancelled_while_the_file_is_made(desk: Treasury) -> None:
    """The export has seen it and waits for its lock: it is left out, and the others go."""
    given_up, other = await desk.promise(), await desk.promise("60.00")
    async with await psycopg.AsyncConnection.connect(desk.stage.url) as cancelling:
        await cancelling.execute(
            "update headrace.document set state = 'CANCELLED',"
            " body = jsonb_set(body, '{state}', '\"CANCELLED\"') where id = %s",
            (given_up.payout_id,),
        )
        export = asyncio.create_task(desk.export("transfers"))
        waits = "select count(*) from pg_locks where not granted"
        while (await desk.stage.rows(waits))[0][0] == 0:
            assert not export.done()
        await cancelling.commit()
    made = await export

    assert made.manifest is not None
    assert (1, "60.00") == (made.manifest.count, made.manifest.total)
    assert _S.CANCELLED is (await desk.payout(given_up.payout_id)).state
    assert _S.SENT is (await desk.payout(other.payout_id)).state


async def test_withdrawn_at_the_bank(desk: Treasury) -> None:
    """Somebody says so and it is cancelled; money that leaves all the same has the last word."""
    sent, _ = await desk.sent()
    withdrawn = await desk.change(sent, "cancel", {"withdrawn": True})
    cancelled = await desk.payout(sent.payout_id)
    await desk.read(notice(booked(sent)))

    assert (200, _S.CANCELLED) == (withdrawn.status_code, cancelled.state)
    assert _S.PAID is (await desk.payout(sent.payout_id)).state


@pytest.mark.parametrize(
    ("result", "state"),
    [
        ("RCVC", _S.SENT),
        ("RVNA", _S.SENT),
        ("PDNG", _S.SENT),
        ("RVMC", _S.AWAITING_APPROVAL),
        ("RVNM", _S.AWAITING_VERIFICATION),
    ],
)
async def test_verification_comes_after_the_file(
    desk: Treasury, result: str, state: PayoutState
) -> None:
    """Held as the settings say, and never FAILED: only the bank knows whether the money stays."""
    sent, message_id = await desk.sent()
    await desk.read(report(message_id, payments=said(sent, result)))
    found = await desk.payout(sent.payout_id)

    assert state is found.state
    kept = found.verification.result if found.verification else None
    assert kept == (None if result == "PDNG" else PayeeMatch(result))
    assert (state is not _S.SENT) == ("verification_failed" in await desk.events("payout"))
    word = "payout.sent" if result == "PDNG" else "status.verified"
    assert ("APPLIED", word) in await desk.inbox()
    await desk.read(notice(booked(sent)))
    assert _S.PAID is (await desk.payout(sent.payout_id)).state


async def test_answer_as_a_german_bank_writes_it(desk: Treasury, contracts: Path) -> None:
    """Counts for the file, a status for the payment and no amount; who was meant is not kept."""
    folder = contracts / "payments" / "sepa" / "samples" / "camt"
    file = folder / "test-pain-parse-0020110-01.xml"
    if not file.is_file():
        pytest.skip("contracts not found")
    sent, message_id = await desk.sent()
    text = file.read_text().replace("NOTPROVIDED", sent.provider_ref)
    document = text.replace("2025-10-20T23:33:49:0045", message_id)
    await desk.read(document.encode())
    found = await desk.payout(sent.payout_id)

    assert found.verification is not None
    assert (_S.AWAITING_VERIFICATION, "RVNM", "") == (
        found.state,
        found.verification.result,
        found.verification.name,
    )
    assert {"APPLIED", "IGNORED"} == {state for state, _ in await desk.inbox()}
    assert "Mustermann" not in str(await desk.stage.rows("select body from headrace.inbox"))


async def test_verification_needs_neither_file_nor_amount(desk: Treasury) -> None:
    """Some banks answer it for an order of theirs: whose name it is stands beside it."""
    sent, _ = await desk.sent()
    await desk.read(report("ORDER-OF-THE-BANK", payments=said(sent, "RVNM")))

    assert _S.AWAITING_VERIFICATION is (await desk.payout(sent.payout_id)).state


async def test_somebody_agrees_in_spite_of_the_name(desk: Treasury) -> None:
    """Another client than the one who asked; reading the same again changes nothing."""
    sent, message_id = await desk.sent()
    document = report(message_id, payments=said(sent, "RVMC"))
    await desk.read(document)
    own = await desk.change(sent, "approve")
    agreed = await desk.change(sent, "approve", client="finance")
    await desk.read(document + b"\n<!-- again -->", "again.xml")
    found = await desk.payout(sent.payout_id)

    assert [403, 200] == [own.status_code, agreed.status_code]
    assert (_S.SENT, "finance") == (found.state, found.released_by)
    assert 1 == (await desk.events("payout")).count("verification_failed")


async def test_what_is_blocked_is_not_agreed_to(desk: Treasury) -> None:
    """The bank's refusal ends it, and so does who has seen to it that the bank forgets it."""
    refused, message_id = await desk.sent()
    await desk.read(report(message_id, payments=said(refused, "RVNM")))
    answer = await desk.change(refused, "approve", client="finance")
    cancel = await desk.change(refused, "cancel")
    await desk.read(report(message_id, payments=said(refused, "RJCT", "DS02")), "no.xml")
    found = await desk.payout(refused.payout_id)

    assert [409, 409] == [answer.status_code, cancel.status_code]
    assert found.failure is not None
    assert (_S.FAILED, "DS02") == (found.state, found.failure.provider_code)
    assert "COMPLETED" == await desk.flow_of(found)


async def test_result_on_a_screen(desk: Treasury) -> None:
    """A bank without files of answers: somebody tells what it shows."""
    sent, _ = await desk.sent()
    told = await desk.change(sent, "verification", {"result": "RVMC", "name": "Grace Hopper"})

    assert (200, "AWAITING_APPROVAL") == (told.status_code, told.json()["state"])


async def test_refused_by_the_bank(desk: Treasury) -> None:
    """FAILED with the bank's reason, also where the whole file is refused."""
    one, message_id = await desk.sent()
    await desk.read(report(message_id, payments=said(one, "RJCT", "AC01")))
    found = await desk.payout(one.payout_id)

    assert found.failure is not None
    assert (_S.FAILED, "payout_failed", "AC01") == (
        found.state,
        found.failure.code,
        found.failure.provider_code,
    )


async def test_whole_file_refused(desk: Treasury) -> None:
    """Payouts and refunds of it alike, by our own record."""
    payouts = [await desk.promise(), await desk.promise("60.00")]
    made = await desk.export("transfers")
    assert made.manifest is not None
    await desk.read(report(made.manifest.message_id, status="RJCT"))

    assert [_S.FAILED] * 2 == [(await desk.payout(one.payout_id)).state for one in payouts]


@pytest.mark.parametrize("order", ["refused first", "booked first"])
async def test_refused_and_booked_is_paid(desk: Treasury, order: str) -> None:
    """A file that was refused was brought again, or its refusal is read late: the money is gone."""
    sent, message_id = await desk.sent()
    documents = [report(message_id, status="RJCT"), notice(booked(sent))]
    for number, one in enumerate(documents if order == "refused first" else reversed(documents)):
        await desk.read(one, f"{number}.xml")

    assert _S.PAID is (await desk.payout(sent.payout_id)).state
    told = await desk.events("payout")
    assert "paid" == told[-1]
    assert ("failed" in told) == (order == "refused first")


async def test_refused_because_the_bank_has_it_is_no_failure(desk: Treasury) -> None:
    """Whoever heard FAILED would send it again; a person looks."""
    sent, message_id = await desk.sent()
    await desk.read(report(message_id, payments=said(sent, "RJCT", "AM05")))

    assert _S.SENT is (await desk.payout(sent.payout_id)).state
    assert ("PARKED", "already_submitted") in await desk.inbox()


@pytest.mark.parametrize("order", ["paid first", "returned first"])
async def test_came_back_days_later(desk: Treasury, order: str) -> None:
    """RETURNED with the reason, in whatever order, document and number it is told."""
    sent, _ = await desk.sent()
    paid = notice(booked(sent))
    bare, reasoned = notice(booked(sent, back="")), notice(booked(sent, back="AC04"))
    documents = [paid, bare, reasoned, paid, bare]
    for number, document in enumerate(documents if order == "paid first" else reversed(documents)):
        await desk.read(document, f"{number}.xml")
    found = await desk.payout(sent.payout_id)

    assert found.failure is not None
    assert (_S.RETURNED, "payout_returned", "AC04") == (
        found.state,
        found.failure.code,
        found.failure.provider_code,
    )
    assert 1 == (await desk.events("payout")).count("returned")


async def test_worker_dies_at_each_point(desk: Treasury) -> None:
    """From the promise to the booking: in one file, paid, and each step is told once."""
    alive, whole = desk.life, Doom()
    expected = await _live(desk, whole, 0)
    assert (_S.PAID, 1, ["created", "submitted", "verification_failed", "paid"]) == expected

    differing = {}
    for point in range(1, len(whole.points) + 1):
        found = await _live(desk, Doom(point), point)
        if found != expected:
            differing[f"{point}: {whole.points[point - 1]}"] = found
    desk.life = alive

    print(f"{len(whole.points)} points")
    assert len(whole.points) >= 10
    assert {} == differing


async def _live(desk: Treasury, doom: Doom, number: int) -> tuple[Any, ...]:
    """Bring one payout to its end, with a death on the way if one is due."""
    asked = await desk.ask_payout()
    payout_id = asked.json()["payout_id"]
    day = TODAY + timedelta(days=number)

    async def finish(life: Life) -> None:
        desk.life = life
        await desk.work()
        made = await desk.export("transfers", day=day)
        payout = await desk.payout(payout_id)
        assert made.manifest is not None
        await desk.read(report(made.manifest.message_id, payments=said(payout, "RVMC")))
        await desk.read(notice(booked(payout)), "booked.xml")

    mortal = Mortal(desk.stage, doom)
    await mortal.begin()
    if not await mortal.do(finish):
        assert doom.died.is_set()
        await desk.stage.expire_leases()
        async with desk.stage.life() as life:
            await finish(life)
    payout = await desk.payout(payout_id)
    files = [file.read_text() for file in desk.folder.glob("transfers*.xml")]
    told = await desk.stage.rows(
        "select type from headrace.outbox where aggregate_id = %s order by sequence", payout_id
    )
    return (
        payout.state,
        sum(text.count(payout.provider_ref) for text in files),
        [kind.split(".")[2] for (kind,) in told],
    )


async def test_batch_booking_is_exploded(desk: Treasury) -> None:
    """One line for the group is a word for each of its payouts."""
    payouts = [await desk.promise(), await desk.promise("60.00")]
    made = await desk.export("transfers")
    assert made.manifest is not None
    group = made.manifest.groups[0].group_id
    line = booked(payouts[0], "110.00").replace(
        f"<EndToEndId>{payouts[0].provider_ref}</EndToEndId>", f"<PmtInfId>{group}</PmtInfId>"
    )
    await desk.read(notice(line))

    assert [_S.PAID] * 2 == [(await desk.payout(one.payout_id)).state for one in payouts]


async def test_other_amount_is_for_a_person(desk: Treasury) -> None:
    """The reference is ours, and the money is not what was sent."""
    sent, _ = await desk.sent()
    await desk.read(notice(booked(sent, "49.00")))

    assert _S.SENT is (await desk.payout(sent.payout_id)).state
    assert [("PARKED", "integrity_mismatch")] == await desk.inbox()


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"destination": {"account": "acct_1"}}, "/destination", "destination_unsupported"),
        (
            {"destination": WHERE | {"iban": "BR1800000000141455123924100C2"}},
            "/destination/iban",
            "iban_not_sepa",
        ),
        ({"destination": WHERE | {"name": "名前"}}, "/destination/name", "characters"),
        ({"text": "名前"}, "/text", "characters"),
        ({"amount": {"amount": "1000000000.00", "currency": "EUR"}}, "/amount", "amount_range"),
    ],
)
async def test_what_no_file_can_take_is_refused_at_once(
    desk: Treasury, fields: dict[str, Any], pointer: str, code: str
) -> None:
    """With field and rule, and nothing is stored."""
    body = {"provider": SYSTEM, "amount": {"amount": "50.00", "currency": "EUR"}}
    answer = await desk.post("/v1/payouts", body | {"destination": WHERE} | fields)

    assert [(pointer, code)] == [(e["pointer"], e["code"]) for e in answer.json()["errors"]]
    ((count,),) = await desk.stage.rows(
        "select count(*) from headrace.document where kind = 'payout'"
    )
    assert 0 == count


async def test_rule_that_breaks_later_fails_alone(desk: Treasury) -> None:
    """The account is gone from the settings by then: FAILED with the rule, the other is written."""
    good, bad = await desk.promise(), await desk.promise("60.00")
    await desk.stage.rows(
        "update headrace.document set body = jsonb_set(body, '{destination,iban}', '\"DE00\"')"
        " where kind = 'payout' and id = %s returning 1",
        bad.payout_id,
    )
    made = await desk.export("transfers")
    found = await desk.payout(bad.payout_id)
    await desk.work()

    assert made.manifest is not None
    assert (1, 1, _S.SENT) == (
        made.manifest.count,
        made.refused,
        (await desk.payout(good.payout_id)).state,
    )
    assert found.failure is not None
    assert (_S.FAILED, "not_submitted") == (found.state, found.failure.code)
    assert "COMPLETED" == await desk.flow_of(found)


async def test_account_number_stands_in_the_payout_and_the_file_only(
    desk: Treasury, logs: LogCapture
) -> None:
    """Neither the number nor the holder: logs, events, answers, inbox, flows, journal."""
    sent, message_id = await desk.sent()
    await desk.read(report(message_id, payments=said(sent, "RVMC")))
    await desk.change(sent, "approve", client="finance")
    await desk.read(notice(booked(sent)), "booked.xml")

    assert IBAN not in str(logs.entries)
    tables = ["outbox", "evidence", "inbox", "idempotency", "flow"]
    names = [f"headrace.{one}" for one in tables]
    found = await desk.stage.rows(
        "select 'absurd.' || tablename from pg_tables where schemaname = 'absurd'"
    )
    for name in [*names, *(one for (one,) in found)]:
        rows = await desk.stage.rows(
            f"select to_jsonb(t)::text from {name} t"  # noqa: S608 - names of PostgreSQL's own
        )
        kept = _BYTES.sub(
            lambda one: bytes.fromhex(one[1]).decode("utf-8", "replace"),
            "\n".join(row for (row,) in rows),
        )
        assert IBAN not in kept, name
        assert "pper" not in kept, name


async def test_schema_accepts_payouts_and_refunds(
    tmp_path: Path, url: str, contracts: Path
) -> None:
    """ISO's XSD looks at the file while it is written, with all that a payout can carry."""
    schema = contracts / "payments" / "sepa" / "xsd" / "pain.001.001.09.xsd"
    stage = with_bank(tmp_path, Stage(tmp_path, url), transfer_schema=str(schema))
    async with stage.facade(), stage.life() as life:
        desk = Desk(stage, life, tmp_path)
        for number, fields in enumerate(
            (
                {"text": "x" * 140},
                {"reference": "R/2026-1"},
                {"destination": WHERE | {"bic": "COBADEFFXXX", "name": "J" * 70}},
                {"destination": {"iban": "BE68539007547034", "name": "Müßig & Söhne"}},
            )
        ):
            body = {
                "provider": SYSTEM,
                "amount": {"amount": f"{number}.01", "currency": "EUR"},
                "destination": WHERE,
                **fields,
            }
            answer = await desk.post("/v1/payouts", body)
            assert answer.status_code == 201, answer.text
        await desk.work()
        made = await desk.export("transfers")

    assert made.manifest is not None
    assert (4, "6.04") == (made.manifest.count, made.manifest.total)
