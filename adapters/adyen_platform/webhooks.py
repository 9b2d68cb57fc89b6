"""Webhooks of platforms: signed as a whole; each is a reason to look, and nothing more."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.adyen_platform.settings import Settings
from gateway.kit import mapping
from gateway.kit.signatures import base64_sha256, decode_event, digest, hex_keys, require_match
from gateway.model.event import About, ProviderEvent
from gateway.model.reference import EntityKind
from gateway.ports.notification import Answer, Notification, Terms, Trust

_KINDS: Final = {"bank": EntityKind.PAYOUT, "internal": EntityKind.TRANSFER}
# What of a reference is our id: reversals name their transfer.
_OURS: Final = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-reversal-\d+)?")
_FAMILIES: Final = ("balancePlatform.",)


class _Data(msgspec.Struct, frozen=True):
    id: str = ""
    category: str = ""
    reference: str = ""


class _Event(msgspec.Struct, frozen=True):
    """What of an event is read, and no more than that is kept.

    Attributes:
        headrace_digest: Of the whole body, in what we keep of it; Adyen's events have no id.
    """

    type: str
    data: _Data = _Data()
    headrace_digest: str = ""


_EVENT: Final = msgspec.json.Decoder(_Event)


class AdyenPlatformWebhooks:
    """The deliveries to one endpoint."""

    terms = Terms(kept=Answer(status=202))

    def __init__(
        self,
        settings: Settings,
        mappings: Mapping[str, mapping.Mapping] | None = None,  # noqa: ARG002 - a hint is not translated
    ) -> None:
        self._secrets = settings.webhook_secrets

    def verify(self, notification: Notification, *, now: float) -> Trust:  # noqa: ARG002 - nothing that is signed has a time
        """Accept the delivery or raise: the whole body by its header.

        Source: docs.adyen.com on HMAC signatures and Adyen 16.0.0 (``util.py``), read 2026-11.
        """
        given = notification.header("hmacsignature")
        keys = hex_keys(self._secrets)
        require_match([base64_sha256(key, notification.body) for key in keys], [given])
        return Trust.SIGNED

    def read(self, notification: Notification) -> tuple[ProviderEvent, ...]:
        """The one event; transfers that carry none of our ids mean nothing to us.

        Account numbers and names of payees stand in the body, and nobody needs them there again.
        """
        event = decode_event(_EVENT, notification.body)
        whole = event.headrace_digest or digest(notification.body)
        kept = msgspec.structs.replace(event, headrace_digest=whole)
        return (
            ProviderEvent(
                event_id=f"{event.type}:{whole}",
                event_type=event.type,
                about=_about(event.data),
                known=event.type.startswith(_FAMILIES),
                alone=msgspec.json.encode(kept),
            ),
        )


def _about(data: _Data) -> About | None:
    """The payout or transfer of ours. The two sides of one may have ids of their own at Adyen."""
    match, kind = _OURS.fullmatch(data.reference), _KINDS.get(data.category)
    return About(entity=kind, entity_id=match[1]) if match and kind else None
