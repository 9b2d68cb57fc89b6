"""What drills want of providers, and what of it went wrong: the provider's own count decides."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from gateway.model.money import Money
from gateway.model.payment import AttemptState, Payment, PaymentState, RefundState, WishState
from tests.conformance.subject import Subject, fulfilling

# What no time heals begins so.
DOUBLE: Final = "double"
PRICE: Final = Money(1999, "EUR")
_S = PaymentState
_PENDING: Final = {_S.CREATED, _S.PENDING, _S.REQUIRES_ACTION}


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that a drill asks for.

    Attributes:
        product: Where.
        situation: ``accepted`` or ``declined``; what the token brings about.
        manual: Whether it is authorised first.
    """

    product: str
    situation: str
    manual: bool

    def body(self, subject: Subject) -> dict[str, Any]:
        """The request that asks for it."""
        return {
            "amount": {"amount": PRICE.amount, "currency": PRICE.currency},
            "payment": {
                "method_code": subject.method,
                "token": subject.tokens[self.situation],
                "provider": self.product,
                "capture_method": "manual" if self.manual else "automatic",
                "return_url": "https://shop.example/back",
            },
        }


def subjects() -> list[Subject]:
    """The providers that move money and have a simulator."""
    return [one for one in fulfilling("payments") if one.tokens and "webhooks" in one.adapter.ports]


def faults_of(payment: Payment, wish: Wish, charged: int, given: Callable[[str], int]) -> list[str]:
    """Everything about a payment that must not be, once all is quiet.

    Args:
        charged: How often the provider has collected it.
        given: How often it has given back, by the refund's id.
    """
    here = f"{payment.payment_id} {wish} {payment.state.value}"
    has_money, is_declined = bool(payment.captured.minor), wish.situation == "declined"
    attempt = payment.attempts[-1].state if payment.attempts else AttemptState.UNKNOWN
    wrong = {
        f"{DOUBLE}: charged {charged} times": charged > 1,
        "the provider has it as paid": charged and not has_money,
        "the provider has it not as paid": has_money and not charged,
        "charged though it was declined": charged and is_declined,
        "failed though the provider takes it": payment.state is _S.FAILED and not is_declined,
        "unresolved": attempt is AttemptState.UNKNOWN or payment.state in _PENDING,
        "a wish that nobody fulfilled": WishState.CREATED
        in {one.state for one in (*payment.captures, *payment.cancellations)},
    }
    found = [f"{what}: {here}" for what, is_so in wrong.items() if is_so]
    for refund in payment.refunds:
        times, state = given(refund.refund_id), refund.state
        if state not in {RefundState.SETTLED, RefundState.FAILED}:
            found.append(f"unresolved refund: {here} {state.value}")
        if times > 1:
            found.append(f"{DOUBLE}: refund made {times} times: {here}")
        elif (state is RefundState.SETTLED) != (times == 1):
            found.append(f"refund {state.value} made {times} times: {here}")
    return found
