"""Methods that ask Adyen for the payer, tokens of several parts, and payments that are divided."""

import json
from typing import Any

import msgspec
import pytest

from adapters.adyen.simulator import AdyenSimulator
from gateway.errors import Rejected
from gateway.model.money import Money
from gateway.model.payment import (
    ActionKind,
    CaptureMethod,
    PaymentState,
    Refund,
    RefundState,
)
from gateway.model.split import PLATFORM, Split, SplitKind
from tests.adapters.adyen.conformance import MEMBER, TOKENS
from tests.adapters.adyen.test_simulator import BODY, post
from tests.conformance import samples

OTHER = "BA00000000000000000000002"
BACK = "https://shop.example/back"
ADDRESS = {
    "street": "Lindenallee",
    "houseNumberOrName": "77a",
    "postalCode": "10117",
    "city": "Berlin",
    "country": "DE",
}
KLARNA: dict[str, Any] = {
    "merchantAccount": "SimulatedECOM",
    "amount": {"value": 1999, "currency": "EUR"},
    "reference": "pay-1",
    "returnUrl": BACK,
    "countryCode": "DE",
    "paymentMethod": {"type": "klarna"},
    "shopperName": {"firstName": "Ada", "lastName": "Lovelace"},
    "shopperEmail": "ada@example.com",
    "billingAddress": ADDRESS,
    "lineItems": [{"id": "1", "description": "Car", "quantity": 1, "amountIncludingTax": 1999}],
}


def hosted(payment: Any, method: str, amount: Money | None = None, **fields: Any) -> Any:
    """A payment with all that the method needs."""
    amount = amount or Money(1999, "EUR")
    values = {
        "method_code": method,
        "token": TOKENS.get(method, ""),
        "return_url": BACK,
        "payer": samples.payer("DE"),
        "items": samples.basket(amount),
    }
    return payment(amount, **values | fields)


def sent(account: Any, number: int = -1) -> dict[str, Any]:
    """The body of a request."""
    found: dict[str, Any] = json.loads(account.requests[number].read())
    return found


def shares(account: Any, number: int = -1) -> list[tuple[str, str, int]]:
    """The parts that were sent: type, account and value."""
    return [
        (one["type"], one.get("account", ""), one["amount"]["value"])
        for one in sent(account, number)["splits"]
    ]


def divided(member: int, tax: int, currency: str = "EUR") -> tuple[Split, ...]:
    """A member's part, our tax, and the rest to another member."""
    return (
        Split(party=MEMBER, amount=Money(member, currency), reference="W-7"),
        Split(party=PLATFORM, kind=SplitKind.VAT, amount=Money(tax, currency)),
        Split(party=OTHER, kind=SplitKind.REMAINDER),
    )


@pytest.mark.parametrize(
    ("method", "kind", "details"),
    [
        ("klarna", ActionKind.REDIRECT, set()),
        ("riverty", ActionKind.REDIRECT, set()),
        ("mb_way", ActionKind.APP, set()),
        ("bank_transfer", ActionKind.TRANSFER, {"iban", "bic", "reference"}),
    ],
)
def test_payer_is_told_what_to_do(
    account: Any, payment: Any, method: str, kind: ActionKind, details: set[str]
) -> None:
    """The kind of action, and what there is to be shown."""
    made = account.run(account.payments.create_payment(hosted(payment, method), key="k"))

    assert PaymentState.REQUIRES_ACTION is made.state
    assert (kind, details) == (made.next_action.kind, set(made.next_action.details))


@pytest.mark.parametrize(("method", "token"), [("riverty", "fp-1"), ("ratepay_invoice", "fp-1")])
def test_device_that_is_known_needs_no_page(
    account: Any, payment: Any, method: str, token: str
) -> None:
    """Riverty and Ratepay decide at once."""
    ours = hosted(payment, method, token=token, capture_method=CaptureMethod.MANUAL)

    made = account.run(account.payments.create_payment(ours, key="k"))

    assert PaymentState.AUTHORISED is made.state


@pytest.mark.parametrize("method", ["card", "paypal", "trustly"])
def test_payer_is_not_told_where_nobody_asks(account: Any, payment: Any, method: str) -> None:
    """Another provider may have needed to know; Adyen does not."""
    token = {"card": TOKENS["accepted"]}.get(method, "")
    account.run(account.payments.create_payment(hosted(payment, method, token=token), key="k"))

    asked = {"shopperName", "shopperEmail", "telephoneNumber", "billingAddress", "lineItems"}

    assert set() == (asked | {"countryCode"}) & sent(account).keys()


def test_telephone_number_is_all_that_vipps_is_told(account: Any, payment: Any) -> None:
    """Neither a name nor an address, though both are known."""
    ours = hosted(payment, "vipps", Money(2000, "NOK"))

    account.run(account.payments.create_payment(ours, key="k"))

    assert "+494711471147" == sent(account)["paymentMethod"]["telephoneNumber"]
    assert set() == {"shopperName", "billingAddress", "lineItems"} & sent(account).keys()


@pytest.mark.parametrize(
    ("method", "without", "named"),
    [
        ("klarna", {"payer": None}, "payment.payer"),
        ("klarna", {"items": ()}, "payment.items"),
        ("klarna", "email", "payment.payer.email"),
        ("klarna", "names", "payment.payer.names"),
        ("alma", "email", "payment.payer.email"),
        ("bank_transfer", "email", "payment.payer.email"),
        ("riverty", "birth_date", "payment.payer.birth_date"),
        ("ratepay_invoice", "phone", "payment.payer.phone"),
        ("ratepay_debit", "birth_date", "payment.payer.birth_date"),
        ("mb_way", "email", "payment.payer.email"),
        ("mb_way", "phone", "payment.payer.phone"),
        ("vipps", "phone", "payment.payer.phone"),
    ],
)
def test_what_is_missing_is_named_before_anything_is_sent(
    account: Any, payment: Any, method: str, without: Any, named: str
) -> None:
    """By our name of the field."""
    if isinstance(without, str):
        nothing = ("Ada",) if without == "names" else None
        without = {"payer": msgspec.structs.replace(samples.payer("DE"), **{without: nothing})}
    amount = Money(2000, "NOK" if method == "vipps" else "EUR")

    ours = hosted(payment, method, amount, **without)

    with pytest.raises(Rejected, match=f"^{named}[ :]") as caught:
        account.run(account.payments.create_payment(ours, key="k"))

    assert caught.value.code in {"payer_missing", "payer_incomplete"}
    assert [] == account.requests


@pytest.mark.parametrize(
    ("method", "token"),
    [
        ("gift_card", ""),
        ("gift_card", "svs"),
        ("gift_card", "svs:6006491000000000:1234"),
        ("click_to_pay", "mc:1"),
        ("click_to_pay", "amex:1:2"),
        ("network_token", "NETWORKTOKEN0001"),
        ("ratepay_debit", "fingerprint"),
    ],
)
def test_token_of_other_parts_is_refused(
    account: Any, payment: Any, method: str, token: str
) -> None:
    """The number of a gift card that is not encrypted, too."""
    with pytest.raises(Rejected, match=r"^token:") as caught:
        account.run(account.payments.create_payment(hosted(payment, method, token=token), key="k"))

    assert "token_invalid" == caught.value.code
    assert not token or token not in caught.value.message
    assert [] == account.requests


def test_money_is_booked_to_whom_it_belongs(account: Any, payment: Any) -> None:
    """At the payment, at the capture of a part, and when a part goes back."""
    ours = payment(splits=divided(1000, 190), capture_method=CaptureMethod.MANUAL)
    made = account.run(account.payments.create_payment(ours, key="k"))
    ours = account.hear(msgspec.structs.replace(ours, provider_ref=made.provider_ref))
    account.run(account.payments.capture_payment(ours, Money(1000, "EUR"), key="c"))
    ours = account.hear(ours)
    account.run(account.payments.refund_payment(ours, "r1", Money(100, "EUR"), key="r"))

    first = [("BalanceAccount", MEMBER, 1000), ("VAT", "", 190), ("BalanceAccount", OTHER, 809)]
    second = [("BalanceAccount", MEMBER, 500), ("VAT", "", 95), ("BalanceAccount", OTHER, 405)]
    third = [("BalanceAccount", MEMBER, 50), ("VAT", "", 9), ("BalanceAccount", OTHER, 41)]

    assert [first, second, third] == [shares(account, at) for at in (0, 1, 2)]
    references = [one["reference"] for one in sent(account, 0)["splits"]]
    assert ["W-7", f"{ours.payment_id}-2", f"{ours.payment_id}-3"] == references


def test_second_capture_and_refund_come_to_the_parts(account: Any, payment: Any) -> None:
    """What went before counts, so that in the end each part was moved once."""
    refund = Refund(
        refund_id="r1",
        payment_id="p",
        amount=Money(100, "EUR"),
        requested_at="",
        state=RefundState.SETTLED,
    )
    ours = payment(
        splits=divided(1000, 190), refunds=(refund,), provider_ref="X", captured=Money(1, "EUR")
    )
    port = account.payments
    capture = json.loads(next(port.capture_payment(ours, Money(1998, "EUR"), key="c")).read())
    refunded = json.loads(next(port.refund_payment(ours, "r2", Money(1899, "EUR"), key="r")).read())

    captures, refunds = (
        [one["amount"]["value"] for one in body["splits"]] for body in (capture, refunded)
    )

    assert [1000, 190, 808] == captures
    assert [950, 181, 768] == refunds


def test_shares_are_whole_where_adyen_counts_no_cents(account: Any, payment: Any) -> None:
    """Rupiah have two decimals by ISO 4217 and none at Adyen."""
    price = Money(100_000, "IDR")
    ours = payment(price, splits=divided(33_300, 33_300, "IDR"), provider_ref="X")

    exchange = account.payments.refund_payment(ours, "r1", Money(50_000, "IDR"), key="r")
    body = json.loads(next(exchange).read())

    assert [166, 166, 168] == [one["amount"]["value"] for one in body["splits"]]


@pytest.mark.parametrize(
    ("splits", "method", "named"),
    [
        (
            (
                Split(party=MEMBER, kind=SplitKind.REMAINDER),
                Split(party=PLATFORM, kind=SplitKind.FEE_SHARE, amount=Money(9, "EUR")),
            ),
            "card",
            r"splits\[1\].kind",
        ),
        ((Split(party=MEMBER, kind=SplitKind.REMAINDER),), "gift_card", "splits"),
        ((Split(party=MEMBER, amount=Money(1, "EUR")),), "card", "payment.splits"),
    ],
)
def test_parts_that_adyen_does_not_book_are_refused(
    account: Any, payment: Any, splits: tuple[Split, ...], method: str, named: str
) -> None:
    """With the part that is to blame, before anything is sent."""
    token = TOKENS.get(method, TOKENS["accepted"])
    ours = hosted(payment, method, token=token, splits=splits)

    with pytest.raises(Rejected, match=f"^{named}"):
        account.run(account.payments.create_payment(ours, key="k"))

    assert [] == account.requests


def split(**fields: Any) -> dict[str, Any]:
    """Parts of which the last is changed."""
    amount = {"value": 999, "currency": "EUR"}
    ours = {"type": "Commission", "amount": {**amount, "value": 1000}, "reference": "1"}
    theirs = {"type": "BalanceAccount", "account": MEMBER, "amount": amount, "reference": "2"}
    return BODY | {"splits": [ours, theirs | fields]}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (KLARNA, 200, None),
        (split(), 200, None),
        ({**KLARNA, "shopperName": None}, 400, "702"),
        ({**KLARNA, "lineItems": {"id": "1"}}, 400, "702"),
        ({**KLARNA, "lineItems": [{"colour": "red"}]}, 400, "702"),
        ({**KLARNA, "lineItems": []}, 422, "130"),
        ({**KLARNA, "lineItems": [{**KLARNA["lineItems"][0], "quantity": 2}]}, 422, "702"),
        ({**KLARNA, "lineItems": [{**KLARNA["lineItems"][0], "description": ""}]}, 422, "702"),
        ({**KLARNA, "paymentMethod": {"type": "riverty"}}, 422, "130"),
        ({**KLARNA, "paymentMethod": {"type": "vipps"}}, 500, "905_1"),
        ({**KLARNA, "paymentMethod": {"type": "eps"}}, 422, "101"),
        (split(reference="1"), 422, "702"),
        (split(reference=""), 422, "702"),
        (split(account="acct_1"), 422, "702"),
        (split(amount={"value": 998, "currency": "EUR"}), 422, "702"),
        (split(amount={"value": 999, "currency": "USD"}), 422, "702"),
    ],
)
def test_simulator_refuses_what_adyen_refuses(body: Any, status: int, code: str | None) -> None:
    """With the documented code where there is one."""
    answer = post(AdyenSimulator(), "/payments", body)

    assert (status, code) == (answer.status_code, answer.json().get("errorCode"))


@pytest.mark.parametrize("missing", ["shopperName", "shopperEmail", "billingAddress"])
def test_simulator_wants_to_know_who_pays(missing: str) -> None:
    """Klarna is told by name and address."""
    body = {name: value for name, value in KLARNA.items() if name != missing}

    answer = post(AdyenSimulator(), "/payments", body)

    assert (422, "130") == (answer.status_code, answer.json()["errorCode"])
