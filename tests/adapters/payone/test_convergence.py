"""Convergence: PAYONE's events in any order, any of them twice, end in the same payment."""

import json
from typing import Any, Final

import msgspec
import pytest

from adapters.payone import ADAPTER
from adapters.payone.translation_objects import marked
from gateway.model.event import ProviderEvent
from gateway.model.payment import (
    AttemptState,
    CaptureMethod,
    Payment,
    PaymentAttempt,
    PaymentState,
)
from gateway.ports.notification import Notification
from tests.adapters.payone import conformance
from tests.conformance import samples
from tests.conformance.convergence import after, assert_converges

S = PaymentState
_PAYMENT: Final = msgspec.structs.replace(
    samples.payment(1, token="t"),
    provider_ref="a.b.c",
    attempts=(PaymentAttempt(attempt_id="a", key="k", state=AttemptState.PREPARED),),
)
_HELD: Final = msgspec.structs.replace(_PAYMENT, capture_method=CaptureMethod.MANUAL)


def _paid(status: str, payment: Payment = _PAYMENT) -> dict[str, Any]:
    output = {
        "amountOfMoney": {"amount": 1999, "currencyCode": "EUR"},
        "merchantParameters": marked(payment),
    }
    about = {"id": "PP1", "status": status, "paymentOutput": output}
    return {"type": f"payment.{status.lower()}", "payment": about}


def _refund(status: str, units: int = 500, ref: str = "r1") -> dict[str, Any]:
    output = {
        "amountOfMoney": {"amount": units, "currencyCode": "EUR"},
        "references": {"merchantReference": ref},
        "merchantParameters": marked(_PAYMENT),
    }
    about = {"id": "PP2", "status": status, "refundOutput": output}
    return {"type": f"refund.{status.lower()}", "refund": about}


# What PAYONE sends in the life of one payment, and the end: state and what was given back.
_LIVES: Final = {
    "a page, paid, and a part given back": (
        [
            _paid("CREATED"),
            _paid("REDIRECTED"),
            _paid("AUTHORIZATION_REQUESTED"),
            _paid("CAPTURED"),
            _refund("REFUND_REQUESTED"),
            _refund("REFUNDED"),
        ],
        (S.CAPTURED, 500),
    ),
    "a debit, two refunds, one of them failed": (
        [
            _paid("CAPTURE_REQUESTED"),
            _paid("CAPTURED"),
            _refund("REFUNDED", 300, "r1"),
            _refund("REFUND_REQUESTED", 200, "r2"),
            _refund("REJECTED_REFUND", 200, "r2"),
        ],
        (S.CAPTURED, 300),
    ),
    "declined": (
        [_paid("REDIRECTED"), _paid("PENDING_PAYMENT"), _paid("REJECTED")],
        (S.FAILED, 0),
    ),
    "held and given up": (
        [
            _paid("CREATED", _HELD),
            _paid("PENDING_CAPTURE", _HELD),
            _paid("CANCELLATION_REQUESTED", _HELD),
            _paid("CANCELLED", _HELD),
        ],
        (S.CANCELLED, 0),
    ),
}


def _read(event: dict[str, Any]) -> ProviderEvent:
    port = ADAPTER.ports["webhooks"](conformance._connect(1)[0])
    body = json.dumps({"id": "e", **event}).encode()
    (found,) = port.read(Notification(body=body))
    return found  # type: ignore[no-any-return] # a port of any adapter


@pytest.mark.parametrize("life", _LIVES)
def test_every_order_of_events_ends_alike(life: str) -> None:
    """All permutations of up to six events, each event once more at the end or at the start."""
    given, end = _LIVES[life]
    events = [_read(one) for one in given]
    assert not any(one.hint for one in events)

    expected = after(_PAYMENT, events)
    assert end == (expected.state, expected.refunded.minor)

    assert_converges(_PAYMENT, events)


@pytest.mark.parametrize(
    "event",
    [
        _paid("CAPTURED", _HELD),
        _paid("REFUNDED"),
        _paid("CHARGEBACKED"),
        _paid("CHARGEBACK_REVERSED"),
        _paid("REJECTED_CAPTURE"),
        _paid("REVERSED"),
        _refund("REFUNDED", ref=""),
        _paid("SHIPPED"),
    ],
)
def test_what_does_not_tell_the_amount_is_a_hint(event: dict[str, Any]) -> None:
    """About our payment, which is then read at PAYONE."""
    found = _read(event)

    assert (True, _PAYMENT.payment_id, "") == (found.hint, found.payment_id, found.provider_ref)
    assert (None, ()) == (found.payment, found.movements)
