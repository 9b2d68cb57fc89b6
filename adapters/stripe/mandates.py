"""Mandates and saved cards: given on a page of Stripe, or by an account that we pass on.

Each is a Customer of its own that has our id. What has become of it is read from the SetupIntents
and the pages (Checkout Sessions) of that Customer.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adapters.stripe import answers, lists, translation, wire
from adapters.stripe.answers import CUSTOMER, MANDATE, SAVED, SESSION, SETUP, Session, Setup
from adapters.stripe.settings import Settings
from adapters.stripe.translation import Translation
from adapters.stripe.wire import Form
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.adapter import segment
from gateway.kit.answers import Answer, believed, mismatch, only
from gateway.model.held_mandate import HeldMandate, ProviderMandate, Signing
from gateway.model.mandate import MandateState
from gateway.ports.exchange import Exchange

_CUSTOMERS: Final = "/v1/customers"
_SESSIONS: Final = "/v1/checkout/sessions"
_SETUPS: Final = "/v1/setup_intents"
_METHODS: Final = "/v1/payment_methods"
_ENDED: Final = frozenset({MandateState.REVOKED, MandateState.EXPIRED, MandateState.FAILED})
_NOTHING: Final = Form({})
_PAGE, _ACCOUNT = frozenset({Signing.PAGE}), frozenset({Signing.ACCOUNT})


class StripeMandates:
    """The mandates and saved cards of one account.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    signing = MappingProxyType({"bacs_debit": _PAGE, "card_on_file": _PAGE, "sepa_debit": _ACCOUNT})

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(mappings or translation.load(settings))

    def create_mandate(self, mandate: HeldMandate, *, key: str) -> Exchange[ProviderMandate]:
        """A Customer, and a page on which it agrees or the SetupIntent of an account."""
        ways = self.signing.get(mandate.method_code)
        if ways is None:
            message = "method_code is nothing that Stripe holds mandates for through us."
            raise Rejected(message, code="method_unsupported")
        by_page = Signing.PAGE in ways
        if not by_page and (mandate.account is None or not mandate.account.email):
            # Stripe writes to the owner. Source: docs.stripe.com/payments/sepa-debit.
            raise Rejected("email is missing: Stripe writes to the payer.", code="email_missing")
        form = self._translation.customer_form(mandate)
        response = yield self._wire.post(_CUSTOMERS, form, key=f"{key}:customer")
        customer = wire.answer(response, CUSTOMER, wrote=True).object
        if answers.mandate_id_of(customer.metadata) != mandate.mandate_id:
            raise mismatch("Stripe")
        if by_page:
            form = self._translation.session_form(mandate, customer.id)
            response = yield self._wire.post(_SESSIONS, form, key=key)
            session = wire.answer(response, SESSION, wrote=True)
            return self._on_page(session, mandate, customer.id)
        form = self._translation.setup_form(mandate, customer.id)
        response = yield self._wire.post(_SETUPS, form, key=key)
        setup = wire.answer(response, SETUP, wrote=True)
        return (yield from self._set_up(setup, mandate, customer.id))

    def find_mandate(self, mandate: HeldMandate) -> Exchange[ProviderMandate | None]:
        """What has become of the Customer, which is found by our id where it is not known."""
        customer = mandate.request_ref
        if not customer:
            found = yield from lists.pages(
                self._wire,
                _CUSTOMERS,
                [wire.since(mandate.requested_at)],
                CUSTOMER,
                lambda one: answers.mandate_id_of(one.metadata) == mandate.mandate_id,
                lambda one: one.id,
            )
            made = []
            # One that was made twice, when its key was forgotten, has agreed to nothing.
            for each in found:
                one = yield from self._told(each.object.id, mandate)
                made += [] if one is None else [one]
            return only(made, lambda one: one.state in _ENDED, title="Stripe")
        return (yield from self._told(customer, mandate))

    def revoke_mandate(self, mandate: HeldMandate, *, key: str) -> Exchange[ProviderMandate]:
        """Take the instrument from the Customer, or end the page on which it would be given."""
        now = yield from self._told(mandate.request_ref, mandate)
        if now is None:
            raise Rejected("Stripe has no such Customer.", code="mandate_unknown")
        if now.token:
            path = f"{_METHODS}/{segment(now.token.partition(':')[2])}/detach"
            wire.answer((yield self._wire.post(path, _NOTHING, key=key)), SAVED, wrote=True)
        elif now.state is MandateState.PENDING:
            for one in (yield from self._sessions(mandate.request_ref, mandate)):
                if one.object.status == "open":
                    path = f"{_SESSIONS}/{segment(one.object.id)}/expire"
                    response = yield self._wire.post(path, _NOTHING, key=key)
                    wire.answer(response, SESSION, wrote=True)
        return ProviderMandate(
            state=MandateState.REVOKED, request_ref=mandate.request_ref, token=now.token
        )

    def _told(self, customer: str, mandate: HeldMandate) -> Exchange[ProviderMandate | None]:
        """What a Customer has agreed to; the page where it can, if it has not."""
        response = yield self._wire.get(_SETUPS, [("customer", customer)])
        if wire.unknown(response):
            return None
        setups = [
            one
            for one in wire.page(response, SETUP).data
            if answers.mandate_id_of(one.object.metadata) == mandate.mandate_id
        ]
        sessions = yield from self._sessions(customer, mandate)
        done = [one for one in setups if one.object.status == "succeeded"]
        if done or (setups and not sessions):
            return (yield from self._set_up((done or setups)[0], mandate, customer))
        return self._on_page(sessions[0], mandate, customer) if sessions else None

    def _sessions(self, customer: str, mandate: HeldMandate) -> lists.Pages[Answer[Session]]:
        return (
            yield from lists.pages(
                self._wire,
                _SESSIONS,
                [("customer", customer)],
                SESSION,
                lambda one: answers.mandate_id_of(one.metadata) == mandate.mandate_id,
                lambda one: one.id,
            )
        )

    def _set_up(
        self, setup: Answer[Setup], mandate: HeldMandate, customer: str
    ) -> Exchange[ProviderMandate]:
        """What a SetupIntent has come to, and whether it can still be collected by."""
        theirs = setup.object
        if theirs.customer != customer or (
            answers.mandate_id_of(theirs.metadata) != mandate.mandate_id
        ):
            raise mismatch("Stripe")
        usable = True
        if theirs.status == "succeeded" and theirs.payment_method:
            response = yield self._wire.get(f"{_METHODS}/{segment(theirs.payment_method)}", [])
            usable = not wire.missing(response)
            if usable:
                saved = wire.answer(response, SAVED, wrote=False).object
                usable = saved.customer == customer
        if usable and theirs.mandate:
            response = yield self._wire.get(f"/v1/mandates/{segment(theirs.mandate)}", [])
            usable = wire.answer(response, MANDATE, wrote=False).object.status != "inactive"
        return believed(lambda: self._translation.setup_in(setup, usable=usable))

    def _on_page(
        self, session: Answer[Session], mandate: HeldMandate, customer: str
    ) -> ProviderMandate:
        theirs = session.object
        if theirs.customer != customer or (
            answers.mandate_id_of(theirs.metadata) != mandate.mandate_id
        ):
            raise mismatch("Stripe")
        return believed(lambda: self._translation.session_in(session))
