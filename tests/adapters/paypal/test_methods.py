"""Methods of banks, which PayPal is told of in a second request, and payments that are divided."""

import base64
import json
from typing import Any

import msgspec
import pytest

from gateway.errors import InDoubt, Rejected
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, PaymentState
from gateway.model.split import PLATFORM, Split, SplitKind
from tests.adapters.paypal.conformance import SUBJECT
from tests.adapters.paypal.conftest import BACK, refer
from tests.adapters.paypal.test_simulator import ask, order
from tests.conformance import samples

MEMBER = SUBJECT.member
CONFIRM = "/confirm-payment-source"


def bank(payment: Any, method: str = "ideal", country: str = "NL", **fields: Any) -> Any:
    """A payment by a method of banks."""
    amount = fields.pop("amount", Money(1999, "EUR"))
    values = {
        "method_code": method,
        "token": "",
        "return_url": BACK,
        "payer": samples.payer(country),
        "items": samples.basket(amount),
    }
    return payment(amount, **values | fields)


def shares(kept: int | None, currency: str = "EUR", member: str = MEMBER) -> tuple[Split, ...]:
    """All is the member's but for what the platform keeps."""
    theirs = Split(party=member, kind=SplitKind.REMAINDER)
    if kept is None:
        return (theirs,)
    amount = Money(kept, currency)
    return (theirs, Split(party=PLATFORM, kind=SplitKind.COMMISSION, amount=amount))


def sent(account: Any, path: str) -> dict[str, Any]:
    """The body of the last request to a path."""
    found = [one for one in account.requests if one.url.path.endswith(path)]
    body: dict[str, Any] = json.loads(found[-1].read())
    return body


def fees(body: dict[str, Any]) -> str | None:
    """The platform fee of a body; None for none."""
    instruction = body.get("payment_instruction", {"platform_fees": []})
    return next((one["amount"]["value"] for one in instruction["platform_fees"]), None)


def test_whoever_agrees_at_the_bank_has_paid(account: Any, payment: Any) -> None:
    """The order is made, the bank is named, and PayPal itself completes it."""
    ours = bank(payment)
    made = account.run(account.payments.create_payment(ours, key="k"))
    ours = refer(ours, made)
    account.simulator.approve(ours.provider_ref, now=account.now)

    found = account.run(account.payments.find_payment(ours))

    assert PaymentState.REQUIRES_ACTION is made.state
    assert made.next_action.url.startswith("https://")
    assert PaymentState.CAPTURED is found.state
    assert "payment_source" not in sent(account, "/orders")
    source = sent(account, CONFIRM)["payment_source"]["ideal"]
    assert ("Ada Lovelace", "NL") == (source["name"], source["country_code"])
    assert not [one for one in account.requests if one.url.path.endswith("/capture")]


@pytest.mark.parametrize("lost", [1, 2])
def test_a_lost_answer_is_one_order(account: Any, payment: Any, lost: int) -> None:
    """Whichever of the two was lost, the same order is found, and has its bank."""
    ours = bank(payment)
    exchange = account.payments.create_payment(ours, key="k")
    request = next(exchange)
    for _ in range(lost - 1):
        request = exchange.send(account.send(request))
    first = account.send(request).json()["id"]
    exchange.close()

    found = account.run(account.payments.find_payment(ours))

    assert (first, PaymentState.REQUIRES_ACTION) == (found.provider_ref, found.state)
    assert 3 >= len([one for one in account.requests if one.method == "POST"])


def test_a_bank_that_declines_is_a_result(account: Any, payment: Any) -> None:
    """Not an error: the payer can pay in another way."""
    exchange = account.payments.create_payment(bank(payment), key="k")
    answer = account.send(next(exchange))
    exchange.send(answer)
    declined = {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "PAYER_CANNOT_PAY"}]}

    with pytest.raises(StopIteration) as ended:
        exchange.send(type(answer)(422, json=declined))

    assert PaymentState.FAILED is ended.value.value.state


def test_an_answer_about_another_order_is_doubt(account: Any, payment: Any) -> None:
    """Before the bank is named."""
    exchange = account.payments.create_payment(bank(payment), key="k")
    answer = account.send(next(exchange))
    odd = answer.json()
    odd["purchase_units"][0]["custom_id"] = "another"

    with pytest.raises(InDoubt) as doubted:
        exchange.send(type(answer)(200, json=odd))

    assert "integrity_mismatch" == doubted.value.code


def test_paypal_is_still_collecting(account: Any, payment: Any) -> None:
    """What PayPal is about itself is looked at, not done twice."""
    ours = bank(payment)
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k")))
    exchange = account.payments.find_payment(ours)
    answer = account.send(next(exchange))
    approved = answer.json() | {"status": "APPROVED", "links": []}
    assert exchange.send(type(answer)(200, json=approved)).url.path.endswith("/capture")
    issue = {"details": [{"issue": "ORDER_COMPLETION_IN_PROGRESS"}], "name": "X"}
    assert "GET" == exchange.send(type(answer)(422, json=issue)).method

    with pytest.raises(StopIteration) as ended:
        exchange.send(type(answer)(200, json=approved))

    assert PaymentState.PENDING is ended.value.value.state


@pytest.mark.parametrize(
    ("method", "fields", "code", "named"),
    [
        ("ideal", {"payer": None}, "payer_missing", "payment.payer"),
        ("przelewy24", {"email": None}, "payer_incomplete", "payment.payer.email"),
        ("ideal", {"names": ("Al",)}, "field_invalid", "payment.payer.names"),
        (
            "ideal",
            {"capture_method": CaptureMethod.MANUAL},
            "capture_method_unsupported",
            "payment.capture_method",
        ),
        ("ideal", {"return_url": ""}, "return_url_missing", "payment.return_url"),
    ],
)
def test_what_is_missing_is_named_before_anything_is_sent(
    account: Any, payment: Any, method: str, fields: dict[str, Any], code: str, named: str
) -> None:
    """By our name of the field."""
    known = {name: fields[name] for name in ("email", "names") if name in fields}
    values = {name: one for name, one in fields.items() if name not in known}
    if known:
        values["payer"] = msgspec.structs.replace(samples.payer("NL"), **known)
    ours = bank(payment, method, **values)

    with pytest.raises(Rejected, match=f"^{named}") as refused:
        account.run(account.payments.create_payment(ours, key="k"))

    assert (code, []) == (refused.value.code, account.requests)


def test_our_fee_comes_with_the_capture(account: Any, payment: Any) -> None:
    """Of a part a part; and goes back in proportion, in the member's name."""
    ours = payment(splits=shares(199), capture_method=CaptureMethod.MANUAL)
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k")))
    account.run(account.payments.capture_payment(ours, Money(1000, "EUR"), key="c"))
    account.run(account.payments.refund_payment(ours, "r1", Money(500, "EUR"), key="r"))

    unit = sent(account, "/orders")["purchase_units"][0]
    captured, refunded = sent(account, "/capture"), sent(account, "/refund")

    assert {"merchant_id": MEMBER} == unit["payee"]
    assert (None, "0.99", "0.49") == (fees(unit), fees(captured), fees(refunded))
    claims = account.requests[-1].headers["paypal-auth-assertion"].split(".")
    payload = json.loads(base64.urlsafe_b64decode(claims[1] + "=="))
    assert {"iss": "client_one", "payer_id": MEMBER} == payload
    assert (3, "") == (len(claims), claims[2])


def test_collected_at_once_the_fee_is_in_the_order(account: Any, payment: Any) -> None:
    """And a refund of all gives all of it back."""
    ours = payment(splits=shares(199))
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k")))
    account.run(account.payments.refund_payment(ours, "r1", ours.amount, key="r"))

    unit, refunded = sent(account, "/orders")["purchase_units"][0], sent(account, "/refund")

    assert ("1.99", "1.99") == (fees(unit), fees(refunded))


def test_what_is_all_the_members_has_no_fee(account: Any, payment: Any) -> None:
    """The member's name is needed all the same, also to give an authorisation up."""
    ours = payment(splits=shares(None), capture_method=CaptureMethod.MANUAL)
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k")))

    found = account.run(account.payments.cancel_payment(ours, key="x"))

    assert PaymentState.CANCELLED is found.state
    assert fees(sent(account, "/orders")["purchase_units"][0]) is None


def test_what_is_ours_is_done_in_nobodys_name(account: Any, payment: Any) -> None:
    """No assertion for a payment that is not divided."""
    ours = payment()
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k")))
    account.run(account.payments.refund_payment(ours, "r1", ours.amount, key="r"))

    assert not [one for one in account.requests if "paypal-auth-assertion" in one.headers]


@pytest.mark.parametrize(("kept", "share"), [(9_900, "49"), (100, None)])
def test_share_that_paypal_cannot_count_stays_with_the_member(
    account: Any, payment: Any, kept: int, share: str | None
) -> None:
    """Forint are whole at PayPal; a computed fee is cut, never refused, and never nothing."""
    ours = payment(
        Money(100_000, "HUF"), splits=shares(kept, "HUF"), capture_method=CaptureMethod.MANUAL
    )
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k")))

    account.run(account.payments.capture_payment(ours, Money(50_000, "HUF"), key="c"))

    assert share == fees(sent(account, "/capture"))


def test_fees_of_two_captures_come_to_the_fee(account: Any, payment: Any) -> None:
    """What was kept of the first counts."""
    ours = payment(splits=shares(199), capture_method=CaptureMethod.MANUAL)
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k")))
    first = account.run(account.payments.capture_payment(ours, Money(1000, "EUR"), key="c"))
    ours = msgspec.structs.replace(ours, captured=first.captured)

    account.run(account.payments.capture_payment(ours, Money(999, "EUR"), key="d"))

    assert "1.00" == fees(sent(account, "/capture"))


def test_an_approved_order_is_completed_in_the_members_name(account: Any, payment: Any) -> None:
    """Else PayPal does not know who collects."""
    ours = payment(method_code="paypal", token="", return_url=BACK, splits=shares(199))
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k")))
    account.simulator.approve(ours.provider_ref, now=account.now)

    found = account.run(account.payments.find_payment(ours))

    assert PaymentState.CAPTURED is found.state
    assert "paypal-auth-assertion" in account.requests[-1].headers


@pytest.mark.parametrize(
    ("splits", "named"),
    [
        (
            (
                Split(party=MEMBER, amount=Money(999, "EUR")),
                Split(party="7DVGMLGSXYTQ3", kind=SplitKind.REMAINDER),
            ),
            r"splits\[1\].party: PayPal",
        ),
        (shares(199, member="acct_1"), r"splits\[0\].party is no account"),
        (
            (
                Split(party=MEMBER, kind=SplitKind.REMAINDER),
                Split(party=PLATFORM, kind=SplitKind.TIP, amount=Money(9, "EUR")),
            ),
            r"splits\[1\].kind",
        ),
        ((Split(party=MEMBER, amount=Money(1, "EUR")),), "payment.splits"),
    ],
)
def test_parts_that_paypal_does_not_know_are_refused(
    account: Any, payment: Any, splits: tuple[Split, ...], named: str
) -> None:
    """With the part that is to blame, before anything is sent."""
    with pytest.raises(Rejected, match=f"^{named}"):
        account.run(account.payments.create_payment(payment(splits=splits), key="k"))

    assert [] == account.requests


def test_a_fee_that_is_too_fine_is_refused(account: Any, payment: Any) -> None:
    """What somebody asked for is not cut in silence."""
    ours = payment(Money(100_000, "HUF"), splits=shares(9_950, "HUF"))

    with pytest.raises(Rejected) as refused:
        account.run(account.payments.create_payment(ours, key="k"))

    assert ("amount_too_fine", []) == (refused.value.code, account.requests)


# The simulator says no where PayPal does.


def source(kind: str = "ideal", /, **changes: Any) -> dict[str, Any]:
    """How a bank's customer pays."""
    context = {"return_url": BACK, "cancel_url": BACK}
    known = {"name": "Ada Lovelace", "country_code": "NL", "experience_context": context}
    return {
        "processing_instruction": "ORDER_COMPLETE_ON_PAYMENT_APPROVAL",
        "payment_source": {kind: known | changes},
    }


@pytest.mark.parametrize(
    ("body", "issue"),
    [
        (source("giropay"), "PAYMENT_SOURCE_NOT_SUPPORTED"),
        (source(colour="red"), "NOT_SUPPORTED"),
        (source(name="Al"), "REQUIRED_PARAMETER_FOR_PAYMENT_SOURCE"),
        (source(experience_context={}), "REQUIRED_PARAMETER_FOR_PAYMENT_SOURCE"),
        (source("p24", country_code="PL"), "REQUIRED_PARAMETER_FOR_PAYMENT_SOURCE"),
        (source(country_code="DE"), "COUNTRY_NOT_SUPPORTED_BY_PAYMENT_SOURCE"),
        (source("blik", country_code="PL"), "CURRENCY_NOT_SUPPORTED_BY_PAYMENT_SOURCE"),
        (
            {**source(), "processing_instruction": "NO_INSTRUCTION"},
            "ORDER_COMPLETE_ON_PAYMENT_APPROVAL",
        ),
    ],
)
def test_sources_that_do_not_fit(account: Any, body: dict[str, Any], issue: str) -> None:
    """In PayPal's shape of an error, with the issue."""
    plain = {name: one for name, one in order().items() if name != "payment_source"}
    order_id = ask(account, "POST", "/v2/checkout/orders", plain).json()["id"]

    answer = ask(account, "POST", f"/v2/checkout/orders/{order_id}{CONFIRM}", body)

    assert issue == answer.json()["details"][0]["issue"]


def test_a_source_is_for_orders_that_are_collected_and_not_yet_paid(account: Any) -> None:
    """Neither an authorisation nor twice."""
    plain = {name: one for name, one in order().items() if name != "payment_source"}
    ids = [
        ask(account, "POST", "/v2/checkout/orders", one, **{"PayPal-Request-Id": name}).json()["id"]
        for name, one in (("a", plain | {"intent": "AUTHORIZE"}), ("b", order()))
    ]

    issues = [
        ask(account, "POST", f"/v2/checkout/orders/{one}{CONFIRM}", source()).json()["details"]
        for one in ids
    ]

    wanted = ["UNSUPPORTED_INTENT_FOR_PAYMENT_SOURCE", "ORDER_ALREADY_COMPLETED"]
    assert wanted == [one[0]["issue"] for one in issues]


def fee(value: str, currency: str = "EUR") -> dict[str, Any]:
    """An instruction with a fee."""
    return {"platform_fees": [{"amount": {"currency_code": currency, "value": value}}]}


@pytest.mark.parametrize(
    ("changes", "issue"),
    [
        ({"payee": {"merchant_id": "member"}}, "PAYEE_ACCOUNT_INVALID"),
        ({"payment_instruction": fee("1.99")}, "PLATFORM_FEES_NOT_SUPPORTED"),
        (
            {"payee": {"merchant_id": MEMBER}, "payment_instruction": fee("20.00")},
            "INVALID_PLATFORM_FEES_AMOUNT",
        ),
        (
            {"payee": {"merchant_id": MEMBER}, "payment_instruction": fee("1.99", "USD")},
            "INVALID_PLATFORM_FEES_AMOUNT",
        ),
        (
            {
                "payee": {"merchant_id": MEMBER},
                "payment_instruction": {"platform_fees": fee("1.00")["platform_fees"] * 2},
            },
            "INVALID_ARRAY_MAX_ITEMS",
        ),
    ],
)
def test_shares_that_do_not_fit(account: Any, changes: dict[str, Any], issue: str) -> None:
    """In PayPal's shape of an error, with the issue."""
    unit = order()["purchase_units"][0] | changes

    answer = ask(account, "POST", "/v2/checkout/orders", order(purchase_units=[unit]))

    assert issue == answer.json()["details"][0]["issue"]


@pytest.mark.parametrize(
    ("assertion", "body", "status"),
    [
        ("", {}, 403),
        ("a.b", {}, 403),
        ("other", {}, 403),
        ("member", {"payment_instruction": fee("2.00")}, 422),
        ("member", {"payment_instruction": fee("1.99")}, 201),
    ],
)
def test_a_members_money_is_given_back_in_his_name(
    account: Any, payment: Any, assertion: str, body: dict[str, Any], status: int
) -> None:
    """And no more of the fee than was taken."""
    ours = payment(splits=shares(199))
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k")))
    unit = account.responses[-1].json()["purchase_units"][0]
    path = f"/v2/payments/captures/{unit['payments']['captures'][0]['id']}/refund"
    named = {"member": MEMBER, "other": "7DVGMLGSXYTQ3"}.get(assertion)
    if named:
        claims = base64.urlsafe_b64encode(json.dumps({"payer_id": named}).encode()).decode()
        assertion = f"e30.{claims.rstrip('=')}."
    headers = {"PayPal-Auth-Assertion": assertion} if assertion else {}

    answer = ask(account, "POST", path, body, **headers)

    assert status == answer.status_code
