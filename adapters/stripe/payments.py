"""Payments through PaymentIntents and Refunds."""

from collections.abc import Callable, Generator, Mapping
from typing import Final, TypeAlias, TypeVar

import httpx
import msgspec

from adapters.stripe import answers, translation, wire
from adapters.stripe.answers import INTENT, REFUND, Intent, Refund
from adapters.stripe.settings import Settings
from adapters.stripe.translation import Translation
from adapters.stripe.wire import Form, Query
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.adapter import segment
from gateway.kit.answers import Answer, believed, mismatch, only
from gateway.model.money import Money
from gateway.model.payment import Payment, PaymentState, ProviderPayment, ProviderRefund
from gateway.ports.exchange import Exchange

T = TypeVar("T")
Kind = TypeVar("Kind", Intent, Refund)
Pages: TypeAlias = Generator[httpx.Request, httpx.Response, list[T]]

_INTENTS: Final = "/v1/payment_intents"
_REFUNDS: Final = "/v1/refunds"
_ENDED: Final = frozenset({PaymentState.FAILED, PaymentState.CANCELLED})
_CANCEL: Final = Form({"expand": ["latest_charge"]})
# The most that Stripe gives in one page.
_LIMIT: Final = ("limit", "100")


def intent_path(payment: Payment) -> str:
    """Where the PaymentIntent is.

    Raises:
        Rejected: Its id is not known.
    """
    if not payment.provider_ref:
        raise Rejected("Stripe's id of the payment is not known.", code="provider_ref_missing")
    return f"{_INTENTS}/{segment(payment.provider_ref)}"


def checked(answer: Answer[Intent], payment: Payment, read: Translation) -> ProviderPayment:
    """The payment as Stripe has it, if it is ours.

    Raises:
        InDoubt: It is another one, or of an amount that nobody asked for.
    """
    found = believed(lambda: read.payment_in(answer))
    if found.amount not in payment.amounts or not _is_of(answer, payment):
        raise mismatch("Stripe")
    return found


class StripePayments:
    """The payments of one account.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._find_by = settings.find_by
        self._translation = Translation(mappings or translation.load(settings))

    def create_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Create and confirm in one request."""
        form = self._translation.payment_form(payment)
        response = yield self._wire.post(_INTENTS, form, key=key)
        return self._written(response, payment)

    def capture_payment(
        self, payment: Payment, amount: Money, *, key: str
    ) -> Exchange[ProviderPayment]:
        """Collect an authorised amount, or a part of it; the rest is released."""
        path = f"{intent_path(payment)}/capture"
        form = self._translation.capture_form(payment, amount)
        response = yield self._wire.post(path, form, key=key)
        found = self._written(response, payment)
        if found.state is PaymentState.CAPTURED and found.captured != amount:
            raise mismatch("Stripe")
        return found

    def cancel_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Give up an authorisation that was not collected."""
        path = f"{intent_path(payment)}/cancel"
        response = yield self._wire.post(path, _CANCEL, key=key)
        return self._written(response, payment)

    def find_payment(self, payment: Payment) -> Exchange[ProviderPayment | None]:
        """The payment by Stripe's id, or by ours in its metadata where theirs is not known."""
        if payment.provider_ref:
            query = [("expand[]", "latest_charge")]
            response = yield self._wire.get(intent_path(payment), query)
            if wire.missing(response):
                return None
            intents = [wire.answer(response, INTENT, wrote=False)]
        else:
            intents = yield from self._intents(payment)
        found = [self._checked(intent, payment) for intent in intents]
        return only(found, lambda one: one.state in _ENDED, title="Stripe")

    def refund_payment(
        self, payment: Payment, refund_id: str, amount: Money, *, key: str
    ) -> Exchange[ProviderRefund]:
        """Give back a collected amount, or a part of it."""
        intent_path(payment)
        form = self._translation.refund_form(payment, refund_id, amount)
        response = yield self._wire.post(_REFUNDS, form, key=key)
        answer = wire.answer(response, REFUND, wrote=True)
        if answer.object.payment_intent != payment.provider_ref:
            raise mismatch("Stripe")
        found = believed(lambda: self._translation.refund_in(answer))
        if found.amount != amount or not carries(answer, refund_id):
            raise mismatch("Stripe")
        return found

    def find_refund(self, payment: Payment, refund_id: str) -> Exchange[ProviderRefund | None]:
        """The refund that carries our refund id, among all refunds of the payment."""
        reference = payment.provider_ref
        if not reference:
            owner = yield from self.find_payment(payment)
            if owner is None:
                return None
            reference = owner.provider_ref
        first: Query = [("payment_intent", reference), _LIMIT]
        marked = yield from self._pages(
            _REFUNDS, first, REFUND, lambda one: carries(one, refund_id)
        )
        found = believed(lambda: [self._translation.refund_in(each) for each in marked])
        return only(found, lambda one: one.state in _ENDED, title="Stripe")

    def _intents(self, payment: Payment) -> Pages[Answer[Intent]]:
        """Every PaymentIntent that carries our id; a search says itself which these are."""
        path, since, search = _INTENTS, list[tuple[str, str]](), self._find_by == "search"
        if search:
            path, since = f"{_INTENTS}/search", [wire.search_for(payment.payment_id)]
        elif self._find_by == "list":
            since = [wire.since(payment.requested_at)]
        first: Query = [*since, _LIMIT, ("expand[]", "data.latest_charge")]
        return (
            yield from self._pages(path, first, INTENT, lambda one: search or _is_of(one, payment))
        )

    def _pages(
        self,
        path: str,
        first: Query,
        decoder: msgspec.json.Decoder[Kind],
        wanted: Callable[[Answer[Kind]], bool],
    ) -> Pages[Answer[Kind]]:
        """What is wanted of a list or of a search, page after page."""
        query, found = first, list[Answer[Kind]]()
        while True:
            response = yield self._wire.get(path, query)
            page = wire.page(response, decoder)
            found += [each for each in page.data if wanted(each)]
            if not page.has_more or not page.data:
                return found
            last = page.data[-1].object.id
            more = ("page", page.next_page) if page.next_page else ("starting_after", last)
            query = [*first, more]

    def _written(self, response: httpx.Response, payment: Payment) -> ProviderPayment:
        # A decline is an answer like any other: the payment, with a status.
        answer = wire.declined(response) or wire.answer(response, INTENT, wrote=True)
        if payment.provider_ref and answer.object.id != payment.provider_ref:
            raise mismatch("Stripe")
        return self._checked(answer, payment)

    def _checked(self, answer: Answer[Intent], payment: Payment) -> ProviderPayment:
        return checked(answer, payment, self._translation)


def _is_of(answer: Answer[Intent], payment: Payment) -> bool:
    return answers.payment_id_of(answer.object.metadata) == payment.payment_id


def carries(answer: Answer[Refund], refund_id: str) -> bool:
    """Whether it is the refund that carries our id."""
    return answers.refund_id_of(answer.object.metadata) == refund_id
