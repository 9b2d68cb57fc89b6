"""Payments through PaymentIntents and Refunds."""

from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias, TypeVar

import httpx

from adapters.stripe import translation, wire
from adapters.stripe.settings import Settings
from adapters.stripe.translation import Form, Intent, Refund
from gateway.errors import InDoubt, Rejected
from gateway.model.money import Money
from gateway.model.payment import Payment, PaymentState, ProviderPayment, ProviderRefund
from gateway.ports.exchange import Exchange

T = TypeVar("T")
Pages: TypeAlias = Generator[httpx.Request, httpx.Response, list[T]]

_INTENTS: Final = "/v1/payment_intents"
_REFUNDS: Final = "/v1/refunds"
_ENDED: Final = frozenset({PaymentState.FAILED, PaymentState.CANCELLED})
# The most that Stripe gives in one page.
_LIMIT: Final = ("limit", "100")
# Their clock may be behind ours; so much earlier the list begins.
_SKEW_S: Final = 300


class StripePayments:
    """The payments of one account."""

    def __init__(self, settings: Settings) -> None:
        self._wire = wire.Wire(settings)
        self._find_by = settings.find_by

    def create_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Create and confirm in one request."""
        form = translation.payment_form(payment)
        response = yield self._wire.post(_INTENTS, form, key=key)
        return _written(response, payment)

    def capture_payment(
        self, payment: Payment, amount: Money, *, key: str
    ) -> Exchange[ProviderPayment]:
        """Collect an authorised amount, or a part of it; the rest is released."""
        path = f"{_intent_path(payment)}/capture"
        response = yield self._wire.post(path, translation.capture_form(amount), key=key)
        found = _written(response, payment)
        if found.state is PaymentState.CAPTURED and found.captured != amount:
            raise _mismatch()
        return found

    def cancel_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Give up an authorisation that was not collected."""
        path = f"{_intent_path(payment)}/cancel"
        response = yield self._wire.post(path, translation.cancel_form(), key=key)
        return _written(response, payment)

    def find_payment(self, payment: Payment) -> Exchange[ProviderPayment | None]:
        """The payment by Stripe's id, or by ours in its metadata where theirs is not known."""
        if payment.provider_ref:
            query = [("expand[]", "latest_charge")]
            response = yield self._wire.get(_intent_path(payment), query)
            if wire.missing(response):
                return None
            intents = [wire.read(response, translation.INTENT, wrote=False)]
        elif self._find_by == "search":
            intents = yield from self._search(payment)
        else:
            intents = yield from self._list(payment)
        found = [_checked(intent, payment) for intent in intents]
        return _only([(one, one.state) for one in found])

    def refund_payment(
        self, payment: Payment, refund_id: str, amount: Money, *, key: str
    ) -> Exchange[ProviderRefund]:
        """Give back a collected amount, or a part of it."""
        _intent_path(payment)
        form = translation.refund_form(payment, refund_id, amount)
        response = yield self._wire.post(_REFUNDS, form, key=key)
        refund = wire.read(response, translation.REFUND, wrote=True)
        found = _refund(refund, payment)
        if found.amount != amount or translation.refund_id_of(refund.metadata) != refund_id:
            raise _mismatch()
        return found

    def find_refund(self, payment: Payment, refund_id: str) -> Exchange[ProviderRefund | None]:
        """The refund that carries our refund id, among all refunds of the payment."""
        if not payment.provider_ref:
            owner = yield from self.find_payment(payment)
            if owner is None:
                return None
            reference = owner.provider_ref
        else:
            reference = payment.provider_ref
        query = [("payment_intent", reference), _LIMIT]
        found: list[ProviderRefund] = []
        while True:
            response = yield self._wire.get(_REFUNDS, query)
            page = wire.read(response, translation.REFUNDS, wrote=False)
            ours = [r for r in page.data if translation.refund_id_of(r.metadata) == refund_id]
            found += [_refund_in(refund) for refund in ours]
            if not page.has_more or not page.data:
                return _only([(one, one.state) for one in found])
            query = [("payment_intent", reference), _LIMIT, ("starting_after", page.data[-1].id)]

    def _search(self, payment: Payment) -> Pages[Intent]:
        first: Form = [
            ("query", translation.search_query(payment.payment_id)),
            _LIMIT,
            ("expand[]", "data.latest_charge"),
        ]
        query, found = first, list[Intent]()
        while True:
            response = yield self._wire.get(f"{_INTENTS}/search", query)
            page = wire.read(response, translation.INTENTS, wrote=False)
            found += page.data
            if not page.has_more or not page.next_page:
                return found
            query = [*first, ("page", page.next_page)]

    def _list(self, payment: Payment) -> Pages[Intent]:
        since = ("created[gte]", str(_seconds(payment.requested_at) - _SKEW_S))
        window: Form = [] if self._find_by == "scan" else [since]
        first: Form = [*window, _LIMIT, ("expand[]", "data.latest_charge")]
        query, found = first, list[Intent]()
        while True:
            response = yield self._wire.get(_INTENTS, query)
            page = wire.read(response, translation.INTENTS, wrote=False)
            found += [i for i in page.data if _is_of(i, payment)]
            if not page.has_more or not page.data:
                return found
            query = [*first, ("starting_after", page.data[-1].id)]


def _intent_path(payment: Payment) -> str:
    if not payment.provider_ref:
        raise Rejected("Stripe's id of the payment is not known.", code="provider_ref_missing")
    return f"{_INTENTS}/{wire.segment(payment.provider_ref)}"


def _written(response: httpx.Response, payment: Payment) -> ProviderPayment:
    # A decline is an answer like any other: the payment, with a status.
    intent = wire.declined(response) or wire.read(response, translation.INTENT, wrote=True)
    if payment.provider_ref and intent.id != payment.provider_ref:
        raise _mismatch()
    return _checked(intent, payment)


def _checked(intent: Intent, payment: Payment) -> ProviderPayment:
    try:
        found = translation.payment_in(intent)
    except translation.UnreadableError as error:
        raise InDoubt(str(error), code=error.code) from error
    if found.amount != payment.amount or not _is_of(intent, payment):
        raise _mismatch()
    return found


def _is_of(intent: Intent, payment: Payment) -> bool:
    return translation.payment_id_of(intent.metadata) == payment.payment_id


def _refund(refund: Refund, payment: Payment) -> ProviderRefund:
    if refund.payment_intent != payment.provider_ref:
        raise _mismatch()
    return _refund_in(refund)


def _refund_in(refund: Refund) -> ProviderRefund:
    try:
        return translation.refund_in(refund)
    except translation.UnreadableError as error:
        raise InDoubt(str(error), code=error.code) from error


def _only(found: Sequence[tuple[T, PaymentState]]) -> T | None:
    """The one that can still move money, or else the newest that failed; two are a person's case.

    Stripe lists the newest first.
    """
    alive = [one for one, state in found if state not in _ENDED]
    if len(alive) > 1:
        raise InDoubt("Stripe has more than one with our id.", code="found_twice")
    return next(iter(alive), found[0][0] if found else None)


def _mismatch() -> InDoubt:
    return InDoubt("Stripe's answer is about something else.", code="integrity_mismatch")


def _seconds(moment: str) -> int:
    parsed = datetime.fromisoformat(moment)
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
