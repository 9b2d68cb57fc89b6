"""Payouts to wallets: a batch of PayPal's for each, with one receiver.

PayPal executes one ``sender_batch_id`` once in 30 days, whatever else a request says, and answers
a repetition with a link to the first; so that is how a payout is found whose id never arrived.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

import httpx
import msgspec

from adapters.paypal import translation, wire
from adapters.paypal.answers_payouts import BATCH, PAYOUT_ITEM, Batch, PayoutItem
from adapters.paypal.settings import Settings
from adapters.paypal.translation import NOTHING
from adapters.paypal.translation_payouts import PayoutTranslation
from gateway.errors import InDoubt, Rejected
from gateway.kit import mapping
from gateway.kit.adapter import segment
from gateway.kit.answers import believed, legible, mismatch
from gateway.model.payout import DestinationKind, Payout, ProviderPayout
from gateway.ports.exchange import Exchange

T = TypeVar("T")

_PAYOUTS: Final = "/v1/payments/payouts"
_ITEMS: Final = "/v1/payments/payouts-item"
# The cheapest read there is; of its answer only the date counts.
_TIME: Final = "/v1/notifications/webhooks"
# "PayPal does not process duplicate payouts … used in the last 30 days"; an hour less, because our
# clock said when that was. Source: payments_payouts_batch_v1, sender_batch_id, read 2026-11.
_IDS_LIVE_S: Final = 30 * 86_400 - 3_600


class _Link(msgspec.Struct, frozen=True):
    href: str = ""


class _Wrong(msgspec.Struct, frozen=True):
    field: str = ""


class _Duplicate(msgspec.Struct, frozen=True):
    name: str
    details: tuple[_Wrong, ...] = ()
    links: tuple[_Link, ...] = ()


class _Header(msgspec.Struct, frozen=True):
    payout_batch_id: str


class _Made(msgspec.Struct, frozen=True):
    batch_header: _Header


_DUPLICATE: Final = msgspec.json.Decoder(_Duplicate)
_MADE: Final = msgspec.json.Decoder(_Made)


class PayPalPayouts:
    """The payouts of one account.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    destinations = frozenset({DestinationKind.EMAIL, DestinationKind.ACCOUNT})

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = PayoutTranslation(mappings or translation.load(settings))

    def create_payout(self, payout: Payout, *, key: str) -> Exchange[ProviderPayout]:
        """Send the money, and read back what PayPal has made of it: the answer names no amount."""
        _check(payout)
        body = self._translation.payout_body(payout)
        response = yield self._wire.post(_PAYOUTS, body, key=key)
        reference = _first_of(response)
        if not reference:
            reference = wire.read(response, _MADE, wrote=True).batch_header.payout_batch_id
        back = yield self._wire.get(_path(reference))
        if not back.is_success:
            raise InDoubt("PayPal does not say what became of it.", code="unconfirmed")
        return self._checked(wire.read(back, BATCH, wrote=True), payout, reference)

    def cancel_payout(self, payout: Payout, *, key: str) -> Exchange[ProviderPayout]:
        """Take back what nobody has claimed; PayPal calls that returned.

        Raises:
            Rejected: Somebody has it, or it is still under way.
        """
        reference = _reference(payout)
        batch = wire.read((yield self._wire.get(_path(reference))), BATCH, wrote=False)
        self._checked(batch, payout, reference)
        item = batch.items[0]
        if item.transaction_status != "UNCLAIMED":
            raise Rejected("provider_ref: nobody has to claim it.", code="not_cancellable")
        path = f"{_ITEMS}/{segment(item.payout_item_id)}/cancel"
        response = yield self._wire.post(path, NOTHING, key=key)
        gone = wire.read(response, PAYOUT_ITEM, wrote=True)
        if gone.payout_item_id != item.payout_item_id:
            raise mismatch("PayPal")
        return self._checked(msgspec.structs.replace(batch, items=(gone,)), payout, reference)

    def find_payout(self, payout: Payout) -> Exchange[ProviderPayout | None]:
        """The payout by its batch; by the identical request again where that is not known.

        Raises:
            InDoubt: The id may be forgotten, and the batch is not known.
        """
        _check(payout)
        if not payout.provider_ref:
            age_s = wire.age_s((yield self._wire.get(_TIME)), payout.requested_at)
            if age_s > _IDS_LIVE_S:
                message = "PayPal may have forgotten the id; look for it in its activity."
                raise InDoubt(message, code="key_forgotten")
            return (yield from self.create_payout(payout, key=f"{payout.payout_id}:find"))
        response = yield self._wire.get(_path(payout.provider_ref))
        if wire.missing(response):
            return None
        batch = wire.read(response, BATCH, wrote=False)
        return self._checked(batch, payout, payout.provider_ref)

    def _checked(self, batch: Batch, payout: Payout, reference: str) -> ProviderPayout:
        header = batch.batch_header
        if not batch.items:
            raise InDoubt("PayPal does not show the payout's receiver yet.", code="unconfirmed")
        item = batch.items[0]
        found = believed(lambda: self._translation.payout_in(header, item))
        if (
            len(batch.items) != 1
            or not _is_of(item, payout)
            or header.sender_batch_header.sender_batch_id != payout.payout_id
            or (header.payout_batch_id, item.payout_batch_id) != (reference, reference)
            or found.amount != payout.amount
        ):
            raise mismatch("PayPal")
        return found


def _first_of(response: httpx.Response) -> str:
    """PayPal's id of the payout that has our id already; empty where ours is the first.

    Raises:
        InDoubt: There is one, and PayPal does not say which.
    """
    if response.status_code != httpx.codes.BAD_REQUEST:
        return ""
    error = legible(response, _DUPLICATE)
    if error is None or not any(one.field.lower() == "sender_batch_id" for one in error.details):
        return ""
    for link in error.links:
        _, found, reference = link.href.rpartition(f"{_PAYOUTS}/")
        if found and reference:
            return reference
    raise InDoubt("PayPal has the payout and does not say where.", code="duplicate")


def _check(payout: Payout) -> None:
    if payout.destination.kind is DestinationKind.IBAN:
        message = "destination: PayPal sends money to wallets only."
        raise Rejected(message, code="destination_unsupported")


def _reference(payout: Payout) -> str:
    if not payout.provider_ref:
        raise Rejected("PayPal's id of the payout is not known.", code="provider_ref_missing")
    return payout.provider_ref


def _path(reference: str) -> str:
    return f"{_PAYOUTS}/{segment(reference)}"


def _is_of(item: PayoutItem, payout: Payout) -> bool:
    return item.payout_item.sender_item_id == payout.payout_id
