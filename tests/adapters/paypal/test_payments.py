"""Payments by PayPal: what the suite for all providers does not know of."""

import json
from typing import Any

import msgspec
import pytest

from adapters.paypal import ADAPTER
from gateway.errors import InDoubt, Rejected, Unavailable
from gateway.model.money import Money
from gateway.model.movement import MovementKind, MovementState
from gateway.model.payment import CaptureMethod, PaymentState
from gateway.policy import collecting
from tests.adapters.paypal.conftest import BACK, adapter, answer, refer
from tests.redacting import redact_body

S = PaymentState


def wallet(payment: Any, **fields: Any) -> Any:
    return payment(**{"method_code": "paypal", "token": "", **fields})


def opened(account: Any, ours: Any) -> Any:
    """The payment with its order."""
    key = ours.payment_id
    return refer(ours, account.run(account.payments.create_payment(ours, key=key)))


@pytest.mark.parametrize(
    ("capture", "state", "verb"),
    [
        (CaptureMethod.AUTOMATIC, S.CAPTURED, "capture"),
        (CaptureMethod.MANUAL, S.AUTHORISED, "authorize"),
    ],
)
def test_an_approved_order_is_completed_by_whoever_looks(
    account: Any, payment: Any, capture: CaptureMethod, state: PaymentState, verb: str
) -> None:
    """Waiting with a page, then the payer agrees, then the look-up completes it, once."""
    ours = wallet(payment, capture_method=capture)
    made = account.run(account.payments.create_payment(ours, key="k"))
    ours = refer(ours, made)
    assert S.REQUIRES_ACTION is made.state
    assert made.next_action.url.endswith(f"/checkoutnow?token={made.provider_ref}")
    assert S.REQUIRES_ACTION is account.run(account.payments.find_payment(ours)).state

    account.simulator.approve(made.provider_ref, now=account.now)
    found = [account.run(account.payments.find_payment(ours)) for _ in range(2)]

    assert found[0] == found[1]
    assert state is found[0].state
    sent = [one.url.path for one in account.requests if one.url.path.endswith(f"/{verb}")]
    assert [f"/v2/checkout/orders/{made.provider_ref}/{verb}"] == sent


@pytest.mark.parametrize("state", [S.CANCELLED, S.FAILED])
def test_a_payment_that_was_given_up_is_not_completed(
    account: Any, payment: Any, state: PaymentState
) -> None:
    """However late the payer agrees."""
    ours = opened(account, wallet(payment))
    ended = account.run(account.payments.cancel_payment(ours, key="x"))
    assert (S.CANCELLED, None) == (ended.state, ended.next_action)

    account.simulator.approve(ours.provider_ref, now=account.now)
    account.run(account.payments.find_payment(msgspec.structs.replace(ours, state=state)))

    assert {} == account.simulator.effects()["charge"]


def test_a_lost_completion_is_found(account: Any, payment: Any) -> None:
    """The next look sees the order complete; nothing is collected twice."""
    ours = opened(account, wallet(payment))
    account.simulator.approve(ours.provider_ref, now=account.now)
    exchange = account.payments.find_payment(ours)
    completing = exchange.send(account.send(next(exchange)))
    account.send(completing)
    exchange.close()

    assert S.CAPTURED is account.run(account.payments.find_payment(ours)).state
    assert {ours.payment_id: 1} == account.simulator.effects()["charge"]


def test_a_completion_that_fails_is_no_doubt(account: Any, payment: Any) -> None:
    """It can be asked again, for an order is completed once."""
    ours = opened(account, wallet(payment))
    account.simulator.approve(ours.provider_ref, now=account.now)

    exchange = account.payments.find_payment(ours)
    completing = exchange.send(account.send(next(exchange)))
    with pytest.raises(Unavailable):
        exchange.send(account.simulator.refuse(completing, 500))


def test_a_wallet_that_cannot_pay_is_a_result(account: Any, payment: Any) -> None:
    """The payer agreed, and PayPal declines when the order is completed."""
    ours = opened(account, wallet(payment))
    account.simulator.approve(ours.provider_ref, now=account.now, outcome="INSTRUMENT_DECLINED")

    found = account.run(account.payments.find_payment(ours))

    assert (S.FAILED, "declined") == (found.state, found.failure.code)
    assert ours.provider_ref == found.provider_ref


@pytest.mark.parametrize(
    ("token", "code", "theirs"),
    [
        ("vault-card-declined", "insufficient_funds", "5120"),
        ("vault-card-expired", "instrument_expired", "CARD_EXPIRED"),
    ],
)
def test_declines_have_our_code(
    account: Any, payment: Any, token: str, code: str, theirs: str
) -> None:
    """With an order, or without one."""
    made = account.run(account.payments.create_payment(payment(token=token), key="k"))

    assert (code, theirs) == (made.failure.code, made.failure.provider_code)


def test_a_card_may_want_the_payer(account: Any, payment: Any) -> None:
    """Its bank asks on a page; afterwards the order is completed as a wallet's is."""
    ours = payment(token="vault-card-challenge")
    made = account.run(account.payments.create_payment(ours, key="k"))
    assert S.REQUIRES_ACTION is made.state

    account.simulator.approve(made.provider_ref, now=account.now)

    assert S.CAPTURED is account.run(account.payments.find_payment(refer(ours, made))).state


def test_a_pending_capture_is_pending(account: Any, payment: Any) -> None:
    """Until PayPal has looked at it."""
    ours = payment(method_code="paypal_vault", token="vault-paypal-pending")
    made = account.run(account.payments.create_payment(ours, key="k"))
    assert (S.PENDING, 0) == (made.state, made.captured.minor)

    account.now += 60

    assert S.CAPTURED is account.run(account.payments.find_payment(refer(ours, made))).state


@pytest.mark.parametrize("hours", [5, 6, 80])
def test_keys_are_forgotten(account: Any, payment: Any, hours: int) -> None:
    """An order whose id never came is not asked for by a key that PayPal may have forgotten."""
    ours = payment()
    account.lose_answer(account.payments.create_payment(ours, key="k"))
    account.now += hours * 3_600

    if hours < 6:
        assert S.CAPTURED is account.run(account.payments.find_payment(ours)).state
    else:
        account.session = None
        with pytest.raises(InDoubt) as doubt:
            account.run(account.payments.find_payment(ours))
        assert "key_forgotten" == doubt.value.code
    assert {ours.payment_id: 1} == account.simulator.effects()["charge"]


def test_a_second_order_with_our_id_is_refused(account: Any, payment: Any) -> None:
    """Our id is the invoice id, which PayPal takes once."""
    account.run(account.payments.create_payment(payment(), key="one"))

    with pytest.raises(Rejected) as refused:
        account.run(account.payments.create_payment(payment(), key="two"))

    assert "UNPROCESSABLE_ENTITY DUPLICATE_INVOICE_ID" == refused.value.detail


@pytest.mark.parametrize(
    ("amount", "value"),
    [
        (Money(1, "EUR"), "0.01"),
        (Money(500, "JPY"), "500"),
        (Money(199_900, "HUF"), "1999"),
        (Money(100, "TWD"), "1"),
        (Money(99_999_999_999, "USD"), "999999999.99"),
    ],
)
def test_amounts_are_written_as_paypal_counts(
    account: Any, payment: Any, amount: Money, value: str
) -> None:
    """Whole in HUF, JPY and TWD, and read back as they were."""
    ours = payment(amount, method_code="paypal_vault", token="vault-paypal-accepted")

    made = account.run(account.payments.create_payment(ours, key="k"))

    body = json.loads(account.requests[-1].read())
    assert value == body["purchase_units"][0]["amount"]["value"]
    assert (amount, amount) == (made.amount, made.captured)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": Money(199_950, "HUF"), "method_code": "paypal"}, "amount_too_fine"),
        ({"amount": Money(150, "TWD"), "method_code": "paypal"}, "amount_too_fine"),
        ({"amount": Money(0, "EUR")}, "amount_invalid"),
        ({"amount": Money(5_120, "KWD")}, "currency_unsupported"),
        ({"amount": Money(500, "TWD")}, "currency_unsupported"),
        ({"method_code": "ideal"}, "payer_missing"),
        ({"method_code": "giropay"}, "method_unsupported"),
        ({"token": ""}, "token_invalid"),
        ({"token": "4111 1111"}, "token_invalid"),
        ({"method_code": "paypal", "return_url": ""}, "return_url_missing"),
    ],
)
def test_what_paypal_cannot_do_is_refused_before_anything_is_sent(
    account: Any, payment: Any, fields: dict[str, Any], code: str
) -> None:
    """With the field that is to blame."""
    with pytest.raises(Rejected) as refused:
        account.run(account.payments.create_payment(payment(**fields), key="k"))

    assert (code, []) == (refused.value.code, account.requests)
    assert "payment." in str(refused.value)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda order: order["purchase_units"][0].update(custom_id="another"),
        lambda order: order["purchase_units"][0]["amount"].update(value="19.98"),
        lambda order: (
            order["purchase_units"][0].update(payments={})
            or order["purchase_units"][0]["amount"].update(currency_code="USD")
        ),
        lambda order: order.update(id="ANOTHER"),
    ],
)
def test_an_answer_about_something_else_is_doubt(account: Any, payment: Any, spoil: Any) -> None:
    """Amount, currency, our id and theirs have to be the same."""
    ours = opened(account, payment())
    order = account.responses[-1].json()
    spoil(order)

    with pytest.raises(InDoubt) as doubt:
        answer(adapter().find_payment(ours), 200, order)

    assert "integrity_mismatch" == doubt.value.code


def test_an_unknown_status_is_doubt(account: Any, payment: Any) -> None:
    """Nobody guesses."""
    ours = opened(account, payment())
    order = account.responses[-1].json()
    order["purchase_units"][0]["payments"]["captures"][0]["status"] = "LOST"

    with pytest.raises(InDoubt) as doubt:
        answer(adapter().find_payment(ours), 200, order)

    assert "status_unknown" == doubt.value.code


def test_refunds_are_movements_of_the_payment(account: Any, payment: Any) -> None:
    """Each under PayPal's id; one that failed after all gives nothing back."""
    ours = opened(account, payment())
    made = [
        account.run(account.payments.refund_payment(ours, ref, Money(500, "EUR"), key=ref))
        for ref in ("r1", "r2")
    ]
    account.simulator.fail_refund(made[1].provider_ref, now=account.now)

    found = account.run(account.payments.find_payment(ours))

    assert {
        made[0].provider_ref: MovementState.DONE,
        made[1].provider_ref: MovementState.UNDONE,
    } == {one.ref: one.state for one in found.movements}
    assert 500 == found.refunded.minor
    assert S.FAILED is account.run(account.payments.find_refund(ours, "r2")).state


def test_a_refund_is_not_repeated_after_its_key_is_forgotten(account: Any, payment: Any) -> None:
    """It stands in the order, with our id."""
    ours = opened(account, payment())
    for _ in range(2):
        account.run(account.payments.refund_payment(ours, "r", Money(500, "EUR"), key="r"))
        account.now += 100 * 3_600
        account.session = None

    assert {"r": 1} == account.simulator.effects()["refund"]


def test_the_capture_of_which_enough_is_left_is_refunded(account: Any, payment: Any) -> None:
    """An authorisation may be collected in parts."""
    ours = opened(account, payment(capture_method=CaptureMethod.MANUAL))
    for minor in (500, 1499):
        amount = Money(minor, "EUR")
        account.run(account.payments.capture_payment(ours, amount, key=str(minor)))
    made = account.run(account.payments.refund_payment(ours, "r", Money(1200, "EUR"), key="r"))

    found = account.run(account.payments.find_payment(ours))
    assert (1999, 1200) == (found.captured.minor, found.refunded.minor)
    assert S.SETTLED is made.state
    with pytest.raises(Rejected):
        account.run(account.payments.refund_payment(ours, "r2", Money(600, "EUR"), key="r2"))


@pytest.mark.parametrize("verb", ["refund", "cancel", "capture"])
def test_what_does_not_fit_the_order_is_refused(account: Any, payment: Any, verb: str) -> None:
    """Nothing collected gives nothing back; what was collected cannot be let go."""
    port = account.payments
    if verb == "refund":
        ours = opened(account, wallet(payment))
        exchange = port.refund_payment(ours, "r", ours.amount, key="r")
    else:
        ours = opened(account, payment())
        exchange = {
            "cancel": lambda: port.cancel_payment(ours, key="x"),
            "capture": lambda: port.capture_payment(ours, ours.amount, key="c"),
        }[verb]()

    with pytest.raises(Rejected):
        account.run(exchange)


def test_disputes_are_movements(account: Any, payment: Any) -> None:
    """Claimed, then taken back; and won where PayPal no longer says so."""
    ours = opened(account, payment())
    states = []
    for reason in ("BUYER_COMPLAINT", "CHARGEBACK"):
        account.simulator.dispute(ours.provider_ref, reason, now=account.now)
        said = account.run(account.payments.find_payment(ours))
        (one,) = said.movements
        assert MovementKind.DISPUTE is one.kind
        ours, _ = collecting.apply(ours, said)
        states.append(ours.state)
    order = account.responses[-1].json()
    del order["purchase_units"][0]["payments"]["captures"][0]["status_details"]
    ours, _ = collecting.apply(ours, answer(adapter().find_payment(ours), 200, order))

    assert [S.DISPUTED, S.RETURNED] == states
    assert (S.CAPTURED, 0) == (ours.state, ours.returned.minor)


def test_evidence_shows_no_instrument_and_no_page(account: Any, payment: Any) -> None:
    """Ids, amounts and codes can be read; vault ids, pages and people cannot."""
    account.run(account.payments.create_payment(payment(), key="k"))
    opened(account, wallet(payment, payment_id="w"))
    order = account.responses[-1].json()
    order["payer"] = {"email_address": "ada@example.com", "name": {"given_name": "Ada"}}
    bodies = [one.read() for one in account.requests] + [one.content for one in account.responses]
    bodies.append(json.dumps(order).encode())
    text = "".join(redact_body("application/json", one, ADAPTER.readable) for one in bodies)

    for hidden in ("vault-card", "checkoutnow", BACK, "ada@", '"Ada"'):
        assert hidden not in text
    for seen in (payment().payment_id, "19.99", "COMPLETED", "PAYER_ACTION_REQUIRED", "CAPTURE"):
        assert seen in text


def test_a_refund_that_failed_uses_nothing_up(account: Any, payment: Any) -> None:
    """The next one is of the same capture."""
    ours = opened(account, payment(capture_method=CaptureMethod.MANUAL))
    for minor in (500, 1499):
        amount = Money(minor, "EUR")
        account.run(account.payments.capture_payment(ours, amount, key=str(minor)))
    for ref in ("r1", "r2"):
        amount = Money(500, "EUR")
        made = account.run(account.payments.refund_payment(ours, ref, amount, key=ref))
        account.simulator.fail_refund(made.provider_ref, now=account.now)

    paths = [one.url.path for one in account.requests if one.url.path.endswith("/refund")]
    assert paths[0] == paths[1]
