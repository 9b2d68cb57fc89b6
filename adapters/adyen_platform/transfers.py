"""Transfers between the balance accounts of a platform and its members, either way."""

from collections.abc import Mapping
from typing import Final

from adapters.adyen_platform import lookups, translation, wire
from adapters.adyen_platform.answers import TRANSFER, Transfer
from adapters.adyen_platform.settings import Settings
from adapters.adyen_platform.translation import Translation
from gateway.kit import mapping
from gateway.kit.answers import Answer, believed, mismatch
from gateway.model.money import Money
from gateway.model.split import PLATFORM
from gateway.model.transfer import MemberTransfer, ProviderReversal, ProviderTransfer
from gateway.ports.exchange import Exchange

_TRANSFERS: Final = "/transfers"


class AdyenTransfers:
    """The transfers of one platform.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    between_members = True

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._account = settings.balance_account
        self._translation = Translation(mappings or translation.load(settings), settings)

    def create_transfer(self, transfer: MemberTransfer, *, key: str) -> Exchange[ProviderTransfer]:
        """Move the money from one balance account to the other."""
        source, target = self._of(transfer.source), self._of(transfer.destination)
        body = self._translation.transfer_body(
            transfer, transfer.transfer_id, transfer.amount, source, target
        )
        response = yield self._wire.post(_TRANSFERS, body, key=key)
        return self._checked(wire.read(response, TRANSFER, wrote=True), transfer)

    def find_transfer(self, transfer: MemberTransfer) -> Exchange[ProviderTransfer | None]:
        """The transfer by Adyen's id, or by ours, which is its reference."""
        if transfer.provider_ref:
            found = yield from lookups.by_id(self._wire, transfer.provider_ref)
        else:
            source = self._of(transfer.source)
            found = yield from lookups.by_reference(
                self._wire, source, transfer.transfer_id, transfer.requested_at
            )
        return None if found is None else self._checked(found, transfer)

    def reverse_transfer(
        self, transfer: MemberTransfer, reversal_id: str, amount: Money, *, key: str
    ) -> Exchange[ProviderReversal]:
        """Move a part in the other direction; Adyen knows of no connection."""
        source, target = self._of(transfer.destination), self._of(transfer.source)
        body = self._translation.transfer_body(transfer, reversal_id, amount, source, target)
        response = yield self._wire.post(_TRANSFERS, body, key=key)
        found = self._reversal(wire.read(response, TRANSFER, wrote=True), transfer, reversal_id)
        if found.amount != amount:
            raise mismatch("Adyen")
        return found

    def find_reversal(
        self, transfer: MemberTransfer, reversal_id: str
    ) -> Exchange[ProviderReversal | None]:
        """The transfer in the other direction that carries our id of the reversal."""
        source = self._of(transfer.destination)
        found = yield from lookups.by_reference(
            self._wire, source, reversal_id, transfer.requested_at
        )
        return None if found is None else self._reversal(found, transfer, reversal_id)

    def _of(self, party: str) -> str:
        return self._account if party == PLATFORM else party

    def _checked(self, answer: Answer[Transfer], transfer: MemberTransfer) -> ProviderTransfer:
        found = believed(lambda: self._translation.transfer_in(answer))
        theirs = answer.object
        if (
            found.amount != transfer.amount
            or transfer.provider_ref not in {"", theirs.id}
            or not self._is(theirs, transfer.transfer_id, transfer.source, transfer.destination)
        ):
            raise mismatch("Adyen")
        return found

    def _reversal(
        self, answer: Answer[Transfer], transfer: MemberTransfer, reversal_id: str
    ) -> ProviderReversal:
        found = believed(lambda: self._translation.reversal_in(answer))
        if not self._is(answer.object, reversal_id, transfer.destination, transfer.source):
            raise mismatch("Adyen")
        return found

    def _is(self, theirs: Transfer, reference: str, source: str, target: str) -> bool:
        """Whether it is the transfer that was asked for, from there to there."""
        given = (theirs.balance_account.id, theirs.counterparty.balance_account_id)
        wanted = (self._of(source), self._of(target))
        return (theirs.category, theirs.reference) == ("internal", reference) and given == wanted
