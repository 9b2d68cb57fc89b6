"""Convergence: Stripe's events in any order, any of them twice, end in the same payment."""

from typing import Any, Final

import msgspec
import pytest

from adapters.stripe import ADAPTER
from adapters.stripe.settings import Settings
from gateway.model.event import ProviderEvent
from gateway.model.payment import AttemptState, PaymentAttempt, PaymentState
from gateway.ports.notification import Notification
from tests.conformance import samples
from tests.conformance.convergence import after, assert_converges

S = PaymentState
_PAYMENT: Final = msgspec.structs.replace(
    samples.payment(1, token="pm_1"),
    provider_ref="pi_1",
    attempts=(PaymentAttempt(attempt_id="a", key="k", state=AttemptState.PREPARED),),
)
_UNITS: Final = _PAYMENT.amount.minor
_ABOUT: Final = {"currency": "eur", "created": 1, "metadata": {"payment_id": _PAYMENT.payment_id}}
_DECLINED: Final = {"code": "card_declined", "decline_code": "insufficient_funds"}


def _intent(kind: str, status: str, received: int = 0, **more: Any) -> tuple[str, dict[str, Any]]:
    amounts = {"amount": _UNITS, "amount_received": received}
    return f"payment_intent.{kind}", {"id": "pi_1", "status": status, **amounts, **_ABOUT, **more}


def _about(kind: str, minor: int, **more: Any) -> tuple[str, dict[str, Any]]:
    return kind, {"amount": minor, "payment_intent": "pi_1", **_ABOUT, **more}


def _refund(kind: str, status: str, ref: str = "re_1") -> tuple[str, dict[str, Any]]:
    return _about(kind, 500, id=ref, status=status)


def _dispute(kind: str, status: str) -> tuple[str, dict[str, Any]]:
    return _about(f"charge.dispute.{kind}", 700, id="dp_1", status=status)


def _refunded(minor: int) -> tuple[str, dict[str, Any]]:
    amounts = {"amount_captured": _UNITS, "amount_refunded": minor, "captured": True}
    return _about("charge.refunded", _UNITS, id="ch_1", **amounts)


_CREATED: Final = _intent("created", "requires_payment_method")
_PAID: Final = _intent("succeeded", "succeeded", _UNITS)

# What Stripe sends in the life of one payment, and the end: state, refunded, returned, disputed.
_LIVES: Final = {
    "challenge, refund": (
        [
            _CREATED,
            _intent("requires_action", "requires_action"),
            _PAID,
            _refund("refund.created", "pending"),
            _refund("refund.updated", "succeeded"),
            _refunded(500),
        ],
        (S.CAPTURED, 500, 0, 0),
    ),
    "a refund that failed after all": (
        [
            _intent("amount_capturable_updated", "requires_capture"),
            _PAID,
            _refund("refund.created", "pending"),
            _refunded(500),
            _refund("refund.updated", "succeeded"),
            _refund("refund.failed", "failed"),
        ],
        (S.CAPTURED, 0, 0, 0),
    ),
    "a dispute that was lost": (
        [
            _CREATED,
            _PAID,
            _dispute("created", "needs_response"),
            _dispute("updated", "under_review"),
            _dispute("funds_withdrawn", "under_review"),
            _dispute("closed", "lost"),
        ],
        (S.CAPTURED, 0, 700, 0),
    ),
    "a dispute that was won": (
        [
            _CREATED,
            _PAID,
            _dispute("created", "needs_response"),
            _dispute("closed", "won"),
            _dispute("funds_reinstated", "won"),
            _refunded(300),
        ],
        (S.CAPTURED, 300, 0, 0),
    ),
    "declined, then ended": (
        [
            _CREATED,
            _intent("payment_failed", "requires_payment_method", last_payment_error=_DECLINED),
            _intent("processing", "processing"),
            _intent("canceled", "canceled"),
        ],
        (S.CANCELLED, 0, 0, 0),
    ),
    "declined, then paid": (
        [
            _CREATED,
            _intent("payment_failed", "requires_payment_method", last_payment_error=_DECLINED),
            _intent("requires_action", "requires_action"),
            _PAID,
        ],
        (S.CAPTURED, 0, 0, 0),
    ),
}


def _read(kind: str, thing: dict[str, Any]) -> ProviderEvent:
    whole = {"id": "evt", "object": "event", "type": kind, "created": 7, "data": {"object": thing}}
    port = ADAPTER.port("webhooks", Settings(secret_key="sk_test_1"))
    (event,) = port.read(Notification(body=msgspec.json.encode(whole)))
    found: ProviderEvent = event
    assert found.payment or found.movements
    return found


@pytest.mark.parametrize("life", _LIVES)
def test_every_order_of_events_ends_alike(life: str) -> None:
    """All permutations of up to six events, each event once more at the end or at the start."""
    given, (state, *facets) = _LIVES[life]
    events = [_read(kind, thing) for kind, thing in given]

    expected = after(_PAYMENT, events)
    money = (expected.refunded, expected.returned, expected.disputed)
    assert (state, facets) == (expected.state, [one.minor for one in money])

    assert_converges(_PAYMENT, events)
