"""Debiting: the bank account that a payer gave, and what of it may be kept and shown."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from gateway.kit.sepa import identifiers
from gateway.model.bank_account import BankAccount
from gateway.model.instruction import NewPayment
from gateway.model.payment import AttemptState, Payment, PaymentState
from gateway.policy import routing
from gateway.policy.validation import FieldError

# What a stored account is called; its key is that of the payment.
KIND: Final = "bank_account"
_SHOWN: Final = 4
_OPEN: Final = {AttemptState.PREPARED, AttemptState.UNKNOWN}


def errors(new: NewPayment, systems: Mapping[str, routing.System]) -> Iterator[FieldError]:
    """What is wrong with the account; nobody keeps one that no provider asks for."""
    account = new.bank_account
    if account is None:
        return
    rows = (row for one in systems.values() for row in one.capabilities)
    if not any(row.bank_account and row.method == new.payment.method_code for row in rows):
        detail = "Leave it out: this method does not ask for an account."
        yield FieldError("/bank_account", "bank_account_unsupported", detail)
    if fault := identifiers.iban_fault(account.iban):
        yield FieldError("/bank_account/iban", fault, "Send an IBAN that its bank knows.")
    if not account.holder.strip():
        yield FieldError("/bank_account/holder", "required", "Send whose account it is.")


def shown(payment: Payment) -> Payment:
    """The payment as it is stored and shown: of the account only the end, of the owner a letter."""
    account = payment.bank_account
    if account is None:
        return payment
    iban = f"{account.iban[:2]}**{account.iban[-_SHOWN:]}"
    masked = BankAccount(iban=iban, holder=f"{account.holder[:1]}***")
    return msgspec.structs.replace(payment, bank_account=masked)


def compacted(new: NewPayment) -> NewPayment:
    """The request with the account's number as banks write it."""
    account = new.bank_account
    if account is None:
        return new
    written = msgspec.structs.replace(account, iban=identifiers.compact(account.iban))
    return msgspec.structs.replace(new, bank_account=written)


def is_needed(payment: Payment) -> bool:
    """Whether the provider may have to be told the account still, or once more."""
    if not payment.attempts:
        return payment.state is PaymentState.CREATED
    return payment.attempts[-1].state in _OPEN


def paid_from(payment: Payment, account: BankAccount | None) -> Payment:
    """The payment as its provider is asked for it."""
    return msgspec.structs.replace(payment, bank_account=account) if account else payment
