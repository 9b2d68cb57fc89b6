"""Orders that a bank's file collects: refused before it is written, and taken back afterwards."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.model.order import Order
from tests.flows.bank import Desk, with_bank
from tests.flows.stage import Stage, new_order
from tests.flows.test_bank import entry, notice, report


@pytest.fixture
async def desk(tmp_path: Path, url: str) -> AsyncIterator[Desk]:
    """A tenant with a bank, its facade and one worker."""
    stage = with_bank(tmp_path, Stage(tmp_path, url))
    async with stage.facade(), stage.life() as life:
        yield Desk(stage, life, tmp_path)


async def _order(desk: Desk, name: str, mandate_id: str) -> Order:
    """An order that waits for its collection."""
    paid = {"method_code": "sepa_debit", "mandate_id": mandate_id}
    order = await desk.stage.submit(new_order(name, payment=paid))
    await desk.stage.work_until(desk.life, order, "WAITING")
    return order


async def _stands(desk: Desk, order: Order) -> tuple[str, str, str]:
    """Order, flow and payment."""
    state, _ = await desk.stage.state(order)
    now = await desk.stage.order(order.order_id)
    return now.state.value, state, (await desk.payment(order.payment_id)).state.value


async def test_order_whose_collection_is_refused_ends_at_once(desk: Desk) -> None:
    """The mandate was for one; no time has to pass until the other order hears of it."""
    mandate_id = await desk.sign(is_single=True)
    orders = [await _order(desk, name, mandate_id) for name in ("first", "second")]

    await desk.export()
    await desk.work()

    assert [
        ("CANCELLED", "CANCELLED", "FAILED"),
        ("IN_FULFILMENT", "WAITING", "PENDING"),
    ] == sorted([await _stands(desk, one) for one in orders])


async def test_capture_taken_back_later_is_told_and_the_order_stays(desk: Desk) -> None:
    """It was delivered: nobody cancels it, and the event says that no money is left."""
    order = await _order(desk, "taken-back", await desk.sign())
    made = await desk.export()
    ref = (await desk.payment(order.payment_id)).provider_ref
    await desk.read(notice(entry(ref, order.total.amount)), "booked.xml")
    delivered = await _stands(desk, order)

    await desk.read(_refused(made, ref), "refused.xml")

    assert ("COMPLETED", "COMPLETED", "SETTLED") == delivered
    assert ("COMPLETED", "COMPLETED", "FAILED") == await _stands(desk, order)
    payment = await desk.payment(order.payment_id)
    assert payment.failure is not None
    assert ("capture_failed", "AC04", 0) == (
        payment.failure.code,
        payment.failure.provider_code,
        payment.captured.minor,
    )
    assert ["created", "settled", "failed"] == await desk.events("payment")


async def test_capture_taken_back_before_it_is_booked_ends_the_order(desk: Desk) -> None:
    """The same words in the other order: nothing was delivered."""
    order = await _order(desk, "refused-first", await desk.sign())
    made = await desk.export()
    ref = (await desk.payment(order.payment_id)).provider_ref

    await desk.read(_refused(made, ref), "refused.xml")
    await desk.read(notice(entry(ref, order.total.amount)), "booked.xml")

    assert ("CANCELLED", "CANCELLED", "FAILED") == await _stands(desk, order)


def _refused(made: Any, ref: str) -> bytes:
    told = (
        f"<TxInfAndSts><OrgnlEndToEndId>{ref}</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts>"
    )
    return report(made.manifest.message_id, payments=told)
