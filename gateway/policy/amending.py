"""Amending: what of a mandate changes without a new signature, and what has to be told of it."""

from collections.abc import Iterator
from typing import Final

import msgspec

from gateway.errors import Rejected
from gateway.kit.sepa import identifiers, mandates
from gateway.kit.sepa.characters import Unwritable, written
from gateway.model.bank import BankAccount
from gateway.model.event import Event
from gateway.model.instruction import MandateAmendment
from gateway.model.mandate import Mandate, MandateState, Scheme
from gateway.policy import mandating
from gateway.policy.validation import FieldError, read

_NAME_LENGTH: Final = 70
_AMENDABLE: Final = frozenset({MandateState.PENDING, MandateState.ACTIVE, MandateState.SUSPENDED})


def read_amendment(body: bytes) -> MandateAmendment:
    """What is different from what the debtor signed.

    Raises:
        Invalid: With everything that is wrong.
    """

    def rules(new: MandateAmendment) -> Iterator[FieldError]:
        if new.iban and (fault := identifiers.payable_fault(new.iban)):
            detail = "Send an IBAN of the SEPA zone; its checksum has to fit."
            yield FieldError("/iban", fault, detail)
        if new.bic and not new.iban:
            yield FieldError("/iban", "required", "Send the account that the BIC belongs to.")
        if new.bic and (fault := identifiers.bic_fault(new.bic)):
            yield FieldError("/bic", fault, "Send a BIC of 8 or 11 characters, or none.")
        for field in ("debtor_name", "creditor_name_before"):
            if rule := _unwritable(getattr(new, field)):
                detail = "Send a name of at most 70 characters that SEPA can spell."
                yield FieldError(f"/{field}", f"name_{rule}", detail)

    return read(body or b"{}", MandateAmendment, rules)


def amended(
    mandate: Mandate, new: MandateAmendment, account: BankAccount
) -> tuple[Mandate, tuple[Event, ...]]:
    """The mandate as it is now; what it does not say anew stays, and what is the same is no news.

    A B2B debtor's new bank has to be given the mandate, so that it is suspended until it has it.

    Args:
        account: Ours; another creditor identifier in its settings is told with the rest.

    Raises:
        Rejected: It has ended.
    """
    if mandate.state not in _AMENDABLE:
        message = f"A mandate that is {mandate.state.value} cannot be amended."
        raise Rejected(message, code="wrong_state")
    changed = mandates.amended(
        mandate,
        creditor_id=identifiers.compact(account.creditor_id) or None,
        creditor_name_before=new.creditor_name_before or None,
        iban=identifiers.compact(new.iban) or None,
        bic=new.bic or None,
    )
    changed = msgspec.structs.replace(changed, debtor_name=new.debtor_name or mandate.debtor_name)
    moved = changed.iban != mandate.iban
    waits = moved and mandate.scheme is Scheme.B2B and not new.is_registered
    if waits and mandate.state is MandateState.ACTIVE:
        changed = mandates.change(changed, MandateState.SUSPENDED)
    if changed == mandate:
        return mandate, ()
    return changed, (_event(mandate, changed), *mandating.news(mandate, changed))


def by_settings(mandate: Mandate, account: BankAccount) -> tuple[Mandate, tuple[Event, ...]]:
    """The mandate as the next file has it, which names the creditor that the settings name."""
    same = account.creditor_id in {"", mandate.creditor_id}
    if same or mandate.state is not MandateState.ACTIVE:
        return mandate, ()
    return amended(mandate, MandateAmendment(), account)


def _event(before: Mandate, now: Mandate) -> Event:
    """What kind of thing is different; neither the old one nor the new one."""
    event = mandating.event(now, "amended")
    data = {
        **event.data,
        "has_new_account": now.iban != before.iban,
        "has_new_debtor_name": now.debtor_name != before.debtor_name,
        "has_new_creditor": now.creditor_id != before.creditor_id,
    }
    return msgspec.structs.replace(event, data=data)


def _unwritable(name: str) -> str:
    """The rule that a name breaks, or empty."""
    try:
        if name:
            written(name, at_most=_NAME_LENGTH)
    except Unwritable as error:
        return error.rule
    return ""
