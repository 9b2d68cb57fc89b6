"""Disputes: what a payer claims back, and what we answer to it."""

from typing import Protocol

from gateway.model.dispute import DisputeAnswer, ProviderDispute
from gateway.model.payment import Payment
from gateway.ports.exchange import Exchange


class Disputes(Protocol):
    """What a provider with disputes must be able to do.

    A dispute is named by the reference of its movement, as the payment has it.
    """

    def find_dispute(self, payment: Payment, provider_ref: str) -> Exchange[ProviderDispute | None]:
        """The dispute as the provider has it now; tells what became of an answer."""
        ...

    def accept_dispute(
        self, payment: Payment, provider_ref: str, *, key: str
    ) -> Exchange[ProviderDispute]:
        """Not contest the claim: the payer keeps the money."""
        ...

    def submit_evidence(
        self, payment: Payment, provider_ref: str, evidence: DisputeAnswer, *, key: str
    ) -> Exchange[ProviderDispute]:
        """Contest the claim with text and files; the provider or the issuer decides."""
        ...
