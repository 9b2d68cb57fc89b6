"""Disputes through the hub: reported, read, answered, decided."""

from typing import Any

import httpx
import pytest

from gateway.kit.simulator import FaultKind
from gateway.model.payment import Payment
from tests.flows.stage import Life, Stage, new_order


async def post(stage: Stage, path: str, body: Any = None, *, key: str = "k") -> httpx.Response:
    return await stage.api.post(path, json=body, headers={"Idempotency-Key": key})


async def work(stage: Stage, life: Life) -> None:
    """Until nothing moves any more without time passing."""
    while await life.work() + await stage.deliver() + await life.apply():
        pass


async def disputed(stage: Stage, life: Life, number: str = "claim") -> tuple[Payment, str, str]:
    """A paid order, Stripe's id of the claim, and ours."""
    order = await stage.submit(new_order(number))
    await stage.finish(life, order)
    payment = await stage.payment(order)
    ref = stage.stripe.dispute(payment.provider_ref, now=stage.now(), amount=500)
    await work(stage, life)
    (dispute,) = (await shown(stage, f"?payment_id={payment.payment_id}")).json()
    return payment, ref, dispute["dispute_id"]


async def shown(stage: Stage, what: str) -> httpx.Response:
    return await stage.api.get(f"/v1/disputes{what}")


async def told(stage: Stage) -> list[str]:
    """What was reported of disputes."""
    rows = await stage.rows(
        "select type from headrace.outbox where aggregate = 'dispute' order by seq"
    )
    return [row[0].removeprefix("headrace.dispute.").removesuffix(".v1") for row in rows]


async def test_claim_is_read_contested_and_won(stage: Stage, life: Life) -> None:
    """A webhook makes it, a look-up says until when; the issuer's word ends it."""
    payment, ref, key = await disputed(stage, life)
    opened = (await shown(stage, f"/{key}")).json()
    assert ("OPEN", "5.00") == (opened["state"], opened["amount"]["amount"])
    assert (ref, "product_not_received") == (opened["provider_ref"], opened["reason_code"])
    assert opened["due_by"] > "2026"
    assert "DISPUTED" == (await stage.api.get(f"/v1/payments/{payment.payment_id}")).json()["state"]

    evidence = {"text": "Signed for by the payer.", "files": ["file_1"]}
    answers = [await post(stage, f"/v1/disputes/{key}/evidence", evidence) for _ in range(2)]
    await work(stage, life)
    review = (await shown(stage, f"/{key}")).json()
    stage.stripe.decide(ref, won=True, now=stage.now())
    await work(stage, life)

    assert [202, 202] == [one.status_code for one in answers]
    assert answers[0].content == answers[1].content
    assert ("UNDER_REVIEW", "SENT") == (review["state"], review["answers"][0]["state"])
    assert {ref: 1} == stage.stripe.effects()["evidence"]
    won = (await shown(stage, f"/{key}")).json()
    assert "WON" == won["state"]
    paid = (await stage.api.get(f"/v1/payments/{payment.payment_id}")).json()
    assert ("CAPTURED", "0.00") == (paid["state"], paid["returned"]["amount"])
    assert ["opened", "evidence_submitted", "won"] == await told(stage)
    events = await stage.rows("select data::text from headrace.outbox")
    sent = await stage.rows("select request, response from headrace.evidence")
    assert [] == [one for row in (*events, *sent) for one in row if "Signed for" in one]


async def test_accepted_claim_is_lost(stage: Stage, life: Life) -> None:
    """The money is the payer's; nothing more can be said."""
    payment, ref, key = await disputed(stage, life)

    answer = await post(stage, f"/v1/disputes/{key}/accept", key="a")
    await work(stage, life)
    late = await post(stage, f"/v1/disputes/{key}/evidence", {"text": "But!"}, key="b")

    assert 202 == answer.status_code
    assert "LOST" == (await shown(stage, f"/{key}")).json()["state"]
    paid = (await stage.api.get(f"/v1/payments/{payment.payment_id}")).json()
    assert ("CAPTURED", "5.00") == (paid["state"], paid["returned"]["amount"])
    assert "wrong_state" == late.json()["code"]
    assert {ref: 1} == stage.stripe.effects()["acceptance"]
    assert ["opened", "lost"] == await told(stage)


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.STATUS])
@pytest.mark.parametrize(
    ("word", "body", "effect"),
    [("accept", None, "acceptance"), ("evidence", {"text": "It was delivered."}, "evidence")],
)
async def test_what_is_in_doubt_is_answered_once(
    stage: Stage, life: Life, word: str, body: Any, effect: str, kind: FaultKind
) -> None:
    """Whether Stripe has done it before it fell silent, or has not."""
    _, ref, key = await disputed(stage, life)
    stage.lay("stripe", kind, method="POST", path="/v1/disputes", status=500)

    await post(stage, f"/v1/disputes/{key}/{word}", body)
    for _ in range(5):
        await work(stage, life)
        await stage.pass_time()

    now = (await shown(stage, f"/{key}")).json()
    assert "SENT" == now["answers"][0]["state"]
    assert {ref: 1} == stage.stripe.effects()[effect]


async def test_refused_answer_is_kept_and_the_claim_is_read(stage: Stage, life: Life) -> None:
    """The issuer was faster, and no webhook of it came."""
    _, ref, key = await disputed(stage, life)
    stage.stripe.decide(ref, won=False, now=stage.now())

    await post(stage, f"/v1/disputes/{key}/evidence", {"text": "It was delivered."})
    while await life.work():
        pass

    now = (await shown(stage, f"/{key}")).json()
    assert ("LOST", "REFUSED") == (now["state"], now["answers"][0]["state"])
    assert now["answers"][0]["failure_code"]
    assert ["opened", "answer_refused", "lost"] == await told(stage)
    flows = await stage.rows("select state from headrace.flow where kind = 'resolve_dispute'")
    assert [("COMPLETED",)] == flows


async def test_second_answer_waits_for_the_first(stage: Stage, life: Life) -> None:
    """And each wants a key."""
    _, _, key = await disputed(stage, life)

    first = await post(stage, f"/v1/disputes/{key}/evidence", {"text": "A."}, key="1")
    second = await post(stage, f"/v1/disputes/{key}/accept", key="2")
    empty = await post(stage, f"/v1/disputes/{key}/evidence", {}, key="3")

    assert [202, "wrong_state", "invalid"] == [
        first.status_code,
        second.json()["code"],
        empty.json()["code"],
    ]


async def test_what_is_not_there_is_not_found(stage: Stage, life: Life) -> None:
    """Neither shown nor answered."""
    payment, _, _ = await disputed(stage, life)
    other = f"{payment.payment_id}-dispute-0"

    for path in ("/nothing", f"/{other}", "?payment_id=nothing"):
        assert "not_found" == (await shown(stage, path)).json()["code"]
    for name in ("nothing", other):
        answer = await post(stage, f"/v1/disputes/{name}/accept", key=name)
        assert "not_found" == answer.json()["code"]
    assert "invalid" == (await shown(stage, "")).json()["code"]


async def test_operator_cannot_cancel_an_answer_that_is_committed(stage: Stage, life: Life) -> None:
    """What became of it has to be known, or the dispute could never be answered again."""
    _, _, key = await disputed(stage, life)
    stage.lay("stripe", FaultKind.STATUS, method="POST", path="/v1/disputes", count=-1, status=429)
    await post(stage, f"/v1/disputes/{key}/evidence", {"text": "A."}, key="1")
    sql = "select flow_id from headrace.flow where kind = 'resolve_dispute'"
    ((flow_id,),) = await stage.rows(sql)
    await life.work()
    await stage.operator(life).cancel(flow_id, reason="x")
    stage.wire.faults["stripe"].clear()
    await stage.pass_time()
    await work(stage, life)

    found = (await shown(stage, f"/{key}")).json()
    assert ["SENT"] == [one["state"] for one in found["answers"]]
