"""Payouts at PayPal: found by asking again, and what PayPal's documents say."""

from typing import Any

import httpx
import msgspec
import pytest

from adapters.paypal import ADAPTER
from adapters.paypal.payouts import PayPalPayouts
from gateway.errors import HeadraceError, InDoubt, Rejected, Unavailable
from gateway.kit.blocking import run
from gateway.model.money import Money
from gateway.model.payout import Destination, Payout, PayoutState
from gateway.model.reference import EntityKind
from gateway.ports.notification import Notification
from tests.adapters.paypal.test_schema import Documents, documents

__all__ = ["documents"]

S = PayoutState
DAY_S = 86_400


def payout(amount: int = 987, currency: str = "EUR", **fields: Any) -> Payout:
    values = {"payout_id": "po-1", "text": "Sales", **fields}
    return Payout(
        amount=Money(amount, currency),
        destination=values.pop("destination", Destination(email="ada@example.com")),
        provider="paypal_eu",
        requested_by="shop",
        requested_at="2026-01-01T00:00:00Z",
        **values,
    )


def refer(one: Payout, found: Any) -> Payout:
    return msgspec.structs.replace(one, provider_ref=found.provider_ref)


@pytest.fixture
def port(account: Any) -> PayPalPayouts:
    made: PayPalPayouts = ADAPTER.port("payouts", account.settings)
    return made


@pytest.mark.parametrize(
    ("receiver", "state", "reason"),
    [
        ("ada", S.PAID, ""),
        ("unclaimed", S.SENT, ""),
        ("blocked", S.FAILED, "RECEIVER_ACCOUNT_LOCKED"),
    ],
)
def test_receiver_decides(
    account: Any, port: PayPalPayouts, receiver: str, state: PayoutState, reason: str
) -> None:
    """Paid, waiting for somebody to claim it, or refused with PayPal's reason."""
    one = payout(destination=Destination(email=f"{receiver}@example.com"))
    made = account.run(port.create_payout(one, key="k"))
    account.now += 60

    found = account.run(port.find_payout(refer(one, made)))

    assert (S.SENT, state) == (made.state, found.state)
    assert reason == (found.failure.provider_code if found.failure else "")


def test_unclaimed_money_is_taken_back(account: Any, port: PayPalPayouts) -> None:
    """By a person, or by PayPal after 30 days; either way it is returned."""
    where = Destination(email="unclaimed@example.com")
    one, other = payout(destination=where), payout(payout_id="po-2", destination=where)
    made = [account.run(port.create_payout(each, key=each.payout_id)) for each in (one, other)]
    account.now += 60

    taken = account.run(port.cancel_payout(refer(one, made[0]), key="x"))
    account.simulator.payouts.give_back(made[1].provider_ref, now=account.now)
    back = account.run(port.find_payout(refer(other, made[1])))

    assert (S.RETURNED, S.RETURNED) == (taken.state, back.state)


def test_forgotten_id_is_doubt_and_nothing_is_sent(account: Any, port: PayPalPayouts) -> None:
    """After 30 days the same request would send money again."""
    account.lose_answer(port.create_payout(payout(), key="k"))
    account.now, account.session = account.now + 30 * DAY_S, None

    with pytest.raises(InDoubt) as doubt:
        account.run(port.find_payout(payout()))

    assert "key_forgotten" == doubt.value.code
    assert {"po-1": 1} == account.simulator.effects()["payout"]


def test_repetition_without_a_link_is_doubt(port: PayPalPayouts) -> None:
    """PayPal has it and does not say where: never a refusal."""
    error = {
        "name": "USER_BUSINESS_ERROR",
        "message": "User business error.",
        "debug_id": "1",
        "details": [{"field": "SENDER_BATCH_ID", "issue": "Duplicate batch request"}],
    }
    with pytest.raises(InDoubt) as doubt:
        run(port.create_payout(payout(), key="k"), lambda _: httpx.Response(400, json=error))

    assert "duplicate" == doubt.value.code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"destination": Destination(iban="DE89370400440532013000")}, "destination_unsupported"),
        ({"amount": 1_001, "currency": "HUF"}, "amount_too_fine"),
        ({"amount": 1_001, "currency": "KWD"}, "currency_unsupported"),
    ],
)
def test_what_paypal_cannot_do_is_not_sent(
    account: Any, port: PayPalPayouts, fields: dict[str, Any], code: str
) -> None:
    """Refused with a code of ours."""
    with pytest.raises(Rejected) as refused:
        account.run(port.create_payout(payout(**fields), key="k"))

    assert (code, []) == (refused.value.code, account.requests)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body["items"][0]["payout_item"]["amount"].update(value="9.88"),
        lambda body: body["items"][0]["payout_item"]["amount"].update(currency="USD"),
        lambda body: body["items"][0]["payout_item"].update(sender_item_id="po-2"),
        lambda body: body["batch_header"]["sender_batch_header"].update(sender_batch_id="po-2"),
        lambda body: body["batch_header"].update(payout_batch_id="OTHER"),
        lambda body: body["items"].append(body["items"][0]),
    ],
)
def test_answer_about_something_else_is_doubt(
    account: Any, port: PayPalPayouts, spoil: Any
) -> None:
    """Another amount, currency, id, or more receivers than ours."""
    one = payout()
    made = account.run(port.create_payout(one, key="k"))
    body = account.responses[-1].json()
    spoil(body)

    with pytest.raises(InDoubt) as doubt:
        run(port.find_payout(refer(one, made)), lambda _: httpx.Response(200, json=body))

    assert "integrity_mismatch" == doubt.value.code


def test_payout_that_shows_no_receiver_yet_is_doubt(account: Any, port: PayPalPayouts) -> None:
    """It may be there a moment later."""
    one = payout()
    made = account.run(port.create_payout(one, key="k"))
    body = {**account.responses[-1].json(), "items": []}

    with pytest.raises(InDoubt) as doubt:
        run(port.find_payout(refer(one, made)), lambda _: httpx.Response(200, json=body))

    assert "unconfirmed" == doubt.value.code


@pytest.mark.parametrize("status", [404, 500])
def test_payout_that_cannot_be_read_back_is_doubt(
    account: Any, port: PayPalPayouts, status: int
) -> None:
    """The money may be on its way."""

    def send(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status) if request.method == "GET" else account.send(request)

    with pytest.raises(HeadraceError) as doubt:
        run(port.create_payout(payout(), key="k"), send)

    assert (InDoubt, "unconfirmed") == (type(doubt.value), doubt.value.code)


def test_look_up_without_a_date_is_asked_again(port: PayPalPayouts) -> None:
    """Nobody knows whether the id is still remembered."""
    with pytest.raises(Unavailable):
        run(port.find_payout(payout()), lambda _: httpx.Response(200, json={"webhooks": []}))


def test_webhook_names_our_payout(account: Any, port: PayPalPayouts) -> None:
    """A hint, as every word of PayPal's."""
    made = account.run(port.create_payout(payout(), key="k"))
    account.now += 60
    (notification,) = account.notifications()

    (event,) = ADAPTER.port("webhooks", account.settings).read(Notification(body=notification.body))

    assert "PAYMENT.PAYOUTS-ITEM.SUCCEEDED" == event.event_type
    assert event.about is not None
    assert (EntityKind.PAYOUT, "po-1", made.provider_ref, True) == (
        event.about.entity,
        event.about.entity_id,
        event.about.external_id,
        event.hint,
    )


def test_requests_and_answers_are_as_paypal_documents_them(
    documents: Documents, account: Any, port: PayPalPayouts
) -> None:
    """Every verb with every kind of amount and receiver."""
    where = [
        Destination(email="ada@example.com"),
        Destination(email="unclaimed@example.com"),
        Destination(account="FSMRBANCV8PSG"),
    ]
    money = [(1, "EUR"), (500, "JPY"), (99_999_999_900, "USD"), (1_000, "HUF")]
    for number, (destination, (amount, currency)) in enumerate(
        (one, other) for one in where for other in money
    ):
        text = "" if number % 2 else "x" * 140
        one = payout(amount, currency, payout_id=f"p{number}", destination=destination, text=text)
        made = account.run(port.create_payout(one, key=str(number)))
        account.run(port.find_payout(one))
        account.now += 60
        if account.run(port.find_payout(refer(one, made))).state is S.SENT:
            account.run(port.cancel_payout(refer(one, made), key=f"{number}x"))

    pairs = list(zip(account.requests, account.responses, strict=True))
    asked = [wrong for request, _ in pairs for wrong in documents.asked(request)]
    answered = [wrong for pair in pairs for wrong in documents.answered(*pair)]
    assert ([], []) == (asked[:5], answered[:5])
    print(f"paypal: {len(pairs)} requests of payouts validate")
