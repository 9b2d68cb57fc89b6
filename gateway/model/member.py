"""Members of a platform: whose money it is, and their accounts at providers."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

MemberId = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9._-]+$")]


class MemberState(StrEnum):
    """How far a provider has come with who a member is, as it told."""

    UNVERIFIED = "UNVERIFIED"
    PENDING = "PENDING"
    VERIFIED = "VERIFIED"
    RESTRICTED = "RESTRICTED"
    REJECTED = "REJECTED"


class MemberAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account of a member at one provider.

    Attributes:
        system: The configured system whose platform it belongs to.
        account: The provider's id of it.
        missing: What the provider still wants to know, in its own words.
    """

    system: Annotated[str, Meta(min_length=1, max_length=40, pattern="^[a-z0-9_-]+$")]
    account: Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9._-]+$")]
    state: MemberState = MemberState.UNVERIFIED
    missing: Annotated[
        tuple[Annotated[str, Meta(max_length=100, pattern="^[A-Za-z0-9._-]+$")], ...],
        Meta(max_length=50),
    ] = ()


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One member, with an account for each system.

    Attributes:
        accounts: In the order of their systems.
    """

    member_id: MemberId
    accounts: tuple[MemberAccount, ...] = ()
