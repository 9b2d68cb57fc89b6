"""Webhooks: standard notifications, signed item by item, and those of platforms, signed whole."""

from typing import Final

import msgspec

from adapters.adyen.notices import PLATFORM, STANDARD, Item, PlatformEvent, Standard
from adapters.adyen.settings import Settings
from gateway.errors import Rejected
from gateway.kit.signatures import base64_sha256, decode_event, digest, hex_keys, require_match
from gateway.model.event import ProviderEvent
from gateway.ports.notification import Answer, Notification, Terms, Trust

_STANDARD: Final = msgspec.json.Decoder(Standard)
_ITEM: Final = msgspec.json.Decoder(Item)
_PLATFORM: Final = msgspec.json.Decoder(PlatformEvent)


class AdyenWebhooks:
    """The deliveries to one endpoint."""

    terms = Terms(kept=Answer(status=202))

    def __init__(self, settings: Settings) -> None:
        self._secrets = settings.webhook_secrets

    def verify(self, notification: Notification, *, now: float) -> Trust:  # noqa: ARG002 - nothing that is signed has a time
        """Accept the delivery or raise: the whole body by its header, or else every item.

        Source: docs.adyen.com on HMAC signatures and Adyen 16.0.0 (``util.py``), read 2026-11.
        """
        keys = hex_keys(self._secrets)
        if any(name == "hmacsignature" for name, _ in notification.headers):
            given = notification.header("hmacsignature")
            require_match([base64_sha256(key, notification.body) for key in keys], [given])
            return Trust.SIGNED
        for _, item in _items(notification.body):
            text = item.signed_text().encode()
            given = item.additional_data.hmac_signature
            require_match([base64_sha256(key, text) for key in keys], [given])
        return Trust.SIGNED

    def read(self, notification: Notification) -> tuple[ProviderEvent, ...]:
        """The events; as hints, until somebody here translates them into payments."""
        if b'"notificationItems"' in notification.body:
            found = _items(notification.body)
            return tuple(_event(item, raw if len(found) > 1 else b"") for raw, item in found)
        event = decode_event(_PLATFORM, notification.body)
        return (
            ProviderEvent(
                event_id=f"{event.type}:{digest(notification.body)}",
                event_type=event.type,
                provider_ref=event.data.id,
                hint=True,
                known=event.type.startswith(PLATFORM),
            ),
        )


def _items(body: bytes) -> list[tuple[bytes, Item]]:
    """Each item as it stands and as it reads."""
    try:
        entries = _STANDARD.decode(body).notification_items
        found = [(bytes(one.item), _ITEM.decode(one.item)) for one in entries]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Rejected("The body has no signed items.", code="malformed") from error
    if not found:
        raise Rejected("The body has no items.", code="malformed")
    return found


def _event(item: Item, raw: bytes) -> ProviderEvent:
    alone = b'{"notificationItems":[{"NotificationRequestItem":%s}]}' % raw if raw else b""
    return ProviderEvent(
        event_id=f"{item.event_code}:{item.psp_reference}:{item.success}",
        event_type=item.event_code,
        provider_ref=item.original_reference or item.psp_reference,
        hint=True,
        known=item.event_code in STANDARD,
        alone=alone,
    )
