"""Refund cancellations: for two hours, while a refund is queued or pending.

Source: docs.mollie.com/reference/cancel-refund, read 2026-11.
"""

from adapters.mollie import wire
from adapters.mollie.payments import MolliePayments, path_of
from gateway.errors import Rejected
from gateway.kit.adapter import segment
from gateway.model.payment import Payment, PaymentFailure, PaymentState, ProviderRefund, Refund
from gateway.ports.exchange import Exchange


class MollieRefundCancellations(MolliePayments):
    """The refunds of one profile; they are looked up as payments are."""

    def cancel_refund(
        self, payment: Payment, refund: Refund, *, key: str
    ) -> Exchange[ProviderRefund]:
        """Cancel it; 404 says both that it is gone and that it is too late, so it is looked up.

        Raises:
            Rejected: It is on its way.
        """
        path = f"{path_of(payment)}/refunds/{segment(refund.provider_ref)}"
        response = yield self._wire.write(path, key=key, method="DELETE")
        if not wire.missing(response):
            wire.check(response, wrote=True)
        else:
            found = yield from self.find_refund(payment, refund.refund_id)
            if found is not None and found.state is not PaymentState.FAILED:
                raise Rejected("The refund is on its way.", code="not_cancellable")
        failure = PaymentFailure(code="refund_failed", provider_code="canceled")
        return ProviderRefund(
            provider_ref=refund.provider_ref,
            state=PaymentState.FAILED,
            amount=refund.amount,
            failure=failure,
        )
