"""Our references at the bank: made of our ids, so that they are the same on every repetition."""

import re
from typing import Final

from gateway.kit.sepa import identifiers
from gateway.model.identifiers import derived_id

# A payment's id is a UUID, 32 characters without its hyphens; three are left for its refunds, and
# for the letter of a payout.
_REFUND: Final = re.compile(r"(?P<payment>[0-9a-f]{32})R[1-9][0-9]?")
_PAYOUT: Final = re.compile(r"P[0-9a-f]{32}")
_SUFFIX: Final = re.compile(r"-refund(?:-(?P<number>[1-9][0-9]?))?")


def of_payment(payment_id: str) -> str:
    """The end-to-end id of a collection."""
    return identifiers.end_to_end_id(payment_id)


def of_refund(payment_id: str, refund_id: str) -> str:
    """The end-to-end id of the transfer that gives something back."""
    whose = of_payment(payment_id)
    numbered = _SUFFIX.fullmatch(refund_id.removeprefix(payment_id))
    own = f"{whose}R{numbered['number'] or 1}" if numbered else ""
    return own if _REFUND.fullmatch(own) else identifiers.end_to_end_id(refund_id)


def of_payout(payout_id: str) -> str:
    """The end-to-end id of the transfer that pays somebody."""
    own = f"P{identifiers.end_to_end_id(payout_id)}"
    # What is no UUID is another's invention, and still the same on every repetition.
    return own if _PAYOUT.fullmatch(own) else f"P{derived_id('payout', payout_id).replace('-', '')}"


def is_payout(end_to_end_id: str) -> bool:
    """Whether a transfer pays somebody, and gives nothing back."""
    return _PAYOUT.fullmatch(end_to_end_id) is not None


def refunded(end_to_end_id: str) -> str:
    """The collection that a transfer gives back; empty for any other reference."""
    found = _REFUND.fullmatch(end_to_end_id)
    return found["payment"] if found else ""
