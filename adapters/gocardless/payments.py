"""Payments against mandates, and their refunds."""

from collections.abc import Mapping
from typing import Final

import httpx

from adapters.gocardless import capabilities, translation, wire
from adapters.gocardless.answers import DEBIT, EVENT, REFUND, Debit, Refund
from adapters.gocardless.settings import Settings
from adapters.gocardless.translation import Translation
from adapters.gocardless.wire import LIMIT, Body, Found, path
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.answers import Answer, believed, mismatch, only
from gateway.model.money import Money
from gateway.model.payment import (
    Payment,
    PaymentFailure,
    PaymentState,
    ProviderPayment,
    ProviderRefund,
)
from gateway.ports.exchange import Exchange

# Payments that take no money any more.
_ENDED: Final = frozenset({"cancelled", "customer_approval_denied", "failed", "charged_back"})
# Failures of which the resource itself does not say the cause, and the word of their events.
_TOLD_BY_EVENTS: Final = frozenset({"failed", "charged_back"})
# Refunds that gave nothing back in the end, so that they do not count towards the total.
_NOT_GIVEN: Final = frozenset({"cancelled", "bounced", "funds_returned"})
# The payer's bank, or the payer, has ended the mandate: a decline, and no payment is made.
# Source: developer.gocardless.com/api-reference, create a payment, and its errors, read 2026-11.
_DECLINES: Final = frozenset({"mandate_is_inactive", "bank_account_disabled"})


class GoCardlessPayments:
    """The payments of one creditor.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(mappings or translation.load(settings))

    def create_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """A payment as soon as the scheme allows."""
        capabilities.check(payment)
        body = self._translation.payment_body(payment)
        response = yield self._wire.post("/payments", body, key=key)
        made_before = wire.conflicting(response)
        if made_before:
            response = yield self._wire.get(path("payments", made_before))
        elif wire.reason(response) in _DECLINES:
            return _declined(payment, wire.reason(response))
        return (yield from self._read(response, payment, wrote=True))

    def capture_payment(
        self, payment: Payment, amount: Money, *, key: str
    ) -> Exchange[ProviderPayment]:
        """Refused: a direct debit is collected as a whole, and nothing is held before."""
        del payment, amount, key
        yield from ()
        raise Rejected("A direct debit cannot be captured.", code="capture_method_unsupported")

    def cancel_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Give up a payment that was not handed to the banks yet."""
        place = path("payments", _reference(payment))
        response = yield self._wire.post(f"{place}/actions/cancel", Body({}), key=key)
        if wire.reason(response) != "cancellation_failed":
            return (yield from self._read(response, payment, wrote=True))
        # It may be that it was cancelled before; the refusal does not say so.
        refusal = wire.refusal(response, wrote=True)
        response = yield self._wire.get(place)
        found = yield from self._read(response, payment, wrote=False)
        if found.state is not PaymentState.CANCELLED:
            raise refusal
        return found

    def find_payment(self, payment: Payment) -> Exchange[ProviderPayment | None]:
        """The payment by GoCardless's id, or by ours among the payments of its mandate."""
        if payment.provider_ref:
            response = yield self._wire.get(path("payments", payment.provider_ref))
            if wire.missing(response):
                return None
            return (yield from self._read(response, payment, wrote=False))
        query = (("mandate", payment.token), wire.since(payment.requested_at), LIMIT)
        debits = yield from self._wire.pages(
            "payments", query, DEBIT, lambda one: _is_of(one, payment)
        )
        ours = only(debits, lambda one: one.object.status in _ENDED, title="GoCardless")
        if ours is None:
            return None
        cause = yield from self._cause(ours.object)
        return self._checked(ours, payment, cause)

    def refund_payment(
        self, payment: Payment, refund_id: str, amount: Money, *, key: str
    ) -> Exchange[ProviderRefund]:
        """Give back a collected amount, or a part of it.

        GoCardless wants the sum of all refunds repeated, so these are read before; if ours is
        among them there is nothing left to do.
        """
        refunds = yield from self._refunds(_reference(payment))
        ours = only(
            [one for one in refunds if _marked(one, refund_id)], _not_given, title="GoCardless"
        )
        if ours is not None:
            return self._refund(ours, payment, refund_id, amount)
        given = sum(one.object.amount for one in refunds if not _not_given(one))
        total = given + amount.minor
        body = self._translation.refund_body(payment, refund_id, amount, total)
        response = yield self._wire.post("/refunds", body, key=key)
        made_before = wire.conflicting(response)
        if made_before:
            response = yield self._wire.get(path("refunds", made_before))
        answer = wire.answer(response, "refunds", REFUND, wrote=True)
        return self._refund(answer, payment, refund_id, amount)

    def find_refund(self, payment: Payment, refund_id: str) -> Exchange[ProviderRefund | None]:
        """The refund that carries our refund id, among all refunds of the payment."""
        reference = payment.provider_ref
        if not reference:
            owner = yield from self.find_payment(payment)
            if owner is None:
                return None
            reference = owner.provider_ref
        refunds = yield from self._refunds(reference)
        ours = only(
            [one for one in refunds if _marked(one, refund_id)], _not_given, title="GoCardless"
        )
        return None if ours is None else believed(lambda: self._translation.refund_in(ours))

    def _read(
        self, response: httpx.Response, payment: Payment, *, wrote: bool
    ) -> Found[ProviderPayment]:
        answer = wire.answer(response, "payments", DEBIT, wrote=wrote)
        if payment.provider_ref and answer.object.id != payment.provider_ref:
            raise mismatch("GoCardless")
        cause = yield from self._cause(answer.object)
        return self._checked(answer, payment, cause)

    def _cause(self, debit: Debit) -> Found[str]:
        """Why a payment failed, by the newest event that tells; empty where none does yet."""
        if debit.status not in _TOLD_BY_EVENTS:
            return ""
        about = (("payment", debit.id), ("action", debit.status))
        response = yield self._wire.get("/events", (*about, LIMIT))
        events = wire.page(response, "events", EVENT).data
        return next((one.object.details.cause for one in events), "")

    def _checked(self, answer: Answer[Debit], payment: Payment, cause: str = "") -> ProviderPayment:
        found = believed(lambda: self._translation.payment_in(answer, cause))
        if found.amount != payment.amount or not _is_of(answer, payment):
            raise mismatch("GoCardless")
        return found

    def _refund(
        self, answer: Answer[Refund], payment: Payment, refund_id: str, amount: Money
    ) -> ProviderRefund:
        found = believed(lambda: self._translation.refund_in(answer))
        belongs = answer.object.links.payment == payment.provider_ref
        if found.amount != amount or not belongs or not _marked(answer, refund_id):
            raise mismatch("GoCardless")
        return found

    def _refunds(self, reference: str) -> Found[list[Answer[Refund]]]:
        query = (("payment", reference), LIMIT)
        return (yield from self._wire.pages("refunds", query, REFUND, lambda _: True))


def _reference(payment: Payment) -> str:
    if not payment.provider_ref:
        message = "GoCardless's id of the payment is not known."
        raise Rejected(message, code="provider_ref_missing")
    return payment.provider_ref


def _is_of(answer: Answer[Debit], payment: Payment) -> bool:
    return answer.object.metadata.get("payment_id") == payment.payment_id


def _marked(answer: Answer[Refund], refund_id: str) -> bool:
    return answer.object.metadata.get("refund_id") == refund_id


def _not_given(answer: Answer[Refund]) -> bool:
    return answer.object.status in _NOT_GIVEN


def _declined(payment: Payment, reason: str) -> ProviderPayment:
    """The mandate is gone: no payment was made, so there is no id either."""
    nothing = Money(0, payment.amount.currency)
    return ProviderPayment(
        provider_ref="",
        state=PaymentState.FAILED,
        amount=payment.amount,
        captured=nothing,
        refunded=nothing,
        failure=PaymentFailure(code="mandate_invalid", provider_code=reason),
    )
