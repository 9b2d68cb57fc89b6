"""What a conversation itself needs of PayPal's payouts: whose they are, amounts, what became of it.

Source: payments_payouts_batch_v1 of 2024-02, read 2026-11.
"""

from typing import Final

import msgspec

from adapters.paypal.answers import Amount
from gateway.model.money import Money


class _Sum(msgspec.Struct, frozen=True):
    currency: str
    value: str


class _Sent(msgspec.Struct, frozen=True, kw_only=True):
    amount: _Sum
    sender_item_id: str = ""


class _Complaint(msgspec.Struct, frozen=True):
    name: str = ""


class PayoutItem(msgspec.Struct, frozen=True, kw_only=True):
    """Money for one receiver; ``sender_item_id`` is our id of the payout."""

    payout_item_id: str
    payout_batch_id: str
    payout_item: _Sent
    transaction_status: str = "PENDING"
    errors: _Complaint | None = None

    @property
    def money(self) -> Money:
        """What is sent.

        Raises:
            UnreadableError: No such currency, or decimals that it does not have.
        """
        return Amount(self.payout_item.amount.currency, self.payout_item.amount.value).money


class _SenderHeader(msgspec.Struct, frozen=True):
    sender_batch_id: str = ""


class BatchHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of all the receivers of a payout of PayPal's."""

    payout_batch_id: str
    batch_status: str
    sender_batch_header: _SenderHeader


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A payout of PayPal's, of which every payout of ours has one with one receiver."""

    batch_header: BatchHeader
    items: tuple[PayoutItem, ...] = ()


BATCH: Final = msgspec.json.Decoder(Batch)
PAYOUT_ITEM: Final = msgspec.json.Decoder(PayoutItem)
