"""Webhooks: the scheme that the settings name, as a receiver."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from adapters.webhook import signed, unsigned
from adapters.webhook.settings import SchemeName, Settings
from gateway.model.event import ProviderEvent
from gateway.ports.exchange import Exchange
from gateway.ports.notification import Answer, Keys, Notification, Terms, Trust


def _no_question(_settings: Settings, _notification: Notification) -> Answer | None:
    return None


def _no_keys(_settings: Settings, _notification: Notification) -> Exchange[Keys]:
    yield from ()
    return Keys()


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """One way to prove a delivery and to take it apart."""

    verify: Callable[[Settings, Notification, float], Trust]
    read: Callable[[Notification], ProviderEvent]
    terms: Terms = Terms()
    answer_challenge: Callable[[Settings, Notification], Answer | None] = _no_question
    fetch_keys: Callable[[Settings, Notification], Exchange[Keys]] = _no_keys


SCHEMES: Final[Mapping[SchemeName, Scheme]] = {
    "standard_webhooks": Scheme(
        verify=signed.verify_standard,
        read=signed.read_standard,
        terms=Terms(headers=frozenset({"webhook-id"})),
    ),
    "github": Scheme(
        verify=signed.verify_github,
        read=signed.read_github,
        terms=Terms(headers=frozenset({"x-github-event"})),
    ),
    "braintree": Scheme(
        verify=signed.verify_braintree,
        read=signed.read_braintree,
        terms=Terms(methods=frozenset({"GET", "POST"})),
        answer_challenge=signed.answer_braintree,
    ),
    "truelayer": Scheme(
        verify=signed.verify_truelayer,
        read=signed.read_truelayer,
        fetch_keys=signed.fetch_truelayer,
    ),
    "klarna": Scheme(verify=unsigned.verify_klarna, read=unsigned.read_klarna),
    "mangopay": Scheme(
        verify=unsigned.verify_mangopay,
        read=unsigned.read_mangopay,
        terms=Terms(methods=frozenset({"GET"})),
    ),
    "unzer": Scheme(verify=unsigned.verify_unzer, read=unsigned.read_unzer),
}


class WebhookReceiver:
    """The deliveries to one endpoint."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._scheme = SCHEMES[settings.scheme]
        self.terms = self._scheme.terms
        self.origins = frozenset(signed.truelayer_origins(settings))

    def verify(self, notification: Notification, *, now: float) -> Trust:
        """By the scheme."""
        return self._scheme.verify(self._settings, notification, now)

    def read(self, notification: Notification) -> tuple[ProviderEvent, ...]:
        """The one event."""
        return (self._scheme.read(notification),)

    def answer_challenge(self, notification: Notification) -> Answer | None:
        """Where the scheme has questions."""
        return self._scheme.answer_challenge(self._settings, notification)

    def fetch_keys(self, notification: Notification) -> Exchange[Keys]:
        """Where the scheme names keys."""
        return self._scheme.fetch_keys(self._settings, notification)
