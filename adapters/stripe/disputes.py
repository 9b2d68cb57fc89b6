"""Disputes: claims of payers, accepted or contested.

Source: docs.stripe.com/api/disputes, docs.stripe.com/disputes/api, read 2026-11.
"""

from collections.abc import Mapping
from typing import Final

import httpx

from adapters.stripe import translation, wire
from adapters.stripe.answers import DISPUTE
from adapters.stripe.settings import Settings
from adapters.stripe.translation import Translation
from adapters.stripe.wire import Form
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.adapter import segment
from gateway.kit.answers import believed, mismatch
from gateway.model.dispute import DisputeAnswer, ProviderDispute
from gateway.model.payment import Payment
from gateway.ports.exchange import Exchange

_NOTHING: Final = Form({})


class StripeDisputes:
    """The disputes of one account.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(mappings or translation.load(settings))

    def find_dispute(self, payment: Payment, provider_ref: str) -> Exchange[ProviderDispute | None]:
        """The dispute as Stripe has it now."""
        response = yield self._wire.get(_path(provider_ref), [])
        if wire.missing(response):
            return None
        return self._checked(response, payment, provider_ref, wrote=False)

    def accept_dispute(
        self, payment: Payment, provider_ref: str, *, key: str
    ) -> Exchange[ProviderDispute]:
        """Close it: it is lost at once, and for ever."""
        response = yield self._wire.post(f"{_path(provider_ref)}/close", _NOTHING, key=key)
        return self._checked(response, payment, provider_ref, wrote=True)

    def submit_evidence(
        self, payment: Payment, provider_ref: str, evidence: DisputeAnswer, *, key: str
    ) -> Exchange[ProviderDispute]:
        """Hand the evidence to the issuer, which Stripe does one time only.

        Raises:
            Rejected: More than one file; Stripe has one place for those of no kind.
        """
        if len(evidence.files) > 1:
            raise Rejected("files: Stripe takes one file.", code="too_many_files")
        form = self._translation.evidence_form(evidence)
        response = yield self._wire.post(_path(provider_ref), form, key=key)
        return self._checked(response, payment, provider_ref, wrote=True)

    def _checked(
        self, response: httpx.Response, payment: Payment, provider_ref: str, *, wrote: bool
    ) -> ProviderDispute:
        answer = wire.answer(response, DISPUTE, wrote=wrote)
        owner = answer.object.payment_intent
        if answer.object.id != provider_ref or owner != payment.provider_ref:
            raise mismatch("Stripe")
        return believed(lambda: self._translation.claim_in(answer))


def _path(provider_ref: str) -> str:
    return f"/v1/disputes/{segment(provider_ref)}"
