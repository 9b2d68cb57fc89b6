"""Wallets at a bank: collected by files, paid out by files, and taken back by the payer."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.model.payout import PayoutState
from tests.flows.bank import TODAY, Desk, with_bank
from tests.flows.stage import Stage
from tests.flows.test_bank import entry, notice
from tests.flows.test_bank_payouts import WHERE, Treasury, booked

_PARTS = [
    {"party": "M-1", "amount": {"amount": "60.00", "currency": "EUR"}},
    {"party": "M-2", "amount": {"amount": "30.00", "currency": "EUR"}},
    {"party": "platform", "kind": "REMAINDER"},
]


@pytest.fixture(params=[True, False], ids=["own_money", "not"])
async def desk(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Treasury]:
    """A tenant with a bank and wallets, of which the platform's own money pays or not."""
    for client in ("shop", "finance"):
        monkeypatch.setenv(f"DESK_{client}", f"key-of-{client}")
    stage = Stage(tmp_path, url)
    file = tmp_path / "tenants" / "acme.yaml"
    acme = yaml.safe_load(file.read_text())
    acme["wallets"] = {"enabled": True, "own_money": request.param}
    file.write_text(yaml.safe_dump(acme))
    stage = with_bank(tmp_path, stage)
    async with stage.facade(), stage.life() as life:
        desk = Treasury(stage, life, tmp_path)
        for one in ("M-1", "M-2"):
            answer = await stage.api.put(
                f"/v1/members/{one}",
                json={"system": "wallets", "account": one},
                headers={"Idempotency-Key": one},
            )
            assert answer.status_code == 200, answer.text
        yield desk


async def has(desk: Desk, member_id: str = "M-1") -> list[str]:
    """Available, pending and reserved euros."""
    answer = await desk.stage.api.get(f"/v1/members/{member_id}/wallet")
    (one,) = answer.json()["balances"]
    return [one[name]["amount"] for name in ("available", "pending", "reserved")]


async def collected(desk: Treasury) -> str:
    """A debit of 100 euros that is booked; its end-to-end id."""
    mandate_id = await desk.sign()
    body: dict[str, Any] = {
        "amount": {"amount": "100.00", "currency": "EUR"},
        "payment": {"method_code": "sepa_debit", "mandate_id": mandate_id},
        "splits": _PARTS,
        "release_on": TODAY.isoformat(),
    }
    answer = await desk.post("/v1/payments", body)
    assert answer.status_code == 201, answer.text
    await desk.work()
    await desk.export()
    payment = await desk.payment(answer.json()["payment_id"])
    await desk.read(notice(entry(payment.provider_ref, "100.00")), "booked.xml")
    return payment.provider_ref


async def test_debit_is_divided_paid_out_and_taken_back(desk: Treasury) -> None:
    """Each line of the bank is booked once; what was paid out already is a debt."""
    reference = await collected(desk)
    settled = await has(desk)
    if not desk.life.parts.hub.tenant("acme").settings.wallets.own_money:
        refused = await desk.ask_payout("60.00", wallet="M-1")
        assert [("/provider", "own_money_off")] == [
            (one["pointer"], one["code"]) for one in refused.json()["errors"]
        ]
        assert ["60.00", "0.00", "0.00"] == await has(desk)
        return
    payout, _ = await desk.sent(amount="60.00", wallet="M-1")
    reserved = await has(desk)
    for name in ("out.xml", "again.xml"):
        await desk.read(notice(booked(payout, "60.00")), name)
    paid = await has(desk)
    for name in ("back.xml", "once-more.xml"):
        await desk.read(notice(entry(reference, "100.00", back="MD06")), name)
    owing = [await has(desk, one) for one in ("M-1", "M-2")]
    await desk.read(notice(booked(payout, "60.00", back="AC04")), "returned.xml")

    assert PayoutState.RETURNED is (await desk.payout(payout.payout_id)).state
    assert WHERE["iban"] == payout.destination.iban
    assert [
        ["60.00", "0.00", "0.00"],
        ["0.00", "0.00", "60.00"],
        ["0.00", "0.00", "0.00"],
    ] == [settled, reserved, paid]
    assert [["-60.00", "0.00", "0.00"], ["0.00", "0.00", "0.00"]] == owing
    assert ["0.00", "0.00", "0.00"] == await has(desk)
