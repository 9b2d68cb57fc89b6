"""Payments, captures and refunds of one profile."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from adapters.mollie import answers, translation, wire
from adapters.mollie.answers import CAPTURE, PAYMENT, REFUND, Refund
from adapters.mollie.settings import Settings
from adapters.mollie.translation import Translation
from gateway.errors import InDoubt, Rejected
from gateway.kit import mapping
from gateway.kit.adapter import segment
from gateway.kit.answers import Answer, UnreadableError, believed, mismatch, only
from gateway.model.money import Money
from gateway.model.payment import Payment, PaymentState, ProviderPayment, ProviderRefund
from gateway.ports.exchange import Exchange

_PAYMENTS: Final = "/payments"
_ENDED: Final = frozenset({PaymentState.FAILED, PaymentState.CANCELLED})
_OVER: Final = frozenset({"canceled", "expired", "failed"})
# Source: docs.mollie.com/reference/get-payment; mollie-api-php joins the names like this.
_WHOLE: Final = {"embed": "refunds,chargebacks"}


class MolliePayments:
    """The payments of one profile.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(settings, mappings or translation.load(settings))

    def create_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Charge a token or a mandate, or make the page where the payer pays."""
        body = self._translation.payment_body(payment)
        response = yield self._wire.write(_PAYMENTS, body, key=key)
        return self._checked(wire.answer(response, PAYMENT, wrote=True), payment)

    def capture_payment(
        self, payment: Payment, amount: Money, *, key: str
    ) -> Exchange[ProviderPayment]:
        """Collect an authorised amount, or a part of it; the rest stays held until cancelled."""
        path = f"{path_of(payment)}/captures"
        body = self._translation.capture_body(payment, amount)
        response = yield self._wire.write(path, body, key=key)
        made = wire.read(response, CAPTURE, wrote=True)
        if made.payment_id != payment.provider_ref or _money(made.amount) != amount:
            raise mismatch("Mollie")
        return (yield from self._read_back(payment))

    def cancel_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Release an authorisation, or end a payment that nobody has paid yet."""
        path = path_of(payment)
        response = yield self._wire.get(path)
        now = wire.answer(response, PAYMENT, wrote=False)
        if now.object.status in _OVER:
            return self._checked(now, payment)
        if now.object.status != "authorized":
            response = yield self._wire.write(path, key=key, method="DELETE")
            return self._checked(wire.answer(response, PAYMENT, wrote=True), payment)
        response = yield self._wire.write(f"{path}/release-authorization", key=key)
        wire.accepted(response)
        return (yield from self._read_back(payment))

    def find_payment(self, payment: Payment) -> Exchange[ProviderPayment | None]:
        """The payment by Mollie's id, or by ours in its metadata where theirs is not known.

        By Mollie's id it comes with its refunds and chargebacks, for a classic webhook tells of
        them only that something changed. The list cannot give them.
        """
        if payment.provider_ref:
            response = yield self._wire.get(path_of(payment), _WHOLE)
            if wire.missing(response):
                return None
            return self._checked(wire.answer(response, PAYMENT, wrote=False), payment)
        earliest = _seconds(payment.requested_at) - wire.SKEW_S
        listed = yield from self._wire.pages(
            _PAYMENTS,
            PAYMENT,
            wanted=lambda one: _is_of(one, payment),
            last=lambda one: _seconds(one.object.created_at) < earliest,
        )
        found = [self._checked(each, payment) for each in listed]
        return only(found, lambda one: one.state in _ENDED, title="Mollie")

    def refund_payment(
        self, payment: Payment, refund_id: str, amount: Money, *, key: str
    ) -> Exchange[ProviderRefund]:
        """Give back a collected amount, or a part of it."""
        path = f"{path_of(payment)}/refunds"
        body = self._translation.refund_body(payment, refund_id, amount)
        response = yield self._wire.write(path, body, key=key)
        answer = wire.answer(response, REFUND, wrote=True)
        found = believed(lambda: self._translation.refund_in(answer))
        whose = (answer.object.payment_id, _mark(answer))
        if whose != (payment.provider_ref, refund_id) or found.amount != amount:
            raise mismatch("Mollie")
        return found

    def find_refund(self, payment: Payment, refund_id: str) -> Exchange[ProviderRefund | None]:
        """The refund that carries our refund id, among all refunds of the payment."""
        owner = payment
        if not payment.provider_ref:
            known = yield from self.find_payment(payment)
            if known is None:
                return None
            owner = msgspec.structs.replace(payment, provider_ref=known.provider_ref)
        listed = yield from self._wire.pages(
            f"{path_of(owner)}/refunds",
            REFUND,
            wanted=lambda one: _mark(one) == refund_id,
            last=lambda _: False,
        )
        found = believed(lambda: [self._translation.refund_in(each) for each in listed])
        return only(found, lambda one: one.state in _ENDED, title="Mollie")

    def _read_back(self, payment: Payment) -> Exchange[ProviderPayment]:
        """The payment after something was done to it; a muddle here is doubt about that."""
        response = yield self._wire.get(path_of(payment))
        if not response.is_success:
            raise InDoubt("Mollie does not say what became of it.", code="unconfirmed")
        return self._checked(wire.answer(response, PAYMENT, wrote=True), payment)

    def _checked(self, answer: Answer[answers.Payment], payment: Payment) -> ProviderPayment:
        found = believed(lambda: self._translation.payment_in(answer))
        other = payment.provider_ref and answer.object.id != payment.provider_ref
        if other or found.amount != payment.amount or not _is_of(answer, payment):
            raise mismatch("Mollie")
        return found


def path_of(payment: Payment) -> str:
    """Where the payment is.

    Raises:
        Rejected: Mollie's id is not known.
    """
    if not payment.provider_ref:
        raise Rejected("Mollie's id of the payment is not known.", code="provider_ref_missing")
    return f"{_PAYMENTS}/{segment(payment.provider_ref)}"


def _is_of(answer: Answer[answers.Payment], payment: Payment) -> bool:
    return answers.mark(answer.object.metadata, "payment_id") == payment.payment_id


def _mark(answer: Answer[Refund]) -> str:
    return answers.mark(answer.object.metadata, "refund_id")


def _money(amount: answers.Amount) -> Money | None:
    try:
        return amount.money
    except UnreadableError:
        return None


def _seconds(moment: str) -> float:
    """A moment in ISO 8601 as seconds; without zone it is in UTC.

    Raises:
        InDoubt: It is none.
    """
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError as error:
        raise InDoubt("A time cannot be read.", code="unreadable") from error
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
