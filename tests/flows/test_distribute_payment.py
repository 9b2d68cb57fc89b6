"""Payments of several members at Stripe: transfers follow the charge, reversals the refund."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.kit.simulator import FaultKind
from gateway.model import codec
from gateway.model.identifiers import new_id
from gateway.model.payment import Payment, PaymentState
from gateway.model.split import SplitMode
from gateway.model.transfer import MemberTransfer, TransferState
from tests.flows.paying import Till

_S = TransferState


@pytest.fixture
async def till(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Till]:
    """A tenant with Stripe, and the member M-1 there."""
    async with Till.opened(tmp_path, url, monkeypatch) as till:
        answer = await till.put(
            "/v1/members/M-1", {"system": "stripe", "account": "acct_1"}, key=new_id()
        )
        assert answer.status_code == 200, answer.text
        yield till


def _eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


async def take(till: Till, **changes: Any) -> str:
    """Ask for 100 euros, of which two members have 60 and 30."""
    paid = {"method_code": "card", "token": "pm_card_visa", "provider": "stripe"}
    body = {
        "amount": _eur("100.00"),
        "payment": paid | changes.pop("payment", {}),
        "splits": [
            {"party": "M-1", "amount": _eur("60.00"), "reference": "stall-1"},
            {"party": "acct_2", "amount": _eur("30.00")},
            {"party": "platform", "kind": "COMMISSION", "amount": _eur("10.00")},
        ],
        **changes,
    }
    answer = await till.post("/v1/payments", body, key=new_id())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["payment_id"])


async def payment(till: Till, payment_id: str) -> Payment:
    return codec.decode((await till.get(f"/v1/payments/{payment_id}")).content, Payment)


async def transfers(till: Till, payment_id: str) -> list[MemberTransfer]:
    """As they are shown."""
    ids = (await payment(till, payment_id)).transfers
    shown = [await till.get(f"/v1/transfers/{one}") for one in ids]
    return [codec.decode(one.content, MemberTransfer) for one in shown]


async def refund(till: Till, payment_id: str, amount: str = "") -> None:
    body = {"payment_id": payment_id} | ({"amount": _eur(amount)} if amount else {})
    answer = await till.post("/v1/refunds", body, key=new_id())
    assert answer.status_code == 201, answer.text
    await till.settle()


def at_stripe(till: Till) -> dict[str, int]:
    """What each account has of what was moved."""
    held: dict[str, int] = {}
    for one in till.stripe.connect._transfers.values():
        at = one["destination"]
        held[at] = held.get(at, 0) + one["amount"] - one["amount_reversed"]
    return held


async def parked(till: Till) -> list[tuple[str, str]]:
    return [
        (kind, code)
        for kind, code in await till.rows(
            "select kind, code from headrace.flow where state = 'PARKED'"
        )
    ]


async def test_each_member_gets_its_part_once_the_money_is_there(till: Till) -> None:
    """Out of that charge, in one group, each once; and asking again moves nothing."""
    payment_id = await take(till)
    await till.settle()

    assert SplitMode.AFTER_PAYMENT is (await payment(till, payment_id)).split_mode
    assert {"acct_1": 6_000, "acct_2": 3_000} == at_stripe(till)
    (charge,) = till.stripe._charges.values()
    assert {(charge["id"], payment_id)} == {
        (one["source_transaction"], one["transfer_group"])
        for one in till.stripe.connect._transfers.values()
    }
    (intent,) = till.stripe._intents.values()
    assert (payment_id, None, None) == (
        intent["transfer_group"],
        intent["transfer_data"],
        intent["application_fee_amount"],
    )
    found = await transfers(till, payment_id)
    assert {_S.DONE} == {one.state for one in found}

    await till.post(f"/v1/payments/{payment_id}/sync", None, key=new_id())
    await till.settle()

    assert {1} == set(till.stripe.effects()["transfer"].values())
    assert {"COMPLETED"} == {
        state for (state,) in await till.rows("select state from headrace.flow")
    }


async def test_word_of_a_webhook_is_enough(till: Till) -> None:
    """The payer is asked, pays, and nobody but Stripe says so."""
    payment_id = await take(
        till,
        payment={
            "method_code": "ideal",
            "token": "",
            "return_url": "https://shop.example/back",
        },
    )
    await till.react()
    before = at_stripe(till)
    (intent_id,) = till.stripe._intents
    till.stripe.authenticate(intent_id, succeeds=True, now=till.now())
    await till.react()

    assert {} == before
    assert {"acct_1": 6_000, "acct_2": 3_000} == at_stripe(till)
    assert PaymentState.CAPTURED is (await payment(till, payment_id)).state


async def test_nothing_is_moved_before_anything_is_collected(till: Till) -> None:
    """An authorisation is nobody's money; a part of it is divided in proportion."""
    payment_id = await take(till, payment={"capture_method": "manual"})
    await till.settle()
    before = at_stripe(till)
    answer = await till.post(
        f"/v1/payments/{payment_id}/capture", {"amount": _eur("33.33")}, key=new_id()
    )
    assert answer.status_code == 202, answer.text
    await till.settle()

    assert {} == before
    assert {"acct_1": 1_999, "acct_2": 999} == at_stripe(till)


async def test_refunds_take_back_each_part(till: Till) -> None:
    """In proportion, odd cents to the platform first; to the last cent when nothing is left."""
    payment_id = await take(till)
    await till.settle()
    left = []
    for amount in ("0.01", "33.32", ""):
        await refund(till, payment_id, amount)
        left.append(at_stripe(till))

    assert [
        {"acct_1": 6_000, "acct_2": 2_999},
        {"acct_1": 4_000, "acct_2": 2_000},
        {"acct_1": 0, "acct_2": 0},
    ] == left
    assert {_S.REVERSED} == {one.state for one in await transfers(till, payment_id)}
    assert {1} == set(till.stripe.effects()["reversal"].values())


async def test_refund_that_came_back_is_given_again(till: Till) -> None:
    """Out of the balance, where what was taken back lies: of the charge no more can be moved."""
    payment_id = await take(till)
    await till.settle()
    await refund(till, payment_id, "50.00")
    between = at_stripe(till)
    (given_back,) = till.stripe._refunds.values()
    given_back.update(status="failed", failure_reason="lost_or_stolen_card")
    till.stripe._emit("refund.failed", given_back, till.now())
    await till.settle()

    assert {"acct_1": 3_000, "acct_2": 1_500} == between
    assert {"acct_1": 6_000, "acct_2": 3_000} == at_stripe(till)
    assert [] == await parked(till)


async def test_lost_dispute_takes_back_all(till: Till) -> None:
    """While it is open the members keep what they have."""
    payment_id = await take(till)
    await till.settle()
    (intent_id,) = till.stripe._intents
    dispute = till.stripe.dispute(intent_id, now=till.now())
    await till.settle()
    while_open = at_stripe(till)
    till.stripe.decide(dispute, won=False, now=till.now())
    await till.settle()

    assert {"acct_1": 6_000, "acct_2": 3_000} == while_open
    assert {"acct_1": 0, "acct_2": 0} == at_stripe(till)
    assert PaymentState.RETURNED is (await payment(till, payment_id)).state


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.RUBBISH])
async def test_lost_answers_move_nothing_twice(till: Till, kind: FaultKind) -> None:
    """Neither there nor back, for each member."""
    for _ in range(2):
        till.stage.lay("stripe", kind, method="POST", path="/v1/transfers")
    payment_id = await take(till)
    await till.settle()
    there = at_stripe(till)
    till.stage.lay("stripe", kind, method="POST", path="/reversals")
    await refund(till, payment_id)

    assert {"acct_1": 6_000, "acct_2": 3_000} == there
    assert {"acct_1": 0, "acct_2": 0} == at_stripe(till)
    effects = till.stripe.effects()
    assert {1} == {*effects["transfer"].values(), *effects["reversal"].values()}


async def test_refused_part_is_for_a_person_and_the_others_have_theirs(till: Till) -> None:
    """Once the account is mended, asking again moves what is missing, and only that."""
    payment_id = await take(
        till,
        splits=[
            {"party": "acct_unknown", "amount": _eur("60.00")},
            {"party": "acct_2", "kind": "REMAINDER"},
        ],
    )
    await till.settle()

    assert {"acct_2": 4_000} == at_stripe(till)
    assert [_S.FAILED, _S.DONE] == [one.state for one in await transfers(till, payment_id)]
    assert {("distribute_payment", "part_refused")} == set(await parked(till))

    await till.post(f"/v1/payments/{payment_id}/sync", None, key=new_id())
    await till.settle()

    assert [f"{payment_id}-part-{n}" for n in ("1-1", "2-1", "1-2")] == [
        one.transfer_id for one in await transfers(till, payment_id)
    ]
    assert {"acct_2": 4_000} == at_stripe(till)


async def test_refused_reversal_is_for_a_person_and_the_others_gave_theirs(till: Till) -> None:
    """Somebody took it back at Stripe before; as soon as that is known there is nothing to do."""
    payment_id = await take(till)
    await till.settle()
    first, _ = await transfers(till, payment_id)
    till.stripe.connect._reverse(first.provider_ref, {"amount": 6_000}, till.now())
    body = {"payment_id": payment_id}
    answer = await till.post("/v1/refunds", body, key=new_id())
    assert answer.status_code == 201, answer.text
    await till.work()
    found = await parked(till)
    await till.settle()
    await till.post(f"/v1/payments/{payment_id}/sync", None, key=new_id())
    await till.settle()

    assert [("distribute_payment", "part_refused")] == found
    assert {"acct_1": 0, "acct_2": 0} == at_stripe(till)
    assert {_S.REVERSED} == {one.state for one in await transfers(till, payment_id)}
    assert found == await parked(till)


async def test_parked_flow_ends_once_somebody_else_has_moved_it(till: Till) -> None:
    """The account is mended, the part is asked for again, and whoever resumes finds it there."""
    fault = {"method": "POST", "path": "/v1/transfers", "contains": "acct_1", "status": 400}
    till.stage.lay("stripe", FaultKind.STATUS, **fault)
    payment_id = await take(till)
    await till.settle()
    before = await parked(till)
    await till.post(f"/v1/payments/{payment_id}/sync", None, key=new_id())
    await till.settle()
    ((flow_id,),) = await till.rows("select flow_id from headrace.flow where state = 'PARKED'")
    await till.stage.operator(till.life).resume(flow_id, reason="mended")
    await till.settle()

    assert {"acct_1": 6_000, "acct_2": 3_000} == at_stripe(till)
    assert [("distribute_payment", "part_refused")] == before
    assert [] == await parked(till)


async def test_one_member_is_still_paid_by_the_payment_itself(till: Till) -> None:
    """There is nothing to be moved afterwards."""
    payment_id = await take(
        till,
        splits=[
            {"party": "acct_simulated", "kind": "REMAINDER"},
            {"party": "platform", "kind": "COMMISSION", "amount": _eur("10.00")},
        ],
    )
    await till.settle()

    found = await payment(till, payment_id)
    assert (SplitMode.AT_PAYMENT, ()) == (found.split_mode, found.transfers)
    assert [] == await till.rows("select 1 from headrace.flow where kind = 'distribute_payment'")


async def test_two_members_are_refused_where_nobody_can(till: Till) -> None:
    """PayPal pays one member of a payment; the request says so before anything is kept."""
    parts = [{"party": "P1", "amount": _eur("60.00")}, {"party": "P2", "kind": "REMAINDER"}]
    paid = {"method_code": "paypal", "return_url": "https://shop.example/back"}
    body = {
        "amount": _eur("100.00"),
        "payment": paid | {"provider": "paypal"},
        "splits": parts,
    }

    answer = await till.post("/v1/payments", body, key=new_id())

    assert 422 == answer.status_code
    assert [("/splits", "splits_unsupported")] == [
        (one["pointer"], one["code"]) for one in answer.json()["errors"]
    ]
