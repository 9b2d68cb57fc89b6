"""Notifying: what a debtor has to be told of a collection, and what becomes of a day that is near.

Source: EPC016-06, SEPA core direct debit rulebook, at second hand: amount, due date, creditor
identifier and mandate reference, 14 calendar days before unless agreed shorter.
"""

import datetime as dt
from zoneinfo import ZoneInfo

import msgspec

from gateway.kit.sepa import calendar, mandates
from gateway.model.bank import BankAccount, NearDay
from gateway.model.event import Event
from gateway.model.instruction import PaymentInstruction
from gateway.model.mandate import Mandate
from gateway.model.payment import DebitNotice, Payment
from gateway.policy import amending, mandating
from gateway.policy.validation import FieldError


def fault(
    paid: PaymentInstruction, mandate: Mandate, account: BankAccount, *, now: dt.datetime
) -> FieldError | None:
    """Why the day that a front-end names is too near to tell the debtor; None if it is not.

    Args:
        now: Any aware moment.
    """
    if account.notice is not NearDay.REFUSE or not paid.due:
        return None
    wanted = dt.date.fromisoformat(paid.due)
    first = _first(wanted, mandate, account, now)
    if first <= calendar.next_open(wanted):
        return None
    detail = f"The debtor is told {mandate.notice_days} days before: send {first} or a later day."
    return FieldError("/payment/due", "notice_short", detail)


def promised(
    payment: Payment, mandate: Mandate, account: BankAccount, *, now: dt.datetime
) -> tuple[Payment, tuple[Event, ...]]:
    """The payment that a bank's next file or a later one takes, with what its debtor is told.

    Where near days are not taken, the day that is told binds the files. Else it is the first that
    can be reached now, and the files go by what was named, if anything was.
    """
    mandate, _ = amending.by_settings(mandate, account)
    earliest = calendar.earliest_due(now, account.deadline)
    wanted = dt.date.fromisoformat(payment.due) if payment.due else earliest
    day = _first(wanted, mandate, account, now)
    if account.notice is not NearDay.OFF:
        payment = msgspec.structs.replace(payment, due=day.isoformat())
    return told(payment, mandate, day)


def told(payment: Payment, mandate: Mandate, due: dt.date) -> tuple[Payment, tuple[Event, ...]]:
    """The payment whose debtor has to be told of this day; no news where that is known."""
    notice = DebitNotice(
        due=due.isoformat(),
        amount=payment.amount,
        creditor_id=mandate.creditor_id,
        mandate_reference=mandate.mandate_id,
        tell_by=mandates.notify_by(mandate, due).isoformat(),
    )
    if notice == payment.debit_notice:
        return payment, ()
    return msgspec.structs.replace(payment, debit_notice=notice), (
        _event(payment, mandate, notice),
    )


def _first(wanted: dt.date, mandate: Mandate, account: BankAccount, now: dt.datetime) -> dt.date:
    """The first day from the wanted one on that can be reached, and of which can be told."""
    reached = calendar.earliest_due(now, account.deadline)
    day = max(calendar.next_open(wanted), reached)
    if account.notice is NearDay.OFF:
        return day
    today = now.astimezone(ZoneInfo(account.deadline.zone)).date()
    return max(day, calendar.next_open(today + dt.timedelta(days=mandate.notice_days)))


def _event(payment: Payment, mandate: Mandate, notice: DebitNotice) -> Event:
    """What a front-end tells the debtor, whom it knows."""
    event = mandating.event(mandate, "notification_due")
    data = {
        **event.data,
        "payment_id": payment.payment_id,
        "due": notice.due,
        "amount": notice.amount.amount,
        "currency": notice.amount.currency,
        "creditor_id": notice.creditor_id,
        "mandate_reference": notice.mandate_reference,
        "tell_by": notice.tell_by,
    }
    return msgspec.structs.replace(event, data=data)
