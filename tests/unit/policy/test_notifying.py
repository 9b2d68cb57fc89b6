"""What a debtor is told of a collection, and what becomes of a day that is too near for it."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from gateway.model.bank import BankAccount, NearDay
from gateway.model.instruction import PaymentInstruction
from gateway.model.mandate import Mandate, MandateState
from gateway.model.payment import DebitNotice, Payment
from gateway.policy import notifying
from tests.conformance import samples

# A Monday, nine in Berlin: before the cut-off, so that Tuesday can be reached.
NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
LATE = NOW.replace(hour=12)


def account(notice: NearDay) -> BankAccount:
    return BankAccount(name="Headrace GmbH", iban="DE75512108001245126199", notice=notice)


def mandate(**fields: Any) -> Mandate:
    known: dict[str, Any] = {
        "mandate_id": "M-1",
        "creditor_id": "DE98ZZZ09999999999",
        "debtor_name": "Erika Mustermann",
        "iban": "DE89370400440532013000",
        "signed_at": dt.date(2026, 1, 31),
        "signature_type": "electronic",
        "state": MandateState.ACTIVE,
    }
    return Mandate(**{**known, **fields})


def payment(due: str = "") -> Payment:
    made = samples.payment(1, token="", method="sepa_debit")
    return msgspec.structs.replace(made, due=due, mandate_id="M-1")


@pytest.mark.parametrize(
    ("due", "now", "notice", "days", "bound", "told"),
    [
        # Nobody named a day: the first file takes it, and the first day that can be is told.
        ("", NOW, NearDay.OFF, 14, "", "2026-11-24"),
        ("", LATE, NearDay.OFF, 14, "", "2026-11-25"),
        # A closed day, and one that cannot be reached any more.
        ("2026-11-28", NOW, NearDay.OFF, 14, "2026-11-28", "2026-11-30"),
        ("2026-12-25", NOW, NearDay.OFF, 14, "2026-12-25", "2026-12-28"),
        ("2026-11-01", NOW, NearDay.OFF, 14, "2026-11-01", "2026-11-24"),
        # Fourteen days of notice, or fewer where the mandate says so; ending on a closed day.
        ("", NOW, NearDay.MOVE, 14, "2026-12-07", "2026-12-07"),
        ("2026-11-25", NOW, NearDay.MOVE, 14, "2026-12-07", "2026-12-07"),
        ("2026-12-08", NOW, NearDay.MOVE, 14, "2026-12-08", "2026-12-08"),
        ("2026-11-25", NOW, NearDay.MOVE, 2, "2026-11-25", "2026-11-25"),
        ("", NOW, NearDay.MOVE, 5, "2026-11-30", "2026-11-30"),
        ("", NOW, NearDay.MOVE, 0, "2026-11-24", "2026-11-24"),
        ("", NOW, NearDay.REFUSE, 14, "2026-12-07", "2026-12-07"),
    ],
)
def test_day_that_is_told(
    due: str, now: dt.datetime, notice: NearDay, days: int, bound: str, told: str
) -> None:
    """With amount, creditor and mandate; and by when."""
    made, events = notifying.promised(
        payment(due), mandate(notice_days=days), account(notice), now=now
    )

    tell_by = (dt.date.fromisoformat(told) - dt.timedelta(days=days)).isoformat()
    assert DebitNotice(
        due=told,
        amount=made.amount,
        creditor_id="DE98ZZZ09999999999",
        mandate_reference="M-1",
        tell_by=tell_by,
    ) == (made.debit_notice)
    assert bound == made.due
    assert [("headrace.mandate.notification_due.v1", "mandate", "M-1")] == [
        (one.type, one.aggregate, one.aggregate_id) for one in events
    ]


def test_event_has_all_that_is_told_and_nobody() -> None:
    """Neither name nor account."""
    made, (event,) = notifying.promised(payment(), mandate(), account(NearDay.MOVE), now=NOW)

    assert {
        "payment_id": made.payment_id,
        "due": "2026-12-07",
        "tell_by": "2026-11-23",
        "amount": made.amount.amount,
        "currency": "EUR",
        "creditor_id": "DE98ZZZ09999999999",
        "mandate_reference": "M-1",
    }.items() <= event.data.items()
    assert "Muster" not in str(event.data)
    assert "DE8937" not in str(event.data)


def test_creditor_is_the_one_of_the_next_file() -> None:
    """The settings name another one by now: that is what the debtor will read."""
    ours = msgspec.structs.replace(account(NearDay.OFF), creditor_id="DE51ZZZ12345678901")
    made, _ = notifying.promised(payment(), mandate(), ours, now=NOW)

    assert made.debit_notice is not None
    assert "DE51ZZZ12345678901" == made.debit_notice.creditor_id


def test_told_again_only_of_another_day() -> None:
    """The file was late: the day moves. The same day is no news."""
    made, _ = notifying.promised(payment(), mandate(), account(NearDay.OFF), now=NOW)

    same, nothing = notifying.told(made, mandate(), dt.date(2026, 11, 24))
    moved, events = notifying.told(made, mandate(), dt.date(2026, 11, 25))

    assert (made, ()) == (same, nothing)
    assert moved.debit_notice is not None
    assert "2026-11-25" == moved.debit_notice.due
    assert ["2026-11-25"] == [one.data["due"] for one in events]


@pytest.mark.parametrize(
    ("due", "notice", "days", "refused"),
    [
        ("2026-12-04", NearDay.REFUSE, 14, True),
        ("2026-12-06", NearDay.REFUSE, 14, False),  # a Sunday: moved to the Monday that is enough
        ("2026-12-07", NearDay.REFUSE, 14, False),
        ("2026-11-24", NearDay.REFUSE, 1, False),
        ("2026-11-23", NearDay.REFUSE, 0, True),
        ("", NearDay.REFUSE, 14, False),
        ("2026-11-25", NearDay.MOVE, 14, False),
        ("2026-11-25", NearDay.OFF, 14, False),
    ],
)
def test_day_that_was_named_is_refused(
    due: str, notice: NearDay, days: int, *, refused: bool
) -> None:
    """Only where the account says so, with the first day that would do."""
    paid = PaymentInstruction(method_code="sepa_debit", mandate_id="M-1", due=due)

    found = notifying.fault(paid, mandate(notice_days=days), account(notice), now=NOW)

    assert refused == (found is not None)
    if found is not None:
        assert ("/payment/due", "notice_short") == (found.pointer, found.code)
        assert ("2026-12-07" if days else "2026-11-24") in found.detail
