"""What debtors are told of collections: once, and again when the day moves; on PostgreSQL."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.kit.sepa import calendar
from gateway.model.bank import Deadline
from tests.flows.bank import ACCOUNT, IBAN, Desk, in_days, with_bank
from tests.flows.stage import Stage, new_order

DEADLINE = Deadline()


@asynccontextmanager
async def opened(folder: Path, url: str, notice: str) -> AsyncIterator[Desk]:
    """A tenant with a bank whose account treats near days so."""
    stage = with_bank(folder, Stage(folder, url), account=ACCOUNT | {"notice": notice})
    async with stage.facade(), stage.life() as life:
        yield Desk(stage, life, folder)


@pytest.fixture
async def moving(tmp_path: Path, url: str) -> AsyncIterator[Desk]:
    """Near days are moved."""
    async with opened(tmp_path, url, "move") as desk:
        yield desk


async def notices(desk: Desk) -> list[dict[str, Any]]:
    """What was to be told, oldest first."""
    found = await desk.stage.rows(
        "select data from headrace.outbox where type = 'headrace.mandate.notification_due.v1'"
        " order by seq"
    )
    return [data for (data,) in found]


async def test_told_when_it_is_taken(moving: Desk) -> None:
    """The moved day; it stands in the payment, binds the file, and is told once."""
    mandate_id = await moving.sign()
    payment_id = await moving.pay(mandate_id, due=in_days(3))
    payment = await moving.payment(payment_id)
    early = await moving.export()
    shown = (await moving.stage.api.get(f"/v1/payments/{payment_id}")).json()
    (told,) = await notices(moving)

    assert payment.debit_notice is not None
    due = dt.date.fromisoformat(payment.due)
    assert due >= dt.date.fromisoformat(in_days(14))
    assert calendar.is_open(due)
    assert (payment.due, mandate_id) == (told["due"], told["mandate_reference"])
    assert payment_id == told["payment_id"]
    assert shown["debit_notice"] == {
        "due": payment.due,
        "tell_by": (due - dt.timedelta(days=14)).isoformat(),
        "amount": {"amount": "19.90", "currency": "EUR"},
        "creditor_id": "DE98ZZZ09999999999",
        "mandate_reference": mandate_id,
    }
    assert early.manifest is None
    assert ["signed", "activated", "notification_due"] == await moving.events("mandate")


async def test_file_on_the_day_that_was_told_tells_nothing_new(moving: Desk) -> None:
    """A mandate with a notice of no day: the last file that reaches the day."""
    mandate_id = await moving.sign(notice_days=0)
    payment_id = await moving.pay(mandate_id)
    payment = await moving.payment(payment_id)
    last = calendar.add(dt.date.fromisoformat(payment.due), -DEADLINE.lead_days)
    made = await moving.export(day=last)

    assert made.manifest is not None
    assert [payment.due] == [one["due"] for one in await notices(moving)]
    assert payment.due.encode() in (moving.folder / made.manifest.file).read_bytes()


async def test_told_again_when_the_file_is_late(tmp_path: Path, url: str) -> None:
    """The day that was told is over when the file is made: two payments of a mandate, one each."""
    async with opened(tmp_path, url, "off") as desk:
        mandate_id = await desk.sign()
        payments = [await desk.pay(mandate_id) for _ in range(2)]
        # As if they had been taken a week ago.
        await desk.stage.rows(
            "update headrace.document set body = jsonb_set(body, '{debit_notice,due}', %s)"
            " where kind = 'payment' returning 1",
            f'"{in_days(-7)}"',
        )
        # And something else was collected later: nothing but the notices is new of the mandate.
        await desk.stage.rows(
            "update headrace.document set body = jsonb_set(body, '{last_used_at}', %s)"
            " where kind = 'mandate' returning 1",
            f'"{in_days(30)}"',
        )
        made = await desk.export()
        again = await desk.export()
        found = [await desk.payment(one) for one in payments]
        told = await notices(desk)

    assert made.manifest is not None
    assert not again.written
    (due,) = {one.debit_notice.due for one in found if one.debit_notice}
    assert due.encode() in (tmp_path / made.manifest.file).read_bytes()
    assert {(one, due) for one in payments} == {(one["payment_id"], one["due"]) for one in told[2:]}
    assert 4 == len(told)


async def test_near_day_is_refused(tmp_path: Path, url: str) -> None:
    """With field and rule, for payments and orders; a day that leaves the time is taken."""
    async with opened(tmp_path, url, "refuse") as desk:
        mandate_id = await desk.sign()
        near = await desk.ask(mandate_id, due=in_days(3))
        paid = {"method_code": "sepa_debit", "mandate_id": mandate_id, "due": in_days(3)}
        order = await desk.post("/v1/orders", new_order("near", payment=paid))
        far = await desk.ask(mandate_id, due=in_days(20))

    for answer in (near, order):
        assert [("/payment/due", "notice_short")] == [
            (one["pointer"], one["code"]) for one in answer.json()["errors"]
        ]
    assert 201 == far.status_code


async def test_order_by_a_mandate_tells_too(moving: Desk) -> None:
    """Its payment is taken by the order's own flow."""
    payment = {"method_code": "sepa_debit", "mandate_id": await moving.sign(), "provider": "bank"}
    order = await moving.stage.submit(new_order("1", payment=payment))
    await moving.stage.work_until(moving.life, order, "WAITING")

    (told,) = await notices(moving)
    assert order.payment_id == told["payment_id"]
    assert IBAN not in str(told)
