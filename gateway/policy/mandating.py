"""Mandates: what a front-end gives, what a payment may use, and what is told of them."""

from collections.abc import Iterator
from datetime import date
from typing import Final

import msgspec

from gateway.kit.sepa import identifiers, mandates, reasons
from gateway.kit.sepa.characters import Unwritable, written
from gateway.model.bank import BankAccount
from gateway.model.event import Event
from gateway.model.instruction import NewMandate, PaymentInstruction
from gateway.model.mandate import Mandate, MandateState, Scheme, SequenceType
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import Payment
from gateway.policy.validation import FieldError

# How events call a state that a mandate has come to.
WORD_OF: Final = {
    MandateState.ACTIVE: "activated",
    MandateState.SUSPENDED: "suspended",
    MandateState.REVOKED: "cancelled",
    MandateState.EXPIRED: "expired",
    MandateState.FAILED: "failed",
}
# Which scheme a method collects by.
SCHEME_OF: Final = {"sepa_debit": Scheme.CORE, "sepa_debit_b2b": Scheme.B2B}
_NAME_LENGTH: Final = 70
_SHOWN: Final = 4


def faults(new: NewMandate, *, today: date) -> Iterator[FieldError]:
    """What no schema says of a mandate.

    Args:
        today: Of the bank account's zone.
    """
    if fault := identifiers.payable_fault(new.iban):
        yield FieldError("/iban", fault, "Send an IBAN of the SEPA zone; its checksum has to fit.")
    if new.bic and (fault := identifiers.bic_fault(new.bic)):
        yield FieldError("/bic", fault, "Send a BIC of 8 or 11 characters, or none.")
    if new.mandate_id and (fault := identifiers.reference_fault(new.mandate_id)):
        yield FieldError("/mandate_id", fault, "Send a reference in the characters of SEPA.")
    if new.signed_at > today:
        yield FieldError("/signed_at", "signed_later", "Send the day on which it was signed.")
    try:
        written(new.debtor_name, at_most=_NAME_LENGTH)
    except Unwritable as error:
        detail = "Send a name of at most 70 characters that SEPA can spell."
        yield FieldError("/debtor_name", f"name_{error.rule}", detail)


def signed(
    new: NewMandate, *, mandate_id: str, system: str, account: str, settings: BankAccount
) -> Mandate:
    """The mandate as it begins: a B2B one waits until the debtor's bank has it too."""
    waits = new.scheme is Scheme.B2B and not new.is_registered
    return Mandate(
        mandate_id=mandate_id,
        system=system,
        account=account,
        customer_id=new.customer_id,
        scheme=new.scheme,
        creditor_id=identifiers.compact(settings.creditor_id),
        debtor_name=new.debtor_name,
        iban=identifiers.compact(new.iban),
        bic=new.bic or None,
        signed_at=new.signed_at,
        signature_type=new.signature_type,
        sequence_type=SequenceType.OOFF if new.is_single else SequenceType.RCUR,
        notice_days=new.notice_days,
        state=MandateState.PENDING if waits else MandateState.ACTIVE,
    )


def shown(mandate: Mandate) -> Mandate:
    """The mandate as others may see it: of the account only the end, of the owner a letter."""
    return msgspec.structs.replace(
        mandate,
        iban="*" * 8 + mandate.iban[-_SHOWN:],
        bic=None,
        debtor_name=f"{mandate.debtor_name[:1]}***",
    )


def may_pay(paid: PaymentInstruction, mandate: Mandate | None, today: date) -> FieldError | None:
    """The rule that forbids to collect a payment by its mandate; None if it is allowed.

    Args:
        mandate: None where there is none of this id.
    """
    due = max(date.fromisoformat(paid.due), today) if paid.due else today
    rule = _fault(paid, mandate, due)
    if not rule:
        return None
    return FieldError("/payment/mandate_id", rule, _DETAILS.get(rule, _OTHER))


_OTHER: Final = "Send a mandate that can be collected by; show it to see its state."
_DETAILS: Final = {
    "mandate_unknown": "There is no mandate of this id.",
    "mandate_scheme": "Send a CORE mandate for sepa_debit, a B2B one for sepa_debit_b2b.",
    "mandate_provider": "Leave /payment/provider out, or name the system of the mandate.",
    "mandate_lapsed": "It was not used for 36 months by then; let the debtor sign a new one.",
}


def _fault(paid: PaymentInstruction, mandate: Mandate | None, due: date) -> str:
    if mandate is None:
        return "mandate_unknown"
    if paid.provider not in {"", mandate.system}:
        return "mandate_provider"
    if SCHEME_OF.get(paid.method_code) is not mandate.scheme:
        return "mandate_scheme"
    return mandates.fault(mandate, due)


def created(mandate: Mandate) -> tuple[Event, ...]:
    """The events that report a new mandate."""
    return (event(mandate, "signed"), *news(None, mandate))


def news(before: Mandate | None, now: Mandate) -> tuple[Event, ...]:
    """What happened to a mandate, as events call it."""
    word = WORD_OF.get(now.state)
    if word is None or (before is not None and before.state is now.state):
        return ()
    return (event(now, word),)


def event(mandate: Mandate, word: str) -> Event:
    """The event of a mandate; nobody's name and no account."""
    return Event(
        type=f"headrace.mandate.{word}.v1",
        aggregate="mandate",
        aggregate_id=mandate.mandate_id,
        data={
            "state": mandate.state.value,
            "scheme": mandate.scheme.value,
            "system": mandate.system,
            "customer_id": mandate.customer_id or None,
        },
    )


def as_of(mandate: Mandate, today: date) -> Mandate:
    """The mandate as of today: one that was not used for 36 months has expired."""
    return mandates.lapsed(mandate, today)


def refusals(before: Payment, now: Payment) -> Iterator[str]:
    """Reason codes with which a bank has newly refused or taken back a collection."""
    known = {(one.kind, one.ref): one.state for one in before.movements}
    for one in now.movements:
        if _is_refusal(one) and known.get((one.kind, one.ref)) is not one.state:
            yield one.reason_code


def after_refusal(mandate: Mandate, payment: Payment, reason_code: str) -> Mandate:
    """The mandate after a collection came back; MD01 ends it, a closed account suspends it.

    What was refused before it was booked has told the debtor's bank nothing.
    """
    if any(
        one.kind is MovementKind.CAPTURE and one.state is MovementState.UNDONE
        for one in payment.movements
    ):
        mandate = mandates.untold(mandate, payment.provider_ref)
    return mandates.returned(mandate, reasons.of(reason_code))


def _is_refusal(one: Movement) -> bool:
    kinds = {MovementKind.CAPTURE: MovementState.UNDONE, MovementKind.RETURN: MovementState.DONE}
    return bool(one.reason_code) and kinds.get(one.kind) is one.state
