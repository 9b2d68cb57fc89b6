"""Refunds that are not wanted any more: kept where they have not gone, and only there."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.mollie.simulator import MollieSimulator
from gateway.kit.simulator import FaultKind
from gateway.model.payment import Payment, RefundState
from tests.adapters.mollie.conformance import SUBJECT as MOLLIE
from tests.flows import further
from tests.flows.bank import Desk, with_bank
from tests.flows.stage import Life, Stage
from tests.flows.test_bank import entry, notice
from tests.flows.test_take_payment import post, settle, shown, take, wanted

_HOST = "api.mollie.com"


@pytest.fixture
async def mollie(tmp_path: Path, url: str) -> AsyncIterator[tuple[Stage, Life, MollieSimulator]]:
    """A tenant that has a Mollie too."""
    stage = Stage(tmp_path, url)
    simulator = further.connect(stage, MOLLIE)
    assert isinstance(simulator, MollieSimulator)
    async with stage.facade(), stage.life() as life:
        yield stage, life, simulator


async def turn(mollie: tuple[Stage, Life, MollieSimulator], *, webhooks: bool = True) -> None:
    """Work and deliver until nothing moves, also after pauses; the provider's clock stands."""
    stage, life, simulator = mollie
    still = 0
    while still < 3:
        moved = await life.work()
        if webhooks:
            moved += await further.deliver(stage, "mollie", simulator)
        moved += await life.apply()
        still = 0 if moved else still + 1
        await stage.pass_time()
        await stage.sql.execute(
            "update absurd.r_webhook set available_at = now() where state = 'sleeping'"
        )


async def promised(mollie: tuple[Stage, Life, MollieSimulator]) -> tuple[str, str]:
    """Ids of a payment and of its refund, which Mollie has and has not sent."""
    stage, _, simulator = mollie
    simulator.configure(settle_s=7_200.0)
    body = wanted(token="tkn_accepted", provider="mollie", return_url="https://shop.example/b")
    payment_id = await take(stage, body)
    await turn(mollie)
    refund = await post(stage, "/v1/refunds", {"payment_id": payment_id}, key="r")
    await turn(mollie)
    assert "PENDING" == (await refund_of(stage, refund["refund_id"]))["state"]
    return payment_id, refund["refund_id"]


async def refund_of(stage: Stage, refund_id: str) -> Any:
    return (await stage.api.get(f"/v1/refunds/{refund_id}")).json()


async def cancel(stage: Stage, refund_id: str, *, key: str = "x", status: int = 202) -> Any:
    return await post(stage, f"/v1/refunds/{refund_id}/cancel", {}, key=key, status=status)


async def told(stage: Stage) -> list[str]:
    """Our events of refunds, in order."""
    rows = await stage.rows(
        "select type from headrace.outbox where aggregate = 'refund' order by seq"
    )
    return [kind.removeprefix("headrace.refund.").removesuffix(".v1") for (kind,) in rows]


def left(payment: Payment) -> tuple[str, str]:
    return payment.refunded.amount, payment.state.value


@pytest.mark.parametrize("webhooks", [True, False])
@pytest.mark.parametrize("fault", [None, FaultKind.LOST_ANSWER, FaultKind.TIMEOUT_BEFORE])
async def test_provider_lets_go_of_it(
    mollie: tuple[Stage, Life, MollieSimulator], fault: FaultKind | None, *, webhooks: bool
) -> None:
    """Whatever is lost; then as much can be given back as before."""
    stage, _, simulator = mollie
    payment_id, refund_id = await promised(mollie)
    if fault is not None:
        stage.lay(_HOST, fault, method="DELETE", path="/refunds/")
    await cancel(stage, refund_id)
    await turn(mollie, webhooks=webhooks)

    refund = await refund_of(stage, refund_id)
    assert ("CANCELLED", "DONE") == (refund["state"], refund["cancellations"][0]["state"])
    assert ("0.00", "CAPTURED") == left(await shown(stage, payment_id))
    assert 0 == simulator.effects()["refund"].get(refund_id, 0)
    assert "wrong_state" == (await cancel(stage, refund_id, key="again", status=409))["code"]
    assert "cancelled" == (await told(stage))[-1]
    again = await post(stage, "/v1/refunds", {"payment_id": payment_id}, key="r-2")
    assert "49.90" == again["amount"]["amount"]


async def test_what_has_gone_is_not_kept(mollie: tuple[Stage, Life, MollieSimulator]) -> None:
    """The provider says so before we have heard of it."""
    stage, _, simulator = mollie
    payment_id, refund_id = await promised(mollie)
    stage.offset_s += 7_300
    await cancel(stage, refund_id)
    await turn(mollie, webhooks=False)

    refund = await refund_of(stage, refund_id)
    (wish,) = refund["cancellations"]
    assert ("PENDING", "FAILED", "not_cancellable") == (
        refund["state"],
        wish["state"],
        wish["failure"]["code"],
    )
    assert ["requested", "cancel_failed"] == await told(stage)
    await turn(mollie)
    assert "SETTLED" == (await refund_of(stage, refund_id))["state"]
    assert ("49.90", "RETURNED") != left(await shown(stage, payment_id))
    assert 1 == simulator.effects()["refund"][refund_id]


async def test_one_cancellation_at_a_time(mollie: tuple[Stage, Life, MollieSimulator]) -> None:
    """While one is open."""
    stage, _, _ = mollie
    _, refund_id = await promised(mollie)
    first = await cancel(stage, refund_id)
    again = await cancel(stage, refund_id)
    second = await cancel(stage, refund_id, key="y", status=409)

    assert first == again
    assert "wrong_state" == second["code"]


async def test_other_providers_do_not_let_go(stage: Stage, life: Life) -> None:
    """Nor does anybody of what is not known, or has gone."""
    payment_id = await take(stage, wanted())
    await settle(stage, life)
    new = {"payment_id": payment_id, "amount": {"amount": "5.00", "currency": "EUR"}}
    refund = await post(stage, "/v1/refunds", new, key="r")
    early = await cancel(stage, refund["refund_id"], key="early", status=409)
    await settle(stage, life)
    gone = await cancel(stage, refund["refund_id"], key="gone", status=409)
    nobody = await cancel(stage, f"{payment_id}-refund-9", key="n", status=404)

    assert ["wrong_state", "wrong_state", "not_found"] == [
        one["code"] for one in (early, gone, nobody)
    ]
    assert "SETTLED" == (await refund_of(stage, refund["refund_id"]))["state"]


# Banks are told in files.


@pytest.fixture
async def desk(tmp_path: Path, url: str) -> AsyncIterator[Desk]:
    """A tenant with a bank, its facade and one worker."""
    stage = with_bank(tmp_path, Stage(tmp_path, url))
    async with stage.facade(), stage.life() as life:
        yield Desk(stage, life, tmp_path)


async def owed(desk: Desk) -> tuple[str, str]:
    """Ids of a payment that a bank has collected, and of a refund that waits for a file."""
    payment_id = await desk.pay(await desk.sign())
    await desk.export()
    ref = (await desk.payment(payment_id)).provider_ref
    await desk.read(notice(entry(ref, "19.90")))
    part = {"payment_id": payment_id, "amount": {"amount": "5.00", "currency": "EUR"}}
    refund_id = (await desk.post("/v1/refunds", part)).json()["refund_id"]
    await desk.work()
    return payment_id, refund_id


async def test_refund_that_no_file_has_is_kept_at_once(desk: Desk) -> None:
    """And no file ever has it."""
    payment_id, refund_id = await owed(desk)
    answer = await desk.post(f"/v1/refunds/{refund_id}/cancel")
    made = await desk.export("transfers")

    assert (202, "CANCELLED") == (answer.status_code, answer.json()["state"])
    assert (None, 0) == (made.manifest, made.refused)
    payment = await desk.payment(payment_id)
    assert (RefundState.CANCELLED, 0) == (payment.refunds[0].state, payment.refunded.minor)


async def test_refund_in_a_file_is_not_kept(desk: Desk) -> None:
    """No bank gives a file back."""
    payment_id, refund_id = await owed(desk)
    made = await desk.export("transfers")
    answer = await desk.post(f"/v1/refunds/{refund_id}/cancel")

    assert made.manifest is not None
    assert (409, "wrong_state") == (answer.status_code, answer.json()["code"])
    payment = await desk.payment(payment_id)
    assert (RefundState.PENDING, ()) == (payment.refunds[0].state, payment.refunds[0].cancellations)
