"""Webhooks: hundreds of events in one delivery, signed as a whole."""

from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.gocardless import translation
from adapters.gocardless.answers import EVENT, Event, Links
from adapters.gocardless.settings import Settings
from adapters.gocardless.translation import Translation
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.answers import Answer, UnreadableError, seconds
from gateway.kit.signatures import hex_sha256, require_match, secrets_of
from gateway.model.event import About, ProviderEvent
from gateway.model.money import Money
from gateway.model.reference import EntityKind
from gateway.ports.notification import Answer as Reply
from gateway.ports.notification import Notification, Terms, Trust

# Source: developer.gocardless.com/api-reference, events by resource type, read 2026-11.
KNOWN: Final = frozenset(
    """
    billing_requests creditors exports instalment_schedules mandates outbound_payments
    payer_authorisations payment_account_transactions payments payouts refunds scheme_identifiers
    subscriptions
    """.split()
)


_MANDATES: Final = {
    "mandates": EntityKind.MANDATE,
    "billing_requests": EntityKind.MANDATE_REQUEST,
}


class _Delivery(msgspec.Struct, frozen=True):
    events: tuple[msgspec.Raw, ...]


_DELIVERY: Final = msgspec.json.Decoder(_Delivery)


class GoCardlessWebhooks:
    """The deliveries to one endpoint. A wrong signature is answered with 498, as they ask for.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    terms = Terms(kept=Reply(status=204), refused=Reply(status=498))

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._secrets = settings.webhook_secrets
        self._translation = Translation(mappings or translation.load(settings))

    def verify(self, notification: Notification, *, now: float) -> Trust:  # noqa: ARG002 - the signature has no time
        """Accept the delivery or raise.

        Source: gocardless_pro 3.22.0 (``webhooks.py``), read 2026-11.
        """
        secrets = secrets_of(self._secrets)
        expected = [hex_sha256(one.encode(), notification.body) for one in secrets]
        require_match(expected, [notification.header("webhook-signature")])
        return Trust.SIGNED

    def read(self, notification: Notification) -> tuple[ProviderEvent, ...]:
        """The events, each as far as our metadata in it says what it is about."""
        try:
            found = _DELIVERY.decode(notification.body).events
            events = [Answer(bytes(raw), EVENT.decode(raw)) for raw in found]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            code = "event_unexpected" if isinstance(error, msgspec.ValidationError) else "malformed"
            raise Rejected("The body has no events.", code=code) from error
        many = len(events) > 1
        return tuple(
            msgspec.structs.replace(
                self._event(one), alone=b'{"events":[%s]}' % one.body if many else b""
            )
            for one in events
        )

    def _event(self, answer: Answer[Event]) -> ProviderEvent:
        event, ours = answer.object, answer.object.resource_metadata
        links, amount = event.links or Links(), _amount(ours.get("amount"))
        payment_id = ours.get("payment_id")
        base = ProviderEvent(
            event_id=event.id,
            event_type=f"{event.resource_type}.{event.action}",
            payment_id=payment_id if isinstance(payment_id, str) else "",
            provider_ref=links.payment,
            known=event.resource_type in KNOWN,
            occurred_at=seconds(event.created_at),
        )
        if event.resource_type in _MANDATES:
            return msgspec.structs.replace(base, about=_about(event))
        if event.resource_type not in {"payments", "refunds"}:
            return base
        if amount is None or not base.payment_id:
            # What is not marked as ours has no amount: it has to be read before it is believed.
            return msgspec.structs.replace(base, hint=True)
        try:
            if event.resource_type == "refunds":
                moved = self._translation.refund_told(answer, amount)
                return msgspec.structs.replace(base, movements=moved)
            said, moved = self._translation.payment_told(answer, amount)
            return msgspec.structs.replace(base, payment=said, movements=moved)
        except UnreadableError:
            return msgspec.structs.replace(base, known=False)


def _about(event: Event) -> About | None:
    """Our mandate that an event is about; None for those that somebody else has set up."""
    ours = event.resource_metadata.get("mandate_id")
    if not isinstance(ours, str) or not ours:
        return None
    return About(entity=_MANDATES[event.resource_type], entity_id=ours)


def _amount(ours: object) -> Money | None:
    """The amount that we wrote into the metadata; None where nobody did."""
    try:
        amount, currency = str(ours).split(" ")
        found = Money.parse(amount, currency)
    except ValueError:
        return None
    return found if found.minor > 0 else None
