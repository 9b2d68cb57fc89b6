"""Payment methods at the facade: kept by a token, paid with by an id."""

from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest

from tests.api.front import Front, new_order, pointers, problem_of
from tests.flows.stage import Life

NEW: Final = {
    "provider": "stripe_fr",
    "method_code": "card",
    "token": "pm_card_visa",
    "customer_id": "C-1",
    "display_hint": "Visa 4242",
    "expires": "2031-05-31",
}
PATH: Final = "/v1/payment-methods"


@pytest.fixture
async def life(front: Front) -> AsyncIterator[Life]:
    """One worker."""
    async with front.stage.life() as life:
        yield life


async def post(front: Front, path: str, body: Any, *, key: str = "k") -> httpx.Response:
    return await front.api.post(path, json=body, headers={"Idempotency-Key": key})


async def kept(front: Front, key: str = "add", **changes: Any) -> str:
    """Id of a method that is kept."""
    answer = await post(front, PATH, NEW | changes, key=key)
    assert 201 == answer.status_code, answer.text
    return str(answer.json()["payment_method_id"])


def paying(method_id: str, **changes: Any) -> dict[str, Any]:
    payment = {"method_code": "card", "payment_method_id": method_id}
    return {"amount": {"amount": "20.00", "currency": "EUR"}, "payment": payment | changes}


async def test_method_is_kept_shown_and_revoked(front: Front) -> None:
    """As it was sent; revoking twice is revoking once."""
    answer = await post(front, PATH, NEW)
    again = await post(front, PATH, NEW)
    location = answer.headers["location"]
    shown = await front.api.get(location)

    gone = [await front.api.delete(location) for _ in range(2)]

    assert NEW == {name: shown.json()[name] for name in NEW}
    assert answer.content == again.content
    assert ["ACTIVE", "REVOKED", "REVOKED"] == [one.json()["state"] for one in (shown, *gone)]
    events = await front.stage.rows("select type from headrace.outbox order by seq")
    assert [
        ("headrace.payment_method.added.v1",),
        ("headrace.payment_method.revoked.v1",),
    ] == events


async def test_methods_of_a_customer_are_listed(front: Front) -> None:
    """The newest first, also those that have ended; nobody else's."""
    first, second = [await kept(front, key) for key in ("1", "2")]
    await kept(front, "3", customer_id="C-2")
    await front.api.delete(f"{PATH}/{first}")

    found = (await front.api.get(PATH, params={"customer_id": "C-1"})).json()
    nobody = await front.api.get(PATH, params={"customer_id": "C-3"})
    unnamed = await front.api.get(PATH)

    assert [(second, "ACTIVE"), (first, "REVOKED")] == [
        (one["payment_method_id"], one["state"]) for one in found
    ]
    assert [] == nobody.json()
    assert [("", "query_missing")] == pointers(problem_of(unnamed))


async def test_what_is_not_there_is_not_found(front: Front) -> None:
    """Neither shown nor revoked."""
    for answer in (await front.api.get(f"{PATH}/x"), await front.api.delete(f"{PATH}/x")):
        assert "not_found" == problem_of(answer).code


async def test_payment_goes_to_the_provider_of_its_method(front: Front, life: Life) -> None:
    """Which is another one than routing would have chosen; a repetition is answered as before."""
    method_id = await kept(front)

    answer = await post(front, "/v1/payments", paying(method_id))
    while await life.work():
        pass
    await front.api.delete(f"{PATH}/{method_id}")
    again = await post(front, "/v1/payments", paying(method_id))

    payment = (await front.api.get(answer.headers["location"])).json()
    assert ("stripe_fr", "pm_card_visa") == (payment["provider"], payment["token"])
    assert "CAPTURED" == payment["state"]
    assert [(201, answer.content)] * 2 == [
        (one.status_code, one.content) for one in (answer, again)
    ]


async def test_order_is_paid_with_a_method(front: Front, life: Life) -> None:
    """The order keeps what it was resolved to."""
    method_id = await kept(front)
    order = new_order("stored", token="")
    order["payment"]["payment_method_id"] = method_id
    foreign = await front.post(order, key="foreign")
    order["party"]["party_id"] = "C-1"

    answer = await front.post(order)
    assert [("/payment/payment_method_id", "payment_method_differs")] == pointers(
        problem_of(foreign)
    )
    assert 202 == answer.status_code, answer.text
    stored = await front.stage.order(answer.json()["order_id"])
    await front.stage.finish(life, stored)

    assert ("stripe_fr", "pm_card_visa") == (stored.payment.provider, stored.payment.token)
    payment = await front.stage.payment(stored)
    assert ("stripe_fr", "CAPTURED") == (payment.provider, payment.state.value)


@pytest.mark.parametrize("ended", ["unknown", "revoked", "expired"])
async def test_nothing_is_stored_that_cannot_be_paid(front: Front, ended: str) -> None:
    """Neither payment nor order nor key; the pointer names the method."""
    method_id = "unknown" if ended == "unknown" else await kept(front)
    if ended == "revoked":
        await front.api.delete(f"{PATH}/{method_id}")
    if ended == "expired":
        await front.stage.rows(
            "update headrace.document set body = jsonb_set(body, '{expires}', '\"2020-01-01\"')"
        )
    before = await front.stored()
    order = new_order("none", token="")
    order["payment"]["payment_method_id"] = method_id

    answers = [await post(front, "/v1/payments", paying(method_id)), await front.post(order)]

    wrong = [("/payment/payment_method_id", f"payment_method_{ended}")]
    assert [wrong, wrong] == [pointers(problem_of(one)) for one in answers]
    assert before == await front.stored()


async def test_what_its_provider_cannot_do_is_refused(front: Front) -> None:
    """As if the front-end had named the provider itself."""
    method_id = await kept(front, method_code="sepa_debit", token="pm_success_de")
    paid = paying(method_id, method_code="sepa_debit", capture_method="manual")

    answer = await post(front, "/v1/payments", paid)

    assert [("/payment/capture_method", "capture_unsupported")] == pointers(problem_of(answer))


async def test_payment_is_explained_with_its_method(front: Front) -> None:
    """Where it would go, or that nothing can be paid with it."""
    known = await post(front, "/v1/payments/explain", paying(await kept(front)))
    unknown = await post(front, "/v1/payments/explain", paying("unknown"))

    assert "stripe_fr" == known.json()["route"]["system"]
    assert "pm_card_visa" not in known.text
    wrong = [("/payment/payment_method_id", "payment_method_unknown")]
    assert wrong == pointers(problem_of(unknown))


async def test_card_numbers_are_kept_nowhere(front: Front) -> None:
    """Whichever field they stand in."""
    for field in ("token", "display_hint", "customer_id"):
        answer = await post(front, PATH, NEW | {field: "4242424242424242"})
        assert (f"/{field}", "card_number") in pointers(problem_of(answer))
    assert 0 == (await front.stored())["document"]
