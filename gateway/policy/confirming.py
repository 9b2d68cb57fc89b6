"""Confirming: a payment that waited begins, and one whose payer came back goes on."""

from collections.abc import Iterable
from typing import Final

import msgspec

from gateway.model.confirmation import NewConfirmation
from gateway.model.event import Event
from gateway.model.instruction import PaymentInstruction
from gateway.model.payment import (
    Confirmation,
    Payment,
    PaymentFailure,
    PaymentState,
    WishState,
)
from gateway.policy import collecting, routing, wishing
from gateway.policy.validation import FieldError, Invalid, read, route_errors

# Fields of a confirmation, where a rule about the payment speaks of them.
_OURS: Final = {
    "/payment/token": "/token",
    "/payment/return_url": "/return_url",
    "/payment/payment_method_id": "/payment_method_id",
}


def read_confirmation(body: bytes) -> NewConfirmation:
    """What lets a payment go on.

    Raises:
        Invalid: With everything that is wrong.
    """
    return read(body or b"{}", NewConfirmation, lambda _: ())


def instruction_of(payment: Payment, new: NewConfirmation) -> PaymentInstruction:
    """How it is to be paid, with what was missing."""
    return PaymentInstruction(
        method_code=payment.method_code,
        token=new.token or ("" if new.payment_method_id else payment.token),
        payment_method_id=new.payment_method_id,
        provider=payment.provider,
        return_url=new.return_url or payment.return_url,
    )


def begun(
    payment: Payment,
    new: NewConfirmation,
    paid: PaymentInstruction,
    choice: routing.Choice,
    *,
    at: str,
) -> Payment:
    """The payment that waited, complete.

    Args:
        paid: How, with what a stored payment method stands for.
        choice: Who may collect it.
        at: ISO 8601 in UTC; from now on it is looked for at providers.

    Raises:
        Invalid: Something is missing still, or nobody can take it so.
    """
    if new.details:
        detail = "Nothing was asked of the payer yet; leave it out."
        raise Invalid((FieldError("/details", "not_awaited", detail),))
    complete = msgspec.structs.replace(
        payment,
        unconfirmed=False,
        requested_at=at,
        token=paid.token,
        provider=paid.provider,
        return_url=paid.return_url,
    )
    wrong = ours(route_errors(routing.of_payment(complete), choice, amount=""))
    if wrong:
        raise Invalid(wrong)
    return complete


def ours(errors: Iterable[FieldError]) -> tuple[FieldError, ...]:
    """What is wrong with a payment, by the fields of its confirmation; others are the whole."""
    return tuple(msgspec.structs.replace(one, pointer=_OURS.get(one.pointer, "")) for one in errors)


def may_go_on(payment: Payment) -> bool:
    """Whether the payer was asked for something, and no answer is under way."""
    is_busy = any(one.state is WishState.CREATED for one in payment.confirmations)
    return payment.state is PaymentState.REQUIRES_ACTION and not is_busy


def check_details(new: NewConfirmation, *, needed: bool) -> None:
    """Hold what is sent of a payment that has begun against what can be used.

    Args:
        needed: Whether its provider has to be told what the payer brought back.

    Raises:
        Invalid: Something is missing, or comes too late.
    """
    late = [
        FieldError(f"/{name}", "not_awaited", "The payment has begun with what it had.")
        for name in ("token", "payment_method_id", "return_url")
        if getattr(new, name)
    ]
    if needed and not new.details:
        detail = "Send what the payer brought back, by the provider's names."
        late.append(FieldError("/details", "details_missing", detail))
    if late:
        raise Invalid(tuple(late))


def request(payment: Payment, *, at: str) -> tuple[Payment, Confirmation]:
    """The payment with another wish to go on, committed before anything is sent.

    Args:
        at: ISO 8601 in UTC.
    """
    wish = Confirmation(
        confirmation_id=wishing.next_id(payment.payment_id, "confirm", payment.confirmations),
        requested_at=at,
    )
    wishes = (*payment.confirmations, wish)
    return msgspec.structs.replace(payment, confirmations=wishes), wish


def payment_of(confirmation_id: str) -> str:
    """Id of the payment whose payer came back."""
    return wishing.owner_of(confirmation_id, "confirm")


def ended(payment: Payment, confirmation_id: str, failure: PaymentFailure | None = None) -> Payment:
    """The payment whose provider has taken what the payer brought back, or refuses it."""
    state = WishState.FAILED if failure else WishState.DONE
    wishes = wishing.change(
        payment.confirmations, "confirmation_id", confirmation_id, state=state, failure=failure
    )
    return msgspec.structs.replace(payment, confirmations=wishes)


def given_up(payment: Payment) -> tuple[Payment, tuple[Event, ...]]:
    """The payment that waited and is wanted no more; nobody was asked."""
    changed = msgspec.structs.replace(
        payment,
        unconfirmed=False,
        progress=PaymentState.CANCELLED,
        state=PaymentState.CANCELLED,
    )
    return changed, (collecting.event(changed, "cancelled"),)
