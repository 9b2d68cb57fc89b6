"""Payouts: transfers out of the platform's balance account, to banks."""

from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.adyen_platform import lookups, translation, wire
from adapters.adyen_platform.answers import TRANSFER, Transfer
from adapters.adyen_platform.settings import Settings
from adapters.adyen_platform.translation import Translation
from gateway.errors import InDoubt, Rejected
from gateway.kit import mapping
from gateway.kit.adapter import Body
from gateway.kit.answers import Answer, believed, mismatch
from gateway.model.payout import DestinationKind, Payout, ProviderPayout
from gateway.ports.exchange import Exchange

_TRANSFERS: Final = "/transfers"


class AdyenPayouts:
    """The payouts of one platform.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    destinations = frozenset({DestinationKind.ACCOUNT, DestinationKind.IBAN})

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._account = settings.balance_account
        self._translation = Translation(mappings or translation.load(settings), settings)

    def create_payout(self, payout: Payout, *, key: str) -> Exchange[ProviderPayout]:
        """Send the money to the bank."""
        _check(payout)
        body = self._translation.payout_body(payout)
        response = yield self._wire.post(_TRANSFERS, body, key=key)
        return self._checked(wire.read(response, TRANSFER, wrote=True), payout)

    def cancel_payout(self, payout: Payout, *, key: str) -> Exchange[ProviderPayout]:
        """Take it back as long as it waits at Adyen; what is under way goes on, and is told so."""
        if not payout.provider_ref:
            raise Rejected("Adyen's id of the payout is not known.", code="provider_ref_missing")
        body = Body(msgspec.json.encode({"transferIds": [payout.provider_ref]}))
        response = yield self._wire.post(f"{_TRANSFERS}/cancel", body, key=key)
        wire.check(response, wrote=True)
        back = yield from lookups.by_id(self._wire, payout.provider_ref)
        if back is None:
            raise InDoubt("Adyen does not say what became of it.", code="unconfirmed")
        found = self._checked(back, payout)
        if back.object.status != "cancelled":
            raise Rejected("provider_ref: it is under way.", code="not_cancellable")
        return found

    def find_payout(self, payout: Payout) -> Exchange[ProviderPayout | None]:
        """The payout by Adyen's id, or by ours, which is its reference."""
        if payout.provider_ref:
            found = yield from lookups.by_id(self._wire, payout.provider_ref)
        else:
            found = yield from lookups.by_reference(
                self._wire, self._account, payout.payout_id, payout.requested_at
            )
        return None if found is None else self._checked(found, payout)

    def _checked(self, answer: Answer[Transfer], payout: Payout) -> ProviderPayout:
        found = believed(lambda: self._translation.payout_in(answer))
        theirs = answer.object
        if (
            found.amount != payout.amount
            or (theirs.category, theirs.reference) != ("bank", payout.payout_id)
            or payout.provider_ref not in {"", theirs.id}
        ):
            raise mismatch("Adyen")
        return found


def _check(payout: Payout) -> None:
    if payout.destination.kind not in AdyenPayouts.destinations:
        message = "destination: Adyen pays out to banks and transfer instruments only."
        raise Rejected(message, code="destination_unsupported")
