"""Membership: at which account of a provider the money of a member is."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from gateway.errors import Rejected
from gateway.model.event import Event
from gateway.model.member import Member, MemberAccount, MemberState
from gateway.model.split import PLATFORM, Split
from gateway.model.wallet import WALLETS

_STOPPED: Final = frozenset({MemberState.RESTRICTED, MemberState.REJECTED})


def with_account(member: Member, account: MemberAccount) -> tuple[Member, tuple[Event, ...]]:
    """The member with this account at its system, and what is new about it."""
    others = tuple(one for one in member.accounts if one.system != account.system)
    accounts = tuple(sorted((*others, account), key=lambda one: one.system))
    changed = msgspec.structs.replace(member, accounts=accounts)
    if changed == member:
        return member, ()
    word = "restricted" if account.state in _STOPPED else "updated"
    event = Event(
        type=f"headrace.member.{word}.v1",
        aggregate="member",
        aggregate_id=member.member_id,
        data={"system": account.system, "state": account.state.value},
    )
    return changed, (event,)


def account_of(member: Member | None, system: str) -> str:
    """The member's account at a system.

    Raises:
        Rejected: There is no such member (``member_unknown``), it has no account there
            (``member_elsewhere``), or the provider has stopped it (``member_stopped``).
    """
    if member is None:
        raise Rejected("There is no member with this id.", code="member_unknown")
    for one in member.accounts:
        if one.system == system:
            if one.state in _STOPPED:
                message = f"The provider has the member as {one.state.value}."
                raise Rejected(message, code="member_stopped")
            return one.account
    raise Rejected("The member has no account at this system.", code="member_elsewhere")


def resolved(party: str, members: Mapping[str, Member], system: str) -> str:
    """The account that a party stands for; an account stands for itself.

    Args:
        members: Those of the parties that are members, by id.

    Raises:
        Rejected: See ``account_of``.
    """
    return account_of(members[party], system) if party in members else party


def parties(splits: Iterable[Split]) -> tuple[str, ...]:
    """Who may be a member among the parties of a payment."""
    return tuple(sorted({one.party for one in splits} - {PLATFORM}))


def resolve_splits(
    splits: tuple[Split, ...], members: Mapping[str, Member], system: str
) -> tuple[Split, ...]:
    """The splits with the members' accounts at the system that collects.

    Raises:
        Rejected: See ``account_of``.
    """
    return tuple(
        msgspec.structs.replace(one, party=resolved(one.party, members, system)) for one in splits
    )


def check_wallets(splits: Iterable[Split], members: Mapping[str, Member]) -> None:
    """Who has a part in the ledger has a wallet.

    Raises:
        Rejected: See ``account_of``.
    """
    for party in parties(splits):
        account_of(members.get(party), WALLETS)
