"""What a conversation itself needs of Stripe's objects: whose they are, and the amounts.

All else is read by the mappings, from the same bytes. Source: Stripe's OpenAPI document of
2023-08-16.
"""

from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """The movement behind a PaymentIntent."""

    id: str
    amount: int
    amount_refunded: int
    captured: bool
    amount_captured: int | None = None
    currency: str
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A PaymentIntent."""

    id: str
    amount: int
    currency: str
    status: str
    created: int
    amount_received: int | None = None
    latest_charge: Charge | str | None = None
    metadata: dict[str, str] | None = None


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A Refund."""

    id: str
    amount: int
    currency: str
    created: int
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class EvidenceDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Until when a dispute can be answered; 0 for not at all."""

    due_by: int | None = None


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A Dispute."""

    id: str
    amount: int
    currency: str
    status: str
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None
    evidence_details: EvidenceDetails = EvidenceDetails()

    @property
    def due_by(self) -> str:
        """The same in ISO 8601; empty for not at all."""
        moment = self.evidence_details.due_by
        return datetime.fromtimestamp(moment, UTC).isoformat() if moment else ""


class Payout(msgspec.Struct, frozen=True, kw_only=True):
    """A Payout."""

    id: str
    amount: int
    currency: str
    created: int
    metadata: dict[str, str] | None = None


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """A Transfer to the account of a member."""

    id: str
    amount: int
    amount_reversed: int
    currency: str
    created: int
    destination: str | None = None
    metadata: dict[str, str] | None = None


class Reversal(msgspec.Struct, frozen=True, kw_only=True):
    """A TransferReversal."""

    id: str
    amount: int
    currency: str
    created: int
    transfer: str
    metadata: dict[str, str] | None = None


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list or of a search."""

    data: tuple[T, ...]
    has_more: bool
    next_page: str | None = None


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """A Customer: whoever has agreed, or is asked to."""

    id: str
    metadata: dict[str, str] | None = None


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A Checkout Session: the page on which a Customer agrees."""

    id: str
    status: str
    customer: str | None = None
    metadata: dict[str, str] | None = None


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """A SetupIntent: what a Customer has agreed to."""

    id: str
    status: str
    customer: str | None = None
    payment_method: str | None = None
    mandate: str | None = None
    metadata: dict[str, str] | None = None


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A PaymentMethod; it can be charged again as long as it is a Customer's."""

    id: str
    customer: str | None = None


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """A Mandate."""

    id: str
    status: str


CUSTOMER: Final = msgspec.json.Decoder(Customer)
SESSION: Final = msgspec.json.Decoder(Session)
SETUP: Final = msgspec.json.Decoder(Setup)
SAVED: Final = msgspec.json.Decoder(Saved)
MANDATE: Final = msgspec.json.Decoder(Mandate)
INTENT: Final = msgspec.json.Decoder(Intent)
REFUND: Final = msgspec.json.Decoder(Refund)
CHARGE: Final = msgspec.json.Decoder(Charge)
DISPUTE: Final = msgspec.json.Decoder(Dispute)
PAYOUT: Final = msgspec.json.Decoder(Payout)
TRANSFER: Final = msgspec.json.Decoder(Transfer)
REVERSAL: Final = msgspec.json.Decoder(Reversal)


def payment_id_of(metadata: dict[str, str] | None) -> str:
    """Our payment id, where it was sent back."""
    return (metadata or {}).get("payment_id", "")


def refund_id_of(metadata: dict[str, str] | None) -> str:
    """Our refund id, where it was sent back."""
    return (metadata or {}).get("refund_id", "")


def payout_id_of(metadata: dict[str, str] | None) -> str:
    """Our payout id, where it was sent back."""
    return (metadata or {}).get("payout_id", "")


def transfer_id_of(metadata: dict[str, str] | None) -> str:
    """Our transfer id, where it was sent back."""
    return (metadata or {}).get("transfer_id", "")


def reversal_id_of(metadata: dict[str, str] | None) -> str:
    """Our id of a reversal, where it was sent back."""
    return (metadata or {}).get("reversal_id", "")


def mandate_id_of(metadata: dict[str, str] | None) -> str:
    """Our id of a mandate, where it was sent back."""
    return (metadata or {}).get("mandate_id", "")
