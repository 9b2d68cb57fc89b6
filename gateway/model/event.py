"""Facts that were recorded: our own events, and what providers report."""

import msgspec

from gateway.model.dispute import ProviderDispute
from gateway.model.movement import Movement
from gateway.model.payment import ProviderPayment
from gateway.model.payout import PayeeMatch, ProviderPayout
from gateway.model.reference import EntityKind


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact about one thing, in past tense; CloudEvents 1.0 on the wire.

    Attributes:
        type: ``headrace.<aggregate>.<past tense>.v1``.
        aggregate: The kind of thing, such as ``order``.
        aggregate_id: Which one.
        data: Ids and changed facts; no card, bank or personal data.
    """

    type: str
    aggregate: str
    aggregate_id: str
    data: dict[str, str | int | bool | None]


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What else than a payment an event is about.

    It is read back before anything is believed, unless the event says what happened itself.

    Attributes:
        entity_id: Ours, where the provider sent it back.
        external_id: The provider's.
    """

    entity: EntityKind
    entity_id: str = ""
    external_id: str = ""


class ProviderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a provider reports, read from a webhook.

    Attributes:
        event_id: The provider's id of the event; the same for every repetition.
        event_type: The provider's own word, such as ``payment_intent.succeeded``.
        payment_id: Our id, where the provider sent it back; empty where it did not.
        provider_ref: The provider's id of the payment; empty where the event is about
            something else.
        payment: The payment as the event has it; None where the event does not say.
        movements: What the event says of the payment's money. An event with neither means
            nothing to us.
        claims: What it says of disputes beside their money.
        about: What else it is about; then nothing is said of a payment.
        payout: The payout that it is about as a bank's file has it, which nobody can be asked for.
        verified: What the payee's bank says of the name on that payout.
        occurred_at: Seconds since the epoch, by the provider's clock.
        hint: Whether it only says that something has changed: the object has to be read at the
            provider before anything is believed.
        known: Whether the type is one that the adapter knows; what is not is for a person.
        alone: What is kept of the body, from which the same event can be read again: this one only
            where a delivery has many, nothing personal that nobody needs; empty for all of it.
    """

    event_id: str
    event_type: str
    payment_id: str = ""
    provider_ref: str = ""
    payment: ProviderPayment | None = None
    movements: tuple[Movement, ...] = ()
    claims: tuple[ProviderDispute, ...] = ()
    about: About | None = None
    payout: ProviderPayout | None = None
    verified: PayeeMatch | None = None
    occurred_at: float = 0.0
    hint: bool = False
    known: bool = True
    alone: bytes = b""
