"""Refund cancellations: keeping what was to be given back, as long as it has not gone."""

from typing import Protocol

from gateway.model.payment import Payment, ProviderRefund, Refund
from gateway.ports.exchange import Exchange


class RefundCancellations(Protocol):
    """What a provider must be able to do that lets go of refunds.

    What became of a request tells ``Payments.find_refund``: the refund has failed.
    """

    def cancel_refund(
        self, payment: Payment, refund: Refund, *, key: str
    ) -> Exchange[ProviderRefund]:
        """Not give it back; FAILED is what did not go."""
        ...
