"""Payouts of members: out of the balance of their account, to the bank that they named there."""

from collections.abc import Mapping
from typing import Final

import httpx

from adapters.stripe import answers, lists, translation, wire
from adapters.stripe.answers import PAYOUT
from adapters.stripe.answers import Payout as StripePayout
from adapters.stripe.settings import Settings
from adapters.stripe.translation import Translation
from adapters.stripe.wire import Form
from gateway.errors import InDoubt, Rejected
from gateway.kit import mapping
from gateway.kit.adapter import segment
from gateway.kit.answers import Answer, believed, only
from gateway.model.payout import DestinationKind, Payout, ProviderPayout
from gateway.ports.exchange import Exchange

_PAYOUTS: Final = "/v1/payouts"
_NOTHING: Final = Form({})


class StripePayouts:
    """The payouts of the accounts that are connected to one platform.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    destinations = frozenset({DestinationKind.ACCOUNT})

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(mappings or translation.load(settings))

    def create_payout(self, payout: Payout, *, key: str) -> Exchange[ProviderPayout]:
        """Send what the member's balance has to the member's bank."""
        account = _account(payout)
        form = self._translation.payout_form(payout)
        response = yield self._wire.post(_PAYOUTS, form, key=key, account=account)
        return self._written(response, payout)

    def cancel_payout(self, payout: Payout, *, key: str) -> Exchange[ProviderPayout]:
        """Take it back as long as the bank was not told."""
        path, account = f"{_path(payout)}/cancel", _account(payout)
        response = yield self._wire.post(path, _NOTHING, key=key, account=account)
        return self._written(response, payout)

    def find_payout(self, payout: Payout) -> Exchange[ProviderPayout | None]:
        """The payout by Stripe's id, or by ours among all since it was asked for."""
        account = _account(payout)
        if payout.provider_ref:
            response = yield self._wire.get(_path(payout), [], account=account)
            if wire.missing(response):
                return None
            return self._checked(wire.answer(response, PAYOUT, wrote=False), payout)
        found = yield from lists.pages(
            self._wire,
            _PAYOUTS,
            [wire.since(payout.requested_at)],
            PAYOUT,
            lambda one: answers.payout_id_of(one.metadata) == payout.payout_id,
            lambda one: one.id,
            account=account,
        )
        known = only(found, title="Stripe")
        return None if known is None else self._checked(known, payout)

    def _written(self, response: httpx.Response, payout: Payout) -> ProviderPayout:
        return self._checked(wire.answer(response, PAYOUT, wrote=True), payout)

    def _checked(self, answer: Answer[StripePayout], payout: Payout) -> ProviderPayout:
        found = believed(lambda: self._translation.payout_in(answer))
        ours = answers.payout_id_of(answer.object.metadata) == payout.payout_id
        other = payout.provider_ref and found.provider_ref != payout.provider_ref
        if other or not ours or found.amount != payout.amount:
            raise InDoubt("Stripe's answer is about something else.", code="integrity_mismatch")
        return found


def _account(payout: Payout) -> str:
    if payout.destination.kind is not DestinationKind.ACCOUNT or not payout.destination.account:
        message = "destination: Stripe pays out to accounts that are connected to it only."
        raise Rejected(message, code="destination_unsupported")
    return payout.destination.account


def _path(payout: Payout) -> str:
    if not payout.provider_ref:
        raise Rejected("Stripe's id of the payout is not known.", code="provider_ref_missing")
    return f"{_PAYOUTS}/{segment(payout.provider_ref)}"
