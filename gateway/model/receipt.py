"""Receipts: money that a person says has come, where no provider could say it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.model.money import Money


class NewReceipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money that came for a payment.

    Attributes:
        reference: Of the entry in the statement, the receipt or the till; no personal data. The
            same reference is the same money, however often it is told.
    """

    amount: Money
    reference: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]
