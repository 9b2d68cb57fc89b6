"""Requests about money: what no schema says of them, each with its pointer and its rule."""

import re
from collections.abc import Container, Iterator, Mapping
from datetime import date, datetime
from typing import Final

import msgspec

from gateway.errors import Rejected
from gateway.kit.sepa import identifiers
from gateway.model.dispute import NewEvidence
from gateway.model.instruction import (
    NewCapture,
    NewMandate,
    NewPayment,
    NewRefund,
    PaymentInstruction,
)
from gateway.model.member import Member, MemberAccount
from gateway.model.money import Money
from gateway.model.order import NewOrder
from gateway.model.payment import AttemptState, CaptureMethod, Payment, PaymentState
from gateway.model.payout import (
    Destination,
    DestinationKind,
    NewPayout,
    PayeeVerification,
    PayoutCancellation,
)
from gateway.model.split import PLATFORM, SplitKind
from gateway.model.transfer import MemberTransfer, NewReversal, NewTransfer
from gateway.policy import (
    capturing,
    collecting,
    debiting,
    mandating,
    membership,
    refunding,
    routing,
    transferring,
)
from gateway.policy.validation import (
    FieldError,
    Invalid,
    not_positive,
    not_sold,
    read,
    route_errors,
)

_MEMBER: Final = re.compile("[A-Za-z0-9._-]{1,64}")
# Where a front-end has sent what stands in a transfer of a bank's file.
_OF_TRANSFER: Final = {
    "amount": "/amount",
    "creditor_name": "/destination/name",
    "creditor_iban": "/destination/iban",
    "creditor_bic": "/destination/bic",
    "remittance": "/text",
    "account": "/provider",
}


def read_payment(body: bytes, *, currencies: tuple[str, ...], choice: routing.Choice) -> NewPayment:
    """The payment that a front-end asks for.

    Args:
        currencies: In which the tenant sells.
        choice: Who may collect it.

    Raises:
        Invalid: With everything that is wrong.
    """

    def rules(new: NewPayment) -> Iterator[FieldError]:
        yield from _amount_errors(new.amount, currencies)
        yield from _item_errors(new)
        yield from _split_errors(new)
        yield from debiting.errors(new, choice.systems)
        if not new.confirm and (new.payment.mandate_id or new.bank_account):
            detail = "A debit has nothing to wait for; send true, or leave it out."
            yield FieldError("/confirm", "confirm_needed", detail)
        if not new.payment.is_stored:
            yield from route_errors(_wanted(new), choice, amount="/amount")
        yield from _day_errors(new.payment.due, "/payment/due")
        yield from _day_errors(new.release_on, "/release_on")

    return debiting.compacted(read(body, NewPayment, rules))


def _wanted(new: NewPayment) -> routing.Wanted:
    """What the payment looks for; what may come with its confirmation is not missing yet."""
    wanted = routing.of_request(new)
    return wanted if new.confirm else msgspec.structs.replace(wanted, token=True, return_url=True)


def customer_of(new: NewPayment) -> str:
    """The front-end's id of who pays; empty where nobody is known."""
    return new.payer.party_id if new.payer else ""


def pay_with(
    new: NewPayment, instruction: PaymentInstruction, choice: routing.Choice
) -> NewPayment:
    """The payment with the provider and the token of its stored method or its mandate.

    Raises:
        Invalid: Nobody can take it so.
    """
    paid = msgspec.structs.replace(new, payment=instruction)
    _check_route(routing.of_request(paid), choice, amount="/amount")
    return paid


def pay_order_with(
    new: NewOrder, instruction: PaymentInstruction, choice: routing.Choice
) -> NewOrder:
    """The order with the provider and the token of its stored method or its mandate.

    Raises:
        Invalid: Nobody can take its payment so.
    """
    paid = msgspec.structs.replace(new, payment=instruction)
    _check_route(routing.of_order(paid), choice, amount="/total")
    return paid


def read_payout(
    body: bytes,
    *,
    currencies: tuple[str, ...],
    destinations: Mapping[str, frozenset[DestinationKind]],
) -> NewPayout:
    """The payout that a front-end asks for.

    Args:
        currencies: In which the tenant trades.
        destinations: For each system that sends money what it can send money to.

    Raises:
        Invalid: With everything that is wrong.
    """

    def rules(new: NewPayout) -> Iterator[FieldError]:
        yield from _amount_errors(new.amount, currencies)
        yield from _destination_errors(new.destination)
        kinds = destinations.get(new.provider)
        if kinds is None:
            detail = f"Send one of {', '.join(sorted(destinations))}."
            yield FieldError("/provider", "no_payouts", detail)
        elif new.destination.kind not in kinds:
            detail = "The provider cannot send money there."
            yield FieldError("/destination", "destination_unsupported", detail)

    return read(body, NewPayout, rules)


def read_cancellation(body: bytes) -> PayoutCancellation:
    """That a payout is given up.

    Raises:
        Invalid: It says something else.
    """
    return read(body or b"{}", PayoutCancellation, lambda _: ())


def transfer_error(error: Rejected) -> FieldError:
    """What of a payout a bank's file would be refused for."""
    detail = "Send what can stand in a SEPA credit transfer."
    return FieldError(_OF_TRANSFER.get(error.detail, ""), error.code, detail)


def read_member(body: bytes, *, member_id: str, systems: Container[str]) -> MemberAccount:
    """The account of a member that a front-end tells of.

    Args:
        member_id: From the path.
        systems: Those at which a member can have an account.

    Raises:
        Invalid: With everything that is wrong.
    """

    def rules(new: MemberAccount) -> Iterator[FieldError]:
        if not _MEMBER.fullmatch(member_id) or member_id == PLATFORM:
            detail = "Send 1 to 64 letters, digits, dots, dashes and underscores in the path."
            yield FieldError("", "member_id", detail)
        if new.system not in systems:
            detail = "Send a system that collects, sends or moves money."
            yield FieldError("/system", "no_such_system", detail)

    return read(body, MemberAccount, rules)


def account_at(party: str, members: Mapping[str, Member], system: str, pointer: str) -> str:
    """The account that a party stands for at a system; an account stands for itself.

    Raises:
        Invalid: A member without one, or one that the provider has stopped.
    """
    return account_of(members[party], system, pointer) if party in members else party


def account_of(member: Member | None, system: str, pointer: str) -> str:
    """The member's account at a system.

    Raises:
        Invalid: It has none, or the provider has stopped it.
    """
    try:
        return membership.account_of(member, system)
    except Rejected as error:
        raise Invalid((FieldError(pointer, error.code, error.message),)) from error


def read_transfer(
    body: bytes, *, currencies: tuple[str, ...], movers: Mapping[str, bool]
) -> NewTransfer:
    """The transfer that a front-end asks for.

    Args:
        currencies: In which the tenant trades.
        movers: For each system that moves money whether it can take it from a member.

    Raises:
        Invalid: With everything that is wrong.
    """

    def rules(new: NewTransfer) -> Iterator[FieldError]:
        yield from _amount_errors(new.amount, currencies)
        if new.source == new.destination:
            yield FieldError("/destination", "same_party", "Send another party than /source.")
        if new.provider not in movers:
            detail = f"Send one of {', '.join(sorted(movers))}."
            yield FieldError("/provider", "no_transfers", detail)
        elif not movers[new.provider] and new.source != PLATFORM:
            detail = "The provider moves money from the platform only."
            yield FieldError("/source", "source_unsupported", detail)
        elif not movers[new.provider] and new.destination == PLATFORM:
            detail = "The provider moves money to members only; reverse a transfer instead."
            yield FieldError("/destination", "destination_unsupported", detail)

    return read(body, NewTransfer, rules)


def read_reversal(body: bytes) -> NewReversal:
    """What of a transfer is to be moved back.

    Raises:
        Invalid: With everything that is wrong.
    """
    return read(body or b"{}", NewReversal, lambda new: not_positive(new.amount))


def amount_to_reverse(transfer: MemberTransfer, new: NewReversal) -> Money:
    """What is moved back of a transfer.

    Raises:
        Invalid: More than is left, or another currency.
    """
    return _part(new.amount, transferring.left(transfer), rule="above_transferred")


def read_verification(body: bytes) -> PayeeVerification:
    """What the payee's bank said.

    Raises:
        Invalid: With everything that is wrong.
    """
    return read(body, PayeeVerification, lambda _: ())


def _destination_errors(where: Destination) -> Iterator[FieldError]:
    given = [one for one in (where.member_id, where.account, where.email, where.iban) if one]
    if len(given) != 1:
        detail = "Send one of member_id, account, email and iban."
        yield FieldError("/destination", "one_destination", detail)
    if where.iban and (fault := identifiers.iban_fault(where.iban)):
        yield FieldError("/destination/iban", fault, "Send an IBAN that its bank knows.")
    if "*" in where.email:
        detail = "Send the whole address; what is shown of it is masked."
        yield FieldError("/destination/email", "email_masked", detail)
    if where.iban and not where.name:
        yield FieldError("/destination/name", "required", "Send whose account it is.")
    if where.bic and (fault := identifiers.bic_fault(where.bic)):
        yield FieldError("/destination/bic", fault, "Send 8 or 11 characters, or none.")


def read_capture(body: bytes) -> NewCapture:
    """What of a payment is to be collected.

    Raises:
        Invalid: With everything that is wrong.
    """
    return read(body or b"{}", NewCapture, lambda new: not_positive(new.amount))


def read_refund(body: bytes) -> NewRefund:
    """What of a payment is to be given back.

    Raises:
        Invalid: With everything that is wrong.
    """
    return read(body, NewRefund, lambda new: not_positive(new.amount))


def read_evidence(body: bytes) -> NewEvidence:
    """Why a claim is wrong.

    Raises:
        Invalid: With everything that is wrong.
    """

    def rules(new: NewEvidence) -> Iterator[FieldError]:
        if not new.text.strip() and not new.files:
            yield FieldError("", "evidence_missing", "Send text, files, or both.")

    return read(body, NewEvidence, rules)


def read_mandate(body: bytes, *, today: date) -> NewMandate:
    """The mandate that a debtor has signed.

    Raises:
        Invalid: With everything that is wrong.
    """
    return read(body, NewMandate, lambda new: mandating.faults(new, today=today))


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body that has nothing to say."""


def read_nothing(body: bytes) -> None:
    """Refuse a body where none is needed.

    Raises:
        Invalid: There is something in it.
    """
    read(body or b"{}", _Nothing, lambda _: ())


def amount_to_capture(payment: Payment, new: NewCapture, *, hold_days: int, now: datetime) -> Money:
    """What is collected of an authorised payment.

    Args:
        hold_days: How long the provider holds an authorisation; 0 where nobody says.

    Raises:
        Invalid: More than is left, another currency, or too late.
    """
    if capturing.has_expired(payment, hold_days=hold_days, now=now):
        detail = f"The provider held it for {hold_days} days; take a new payment."
        raise Invalid((FieldError("", "authorisation_expired", detail),))
    return _part(new.amount, capturing.left(payment), rule="above_authorised")


def amount_to_refund(payment: Payment, new: NewRefund) -> Money:
    """What is given back of a payment.

    Raises:
        Invalid: More than is left, or another currency.
    """
    return _part(new.amount, refunding.left(payment), rule="above_captured")


def may_capture(payment: Payment) -> bool:
    """Whether something is authorised that can be collected."""
    states = {PaymentState.AUTHORISED, PaymentState.CAPTURED}
    held = payment.capture_method is CaptureMethod.MANUAL and payment.state in states
    return held and not capturing.is_open(payment) and capturing.left(payment).minor > 0


def may_cancel(payment: Payment) -> bool:
    """Whether nothing was collected yet, and it is known what the provider did."""
    doubtful = {AttemptState.PREPARED, AttemptState.UNKNOWN}
    known = bool(payment.attempts) and payment.attempts[-1].state not in doubtful
    open_states = {PaymentState.REQUIRES_ACTION, PaymentState.PENDING, PaymentState.AUTHORISED}
    held_up = capturing.is_open(payment) or collecting.is_submitted(payment)
    return known and not held_up and payment.state in open_states


def _day_errors(day: str, pointer: str) -> Iterator[FieldError]:
    try:
        date.fromisoformat(day or "2026-01-01")
    except ValueError:
        yield FieldError(pointer, "wrong_format", "Send a day of the calendar, ISO 8601.")


def _check_route(wanted: routing.Wanted, choice: routing.Choice, *, amount: str) -> None:
    """Refuse what nobody can take; see ``route_errors``.

    Raises:
        Invalid: Nobody can.
    """
    errors = tuple(route_errors(wanted, choice, amount=amount))
    if errors:
        raise Invalid(errors)


def _amount_errors(amount: Money, currencies: tuple[str, ...]) -> Iterator[FieldError]:
    yield from not_positive(amount)
    yield from not_sold(amount, currencies)


def _part(asked: Money | None, left: Money, *, rule: str) -> Money:
    if asked is None:
        asked = left
    if asked.currency != left.currency:
        detail = f"Send the payment's currency, {left.currency}."
        raise Invalid((FieldError("/amount/currency", "mixed_currency", detail),))
    if asked.minor > left.minor or not left.minor:
        detail = f"Send at most {left.amount}: no more is left."
        raise Invalid((FieldError("/amount/amount", rule, detail),))
    return asked


def _item_errors(new: NewPayment) -> Iterator[FieldError]:
    for index, one in enumerate(new.items):
        if one.unit_price.currency != new.amount.currency:
            place = f"/items/{index}/unit_price/currency"
            yield FieldError(place, "mixed_currency", "Send the currency of /amount.")
    total = sum(one.unit_price.minor * one.quantity for one in new.items)
    if new.items and total != new.amount.minor:
        detail = "Send the sum of quantity times unit_price over all items."
        yield FieldError("/amount/amount", "total_differs", detail)


def _split_errors(new: NewPayment) -> Iterator[FieldError]:
    """The parts are of one currency, one may take the rest, and together they are the amount."""
    rests = [one for one in new.splits if one.kind is SplitKind.REMAINDER]
    for index, one in enumerate(new.splits):
        place = f"/splits/{index}/amount"
        if (one.kind is SplitKind.REMAINDER) != (one.amount is None):
            yield FieldError(place, "split_amount", "Only a REMAINDER has no amount.")
        elif one.amount is not None and one.amount.currency != new.amount.currency:
            yield FieldError(f"{place}/currency", "mixed_currency", "Send that of /amount.")
        else:
            yield from not_positive(one.amount, place)
    if len(rests) > 1:
        yield FieldError("/splits", "split_remainders", "Send one REMAINDER at most.")
    total = sum(one.amount.minor for one in new.splits if one.amount is not None)
    fits = total < new.amount.minor if rests else total == new.amount.minor
    if new.splits and not fits:
        detail = "The parts have to sum up to /amount; a REMAINDER takes what is left of it."
        yield FieldError("/splits", "split_sum", detail)
