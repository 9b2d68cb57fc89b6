"""Transfers from the platform's balance to accounts of members, and back."""

from collections.abc import Mapping
from typing import Final, TypeVar

from adapters.stripe import answers, lists, translation, wire
from adapters.stripe.answers import INTENT, REVERSAL, TRANSFER, Reversal, Transfer
from adapters.stripe.settings import Settings
from adapters.stripe.translation_transfers import TransferTranslation
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.adapter import segment
from gateway.kit.answers import Answer, believed, mismatch, only
from gateway.model.money import Money
from gateway.model.split import PLATFORM
from gateway.model.transfer import MemberTransfer, ProviderReversal, ProviderTransfer
from gateway.ports.exchange import Exchange

T = TypeVar("T")

_TRANSFERS: Final = "/v1/transfers"


class StripeTransfers:
    """The transfers of one platform.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    between_members = False

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = TransferTranslation(mappings or translation.load(settings))

    def create_transfer(self, transfer: MemberTransfer, *, key: str) -> Exchange[ProviderTransfer]:
        """Move the money to the member; that of a payment waits until it is there.

        Raises:
            Rejected: It would come from a member, or go to the platform, or its payment has no
                charge; nothing was moved.
        """
        if transfer.source != PLATFORM or transfer.destination == PLATFORM:
            message = "source: Stripe moves money from the platform to members only."
            raise Rejected(message, code="source_unsupported")
        charge = (yield from self._charge(transfer)) if transfer.payment_ref else ""
        form = self._translation.transfer_form(transfer, charge)
        response = yield self._wire.post(_TRANSFERS, form, key=key)
        return self._checked(wire.answer(response, TRANSFER, wrote=True), transfer)

    def find_transfer(self, transfer: MemberTransfer) -> Exchange[ProviderTransfer | None]:
        """The transfer by Stripe's id, or by ours among the member's since it was asked for."""
        if transfer.provider_ref:
            response = yield self._wire.get(_path(transfer), [])
            if wire.missing(response):
                return None
            return self._checked(wire.answer(response, TRANSFER, wrote=False), transfer)
        found = yield from lists.pages(
            self._wire,
            _TRANSFERS,
            [wire.since(transfer.requested_at), ("destination", transfer.destination)],
            TRANSFER,
            lambda one: answers.transfer_id_of(one.metadata) == transfer.transfer_id,
            lambda one: one.id,
        )
        known = only(found, title="Stripe")
        return None if known is None else self._checked(known, transfer)

    def reverse_transfer(
        self, transfer: MemberTransfer, reversal_id: str, amount: Money, *, key: str
    ) -> Exchange[ProviderReversal]:
        """Move a part of it back to the platform, or all."""
        path = f"{_path(transfer)}/reversals"
        form = self._translation.reversal_form(transfer, reversal_id, amount)
        response = yield self._wire.post(path, form, key=key)
        answer = wire.answer(response, REVERSAL, wrote=True)
        found = self._reversal(answer, transfer)
        if found.amount != amount or not _marked(answer.object, reversal_id):
            raise mismatch("Stripe")
        return found

    def find_reversal(
        self, transfer: MemberTransfer, reversal_id: str
    ) -> Exchange[ProviderReversal | None]:
        """The reversal that carries our id, among all of the transfer."""
        if not transfer.provider_ref:
            return None
        found = yield from lists.pages(
            self._wire,
            f"{_path(transfer)}/reversals",
            [],
            REVERSAL,
            lambda one: _marked(one, reversal_id),
            lambda one: one.id,
        )
        known = only(found, title="Stripe")
        return None if known is None else self._reversal(known, transfer)

    def _charge(self, transfer: MemberTransfer) -> Exchange[str]:
        """Stripe's id of the charge behind a payment."""
        path = f"/v1/payment_intents/{segment(transfer.payment_ref)}"
        response = yield self._wire.get(path, [])
        latest = wire.answer(response, INTENT, wrote=False).object.latest_charge
        if not isinstance(latest, str):
            raise Rejected("The payment has no charge at Stripe.", code="charge_missing")
        return latest

    def _checked(self, answer: Answer[Transfer], transfer: MemberTransfer) -> ProviderTransfer:
        found = believed(lambda: self._translation.transfer_in(answer))
        theirs = answer.object
        if (
            found.amount != transfer.amount
            or theirs.destination != transfer.destination
            or answers.transfer_id_of(theirs.metadata) != transfer.transfer_id
            or transfer.provider_ref not in {"", found.provider_ref}
        ):
            raise mismatch("Stripe")
        return found

    def _reversal(self, answer: Answer[Reversal], transfer: MemberTransfer) -> ProviderReversal:
        if answer.object.transfer != transfer.provider_ref:
            raise mismatch("Stripe")
        return believed(lambda: self._translation.reversal_in(answer))


def _marked(reversal: Reversal, reversal_id: str) -> bool:
    return answers.reversal_id_of(reversal.metadata) == reversal_id


def _path(transfer: MemberTransfer) -> str:
    if not transfer.provider_ref:
        raise Rejected("Stripe's id of the transfer is not known.", code="provider_ref_missing")
    return f"{_TRANSFERS}/{segment(transfer.provider_ref)}"
