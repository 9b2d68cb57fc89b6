"""Mandates: asking a payer through a provider, and knowing what became of it."""

from collections.abc import Mapping
from typing import Protocol

from gateway.model.held_mandate import HeldMandate, ProviderMandate, Signing
from gateway.ports.exchange import Exchange


class Mandates(Protocol):
    """What any provider that holds mandates must be able to do.

    Attributes:
        signing: For each method how the payer can agree.
    """

    signing: Mapping[str, frozenset[Signing]]

    def create_mandate(self, mandate: HeldMandate, *, key: str) -> Exchange[ProviderMandate]:
        """Ask for the payer's agreement, or pass it on."""
        ...

    def find_mandate(self, mandate: HeldMandate) -> Exchange[ProviderMandate | None]:
        """The mandate by the provider's references, or by our id where they are not known.

        Where the payer still has to agree and no page is known, it names one.
        """
        ...

    def revoke_mandate(self, mandate: HeldMandate, *, key: str) -> Exchange[ProviderMandate]:
        """End it, or the request for it; what has ended before stays as it is."""
        ...
