"""Payments of their own that ask for a payer, and payments whose money is several people's."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.model import codec
from gateway.model.payment import Payment, PaymentState, RefundState
from tests.conformance import samples
from tests.flows.stage import Life, Stage

_S = PaymentState
_TURNS = 40
_BACK = "https://shop.example/back"


@pytest.fixture
async def stage(tmp_path: Path, url: str) -> AsyncIterator[Stage]:
    """A tenant with a Mollie beside its other systems."""
    async with Stage(tmp_path, url, mollies=("north",)).facade() as stage:
        yield stage


def _money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def _credit(method: str = "klarna", **changes: Any) -> dict[str, Any]:
    """A payment on credit at Mollie, with everything that is asked for."""
    paid = {
        "method_code": method,
        "return_url": _BACK,
        "capture_method": "manual",
        "provider": "north",
    }
    body: dict[str, Any] = {
        "amount": _money("19.99"),
        "payment": paid,
        "payer": codec.to_builtins(samples.payer()),
        "items": codec.to_builtins(samples.basket(samples.AMOUNTS[0])),
    }
    return body | changes


async def _post(stage: Stage, path: str, body: Any, *, key: str) -> Any:
    return await stage.api.post(path, json=body, headers={"Idempotency-Key": key})


async def _take(stage: Stage, life: Life, body: Any) -> Payment:
    """The payment, as far as it comes by itself."""
    answer = await _post(stage, "/v1/payments", body, key="take")
    assert 201 == answer.status_code, answer.text
    await _settle(stage, life)
    shown = await stage.api.get(f"/v1/payments/{answer.json()['payment_id']}")
    return codec.decode(shown.content, Payment)


async def _settle(stage: Stage, life: Life) -> None:
    """Until nothing moves but what waits for the payer."""
    for _ in range(_TURNS):
        if not await life.work() + await life.apply():
            return
    raise AssertionError(await stage.rows("select to_jsonb(f) from headrace.flow f"))


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"payer": None}, "/payer", "payer_missing"),
        ({"items": []}, "/payer", "payer_missing"),
        (
            {"payment": {"method_code": "riverty", "return_url": _BACK}},
            "/payment/capture_method",
            "capture_unsupported",
        ),
        (
            {"splits": [{"party": "org_1", "amount": _money("19.99")}]},
            "/splits",
            "splits_unsupported",
        ),
    ],
)
async def test_what_is_missing_is_pointed_at(
    stage: Stage, changes: dict[str, Any], pointer: str, code: str
) -> None:
    """Before anything is kept or sent."""
    answer = await _post(stage, "/v1/payments", _credit(**changes), key="k")

    told = [(each["pointer"], each["code"]) for each in answer.json()["errors"]]
    assert (422, [(pointer, code)]) == (answer.status_code, told)
    assert [] == await stage.rows("select 1 from headrace.document where kind = 'payment'")


async def test_payer_is_told_and_kept(stage: Stage, life: Life) -> None:
    """For another provider may have to be asked."""
    credit = await _take(stage, life, _credit())

    assert (_S.REQUIRES_ACTION, "north") == (credit.state, credit.provider)
    assert credit.payer == samples.payer()
    assert samples.basket(samples.AMOUNTS[0]) == credit.items
    (record,) = stage.mollies["north"]._payments.values()
    assert "Lovelace" == record.given["billingAddress"]["familyName"]


async def test_who_is_asked_first_is_told_and_sends_the_payer_on(stage: Stage, life: Life) -> None:
    """Stripe has the method too; a part of the money is a connected account's."""
    paid = {"method_code": "klarna", "return_url": _BACK, "capture_method": "manual"}
    parts = [
        {"party": "acct_simulated", "kind": "REMAINDER"},
        {"party": "platform", "kind": "COMMISSION", "amount": _money("1.99")},
    ]

    credit = await _take(stage, life, _credit(payment=paid, splits=parts))

    assert (_S.REQUIRES_ACTION, "stripe") == (credit.state, credit.provider)
    assert credit.next_action is not None
    assert credit.next_action.url.startswith("https://")
    assert samples.payer() == credit.payer


async def test_payer_is_neither_told_nor_kept_where_nobody_asks(stage: Stage, life: Life) -> None:
    """Who pays on a bank's page is nobody's business."""
    page = {"method_code": "pay_by_bank", "return_url": _BACK}
    plain = await _take(stage, life, _credit(payment=page))

    assert (_S.REQUIRES_ACTION, None, ()) == (plain.state, plain.payer, plain.items)
    (record,) = stage.mollies["north"]._payments.values()
    assert "billingAddress" not in record.given


async def test_incomplete_payer_ends_the_payment(stage: Stage, life: Life) -> None:
    """What only the adapter knows is a failure with its code, and nothing was sent."""
    payer = codec.to_builtins(samples.payer()) | {"email": None}
    payment = await _take(stage, life, _credit(payer=payer))

    assert payment.failure is not None
    assert (_S.FAILED, "payer_incomplete") == (payment.state, payment.failure.code)
    assert not stage.mollies["north"]._payments


async def test_members_give_back_what_they_got(stage: Stage, life: Life) -> None:
    """Refunds in pieces pull back each part to the cent."""
    payment = await _take(
        stage,
        life,
        {
            "amount": _money("19.99"),
            "payment": {
                "method_code": "card",
                "token": "tkn_accepted",
                "provider": "north",
                "return_url": _BACK,
            },
            "splits": [
                {"party": "org_1", "amount": _money("10.00")},
                {"party": "org_2", "amount": _money("6.66")},
                {"party": "platform", "kind": "REMAINDER"},
            ],
        },
    )
    (record,) = stage.mollies["north"]._payments.values()
    assert _S.CAPTURED is payment.state
    assert {"org_1": 1000, "org_2": 666} == record.routed
    left = []
    for number, amount in enumerate(("0.01", "9.98", "10.00")):
        body = {"payment_id": payment.payment_id, "amount": _money(amount)}
        answer = await _post(stage, "/v1/refunds", body, key=f"r{number}")
        assert 201 == answer.status_code, answer.text
        await _settle(stage, life)
        left.append(record.routed.total())

    # What remains of 19.98 goes back in halves; odd cents are ours.
    assert [1666, 835, 0] == left
    shown = await stage.api.get(f"/v1/payments/{payment.payment_id}")
    found = codec.decode(shown.content, Payment)
    assert {RefundState.PENDING, RefundState.SETTLED} >= {each.state for each in found.refunds}


@pytest.mark.parametrize(
    ("system", "state", "code"),
    [("north", _S.CAPTURED, ""), ("stripe", _S.FAILED, "member_elsewhere")],
)
async def test_member_is_paid_at_his_account_where_the_payment_goes(
    stage: Stage, life: Life, system: str, state: PaymentState, code: str
) -> None:
    """The front-end knows members; the accounts are the hub's business."""
    told = await stage.api.put(
        "/v1/members/M-1",
        json={"system": system, "account": "org_1"},
        headers={"Idempotency-Key": "member"},
    )
    assert told.status_code in {200, 201}, told.text
    card = {"method_code": "card", "token": "tkn_accepted", "provider": "north"}
    payment = await _take(
        stage,
        life,
        {
            "amount": _money("19.99"),
            "payment": card | {"return_url": _BACK},
            "splits": [
                {"party": "M-1", "amount": _money("10.00")},
                {"party": "platform", "kind": "REMAINDER"},
            ],
        },
    )

    assert (state, code) == (payment.state, payment.failure.code if payment.failure else "")
    routed = [record.routed for record in stage.mollies["north"]._payments.values()]
    assert ([{"org_1": 1000}] if state is _S.CAPTURED else []) == routed
