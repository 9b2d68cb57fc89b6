"""Splitting: whose the money of a payment is, to the cent, and whose it was when it goes back.

Every provider that divides money is told amounts that add up, in its own words; the adding up is
the same for all of them.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from gateway.errors import Rejected
from gateway.model.money import Money
from gateway.model.payment import Payment, RefundState
from gateway.model.split import PLATFORM, Split, SplitKind

_MISFIT: Final = "payment.splits do not sum up to the amount."


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of an amount, with its own.

    Attributes:
        party: ``platform``, or the member's account at the provider.
    """

    party: str
    kind: SplitKind
    amount: Money
    reference: str = ""


def resolve(splits: Sequence[Split], amount: Money) -> tuple[Part, ...]:
    """The parts of an amount in their order; a REMAINDER is what the others leave.

    Raises:
        Rejected: They are not the amount, code ``split_sum``.
    """
    if not splits:
        return ()
    named = [one.amount for one in splits if one.amount is not None]
    rest = Money(amount.minor - sum(one.minor for one in named), amount.currency)
    unnamed = len(splits) - len(named)
    fits = (rest.minor > 0) if unnamed == 1 else (rest.minor == 0 and not unnamed)
    positive = all(one.minor > 0 and one.currency == amount.currency for one in named)
    if not (fits and positive):
        raise Rejected(_MISFIT, code="split_sum")
    return tuple(_part(one, one.amount or rest) for one in splits)


def reverse(
    parts: Sequence[Part], amount: Money, earlier: Iterable[Money] = ()
) -> tuple[Part, ...]:
    """The same parts of an amount that goes back, pro rata; the last cents are the remainder's.

    What goes back in several amounts comes to exactly the parts in the end, and no part ever gives
    more than it has left. Parts that give nothing are left out. The platform's part stands in for
    a remainder that there is not.

    Args:
        parts: Of the whole payment.
        earlier: What went back before, oldest first.

    Raises:
        Rejected: More than there is, code ``split_sum``.
    """
    left = [one.amount.minor for one in parts]
    shares = left
    for one in (*earlier, amount):
        shares = _shares(parts, left, one.minor)
        left = [have - give for have, give in zip(left, shares, strict=True)]
    return tuple(
        msgspec.structs.replace(part, amount=Money(share, amount.currency))
        for part, share in zip(parts, shares, strict=True)
        if share
    )


def shares(parts: Sequence[Part], amount: Money) -> tuple[int, ...]:
    """What each part has of an amount that is there, in minor units and in their order.

    It depends on the amount alone and not on how it came to be, so whoever reckons again comes to
    the same.

    Raises:
        Rejected: It is more than the parts, code ``split_sum``.
    """
    return tuple(_shares(parts, [one.amount.minor for one in parts], amount.minor))


def of_refund(payment: Payment, refund_id: str, amount: Money) -> tuple[Part, ...]:
    """What each part of a payment gives for one of its refunds; nothing where it is not divided.

    Refunds that were asked for earlier count, but for those that failed.
    """
    parts = resolve(payment.splits, payment.amount)
    earlier = list[Money]()
    for one in payment.refunds:
        if one.refund_id == refund_id:
            break
        if one.state not in {RefundState.FAILED, RefundState.CANCELLED}:
            earlier.append(one.amount)
    return reverse(parts, amount, earlier) if parts else ()


def _part(split: Split, amount: Money) -> Part:
    return Part(party=split.party, kind=split.kind, amount=amount, reference=split.reference)


def _shares(parts: Sequence[Part], left: Sequence[int], minor: int) -> list[int]:
    """How much each part gives of an amount: in proportion to what it has left."""
    whole = sum(left)
    if minor > whole:
        raise Rejected("More goes back than the parts of the payment have left.", code="split_sum")
    shares = [have * minor // whole if whole else 0 for have in left]
    odd = minor - sum(shares)
    for index in sorted(range(len(parts)), key=lambda each: _turn(parts[each])):
        more = min(odd, left[index] - shares[index])
        shares[index] += more
        odd -= more
    return shares


def _turn(part: Part) -> int:
    """Who takes odd cents first."""
    if part.kind is SplitKind.REMAINDER:
        return 0
    return 1 if part.party == PLATFORM else 2
