"""Sharing: what each part of a payment has to have by now, and what is moved to get there.

It is reckoned from what was collected and has stayed, and compared with what was moved; so neither
the order nor the number of reports can matter.
"""

from collections.abc import Iterator, Sequence

import msgspec

from gateway.kit import splitting
from gateway.kit.splitting import Part
from gateway.model.money import Money
from gateway.model.payment import Payment
from gateway.model.split import PLATFORM, SplitMode
from gateway.model.transfer import MemberTransfer, TransferReversal, TransferState
from gateway.policy import collecting, transferring

_PART = "-part-"


class Moves(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be moved now.

    Attributes:
        made: Transfers that there were not.
        reversed: Transfers with a reversal more, and that reversal.
        awaited: Ids of transfers and reversals whose end has to be known before the rest.
    """

    made: tuple[MemberTransfer, ...] = ()
    reversed: tuple[tuple[MemberTransfer, TransferReversal], ...] = ()
    awaited: tuple[str, ...] = ()


def is_due(before: Payment | None, now: Payment) -> bool:
    """Whether the parts of the payment, which transfers follow, are others than they were."""
    if now.split_mode is not SplitMode.AFTER_PAYMENT:
        return False
    return _there(now) != (_there(before) if before else 0)


def shares(payment: Payment) -> tuple[tuple[Part, int], ...]:
    """Each part with what it has of what was collected and has stayed, in minor units."""
    parts = splitting.resolve(payment.splits or payment.wallet_splits, payment.amount)
    there = Money(_there(payment), payment.amount.currency)
    return tuple(zip(parts, splitting.shares(parts, there), strict=True))


def moves(payment: Payment, known: Sequence[MemberTransfer], *, at: str) -> Moves:
    """What brings each member's part to its share; never more than that is on its way.

    Args:
        known: The transfers of the payment's parts.
        at: ISO 8601 in UTC.
    """
    made, back, awaited = (
        list[MemberTransfer](),
        list[tuple[MemberTransfer, TransferReversal]](),
        [],
    )
    for number, (part, share) in enumerate(shares(payment), 1):
        if part.party == PLATFORM:
            continue
        mine = [one for one in known if _number(one.transfer_id) == number]
        awaited += [key for one in mine for key in _open(one)]
        more = share - sum(_given(one) for one in mine)
        if more > 0:
            made.append(_transfer(payment, part, more, number=number, mine=mine, at=at))
        elif more < 0:
            back += _taken_back(mine, -more, payment.amount.currency, at=at)
    new = [one.transfer_id for one in made] + [one.reversal_id for _, one in back]
    return Moves(made=tuple(made), reversed=tuple(back), awaited=(*awaited, *new))


def failed(known: Sequence[MemberTransfer], awaited: Sequence[str]) -> bool:
    """Whether one of those that were waited for was refused."""
    standing = dict(pair for one in known for pair in transferring.standing(one))
    return any(standing.get(key) is TransferState.FAILED for key in awaited)


def _there(payment: Payment) -> int:
    """What was collected and has stayed, in minor units; never more than was asked for."""
    return max(min(collecting.kept(payment), payment.amount.minor), 0)


def _given(transfer: MemberTransfer) -> int:
    """What a member got, or may have got, without what the payment took back.

    What somebody else took back, here or at the provider, was meant: it is not given again.
    """
    if transfer.state is TransferState.FAILED:
        return 0
    back = (
        one.amount.minor
        for one in transfer.reversals
        if one.by_payment and one.state is not TransferState.FAILED
    )
    return transfer.amount.minor - sum(back)


def _open(transfer: MemberTransfer) -> Iterator[str]:
    return (
        key for key, state in transferring.standing(transfer) if state not in transferring.ENDED
    )


def _number(transfer_id: str) -> int:
    """Which part of its payment a transfer is of, from 1."""
    return int(transfer_id.rpartition(_PART)[2].partition("-")[0])


def _transfer(
    payment: Payment,
    part: Part,
    minor: int,
    *,
    number: int,
    mine: Sequence[MemberTransfer],
    at: str,
) -> MemberTransfer:
    """Another transfer of a part.

    Args:
        mine: Those that were made before. What was taken back of them lies in the balance, and the
            payment's own money is spent by them.
    """
    currency, is_back = payment.amount.currency, any(one.reversals for one in mine)
    return MemberTransfer(
        transfer_id=f"{payment.payment_id}{_PART}{number}-{len(mine) + 1}",
        amount=Money(minor, currency),
        destination=part.party,
        to_party=part.party,
        text=part.reference,
        group=payment.payment_id,
        payment_ref="" if is_back else payment.provider_ref,
        provider=payment.provider,
        requested_at=at,
        reversed=Money(0, currency),
    )


def _taken_back(
    transfers: Sequence[MemberTransfer], minor: int, currency: str, *, at: str
) -> Iterator[tuple[MemberTransfer, TransferReversal]]:
    """What is moved back, of the newest first; what has not arrived waits for the next time."""
    for one in reversed(transfers):
        if transferring.may_reverse(one):
            part = min(minor, transferring.left(one).minor)
            minor -= part
            if part:
                amount = Money(part, currency)
                yield transferring.reverse(one, amount, at=at, by_payment=True)
