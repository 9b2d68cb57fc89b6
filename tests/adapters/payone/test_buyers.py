"""Who buys on invoice at PAYONE, and what wallets give: asked for here, and refused there."""

import base64
import json
from typing import Any

import msgspec
import pytest

from adapters.payone import simulator_buyers as buyers
from adapters.payone.simulator_checks import check_cancel, check_case
from adapters.payone.simulator_errors import Refusal
from gateway.errors import Rejected
from gateway.model.item import OrderItem
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, PaymentState
from tests.adapters.payone.conformance import APPLE, CLICK
from tests.conformance import samples

S = PaymentState
HELD = CaptureMethod.MANUAL
DEVICE = "partner_merchant_session"
EUR = samples.AMOUNTS[0]


def _bought(**changes: Any) -> dict[str, Any]:
    known = {"payer": samples.payer(), "items": samples.basket(EUR), "token": DEVICE}
    return {"method_code": "secured_invoice", **known, **changes}


def _sent(account: Any, number: int = 0) -> Any:
    return json.loads(account.requests[number].read())


@pytest.mark.parametrize("organisation", [False, True])
def test_invoice_is_secured_and_collected_when_it_is_delivered(
    account: Any, payment: Any, *, organisation: bool
) -> None:
    """B2B for an organisation; what it is cancelled for is not told, but has to be said."""
    buyer = samples.payer(organisation=organisation)
    ours = account.create(payment(**_bought(payer=buyer, capture_method=HELD)))
    held = account.run(account.payments.find_payment(ours))
    part = Money(500, "EUR")
    taken = account.run(account.payments.capture_payment(ours, part, key="c"))
    account.run(account.payments.cancel_payment(ours, key="x"))
    back = account.run(account.payments.refund_payment(ours, "r1", part, key="r"))

    assert (S.AUTHORISED, part, part) == (held.state, taken.captured, back.amount)
    body = _sent(account)
    assert ("B2B" if organisation else "B2C") == body["customer"]["businessRelation"]
    assert organisation == ("companyInformation" in body["customer"])
    given = body["checkout"]["orderRequest"]["paymentMethodSpecificInput"]
    assert {"paymentProductId": 3390, "requiresApproval": True} == given[
        "financingPaymentMethodSpecificInput"
    ]
    assert DEVICE == given["customerDevice"]["deviceToken"]
    reasons = [one.read() for one in account.requests if one.url.path.endswith("/cancel")]
    assert [b'{"cancellationReason":"CONSUMER_REQUEST"}'] == reasons


@pytest.mark.parametrize(("method", "token"), [("apple_pay", APPLE), ("click_to_pay", CLICK)])
def test_wallet_is_collected_or_held_like_a_card(
    account: Any, payment: Any, method: str, token: str
) -> None:
    """As JSON and in base64; nobody's name is sent along."""
    plain = base64.b64decode(token).decode() if method == "apple_pay" else token
    coded = base64.b64encode(plain.encode()).decode()
    payer = samples.payer()
    made = []
    for number, (given, capture) in enumerate([(plain, HELD), (coded, CaptureMethod.AUTOMATIC)]):
        values = {"token": given, "capture_method": capture, "payment_id": f"p{number}"}
        ours = payment(method_code=method, payer=payer, items=samples.basket(EUR), **values)
        made.append(account.run(account.payments.create_payment(ours, key="k")).state)

    assert [S.AUTHORISED, S.CAPTURED] == made
    assert "customer" not in _sent(account)
    inputs = [
        _sent(account, at)["checkout"]["orderRequest"]["paymentMethodSpecificInput"][
            "mobilePaymentMethodSpecificInput"
        ]
        for at in (0, 1)
    ]
    assert ["PRE_AUTHORIZATION", "SALE"] == [one.pop("authorizationMode") for one in inputs]
    assert inputs[0] == inputs[1]


def test_card_that_payone_does_not_take_is_refused_unsent(account: Any, payment: Any) -> None:
    """Discover and JCB are "not supported yet"."""
    token = CLICK.replace("MASTERCARD", "JCB")

    with pytest.raises(Rejected, match="network"):
        account.run(
            account.payments.create_payment(
                payment(method_code="click_to_pay", token=token), key="k"
            )
        )
    assert [] == account.requests


def _payer(**changes: Any) -> dict[str, Any]:
    return {"payer": msgspec.structs.replace(samples.payer(), **changes)}


_COMPANY = samples.payer(organisation=True)
_RSA = base64.b64encode(base64.b64decode(APPLE).replace(b"EC_v1", b"RSA_v1")).decode()
_PIECES = OrderItem(product_id="P", quantity=10_000, unit_price=Money(1, "EUR"))
_DEAR = OrderItem(product_id="P", quantity=1, unit_price=Money(2**31, "EUR"))


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"payer": None}, "payer_missing", "payment.payer"),
        ({"items": ()}, "payer_missing", "payment.items"),
        (_payer(email=None), "payer_incomplete", "payment.payer.email"),
        (_payer(phone=None), "payer_incomplete", "payment.payer.phone"),
        (_payer(birth_date=None), "payer_incomplete", "payment.payer.birth_date"),
        (_payer(names=("Pelé",)), "payer_incomplete", "payment.payer.names"),
        (
            {"payer": msgspec.structs.replace(_COMPANY, contact=())},
            "payer_incomplete",
            "payment.payer.contact",
        ),
        ({"items": samples.basket(Money(1998, "EUR"))}, "basket_sum", "payment.items"),
        ({"items": samples.basket(Money(1999, "SEK"))}, "basket_sum", "payment.items"),
        (
            {"items": (_PIECES,), "amount": Money(10_000, "EUR")},
            "basket_invalid",
            "payment.items[0]",
        ),
        ({"items": (_DEAR,), "amount": Money(2**31, "EUR")}, "basket_invalid", "payment.items[0]"),
        ({"token": "partner_merchant"}, "token_invalid", "token"),
        ({"method_code": "apple_pay", "token": _RSA}, "token_invalid", "token"),
        ({"token": f"a_b_{'c' * 252}"}, "token_invalid", "token"),
    ],
)
def test_what_is_missing_is_named_before_anything_is_sent(
    account: Any, payment: Any, changes: dict[str, Any], code: str, field: str
) -> None:
    """PAYONE's answer would name fields that nobody here knows."""
    with pytest.raises(Rejected) as refused:
        account.run(account.payments.create_payment(payment(**_bought(**changes)), key="k"))
    assert (code, []) == (refused.value.code, account.requests)
    assert refused.value.message.startswith(field)


@pytest.fixture
def body(account: Any, payment: Any) -> dict[str, Any]:
    """A case that the simulator takes."""
    account.create(payment(**_bought()))
    found: dict[str, Any] = _sent(account)
    check_case(found)
    return found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("customer", {}),
        ("customer.businessRelation", "B2X"),
        ("customer.businessRelation", "B2B"),
        ("customer.personalInformation.name.surname", ""),
        ("customer.personalInformation.dateOfBirth", "1990-12-10"),
        ("customer.contactDetails.phoneNumber", ""),
        ("customer.billingAddress.zip", ""),
        ("customer.billingAddress.street", "x" * 51),
        ("checkout.shoppingCart", {}),
        ("checkout.shoppingCart.items.0.orderLineDetails.quantity", 10_000),
        ("checkout.shoppingCart.items.0.orderLineDetails.productPrice", 1),
        ("checkout.amountOfMoney.currencyCode", "SEK"),
        ("checkout.orderRequest.paymentMethodSpecificInput.customerDevice", {}),
    ],
)
def test_simulator_refuses_what_payone_refuses(body: Any, path: str, value: Any) -> None:
    """Field by field."""
    *inner, last = path.split(".")
    at = body
    for name in inner:
        at = at[int(name)] if name.isdigit() else at[name]
    at[last] = value

    with pytest.raises(Refusal):
        check_case(body)


@pytest.mark.parametrize(
    "given",
    [
        {"paymentProductId": 303},
        {"paymentProductId": 302, "paymentProduct302SpecificInput": {"network": "JCB"}},
        {"paymentProductId": 5002, "paymentProduct5002SpecificInput": {"network": "VISA"}},
        {"paymentProductId": 302, "paymentProduct302SpecificInput": {"network": "VISA"}},
        {
            "paymentProductId": 302,
            "encryptedPaymentData": "d",
            "publicKeyHash": "h",
            "ephemeralKey": "e",
            "paymentProduct302SpecificInput": {
                "network": "VISA",
                "token": {"version": "RSA_V1", "signature": "s", "header": {"transactionId": "t"}},
            },
        },
    ],
)
def test_simulator_takes_no_wallet_that_is_none(given: dict[str, Any]) -> None:
    """All that is needed to decrypt is demanded."""
    with pytest.raises(Refusal):
        buyers.check_wallet(given)


def test_secured_payments_are_not_cancelled_without_a_reason() -> None:
    """Others are."""
    check_cancel({}, secured=False)

    with pytest.raises(Refusal):
        check_cancel({}, secured=True)
