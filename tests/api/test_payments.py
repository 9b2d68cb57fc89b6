"""Payments over the facade: what is refused, with the field and the rule, and nothing sent."""

import json
from typing import Any

import pytest

from gateway.model import codec
from gateway.model.payment import Payment
from tests.api.front import Front, pointers, problem_of


def wanted(**changes: Any) -> dict[str, Any]:
    """A payment as a front-end asks for it."""
    return {
        "amount": {"amount": "49.90", "currency": "EUR"},
        "payment": {"method_code": "card", "token": "pm_card_visa"},
    } | changes


async def post(front: Front, path: str, body: Any, *, key: str = "k-1") -> Any:
    """The answer of the facade."""
    return await front.api.post(
        path,
        content=body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers={"Idempotency-Key": key, "Content-Type": "application/json"},
    )


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"amount": money("0.00")}, [("/amount/amount", "not_positive")]),
        ({"amount": money("-1.00")}, [("/amount/amount", "not_positive")]),
        ({"amount": money("1.005")}, [("/amount/amount", "wrong_amount")]),
        ({"amount": money("500.5", "JPY")}, [("/amount/amount", "wrong_amount")]),
        ({"amount": money("5.1234", "KWD")}, [("/amount/amount", "wrong_amount")]),
        ({"amount": money("5.00", "XXX")}, [("/amount/currency", "unknown_currency")]),
        ({"amount": money("5.00", "USD")}, [("/amount/currency", "currency_not_sold")]),
        ({"reference": "x" * 36}, [("/reference", "too_long")]),
        ({"reference": "Ünnützes"}, [("/reference", "wrong_format")]),
        (
            {"payment": {"method_code": "card", "token": "4242424242424242"}},
            [("/payment/token", "card_number")],
        ),
        ({"payment": {"method_code": "card"}}, [("/payment/token", "token_missing")]),
        (
            {"payment": {"method_code": "telepathy", "token": "t"}},
            [("/payment/method_code", "method_unsupported")],
        ),
        (
            {"payment": {"method_code": "card", "token": "t", "provider": "nobody"}},
            [("/payment/provider", "provider_unknown")],
        ),
        (
            {"payment": {"method_code": "sepa_debit", "token": "t", "capture_method": "manual"}},
            [("/payment/capture_method", "capture_unsupported")],
        ),
        (
            {"splits": [{"party": "platform", "amount": money("1.00")}]},
            [("/splits", "split_sum")],
        ),
        (
            {"splits": [{"party": "platform", "kind": "REMAINDER", "amount": money("49.90")}]},
            [("/splits", "split_sum"), ("/splits/0/amount", "split_amount")],
        ),
        (
            {"splits": [{"party": "m", "kind": "REMAINDER"}] * 2},
            [("/splits", "split_remainders")],
        ),
        (
            {"items": [{"product_id": "A", "quantity": 1, "unit_price": money("1.00")}]},
            [("/amount/amount", "total_differs")],
        ),
        ({"colour": "red"}, [("/colour", "unknown_field")]),
    ],
)
async def test_mistake_is_named_and_nothing_is_stored(
    shared: Front, changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """Each with its pointer and its rule."""
    answer = await post(shared, "/v1/payments", wanted(**changes))

    found = pointers(problem_of(answer))
    assert 422 == answer.status_code
    assert set(expected) <= set(found)
    assert not (await shared.stored())["document"]


async def test_currency_that_a_method_cannot_do_is_named(shared: Front) -> None:
    """With those that it can."""
    answer = await post(
        shared,
        "/v1/payments",
        wanted(payment={"method_code": "sepa_debit", "token": "t"}, amount=money("5.00", "USD")),
    )

    told = {one.code: one for one in problem_of(answer).errors}
    assert "This method is taken in EUR." == told["currency_unsupported"].detail


async def test_payment_is_shown_at_once(front: Front) -> None:
    """Before anybody was asked: its place, and that it is new."""
    answer = await post(front, "/v1/payments", wanted())

    payment = codec.decode(answer.content, Payment)
    assert (201, f"/v1/payments/{payment.payment_id}") == (
        answer.status_code,
        answer.headers["location"],
    )
    assert ("CREATED", ()) == (payment.state.value, payment.attempts)
    found = await front.api.get(answer.headers["location"])
    assert answer.content == found.content


async def test_client_that_waits_is_answered_when_it_has_waited_enough(front: Front) -> None:
    """No worker runs, so nobody was asked yet; the same answer comes again with the same key."""
    headers = {"Idempotency-Key": "w", "Prefer": "wait=1"}
    answer = await front.api.post("/v1/payments", json=wanted(), headers=headers)
    again = await front.api.post("/v1/payments", json=wanted(), headers=headers)

    assert (201, "wait=1") == (answer.status_code, answer.headers["preference-applied"])
    assert (answer.content, "true") == (again.content, again.headers["idempotency-replayed"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/payments/nobody/capture", {}),
        ("/v1/payments/nobody/cancel", {}),
        ("/v1/refunds", {"payment_id": "nobody"}),
    ],
)
async def test_payment_that_is_not_there(shared: Front, path: str, body: Any) -> None:
    """404, and the key stays free for the right request."""
    answer = await post(shared, path, body)

    assert "not_found" == problem_of(answer).code
    assert not (await shared.stored())["idempotency"]


async def test_payment_in_another_state_is_left_alone(front: Front) -> None:
    """Nothing is authorised yet, so nothing can be collected, given up or given back."""
    taken = (await post(front, "/v1/payments", wanted())).json()["payment_id"]

    for verb in ("capture", "cancel"):
        answer = await post(front, f"/v1/payments/{taken}/{verb}", {}, key=verb)
        assert (409, "wrong_state") == (answer.status_code, problem_of(answer).code)
    refund = await post(front, "/v1/refunds", {"payment_id": taken}, key="refund")
    assert [("/amount/amount", "above_captured")] == pointers(problem_of(refund))
    assert 1 == (await front.stored())["flow"]


async def test_refund_that_is_not_there(shared: Front) -> None:
    """Neither of a payment that is unknown, nor of one that has no refunds."""
    for refund_id in ("nobody", "nobody-refund-2"):
        answer = await shared.api.get(f"/v1/refunds/{refund_id}")
        assert "not_found" == problem_of(answer).code


async def test_body_where_none_is_needed_is_refused(front: Front) -> None:
    """A client that sends an amount with a cancellation means something that it does not do."""
    taken = (await post(front, "/v1/payments", wanted())).json()["payment_id"]
    answer = await post(front, f"/v1/payments/{taken}/cancel", {"amount": money("1.00")}, key="c")

    assert [("/amount", "unknown_field")] == pointers(problem_of(answer))


async def test_explanation_says_who_and_what_and_sends_nothing(shared: Front) -> None:
    """The route with its reasons and the redacted request; no connection, no row, no evidence."""
    before = list(shared.stage.wire.requests)
    answer = await post(shared, "/v1/payments/explain", wanted())

    told = answer.json()
    assert ("stripe", 0) == (told["route"]["system"], told["sent"])
    assert [("stripe", "default"), ("stripe_fr", "other_rule")] == [
        (one["system"], one["code"]) for one in told["route"]["reasons"]
    ]
    (request,) = told["requests"]
    assert "/v1/payment_intents" in request["request"]
    assert "currency=" in request["request"]
    assert "sk_test_stage" not in answer.text
    assert before == list(shared.stage.wire.requests)
    assert {0} == set((await shared.stored()).values())


async def test_explanation_of_what_would_be_refused(shared: Front) -> None:
    """The same problem as the payment itself would get."""
    body = wanted(amount=money("0.00"))
    explained = await post(shared, "/v1/payments/explain", body)
    taken = await post(shared, "/v1/payments", body)

    assert pointers(problem_of(taken)) == pointers(problem_of(explained))


async def test_pages_hold_each_payment_once(front: Front) -> None:
    """The newest first; a payment that comes meanwhile moves no other from its page."""
    ids = [(await post(front, "/v1/payments", wanted(), key=f"l-{n}")).json() for n in range(5)]
    first = (await front.api.get("/v1/payments?limit=2")).json()
    await post(front, "/v1/payments", wanted(), key="meanwhile")
    second = (await front.api.get(first["links"]["next"])).json()
    third = (await front.api.get(second["links"]["next"])).json()

    shown = [one["payment_id"] for page in (first, second, third) for one in page["items"]]
    assert [one["payment_id"] for one in reversed(ids)] == shown
    assert ("", "/v1/payments?limit=2") == (third["links"]["next"], third["links"]["first"])


async def test_pages_are_filtered(front: Front) -> None:
    """By what the payment itself says; another tenant's are never among them."""
    kept = await post(front, "/v1/payments", wanted(reference="WEB-9"), key="a")
    await post(front, "/v1/payments", wanted(reference="WEB-8"), key="b")

    found = (await front.api.get("/v1/payments?reference=WEB-9&state=CREATED")).json()
    assert [kept.json()["payment_id"]] == [one["payment_id"] for one in found["items"]]
    assert [] == (await front.api.get("/v1/payments?state=CAPTURED")).json()["items"]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=ten", "colour=red"])
async def test_wrong_page_is_named(shared: Front, query: str) -> None:
    """With the parameter."""
    problem = problem_of(await shared.api.get(f"/v1/payments?{query}"))

    assert [f"?{query.partition('=')[0]}"] == [one.pointer for one in problem.errors]


async def test_payment_that_nobody_was_asked_for_has_no_state_elsewhere(front: Front) -> None:
    """Reading it back would ask nobody."""
    taken = (await post(front, "/v1/payments", wanted())).json()["payment_id"]
    answer = await post(front, f"/v1/payments/{taken}/sync", {}, key="s")

    assert "wrong_state" == problem_of(answer).code
