"""Webhooks: classic ones name an object and nobody signs them; the next generation is signed."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from adapters.mollie import translation
from adapters.mollie.answers import CHARGEBACK, PAYMENT, REFUND, mark
from adapters.mollie.settings import Settings
from adapters.mollie.translation import Translation
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.answers import Answer, UnreadableError, seconds
from gateway.kit.signatures import hex_sha256, require_match, secrets_of
from gateway.model.event import ProviderEvent
from gateway.model.movement import Movement
from gateway.model.payment import ProviderPayment
from gateway.ports.notification import Notification, Terms, Trust

_ID: Final = re.compile(r"[a-z]{2,6}_[A-Za-z0-9]{2,64}")
_PREFIX: Final = "sha256="
# Source: docs.mollie.com/reference/webhooks and the list of event types, read 2026-11.
CLASSIC: Final = frozenset({"tr", "re", "chb", "sub", "ord", "pl", "cpt", "stl"})
FAMILIES: Final = (
    *("payment.", "refund.", "chargeback.", "payment-link.", "balance-transaction.", "payout."),
    *("sales-invoice.", "business-account-transfer."),
)


class _Whose(msgspec.Struct, frozen=True, rename="camel"):
    """What any object says of itself and of the payment that it belongs to."""

    id: str
    resource: str
    payment_id: str = ""
    metadata: Any = None


class _Embedded(msgspec.Struct, frozen=True):
    entity: msgspec.Raw = msgspec.Raw(b"null")


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    type: str
    entity_id: str = ""
    created_at: str = ""
    embedded: _Embedded | None = msgspec.field(name="_embedded", default=None)


_EVENT: Final = msgspec.json.Decoder(_Event)
_WHOSE: Final = msgspec.json.Decoder(_Whose)


class MollieWebhooks:
    """The deliveries to one endpoint, of either kind.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    terms = Terms()

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._secrets = settings.webhook_secrets
        self._translation = Translation(settings, mappings or translation.load(settings))

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
        """The one event; where it does not carry the object, only a hint that it has changed."""
        if named := _bare_id(notification):
            kind = named.partition("_")[0]
            found = _Event(named, f"classic.{kind}", named)
            return (_hint(found, known=kind in CLASSIC),)
        try:
            event = _EVENT.decode(notification.body)
            raw = event.embedded.entity if event.embedded else msgspec.Raw(b"null")
            said = None if bytes(raw) == b"null" else self._said(event, raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Rejected(
                "The body is not an event of Mollie.", code="event_unexpected"
            ) from error
        except UnreadableError as error:
            raise Rejected(str(error), code=error.code) from error
        return (said or _hint(event, known=event.type.startswith(FAMILIES)),)

    def _said(self, event: _Event, raw: msgspec.Raw) -> ProviderEvent | None:
        """What the object in the event tells; None where it is none of ours."""
        whose = _WHOSE.decode(raw)
        if whose.id != event.entity_id:
            raise UnreadableError("The event is about another object.", code="event_unexpected")
        payment: ProviderPayment | None = None
        movements: tuple[Movement, ...] = ()
        match whose.resource:
            case "payment":
                payment = self._translation.payment_in(Answer(raw, PAYMENT.decode(raw)))
            case "refund":
                refund = self._translation.refund_in(Answer(raw, REFUND.decode(raw)))
                movements = (refund.movement,)
            case "chargeback":
                movements = (self._translation.chargeback_in(Answer(raw, CHARGEBACK.decode(raw))),)
            case _:
                return None
        return ProviderEvent(
            event_id=event.id,
            event_type=event.type,
            payment_id=mark(whose.metadata, "payment_id"),
            provider_ref=whose.payment_id or whose.id,
            payment=payment,
            movements=movements,
            occurred_at=seconds(event.created_at),
        )


def _hint(event: _Event, *, known: bool) -> ProviderEvent:
    return ProviderEvent(
        event_id=event.id,
        event_type=event.type,
        provider_ref=event.entity_id,
        hint=True,
        known=known,
        occurred_at=seconds(event.created_at),
    )


def _bare_id(notification: Notification) -> str:
    """The id of a classic delivery; empty for any other."""
    return notification.form().get("id", "") if notification.body.startswith(b"id=") else ""
