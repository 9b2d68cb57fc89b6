"""The simulated Stripe: as strict as the real one where money is concerned."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from adapters.stripe import Settings
from adapters.stripe.simulator import StripeSimulator
from adapters.stripe.webhooks import StripeWebhooks
from gateway.kit.simulator import Simulator
from gateway.ports.notification import Notification

NOW = 1_767_225_600.0
KEY = "sk_test_sim"
CARD = {
    "amount": "1999",
    "currency": "eur",
    "confirm": "true",
    "payment_method": "pm_card_visa",
    "payment_method_types[]": "card",
    "metadata[payment_id]": "p1",
}
HELD = {**CARD, "capture_method": "manual"}
DEBIT = {
    **CARD,
    "payment_method": "pm_success_de",
    "payment_method_types[]": "sepa_debit",
    "mandate_data[customer_acceptance][type]": "offline",
}
INTENTS = "/v1/payment_intents"


def simulator(**plan: Any) -> StripeSimulator:
    values = {"webhook_url": "http://hub.test/hook", "webhook_secret": "whsec_s", **plan}
    return StripeSimulator(secret_key=KEY, **values)


def call(
    stripe: Simulator,
    method: str,
    path: str,
    params: dict[str, str] | None = None,
    *,
    key: str = "",
    now: float = NOW,
    secret_key: str = KEY,
) -> tuple[int, dict[str, Any]]:
    response = respond(stripe, method, path, params, key=key, now=now, secret_key=secret_key)
    return response.status_code, json.loads(response.content)


def respond(
    stripe: Simulator,
    method: str,
    path: str,
    params: dict[str, str] | None = None,
    *,
    key: str = "",
    now: float = NOW,
    secret_key: str = KEY,
) -> httpx.Response:
    encoded = urlencode(params or {})
    headers = {"Authorization": f"Bearer {secret_key}"}
    if key:
        headers["Idempotency-Key"] = key
    url = f"https://stripe.test{path}"
    if method == "POST":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        request = httpx.Request(method, url, headers=headers, content=encoded)
    else:
        request = httpx.Request(method, f"{url}?{encoded}", headers=headers)
    return stripe.handle(request, now=now)


def refusal(*args: Any, **kwargs: Any) -> tuple[int, str | None, str | None]:
    status, body = call(*args, **kwargs)
    return status, body["error"].get("code"), body["error"].get("param")


# Idempotency.


def test_same_key_replays_byte_for_byte() -> None:
    """The second answer is the first one, marked as replayed, and nothing happened twice."""
    stripe = simulator()
    first = respond(stripe, "POST", INTENTS, CARD, key="k1")
    second = respond(stripe, "POST", INTENTS, CARD, key="k1", now=NOW + 60)

    assert first.content == second.content
    assert (None, "true") == (
        first.headers.get("idempotent-replayed"),
        second.headers.get("idempotent-replayed"),
    )
    assert {"p1": 1} == stripe.effects()["charge"]


def test_same_key_with_other_parameters() -> None:
    """Other parameters, or another endpoint, are refused as an idempotency error."""
    stripe = simulator()
    _, intent = call(stripe, "POST", INTENTS, HELD, key="k1")

    for path, params in (
        (INTENTS, {**HELD, "amount": "1"}),
        (f"{INTENTS}/{intent['id']}/cancel", {}),
    ):
        status, body = call(stripe, "POST", path, params, key="k1")
        assert (400, "idempotency_error") == (status, body["error"]["type"])


def test_declines_are_replayed() -> None:
    """A declined card is an executed request, so its key repeats the decline."""
    stripe = simulator()
    declined = {**CARD, "payment_method": "pm_card_chargeDeclined"}
    first = respond(stripe, "POST", INTENTS, declined, key="k1")
    second = respond(stripe, "POST", INTENTS, declined, key="k1")

    assert (402, first.content) == (second.status_code, second.content)
    assert "true" == second.headers["idempotent-replayed"]
    assert 1 == len(call(stripe, "GET", INTENTS)[1]["data"])


def test_refused_parameters_leave_the_key_unused() -> None:
    """After a validation error the same key may carry the corrected request."""
    stripe = simulator()

    assert 400 == respond(stripe, "POST", INTENTS, {**CARD, "amount": "x"}, key="k1").status_code
    assert 200 == respond(stripe, "POST", INTENTS, CARD, key="k1").status_code


def test_injected_refusals_leave_the_key_unused() -> None:
    """A 429 or a 409 is not stored, and nothing happened."""
    stripe = simulator()
    request = httpx.Request("POST", f"https://stripe.test{INTENTS}")

    shown = [stripe.refuse(request, status).status_code for status in (409, 423, 429, 503)]

    assert [409, 429, 429, 503] == shown
    assert {} == stripe.effects()["charge"]


def test_without_a_key_everything_happens_twice() -> None:
    """The simulator does not protect a caller that sends no key."""
    stripe = simulator()
    call(stripe, "POST", INTENTS, CARD)
    call(stripe, "POST", INTENTS, CARD)

    assert {"p1": 2} == stripe.effects()["charge"]


def test_keys_are_forgotten_after_a_day() -> None:
    """A key that comes back after 24 hours is a new request, and a second charge."""
    stripe = simulator()
    call(stripe, "POST", INTENTS, CARD, key="k1")
    call(stripe, "POST", INTENTS, CARD, key="k1", now=NOW + 86_401)

    assert {"p1": 2} == stripe.effects()["charge"]


# What is refused.


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"colour": "red"}, (400, "parameter_unknown", "colour")),
        ({"amount": ""}, (400, "parameter_invalid_empty", "amount")),
        ({"amount": "19.99"}, (400, "parameter_invalid_integer", "amount")),
        ({"amount": "-5"}, (400, "parameter_invalid_integer", "amount")),
        ({"amount": "49"}, (400, "amount_too_small", "amount")),
        ({"amount": "100000000"}, (400, "amount_too_large", "amount")),
        ({"currency": "zzz"}, (400, None, "currency")),
        ({"currency": "EUR"}, (400, None, "currency")),
        ({"confirm": "yes"}, (400, None, "confirm")),
        ({"capture_method": "later"}, (400, None, "capture_method")),
        ({"payment_method": "pm_unknown"}, (400, "resource_missing", "payment_method")),
        ({"payment_method": "pm_success_de"}, (400, None, "payment_method")),
        ({"amount[x]": "5"}, (400, "parameter_unknown", "amount[x]")),
        ({"metadata": "x"}, (400, "parameter_unknown", "metadata")),
        ({"expand[]": "customer"}, (400, None, "expand")),
        ({"currency": "kwd", "amount": "5124"}, (400, None, "amount")),
        (
            {"currency": "isk", "amount": "550"},
            (400, "invalid_charge_amount_no_decimal_compatible", "amount"),
        ),
    ],
)
def test_parameters_that_are_refused(change: dict[str, str], expected: Any) -> None:
    """A wrong parameter is refused by name, and nothing happened."""
    stripe = simulator()

    assert expected == refusal(stripe, "POST", INTENTS, {**CARD, **change})
    assert [] == call(stripe, "GET", INTENTS)[1]["data"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"currency": "eur"}, (400, "parameter_missing", "amount")),
        ({"amount": "100"}, (400, "parameter_missing", "currency")),
        (
            {"amount": "100", "currency": "eur", "confirm": "true"},
            (400, "payment_intent_unexpected_state", None),
        ),
        ({**DEBIT, "currency": "usd"}, (400, None, "currency")),
        ({**DEBIT, "capture_method": "manual"}, (400, None, "capture_method")),
        (
            {k: v for k, v in DEBIT.items() if not k.startswith("mandate")},
            (400, "parameter_missing", "mandate_data"),
        ),
    ],
)
def test_parameters_that_are_missing_or_do_not_fit(params: dict[str, str], expected: Any) -> None:
    """What a payment needs is asked for by name."""
    assert expected == refusal(simulator(), "POST", INTENTS, params)


def test_wrong_key_unknown_path_unknown_thing() -> None:
    """401 for a wrong key, 404 for a wrong path and for a wrong id, 400 for a wrong form."""
    stripe = simulator()
    json_body = httpx.Request(
        "POST",
        f"https://stripe.test{INTENTS}",
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        content=b'{"amount":1999}',
    )

    assert 401 == call(stripe, "POST", INTENTS, CARD, secret_key="sk_test_other")[0]
    assert 404 == call(stripe, "POST", "/v1/paymentintents", CARD)[0]
    assert (404, "resource_missing", "intent") == refusal(stripe, "GET", f"{INTENTS}/pi_x")
    assert (404, "resource_missing", "refund") == refusal(stripe, "GET", "/v1/refunds/re_x")
    assert 400 == stripe.handle(json_body, now=NOW).status_code


def test_states_that_forbid_it() -> None:
    """Nothing is captured twice, above its amount or after cancelling; no success is cancelled."""
    stripe = simulator()
    _, held = call(stripe, "POST", INTENTS, HELD)
    path = f"{INTENTS}/{held['id']}"

    too_much = refusal(stripe, "POST", f"{path}/capture", {"amount_to_capture": "2000"})
    captured = call(stripe, "POST", f"{path}/capture", {"amount_to_capture": "1000"})
    again = refusal(stripe, "POST", f"{path}/capture", {"amount_to_capture": "999"})
    cancelled = refusal(stripe, "POST", f"{path}/cancel")

    assert (400, "amount_too_large", "amount_to_capture") == too_much
    assert (200, "succeeded", 1000) == (
        captured[0],
        captured[1]["status"],
        captured[1]["amount_received"],
    )
    assert (400, "payment_intent_unexpected_state", None) == again == cancelled
    assert {"p1": 1} == stripe.effects()["charge"] == stripe.effects()["authorisation"]


def test_confirmed_in_a_second_request() -> None:
    """With the method it was made with, or another one; and only once."""
    stripe = simulator()
    unconfirmed = {name: value for name, value in CARD.items() if name != "confirm"}
    _, made = call(stripe, "POST", INTENTS, unconfirmed)
    _, bare = call(stripe, "POST", INTENTS, {"amount": "1999", "currency": "eur"})
    path, other = f"{INTENTS}/{made['id']}/confirm", f"{INTENTS}/{bare['id']}/confirm"

    assert ("requires_confirmation", "requires_payment_method") == (made["status"], bare["status"])
    code = "payment_intent_unexpected_state"
    assert (400, code, None) == refusal(stripe, "POST", other)
    assert (402, "card_declined", None) == refusal(
        stripe, "POST", other, {"payment_method": "pm_card_chargeDeclined"}
    )
    paid = [
        call(stripe, "POST", path)[1],
        call(stripe, "POST", other, {"payment_method": "pm_card_visa"})[1],
    ]
    assert ["succeeded", "succeeded"] == [one["status"] for one in paid]
    assert (400, code, None) == refusal(stripe, "POST", path)


def test_a_debit_is_confirmed_with_its_mandate() -> None:
    """It has to be shown then, not when the payment was made."""
    stripe = simulator()
    later = ("confirm", "mandate")
    unconfirmed = {name: value for name, value in DEBIT.items() if not name.startswith(later)}
    _, made = call(stripe, "POST", INTENTS, unconfirmed)
    path = f"{INTENTS}/{made['id']}/confirm"

    assert (400, "parameter_missing", "mandate_data") == refusal(stripe, "POST", path)
    mandate = {name: value for name, value in DEBIT.items() if name.startswith("mandate")}
    assert "processing" == call(stripe, "POST", path, mandate)[1]["status"]


def test_refunds_have_a_ceiling() -> None:
    """Parts may be given back up to what was collected, and not a cent more."""
    stripe = simulator()
    _, intent = call(stripe, "POST", INTENTS, HELD)
    early = refusal(stripe, "POST", "/v1/refunds", {"payment_intent": intent["id"]})
    call(stripe, "POST", f"{INTENTS}/{intent['id']}/capture", {"amount_to_capture": "1000"})

    def give_back(amount: str) -> tuple[int, dict[str, Any]]:
        form = {
            "payment_intent": intent["id"],
            "amount": amount,
            "metadata[refund_id]": f"r{amount}",
        }
        return call(stripe, "POST", "/v1/refunds", form)

    assert 400 == early[0]
    assert [400, 200, 400, 200] == [give_back(a)[0] for a in ("1001", "400", "601", "600")]
    assert "charge_already_refunded" == give_back("1")[1]["error"]["code"]
    assert {"r400": 1, "r600": 1} == stripe.effects()["refund"]


@pytest.mark.parametrize("form", [{}, {"payment_intent": "pi_x"}, {"charge": "ch_x"}])
def test_refund_of_nothing(form: dict[str, str]) -> None:
    """A refund needs a payment that exists."""
    assert 400 == call(simulator(), "POST", "/v1/refunds", form)[0]


# Reading.


def test_lists_are_paged_and_filtered() -> None:
    """Newest first, in pages that continue where the last one ended, by time of creation."""
    stripe = simulator()
    ids = [call(stripe, "POST", INTENTS, CARD, now=NOW + second)[1]["id"] for second in range(5)]

    _, first = call(stripe, "GET", INTENTS, {"limit": "2"})
    _, rest = call(stripe, "GET", INTENTS, {"limit": "9", "starting_after": ids[3]})
    _, since = call(stripe, "GET", INTENTS, {"created[gte]": str(int(NOW) + 3)})
    _, between = call(
        stripe, "GET", INTENTS, {"created[gt]": str(int(NOW)), "created[lt]": str(int(NOW) + 2)}
    )

    assert ([ids[4], ids[3]], True) == ([i["id"] for i in first["data"]], first["has_more"])
    assert ([ids[2], ids[1], ids[0]], False) == ([i["id"] for i in rest["data"]], rest["has_more"])
    assert [ids[4], ids[3]] == [i["id"] for i in since["data"]]
    assert [ids[1]] == [i["id"] for i in between["data"]]
    assert 400 == call(stripe, "GET", INTENTS, {"limit": "101"})[0]
    assert 400 == call(stripe, "GET", INTENTS, {"created[after]": "1"})[0]
    assert 400 == call(stripe, "GET", INTENTS, {"starting_after": "pi_x"})[0]


def test_search_knows_metadata_only() -> None:
    """All terms must hold; a query that cannot be understood is refused, not ignored."""
    stripe = simulator()
    call(stripe, "POST", INTENTS, {**CARD, "metadata[order_id]": "o'1"})
    search = f"{INTENTS}/search"

    def hits(query: str) -> int:
        return len(call(stripe, "GET", search, {"query": query})[1]["data"])

    assert 1 == hits("metadata['payment_id']:'p1' AND metadata[\"order_id\"]:\"o'1\"")
    assert 1 == hits("metadata['order_id']:'o\\'1'")
    assert 0 == hits("metadata['payment_id']:'p1' AND metadata['order_id']:'o2'")
    assert (400, None, "query") == refusal(stripe, "GET", search, {"query": "amount>5"})
    assert (400, "parameter_missing", "query") == refusal(stripe, "GET", search)


def test_events_are_kept() -> None:
    """Everything that happened can be read again, by type and by id."""
    stripe = simulator(webhook_url="")
    _, intent = call(stripe, "POST", INTENTS, CARD, key="k1")

    _, events = call(stripe, "GET", "/v1/events", {"type": "payment_intent.succeeded"})
    (event,) = events["data"]

    assert (intent["id"], "k1") == (
        event["data"]["object"]["id"],
        event["request"]["idempotency_key"],
    )
    assert event == call(stripe, "GET", f"/v1/events/{event['id']}")[1]
    assert 404 == call(stripe, "GET", "/v1/events/evt_x")[0]
    assert [] == stripe.due(now=NOW)


# Webhooks.


def delivered(stripe: StripeSimulator, now: float = NOW) -> list[tuple[str, str]]:
    bodies = [json.loads(request.content) for request in stripe.due(now=now)]
    return [(body["id"], body["type"]) for body in bodies]


def test_deliveries_are_genuine() -> None:
    """Each delivery passes the verification that real ones pass, once."""
    stripe = simulator()
    call(stripe, "POST", INTENTS, CARD)
    port = StripeWebhooks(Settings(secret_key=KEY, webhook_secrets=("whsec_s",)))

    requests = stripe.due(now=NOW)

    assert ["payment_intent.created", "payment_intent.succeeded", "charge.succeeded"] == [
        json.loads(request.content)["type"] for request in requests
    ]
    for request in requests:
        notification = Notification(
            headers=tuple((name.lower(), value) for name, value in request.headers.items()),
            body=request.content,
        )
        port.verify(notification, now=NOW)
        assert port.read(notification)
    assert [] == stripe.due(now=NOW + 3600)


def test_a_debit_reports_later() -> None:
    """A SEPA debit succeeds, or fails, by a webhook after its time, without any request."""
    stripe = simulator(settle_s=5)
    call(stripe, "POST", INTENTS, DEBIT)
    call(stripe, "POST", INTENTS, {**DEBIT, "payment_method": "pm_failed_de"})
    early = {kind for _, kind in delivered(stripe)}
    late = [kind for _, kind in delivered(stripe, NOW + 5)]

    assert {"payment_intent.created", "payment_intent.processing"} == early
    assert ["payment_intent.succeeded", "charge.succeeded"] == late[:2]
    assert ["payment_intent.payment_failed", "charge.failed"] == late[2:]
    assert {"p1": 1} == stripe.effects()["charge"]


def test_a_debit_is_given_back_slowly() -> None:
    """The refund of a debit is pending until its time."""
    stripe = simulator(settle_s=5)
    _, intent = call(stripe, "POST", INTENTS, DEBIT)
    form = {"payment_intent": intent["id"]}
    _, refund = call(stripe, "POST", "/v1/refunds", form, now=NOW + 10)

    _, later = call(stripe, "GET", f"/v1/refunds/{refund['id']}", now=NOW + 15)

    assert ("pending", "succeeded") == (refund["status"], later["status"])


def test_plan_of_deliveries() -> None:
    """Doubles, delays and late ones come as asked, the same for the same seed."""
    plan = {"duplicate_share": 0.5, "delay_s": 1, "late_share": 0.5, "late_s": 9, "seed": 7}

    def run() -> tuple[list[str], list[str]]:
        stripe = simulator(**plan)
        for _ in range(20):
            call(stripe, "POST", INTENTS, CARD)
        assert [] == stripe.due(now=NOW)
        return [t for _, t in delivered(stripe, NOW + 1)], [
            t for _, t in delivered(stripe, NOW + 10)
        ]

    soon, late = run()

    assert (soon, late) == run()
    assert 60 < len(soon) + len(late) < 120
    assert min(len(soon), len(late)) > 10


def test_plan_can_change_and_shuffle() -> None:
    """A new plan holds from then on; shuffled deliveries are all there, in another order."""
    stripe, ordered = simulator(), simulator()
    stripe.configure(shuffle=True, seed=3)
    for each in (stripe, ordered):
        for _ in range(10):
            call(each, "POST", INTENTS, CARD)

    mixed, straight = [k for _, k in delivered(stripe)], [k for _, k in delivered(ordered)]

    assert sorted(straight) == sorted(mixed)
    assert straight != mixed
    with pytest.raises(TypeError):
        stripe.configure(speed=3)


def test_customer_refuses() -> None:
    """A failed authentication is a failed payment; nobody is asked twice."""
    stripe = simulator()
    form = {**CARD, "payment_method": "pm_card_authenticationRequired"}
    _, intent = call(stripe, "POST", INTENTS, form)
    stripe.authenticate(intent["id"], succeeds=False, now=NOW)

    _, later = call(stripe, "GET", f"{INTENTS}/{intent['id']}")

    assert ("requires_action", "requires_payment_method") == (intent["status"], later["status"])
    assert "payment_intent_authentication_failure" == later["last_payment_error"]["code"]
    with pytest.raises(ValueError, match="nothing is asked"):
        stripe.authenticate(intent["id"], succeeds=True, now=NOW)
