"""Raising: what has to hold before more is authorised, each rule with its pointer."""

from datetime import datetime

from gateway.model.instruction import NewAmount
from gateway.model.money import Money
from gateway.model.payment import Payment, PaymentState, WishState
from gateway.policy import adjusting, capturing
from gateway.policy.validation import FieldError, Invalid, read


def read_amount(body: bytes) -> NewAmount:
    """To what an authorisation is to be raised.

    Raises:
        Invalid: With everything that is wrong.
    """
    return read(body, NewAmount, lambda _: ())


def may_raise(payment: Payment) -> bool:
    """Whether all that is authorised is still held, and nothing is being done to it."""
    collecting = any(one.state is not WishState.FAILED for one in payment.captures)
    busy = capturing.is_open(payment) or adjusting.is_open(payment)
    return payment.state is PaymentState.AUTHORISED and not collecting and not busy


def amount_of(payment: Payment, new: NewAmount, *, hold_days: int, now: datetime) -> Money:
    """To what an authorisation is raised.

    Args:
        hold_days: How long the provider holds an authorisation; 0 where nobody says.

    Raises:
        Invalid: It was not taken so, not more than is authorised, another currency, or too late.
    """
    held = payment.ceiling
    if not payment.adjustable:
        detail = "It was taken without /payment/adjustable, so its provider holds no more."
        raise Invalid((FieldError("", "not_adjustable", detail),))
    if capturing.has_expired(payment, hold_days=hold_days, now=now):
        detail = f"The provider held it for {hold_days} days; take a new payment."
        raise Invalid((FieldError("", "authorisation_expired", detail),))
    if new.amount.currency != held.currency:
        detail = f"Send the payment's currency, {held.currency}."
        raise Invalid((FieldError("/amount/currency", "mixed_currency", detail),))
    if new.amount.minor <= held.minor:
        detail = f"Send more than {held.amount}; whoever wants less captures less."
        raise Invalid((FieldError("/amount/amount", "not_above_authorised", detail),))
    return new.amount
