"""Payments of one account: an order each, with what was authorised, captured and given back."""

from collections.abc import Mapping
from typing import Final, TypeVar

import httpx
import msgspec

from adapters.paypal import translation, wire
from adapters.paypal import translation_orders as orders
from adapters.paypal.answers import ORDER, PART, REFUND, Order
from adapters.paypal.settings import Settings
from adapters.paypal.translation import NOTHING, Translation
from gateway.errors import InDoubt, Rejected, Unavailable
from gateway.kit import mapping
from gateway.kit.adapter import segment
from gateway.kit.answers import Answer, believed, mismatch
from gateway.model.money import Money
from gateway.model.payment import Payment, PaymentState, ProviderPayment, ProviderRefund
from gateway.ports.exchange import Exchange

T = TypeVar("T")

_ORDERS: Final = "/v2/checkout/orders"
# The cheapest read there is; of its answer only the date counts.
_TIME: Final = "/v1/notifications/webhooks"
# "The server stores keys for 6 hours"; a quarter less, because our clock said when that was.
# Source: checkout_orders_v2, PayPal-Request-Id.
_KEYS_LIVE_S: Final = 6 * 3_600 - 900
_ENDED: Final = frozenset({PaymentState.FAILED, PaymentState.CANCELLED})


class PayPalPayments:
    """The payments of one account.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(mappings or translation.load(settings), settings)

    def create_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Charge something saved, or make the order that the payer approves."""
        body = self._translation.order_body(payment)
        response = yield self._wire.post(_ORDERS, body, key=key)
        made = self._answered(response, payment)
        if made.state in _ENDED:
            return made
        source = self._translation.source_body(payment, response.content)
        if source is None:
            return made
        path = f"{_ORDERS}/{segment(made.provider_ref)}/confirm-payment-source"
        response = yield self._wire.post(path, source, key=f"{key}:source")
        return self._answered(response, payment)

    def capture_payment(
        self, payment: Payment, amount: Money, *, key: str
    ) -> Exchange[ProviderPayment]:
        """Collect an authorised amount, or a part of it; the rest stays held until cancelled."""
        body = self._translation.capture_body(payment, amount)
        order = yield from self._known(payment)
        held = order.object.authorization
        if held is None:
            raise Rejected("provider_ref: nothing is authorised.", code="not_authorised")
        path = f"/v2/payments/authorizations/{segment(held.id)}/capture"
        made = wire.read((yield self._wire.post(path, body, key=key)), PART, wrote=True)
        if (
            made.custom_id not in {"", payment.payment_id}
            or believed(lambda: made.amount.money) != amount
        ):
            raise mismatch("PayPal")
        return (yield from self._read_back(payment))

    def cancel_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Release an authorisation, or let an order be that nobody completes any more.

        PayPal has no call by which an order ends: only who completes it collects, and that is
        ``find_payment``, which leaves a cancelled payment alone.

        Raises:
            Rejected: It was collected.
        """
        now = yield from self._known(payment)
        found, held = self._translation.checked(now, payment), now.object.authorization
        if found.state in _ENDED:
            return found
        if held is None and not now.object.captures:
            return msgspec.structs.replace(found, state=PaymentState.CANCELLED, next_action=None)
        if held is None or held.status not in {"CREATED", "PENDING", "PARTIALLY_CAPTURED"}:
            raise Rejected("provider_ref: the payment was collected.", code="not_cancellable")
        path = f"/v2/payments/authorizations/{segment(held.id)}/void"
        more = self._translation.acting_for(payment)
        response = yield self._wire.post(path, NOTHING, key=key, more=more)
        if response.status_code != httpx.codes.NO_CONTENT:
            gone = wire.read(response, PART, wrote=True)
            if (gone.id, gone.status) != (held.id, "VOIDED"):
                raise mismatch("PayPal")
        return (yield from self._read_back(payment))

    def find_payment(self, payment: Payment) -> Exchange[ProviderPayment | None]:
        """The payment by its order; by the identical request again where that is not known.

        An order that the payer has approved is completed here, once: nobody else does, and the
        payer has agreed to it. A payment that was given up is left as it is.

        Orders cannot be searched. PayPal answers a key that it knows from its store, and one that
        never arrived is executed now, so that either way the outcome is known afterwards.

        Raises:
            InDoubt: The key may be forgotten, and the order is not known.
        """
        if not payment.provider_ref:
            return (yield from self._repeated(payment))
        response = yield self._wire.get(_path(payment))
        if wire.missing(response):
            return None
        order = _order(response, wrote=False)
        found = self._translation.checked(order, payment)
        if order.object.status != "APPROVED" or payment.state in _ENDED:
            return found
        return (yield from self._completed(order.object, payment))

    def refund_payment(
        self, payment: Payment, refund_id: str, amount: Money, *, key: str
    ) -> Exchange[ProviderRefund]:
        """Give back a collected amount, or a part of it, of one capture.

        Raises:
            Rejected: Nothing was collected.
        """
        body = self._translation.refund_body(payment, refund_id, amount)
        order = (yield from self._known(payment)).object
        known = believed(lambda: orders.refund_marked(order, refund_id))
        if known is not None:
            return believed(lambda: self._translation.refund_in(known))
        capture_id = believed(lambda: orders.capture_to_refund(order, amount))
        path = f"/v2/payments/captures/{segment(capture_id)}/refund"
        more = self._translation.acting_for(payment)
        response = yield self._wire.post(path, body, key=key, more=more)
        answer = Answer(response.content, wire.read(response, REFUND, wrote=True))
        made = believed(lambda: self._translation.refund_in(answer))
        if answer.object.invoice_id != refund_id or made.amount != amount:
            raise mismatch("PayPal")
        return made

    def find_refund(self, payment: Payment, refund_id: str) -> Exchange[ProviderRefund | None]:
        """The refund that carries our refund id, among all of the order."""
        owner = payment
        if not payment.provider_ref:
            made = yield from self._repeated(payment)
            if made is None or not made.provider_ref:
                return None
            owner = msgspec.structs.replace(payment, provider_ref=made.provider_ref)
        response = yield self._wire.get(_path(owner))
        if wire.missing(response):
            return None
        order = _order(response, wrote=False).object
        found = believed(lambda: orders.refund_marked(order, refund_id))
        return None if found is None else believed(lambda: self._translation.refund_in(found))

    def _repeated(self, payment: Payment) -> Exchange[ProviderPayment | None]:
        if not payment.attempts:
            return None
        age_s = wire.age_s((yield self._wire.get(_TIME)), payment.requested_at)
        if age_s > _KEYS_LIVE_S:
            message = "PayPal may have forgotten the key; look for the invoice id in its activity."
            raise InDoubt(message, code="key_forgotten")
        return (yield from self.create_payment(payment, key=payment.attempts[-1].key))

    def _answered(self, response: httpx.Response, payment: Payment) -> ProviderPayment:
        """The payment as its order has it, or declined."""
        if (issue := wire.issue(response)) in orders.DECLINES:
            return self._translation.declined(payment, issue)
        return self._translation.checked(_order(response, wrote=True), payment)

    def _completed(self, order: Order, payment: Payment) -> Exchange[ProviderPayment]:
        """Collect or authorise what the payer approved, as the order was meant."""
        verb = "authorize" if order.intent == "AUTHORIZE" else "capture"
        path, key = f"{_path(payment)}/{verb}", f"{payment.payment_id}:{order.id}:{verb}"
        more = self._translation.acting_for(payment)
        response = yield self._wire.post(path, NOTHING, key=key, more=more)
        if wire.issue(response) in orders.DONE:
            return (yield from self._read_back(payment))
        try:
            return self._answered(response, payment)
        except InDoubt as error:
            if error.code == "integrity_mismatch":
                raise
            # An order is completed once, whoever asks how often: looking again tells.
            message = "PayPal does not say whether the order is complete."
            raise Unavailable(message, code=error.code, detail=error.detail) from error

    def _known(self, payment: Payment) -> Exchange[Answer[Order]]:
        """The order before something is done to it."""
        order = _order((yield self._wire.get(_path(payment))), wrote=False)
        self._translation.checked(order, payment)
        return order

    def _read_back(self, payment: Payment) -> Exchange[ProviderPayment]:
        """The payment after something was done to it; a muddle here is doubt about that."""
        response = yield self._wire.get(_path(payment))
        if not response.is_success:
            raise InDoubt("PayPal does not say what became of it.", code="unconfirmed")
        return self._translation.checked(_order(response, wrote=True), payment)


def _path(payment: Payment) -> str:
    if not payment.provider_ref:
        message = "provider_ref: PayPal's id of the order is not known."
        raise Rejected(message, code="provider_ref_missing")
    return f"{_ORDERS}/{segment(payment.provider_ref)}"


def _order(response: httpx.Response, *, wrote: bool) -> Answer[Order]:
    return Answer(response.content, wire.read(response, ORDER, wrote=wrote))
