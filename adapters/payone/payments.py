"""Payments of one merchant: a commerce case for each, with one checkout and one execution."""

from collections.abc import Mapping
from functools import partial
from typing import Final, TypeVar

import msgspec

from adapters.payone import translation, wire
from adapters.payone import translation_objects as answers
from adapters.payone.settings import Settings
from adapters.payone.translation import Translation
from adapters.payone.translation_objects import (
    CANCELLED,
    CAPTURED,
    CASE,
    CHECKOUT,
    CHECKOUTS,
    MADE,
    REFUNDED,
    Checkout,
    Execution,
    MadeCheckout,
    Place,
)
from gateway.errors import InDoubt, Rejected
from gateway.kit import mapping
from gateway.kit.adapter import segment
from gateway.kit.answers import Answer, UnreadableError, believed, mismatch, only
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import (
    Payment,
    PaymentFailure,
    PaymentState,
    ProviderPayment,
    ProviderRefund,
)
from gateway.ports.exchange import Exchange

T = TypeVar("T")

_CASES: Final = "/commerce-cases"
_ENDED: Final = frozenset({PaymentState.FAILED, PaymentState.CANCELLED})
_REFUND_STATES: Final = {
    MovementState.PENDING: PaymentState.PENDING,
    MovementState.DONE: PaymentState.SETTLED,
    MovementState.UNDONE: PaymentState.FAILED,
}
_RANK: Final = {state: rank for rank, state in enumerate(MovementState)}
# Answers of a platform that did not execute the payment for a reason of its own.
_FAULT: Final = 500
_DECLINED: Final = 402


class PayonePayments:
    """The payments of one merchant.

    There is no idempotency key. References are unique instead, and PAYONE refuses one that is
    used; so after a refusal it is looked up whether the thing was done before.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(mappings or translation.load(settings))

    def create_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:  # noqa: ARG002 - references are unique in its place
        """Authorise, and collect at once unless the capture is manual."""
        body = self._translation.payment_body(payment)
        response = yield self._wire.post(_CASES, body)
        case = wire.answer(response, CASE, wrote=True).object
        made = Answer(case.checkout, believed(lambda: _decoded(case.checkout)))
        theirs = made.object
        other = theirs.references.merchant_reference != payment.payment_id
        if other or believed(lambda: answers.money(theirs.amount_of_money)) != payment.amount:
            raise mismatch("PAYONE")
        paid = theirs.payment_response.payment if theirs.payment_response else None
        if theirs.error_response is None and paid is None:
            raise InDoubt("PAYONE does not say what became of it.", code="unconfirmed")
        found = believed(lambda: self._translation.made_in(case.commerce_case_id, made))
        if paid is not None:
            named = paid.payment_output.references.merchant_reference
            amount = believed(lambda: answers.money(paid.payment_output.amount_of_money))
            if named != answers.short(payment.payment_id) or amount != payment.amount:
                raise mismatch("PAYONE")
        if found.state is not PaymentState.FAILED:
            return found
        return (yield from self._before(payment, found, _reason(theirs)))

    def capture_payment(
        self, payment: Payment, amount: Money, *, key: str
    ) -> Exchange[ProviderPayment]:
        """Collect an authorised amount, or a part of it; the rest stays held until cancelled."""
        place = yield from self._place(payment)
        reference = answers.short(key)
        body = self._translation.capture_body(payment, amount, reference)
        response = yield self._wire.post(f"{_path(place)}/capture", body)
        try:
            output = wire.answer(response, CAPTURED, wrote=True).object.capture_output
        except Rejected as refused:
            found = yield from self._checkout(place, wrote=False)
            if not _was_captured(found, reference):
                raise
            return self._checked(found, payment, place.execution, refused)
        moved = believed(lambda: answers.money(output.amount_of_money))
        if moved != amount or output.references.merchant_reference != reference:
            raise mismatch("PAYONE")
        return self._checked((yield from self._read_back(place)), payment, place.execution)

    def cancel_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:  # noqa: ARG002 - what is cancelled cannot be cancelled twice
        """Give up what is authorised and not collected."""
        place = yield from self._place(payment)
        body = self._translation.cancel_body(payment)
        response = yield self._wire.post(f"{_path(place)}/cancel", body)
        try:
            wire.answer(response, CANCELLED, wrote=True)
        except Rejected:
            found = yield from self._checkout(place, wrote=False)
            said = self._checked(found, payment, place.execution)
            if said.state is not PaymentState.CANCELLED:
                raise
            return said
        return self._checked((yield from self._read_back(place)), payment, place.execution)

    def find_payment(self, payment: Payment) -> Exchange[ProviderPayment | None]:
        """The payment by PAYONE's ids, or by ours, which its checkout carries."""
        place = answers.place_of(payment)
        if place is not None:
            response = yield self._wire.get(_checkout_path(place))
            if wire.missing(response):
                return None
            found = wire.answer(response, CHECKOUT, wrote=False)
            return self._checked(found, payment, place.execution)
        listed = yield from self._search(payment)
        ours = [one for _, one in listed]
        return only(ours, lambda one: one.state in _ENDED, title="PAYONE")

    def refund_payment(
        self,
        payment: Payment,
        refund_id: str,
        amount: Money,
        *,
        key: str,  # noqa: ARG002 - the reference of the refund is unique in its place
    ) -> Exchange[ProviderRefund]:
        """Give back a collected amount, or a part of it."""
        place = yield from self._place(payment)
        reference = answers.short(refund_id)
        body = self._translation.refund_body(payment, amount, reference)
        response = yield self._wire.post(f"{_path(place)}/refund", body)
        try:
            answer = wire.answer(response, REFUNDED, wrote=True)
        except Rejected:
            checkout = yield from self._checkout(place, wrote=False)
            known = _refund_of(self._checked(checkout, payment, place.execution), reference)
            if known is None or known.amount != amount:
                raise
            return known
        found = believed(lambda: self._translation.refund_in(answer))
        if found.provider_ref != reference or found.amount != amount:
            raise mismatch("PAYONE")
        return found

    def find_refund(self, payment: Payment, refund_id: str) -> Exchange[ProviderRefund | None]:
        """The refund whose reference is made of our id, among all of the payment."""
        found = yield from self.find_payment(payment)
        return _refund_of(found, answers.short(refund_id)) if found else None

    def _before(
        self, payment: Payment, declined: ProviderPayment, refused: Rejected | None
    ) -> Exchange[ProviderPayment]:
        """What was made before under the same references; else what was said stands."""
        listed = yield from self._search(payment)
        alive = only([one for _, one in listed if one.state not in _ENDED], title="PAYONE")
        if alive is not None:
            return alive
        if refused is not None:
            raise refused
        return declined

    def _search(self, payment: Payment) -> Exchange[list[tuple[Place, ProviderPayment]]]:
        """Every execution of checkouts that carry our id."""
        query = {"merchantReference": payment.payment_id, "size": "100"}
        response = yield self._wire.get("/checkouts", query)
        if wire.missing(response):
            return []
        raws = wire.answer(response, CHECKOUTS, wrote=False).object.checkouts
        found = []
        for raw in raws:
            checkout = Answer(raw, believed(partial(_checkout_of, raw)))
            if checkout.object.references.merchant_reference != payment.payment_id:
                continue
            ids = (checkout.object.commerce_case_id, checkout.object.checkout_id)
            for one in checkout.object.payment_executions:
                place = Place(*ids, one.payment_execution_id)
                found.append((place, self._checked(checkout, payment, place.execution)))
        return found

    def _place(self, payment: Payment) -> Exchange[Place]:
        known = answers.place_of(payment)
        if known is not None:
            return known
        listed = yield from self._search(payment)
        alive = [place for place, one in listed if one.state not in _ENDED]
        if len(alive) == 1:
            return alive[0]
        message = "provider_ref: PAYONE's ids of the payment are not known."
        raise Rejected(message, code="provider_ref_missing")

    def _checkout(self, place: Place, *, wrote: bool) -> Exchange[Answer[Checkout]]:
        response = yield self._wire.get(_checkout_path(place))
        return wire.answer(response, CHECKOUT, wrote=wrote)

    def _read_back(self, place: Place) -> Exchange[Answer[Checkout]]:
        """The checkout after something was done to it; a muddle here is doubt about that."""
        response = yield self._wire.get(_checkout_path(place))
        if not response.is_success:
            raise InDoubt("PAYONE does not say what became of it.", code="unconfirmed")
        return wire.answer(response, CHECKOUT, wrote=True)

    def _checked(
        self,
        answer: Answer[Checkout],
        payment: Payment,
        execution_id: str,
        cause: Exception | None = None,
    ) -> ProviderPayment:
        checkout = answer.object
        execution = _execution(checkout, execution_id)
        if execution is None or checkout.references.merchant_reference != payment.payment_id:
            raise mismatch("PAYONE") from cause
        found = believed(lambda: self._translation.payment_in(answer, execution))
        if found.amount != payment.amount:
            raise mismatch("PAYONE") from cause
        return found


def _decoded(raw: msgspec.Raw) -> MadeCheckout:
    try:
        return MADE.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableError("PAYONE's checkout cannot be read.", code="unreadable") from error


def _checkout_of(raw: msgspec.Raw) -> Checkout:
    try:
        return CHECKOUT.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableError("PAYONE's checkout cannot be read.", code="unreadable") from error


def _reason(made: MadeCheckout) -> Rejected | None:
    """Why nothing was executed; None for a decline, which is a result.

    Raises:
        InDoubt: PAYONE or somebody behind it failed, so that it may have been executed.
    """
    errors = made.error_response.errors if made.error_response else ()
    if not errors:
        return None
    detail, status = errors[0].error_code[:80], errors[0].http_status_code
    if status >= _FAULT:
        raise InDoubt("PAYONE failed.", code="server_error", detail=detail)
    if status == _DECLINED:
        return None
    return Rejected("PAYONE refuses the payment.", code="refused", detail=detail)


def _checkout_path(place: Place) -> str:
    case, checkout = segment(place.case), segment(place.checkout)
    return f"{_CASES}/{case}/checkouts/{checkout}"


def _path(place: Place) -> str:
    return f"{_checkout_path(place)}/payment-executions/{segment(place.execution)}"


def _execution(checkout: Checkout, execution_id: str) -> Execution | None:
    found = [one for one in checkout.payment_executions if one.payment_execution_id == execution_id]
    return found[0] if found else None


def _was_captured(answer: Answer[Checkout], reference: str) -> bool:
    """Whether a capture of this reference is among the events, and was not refused."""
    every = (one for each in answer.object.payment_executions for one in _read_events(each))
    return any(
        event.type == "CAPTURE"
        and event.merchant_reference == reference
        and not event.payment_status.startswith("REJECTED")
        for event in every
    )


def _read_events(execution: Execution) -> list[answers.Event]:
    return [event for _, event in believed(lambda: execution.read_events)]


def _refund_of(found: ProviderPayment, reference: str) -> ProviderRefund | None:
    said = [
        one for one in found.movements if (one.kind, one.ref) == (MovementKind.REFUND, reference)
    ]
    furthest = max(said, key=lambda one: _RANK[one.state], default=None)
    return _as_refund(furthest) if furthest else None


def _as_refund(one: Movement) -> ProviderRefund:
    failed = one.state is MovementState.UNDONE
    return ProviderRefund(
        provider_ref=one.ref,
        state=_REFUND_STATES[one.state],
        amount=one.amount,
        failure=PaymentFailure(code="refund_failed", provider_code=one.reason_code)
        if failed
        else None,
    )
