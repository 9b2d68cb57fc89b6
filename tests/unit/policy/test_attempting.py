"""Attempting: another provider is asked only where nothing moved and nothing binds."""

import msgspec
import pytest

from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import (
    AttemptState,
    CaptureMethod,
    Payment,
    PaymentFailure,
    PaymentState,
    ProviderPayment,
)
from gateway.model.route import Route, RouteReason
from gateway.model.split import Split
from gateway.policy import attempting, collecting
from tests.conformance import samples

_NOTHING = Money(0, "EUR")
_INTENDED = Payment(
    payment_id="p1",
    amount=Money(2000, "EUR"),
    method_code="ideal",
    capture_method=CaptureMethod.AUTOMATIC,
    requested_at="2026-11-22T00:00:00+00:00",
    captured=_NOTHING,
    refunded=_NOTHING,
    returned=_NOTHING,
    disputed=_NOTHING,
)
_FAILURE = PaymentFailure(code="unavailable", retryable=True)


def _to(system: str, why: str = "default") -> Route:
    return Route(system=system, reasons=(RouteReason(system, why),))


def _asked(*systems: str) -> Payment:
    """A payment for which these were asked, each in vain."""
    payment = _INTENDED
    for name in systems:
        payment = attempting.attempt(payment, _to(name), needs_payer=False)
        payment, _ = attempting.not_executed(payment, _FAILURE)
    return payment


def _said(state: PaymentState) -> ProviderPayment:
    captured = _INTENDED.amount if state is PaymentState.CAPTURED else _NOTHING
    return ProviderPayment(
        provider_ref="t1",
        state=state,
        amount=_INTENDED.amount,
        captured=captured,
        refunded=_NOTHING,
    )


def test_each_attempt_has_a_key_of_its_own() -> None:
    """The first is that of before there were several."""
    payment = _asked("a", "b")

    assert ["p1:payments.create_payment", "p1:payments.create_payment.2"] == [
        one.key for one in payment.attempts
    ]
    assert ["p1-1", "p1-2"] == [one.attempt_id for one in payment.attempts]


def test_next_attempt_begins_anew() -> None:
    """What the earlier one came to stays with it, and only with it."""
    payment = attempting.attempt(_asked("a"), _to("b"), needs_payer=False)

    assert (PaymentState.CREATED, PaymentState.CREATED, "", None, "b") == (
        payment.state,
        payment.progress,
        payment.provider_ref,
        payment.failure,
        payment.provider,
    )
    assert [AttemptState.NOT_EXECUTED, AttemptState.PREPARED] == [
        one.state for one in payment.attempts
    ]
    assert _FAILURE == payment.attempts[0].failure


@pytest.mark.parametrize("needed", [True, False])
def test_payer_is_kept_where_somebody_asks_for_him(*, needed: bool) -> None:
    """What is not needed is not kept twice."""
    order = samples.order()
    intended = attempting.of_order(order, at="2026-11-22T00:00:00+00:00")
    payment = attempting.attempt(intended, _to("a"), needs_payer=needed)

    assert (needed, needed) == (payment.payer is not None, bool(payment.items))
    assert order.party.party_id == payment.customer_id


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"token": "t"}, "default"),
        ({"mandate_id": "m"}, "default"),
        ({"splits": (Split(party="acct_1"),)}, "default"),
        ({"wallet_splits": (Split(party="M-1"),)}, "default"),
        ({}, "pinned"),
        (
            {
                "movements": (
                    Movement(
                        kind=MovementKind.CAPTURE,
                        ref="x",
                        state=MovementState.UNDONE,
                        amount=Money(2000, "EUR"),
                    ),
                )
            },
            "default",
        ),
    ],
)
def test_payment_that_is_bound_stays(changes: dict[str, object], why: str) -> None:
    """By a token, a mandate, its parts, the front-end's wish, or money that moved."""
    payment = msgspec.structs.replace(_INTENDED, route=_to("a", why), **changes)

    assert not attempting.is_free(payment)
    assert attempting.is_free(msgspec.structs.replace(_INTENDED, route=_to("a")))


def test_unknown_is_said_once_and_resolved_by_any_word() -> None:
    """A second doubt adds nothing; whatever the provider says next ends it."""
    prepared = attempting.attempt(_INTENDED, _to("a"), needs_payer=False)
    doubted, events = attempting.unknown(prepared)
    again, none = attempting.unknown(doubted)
    found, told = collecting.apply(doubted, _said(PaymentState.CAPTURED))

    assert (AttemptState.UNKNOWN, ["headrace.payment.unknown.v1"]) == (
        doubted.attempts[-1].state,
        [one.type for one in events],
    )
    assert (doubted, ()) == (again, none)
    assert AttemptState.SUCCEEDED is found.attempts[-1].state
    assert ["headrace.payment.resolved.v1", "headrace.payment.captured.v1"] == [
        one.type for one in told
    ]


def test_word_that_came_first_is_not_overruled_by_a_refusal() -> None:
    """A webhook said that it is held; then the attempt did happen."""
    prepared = attempting.attempt(_INTENDED, _to("a"), needs_payer=False)
    held, _ = collecting.apply(prepared, _said(PaymentState.AUTHORISED))

    assert (held, ()) == attempting.not_executed(held, _FAILURE)


def test_provider_that_knows_of_it_after_all_is_believed() -> None:
    """We said that nothing happened; its own word begins anew, in any order of words."""
    failed = _asked("a")
    words = [_said(PaymentState.PENDING), _said(PaymentState.AUTHORISED)]
    ends = [
        collecting.apply(collecting.apply(failed, one)[0], two)[0]
        for one, two in (words, reversed(words))
    ]

    assert ends[0] == ends[1]
    assert (PaymentState.AUTHORISED, AttemptState.SUCCEEDED) == (
        ends[0].state,
        ends[0].attempts[-1].state,
    )


def test_payment_that_nobody_was_asked_for_can_be_refused() -> None:
    """No route, so no attempt."""
    refused, events = attempting.not_executed(_INTENDED, _FAILURE)

    assert (PaymentState.FAILED, ()) == (refused.state, refused.attempts)
    assert ["headrace.payment.failed.v1"] == [one.type for one in events]


def test_date_of_a_collection_that_is_told_by_its_movement() -> None:
    """Adyen says of a held payment only that it was captured."""
    held, _ = collecting.apply(
        attempting.attempt(_INTENDED, _to("a"), needs_payer=False), _said(PaymentState.AUTHORISED)
    )
    moved = Movement(
        kind=MovementKind.CAPTURE, ref="c", state=MovementState.DONE, amount=Money(2000, "EUR")
    )
    captured, _ = collecting.apply(held, movements=[moved], at=1_772_442_000.0)

    assert ("2026-03-02T09:00:00+00:00", "2026-03-02") == (captured.captured_at, captured.final_at)
