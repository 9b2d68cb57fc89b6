"""A wallet: what of the money at providers is a member's, by the ledger here."""

from enum import StrEnum
from typing import Final

import msgspec

from gateway.model.money import Money

# The "system" in which transfers change nothing but the ledger.
WALLETS: Final = "wallets"


class Owner(StrEnum):
    """Whose an account of the ledger is; PROVIDER is where the money lies."""

    MEMBER = "MEMBER"
    PLATFORM = "PLATFORM"
    PROVIDER = "PROVIDER"


class Bucket(StrEnum):
    """How far a member may use its money.

    PENDING can still be taken back by the payer as a matter of course; RESERVED is on its way out.
    """

    PENDING = "PENDING"
    AVAILABLE = "AVAILABLE"
    RESERVED = "RESERVED"


class Account(msgspec.Struct, frozen=True, order=True):
    """An account of the ledger.

    Attributes:
        name: The member's id, or the configured system; empty for the platform.
        bucket: Empty but for members.
    """

    owner: str
    name: str
    bucket: str
    currency: str


class WalletBalance(msgspec.Struct, frozen=True, kw_only=True):
    """What a member has in one currency.

    Attributes:
        available: What can be paid out; below zero it is a debt, which what comes later pays.
        pending: What becomes available once its payments are final.
        reserved: What is on its way out.
        debt: What the member owes the platform.
    """

    available: Money
    pending: Money
    reserved: Money
    debt: Money


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    """What a member has; one balance for each currency, in the order of their codes."""

    member_id: str
    balances: tuple[WalletBalance, ...] = ()


class WalletEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a wallet.

    Attributes:
        entry_id: Rises with time.
        kind: What was booked: ``payment``, ``payout`` or ``transfer``.
        id: Of that.
        booked_at: ISO 8601 in UTC.
        available, pending, reserved: What was added; below zero what was taken.
    """

    entry_id: str
    kind: str
    id: str
    booked_at: str
    available: Money
    pending: Money
    reserved: Money
