"""Membership: the account behind a party."""

import pytest

from gateway.errors import Rejected
from gateway.model.member import Member, MemberAccount, MemberState
from gateway.model.money import Money
from gateway.model.split import Split, SplitKind
from gateway.policy import membership

_STRIPE = MemberAccount(system="stripe", account="acct_1", state=MemberState.VERIFIED)
_MEMBER = Member(member_id="M-1", accounts=(_STRIPE,))


def test_account_is_added_beside_others() -> None:
    """One for each system, in their order; the same again is no news."""
    other = MemberAccount(system="adyen", account="BA1")

    added, told = membership.with_account(_MEMBER, other)
    same, silence = membership.with_account(added, other)
    stopped, warned = membership.with_account(
        added, MemberAccount(system="stripe", account="acct_1", state=MemberState.RESTRICTED)
    )

    assert (other, _STRIPE) == added.accounts
    assert (added, ()) == (same, silence)
    assert 2 == len(stopped.accounts)
    assert ["headrace.member.updated.v1", "headrace.member.restricted.v1"] == [
        one.type for one in (*told, *warned)
    ]


@pytest.mark.parametrize("state", MemberState)
def test_stopped_member_gets_nothing(state: MemberState) -> None:
    """Restricted or rejected; who is not verified yet is the provider's to judge."""
    account = MemberAccount(system="stripe", account="acct_1", state=state)
    member = Member(member_id="M-1", accounts=(account,))
    if state not in {MemberState.RESTRICTED, MemberState.REJECTED}:
        assert "acct_1" == membership.account_of(member, "stripe")
        return
    with pytest.raises(Rejected) as refused:
        membership.account_of(member, "stripe")

    assert "member_stopped" == refused.value.code


@pytest.mark.parametrize(
    ("member", "code"), [(None, "member_unknown"), (_MEMBER, "member_elsewhere")]
)
def test_member_without_account_is_refused(member: Member | None, code: str) -> None:
    """With the reason."""
    with pytest.raises(Rejected) as refused:
        membership.account_of(member, "adyen")

    assert code == refused.value.code


def test_splits_are_of_accounts() -> None:
    """Members stand for their account at the system, accounts and the platform for themselves."""
    price = Money(100, "EUR")
    splits = (
        Split(party="M-1", amount=price),
        Split(party="acct_9", amount=price),
        Split(party="platform", kind=SplitKind.COMMISSION, amount=price),
    )

    found = membership.resolve_splits(splits, {"M-1": _MEMBER}, "stripe")

    assert ("M-1", "acct_9") == membership.parties(splits)
    assert ["acct_1", "acct_9", "platform"] == [one.party for one in found]
