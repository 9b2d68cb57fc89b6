"""Which payments go into a file, and what they are from then on."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from gateway.model.bank import BankAccount, Deadline
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import (
    AttemptState,
    Payment,
    PaymentAttempt,
    PaymentState,
    ProviderPayment,
)
from gateway.policy import collecting, requests, submitting
from tests.conformance import samples
from tests.unit.kit.sepa.documents.samples import collection
from tests.unit.policy.test_notifying import mandate

FRIDAY, MONDAY = dt.date(2026, 11, 20), dt.date(2026, 11, 23)
EURO = Money(1_999, "EUR")


def payment(**fields: Any) -> Payment:
    attempt = PaymentAttempt(attempt_id="a", key="k", state=AttemptState.PENDING)
    known = {"state": PaymentState.PENDING, "progress": PaymentState.PENDING}
    made = samples.payment(1, token="", method="sepa_debit")
    return msgspec.structs.replace(
        made, **{**known, "provider_ref": "E-1", "attempts": (attempt,), **fields}
    )


def cancelled() -> ProviderPayment:
    nothing = Money(0, "EUR")
    return ProviderPayment(
        provider_ref="E-1",
        state=PaymentState.CANCELLED,
        amount=EURO,
        captured=nothing,
        refunded=nothing,
    )


@pytest.mark.parametrize(
    ("due", "day", "lead_days", "is_due"),
    [
        ("", MONDAY, 1, True),
        ("2026-11-01", MONDAY, 1, True),
        ("2026-11-24", MONDAY, 1, True),
        ("2026-11-25", MONDAY, 1, False),
        ("2026-11-25", MONDAY, 2, True),
        # The file of Friday is the last for Monday; a Saturday is moved to Monday.
        ("2026-11-23", FRIDAY, 1, True),
        ("2026-11-21", FRIDAY, 1, True),
        ("2026-11-24", FRIDAY, 1, False),
        # On a Sunday nobody takes a file: it counts as of Monday.
        ("2026-11-24", dt.date(2026, 11, 22), 1, True),
    ],
)
def test_due_when_the_next_file_would_be_late(
    due: str, day: dt.date, lead_days: int, *, is_due: bool
) -> None:
    """So late as it can be: until then it can be cancelled."""
    account = BankAccount(
        name="H", iban="DE75512108001245126199", deadline=Deadline(lead_days=lead_days)
    )

    assert is_due is submitting.is_due(payment(due=due), account, day)


def test_submitted_cannot_be_cancelled() -> None:
    """It stays PENDING, tells nobody, and a cancellation that did not know of it has no effect."""
    before = payment()
    row = collection(end_to_end_id="E-1", amount=EURO)
    now, _ = submitting.submitted(before, row, mandate())

    late, events = collecting.apply(now, cancelled())
    early, _ = collecting.apply(before, cancelled())

    assert (True, False) == (requests.may_cancel(before), requests.may_cancel(now))
    assert PaymentState.PENDING is now.state
    assert (PaymentState.PENDING, ()) == (late.state, events)
    assert PaymentState.CANCELLED is early.state
    assert PaymentState.PENDING is submitting.submitted(early, row, mandate())[0].state


@pytest.mark.parametrize(
    ("state", "wanted"),
    [(MovementState.DONE, PaymentState.CAPTURED), (MovementState.UNDONE, PaymentState.FAILED)],
)
def test_the_bank_has_the_last_word(state: MovementState, wanted: PaymentState) -> None:
    """Of a payment that somebody gave up too late."""
    row = collection(end_to_end_id="E-1", amount=EURO)
    late, _ = collecting.apply(submitting.submitted(payment(), row, mandate())[0], cancelled())
    moved = Movement(
        kind=MovementKind.CAPTURE, ref="E-1", state=state, amount=EURO, reason_code="AM04"
    )

    told, _ = collecting.apply(late, movements=[moved])

    assert wanted is told.state


def test_refused_by_a_rule() -> None:
    """FAILED with the rule, and told."""
    changed, events = submitting.refused(payment(), "mandate_revoked")

    assert changed.failure is not None
    assert (PaymentState.FAILED, "not_submitted", "mandate_revoked") == (
        changed.state,
        changed.failure.code,
        changed.failure.provider_code,
    )
    assert ["headrace.payment.failed.v1"] == [one.type for one in events]


def test_refunds_that_wait() -> None:
    """Promised and not gone; of those that fail none is given back."""

    def moved(ref: str, state: MovementState) -> Movement:
        return Movement(kind=MovementKind.REFUND, ref=ref, state=state, amount=Money(1, "EUR"))

    waiting = moved("R1", MovementState.PENDING)
    total = moved("", MovementState.PENDING)
    now = payment(movements=(total, waiting, moved("R2", MovementState.DONE)))

    assert (waiting,) == submitting.given_back(now)
    changed, _ = submitting.not_given_back(now, [(waiting, "iban_checksum")])
    assert () == submitting.given_back(changed)
    assert "iban_checksum" in {one.reason_code for one in changed.movements}
