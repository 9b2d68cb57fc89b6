"""Payouts from the request to the money: held, agreed to, sent once, read back."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.kit.simulator import FaultKind
from gateway.model import codec
from gateway.model.identifiers import new_id
from gateway.model.payout import Payout, PayoutState
from tests.flows.paying import Till

_S = PayoutState


@pytest.fixture
async def till(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Till]:
    """Two clients, Stripe and PayPal, and a limit of 100 euros."""
    async with Till.opened(tmp_path, url, monkeypatch) as till:
        yield till


async def test_small_payout_is_sent_and_arrives(till: Till) -> None:
    """Without anybody's approval; the webhook is a reason to look."""
    payout = await till.submit(amount="99.99")
    assert _S.PENDING is payout.state
    await till.work()

    assert _S.SENT is (await till.payout(payout)).state
    await till.finish(payout)

    found = await till.payout(payout)
    assert (_S.PAID, 1) == (found.state, till.left(payout))
    assert [
        "headrace.payout.created.v1",
        "headrace.payout.submitted.v1",
        "headrace.payout.paid.v1",
    ] == await till.told(payout)


async def test_webhook_is_read_back(till: Till) -> None:
    """The provider's account that failed days later; what the webhook says itself is not used."""
    payout = await till.submit(amount="50.00")
    await till.finish(payout)
    paid = await till.payout(payout)
    till.stripe.connect.fail_payout(paid.provider_ref, "account_closed", now=till.now())

    await till.finish(payout, state=_S.FAILED)

    found = await till.payout(payout)
    assert found.failure is not None
    assert ("payout_failed", "account_closed") == (
        found.failure.code,
        found.failure.provider_code,
    )
    verdicts = await till.rows("select distinct state, reason, business_id from headrace.inbox")
    assert {("APPLIED", "read_back", payout.payout_id)} == set(verdicts)


async def test_no_webhook_and_it_is_looked_up(till: Till) -> None:
    """Webhooks may be lost; time is not."""
    payout = await till.submit(amount="50.00")

    await till.finish(payout, webhooks=False)

    assert (_S.PAID, 1) == ((await till.payout(payout)).state, till.left(payout))


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
@pytest.mark.parametrize(
    "kind", [FaultKind.LOST_ANSWER, FaultKind.TIMEOUT_AFTER, FaultKind.RUBBISH]
)
async def test_lost_answer_sends_nothing_twice(till: Till, provider: str, kind: FaultKind) -> None:
    """It is found by our id, or by asking for the same again."""
    path = {"stripe": "/v1/payouts", "paypal": "/v1/payments/payouts"}[provider]
    till.stage.lay(provider, kind, method="POST", path=path)

    payout = await till.submit(amount="50.00", provider=provider)
    await till.finish(payout)

    assert (_S.PAID, 1) == ((await till.payout(payout)).state, till.left(payout))


async def test_forgotten_key_sends_nothing_twice(till: Till) -> None:
    """After two days in doubt Stripe would take the same key for a new payout: it is looked up."""
    till.stage.lay("stripe", FaultKind.LOST_ANSWER, method="POST", path="/v1/payouts")
    till.stage.lay("stripe", FaultKind.STATUS, method="GET", path="/v1/payouts", count=-1)
    payout = await till.submit(amount="50.00")
    await till.work()

    till.stage.wire.faults["stripe"].clear()
    till.stage.offset_s += 2 * 86_400
    await till.finish(payout)

    assert (_S.PAID, 1) == ((await till.payout(payout)).state, till.left(payout))


async def test_webhook_that_overtakes_the_answer_comes_again(till: Till) -> None:
    """What the provider made is not known here yet, so there is nothing to read back."""
    till.stage.lay("stripe", FaultKind.LOST_ANSWER, method="POST", path="/v1/payouts")
    till.stage.lay("stripe", FaultKind.STATUS, method="GET", path="/v1/payouts", count=-1)
    payout = await till.submit(amount="50.00")
    await till.work()
    await till.deliver()
    await till.life.apply()

    assert [("NEW", "unknown_object")] == await till.rows(
        "select state, reason from headrace.inbox"
    )
    till.stage.wire.faults["stripe"].clear()
    await till.finish(payout)
    assert 1 == till.left(payout)


async def test_operator_cancels_what_cannot_be_sent(till: Till) -> None:
    """The provider is away; nothing was sent, and nothing will be."""
    fault = {"method": "POST", "path": "/v1/payouts", "count": -1, "status": 429}
    till.stage.lay("stripe", FaultKind.STATUS, **fault)
    payout = await till.submit(amount="50.00")
    await till.work()
    ((flow_id,),) = await till.rows(
        "select flow_id from headrace.flow where business_id = %s", payout.payout_id
    )
    await till.stage.operator(till.life).cancel(flow_id, reason="too late")
    await till.settle()

    assert (_S.CANCELLED, 0) == ((await till.payout(payout)).state, till.left(payout))
    assert "headrace.payout.cancelled.v1" == (await till.told(payout))[-1]


async def test_webhook_of_another_account_is_for_a_person(till: Till) -> None:
    """It cannot know the payout."""
    payout = await till.submit(amount="50.00")
    await till.work()
    for request in till.stripe.due(now=till.now()):
        request.url = request.url.copy_with(path="/webhooks/acme/stripe_fr")
        await till.stage.deliver_one(request)
    await till.life.apply()

    assert [("PARKED", "integrity_mismatch", payout.payout_id)] == await till.rows(
        "select state, reason, business_id from headrace.inbox"
    )


async def test_provider_that_says_no_is_a_result(till: Till) -> None:
    """FAILED with a code; no money left."""
    payout = await till.submit(destination={"account": "acct_unknown"}, amount="50.00")
    await till.work()

    found = await till.payout(payout)
    assert (_S.FAILED, "account_unknown") == (found.state, found.failure and found.failure.code)
    assert 0 == till.left(payout)


async def test_another_client_has_to_approve(till: Till) -> None:
    """From the limit on; whoever asked may not, and nothing is sent before."""
    payout = await till.submit(amount="100.00")
    await till.work()
    assert (_S.AWAITING_APPROVAL, 0) == ((await till.payout(payout)).state, till.left(payout))

    same = await till.post(f"/v1/payouts/{payout.payout_id}/approve", None, client="shop")
    assert (403, "same_client") == (same.status_code, same.json()["code"])
    other = await till.post(f"/v1/payouts/{payout.payout_id}/approve", None, client="finance")
    assert (200, "PENDING", "finance") == (
        other.status_code,
        other.json()["state"],
        other.json()["approved_by"],
    )
    again = await till.post(f"/v1/payouts/{payout.payout_id}/approve", None, client="finance")
    assert 200 == again.status_code  # the same key: the same answer
    late = await till.post(
        f"/v1/payouts/{payout.payout_id}/approve", None, client="finance", key="other"
    )
    assert (409, "wrong_state") == (late.status_code, late.json()["code"])

    await till.finish(payout)
    assert (_S.PAID, 1) == ((await till.payout(payout)).state, till.left(payout))


async def test_held_payout_is_cancelled_at_once(till: Till) -> None:
    """Nothing is sent, now or later."""
    payout = await till.submit(amount="100.00")

    answer = await till.post(f"/v1/payouts/{payout.payout_id}/cancel", None)
    await till.work()

    assert (200, "CANCELLED") == (answer.status_code, answer.json()["state"])
    assert 0 == till.left(payout)
    late = await till.post(f"/v1/payouts/{payout.payout_id}/approve", None, client="finance")
    assert 409 == late.status_code


async def test_sent_payout_is_taken_back_by_its_provider(till: Till) -> None:
    """As long as nobody has it."""
    payout = await till.submit(amount="50.00")
    await till.work()

    answer = await till.post(f"/v1/payouts/{payout.payout_id}/cancel", None)
    await till.finish(payout, state=_S.CANCELLED)

    assert 202 == answer.status_code
    assert 0 == till.left(payout)


async def test_refused_cancellation_leaves_it_as_it_is(till: Till) -> None:
    """The money had arrived by then."""
    payout = await till.submit(amount="50.00")
    await till.work()
    till.stage.offset_s += 3_600

    await till.post(f"/v1/payouts/{payout.payout_id}/cancel", None)
    await till.finish(payout)

    assert (_S.PAID, 1) == ((await till.payout(payout)).state, till.left(payout))


async def test_unclaimed_money_comes_back(till: Till) -> None:
    """Asked for, at PayPal; it says returned."""
    payout = await till.submit(
        amount="50.00", provider="paypal", destination={"email": "unclaimed@example.com"}
    )
    await till.work()
    till.stage.offset_s += 3_600
    await till.post(f"/v1/payouts/{payout.payout_id}/cancel", None)

    await till.finish(payout, state=_S.RETURNED)


async def test_batch_shows_what_became_of_its_payouts(till: Till) -> None:
    """Counted and summed, of this tenant only."""
    one = await till.submit(amount="50.00", batch_id="B-1")
    await till.submit(amount="200.00", batch_id="B-1")
    await till.submit(amount="9.00", batch_id="B-2")
    await till.finish(one)

    answer = await till.get("/v1/payout-batches/B-1")

    found = answer.json()
    assert {"AWAITING_APPROVAL": 1, "PAID": 1} == found["counts"]
    assert [{"amount": "50.00", "currency": "EUR"}] == found["sums"]["PAID"]
    assert 404 == (await till.get("/v1/payout-batches/B-9")).status_code


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"provider": "sap"}, "/provider", "no_payouts"),
        ({"amount": "0"}, "/amount/amount", "not_positive"),
        ({"currency": "USD"}, "/amount/currency", "currency_not_sold"),
        ({"destination": {}}, "/destination", "one_destination"),
        (
            {"destination": {"account": "a", "email": "a@example.com"}},
            "/destination",
            "one_destination",
        ),
        ({"destination": {"email": "a@example.com"}}, "/destination", "destination_unsupported"),
        (
            {"destination": {"iban": "DE89370400440532013001", "name": "A"}},
            "/destination/iban",
            "iban_checksum",
        ),
        ({"destination": {"iban": "DE89370400440532013000"}}, "/destination/name", "required"),
        ({"destination": {"iban": "DE**3000", "name": "A"}}, "/destination/iban", "iban_structure"),
        ({"destination": {"email": "a***@a.com"}}, "/destination/email", "email_masked"),
    ],
)
async def test_wrong_request_is_told_and_nothing_is_sent(
    till: Till, changes: dict[str, Any], pointer: str, code: str
) -> None:
    """Each mistake with its pointer and its rule."""
    answer = await till.ask(**changes)

    assert 422 == answer.status_code, answer.text
    told = {(one["pointer"], one["code"]) for one in answer.json()["errors"]}
    assert (pointer, code) in told
    assert [] == await till.rows("select id from headrace.document")


async def test_payee_stands_in_no_log_event_or_evidence(till: Till) -> None:
    """Neither the address nor the name; what is shown is masked."""
    payout = await till.submit(
        amount="50.00", provider="paypal", destination={"email": "grace.hopper@example.com"}
    )
    await till.finish(payout)

    shown = await till.get(f"/v1/payouts/{payout.payout_id}")
    assert "g***@example.com" == shown.json()["destination"]["email"]
    for table in ("outbox", "evidence", "idempotency"):
        kept = await till.kept(table)
        assert kept, table
        assert "grace.hopper" not in kept, table


async def test_unknown_payout_is_not_there(till: Till) -> None:
    """For anybody, by any verb."""
    answers = (
        await till.get("/v1/payouts/nobody"),
        await till.post("/v1/payouts/nobody/approve", None),
        await till.post("/v1/payouts/nobody/cancel", None),
    )

    assert [404] * 3 == [one.status_code for one in answers]


async def to_bank(till: Till, name: str = "Ada Lovelace", amount: str = "50.00") -> Payout:
    """A payout to an IBAN, which is held until somebody has verified the name."""
    where = {"iban": "de89 3704 0044 0532 0130 00", "name": name}
    payout = await till.submit(amount=amount, provider="adyen_platform", destination=where)
    assert _S.AWAITING_VERIFICATION is payout.state
    return payout


async def verify(till: Till, payout: Payout, result: str, **fields: str) -> Payout:
    path = f"/v1/payouts/{payout.payout_id}/verification"
    answer = await till.post(path, {"result": result, **fields})
    assert answer.status_code == 200, answer.text
    return codec.decode(answer.content, Payout)


async def test_name_that_matches_lets_money_go(till: Till) -> None:
    """Nothing is sent before; the IBAN is shown by its end only."""
    payout = await to_bank(till)
    await till.work()
    assert ("DE**3000", 0) == (payout.destination.iban, till.left(payout))

    await verify(till, payout, "RCVC")
    await till.finish(payout)

    stored = await till.payout(payout)
    assert ("DE89370400440532013000", 1) == (stored.destination.iban, till.left(payout))
    again = await till.post(
        f"/v1/payouts/{payout.payout_id}/verification", {"result": "RVNM"}, key="again"
    )
    assert 409 == again.status_code


async def test_name_that_nearly_matches_is_for_a_person(till: Till) -> None:
    """With what the bank calls the holder; another client approves."""
    payout = await to_bank(till)
    early = await till.post(f"/v1/payouts/{payout.payout_id}/approve", None, client="finance")
    held = await verify(till, payout, "RVMC", name="Ada King")

    assert 409 == early.status_code
    assert _S.AWAITING_APPROVAL is held.state
    shown = await till.get(f"/v1/payouts/{payout.payout_id}")
    assert "Ada King" == shown.json()["verification"]["name"]
    assert "King" not in await till.kept("idempotency")
    late = await till.post(
        f"/v1/payouts/{payout.payout_id}/approve", None, client="finance", key="late"
    )
    assert 200 == late.status_code
    await till.finish(payout)
    assert 1 == till.left(payout)


async def test_name_that_does_not_match_ends_it(till: Till) -> None:
    """FAILED, told as such, and nothing is ever sent."""
    payout = await to_bank(till)
    await verify(till, payout, "RVNM")
    await till.work()

    found = await till.payout(payout)
    assert (_S.FAILED, "payee_mismatch", 0) == (
        found.state,
        found.failure and found.failure.code,
        till.left(payout),
    )
    assert [
        "headrace.payout.created.v1",
        "headrace.payout.verification_failed.v1",
        "headrace.payout.failed.v1",
    ] == await till.told(payout)


async def test_bank_that_sends_money_back_has_the_last_word(till: Till) -> None:
    """Paid first, returned days later."""
    payout = await to_bank(till, name="Returned Money")
    await verify(till, payout, "RCVC")
    await till.work()
    till.stage.offset_s += 6
    await till.settle()

    await till.finish(payout, state=_S.RETURNED)

    assert ["submitted", "paid", "returned"] == [
        kind.split(".")[2] for kind in (await till.told(payout))[1:]
    ]


async def test_bank_account_stands_in_no_log_event_or_evidence(till: Till) -> None:
    """Neither the number nor the holder, nor in what is kept of the webhooks that tell of it."""
    payout = await to_bank(till, name="Grace Hopper")
    await verify(till, payout, "RCVC")
    await till.finish(payout)

    for table in ("outbox", "evidence", "idempotency", "inbox"):
        kept = await till.kept(table)
        assert kept, table
        assert "37040044053201" not in kept, table
        assert table == "evidence" or "Hopper" not in kept, table


async def test_member_that_was_stopped_meanwhile_is_not_paid(till: Till) -> None:
    """The payout waited for its approval; the provider has stopped the member since."""
    told = {"system": "stripe", "account": "acct_1", "state": "VERIFIED"}
    await till.put("/v1/members/M-1", told, key=new_id())
    payout = await till.submit(amount="150.00", destination={"member_id": "M-1"})
    await till.put("/v1/members/M-1", told | {"state": "REJECTED"}, key=new_id())
    answer = await till.post(f"/v1/payouts/{payout.payout_id}/approve", None, client="finance")

    assert 422 == answer.status_code
    assert 0 == till.left(payout)
