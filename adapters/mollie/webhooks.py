"""Webhooks: classic ones name an object and nobody signs them; the next generation is signed."""

import re
from typing import Final

import msgspec

from adapters.mollie.settings import Settings
from gateway.errors import Rejected
from gateway.kit.signatures import hex_sha256, require_match, secrets_of
from gateway.model.event import ProviderEvent
from gateway.ports.notification import Notification, Terms, Trust

_ID: Final = re.compile(r"[a-z]{2,6}_[A-Za-z0-9]{2,64}")
_PREFIX: Final = "sha256="
# Source: docs.mollie.com/reference/webhooks and the list of event types, read 2026-11.
CLASSIC: Final = frozenset({"tr", "re", "chb", "sub", "ord", "pl", "cpt", "stl"})
FAMILIES: Final = (
    *("payment.", "refund.", "payment-link.", "balance-transaction.", "payout."),
    *("sales-invoice.", "business-account-transfer."),
)


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    type: str
    entity_id: str = ""


_EVENT: Final = msgspec.json.Decoder(_Event)


class MollieWebhooks:
    """The deliveries to one endpoint, of either kind."""

    terms = Terms()

    def __init__(self, settings: Settings) -> None:
        self._secrets = settings.webhook_secrets

    def verify(self, notification: Notification, *, now: float) -> Trust:  # noqa: ARG002 - the signature has no time
        """Accept the delivery or raise; without a signature only a bare id passes, as a hint.

        Source: docs.mollie.com and mollie-api-python 4.0.0 (``SignatureValidator``, which takes
        the signature without its prefix too), read 2026-11.
        """
        if any(name == "x-mollie-signature" for name, _ in notification.headers):
            given = notification.header("x-mollie-signature").removeprefix(_PREFIX)
            secrets = secrets_of(self._secrets)
            require_match([hex_sha256(one.encode(), notification.body) for one in secrets], [given])
            return Trust.SIGNED
        if not _ID.fullmatch(_bare_id(notification)):
            raise Rejected("There is neither signature nor id.", code="signature_missing")
        return Trust.UNSIGNED

    def read(self, notification: Notification) -> tuple[ProviderEvent, ...]:
        """The one event: what was changed, not how; the object has to be read at Mollie."""
        if named := _bare_id(notification):
            kind = named.partition("_")[0]
            found = _Event(named, f"classic.{kind}", named)
            return (_hint(found, known=kind in CLASSIC),)
        try:
            event = _EVENT.decode(notification.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Rejected(
                "The body is not an event of Mollie.", code="event_unexpected"
            ) from error
        return (_hint(event, known=event.type.startswith(FAMILIES)),)


def _hint(event: _Event, *, known: bool) -> ProviderEvent:
    return ProviderEvent(
        event_id=event.id,
        event_type=event.type,
        provider_ref=event.entity_id,
        hint=True,
        known=known,
    )


def _bare_id(notification: Notification) -> str:
    """The id of a classic delivery; empty for any other."""
    return notification.form().get("id", "") if notification.body.startswith(b"id=") else ""
