"""Methods that Stripe asks the payer about, and payments that are divided."""

from typing import Any

import httpx
import msgspec
import pytest

from adapters.stripe.simulator import StripeSimulator
from gateway.errors import Rejected
from gateway.model.money import Money
from gateway.model.payment import ActionKind, CaptureMethod, PaymentState
from gateway.model.split import PLATFORM, Split, SplitKind, SplitMode
from tests.adapters.stripe.test_simulator import INTENTS, KEY, NOW, call
from tests.conformance import samples

MEMBER = "acct_simulated"
BACK = "https://shop.example/back"
KLARNA = {
    "amount": "1999",
    "currency": "eur",
    "confirm": "true",
    "payment_method_types[]": "klarna",
    "payment_method_data[type]": "klarna",
    "payment_method_data[billing_details][email]": "ada@example.com",
    "payment_method_data[billing_details][address][country]": "DE",
    "return_url": BACK,
}
CARD = {
    "amount": "1999",
    "currency": "eur",
    "confirm": "true",
    "payment_method": "pm_card_visa",
}
SHARED = {**CARD, "transfer_data[destination]": MEMBER, "application_fee_amount": "199"}


def hosted(payment: Any, method: str, amount: Money | None = None, **fields: Any) -> Any:
    """A payment whose payer is sent somewhere."""
    amount = amount or Money(1999, "EUR")
    values = {
        "method_code": method,
        "token": "",
        "return_url": BACK,
        "payer": samples.payer("DE"),
        "items": samples.basket(amount),
    }
    return payment(amount, **values | fields)


def shares(kept: int | None, *, member: str = MEMBER) -> tuple[Split, ...]:
    """All is the member's but for what the platform keeps."""
    theirs = Split(party=member, kind=SplitKind.REMAINDER)
    if kept is None:
        return (theirs,)
    amount = Money(kept, "EUR")
    return (theirs, Split(party=PLATFORM, kind=SplitKind.COMMISSION, amount=amount))


def fields_of(request: Any) -> dict[str, str]:
    """A form that was sent, by name."""
    pairs = (pair.split("=", 1) for pair in request.read().decode().split("&"))
    return dict(pairs)


@pytest.mark.parametrize(
    ("method", "currency", "fields", "kind", "details"),
    [
        ("klarna", "EUR", {}, ActionKind.REDIRECT, set()),
        ("alipay", "EUR", {}, ActionKind.REDIRECT, set()),
        ("wechat_pay", "EUR", {}, ActionKind.QR_CODE, {"qr_code"}),
        ("blik", "PLN", {"token": "777123"}, ActionKind.APP, set()),
        (
            "bank_transfer",
            "EUR",
            {"token": "cus_simulated"},
            ActionKind.TRANSFER,
            {"iban", "bic", "reference"},
        ),
    ],
)
def test_payer_is_told_what_to_do(
    account: Any,
    payment: Any,
    method: str,
    currency: str,
    fields: dict[str, str],
    kind: ActionKind,
    details: set[str],
) -> None:
    """The kind of action, where there is one the page, and what there is to be shown."""
    ours = hosted(payment, method, Money(1999, currency), **fields)

    made = account.run(account.payments.create_payment(ours, key="k"))

    assert PaymentState.REQUIRES_ACTION is made.state
    assert kind is made.next_action.kind
    assert details == set(made.next_action.details)
    assert (method != "blik") == made.next_action.url.startswith("https://")


def test_bank_account_without_an_iban(account: Any, payment: Any) -> None:
    """The reference is shown all the same, and the page says the rest."""
    ours = hosted(payment, "bank_transfer", token="cus_simulated")
    exchange = account.payments.create_payment(ours, key="k")
    answer = account.simulator.handle(next(exchange), now=NOW).json()
    shown = answer["next_action"]["display_bank_transfer_instructions"]
    shown["financial_addresses"] = [{"type": "sort_code"}]

    with pytest.raises(StopIteration) as ended:
        exchange.send(httpx.Response(200, json=answer))

    assert {"reference"} == set(ended.value.value.next_action.details)


def test_payer_comes_back_and_has_paid(account: Any, payment: Any) -> None:
    """Klarna is held until it is captured, a part of it."""
    ours = hosted(payment, "klarna", capture_method=CaptureMethod.MANUAL)
    made = account.run(account.payments.create_payment(ours, key="k"))
    ours = msgspec.structs.replace(ours, provider_ref=made.provider_ref)
    account.simulator.authenticate(made.provider_ref, succeeds=True, now=NOW)

    held = account.run(account.payments.find_payment(ours))
    taken = account.run(account.payments.capture_payment(ours, Money(500, "EUR"), key="c"))

    assert (PaymentState.AUTHORISED, None) == (held.state, held.next_action)
    assert (PaymentState.CAPTURED, Money(500, "EUR")) == (taken.state, taken.captured)


@pytest.mark.parametrize(
    ("method", "fields", "named"),
    [
        ("klarna", {"payer": None}, "payment.payer"),
        ("klarna", {"email": None}, "payment.payer.email"),
        ("przelewy24", {"email": None}, "payment.payer.email"),
        ("klarna", {"return_url": ""}, "return_url"),
        ("ideal", {"return_url": ""}, "return_url"),
    ],
)
def test_what_is_missing_is_named_before_anything_is_sent(
    account: Any, payment: Any, method: str, fields: dict[str, Any], named: str
) -> None:
    """By our name of the field."""
    values = dict(fields)
    if "email" in values:
        values["payer"] = msgspec.structs.replace(samples.payer("DE"), email=values.pop("email"))

    with pytest.raises(Rejected, match=f"^{named}[ :]"):
        account.run(account.payments.create_payment(hosted(payment, method, **values), key="k"))

    assert [] == account.requests


def test_saved_card_is_charged_without_the_payer(account: Any, payment: Any) -> None:
    """With the Customer whose it is; a bank that wants to ask declines."""
    ours = payment(method_code="card_on_file", token="cus_simulated:pm_saved")
    asks = payment(method_code="card_on_file", token="cus_simulated:pm_saved_asks", payment_id="q")

    states = [
        account.run(account.payments.create_payment(one, key=one.payment_id))
        for one in (ours, asks)
    ]

    form = fields_of(account.requests[0])
    named = ("cus_simulated", "pm_saved", "true")
    assert named == (form["customer"], form["payment_method"], form["off_session"])
    assert [PaymentState.CAPTURED, PaymentState.FAILED] == [one.state for one in states]
    assert "authentication_required" == states[1].failure.code


def test_bacs_debit_takes_its_time(account: Any, payment: Any) -> None:
    """As long as the bank does."""
    ours = payment(Money(1999, "GBP"), method_code="bacs_debit", token="cus_simulated:pm_bacs")

    made = account.run(account.payments.create_payment(ours, key="k"))

    assert PaymentState.PENDING is made.state


@pytest.mark.parametrize("token", ["pm_saved", "cus_1:", "cus_1:tok_1", "cus_1:pm_1&x=1", ""])
@pytest.mark.parametrize("method", ["card_on_file", "bacs_debit"])
def test_saved_instrument_has_an_owner(account: Any, payment: Any, method: str, token: str) -> None:
    """A token that names no Customer, or nothing of his, is refused here."""
    with pytest.raises(Rejected, match=r"^token:") as caught:
        account.run(
            account.payments.create_payment(payment(method_code=method, token=token), key="k")
        )

    assert ("token_invalid", []) == (caught.value.code, account.requests)


def test_commission_is_ours_and_the_rest_the_members(account: Any, payment: Any) -> None:
    """At the payment, at the capture of a part, and when it is given back."""
    ours = payment(splits=shares(199), capture_method=CaptureMethod.MANUAL)
    made = account.run(account.payments.create_payment(ours, key="k"))
    ours = msgspec.structs.replace(ours, provider_ref=made.provider_ref)
    account.run(account.payments.capture_payment(ours, Money(1000, "EUR"), key="c"))
    account.run(account.payments.refund_payment(ours, "r1", Money(100, "EUR"), key="r"))

    created, captured, refunded = (fields_of(one) for one in account.requests)

    assert MEMBER == created["transfer_data[destination]"]
    assert ("199", "99") == (
        created["application_fee_amount"],
        captured["application_fee_amount"],
    )
    assert ("true", "true") == (refunded["reverse_transfer"], refunded["refund_application_fee"])


def test_member_has_all_of_it(account: Any, payment: Any) -> None:
    """There is no commission to be taken, nor one to be given back."""
    ours = payment(splits=shares(None))
    made = account.run(account.payments.create_payment(ours, key="k"))
    ours = msgspec.structs.replace(ours, provider_ref=made.provider_ref)
    account.run(account.payments.refund_payment(ours, "r1", Money(100, "EUR"), key="r"))

    created, refunded = (fields_of(one) for one in account.requests)

    assert "application_fee_amount" not in created
    assert ("true", None) == (
        refunded["reverse_transfer"],
        refunded.get("refund_application_fee"),
    )


def test_several_members_are_paid_by_transfers(account: Any, payment: Any) -> None:
    """The payment, its capture and its refund are the platform's alone, in a group of their own."""
    splits = (
        Split(party="acct_1", amount=Money(999, "EUR")),
        Split(party="acct_2", kind=SplitKind.REMAINDER),
    )
    after = SplitMode.AFTER_PAYMENT
    ours = payment(splits=splits, split_mode=after, capture_method=CaptureMethod.MANUAL)
    made = account.run(account.payments.create_payment(ours, key="k"))
    ours = msgspec.structs.replace(ours, provider_ref=made.provider_ref)
    account.run(account.payments.capture_payment(ours, Money(1000, "EUR"), key="c"))
    account.run(account.payments.refund_payment(ours, "r1", Money(100, "EUR"), key="r"))

    created, captured, refunded = (fields_of(one) for one in account.requests)

    assert ours.payment_id == created["transfer_group"]
    sent = {*created, *captured, *refunded}
    assert not sent & {
        "transfer_data[destination]",
        "application_fee_amount",
        "reverse_transfer",
        "refund_application_fee",
    }


def test_share_that_stripe_cannot_count_stays_with_the_member(account: Any, payment: Any) -> None:
    """Dinars of Kuwait end in 0 at Stripe; a computed commission is cut, never refused."""
    tenth = Money(1010, "KWD")
    splits = (
        Split(party=MEMBER, kind=SplitKind.REMAINDER),
        Split(party=PLATFORM, kind=SplitKind.COMMISSION, amount=tenth),
    )
    ours = payment(Money(10_000, "KWD"), splits=splits, capture_method=CaptureMethod.MANUAL)
    made = account.run(account.payments.create_payment(ours, key="k"))
    ours = msgspec.structs.replace(ours, provider_ref=made.provider_ref)

    account.run(account.payments.capture_payment(ours, Money(5_000, "KWD"), key="c"))

    assert "500" == fields_of(account.requests[-1])["application_fee_amount"]


@pytest.mark.parametrize(
    ("splits", "named"),
    [
        (
            (
                Split(party="acct_1", amount=Money(999, "EUR")),
                Split(party="acct_2", kind=SplitKind.REMAINDER),
            ),
            r"splits\[1\].party",
        ),
        (
            (
                Split(party="acct_1", kind=SplitKind.REMAINDER),
                Split(party=PLATFORM, kind=SplitKind.VAT, amount=Money(999, "EUR")),
            ),
            r"splits\[1\].kind",
        ),
        ((Split(party=PLATFORM, kind=SplitKind.REMAINDER),), "splits"),
        ((Split(party="acct_1", amount=Money(1, "EUR")),), "payment.splits"),
    ],
)
def test_parts_that_stripe_does_not_know_are_refused(
    account: Any, payment: Any, splits: tuple[Split, ...], named: str
) -> None:
    """With the part that is to blame, before anything is sent."""
    with pytest.raises(Rejected, match=f"^{named}") as caught:
        account.run(account.payments.create_payment(payment(splits=splits), key="k"))

    assert caught.value.code in {"splits_unsupported", "split_sum"}
    assert [] == account.requests


def test_transfer_cannot_be_divided(account: Any, payment: Any) -> None:
    """The money is there before there is anything that could be divided."""
    ours = hosted(payment, "bank_transfer", token="cus_simulated", splits=shares(199))

    with pytest.raises(Rejected, match=r"^splits:"):
        account.run(account.payments.create_payment(ours, key="k"))

    assert [] == account.requests


def without(params: dict[str, str], *names: str) -> dict[str, str]:
    """The parameters but for some."""
    return {name: value for name, value in params.items() if name not in names}


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({**KLARNA, "payment_method_data[type]": "cowrie_shells"}, "payment_method_data[type]"),
        ({**KLARNA, "payment_method_types[]": "ideal"}, "payment_method_data"),
        ({**KLARNA, "currency": "jpy", "amount": "500"}, "currency"),
        (
            without(KLARNA, "payment_method_data[billing_details][email]"),
            "payment_method_data[billing_details][email]",
        ),
        (
            without(KLARNA, "payment_method_data[billing_details][address][country]"),
            "payment_method_data[billing_details][address][country]",
        ),
        (without(KLARNA, "return_url"), "return_url"),
        ({**KLARNA, "payment_method": "pm_card_visa"}, None),
        (
            {
                **KLARNA,
                "payment_method_types[]": "eps",
                "payment_method_data[type]": "eps",
                "payment_method_data[billing_details][name]": "Ada",
                "capture_method": "manual",
            },
            "capture_method",
        ),
        ({**CARD, "payment_method": "pm_saved"}, "payment_method"),
        (
            {**CARD, "payment_method": "pm_link", "payment_method_types[]": "link"},
            "mandate_data",
        ),
        ({**CARD, "transfer_data[destination]": "acct_unknown"}, "transfer_data[destination]"),
        ({**CARD, "application_fee_amount": "1"}, "application_fee_amount"),
        ({**SHARED, "application_fee_amount": "2000"}, "application_fee_amount"),
    ],
)
def test_simulator_refuses_what_stripe_refuses(params: dict[str, str], named: str | None) -> None:
    """With the parameter that is to blame."""
    stripe = StripeSimulator(secret_key=KEY)

    status, answer = call(stripe, "POST", INTENTS, params)

    assert (400, named) == (status, answer["error"].get("param"))


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("blik", {"currency": "pln", "payment_method_options[blik][code]": "word"}),
        ("wechat_pay", {"payment_method_options[wechat_pay][client]": "ios"}),
        ("customer_balance", {}),
        ("customer_balance", {"customer": "cus_unknown"}),
        ("customer_balance", {"customer": "cus_simulated"}),
        (
            "customer_balance",
            {
                "customer": "cus_simulated",
                "payment_method_options[customer_balance][funding_type]": "bank_transfer",
                "payment_method_options[customer_balance][bank_transfer][type]": "eu_bank_transfer",
                "payment_method_options[customer_balance][bank_transfer][eu_bank_transfer]"
                "[country]": "AT",
            },
        ),
    ],
)
def test_simulator_wants_the_options_of_a_method(method: str, options: dict[str, str]) -> None:
    """A code of digits, a client that we have, a customer with a balance."""
    stripe = StripeSimulator(secret_key=KEY)
    params = {
        **KLARNA,
        "payment_method_types[]": method,
        "payment_method_data[type]": method,
        **options,
    }

    assert 400 == call(stripe, "POST", INTENTS, params)[0]


@pytest.mark.parametrize("field", ["reverse_transfer", "refund_application_fee"])
def test_simulator_takes_back_only_what_was_given(field: str) -> None:
    """A payment that was not divided has neither a transfer nor a fee."""
    stripe = StripeSimulator(secret_key=KEY)
    paid, shared = (call(stripe, "POST", INTENTS, one)[1]["id"] for one in (CARD, SHARED))
    refused = {"payment_intent": paid, field: "true"}
    taken = {"payment_intent": shared, field: "true"}

    assert 400 == call(stripe, "POST", "/v1/refunds", refused)[0]
    assert 200 == call(stripe, "POST", "/v1/refunds", taken)[0]
