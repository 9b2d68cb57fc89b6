"""Dividing: when the parts of a payment come to whom they belong, by what its provider can do."""

from collections.abc import Sequence

import msgspec

from gateway.model.capability import Capability
from gateway.model.payment import Payment
from gateway.model.split import PLATFORM, Split, SplitMode


def members(splits: Sequence[Split]) -> int:
    """How many members have a part."""
    return len({one.party for one in splits} - {PLATFORM})


def mode(
    row: Capability, *, parts: int, of_members: int, wallets: bool = False
) -> SplitMode | None:
    """When a provider divides so many parts of so many members; None where nobody does.

    At the payment where it can: then nothing is left to be done after it.

    Args:
        wallets: Whether the ledger here may do what the provider cannot.
    """
    few_enough = not row.split_members or of_members <= row.split_members
    if parts <= row.splits and few_enough:
        return SplitMode.AT_PAYMENT
    if parts <= row.splits_after:
        return SplitMode.AFTER_PAYMENT
    return SplitMode.WALLET if wallets else None


def divided(payment: Payment, rows: Sequence[Capability], *, wallets: bool) -> Payment:
    """The payment with when its parts come to whom they belong.

    What the ledger here divides the provider is not told: those parts are kept apart.

    Args:
        rows: What the provider can do that takes it; it was chosen because it divides it.
        wallets: Whether the ledger here may do what the provider cannot.
    """
    if not payment.splits:
        return payment
    count = members(payment.splits)
    modes = [
        mode(one, parts=len(payment.splits), of_members=count, wallets=wallets)
        for one in rows
        if one.method == payment.method_code
    ]
    found = next((one for one in SplitMode if one in modes), SplitMode.AT_PAYMENT)
    told, kept = payment.splits, payment.wallet_splits
    if found is SplitMode.WALLET:
        told, kept = (), payment.splits
    return msgspec.structs.replace(payment, split_mode=found, splits=told, wallet_splits=kept)
