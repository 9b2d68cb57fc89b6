"""Movements: what happened to the money of a payment, each under its provider's reference.

A provider reports them late, twice and out of order. Each is joined with what is known under the
same reference, so that the same reports end in the same payment, whatever their order.
"""

from enum import StrEnum

import msgspec

from gateway.model.money import Money


class MovementKind(StrEnum):
    """What moved.

    CAPTURE is money collected, REFUND money we gave back, RETURN money that the payer's bank took
    back (SEPA R-transactions), DISPUTE money that the payer's issuer claims. AUTHORISATION moves
    none: all that may be collected, once it was raised.
    """

    CAPTURE = "CAPTURE"
    REFUND = "REFUND"
    RETURN = "RETURN"
    DISPUTE = "DISPUTE"
    AUTHORISATION = "AUTHORISATION"


class MovementState(StrEnum):
    """What is known of a movement; the later in this list counts, whichever was heard first.

    A dispute is PENDING while it is open, DONE when it is lost and UNDONE when it is won.
    """

    PENDING = "PENDING"
    DONE = "DONE"
    UNDONE = "UNDONE"


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One movement.

    Attributes:
        ref: The provider's id of it; empty for the total of its kind, where the provider counts
            and does not tell one from the other.
        amount: Never negative.
        reason_code: The provider's or the bank's own code, such as ``AM04``.
    """

    kind: MovementKind
    ref: str
    state: MovementState
    amount: Money
    reason_code: str = ""
