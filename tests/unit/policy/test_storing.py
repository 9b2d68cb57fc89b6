"""Storing: what may be kept, and what is paid with it until its last day is over."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pytest

from gateway.model.capability import Capability
from gateway.model.instruction import PaymentInstruction
from gateway.model.payment_method import NewPaymentMethod, PaymentMethod, PaymentMethodState
from gateway.policy import routing, storing
from gateway.policy.validation import Invalid

_NOW: Final = datetime(2026, 11, 22, 9, tzinfo=UTC)
_SYSTEMS: Final = {
    "stripe": routing.System(
        capabilities=(
            Capability(method="card", verbs=("create_payment",), token=True),
            Capability(method="ideal", verbs=("create_payment",), redirect=True),
        )
    ),
    "till": routing.System(capabilities=(Capability(method="cash", verbs=("create_payment",)),)),
}
_NEW: Final = {
    "provider": "stripe",
    "method_code": "card",
    "token": "pm_1",
    "customer_id": "C-1",
    "display_hint": "Visa 424242…4242",
    "expires": "2026-11-22",
}
_PAYS: Final = PaymentInstruction(method_code="card", payment_method_id="m1")


def read(**changes: Any) -> NewPaymentMethod:
    body = json.dumps(_NEW | changes).encode()
    return storing.read_method(body, systems=_SYSTEMS, now=_NOW)


def stored(**changes: Any) -> PaymentMethod:
    method, _ = storing.add(read(), payment_method_id="m1", at=_NOW.isoformat())
    return msgspec.structs.replace(method, **changes)


def errors(refused: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(one.pointer, one.code) for one in refused.value.errors]


def test_instrument_is_kept_as_it_came() -> None:
    """ACTIVE, with an event that says neither token nor hint."""
    method, event = storing.add(read(), payment_method_id="m1", at=_NOW.isoformat())

    assert PaymentMethodState.ACTIVE is method.state
    assert _NEW == {name: getattr(method, name) for name in _NEW}
    assert ("headrace.payment_method.added.v1", "m1") == (event.type, event.aggregate_id)
    assert {"customer_id", "provider", "method_code", "state"} == set(event.data)


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"provider": "nobody"}, "/provider", "provider_unknown"),
        ({"method_code": "ideal"}, "/method_code", "method_unsupported"),
        ({"provider": "till", "method_code": "cash"}, "/method_code", "method_unsupported"),
        ({"display_hint": "DE89 3704 0044 0532"}, "/display_hint", "account_number"),
        ({"display_hint": "4242424242424242"}, "/display_hint", "card_number"),
        ({"token": "4242424242424242"}, "/token", "card_number"),
        ({"expires": "2026-02-30"}, "/expires", "not_a_day"),
        ({"expires": "2026-11-20"}, "/expires", "in_the_past"),
        ({"customer_id": ""}, "/customer_id", "too_short"),
    ],
)
def test_what_cannot_be_kept_is_refused(changes: dict[str, Any], pointer: str, code: str) -> None:
    """Each with its pointer and its rule."""
    with pytest.raises(Invalid) as refused:
        read(**changes)

    assert (pointer, code) in errors(refused)


def test_provider_and_token_are_those_of_the_instrument() -> None:
    """So the payment goes there and nowhere else."""
    paid = storing.pay_with(_PAYS, stored(), now=_NOW)

    assert ("stripe", "pm_1", "m1") == (paid.provider, paid.token, paid.payment_method_id)


@pytest.mark.parametrize(
    ("method", "code"),
    [
        (None, "payment_method_unknown"),
        (stored(state=PaymentMethodState.REVOKED), "payment_method_revoked"),
        (stored(state=PaymentMethodState.EXPIRED), "payment_method_expired"),
        (stored(expires="2026-11-20"), "payment_method_expired"),
    ],
)
def test_nothing_is_paid_with_what_has_ended(method: PaymentMethod | None, code: str) -> None:
    """Nor where nobody has written down yet that it expired."""
    with pytest.raises(Invalid) as refused:
        storing.pay_with(_PAYS, method, now=_NOW)

    assert [("/payment/payment_method_id", code)] == errors(refused)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"method_code": "ideal"}, "/payment/method_code"),
        ({"token": "pm_2"}, "/payment/token"),
        ({"provider": "adyen"}, "/payment/provider"),
    ],
)
def test_instruction_may_not_say_something_else(changes: dict[str, Any], pointer: str) -> None:
    """Whichever of the two was meant, somebody was wrong."""
    with pytest.raises(Invalid) as refused:
        storing.pay_with(msgspec.structs.replace(_PAYS, **changes), stored(), now=_NOW)

    assert [(pointer, "payment_method_differs")] == errors(refused)


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        ("2026-11-23T11:59:59+00:00", PaymentMethodState.ACTIVE),
        ("2026-11-23T12:00:00+00:00", PaymentMethodState.EXPIRED),
    ],
)
def test_last_day_counts_everywhere(moment: str, state: PaymentMethodState) -> None:
    """It is over twelve hours later where it ends last."""
    assert state is storing.as_of(stored(), datetime.fromisoformat(moment)).state


def test_what_has_no_last_day_does_not_expire() -> None:
    """Some tokens have none."""
    ever = datetime(2126, 1, 1, tzinfo=UTC)

    assert PaymentMethodState.ACTIVE is storing.as_of(stored(expires=""), ever).state


def test_ends_are_reported_once() -> None:
    """Revoked stays revoked; what expired can still be revoked."""
    expired, first = storing.expire(stored())
    revoked, second = storing.revoke(expired)

    told = [one.type for one in (*first, *second)]
    assert ["headrace.payment_method.expired.v1", "headrace.payment_method.revoked.v1"] == told
    assert (revoked, ()) == storing.revoke(revoked)
    assert (revoked, ()) == storing.expire(revoked)
