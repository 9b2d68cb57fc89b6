"""Convergence: what PayPal says of an order, in any order and any of it twice, ends alike.

Events are hints, so what is applied are the look-ups that they lead to.
"""

from typing import Any, Final

import msgspec
import pytest

from gateway.model.money import Money
from gateway.model.payment import (
    AttemptState,
    PaymentAttempt,
    PaymentState,
    ProviderPayment,
)
from tests.adapters.paypal.conftest import adapter, answer
from tests.conformance import samples
from tests.conformance.convergence import after, assert_converges

S = PaymentState
_PAYMENT: Final = msgspec.structs.replace(
    samples.payment(1, token="vault-1"),
    provider_ref="ORDER1",
    attempts=(PaymentAttempt(attempt_id="a", key="k", state=AttemptState.PREPARED),),
)
_PRICE: Final = _PAYMENT.amount.minor


def _amount(minor: int) -> dict[str, str]:
    return {"currency_code": "EUR", "value": Money(minor, "EUR").amount}


def _order(status: str = "COMPLETED", **payments: Any) -> dict[str, Any]:
    page = {"href": "https://www.paypal.com/checkoutnow?token=ORDER1", "rel": "payer-action"}
    unit = {
        "amount": _amount(_PRICE),
        "custom_id": _PAYMENT.payment_id,
        "payments": payments,
    }
    return {
        "id": "ORDER1",
        "status": status,
        "intent": "CAPTURE",
        "purchase_units": [unit],
        "links": [page],
    }


def _part(status: str, minor: int = _PRICE, ref: str = "CAP1", **more: Any) -> dict[str, Any]:
    return {"id": ref, "status": status, "amount": _amount(minor), **more}


def _refunds(*states: str) -> dict[str, Any]:
    found = [_part(state, 500, f"REF{n}") for n, state in enumerate(states)]
    return _order(captures=[_part("PARTIALLY_REFUNDED")], refunds=found)


_PAID: Final = _order(captures=[_part("COMPLETED")])
_HELD: Final = _part("CREATED", ref="AUTH1")
# What is read in the life of one payment, and the end: state, refunded, returned, disputed.
_LIVES: Final = {
    "a page, paid, and a part given back": (
        [
            _order("PAYER_ACTION_REQUIRED"),
            _order(captures=[_part("PENDING")]),
            _PAID,
            _refunds("PENDING"),
            _refunds("COMPLETED"),
            _refunds("COMPLETED", "PENDING"),
        ],
        (S.CAPTURED, 500, 0, 0),
    ),
    "a refund that failed after all": (
        [_PAID, _refunds("PENDING"), _refunds("FAILED"), _refunds("FAILED", "COMPLETED")],
        (S.CAPTURED, 500, 0, 0),
    ),
    "held and collected in parts": (
        [
            _order("PAYER_ACTION_REQUIRED"),
            _order(authorizations=[_HELD]),
            _order(authorizations=[_HELD], captures=[_part("COMPLETED", 700)]),
            _order(
                authorizations=[_HELD],
                captures=[_part("COMPLETED", 700), _part("COMPLETED", 1299, "CAP2")],
            ),
        ],
        (S.CAPTURED, 0, 0, 0),
    ),
    "held and released": (
        [
            _order("PAYER_ACTION_REQUIRED"),
            _order(authorizations=[_part("PENDING", ref="AUTH1")]),
            _order(authorizations=[_HELD]),
            _order(authorizations=[_part("VOIDED", ref="AUTH1")]),
        ],
        (S.CANCELLED, 0, 0, 0),
    ),
    "declined after a look at it": (
        [
            _order("PAYER_ACTION_REQUIRED"),
            _order(captures=[_part("PENDING")]),
            _order(captures=[_part("DECLINED", processor_response={"response_code": "9500"})]),
        ],
        (S.FAILED, 0, 0, 0),
    ),
    "claimed and taken back": (
        [
            _order(captures=[_part("PENDING")]),
            _order(captures=[_part("COMPLETED", status_details={"reason": "BUYER_COMPLAINT"})]),
            _order(captures=[_part("COMPLETED", status_details={"reason": "CHARGEBACK"})]),
        ],
        (S.RETURNED, 0, _PRICE, 0),
    ),
}


def _said(order: dict[str, Any]) -> ProviderPayment:
    found: ProviderPayment = answer(adapter().find_payment(_PAYMENT), 200, order)
    return found


@pytest.mark.parametrize("life", _LIVES)
def test_every_order_of_words_ends_alike(life: str) -> None:
    """All permutations of up to six words, each once more at the end or at the start."""
    given, (state, *facets) = _LIVES[life]
    said = [_said(order) for order in given]

    expected = after(_PAYMENT, said)
    money = (expected.refunded, expected.returned, expected.disputed)
    assert (state, facets) == (expected.state, [one.minor for one in money])

    assert_converges(_PAYMENT, said)
