"""Payments of their own: taken, held and collected, given up, given back, asked for elsewhere."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.kit.simulator import FaultKind
from gateway.model import codec
from gateway.model.payment import AttemptState, Payment, PaymentState, Refund, RefundState
from tests.api.front import until
from tests.flows.doom import Doom, Mortal
from tests.flows.stage import Life, Stage, new_order

_S = PaymentState
_TURNS = 40


@pytest.fixture
async def two(tmp_path: Path, url: str) -> AsyncIterator[Stage]:
    """A tenant with two Mollies: what one takes, the other takes as well."""
    async with Stage(tmp_path, url, mollies=("north", "south")).facade() as stage:
        yield stage


def wanted(amount: str = "49.90", **payment: Any) -> dict[str, Any]:
    """A payment as a front-end asks for it."""
    return {
        "amount": {"amount": amount, "currency": "EUR"},
        "payment": {"method_code": "card", "token": "pm_card_visa"} | payment,
        "reference": "WEB-1",
    }


def kbc() -> dict[str, Any]:
    """A payment that any Mollie can take: no token binds it."""
    return wanted(method_code="kbc", token="", return_url="https://shop.example/back")


async def post(stage: Stage, path: str, body: Any, *, key: str, status: int = 201) -> Any:
    """What the facade answers to a request that it takes."""
    answer = await stage.api.post(path, json=body, headers={"Idempotency-Key": key})
    assert status == answer.status_code, answer.text
    return answer.json()


async def take(stage: Stage, body: Any, key: str = "k-1") -> str:
    """Id of a payment that was taken."""
    return str((await post(stage, "/v1/payments", body, key=key))["payment_id"])


async def shown(stage: Stage, payment_id: str) -> Payment:
    """The payment as the facade shows it."""
    answer = await stage.api.get(f"/v1/payments/{payment_id}")
    return codec.decode(answer.content, Payment)


async def settle(stage: Stage, life: Life, *, webhooks: bool = True) -> None:
    """Work, deliver and let time pass until every flow has ended."""
    for _ in range(_TURNS):
        moved = await life.work()
        if webhooks:
            moved += await stage.deliver()
        moved += await life.apply()
        running = "select count(*) from headrace.flow where state not in ('COMPLETED', 'CANCELLED')"
        if not moved and (await stage.rows(running))[0][0] == 0:
            return
        if not moved:
            await stage.pass_time()
    raise AssertionError(await stage.rows("select to_jsonb(f) from headrace.flow f"))


async def test_payment_is_collected_once(stage: Stage, life: Life) -> None:
    """Without an order, a risk bureau or an ERP; and its timeline tells of each step."""
    payment_id = await take(stage, wanted())
    await settle(stage, life)

    payment = await shown(stage, payment_id)
    assert (_S.CAPTURED, "49.90", "WEB-1") == (
        payment.state,
        payment.captured.amount,
        payment.reference,
    )
    assert 1 == stage.stripe.effects()["charge"][payment_id]
    assert payment.final_at > payment.captured_at > ""
    wanted_names = {
        "payments.create_payment",
        "stripe.create_payment",
        "payment_intent.succeeded",
    }

    async def told_of() -> dict[str, Any] | None:
        """The timeline, once the evidence is written: that happens beside the flow."""
        told = (await stage.api.get(f"/v1/payments/{payment_id}/timeline")).json()
        return told if wanted_names <= {one["name"] for one in told["entries"]} else None

    told = await until(told_of)
    assert payment_id == told["payment_id"]


async def test_same_key_takes_one_payment(stage: Stage, life: Life) -> None:
    """The second answer is the first one's, byte by byte."""
    first = await post(stage, "/v1/payments", wanted(), key="twice")
    again = await post(stage, "/v1/payments", wanted(), key="twice")
    await settle(stage, life)

    assert first == again
    assert [1] == list(stage.stripe.effects()["charge"].values())


async def test_declined_payment_says_why(stage: Stage, life: Life) -> None:
    """A refusal of the issuer is a result; a token binds it to one provider."""
    payment_id = await take(stage, wanted(token="pm_card_chargeDeclined"))
    await settle(stage, life)

    payment = await shown(stage, payment_id)
    assert payment.failure is not None
    assert (_S.FAILED, "declined") == (payment.state, payment.failure.code)
    assert [AttemptState.DECLINED] == [one.state for one in payment.attempts]


async def test_payment_that_the_provider_refuses_to_take_has_failed(
    stage: Stage, life: Life
) -> None:
    """Nothing happened and nothing will: no person has to look, the front-end has."""
    payment_id = await take(stage, wanted(token="pm_unheard_of"))
    await settle(stage, life)

    payment = await shown(stage, payment_id)
    assert payment.failure is not None
    assert (_S.FAILED, AttemptState.NOT_EXECUTED) == (payment.state, payment.attempts[-1].state)
    assert payment.failure.code
    assert {} == dict(stage.stripe.effects()["charge"])


async def test_held_payment_is_collected_in_parts(stage: Stage, life: Life) -> None:
    """What is asked for is collected, once for each request."""
    payment_id = await take(stage, wanted(capture_method="manual"))
    await settle(stage, life)
    assert _S.AUTHORISED is (await shown(stage, payment_id)).state

    part = {"amount": {"amount": "20.00", "currency": "EUR"}}
    path = f"/v1/payments/{payment_id}/capture"
    await post(stage, path, part, key="c-1", status=202)
    await post(stage, path, part, key="c-1", status=202)
    await settle(stage, life)

    payment = await shown(stage, payment_id)
    assert (_S.CAPTURED, "20.00") == (payment.state, payment.captured.amount)
    assert ["DONE"] == [one.state.value for one in payment.captures]


async def test_held_payment_is_given_up(stage: Stage, life: Life) -> None:
    """The issuer is told; collecting it is refused from then on."""
    payment_id = await take(stage, wanted(capture_method="manual"))
    await settle(stage, life)
    await post(stage, f"/v1/payments/{payment_id}/cancel", {}, key="x", status=202)
    await settle(stage, life)

    assert _S.CANCELLED is (await shown(stage, payment_id)).state
    late = await stage.api.post(
        f"/v1/payments/{payment_id}/capture", json={}, headers={"Idempotency-Key": "late"}
    )
    assert (409, "wrong_state") == (late.status_code, late.json()["code"])


async def test_refunds_are_kept_apart_and_never_exceed(stage: Stage, life: Life) -> None:
    """Two parts, then more than is left: the third is refused before anything is sent."""
    payment_id = await take(stage, wanted())
    await settle(stage, life)
    body = {"payment_id": payment_id, "amount": {"amount": "20.00", "currency": "EUR"}}
    one = await post(stage, "/v1/refunds", body, key="r-1")
    two = await post(stage, "/v1/refunds", body, key="r-2")
    third = await stage.api.post("/v1/refunds", json=body, headers={"Idempotency-Key": "r-3"})
    await settle(stage, life)

    assert 422 == third.status_code
    assert [("/amount/amount", "above_captured")] == [
        (each["pointer"], each["code"]) for each in third.json()["errors"]
    ]
    states = []
    for refund_id in (one["refund_id"], two["refund_id"]):
        answer = await stage.api.get(f"/v1/refunds/{refund_id}")
        states.append(codec.decode(answer.content, Refund).state)
    assert [RefundState.SETTLED] * 2 == states
    assert "40.00" == (await shown(stage, payment_id)).refunded.amount
    assert 2 == sum(stage.stripe.effects()["refund"].values())
    told = await stage.rows("select type from headrace.outbox where type like '%%refund%%'")
    assert sorted(
        [("headrace.refund.requested.v1",)] * 2 + [("headrace.refund.settled.v1",)] * 2
    ) == sorted(told)


async def test_lost_answer_of_a_refund_is_looked_up(stage: Stage, life: Life) -> None:
    """The money goes back once."""
    payment_id = await take(stage, wanted())
    await settle(stage, life)
    stage.lay("stripe", FaultKind.LOST_ANSWER, method="POST", path="/v1/refunds")
    refund = await post(stage, "/v1/refunds", {"payment_id": payment_id}, key="r")
    await settle(stage, life)

    answer = await stage.api.get(f"/v1/refunds/{refund['refund_id']}")
    assert RefundState.SETTLED is codec.decode(answer.content, Refund).state
    assert [1] == list(stage.stripe.effects()["refund"].values())


async def test_unknown_outcome_is_shown_as_such_and_blocks(stage: Stage, life: Life) -> None:
    """Until the look-up shows it: nobody may end it meanwhile, and no other attempt is made."""
    payment_id = await take(stage, wanted())
    path = "/v1/payment_intents"
    stage.lay("stripe", FaultKind.TIMEOUT_AFTER, method="POST", path=path)
    stage.lay("stripe", FaultKind.TIMEOUT_BEFORE, method="GET", path=path, count=3)
    await life.work()

    doubted = await shown(stage, payment_id)
    assert [AttemptState.UNKNOWN] == [one.state for one in doubted.attempts]
    ended = await stage.api.post(
        f"/v1/payments/{payment_id}/cancel", headers={"Idempotency-Key": "no"}
    )
    assert "wrong_state" == ended.json()["code"]

    await settle(stage, life)
    payment = await shown(stage, payment_id)
    assert (_S.CAPTURED, 1) == (payment.state, len(payment.attempts))
    assert 1 == stage.stripe.effects()["charge"][payment_id]
    told = [row[0] for row in await stage.rows("select type from headrace.outbox order by seq")]
    assert "headrace.payment.unknown.v1" in told
    assert "headrace.payment.resolved.v1" in told


async def test_payment_is_read_back_when_somebody_asks(stage: Stage, life: Life) -> None:
    """Its webhooks never came; the provider's own word is taken instead."""
    payment_id = await take(stage, wanted(token="pm_card_visa"))
    await life.work()
    intent = (await shown(stage, payment_id)).provider_ref
    by_hand = httpx.Request(
        "POST",
        "http://stripe/v1/refunds",
        headers={"Authorization": "Bearer sk_test_stage"},
        data={"payment_intent": intent, "amount": "490"},
    )
    assert 200 == stage.stripe.handle(by_hand, now=stage.now()).status_code
    await post(stage, f"/v1/payments/{payment_id}/sync", {}, key="s", status=202)
    await settle(stage, life, webhooks=False)

    assert "4.90" == (await shown(stage, payment_id)).refunded.amount


async def test_provider_that_is_away_is_left_for_the_next(two: Stage) -> None:
    """Nothing happened at the first, so the second is asked at once, with a key of its own."""
    two.lay("north", FaultKind.STATUS, status=429, path="/v2/payments", count=-1)
    async with two.life() as life:
        payment_id = await take(two, kbc())
        await life.work()
        payment = await shown(two, payment_id)

    assert [
        ("north", AttemptState.NOT_EXECUTED),
        ("south", AttemptState.PENDING),
    ] == [(one.provider, one.state) for one in payment.attempts]
    assert 2 == len({one.key for one in payment.attempts})
    assert (_S.REQUIRES_ACTION, "south") == (payment.state, payment.provider)
    assert payment.next_action is not None


async def test_unknown_outcome_is_never_asked_for_elsewhere(two: Stage) -> None:
    """It may be paid there: the flow looks it up, and the other provider hears nothing."""
    two.lay("north", FaultKind.TIMEOUT_AFTER, path="/v2/payments", method="POST", count=1)
    two.lay("north", FaultKind.STATUS, status=503, path="/v2/payments", count=40)
    async with two.life() as life:
        payment_id = await take(two, kbc())
        for _ in range(3):
            await life.work()
            await two.pass_time()
        payment = await shown(two, payment_id)

    assert [("north", AttemptState.UNKNOWN)] == [
        (one.provider, one.state) for one in payment.attempts
    ]
    assert not two.mollies["south"].effects()["charge"]


async def test_death_at_each_point_between_two_providers(two: Stage) -> None:
    """Whatever the point, both are asked, in this order, and the second makes one payment."""
    two.lay("north", FaultKind.STATUS, status=429, method="POST", count=-1)
    whole = Doom()
    assert ["north", "south"] == await _providers(two, whole, "whole")

    differing = {}
    for point in range(1, len(whole.points) + 1):
        found = await _providers(two, Doom(point), f"point-{point}")
        if found != ["north", "south"]:
            differing[whole.points[point - 1]] = found
    assert {} == differing
    records = two.mollies["south"]._payments.values()
    made = [one.given["metadata"]["payment_id"] for one in records]
    assert len(whole.points) + 1 == len(made) == len(set(made))


async def _providers(two: Stage, doom: Doom, key: str) -> list[str]:
    """Who was asked for one payment, with a death on the way if one is due."""
    payment_id = await take(two, kbc(), key)

    async def work(life: Life) -> None:
        await life.work()

    mortal = Mortal(two, doom)
    await mortal.begin()
    if not await mortal.do(work):
        await two.expire_leases()
        async with two.life() as life:
            for _ in range(8):
                await life.work()
                await two.pass_time()
    payment = await shown(two, payment_id)
    assert _S.REQUIRES_ACTION is payment.state
    return [one.provider for one in payment.attempts]


async def test_refusal_after_doubt_is_no_proof(stage: Stage, life: Life) -> None:
    """The charge was made, its answer lost, and the look-up refused: not failed, but unknown."""
    payment_id = await take(stage, wanted())
    path = "/v1/payment_intents"
    stage.lay("stripe", FaultKind.TIMEOUT_AFTER, method="POST", path=path)
    stage.lay("stripe", FaultKind.STATUS, method="GET", path=path, status=400)
    await life.work()
    doubted = await shown(stage, payment_id)
    await settle(stage, life)

    assert (_S.CREATED, AttemptState.UNKNOWN) == (doubted.state, doubted.attempts[-1].state)
    assert _S.CAPTURED is (await shown(stage, payment_id)).state


async def test_refund_whose_look_up_is_refused_is_not_made_again(stage: Stage, life: Life) -> None:
    """It stays open, so the client cannot be led to ask for the same money once more."""
    payment_id = await take(stage, wanted())
    await settle(stage, life)
    stage.lay("stripe", FaultKind.TIMEOUT_AFTER, method="POST", path="/v1/refunds")
    stage.lay("stripe", FaultKind.STATUS, method="GET", path="/v1/refunds", status=400)
    refund = await post(stage, "/v1/refunds", {"payment_id": payment_id}, key="r")
    await life.work()
    open_one = (await stage.api.get(f"/v1/refunds/{refund['refund_id']}")).json()
    await settle(stage, life)

    assert "CREATED" == open_one["state"]
    assert "SETTLED" == (await stage.api.get(f"/v1/refunds/{refund['refund_id']}")).json()["state"]
    assert [1] == list(stage.stripe.effects()["refund"].values())


async def test_refused_cancellation_can_be_asked_for_again(stage: Stage, life: Life) -> None:
    """Each is a wish of its own, with its end; meanwhile nothing else is taken."""
    payment_id = await take(stage, wanted(capture_method="manual"))
    await settle(stage, life)
    stage.lay("stripe", FaultKind.STATUS, method="POST", path="/cancel", status=400)
    path = f"/v1/payments/{payment_id}"
    await post(stage, f"{path}/cancel", {}, key="x-1", status=202)
    meanwhile = await stage.api.post(f"{path}/capture", json={}, headers={"Idempotency-Key": "c"})
    await settle(stage, life)
    refused = await shown(stage, payment_id)
    await post(stage, f"{path}/cancel", {}, key="x-2", status=202)
    await settle(stage, life)

    assert "wrong_state" == meanwhile.json()["code"]
    assert _S.AUTHORISED is refused.state
    ended = await shown(stage, payment_id)
    assert _S.CANCELLED is ended.state
    assert ["FAILED", "DONE"] == [one.state.value for one in ended.cancellations]


async def test_operator_gives_up_a_held_payment(stage: Stage, life: Life) -> None:
    """The hold is released, and the flow says so."""
    payment_id = await take(stage, wanted(capture_method="manual"))
    await life.work()
    ((flow_id,),) = await stage.rows("select flow_id from headrace.flow")
    await stage.operator(life).cancel(flow_id, reason="a mistake")
    await settle(stage, life)

    assert _S.CANCELLED is (await shown(stage, payment_id)).state
    assert [("CANCELLED",)] == await stage.rows("select state from headrace.flow")


async def test_repeating_an_attempt_that_was_left_asks_nobody(two: Stage) -> None:
    """The second provider was asked since; the first one hears nothing, and a person is told."""
    two.lay("north", FaultKind.STATUS, status=429, method="POST", count=4)
    async with two.life() as life:
        payment_id = await take(two, kbc())
        await life.work()
        ((flow_id,),) = await two.rows("select flow_id from headrace.flow")
        await two.operator(life).retry_from(flow_id, "payments.create_payment", reason="again")
        await life.work()
        payment = await shown(two, payment_id)

    assert ["north", "south"] == [one.provider for one in payment.attempts]
    assert [0, 1] == [len(two.mollies[name]._payments) for name in ("north", "south")]
    assert [("PARKED", "attempt_superseded")] == await two.rows(
        "select state, code from headrace.flow"
    )


async def test_order_that_is_cancelled_before_the_second_provider_heard(two: Stage) -> None:
    """Nothing was sent there, so nothing has to be released."""
    for name in ("north", "south"):
        two.lay(name, FaultKind.STATUS, status=429, method="POST", count=-1)
    body = new_order(1, method_code="kbc", token="", country="BE")
    body["payment"]["return_url"] = "https://shop.example/back"
    async with two.life() as life:
        order = await two.submit(body)
        await two.work_until(life, order, "PARKED")
        await two.operator(life).cancel((await two.flow(order))["flow_id"], reason="no")
        await life.work()

        assert "CANCELLED" == (await two.flow(order))["state"]
        assert "CANCELLED" == (await two.order(order.order_id)).state.value


async def test_order_gives_back_what_is_left(stage: Stage, life: Life) -> None:
    """A part was given back by request; the cancelled order gives back the rest, and no more."""
    order = await stage.submit(new_order("part"))
    for _ in range(6):
        await life.work()
    part = {"payment_id": order.payment_id, "amount": {"amount": "5.00", "currency": "EUR"}}
    await post(stage, "/v1/refunds", part, key="part")
    await stage.operator(life).cancel((await stage.flow(order))["flow_id"], reason="no")
    stage.lay("stripe", FaultKind.TIMEOUT_BEFORE, method="POST", path="/v1/refunds", count=1)
    await settle(stage, life)

    payment = await stage.payment(order)
    assert payment.captured == payment.refunded
    assert ["15.00", "5.00"] == sorted(one.amount.amount for one in payment.refunds)
    assert "CANCELLED" == (await stage.order(order.order_id)).state.value
