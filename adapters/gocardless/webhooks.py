"""Webhooks: hundreds of events in one delivery, signed as a whole."""

from typing import Final

import msgspec

from adapters.gocardless.settings import Settings
from gateway.errors import Rejected
from gateway.kit.signatures import hex_sha256, require_match, secrets_of
from gateway.model.event import ProviderEvent
from gateway.ports.notification import Answer, Notification, Terms, Trust

# Source: developer.gocardless.com/api-reference, events by resource type, read 2026-11.
KNOWN: Final = frozenset(
    """
    billing_requests creditors exports instalment_schedules mandates outbound_payments
    payer_authorisations payments payouts refunds scheme_identifiers subscriptions
    """.split()
)


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    resource_type: str
    action: str
    links: dict[str, str] = {}


class _Delivery(msgspec.Struct, frozen=True):
    events: tuple[msgspec.Raw, ...]


_DELIVERY: Final = msgspec.json.Decoder(_Delivery)
_EVENT: Final = msgspec.json.Decoder(_Event)


class GoCardlessWebhooks:
    """The deliveries to one endpoint. A wrong signature is answered with 498, as they ask for."""

    terms = Terms(kept=Answer(status=204), refused=Answer(status=498))

    def __init__(self, settings: Settings) -> None:
        self._secrets = settings.webhook_secrets

    def verify(self, notification: Notification, *, now: float) -> Trust:  # noqa: ARG002 - the signature has no time
        """Accept the delivery or raise.

        Source: gocardless_pro 3.22.0 (``webhooks.py``), read 2026-11.
        """
        secrets = secrets_of(self._secrets)
        expected = [hex_sha256(one.encode(), notification.body) for one in secrets]
        require_match(expected, [notification.header("webhook-signature")])
        return Trust.SIGNED

    def read(self, notification: Notification) -> tuple[ProviderEvent, ...]:
        """The events, each a hint: the resource is read before anything is believed."""
        try:
            found = _DELIVERY.decode(notification.body).events
            events = [(bytes(raw), _EVENT.decode(raw)) for raw in found]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            code = "event_unexpected" if isinstance(error, msgspec.ValidationError) else "malformed"
            raise Rejected("The body has no events.", code=code) from error
        return tuple(
            ProviderEvent(
                event_id=one.id,
                event_type=f"{one.resource_type}.{one.action}",
                provider_ref=one.links.get(one.resource_type.removesuffix("s"), ""),
                hint=True,
                known=one.resource_type in KNOWN,
                alone=b'{"events":[%s]}' % raw if len(events) > 1 else b"",
            )
            for raw, one in events
        )
