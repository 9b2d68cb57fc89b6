"""The payments port of Stripe, against its simulator and against answers by hand."""

import os
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapters.stripe import ADAPTER, Settings
from adapters.stripe.payments import StripePayments
from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable
from gateway.kit.blocking import run
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, Payment, PaymentFailure, PaymentState
from gateway.model.split import PLATFORM, Split, SplitKind
from gateway.ports.payments import Payments
from tests.conformance import samples

GOLDEN = Path(__file__).parent / "golden"
S = PaymentState
MANUAL = CaptureMethod.MANUAL
REF = "pi_3MtwBwLkdIwHu7ix28a3tqPa"


def refer(payment: Payment, found: Any) -> Payment:
    return msgspec.structs.replace(payment, provider_ref=found.provider_ref)


def adapter(**values: Any) -> StripePayments:
    return StripePayments(msgspec.convert({"secret_key": "sk_test_golden", **values}, Settings))


def answer(exchange: Any, status: int, content: Any, **headers: str) -> Any:
    """Give the next request this answer, whatever it asked."""
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    return run(exchange, lambda _: httpx.Response(status, content=body, headers=headers))


def intent(payment: Payment, **fields: Any) -> dict[str, Any]:
    return {
        "id": REF,
        "amount": payment.amount.minor,
        "currency": payment.amount.currency.lower(),
        "status": "succeeded",
        "created": 1767225600,
        "amount_received": payment.amount.minor,
        "metadata": {"payment_id": payment.payment_id},
        **fields,
    }


# What becomes of a payment.


def test_card_is_collected_at_once(account: Any, payment: Any) -> None:
    """An automatic card payment is CAPTURED by the answer to its only request."""
    found = account.run(account.payments.create_payment(payment(), key="k1"))

    assert (S.CAPTURED, Money(1999, "EUR"), Money(0, "EUR")) == (
        found.state,
        found.captured,
        found.refunded,
    )
    assert 1 == len(account.requests)
    assert {"0195b6c2-0000-7000-8000-000000000001": 1} == account.simulator.effects()["charge"]


def test_authorise_then_capture_a_part(account: Any, payment: Any) -> None:
    """A partial capture collects its amount, and what was released is not refunded money."""
    ours = payment(capture_method=MANUAL)
    held = account.run(account.payments.create_payment(ours, key="k1"))
    ours = refer(ours, held)

    found = account.run(account.payments.capture_payment(ours, Money(500, "EUR"), key="k2"))

    assert (S.AUTHORISED, Money(0, "EUR")) == (held.state, held.captured)
    assert (S.CAPTURED, Money(500, "EUR"), Money(0, "EUR")) == (
        found.state,
        found.captured,
        found.refunded,
    )


def test_refund_after_partial_capture_counts_alone(account: Any, payment: Any) -> None:
    """Of 500 collected out of 1999 a refund of 200 shows as 200."""
    ours = payment(capture_method=MANUAL)
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k1")))
    account.run(account.payments.capture_payment(ours, Money(500, "EUR"), key="k2"))
    account.run(account.payments.refund_payment(ours, "r1", Money(200, "EUR"), key="k3"))

    found = account.run(account.payments.find_payment(ours))

    assert Money(200, "EUR") == found.refunded


def test_cancel_gives_the_authorisation_up(account: Any, payment: Any) -> None:
    """A cancelled authorisation is CANCELLED and can no longer be captured."""
    ours = payment(capture_method=MANUAL)
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k1")))

    found = account.run(account.payments.cancel_payment(ours, key="k2"))

    assert S.CANCELLED is found.state
    with pytest.raises(Rejected) as refused:
        account.run(account.payments.capture_payment(ours, ours.amount, key="k3"))
    assert "payment_intent_unexpected_state" == refused.value.detail


@pytest.mark.parametrize(
    ("token", "failure"),
    [
        (
            "pm_card_chargeDeclined",
            PaymentFailure(code="declined", provider_code="generic_decline"),
        ),
        (
            "pm_card_chargeDeclinedInsufficientFunds",
            PaymentFailure(
                code="insufficient_funds", provider_code="insufficient_funds", retryable=True
            ),
        ),
        (
            "pm_card_chargeDeclinedExpiredCard",
            PaymentFailure(code="instrument_expired", provider_code="expired_card"),
        ),
    ],
)
def test_declined_card_is_a_result(
    account: Any, payment: Any, token: str, failure: PaymentFailure
) -> None:
    """A 402 becomes FAILED with our code and theirs; nothing is raised and no money moves."""
    found = account.run(account.payments.create_payment(payment(token=token), key="k1"))

    assert (S.FAILED, failure) == (found.state, found.failure)
    assert {} == account.simulator.effects()["charge"]


def test_customer_has_to_act(account: Any, payment: Any) -> None:
    """A card that asks for authentication waits, and is collected once the customer agreed."""
    ours = payment(token="pm_card_authenticationRequired")
    waiting = account.run(account.payments.create_payment(ours, key="k1"))
    account.simulator.authenticate(waiting.provider_ref, succeeds=True, now=account.now)

    found = account.run(account.payments.find_payment(refer(ours, waiting)))

    assert (S.REQUIRES_ACTION, S.CAPTURED) == (waiting.state, found.state)


def test_sepa_debit_takes_its_time(account: Any, payment: Any) -> None:
    """A debit is PENDING at first and CAPTURED when the bank has paid."""
    ours = payment(method_code="sepa_debit", token="pm_success_de")
    pending = account.run(account.payments.create_payment(ours, key="k1"))
    account.now += 60

    found = account.run(account.payments.find_payment(refer(ours, pending)))

    assert (S.PENDING, S.CAPTURED) == (pending.state, found.state)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"method_code": "cheque"}, "method_unsupported"),
        ({"method_code": "sepa_debit", "capture_method": MANUAL}, "capture_method_unsupported"),
        ({"amount": Money(1234, "KWD")}, "amount_too_fine"),
        ({"amount": Money(150, "MGA")}, "amount_too_fine"),
        ({"amount": Money(1000, "IQD")}, "currency_unsupported"),
    ],
)
def test_what_stripe_cannot_do_is_refused_unsent(
    account: Any, payment: Any, fields: dict[str, Any], code: str
) -> None:
    """The refusal comes before the first request."""
    with pytest.raises(Rejected) as refused:
        account.run(account.payments.create_payment(payment(**fields), key="k1"))

    assert (code, []) == (refused.value.code, account.requests)


@pytest.mark.parametrize(
    ("amount", "sent"),
    [
        (Money(500, "JPY"), b"amount=500&currency=jpy"),
        (Money(5120, "KWD"), b"amount=5120&currency=kwd"),
        (Money(5, "ISK"), b"amount=500&currency=isk"),
        (Money(5, "UGX"), b"amount=500&currency=ugx"),
        (Money(700, "MGA"), b"amount=7&currency=mga"),
        (Money(1045, "HUF"), b"amount=1045&currency=huf"),
        (Money(1045, "TWD"), b"amount=1045&currency=twd"),
    ],
)
def test_amounts_in_the_units_of_stripe(
    account: Any, payment: Any, amount: Money, sent: bytes
) -> None:
    """Stripe's unit goes out, and the same amount of money comes back."""
    found = account.run(account.payments.create_payment(payment(amount), key="k1"))

    assert sent in account.requests[0].read()
    assert (amount, amount) == (found.amount, found.captured)


# What becomes of it when something goes wrong.


@pytest.mark.parametrize("find_by", ["search", "list"])
def test_lost_answer_then_find(connect: Any, payment: Any, find_by: str) -> None:
    """A payment whose answer was lost is found by our id, among many others."""
    account = connect(find_by=find_by)
    ours = payment()
    account.lose_answer(account.payments.create_payment(ours, key="k1"))
    for number in range(120):
        other = payment(payment_id=f"other-{number}")
        account.run(account.payments.create_payment(other, key=f"o{number}"))

    found = account.run(account.payments.find_payment(ours))

    assert (S.CAPTURED, Money(1999, "EUR")) == (found.state, found.amount)
    assert 1 == account.simulator.effects()["charge"][ours.payment_id]


@pytest.mark.parametrize("find_by", ["search", "list"])
def test_nothing_sent_nothing_found(connect: Any, payment: Any, find_by: str) -> None:
    """A payment that never arrived is not found."""
    account = connect(find_by=find_by)
    account.run(account.payments.create_payment(payment(payment_id="other"), key="k1"))

    assert account.run(account.payments.find_payment(payment())) is None


def test_search_lags_and_list_does_not(connect: Any, payment: Any) -> None:
    """Right after a lost answer search finds nothing; the list does, and the key is still safe."""
    ours = payment()
    lagging = connect(search_lag_s=60)
    lagging.lose_answer(lagging.payments.create_payment(ours, key="k1"))
    exact = connect(find_by="list", search_lag_s=60)
    exact.lose_answer(exact.payments.create_payment(ours, key="k1"))

    assert lagging.run(lagging.payments.find_payment(ours)) is None
    assert S.CAPTURED is exact.run(exact.payments.find_payment(ours)).state
    lagging.run(lagging.payments.create_payment(ours, key="k1"))
    assert 1 == lagging.simulator.effects()["charge"][ours.payment_id]


def test_same_key_twice_is_one_charge(account: Any, payment: Any) -> None:
    """Repeating a request with its key repeats the answer and moves nothing."""
    first = account.run(account.payments.create_payment(payment(), key="k1"))
    second = account.run(account.payments.create_payment(payment(), key="k1"))

    assert first == second
    assert {payment().payment_id: 1} == account.simulator.effects()["charge"]


def test_key_for_another_request(account: Any, payment: Any) -> None:
    """A key that was used for something else is our mistake, not a decline."""
    account.run(account.payments.create_payment(payment(), key="k1"))

    with pytest.raises(Misconfigured) as wrong:
        account.run(account.payments.create_payment(payment(Money(5, "EUR")), key="k1"))
    assert "key_reused" == wrong.value.code


def test_second_attempt_is_found_before_the_first(account: Any, payment: Any) -> None:
    """Of a declined and a successful attempt for one payment the successful one is found."""
    account.run(account.payments.create_payment(payment(), key="k2"))
    account.run(account.payments.create_payment(payment(token="pm_card_chargeDeclined"), key="k1"))

    assert S.CAPTURED is account.run(account.payments.find_payment(payment())).state


def test_two_charges_for_one_payment_need_a_person(account: Any, payment: Any) -> None:
    """Two payments alive with our id are in doubt, and not one of them at random."""
    account.run(account.payments.create_payment(payment(), key="k1"))
    account.run(account.payments.create_payment(payment(), key="k2"))

    with pytest.raises(InDoubt) as doubt:
        account.run(account.payments.find_payment(payment()))
    assert "found_twice" == doubt.value.code


def test_refund_is_found_again(account: Any, payment: Any) -> None:
    """A refund whose answer was lost is found by our refund id, on any page."""
    ours = refer(payment(), account.run(account.payments.create_payment(payment(), key="k1")))
    lost = account.payments.refund_payment(ours, "r-lost", Money(100, "EUR"), key="k2")
    account.lose_answer(lost)
    for number in range(110):
        exchange = account.payments.refund_payment(
            ours, f"r{number}", Money(1, "EUR"), key=f"x{number}"
        )
        account.run(exchange)

    found = account.run(account.payments.find_refund(ours, "r-lost"))

    assert (S.SETTLED, Money(100, "EUR")) == (found.state, found.amount)
    assert account.run(account.payments.find_refund(ours, "r-never")) is None
    assert found == account.run(account.payments.find_refund(payment(), "r-lost"))
    assert account.run(account.payments.find_refund(payment(payment_id="no"), "r-lost")) is None
    assert 1 == account.simulator.effects()["refund"]["r-lost"]


def test_refund_above_the_collected_amount(account: Any, payment: Any) -> None:
    """Stripe refuses, and so do we, with its reason kept."""
    ours = refer(payment(), account.run(account.payments.create_payment(payment(), key="k1")))

    with pytest.raises(Rejected):
        account.run(account.payments.refund_payment(ours, "r1", Money(2000, "EUR"), key="k2"))
    assert {} == account.simulator.effects()["refund"]


def test_verbs_that_need_their_id(account: Any, payment: Any) -> None:
    """Without Stripe's id nothing is captured, cancelled or refunded, and nothing is sent."""
    ours, amount = payment(), Money(1, "EUR")

    for exchange in (
        account.payments.capture_payment(ours, amount, key="k"),
        account.payments.cancel_payment(ours, key="k"),
        account.payments.refund_payment(ours, "r", amount, key="k"),
    ):
        with pytest.raises(Rejected) as refused:
            account.run(exchange)
        assert "provider_ref_missing" == refused.value.code
    assert [] == account.requests


def test_reference_that_stripe_does_not_know(account: Any, payment: Any) -> None:
    """A look-up of an unknown reference finds nothing."""
    assert account.run(account.payments.find_payment(payment(provider_ref="pi_unknown"))) is None


def test_two_accounts_in_one_process(connect: Any, payment: Any) -> None:
    """Each account has its own key and its own payments."""
    one, two = connect(secret_key="sk_test_one"), connect(secret_key="sk_test_two")
    one.run(one.payments.create_payment(payment(), key="k1"))
    two.run(two.payments.create_payment(payment(), key="k1"))

    assert one.simulator.effects()["charge"] == two.simulator.effects()["charge"]
    with pytest.raises(Misconfigured) as wrong:
        run(one.payments.create_payment(payment(), key="k9"), two.send)
    assert "access_refused" == wrong.value.code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": "requires_prayer"}, "status_unknown"),
        ({"amount": 1998}, "integrity_mismatch"),
        ({"currency": "usd"}, "integrity_mismatch"),
        ({"metadata": {"payment_id": "another"}}, "integrity_mismatch"),
        ({"metadata": None}, "integrity_mismatch"),
        ({"amount": "1999"}, "unreadable"),
        ({"status": None}, "unreadable"),
    ],
)
def test_answers_that_are_not_believed(payment: Any, fields: dict[str, Any], code: str) -> None:
    """An answer with another amount, currency, id or status leaves the payment in doubt."""
    with pytest.raises(InDoubt) as doubt:
        answer(adapter().create_payment(payment(), key="k"), 200, intent(payment(), **fields))

    assert code == doubt.value.code


def test_answer_about_another_payment(payment: Any) -> None:
    """A capture answered with another PaymentIntent is in doubt, even if its fields fit."""
    ours = payment(provider_ref="pi_other")

    with pytest.raises(InDoubt) as doubt:
        answer(adapter().capture_payment(ours, ours.amount, key="k"), 200, intent(ours))
    assert "integrity_mismatch" == doubt.value.code


def test_captured_another_amount(payment: Any) -> None:
    """A capture that collected something else than asked is in doubt."""
    ours = payment(provider_ref=REF)

    with pytest.raises(InDoubt) as doubt:
        answer(adapter().capture_payment(ours, Money(500, "EUR"), key="k"), 200, intent(ours))
    assert "integrity_mismatch" == doubt.value.code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": 99}, "integrity_mismatch"),
        ({"metadata": {"refund_id": "r2"}}, "integrity_mismatch"),
        ({"payment_intent": "pi_other"}, "integrity_mismatch"),
        ({"status": "gone"}, "status_unknown"),
        ({"status": None}, "status_unknown"),
    ],
)
def test_refund_answers_that_are_not_believed(
    payment: Any, fields: dict[str, Any], code: str
) -> None:
    """An answer about another refund leaves ours in doubt."""
    ours = payment(provider_ref=REF)
    refund = {
        "id": "re_1",
        "amount": 100,
        "currency": "eur",
        "created": 1,
        "status": "succeeded",
        "payment_intent": REF,
        "metadata": {"refund_id": "r1"},
    }
    exchange = adapter().refund_payment(ours, "r1", Money(100, "EUR"), key="k")

    with pytest.raises(InDoubt) as doubt:
        answer(exchange, 200, {**refund, **fields})
    assert code == doubt.value.code


def test_refund_that_failed(payment: Any) -> None:
    """A failed refund is a result with the reason in Stripe's words."""
    refund = {
        "id": "re_1",
        "amount": 100,
        "currency": "eur",
        "created": 1,
        "status": "failed",
        "failure_reason": "expired_or_canceled_card",
        "payment_intent": REF,
        "metadata": {"refund_id": "r1"},
    }
    exchange = adapter().refund_payment(payment(provider_ref=REF), "r1", Money(100, "EUR"), key="k")

    found = answer(exchange, 200, refund)

    assert S.FAILED is found.state
    assert PaymentFailure(code="refund_failed", provider_code="expired_or_canceled_card") == (
        found.failure
    )


def stripe_error(kind: str, code: str = "") -> dict[str, Any]:
    return {
        "error": {
            "type": kind,
            "message": "Jane Doe's card 4242",
            **({"code": code} if code else {}),
        }
    }


INVALID = stripe_error("invalid_request_error", "parameter_unknown")
LOCK = stripe_error("invalid_request_error", "lock_timeout")
API = stripe_error("api_error")
HTML = b"<html>Log on</html>"


@pytest.mark.parametrize(
    ("status", "content", "after_write", "after_read", "code"),
    [
        (400, INVALID, Rejected, Rejected, "refused"),
        (402, stripe_error("card_error", "card_declined"), Rejected, Rejected, "refused"),
        (400, stripe_error("idempotency_error"), Misconfigured, Misconfigured, "key_reused"),
        (401, INVALID, Misconfigured, Misconfigured, "access_refused"),
        (403, HTML, Misconfigured, Misconfigured, "access_refused"),
        (404, HTML, Misconfigured, Misconfigured, "foreign_answer"),
        (302, b"", Misconfigured, Misconfigured, "foreign_answer"),
        (409, stripe_error("idempotency_error"), Unavailable, Unavailable, "locked"),
        (429, LOCK, Unavailable, Unavailable, "locked"),
        (429, HTML, Unavailable, Unavailable, "rate_limited"),
        (408, HTML, InDoubt, Unavailable, "server_error"),
        (424, INVALID, InDoubt, Unavailable, "server_error"),
        (500, API, InDoubt, Unavailable, "server_error"),
        (502, HTML, InDoubt, Unavailable, "server_error"),
        (503, HTML, InDoubt, Unavailable, "server_error"),
        (504, b"", InDoubt, Unavailable, "server_error"),
        (200, HTML, InDoubt, Unavailable, "unreadable"),
        (200, b"", InDoubt, Unavailable, "unreadable"),
        (200, b"\xff{}", InDoubt, Unavailable, "unreadable"),
    ],
)
def test_errors_say_what_to_do_next(
    payment: Any,
    status: int,
    content: Any,
    after_write: type[HeadraceError],
    after_read: type[HeadraceError],
    code: str,
) -> None:
    """Each error answer has one meaning after a write and one after a read."""
    ours = payment(provider_ref=REF)
    writes = [
        adapter().create_payment(ours, key="k"),
        adapter().capture_payment(ours, ours.amount, key="k"),
        adapter().cancel_payment(ours, key="k"),
        adapter().refund_payment(ours, "r", ours.amount, key="k"),
    ]
    reads = [
        adapter().find_payment(ours),
        adapter().find_payment(payment()),
        adapter().find_refund(ours, "r"),
    ]

    for exchange, expected in [
        *((w, after_write) for w in writes),
        *((r, after_read) for r in reads),
    ]:
        with pytest.raises(HeadraceError) as raised:
            answer(exchange, status, content)
        assert (expected, code) == (type(raised.value), raised.value.code)
        assert "Jane" not in f"{raised.value} {raised.value.detail}"


def test_decline_that_cannot_be_read(payment: Any) -> None:
    """A decline whose payment has another shape is in doubt, and not a configuration error."""
    error = {**stripe_error("card_error")["error"], "payment_intent": {"id": 5}}

    with pytest.raises(InDoubt) as doubt:
        answer(adapter().create_payment(payment(), key="k"), 402, {"error": error})
    assert "unreadable" == doubt.value.code


def test_stripe_asks_to_wait(payment: Any) -> None:
    """Retry-After is handed on in seconds."""
    with pytest.raises(Unavailable) as away:
        answer(adapter().create_payment(payment(), key="k"), 429, LOCK, **{"retry-after": "7"})

    assert 7.0 == away.value.retry_after_s


@pytest.mark.parametrize("field", ["payment_id", "order_id", "token"])
def test_values_cannot_add_fields(payment: Any, field: str) -> None:
    """A value with form syntax in it stays one value."""
    request = next(adapter().create_payment(payment(**{field: "x&amount=1"}), key="k1"))

    assert 1 == request.read().count(b"amount=")


def test_secrets_do_not_print() -> None:
    """Neither the key nor a signing secret appears in what a log would show."""
    settings = Settings(secret_key="sk_live_hidden", webhook_secrets=("whsec_hidden",))

    assert "hidden" not in repr(settings) + str(settings) + repr(settings.__rich_repr__())
    assert "api.stripe.com" in repr(settings)


def test_settings_are_checked() -> None:
    """A key with a line break cannot become a header, and unknown settings are refused."""
    for wrong in (
        {"secret_key": "sk\r\nx: y"},
        {"secret_key": ""},
        {},
        {"secret_key": "s", "x": 1},
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, Settings)


def test_port_is_fulfilled() -> None:
    """The adapter offers every verb of the port."""
    port: Payments = ADAPTER.ports["payments"](Settings(secret_key="sk_test"))

    assert port.find_payment is not None


# The bytes on the wire.


def verbs(payment: Any) -> dict[str, Any]:
    ours = payment(provider_ref=REF)
    debit = payment(method_code="sepa_debit", token="pm_success_de")
    search, by_list = adapter(), adapter(find_by="list")
    klarna = payment(
        method_code="klarna",
        token="",
        return_url="https://shop.example/back",
        payer=samples.payer("DE"),
        items=samples.basket(Money(1999, "EUR")),
    )
    shares = (
        Split(party="acct_1", kind=SplitKind.REMAINDER),
        Split(party=PLATFORM, kind=SplitKind.COMMISSION, amount=Money(199, "EUR")),
    )
    shared = msgspec.structs.replace(ours, splits=shares)
    return {
        "create_payment": search.create_payment(payment(), key="key-1"),
        "create_payment_sepa_debit": search.create_payment(debit, key="key-2"),
        "create_payment_klarna": search.create_payment(klarna, key="key-6"),
        "create_payment_split": search.create_payment(payment(splits=shares), key="key-7"),
        "capture_payment_split": search.capture_payment(shared, Money(500, "EUR"), key="key-8"),
        "refund_payment_split": search.refund_payment(
            shared, "refund-1", Money(200, "EUR"), key="key-9"
        ),
        "capture_payment": search.capture_payment(ours, Money(500, "EUR"), key="key-3"),
        "cancel_payment": search.cancel_payment(ours, key="key-4"),
        "refund_payment": search.refund_payment(ours, "refund-1", Money(200, "EUR"), key="key-5"),
        "find_payment": search.find_payment(ours),
        "find_payment_search": search.find_payment(payment()),
        "find_payment_list": by_list.find_payment(payment()),
        "find_refund": search.find_refund(ours, "refund-1"),
    }


def readable(request: httpx.Request) -> str:
    head = f"{request.method} {request.url.raw_path.decode()}\n"
    head += "".join(f"{k.decode()}: {v.decode()}\n" for k, v in request.headers.raw)
    return head + "\n" + request.read().decode().replace("&", "\n&") + "\n"


NAMES = [
    "create_payment", "create_payment_sepa_debit", "create_payment_klarna", "create_payment_split",
    "capture_payment", "capture_payment_split", "cancel_payment", "refund_payment",
    "refund_payment_split", "find_payment", "find_payment_search", "find_payment_list",
    "find_refund",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_golden(payment: Any, name: str) -> None:
    """The request of each verb is the recorded one; HEADRACE_REGENERATE=1 records it anew."""
    file = GOLDEN / f"{name}.http"
    sent = readable(next(verbs(payment)[name]))
    if os.environ.get("HEADRACE_REGENERATE"):
        file.write_text(sent, encoding="utf-8")

    assert file.read_text(encoding="utf-8") == sent


def test_every_verb_has_a_golden_file(payment: Any) -> None:
    """No verb is left out, and no file is left over."""
    assert set(NAMES) == set(verbs(payment)) == {file.stem for file in GOLDEN.glob("*.http")}
