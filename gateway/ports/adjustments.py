"""Adjustments: raising what is authorised, before it is collected."""

from typing import Protocol

from gateway.model.money import Money
from gateway.model.payment import Payment, ProviderPayment
from gateway.ports.exchange import Exchange


class Adjustments(Protocol):
    """What a provider must be able to do whose authorisations can be raised.

    What became of a request tells ``Payments.find_payment``, by the amount.
    """

    def update_payment(
        self, payment: Payment, amount: Money, *, key: str
    ) -> Exchange[ProviderPayment]:
        """Have the amount authorised in all; a movement says it where it is decided later."""
        ...
