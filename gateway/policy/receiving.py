"""Receiving: money that came, or went back, where only a person can say so."""

from datetime import datetime

from gateway.model.event import Event
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import Payment, PaymentState, ProviderPayment, Refund, RefundState
from gateway.model.receipt import NewReceipt
from gateway.policy import collecting
from gateway.policy.validation import FieldError, Invalid, not_positive, read


def read_receipt(body: bytes) -> NewReceipt:
    """What a person says has come.

    Raises:
        Invalid: With everything that is wrong.
    """
    return read(body, NewReceipt, lambda new: not_positive(new.amount))


def may_receive(payment: Payment) -> bool:
    """Whether money can come for it: it was asked for, and once it came it is not unmade.

    What comes after a cancellation has come all the same.
    """
    return bool(payment.provider_ref) and payment.state is not PaymentState.CREATED


def receive(
    payment: Payment, new: NewReceipt, *, at: datetime
) -> tuple[Payment, tuple[Event, ...]]:
    """The payment for which money came; too little or too much is taken as it is.

    Raises:
        Invalid: Another currency, or the reference is of another amount.
    """
    if new.amount.currency != payment.amount.currency:
        detail = f"Send the payment's currency, {payment.amount.currency}."
        raise Invalid((FieldError("/amount/currency", "mixed_currency", detail),))
    known = [one for one in payment.movements if one.ref == new.reference]
    if any(one.kind is not MovementKind.CAPTURE or one.amount != new.amount for one in known):
        detail = "Something else was recorded under this reference."
        raise Invalid((FieldError("/reference", "reference_used", detail),))
    came = Movement(
        kind=MovementKind.CAPTURE,
        ref=new.reference,
        state=MovementState.DONE,
        amount=new.amount,
    )
    nothing = Money(0, payment.amount.currency)
    said = ProviderPayment(
        provider_ref=payment.provider_ref,
        state=PaymentState.CAPTURED,
        amount=payment.amount,
        captured=nothing,
        refunded=nothing,
        movements=(came,),
    )
    return collecting.apply(payment, said, at=at.timestamp())


def may_settle(refund: Refund) -> bool:
    """Whether the refund is waiting for a person to give it back, or was given back."""
    return refund.state in {RefundState.PENDING, RefundState.SETTLED}


def settle(payment: Payment, refund: Refund) -> tuple[Payment, tuple[Event, ...]]:
    """The payment of which a person has given this back."""
    gone = Movement(
        kind=MovementKind.REFUND,
        ref=refund.provider_ref,
        state=MovementState.DONE,
        amount=refund.amount,
    )
    return collecting.apply(payment, movements=[gone])
