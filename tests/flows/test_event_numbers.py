"""Numbers of our own events: of each thing one after the other, whoever tells of it."""

from pathlib import Path

from tests.flows.stage import Life, Stage, new_order

_GAPS = (
    "select aggregate, count(*), min(sequence), max(sequence) from headrace.outbox"
    " group by aggregate, aggregate_id order by 1"
)


async def test_refunds_and_their_payment_are_counted_apart(tmp_path: Path, url: str) -> None:
    """What the facade, the flow and the webhooks tell of a refund takes none of the payment's."""
    async with Stage(tmp_path, url).facade() as stage, stage.life() as life:
        order = await stage.submit(new_order("1"))
        await stage.finish(life, order)
        for number, amount in enumerate(("5.00", "3.00")):
            await _give_back(stage, life, order.payment_id, amount, key=f"r{number}")
        stage.stripe.dispute((await stage.payment(order)).provider_ref, now=stage.now())
        await _rest(stage, life)

        numbers = await stage.rows(_GAPS)

    assert [("dispute", 1, 1, 1), ("refund", 2, 1, 2), ("refund", 2, 1, 2)] == [
        one for one in numbers if one[0] in {"dispute", "refund"}
    ]
    assert [] == [one for one in numbers if (1, one[1]) != one[2:]]


async def _give_back(stage: Stage, life: Life, payment_id: str, amount: str, *, key: str) -> None:
    body = {"payment_id": payment_id, "amount": {"amount": amount, "currency": "EUR"}}
    answer = await stage.api.post("/v1/refunds", json=body, headers={"Idempotency-Key": key})
    assert answer.is_success, answer.text
    await _rest(stage, life)


async def _rest(stage: Stage, life: Life) -> None:
    while await life.work() + await stage.deliver() + await life.apply():
        pass
