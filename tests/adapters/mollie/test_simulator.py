"""The simulated Mollie: what it refuses, repeats and reports, spoken to by hand."""

import json
from typing import Any

import httpx
import pytest

from adapters.mollie import Settings
from adapters.mollie.simulator import MollieSimulator
from adapters.mollie.webhooks import MollieWebhooks
from gateway.ports.notification import Notification, Trust

NOW = 1_767_225_600.0
KEY = "test_s"
PAYMENTS = "/v2/payments"
CARD = {
    "amount": {"currency": "EUR", "value": "19.99"},
    "description": "Order 1",
    "redirectUrl": "https://shop.example/back",
    "method": "creditcard",
    "cardToken": "tkn_accepted",
    "metadata": {"payment_id": "p1"},
}
HELD = {**CARD, "captureMode": "manual"}
PAGE = {name: value for name, value in CARD.items() if name != "cardToken"} | {"method": "ideal"}
DEBIT = {
    **{name: value for name, value in PAGE.items() if name != "redirectUrl"},
    "method": "directdebit",
    "sequenceType": "recurring",
    "customerId": "cst_accepted",
}


def simulator(**plan: Any) -> MollieSimulator:
    url = plan.pop("webhook_url", "http://hub.test/webhooks")
    return MollieSimulator(webhook_url=url, webhook_secret="signing_s", api_key=KEY, **plan)


def call(
    mollie: MollieSimulator,
    method: str,
    path: str,
    body: Any = None,
    *,
    key: str = "",
    api_key: str = KEY,
    now: float = NOW,
) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {api_key}"}
    if key:
        headers["Idempotency-Key"] = key
    request = httpx.Request(method, f"https://mollie.test{path}", headers=headers, json=body)
    if body is None:
        request = httpx.Request(method, f"https://mollie.test{path}", headers=headers)
    response = mollie.handle(request, now=now)
    return response.status_code, response.json() if response.content else {}


def made(mollie: MollieSimulator, body: dict[str, Any], **options: Any) -> str:
    status, payment = call(mollie, "POST", PAYMENTS, body, **options)
    assert 201 == status, payment
    return f"{PAYMENTS}/{payment['id']}"


def kinds(mollie: MollieSimulator, now: float = NOW) -> list[str]:
    bodies = [one.content for one in mollie.due(now=now)]
    return [json.loads(one)["type"] if one.startswith(b"{") else one.decode() for one in bodies]


# What is refused.


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"amount": None}, (422, "amount")),
        ({"amount": {"currency": "XXX", "value": "1.00"}}, (422, "amount.currency")),
        ({"amount": {"currency": "KWD", "value": "1.000"}}, (422, "amount.currency")),
        ({"amount": {"currency": "EUR", "value": "1.0"}}, (422, "amount.value")),
        ({"amount": {"currency": "EUR", "value": "1"}}, (422, "amount.value")),
        ({"amount": {"currency": "JPY", "value": "1.00"}}, (422, "amount.value")),
        ({"amount": {"currency": "EUR", "value": 1}}, (422, "amount.value")),
        ({"amount": {"currency": "EUR", "value": "0.00"}}, (422, "amount")),
        ({"description": ""}, (422, "description")),
        ({"description": 1}, (422, "description")),
        ({"redirectUrl": None}, (422, "redirectUrl")),
        ({"method": "sofort"}, (422, "method")),
        ({"method": "blik", "cardToken": None}, (422, "amount")),
        ({"method": "ideal"}, (422, "cardToken")),
        ({"method": "ideal", "captureMode": "manual"}, (422, "captureMode")),
        ({"method": "directdebit"}, (422, "cardToken")),
        ({"cardToken": "tkn_unknown"}, (422, "cardToken")),
        ({"colour": "red"}, (422, "colour")),
        ({"metadata": {"x": "y" * 1100}}, (422, "metadata")),
        ({"sequenceType": "recurring"}, (422, "customerId")),
        ({"sequenceType": "recurring", "customerId": "cst_unknown"}, (422, "customerId")),
        ({"sequenceType": "recurring", "customerId": "cst_nothing"}, (422, "customerId")),
        (
            {"sequenceType": "recurring", "customerId": "cst_accepted", "mandateId": "mdt_sepa1"},
            (422, "mandateId"),
        ),
    ],
)
def test_payments_that_cannot_be(changes: dict[str, Any], expected: tuple[int, str]) -> None:
    """The field is named, and nothing happens."""
    mollie = simulator()
    body = {name: value for name, value in {**CARD, **changes}.items() if value is not None}
    status, error = call(mollie, "POST", PAYMENTS, body)

    assert expected == (status, error["field"])
    assert 0 == call(mollie, "GET", PAYMENTS)[1]["count"]


def test_mandates_are_for_some_methods_only() -> None:
    """A debit needs a mandate, and a bank page has none."""
    mollie = simulator()
    single = {**PAGE, "method": "directdebit"}
    page = {**DEBIT, "method": "ideal"}

    assert "method" == call(mollie, "POST", PAYMENTS, single)[1]["field"]
    assert "method" == call(mollie, "POST", PAYMENTS, page)[1]["field"]


def test_wrong_key_unknown_path_unknown_thing() -> None:
    """401, 404, 415 and 400, each in Mollie's shape."""
    mollie = simulator()
    form = httpx.Request(
        "POST", f"https://mollie.test{PAYMENTS}", content=b"amount=1",
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "text/plain"},
    )  # fmt: skip
    no_json = httpx.Request(
        "POST", f"https://mollie.test{PAYMENTS}", content=b"[]",
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )  # fmt: skip

    assert 401 == call(mollie, "GET", PAYMENTS, api_key="test_other")[0]
    assert 404 == call(mollie, "GET", "/v2/payment")[0]
    status, error = call(mollie, "GET", f"{PAYMENTS}/tr_x")
    assert (404, "Not Found", 404) == (status, error["title"], error["status"])
    assert 415 == mollie.handle(form, now=NOW).status_code
    assert 400 == mollie.handle(no_json, now=NOW).status_code


# Keys.


def test_a_key_repeats_its_answer_for_an_hour() -> None:
    """Then it is another request; another body with the same key is refused."""
    mollie = simulator()
    first = call(mollie, "POST", PAYMENTS, CARD, key="k")
    again = call(mollie, "POST", PAYMENTS, CARD, key="k", now=NOW + 3599)
    other = call(mollie, "POST", PAYMENTS, HELD, key="k")

    assert first == again
    assert 409 == other[0]
    assert {"p1": 1} == mollie.effects()["charge"]
    assert first != call(mollie, "POST", PAYMENTS, CARD, key="k", now=NOW + 3600)
    assert {"p1": 2} == mollie.effects()["charge"]


def test_what_was_refused_is_not_kept() -> None:
    """The same key may be used again once the body is right."""
    mollie = simulator()

    assert 422 == call(mollie, "POST", PAYMENTS, {**CARD, "cardToken": "x"}, key="k")[0]
    assert 201 == call(mollie, "POST", PAYMENTS, CARD, key="k")[0]


# What becomes of payments.


def test_page_of_the_test_mode() -> None:
    """The payer chooses the end, once, and is sent back."""
    mollie = simulator()
    path = made(mollie, PAGE)
    _, payment = call(mollie, "GET", path)
    page = payment["_links"]["checkout"]["href"]

    def choose(state: str, url: str = page) -> httpx.Response:
        request = httpx.Request("POST", url, data={"final_state": state})
        return mollie.handle(request, now=NOW)

    assert 422 == choose("open").status_code == choose("paid", f"{page}x").status_code
    chosen = choose("paid")
    assert (303, PAGE["redirectUrl"]) == (chosen.status_code, chosen.headers["Location"])
    assert 422 == choose("failed").status_code
    assert "paid" == call(mollie, "GET", path)[1]["status"]
    with pytest.raises(ValueError, match="nothing is asked"):
        mollie.pay(payment["id"], "failed", now=NOW)


@pytest.mark.parametrize(("method", "after_s"), [("ideal", 900), ("banktransfer", 12 * 86_400)])
def test_pages_expire(method: str, after_s: int) -> None:
    """Each method has its time; who pays later comes too late."""
    mollie = simulator()
    path = made(mollie, {**PAGE, "method": method})

    assert "open" == call(mollie, "GET", path, now=NOW + after_s - 1)[1]["status"]
    assert "expired" == call(mollie, "GET", path, now=NOW + after_s)[1]["status"]


def test_captures_have_a_ceiling() -> None:
    """Parts up to the authorised amount; nothing that is not held, in no other currency."""
    mollie = simulator(multiple_captures=True)
    path = f"{made(mollie, HELD)}/captures"

    def capture(value: str, currency: str = "EUR") -> int:
        amount = {"currency": currency, "value": value}
        return call(mollie, "POST", path, {"amount": amount})[0]

    assert [422, 422, 201, 422, 201, 422] == [
        capture("20.00"), capture("1.00", "USD"), capture("9.99"), capture("10.01"),
        capture("10.00"), capture("0.01"),
    ]  # fmt: skip
    _, listed = call(mollie, "GET", path)
    assert ["10.00", "9.99"] == [one["amount"]["value"] for one in listed["_embedded"]["captures"]]
    assert 422 == call(mollie, "POST", f"{made(mollie, CARD)}/captures", {})[0]


def test_whole_amount_is_captured_where_none_is_named() -> None:
    """As Mollie does."""
    mollie = simulator()
    path = made(mollie, HELD)
    call(mollie, "POST", f"{path}/captures", {})

    _, payment = call(mollie, "GET", path)
    assert ("paid", "19.99") == (payment["status"], payment["amountCaptured"]["value"])


def test_states_that_forbid_it() -> None:
    """Nothing is released that is not held, and only slow methods are cancelled."""
    mollie = simulator()
    card, page = made(mollie, CARD), made(mollie, PAGE)
    transfer = made(mollie, {**PAGE, "method": "banktransfer"})

    assert 422 == call(mollie, "POST", f"{card}/release-authorization")[0]
    assert 422 == call(mollie, "DELETE", card)[0] == call(mollie, "DELETE", page)[0]
    assert (200, "canceled") == (
        call(mollie, "DELETE", transfer)[0],
        call(mollie, "GET", transfer)[1]["status"],
    )


def test_refunds_have_a_ceiling() -> None:
    """Up to what was collected and not yet given back; a failed refund frees its amount."""
    mollie = simulator()
    path = made(mollie, CARD)
    refunds = f"{path}/refunds"

    def refund(value: str, name: str, currency: str = "EUR") -> tuple[int, dict[str, Any]]:
        amount = {"currency": currency, "value": value}
        return call(mollie, "POST", refunds, {"amount": amount, "metadata": {"refund_id": name}})

    assert [422, 422, 201, 409, 422] == [
        refund("20.00", "a")[0], refund("1.00", "a", "USD")[0], refund("10.00", "a")[0],
        refund("10.00", "a")[0], refund("10.00", "b")[0],
    ]  # fmt: skip
    first = call(mollie, "GET", refunds)[1]["_embedded"]["refunds"][0]["id"]
    mollie.fail_refund(path.rpartition("/")[2], first, now=NOW)
    mollie.due(now=NOW + 60)
    assert 201 == refund("19.99", "c")[0]
    assert {"a": 1, "c": 1} == mollie.effects()["refund"]
    assert (
        422 == call(mollie, "POST", f"{made(mollie, HELD)}/refunds", {"amount": CARD["amount"]})[0]
    )


def test_gift_cards_are_not_refunded() -> None:
    """Mollie's page of them names no refund."""
    mollie = simulator()
    path = made(mollie, {**PAGE, "method": "giftcard"})
    mollie.pay(path.rpartition("/")[2], "paid", now=NOW)

    assert 422 == call(mollie, "POST", f"{path}/refunds", {"amount": PAGE["amount"]})[0]


def test_parts_come_along_where_they_are_asked_for() -> None:
    """One name or several; another is refused."""
    mollie = simulator()
    path = made(mollie, CARD)
    mollie.charge_back(path.rpartition("/")[2], 500, now=NOW)

    assert "_embedded" not in call(mollie, "GET", path)[1]
    assert ["chargebacks"] == list(call(mollie, "GET", f"{path}?embed=chargebacks")[1]["_embedded"])
    _, both = call(mollie, "GET", f"{path}?embed=refunds,chargebacks")
    assert [0, 1] == [len(both["_embedded"][name]) for name in ("refunds", "chargebacks")]
    assert 400 == call(mollie, "GET", f"{path}?embed=refunds,invoices")[0]


def test_chargebacks_are_counted_until_reversed() -> None:
    """They stand in a list of their own, and in the payment's total."""
    mollie = simulator()
    path = made(mollie, CARD)
    one = mollie.charge_back(path.rpartition("/")[2], 500, now=NOW)
    _, taken = call(mollie, "GET", path)
    mollie.reverse(path.rpartition("/")[2], one, now=NOW + 1)
    _, given = call(mollie, "GET", path)
    _, listed = call(mollie, "GET", f"{path}/chargebacks")

    assert ("5.00", False) == (taken["amountChargedBack"]["value"], "amountChargedBack" in given)
    assert listed["_embedded"]["chargebacks"][0]["reversedAt"]


# Reading.


def test_lists_are_paged() -> None:
    """Newest first; a page begins at the id that the one before names."""
    mollie = simulator()
    ids = [made(mollie, CARD).rpartition("/")[2] for _ in range(5)]

    def page(query: str) -> tuple[list[str], str]:
        _, found = call(mollie, "GET", f"{PAYMENTS}?{query}")
        following = found["_links"]["next"]
        shown = [one["id"] for one in found["_embedded"]["payments"]]
        return shown, following["href"].partition("?")[2] if following else ""

    first, following = page("limit=2")
    assert ([ids[4], ids[3]], f"from={ids[2]}&limit=2") == (first, following)
    assert ids[2::-1][:2] == page(following)[0]
    assert ids == page("limit=250&sort=asc")[0]
    for wrong in ("limit=0", "limit=251", "limit=x", "from=tr_x", "color=red"):
        assert 400 == call(mollie, "GET", f"{PAYMENTS}?{wrong}")[0]
    assert 400 == call(mollie, "GET", f"{PAYMENTS}/{ids[0]}?color=red")[0]


# Webhooks.


def test_deliveries_are_genuine() -> None:
    """Events pass the verification that real ones pass; hints carry nothing but an id."""
    mollie = simulator()
    path = made(mollie, {**CARD, "webhookUrl": "http://hub.test/classic"})
    port = MollieWebhooks(Settings(api_key=KEY, webhook_secrets=("signing_s",)))

    trusts = []
    for one in mollie.due(now=NOW):
        headers = tuple((name.lower(), value) for name, value in one.headers.items())
        notification = Notification(headers=headers, body=one.content)
        (event,) = port.read(notification)
        assert path.endswith(event.provider_ref)
        trusts.append((str(one.url), port.verify(notification, now=NOW), event.hint))

    assert [
        ("http://hub.test/webhooks", Trust.SIGNED, False),
        ("http://hub.test/classic", Trust.UNSIGNED, True),
    ] == trusts
    assert [] == mollie.due(now=NOW + 3600)


def test_events_without_the_object() -> None:
    """As a profile may have them: the id is all there is."""
    mollie = simulator(embedded=False)
    made(mollie, CARD)
    port = MollieWebhooks(Settings(api_key=KEY))
    (one,) = mollie.due(now=NOW)
    (event,) = port.read(Notification(body=one.content))

    assert (True, None) == (event.hint, event.payment)


def test_a_debit_reports_later() -> None:
    """Under way at first; it succeeds, or fails, without any request."""
    mollie = simulator(settle_s=5)
    made(mollie, {**DEBIT, "webhookUrl": "http://hub.test/classic"})
    made(mollie, {**DEBIT, "customerId": "cst_declined"})

    early, late = kinds(mollie), kinds(mollie, NOW + 5)

    assert ["payment.pending", "payment.pending"] == early
    assert ["payment.paid", "payment.failed"] == [one for one in late if one[:3] != "id="]
    assert 1 == len([one for one in late if one[:3] == "id="])
    assert {"p1": 1} == mollie.effects()["charge"]


def test_plan_of_deliveries() -> None:
    """Doubles, delays and late ones come as asked, the same for the same seed."""
    plan = {"duplicate_share": 0.5, "delay_s": 1, "late_share": 0.5, "late_s": 9, "seed": 7}

    def run() -> tuple[int, int]:
        mollie = simulator(**plan)
        for _ in range(30):
            call(mollie, "POST", PAYMENTS, CARD)
        assert [] == mollie.due(now=NOW)
        return len(mollie.due(now=NOW + 1)), len(mollie.due(now=NOW + 10))

    soon, late = run()

    assert (soon, late) == run()
    assert 30 < soon + late < 60
    assert min(soon, late) > 5


def test_plan_can_change_and_shuffle() -> None:
    """A new plan holds from then on; shuffled deliveries are all there, in another order."""
    mollie = simulator()
    mollie.configure(shuffle=True, seed=3)
    ids = [made(mollie, CARD).rpartition("/")[2] for _ in range(10)]
    mixed = [json.loads(one.content)["entityId"] for one in mollie.due(now=NOW)]

    assert sorted(ids) == sorted(mixed)
    assert ids != mixed
    with pytest.raises(TypeError):
        mollie.configure(speed=3)


def test_nowhere_to_deliver() -> None:
    """Without an address nothing is queued."""
    mollie = simulator(webhook_url="")
    made(mollie, CARD)

    assert [] == mollie.due(now=NOW)
