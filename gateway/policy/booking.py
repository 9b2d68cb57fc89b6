"""Booking: what the ledger has to say of a payment, a payout and a transfer between wallets.

What is booked is never what happened, but the difference between what a thing comes to now and what
was booked for it. So nothing is booked twice, whatever is repeated, and no order can matter
(ADR 0026). All amounts of one thing sum to zero: what members and the platform have, the providers
hold.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Final, TypeAlias

from gateway.model.money import Money
from gateway.model.payment import Payment
from gateway.model.payout import Payout, PayoutState
from gateway.model.split import PLATFORM, SplitMode
from gateway.model.transfer import MemberTransfer, TransferState
from gateway.model.wallet import WALLETS, Account, Bucket, Owner, Wallet, WalletBalance
from gateway.policy import sharing

# Minor units by account; nothing is zero.
Books: TypeAlias = dict[Account, int]

# After so many days money stays where nobody says when it is final: the longest that is known
# (``policy/finality.py``).
_FINAL_DAYS: Final = 180
_SPENT: Final = frozenset({PayoutState.PAID})
_FREE: Final = frozenset({PayoutState.CANCELLED, PayoutState.FAILED, PayoutState.RETURNED})


def of_payment(payment: Payment, *, today: date) -> Books:
    """Whose the money of a payment is that was collected and has stayed; nothing where none is."""
    if payment.split_mode is not SplitMode.WALLET:
        return {}
    currency = payment.amount.currency
    released = releases_on(payment) <= today
    bucket = Bucket.AVAILABLE if released else Bucket.PENDING
    postings = [
        (
            _platform(currency) if one.party == PLATFORM else _member(one.party, bucket, currency),
            has,
        )
        for one, has in sharing.shares(payment)
    ]
    there = sum(has for _, has in postings)
    return _summed([*postings, (_provider(payment.provider, currency), -there)])


def releases_on(payment: Payment) -> date:
    """From when on members can use their parts: the day that was given, or the final one."""
    given = payment.release_on or payment.final_at
    if given:
        return date.fromisoformat(given)
    since = payment.captured_at or payment.requested_at
    return date.fromisoformat(since[:10]) + timedelta(days=_FINAL_DAYS)


def of_payout(payout: Payout) -> Books:
    """What a payout out of a wallet takes of it: set aside, gone, or nothing."""
    if not payout.wallet or payout.state in _FREE:
        return {}
    currency, minor = payout.amount.currency, payout.amount.minor
    goes_to = (
        _provider(payout.provider, currency)
        if payout.state in _SPENT
        else _member(payout.wallet, Bucket.RESERVED, currency)
    )
    return _summed([(_member(payout.wallet, Bucket.AVAILABLE, currency), -minor), (goes_to, minor)])


def of_transfer(transfer: MemberTransfer) -> Books:
    """What a transfer between wallets has moved and not moved back."""
    if transfer.provider != WALLETS or transfer.state is TransferState.FAILED:
        return {}
    minor = transfer.amount.minor - transfer.reversed.minor
    currency = transfer.amount.currency
    return _summed(
        [
            (_party(transfer.source, currency), -minor),
            (_party(transfer.destination, currency), minor),
        ]
    )


def difference(target: Mapping[Account, int], booked: Mapping[Account, int]) -> Books:
    """What has to be booked so that the books say what they should."""
    taken = [(account, -minor) for account, minor in booked.items()]
    return _summed([*target.items(), *taken])


def wallet(member_id: str, books: Mapping[Account, int]) -> Wallet:
    """What a member has, by the books.

    Args:
        books: The member's own accounts.
    """
    currencies = sorted({one.currency for one in books})
    return Wallet(
        member_id=member_id,
        balances=tuple(_balance(member_id, books, currency) for currency in currencies),
    )


def _balance(member_id: str, books: Mapping[Account, int], currency: str) -> WalletBalance:
    minor = {bucket: books.get(_member(member_id, bucket, currency), 0) for bucket in Bucket}
    return WalletBalance(
        available=Money(minor[Bucket.AVAILABLE], currency),
        pending=Money(minor[Bucket.PENDING], currency),
        reserved=Money(minor[Bucket.RESERVED], currency),
        debt=Money(max(-minor[Bucket.AVAILABLE], 0), currency),
    )


def _summed(postings: Iterable[tuple[Account, int]]) -> Books:
    sums: Books = {}
    for account, minor in postings:
        sums[account] = sums.get(account, 0) + minor
    return {account: minor for account, minor in sorted(sums.items()) if minor}


def _party(party: str, currency: str) -> Account:
    if party == PLATFORM:
        return _platform(currency)
    return _member(party, Bucket.AVAILABLE, currency)


def _member(member_id: str, bucket: Bucket, currency: str) -> Account:
    return Account(Owner.MEMBER.value, member_id, bucket.value, currency)


def _platform(currency: str) -> Account:
    return Account(Owner.PLATFORM.value, "", "", currency)


def _provider(system: str, currency: str) -> Account:
    return Account(Owner.PROVIDER.value, system, "", currency)
