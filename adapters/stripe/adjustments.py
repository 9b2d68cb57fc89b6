"""Adjustments: more is authorised on the same card.

Source: docs.stripe.com/payments/incremental-authorization, read 2026-11.
"""

from collections.abc import Mapping

import httpx

from adapters.stripe import translation, wire
from adapters.stripe.answers import INTENT
from adapters.stripe.payments import checked, intent_path
from adapters.stripe.settings import Settings
from adapters.stripe.translation import Translation
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.answers import mismatch
from gateway.model.money import Money
from gateway.model.payment import Payment, ProviderPayment
from gateway.ports.exchange import Exchange


class StripeAdjustments:
    """The authorisations of one account.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(mappings or translation.load(settings))

    def update_payment(
        self, payment: Payment, amount: Money, *, key: str
    ) -> Exchange[ProviderPayment]:
        """Have the amount authorised in all; what was held before is held still if it is declined.

        Raises:
            Rejected: The issuer declines, or the card, the trade or the country forbid it.
        """
        path = f"{intent_path(payment)}/increment_authorization"
        form = self._translation.increment_form(payment, amount)
        response = yield self._wire.post(path, form, key=key)
        # The payment that a decline carries is as it was; it is not the payment that failed.
        if response.status_code == httpx.codes.PAYMENT_REQUIRED:
            raise Rejected("The issuer does not hold so much.", code="declined")
        answer = wire.answer(response, INTENT, wrote=True)
        if answer.object.id != payment.provider_ref:
            raise mismatch("Stripe")
        found = checked(answer, payment, self._translation)
        if found.amount != amount:
            raise mismatch("Stripe")
        return found
