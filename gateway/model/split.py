"""Splits: whose the money of a payment is, on a platform where members sell to members.

One list for all providers; its sum is the amount of the payment.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from gateway.model.money import Money

PLATFORM: Final = "platform"


class SplitKind(StrEnum):
    """What a part of the money is for; REMAINDER is whatever the other parts leave."""

    PRINCIPAL = "PRINCIPAL"
    COMMISSION = "COMMISSION"
    VAT = "VAT"
    TIP = "TIP"
    FEE_SHARE = "FEE_SHARE"
    REMAINDER = "REMAINDER"


class SplitMode(StrEnum):
    """When the parts come to whom they belong.

    AT_PAYMENT: the provider divides the payment itself. AFTER_PAYMENT: the platform collects, and
    transfers follow within the provider. WALLET: the money stays at the provider as the platform's,
    and the ledger here says whose it is.
    """

    AT_PAYMENT = "AT_PAYMENT"
    AFTER_PAYMENT = "AFTER_PAYMENT"
    WALLET = "WALLET"


class Split(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One part.

    Attributes:
        party: ``platform``, or the member's account at the provider.
        amount: None for a remainder, and for nothing else.
        reference: Ours, shown at the provider where there is room.
    """

    party: Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9._-]+$")]
    kind: SplitKind = SplitKind.PRINCIPAL
    amount: Money | None = None
    reference: Annotated[str, Meta(max_length=35, pattern="^[A-Za-z0-9._/-]*$")] = ""
