"""Payments through Checkout: a payment request, and modifications whose outcome is reported."""

from typing import Final

from adapters.adyen import wire
from adapters.adyen.answers import PAID, reference_of
from adapters.adyen.checkout import Checkout, check, is_of, payment_path
from gateway.errors import InDoubt
from gateway.kit.answers import believed, mismatch
from gateway.model.money import Money
from gateway.model.payment import Payment, ProviderPayment, ProviderRefund
from gateway.ports.exchange import Exchange

# "Idempotency keys are valid for a minimum period of 7 days after first submission"; an hour less,
# because our clock said when that was. Source: docs.adyen.com/development-resources/
# api-idempotency, read 2026-11.
KEYS_LIVE_S: Final = 7 * 86_400 - 3_600


class AdyenPayments(Checkout):
    """The payments of one merchant account."""

    def create_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Authorise, and collect at once unless the capture is manual."""
        body = self._translation.payment_body(payment)
        answer = yield from self._write("/payments", body, PAID, key=key)
        made = answer.object
        if payment.provider_ref and made.psp_reference != payment.provider_ref:
            raise mismatch("Adyen")
        if not is_of(made, payment):
            raise mismatch("Adyen")
        return believed(lambda: self._translation.payment_in(answer, payment))

    def capture_payment(
        self, payment: Payment, amount: Money, *, key: str
    ) -> Exchange[ProviderPayment]:
        """Ask for an authorised amount, or a part of it; a webhook says what came of it."""
        path = f"{payment_path(payment)}/captures"
        body = self._translation.capture_body(payment, amount)
        answer = yield from self._modify(path, body, payment, key=key)
        check(answer.object, reference_of(payment), amount)
        return believed(lambda: self._translation.received_in(answer, payment, amount))

    def cancel_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Give up an authorisation; a webhook says whether it was in time."""
        path = f"{payment_path(payment)}/cancels" if payment.provider_ref else "/cancels"
        body = self._translation.cancel_body(payment)
        answer = yield from self._modify(path, body, payment, key=key)
        check(answer.object, reference_of(payment))
        return believed(lambda: self._translation.received_in(answer, payment))

    def find_payment(self, payment: Payment) -> Exchange[ProviderPayment | None]:
        """What became of the payment request, by its identical repetition with the same key.

        Checkout has no look-up. Adyen answers a key that it knows from its store; one that never
        arrived is executed now, once, so that either way the outcome is known afterwards. Whoever
        never sent anything finds nothing, and a key that may be forgotten is not repeated: it
        would be a second payment.

        Raises:
            InDoubt: The key may be forgotten, and Adyen's reference is not known.
        """
        if not payment.attempts:
            return None
        response = yield self._wire.ask_time()
        if wire.age_s(response, payment.requested_at) > KEYS_LIVE_S:
            if payment.provider_ref:
                return None
            message = "Adyen may have forgotten the key; look for the reference in its reports."
            raise InDoubt(message, code="key_forgotten")
        return (yield from self.create_payment(payment, key=payment.attempts[-1].key))

    def refund_payment(
        self, payment: Payment, refund_id: str, amount: Money, *, key: str
    ) -> Exchange[ProviderRefund]:
        """Ask for an amount to be given back; a webhook says whether it was."""
        path = f"{payment_path(payment)}/refunds"
        body = self._translation.refund_body(payment, refund_id, amount)
        answer = yield from self._modify(path, body, payment, key=key)
        check(answer.object, refund_id, amount)
        return believed(lambda: self._translation.refund_in(answer, amount))

    def find_refund(self, payment: Payment, refund_id: str) -> Exchange[ProviderRefund | None]:  # noqa: ARG002 - nothing is asked
        """Nothing: neither a look-up nor what a repetition needs, amount and key, is at hand.

        Whoever finds nothing repeats the refund with the same key, which Adyen answers from its
        store. Adyen also never gives back more than was collected.
        """
        yield from ()
        return None
