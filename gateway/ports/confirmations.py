"""Confirmations: what a payer brings back from a page, for providers that have to be told."""

from collections.abc import Mapping
from typing import Protocol

from gateway.model.payment import Payment, ProviderPayment
from gateway.ports.exchange import Exchange


class Confirmations(Protocol):
    """What a provider must be able to do that goes on only with the payer's details.

    What became of a request tells ``Payments.find_payment``: the payment has gone on.
    """

    def confirm_payment(
        self, payment: Payment, details: Mapping[str, str], *, key: str
    ) -> Exchange[ProviderPayment]:
        """Hand over what the payer brought back, by the provider's own names."""
        ...
