"""Payments through Checkout: a payment request, and modifications whose outcome is reported."""

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from adapters.adyen import amounts, translation, wire
from adapters.adyen.answers import PAID, RECEIVED, Amount, Paid, Received, reference_of
from adapters.adyen.settings import Settings
from adapters.adyen.translation import Translation
from gateway.errors import InDoubt, Rejected
from gateway.kit import mapping
from gateway.kit.adapter import Body, segment
from gateway.kit.answers import Answer, believed, mismatch
from gateway.model.money import Money
from gateway.model.payment import Payment, ProviderPayment, ProviderRefund
from gateway.ports.exchange import Exchange

T = TypeVar("T")

# "Idempotency keys are valid for a minimum period of 7 days after first submission"; an hour less,
# because our clock said when that was. Source: docs.adyen.com/development-resources/
# api-idempotency, read 2026-11.
_KEYS_LIVE_S: Final = 7 * 86_400 - 3_600
# Results that are final name the payment; what waits for the payer need not.
_FINAL: Final = frozenset({"Authorised", "Refused", "Error", "Cancelled"})


class AdyenPayments:
    """The payments of one merchant account.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._account = settings.merchant_account
        self._translation = Translation(mappings or translation.load(settings), settings)

    def create_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Authorise, and collect at once unless the capture is manual."""
        body = self._translation.payment_body(payment)
        answer = yield from self._write("/payments", body, PAID, key=key)
        made = answer.object
        if payment.provider_ref and made.psp_reference != payment.provider_ref:
            raise mismatch("Adyen")
        if not _is_of(made, payment):
            raise mismatch("Adyen")
        return believed(lambda: self._translation.payment_in(answer, payment))

    def capture_payment(
        self, payment: Payment, amount: Money, *, key: str
    ) -> Exchange[ProviderPayment]:
        """Ask for an authorised amount, or a part of it; a webhook says what came of it."""
        path = f"{_payment_path(payment)}/captures"
        body = self._translation.capture_body(payment, amount)
        answer = yield from self._modify(path, body, payment, key=key)
        _check(answer.object, reference_of(payment), amount)
        return believed(lambda: self._translation.received_in(answer, payment, amount))

    def cancel_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Give up an authorisation; a webhook says whether it was in time."""
        path = f"{_payment_path(payment)}/cancels" if payment.provider_ref else "/cancels"
        body = self._translation.cancel_body(payment)
        answer = yield from self._modify(path, body, payment, key=key)
        _check(answer.object, reference_of(payment))
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
        if wire.age_s(response, payment.requested_at) > _KEYS_LIVE_S:
            if payment.provider_ref:
                return None
            message = "Adyen may have forgotten the key; look for the reference in its reports."
            raise InDoubt(message, code="key_forgotten")
        return (yield from self.create_payment(payment, key=payment.attempts[-1].key))

    def refund_payment(
        self, payment: Payment, refund_id: str, amount: Money, *, key: str
    ) -> Exchange[ProviderRefund]:
        """Ask for an amount to be given back; a webhook says whether it was."""
        path = f"{_payment_path(payment)}/refunds"
        body = self._translation.refund_body(payment, refund_id, amount)
        answer = yield from self._modify(path, body, payment, key=key)
        _check(answer.object, refund_id, amount)
        return believed(lambda: self._translation.refund_in(answer, amount))

    def find_refund(self, payment: Payment, refund_id: str) -> Exchange[ProviderRefund | None]:  # noqa: ARG002 - nothing is asked
        """Nothing: neither a look-up nor what a repetition needs, amount and key, is at hand.

        Whoever finds nothing repeats the refund with the same key, which Adyen answers from its
        store. Adyen also never gives back more than was collected.
        """
        yield from ()
        return None

    def _write(
        self, path: str, body: Body, decoder: msgspec.json.Decoder[T], *, key: str
    ) -> Exchange[Answer[T]]:
        request = self._wire.post(path, body.content, key=key, made_by=body.made_by)
        response = yield request
        return wire.written(response, decoder, key=self._wire.key(key))

    def _modify(
        self, path: str, body: Body, payment: Payment, *, key: str
    ) -> Exchange[Answer[Received]]:
        answer = yield from self._write(path, body, RECEIVED, key=key)
        received = answer.object
        theirs = (received.payment_psp_reference, received.merchant_account)
        if theirs != (payment.provider_ref, self._account):
            raise mismatch("Adyen")
        return answer


def _payment_path(payment: Payment) -> str:
    if not payment.provider_ref:
        message = "provider_ref: Adyen's reference of the payment is not known."
        raise Rejected(message, code="provider_ref_missing")
    return f"/payments/{segment(payment.provider_ref)}"


def _is_of(made: Paid, payment: Payment) -> bool:
    """Whether the answer is about this payment and its amount."""
    named = bool(made.merchant_reference) or made.result_code not in _FINAL
    ours = made.merchant_reference in {"", reference_of(payment)}
    return named and ours and _same(made.amount, payment.amount)


def _check(received: Received, reference: str, amount: Money | None = None) -> None:
    if received.reference not in {"", reference} or not _same(received.amount, amount):
        raise mismatch("Adyen")


def _same(theirs: Amount | None, ours: Money | None) -> bool:
    """Whether two amounts are the same, where Adyen tells one."""
    if theirs is None or ours is None:
        return True
    return (theirs.value, theirs.currency) == (amounts.units(ours, "amount"), ours.currency)
