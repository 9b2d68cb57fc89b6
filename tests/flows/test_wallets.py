"""Wallets: what members have where no provider divides, from the payment to the payout."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from gateway.api import wallets
from gateway.model import codec
from gateway.model.identifiers import new_id
from gateway.model.payment import Payment, PaymentState
from gateway.model.payout import NewPayout, Payout, PayoutState
from gateway.model.split import SplitMode
from gateway.model.transfer import MemberTransfer, TransferState
from gateway.model.wallet import Wallet
from gateway.policy.validation import Invalid
from gateway.runtime import releases
from gateway.runtime.documents import Unit
from gateway.settings import WalletSettings
from tests.flows.paying import Till

_HAND = {
    "name": "hand",
    "adapter": "offline",
    "settings": {"account_holder": "Acme GmbH", "iban": "DE89370400440532013000"},
}
_MEMBERS = ("M-1", "M-2")


@pytest.fixture
async def till(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Till]:
    """A tenant with wallets, in which two members have one."""
    on = {"enabled": True}
    async with Till.opened(tmp_path, url, monkeypatch, systems=[_HAND], wallets=on) as till:
        for one in _MEMBERS:
            await tell(till, one)
        yield till
        await sums_are_zero(till)


async def tell(till: Till, member_id: str, **account: Any) -> None:
    body = {"system": "wallets", "account": member_id, **account}
    answer = await till.put(f"/v1/members/{member_id}", body, key=new_id())
    assert answer.status_code == 200, answer.text


async def sums_are_zero(till: Till) -> None:
    """Each entry, and so everything."""
    wrong = await till.rows(
        "select entry_id, currency, sum(minor) from headrace.ledger_posting"
        " group by 1, 2 having sum(minor) <> 0"
    )
    assert [] == wrong


def _eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def _parts(first: str = "M-1") -> list[dict[str, Any]]:
    return [
        {"party": first, "amount": _eur("60.00")},
        {"party": "M-2", "amount": _eur("30.00")},
        {"party": "platform", "kind": "REMAINDER"},
    ]


async def ask(till: Till, method: str = "prepayment", **changes: Any) -> httpx.Response:
    """Ask for 100 euros, of which two members have 60 and 30."""
    paid = {"method_code": method, "provider": "hand"} | changes.pop("payment", {})
    body = {"amount": _eur("100.00"), "payment": paid, "splits": _parts(), **changes}
    return await till.post("/v1/payments", body, key=new_id())


async def take(till: Till, method: str = "prepayment", **changes: Any) -> str:
    answer = await ask(till, method, **changes)
    assert answer.status_code == 201, answer.text
    await till.settle()
    return str(answer.json()["payment_id"])


async def receive(till: Till, payment_id: str, amount: str, *, ref: str = "R-1") -> None:
    body = {"reference": ref, "amount": _eur(amount)}
    answer = await till.post(f"/v1/payments/{payment_id}/received", body, key=new_id())
    assert answer.status_code in {200, 201, 202}, answer.text
    await till.settle()


async def paid(till: Till) -> str:
    """A payment of 100 euros that has come and is final."""
    payment_id = await take(till)
    await receive(till, payment_id, "100.00")
    return payment_id


async def payment(till: Till, payment_id: str) -> Payment:
    return codec.decode((await till.get(f"/v1/payments/{payment_id}")).content, Payment)


async def has(till: Till, member_id: str = "M-1") -> tuple[str, str, str]:
    """Available, pending and reserved euros."""
    answer = await till.get(f"/v1/members/{member_id}/wallet")
    assert answer.status_code == 200, answer.text
    for one in codec.decode(answer.content, Wallet).balances:
        return one.available.amount, one.pending.amount, one.reserved.amount
    return "0.00", "0.00", "0.00"


async def refund(till: Till, payment_id: str, amount: str) -> None:
    body = {"payment_id": payment_id, "amount": _eur(amount)}
    answer = await till.post("/v1/refunds", body, key=new_id())
    assert answer.status_code == 201, answer.text
    await till.settle()
    refund_id = answer.json()["refund_id"]
    settled = await till.post(f"/v1/refunds/{refund_id}/settled", {}, key=new_id())
    assert settled.status_code < 300, settled.text


def told(answer: httpx.Response) -> list[tuple[str, str]]:
    assert 422 == answer.status_code, answer.text
    return [(one["pointer"], one["code"]) for one in answer.json()["errors"]]


async def test_money_that_came_is_divided_in_the_ledger(till: Till) -> None:
    """As much as came, and the provider is told nothing."""
    payment_id = await take(till)
    before = await has(till)
    await receive(till, payment_id, "33.33", ref="R-1")
    some = [await has(till, one) for one in _MEMBERS]
    await receive(till, payment_id, "66.67", ref="R-2")

    found = await payment(till, payment_id)
    assert (SplitMode.WALLET, (), 3) == (
        found.split_mode,
        found.splits,
        len(found.wallet_splits),
    )
    assert ("0.00", "0.00", "0.00") == before
    assert [("19.99", "0.00", "0.00"), ("9.99", "0.00", "0.00")] == some
    assert ("60.00", "0.00", "0.00") == await has(till)
    assert ("30.00", "0.00", "0.00") == await has(till, "M-2")


async def test_paypal_with_two_members(till: Till) -> None:
    """PayPal collects for the platform; what is not final yet is pending, until its day."""
    payment_id = await take(
        till,
        "card",
        payment={"method_code": "card", "token": "vault-card-accepted", "provider": "paypal"},
    )
    found = await payment(till, payment_id)
    pending = await has(till)
    answer = await till.ask(provider="paypal", wallet="M-1", amount="1.00")
    count = await releases.release(
        till.life.parts.database, now=datetime.fromisoformat(found.final_at).replace(tzinfo=UTC)
    )

    assert (PaymentState.CAPTURED, SplitMode.WALLET) == (found.state, found.split_mode)
    assert ("0.00", "60.00", "0.00") == pending
    assert [("/amount/amount", "above_available")] == told(answer)
    assert 1 == count
    assert ("60.00", "0.00", "0.00") == await has(till)


async def test_day_of_release_can_be_given(till: Till) -> None:
    """Later than the final day, as long as goods can be sent back."""
    later = (datetime.now(UTC) + timedelta(days=14)).date().isoformat()
    payment_id = await take(till, release_on=later)
    await receive(till, payment_id, "100.00")
    before = await has(till)
    await releases.release(
        till.life.parts.database, now=datetime.now(UTC) + timedelta(days=14, hours=1)
    )

    assert ("0.00", "60.00", "0.00") == before
    assert ("60.00", "0.00", "0.00") == await has(till)


async def test_payout_reserves_and_spends(till: Till) -> None:
    """No more than is available, also for those who ask at once."""
    await paid(till)
    answers = await asyncio.gather(
        *(till.ask(provider="paypal", wallet="M-1", amount="40.00") for _ in range(3))
    )
    taken = [one for one in answers if one.status_code == 201]
    held = await has(till)
    (payout,) = [codec.decode(one.content, Payout) for one in taken]
    await till.finish(payout)

    assert [[("/amount/amount", "above_available")]] * 2 == [
        told(one) for one in answers if one.status_code != 201
    ]
    assert ("20.00", "0.00", "40.00") == held
    assert "M-1" == payout.wallet
    assert ("20.00", "0.00", "0.00") == await has(till)


async def test_payout_that_fails_is_available_again(till: Till) -> None:
    """Refused by the provider, or given up before anybody sent it."""
    await paid(till)
    refused = await till.submit(
        provider="stripe",
        wallet="M-1",
        destination={"account": "acct_unknown"},
        amount="10.00",
    )
    await till.settle()
    state = (await till.payout(refused)).state
    after = await has(till)
    big = await till.submit(provider="paypal", wallet="M-1", amount="60.00")
    given_up = await till.post(f"/v1/payouts/{big.payout_id}/cancel", None, key=new_id())

    assert (PayoutState.FAILED, ("60.00", "0.00", "0.00")) == (state, after)
    assert given_up.status_code in {200, 202, 409}
    if given_up.status_code == 200:
        assert ("60.00", "0.00", "0.00") == await has(till)


async def test_refund_after_the_payout_leaves_a_debt_that_later_money_pays(till: Till) -> None:
    """Nothing is taken from anybody else; nothing can be paid out meanwhile."""
    payment_id = await paid(till)
    await till.finish(await till.submit(provider="paypal", wallet="M-1", amount="60.00"))
    await refund(till, payment_id, "50.00")
    owing = await has(till)
    wallet = codec.decode((await till.get("/v1/members/M-1/wallet")).content, Wallet)
    more = await till.ask(provider="paypal", wallet="M-1", amount="0.01")
    await paid(till)

    assert "-30.00" == owing[0]
    assert "30.00" == wallet.balances[0].debt.amount
    assert [("/amount/amount", "above_available")] == told(more)
    assert ("30.00", "0.00", "0.00") == await has(till)


async def test_members_pay_each_other_without_a_provider(till: Till) -> None:
    """There and back, once for each key; never more than there is."""
    await paid(till)
    body = {
        "provider": "wallets",
        "amount": _eur("25.00"),
        "source": "M-1",
        "destination": "M-2",
    }
    answers = [await till.post("/v1/transfers", body, key="once") for _ in range(2)]
    one = codec.decode(answers[0].content, MemberTransfer)
    moved = [await has(till, member) for member in _MEMBERS]
    more = await till.post("/v1/transfers", body | {"amount": _eur("35.01")}, key="more")
    back = await till.post(f"/v1/transfers/{one.transfer_id}/reverse", None, key="back")

    assert [201, 201] == [each.status_code for each in answers]
    assert TransferState.DONE is one.state
    assert ["35.00", "55.00"] == [each[0] for each in moved]
    assert [("/amount/amount", "above_available")] == told(more)
    assert 202 == back.status_code, back.text
    assert TransferState.REVERSED is codec.decode(back.content, MemberTransfer).state
    assert ["60.00", "30.00"] == [(await has(till, member))[0] for member in _MEMBERS]
    assert {} == {key: n for key, n in till.stripe.effects()["transfer"].items() if n}
    assert [] == await till.rows("select 1 from headrace.flow where kind = 'transfer_funds'")


async def test_members_who_pay_each_other_at_once_do_not_stop_each_other(till: Till) -> None:
    """Both ways, and payouts beside; nothing is lost, and nobody gives what he has not."""
    await paid(till)
    ways = [("M-1", "M-2"), ("M-2", "M-1")] * 4
    body = {"provider": "wallets", "amount": _eur("25.00")}
    answers = await asyncio.gather(
        *(
            till.post("/v1/transfers", body | {"source": one, "destination": two}, key=new_id())
            for one, two in ways
        ),
        *(till.ask(provider="paypal", wallet="M-2", amount="20.00") for _ in range(3)),
    )
    payouts = sum(one.status_code == 201 for one in answers[len(ways) :])
    left = [await has(till, one) for one in _MEMBERS]

    assert {one.status_code for one in answers} <= {201, 422}
    assert all(not each[0].startswith("-") for each in left)
    there = sum(round(100 * float(one)) for each in left for one in each)
    assert 9_000 == there
    assert f"{20 * payouts}.00" == left[1][2]


async def test_entries_say_how_a_wallet_came_to_what_it_is(till: Till) -> None:
    """By pages, the newest first."""
    payment_id = await paid(till)
    payout = await till.submit(provider="paypal", wallet="M-1", amount="10.00")
    await till.finish(payout)
    path = "/v1/members/M-1/wallet/entries"
    first = (await till.get(f"{path}?limit=2")).json()
    rest = (await till.get(first["links"]["next"])).json()

    found = [
        (one["kind"], one["id"], one["available"]["amount"], one["reserved"]["amount"])
        for one in (*first["items"], *rest["items"])
    ]
    assert [
        ("payout", payout.payout_id, "0.00", "-10.00"),
        ("payout", payout.payout_id, "-10.00", "10.00"),
        ("payment", payment_id, "60.00", "0.00"),
    ] == found
    assert "" == rest["links"]["next"]
    assert [("?cursor", "wrong_cursor")] == told(await till.get(f"{path}?cursor=x"))
    assert [("?state", "unknown_parameter")] == told(await till.get(f"{path}?state=x"))


async def test_who_has_no_wallet_gets_no_part(till: Till) -> None:
    """The payment fails before anything is sent, and says why; so does everything else."""
    payment_id = await take(till, splits=_parts("M-9"))
    found = await payment(till, payment_id)
    unknown = await till.ask(provider="paypal", wallet="M-9", amount="1.00")
    shown = await till.get("/v1/members/M-9/wallet")
    await tell(till, "M-2", state="RESTRICTED")
    stopped = await till.ask(provider="paypal", wallet="M-2", amount="1.00")

    assert found.failure is not None
    assert (PaymentState.FAILED, "member_unknown") == (found.state, found.failure.code)
    assert [("/wallet", "member_unknown")] == told(unknown)
    assert 404 == shown.status_code
    assert [("/wallet", "member_stopped")] == told(stopped)


async def test_wallets_are_off_unless_asked_for(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request says which field and which rule; nothing is stored."""
    async with Till.opened(tmp_path, url, monkeypatch, systems=[_HAND]) as till:
        member = await till.put("/v1/members/M-1", {"system": "wallets", "account": "M-1"}, key="m")
        divided = await ask(till)
        payout = await till.ask(provider="paypal", wallet="M-1", amount="1.00")
        body = {"provider": "wallets", "amount": _eur("1.00"), "destination": "M-1"}
        transfer = await till.post("/v1/transfers", body, key="t")

        assert [("/system", "no_such_system")] == told(member)
        assert [("/splits", "splits_unsupported")] == told(divided)
        assert [("/wallet", "wallets_off")] == told(payout)
        assert [("/provider", "no_transfers")] == told(transfer)
        assert [] == await till.rows("select 1 from headrace.document")


async def test_platforms_own_money_pays_members_only_where_that_is_asked_for(till: Till) -> None:
    """A bank's file takes the platform's money, and no institution stands between."""
    await paid(till)
    tenant = till.life.parts.hub.tenant("acme")
    files: Any = {"house": None}
    asked = {"provider": "house", "wallet": "M-1", "destination": {"account": "A"}}
    new = codec.convert(asked | {"amount": _eur("1.00")}, NewPayout)
    allowed = msgspec.structs.replace(
        tenant.settings, wallets=WalletSettings(enabled=True, own_money=True)
    )
    async with till.life.parts.database.transaction() as connection:
        unit = Unit(connection, tenant="acme", business_id="x", traceparent="", causation_id="")
        with pytest.raises(Invalid) as refused:
            await wallets.check_payout(unit, replace(tenant, banks=files), new)
        await wallets.check_payout(unit, replace(tenant, banks=files, settings=allowed), new)

    assert [("/provider", "own_money_off")] == [
        (one.pointer, one.code) for one in refused.value.errors
    ]


async def test_explained_without_the_parts(till: Till) -> None:
    """What would be sent says nothing of members."""
    card = {"method_code": "card", "token": "vault-card-accepted", "provider": "paypal"}
    body = {"amount": _eur("100.00"), "payment": card, "splits": _parts()}

    answer = await till.post("/v1/payments/explain", body, key="e")

    assert answer.status_code == 200, answer.text
    assert "M-2" not in answer.text
    assert "platform_fees" not in answer.text
