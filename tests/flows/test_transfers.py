"""Transfers from the request to the money, and members that payouts and transfers go to."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.kit.simulator import FaultKind
from gateway.model import codec
from gateway.model.identifiers import new_id
from gateway.model.transfer import MemberTransfer, TransferState
from tests.flows.paying import Till

_S = TransferState


@pytest.fixture
async def till(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Till]:
    """A tenant with Stripe, and the member M-1 there."""
    async with Till.opened(tmp_path, url, monkeypatch) as till:
        answer = await tell(till, "M-1", account="acct_1", state="VERIFIED")
        assert answer.status_code == 200, answer.text
        yield till


async def tell(till: Till, member_id: str, **account: Any) -> httpx.Response:
    """Tell of a member's account."""
    body = {"system": "stripe", **account}
    return await till.put(f"/v1/members/{member_id}", body, key=new_id())


async def ask(till: Till, **fields: Any) -> httpx.Response:
    """Ask for a transfer of 80 euros to M-1."""
    body = {
        "provider": "stripe",
        "amount": {"amount": "80.00", "currency": "EUR"},
        "destination": "M-1",
        **fields,
    }
    return await till.post("/v1/transfers", body, key=new_id())


async def submit(till: Till, **fields: Any) -> MemberTransfer:
    answer = await ask(till, **fields)
    assert answer.status_code == 201, answer.text
    return codec.decode(answer.content, MemberTransfer)


async def stands(till: Till, one: MemberTransfer) -> MemberTransfer:
    """The transfer as it is shown."""
    answer = await till.get(f"/v1/transfers/{one.transfer_id}")
    return codec.decode(answer.content, MemberTransfer)


async def reverse(till: Till, one: MemberTransfer, amount: str = "") -> httpx.Response:
    body = {"amount": {"amount": amount, "currency": "EUR"}} if amount else None
    return await till.post(f"/v1/transfers/{one.transfer_id}/reverse", body, key=new_id())


async def test_share_of_a_member_arrives(till: Till) -> None:
    """At the account that the member has there."""
    one = await submit(till)
    await till.work()

    found = await stands(till, one)
    assert (_S.DONE, "acct_1", "M-1") == (found.state, found.destination, found.to_party)
    assert {one.transfer_id: 1} == till.stripe.effects()["transfer"]
    assert ["headrace.transfer.created.v1", "headrace.transfer.done.v1"] == await till.told_of(
        one.transfer_id
    )


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.RUBBISH])
async def test_lost_answer_moves_nothing_twice(till: Till, kind: FaultKind) -> None:
    """There and back."""
    till.stage.lay("stripe", kind, method="POST", path="/v1/transfers")
    one = await submit(till)
    await till.settle()
    till.stage.lay("stripe", kind, method="POST", path="/reversals")
    await reverse(till, one)
    await till.settle()

    assert _S.REVERSED is (await stands(till, one)).state
    effects = till.stripe.effects()
    assert ([1], [1]) == (
        list(effects["transfer"].values()),
        list(effects["reversal"].values()),
    )


async def test_parts_are_moved_back(till: Till) -> None:
    """Until nothing is left; more is refused."""
    one = await submit(till)
    early = await reverse(till, one)
    await till.work()

    first = await reverse(till, one, "50.00")
    more = await reverse(till, one, "30.01")
    await till.work()
    part = await stands(till, one)
    await reverse(till, one)
    await till.work()
    late = await reverse(till, one)

    assert (409, 202, 422, 409) == (
        early.status_code,
        first.status_code,
        more.status_code,
        late.status_code,
    )
    assert "above_transferred" == more.json()["errors"][0]["code"]
    assert (_S.DONE, "50.00") == (part.state, part.reversed.amount)
    whole = await stands(till, one)
    assert (_S.REVERSED, "80.00") == (whole.state, whole.reversed.amount)


async def test_reversal_at_the_provider_is_read_back(till: Till) -> None:
    """Somebody moved it back on Stripe's own pages; the webhook is a reason to look."""
    one = await submit(till)
    await till.work()
    ref = (await stands(till, one)).provider_ref
    till.stripe.connect._reverse(ref, {"amount": 1_000}, till.now())

    await till.settle()

    found = await stands(till, one)
    assert (_S.DONE, "10.00") == (found.state, found.reversed.amount)


async def test_provider_that_says_no_is_a_result(till: Till) -> None:
    """FAILED with a code; no money moved."""
    one = await submit(till, destination="acct_unknown")
    await till.work()

    found = await stands(till, one)
    assert (_S.FAILED, "refused") == (found.state, found.failure and found.failure.code)


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"provider": "paypal"}, "/provider", "no_transfers"),
        ({"source": "M-1", "destination": "acct_2"}, "/source", "source_unsupported"),
        ({"source": "M-1", "destination": "M-1"}, "/destination", "same_party"),
        ({"destination": "platform"}, "/destination", "same_party"),
        ({"destination": "M-2"}, "/destination", "member_stopped"),
        ({"amount": {"amount": "0", "currency": "EUR"}}, "/amount/amount", "not_positive"),
        ({"amount": {"amount": "1", "currency": "USD"}}, "/amount/currency", "currency_not_sold"),
    ],
)
async def test_wrong_request_is_told(
    till: Till, fields: dict[str, Any], pointer: str, code: str
) -> None:
    """Each mistake with its pointer and its rule; nothing is moved."""
    await tell(till, "M-2", account="acct_2", state="RESTRICTED")

    answer = await ask(till, **fields)

    assert 422 == answer.status_code, answer.text
    assert (pointer, code) in {(one["pointer"], one["code"]) for one in answer.json()["errors"]}
    assert [] == await till.rows("select id from headrace.document where kind = 'transfer'")


async def test_member_has_an_account_for_each_system(till: Till) -> None:
    """Told one by one; the state as it was told last."""
    await tell(till, "M-1", system="paypal", account="FSMRBANCV8PSG")
    await tell(till, "M-1", account="acct_1", state="PENDING", missing=["company.tax_id"])

    shown = (await till.get("/v1/members/M-1")).json()

    assert [("paypal", "UNVERIFIED"), ("stripe", "PENDING")] == [
        (one["system"], one["state"]) for one in shown["accounts"]
    ]
    assert 404 == (await till.get("/v1/members/M-9")).status_code
    assert 422 == (await tell(till, "M-1", system="sap", account="x")).status_code
    assert 422 == (await tell(till, "platform", account="x")).status_code


async def test_payout_goes_to_the_account_of_a_member(till: Till) -> None:
    """At the provider that is named; nobody else's, and not to who was stopped."""
    await tell(till, "M-2", account="acct_2", state="REJECTED")

    payout = await till.submit(amount="50.00", destination={"member_id": "M-1"})
    unknown = await till.ask(amount="50.00", destination={"member_id": "M-9"})
    stopped = await till.ask(amount="50.00", destination={"member_id": "M-2"})
    await till.finish(payout)

    paid = await till.payout(payout)
    assert ("acct_1", "M-1") == (paid.destination.account, paid.destination.member_id)
    codes = [one.json()["errors"][0]["code"] for one in (unknown, stopped)]
    assert ["member_unknown", "member_stopped"] == codes


async def test_members_pay_each_other_where_the_provider_can(till: Till) -> None:
    """At Adyen, where it takes a while, and so does what is moved back."""
    for member, account in (("M-1", "BA2"), ("M-2", "BA3")):
        await tell(till, member, system="adyen_platform", account=account)
    one = await submit(till, provider="adyen_platform", source="M-1", destination="M-2")
    await till.work()
    assert _S.SENT is (await stands(till, one)).state
    till.stage.offset_s += 60
    await till.settle()
    assert (_S.DONE, "BA2", "BA3") == (
        (found := await stands(till, one)).state,
        found.source,
        found.destination,
    )

    await reverse(till, one)
    await till.work()
    assert _S.SENT is (await stands(till, one)).reversals[0].state
    till.stage.offset_s += 60
    await till.react()

    whole = await stands(till, one)
    assert (_S.REVERSED, "80.00", _S.DONE) == (
        whole.state,
        whole.reversed.amount,
        whole.reversals[0].state,
    )
    assert [
        "headrace.transfer.created.v1",
        "headrace.transfer.done.v1",
        "headrace.transfer.reversed.v1",
    ] == await till.told_of(one.transfer_id)


async def test_no_webhook_and_a_reversal_is_looked_up(till: Till) -> None:
    """Webhooks may be lost; time is not."""
    await tell(till, "M-1", system="adyen_platform", account="BA2")
    one = await submit(till, provider="adyen_platform")
    till.adyen._url = ""
    await till.work()
    for _ in range(2):
        till.stage.offset_s += 60
        await till.stage.pass_time()
        await till.work()
    await reverse(till, one, "30.00")
    await till.work()
    till.stage.offset_s += 60
    await till.stage.pass_time()
    await till.work()

    found = await stands(till, one)
    assert (_S.DONE, "30.00") == (found.state, found.reversed.amount)
