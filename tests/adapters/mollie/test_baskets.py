"""Payers, baskets and parts at Mollie: what is asked for, and whose the money is in the end."""

import json
from typing import Any

import msgspec
import pytest

from adapters.mollie.simulator_baskets import check, reversed_by, routed
from adapters.mollie.simulator_rules import Refusal, check_payment, units
from gateway.errors import Rejected
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, PaymentState, Refund
from gateway.model.split import PLATFORM, Split, SplitKind
from tests.adapters.mollie.conftest import PRICE, REF, known, refer
from tests.conformance import samples

S = PaymentState
MANUAL = CaptureMethod.MANUAL
REST = Split(party=PLATFORM, kind=SplitKind.REMAINDER)


def _part(party: str, minor: int, kind: SplitKind = SplitKind.PRINCIPAL) -> Split:
    return Split(party=party, amount=Money(minor, "EUR"), kind=kind)


def _body(account: Any, number: int = 0) -> Any:
    return json.loads(account.requests[number].read())


@pytest.mark.parametrize("method", ["klarna", "billie", "riverty", "vipps"])
def test_held_until_it_is_captured(account: Any, payment: Any, method: str) -> None:
    """The payer agrees on a page; a part is collected later, and a part of that goes back."""
    price = Money(1999, "NOK" if method == "vipps" else "EUR")
    ours = payment(price, **known(method, price) | {"capture_method": MANUAL, "token": ""})
    made = account.run(account.payments.create_payment(ours, key="k1"))
    ours = refer(ours, made)
    account.simulator.pay(made.provider_ref, "paid", now=account.now)
    held = account.run(account.payments.find_payment(ours))
    taken = account.run(account.payments.capture_payment(ours, price, key="k2"))
    back = account.run(
        account.payments.refund_payment(ours, "r1", Money(500, price.currency), key="k3")
    )

    assert (S.REQUIRES_ACTION, S.AUTHORISED, S.CAPTURED, S.PENDING) == (
        made.state,
        held.state,
        taken.state,
        back.state,
    )
    assert price == taken.captured


def test_what_a_wallet_gave_to_the_shop_is_charged(account: Any, payment: Any) -> None:
    """No page is shown; for Mollie a payment of Google Pay is one by card."""
    given = '{"signature":"MEYCIQCv"}'
    ours = payment(method_code="google_pay", token=given, capture_method=MANUAL)
    made = account.run(account.payments.create_payment(ours, key="k1"))
    apple = payment(payment_id="p2", method_code="apple_pay", token=given)
    paid = account.run(account.payments.create_payment(apple, key="k2"))

    assert (S.AUTHORISED, S.CAPTURED) == (made.state, paid.state)
    assert ("creditcard", given) == tuple(
        _body(account)[name] for name in ("method", "googlePayPaymentToken")
    )
    assert given == _body(account, 1)["applePayPaymentToken"]


@pytest.mark.parametrize("method", ["ideal", "pay_by_bank", "card"])
def test_payer_is_not_told_where_nobody_asks(account: Any, payment: Any, method: str) -> None:
    """Another system may have asked, so the payment knows."""
    ours = payment(method_code=method, payer=samples.payer(), items=samples.basket(PRICE))
    account.run(account.payments.create_payment(ours, key="k1"))

    assert not {"billingAddress", "lines", "company", "consumerDateOfBirth"} & set(_body(account))


def _without(**changes: Any) -> dict[str, Any]:
    return {"payer": msgspec.structs.replace(samples.payer("NL"), **changes)}


_COMPANY = samples.payer("DE", organisation=True)


@pytest.mark.parametrize(
    ("method", "changes", "code", "field"),
    [
        ("klarna", {"payer": None}, "payer_missing", "payment.payer"),
        ("klarna", {"items": ()}, "payer_missing", "payment.items"),
        ("alma", _without(email=None), "payer_incomplete", "payment.payer.email"),
        ("trustly", _without(names=("Pelé",)), "payer_incomplete", "payment.payer.names"),
        ("in3", {"items": samples.basket(Money(1, "EUR"))}, "basket_sum", "payment.items"),
        ("in3", {"items": samples.basket(Money(1999, "SEK"))}, "basket_sum", "payment.items"),
        ("billie", _without(), "payer_incomplete", "payment.payer.kind"),
        (
            "billie",
            {"payer": msgspec.structs.replace(_COMPANY, contact=())},
            "payer_incomplete",
            "payment.payer.contact",
        ),
        (
            "riverty",
            {"capture_method": CaptureMethod.AUTOMATIC},
            "capture_method_unsupported",
            "payment.capture_method",
        ),
    ],
)
def test_what_is_missing_is_named_before_anything_is_sent(
    account: Any, payment: Any, method: str, changes: dict[str, Any], code: str, field: str
) -> None:
    """Mollie would refuse it in words that nobody here knows."""
    ours = payment(**known(method) | changes)

    with pytest.raises(Rejected) as refused:
        account.run(account.payments.create_payment(ours, key="k1"))
    assert (code, []) == (refused.value.code, account.requests)
    assert refused.value.message.startswith(field)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"splits": (_part("org_1", 1998),)}, "split_sum", "payment.splits"),
        (
            {"splits": (_part("org_1", 100, SplitKind.VAT), REST)},
            "split_kind_unsupported",
            "payment.splits[0].kind",
        ),
        (
            {"splits": (_part(PLATFORM, 100, SplitKind.TIP), REST)},
            "split_kind_unsupported",
            "payment.splits[0].kind",
        ),
        (
            {"splits": (REST, _part("org_1", 100, SplitKind.COMMISSION))},
            "split_kind_unsupported",
            "payment.splits[1].party",
        ),
        ({"splits": (REST, _part("acct_1", 100))}, "split_party_invalid", "payment.splits[1]"),
        (
            {"splits": (REST,), "amount": Money(1999, "GBP")},
            "splits_unsupported",
            "payment.splits",
        ),
        ({"splits": (REST,), "method_code": "paypal"}, "splits_unsupported", "payment.splits"),
    ],
)
def test_division_that_mollie_does_not_know_is_named(
    account: Any, payment: Any, changes: dict[str, Any], code: str, field: str
) -> None:
    """Money that was divided otherwise than asked for would have to be asked back."""
    with pytest.raises(Rejected) as refused:
        account.run(account.payments.create_payment(payment(**changes), key="k1"))
    assert (code, []) == (refused.value.code, account.requests)
    assert refused.value.message.startswith(field)


def test_a_part_of_a_divided_payment_is_not_captured(account: Any, payment: Any) -> None:
    """Its routes are of the whole."""
    ours = payment(provider_ref=REF, splits=(_part("org_1", 100), REST))

    with pytest.raises(Rejected, match=r"payment\.splits"):
        account.run(account.payments.capture_payment(ours, Money(5, "EUR"), key="k"))
    assert [] == account.requests


def test_members_give_back_what_they_got(account: Any, payment: Any) -> None:
    """In three refunds each gives its part to the cent; our commission was never routed."""
    parts = (
        _part("org_1", 1000),
        _part(PLATFORM, 333, SplitKind.COMMISSION),
        _part("org_2", 666),
    )
    ours = payment(splits=parts)
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k1")))
    for number, minor in enumerate((1, 998, 1000)):
        amount, name = Money(minor, "EUR"), f"r{number}"
        refund = Refund(refund_id=name, payment_id=ours.payment_id, amount=amount, requested_at="")
        ours = msgspec.structs.replace(ours, refunds=(*ours.refunds, refund))
        account.now += 60
        account.run(account.payments.refund_payment(ours, name, amount, key=name))

    assert [("org_1", "10.00"), ("org_2", "6.66")] == [
        (one["destination"]["organizationId"], one["amount"]["value"])
        for one in _body(account)["routing"]
    ]
    pulled: dict[str, int] = {}
    for number in (1, 2, 3):
        for one in _body(account, number).get("routingReversals", []):
            name = one["source"]["organizationId"]
            pulled[name] = pulled.get(name, 0) + int(one["amount"]["value"].replace(".", ""))
    assert {"org_1": 1000, "org_2": 666} == pulled


_ADA = {
    "givenName": "Ada",
    "familyName": "Lovelace",
    "email": "a@b",
    "streetAndNumber": "Weg 1",
    "postalCode": "1",
    "city": "Bonn",
    "country": "DE",
    "phone": "+491",
}
_EUR = {"currency": "EUR", "value": "2.00"}
_LINE = {
    "description": "x",
    "quantity": 2,
    "unitPrice": {"currency": "EUR", "value": "1.00"},
    "totalAmount": _EUR,
}
_KLARNA = {
    "amount": _EUR,
    "description": "x",
    "redirectUrl": "https://a.example",
    "method": "klarna",
    "billingAddress": _ADA,
    "lines": [_LINE],
}
_ROUTE = {"amount": _EUR, "destination": {"type": "organization", "organizationId": "org_1"}}
_GBP = {"currency": "GBP", "value": "2.00"}
_GBP_ROUTE = _ROUTE | {"amount": _GBP}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"billingAddress": None}, "billingAddress.givenName"),
        ({"billingAddress": {**_ADA, "email": ""}}, "billingAddress.email"),
        ({"billingAddress": {**_ADA, "givenName": "A"}}, "billingAddress.givenName"),
        ({"billingAddress": {**_ADA, "familyName": "12"}}, "billingAddress.familyName"),
        ({"billingAddress": {**_ADA, "phone": "0301"}}, "billingAddress.phone"),
        ({"method": "billie"}, "billingAddress.organizationName"),
        ({"lines": None}, "lines"),
        ({"lines": [{**_LINE, "description": ""}]}, "lines.0"),
        ({"lines": [{**_LINE, "quantity": 1}]}, "lines.0"),
        ({"lines": [_LINE, _LINE]}, "lines"),
        ({"lines": [_LINE | {"totalAmount": {"currency": "SEK", "value": "2.00"}}]}, "lines.0"),
        ({"routing": [_ROUTE]}, "routing"),
        ({"method": "ideal", "routing": [_ROUTE, _ROUTE]}, "routing"),
        ({"method": "ideal", "routing": [{"amount": _EUR}]}, "routing.0.destination"),
        (
            {"method": "paybybank", "amount": _GBP, "lines": None, "routing": [_GBP_ROUTE]},
            "routing",
        ),
        (
            {"method": "ideal", "routing": [_ROUTE | {"amount": {**_EUR, "currency": "SEK"}}]},
            "routing.0.amount",
        ),
    ],
)
def test_simulator_refuses_what_mollie_refuses(changes: dict[str, Any], field: str) -> None:
    """And takes it unchanged."""
    check(_KLARNA, units)

    with pytest.raises(Refusal) as refused:
        check(_KLARNA | changes, units)
    assert (422, field) == (refused.value.status, refused.value.field)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"method": "riverty"}, "captureMode"),
        ({"method": "ideal", "captureMode": "manual"}, "captureMode"),
        ({"googlePayPaymentToken": "{}"}, "googlePayPaymentToken"),
        ({"method": "applepay", "applePayPaymentToken": "tkn_1"}, "applePayPaymentToken"),
    ],
)
def test_simulator_knows_which_field_goes_with_which_method(
    changes: dict[str, Any], field: str
) -> None:
    """Riverty is always captured later."""
    check_payment(_KLARNA)
    check_payment(_KLARNA | {"method": "riverty", "captureMode": "manual"})

    with pytest.raises(Refusal) as refused:
        check_payment(_KLARNA | changes)
    assert field == refused.value.field


def test_simulator_reverses_no_more_than_was_routed() -> None:
    """Nor more than is refunded."""
    left = routed({"routing": [_ROUTE, _ROUTE]}, units)
    refund = {"amount": _EUR, "routingReversals": [{"amount": _EUR, "source": {}}]}
    for organisation, twice in (("org_2", 1), ("org_1", 3), ("org_1", 2)):
        one = {"amount": _EUR, "source": {"organizationId": organisation}}
        with pytest.raises(Refusal):
            reversed_by({**refund, "routingReversals": [one] * twice}, units, left)
    assert 400 == left["org_1"]
    assert {"org_1": 200} == reversed_by(
        {
            "amount": _EUR,
            "routingReversals": [{"amount": _EUR, "source": {"organizationId": "org_1"}}],
        },
        units,
        left,
    )
