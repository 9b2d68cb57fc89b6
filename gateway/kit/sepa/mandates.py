"""The life of a mandate: what it allows on a day, and what a collection makes of it.

Source: EPC016-06, SEPA core direct debit rulebook: 36 months after its last collection a mandate
lapses; the debtor is told 14 calendar days before unless a shorter time was agreed. Read at second
hand (dkb.de, novalnet.de); the rulebook itself was not seen.
"""

import calendar
import datetime as dt
from typing import Final

import msgspec

from gateway.errors import Rejected
from gateway.kit.sepa import identifiers
from gateway.kit.sepa.reasons import MandateEffect, Reason
from gateway.model.mandate import (
    MANDATE_STATES,
    Amendment,
    Mandate,
    MandateState,
    SequenceType,
)

LAPSE_MONTHS: Final = 36
_MONTHS: Final = 12


def change(mandate: Mandate, wanted: MandateState) -> Mandate:
    """The mandate in another state.

    Raises:
        Rejected: The table does not lead there.
    """
    if not MANDATE_STATES.allows(mandate.state, wanted):
        message = f"A mandate that is {mandate.state} cannot become {wanted}."
        raise Rejected(message, code="mandate_state")
    return msgspec.structs.replace(mandate, state=wanted)


def lapses_after(mandate: Mandate) -> dt.date:
    """The last day on which it can be collected: 36 months after its last use, or its signature."""
    since = mandate.last_used_at or mandate.signed_at
    years, month = divmod(since.month - 1 + LAPSE_MONTHS, _MONTHS)
    year = since.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(since.day, last))


def lapsed(mandate: Mandate, today: dt.date) -> Mandate:
    """The mandate as of today: expired if it was not used for 36 months."""
    may_expire = MANDATE_STATES.allows(mandate.state, MandateState.EXPIRED)
    if may_expire and today > lapses_after(mandate):
        return change(mandate, MandateState.EXPIRED)
    return mandate


def fault(mandate: Mandate, due: dt.date) -> str:
    """The rule that forbids a collection on a day; empty if it is allowed."""
    if mandate.state is not MandateState.ACTIVE:
        return f"mandate_{mandate.state.lower()}"
    if mandate.sequence_type is SequenceType.OOFF and mandate.last_used_at is not None:
        return "mandate_used_up"
    if due < mandate.signed_at:
        return "mandate_signed_later"
    if due > lapses_after(mandate):
        return "mandate_lapsed"
    return ""


def sequence(mandate: Mandate, *, is_last: bool = False, names_first: bool = False) -> SequenceType:
    """The sequence type of the next collection.

    Args:
        is_last: No further collection will follow.
        names_first: The bank wants FRST for the first one; since November 2016 nobody has to.
    """
    if mandate.sequence_type is SequenceType.OOFF:
        return SequenceType.OOFF
    if is_last:
        return SequenceType.FNAL
    if names_first and mandate.last_used_at is None:
        return SequenceType.FRST
    return SequenceType.RCUR


def used(mandate: Mandate, due: dt.date, as_type: SequenceType, end_to_end_id: str = "") -> Mandate:
    """The mandate after a collection was sent: OOFF and FNAL use it up, amendments are told.

    Args:
        end_to_end_id: Of the collection.
    """
    last = max(due, mandate.last_used_at or due)
    after = msgspec.structs.replace(mandate, last_used_at=last)
    if mandate.amended_from is not None:
        after = msgspec.structs.replace(
            after, amended_from=None, told=mandate.amended_from, told_with=end_to_end_id
        )
    ends = as_type in {SequenceType.OOFF, SequenceType.FNAL}
    may_expire = MANDATE_STATES.allows(after.state, MandateState.EXPIRED)
    return change(after, MandateState.EXPIRED) if ends and may_expire else after


def returned(mandate: Mandate, reason: Reason) -> Mandate:
    """The mandate after a collection came back; a mandate that ended stays as it is."""
    wanted = {
        MandateEffect.SUSPEND: MandateState.SUSPENDED,
        MandateEffect.REVOKE: MandateState.REVOKED,
    }.get(reason.mandate)
    if wanted is None or not MANDATE_STATES.allows(mandate.state, wanted):
        return mandate
    return change(mandate, wanted)


def amended(
    mandate: Mandate,
    *,
    mandate_id: str | None = None,
    creditor_id: str | None = None,
    creditor_name_before: str | None = None,
    iban: str | None = None,
    bic: str | None = None,
) -> Mandate:
    """The mandate with changes that the next collection tells the debtor's bank.

    What was changed before and not told yet keeps its first value: the bank knows only that.
    A creditor identifier with another business code is the same creditor and needs no telling.

    Args:
        creditor_name_before: The creditor has another name now; this was it.
        bic: Of the new account.
    """
    untold = mandate.amended_from or Amendment()
    renamed = mandate_id is not None and mandate_id != mandate.mandate_id
    moved = creditor_id is not None and not identifiers.same_creditor(
        creditor_id, mandate.creditor_id
    )
    elsewhere = iban is not None and identifiers.compact(iban) != identifiers.compact(mandate.iban)
    first_id = untold.mandate_id or (mandate.mandate_id if renamed else None)
    told = Amendment(
        mandate_id=None if first_id == mandate_id else first_id,
        creditor_id=untold.creditor_id or (mandate.creditor_id if moved else None),
        creditor_name=untold.creditor_name or creditor_name_before,
        has_new_account=untold.has_new_account or elsewhere,
    )
    return msgspec.structs.replace(
        mandate,
        mandate_id=mandate_id or mandate.mandate_id,
        creditor_id=creditor_id or mandate.creditor_id,
        iban=iban or mandate.iban,
        bic=bic if elsewhere else mandate.bic,
        amended_from=None if told == Amendment() else told,
    )


def untold(mandate: Mandate, end_to_end_id: str) -> Mandate:
    """The mandate after a collection was refused that no debtor's bank has seen.

    What it was to tell is told by the next one, with what was changed since.
    """
    if mandate.told is None or mandate.told_with != end_to_end_id:
        return mandate
    first, later = mandate.told, mandate.amended_from or Amendment()
    again = Amendment(
        mandate_id=first.mandate_id or later.mandate_id,
        creditor_id=first.creditor_id or later.creditor_id,
        creditor_name=first.creditor_name or later.creditor_name,
        has_new_account=first.has_new_account or later.has_new_account,
    )
    return msgspec.structs.replace(mandate, amended_from=again, told=None, told_with="")


def notify_by(mandate: Mandate, due: dt.date) -> dt.date:
    """The last day on which the debtor can be told of a collection."""
    return due - dt.timedelta(days=mandate.notice_days)
