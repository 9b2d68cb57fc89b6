"""Attempting: what is asked of whom to collect a payment, and when somebody else is asked."""

import msgspec

from gateway.model.bank_account import BankAccount
from gateway.model.event import Event
from gateway.model.instruction import NewPayment, PaymentInstruction
from gateway.model.item import OrderItem
from gateway.model.money import Money
from gateway.model.order import Order
from gateway.model.party import Party
from gateway.model.payment import (
    AttemptState,
    Payment,
    PaymentAttempt,
    PaymentFailure,
    PaymentState,
)
from gateway.model.route import Route
from gateway.model.split import Split
from gateway.policy import collecting


def of_order(order: Order, *, at: str) -> Payment:
    """The payment of an order, before anybody was chosen to collect it.

    Args:
        at: ISO 8601 in UTC.
    """
    return _intended(
        order.payment,
        order.total,
        payment_id=order.payment_id,
        order_id=order.order_id,
        at=at,
        reference=order.reference,
        payer=order.party,
        items=order.items,
        channel=order.channel.value,
    )


def of_request(new: NewPayment, *, payment_id: str, at: str, needs_payer: bool = True) -> Payment:
    """A payment without an order, before anybody was chosen to collect it.

    Args:
        needs_payer: Whether a provider asks who pays for what; else it is not kept.
    """
    intended = _intended(
        new.payment,
        new.amount,
        payment_id=payment_id,
        order_id="",
        at=at,
        reference=new.reference,
        payer=new.payer,
        items=new.items,
        splits=new.splits,
        bank_account=new.bank_account,
        release_on=new.release_on,
    )
    intended = msgspec.structs.replace(intended, unconfirmed=not new.confirm)
    return intended if needs_payer else msgspec.structs.replace(intended, payer=None, items=())


def step_of(number: int) -> str:
    """The step of a flow in which the attempt of this number is made, from 1."""
    return "payments.create_payment" + (f".{number}" if number > 1 else "")


def created(payment: Payment) -> Event:
    """The event that reports a new payment."""
    return collecting.event(payment, "created")


def retried(payment: Payment) -> Event:
    """The event that reports another attempt."""
    return collecting.event(payment, "retry_scheduled")


def attempt(payment: Payment, route: Route, *, needs_payer: bool) -> Payment:
    """The payment with another attempt, to be committed before anything is sent.

    What an earlier attempt came to stays with it: it did not move money, or there would not be
    another one.

    Args:
        needs_payer: Whether a provider asks who pays for what; else it is not kept.
    """
    number = len(payment.attempts) + 1
    following = PaymentAttempt(
        attempt_id=f"{payment.payment_id}-{number}",
        key=f"{payment.business_id}:{step_of(number)}",
        state=AttemptState.PREPARED,
        provider=route.system,
    )
    return msgspec.structs.replace(
        payment,
        provider=route.system,
        route=route,
        state=PaymentState.CREATED,
        progress=PaymentState.CREATED,
        provider_ref="",
        failure=None,
        next_action=None,
        authorised_at="",
        payer=payment.payer if needs_payer else None,
        items=payment.items if needs_payer else (),
        attempts=(*payment.attempts, following),
    )


def unknown(payment: Payment) -> tuple[Payment, tuple[Event, ...]]:
    """The payment whose provider may or may not have done what it was asked."""
    *earlier, last = payment.attempts
    if last.state is not AttemptState.PREPARED:
        return payment, ()
    doubted = msgspec.structs.replace(last, state=AttemptState.UNKNOWN)
    changed = msgspec.structs.replace(payment, attempts=(*earlier, doubted))
    return changed, (collecting.event(changed, "unknown"),)


def not_executed(payment: Payment, failure: PaymentFailure) -> tuple[Payment, tuple[Event, ...]]:
    """The payment whose last attempt surely moved nothing, and will not; or that had none."""
    if payment.progress is not PaymentState.CREATED:
        return payment, ()
    changed = msgspec.structs.replace(
        payment,
        progress=PaymentState.FAILED,
        state=PaymentState.FAILED,
        failure=failure,
        attempts=tuple(
            msgspec.structs.replace(one, state=AttemptState.NOT_EXECUTED, failure=failure)
            if one is payment.attempts[-1]
            else one
            for one in payment.attempts
        ),
    )
    resolved = bool(payment.attempts) and payment.attempts[-1].state is AttemptState.UNKNOWN
    words = ("resolved", "failed") if resolved else ("failed",)
    return changed, tuple(collecting.event(changed, word) for word in words)


def is_free(payment: Payment) -> bool:
    """Whether another provider could be asked: nothing moved, and nothing binds it to this one.

    A token or a mandate lives at one provider, and so do the accounts of members; what was asked to
    go to one stays there.
    """
    reasons = payment.route.reasons if payment.route else ()
    divided = payment.splits or payment.wallet_splits
    lives_there = payment.token or payment.mandate_id or divided
    bound = lives_there or any(one.code == "pinned" for one in reasons)
    return not bound and not payment.movements


def _intended(
    instruction: PaymentInstruction,
    amount: Money,
    *,
    payment_id: str,
    order_id: str,
    at: str,
    reference: str,
    payer: Party | None,
    items: tuple[OrderItem, ...],
    splits: tuple[Split, ...] = (),
    bank_account: BankAccount | None = None,
    release_on: str = "",
    channel: str = "",
) -> Payment:
    nothing = Money(0, amount.currency)
    return Payment(
        payment_id=payment_id,
        order_id=order_id,
        amount=amount,
        method_code=instruction.method_code,
        token=instruction.token,
        capture_method=instruction.capture_method,
        mandate_id=instruction.mandate_id,
        due=instruction.due,
        return_url=instruction.return_url,
        reference=reference,
        payer=payer,
        items=items,
        splits=splits,
        bank_account=bank_account,
        adjustable=instruction.adjustable,
        release_on=release_on,
        customer_id=payer.party_id if payer else "",
        country=payer.addresses[0].country if payer else "",
        channel=channel,
        provider=instruction.provider,
        requested_at=at,
        captured=nothing,
        refunded=nothing,
        returned=nothing,
        disputed=nothing,
    )
