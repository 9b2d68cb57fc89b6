"""Convergence: Adyen's notifications in any order, any of them twice, end in the same payment."""

from typing import Any, Final

import msgspec
import pytest

from adapters.adyen import ADAPTER
from adapters.adyen.settings import Settings
from gateway.model.event import ProviderEvent
from gateway.model.payment import AttemptState, PaymentAttempt, PaymentState
from gateway.ports.notification import Notification
from tests.conformance import samples
from tests.conformance.convergence import after, assert_converges

S = PaymentState
_PAYMENT: Final = msgspec.structs.replace(
    samples.payment(1, token="shopper-1_1"),
    attempts=(PaymentAttempt(attempt_id="a", key="k", state=AttemptState.PREPARED),),
)
_ALL: Final = _PAYMENT.amount.minor
_PORT: Final = ADAPTER.port("webhooks", Settings(api_key="k", merchant_account="Acme"))


def _item(code: str, psp: str, value: int = _ALL, **more: Any) -> dict[str, Any]:
    return {
        "eventCode": code,
        "success": "true",
        "pspReference": psp,
        "originalReference": "PSP1",
        "merchantAccountCode": "Acme",
        "merchantReference": _PAYMENT.payment_id,
        "amount": {"value": value, "currency": "EUR"},
        "additionalData": {"hmacSignature": "unread"},
        **more,
    }


def _authorised(*, held: bool = False, **more: Any) -> dict[str, Any]:
    reference = _PAYMENT.payment_id + ("-hold" if held else "")
    of_payment = {"originalReference": "", "merchantReference": reference}
    return _item("AUTHORISATION", "PSP1", **of_payment, **more)


_UNTIL: Final = {"hmacSignature": "unread", "defensePeriodEndsAt": "2026-12-06T00:00:00+01:00"}
# What Adyen sends in the life of one payment, and the end: state, captured, refunded, returned,
# disputed.
_LIVES: Final = {
    "collected at once, two refunds of which one failed after all": (
        [
            _authorised(),
            _item("REFUND", "REF1", 500, merchantReference="refund-1"),
            _item("REFUND", "REF2", 300, merchantReference="refund-2"),
            _item("REFUND_FAILED", "REF2", 300, merchantReference="refund-2"),
            _item("REFUND", "REF3", 1_500, merchantReference="refund-3", success="false"),
        ],
        (S.CAPTURED, _ALL, 500, 0, 0),
    ),
    "captured in part, refunded, and a dispute that was lost after all": (
        [
            _authorised(held=True),
            _item("CAPTURE", "CAP1", 1_500),
            _item("NOTIFICATION_OF_CHARGEBACK", "DIS1", 700),
            _item("CHARGEBACK", "DIS1", 700),
            _item("CHARGEBACK_REVERSED", "DIS1", 700),
            _item("SECOND_CHARGEBACK", "DIS1", 700),
        ],
        (S.CAPTURED, 1_500, 0, 700, 0),
    ),
    "a dispute that was won": (
        [
            _authorised(),
            _item("NOTIFICATION_OF_CHARGEBACK", "DIS1"),
            _item("CHARGEBACK", "DIS1"),
            _item("CHARGEBACK_REVERSED", "DIS1"),
        ],
        (S.CAPTURED, _ALL, 0, 0, 0),
    ),
    "a claim that was contested, won and brought again": (
        [
            _authorised(),
            _item("CHARGEBACK", "DIS1", 700, additionalData=_UNTIL),
            _item("INFORMATION_SUPPLIED", "DIS1", 700),
            _item("CHARGEBACK_REVERSED", "DIS1", 700),
            _item("PREARBITRATION_OPEN", "DIS1", 700),
        ],
        (S.CAPTURED, _ALL, 0, 0, 0),
    ),
    "a claim that nobody contested in time": (
        [
            _authorised(),
            _item("NOTIFICATION_OF_CHARGEBACK", "DIS1", 700, additionalData=_UNTIL),
            _item("CHARGEBACK", "DIS1", 700),
            _item("DISPUTE_DEFENSE_PERIOD_ENDED", "DIS1", 700),
        ],
        (S.CAPTURED, _ALL, 0, 700, 0),
    ),
    "a debit that the payer's bank took back": (
        [_authorised(), _item("CHARGEBACK", "RET1", paymentMethod="directdebit_GB")],
        (S.RETURNED, _ALL, 0, _ALL, 0),
    ),
    "captured at once, and the capture failed days later": (
        [_authorised(), _item("CAPTURE_FAILED", "CAP1")],
        (S.FAILED, 0, 0, 0, 0),
    ),
    "a capture that failed days later, and another one": (
        [
            _authorised(held=True),
            _item("CAPTURE", "CAP1"),
            _item("CAPTURE_FAILED", "CAP1"),
            _item("CAPTURE", "CAP2", 1_000),
        ],
        (S.CAPTURED, 1_000, 0, 0, 0),
    ),
    "a capture that was refused": (
        [_authorised(held=True), _item("CAPTURE", "CAP1", success="false")],
        (S.FAILED, 0, 0, 0, 0),
    ),
    "given up, and a capture that came too late": (
        [
            _authorised(held=True),
            _item("CANCELLATION", "CAN1", success="false"),
            _item("CANCELLATION", "CAN2"),
            _item("EXPIRE", "PSP1", originalReference=""),
        ],
        (S.CANCELLED, 0, 0, 0, 0),
    ),
    "refused, then paid": (
        [
            _authorised(success="false", reason="Not enough balance"),
            _authorised(success="false", reason="Refused"),
            _item("OFFER_CLOSED", "OFF1", originalReference=""),
            _authorised(),
        ],
        (S.CAPTURED, _ALL, 0, 0, 0),
    ),
    "refused": (
        [
            _authorised(success="false", reason="Not enough balance"),
            _authorised(success="false", reason="Expired Card"),
        ],
        (S.FAILED, 0, 0, 0, 0),
    ),
    "given back from the Customer Area": (
        [
            _authorised(),
            _item(
                "CANCEL_OR_REFUND",
                "REF1",
                additionalData={"hmacSignature": "unread", "modification.action": "refund"},
            ),
            _item("REFUNDED_REVERSED", "REF1"),
        ],
        (S.CAPTURED, _ALL, 0, 0, 0),
    ),
}


def _read(item: dict[str, Any]) -> ProviderEvent:
    body = {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
    (event,) = _PORT.read(Notification(body=msgspec.json.encode(body)))
    found: ProviderEvent = event
    return found


@pytest.mark.parametrize("life", _LIVES)
def test_every_order_of_notifications_ends_alike(life: str) -> None:
    """All permutations of up to six, each once more at the end or at the start."""
    given, (state, *facets) = _LIVES[life]
    events = [_read(item) for item in given]

    expected = after(_PAYMENT, events)
    money = (expected.captured, expected.refunded, expected.returned, expected.disputed)
    assert (state, facets) == (expected.state, [one.minor for one in money])

    assert_converges(_PAYMENT, events)
