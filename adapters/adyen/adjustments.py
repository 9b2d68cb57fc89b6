"""Adjustments: more is authorised; whether it was is told by AUTHORISATION_ADJUSTMENT.

Source: docs.adyen.com/online-payments/adjust-authorisation, Checkout v71, read 2026-11.
"""

from adapters.adyen.answers import reference_of
from adapters.adyen.checkout import Checkout, check, payment_path
from gateway.kit.answers import believed
from gateway.model.money import Money
from gateway.model.movement import MovementKind
from gateway.model.payment import Payment, ProviderPayment
from gateway.ports.exchange import Exchange


class AdyenAdjustments(Checkout):
    """The authorisations of one merchant account."""

    def update_payment(
        self, payment: Payment, amount: Money, *, key: str
    ) -> Exchange[ProviderPayment]:
        """Ask for the amount to be authorised in all; a webhook says whether it was."""
        path = f"{payment_path(payment)}/amountUpdates"
        body = self._translation.update_body(payment, amount)
        answer = yield from self._modify(path, body, payment, key=key)
        check(answer.object, reference_of(payment), amount)
        kind = MovementKind.AUTHORISATION
        return believed(lambda: self._translation.received_in(answer, payment, amount, kind=kind))
