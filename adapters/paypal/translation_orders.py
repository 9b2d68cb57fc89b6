"""What an order says: how far its payment is, where the payer goes, what can be given back.

Source: paypal-rest-api-specifications, checkout_orders_v2 and payments_payment_v2 of 2024-02, read
2026-11.
"""

from typing import Final

import msgspec

from adapters.paypal.answers import REFUND, Amount, Order, Part, Refund
from gateway.errors import InDoubt, Rejected
from gateway.kit.answers import Answer, UnreadableError
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import Payment

# Issues of a 422 by which somebody does not pay; all others are mistakes in the request or setup.
# Source: checkout_orders_v2, 422, orders.capture-422 and orders.authorize-422.
DECLINES: Final = frozenset(
    """
    AGREEMENT_ALREADY_CANCELLED CARD_BRAND_NOT_SUPPORTED CARD_EXPIRED COMPLIANCE_VIOLATION
    DOMESTIC_TRANSACTION_REQUIRED INSTRUMENT_DECLINED MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED
    PAYEE_BLOCKED_TRANSACTION PAYER_ACCOUNT_LOCKED_OR_CLOSED PAYER_ACCOUNT_RESTRICTED
    PAYER_ACTION_REQUIRED PAYER_CANNOT_PAY PAYMENT_SOURCE_CANNOT_BE_USED
    PAYMENT_SOURCE_DECLINED_BY_PROCESSOR PAYMENT_SOURCE_INFO_CANNOT_BE_VERIFIED
    REDIRECT_PAYER_FOR_ALTERNATE_FUNDING REFERENCED_CARD_EXPIRED TOKEN_EXPIRED
    TRANSACTION_BLOCKED_BY_PAYEE TRANSACTION_LIMIT_EXCEEDED TRANSACTION_REFUSED
    """.split()
)
# Issues by which somebody else was faster, or PayPal itself is about it.
DONE: Final = frozenset(
    {"ORDER_ALREADY_AUTHORIZED", "ORDER_ALREADY_CAPTURED", "ORDER_COMPLETION_IN_PROGRESS"}
)
# Money that came: what was given back since does not change that.
_COLLECTED: Final = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})
# Why a capture is claimed, or was taken back; such money came as well.
_DISPUTES: Final = frozenset({"BUYER_COMPLAINT", "CHARGEBACK"})
_FAILED: Final = frozenset({"DECLINED", "DENIED", "FAILED"})
# Refunds that count.
_GIVEN: Final = frozenset({"COMPLETED", "PENDING"})
# The order waits for the payer.
_WAITING: Final = frozenset({"CREATED", "PAYER_ACTION_REQUIRED"})
# ``approve`` where no payment source was named; the other is of the newer way.
_PAGES: Final = frozenset({"payer-action", "approve"})


def telling(order: Order) -> Part | None:
    """The part that says how far the payment is; None while there is only the order."""
    captures = order.captures
    came = next((one for one in captures if collected(one)), None)
    coming = next((one for one in captures if one.status == "PENDING"), None)
    # A capture that failed leaves what is held as it was.
    return came or coming or order.authorization or (captures[-1] if captures else None)


def page(order: Order) -> str | None:
    """Where the payer goes; None for nowhere."""
    if order.status not in _WAITING:
        return None
    return next((one.href for one in order.links if one.rel in _PAGES), None)


def collected(capture: Part) -> bool:
    """Whether money came by it."""
    return capture.status in _COLLECTED or disputed(capture)


def disputed(capture: Part) -> bool:
    """Whether somebody claims it, or took it back."""
    return capture.status_details is not None and capture.status_details.reason in _DISPUTES


def failure(part: Part) -> str | None:
    """Why it failed, in PayPal's codes, else its status; None where it did not."""
    if part.status not in _FAILED:
        return None
    said = part.processor_response.response_code if part.processor_response else ""
    return said or (part.status_details.reason if part.status_details else "") or part.status


def refunds_of(order: Order) -> list[Answer[Refund]]:
    """The refunds of an order.

    Raises:
        UnreadableError: One of them is no refund.
    """
    try:
        return [Answer(raw, REFUND.decode(raw)) for raw in order.unit.payments.refunds]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError("PayPal's refund cannot be read.", code="unreadable") from error


def refund_marked(order: Order, refund_id: str) -> Answer[Refund] | None:
    """The refund with our id: the one that gave something back, or the last that did not.

    Raises:
        InDoubt: There are two, a person's case.
    """
    found = [one for one in refunds_of(order) if one.object.invoice_id == refund_id]
    given = [one for one in found if one.object.status in _GIVEN]
    if len(given) > 1:
        raise InDoubt("PayPal has more than one refund with our id.", code="found_twice")
    return given[0] if given else (found[-1] if found else None)


def capture_to_refund(order: Order, amount: Money) -> str:
    """The first capture of which so much is left, else the first: PayPal says why not.

    Raises:
        Rejected: There is none.
    """
    refunds = [one.object for one in refunds_of(order)]
    captures = [one for one in order.captures if collected(one)]
    for one in captures:
        gone = [r.amount for r in refunds if r.capture_id == one.id and r.status in _GIVEN]
        if _minor(one.amount) - sum(map(_minor, gone)) >= amount.minor:
            return one.id
    if not captures:
        raise Rejected("provider_ref: nothing was collected.", code="not_collected")
    return captures[0].id


def disputes_won(order: Order, payment: Payment) -> list[Movement]:
    """Disputes that we know of and PayPal no longer does: it gives a capture no reason then."""
    calm = {one.id for one in order.captures if one.status_details is None}
    known = [one for one in payment.movements if one.kind is MovementKind.DISPUTE]
    won = [one for one in known if one.ref in calm]
    return [msgspec.structs.replace(one, state=MovementState.UNDONE) for one in won]


def _minor(amount: Amount) -> int:
    return amount.money.minor
