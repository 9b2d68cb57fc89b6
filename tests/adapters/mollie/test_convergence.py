"""Convergence: Mollie's events in any order, any of them twice, end in the same payment."""

from typing import Any, Final

import msgspec
import pytest

from adapters.mollie import ADAPTER
from adapters.mollie.settings import Settings
from gateway.model.event import ProviderEvent
from gateway.model.money import Money
from gateway.model.payment import AttemptState, PaymentAttempt, PaymentState
from gateway.ports.notification import Notification
from tests.conformance import samples
from tests.conformance.convergence import after, assert_converges

S = PaymentState
_PAYMENT: Final = msgspec.structs.replace(
    samples.payment(1, token="tkn_1"),
    provider_ref="tr_1",
    attempts=(PaymentAttempt(attempt_id="a", key="k", state=AttemptState.PREPARED),),
)
_PRICE: Final = _PAYMENT.amount.minor


def _amount(minor: int) -> dict[str, str]:
    return {"currency": "EUR", "value": Money(minor, "EUR").amount}


def _payment(status: str, **more: Any) -> tuple[str, dict[str, Any]]:
    thing = {
        "resource": "payment",
        "id": "tr_1",
        "status": status,
        "amount": _amount(_PRICE),
        "createdAt": "2026-01-01T00:00:00+00:00",
        "metadata": {"payment_id": _PAYMENT.payment_id},
        **more,
    }
    return f"payment.{status}", thing


def _refund(status: str, minor: int = 500, ref: str = "re_1") -> tuple[str, dict[str, Any]]:
    about = {"resource": "refund", "id": ref, "paymentId": "tr_1", "amount": _amount(minor)}
    return f"refund.{status}", {**about, "status": status, "metadata": {}}


def _chargeback(
    minor: int, *, at: str | None = None, reason: str = ""
) -> tuple[str, dict[str, Any]]:
    about = {"resource": "chargeback", "id": "chb_1", "paymentId": "tr_1"}
    why = {"code": reason, "description": "x"} if reason else None
    return f"chargeback.{'reversed' if at else 'received'}", {
        **about,
        "amount": _amount(minor),
        "reason": why,
        "reversedAt": at,
    }


def _page(url: str) -> tuple[str, dict[str, Any]]:
    return _payment("open", _links={"checkout": {"href": url, "type": "text/html"}})


_PAID: Final = _payment("paid")
_LATER: Final = "2026-02-01T00:00:00+00:00"

# What Mollie sends in the life of one payment, and the end: state, refunded, returned, disputed.
_LIVES: Final = {
    "a page, paid, and a part given back": (
        [
            _page("https://www.mollie.com/checkout/1"),
            _payment("pending"),
            _PAID,
            _refund("queued"),
            _refund("refunded"),
            _payment("paid", amountRefunded=_amount(500)),
        ],
        (S.CAPTURED, 500, 0, 0),
    ),
    "a refund that failed after all": (
        [
            _PAID,
            _refund("pending"),
            _refund("processing"),
            _payment("paid", amountRefunded=_amount(500)),
            _refund("refunded"),
            _refund("failed"),
        ],
        (S.CAPTURED, 0, 0, 0),
    ),
    "two refunds, one of them withdrawn": (
        [
            _PAID,
            _refund("queued", 300, "re_1"),
            _refund("canceled", 300, "re_1"),
            _refund("queued", 200, "re_2"),
            _refund("refunded", 200, "re_2"),
            _payment("paid", amountRefunded=_amount(200)),
        ],
        (S.CAPTURED, 200, 0, 0),
    ),
    "held, a part collected, the rest released": (
        [
            _payment("authorized", amountCaptured=_amount(0)),
            _payment("authorized", amountCaptured=_amount(700)),
            _payment("paid", amountCaptured=_amount(700)),
            _refund("pending", 100),
            _refund("refunded", 100),
        ],
        (S.CAPTURED, 100, 0, 0),
    ),
    "a debit that the bank returned": (
        [_payment("pending"), _PAID, _chargeback(_PRICE, reason="AM04")],
        (S.RETURNED, 0, _PRICE, 0),
    ),
    "a chargeback that was reversed": (
        [
            _payment("pending"),
            _PAID,
            _chargeback(700),
            _chargeback(700, at=_LATER),
            _refund("pending", 300),
            _refund("refunded", 300),
        ],
        (S.CAPTURED, 300, 0, 0),
    ),
    "failed, though it was under way": (
        [
            _page("https://www.mollie.com/checkout/1"),
            _payment("pending"),
            _payment("failed", details={"failureReason": "insufficient_funds"}),
        ],
        (S.FAILED, 0, 0, 0),
    ),
    "expired, and paid after all": (
        [_page("https://www.mollie.com/checkout/1"), _payment("expired"), _PAID],
        (S.CAPTURED, 0, 0, 0),
    ),
}


def _read(kind: str, thing: dict[str, Any]) -> ProviderEvent:
    whole = {"id": "event_1", "type": kind, "entityId": thing["id"], "_embedded": {"entity": thing}}
    port = ADAPTER.port("webhooks", Settings(api_key="test_1"))
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
