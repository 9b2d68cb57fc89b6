"""What GoCardless reports of one payment ends in the same payment, in any order and repeated."""

from typing import Any, Final

import msgspec
import pytest

from adapters.gocardless import ADAPTER, Settings
from gateway.model.event import ProviderEvent
from gateway.model.movement import MovementKind
from gateway.model.payment import AttemptState, PaymentAttempt, PaymentState
from gateway.policy import collecting
from gateway.ports.notification import Notification
from tests.adapters.gocardless.conftest import SECRET
from tests.conformance import samples
from tests.conformance.convergence import after, assert_converges

S = PaymentState
_PAYMENT: Final = msgspec.structs.replace(
    samples.payment(1, token="MD1", method="sepa_debit"),
    provider_ref="PM1",
    attempts=(PaymentAttempt(attempt_id="a", key="k", state=AttemptState.PREPARED),),
)
_UNITS: Final = _PAYMENT.amount.minor
_OURS: Final = {"payment_id": _PAYMENT.payment_id, "order_id": _PAYMENT.order_id}


def _payment(action: str, cause: str = "", **details: Any) -> dict[str, Any]:
    return {
        "resource_type": "payments",
        "action": action,
        "links": {"payment": "PM1"},
        "details": {"cause": cause or f"payment_{action}", **details},
        "resource_metadata": {**_OURS, "amount": f"{_PAYMENT.amount.amount} EUR"},
    }


def _refund(action: str, ref: str = "RF1") -> dict[str, Any]:
    return {
        "resource_type": "refunds",
        "action": action,
        "links": {"refund": ref},
        "details": {"cause": f"refund_{action}"},
        "resource_metadata": {**_OURS, "refund_id": ref, "amount": "5.00 EUR"},
    }


_CREATED, _SUBMITTED = _payment("created"), _payment("submitted")
_CONFIRMED, _PAID_OUT = _payment("confirmed"), _payment("paid_out")
_FAILED: Final = _payment("failed", "insufficient_funds", will_attempt_retry=False)
_DISPUTED: Final = _payment("charged_back", "authorisation_disputed")

# What GoCardless sends in the life of one payment, and the end: state, captured, refunded,
# returned.
_LIVES: Final = {
    "paid out": ([_CREATED, _SUBMITTED, _CONFIRMED, _PAID_OUT], (S.SETTLED, _UNITS, 0, 0)),
    "failed": ([_CREATED, _SUBMITTED, _FAILED], (S.FAILED, 0, 0, 0)),
    "approved, then failed": (
        [_CREATED, _payment("customer_approval_granted"), _SUBMITTED, _FAILED],
        (S.FAILED, 0, 0, 0),
    ),
    "denied": ([_CREATED, _payment("customer_approval_denied")], (S.FAILED, 0, 0, 0)),
    "cancelled": ([_CREATED, _payment("cancelled")], (S.CANCELLED, 0, 0, 0)),
    "failed late": (
        [_CREATED, _SUBMITTED, _CONFIRMED, _FAILED],
        (S.RETURNED, _UNITS, 0, _UNITS),
    ),
    "failed late, after the payout": (
        [
            _CREATED,
            _SUBMITTED,
            _CONFIRMED,
            _PAID_OUT,
            _FAILED,
            _payment("late_failure_settled"),
        ],
        (S.RETURNED, _UNITS, 0, _UNITS),
    ),
    "charged back": (
        [_SUBMITTED, _CONFIRMED, _PAID_OUT, _DISPUTED, _payment("chargeback_settled")],
        (S.RETURNED, _UNITS, 0, _UNITS),
    ),
    "charged back, and taken back": (
        [_SUBMITTED, _CONFIRMED, _PAID_OUT, _DISPUTED, _payment("chargeback_cancelled")],
        (S.SETTLED, _UNITS, 0, 0),
    ),
    "failed, and tried again by GoCardless": (
        [
            _SUBMITTED,
            _payment("failed", "insufficient_funds", will_attempt_retry=True),
            _payment("resubmission_requested", "payment_autoretried"),
            _CONFIRMED,
        ],
        (S.CAPTURED, _UNITS, 0, 0),
    ),
    "failed, tried again by GoCardless, and failed late": (
        [
            _payment("failed", "insufficient_funds", will_attempt_retry=True),
            _payment("resubmission_requested", "payment_autoretried"),
            _CONFIRMED,
            _FAILED,
        ],
        (S.RETURNED, _UNITS, 0, _UNITS),
    ),
    "failed, and tried again by a person": (
        [
            _CREATED,
            _SUBMITTED,
            _FAILED,
            _payment("resubmission_requested", "payment_retried"),
            _CONFIRMED,
            _PAID_OUT,
        ],
        (S.SETTLED, _UNITS, 0, 0),
    ),
    "two refunds, of which one came back": (
        [
            _CONFIRMED,
            _PAID_OUT,
            _refund("created"),
            _refund("paid"),
            _refund("paid", "RF2"),
            _refund("funds_returned", "RF2"),
        ],
        (S.SETTLED, _UNITS, 500, 0),
    ),
    "a refund, then charged back": (
        [_CONFIRMED, _PAID_OUT, _refund("created"), _refund("paid"), _DISPUTED],
        (S.RETURNED, _UNITS, 500, _UNITS),
    ),
}


def _read(given: dict[str, Any]) -> ProviderEvent:
    body = msgspec.json.encode({"events": [{"id": "EV1", **given}]})
    port = ADAPTER.port("webhooks", Settings(access_token="t", webhook_secrets=("s",)))
    (event,) = port.read(Notification(body=body))
    found: ProviderEvent = event
    assert found.payment or found.movements
    return found


@pytest.mark.parametrize("life", _LIVES)
def test_every_order_of_events_ends_alike(life: str) -> None:
    """All permutations of up to six events, each event once more at the end or at the start."""
    given, (state, *money) = _LIVES[life]
    events = [_read(one) for one in given]

    expected = after(_PAYMENT, events)
    found = [one.minor for one in (expected.captured, expected.refunded, expected.returned)]
    assert (state, money) == (expected.state, found)

    assert_converges(_PAYMENT, events)


@pytest.mark.parametrize(
    ("mandate", "state", "reason"),
    [
        ("MD00SEPA", S.SETTLED, ""),
        ("MD00FUNDS", S.FAILED, "insufficient_funds"),
        ("MD00LATE", S.RETURNED, "insufficient_funds"),
        ("MD00LATEPAID", S.RETURNED, "refer_to_payer"),
        ("MD00DISPUTED", S.RETURNED, "authorisation_disputed"),
    ],
)
def test_life_as_it_is_delivered(
    connect: Any, payment: Any, mandate: str, state: Any, reason: str
) -> None:
    """From the answer through signed deliveries, doubled and in any order, to the end."""
    account = connect(duplicate_share=0.5, shuffle=True, seed=11, together=2)
    attempt = PaymentAttempt(attempt_id="a", key="k", state=AttemptState.PREPARED)
    ours = payment(token=mandate, attempts=(attempt,))
    answer = account.run(account.payments.create_payment(ours, key="k"))
    ours, _ = collecting.apply(ours, answer)
    account.now += 60
    port = ADAPTER.port("webhooks", Settings(access_token="t", webhook_secrets=(SECRET,)))

    for request in account.simulator.due(now=account.now):
        headers = tuple((name.lower(), value) for name, value in request.headers.items())
        delivery = Notification(headers=headers, body=request.read())
        port.verify(delivery, now=account.now)
        for event in port.read(delivery):
            assert (ours.payment_id, answer.provider_ref) == (event.payment_id, event.provider_ref)
            ours, _ = collecting.apply(ours, event.payment, event.movements)

    returned = [one.reason_code for one in ours.movements if one.kind is MovementKind.RETURN]
    assert state is ours.state
    assert bool(reason) == (reason in returned)
    found = account.run(account.payments.find_payment(ours))
    assert collecting.apply(ours, found)[0].state is state
