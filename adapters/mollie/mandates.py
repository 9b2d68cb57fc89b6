"""Mandates of accounts that payers have named to us: a customer of Mollie for each of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adapters.mollie import answers, translation, wire
from adapters.mollie.answers import CUSTOMER, MANDATE, Customer, Mandate
from adapters.mollie.settings import Settings
from adapters.mollie.translation import Translation
from adapters.mollie.wire import SKEW_S, Pages
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.adapter import segment
from gateway.kit.answers import Answer, believed, mismatch, only, seconds
from gateway.model.held_mandate import HeldMandate, ProviderMandate, Signing
from gateway.model.mandate import MandateState
from gateway.ports.exchange import Exchange

_CUSTOMERS: Final = "/customers"


class MollieMandates:
    """The mandates of one profile.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    signing = MappingProxyType({"sepa_debit": frozenset({Signing.ACCOUNT})})

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(settings, mappings or translation.load(settings))

    def create_mandate(self, mandate: HeldMandate, *, key: str) -> Exchange[ProviderMandate]:
        """A customer that carries our id, and the mandate of the account."""
        if mandate.method_code not in self.signing:
            message = "method_code is nothing that Mollie holds mandates for through us."
            raise Rejected(message, code="method_unsupported")
        if mandate.account is None or not mandate.account.iban:
            raise Rejected("iban is missing.", code="account_missing")
        body = self._translation.mandate_body(mandate)
        about = self._translation.customer_body(mandate)
        response = yield self._wire.write(_CUSTOMERS, about, key=f"{key}:customer")
        customer = wire.answer(response, CUSTOMER, wrote=True)
        if not _is_of(customer, mandate):
            raise mismatch("Mollie")
        path = _path(customer.object.id)
        response = yield self._wire.write(path, body, key=key)
        return self._read(wire.answer(response, MANDATE, wrote=True), customer.object.id)

    def find_mandate(self, mandate: HeldMandate) -> Exchange[ProviderMandate | None]:
        """The mandate by Mollie's ids, or by ours among the customers."""
        if mandate.provider_ref:
            path = _path(mandate.request_ref, mandate.provider_ref)
            response = yield self._wire.get(path)
            if wire.missing(response):
                return (yield from self._gone(mandate))
            found = wire.answer(response, MANDATE, wrote=False)
            if found.object.id != mandate.provider_ref:
                raise mismatch("Mollie")
            return self._read(found, mandate.request_ref)
        earliest = seconds(mandate.requested_at) - SKEW_S
        customers = yield from self._wire.pages(
            _CUSTOMERS,
            CUSTOMER,
            wanted=lambda one: _is_of(one, mandate),
            last=lambda one: seconds(one.object.created_at) < earliest,
        )
        made = []
        # One that was made twice, when its key was forgotten, has no mandate.
        for customer in customers:
            made += yield from self._mandates(customer.object.id)
        ours = only(made, lambda one: one.object.status == "invalid", title="Mollie")
        return None if ours is None else self._read(ours, ours.object.customer_id)

    def revoke_mandate(self, mandate: HeldMandate, *, key: str) -> Exchange[ProviderMandate]:
        """Take the mandate away; one that is gone was taken before."""
        path = _path(mandate.request_ref, mandate.provider_ref)
        response = yield self._wire.write(path, key=key, method="DELETE")
        if not wire.missing(response):
            wire.check(response, wrote=True)
        return _revoked(mandate)

    def _gone(self, mandate: HeldMandate) -> Exchange[ProviderMandate | None]:
        """What is missing was taken away, if the customer is ours."""
        response = yield self._wire.get(f"{_CUSTOMERS}/{segment(mandate.request_ref)}")
        if wire.missing(response):
            return None
        customer = wire.answer(response, CUSTOMER, wrote=False)
        if not _is_of(customer, mandate):
            raise mismatch("Mollie")
        return _revoked(mandate)

    def _mandates(self, customer: str) -> Pages[Answer[Mandate]]:
        return (
            yield from self._wire.pages(
                _path(customer), MANDATE, wanted=lambda _: True, last=lambda _: False
            )
        )

    def _read(self, answer: Answer[Mandate], customer: str) -> ProviderMandate:
        if answer.object.customer_id != customer:
            raise mismatch("Mollie")
        return believed(lambda: self._translation.mandate_in(answer))


def _path(customer: str, mandate: str = "") -> str:
    last = f"/{segment(mandate)}" if mandate else ""
    return f"{_CUSTOMERS}/{segment(customer)}/mandates{last}"


def _is_of(answer: Answer[Customer], mandate: HeldMandate) -> bool:
    return answers.mark(answer.object.metadata, "mandate_id") == mandate.mandate_id


def _revoked(mandate: HeldMandate) -> ProviderMandate:
    return ProviderMandate(state=MandateState.REVOKED, provider_ref=mandate.provider_ref)
