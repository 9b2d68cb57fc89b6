"""Payouts: sending money to somebody, and knowing what became of it."""

from typing import Protocol

from gateway.model.payout import DestinationKind, Payout, ProviderPayout
from gateway.ports.exchange import Exchange


class Payouts(Protocol):
    """What any system that sends money must be able to do.

    A payout that came back is a result (state FAILED or RETURNED), not an error.

    Attributes:
        destinations: What it can send money to.
    """

    destinations: frozenset[DestinationKind]

    def create_payout(self, payout: Payout, *, key: str) -> Exchange[ProviderPayout]:
        """Send the money."""
        ...

    def cancel_payout(self, payout: Payout, *, key: str) -> Exchange[ProviderPayout]:
        """Take it back as long as nobody has it."""
        ...

    def find_payout(self, payout: Payout) -> Exchange[ProviderPayout | None]:
        """The payout by the provider's reference, or by ours where theirs is not known."""
        ...
