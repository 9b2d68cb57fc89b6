"""Storing payment methods: which may be kept, how long, and what is paid with them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Final

import msgspec

from gateway.model.event import Event
from gateway.model.instruction import PaymentInstruction
from gateway.model.payment_method import (
    PAYMENT_METHOD_STATES,
    NewPaymentMethod,
    PaymentMethod,
    PaymentMethodState,
)
from gateway.policy import routing
from gateway.policy.validation import FieldError, Invalid, read

_S = PaymentMethodState
# Six and four digits of a card may be shown; an account number has more.
# Source: PCI DSS 4.0, requirement 3.4.1.
_DIGITS: Final = 10
_HERE: Final = "/payment/payment_method_id"
_ENDED: Final = {
    _S.EXPIRED: ("payment_method_expired", "It has expired; ask for another one."),
    _S.REVOKED: ("payment_method_revoked", "It was revoked; ask for another one."),
}


def read_method(
    body: bytes, *, systems: Mapping[str, routing.System], now: datetime
) -> NewPaymentMethod:
    """The instrument that a front-end wants to be kept.

    Args:
        systems: Those that collect payments, by name.

    Raises:
        Invalid: With everything that is wrong.
    """

    def rules(new: NewPaymentMethod) -> Iterator[FieldError]:
        yield from _system_errors(new, systems)
        if sum(map(str.isdecimal, new.display_hint)) > _DIGITS:
            detail = "Send what the customer knows it by, and no account number."
            yield FieldError("/display_hint", "account_number", detail)
        if new.expires and not _is_day(new.expires):
            yield FieldError("/expires", "not_a_day", "Send a day of the calendar.")
        elif _is_over(new.expires, now):
            yield FieldError("/expires", "in_the_past", "Send a day that has not passed.")

    return read(body, NewPaymentMethod, rules)


def add(new: NewPaymentMethod, *, payment_method_id: str, at: str) -> tuple[PaymentMethod, Event]:
    """The instrument as it is kept.

    Args:
        at: ISO 8601 in UTC.
    """
    given = {name: getattr(new, name) for name in new.__struct_fields__}
    method = PaymentMethod(payment_method_id=payment_method_id, added_at=at, **given)
    return method, _event(method, "added")


def revoke(method: PaymentMethod) -> tuple[PaymentMethod, tuple[Event, ...]]:
    """The instrument with which nothing is paid any more; doing it again changes nothing."""
    return _moved(method, _S.REVOKED, "revoked")


def expire(method: PaymentMethod) -> tuple[PaymentMethod, tuple[Event, ...]]:
    """The instrument whose last day is over."""
    return _moved(method, _S.EXPIRED, "expired")


def as_of(method: PaymentMethod, now: datetime) -> PaymentMethod:
    """The instrument as it is now, whether or not somebody has written down that it expired."""
    if method.state is _S.ACTIVE and _is_over(method.expires, now):
        return expire(method)[0]
    return method


def pay_with(
    instruction: PaymentInstruction,
    method: PaymentMethod | None,
    *,
    customer_id: str = "",
    now: datetime,
) -> PaymentInstruction:
    """The instruction with the provider and the token of a stored instrument.

    Args:
        customer_id: Who pays; empty where nobody is known.

    Raises:
        Invalid: It is unknown, has ended, or is something else than what the instruction says.
    """
    if method is None:
        raise _wrong("payment_method_unknown", "There is no payment method with this id.")
    if (state := as_of(method, now).state) in _ENDED:
        raise _wrong(*_ENDED[state])
    errors = [
        FieldError(f"/payment/{name}", "payment_method_differs", detail)
        for name, detail, differs in (
            (
                "method_code",
                f"Send {method.method_code}: the stored method is one.",
                instruction.method_code != method.method_code,
            ),
            (
                "payment_method_id",
                "Send one of the payer's own.",
                bool(customer_id) and customer_id != method.customer_id,
            ),
            ("token", "Leave it out: the stored method has one.", bool(instruction.token)),
            (
                "provider",
                f"Leave it out: the stored method is at {method.provider}.",
                instruction.provider not in {"", method.provider},
            ),
        )
        if differs
    ]
    if errors:
        raise Invalid(tuple(errors))
    return msgspec.structs.replace(instruction, provider=method.provider, token=method.token)


def _system_errors(
    new: NewPaymentMethod, systems: Mapping[str, routing.System]
) -> Iterator[FieldError]:
    if new.provider not in systems:
        detail = f"Send one of {', '.join(sorted(systems))}."
        yield FieldError("/provider", "provider_unknown", detail)
        return
    rows = {row.method for row in systems[new.provider].capabilities if row.token}
    if new.method_code not in rows:
        detail = f"At this provider there are tokens for {', '.join(sorted(rows)) or 'nothing'}."
        yield FieldError("/method_code", "method_unsupported", detail)


def _moved(
    method: PaymentMethod, state: PaymentMethodState, word: str
) -> tuple[PaymentMethod, tuple[Event, ...]]:
    if not PAYMENT_METHOD_STATES.allows(method.state, state):
        return method, ()
    changed = msgspec.structs.replace(method, state=state)
    return changed, (_event(changed, word),)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_over(expires: str, now: datetime) -> bool:
    """Whether the last day is over everywhere on earth: twelve hours after it is in UTC."""
    if not expires or not _is_day(expires):
        return False
    ended = datetime.combine(date.fromisoformat(expires), datetime.min.time(), UTC)
    return (now - ended).total_seconds() >= (24 + 12) * 3600


def _wrong(rule: str, detail: str) -> Invalid:
    return Invalid((FieldError(_HERE, rule, detail),))


def _event(method: PaymentMethod, word: str) -> Event:
    """The event of a payment method; neither token nor hint stand in it."""
    return Event(
        type=f"headrace.payment_method.{word}.v1",
        aggregate="payment_method",
        aggregate_id=method.payment_method_id,
        data={
            "customer_id": method.customer_id,
            "provider": method.provider,
            "method_code": method.method_code,
            "state": method.state.value,
        },
    )
