"""Mandates that the payer gives on a page of GoCardless: billing requests, and what they make."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import httpx

from adapters.gocardless import translation, wire
from adapters.gocardless.answers import MANDATE, PAGE, REQUEST, BillingRequest
from adapters.gocardless.capabilities import CAPABILITIES
from adapters.gocardless.settings import Settings
from adapters.gocardless.translation import Translation
from adapters.gocardless.wire import LIMIT, Body, Found, path
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.answers import Answer, believed, mismatch, only
from gateway.model.held_mandate import HeldMandate, ProviderMandate, Signing
from gateway.ports.exchange import Exchange

_BY_PAGE: Final = frozenset({Signing.PAGE})
# Mandates and requests by which nothing is collected any more.
_ENDED: Final = frozenset({"cancelled", "expired", "failed", "consumed", "blocked"})
# A mandate that was replaced names the next one; nobody replaces one so often.
_REPLACED_AT_MOST: Final = 5


class GoCardlessMandates:
    """The mandates of one creditor.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    signing = MappingProxyType({row.method: _BY_PAGE for row in CAPABILITIES})

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(mappings or translation.load(settings))

    def create_mandate(self, mandate: HeldMandate, *, key: str) -> Exchange[ProviderMandate]:
        """A billing request with a page on which the payer agrees."""
        if mandate.method_code not in self.signing:
            message = "method_code is nothing that GoCardless holds mandates for."
            raise Rejected(message, code="method_unsupported")
        body = self._translation.request_body(mandate)
        response = yield self._wire.post("/billing_requests", body, key=key)
        made_before = wire.conflicting(response)
        if made_before:
            response = yield self._wire.get(path("billing_requests", made_before))
        found = self._request(response, mandate, wrote=True)
        return (yield from self._told(found, mandate))

    def find_mandate(self, mandate: HeldMandate) -> Exchange[ProviderMandate | None]:
        """The mandate, or the request for it: by their ids, or by ours among the requests."""
        if mandate.provider_ref:
            response = yield self._wire.get(path("mandates", mandate.provider_ref))
            if wire.missing(response):
                return None
            return (yield from self._mandate(response, mandate.provider_ref, wrote=False))
        if mandate.request_ref:
            response = yield self._wire.get(path("billing_requests", mandate.request_ref))
            if wire.missing(response):
                return None
            found = self._request(response, mandate, wrote=False)
            return (yield from self._told(found, mandate))
        query = (wire.since(mandate.requested_at), LIMIT)
        requests = yield from self._wire.pages(
            "billing_requests", query, REQUEST, lambda one: _is_of(one, mandate)
        )
        ours = only(requests, lambda one: one.object.status in _ENDED, title="GoCardless")
        return None if ours is None else (yield from self._told(ours, mandate))

    def revoke_mandate(self, mandate: HeldMandate, *, key: str) -> Exchange[ProviderMandate]:
        """Cancel the mandate, or the request while the payer has not agreed."""
        if mandate.provider_ref:
            return (yield from self._cancel(mandate.provider_ref, key))
        place = path("billing_requests", mandate.request_ref)
        response = yield self._wire.post(f"{place}/actions/cancel", Body({}), key=key)
        if response.is_success:
            found = self._request(response, mandate, wrote=True)
            return (yield from self._told(found, mandate))
        refusal = wire.refusal(response, wrote=True)
        if not isinstance(refusal, Rejected):
            raise refusal
        # It was cancelled before, or the payer has agreed meanwhile.
        response = yield self._wire.get(place)
        found = self._request(response, mandate, wrote=False)
        if found.object.links.mandate_request_mandate:
            return (yield from self._cancel(found.object.links.mandate_request_mandate, key))
        if found.object.status not in _ENDED:
            raise refusal
        return (yield from self._told(found, mandate))

    def _cancel(self, reference: str, key: str) -> Found[ProviderMandate]:
        place = path("mandates", reference)
        response = yield self._wire.post(f"{place}/actions/cancel", Body({}), key=key)
        if response.is_success:
            return (yield from self._mandate(response, reference, wrote=True))
        refusal = wire.refusal(response, wrote=True)
        if not isinstance(refusal, Rejected):
            raise refusal
        # It may have ended before; the refusal does not say so.
        response = yield self._wire.get(place)
        answer = wire.answer(response, "mandates", MANDATE, wrote=False)
        if answer.object.status not in _ENDED:
            raise refusal
        return (yield from self._mandate(response, reference, wrote=False))

    def _told(self, found: Answer[BillingRequest], mandate: HeldMandate) -> Found[ProviderMandate]:
        """What a request has come to: the mandate that it made, or the page for the payer."""
        made = found.object.links.mandate_request_mandate
        if made:
            response = yield self._wire.get(path("mandates", made))
            return (yield from self._mandate(response, made, wrote=False, request=found.object.id))
        url = expires_at = ""
        if found.object.status == "pending" and mandate.next_action is None:
            # Without a key: each page is a new one, and the request is fulfilled once all the same.
            body = self._translation.page_body(mandate, found.object.id)
            response = yield self._wire.post("/billing_request_flows", body)
            page = wire.answer(response, "billing_request_flows", PAGE, wrote=True).object
            if page.links.billing_request != found.object.id:
                raise mismatch("GoCardless")
            url, expires_at = page.authorisation_url, page.expires_at or ""
        return believed(lambda: self._translation.request_in(found, url, expires_at))

    def _mandate(
        self, response: httpx.Response, reference: str, *, wrote: bool, request: str = ""
    ) -> Found[ProviderMandate]:
        """The mandate in an answer, or the one that has replaced it."""
        for _ in range(_REPLACED_AT_MOST):
            answer = wire.answer(response, "mandates", MANDATE, wrote=wrote)
            if answer.object.id != reference:
                raise mismatch("GoCardless")
            following = answer.object.links.new_mandate
            if not following:
                break
            reference, wrote = following, False
            response = yield self._wire.get(path("mandates", reference))
        return believed(lambda: self._translation.mandate_in(answer, request))

    def _request(
        self, response: httpx.Response, mandate: HeldMandate, *, wrote: bool
    ) -> Answer[BillingRequest]:
        answer = wire.answer(response, "billing_requests", REQUEST, wrote=wrote)
        known = mandate.request_ref
        if not _is_of(answer, mandate) or (known and answer.object.id != known):
            raise mismatch("GoCardless")
        return answer


def _is_of(answer: Answer[BillingRequest], mandate: HeldMandate) -> bool:
    return answer.object.metadata.get("mandate_id") == mandate.mandate_id
