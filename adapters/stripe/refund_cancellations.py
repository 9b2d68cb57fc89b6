"""Refund cancellations: of refunds that wait for the payer, such as those of bank transfers.

Source: docs.stripe.com/api/refunds/cancel, OpenAPI document of 2023-08-16, read 2026-11.
"""

from collections.abc import Mapping
from typing import Final

from adapters.stripe import translation, wire
from adapters.stripe.answers import REFUND
from adapters.stripe.payments import carries
from adapters.stripe.settings import Settings
from adapters.stripe.translation import Translation
from adapters.stripe.wire import Form
from gateway.kit import mapping
from gateway.kit.adapter import segment
from gateway.kit.answers import believed, mismatch
from gateway.model.payment import Payment, PaymentState, ProviderRefund, Refund
from gateway.ports.exchange import Exchange

_NOTHING: Final = Form({})


class StripeRefundCancellations:
    """The refunds of one account.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(mappings or translation.load(settings))

    def cancel_refund(
        self,
        payment: Payment,
        refund: Refund,
        *,
        key: str,
    ) -> Exchange[ProviderRefund]:
        """Cancel it; Stripe refuses what does not wait for the payer."""
        path = f"/v1/refunds/{segment(refund.provider_ref)}/cancel"
        answer = wire.answer((yield self._wire.post(path, _NOTHING, key=key)), REFUND, wrote=True)
        found = believed(lambda: self._translation.refund_in(answer))
        theirs = (answer.object.id, answer.object.payment_intent, found.state)
        ours = (refund.provider_ref, payment.provider_ref, PaymentState.FAILED)
        if theirs != ours or not carries(answer, refund.refund_id):
            raise mismatch("Stripe")
        return found
