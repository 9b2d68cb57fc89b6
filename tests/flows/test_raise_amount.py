"""More is authorised than was asked for at first: once, whatever is lost, repeated or late."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.adyen.simulator import AdyenSimulator
from gateway.kit.simulator import FaultKind
from gateway.model.payment import Payment, PaymentState, WishState
from tests.adapters.adyen.conformance import SUBJECT as ADYEN
from tests.flows import further
from tests.flows.doom import Doom, Mortal
from tests.flows.stage import Life, Stage
from tests.flows.test_take_payment import post, settle, shown, take, wanted

_S = PaymentState
_W = WishState
_PATH = "/increment_authorization"


def money(amount: str, currency: str = "EUR") -> dict[str, Any]:
    return {"amount": {"amount": amount, "currency": currency}}


def held(**payment: Any) -> dict[str, Any]:
    """49.90 that are held, and may be raised."""
    return wanted(capture_method="manual", adjustable=True, **payment)


async def hold(stage: Stage, life: Life, **payment: Any) -> str:
    """Id of a payment that is held."""
    payment_id = await take(stage, held(**payment))
    await settle(stage, life)
    assert _S.AUTHORISED is (await shown(stage, payment_id)).state
    return payment_id


async def ask(
    stage: Stage, payment_id: str, amount: str = "69.90", *, key: str = "u", status: int = 202
) -> Any:
    """The answer to the wish to raise it."""
    path = f"/v1/payments/{payment_id}/amount"
    return await post(stage, path, money(amount), key=key, status=status)


async def told(stage: Stage, payment_id: str) -> list[str]:
    """Our events about the amount, in order."""
    sql = (
        "select type from headrace.outbox where aggregate_id = %s and type like '%%amount%%'"
        " order by sequence"
    )
    return [kind for (kind,) in await stage.rows(sql, payment_id)]


def states(payment: Payment) -> list[WishState]:
    return [one.state for one in payment.amount_updates]


async def test_more_is_authorised_and_collected(stage: Stage, life: Life) -> None:
    """All of it, by one capture; the front-end is told."""
    payment_id = await hold(stage, life)
    await ask(stage, payment_id)
    await ask(stage, payment_id)
    await settle(stage, life)
    payment = await shown(stage, payment_id)
    assert payment.authorised is not None
    assert ("49.90", "69.90", [_W.DONE]) == (
        payment.amount.amount,
        payment.authorised.amount,
        states(payment),
    )

    await post(stage, f"/v1/payments/{payment_id}/capture", {}, key="c", status=202)
    await settle(stage, life)

    assert "69.90" == (await shown(stage, payment_id)).captured.amount
    assert ["headrace.payment.amount_updated.v1"] == await told(stage, payment_id)
    assert [] == await stage.rows("select reason from headrace.inbox where state = 'PARKED'")


async def test_declined_raise_leaves_what_was_held(stage: Stage, life: Life) -> None:
    """The payment has not failed: what was held can be collected."""
    payment_id = await hold(stage, life, token="pm_card_incrementDeclined")
    await ask(stage, payment_id)
    await settle(stage, life)

    payment = await shown(stage, payment_id)
    (update,) = payment.amount_updates
    assert update.failure is not None
    assert (_S.AUTHORISED, None, _W.FAILED, "declined") == (
        payment.state,
        payment.authorised,
        update.state,
        update.failure.code,
    )
    assert ["headrace.payment.amount_update_failed.v1"] == await told(stage, payment_id)
    await post(stage, f"/v1/payments/{payment_id}/capture", {}, key="c", status=202)
    await settle(stage, life)
    assert "49.90" == (await shown(stage, payment_id)).captured.amount


@pytest.mark.parametrize("webhooks", [True, False])
@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.TIMEOUT_BEFORE])
async def test_lost_answer_is_looked_up(
    stage: Stage, life: Life, kind: FaultKind, *, webhooks: bool
) -> None:
    """By the amount that the provider has; the webhook may come first, or never."""
    payment_id = await hold(stage, life)
    stage.lay("stripe", kind, method="POST", path=_PATH)
    await ask(stage, payment_id)
    await settle(stage, life, webhooks=webhooks)

    payment = await shown(stage, payment_id)
    assert payment.authorised is not None
    assert ("69.90", [_W.DONE]) == (payment.authorised.amount, states(payment))
    assert ["headrace.payment.amount_updated.v1"] == await told(stage, payment_id)


async def test_flow_that_took_it_knows_of_the_raise(stage: Stage, life: Life) -> None:
    """Its webhook is lost and it looks by itself: another amount than at first is no mismatch."""
    payment_id = await take(stage, held())
    while await life.work():
        pass
    stage.lay("stripe", FaultKind.LOST_ANSWER, method="POST", path=_PATH)
    stage.lay("stripe", FaultKind.TIMEOUT_BEFORE, method="GET", path="/v1/payment_intents", count=4)
    await ask(stage, payment_id)
    await settle(stage, life, webhooks=False)

    assert [_W.DONE] == states(await shown(stage, payment_id))


async def test_reading_that_waits_knows_of_the_raise(stage: Stage, life: Life) -> None:
    """It was begun before the raise, while the provider was away."""
    payment_id = await hold(stage, life)
    stage.lay("stripe", FaultKind.TIMEOUT_BEFORE, method="GET", path="/v1/payment_intents", count=9)
    await post(stage, f"/v1/payments/{payment_id}/sync", {}, key="s", status=202)
    while await life.work():
        pass
    await ask(stage, payment_id)
    while await life.work():
        pass
    await stage.sql.execute("update absurd.r_webhook set available_at = now()")
    stage.wire.faults["stripe"].clear()
    await settle(stage, life, webhooks=False)

    assert [_W.DONE] == states(await shown(stage, payment_id))


@pytest.mark.parametrize("step", range(1, 60, 6))
async def test_worker_that_dies_anywhere_raises_once(stage: Stage, life: Life, step: int) -> None:
    """Whoever goes on does not raise it again, nor to anything else."""
    payment_id = await hold(stage, life)
    await ask(stage, payment_id)
    worker = Mortal(stage, Doom(step))
    await worker.begin()

    async def turn(alive: Life) -> None:
        while await alive.work() + await stage.deliver() + await alive.apply():
            pass

    if not await worker.do(turn):
        await stage.expire_leases()
    await settle(stage, life)

    payment = await shown(stage, payment_id)
    assert payment.authorised is not None
    assert ("69.90", [_W.DONE]) == (payment.authorised.amount, states(payment))


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("49.90", "EUR", ("/amount/amount", "not_above_authorised")),
        ("0.00", "EUR", ("/amount/amount", "not_above_authorised")),
        ("60.00", "CHF", ("/amount/currency", "mixed_currency")),
        ("60.005", "EUR", ("/amount/amount", "wrong_amount")),
    ],
)
async def test_amount_that_is_no_raise_is_refused(
    stage: Stage, life: Life, amount: str, currency: str, expected: tuple[str, str]
) -> None:
    """With the field and the rule; nothing is sent."""
    payment_id = await hold(stage, life)
    path = f"/v1/payments/{payment_id}/amount"
    found = await post(stage, path, money(amount, currency), key="u", status=422)

    assert [expected] == [(one["pointer"], one["code"]) for one in found["errors"]]
    assert () == (await shown(stage, payment_id)).amount_updates


async def test_only_what_was_taken_so_is_raised(stage: Stage, life: Life) -> None:
    """The provider had to know from the beginning; and a collected payment is not raised."""
    fixed = await take(stage, wanted(capture_method="manual"), key="fixed")
    collected = await take(stage, held() | {"reference": "C"}, key="collected")
    await settle(stage, life)
    await post(stage, f"/v1/payments/{collected}/capture", {}, key="c", status=202)
    refused = await ask(stage, fixed, status=422)
    busy = await ask(stage, collected, key="u-1", status=409)
    await settle(stage, life)
    late = await ask(stage, collected, key="u-2", status=409)

    assert ["not_adjustable"] == [one["code"] for one in refused["errors"]]
    assert ["wrong_state"] * 2 == [one["code"] for one in (busy, late)]


@pytest.mark.parametrize(
    "payment",
    [
        {"capture_method": "automatic"},
        {"method_code": "link", "token": "pm_link"},
    ],
)
async def test_method_that_cannot_be_raised_is_refused(
    stage: Stage, payment: dict[str, Any]
) -> None:
    """Before anything is taken."""
    body = held()
    body["payment"] |= payment
    found = await post(stage, "/v1/payments", body, key="k", status=422)

    assert [("/payment/adjustable", "adjustment_unsupported")] == [
        (one["pointer"], one["code"]) for one in found["errors"]
    ]


async def test_one_change_at_a_time(stage: Stage, life: Life) -> None:
    """While a raise is open neither a capture nor a second raise is begun."""
    payment_id = await hold(stage, life)
    await ask(stage, payment_id)

    capture = await post(stage, f"/v1/payments/{payment_id}/capture", {}, key="c", status=409)
    again = await ask(stage, payment_id, "89.90", key="u-2", status=409)

    assert ["wrong_state"] * 2 == [one["code"] for one in (capture, again)]


# Adyen decides later, and cannot be asked.


@pytest.fixture
async def adyen(tmp_path: Path, url: str) -> AsyncIterator[tuple[Stage, Life, AdyenSimulator]]:
    """A tenant that has an Adyen too."""
    stage = Stage(tmp_path, url)
    simulator = further.connect(stage, ADYEN)
    assert isinstance(simulator, AdyenSimulator)
    async with stage.facade(), stage.life() as life:
        yield stage, life, simulator


async def calm(stage: Stage, life: Life, simulator: AdyenSimulator) -> None:
    """Work and deliver until nothing moves, also after the pauses of doubt."""
    still = 0
    while still < 3:
        moved = await life.work() + await further.deliver(stage, "adyen", simulator)
        moved += await life.apply()
        still = 0 if moved else still + 1
        await stage.pass_time()


def at_adyen(card: str = "M5N7TQ4TG5PFWR50") -> dict[str, Any]:
    """A payment that Adyen holds."""
    return held(token=f"shopper-1_{card}", provider="adyen", return_url="https://shop.example/back")


async def test_webhook_says_what_came_of_it(adyen: tuple[Stage, Life, AdyenSimulator]) -> None:
    """Until then it is pending, and only what was held before can be collected."""
    stage, life, _ = adyen
    payment_id = await take(stage, at_adyen())
    await calm(*adyen)
    await ask(stage, payment_id)
    await life.work()
    pending = await shown(stage, payment_id)
    second = await ask(stage, payment_id, "89.90", key="u-2", status=409)
    await calm(*adyen)

    payment = await shown(stage, payment_id)
    assert ([_W.PENDING], "49.90") == (states(pending), pending.ceiling.amount)
    assert "wrong_state" == second["code"]
    assert ([_W.DONE], "69.90") == (states(payment), payment.ceiling.amount)
    assert ["headrace.payment.amount_updated.v1"] == await told(stage, payment_id)


async def test_refusal_comes_by_webhook(adyen: tuple[Stage, Life, AdyenSimulator]) -> None:
    """What was held before is held still."""
    stage, life, _ = adyen
    payment_id = await take(stage, at_adyen("LIMITED000005000"))
    await calm(*adyen)
    await ask(stage, payment_id)
    await calm(*adyen)

    payment = await shown(stage, payment_id)
    assert (_S.AUTHORISED, [_W.FAILED], None) == (
        payment.state,
        states(payment),
        payment.authorised,
    )
    assert ["headrace.payment.amount_update_failed.v1"] == await told(stage, payment_id)
    assert not await life.work()


@pytest.mark.parametrize("first", ["webhook", "flow"])
async def test_lost_answer_is_repeated_with_its_key(
    adyen: tuple[Stage, Life, AdyenSimulator], first: str
) -> None:
    """Adyen answers from its store; the webhook may come before."""
    stage, life, simulator = adyen
    payment_id = await take(stage, at_adyen())
    await calm(*adyen)
    stage.lay("checkout-test.adyen.com", FaultKind.LOST_ANSWER, method="POST", path="amountUpdates")
    await ask(stage, payment_id)
    if first == "webhook":
        await life.work()
        await further.deliver(stage, "adyen", simulator)
        await life.apply()
    await calm(*adyen)

    payment = await shown(stage, payment_id)
    assert ([_W.DONE], "69.90") == (states(payment), payment.ceiling.amount)
    assert 1 == sum(one["eventCode"] == "AUTHORISATION_ADJUSTMENT" for one in simulator.notified())
