"""Offline payments through the hub: a person says what became of the money."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from gateway import configuring
from gateway.model import codec
from gateway.model.payment import Payment
from tests.flows.stage import Life, Stage, new_order

_IBAN = "DE89370400440532013000"


@pytest.fixture
async def stage(tmp_path: Path, url: str) -> AsyncIterator[Stage]:
    """A tenant that also has a till."""
    stage = Stage(tmp_path, url)
    file = tmp_path / "tenants" / "acme.yaml"
    tenant = yaml.safe_load(file.read_text())
    settings = {"account_holder": "Acme GmbH", "iban": _IBAN}
    tenant["systems"].append({"name": "till", "adapter": "offline", "settings": settings})
    tenant["routing"]["payment_fallbacks"] = ["till"]
    file.write_text(yaml.safe_dump(tenant))
    stage.configuration = configuring.configure(tmp_path / "headrace.yaml")
    async with stage.facade() as stage:
        yield stage


async def post(stage: Stage, path: str, body: Any = None, *, key: str = "k") -> httpx.Response:
    return await stage.api.post(path, json=body, headers={"Idempotency-Key": key})


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


async def asked(stage: Stage, life: Life, method: str = "prepayment") -> Payment:
    """A payment that waits for its money."""
    new = {"amount": euros("20.00"), "payment": {"method_code": method}, "reference": "WEB-1"}
    answer = await post(stage, "/v1/payments", new, key="new")
    assert 201 == answer.status_code, answer.text
    await settled(life)
    return await shown(stage, answer.json()["payment_id"])


async def settled(life: Life) -> None:
    while await life.work():
        pass


async def shown(stage: Stage, payment_id: str) -> Payment:
    answer = await stage.api.get(f"/v1/payments/{payment_id}")
    return codec.decode(answer.content, Payment)


async def test_prepayment_is_received_in_parts(stage: Stage, life: Life) -> None:
    """The payer is told where to transfer to; the flow ends with the money; nothing was sent."""
    payment = await asked(stage, life)
    assert ("PENDING", "till") == (payment.state.value, payment.provider)
    assert payment.next_action is not None
    assert {"iban": _IBAN, "account_holder": "Acme GmbH", "reference": "WEB-1"} == (
        payment.next_action.details
    )
    path = f"/v1/payments/{payment.payment_id}/received"

    first = await post(stage, path, {"amount": euros("15.00"), "reference": "e1"}, key="1")
    same = await post(stage, path, {"amount": euros("15.00"), "reference": "e1"}, key="2")
    more = await post(stage, path, {"amount": euros("7.50"), "reference": "e2"}, key="3")
    await settled(life)

    assert [200, 200, 200] == [one.status_code for one in (first, same, more)]
    assert first.content == same.content
    paid = await shown(stage, payment.payment_id)
    assert ("CAPTURED", "22.50") == (paid.state.value, paid.captured.amount)
    assert paid.next_action is None
    flows = await stage.rows("select kind, state from headrace.flow")
    assert [("take_payment", "COMPLETED")] == flows
    assert [(0,)] == await stage.rows("select count(*) from headrace.evidence")


async def test_refund_of_cash_is_settled_by_a_person(stage: Stage, life: Life) -> None:
    """PENDING until then; afterwards as often as one likes."""
    payment = await asked(stage, life, "cash")
    received = f"/v1/payments/{payment.payment_id}/received"
    await post(stage, received, {"amount": euros("20.00"), "reference": "till-1"}, key="1")
    new = {"payment_id": payment.payment_id, "amount": euros("5.00")}
    refund_id = (await post(stage, "/v1/refunds", new, key="2")).json()["refund_id"]
    path = f"/v1/refunds/{refund_id}/settled"
    early = await post(stage, path, key="3")
    await settled(life)
    pending = (await stage.api.get(f"/v1/refunds/{refund_id}")).json()

    first, second = [await post(stage, path, key=key) for key in ("4", "5")]

    assert ("wrong_state", "PENDING") == (early.json()["code"], pending["state"])
    assert ("SETTLED", first.content) == (first.json()["state"], second.content)
    assert "5.00" == (await shown(stage, payment.payment_id)).refunded.amount


async def test_refund_of_cash_that_is_not_wanted_any_more(stage: Stage, life: Life) -> None:
    """The till keeps it; it can be settled no more, but given back anew."""
    payment = await asked(stage, life, "cash")
    received = f"/v1/payments/{payment.payment_id}/received"
    await post(stage, received, {"amount": euros("20.00"), "reference": "till-1"}, key="1")
    new = {"payment_id": payment.payment_id, "amount": euros("15.00")}
    refund_id = (await post(stage, "/v1/refunds", new, key="2")).json()["refund_id"]
    await settled(life)
    cancelled = await post(stage, f"/v1/refunds/{refund_id}/cancel", key="3")
    late = await post(stage, f"/v1/refunds/{refund_id}/settled", key="4")
    again = await post(stage, "/v1/refunds", new, key="5")

    assert ("CANCELLED", "wrong_state") == (cancelled.json()["state"], late.json()["code"])
    assert 201 == again.status_code
    assert "0.00" == (await shown(stage, payment.payment_id)).refunded.amount


async def test_order_on_open_invoice_goes_on_when_money_comes(stage: Stage, life: Life) -> None:
    """It waits for it as for any provider's word."""
    order = await stage.submit(new_order("bill", method_code="open_invoice", token=""))
    await stage.work_until(life, order, "WAITING")
    path = f"/v1/payments/{order.payment_id}/received"

    answer = await post(stage, path, {"amount": euros("20.00"), "reference": "e1"})
    await stage.finish(life, order)

    assert 200 == answer.status_code
    assert "COMPLETED" == (await stage.order(order.order_id)).state.value


async def test_only_what_people_know_is_told_by_people(stage: Stage, life: Life) -> None:
    """Stripe says itself what came; what does not exist has nothing; a typing error is refused."""
    order = await stage.submit(new_order("card"))
    await stage.finish(life, order)
    receipt = {"amount": euros("20.00"), "reference": "e1"}
    payment = await asked(stage, life)
    path = f"/v1/payments/{payment.payment_id}/received"

    theirs = await post(stage, f"/v1/payments/{order.payment_id}/received", receipt)
    nobody = await post(stage, "/v1/payments/nothing/received", receipt)
    refund = await post(stage, "/v1/refunds/nothing/settled")
    wrong = await post(stage, path, {"amount": euros("0.00"), "reference": ""})

    assert ["wrong_state", "not_found", "not_found", "invalid"] == [
        one.json()["code"] for one in (theirs, nobody, refund, wrong)
    ]
    assert 0 == (await shown(stage, payment.payment_id)).captured.minor


async def test_money_after_a_cancellation_is_recorded(stage: Stage, life: Life) -> None:
    """It came all the same, and can be given back."""
    payment = await asked(stage, life)
    await post(stage, f"/v1/payments/{payment.payment_id}/cancel", key="c")
    await settled(life)
    assert "CANCELLED" == (await shown(stage, payment.payment_id)).state.value
    path = f"/v1/payments/{payment.payment_id}/received"

    answer = await post(stage, path, {"amount": euros("20.00"), "reference": "late"}, key="l")

    assert ("CAPTURED", "20.00") == (
        answer.json()["state"],
        answer.json()["captured"]["amount"],
    )
