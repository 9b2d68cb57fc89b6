"""Disputes at Adyen, which takes the money first and cannot be asked."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.adyen.simulator import AdyenSimulator
from gateway.kit.simulator import FaultKind
from tests.adapters.adyen.conformance import SUBJECT as ADYEN
from tests.flows import further
from tests.flows.stage import Life, Stage
from tests.flows.test_raise_amount import calm
from tests.flows.test_take_payment import post, shown, take, wanted


@pytest.fixture
async def adyen(tmp_path: Path, url: str) -> AsyncIterator[tuple[Stage, Life, AdyenSimulator]]:
    """A tenant that has an Adyen too."""
    stage = Stage(tmp_path, url)
    simulator = further.connect(stage, ADYEN)
    assert isinstance(simulator, AdyenSimulator)
    async with stage.facade(), stage.life() as life:
        yield stage, life, simulator


async def claimed(adyen: tuple[Stage, Life, AdyenSimulator]) -> tuple[str, str, str]:
    """Ids of a payment, of the dispute, and Adyen's reference of that."""
    stage, _, simulator = adyen
    token = {"token": "shopper-1_M5N7TQ4TG5PFWR50", "provider": "adyen"}
    payment_id = await take(stage, wanted(**token, return_url="https://shop.example/back"))
    await calm(*adyen)
    ref = simulator.report("CHARGEBACK", payment_id, 700, now=stage.now())
    await calm(*adyen)
    (dispute,) = (await shown(stage, payment_id)).disputes
    return payment_id, dispute.dispute_id, ref


async def stands(stage: Stage, dispute_id: str) -> Any:
    return (await stage.api.get(f"/v1/disputes/{dispute_id}")).json()


async def test_claim_is_contested_after_the_money_is_gone(
    adyen: tuple[Stage, Life, AdyenSimulator],
) -> None:
    """Once; then it is won."""
    stage, _, simulator = adyen
    payment_id, dispute_id, ref = await claimed(adyen)
    path, body = f"/v1/disputes/{dispute_id}/evidence", {"text": "Signed for.", "reason": ""}
    assert "LOST" == (await stands(stage, dispute_id))["state"]
    await post(stage, path, body, key="e", status=202)
    await calm(*adyen)
    second = await post(stage, path, body, key="e-2", status=409)
    simulator.report("CHARGEBACK_REVERSED", payment_id, 700, now=stage.now(), of=ref)
    await calm(*adyen)

    won = await stands(stage, dispute_id)
    assert ("WON", "SENT", "wrong_state") == (
        won["state"],
        won["answers"][0]["state"],
        second["code"],
    )
    assert {ref: 1} == simulator.effects()["evidence"]
    assert "0.00" == (await shown(stage, payment_id)).returned.amount


@pytest.mark.parametrize("path", ["/defendDispute", "/supplyDefenseDocument"])
async def test_lost_answer_is_settled_by_what_is_heard(
    adyen: tuple[Stage, Life, AdyenSimulator], path: str
) -> None:
    """Nobody has to look; nothing is said twice."""
    stage, life, simulator = adyen
    _, dispute_id, ref = await claimed(adyen)
    stage.lay("ca-test.adyen.com", FaultKind.LOST_ANSWER, method="POST", path=path)
    await post(stage, f"/v1/disputes/{dispute_id}/evidence", {"text": "x"}, key="e", status=202)
    await calm(*adyen)

    assert "SENT" == (await stands(stage, dispute_id))["answers"][0]["state"]
    assert {ref: 1} == simulator.effects()["evidence"]
    assert [] == await stage.rows("select 1 from headrace.flow where state = 'PARKED'")
    assert not await life.work()


async def test_reason_that_is_not_taken_is_kept_with_the_answer(
    adyen: tuple[Stage, Life, AdyenSimulator],
) -> None:
    """And another one may be sent."""
    stage, _, simulator = adyen
    _, dispute_id, ref = await claimed(adyen)
    path = f"/v1/disputes/{dispute_id}/evidence"
    await post(stage, path, {"text": "x", "reason": "Whatever"}, key="e", status=202)
    await calm(*adyen)
    await post(stage, path, {"text": "x"}, key="e-2", status=202)
    await calm(*adyen)

    answers = (await stands(stage, dispute_id))["answers"]
    assert [("REFUSED", "reason_unsupported"), ("SENT", "")] == [
        (one["state"], one.get("failure_code", "")) for one in answers
    ]
    assert {ref: 1} == simulator.effects()["evidence"]
