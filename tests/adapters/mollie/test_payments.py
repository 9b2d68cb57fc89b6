"""The payments port of Mollie, against its simulator."""

import uuid
from typing import Any

import httpx
import msgspec
import pytest

from gateway.errors import InDoubt, Misconfigured, Rejected, Unavailable
from gateway.kit.blocking import run
from gateway.model.money import Money
from gateway.model.movement import MovementKind, MovementState
from gateway.model.payment import (
    ActionKind,
    AttemptState,
    CaptureMethod,
    PaymentAttempt,
    PaymentFailure,
    PaymentState,
)
from gateway.policy import collecting
from tests.adapters.mollie.conftest import refer

S = PaymentState
K = MovementKind
M = MovementState
MANUAL = CaptureMethod.MANUAL
REF = "tr_5B8cwPMGnU6qLbRvo7qEZo"
DEBIT = {"method_code": "sepa_debit", "token": "cst_accepted-mdt_sepa1"}


# What becomes of a payment.


def test_card_token_is_collected_at_once(account: Any, payment: Any) -> None:
    """An automatic card payment is CAPTURED by the answer to its only request."""
    found = account.run(account.payments.create_payment(payment(), key="k1"))

    assert (S.CAPTURED, Money(1999, "EUR"), Money(0, "EUR")) == (
        found.state,
        found.captured,
        found.refunded,
    )
    assert 1 == len(account.requests)
    assert {payment().payment_id: 1} == account.simulator.effects()["charge"]


def test_page_waits_for_the_payer(account: Any, payment: Any) -> None:
    """The payer is sent to Mollie's page, and what was done there is found."""
    ours = payment(method_code="ideal", token="none")
    waiting = account.run(account.payments.create_payment(ours, key="k1"))
    account.simulator.pay(waiting.provider_ref, "paid", now=account.now)

    found = account.run(account.payments.find_payment(refer(ours, waiting)))

    assert waiting.next_action is not None
    assert (S.REQUIRES_ACTION, ActionKind.REDIRECT, True) == (
        waiting.state,
        waiting.next_action.kind,
        waiting.next_action.url.startswith("https://www.mollie.com/checkout/"),
    )
    assert "2026-01-01T00:15:00+00:00" == waiting.next_action.expires_at
    assert (S.CAPTURED, None) == (found.state, found.next_action)


def test_transfer_says_where_to_pay(account: Any, payment: Any) -> None:
    """Mollie's account and the reference stand beside the page."""
    ours = payment(method_code="bank_transfer", token="none")
    waiting = account.run(account.payments.create_payment(ours, key="k1"))

    assert waiting.next_action is not None
    assert ActionKind.TRANSFER is waiting.next_action.kind
    assert {"iban", "bic", "reference"} == set(waiting.next_action.details)


def test_nobody_pays_in_time(account: Any, payment: Any) -> None:
    """A page that expired is a failure that may be tried again."""
    ours = payment(method_code="ideal", token="none")
    waiting = account.run(account.payments.create_payment(ours, key="k1"))
    account.now += 900

    found = account.run(account.payments.find_payment(refer(ours, waiting)))

    expired = PaymentFailure(code="expired", provider_code="expired", retryable=True)
    assert (S.FAILED, expired) == (found.state, found.failure)


@pytest.mark.parametrize("plan", [{}, {"multiple_captures": True}])
def test_authorise_then_capture_a_part(connect: Any, payment: Any, plan: dict[str, Any]) -> None:
    """A part is collected; whether the rest stays held is the profile's business."""
    account = connect(**plan)
    ours = payment(capture_method=MANUAL)
    held = account.run(account.payments.create_payment(ours, key="k1"))
    ours = refer(ours, held)

    found = account.run(account.payments.capture_payment(ours, Money(500, "EUR"), key="k2"))

    assert (S.AUTHORISED, Money(0, "EUR")) == (held.state, held.captured)
    assert (S.CAPTURED, Money(500, "EUR")) == (found.state, found.captured)
    if plan:
        released = account.run(account.payments.cancel_payment(ours, key="k3"))
        assert (S.CAPTURED, Money(500, "EUR")) == (released.state, released.captured)


def test_capture_that_is_under_way(connect: Any, payment: Any) -> None:
    """Nothing is collected yet, so the payment is still only authorised; later it is."""
    account = connect(capture_s=60)
    ours = payment(capture_method=MANUAL)
    ours = refer(ours, account.run(account.payments.create_payment(ours, key="k1")))

    begun = account.run(account.payments.capture_payment(ours, ours.amount, key="k2"))
    account.now += 60
    done = account.run(account.payments.find_payment(ours))

    assert (S.AUTHORISED, 0) == (begun.state, begun.captured.minor)
    assert (S.CAPTURED, ours.amount) == (done.state, done.captured)


def test_cancel_chooses_by_what_mollie_says(account: Any, payment: Any) -> None:
    """An authorisation is released, a debit that is under way is ended, twice is the same."""
    held, debit = payment(capture_method=MANUAL), payment(payment_id="d", **DEBIT)
    states = []
    for number, ours in enumerate((held, debit)):
        made = account.run(account.payments.create_payment(ours, key=f"k{number}"))
        for _ in range(2):
            exchange = account.payments.cancel_payment(refer(ours, made), key=f"x{number}")
            states.append(account.run(exchange).state)

    assert [S.CANCELLED] * 4 == states
    assert ["POST", "DELETE"] == [
        one.method
        for one in account.requests
        if one.url.path.endswith("release-authorization") or one.method == "DELETE"
    ]


def test_what_cannot_be_cancelled(account: Any, payment: Any) -> None:
    """A page that waits for the payer, and money that was taken."""
    for number, ours in enumerate((payment(), payment(payment_id="i", method_code="ideal"))):
        made = account.run(account.payments.create_payment(ours, key=f"k{number}"))
        with pytest.raises(Rejected) as refused:
            account.run(account.payments.cancel_payment(refer(ours, made), key=f"x{number}"))
        assert "refused" == refused.value.code


@pytest.mark.parametrize(
    ("fields", "failure"),
    [
        (
            {"token": "tkn_declined"},
            PaymentFailure(code="declined", provider_code="card_declined"),
        ),
        (
            {"token": "tkn_insufficientFunds"},
            PaymentFailure(
                code="insufficient_funds", provider_code="insufficient_funds", retryable=True
            ),
        ),
        (
            {"method_code": "card_on_file", "token": "cst_declined"},
            PaymentFailure(
                code="insufficient_funds", provider_code="insufficient_funds", retryable=True
            ),
        ),
    ],
)
def test_declined_card_is_a_result(
    account: Any, payment: Any, fields: dict[str, Any], failure: PaymentFailure
) -> None:
    """FAILED with our code and theirs; nothing is raised and no money moves."""
    found = account.run(account.payments.create_payment(payment(**fields), key="k1"))

    assert (S.FAILED, failure) == (found.state, found.failure)
    assert {} == account.simulator.effects()["charge"]


def test_debit_takes_its_time_and_may_fail(account: Any, payment: Any) -> None:
    """PENDING at first; then CAPTURED, or FAILED with the bank's reason."""
    found = []
    for token in ("cst_accepted-mdt_sepa1", "cst_declined"):
        ours = payment(payment_id=token, method_code="sepa_debit", token=token)
        made = account.run(account.payments.create_payment(ours, key=token))
        account.now += 60
        later = account.run(account.payments.find_payment(refer(ours, made)))
        found.append((made.state, later.state, later.failure and later.failure.provider_code))

    assert [(S.PENDING, S.CAPTURED, None), (S.PENDING, S.FAILED, "AM04")] == found


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"method_code": "cheque"}, "method_unsupported"),
        ({"method_code": "klarna"}, "payer_missing"),
        ({"method_code": "ideal", "capture_method": MANUAL}, "capture_method_unsupported"),
        ({"method_code": "card_on_file", "capture_method": MANUAL, "token": "cst_1"},
         "capture_method_unsupported"),
        ({"amount": Money(5120, "KWD")}, "currency_unsupported"),
        ({"method_code": "ideal", "amount": Money(100, "USD")}, "currency_unsupported"),
        ({"method_code": "blik"}, "currency_unsupported"),
        ({"method_code": "paypal", "amount": Money(150, "HUF")}, "amount_too_fine"),
        ({"amount": Money(0, "EUR")}, "amount_invalid"),
        ({"amount": Money(-1, "EUR")}, "amount_invalid"),
        ({"method_code": "sepa_debit", "token": "tkn_1"}, "token_invalid"),
        ({"method_code": "sepa_debit", "token": "cst_1-"}, "token_invalid"),
        ({"return_url": ""}, "return_url_missing"),
        ({"method_code": "ideal", "return_url": ""}, "return_url_missing"),
        ({"order_id": "o" * 201}, "field_too_long"),
        ({"payment_id": "p" * 201}, "field_too_long"),
    ],
)  # fmt: skip
def test_what_mollie_cannot_do_is_refused_unsent(
    account: Any, payment: Any, fields: dict[str, Any], code: str
) -> None:
    """The refusal comes before the first request, and names the field where one is to blame."""
    with pytest.raises(Rejected) as refused:
        account.run(account.payments.create_payment(payment(**fields), key="k1"))

    assert (code, []) == (refused.value.code, account.requests)
    if code not in {"method_unsupported", "capture_method_unsupported"}:
        assert any(name in refused.value.message for name in ("payment.", "_id"))


def test_nothing_is_captured_or_refunded_in_amounts_of_nothing(account: Any, payment: Any) -> None:
    """Neither 0 nor another currency than the payment's."""
    ours = payment(provider_ref=REF)
    for amount in (Money(0, "EUR"), Money(100, "USD")):
        for exchange in (
            account.payments.capture_payment(ours, amount, key="k"),
            account.payments.refund_payment(ours, "r", amount, key="k"),
        ):
            with pytest.raises(Rejected) as refused:
                account.run(exchange)
            assert "amount_invalid" == refused.value.code
    assert [] == account.requests


@pytest.mark.parametrize(
    ("amount", "sent"),
    [
        (Money(1, "EUR"), b'{"currency":"EUR","value":"0.01"}'),
        (Money(500, "JPY"), b'{"currency":"JPY","value":"500"}'),
        (Money(5, "ISK"), b'{"currency":"ISK","value":"5"}'),
        (Money(1045, "HUF"), b'{"currency":"HUF","value":"10.45"}'),
        (Money(99_999_999_999, "EUR"), b'{"currency":"EUR","value":"999999999.99"}'),
    ],
)
def test_amounts_as_mollie_writes_them(
    account: Any, payment: Any, amount: Money, sent: bytes
) -> None:
    """All decimals of the currency go out, and the same amount of money comes back."""
    found = account.run(account.payments.create_payment(payment(amount), key="k1"))

    assert sent in account.requests[0].read()
    assert (amount, amount) == (found.amount, found.captured)


# What becomes of it when something goes wrong.


def test_lost_answer_then_find(account: Any, payment: Any) -> None:
    """A payment whose answer was lost is found by our id, two pages back."""
    ours = payment()
    account.lose_answer(account.payments.create_payment(ours, key="k1"))
    for number in range(260):
        other = payment(payment_id=f"other-{number}")
        account.run(account.payments.create_payment(other, key=f"o{number}"))
    before = len(account.requests)

    found = account.run(account.payments.find_payment(ours))

    assert (S.CAPTURED, Money(1999, "EUR")) == (found.state, found.amount)
    assert 2 == len(account.requests) - before
    assert 1 == account.simulator.effects()["charge"][ours.payment_id]


def test_look_through_the_list_ends_where_it_can_not_be(account: Any, payment: Any) -> None:
    """Payments older than ours, and some minutes of skew, are not paged through."""
    for number in range(260):
        other = payment(payment_id=f"other-{number}")
        account.run(account.payments.create_payment(other, key=f"o{number}"))
    before = len(account.requests)
    late = payment(requested_at="2026-01-01T00:05:01Z")

    assert account.run(account.payments.find_payment(late)) is None
    assert 1 == len(account.requests) - before


def test_same_key_twice_is_one_charge(account: Any, payment: Any) -> None:
    """Repeating a request with its key repeats the answer; the key on the wire is a UUID."""
    first = account.run(account.payments.create_payment(payment(), key="k1"))
    second = account.run(account.payments.create_payment(payment(), key="k1"))
    account.run(account.payments.create_payment(payment(payment_id="p2"), key="k2"))

    keys = [one.headers["idempotency-key"] for one in account.requests]
    assert first == second
    assert {payment().payment_id: 1, "p2": 1} == account.simulator.effects()["charge"]
    assert (keys[0], 2) == (keys[1], len(set(keys)))
    assert all(str(uuid.UUID(key)) == key for key in keys)


def test_key_for_another_request(account: Any, payment: Any) -> None:
    """Mollie refuses; nothing happens a second time."""
    account.run(account.payments.create_payment(payment(), key="k1"))

    with pytest.raises(Unavailable):
        account.run(account.payments.create_payment(payment(Money(5, "EUR")), key="k1"))
    assert {payment().payment_id: 1} == account.simulator.effects()["charge"]


def test_second_attempt_is_found_before_the_first(account: Any, payment: Any) -> None:
    """Of a declined and a successful attempt for one payment the successful one is found."""
    account.run(account.payments.create_payment(payment(), key="k2"))
    account.run(account.payments.create_payment(payment(token="tkn_declined"), key="k1"))

    assert S.CAPTURED is account.run(account.payments.find_payment(payment())).state


def test_two_charges_for_one_payment_need_a_person(account: Any, payment: Any) -> None:
    """Two payments alive with our id are in doubt, and not one of them at random."""
    account.run(account.payments.create_payment(payment(), key="k1"))
    account.run(account.payments.create_payment(payment(), key="k2"))

    with pytest.raises(InDoubt) as doubt:
        account.run(account.payments.find_payment(payment()))
    assert "found_twice" == doubt.value.code


def test_a_payment_is_read_with_all_that_became_of_its_money(account: Any, payment: Any) -> None:
    """A classic webhook says only that something changed; reading finds refund and chargeback."""
    ours = refer(payment(), account.run(account.payments.create_payment(payment(), key="a")))
    assert () == account.run(account.payments.find_payment(ours)).movements
    given = account.run(account.payments.refund_payment(ours, "r1", Money(300, "EUR"), key="r"))
    taken = account.simulator.charge_back(ours.provider_ref, 500, now=account.now, reason="AM04")

    found = account.run(account.payments.find_payment(ours))
    attempt = PaymentAttempt(attempt_id="a", key="a", state=AttemptState.PREPARED)
    before = msgspec.structs.replace(ours, attempts=(attempt,))
    told, _ = collecting.apply(before, found)

    kinds = {one.ref: (one.kind, one.state, one.amount.minor) for one in found.movements}
    assert {
        given.provider_ref: (K.REFUND, M.PENDING, 300),
        taken: (K.RETURN, M.DONE, 500),
    } == kinds
    assert (300, 500) == (told.refunded.minor, told.returned.minor)

    account.simulator.reverse(ours.provider_ref, taken, now=account.now)
    account.simulator.fail_refund(ours.provider_ref, given.provider_ref, now=account.now)
    after, _ = collecting.apply(told, account.run(account.payments.find_payment(ours)))

    assert (S.CAPTURED, 0, 0) == (after.state, after.refunded.minor, after.returned.minor)


@pytest.mark.parametrize(
    "wrong",
    [
        {"paymentId": "tr_other"},
        {"amount": {"currency": "CHF", "value": "3.00"}},
        {"amount": {"currency": "EUR", "value": "3.001"}},
        {"amount": "3.00"},
        {"status": "lost"},
    ],
)
def test_a_muddled_part_makes_doubt_of_the_payment(
    account: Any, payment: Any, wrong: dict[str, Any]
) -> None:
    """What is read with a payment is no more believed than the payment."""
    ours = refer(payment(), account.run(account.payments.create_payment(payment(), key="a")))
    account.run(account.payments.refund_payment(ours, "r1", Money(300, "EUR"), key="r"))
    handle = account.simulator.handle

    def muddled(request: httpx.Request, *, now: float) -> httpx.Response:
        answer = handle(request, now=now).json()
        answer["_embedded"]["refunds"][0] |= wrong
        return httpx.Response(200, json=answer, request=request)

    account.simulator.handle = muddled

    with pytest.raises(InDoubt):
        account.run(account.payments.find_payment(ours))


def test_refund_is_found_again(account: Any, payment: Any) -> None:
    """A refund whose answer was lost is found by our refund id, on any page."""
    paid = payment(Money(100_000, "EUR"))
    ours = refer(paid, account.run(account.payments.create_payment(paid, key="k1")))
    account.lose_answer(
        account.payments.refund_payment(ours, "r-lost", Money(100, "EUR"), key="k2")
    )
    for number in range(260):
        exchange = account.payments.refund_payment(
            ours, f"r{number}", Money(1, "EUR"), key=f"x{number}"
        )
        account.run(exchange)
    account.now += 60

    found = account.run(account.payments.find_refund(ours, "r-lost"))

    assert (S.SETTLED, Money(100, "EUR")) == (found.state, found.amount)
    assert account.run(account.payments.find_refund(ours, "r-never")) is None
    assert found == account.run(account.payments.find_refund(paid, "r-lost"))
    assert 1 == account.simulator.effects()["refund"]["r-lost"]


def test_refund_above_the_collected_amount(account: Any, payment: Any) -> None:
    """Mollie refuses, and so do we, with the field that it names."""
    ours = refer(payment(), account.run(account.payments.create_payment(payment(), key="k1")))

    with pytest.raises(Rejected) as refused:
        account.run(account.payments.refund_payment(ours, "r1", Money(2000, "EUR"), key="k2"))
    assert "Unprocessable Entity amount" == refused.value.detail
    assert {} == account.simulator.effects()["refund"]


def test_refund_just_like_another_can_wait(account: Any, payment: Any) -> None:
    """Another key with the same body a moment later: nothing happened, ask again later."""
    ours = refer(payment(), account.run(account.payments.create_payment(payment(), key="k1")))
    account.run(account.payments.refund_payment(ours, "r1", Money(100, "EUR"), key="k2"))

    with pytest.raises(Unavailable):
        account.run(account.payments.refund_payment(ours, "r1", Money(100, "EUR"), key="k3"))
    assert {"r1": 1} == account.simulator.effects()["refund"]


def test_verbs_that_need_their_id(account: Any, payment: Any) -> None:
    """Without Mollie's id nothing is captured, cancelled or refunded, and nothing is sent."""
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


def test_two_accounts_in_one_process(connect: Any, payment: Any) -> None:
    """Each profile has its own key and its own payments."""
    one, two = connect(api_key="test_1"), connect(api_key="test_2")
    for each in (one, two):
        each.run(each.payments.create_payment(payment(), key="k1"))

    assert one.simulator.effects()["charge"] == two.simulator.effects()["charge"]
    with pytest.raises(Misconfigured) as wrong:
        run(one.payments.create_payment(payment(), key="k9"), two.send)
    assert "access_refused" == wrong.value.code
