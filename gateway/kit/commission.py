"""Commission: a payment of which a member has all but what the platform keeps.

Some providers divide money in no other way: one member, one commission.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from gateway.errors import Rejected
from gateway.kit.splitting import Part
from gateway.model.money import Money
from gateway.model.split import PLATFORM, Split, SplitKind

# What is told apart by whose it is alone; a tax or a tip would be lost among the rest.
_KINDS: Final = frozenset({SplitKind.PRINCIPAL, SplitKind.COMMISSION, SplitKind.REMAINDER})


def member_of(splits: Sequence[Split], *, title: str) -> str | None:
    """The one member whose the money is; None where it is all the platform's.

    Args:
        title: The provider, for whoever reads the refusal.

    Raises:
        Rejected: There is another member, none, or a kind that the provider does not know.
    """
    found = None
    for index, one in enumerate(splits):
        if one.kind not in _KINDS:
            message = f"splits[{index}].kind: {title} knows no such part."
            raise Rejected(message, code="splits_unsupported")
        if one.party in {PLATFORM, found}:
            continue
        if found is not None:
            message = f"splits[{index}].party: {title} pays one member of a payment."
            raise Rejected(message, code="splits_unsupported")
        found = one.party
    if splits and found is None:
        raise Rejected("splits: none of the parts is a member's.", code="splits_unsupported")
    return found


def kept(parts: Iterable[Part], currency: str) -> Money:
    """What the platform keeps of some parts."""
    return Money(sum(one.amount.minor for one in parts if one.party == PLATFORM), currency)
