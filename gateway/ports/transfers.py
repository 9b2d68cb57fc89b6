"""Transfers: moving money between the accounts of a platform and its members."""

from typing import Protocol

from gateway.model.money import Money
from gateway.model.transfer import MemberTransfer, ProviderReversal, ProviderTransfer
from gateway.ports.exchange import Exchange


class Transfers(Protocol):
    """What any provider with accounts of members must be able to do.

    Attributes:
        between_members: Whether money can come from a member too, and not from the platform only.
    """

    between_members: bool

    def create_transfer(self, transfer: MemberTransfer, *, key: str) -> Exchange[ProviderTransfer]:
        """Move the money."""
        ...

    def find_transfer(self, transfer: MemberTransfer) -> Exchange[ProviderTransfer | None]:
        """The transfer by the provider's reference, or by ours where theirs is not known."""
        ...

    def reverse_transfer(
        self, transfer: MemberTransfer, reversal_id: str, amount: Money, *, key: str
    ) -> Exchange[ProviderReversal]:
        """Move a part of it back, or all."""
        ...

    def find_reversal(
        self, transfer: MemberTransfer, reversal_id: str
    ) -> Exchange[ProviderReversal | None]:
        """The reversal that carries our id, if there is one."""
        ...
