"""Mandates at providers, from the request to a payment: agreed to, taken back, read back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.kit.simulator import FaultKind
from gateway.model.mandate import MandateState
from gateway.model.payment import PaymentState
from tests.flows.holding import BACK, Desk

_S = MandateState


@pytest.fixture
async def desk(tmp_path: Path, url: str) -> AsyncIterator[Desk]:
    """GoCardless beside the usual systems."""
    async with Desk.opened(tmp_path, url) as desk:
        yield desk


async def test_payer_agrees_and_pays(desk: Desk) -> None:
    """From the API to the provider's page, its webhook, and a payment that is collected."""
    made = await desk.submit()
    assert made.next_action is not None
    assert (_S.PENDING, True) == (made.state, made.next_action.url.startswith("https://"))
    await desk.sign(made)
    found = await desk.mandate(made.mandate_id)
    assert (_S.ACTIVE, None) == (found.state, found.next_action)

    answer = await desk.pay(made.mandate_id, payer=None)
    assert 201 == answer.status_code, answer.text
    await desk.settle()

    payment = await desk.payment(answer.json()["payment_id"])
    assert ("gocardless", found.token) == (payment.provider, payment.token)
    assert payment.state in {PaymentState.CAPTURED, PaymentState.SETTLED}
    assert ["created", "activated"] == await desk.told(made.mandate_id)


async def test_client_that_waits_is_told_the_page(desk: Desk) -> None:
    """201 with next_action; without Prefer it is PENDING and the page is shown later."""
    asking = asyncio.create_task(desk.ask(prefer="wait=10"))
    while not asking.done():
        await desk.life.work()
        await asyncio.sleep(0.01)

    answer = asking.result()

    assert (201, "wait=10") == (answer.status_code, answer.headers["preference-applied"])
    assert "REDIRECT" == answer.json()["next_action"]["kind"]
    shown = await desk.stage.api.get(answer.headers["location"])
    assert answer.json() == shown.json()


@pytest.mark.parametrize("path", ["/billing_requests", "/billing_request_flows"])
@pytest.mark.parametrize(
    "kind", [FaultKind.LOST_ANSWER, FaultKind.TIMEOUT_AFTER, FaultKind.RUBBISH]
)
async def test_lost_answer_asks_nobody_twice(desk: Desk, path: str, kind: FaultKind) -> None:
    """The request is found by our id, and a page is made for it."""
    desk.stage.lay("gocardless", kind, method="POST", path=path)

    made = await desk.submit()

    assert made.next_action is not None
    assert {made.mandate_id: 1} == desk.gocardless.effects()["mandate"]


async def test_webhook_that_overtakes_the_answer_comes_again(desk: Desk) -> None:
    """What the provider made is not known here yet, so there is nothing to read back."""
    desk.stage.lay("gocardless", FaultKind.LOST_ANSWER, method="POST", path="/billing_requests")
    desk.stage.lay("gocardless", FaultKind.STATUS, method="GET", count=-1)
    made = await desk.submit()
    await desk.deliver()
    await desk.life.apply()
    assert [("NEW", "unknown_object")] == await desk.rows(
        "select distinct state, reason from headrace.inbox"
    )

    desk.stage.wire.faults["gocardless"].clear()
    await desk.stage.pass_time()
    await desk.react()

    found = await desk.mandate(made.mandate_id)
    assert found.next_action is not None
    await desk.sign(found)
    assert _S.ACTIVE is (await desk.mandate(made.mandate_id)).state


async def test_webhooks_twice_and_in_any_order(desk: Desk) -> None:
    """Each is a reason to look; what is told is told once."""
    desk.gocardless.configure(duplicate_share=1.0, shuffle=True, together=1, seed=4)
    made = await desk.active()
    await desk.settle()

    assert _S.ACTIVE is (await desk.mandate(made.mandate_id)).state
    assert ["created", "activated"] == await desk.told(made.mandate_id)
    assert [("APPLIED", "read_back")] == await desk.rows(
        "select distinct state, reason from headrace.inbox"
    )


async def test_late_webhook_does_not_bring_a_mandate_back(desk: Desk) -> None:
    """The one that says active is delivered when the payer's bank has ended it long ago."""
    made = await desk.active()
    desk.stage.offset_s += 10
    late = desk.gocardless.due(now=desk.now())
    found = await desk.mandate(made.mandate_id)
    assert desk.gocardless.mandates.step(found.token, "cancel_at_bank", desk.now())
    await desk.react()

    for request in late:
        await desk.stage.deliver_one(request)
    await desk.react()

    assert late
    assert _S.REVOKED is (await desk.mandate(made.mandate_id)).state
    assert ["created", "activated", "cancelled"] == await desk.told(made.mandate_id)


async def test_no_webhook_and_it_is_looked_up(desk: Desk) -> None:
    """Webhooks may be lost; time is not."""
    desk.gocardless.configure(lost_share=1.0)
    made = await desk.active()
    assert _S.PENDING is made.state
    await desk.settle()

    assert _S.ACTIVE is (await desk.mandate(made.mandate_id)).state


async def test_sync_asks_at_once(desk: Desk) -> None:
    """202, and then what the provider says."""
    desk.gocardless.configure(lost_share=1.0)
    made = await desk.active()

    answer = await desk.post(f"/v1/mandates/{made.mandate_id}/sync")
    await desk.work()

    assert 202 == answer.status_code
    assert _S.ACTIVE is (await desk.mandate(made.mandate_id)).state


async def test_payer_who_never_agrees_is_waited_for_and_left(desk: Desk) -> None:
    """The flow ends after a month of looks; the mandate stays PENDING and can be asked about."""
    made = await desk.submit()
    await desk.settle()

    assert _S.PENDING is (await desk.mandate(made.mandate_id)).state
    assert [("COMPLETED",)] == await desk.rows(
        "select state from headrace.flow where business_id = %s", made.mandate_id
    )


async def test_suspended_mandate_comes_back(desk: Desk) -> None:
    """While it is suspended nothing is collected by it."""
    made = await desk.active()
    desk.stage.offset_s += 10
    await desk.react()
    desk.gocardless.mandates.step(made.token, "suspend", desk.now())
    await desk.react()
    refused = await desk.pay(made.mandate_id)

    desk.gocardless.mandates.step(made.token, "resume", desk.now())
    await desk.react()

    assert [("/payment/mandate_id", "mandate_suspended")] == _pointers(refused)
    assert 201 == (await desk.pay(made.mandate_id)).status_code
    assert ["created", "activated", "suspended", "activated"] == await desk.told(made.mandate_id)


async def test_bank_that_does_not_want_the_mandate(desk: Desk) -> None:
    """It fails after payments were allowed already."""
    made = await desk.active()
    desk.gocardless.mandates.step(made.token, "fail", desk.now())
    await desk.react()

    found = await desk.mandate(made.mandate_id)

    assert found.failure is not None
    assert (_S.FAILED, "mandate_invalid") == (found.state, found.failure.code)
    assert [("/payment/mandate_id", "mandate_failed")] == _pointers(await desk.pay(made.mandate_id))


async def test_replaced_mandate_is_followed(desk: Desk) -> None:
    """The creditor has moved; payments go by the mandate that took over."""
    made = await desk.active()
    following = desk.gocardless.mandates.replace(made.token, desk.now())
    await desk.react()

    found = await desk.mandate(made.mandate_id)

    assert (_S.ACTIVE, following) == (found.state, found.token)


@pytest.mark.parametrize("state", [_S.PENDING, _S.ACTIVE])
@pytest.mark.parametrize("kind", [None, FaultKind.LOST_ANSWER, FaultKind.RUBBISH])
async def test_revoked_at_the_provider(
    desk: Desk, state: MandateState, kind: FaultKind | None
) -> None:
    """From the request on nothing is collected by it; a lost answer is looked up."""
    made = await (desk.active() if state is _S.ACTIVE else desk.submit())
    if kind is not None:
        desk.stage.lay("gocardless", kind, method="POST", path="/actions/cancel")

    answer = await desk.post(f"/v1/mandates/{made.mandate_id}/revoke")
    refused = await desk.pay(made.mandate_id)
    await desk.settle()

    assert 202 == answer.status_code
    rule = "mandate_revoked" if state is _S.ACTIVE else "mandate_pending"
    assert [("/payment/mandate_id", rule)] == _pointers(refused)
    assert _S.REVOKED is (await desk.mandate(made.mandate_id)).state
    assert {} == desk.gocardless.effects()["mandate"]
    again = await desk.post(f"/v1/mandates/{made.mandate_id}/revoke")
    assert (409, "wrong_state") == (again.status_code, again.json()["type"].rpartition("/")[2])


async def test_what_is_not_known_yet_cannot_be_revoked(desk: Desk) -> None:
    """The provider may or may not have it; the client may ask again."""
    answer = await desk.ask()
    mandate_id = answer.json()["mandate_id"]

    found = [await desk.post(f"/v1/mandates/{mandate_id}/{word}") for word in ("revoke", "sync")]

    assert [409, 409] == [one.status_code for one in found]


@pytest.mark.parametrize(
    ("paid", "more", "rule"),
    [
        ({"method_code": "bacs_debit"}, {"currency": "EUR"}, "mandate_method"),
        ({"provider": "gocardless_uk"}, {}, "mandate_provider"),
        ({"token": "MD00SEPA"}, {}, "mandate_token"),
        ({"mandate_id": "nobody"}, {}, "mandate_unknown"),
        ({}, {"customer": "C-2"}, "mandate_customer"),
    ],
)
async def test_payment_that_the_mandate_does_not_allow(
    desk: Desk, paid: dict[str, Any], more: dict[str, Any], rule: str
) -> None:
    """A pointer and a rule; nothing is stored or sent."""
    made = await desk.active()
    if customer := more.pop("customer", ""):
        more = {"payer": _payer(customer)}
    answer = await desk.pay(made.mandate_id, payment=paid, **more)

    assert 422 == answer.status_code, answer.text
    pointer = "/payment/token" if rule == "mandate_token" else "/payment/mandate_id"
    assert (pointer, rule) in _pointers(answer)
    assert [] == await desk.rows("select 1 from headrace.document where kind = 'payment'")


async def test_explained_payment_names_the_holder(desk: Desk) -> None:
    """Nothing leaves; the route and the redacted request are those of the mandate."""
    made = await desk.active()
    body = {
        "amount": {"amount": "19.99", "currency": "EUR"},
        "payment": {"method_code": "sepa_debit", "mandate_id": made.mandate_id},
    }

    found = (await desk.post("/v1/payments/explain", body)).json()

    assert ("gocardless", 0) == (found["route"]["system"], found["sent"])
    assert "pinned" in {one["code"] for one in found["route"]["reasons"]}
    assert "POST http://gocardless/payments" in found["requests"][0]["request"]


@pytest.mark.parametrize(
    ("changes", "place", "rule"),
    [
        ({"system": "sap"}, "/system", "no_mandates"),
        ({"method_code": "card"}, "/method_code", "method_unsupported"),
        ({"return_url": ""}, "/return_url", "return_url_missing"),
        ({"iban": "DE89370400440532013000"}, "/iban", "account_unsupported"),
        ({"iban": "DE88370400440532013000"}, "/iban", "iban_checksum"),
        ({"customer_id": ""}, "/customer_id", "too_short"),
        ({"signed_at": "2026-01-01"}, "/signed_at", "unknown_field"),
    ],
)
async def test_request_that_nobody_can_do(
    desk: Desk, changes: dict[str, str], place: str, rule: str
) -> None:
    """Refused with pointer and rule before anything is stored."""
    answer = await desk.ask(**changes)

    assert 422 == answer.status_code, answer.text
    assert (place, rule) in _pointers(answer)
    assert [] == await desk.rows("select 1 from headrace.document")


async def test_provider_that_says_no_is_a_result(desk: Desk) -> None:
    """FAILED with a code; the payer is asked nothing."""
    desk.stage.lay("gocardless", FaultKind.STATUS, method="POST", status=422)
    made = await desk.submit()

    assert made.failure is not None
    assert (_S.FAILED, "refused") == (made.state, made.failure.code)
    assert ["created", "failed"] == await desk.told(made.mandate_id)


async def test_operator_cancels_what_cannot_be_asked(desk: Desk) -> None:
    """The provider is away; nobody was asked, and nobody will be."""
    desk.stage.lay("gocardless", FaultKind.STATUS, method="POST", status=429, count=-1)
    made = await desk.submit()
    ((flow_id,),) = await desk.rows("select flow_id from headrace.flow")
    await desk.stage.operator(desk.life).cancel(flow_id, reason="too late")
    await desk.settle()

    assert _S.REVOKED is (await desk.mandate(made.mandate_id)).state
    assert {} == desk.gocardless.effects()["mandate"]


async def test_webhook_of_another_account_is_for_a_person(desk: Desk) -> None:
    """It cannot know the mandate."""
    made = await desk.submit()
    for request in desk.gocardless.due(now=desk.now()):
        request.url = request.url.copy_with(path="/webhooks/acme/gocardless_uk")
        await desk.stage.deliver_one(request)
    await desk.life.apply()

    assert [("PARKED", "integrity_mismatch", made.mandate_id)] == await desk.rows(
        "select distinct state, reason, business_id from headrace.inbox"
    )


async def test_mandates_of_others_mean_nothing(desk: Desk) -> None:
    """Set up by hand at GoCardless, without our id: not kept for a person."""
    desk.gocardless.mandates.step("MD00SEPA", "cancel_at_bank", desk.now())
    await desk.react()

    assert [("IGNORED", "no_meaning_here")] == await desk.rows(
        "select state, reason from headrace.inbox"
    )


async def test_mandates_of_a_customer_are_listed(desk: Desk) -> None:
    """The newest first; nobody else's."""
    first, second = await desk.submit(), await desk.submit()
    await desk.submit(customer_id="C-2")

    found = (await desk.stage.api.get("/v1/mandates", params={"customer_id": "C-1"})).json()
    unnamed = await desk.stage.api.get("/v1/mandates")

    assert [second.mandate_id, first.mandate_id] == [one["mandate_id"] for one in found["held"]]
    assert ([], 422) == (found["own"], unnamed.status_code)


async def test_only_the_provider_activates(desk: Desk) -> None:
    """Nobody here can say what the payer has not said."""
    made = await desk.submit()

    answer = await desk.post(f"/v1/mandates/{made.mandate_id}/activate")

    assert 409 == answer.status_code
    assert _S.PENDING is (await desk.mandate(made.mandate_id)).state


async def test_same_key_asks_once(desk: Desk) -> None:
    """The same answer, byte by byte, and one mandate."""
    body = {
        "system": "gocardless",
        "method_code": "sepa_debit",
        "customer_id": "C-1",
        "return_url": BACK,
    }
    headers = {"Idempotency-Key": "once"}
    first, second = [
        await desk.stage.api.post("/v1/mandates", json=body, headers=headers) for _ in range(2)
    ]
    await desk.work()

    assert first.content == second.content
    assert 1 == sum(desk.gocardless.effects()["mandate"].values())


async def test_wallet_is_asked_completed_and_paid_by(desk: Desk) -> None:
    """PayPal: nothing comes of the approval until somebody looks, and then once."""
    made = await desk.submit(sample="paypal")
    assert made.next_action is not None
    await desk.sign(made)
    assert _S.PENDING is (await desk.mandate(made.mandate_id)).state

    for _ in range(2):
        answer = await desk.post(f"/v1/mandates/{made.mandate_id}/sync")
        await desk.work()
    found = await desk.mandate(made.mandate_id)
    paid = await desk.pay(made.mandate_id, payment={"method_code": "paypal_vault"})
    await desk.settle()

    assert (202, _S.ACTIVE, 1) == (answer.status_code, found.state, desk.effects(found))
    assert 201 == paid.status_code, paid.text
    payment = await desk.payment(paid.json()["payment_id"])
    assert ("paypal", PaymentState.CAPTURED) == (payment.provider, payment.state)


@pytest.mark.parametrize("path", ["/setup-tokens", "/payment-tokens"])
@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.RUBBISH])
async def test_lost_answer_of_the_vault(desk: Desk, path: str, kind: FaultKind) -> None:
    """The same request with the same key tells, or the list of what the vault has."""
    desk.stage.lay("paypal", kind, method="POST", path=path)
    made = await desk.submit(sample="paypal")
    await desk.sign(made)
    await desk.settle()

    found = await desk.mandate(made.mandate_id)

    assert (_S.ACTIVE, 1) == (found.state, desk.effects(found))


async def test_payer_ends_the_agreement(desk: Desk) -> None:
    """In the wallet: a look finds that it is gone; one that we end is gone there."""
    first, second = [await desk.submit(sample="paypal") for _ in range(2)]
    for one in (first, second):
        await desk.sign(one)
    await desk.settle()
    first, second = [await desk.mandate(one.mandate_id) for one in (first, second)]
    desk.paypal.vault.remove(first.token, desk.now())
    await desk.post(f"/v1/mandates/{first.mandate_id}/sync")
    await desk.post(f"/v1/mandates/{second.mandate_id}/revoke")
    await desk.work()

    for one in (first, second):
        assert _S.REVOKED is (await desk.mandate(one.mandate_id)).state
    assert {} == desk.paypal.vault.tokens


async def test_card_is_saved_on_a_page_and_charged(desk: Desk) -> None:
    """Stripe: told by the webhook of the SetupIntent, charged without the payer."""
    made = await desk.submit(sample="stripe")
    assert made.next_action is not None
    await desk.sign(made)

    found = await desk.mandate(made.mandate_id)
    paid = await desk.pay(made.mandate_id, payment={"method_code": "card_on_file"})
    await desk.settle()

    assert (_S.ACTIVE, 1) == (found.state, desk.effects(found))
    payment = await desk.payment(paid.json()["payment_id"])
    assert ("stripe", PaymentState.CAPTURED) == (payment.provider, payment.state)


@pytest.mark.parametrize("sample", ["stripe", "stripe_debit"])
@pytest.mark.parametrize("path", ["/customers", "/checkout/sessions", "/setup_intents"])
async def test_lost_answer_sets_up_once(desk: Desk, sample: str, path: str) -> None:
    """It is found by the Customer, and what was only begun is gone on with."""
    desk.stage.lay("stripe", FaultKind.LOST_ANSWER, method="POST", path=path)
    answer = await desk.ask(sample=sample)
    mandate_id = answer.json()["mandate_id"]
    made = await desk.until(mandate_id, lambda one: bool(one.next_action or one.token))
    if made.next_action is not None:
        await desk.sign(made)

    found = await desk.mandate(mandate_id)

    assert (_S.ACTIVE, 1) == (found.state, desk.effects(found))


async def test_debit_at_stripe_ends_by_the_bank(desk: Desk) -> None:
    """An event that names the mandate only, as Stripe does; those of others are ignored."""
    made = await desk.submit(sample="stripe_debit")
    await desk.react()
    paid = await desk.pay(made.mandate_id)
    await desk.settle()
    assert 201 == paid.status_code, paid.text
    assert PaymentState.CAPTURED is (await desk.payment(paid.json()["payment_id"])).state

    desk.stage.stripe.setups.end_mandate(made.request_ref, now=desk.now())
    await desk.settle()

    assert _S.REVOKED is (await desk.mandate(made.mandate_id)).state
    assert [] == await desk.rows("select 1 from headrace.inbox where state = 'PARKED'")


async def test_mandate_of_others_at_stripe_is_ignored(desk: Desk) -> None:
    """Its event names nothing of ours; nobody has to look at it."""
    theirs = {"id": "mandate_theirs", "object": "mandate", "status": "inactive"}
    desk.stage.stripe._emit("mandate.updated", theirs, desk.now())
    await desk.settle()

    assert [("IGNORED", "unknown_object")] == await desk.rows(
        "select state, reason from headrace.inbox"
    )


async def test_payer_who_approves_what_was_revoked(desk: Desk) -> None:
    """A setup token cannot be withdrawn; nobody completes it, whoever looks."""
    made = await desk.submit(sample="paypal")
    await desk.post(f"/v1/mandates/{made.mandate_id}/revoke")
    await desk.work()
    await desk.sign(made)
    await desk.post(f"/v1/mandates/{made.mandate_id}/sync")
    await desk.settle()

    assert _S.REVOKED is (await desk.mandate(made.mandate_id)).state
    assert {} == desk.paypal.vault.tokens


async def test_address_that_a_provider_needs(desk: Desk) -> None:
    """Refused before anything is sent: FAILED, and nothing is kept of the account."""
    made = await desk.submit(sample="stripe_debit", email="")

    assert made.failure is not None
    assert ("email_missing", None) == (made.failure.code, made.account)


async def test_account_goes_to_the_provider_and_stays_nowhere(desk: Desk) -> None:
    """Not in the journal, evidence, events, answers or messages; its end stands in the mandate."""
    answer = await desk.ask(sample="mollie")
    mandate_id = answer.json()["mandate_id"]
    waiting = await desk.mandate(mandate_id)
    assert waiting.account is not None
    assert ("********3000", None) == (answer.json()["iban"], answer.json()["account"])
    shown = (await desk.stage.api.get(f"/v1/mandates/{mandate_id}")).text
    listed = (await desk.stage.api.get("/v1/mandates", params={"customer_id": "C-1"})).text
    desk.stage.lay("mollie", FaultKind.LOST_ANSWER, method="POST", path="/mandates")
    await desk.settle()

    found = await desk.mandate(mandate_id)
    paid = await desk.pay(mandate_id)
    await desk.settle()

    assert (_S.ACTIVE, None, "********3000") == (found.state, found.account, found.iban)
    assert 1 == desk.effects(found)
    assert 201 == paid.status_code, paid.text
    assert PaymentState.CAPTURED is (await desk.payment(paid.json()["payment_id"])).state
    everything = (await desk.kept()) + shown + listed
    assert [] == [one for one in ("370400", "3704 0044", "Mustermann") if one in everything]


@pytest.mark.parametrize("path", ["/customers", "/mandates"])
@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.RUBBISH])
async def test_lost_answer_makes_one_mandate(desk: Desk, path: str, kind: FaultKind) -> None:
    """What was only begun is gone on with, under the same key."""
    desk.stage.lay("mollie", kind, method="POST", path=path)
    answer = await desk.ask(sample="mollie")
    await desk.settle()

    made = await desk.mandate(answer.json()["mandate_id"])

    assert (_S.ACTIVE, {made.mandate_id: 1}) == (made.state, desk.mollie.effects()["mandate"])


async def test_refused_account_is_not_kept(desk: Desk) -> None:
    """The provider says no: nobody needs the account any more."""
    desk.stage.lay("mollie", FaultKind.STATUS, method="POST", status=422)
    made = await desk.submit(sample="mollie")

    assert (_S.FAILED, None) == (made.state, made.account)


async def test_revoked_at_a_provider_without_webhooks(desk: Desk) -> None:
    """Here, or there by hand: a look finds that it is gone."""
    first, second = [await desk.submit(sample="mollie") for _ in range(2)]
    await desk.post(f"/v1/mandates/{first.mandate_id}/revoke")
    desk.mollie.customers.become(second.provider_ref, "invalid")
    await desk.post(f"/v1/mandates/{second.mandate_id}/sync")
    await desk.work()

    assert _S.REVOKED is (await desk.mandate(first.mandate_id)).state
    assert _S.FAILED is (await desk.mandate(second.mandate_id)).state
    assert {} != desk.mollie.customers.methods


def _pointers(answer: Any) -> list[tuple[str, str]]:
    return [(one["pointer"], one["code"]) for one in answer.json()["errors"]]


def _payer(customer_id: str) -> dict[str, Any]:
    from tests.flows.stage import new_order

    return {**new_order(1)["party"], "party_id": customer_id}
