"""Payments: collecting money, giving it back, and knowing what became of it."""

from typing import Protocol

from gateway.model.money import Money
from gateway.model.payment import Payment, ProviderPayment, ProviderRefund
from gateway.ports.exchange import Exchange


class Payments(Protocol):
    """What any payment provider must be able to do.

    A declined payment is a result (state FAILED with its failure), not an error.
    """

    def create_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Authorise, and collect at once where the capture method is automatic."""
        ...

    def capture_payment(
        self, payment: Payment, amount: Money, *, key: str
    ) -> Exchange[ProviderPayment]:
        """Collect an authorised amount, or a part of it."""
        ...

    def cancel_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Give up an authorisation that was not collected."""
        ...

    def find_payment(self, payment: Payment) -> Exchange[ProviderPayment | None]:
        """The payment by the provider's reference, or by ours where theirs is not known."""
        ...

    def refund_payment(
        self, payment: Payment, refund_id: str, amount: Money, *, key: str
    ) -> Exchange[ProviderRefund]:
        """Give back a collected amount, or a part of it."""
        ...

    def find_refund(self, payment: Payment, refund_id: str) -> Exchange[ProviderRefund | None]:
        """The refund that carries our refund id, if there is one."""
        ...
