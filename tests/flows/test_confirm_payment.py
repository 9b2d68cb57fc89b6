"""Payments that begin later, and payments whose payer comes back: once, and nothing is kept."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.adyen.simulator import AdyenSimulator
from gateway.kit.simulator import FaultKind
from gateway.model.payment import PaymentState, WishState
from tests.adapters.adyen.conformance import SUBJECT as ADYEN
from tests.flows import further
from tests.flows.doom import Doom, Mortal
from tests.flows.stage import Life, Stage
from tests.flows.test_raise_amount import calm
from tests.flows.test_take_payment import post, settle, shown, take, wanted

_S = PaymentState
_W = WishState


async def confirm(
    stage: Stage, payment_id: str, body: Any, *, key: str = "c", status: int = 202
) -> Any:
    """The answer to a confirmation."""
    path = f"/v1/payments/{payment_id}/confirm"
    return await post(stage, path, body, key=key, status=status)


def later(**payment: Any) -> dict[str, Any]:
    """A payment that waits."""
    return wanted(**payment) | {"confirm": False}


def rules(problem: Any) -> list[tuple[str, str]]:
    return [(one["pointer"], one["code"]) for one in problem["errors"]]


async def test_payment_that_waits_is_begun_by_its_confirmation(stage: Stage, life: Life) -> None:
    """With the token that was missing; nothing was sent before, and it begins once."""
    payment_id = await take(stage, later(token=""))
    assert not await life.work()
    waiting = await shown(stage, payment_id)
    assert (True, _S.CREATED, ()) == (waiting.unconfirmed, waiting.state, waiting.attempts)

    body = {"token": "pm_card_visa"}
    first = await confirm(stage, payment_id, body)
    assert first == await confirm(stage, payment_id, body)
    again = await confirm(stage, payment_id, body, key="c-2", status=409)
    await settle(stage, life)

    payment = await shown(stage, payment_id)
    assert "wrong_state" == again["code"]
    assert (_S.CAPTURED, False) == (payment.state, payment.unconfirmed)
    assert payment.requested_at > waiting.requested_at
    assert 1 == stage.stripe.effects()["charge"][payment_id]


async def test_client_does_not_wait_for_what_waits_itself(stage: Stage) -> None:
    """Prefer: wait is answered at once."""
    headers = {"Idempotency-Key": "k", "Prefer": "wait=20"}
    answer = await stage.api.post("/v1/payments", json=later(), headers=headers, timeout=5)

    assert (201, True) == (answer.status_code, answer.json()["unconfirmed"])


async def test_payment_that_waits_is_given_up(stage: Stage, life: Life) -> None:
    """Nobody has to be asked; it is begun no more."""
    payment_id = await take(stage, later())
    await post(stage, f"/v1/payments/{payment_id}/cancel", {}, key="x", status=202)
    refused = await confirm(stage, payment_id, {}, status=409)

    assert not await life.work()
    assert "wrong_state" == refused["code"]
    assert _S.CANCELLED is (await shown(stage, payment_id)).state
    assert {} == dict(stage.stripe.effects()["charge"])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ("/token", "token_missing")),
        ({"token": "pm_1", "details": {"a": "b"}}, ("/details", "not_awaited")),
        ({"payment_method_id": "nobody"}, ("/payment_method_id", "payment_method_unknown")),
        ({"token": "4242424242424242"}, ("/token", "card_number")),
        ({"colour": "red"}, ("/colour", "unknown_field")),
    ],
)
async def test_confirmation_that_does_not_do_is_refused(
    stage: Stage, life: Life, body: Any, expected: tuple[str, str]
) -> None:
    """With the field and the rule; the payment waits on."""
    payment_id = await take(stage, later(token=""))
    refused = await confirm(stage, payment_id, body, status=422)

    assert [expected] == rules(refused)
    assert (await shown(stage, payment_id)).unconfirmed
    assert not await life.work()


async def test_what_cannot_be_taken_is_refused_before_it_waits(stage: Stage) -> None:
    """A method that nobody has, and a mandate, which has nothing to wait for."""
    odd = await post(stage, "/v1/payments", later(method_code="cowrie"), key="a", status=422)
    body = later(method_code="sepa_debit", mandate_id="M-1")
    mandate = await post(stage, "/v1/payments", body, key="b", status=422)

    assert [("/payment/method_code", "method_unsupported")] == rules(odd)
    assert [("/confirm", "confirm_needed")] == rules(mandate)


async def test_payer_of_a_provider_that_knows_by_itself(stage: Stage, life: Life) -> None:
    """Stripe is asked how the payment stands; no webhook has come."""
    body = wanted(token="pm_card_authenticationRequired", return_url="https://shop.example/back")
    payment_id = await take(stage, body)
    while await life.work():
        pass
    asked = await shown(stage, payment_id)
    assert _S.REQUIRES_ACTION is asked.state
    stage.stripe.authenticate(asked.provider_ref, succeeds=True, now=stage.now())

    await confirm(stage, payment_id, {"details": {"payment_intent": asked.provider_ref}})
    await settle(stage, life, webhooks=False)

    assert (_S.CAPTURED, ()) == (
        (await shown(stage, payment_id)).state,
        (await shown(stage, payment_id)).confirmations,
    )


# Adyen goes on only with what the payer brought back.


@pytest.fixture
async def adyen(tmp_path: Path, url: str) -> AsyncIterator[tuple[Stage, Life, AdyenSimulator]]:
    """A tenant whose Adyen lets the issuer ask."""
    stage = Stage(tmp_path, url, patience={"payment_confirmation_s": 86_400.0})
    simulator = further.connect(stage, ADYEN, interaction="Ecommerce")
    assert isinstance(simulator, AdyenSimulator)
    async with stage.facade(), stage.life() as life:
        yield stage, life, simulator


async def work(life: Life) -> None:
    while await life.work():
        pass


async def come_back(
    adyen: tuple[Stage, Life, AdyenSimulator], *, succeeds: bool = True, key: str = "k-1"
) -> tuple[str, dict[str, Any]]:
    """Id of a payment whose payer was on a page, and what was brought back."""
    stage, life, simulator = adyen
    body = wanted(
        token="shopper-1_CHALLENGED000001",
        provider="adyen",
        return_url="https://shop.example/back",
    )
    payment_id = await take(stage, body, key)
    await work(life)
    asked = await shown(stage, payment_id)
    assert (_S.REQUIRES_ACTION, "") == (asked.state, asked.provider_ref)
    result = simulator.come_back(payment_id, succeeds=succeeds, now=stage.now())
    return payment_id, {"details": {"redirectResult": result}}


async def everything(stage: Stage) -> str:
    """All that PostgreSQL holds, of every table."""
    tables = await stage.rows(
        "select table_schema, table_name from information_schema.tables"
        " where table_schema in ('headrace', 'absurd') and table_type = 'BASE TABLE'"
    )
    found = []
    for schema, table in tables:
        sql = f"select to_jsonb(t)::text from {schema}.{table} t"  # noqa: S608 - names of ours
        found += [row for (row,) in await stage.rows(sql)]
    return "\n".join(found)


async def test_card_is_charged_with_what_came_back(
    adyen: tuple[Stage, Life, AdyenSimulator],
) -> None:
    """And what came back stands nowhere afterwards, nor in the journal while it is under way."""
    stage, life, simulator = adyen
    payment_id, body = await come_back(adyen)
    secret = body["details"]["redirectResult"]
    assert {} == simulator.effects()["charge"]
    first = await confirm(stage, payment_id, body)
    assert first == await confirm(stage, payment_id, body)
    assert 1 == (await everything(stage)).count(secret)
    await work(life)
    await life.parts.journal._evidence._queue.join()

    payment = await shown(stage, payment_id)
    assert (_S.CAPTURED, [_W.DONE]) == (
        payment.state,
        [one.state for one in payment.confirmations],
    )
    assert 1 == simulator.effects()["charge"][payment_id]
    kept = await everything(stage)
    assert secret not in kept
    assert "payments/details" in kept


async def test_issuer_that_refuses_has_the_last_word(
    adyen: tuple[Stage, Life, AdyenSimulator],
) -> None:
    """A result like any other decline."""
    stage, life, _ = adyen
    payment_id, body = await come_back(adyen, succeeds=False)
    await confirm(stage, payment_id, body)
    await work(life)

    payment = await shown(stage, payment_id)
    assert payment.failure is not None
    assert (_S.FAILED, "authentication_failed") == (payment.state, payment.failure.code)


@pytest.mark.parametrize(
    ("details", "code"),
    [({"redirectResult": "made-up"}, "refused"), ({"nonsense": "x"}, "details_unknown")],
)
async def test_details_that_the_provider_refuses_leave_the_payment(
    adyen: tuple[Stage, Life, AdyenSimulator], details: dict[str, str], code: str
) -> None:
    """The payer may come back again."""
    stage, life, simulator = adyen
    payment_id, body = await come_back(adyen)
    await confirm(stage, payment_id, {"details": details})
    await work(life)
    payment = await shown(stage, payment_id)
    (wish,) = payment.confirmations
    assert wish.failure is not None
    assert (_S.REQUIRES_ACTION, _W.FAILED, code) == (payment.state, wish.state, wish.failure.code)

    await confirm(stage, payment_id, body, key="again")
    await work(life)
    assert _S.CAPTURED is (await shown(stage, payment_id)).state
    assert 1 == simulator.effects()["charge"][payment_id]


async def test_details_of_another_payment_confirm_none(
    adyen: tuple[Stage, Life, AdyenSimulator],
) -> None:
    """Whoever mixes them up, or tries to, is told; this payment waits on."""
    stage, life, _ = adyen
    mine, _ = await come_back(adyen)
    _, theirs = await come_back(adyen, key="k-2")
    await confirm(stage, mine, theirs)
    await work(life)

    payment = await shown(stage, mine)
    assert payment.confirmations[0].failure is not None
    assert (_S.REQUIRES_ACTION, "details_foreign") == (
        payment.state,
        payment.confirmations[0].failure.code,
    )


@pytest.mark.parametrize("webhook_first", [True, False])
async def test_lost_answer_is_repeated_with_its_key(
    adyen: tuple[Stage, Life, AdyenSimulator], *, webhook_first: bool
) -> None:
    """Adyen answers from its store; the card is charged once."""
    stage, life, simulator = adyen
    payment_id, body = await come_back(adyen)
    fault = {"method": "POST", "path": "/payments/details"}
    stage.lay("checkout-test.adyen.com", FaultKind.LOST_ANSWER, **fault)
    await confirm(stage, payment_id, body)
    await life.work()
    if webhook_first:
        await further.deliver(stage, "adyen", simulator)
        await life.apply()
    await calm(stage, life, simulator)

    payment = await shown(stage, payment_id)
    assert (_S.CAPTURED, _W.DONE) == (payment.state, payment.confirmations[0].state)
    assert 1 == simulator.effects()["charge"][payment_id]
    assert body["details"]["redirectResult"] not in await everything(stage)


@pytest.mark.parametrize("step", range(1, 50, 7))
async def test_worker_that_dies_anywhere_confirms_once(
    adyen: tuple[Stage, Life, AdyenSimulator], step: int
) -> None:
    """Whoever goes on has what was brought back, until the provider has it."""
    stage, life, simulator = adyen
    payment_id, body = await come_back(adyen)
    await confirm(stage, payment_id, body)
    worker = Mortal(stage, Doom(step))
    await worker.begin()
    if not await worker.do(work):
        await stage.expire_leases()
    await calm(stage, life, simulator)

    payment = await shown(stage, payment_id)
    assert (_S.CAPTURED, _W.DONE) == (payment.state, payment.confirmations[0].state)
    assert 1 == simulator.effects()["charge"][payment_id]


async def test_one_answer_of_the_payer_at_a_time(
    adyen: tuple[Stage, Life, AdyenSimulator],
) -> None:
    """And none without details, with a card number, or for what has ended."""
    stage, life, _ = adyen
    payment_id, body = await come_back(adyen)
    empty = await confirm(stage, payment_id, {}, key="e", status=422)
    token = await confirm(stage, payment_id, body | {"token": "t"}, key="t", status=422)
    number = {"details": {"redirectResult": "4242 4242 4242 4242"}}
    card = await confirm(stage, payment_id, number, key="n", status=422)
    await confirm(stage, payment_id, body)
    second = await confirm(stage, payment_id, body, key="c-2", status=409)
    await work(life)
    late = await confirm(stage, payment_id, body, key="c-3", status=409)

    assert [("/details", "details_missing")] == rules(empty)
    assert [("/token", "not_awaited")] == rules(token)
    assert [("/details/redirectResult", "card_number")] == rules(card)
    assert ["wrong_state"] * 2 == [one["code"] for one in (second, late)]
