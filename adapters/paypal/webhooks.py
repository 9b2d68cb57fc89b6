"""Webhooks: RSA under a certificate of PayPal's, over a checksum of the body; all are hints."""

import re
import zlib
from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.paypal.mandates import mandate_of
from adapters.paypal.settings import Settings
from gateway.errors import Misconfigured, Rejected
from gateway.kit import mapping
from gateway.kit.signatures import certificates
from gateway.kit.signatures.origins import document_in, read_document
from gateway.model.event import About, ProviderEvent
from gateway.model.reference import EntityKind
from gateway.ports.exchange import Exchange
from gateway.ports.notification import Keys, Notification, Terms, Trust

ORIGINS: Final = frozenset({"https://api.paypal.com", "https://api.sandbox.paypal.com"})
_PATH: Final = re.compile(r"/v1/notifications/certs/[A-Za-z0-9-]{1,128}")
_DAY_S: Final = 86_400.0
# Source: developer.paypal.com/api/rest/webhooks/event-names, read 2026-11.
FAMILIES: Final = (
    *("BILLING.", "BILLING_AGREEMENTS.", "CATALOG.", "CHECKOUT.", "CUSTOMER.", "IDENTITY."),
    *("INVOICING.", "MERCHANT.", "PAYMENT.", "PAYMENTS.", "RISK.", "VAULT."),
)


_VAULT: Final = "VAULT."


class _Related(msgspec.Struct, frozen=True):
    order_id: str = ""


class _More(msgspec.Struct, frozen=True):
    related_ids: _Related = _Related()


class _Unit(msgspec.Struct, frozen=True):
    custom_id: str = ""


class _Disputed(msgspec.Struct, frozen=True):
    custom: str = ""


class _Item(msgspec.Struct, frozen=True):
    sender_item_id: str = ""


class _Customer(msgspec.Struct, frozen=True):
    id: str = ""


class _Resource(msgspec.Struct, frozen=True):
    """An order, a part of one, a dispute, or a payout; each says in its own place whose it is."""

    id: str = ""
    payout_batch_id: str = ""
    payout_item: _Item = _Item()
    custom_id: str = ""
    supplementary_data: _More = _More()
    purchase_units: tuple[_Unit, ...] = ()
    disputed_transactions: tuple[_Disputed, ...] = ()
    customer: _Customer = _Customer()

    @property
    def payment_id(self) -> str:
        """Our id, where it was sent back."""
        units = [one.custom_id for one in self.purchase_units]
        named = [self.custom_id, *units, *(one.custom for one in self.disputed_transactions)]
        return next(filter(None, named), "")

    @property
    def about(self) -> About | None:
        """The payout or our agreement, where it is one."""
        if not self.payout_batch_id:
            ours = mandate_of(self.customer.id)
            return About(entity=EntityKind.MANDATE, entity_id=ours) if ours else None
        return About(
            entity=EntityKind.PAYOUT,
            entity_id=self.payout_item.sender_item_id,
            external_id=self.payout_batch_id,
        )


class _Event(msgspec.Struct, frozen=True):
    id: str
    event_type: str
    resource: _Resource = _Resource()


_EVENT: Final = msgspec.json.Decoder(_Event)


class PayPalWebhooks:
    """The deliveries to one webhook."""

    terms = Terms()

    def __init__(
        self,
        settings: Settings,
        mappings: Mapping[str, mapping.Mapping] | None = None,  # noqa: ARG002 - a hint is not translated
    ) -> None:
        self._settings = settings
        self.origins = frozenset({settings.key_origin}) if settings.key_origin else ORIGINS

    def fetch_keys(self, notification: Notification) -> Exchange[Keys]:
        """The certificate that the delivery names; its address names one for ever."""
        address = notification.header("paypal-cert-url")
        request = read_document(address, self.origins)
        if not _PATH.fullmatch(request.url.path):
            raise Rejected("The address is not one of a certificate.", code="url_refused")
        response = yield request
        return Keys(document=document_in(response), expires_in_s=_DAY_S)

    def verify(self, notification: Notification, *, now: float) -> Trust:
        """Accept the delivery or raise.

        Source: paypalrestsdk 1.13.3 (``notifications/webhooks.py``), read 2026-11.
        """
        settings = self._settings
        if not settings.webhook_id.strip():
            raise Misconfigured("No webhook id is configured.", code="webhook_secret_missing")
        if notification.header("paypal-auth-algo") != "SHA256withRSA":
            raise Rejected("The algorithm is not allowed.", code="signature_invalid")
        identity = notification.header("paypal-transmission-id")
        time = notification.header("paypal-transmission-time")
        checksum = zlib.crc32(notification.body)
        certificates.verify(
            notification.keys + b"\n" + settings.intermediates.encode(),
            f"{identity}|{time}|{settings.webhook_id}|{checksum}".encode(),
            notification.header("paypal-transmission-sig"),
            store=certificates.store_of(settings.trusted_roots),
            domain=".paypal.com",
            now=now,
        )
        return Trust.SIGNED

    def read(self, notification: Notification) -> tuple[ProviderEvent, ...]:
        """The one event, a hint: a checksum of 32 bits binds nobody to the rest of the body."""
        try:
            event = _EVENT.decode(notification.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Rejected(
                "The body is not an event of PayPal.", code="event_unexpected"
            ) from error
        return (
            ProviderEvent(
                event_id=event.id,
                event_type=event.event_type,
                payment_id=event.resource.payment_id,
                provider_ref=event.resource.supplementary_data.related_ids.order_id
                or event.resource.id,
                about=event.resource.about,
                # An agreement that somebody else has made means nothing.
                hint=not event.event_type.startswith(_VAULT),
                known=event.event_type.startswith(FAMILIES),
            ),
        )
