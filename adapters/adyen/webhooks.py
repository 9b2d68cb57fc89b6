"""Webhooks: standard notifications, signed item by item, and those of platforms, signed whole."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from adapters.adyen import translation
from adapters.adyen.answers import payment_id_of
from adapters.adyen.notices import (
    FOR_A_PERSON,
    PLATFORM,
    STANDARD,
    TOLD,
    Item,
    PlatformEvent,
    Standard,
)
from adapters.adyen.settings import Settings
from adapters.adyen.translation import Translation
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.answers import UnreadableError
from gateway.kit.signatures import base64_sha256, decode_event, digest, hex_keys, require_match
from gateway.model.dispute import ProviderDispute
from gateway.model.event import ProviderEvent
from gateway.model.movement import Movement, MovementKind
from gateway.ports.notification import Answer, Notification, Terms, Trust

_STANDARD: Final = msgspec.json.Decoder(Standard)
_ITEM: Final = msgspec.json.Decoder(Item)
_PLATFORM: Final = msgspec.json.Decoder(PlatformEvent)


class AdyenWebhooks:
    """The deliveries to one endpoint.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    terms = Terms(kept=Answer(status=202))

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._secrets = settings.webhook_secrets
        self._account = settings.merchant_account
        self._translation = Translation(mappings or translation.load(settings), settings)

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
        """The events; those of platforms as hints, until somebody translates them."""
        if b'"notificationItems"' in notification.body:
            found = _items(notification.body)
            return tuple(self._event(item, raw, alone=len(found) == 1) for raw, item in found)
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

    def _event(self, item: Item, raw: bytes, *, alone: bool) -> ProviderEvent:
        # One endpoint may be told of all accounts of a company; those of others are not ours.
        told = item.event_code in TOLD and item.merchant_account_code == self._account
        try:
            said, movements = self._translation.notice_in(item, raw) if told else (None, ())
        except UnreadableError as error:
            raise Rejected(str(error), code=error.code) from error
        wrapped = b'{"notificationItems":[{"NotificationRequestItem":%s}]}' % raw
        return ProviderEvent(
            event_id=f"{item.event_code}:{item.psp_reference}:{item.success}",
            event_type=item.event_code,
            payment_id=payment_id_of(item.payment_reference),
            provider_ref=item.payment_ref,
            payment=said,
            movements=movements,
            claims=_claims(item, movements),
            occurred_at=_seconds(item.event_date),
            known=item.event_code in STANDARD - FOR_A_PERSON,
            alone=b"" if alone else wrapped,
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


def _seconds(moment: str) -> float:
    """Since the epoch; 0 where Adyen says nothing readable, as nothing is decided by it."""
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return 0.0
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _claims(item: Item, movements: tuple[Movement, ...]) -> tuple[ProviderDispute, ...]:
    """How far a claim is. Until when it can be answered is not signed: it decides nothing here."""
    state = item.claim_state
    return tuple(
        ProviderDispute(
            provider_ref=one.ref,
            state=state,
            amount=one.amount,
            due_by=item.additional_data.defense_period_ends_at,
        )
        for one in movements
        if state is not None and one.kind is MovementKind.DISPUTE
    )
