"""Webhooks: Stripe-Signature, and events into the model."""

from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.stripe import answers, translation
from adapters.stripe.answers import CHARGE, DISPUTE, INTENT, REFUND
from adapters.stripe.capabilities import FAMILIES
from adapters.stripe.settings import Settings
from adapters.stripe.translation import Translation
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.answers import Answer, UnreadableError
from gateway.kit.signatures import dated
from gateway.model.event import About, ProviderEvent
from gateway.model.movement import Movement
from gateway.model.payment import ProviderPayment
from gateway.model.reference import EntityKind
from gateway.ports.notification import Notification, Terms, Trust

# What a Customer agrees to, or does not.
_AGREED: Final = ("setup_intent.", "checkout.session.")


class _Data(msgspec.Struct, frozen=True):
    object: msgspec.Raw


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    type: str
    data: _Data
    created: float = 0.0


_EVENT: Final = msgspec.json.Decoder(_Event)


class _Links(msgspec.Struct, frozen=True):
    """What any object may say about itself and the payment that it belongs to."""

    id: str = ""
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


_LINKS: Final = msgspec.json.Decoder(_Links)


class StripeWebhooks:
    """The deliveries to one endpoint.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    terms = Terms()

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._secrets = settings.webhook_secrets
        self._tolerance_s = settings.tolerance_s
        self._translation = Translation(mappings or translation.load(settings))

    def verify(self, notification: Notification, *, now: float) -> Trust:
        """Accept the delivery or raise.

        Only age is checked; a time in the future passes, as it does with Stripe's own clients.

        Source: docs.stripe.com/webhooks/signature and stripe-python 16.1.0, read 2026-11.
        """
        header, body = notification.header("stripe-signature"), notification.body
        dated.verify(header, body, self._secrets, now=now, tolerance_s=self._tolerance_s)
        return Trust.SIGNED

    def read(self, notification: Notification) -> tuple[ProviderEvent, ...]:
        """The one event of a delivery."""
        try:
            event = _EVENT.decode(notification.body)
            said, links = self._said(event.type, event.data.object), _links(event.data.object)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            code = "event_unexpected" if isinstance(error, msgspec.ValidationError) else "malformed"
            raise Rejected("The body is not an event of Stripe.", code=code) from error
        except UnreadableError as error:
            raise Rejected(str(error), code=error.code) from error
        payment = said if isinstance(said, ProviderPayment) else None
        return (
            ProviderEvent(
                event_id=event.id,
                event_type=event.type,
                payment_id=answers.payment_id_of(links.metadata),
                provider_ref=payment.provider_ref if payment else links.payment_intent or "",
                payment=payment,
                movements=said if isinstance(said, tuple) else (),
                about=_about(event.type, links),
                occurred_at=event.created,
                known=event.type.partition(".")[0] in FAMILIES,
            ),
        )

    def _said(self, kind: str, raw: msgspec.Raw) -> ProviderPayment | tuple[Movement, ...]:
        """The payment or the movements that the object tells of."""
        if kind.startswith("payment_intent."):
            return self._translation.payment_in(Answer(raw, INTENT.decode(raw)))
        if kind == "charge.refunded":
            return self._translation.charge_in(Answer(raw, CHARGE.decode(raw)))
        if kind.startswith("charge.dispute."):
            return self._translation.dispute_in(Answer(raw, DISPUTE.decode(raw)))
        if kind.startswith(("refund.", "charge.refund.")):
            return (self._translation.refund_in(Answer(raw, REFUND.decode(raw))).movement,)
        return ()


def _about(kind: str, links: _Links) -> About | None:
    """The payout or transfer of ours that the object is; those of a schedule are not."""
    if kind.startswith("payout."):
        entity, entity_id = EntityKind.PAYOUT, answers.payout_id_of(links.metadata)
    elif kind.startswith("transfer."):
        entity, entity_id = EntityKind.TRANSFER, answers.transfer_id_of(links.metadata)
    elif kind.startswith(_AGREED):
        ours = answers.mandate_id_of(links.metadata)
        return About(entity=EntityKind.MANDATE_REQUEST, entity_id=ours) if ours else None
    elif kind == "mandate.updated":
        # It has no metadata; whether it is ours says the reference.
        return About(entity=EntityKind.MANDATE, external_id=links.id)
    else:
        return None
    if not entity_id:
        return None
    return About(entity=entity, entity_id=entity_id, external_id=links.id)


def _links(raw: msgspec.Raw) -> _Links:
    """The payment that the object belongs to.

    Any object of any age may come here; what cannot be read is kept and reported all the same,
    only without its links.
    """
    try:
        return _LINKS.decode(raw)
    except msgspec.ValidationError:
        return _Links()
